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
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.rows import parts as part_rows
from taskworlds.rows.parts import PartRows
from taskworlds.rows.protocol import Rows, RowStep

__all__ = ["MixedParts", "MixedPlan", "MixedRows", "OneWorldsRows", "WorldPlan"]


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
        # What begins a step in worlds whose rows do not need the calling thread for it.
        with_threads = sum(hasattr(each.rows, "step_shared") for each in worlds)
        self._begins: list[Callable[..., None] | None] = [
            _begin_of(each.rows, shares=with_threads > 1) for each in worlds
        ]
        # Whose rows are waited for first: those of the most rows have threads at work the longest.
        self._order = sorted(range(len(self._parts)), key=lambda number: self._parts[number].num_rows)
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
        for number, (_, own, _), obs in zip(chosen, given, found, strict=True):
            self._take(number, obs, np.flatnonzero(own))
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

        Worlds whose rows have threads or processes all begin before any is waited for, so that threads are not idle
        where a world has fewer rows than there are threads. The calling thread then steps the rows of other worlds, and
        takes its part in each world as it waits for it.
        """
        given = self._given(actions, rows)
        self._begin(self._begins, given)
        return self._wait(
            [
                functools.partial(part.step, *own) if begin is None else part.step_wait
                for part, begin, own in zip(self._parts, self._begins, given, strict=True)
            ]
        )

    def step_async(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> None:
        """See `Rows.step_async`."""
        self._begin([part.step_async for part in self._parts], self._given(actions, rows))

    def step_wait(self) -> RowStep:
        """See `Rows.step_wait`. All worlds are waited for, whatever goes wrong in one."""
        return self._wait([part.step_wait for part in self._parts])

    def _given(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> list[_Given]:
        """Returns what the step of each world is given."""
        return [
            (np.ascontiguousarray(actions[share, : each.action_size]), rows[share])
            for each, share in zip(self._worlds, self._shares, strict=True)
        ]

    def _begin(self, begins: Sequence[Callable[..., None] | None], given: Sequence[_Given]) -> None:
        """Begins a step of the worlds for which it is said how; of none where one cannot."""
        begun: list[Rows] = []
        try:
            for part, begin, own in zip(self._parts, begins, given, strict=True):
                if begin is not None:
                    begin(*own)
                    begun.append(part)
        except BaseException:
            for part in begun:
                with contextlib.suppress(Exception):  # the first error is the one to be told
                    part.step_wait()
            raise

    def _wait(self, calls: Sequence[Callable[[], RowStep]]) -> RowStep:
        """Makes the calls that end the worlds' steps, and returns the outcome of all."""
        steps = dict(zip(self._order, part_rows.all_of(calls[each] for each in self._order), strict=True))
        return self._joined_steps([steps[number] for number in range(len(calls))])

    def _joined_steps(
        self, steps: Sequence[RowStep], rows: Sequence[slice | NDArray[np.int64]] | None = None
    ) -> RowStep:
        """Returns the outcome of a step of all worlds, of those of each.

        Args:
            steps: the outcome in each world.
            rows: the rows of each world that it is of; None for all. What is known of the others stays.
        """
        ends: NDArray[np.bool_] | None = None
        faults = []
        for number, (step, share) in enumerate(zip(steps, self._shares, strict=True)):
            own = slice(None) if rows is None else rows[number]
            self._take(number, step.obs, own)
            self._rewards[share][own] = step.rewards[own]
            if tuple(step.terms) != self._reported[number]:
                self._name_terms(number, tuple(step.terms))
            for place, values in zip(self._own_terms[number], step.terms.values(), strict=True):
                place[own] = values[own]
            if step.terminated is not None:
                ends = np.zeros(self.num_rows, dtype=np.bool_) if ends is None else ends
                ends[share][own] = step.terminated[own]
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

    def _take(self, number: int, obs: NDArray[Any], rows: slice | NDArray[np.int64]) -> None:
        """Writes the observations of some of a world's rows, of which the first numbers are its space's."""
        size = self._worlds[number].obs_size
        self._values[self._shares[number]][rows, :size] = obs[rows, :size]

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
        names = [each.world for each in self._worlds]
        pieces = pieces_of_worlds(state, source, np.repeat(names, [part.num_rows for part in self._parts]))
        before = self._of_each("get_state")
        try:
            for piece, taken in pieces:
                number = names.index(piece["worlds"][0])
                (own,) = piece["parts"]
                part_rows.set_state(self._parts[number], own, taken[self._shares[number]])
        except BaseException:
            for part, own in zip(self._parts, before, strict=True):
                part_rows.set_state(part, own, np.arange(part.num_rows))
            raise


_Given = tuple[
    NDArray[np.floating], NDArray[np.bool_]
]  # the actions of a world's rows, and which of them step


def _begin_of(rows: Rows, *, shares: bool) -> Callable[..., None] | None:
    """Returns what begins a step of rows that have threads or processes; None for others.

    Args:
        rows: the rows.
        shares: whether other worlds have threads, too. Without them a step begun and ended in one call takes less time.
    """
    if getattr(rows, "in_processes", False):
        return rows.step_async
    shared: Callable[..., None] | None = getattr(rows, "step_shared", None)
    return shared if shares else None


