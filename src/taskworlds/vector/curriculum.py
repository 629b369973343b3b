"""Curricula: a function that is told of ended episodes, and gives the weights by which rows draw their next tasks."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.vector.flat_state import NOT_A_STATE, check_array
from taskworlds.vector.progress import Progress
from taskworlds.vector.task_selection import TaskSelection, TaskWeights

if TYPE_CHECKING:
    from taskworlds.vector.composition import Composition, WorldShare

__all__ = ["Curriculum", "CurriculumFunction", "EndedEpisode"]


@dataclass(frozen=True)
class EndedEpisode:
    """What came of an episode, for a curriculum. In trials an episode is a trial.

    Attributes:
        task: its task.
        task_index: the task's place among the split's tasks, which is also its weight's; -1 for another task.
        episode_return: the sum of its rewards before any normalisation, in trials of all attempts.
        length: its steps, likewise.
        success: whether any of its steps succeeded, in trials of its last attempt; None if the row's world has no
            success.
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
"""A function of the episodes that ended with a step, by row.

It returns the weights of all K tasks, (K,) floats, or None to leave them as they are.
"""


class Curriculum:
    """The weights of tasks, and the function that gives them.

    Each row draws from the tasks of its own world, by their weights alone.

    Args:
        function: called with the episodes that have ended with a step, by row; returns the weights of all tasks, or
            None to leave them. It may have `get_state` and `set_state`.
        tasks: the tasks of the split, of all worlds, K.
        composition: which world each of N rows serves.

    Attributes:
        weights: of the tasks, (K,) float64; equal ones at first. Replaced, never written to.
        selections: what chooses the tasks of each row.
    """

    def __init__(self, function: CurriculumFunction, tasks: Sequence[Task], composition: Composition) -> None:
        self._function = function
        self._has_success = composition.has(lambda world: world.has_success)
        self._ended = np.zeros(len(composition.dealt), dtype=np.int64)  # episodes of each row
        self.weights = np.ones(len(tasks))
        self.selections: list[TaskSelection] = []
        # Of each world that has rows: it, the places of its tasks, and what draws by their weights.
        self._of_worlds: list[tuple[WorldShare, NDArray[np.int64], TaskWeights]] = []
        for share in composition.shares:
            rows = share.rows.stop - share.rows.start
            if rows:
                own = [place for place, task in enumerate(tasks) if task.env_name in share.skills]
                drawn = TaskWeights(self.weights[own])
                self._of_worlds.append((share, np.array(own), drawn))
                self.selections += [
                    TaskSelection(drawn, [tasks[place] for place in own]) for _ in range(rows)
                ]

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
            success = bool(progress.succeeded[row]) if self._has_success[row] else None
            number = int(self._ended[row])
            told.append(
                EndedEpisode(
                    task, int(task_index[row]), float(returns[row]), int(lengths[row]), success, row, number
                )
            )
        self._ended += rows
        weights = self._function(tuple(told))
        if weights is not None:
            self._take(self._checked(weights))

    def _checked(self, values: ArrayLike) -> NDArray[np.float64]:
        """Returns weights of all tasks as an array of their own, (K,) float64.

        Raises:
            ValueError: they are not one number for each task, finite and none negative; or their sum, in all of the
                tasks or in those of a world that has rows, is not finite and above 0.
        """
        count = len(self.weights)
        try:
            array = np.array(values, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.zeros(())
        if array.shape != (count,):
            found = f"an array of shape {array.shape}" if array.ndim else reprlib.repr(values)
            raise WrongValue(
                f"curriculum must return None or {count} weights, one for each task of the split, not {found}."
            )
        bad = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
        if bad.size:
            raise WrongValue(
                f"curriculum must return finite weights that are not negative, but weight {bad[0]} is {array[bad[0]]}."
            )
        with np.errstate(over="ignore"):
            total = array.sum()
        if not array.any() or not np.isfinite(total):
            raise WrongValue(
                f"curriculum must return weights with a sum above 0 and finite, not {total}: at least one task must be "
                "there to draw."
            )
        for share, places, _ in self._of_worlds:
            if not array[places].any():
                first, last = share.rows.start, share.rows.stop - 1
                serve = f"row {first} serves" if first == last else f"rows {first} to {last} serve"
                raise WrongValue(
                    f"curriculum must give a task of each world a weight above 0, but all {len(places)} of "
                    f"{share.world.name} have 0, and {serve} that world alone. Weights of a world are compared with "
                    "each other, not with those of other worlds."
                )
        return array

    def _take(self, weights: NDArray[np.float64]) -> None:
        """Takes weights of all tasks, (K,) float64, that `_checked` returned."""
        self.weights = weights
        for _, places, drawn in self._of_worlds:
            drawn.take(weights[places])

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Returns the weights, the numbers of episodes, and what the function says of its state."""
        state: dict[str, Any] = {"weights": self.weights.copy(), "ended": self._ended.copy()}
        its_own = getattr(self._function, "get_state", None)
        return state if its_own is None else state | {"function": its_own()}

    def check_state(self, state: Mapping[str, Any], num_rows: int) -> None:
        """Raises ValueError for anything but the state of `num_rows` rows that these rows could take."""
        check_array(state, "ended", self._ended, num_rows)
        check_array(state, "weights", self.weights, len(self.weights))
        self._checked(state["weights"])
        if ("function" in state) != hasattr(self._function, "set_state"):
            raise WrongValue(
                f"{NOT_A_STATE}: curriculum has set_state, and the state nothing for it, or the other way round. "
                "Restore it with a curriculum like the one that it was taken with."
            )

    def set_state(self, state: Mapping[str, Any], source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,). Weights are of all rows."""
        self._take(state["weights"].copy())
        self._ended[:] = state["ended"][source]
        if "function" in state:
            self._function.set_state(state["function"])  # type: ignore[attr-defined]
