"""What rows do in the episodes that they play, kept until each episode has ended."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.evaluation.rows import Step, TaskRows

__all__ = ["Recorder", "Recording"]


class Recording(NamedTuple):
    """An episode of T steps.

    Attributes:
        actions: as the policy gave them, (T, ...).
        rewards: (T,) float64.
        success: (T,) float64; NaN where the environment does not report it.
        terminated: whether the last step ended the episode.
        truncated: whether the last step cut it off.
        observations: from the first, of the reset, to the last, (T + 1, ...), or a dictionary or tuple of such where
            the space is one; None if they were not kept.
    """

    actions: NDArray[Any]
    rewards: NDArray[np.float64]
    success: NDArray[np.float64]
    terminated: bool
    truncated: bool
    observations: Any = None


class Recorder:
    """Keeps the running episode of each row.

    Args:
        rows: the rows.
        observations: whether observations are kept, too.
    """

    def __init__(self, rows: TaskRows, *, observations: bool = False) -> None:
        self._rows = rows
        self._space = rows.envs.single_observation_space if observations else None
        self._steps: list[list[tuple[NDArray[Any], float, float]]] = [[] for _ in range(rows.num_envs)]
        self._observations: list[list[Any]] = [[] for _ in range(rows.num_envs)]
        self._ends = [(False, False)] * rows.num_envs

    def begin(self, mask: NDArray[np.bool_]) -> None:
        """Begins anew in the rows of the mask, which have been reset."""
        for row in np.flatnonzero(mask).tolist():
            self._steps[row] = []
            self._observations[row] = []
            self._observe(row)

    def add(self, mask: NDArray[np.bool_], actions: NDArray[Any], step: Step) -> None:
        """Adds a step of the rows in the mask."""
        for row in np.flatnonzero(mask).tolist():
            taken = np.array(actions[row]), float(step.rewards[row]), float(step.success[row])
            self._steps[row].append(taken)
            self._ends[row] = bool(step.terminated[row]), bool(step.truncated[row])
            self._observe(row)

    def recording(self, row: int) -> Recording:
        """Returns a row's episode so far, which has had a step."""
        actions, rewards, success = zip(*self._steps[row], strict=True)
        observations = None
        if self._space is not None:
            each = [batches.of_one(self._space, value) for value in self._observations[row]]
            observations = batches.concatenate(self._space, each)
        return Recording(
            np.stack(actions), np.array(rewards), np.array(success), *self._ends[row], observations
        )

    def _observe(self, row: int) -> None:
        if self._space is not None:
            self._observations[row].append(batches.row_of(self._space, self._rows.obs, row))
