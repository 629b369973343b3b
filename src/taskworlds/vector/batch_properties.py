"""What a batch tells of its rows, and never changes by being asked."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.vector.assignments import Assignments
from taskworlds.vector.composition import Composition
from taskworlds.vector.observations import Observations, is_flat
from taskworlds.vector.options import Options
from taskworlds.vector.progress import Progress

__all__ = ["BatchProperties"]


class BatchProperties(gym.vector.VectorEnv[Any, Any, NDArray[Any]]):
    """The properties of `TaskVectorEnv`, each of which reads one of its parts."""

    skills: list[str]
    composition: Composition
    assignments: Assignments
    progress: Progress
    observations: Observations
    options: Options

    @property
    def observation_layout(self) -> dict[str, slice]:
        """Where each part of a row's observation is, by name (docs/infos.md); {} if it is not a vector of floats."""
        return self.observations.layout

    @property
    def observation_mask(self) -> NDArray[np.bool_]:
        """Which numbers of its observation are a row's own, (N, O) bool; the others are padding, and always 0.

        Raises:
            RuntimeError: observations are not a vector of floats.
        """
        return self.observations.mask(self.composition)

    @property
    def action_mask(self) -> NDArray[np.bool_]:
        """Which entries of its action a row's world has, (N, A) bool; the others are not read, but must be finite.

        Raises:
            RuntimeError: actions are not a vector of floats.
        """
        return self._action_masks()[self.composition.world_index]

    @property
    def skill_action_masks(self) -> NDArray[np.bool_]:
        """As `action_mask`, for each of `skills`, (skills, A) bool: what TD-MPC2 has for each task.

        Raises:
            RuntimeError: as for `action_mask`.
        """
        shares = self.composition.shares
        of_skill = {name: number for number, each in enumerate(shares) for name in each.skills}
        return self._action_masks()[[of_skill[name] for name in self.skills]]

    def _action_masks(self) -> NDArray[np.bool_]:
        if not is_flat(self.composition.action_space):
            raise RuntimeError(
                "action_mask is of actions that are a vector of floats, and here they are "
                f"{self.composition.action_space}."
            )
        return self.composition.action_masks()

    @property
    def tasks(self) -> tuple[list[Task], ...]:
        """The tasks that each row chooses from."""
        return tuple(list(selection.tasks) for selection in self.assignments.selections)

    @property
    def current_tasks(self) -> tuple[Task | None, ...]:
        """The task of each row's episode at hand; None before the first reset."""
        return tuple(self.assignments.current)

    @property
    def task_names(self) -> NDArray[Any]:
        """The skill of each row's episode at hand, (N,) object: texts, or None before the first reset."""
        return np.array(self.assignments.labels["task_name"])

    @property
    def task_ids(self) -> NDArray[Any]:
        """`Task.id` of each row's episode at hand, (N,) object: texts, or None before the first reset."""
        return np.array(self.assignments.labels["task_id"])

    @property
    def instructions(self) -> NDArray[Any]:
        """What is to be done in each row's episode at hand, (N,) object: sentences, or None before the first reset.

        docs/instructions.md shows them. They tell a goal only where the observation shows it.
        """
        texts = np.full(self.num_envs, None, dtype=object)
        for row, task in enumerate(self.assignments.current):
            if task is not None:
                texts[row] = self.assignments.instructions.of(row, task)
        return texts

    @property
    def terminate_on_success(self) -> NDArray[np.bool_]:
        """Whether success ends the episode, for each row, (N,) bool."""
        switches: NDArray[np.bool_] = self.progress.terminate_on_success.copy()
        switches.flags.writeable = False  # writing to it would change nothing
        return switches

    @property
    def autoreset_mode(self) -> AutoresetMode:
        """What happens to a row whose episode has ended, as in Gymnasium's own vector environments."""
        return self.options.autoreset_mode

    @property
    def max_episode_steps(self) -> int:
        """Steps after which an episode, in trials an attempt, is truncated."""
        return self.progress.limit

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The generator of each row, as in Gymnasium's own vector environments."""
        return tuple(self.assignments.generators.each)

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """What each row's generator was seeded with; -1 where that is not known."""
        return tuple(self.assignments.generators.seeds)
