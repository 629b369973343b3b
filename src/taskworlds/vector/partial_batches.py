"""Partial batches: rows that are sent, and those that are done first received, while the others are still under way."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import ArrayLike, NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue
from taskworlds.rows.protocol import SendingRows
from taskworlds.rows.stepped_when_sent import SteppedWhenSent
from taskworlds.vector.actions import Actions, make_actions
from taskworlds.vector.batch_parts import BatchParts
from taskworlds.vector.episodes import BegunStep, Episodes
from taskworlds.vector.observations import is_flat

__all__ = ["PartialBatches", "PartialStep"]


class PartialStep(NamedTuple):
    """A step of some rows, M of them. All arrays are the caller's own.

    Attributes:
        rows: which rows, (M,) int64, in ascending order.
        observations: their observations, a batch of M.
        rewards: (M,) float64.
        terminations, truncations: (M,) bool.
        infos: as of a vector environment of M rows.
    """

    rows: NDArray[np.int64]
    observations: Any
    rewards: NDArray[np.float64]
    terminations: NDArray[np.bool_]
    truncations: NDArray[np.bool_]
    infos: dict[str, Any]


class PartialBatches:
    """Which of N rows are under way, and what becomes of them when they are received.

    A row's own results are those that it has in whole batches: physics, counters, statistics, tasks and generators are
    each row's own, and everything that a step decides is decided when the row is received, for it alone. Only which
    rows come together depends on time.

    Args:
        size: how many rows are received at a time, M.
        parts: what they work on.
        episodes: begins episodes, and ends steps.
        obs_space: the observation of a row as the engine gives it.
        action_space: the action of a row.

    Attributes:
        sent: the rows that are under way, (N,) bool.
    """

    def __init__(
        self,
        size: int,
        parts: BatchParts,
        episodes: Episodes,
        obs_space: gym.Space[Any],
        action_space: gym.Space[Any],
    ) -> None:
        rows = parts.rows
        n = rows.num_rows
        self._size = size
        self._action_space = action_space
        sends = hasattr(rows, "send") and hasattr(rows, "recv")
        self._rows: SendingRows | SteppedWhenSent = (
            cast(SendingRows, rows) if sends else SteppedWhenSent(rows, obs_space, action_space)
        )
        self._episodes, self._assignments, self._progress = episodes, parts.assignments, parts.progress
        self._observations, self._infos = parts.observations, parts.infos
        self._guard, self._mode = parts.guard, parts.autoreset_mode
        self._checks: dict[int, Actions] = {}  # by number of rows
        self.sent = np.zeros(n, dtype=np.bool_)
        self._restarting = np.zeros(
            n, dtype=np.bool_
        )  # of these, those that begin an episode instead of a step
        # For observations that tell of the last action; those are of flat spaces alone.
        flat = is_flat(action_space) and action_space.shape is not None
        self._actions = np.zeros((n, *(action_space.shape or ()))) if flat else None

    def send(self, actions: Any, rows: ArrayLike) -> None:
        """Begins a step of `rows`; see `TaskVectorEnv.send`."""
        chosen = self._chosen(rows)
        count, running = len(chosen), self._progress.running[chosen]
        checks = self._checks.setdefault(count, make_actions(self._action_space, count))
        actions = checks.take(actions)
        mask = np.zeros(len(self.sent), dtype=np.bool_)
        mask[chosen] = True
        busy = np.flatnonzero(mask & self.sent).tolist()
        if busy:
            raise RuntimeError(
                f"send() is not possible for {_named(busy)}: under way already. Receive them first, with recv()."
            )
        self._guard.check("send()", mask)
        if not checks.ready(actions, np.ones(count, dtype=np.bool_), running):
            unready = mask & ~self._progress.running
            if unready.any():
                may_have_ended = self._mode is AutoresetMode.NEXT_STEP
                self._progress.check_begun(unready, may_have_ended=may_have_ended)
            checks.check(actions, running, lambda place: self._where(int(chosen[place])))
        self._guard.changing(mask)
        if running.any():
            taken = (
                actions
                if running.all()
                else batches.take(self._action_space, actions, np.flatnonzero(running))
            )
            self._rows.send(taken, chosen[running])
        if self._actions is not None:
            self._actions[chosen] = actions
        self.sent |= mask
        self._restarting[chosen[~running]] = True

    def recv(self) -> PartialStep:
        """Waits for the first rows that are done; see `TaskVectorEnv.recv`."""
        under_way = int(self.sent.sum())
        if under_way == 0:
            raise RuntimeError("recv() has nothing to wait for: no row is under way. Call send() first.")
        count = min(self._size, under_way)
        at_once = np.flatnonzero(self._restarting)[:count]
        try:
            stepped, outcome = self._rows.recv(count - len(at_once))
        except BaseException:
            if self._rows.under_way == 0:  # they are lost, and not only this call was interrupted
                self._guard.changing(self.sent.copy())
                self.sent[:] = self._restarting[:] = False
            raise
        stepping, restarting = np.zeros_like(self.sent), np.zeros_like(self.sent)
        stepping[stepped], restarting[at_once] = True, True
        received = stepping | restarting
        self._guard.changing(received)
        self.sent &= ~received
        self._restarting &= ~received
        begun = BegunStep(self._actions, stepping, restarting if len(at_once) else None)
        rewards, terminated, truncated, infos = self._episodes.conclude(begun, outcome)
        rows = np.flatnonzero(received)
        obs = batches.take(self._observations.space, self._observations.values, rows)
        told = self._infos.of_rows(infos, rows)
        return PartialStep(rows, obs, rewards[rows], terminated[rows], truncated[rows], told)

    def check_idle(self, call: str, rows: NDArray[np.bool_] | None = None) -> None:
        """Raises RuntimeError if some of `rows`, (N,) bool or None for all, are under way; `call` is for a message."""
        busy = np.flatnonzero(self.sent if rows is None else self.sent & rows).tolist()
        if busy:
            raise RuntimeError(
                f"{call} is not possible now: {_named(busy)} {'are' if len(busy) > 1 else 'is'} under way. Receive "
                "them first, with recv()."
            )

    def _chosen(self, rows: ArrayLike) -> NDArray[np.int64]:
        """Returns the rows that the caller names, (M,) int64.

        Raises:
            ValueError: they are none, do not exist, or are there twice.
        """
        n = len(self.sent)
        chosen = np.asarray(rows)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or not chosen.size:
            raise WrongValue(
                f"rows must be the numbers of one row or more, as recv() returns them, not {rows!r}.",
                argument="rows",
            )
        if chosen.min() < 0 or chosen.max() >= n:
            raise WrongValue(f"rows must be from 0 to {n - 1}, not {chosen.tolist()}.", argument="rows")
        if len(np.unique(chosen)) < len(chosen):
            raise WrongValue(f"rows must differ, and not be {chosen.tolist()}.", argument="rows")
        return chosen.astype(np.int64)

    def _where(self, row: int) -> str:
        return f"row {row}: {self._assignments.task_at(row)}, step {self._progress.steps[row]}"


def _named(rows: list[int]) -> str:
    """Returns rows in words, not more than five by number."""
    few = ", ".join(map(str, rows[:5])) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
    return f"row{'s' if len(rows) > 1 else ''} {few}"
