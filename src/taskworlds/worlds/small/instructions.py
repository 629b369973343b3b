"""What is to be done in the small worlds, in words: the plain instruction first, then paraphrases.

The observation of `point` does not show where the goal is, only how far away, so the words tell the distance from the
start at most. A grid's map is fixed, and its words are the same in all maps.
"""

from __future__ import annotations

import math

from taskworlds.core.task import Task

__all__ = ["instructions"]

_POINT = (
    "Come close to the goal, which is {0} away from the start.",
    "Go to the goal, {0} away.",
    "Move the point to the goal; it begins {0} from it.",
    "Find the goal at a distance of {0} and come close to it.",
    "Bring the distance to the goal down from {0} to almost nothing.",
    "Get to the place that is {0} away from where you start.",
)
_GRID = (
    "Walk from the start to a goal.",
    "Find the way to a goal cell.",
    "Reach a goal without stepping into a hole.",
    "Go from cell to cell until you stand on a goal.",
    "Get to the goal.",
    "Move over the grid to a cell that is a goal.",
)


def instructions(task: Task) -> tuple[str, ...]:
    """Returns what is to be done in a task, the plain instruction first.

    Example:
        >>> instructions(Task("point", {"goal": (0.6, -0.8)}))[0]
        'Come close to the goal, which is 1.00 away from the start.'
        >>> instructions(Task("grid-4x4"))[0]
        'Walk from the start to a goal.'
    """
    if task.env_name != "point":
        return _GRID
    distance = f"{math.hypot(*task['goal']):.2f}"
    return tuple(each.format(distance) for each in _POINT)
