"""Signals that end a command."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

__all__ = ["stopped_like_ctrl_c"]


@contextlib.contextmanager
def stopped_like_ctrl_c(number: int) -> Iterator[None]:
    """Has a signal, such as a batch system's before it kills, end the work in the `with` block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
        yield
        return
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)
