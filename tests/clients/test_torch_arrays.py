"""PyTorch's tensors through Gymnasium's array wrappers: every number of observations, rewards and infos."""

import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

torch = pytest.importorskip("torch")
pytest.importorskip("array_api_compat", reason="Gymnasium's array wrappers need it")
pytest.importorskip("gymnasium", minversion="1.4", reason="earlier wrappers close a batch that others use")

NAMES = ["taskworlds/MT10", "taskworlds/half-cheetah-vel", "taskworlds/point"]


@functools.cache
def batch(name, mode, **options):
    return gym.make_vec(name, num_envs=10, seed=0, max_episode_steps=3, autoreset_mode=mode, **options)


def assert_tensors(value, where=""):
    """Everything is a tensor, all the way down."""
    if isinstance(value, dict):
        for name, each in value.items():
            assert_tensors(each, f"{where}[{name!r}]")
    elif isinstance(value, tuple | list):
        for index, each in enumerate(value):
            assert_tensors(each, f"{where}[{index}]")
    else:
        assert isinstance(value, torch.Tensor), f"{where} is a {type(value).__name__}"


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_speaks_tensors_past_the_ends_of_episodes(name, mode, play, decided_by_the_seed):
    envs = gym.wrappers.vector.NumpyToTorch(batch(name, mode))
    outcomes = decided_by_the_seed(
        lambda seed: list(play(envs, 7, seed, apart=True, to_env=torch.from_numpy))
    )
    assert_tensors(outcomes)


@pytest.mark.parametrize("mode", AutoresetMode)
def test_tensors_hold_the_same_numbers(mode, play):
    bare = batch(NAMES[0], mode)
    ours = [outcome[:-1] for outcome in play(bare, 7, 0, apart=True)]
    theirs = list(play(gym.wrappers.vector.NumpyToTorch(bare), 7, 0, apart=True, to_env=torch.from_numpy))
    for one, other in zip(ours, theirs, strict=True):
        for array, tensor in zip(one, other[:-1], strict=True):
            np.testing.assert_array_equal(array, tensor.numpy())


@pytest.mark.parametrize("mode", AutoresetMode)
def test_trials_speak_tensors(mode, play):
    envs = gym.wrappers.vector.NumpyToTorch(batch("taskworlds/half-cheetah-vel", mode, k_episodes=2))
    assert_tensors(list(play(envs, 8, 0, apart=True, to_env=torch.from_numpy)))


@pytest.mark.parametrize("wrap", [gym.wrappers.RecordEpisodeStatistics, lambda env: env])
@pytest.mark.parametrize("name", ["taskworlds/reach-v3", *NAMES])
def test_a_single_environment_speaks_tensors(name, wrap, decided_by_the_seed):
    env = gym.wrappers.NumpyToTorch(wrap(gym.make(name, seed=0, max_episode_steps=3)))

    def outcomes(seed):
        yield env.reset(seed=seed)
        for _ in range(2):
            for _ in range(3):
                obs, reward, _, truncated, info = env.step(torch.zeros(env.action_space.shape))
                info.pop("episode", None)  # how long it took
                assert isinstance(reward, float)
                yield obs, info
            yield env.reset()
        assert truncated

    assert_tensors(decided_by_the_seed(lambda seed: list(outcomes(seed))))
