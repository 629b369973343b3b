"""Running normalisation, against its formulas and against Gymnasium's wrappers."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import NormalizeObservation, NormalizeReward

from taskworlds.vector.normalization import (
    ExponentialRewardNormalizer,
    ObservationNormalizer,
    ReturnRewardNormalizer,
)

BOTH = np.array([True, True])
FIRST = np.array([True, False])
NONE = np.zeros(2, dtype=bool)


class Replay(gym.Env):
    """Gives prescribed observations and rewards, in episodes of 5 steps, every other of which terminates."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (3,), np.float64)
    action_space = gym.spaces.Discrete(1)

    def __init__(self, obs, rewards):
        self.all_obs, self.rewards, self.at = obs, rewards, -1

    def reset(self, *, seed=None, options=None):
        self.at += 1
        return self.all_obs[self.at], {}

    def step(self, action):
        self.at += 1
        done = self.at % 5 == 0
        return self.all_obs[self.at], self.rewards[self.at], done and self.at % 10 == 0, done, {}


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    return rng.normal(3.0, 2.0, (60, 2, 3)), rng.normal(1.0, 4.0, (60, 2))


# --- rewards ------------------------------------------------------------------------------------------------


def test_exponential_statistics_move_once_for_each_reward():
    normalizer = ExponentialRewardNormalizer(1, alpha=0.1)
    one = np.array([True])
    given = normalizer(np.array([10.0]), NONE[:1], one)
    assert normalizer.mean[0] == 1.0
    assert normalizer.var[0] == pytest.approx(0.9 * 1.0 + 0.1 * (10.0 - 1.0) ** 2, rel=1e-15)
    assert given[0] == pytest.approx(10.0 / 3.0, rel=1e-7)
    normalizer(np.array([10.0]), NONE[:1], one)
    assert normalizer.mean[0] == pytest.approx(1.9, rel=1e-15)


def test_exponential_formula(numbers):
    _, rewards = numbers
    normalizer = ExponentialRewardNormalizer(2, alpha=0.05)
    mean, var = np.zeros(2), np.ones(2)
    for reward in rewards:
        mean = 0.95 * mean + 0.05 * reward
        var = 0.95 * var + 0.05 * (reward - mean) ** 2
        np.testing.assert_allclose(normalizer(reward, NONE, BOTH), reward / (np.sqrt(var) + 1e-8), rtol=1e-13)


def test_returns_as_in_gymnasium(numbers):
    # Both are float64; the order of a few additions differs.
    _, rewards = numbers
    ours = ReturnRewardNormalizer(2)
    theirs = [NormalizeReward(Replay(np.zeros((60, 3)), rewards[:, row])) for row in range(2)]
    for env in theirs:
        env.reset()
    for step in range(1, 60):
        outcomes = [env.step(0) for env in theirs]
        terminated = np.array([outcome[2] for outcome in outcomes])
        np.testing.assert_allclose(
            ours(rewards[step], terminated, BOTH), [outcome[1] for outcome in outcomes], rtol=1e-12
        )


@pytest.mark.parametrize("make", [ReturnRewardNormalizer, lambda n: ExponentialRewardNormalizer(n, 0.1)])
def test_rewards_are_left_as_they_came(make, numbers):
    normalizer, rewards = make(2), numbers[1][0].copy()
    given = normalizer(rewards, NONE, BOTH)
    assert np.array_equal(rewards, numbers[1][0])
    assert not np.shares_memory(given, rewards)


# --- observations -------------------------------------------------------------------------------------------


def test_observations_as_in_gymnasium(numbers):
    # Gymnasium keeps its statistics and its result in float32, so they agree to about 1e-5 only.
    obs, _ = numbers
    ours = ObservationNormalizer(2, 3)
    theirs = [NormalizeObservation(Replay(obs[:, row], np.zeros(60))) for row in range(2)]
    first = obs[0].copy()
    ours(first, BOTH)
    np.testing.assert_allclose(first, [env.reset()[0] for env in theirs], rtol=1e-3, atol=1e-5)
    for step in range(1, 60):
        mine = obs[step].copy()
        ours(mine, BOTH)
        np.testing.assert_allclose(mine, [env.step(0)[0] for env in theirs], rtol=1e-3, atol=1e-5)


def test_observation_statistics_are_those_of_all_samples(numbers):
    # The 1e-4 samples of mean 0 and variance 1 that Gymnasium starts from are part of both sides.
    obs, _ = numbers
    ours = ObservationNormalizer(2, 3)
    for each in obs:
        ours(each.copy(), BOTH)
    count = 1e-4 + 60
    mean = obs.sum(axis=0) / count
    var = (1e-4 * (1 + mean**2) + ((obs - mean) ** 2).sum(axis=0)) / count
    np.testing.assert_allclose(ours.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(ours.var, var, rtol=1e-12)
    np.testing.assert_allclose(ours.count, count, rtol=1e-15)


# --- rows ---------------------------------------------------------------------------------------------------


@pytest.fixture(params=["return", "exponential", "observation"])
def normalizer(request):
    """Each normaliser for two rows, as a function of samples (2, 3); rewards are their first column."""
    made = {
        "return": ReturnRewardNormalizer(2),
        "exponential": ExponentialRewardNormalizer(2, 0.1),
        "observation": ObservationNormalizer(2, 3),
    }[request.param]

    def apply(samples, rows):
        if request.param != "observation":
            return made(samples[:, 0].copy(), NONE, rows)
        given = samples.copy()
        made(given, rows)
        return given

    apply.it = made
    return apply


def test_rows_do_not_mix(normalizer, numbers, same):
    obs, _ = numbers
    start = normalizer.it.get_state()
    together = [normalizer(each, BOTH) for each in obs[:10]]
    normalizer.it.set_state(start, np.arange(len(start["mean"])))
    for each, expected in zip(obs[:10], together, strict=True):
        given = normalizer(each, FIRST)
        same(given[0], expected[0])
        untouched = each if given.ndim == 2 else each[:, 0]
        same(given[1], untouched[1])
    for name in normalizer.it._names:
        same(getattr(normalizer.it, name)[1], start[name][1])


def test_frozen_statistics_stay(normalizer, numbers, same):
    obs, _ = numbers
    for each in obs[:5]:
        normalizer(each, BOTH)
    normalizer.it.updating = False
    before = normalizer.it.get_state()
    first = normalizer(obs[5], BOTH)
    frozen = {name: value for name, value in normalizer.it.get_state().items() if name != "discounted"}
    same(frozen, {name: value for name, value in before.items() if name != "discounted"})
    same(normalizer(obs[5], BOTH), first)


def test_state_is_exact_and_its_own(normalizer, numbers, same):
    obs, _ = numbers
    for each in obs[:5]:
        normalizer(each, BOTH)
    state = normalizer.it.get_state()
    expected = [normalizer(each, BOTH) for each in obs[5:15]]
    normalizer.it.set_state(state, np.arange(len(state["mean"])))
    same([normalizer(each, BOTH) for each in obs[5:15]], expected)
    normalizer.it.set_state(state, np.arange(len(state["mean"])))
    same([normalizer(each, BOTH) for each in obs[5:15]], expected)
