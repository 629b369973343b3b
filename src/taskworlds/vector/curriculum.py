"""Curricula: a function that is told of ended episodes, and gives the weights by which rows draw their next tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.vector.flat_state import NOT_A_STATE, check_array
from taskworlds.vector.progress import Progress
from taskworlds.vector.task_selection import TaskWeights

__all__ = ["Curriculum", "CurriculumFunction", "EndedEpisode"]


@dataclass(frozen=True)
class EndedEpisode:
    """What came of an episode, for a curriculum. In trials an episode is a trial.

    Attributes:
        task: its task.
        task_index: the task's place among the split's tasks, which is also its weight's; -1 for another task.
        episode_return: the sum of its rewards before any normalisation, in trials of all attempts.
        length: its steps, likewise.
        success: whether any of its steps succeeded, in trials of its last attempt; None in worlds without success.
        row: the row that played it.
        number: how many episodes the row had ended before.
    """

    task: Task
    task_index: int
    episode_return: float
    length: int
    success: bool | None
    row: int
    number: int


CurriculumFunction = Callable[[Sequence[EndedEpisode]], ArrayLike | None]


class Curriculum:
    """The weights of tasks, and the function that gives them.

    Args:
        function: called with the episodes that have ended with a step, by row; returns the weights of all tasks, or
            None to leave them. It may have `get_state` and `set_state`.
        tasks: the tasks, which all rows draw from.
        num_rows: how many rows, N.
        has_success: whether the world's steps report success.

    Attributes:
        weights: of the tasks; equal ones at first.
    """

    def __init__(
        self, function: CurriculumFunction, tasks: Sequence[Task], num_rows: int, *, has_success: bool
    ) -> None:
        self._function = function
        self._has_success = has_success
        self.weights = TaskWeights(len(tasks))
        self._ended = np.zeros(num_rows, dtype=np.int64)  # episodes of each row

    def ended(
        self,
        rows: NDArray[np.bool_],
        tasks: Sequence[Task | None],
        task_index: NDArray[np.int64],
        progress: Progress,
    ) -> None:
        """Tells the function of the episodes that ended in `rows`, (N,) bool, and takes its weights.

        Args:
            rows: at least one.
            tasks: each row's task.
            task_index: each row's task's place, (N,).
            progress: how the episodes went.

        Raises:
            ValueError: what it returned are not weights of the tasks.
        """
        returns, lengths = progress.returns_so_far, progress.steps_taken
        told = []
        for row in np.flatnonzero(rows).tolist():
            task = tasks[row]
            assert task is not None
            success = bool(progress.succeeded[row]) if self._has_success else None
            number = int(self._ended[row])
            told.append(
                EndedEpisode(
                    task, int(task_index[row]), float(returns[row]), int(lengths[row]), success, row, number
                )
            )
        self._ended += rows
        weights = self._function(tuple(told))
        if weights is not None:
            self.weights.take(weights)

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Returns the weights, the numbers of episodes, and what the function says of its state."""
        state: dict[str, Any] = {"weights": self.weights.values.copy(), "ended": self._ended.copy()}
        its_own = getattr(self._function, "get_state", None)
        return state if its_own is None else state | {"function": its_own()}

    def check_state(self, state: Mapping[str, Any], num_rows: int) -> None:
        """Raises ValueError for anything but the state of `num_rows` rows that these rows could take."""
        check_array(state, "ended", self._ended, num_rows)
        check_array(state, "weights", self.weights.values, len(self.weights.values))
        self.weights.checked(state["weights"])
        if ("function" in state) != hasattr(self._function, "set_state"):
            raise WrongValue(
                f"{NOT_A_STATE}: curriculum has set_state, and the state nothing for it, or the other way round. "
                "Restore it with a curriculum like the one that it was taken with."
            )

    def set_state(self, state: Mapping[str, Any], source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,). Weights are of all rows."""
        self.weights.take(state["weights"])
        self._ended[:] = state["ended"][source]
        if "function" in state:
            self._function.set_state(state["function"])  # type: ignore[attr-defined]
