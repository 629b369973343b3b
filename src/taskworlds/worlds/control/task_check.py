"""Whether a task of dm_control's can be run."""

from __future__ import annotations

import functools

from taskworlds.core.task import Task
from taskworlds.worlds.control.variations import check_parameters, variations_of

__all__ = ["check_task"]

_CHECKED = 4096  # tasks whose check is remembered


@functools.lru_cache(maxsize=_CHECKED)
def check_task(task: Task) -> None:
    """Checks that a task can be run.

    A family's value within those of its own needs no simulator; for any other the model is compiled.

    Raises:
        ValueError: the skill, a parameter or an attribute of the model is not known, or MuJoCo cannot compile the
            model.
        TypeError: a value is of a wrong type.
        ImportError: dm_control is needed and not installed.
    """
    check_parameters(task)
    known = variations_of(task.env_name)
    for name, value in task.params.items():
        if name not in known or not min(known[name].values) <= value <= max(known[name].values):
            from taskworlds.worlds.control.environment import compiled  # imports the simulator

            compiled(task)
            return
