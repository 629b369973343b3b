"""Rows of several worlds as one batch: observations and actions padded at the end, each world on its own engine."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.rows import parts as part_rows
from taskworlds.rows.parts import PartRows
from taskworlds.rows.protocol import Rows, RowStep

__all__ = ["MixedRows", "OneWorldsRows"]


class OneWorldsRows(NamedTuple):
    """The rows of one world in a batch of several.

    Attributes:
        world: the name of the world.
        rows: its rows.
        obs_size: numbers of its observations, as its space has them.
        action_size: numbers of its actions.
        max_episode_steps: its episodes' limit.
    """

    world: str
    rows: Rows
    obs_size: int
    action_size: int
    max_episode_steps: int


class MixedRows(PartRows):
    """The rows of several worlds, one world after the other, as one. See `taskworlds.rows.protocol.Rows`.

    Each row gives the same to the last bit as in a batch of its world alone. What a world does not have (numbers of an
    observation or a goal beyond its own, terms, ends) is zero or False in its rows.

    Args:
        worlds: the rows of each world, which are owned here.
        obs_space: the padded observation of a row.
        action_space: the padded action of a row.
        goal_size: numbers of the longest goal.
        terms: names of what steps report, as far as they are known.
    """

    def __init__(
        self,
        worlds: Sequence[OneWorldsRows],
        obs_space: Box,
        action_space: Box,
        goal_size: int,
        terms: Sequence[str],
    ) -> None:
        super().__init__([each.rows for each in worlds], obs_space, action_space)
        self._worlds = list(worlds)
        self._values: NDArray[Any] = np.zeros((self.num_rows, *obs_space.shape), obs_space.dtype)
        self._rewards = np.zeros(self.num_rows)
        self._terms = {name: np.zeros(self.num_rows) for name in terms}
        self._reported: list[tuple[str, ...]] = [
            () for _ in worlds
        ]  # names, as each world's latest step had them
        self._own_terms: list[list[NDArray[np.float64]]] = [
            [] for _ in worlds
        ]  # their places in `_terms`, views
        # Rows in processes of their own work while other worlds are stepped.
        self._elsewhere = [bool(getattr(each.rows, "in_processes", False)) for each in worlds]
        self._goals = np.zeros((self.num_rows, goal_size))
        self._has_goals = [bool(each.rows.goals.size) for each in worlds]

    @property
    def goals(self) -> NDArray[np.float64]:
        """See `Rows.goals`; each world's own numbers, then zeros."""
        for part, share, has_goals in zip(self._parts, self._shares, self._has_goals, strict=True):
            if has_goals:
                goals = part.goals
                self._goals[share, : goals.shape[1]] = goals
        return self._goals

    def reset(
        self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]
    ) -> NDArray[Any]:
        """See `Rows.reset`."""
        chosen = [number for number, share in enumerate(self._shares) if rows[share].any()]
        shares = [self._shares[number] for number in chosen]
        given = [(tasks[share], rows[share], seeds[share]) for share in shares]
        found = part_rows.all_of(self._calls("reset", given, chosen))
        for number, obs in zip(chosen, found, strict=True):
            self._take(number, obs)
        return self._values

    def expect(self, tasks: Mapping[int, Task], steps: int) -> None:
        """See `Rows`; worlds whose rows do not prepare anything are left out."""
        for each, share in zip(self._worlds, self._shares, strict=True):
            expects: Callable[[dict[int, Task], int], None] | None = getattr(each.rows, "expect", None)
            own = {row - share.start: task for row, task in tasks.items() if share.start <= row < share.stop}
            if own and expects is not None:
                expects(own, min(steps, each.max_episode_steps))

    def step(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> RowStep:
        """See `Rows.step`.

        Rows in other processes begin first. The others are stepped one world after the other, as each uses all threads.
        """
        given = [
            (each.rows, np.ascontiguousarray(actions[share, : each.action_size]), rows[share])
            for each, share in zip(self._worlds, self._shares, strict=True)
        ]
        self._begin([each for each, elsewhere in zip(given, self._elsewhere, strict=True) if elsewhere])
        calls = [
            part.step_wait if elsewhere else functools.partial(part.step, own, mask)
            for (part, own, mask), elsewhere in zip(given, self._elsewhere, strict=True)
        ]
        return self._joined_steps(part_rows.all_of(calls))

    def step_async(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> None:
        """See `Rows.step_async`."""
        self._begin(
            [
                (each.rows, np.ascontiguousarray(actions[share, : each.action_size]), rows[share])
                for each, share in zip(self._worlds, self._shares, strict=True)
            ]
        )

    def _begin(self, given: Sequence[tuple[Rows, NDArray[np.floating], NDArray[np.bool_]]]) -> None:
        """Begins steps of worlds, all or none of them."""
        begun: list[Rows] = []
        try:
            for part, own, mask in given:
                part.step_async(own, mask)
                begun.append(part)
        except BaseException:
            for part in begun:
                with contextlib.suppress(Exception):  # the first error is the one to be told
                    part.step_wait()
            raise

    def step_wait(self) -> RowStep:
        """See `Rows.step_wait`. All worlds are waited for, whatever goes wrong in one."""
        return self._joined_steps(part_rows.all_of(part.step_wait for part in self._parts))

    def _joined_steps(self, steps: Sequence[RowStep]) -> RowStep:
        """Returns the outcome of a step of all worlds, of those of each."""
        ends: NDArray[np.bool_] | None = None
        faults = []
        for number, (step, share) in enumerate(zip(steps, self._shares, strict=True)):
            self._take(number, step.obs)
            self._rewards[share] = step.rewards
            if tuple(step.terms) != self._reported[number]:
                self._name_terms(number, tuple(step.terms))
            for place, values in zip(self._own_terms[number], step.terms.values(), strict=True):
                place[:] = values
            if step.terminated is not None:
                ends = np.zeros(self.num_rows, dtype=np.bool_) if ends is None else ends
                ends[share] = step.terminated
            if step.faults:
                faults += [fault._replace(row=fault.row + share.start) for fault in step.faults]
        return RowStep(self._values, self._rewards, self._terms, ends, faults)

    def _name_terms(self, number: int, names: tuple[str, ...]) -> None:
        """Takes note of the names under which a world's steps report; what it had under others becomes zero."""
        share = self._shares[number]
        for name in self._reported[number]:
            self._terms[name][share] = 0.0
        self._terms |= {name: np.zeros(self.num_rows) for name in names if name not in self._terms}
        self._reported[number] = names
        self._own_terms[number] = [self._terms[name][share] for name in names]

    def _take(self, number: int, obs: NDArray[Any]) -> None:
        """Writes the observations of a world's rows, of which the first numbers are its space's."""
        size = self._worlds[number].obs_size
        self._values[self._shares[number], :size] = obs[:, :size]

    def _calls(
        self, method: str, given: Sequence[tuple[Any, ...]], parts: Sequence[int] | None = None, **kwargs: Any
    ) -> list[Callable[[], Any]]:
        """As of `PartRows`, but a method `begin` of a world's rows is their own affair."""
        chosen = self._parts if parts is None else [self._parts[number] for number in parts]
        return [
            functools.partial(getattr(part, method), *args, **kwargs)
            for part, args in zip(chosen, given, strict=True)
        ]

    def get_state(self) -> dict[str, Any]:
        """See `Rows.get_state`."""
        return super().get_state() | {"worlds": [each.world for each in self._worlds]}

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """See `Rows.set_state`. A row takes only what is of its own world."""
        theirs = self._pieces(state, source)
        before = self._of_each("get_state")
        try:
            for part, (own, taken) in zip(self._parts, theirs, strict=True):
                if (taken >= 0).any():
                    part_rows.set_state(part, own, taken)
        except BaseException:
            for part, own in zip(self._parts, before, strict=True):
                part_rows.set_state(part, own, np.arange(part.num_rows))
            raise

    def _pieces(self, state: Any, source: NDArray[np.int64]) -> list[tuple[Any, NDArray[np.int64]]]:
        """Returns for each world the state of its rows, and which of them its rows take."""
        names = [each.world for each in self._worlds]
        if not isinstance(state, dict) or state.get("worlds") != names:
            raise WrongValue(
                f"The state cannot be restored: it is not of rows of {', '.join(names)}, in this order."
            )
        if not len(names) == len(state["sizes"]) == len(state["parts"]):
            raise WrongValue(
                "This is only part of a state that get_state returned: a world's rows are missing."
            )
        ends = np.cumsum([0, *state["sizes"]])
        world_of_row = np.repeat(np.arange(len(names)), state["sizes"])
        pieces = []
        for number, share in enumerate(self._shares):
            taken = source[share]
            if taken.max(initial=-1) >= ends[-1]:
                raise WrongValue("This is only part of a state that get_state returned: it has too few rows.")
            others = np.flatnonzero((taken >= 0) & (world_of_row[taken] != number))
            if others.size:
                row = int(others[0])
                there = names[int(world_of_row[taken[row]])]
                raise WrongValue(
                    f"Row {share.start + row} serves {names[number]}, and row {taken[row]} of the state {there}: a row "
                    "can only take the state of a row of its own world. Give rows of the same world in rows=."
                )
            pieces.append((state["parts"][number], np.where(taken >= 0, taken - ends[number], -1)))
        return pieces
