"""Rows made of parts, each with its share of the rows, which are stepped side by side."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, cast

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.rendering.views import Views
from taskworlds.rows.protocol import Rows, RowStep

__all__ = ["BeginningRows", "PartRows", "all_of", "set_state"]


class BeginningRows(Rows, Protocol):
    """Rows that work on their own, so that not only a step can be begun and waited for later."""

    def begin(self, method: str, *args: Any, **kwargs: Any) -> Callable[[], Any]:
        """Begins a call of a method; what is returned waits for its outcome and returns that.

        As of `Rows.step_wait`, a call that was left half-way is ended by the next one.
        """


class PartRows:
    """The rows of several parts in a row, as one. See `taskworlds.rows.protocol.Rows`.

    A step begins in all parts before any is waited for, so parts that work on their own (threads, processes, another
    machine) work at the same time. So do all other calls in parts that have `begin`, see `BeginningRows`. Each row
    gives the same to the last bit as in rows without parts.

    Args:
        parts: the parts, at least one, all of one world; they are owned here.
        obs_space: the observation of a row as the parts give it.
        action_space: the action of a row.

    Attributes:
        num_rows: N, of all parts together.
    """

    def __init__(
        self, parts: Sequence[Rows], obs_space: gym.Space[Any], action_space: gym.Space[Any]
    ) -> None:
        if not parts:
            raise WrongValue("parts must hold at least one part, but it is empty.", argument="parts")
        self._parts = list(parts)
        self._space = obs_space
        self._action_space = action_space
        ends = np.cumsum([part.num_rows for part in self._parts]).tolist()
        self._shares = [slice(first, past) for first, past in zip([0, *ends], ends, strict=False)]
        self.num_rows: int = ends[-1]
        self._obs = [
            batches.empty(obs_space, part.num_rows) for part in self._parts
        ]  # latest, the parts' own

    @property
    def goals(self) -> NDArray[np.float64]:
        """See `Rows.goals`."""
        return np.concatenate([part.goals for part in self._parts])

    def reset(self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]) -> Any:
        """See `Rows.reset`."""
        chosen = [number for number, share in enumerate(self._shares) if rows[share].any()]
        shares = [self._shares[number] for number in chosen]
        given = [(tasks[share], rows[share], seeds[share]) for share in shares]
        for number, obs in zip(chosen, all_of(self._calls("reset", given, chosen)), strict=True):
            self._obs[number] = obs
        return batches.concatenate(self._space, self._obs)

    def step(self, actions: Any, rows: NDArray[np.bool_]) -> RowStep:
        """See `Rows.step`."""
        self.step_async(actions, rows)
        return self.step_wait()

    def step_async(self, actions: Any, rows: NDArray[np.bool_]) -> None:
        """See `Rows.step_async`."""
        begun: list[Rows] = []
        try:
            for part, share in zip(self._parts, self._shares, strict=True):
                part.step_async(batches.rows_of(self._action_space, actions, share), rows[share])
                begun.append(part)
        except BaseException:
            for part in begun:
                part.step_wait()
            raise

    def step_wait(self) -> RowStep:
        """See `Rows.step_wait`. All parts are waited for, whatever goes wrong in one."""
        steps = all_of(part.step_wait for part in self._parts)
        self._obs = [step.obs for step in steps]
        names = dict.fromkeys(name for step in steps for name in step.terms)
        some_end = any(step.terminated is not None for step in steps)
        return RowStep(
            batches.concatenate(self._space, self._obs),
            np.concatenate([step.rewards for step in steps]),
            {name: self._joined([step.terms.get(name) for step in steps]) for name in names},
            self._joined([step.terminated for step in steps]) if some_end else None,
            [
                fault._replace(row=fault.row + share.start)
                for step, share in zip(steps, self._shares, strict=True)
                for fault in step.faults
            ],
        )

    def _joined(self, pieces: Sequence[NDArray[Any] | None]) -> NDArray[Any]:
        """Returns what the parts report, in one array; zeros for parts that report nothing."""
        like = next(piece for piece in pieces if piece is not None)
        return np.concatenate(
            [
                np.zeros((part.num_rows, *like.shape[1:]), like.dtype) if piece is None else piece
                for part, piece in zip(self._parts, pieces, strict=True)
            ]
        )

    def get_state(self) -> dict[str, Any]:
        """See `Rows.get_state`."""
        return {
            "sizes": [part.num_rows for part in self._parts],
            "parts": self._of_each("get_state"),
        }

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """See `Rows.set_state`. The state may be of other shares than these, or of rows without parts."""
        pieces = self._pieces(state, source)
        before = self._of_each("get_state")
        try:
            for theirs, taken in pieces:
                chosen = [number for number, share in enumerate(self._shares) if (taken[share] >= 0).any()]
                all_of(
                    self._calls("set_state", [(theirs, taken[self._shares[each]]) for each in chosen], chosen)
                )
        except BaseException:
            own = [(each, np.arange(part.num_rows)) for each, part in zip(before, self._parts, strict=True)]
            all_of(self._calls("set_state", own))
            raise

    def _pieces(self, state: Any, source: NDArray[np.int64]) -> list[tuple[Any, NDArray[np.int64]]]:
        """Returns states of which rows take something, each with its rows that are taken; see `set_state`."""
        return _pieces(state, source)

    def render(self) -> tuple[Any, ...]:
        """See `Rows.render`."""
        return sum(self._of_each("render"), ())

    def pictures(self, views: Views, rows: NDArray[np.bool_]) -> Sequence[tuple[NDArray[Any], ...]]:
        """See `Rows.pictures`."""
        chosen = [number for number, share in enumerate(self._shares) if rows[share].any()]
        given = [(views, rows[self._shares[number]]) for number in chosen]
        return [each for part in all_of(self._calls("pictures", given, chosen)) for each in part]

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """See `Rows.call`."""
        return sum(self._of_each("call", name, *args, **kwargs), ())

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """See `Rows.get_attr`."""
        return sum(self._of_each("get_attr", name), ())

    def set_attr(self, name: str, values: Sequence[Any]) -> None:
        """See `Rows.set_attr`."""
        all_of(self._calls("set_attr", [(name, values[share]) for share in self._shares]))

    def close(self) -> None:
        """See `Rows.close`. All parts are closed, whatever goes wrong in one."""
        all_of(part.close for part in self._parts)

    def _of_each(self, method: str, *args: Any, **kwargs: Any) -> list[Any]:
        """Calls a method of all parts with the same arguments, and returns what they returned."""
        return all_of(self._calls(method, [args] * len(self._parts), **kwargs))

    def _calls(
        self, method: str, given: Sequence[tuple[Any, ...]], parts: Sequence[int] | None = None, **kwargs: Any
    ) -> list[Callable[[], Any]]:
        """Returns calls of a method of parts, which have begun already where parts have `begin`.

        Args:
            method: the method.
            given: arguments for each part.
            parts: which parts, by number; None for all.
            kwargs: arguments by name.
        """
        chosen = self._parts if parts is None else [self._parts[number] for number in parts]
        return [
            cast(BeginningRows, part).begin(method, *args, **kwargs)
            if hasattr(part, "begin")
            else functools.partial(getattr(part, method), *args, **kwargs)
            for part, args in zip(chosen, given, strict=True)
        ]


def set_state(rows: Rows, state: Any, source: NDArray[np.int64]) -> None:
    """Puts rows into a state, as `Rows.set_state`; also rows without parts into a state of rows with parts."""
    if isinstance(rows, PartRows) or not _is_of_parts(state):
        rows.set_state(state, source)
        return
    before = rows.get_state()
    try:
        for theirs, taken in _pieces(state, source):
            rows.set_state(theirs, taken)
    except BaseException:
        rows.set_state(before, np.arange(rows.num_rows))
        raise


def _is_of_parts(state: Any) -> bool:
    return isinstance(state, dict) and set(state) == {"sizes", "parts"}


def _pieces(state: Any, source: NDArray[np.int64]) -> list[tuple[Any, NDArray[np.int64]]]:
    """Returns the states of parts, as far as rows take something of them, each with its rows that are taken."""
    if not _is_of_parts(state):
        return [(state, source)]
    ends = np.cumsum([0, *state["sizes"]])
    if len(state["parts"]) != len(state["sizes"]) or source.max(initial=-1) >= ends[-1]:
        raise WrongValue(
            "This is not a state that get_state returned, or it is only part of one: it has too few rows."
        )
    pieces = []
    for theirs, first, past in zip(state["parts"], ends[:-1], ends[1:], strict=True):
        taken = np.where((source >= first) & (source < past), source - first, -1)
        if (taken >= 0).any():
            pieces.append((theirs, taken))
    return pieces


def all_of(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """Makes all calls, and then raises the first error, if there was one; else returns what they returned."""
    outcomes, errors = [], []
    for call in calls:
        try:
            outcomes.append(call())
        except BaseException as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return outcomes
