"""The engines: what steps the rows of a `TaskVectorEnv`.

An engine knows physics, observation, reward and success of each row. Everything that users choose on top (one-hot, ends
of episodes, normalisation, statistics, which task comes next) is computed in batch above it, once for every engine.

Observations and actions are batches of the world's spaces (see `taskworlds.core.batches`): for a Box an array with the
rows first, for a Dict or Tuple a dictionary or tuple of batches.
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
    """The outcome of a step. The arrays are the engine's own until its next call: copy what is kept.

    Attributes:
        obs: observations, a batch; unchanged where the row did not step. If observations are a vector of floats, (N,
            O), or more numbers a row than the space has, of which the first are used.
        rewards: (N,) float64; without meaning where the row did not step.
        terms: by name, what the skill reports of the step, each (N,) float64; "success" among them where the world
            has success. They have no meaning where the row did not step.
        terminated: whether the step ended the row's episode, (N,) bool; None in worlds where no step does.
        faults: of rows that went wrong.
    """

    obs: Any
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

    def reset(self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]) -> Any:
        """Starts an episode in the chosen rows.

        Args:
            tasks: one entry a row, read where `rows` is True.
            rows: which rows, (N,) bool.
            seeds: for each row the seed of its start, (N,); read in worlds with `has_random_starts`.

        Returns:
            Observations, a batch as in `RowStep`; what was there before in the other rows.
        """

    def step(self, actions: Any, rows: NDArray[np.bool_]) -> RowStep:
        """Steps the chosen rows with a batch of actions, which were checked."""

    def step_async(self, actions: Any, rows: NDArray[np.bool_]) -> None:
        """Begins a step of the chosen rows with a batch of actions, which were checked."""

    def step_wait(self) -> RowStep:
        """Waits for the step and returns its outcome.

        After a call that was left half-way (Ctrl-C) it is called once, whether or not a step is under way, and ends the
        step if there is one.

        Raises:
            RuntimeError: no step is under way.
        """

    def get_state(self) -> Any:
        """Returns the rows' exact state: tasks, arrays, numbers, texts and None in dictionaries, lists and tuples.

        It is the caller's own: no array in it is written to again.
        """

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """Puts each row i where `get_state` found row `source[i]`, here or in rows made alike.

        Args:
            state: what `get_state` returned.
            source: for each row the row of the state, (N,) int64; -1 for rows that stay as they are.

        Raises:
            ValueError: the state is another engine's, or damaged. Then nothing has changed.
        """

    def render(self) -> tuple[Any, ...]:
        """Returns each row's picture."""

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
