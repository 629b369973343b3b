"""Rows of several worlds that are stepped each on its own, so that those that are done first are there first."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from taskworlds.rows.engine_rows import EngineRows, recv_first
from taskworlds.rows.mixed import MixedRows
from taskworlds.rows.protocol import RowStep

__all__ = ["MixedSendingRows"]


class MixedSendingRows(MixedRows):
    """The rows of several worlds, all native, as one. See `taskworlds.rows.protocol.SendingRows`.

    Each world's engine steps its rows on its own threads; rows of all worlds are waited for together.
    """

    @property
    def _engines(self) -> Sequence[EngineRows]:
        return cast("Sequence[EngineRows]", self._parts)

    @property
    def under_way(self) -> int:
        """See `SendingRows.under_way`."""
        return sum(part.under_way for part in self._engines)

    def send(self, actions: NDArray[np.floating], rows: NDArray[np.int64]) -> None:
        """See `SendingRows.send`. Where a world's rows cannot be sent, those of the others are not under way either."""
        begun: list[tuple[EngineRows, NDArray[np.int64]]] = []
        try:
            for world, part, share in zip(self._worlds, self._engines, self._shares, strict=True):
                own = (rows >= share.start) & (rows < share.stop)
                if own.any():
                    begun.append((part, rows[own] - share.start))
                    part.send(np.ascontiguousarray(actions[own, : world.action_size]), begun[-1][1])
        except BaseException:
            for part, sent in begun:
                with contextlib.suppress(Exception):  # the first error is the one to be told
                    part.call_off(sent)
            raise

    def recv(self, count: int) -> tuple[NDArray[np.int64], RowStep]:
        """See `SendingRows.recv`."""
        received = recv_first(self._engines, count)
        rows = [own + share.start for (own, _), share in zip(received, self._shares, strict=True)]
        outcome = self._joined_steps([step for _, step in received], [own for own, _ in received])
        return np.concatenate(rows), outcome
