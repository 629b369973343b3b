"""Rows on the native engine: what those of every world share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds import engine as native
from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.engine import ChunkOutcome, Engine, Fault
from taskworlds.rows.protocol import RowChunk, RowFault, RowStep
from taskworlds.rows.rows_without_envs import RowsWithoutEnvs

__all__ = ["ROW_ARRAYS", "EngineRows", "recv_first"]

ROW_ARRAYS = ("states", "overrides", "params", "memory", "obs", "terms")
_MOST = {"overrides": 1e10, "params": 1e100, "memory": 1e100}  # MuJoCo simulates nothing beyond 1e10
_DIVERGED = Fault.BAD_QPOS | Fault.BAD_QVEL | Fault.BAD_QACC | Fault.STATE_NOT_FINITE


class EngineRows(RowsWithoutEnvs, ABC):
    """Rows stepped by C++ threads. See `taskworlds.rows.protocol.Rows`.

    A world's own class makes the engine, and says which scene and kernel a task has and where its episodes start. The
    kernel writes the terms: the reward, one number for each of `terms`, and the goal's numbers where goals move.

    Args:
        num_rows: how many rows, N.
        goal_size: numbers of a goal, G.
        terms: names of the kernel's terms, as info has them. "terminated" is the end of the episode instead.
        goals_move: whether a step can move a goal.

    Attributes:
        num_rows: N.
        goals: each row's goal, (N, G) float64.
    """

    engine_name = "native"
    goals: NDArray[np.float64]

    def __init__(
        self, num_rows: int, goal_size: int, terms: tuple[str, ...], *, goals_move: bool = False
    ) -> None:
        self.num_rows = num_rows
        self._goals_move = goals_move
        self._names = terms
        self._tasks: list[Task | None] = [None] * num_rows
        self.goals = np.zeros((num_rows, goal_size))
        self._engine: Engine | None = None
        self._done: list[int] = []  # rows under way that an engine before this one has done
        self._room: ChunkOutcome | None = None  # for a chunk like the last one
        self._moving: NDArray[np.float64] | None = None  # the engine's goals, where a copy is kept of them

    @property
    def engine(self) -> Engine:
        """The engine that steps the rows."""
        assert self._engine is not None
        return self._engine

    @engine.setter
    def engine(self, engine: Engine) -> None:
        """Takes an engine and names the columns of its terms; goals that move are the last of them."""
        old = self._engine
        if old is not None and old.under_way:
            done = old.recv(old.under_way)
            engine.faults[done] = old.faults[done]
            self._done += done.tolist()
        self._engine, self._room = engine, None
        rewards, *columns = engine.terms.T[: 1 + len(self._names)]
        terms = dict(zip(self._names, columns, strict=True))
        self._ends = terms.pop("terminated", None)
        self._row_step = RowStep(engine.obs, rewards, terms)
        if self._goals_move:
            goals = engine.terms[:, 1 + len(self._names) :]
            if self._moving is None:
                self.goals = goals
            else:
                self._moving = goals

    @abstractmethod
    def _prepare(self, tasks: Sequence[Task]) -> None:
        """Makes the engine ready for all these tasks at once, keeping its rows as they are."""

    @abstractmethod
    def _place(self, task: Task) -> tuple[int, int]:
        """Returns the scene and the kernel of a task that the engine is ready for."""

    @abstractmethod
    def reset(
        self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """See `Rows.reset`."""

    @abstractmethod
    def render(self) -> tuple[Any, ...]:
        """See `Rows.render`."""

    def step(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> RowStep:
        """See `Rows.step`."""
        self._join_goals()
        return self._outcome(self.engine.step(actions, rows))

    def step_async(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> None:
        """See `Rows.step_async`."""
        self._join_goals()
        self.engine.step_async(actions, rows)

    def step_shared(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> None:
        """Begins a step in which the calling thread takes part, in `step_wait`.

        A single row, which would wait for that, begins at once on another thread, unless there is to be only one.
        """
        self._join_goals()
        self.engine.step_async(actions, rows, shared=self._takes_part(rows))

    def _takes_part(self, rows: NDArray[np.bool_]) -> bool:
        return self.engine.num_threads == 1 or int(np.count_nonzero(rows)) > 1

    def step_wait(self) -> RowStep:
        """See `Rows.step_wait`."""
        return self._outcome(self.engine.step_wait())

    def step_chunk(
        self,
        actions: NDArray[np.floating],
        rows: NDArray[np.bool_],
        left: NDArray[np.int64],
        ends: NDArray[np.bool_],
        *,
        ends_by_itself: bool,
        each_obs: bool,
        spare: int = 0,
    ) -> RowChunk:
        """See `ChunkRows.step_chunk`; `spare` is as for `Engine.step`."""
        self._join_goals()
        engine, names = self.engine, self._names
        room = self._room
        if room is None or (room.steps, room.has_obs) != (actions.shape[1], each_obs):
            room = self._room = ChunkOutcome(engine, actions.shape[1], each_obs=each_obs)
        success, end = (1 + names.index(name) if name in names else -1 for name in ("success", "terminated"))
        went_well = engine.step_chunk(
            actions,
            rows,
            room,
            left=left.astype(np.int32),
            ends=ends,
            success_term=success,
            end_term=end if ends_by_itself else -1,
            spare=spare,
        )
        taken = room.taken.astype(np.int64)
        last = self._outcome(went_well)
        faults = {fault.row: fault for fault in last.faults}

        def step(place: int) -> RowStep:
            rewards, *columns = room.terms[:, place].T[: 1 + len(names)]
            terms = dict(zip(names, columns, strict=True))
            over = terms.pop("terminated", None)
            its_faults = [fault for row, fault in faults.items() if taken[row] == place + 1]
            obs = engine.obs if room.obs is None else room.obs[:, place]
            return RowStep(obs, rewards, terms, None if over is None else over.astype(np.bool_), its_faults)

        return RowChunk(
            taken,
            room.terms[:, :, 0],
            room.terms[:, :, success] if success > 0 else None,
            room.terms[:, :, end].astype(np.bool_) if end > 0 else None,
            last,
            step,
        )

    # --- rows that are stepped each on its own -------------------------------------------------------------

    @property
    def under_way(self) -> int:
        """See `SendingRows.under_way`."""
        return self.engine.under_way + len(self._done)

    def send(self, actions: NDArray[np.floating], rows: NDArray[np.int64], *, spare: int = 0) -> None:
        """See `SendingRows.send`; `spare` is as for `Engine.step`."""
        if self._goals_move and self._moving is None:  # the threads write them while others are read
            self._moving, self.goals = self.goals, self.goals.copy()
        self.engine.send(actions, rows, spare=spare)

    def recv(self, count: int) -> tuple[NDArray[np.int64], RowStep]:
        """See `SendingRows.recv`."""
        ((rows, outcome),) = recv_first([self], count)
        return rows, outcome

    def call_off(self, rows: NDArray[np.int64]) -> None:
        """Waits for the rows under way, and forgets those of `rows`, (M,) int64, which need a reset then."""
        if self.engine.under_way:
            self._done += self.engine.recv(self.engine.under_way).tolist()
        self._done = [row for row in self._done if row not in rows]

    def _received(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], RowStep]:
        """Returns rows that are done with what came of them."""
        if self._moving is not None:
            self.goals[rows] = self._moving[rows]
        return rows, self._outcome(not self.engine.faults[rows].any(), rows)

    def _join_goals(self) -> None:
        """Puts the goals where the engine has them, as nothing is under way."""
        if self._moving is not None:
            self._moving[:] = self.goals
            self.goals, self._moving = self._moving, None

    def _outcome(self, went_well: bool, rows: NDArray[np.int64] | None = None) -> RowStep:
        step = self._row_step
        if self._ends is not None:
            step = step._replace(terminated=self._ends.astype(np.bool_))
        return step if went_well else step._replace(faults=self._faults(rows))

    def _faults(self, rows: NDArray[np.int64] | None) -> list[RowFault]:
        """Returns of `rows`, None for all, those that could not be stepped, and those whose simulation diverged."""
        found = []
        for row in (np.flatnonzero(self.engine.faults) if rows is None else rows).tolist():
            fault = Fault(int(self.engine.faults[row]))
            if fault & (Fault.ERROR | Fault.NOT_STEPPED):
                found.append(RowFault(row, self.engine.error(row) or str(fault.name), went_on=False))
            elif fault & _DIVERGED:
                found.append(RowFault(row, repr(fault), went_on=True))
        return found

    def get_state(self) -> dict[str, Any]:
        """See `Rows.get_state`. Of each array the columns that are zero in all rows are left out."""
        arrays: dict[str, NDArray[np.float64]] = {}
        columns: dict[str, NDArray[np.int32]] = {}
        for name in ROW_ARRAYS:
            values = getattr(self.engine, name)
            used = values.view(np.int64).any(axis=0)  # of all bits, as -0.0 is not 0.0
            arrays[name], columns[name] = values[:, used], np.flatnonzero(used).astype(np.int32)
        return {**arrays, "columns": columns, "tasks": list(self._tasks), "goals": self.goals.copy()}

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """See `Rows.set_state`."""
        rows = source >= 0
        source = source[rows]
        self._check_state(state, source)
        tasks = list(self._tasks)
        for row, taken in zip(np.flatnonzero(rows).tolist(), source.tolist(), strict=True):
            tasks[row] = state["tasks"][taken]
        self._prepare([task for task in tasks if task is not None])
        self._tasks = tasks
        for name in ROW_ARRAYS:
            ours, columns = getattr(self.engine, name), state["columns"][name]
            known = columns < ours.shape[1]  # what is beyond, no task here uses
            values = np.zeros((len(source), ours.shape[1]))
            values[:, columns[known]] = state[name][source][:, known]
            ours[rows] = values
        self.goals[rows] = state["goals"][source]
        self._place_all(rows)

    def _check_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """Raises ValueError for anything but what `get_state` returned, of as many rows as the source asks for."""
        if not isinstance(state, dict) or "states" not in state:
            raise WrongValue(
                "The state was taken on another engine; only the engine that took it can restore it."
            )
        try:
            tasks = state["tasks"]
            whole = all(task is None or isinstance(task, Task) for task in tasks)
            whole = whole and (source.size == 0 or source.max() < len(tasks))
            for name in ROW_ARRAYS:
                values, columns = state[name], state["columns"][name]
                whole = whole and values.dtype == np.float64 and values.shape == (len(tasks), len(columns))
                whole = whole and columns.dtype == np.int32 and (np.diff(columns, prepend=-1) > 0).all()
            goals = state["goals"]
            whole = whole and goals.dtype == np.float64 and goals.shape == (len(tasks), self.goals.shape[1])
        except (AttributeError, KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise WrongValue(
                "This is not a state that get_state returned, or it is only part of one: its rows are damaged."
            )
        for name in ("states", "overrides", "params", "memory"):
            bad = np.argwhere(~np.isfinite(state[name][source]))
            if bad.size:
                raise WrongValue(
                    f"The state cannot be restored: {name} of its row {source[bad[0, 0]]} hold a number that is not "
                    "finite. Take the state before the simulation diverges."
                )
        for name, most in _MOST.items():
            if (np.abs(state[name][source]) > most).any():
                raise WrongValue(f"The state cannot be restored: its {name} hold a number beyond {most}.")

    def _place_all(self, rows: NDArray[np.bool_]) -> None:
        """Gives `rows` the scenes and kernels of their tasks."""
        for row in np.flatnonzero(rows).tolist():
            task = self._tasks[row]
            scene, kernel = (0, -1) if task is None else self._place(task)
            self.engine.scene_of_row[row], self.engine.kernel_of_row[row] = scene, kernel

    def close(self) -> None:
        """See `Rows.close`."""
        if self._engine is not None:
            self._engine.close()


def recv_first(several: Sequence[EngineRows], count: int) -> list[tuple[NDArray[np.int64], RowStep]]:
    """Waits for `count` of the rows under way in several, as `SendingRows.recv` does in one.

    Args:
        several: the rows of each engine.
        count: how many, at most as many as are under way in all of them; if 0, nothing is waited for.

    Returns:
        For each of `several` what its `recv` would return of the rows that are its own.
    """
    at_hand: list[list[int]] = []
    for each in several:
        at_hand.append(each._done[:count])
        count -= len(at_hand[-1])
    if count > 0:
        places, rows = native.recv_first([each.engine for each in several], count)
        found = [rows[places == number].tolist() for number in range(len(several))]
    else:
        found = [[] for _ in several]
    outcomes = []
    for each, first, then in zip(several, at_hand, found, strict=True):
        del each._done[: len(first)]
        outcomes.append(each._received(np.array([*first, *then], dtype=np.int64)))
    return outcomes
