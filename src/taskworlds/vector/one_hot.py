"""Which place each task has in the one-hot of observations."""

from __future__ import annotations

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.vector.options import Options

__all__ = ["OneHot"]


class OneHot:
    """The places of a split's tasks: those of a skill share one, in the benchmark's order.

    Where a skill is named several times, each time has a place of its own; a task that is in none of its lists has the
    place of the first.

    Args:
        benchmark: where the tasks come from.
        split: "train" or "test".
        options: `use_one_hot`, and Meta-World's `num_tasks` and `env_id`.

    Raises:
        ValueError: `num_tasks` is too small, or `env_id` cannot be given or is too large.

    Attributes:
        size: how many places there are; 0 where observations have no one-hot.
    """

    def __init__(self, benchmark: Benchmark, split: str, options: Options) -> None:
        groups = benchmark.groups(split)
        self._all = options.env_id
        self._of_skill = {group[0].env_name: place for place, group in reversed([*enumerate(groups)])}
        self._of_task = (
            {task: place for place, group in reversed([*enumerate(groups)]) for task in group}
            if len(groups) > len(self._of_skill)
            else {}
        )
        width = options.num_tasks or len(groups)
        if width < len(groups):
            raise WrongValue(
                f"num_tasks must be at least {len(groups)}, the number of skills of {benchmark.name}, not {width}.",
                argument="num_tasks",
            )
        if self._all is not None:
            if len(groups) > 1:
                raise WrongValue(
                    f"env_id must be left out for {benchmark.name}, not {self._all}: it is the index of a single skill "
                    f"in the one-hot, and {benchmark.name} has {len(groups)} skills, each with its own index.",
                    argument="env_id",
                )
            if self._all >= width:
                raise WrongValue(
                    f"env_id must be below num_tasks={width}, not {self._all}. Give num_tasks too.",
                    argument="env_id",
                )
        self.size = width if options.use_one_hot else 0

    def place(self, task: Task) -> int:
        """Returns the place of a task of one of the split's skills."""
        if self._all is not None:
            return self._all
        place = self._of_task.get(task)
        return self._of_skill[task.env_name] if place is None else place
