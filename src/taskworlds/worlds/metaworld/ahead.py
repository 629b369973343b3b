"""Starts of episodes that are computed before they are needed, while the present episodes go on.

What comes of it is put where `starts` keeps its outcomes, and they depend on skill and goal alone. So it decides when a
start is computed, and nothing else: if another task comes in the end, a start was computed for nothing.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping

from taskworlds.engine import Engine
from taskworlds.worlds.metaworld import starts
from taskworlds.worlds.metaworld.reset import Halfway
from taskworlds.worlds.metaworld.starts import Key

__all__ = ["Ahead"]

_SETTLING = 32  # turns of an engine's spare work that a settling takes, or one more


class Ahead:
    """The starts that rows will need next, and how far they are.

    Halves in Python are computed in the calling thread, a few with each step; the physics between them by the engine's
    threads, when they have nothing else to do and in turns among the rows. Both at such a pace that all is done well
    before the episodes reach their limit. An engine with one thread prepares nothing, as it would only do it
    earlier.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._halves: dict[Key, Halfway] = {}
        self._wanted: dict[int, Key] = {}  # by row
        self._rows = Counter[Key]()  # how many rows want it
        self._new: dict[Key, None] = {}  # not begun, in their order
        self._settling: dict[Key, None] = {}  # begun, likewise
        self._halves_a_step = self._turns_a_step = 0
        self._process = os.getpid()

    def expect(self, engine: Engine, wanted: Mapping[int, Key], steps: int) -> None:
        """Says what rows will most likely need next; what they were said to need before is dropped.

        Args:
            engine: the rows' engine.
            wanted: the starts, by row.
            steps: after how many steps at the latest, if nothing comes in between.
        """
        self._drop_if_forked()
        self.drop(engine, wanted)
        if engine.num_threads == 1:
            return
        for row, key in wanted.items():
            if starts.is_kept(key):
                continue
            self._wanted[row] = key
            self._rows[key] += 1
            if self._rows[key] == 1:
                self._new[key] = None
        self._halves_a_step = max(self._halves_a_step, math.ceil(4 * len(self._new) / steps))
        turns = _SETTLING * (len(self._new) + len(self._settling))
        self._turns_a_step = max(self._turns_a_step, math.ceil(1.5 * turns / steps))

    def drop(self, engine: Engine, rows: Iterable[int] | None = None) -> None:
        """Forgets what rows, or all, were said to need."""
        self._drop_if_forked()
        for row in list(self._wanted if rows is None else rows):
            key = self._wanted.pop(row, None)
            if key is None:
                continue
            self._rows[key] -= 1
            if self._rows[key] == 0:
                self._remove(engine, key)

    def _remove(self, engine: Engine, key: Key) -> None:
        del self._rows[key]
        self._new.pop(key, None)
        half = self._halves.pop(key, None)
        if self._settling.pop(key, 0) is None and half is not None and half.settling is not None:
            engine.drop_settling(half.settling)
        if not self._wanted:
            self._halves_a_step = self._turns_a_step = 0

    @property
    def halves(self) -> Mapping[Key, Halfway]:
        """The starts of which the first half is there."""
        self._drop_if_forked()
        return self._halves

    @property
    def turns(self) -> int:
        """Turns of spare work for the next step of the engine."""
        return self._turns_a_step if self._settling else 0

    @property
    def has_work(self) -> bool:
        """Whether there are halves to be computed."""
        return bool(self._new) or self._next_done() is not None

    def work(self, engine: Engine) -> None:
        """Computes a few halves. It may be called while the engine is at a step.

        A reset that raises is left for the moment when it is needed.
        """
        self._drop_if_forked()
        for _ in range(self._halves_a_step):
            key = self._next_done() or next(iter(self._new), None)
            if key is None:
                return
            try:
                self._compute_half(engine, key)
            except Exception:
                self._give_up(key)

    def _next_done(self) -> Key | None:
        """Returns the first start whose physics is done; threads take them in their order, or nearly."""
        key = next(iter(self._settling), None)
        half = None if key is None else self._halves[key]
        return key if half is not None and half.settling is not None and half.settling.done else None

    def _compute_half(self, engine: Engine, key: Key) -> None:
        if key in self._settling:
            starts.ended(key, self._halves[key])
            self._give_up(key)
            return
        half = starts.begun(key)
        del self._new[key]
        if not isinstance(half, Halfway):
            self._give_up(key)
            return
        self._halves[key] = half
        if half.settling is None:
            starts.ended(key, half)
            self._give_up(key)
            return
        self._settling[key] = None
        engine.settle_ahead(half.settling)

    def _give_up(self, key: Key) -> None:
        """Forgets a start that is done, or that cannot be computed ahead."""
        self._new.pop(key, None)
        self._settling.pop(key, None)
        self._halves.pop(key, None)

    def _drop_if_forked(self) -> None:
        """Forgets all in a forked child: threads of the parent are at it."""
        if self._process != os.getpid():
            self._forget()
