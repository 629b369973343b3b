"""What takes long says how far it is: on standard error, or to whoever listens in its place."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

__all__ = ["Listener", "announced", "listening"]

Listener = Callable[[str, int, int], None]
"""Called with what is done, how many parts of it are, and how many there are: at the start, and after each part."""

_listeners: list[Listener] = []


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Has everything within the `with` block tell a listener, and print nothing."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextlib.contextmanager
def announced(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Announces the work in the `with` block, and returns what is to be called after each part of it.

    Args:
        what: what is done, in a few words: "compiling 10 skills".
        total: how many parts it has.
    """
    told = _listeners[-1] if _listeners else _on_stderr()
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        told(what, done, total)

    told(what, 0, total)
    try:
        yield advance
    finally:
        if not _listeners and done < total:  # the line is not ended yet
            print(file=sys.stderr, flush=True)


def _on_stderr() -> Listener:
    """Returns a listener that prints one line, and on a terminal counts in it."""

    def tell(what: str, done: int, total: int) -> None:
        line = f"taskworlds: {what} ..."
        if done == 0:
            print(line, end="", file=sys.stderr, flush=True)
        elif done < total:
            if sys.stderr.isatty():
                print(f"\r{line} {done}", end="", file=sys.stderr, flush=True)
        else:
            print(" done", file=sys.stderr, flush=True)

    return tell
