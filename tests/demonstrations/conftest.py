"""Small collections, played once for all tests, and what they have in common."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from taskworlds.demonstrations import collect


def north_east(observations):
    """A policy for `point` that reaches the goals in one corner."""
    return np.full((len(observations), 2), 0.1)


@pytest.fixture(scope="session")
def corner():
    return north_east


@pytest.fixture(scope="session")
def reach():
    """Two skills of Meta-World, two short episodes each."""
    return collect("expert", "ML1", env_name="reach-v3", episodes=3, max_episode_steps=8, num_envs=2)


@pytest.fixture(scope="session")
def point():
    """Three episodes of different lengths."""
    return collect(north_east, "point", episodes=3, only_successes=True, max_attempts=40)


@pytest.fixture(scope="session")
def cheetah():
    """A world whose episodes start at random, without success."""
    return collect("random", "half-cheetah-vel", episodes=2, max_episode_steps=5, num_goals=1)


@pytest.fixture
def check_same_episode():
    """Asserts that an environment plays an episode again, to the last bit."""

    def check(env, seed, task, observations, actions, rewards):
        seen, got = [env.reset(seed=seed, options={"task": task})[0]], []
        for action in actions:
            obs, reward, *_ = env.step(action)
            seen.append(obs)
            got.append(reward)
        np.testing.assert_array_equal(np.stack(seen), observations)
        np.testing.assert_array_equal(got, rewards)

    return check


@pytest.fixture(scope="session")
def contents():
    """Returns by path the digest of each file of a folder."""

    def contents(folder):
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    return contents
