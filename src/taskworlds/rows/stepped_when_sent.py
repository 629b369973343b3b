"""Rows of any engine, with `send` and `recv`: for engines that step all rows together."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.rows.protocol import RowFault, Rows, RowStep

__all__ = ["SteppedWhenSent"]


class SteppedWhenSent:
    """Steps rows when they are sent, and returns them in that order. See `taskworlds.rows.protocol.SendingRows`.

    So the calls are the same with every engine, and the results too; what is not there is the time that is won.

    Args:
        rows: the engine's rows.
        obs_space: the observation of a row as they give it.
        action_space: the action of a row.
    """

    def __init__(self, rows: Rows, obs_space: gym.Space[Any], action_space: gym.Space[Any]) -> None:
        self._rows = rows
        self._space, self._action_space = obs_space, action_space
        self._queue: list[int] = []
        self._latest: RowStep | None = None  # of each row its last step; ours
        self._faults: dict[int, RowFault] = {}

    @property
    def under_way(self) -> int:
        """See `SendingRows.under_way`."""
        return len(self._queue)

    def send(self, actions: Any, rows: NDArray[np.int64]) -> None:
        """See `SendingRows.send`."""
        mask = np.zeros(self._rows.num_rows, dtype=np.bool_)
        mask[rows] = True
        spread = batches.spread(self._action_space, actions, rows, len(mask))
        self._keep(self._rows.step(spread, mask), mask)
        self._queue += rows.tolist()

    def recv(self, count: int) -> tuple[NDArray[np.int64], RowStep]:
        """See `SendingRows.recv`."""
        rows = np.array(self._queue[:count], dtype=np.int64)
        del self._queue[:count]
        if self._latest is None:
            nobody = np.zeros(self._rows.num_rows, dtype=np.bool_)
            self._keep(self._rows.step(batches.empty(self._action_space, len(nobody)), nobody), nobody)
        assert self._latest is not None
        faults = [self._faults[row] for row in rows.tolist() if row in self._faults]
        return rows, self._latest._replace(faults=faults)

    def _keep(self, step: RowStep, mask: NDArray[np.bool_]) -> None:
        """Takes down the outcome of a step of the rows in `mask`, (N,) bool."""
        for row in np.flatnonzero(mask).tolist():
            self._faults.pop(row, None)
        self._faults |= {fault.row: fault for fault in step.faults}
        kept = self._latest
        if kept is None:
            ends = None if step.terminated is None else step.terminated.copy()
            terms = {name: values.copy() for name, values in step.terms.items()}
            self._latest = RowStep(batches.copied(step.obs), step.rewards.copy(), terms, ends)
            return
        obs = kept.obs
        if isinstance(obs, np.ndarray):
            obs[mask] = step.obs[mask]
        else:
            obs = batches.write(self._space, obs, step.obs, mask)
        kept.rewards[mask] = step.rewards[mask]
        for name, values in step.terms.items():
            kept.terms.setdefault(name, np.zeros(len(mask)))[mask] = values[mask]
        ended = kept.terminated
        if step.terminated is not None:
            ended = np.zeros(len(mask), dtype=np.bool_) if ended is None else ended
            ended[mask] = step.terminated[mask]
        self._latest = kept._replace(obs=obs, terminated=ended)
