"""One call at a time, and none after one that was interrupted half-way: `Guard`, and `guarded` for the calls."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

__all__ = ["Guard", "guarded"]

F = TypeVar("F", bound=Callable[..., Any])


class Guard:
    """What an environment knows of the calls on it.

    Rows that are stepped together are to stay together. So a call that is left half-way by an exception (Ctrl-C, an
    alarm, an error of one row) leaves a note, and from then on all calls are refused that rely on the rows.

    Attributes:
        turn: is held during a call.
        call: the call at hand, or the last one.
        broken: the call that was left half-way; None if there is none.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.call = ""
        self.broken: str | None = None
        self._before: str | None = None
        self._process = os.getpid()

    def changing(self, *, whole: bool = False) -> None:
        """Notes that from here on the call at hand changes rows, until it returns.

        Args:
            whole: whether it puts every row to a place of its own, wherever the row was.

        Raises:
            RuntimeError: another call was left half-way, and this one is not whole.
        """
        if not whole:
            self.check(self.call)
        self._before, self.broken = self.broken, self.call

    def unchanged(self) -> None:
        """Notes that the call at hand was refused and has changed nothing after all."""
        self.broken = self._before

    def check(self, call: str) -> None:
        """Raises RuntimeError if a call was left half-way; `call` is for the message."""
        if self.broken is not None:
            raise RuntimeError(
                f"{call} is not possible now: {self.broken} was left half-way, by Ctrl-C or an error, so some rows may "
                "be ahead of others. Call reset() for all rows, or go back to a snapshot with set_state()."
            )

    def refuse(self, call: str) -> None:
        """Raises RuntimeError since a call is under way, unless it is one of the process that this was forked from."""
        if os.getpid() != self._process:
            self.turn, self.broken, self._process = threading.Lock(), self.call, os.getpid()
            return
        raise RuntimeError(
            f"{call} is not possible now: {self.call} is under way, in another thread or around this call. An "
            "environment takes one call at a time: wait for the other one, or make an environment for each thread."
        )


class _Guarded(Protocol):
    guard: Guard


def guarded(method: F) -> F:
    """Makes of a function of an environment, its first argument, a call that its `guard` watches.

    Raises:
        RuntimeError: in the call, if another one is under way.
    """
    name = f"{method.__name__.lstrip('_')}()"

    # `with` on a lock of Python's own is the one way to hold it that no signal's exception can get in between of.
    @functools.wraps(method)
    def call(env: _Guarded, *args: Any, **kwargs: Any) -> Any:
        guard = env.guard
        if guard.turn.locked():
            guard.refuse(name)
        with guard.turn:
            guard.call = name
            outcome = method(env, *args, **kwargs)
            if guard.broken is name:
                guard.broken = None
            return outcome

    return cast(F, call)
