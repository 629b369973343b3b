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
    """Makes dm_control's own environment of a task.

    It equals `dm_control.suite.load(domain, task, task_kwargs={"random": seed})` to the bit, except for the attributes
    of the model that the task fixes. Tasks of TD-MPC2's that the suite does not have are made in the same way.

    Args:
        task: a task of one of the suite's skills.
        seed: seed of the task object's `RandomState`; None for fresh entropy.
        **environment_kwargs: keywords of `dm_control.rl.control.Environment`, such as `flat_observation`; and
            `time_limit`, the seconds after which it ends an episode.

    Raises:
        ImportError: dm_control is not installed.
        ValueError: the skill or a parameter is not known, or MuJoCo cannot compile the model.

    Example:
        >>> from taskworlds import Task
        >>> environment = make_environment(Task("cheetah-run", {"torso_length": 0.8}), seed=0)
        >>> environment.reset().observation["position"].shape
        (8,)
    """
    from taskworlds.worlds.control import environment

    return environment.make_environment(task, seed, **environment_kwargs)