class MixedParts(PartRows):
    """Parts of a batch of several worlds, each with rows of some of them. See `taskworlds.rows.protocol.Rows`.

    Snapshots are those of `MixedRows`, whatever the parts' shares are: a world's rows may be in several pieces.

    Args:
        parts: the parts, each of which is, or speaks for, a `MixedRows`; they are owned here.
        obs_space: the padded observation of a row.
        action_space: the padded action of a row.
        worlds: the name of each row's world.
    """

    def __init__(
        self, parts: Sequence[Rows], obs_space: Box, action_space: Box, worlds: Sequence[str]
    ) -> None:
        super().__init__(parts, obs_space, action_space)
        self._world_of_row = np.array(worlds)

    def get_state(self) -> dict[str, Any]:
        """See `Rows.get_state`."""
        states = self._of_each("get_state")
        return {
            name: [each for state in states for each in state[name]] for name in ("sizes", "parts", "worlds")
        }

    def _pieces(self, state: Any, source: NDArray[np.int64]) -> list[tuple[Any, NDArray[np.int64]]]:
        return pieces_of_worlds(state, source, self._world_of_row)


def pieces_of_worlds(
    state: Any, source: NDArray[np.int64], world_of_row: NDArray[np.str_]
) -> list[tuple[dict[str, Any], NDArray[np.int64]]]:
    """Takes the state of rows of several worlds apart.

    Args:
        state: what `MixedRows.get_state` or `MixedParts.get_state` returned.
        source: for each row the row of the state that it takes, (N,) int64, or -1.
        world_of_row: the name of each row's world, (N,).

    Returns:
        The pieces of which rows take something, each a state of the rows of one world, with the row of it that each
        row takes, (N,) int64, or -1.

    Raises:
        ValueError: it is not such a state, or only part of one; or a row would take that of another world.
    """
    if not isinstance(state, dict) or not isinstance(state.get("worlds"), list):
        names = ", ".join(dict.fromkeys(world_of_row.tolist()))
        raise WrongValue(f"The state cannot be restored: it is not of rows of {names} in one batch.")
    names, sizes, parts = state["worlds"], state["sizes"], state["parts"]
    if not len(names) == len(sizes) == len(parts):
        raise WrongValue("This is only part of a state that get_state returned: a world's rows are missing.")
    ends = np.cumsum([0, *sizes])
    if source.max(initial=-1) >= ends[-1]:
        raise WrongValue("This is only part of a state that get_state returned: it has too few rows.")
    there = np.repeat(names, sizes)
    others = np.flatnonzero((source >= 0) & (there[source] != world_of_row))
    if others.size:
        row = int(others[0])
        raise WrongValue(
            f"Row {row} serves {world_of_row[row]}, and row {source[row]} of the state {there[source[row]]}: a row can "
            "only take the state of a row of its own world. Give rows of the same world in rows=."
        )
    pieces = []
    for name, size, part, first, past in zip(names, sizes, parts, ends[:-1], ends[1:], strict=True):
        takes = (source >= first) & (source < past)
        if takes.any():
            piece = {"sizes": [size], "parts": [part], "worlds": [name]}
            pieces.append((piece, np.where(takes, source - first, -1)))
    return pieces


class WorldPlan(NamedTuple):
    """What makes the rows of one world in a batch of several.

    Attributes:
        world, engine, env_names, num_rows, settings, options: as for `RowEngine.make`.
        obs_size, action_size, max_episode_steps: as in `OneWorldsRows`.
    """

    world: World
    engine: RowEngine
    env_names: Sequence[str]
    num_rows: int
    settings: dict[str, Any]
    options: dict[str, Any]
    obs_size: int
    action_size: int
    max_episode_steps: int


class MixedPlan(NamedTuple):
    """What makes a `MixedRows`; it can be sent to another process.

    Attributes:
        worlds: what makes each world's rows, in the order of the rows.
        obs_space, action_space, goal_size, terms: as for `MixedRows`.
    """

    worlds: tuple[WorldPlan, ...]
    obs_space: Box
    action_space: Box
    goal_size: int
    terms: tuple[str, ...]

    @property
    def world_of_row(self) -> list[str]:
        """The name of each row's world."""
        return [each.world.name for each in self.worlds for _ in range(each.num_rows)]

    def part(self, first: int, past: int) -> MixedPlan:
        """Returns what makes rows `first` to `past - 1` alone, padded as all of them are."""
        kept, begin = [], 0
        for each in self.worlds:
            count = min(past, begin + each.num_rows) - max(first, begin)
            if count > 0:
                kept.append(each._replace(num_rows=count))
            begin += each.num_rows
        return self._replace(worlds=tuple(kept))

    def make(self) -> MixedRows:
        """Makes the rows; those of worlds that were made are closed if another's cannot be."""
        made: list[OneWorldsRows] = []
        try:
            for each in self.worlds:
                rows: Rows = each.engine.make(
                    each.world, list(each.env_names), each.num_rows, each.settings, each.options
                )
                sizes = each.obs_size, each.action_size, each.max_episode_steps
                made.append(OneWorldsRows(each.world.name, rows, *sizes))
            return _kind_of([each.rows for each in made])(
                made, self.obs_space, self.action_space, self.goal_size, self.terms
            )
        except BaseException:
            for each_made in made:
                each_made.rows.close()
            raise


def _kind_of(of_worlds: Sequence[Rows]) -> type[MixedRows]:
    """Returns the class of rows of several worlds: one with `send` and `recv` where all worlds' can be waited for."""
    if all(hasattr(rows, "send") for rows in of_worlds):
        # Only here, as it loads MuJoCo.
        from taskworlds.rows.engine_rows import EngineRows
        from taskworlds.rows.mixed_sending import MixedSendingRows

        if all(isinstance(rows, EngineRows) for rows in of_worlds):
            return MixedSendingRows
    return MixedRows
