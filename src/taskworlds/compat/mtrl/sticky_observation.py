"""`StickyObservation`: sometimes an earlier observation instead of the current one."""

from __future__ import annotations

import copy
from collections import deque
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from taskworlds.core.errors import WrongType, WrongValue, check_count, check_seed

__all__ = ["StickyObservation"]


class StickyObservation(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """With some probability, returns one of the last k earlier observations, each of them equally likely.

    The environment itself runs as usual; only the observation is old. Before an episode's k-th step, its first
    observation stands for the missing ones.

    Args:
        env: the environment to wrap.
        sticky_probability: probability of an earlier observation, from 0 to 1.
        last_k: number of earlier observations to choose from, at least 1.
        seed: seeds the choices, as `reset(seed=)` does; None for fresh entropy.

    Raises:
        TypeError: `sticky_probability` is not a number, or `last_k` or `seed` is not a whole number.
        ValueError: an argument is out of range.

    Example:
        >>> late = StickyObservation(gym.make("CartPole-v1"), 1.0, 1)
        >>> first, info = late.reset(seed=0)
        >>> bool((late.step(0)[0] == first).all()), bool((late.step(0)[0] == first).all())
        (True, False)
    """

    def __init__(
        self, env: gym.Env[Any, Any], sticky_probability: float, last_k: int, *, seed: int | None = None
    ) -> None:
        if isinstance(sticky_probability, bool) or not isinstance(
            sticky_probability, int | float | np.integer | np.floating
        ):
            raise WrongType(
                f"sticky_probability must be a number from 0 to 1, not {sticky_probability!r}.",
                argument="sticky_probability",
            )
        if not 0 <= sticky_probability <= 1:
            raise WrongValue(
                f"sticky_probability must be from 0 to 1, not {sticky_probability!r}.",
                argument="sticky_probability",
            )
        self._probability = float(sticky_probability)
        self._observations: deque[Any] = deque(maxlen=check_count("last_k", last_k) + 1)
        self._generator = self._seeded(None if seed is None else check_seed(seed))
        RecordConstructorArgs.__init__(self, sticky_probability=sticky_probability, last_k=last_k, seed=seed)
        super().__init__(env)

    @staticmethod
    def _seeded(seed: int | None) -> np.random.Generator:
        # (1, seed): not the stream of the environment's own generator, which has the same seed
        return np.random.default_rng(None if seed is None else (1, seed))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode; its first observation is always the current one."""
        if seed is not None:
            seed = check_seed(seed)
            self._generator = self._seeded(seed)
        obs, info = self.env.reset(seed=seed, options=options)
        size: Any = self._observations.maxlen
        self._observations.extend([copy.deepcopy(obs)] * size)
        return obs, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Takes one step."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        self._observations.append(copy.deepcopy(obs))
        if self._generator.random() < self._probability:
            obs = copy.deepcopy(self._observations[self._generator.integers(len(self._observations) - 1)])
        return obs, reward, terminated, truncated, info
