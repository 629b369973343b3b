"""Earlier observations instead of the current one."""

import collections
import copy

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from taskworlds.compat.mtrl.sticky_observation import StickyObservation

STEPS = 2000


class Clock(gymnasium.Env):
    """Observes how many steps there were, in one array that it writes again and again."""

    observation_space = Box(0, np.inf, (1,), np.float64)
    action_space = Discrete(2)

    def __init__(self):
        self.time = np.zeros(1)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time[:] = 0.0
        return self.time, {}

    def step(self, action):
        self.time += 1.0
        return self.time, float(self.time[0]), False, False, {}


def seen(env, steps, **reset):
    """Gives what is observed at reset and at each step."""
    times = [int(env.reset(**reset)[0][0])]
    for step in range(1, steps + 1):
        obs, reward, *_ = env.step(0)
        assert reward == step  # only the observation is late
        times.append(int(obs[0]))
    return times


def test_never():
    assert seen(StickyObservation(Clock(), 0.0, 3), 5) == [0, 1, 2, 3, 4, 5]


def test_always_the_one_before():
    env = StickyObservation(Clock(), 1.0, 1)
    assert seen(env, 5) == [0, 0, 1, 2, 3, 4]
    assert seen(env, 3) == [0, 0, 1, 2]  # nothing is left of the episode before


def test_always_one_of_the_last_k_each_as_likely():
    times = seen(StickyObservation(Clock(), 1, 3), STEPS, seed=0)
    lags = collections.Counter(step - time for step, time in enumerate(times) if step > 3)
    assert set(lags) == {1, 2, 3}
    assert all(abs(count / STEPS - 1 / 3) < 0.05 for count in lags.values())
    assert times[1] == 0  # the first observation stands for those before it
    assert all(step - time <= 3 for step, time in enumerate(times))


def test_the_probability():
    times = seen(StickyObservation(Clock(), 0.25, 2), STEPS, seed=1)
    late = sum(time != step for step, time in enumerate(times))
    assert abs(late / STEPS - 0.25) < 0.05


def test_the_seed_decides():
    env = StickyObservation(Clock(), 0.5, 4, seed=3)
    first, second = seen(env, 50), seen(env, 50)
    assert first != second
    assert seen(StickyObservation(Clock(), 0.5, 4, seed=3), 50) == first
    assert seen(env, 50, seed=3) == first
    assert seen(copy.deepcopy(env), 50) == seen(env, 50) == second


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((-0.1, 1), ValueError, "sticky_probability must be from 0 to 1, not -0.1"),
        ((1.1, 1), ValueError, "sticky_probability must be from 0 to 1, not 1.1"),
        ((float("nan"), 1), ValueError, "sticky_probability must be from 0 to 1, not nan"),
        (("0.5", 1), TypeError, "sticky_probability must be a number from 0 to 1, not '0.5'"),
        ((True, 1), TypeError, "sticky_probability must be a number"),
        ((0.5, 0), ValueError, "last_k must be at least 1, not 0"),
        ((0.5, 1.0), TypeError, "last_k must be a whole number, not 1.0"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        StickyObservation(Clock(), *arguments)
