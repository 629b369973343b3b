"""A small environment to wrap, and Gymnasium's check of one with every unexpected warning an error."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from gymnasium.utils.env_checker import check_env

from taskworlds.core.step import EnvSpec, EnvStep, StepType

# What check_env says of every wrapper, of unbounded observations, and of actions outside [-1, 1].
EXPECTED_WARNINGS = ("different from the unwrapped version", "infinity", "is infinite", "normalized space")


class Line(gymnasium.Env):
    """Observations: a random start plus the number of steps. Not registered; plain tuples, or EnvSteps."""

    metadata = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(
        self,
        *,
        low=0.0,
        high=100.0,
        size=2,
        dtype=np.float64,
        actions=None,
        terminate_at=None,
        truncate_at=None,
        env_step=False,
        info=None,
    ):
        self.observation_space = Box(low, high, (size,), dtype)
        self.action_space = Discrete(3) if actions is None else actions
        self.render_mode = "ansi"
        self.terminate_at, self.truncate_at = terminate_at, truncate_at
        self.env_step = env_step
        self.info = info or {}
        self.goal = 7
        self.actions = []
        self.closed = 0
        self._secret = 1

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.start = self.np_random.random(self.observation_space.shape)
        self.count = 0
        return self._observe(), dict(self.info)

    def step(self, action):
        self.count += 1
        self.actions.append(action)
        terminated = self.count == self.terminate_at
        truncated = self.count == self.truncate_at
        if self.env_step:
            step_type = StepType.TERMINAL if terminated else StepType.TIMEOUT if truncated else StepType.MID
            spec = EnvSpec(self.observation_space, self.action_space, self.truncate_at)
            return EnvStep(spec, "inner action", 1.0, self._observe(), dict(self.info), step_type)
        return self._observe(), 1.0, terminated, truncated, dict(self.info)

    def _observe(self):
        return (self.start + self.count).astype(self.observation_space.dtype)

    def render(self):
        return f"at {self.count}"

    def close(self):
        self.closed += 1


@pytest.fixture
def line():
    """The class `Line`."""
    return Line


@pytest.fixture
def check():
    """Gymnasium's check_env, all of it unless told otherwise, in which only expected warnings may come."""

    def check(env, **kwargs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_env(env, **kwargs)
        messages = [str(warning.message) for warning in caught]
        assert [m for m in messages if not any(expected in m for expected in EXPECTED_WARNINGS)] == []

    return check
