"""Rows made of parts, each with its share of the rows, which are stepped side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.rows.protocol import Rows, RowStep

__all__ = ["PartRows"]


class PartRows:
    """The rows of several parts in a row, as one. See `taskworlds.rows.protocol.Rows`.

    A step begins in all parts before any is waited for, so parts that work on their own (threads, processes, another
    machine) work at the same time. Each row gives the same to the last bit as in rows without parts.

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
        for number, (part, share) in enumerate(zip(self._parts, self._shares, strict=True)):
            if rows[share].any():
                self._obs[number] = part.reset(tasks[share], rows[share], seeds[share])
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
        steps = _all(part.step_wait for part in self._parts)
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
            "parts": [part.get_state() for part in self._parts],
        }

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """See `Rows.set_state`. The parts of the state may have other shares than these."""
        if not isinstance(state, dict) or set(state) != {"sizes", "parts"}:
            raise WrongValue(
                "The state was taken on another engine; only the engine that took it can restore it."
            )
        ends = np.cumsum([0, *state["sizes"]])
        if len(state["parts"]) != len(state["sizes"]) or source.max(initial=-1) >= ends[-1]:
            raise WrongValue(
                "This is not a state that get_state returned, or it is only part of one: it has too few rows."
            )
        before = [part.get_state() for part in self._parts]
        try:
            for part, share in zip(self._parts, self._shares, strict=True):
                mine = source[share]
                for theirs, first, past in zip(state["parts"], ends[:-1], ends[1:], strict=True):
                    taken = np.where((mine >= first) & (mine < past), mine - first, -1)
                    if (taken >= 0).any():
                        part.set_state(theirs, taken)
        except BaseException:
            for part, own in zip(self._parts, before, strict=True):
                part.set_state(own, np.arange(part.num_rows))
            raise

    def render(self) -> tuple[Any, ...]:
        """See `Rows.render`."""
        return tuple(picture for part in self._parts for picture in part.render())

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """See `Rows.call`."""
        return tuple(value for part in self._parts for value in part.call(name, *args, **kwargs))

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """See `Rows.get_attr`."""
        return tuple(value for part in self._parts for value in part.get_attr(name))

    def set_attr(self, name: str, values: Sequence[Any]) -> None:
        """See `Rows.set_attr`."""
        for part, share in zip(self._parts, self._shares, strict=True):
            part.set_attr(name, values[share])

    def close(self) -> None:
        """See `Rows.close`. All parts are closed, whatever goes wrong in one."""
        _all(part.close for part in self._parts)


def _all(calls: Iterable[Callable[[], Any]]) -> list[Any]:
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
