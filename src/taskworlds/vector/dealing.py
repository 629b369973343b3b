"""How a benchmark's tasks are dealt over the rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence

from taskworlds.core.task import Task

__all__ = ["deal"]


def deal(groups: Sequence[Sequence[Task]], num_rows: int) -> list[list[Task]]:
    """Deals the tasks of skills over rows as evenly as they go, and so that no row is empty.

    With at least as many rows as skills, each row serves one skill. The rows of a skill stand together, in
    the benchmark's order, and share its tasks: row j of k gets every k-th task from the j-th on, which is
    Meta-World's order. If the rows do not divide evenly, the first skills have one row more. A skill with
    fewer tasks than rows has a task in several rows. With fewer rows than skills, row j gets every
    num_rows-th skill from the j-th on, with all its tasks.

    Args:
        groups: the tasks of each skill, or of each time that one is named; at least one.
        num_rows: how many rows, at least one.

    Returns:
        For each row, its tasks.

    Example:
        >>> skills = [[Task(skill, {"goal": goal}) for goal in (0, 1)] for skill in ("open", "close")]
        >>> [[task.env_name + str(task["goal"]) for task in row] for row in deal(skills, 3)]
        [['open0'], ['open1'], ['close0', 'close1']]
    """
    skills = [list(each) for each in groups]
    if num_rows < len(skills):
        return [[task for skill in skills[row::num_rows] for task in skill] for row in range(num_rows)]
    each, more = divmod(num_rows, len(skills))
    rows = []
    for index, skill in enumerate(skills):
        count = each + (index < more)
        rows += [skill[j::count] or [skill[j % len(skill)]] for j in range(count)]
    return rows
