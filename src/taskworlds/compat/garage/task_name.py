"""`TaskNameWrapper`: the task's name and index in info."""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from taskworlds.compat.garage.step_wrapper import StepWrapper
from taskworlds.core.errors import WrongType, check_count
from taskworlds.core.step import EnvStep

__all__ = ["TaskNameWrapper"]


class TaskNameWrapper(StepWrapper, RecordConstructorArgs):
    """Adds `task_name` and `task_id` to info at every step. The spaces do not change.

    Args:
        env: the environment to wrap.
        task_name: name of its task, in place of the environment's own; None to leave that as it is.
        task_id: index of its task, at least 0; None likewise.

    Raises:
        TypeError: `task_name` is not a string, or `task_id` not a whole number.
        ValueError: `task_id` is negative.

    Example:
        >>> import gymnasium
        >>> env = TaskNameWrapper(gymnasium.make("CartPole-v1"), task_name="balance", task_id=3)
        >>> observation, info = env.reset(seed=0)
        >>> info = env.step(0).env_info
        >>> info["task_name"], info["task_id"]
        ('balance', 3)
    """

    def __init__(
        self, env: gymnasium.Env[Any, Any], *, task_name: str | None = None, task_id: int | None = None
    ) -> None:
        if task_name is not None and not isinstance(task_name, str):
            raise WrongType(f"task_name must be a string or None, not {task_name!r}.", argument="task_name")
        if task_id is not None:
            task_id = check_count("task_id", task_id, minimum=0)
        RecordConstructorArgs.__init__(self, task_name=task_name, task_id=task_id)
        StepWrapper.__init__(self, env)
        labels = {"task_name": task_name, "task_id": task_id}
        self._labels = {key: value for key, value in labels.items() if value is not None}

    def step(self, action: Any) -> EnvStep:
        """Takes one step; info has the task's name and index.

        Args:
            action: a value of `action_space`.

        Returns:
            The `EnvStep`.

        Raises:
            RuntimeError: no episode is under way: call reset().
        """
        step = super().step(action)
        return EnvStep(
            step.env_spec,
            step.action,
            step.reward,
            step.observation,
            step.env_info | self._labels,
            step.step_type,
        )
