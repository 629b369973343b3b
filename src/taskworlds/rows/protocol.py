"""The engines: what steps the rows of a `TaskVectorEnv`.

An engine knows physics, observation, reward and success of each row. Everything that users choose on top (one-hot, ends
of episodes, normalisation, statistics, which task comes next) is computed in batch above it, once for every engine.

Observations and actions are batches of the world's spaces (see `taskworlds.core.batches`): for a Box an array with the
rows first, for a Dict or Tuple a dictionary or tuple of batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.rendering.views import Views

__all__ = ["ChunkRows", "RowChunk", "RowFault", "RowStep", "Rows", "SendingRows"]


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


class RowChunk(NamedTuple):
    """The outcome of a chunk of steps. The arrays are the engine's own until its next call.

    Attributes:
        taken: the steps that each row took, (N,) int64; fewer than asked for where it ended, or something went wrong.
        rewards, success, terminated: as in `RowStep`, of each step, (N, T); success None in worlds without it. They
            have no meaning for steps that were not taken.
        last: what came of each row's last step, with all faults: a row takes no step after one.
        step: returns what came of the step in a place from 0 on, with a meaning for the rows that took it. If
            observations were not wanted after each step, it has those after the last.
    """

    taken: NDArray[np.int64]
    rewards: NDArray[np.float64]
    success: NDArray[np.float64] | None
    terminated: NDArray[np.bool_] | None
    last: RowStep
    step: Callable[[int], RowStep]


class Rows(Protocol):
    """What `TaskVectorEnv` asks of an engine.

    Two methods more may be there, and are called if they are. `expect(tasks, steps)` says, by row, which task will most
    likely come next, and after how many steps at the latest, so that the rows can prepare for it. No number may depend
    on it. `step_chunk` takes several steps of each row, see `ChunkRows`; without it each of them is a call of `step`.
    """

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

    def pictures(self, views: Views, rows: NDArray[np.bool_]) -> Sequence[tuple[NDArray[Any], ...]]:
        """Returns the pictures that are observed, of the chosen rows, each of which was reset.

        An engine may leave this method out; then its rows cannot be observed in pictures.

        Args:
            views: which pictures, and how they are taken.
            rows: which rows, (N,) bool.

        Returns:
            For each chosen row, in order, one array for each of `views.names`: (height, width, 3) uint8, or for depths
            (height, width) float32, metres. For `views.channels` "matrices": for each of `views.cameras` what
            `taskworlds.rendering.cameras.Cameras.matrices` returns, (7, 4) float64.
        """

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


class ChunkRows(Rows, Protocol):
    """Rows that an engine can take through several steps in one call."""

    def step_chunk(
        self,
        actions: Any,
        rows: NDArray[np.bool_],
        left: NDArray[np.int64],
        ends: NDArray[np.bool_],
        *,
        ends_by_itself: bool,
        each_obs: bool,
    ) -> RowChunk:
        """Takes the chosen rows through T steps each, or fewer.

        Args:
            actions: T batches of actions, (N, T, ...), which were checked.
            rows: which rows, (N,) bool.
            left: steps after which a row stops, (N,), at most T; below 1 it counts as 1.
            ends: whether a row stops after a step that succeeds, (N,) bool.
            ends_by_itself: whether a row stops after a step that ends its episode.
            each_obs: whether observations are wanted after each step, or only after each row's last.

        Returns:
            What came of them. A row may stop early, and then the rest of its steps are asked for one by one; it must
            where a step went wrong.
        """


class SendingRows(Rows, Protocol):
    """Rows that an engine can also step each on its own, so that those that are done first are there first.

    Rows under way, which were sent and not received, are neither reset nor stepped meanwhile; others may be. An engine
    whose rows are not made so has them stepped when they are sent, by
    `taskworlds.rows.stepped_when_sent.SteppedWhenSent`.
    """

    def send(self, actions: Any, rows: NDArray[np.int64]) -> None:
        """Begins a step of some rows.

        Args:
            actions: a batch of M actions, which were checked.
            rows: the row of each, (M,) int64; none is under way.
        """

    def recv(self, count: int) -> tuple[NDArray[np.int64], RowStep]:
        """Waits for `count` of the rows under way, which are at least as many, and returns those that were done first.

        What interrupts the waiting (Ctrl-C) leaves all rows under way.

        Args:
            count: how many, M; if 0, nothing is waited for.

        Returns:
            The rows, (M,) int64, and the outcome of a step of them, with the faults of these rows alone. In its arrays,
            (N, ...), other rows have no meaning.
        """

    @property
    def under_way(self) -> int:
        """How many rows are under way."""
