"""JAX's arrays through Gymnasium's array wrappers, in both directions, past the ends of episodes."""

import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

jax = pytest.importorskip("jax")
pytest.importorskip("array_api_compat", reason="Gymnasium's array wrappers need it")
pytest.importorskip("gymnasium", minversion="1.4", reason="earlier wrappers close a batch that others use")

NAMES = ["taskworlds/MT10", "taskworlds/half-cheetah-vel", "taskworlds/point"]


@functools.cache
def batch(name, mode):
    return gym.make_vec(name, num_envs=10, seed=0, max_episode_steps=3, autoreset_mode=mode)


def speaking_jax(envs):
    return gym.wrappers.vector.ArrayConversion(envs, env_xp=np, target_xp=jax.numpy)


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_speaks_jax_past_the_ends_of_episodes(name, mode, play, decided_by_the_seed):
    envs = speaking_jax(batch(name, mode))
    outcomes = decided_by_the_seed(
        lambda seed: list(play(envs, 7, seed, apart=True, to_env=jax.numpy.asarray))
    )
    leaves = jax.tree.leaves(outcomes)
    assert leaves
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)


@pytest.mark.parametrize("mode", AutoresetMode)
def test_a_batch_takes_jax_arrays(mode, play, decided_by_the_seed):
    """JaxToNumpy hands actions and masks on as JAX's arrays."""
    envs = gym.wrappers.vector.JaxToNumpy(batch(NAMES[0], mode))
    outcomes = decided_by_the_seed(lambda seed: list(play(envs, 7, seed, apart=True)))
    bare = list(play(batch(NAMES[0], mode), 7, 2, apart=True))
    assert len(outcomes) == len(bare)
    for one, other in zip(play(envs, 7, 2, apart=True), bare, strict=True):
        np.testing.assert_array_equal(one[0], other[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_single_environment_speaks_jax(name, decided_by_the_seed):
    env = gym.wrappers.ArrayConversion(
        gym.make(name, seed=0, max_episode_steps=3), env_xp=np, target_xp=jax.numpy
    )

    def outcomes(seed):
        yield env.reset(seed=seed)
        for _ in range(2):
            for _ in range(3):
                obs, reward, terminated, truncated, info = env.step(jax.numpy.zeros(env.action_space.shape))
                yield obs, reward, info
            assert terminated or truncated
            yield env.reset()

    first = decided_by_the_seed(lambda seed: list(outcomes(seed)))
    assert all(isinstance(obs, jax.Array) for obs, *_ in first)


def test_jax_gives_tensors():
    """JaxToTorch, as a learner in PyTorch over environments of JAX has it."""
    torch = pytest.importorskip("torch")
    envs = gym.wrappers.vector.JaxToTorch(speaking_jax(batch(NAMES[0], AutoresetMode.SAME_STEP)))
    envs.reset(seed=0)
    obs, rewards, *_ = envs.step(torch.zeros(10, 4))
    assert isinstance(obs, torch.Tensor)
    assert isinstance(rewards, torch.Tensor)
