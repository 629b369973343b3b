"""Each action is taken several times."""

import gymnasium
import pytest

from taskworlds.compat.mtrl.frame_skip import FrameSkip


class Count(gymnasium.Env):
    """The reward of step k is 10**k; five steps."""

    observation_space = action_space = gymnasium.spaces.Discrete(10)

    def __init__(self, terminates=False):
        self.terminates = terminates

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return 0, {}

    def step(self, action):
        self.steps += 1
        ends = self.steps == 5
        return self.steps, 10.0**self.steps, ends and self.terminates, ends, {"steps": self.steps}


@pytest.mark.parametrize("terminates", [False, True])
def test_rewards_are_summed_and_the_end_cuts_the_last_step_short(terminates):
    env = FrameSkip(Count(terminates), 3)
    assert env.reset() == (0, {})
    assert env.step(0) == (3, 1110.0, False, False, {"steps": 3})
    assert env.step(0) == (5, 110000.0, terminates, True, {"steps": 5})


def test_one_skips_nothing():
    env = FrameSkip(Count(), 1)
    env.reset()
    assert env.step(0)[:2] == (1, 10.0)


@pytest.mark.parametrize(
    ("frame_skip", "error", "message"),
    [
        (0, ValueError, "frame_skip must be at least 1, not 0"),
        (1.5, TypeError, "frame_skip must be a whole number"),
    ],
)
def test_what_does_not_fit_is_refused(frame_skip, error, message):
    with pytest.raises(error, match=message):
        FrameSkip(Count(), frame_skip)
