"""Chunks of steps of a single environment: what it returns for one, and how one is refused."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue
from taskworlds.core.step import EnvSpec, EnvStep, StepType

__all__ = ["ChunkStep", "check_no_chunk"]


def check_no_chunk(space: gym.Space[Any], action: Any) -> None:
    """Raises ValueError if an action is a chunk of several, for classes of systems that have no chunks.

    Args:
        space: the space of a single action.
        action: what the caller gave.
    """
    dims = batches.chunk_dims(space)
    if dims is not None and batches.num_dims(action) == dims:
        raise WrongValue(
            f"action must be one action, of shape {space.shape}, not a chunk of shape {np.shape(action)}: only "
            "environments of taskworlds.make take chunks of several steps. Give the actions one at a time.",
            argument="action",
        )


class ChunkStep(EnvStep):
    """Several steps in one: Gymnasium's tuple of five, with an entry for each of T steps in the middle three.

    Attributes:
        action: the actions as the caller gave them, (T, ...).
        observation: observation after the last step that was taken.
        reward: of each step, (T,) float64; 0 for steps that were not taken.
        terminated, truncated: whether the episode ended with the step, (T,) bool.
        env_info: the info dictionary of the last step that was taken, with `executed_steps`, how many were.
        step_type: `StepType` of the last step that was taken.

    Example:
        >>> steps = np.array([0.5, 0.0]), np.array([True, False]), np.array([False, False])
        >>> chunk = ChunkStep(None, np.zeros((2, 1)), *steps, [0.0], {"executed_steps": 1})
        >>> chunk.reward.tolist(), chunk.terminated.tolist(), chunk.last
        ([0.5, 0.0], [True, False], True)
    """

    def __new__(
        cls,
        env_spec: Any,
        action: Any,
        rewards: NDArray[np.float64],
        terminations: NDArray[np.bool_],
        truncations: NDArray[np.bool_],
        observation: Any,
        env_info: dict[str, Any],
    ) -> ChunkStep:
        """Makes a chunk of what a batch of one row gave.

        :meta private:
        """
        is_first = bool(env_info.get("episode_length") == 1)
        kind = StepType.of(bool(terminations.any()), bool(truncations.any()), is_first)
        chunk = tuple.__new__(cls, (observation, rewards, terminations, truncations, env_info))
        chunk.__dict__.update(env_spec=env_spec, action=action, step_type=kind)
        return chunk

    def __reduce__(self) -> tuple[Any, ...]:
        spec = self.env_spec
        observation, *flags, info = self
        return type(self), (
            spec.description() if isinstance(spec, EnvSpec) else spec,
            self.action,
            *flags,
            observation,
            info,
        )
