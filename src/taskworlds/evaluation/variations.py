"""Means over the parts of a suite of variations, beside that over its tasks as they are.

A task says by its parameter `variation` which part it belongs to, such as "friction 2"; one without it is as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import VARIATION, Task
from taskworlds.evaluation.statistics import Estimate

__all__ = ["CLEAN", "Varied", "check_parts", "part_of", "parts_of", "varied"]

CLEAN = "clean"
"""What the part of the tasks as they are is called."""

_ALL = "all"  # the part with all factors, which is listed last


class Varied(NamedTuple):
    """A metric by part of a suite.

    Attributes:
        parts: by the part's name, "clean" first: the mean over the part's skills, each with equal weight, with its 95 %
            interval.
        clean: by the part's name: the mean over the clean tasks of the same skills, to compare it with.
        env_names: by the part's name: its skills. A part leaves out skills that do not have its factor.
    """

    parts: dict[str, Estimate]
    clean: dict[str, Estimate]
    env_names: dict[str, tuple[str, ...]]


def part_of(task: Task) -> str:
    """Returns the name of the part that a task belongs to.

    Example:
        >>> part_of(Task("push-v3")), part_of(Task("push-v3", {"variation": "friction 2"}))
        ('clean', 'friction 2')
    """
    return str(task.params.get(VARIATION, CLEAN))


def check_parts(tasks: Iterable[Task]) -> None:
    """Raises WrongValue unless a task belongs to a part but the clean one."""
    if all(part_of(task) == CLEAN for task in tasks):
        raise WrongValue(
            'No task of this result has the parameter "variation", so there are no parts. The benchmark MT10-robust '
            "has them, and tasks of your own that are given it."
        )


def parts_of(tasks: Sequence[Task]) -> dict[str, list[Task]]:
    """Returns tasks by part, "clean" first and "all" last; {} where all are as they are."""
    found: dict[str, list[Task]] = {}
    for task in tasks:
        found.setdefault(part_of(task), []).append(task)
    if set(found) <= {CLEAN}:
        return {}
    labels = sorted(found, key=lambda label: (label != CLEAN, label.partition(" ")[0] == _ALL))
    return {label: found[label] for label in labels}


def varied(tasks: Sequence[Task], mean_of: Callable[[NDArray[np.bool_]], Estimate]) -> Varied:
    """Returns a metric by part.

    Args:
        tasks: the tasks that ran, T of them.
        mean_of: returns the mean over skills of some of the tasks, which are given as (T,) bool.

    Raises:
        WrongValue: no task belongs to a part but the clean one.
    """
    check_parts(tasks)
    parts = np.array([part_of(task) for task in tasks])
    names = np.array([task.env_name for task in tasks])
    labels = list(parts_of(tasks))
    env_names = {label: tuple(dict.fromkeys(names[parts == label].tolist())) for label in labels}
    clean = {label: mean_of((parts == CLEAN) & np.isin(names, env_names[label])) for label in labels}
    return Varied({label: mean_of(parts == label) for label in labels}, clean, env_names)
