"""What a row's observation is made of: the world's numbers, the one-hot, what the last step was, the flag of trials."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.vector._batch import write_rows
from taskworlds.vector.normalization import ObservationNormalizer
from taskworlds.vector.options import Options

__all__ = ["Observations"]


class Observations:
    """The observations of N rows, put together in this order; all but the world's part only if the options say so.

    The world's numbers; the one-hot of the skill; the last action, reward and whether the step ended the episode; a
    flag that is 1 where an attempt of a trial begins. All but the flag may be normalised.

    Args:
        num_rows: how many rows, N.
        world: the world's own observations, of a row.
        num_actions: numbers of an action, A.
        skills: the skills, in the order of the one-hot.
        options: which parts there are.

    Attributes:
        space: of a row's observation, (O,).
        values: the observations, (N, O) float64; written to again and again.
        world_size: how many numbers, from the first on, are the world's.
        normalizer: of all but the flag, or None.
    """

    def __init__(
        self, num_rows: int, world: gym.spaces.Box, num_actions: int, skills: list[str], options: Options
    ) -> None:
        low, high = world.low, world.high
        self.world_size = low.size
        self._skills = skills if options.use_one_hot else []
        if self._skills:
            low, high = np.append(low, np.zeros(len(skills))), np.append(high, np.ones(len(skills)))
        self._has_last_step = options.recurrent_info_in_obs
        self._reward_scale = 10.0 if options.normalize_reward_in_recurrent_info else 1.0
        if self._has_last_step:
            size = low.size + num_actions + 2
            low, high = np.full(size, -np.inf), np.full(size, np.inf)
        self.normalizer = None
        if options.normalize_observations:
            self.normalizer = ObservationNormalizer(num_rows, low.size)
            low, high = np.full(low.size, -np.inf), np.full(low.size, np.inf)
        self._flag = low.size
        self._has_flag = options.k_episodes is not None
        if self._has_flag:
            low, high = np.append(low, 0.0), np.append(high, 1.0)
        self.space = gym.spaces.Box(low, high, dtype=np.float64)
        self.values = np.zeros((num_rows, low.size))
        self._one_hot = np.zeros((num_rows, len(self._skills)))
        self._world, self._shown_skill, _ = np.split(
            self.values, [self.world_size, self.world_size + len(self._skills)], axis=1
        )

    def set_skill(self, row: int, skill: str | None) -> None:
        """Says which skill the one-hot of a row shows from now on."""
        self._one_hot[row] = [skill == each for each in self._skills]

    def write(
        self,
        world: NDArray[np.float64],
        rows: NDArray[np.bool_],
        last_step: tuple[NDArray[Any], NDArray[np.float64], NDArray[np.bool_] | None] | None = None,
    ) -> None:
        """Writes the observations of `rows`.

        Args:
            world: the world's numbers, (N, at least `world_size`).
            rows: which rows, (N,) bool.
            last_step: the actions (N, A), the rewards (N,) and which rows ended, (N,) or None if none did; None where
                an attempt begins.
        """
        write_rows(self._world, world, rows)
        if self._skills and (last_step is None or self.normalizer is not None):  # else it stands there
            write_rows(self._shown_skill, self._one_hot, rows)
        if self._has_last_step:
            last = self.values[:, self.world_size + len(self._skills) : self._flag]
            last[rows] = 0.0
            if last_step is not None:
                actions, rewards, ended = last_step
                last[rows, :-2] = actions[rows]
                last[rows, -2] = rewards[rows] / self._reward_scale
                if ended is not None:
                    last[rows, -1] = ended[rows]
        if self.normalizer is not None:
            self.normalizer(self.values[:, : self._flag], rows)
        if self._has_flag:
            self.values[rows, self._flag] = float(last_step is None)
