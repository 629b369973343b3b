"""An episode played again from its actions: for pictures of it, or to see that it is the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.evaluation.records import task_label
from taskworlds.evaluation.rows import TaskRows

__all__ = ["Moment", "replay"]


class Moment(NamedTuple):
    """What a reset or a step led to.

    Attributes:
        observation: a value of the single observation space.
        reward: of the step; 0 after the reset.
        success: of the step; NaN after the reset, and where the environment does not report it.
        terminated, truncated: whether the step ended the episode, or cut it off.
    """

    observation: Any
    reward: float
    success: float
    terminated: bool
    truncated: bool


def replay(rows: TaskRows, task: Task, number: int, actions: NDArray[Any]) -> Iterator[Moment]:
    """Plays an episode again in the first row: yields after its reset, and after each of its steps.

    Between two moments `rows.envs` is in that state, so that it can be drawn. The episode is the same to the last bit
    if the rows were made with the same settings, and with the seed of the evaluation.

    Args:
        rows: made of a vector env without automatic resets.
        task: of the episode; the first row must hold its skill.
        number: of the episode, among those of its task.
        actions: that were taken, (T, ...).

    Raises:
        ValueError: the task cannot be started, or the episode ends before the actions do.
    """
    space = rows.envs.single_observation_space
    mask = np.arange(rows.num_envs) == 0
    _, errors = rows.start({0: (task, number)})
    if errors:
        raise WrongValue(f"{task_label(task)} cannot be started: {errors[0]}.")
    yield Moment(batches.row_of(space, rows.obs, 0), 0.0, float("nan"), False, False)
    given = np.zeros((rows.num_envs, *actions.shape[1:]), actions.dtype)
    for index, action in enumerate(actions):
        given[0] = action
        step = rows.step(given, mask, mask)
        if step.errors:
            raise WrongValue(f"{task_label(task)} cannot be stepped: {step.errors[0]}.")
        terminated, truncated = bool(step.terminated[0]), bool(step.truncated[0])
        yield Moment(
            batches.row_of(space, rows.obs, 0),
            float(step.rewards[0]),
            float(step.success[0]),
            terminated,
            truncated,
        )
        if (terminated or truncated) and index + 1 < len(actions):
            raise WrongValue(
                f"The episode of {task_label(task)} ends after {index + 1} of {len(actions)} actions, so these were "
                "taken under other settings or versions."
            )
