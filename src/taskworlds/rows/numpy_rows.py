"""`NumpyRows`: the template of rows that NumPy steps all at once, for the engine "numpy"."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.rendering.views import Views
from taskworlds.rows.protocol import RowStep
from taskworlds.rows.rows_without_envs import RowsWithoutEnvs

__all__ = ["NumpyRows"]


class NumpyRows(RowsWithoutEnvs, abc.ABC):
    """Rows of one skill whose state is a few arrays with one entry for each row. See `taskworlds.rows.protocol.Rows`.

    A subclass makes the arrays in its constructor, names them in `arrays`, and defines `begin`, `advance` and
    `observe`; and `render`, if there are pictures.

    Args:
        num_rows: how many rows, N.
        goal_size: numbers of a goal, G.

    Attributes:
        arrays: names of the attributes that hold the rows' state, each an array (N, ...).
        goals: each row's goal, (N, G) float64; `begin` writes it.
    """

    engine_name = "numpy"
    arrays: ClassVar[tuple[str, ...]] = ()

    def __init__(self, num_rows: int, goal_size: int = 0) -> None:
        self.num_rows = num_rows
        self.goals = np.zeros((num_rows, goal_size))
        self._begun: tuple[NDArray[Any], NDArray[np.bool_]] | None = None

    # --- what an author defines -----------------------------------------------------------------------------

    @abc.abstractmethod
    def begin(self, rows: NDArray[np.intp], tasks: Sequence[Task], seeds: NDArray[np.int64]) -> None:
        """Puts rows to the start of an episode.

        Args:
            rows: their numbers, (M,).
            tasks: their tasks, M of them.
            seeds: they decide the starts, beside the tasks, (M,); 0 in worlds without random starts.
        """

    @abc.abstractmethod
    def advance(
        self, actions: NDArray[Any], rows: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]], NDArray[np.bool_] | None]:
        """Takes one step with the rows that are True in `rows`, and leaves the state of the others as it is.

        Args:
            actions: (N, ...), a batch of the action space.
            rows: which rows, (N,) bool.

        Returns:
            Rewards, (N,) float64; by name what the world reports of the step, each (N,) float64; and whether the step
            ended the row's episode, (N,) bool, or None in a world where no step does. They mean nothing for the rows
            that did not step.
        """

    @abc.abstractmethod
    def observe(self) -> Any:
        """Returns the observations of all rows, a batch of the observation space, in new arrays."""

    def render(self) -> tuple[Any, ...]:
        """Returns each row's picture."""
        raise NotImplementedError(
            f"{type(self).__name__} has no pictures: define render(), or leave render_modes out of the World."
        )

    def pictures(self, views: Views, rows: NDArray[np.bool_]) -> Sequence[tuple[NDArray[Any], ...]]:
        """See `Rows.pictures`: what `render` returns."""
        return [(picture,) for picture, chosen in zip(self.render(), rows, strict=True) if chosen]

    # --- `Rows`, made of these ------------------------------------------------------------------------------

    def reset(self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]) -> Any:
        """See `Rows.reset`."""
        chosen = np.flatnonzero(rows)
        given = [task for row in chosen.tolist() if (task := tasks[row]) is not None]
        self.begin(chosen, given, seeds[chosen])
        return self.observe()

    def step(self, actions: NDArray[Any], rows: NDArray[np.bool_]) -> RowStep:
        """See `Rows.step`."""
        rewards, terms, terminated = self.advance(actions, rows)
        return RowStep(self.observe(), rewards, terms, terminated)

    def step_async(self, actions: NDArray[Any], rows: NDArray[np.bool_]) -> None:
        """See `Rows.step_async`. The step is taken by `step_wait`: there is no other thread to take it."""
        self._begun = actions, rows

    def step_wait(self) -> RowStep:
        """See `Rows.step_wait`."""
        begun, self._begun = self._begun, None
        if begun is None:
            raise RuntimeError("No step is under way: call step_async() first.")
        return self.step(*begun)

    def get_state(self) -> dict[str, NDArray[Any]]:
        """See `Rows.get_state`."""
        return {name: getattr(self, name).copy() for name in ("goals", *self.arrays)}

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """See `Rows.set_state`. Rows whose source is negative stay as they are."""
        names = ("goals", *self.arrays)
        if not isinstance(state, dict) or set(state) != set(names):
            raise WrongValue(
                "The state was taken on another engine; only the engine that took it can restore it."
            )
        rows = source >= 0
        source = source[rows]
        num_there = max(source.tolist(), default=-1) + 1
        for name in names:
            ours, theirs = getattr(self, name), state[name]
            if (
                not isinstance(theirs, np.ndarray)
                or (theirs.dtype, theirs.shape[1:]) != (ours.dtype, ours.shape[1:])
                or len(theirs) < num_there
            ):
                raise WrongValue(
                    f"This is not a state that get_state returned, or it is only part of one: {name} must be "
                    f"{ours.dtype} of shape {('N', *ours.shape[1:])}, with at least {num_there} rows."
                )
            if theirs.dtype.kind == "f" and not np.isfinite(theirs).all():
                raise WrongValue(
                    f"The state cannot be restored: its {name} holds a number that is not finite."
                )
        for name in names:
            getattr(self, name)[rows] = state[name][source]

    def close(self) -> None:
        """See `Rows.close`."""
        self._begun = None
