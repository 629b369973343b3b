"""The yardstick of the native engine: the physics of an environment's rows in a bare C++ loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # what a contestant imports is part of its build
    from taskworlds.engine import BareRun
    from taskworlds.vector.task_vector_env import TaskVectorEnv

__all__ = ["BareLoop"]


class BareLoop:
    """Steps copies of a native environment's rows from where it last reset them; see `Engine.bare_loop`.

    Args:
        env: an environment on the native engine, with as many threads as the loop is to have. It is owned here.
    """

    def __init__(self, env: TaskVectorEnv) -> None:
        self._env = env

    @property
    def single_action_space(self) -> Any:
        """Actions of one row."""
        return self._env.single_action_space

    def reset(self, *, seed: int | None = None) -> None:
        """Starts an episode in every row, as the environment does."""
        self._env.reset(seed=seed)

    def run(self, actions: NDArray[np.floating]) -> BareRun:
        """Takes all actions, (T, N, A), in one call, and gives what it took."""
        rows: Any = self._env.rows
        return rows.engine.bare_loop(actions)

    def close(self) -> None:
        """Frees the environment."""
        self._env.close()
