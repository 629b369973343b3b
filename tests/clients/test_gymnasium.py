"""Gymnasium's wrappers, single and vector, and its own vector environments over ours, past the ends of episodes."""

import contextlib
import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import vector

pytest.importorskip(
    "gymnasium", minversion="1.4", reason="earlier wrappers close a batch that others use, and count wrongly"
)

LIMIT = 3
HALF = {"min_action": np.float32(-0.5), "max_action": np.float32(0.5)}

VECTOR = {
    "RecordEpisodeStatistics": vector.RecordEpisodeStatistics,
    "ClipAction": vector.ClipAction,
    "RescaleAction": lambda envs: vector.RescaleAction(envs, **HALF),
    "ClipReward": lambda envs: vector.ClipReward(envs, -1, 1),
    "NormalizeReward": vector.NormalizeReward,
    "DictInfoToList": vector.DictInfoToList,
    "FlattenObservation": vector.FlattenObservation,
    "DtypeObservation": lambda envs: vector.DtypeObservation(envs, np.float32),
    "NormalizeObservation": vector.NormalizeObservation,
    "all of CleanRL's": lambda envs: vector.NormalizeReward(
        vector.NormalizeObservation(vector.ClipAction(vector.RecordEpisodeStatistics(envs)))
    ),
}
# The modes that Gymnasium's own wrappers know: constructors refuse a batch of another one.
KNOWN = {
    "FlattenObservation": [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED],
    "DtypeObservation": [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED],
    "NormalizeObservation": [AutoresetMode.NEXT_STEP],
    "all of CleanRL's": [AutoresetMode.NEXT_STEP],
}
SINGLE = {
    "RecordEpisodeStatistics": gym.wrappers.RecordEpisodeStatistics,
    "TimeLimit": lambda env: gym.wrappers.TimeLimit(env, LIMIT - 1),
    "Autoreset": gym.wrappers.Autoreset,
    "OrderEnforcing": gym.wrappers.OrderEnforcing,
    "PassiveEnvChecker": gym.wrappers.PassiveEnvChecker,
    "ClipAction": gym.wrappers.ClipAction,
    "RescaleAction": lambda env: gym.wrappers.RescaleAction(env, **HALF),
    "StickyAction": lambda env: gym.wrappers.StickyAction(env, 0.5),
    "ClipReward": lambda env: gym.wrappers.ClipReward(env, -1, 1),
    "NormalizeReward": gym.wrappers.NormalizeReward,
    "NormalizeObservation": gym.wrappers.NormalizeObservation,
    "FlattenObservation": gym.wrappers.FlattenObservation,
    "DtypeObservation": lambda env: gym.wrappers.DtypeObservation(env, np.float32),
    "FrameStackObservation": lambda env: gym.wrappers.FrameStackObservation(env, 2),
    "DelayObservation": lambda env: gym.wrappers.DelayObservation(env, 1),
    "TimeAwareObservation": gym.wrappers.TimeAwareObservation,
    "MaxAndSkipObservation": lambda env: gym.wrappers.MaxAndSkipObservation(env, 2),
    "all of CleanRL's": lambda env: gym.wrappers.NormalizeReward(
        gym.wrappers.NormalizeObservation(
            gym.wrappers.ClipAction(
                gym.wrappers.RecordEpisodeStatistics(gym.wrappers.FlattenObservation(env))
            )
        )
    ),
}


@functools.cache
def batch(mode):
    return gym.make_vec("taskworlds/MT10", seed=0, max_episode_steps=LIMIT, autoreset_mode=mode)


@functools.cache
def single():
    return gym.make("taskworlds/reach-v3", seed=0, max_episode_steps=LIMIT)


def without_infos(outcomes):
    return [outcome[:-1] for outcome in outcomes]


def episode(env, steps, seed):
    """Steps a single environment past the ends of its episodes; yields what it returns, but for infos."""
    rng = np.random.default_rng(0)
    yield env.reset(seed=seed)[0]
    for _ in range(steps):
        *outcome, info = env.step(rng.uniform(-1, 1, 4).astype(np.float32))
        yield outcome
        assert "success" in info or isinstance(env, gym.wrappers.Autoreset)
        if outcome[2] or outcome[3]:
            yield env.reset()[0]


@pytest.mark.parametrize(
    ("wrapper", "mode"), [(name, mode) for name in VECTOR for mode in KNOWN.get(name, AutoresetMode)]
)
def test_a_vector_wrapper_goes_past_the_ends_of_episodes(wrapper, mode, play, decided_by_the_seed):
    decided_by_the_seed(lambda seed: without_infos(play(VECTOR[wrapper](batch(mode)), 7, seed)))


@pytest.mark.parametrize("mode", AutoresetMode)
def test_recorded_statistics_are_the_episodes(mode, play):
    envs = vector.RecordEpisodeStatistics(batch(mode))
    returns, lengths, ended, counted = np.zeros(10), np.zeros(10, dtype=int), np.zeros(10, dtype=bool), 0
    for at, outcome in enumerate(play(envs, 9, seed=0, apart=True)):
        if at == 2:
            returns[0] = lengths[0] = 0  # reset in mid-episode
        if len(outcome) == 2:
            continue
        _, rewards, terminations, truncations, infos = outcome
        lengths += ~ended if mode is AutoresetMode.NEXT_STEP else 1
        returns += rewards
        ended = terminations | truncations
        if ended.any():
            np.testing.assert_array_equal(infos["_episode"], ended)
            np.testing.assert_array_equal(infos["episode"]["l"][ended], lengths[ended])
            np.testing.assert_allclose(infos["episode"]["r"][ended], returns[ended])
        returns[ended], lengths[ended], counted = 0, 0, counted + ended.sum()
    assert counted >= 20


@pytest.mark.parametrize("wrapper", SINGLE)
def test_a_wrapper_goes_past_the_ends_of_episodes(wrapper, decided_by_the_seed):
    decided_by_the_seed(lambda seed: list(episode(SINGLE[wrapper](single()), 7, seed)))


def test_recorded_statistics_of_a_single_environment_are_the_episodes():
    env = gym.wrappers.RecordEpisodeStatistics(single())
    for _ in range(2):
        env.reset(seed=0)
        steps = [env.step(np.zeros(4, dtype=np.float32)) for _ in range(LIMIT)]
        assert steps[-1][4]["episode"]["l"] == LIMIT
        assert steps[-1][4]["episode"]["r"] == pytest.approx(sum(step[1] for step in steps))
        assert "episode" not in steps[-2][4]


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize(
    "make_vec", [SyncVectorEnv, functools.partial(AsyncVectorEnv, context="fork")], ids=["sync", "async"]
)
def test_gymnasiums_own_batches_of_ours(make_vec, mode, play, decided_by_the_seed):
    names = ["taskworlds/reach-v3", "taskworlds/push-v3"]
    makers = [
        functools.partial(gym.make, name, seed=0, max_episode_steps=LIMIT + i) for i, name in enumerate(names)
    ]
    with contextlib.closing(make_vec(makers, autoreset_mode=mode)) as envs:
        outcomes = decided_by_the_seed(lambda seed: without_infos(play(envs, 9, seed)))
    ends = np.sum([outcome[3] for outcome in outcomes if len(outcome) == 4], axis=0)
    assert ends.tolist() == [2 if mode is AutoresetMode.NEXT_STEP else 3, 2]
