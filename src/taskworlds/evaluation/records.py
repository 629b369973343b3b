"""What came of the episodes of an evaluation, by task."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from taskworlds.core.errors import check_choice
from taskworlds.core.task import Task
from taskworlds.evaluation.statistics import METRICS

__all__ = ["Episode", "TaskRecord", "task_label"]


class Episode(NamedTuple):
    """One episode that was counted.

    Attributes:
        episode_return: sum of the rewards.
        length: number of steps.
        success_once: whether any step was a success; None where the environment does not say.
        success_end: whether the last step was a success; None where the environment does not say.
        diverged: whether the simulation diverged in some step, so that the episode is not meaningful; False where the
            environment does not say, as with the sync and async engines. The episode still counts, as it does in
            Meta-World's evaluation.
        attempts: of a trial (`k_episodes`) its attempts, each as an episode of its own; () without trials.
    """

    episode_return: float
    length: int
    success_once: bool | None
    success_end: bool | None
    diverged: bool = False
    attempts: tuple[Episode, ...] = ()


@dataclass(frozen=True)
class TaskRecord:
    """A task with its episodes.

    Attributes:
        task: what was evaluated.
        episodes: in the order of their numbers, as many as were asked for unless the task failed.
        error: why the task could not run to its end; None if it could.

    Example:
        >>> record = TaskRecord(Task("reach-v3"), (Episode(8.0, 3, True, True), Episode(2.0, 9, True, False)))
        >>> record.mean("success_end"), record.mean("length")
        (0.5, 6.0)
    """

    task: Task
    episodes: tuple[Episode, ...] = ()
    error: str | None = None

    @property
    def num_diverged(self) -> int:
        """How many of the episodes diverged in simulation."""
        return sum(episode.diverged for episode in self.episodes)

    def mean(self, metric: str) -> float:
        """Returns a metric averaged over the episodes; NaN if it is unknown or the task failed.

        Args:
            metric: "success_end", "success_once", "episode_return" or "length".
        """
        check_choice("metric", metric, METRICS)
        values = [getattr(episode, metric) for episode in self.episodes]
        if self.error is not None or not values or None in values:
            return math.nan
        return float(np.mean(values))


def task_label(task: Task) -> str:
    """Names a task in messages: its skill and its id."""
    return f"{task.env_name} (task {task.id})"
