"""One call at a time, and no step of rows that were left half-way: `Guard`, and `guarded` for the calls."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["Guard", "guarded"]

F = TypeVar("F", bound=Callable[..., Any])


class Guard:
    """What an environment knows of the calls on it.

    A call that an exception leaves half-way (Ctrl-C, an alarm, an error of one row) has moved some rows and not others.
    Its rows are noted, and are not stepped before they were reset or restored.

    Attributes:
        turn: is held during a call.
        call: the call at hand, or the last one.
        changes: the rows that the call at hand is changing, (N,) bool; None if it changes none.
        left: rows that were left half-way, (N,) bool; None if there are none.
        unsettled: whether what such a call began may still be under way.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.call = ""
        self.changes: NDArray[np.bool_] | None = None
        self.left: NDArray[np.bool_] | None = None
        self.unsettled = False
        self._why = ""
        self._process = os.getpid()

    def changing(self, rows: NDArray[np.bool_]) -> None:
        """Notes that the call at hand changes `rows`, (N,) bool, from here on until it returns; the array is kept."""
        self.changes = rows

    def unchanged(self) -> None:
        """Notes that the call at hand was refused and has changed nothing after all."""
        self.changes = None

    def done(self) -> None:
        """Notes that the call at hand has put its rows where they belong."""
        left = None
        if self.left is not None and self.changes is not None:
            left = self.left & ~self.changes
            left = left if left.any() else None
        self.left, self.changes = left, None

    def note_left(self) -> None:
        """Takes down the rows of the last call, which was left half-way."""
        changes = self.changes
        left = changes if self.left is None or changes is None else self.left | changes
        self.left, self.changes, self.unsettled, self._why = left, None, True, self.call

    def check(self, call: str, rows: NDArray[np.bool_] | None = None) -> None:
        """Raises RuntimeError if some of `rows` were left half-way; None for all. `call` is for the message."""
        if self.left is None:
            return
        these = np.flatnonzero(self.left if rows is None else self.left & rows).tolist()
        if not these:
            return
        few = ", ".join(map(str, these[:5])) + (f" and {len(these) - 5} more" if len(these) > 5 else "")
        raise RuntimeError(
            f"{call} is not possible now: Ctrl-C or an error stopped {self._why} half-way, so some of its rows "
            f"may be ahead of others (row{'s' if len(these) > 1 else ''} {few}). Call reset(), or go back to a "
            "snapshot with set_state()."
        )

    def refuse(self, call: str) -> None:
        """Raises RuntimeError since a call is under way, unless it is one of the process that this was forked from."""
        if os.getpid() == self._process:
            raise RuntimeError(
                f"{call} is not possible now: {self.call} is under way, in another thread or interrupted by a signal "
                "handler. An environment takes one call at a time: wait until that call returns, or make an "
                "environment for each thread."
            )
        self.turn, self._process = threading.Lock(), os.getpid()


class _Guarded(Protocol):
    guard: Guard


def guarded(method: F) -> F:
    """Makes of a function of an environment, its first argument, a call that its `guard` watches.

    Raises:
        RuntimeError: in the call, if another one is under way.
    """
    name = f"{method.__name__.lstrip('_')}()"

    # `with` on a lock of Python's own is the one way to hold it that no exception of a signal can come in between of.
    @functools.wraps(method)
    def call(env: _Guarded, *args: Any, **kwargs: Any) -> Any:
        guard = env.guard
        if guard.turn.locked():
            guard.refuse(name)
        with guard.turn:
            if guard.changes is not None:
                guard.note_left()
            guard.call = name
            outcome = method(env, *args, **kwargs)
            if guard.changes is not None:
                guard.done()
            return outcome

    return cast(F, call)
