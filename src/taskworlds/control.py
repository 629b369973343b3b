"""Families of dm_control's skills, whose physics varies; families of your own; and dm_control's environment of a task.

Importing this module loads neither dm_control nor MuJoCo; `vary` and `make_environment` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskworlds.worlds.control.variation import Family, families, family, vary

if TYPE_CHECKING:
    from dm_control.rl.control import Environment

    from taskworlds.core.task import Task

__all__ = ["Family", "families", "family", "make_environment", "vary"]


def make_environment(task: Task, seed: int | None = None, **environment_kwargs: Any) -> Environment:
    """Makes dm_control's own environment of a task; see `taskworlds.worlds.control.environment.make_environment`."""
    from taskworlds.worlds.control import environment

    return environment.make_environment(task, seed, **environment_kwargs)
