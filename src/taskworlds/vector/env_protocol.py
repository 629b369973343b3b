"""What the modules beside `TaskVectorEnv` use of it, so that they need not import the class that imports them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.rows.protocol import Rows
from taskworlds.vector.assignments import Assignments
from taskworlds.vector.composition import Composition
from taskworlds.vector.guard import Guard
from taskworlds.vector.observations import Observations
from taskworlds.vector.options import Options
from taskworlds.vector.progress import Progress

__all__ = ["BatchEnv", "Part"]


class Part(Protocol):
    """A part of a vector environment with a state of its own."""

    def get_state(self) -> Any:
        """Returns the state of all rows, as plain values, tasks and arrays of the caller's own."""

    def check_state(self, state: Any, num_rows: int) -> None:
        """Raises ValueError for anything but the state of `num_rows` rows that these rows could take."""

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,), and the state was checked."""


class BatchEnv(Protocol):
    """A vector environment of N rows, as `TaskVectorEnv` is; its documentation says what each name is."""

    benchmark: Benchmark
    split: str
    options: Options
    num_envs: int
    skills: Any
    composition: Composition
    world: World
    worlds: tuple[World, ...]
    limits_of_worlds: tuple[int, ...]
    engine: RowEngine
    rows: Rows
    reward_function_version: Any
    assignments: Assignments
    progress: Progress
    observations: Observations
    reward_normalizer: Any
    guard: Guard
    single_action_space: gym.Space[Any]
    single_observation_space: gym.Space[Any]

    @property
    def max_episode_steps(self) -> int:
        """Steps after which an episode, in trials an attempt, is truncated."""

    @property
    def parts(self) -> dict[str, Part]:
        """The parts with a state of their own, by name."""

    def check_ready(self, call: str) -> None:
        """Raises RuntimeError if the environment is closed, or a step is under way."""

    def set_tasks(self, tasks: Task | Sequence[Task]) -> None:
        """Fixes the tasks of rows."""

    def sample_tasks(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Chooses a new task for every row, and resets."""

    def render(self) -> tuple[Any, ...]:
        """Returns one picture a row."""

    def row_obs(self, obs: Any, row: int) -> Any:
        """Takes one row's observation out of a batch's."""

    def row_info(self, infos: dict[str, Any], row: int) -> dict[str, Any]:
        """Takes one row's info out of a batch's."""
