"""`FrameSkip`: each action is repeated."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from taskworlds.core.errors import check_count

__all__ = ["FrameSkip"]


class FrameSkip(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Takes each action `frame_skip` times, or until the episode ends. The reward is the sum.

    An episode of T steps becomes one of ceil(T / frame_skip). Observation, flags and info are those of the last step.

    Args:
        env: the environment to wrap.
        frame_skip: steps of the environment for each action, at least 1.

    Raises:
        TypeError: `frame_skip` is not a whole number.
        ValueError: `frame_skip` is below 1.

    Example:
        >>> env = FrameSkip(gym.make("CartPole-v1"), 4)
        >>> observation, info = env.reset(seed=0)
        >>> env.step(0)[1]
        4.0
    """

    def __init__(self, env: gym.Env[Any, Any], frame_skip: int) -> None:
        self._frame_skip = check_count("frame_skip", frame_skip)
        RecordConstructorArgs.__init__(self, frame_skip=frame_skip)
        super().__init__(env)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Takes the action `frame_skip` times, or until the episode ends."""
        total = 0.0
        for _ in range(self._frame_skip):
            obs, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            if terminated or truncated:
                break
        return obs, total, terminated, truncated, info
