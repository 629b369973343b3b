"""Which task a row's next episode has."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, WrongValue, check_choice
from taskworlds.core.task import Task

__all__ = ["TASK_SELECT", "TaskChooser", "TaskSelection", "TaskWeights"]

TASK_SELECT = ("random", "pseudorandom", "round_robin", "fixed")

TaskChooser = Callable[[Sequence[Task], np.random.Generator], Task]
"""A function of a row's tasks and its generator that returns the task of its next episode."""


class TaskWeights:
    """A `TaskChooser` that draws tasks by weights, which may change between two draws.

    Args:
        values: the weights, (K,) float64, in the order of the tasks; their sum does not matter. They must be finite,
            none of them negative, and their sum finite and above 0.
    """

    def __init__(self, values: NDArray[np.float64]) -> None:
        self.take(values)

    def take(self, values: NDArray[np.float64]) -> None:
        """Takes other weights, as at first."""
        self._ends = np.cumsum(values)
        self._last = int(np.flatnonzero(values)[-1])

    def __call__(self, tasks: Sequence[Task], np_random: np.random.Generator) -> Task:
        """Draws a task, by one number of the generator."""
        place = int(np.searchsorted(self._ends, np_random.random() * self._ends[-1], side="right"))
        return tasks[min(place, self._last)]


class TaskSelection:
    """Chooses the tasks of one row, one episode after the other.

    Args:
        how: "random": each task is as likely as any other at each draw. "pseudorandom": every task once in
            random order before any is repeated, and then in a new order. "round_robin": in the order of the
            list, again and again. "fixed": the first task of the list, always. Or a function of the row's
            tasks and its generator that returns the task.
        tasks: the row's tasks.

    Attributes:
        tasks: the row's tasks, in the benchmark's order. The list is replaced as a whole, never changed.
        current_task_idx: how many draws the present round has had, less one; -1 before the first.
        order: the places of the tasks in the order of the present round.
    """

    def __init__(self, how: str | TaskChooser, tasks: Sequence[Task]) -> None:
        if not callable(how):
            check_choice("task_select", how, (*TASK_SELECT, "a function of (tasks, np_random)"))
        self._how = how
        self.set_tasks(tasks)

    def restart(self) -> None:
        """Forgets all draws, as a new seed asks for."""
        self.current_task_idx = -1
        self.order = list(range(len(self.tasks)))

    def set_tasks(self, tasks: Sequence[Task]) -> None:
        """Replaces the row's tasks and forgets all draws."""
        self.tasks = list(tasks)
        self.restart()

    def go_to(self, current_task_idx: int, order: Sequence[int]) -> None:
        """Goes to a place in a round.

        Raises:
            ValueError: the order does not name each task once, or there is no such place in it.
        """
        if sorted(order) != list(range(len(self.tasks))) or not -1 <= current_task_idx < len(self.tasks):
            raise WrongValue(
                f"A round of {len(self.tasks)} tasks must have each task once, and a place from -1 to "
                f"{len(self.tasks) - 1}, not {list(order)} and {current_task_idx}."
            )
        self.current_task_idx = int(current_task_idx)
        self.order = [int(place) for place in order]

    def draw(self, np_random: np.random.Generator) -> Task:
        """Returns the next task, drawing from the row's generator where chance is asked for."""
        if callable(self._how):
            task = self._how(list(self.tasks), np_random)
            if not isinstance(task, Task):
                raise WrongType(
                    f"task_select must return one of the row's tasks, a Task, not {task!r}.",
                    argument="task_select",
                )
            return task
        if self._how == "random":
            return self.tasks[int(np_random.integers(len(self.tasks)))]
        if self._how == "fixed":
            return self.tasks[0]
        self.current_task_idx = (self.current_task_idx + 1) % len(self.tasks)
        if self.current_task_idx == 0 and self._how == "pseudorandom":
            self.order = [int(i) for i in np_random.permutation(len(self.tasks))]
        return self.tasks[self.order[self.current_task_idx]]

    def foresee(self, np_random: np.random.Generator) -> Task | None:
        """Returns what `draw` would return now, and changes nothing; None where that is a function's choice.

        Args:
            np_random: a generator in the state of the row's, which may be drawn from.
        """
        knows = not callable(self._how) or isinstance(self._how, TaskWeights)
        return copy.copy(self).draw(np_random) if knows else None

    def get_state(self) -> dict[str, Any]:
        """Returns the tasks and the place among them, as JSON-ready values."""
        return {
            "tasks": [task.to_json() for task in self.tasks],
            "current_task_idx": self.current_task_idx,
            "order": list(self.order),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to the place that `get_state` returned.

        Raises:
            ValueError: the order does not name each task once, or there is no such place in it.
        """
        self.set_tasks([Task.from_json(task) for task in state["tasks"]])
        self.go_to(state["current_task_idx"], state["order"])
