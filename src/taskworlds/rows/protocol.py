"""The engines: what steps the rows of a `TaskVectorEnv`.

An engine knows physics, observation, reward and success of each row. Everything that Meta-World's users
choose on top (one-hot, ends of episodes, normalisation, statistics, which task comes next) is computed in
batch above it, once for every engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.task import Task

__all__ = ["RowFault", "RowStep", "Rows"]


class RowFault(NamedTuple):
    """What the simulator said of a row that went wrong in a step.

    Attributes:
        row: the row.
        what: the fault, for a message.
        went_on: whether the row was stepped all the same; otherwise it is as it was before.
    """

    row: int
    what: str
    went_on: bool


class RowStep(NamedTuple):
    """What a step gives. The arrays are the engine's own until its next call: copy what is kept.

    Attributes:
        obs: observations, (N, O) float64; unchanged where the row did not step.
        rewards: (N,) float64; means nothing where the row did not step.
        terms: by name, what the skill reports of the step, each (N,) float64; "success" among them where the world
            has success. They mean nothing where the row did not step.
        terminated: whether the step ended the row's episode, (N,) bool; None in worlds where no step does.
        faults: of rows that went wrong.
    """

    obs: NDArray[np.float64]
    rewards: NDArray[np.float64]
    terms: dict[str, NDArray[np.float64]]
    terminated: NDArray[np.bool_] | None = None
    faults: Sequence[RowFault] = ()


class Rows(Protocol):
    """What `TaskVectorEnv` asks of an engine."""

    num_rows: int

    @property
    def goals(self) -> NDArray[np.float64]:
        """Each row's goal, (N, G) float64, the engine's own; in Meta-World its position, metres."""

    def reset(
        self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Starts an episode in the chosen rows.

        Args:
            tasks: one entry a row, read where `rows` is True.
            rows: which rows, (N,) bool.
            seeds: for each row the seed of its start, (N,); read in worlds with `random_starts`.

        Returns:
            Observations, (N, O) float64; what was there before in the other rows.
        """

    def step(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> RowStep:
        """Steps the chosen rows with actions (N, A)."""

    def step_async(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> None:
        """Begins a step of the chosen rows with actions (N, A)."""

    def step_wait(self) -> RowStep:
        """Waits for the step and gives its outcome."""

    def get_state(self) -> Any:
        """Gives the rows' exact state, as plain values and arrays that are the caller's own."""

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """Puts each row i where `get_state` found row `source[i]`; source is (N,)."""

    def render(self) -> tuple[Any, ...]:
        """Gives each row's picture."""

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Calls a method of each row's own environment, or reads an attribute, where the engine has such.

        An error in a row is raised here, and leaves the rows usable.
        """

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Reads an attribute of each row's own environment; AttributeError for a method, never called."""

    def set_attr(self, name: str, values: Sequence[Any]) -> None:
        """Sets an attribute that each row's own environment has, one value a row."""

    def close(self) -> None:
        """Frees what the engine holds."""
