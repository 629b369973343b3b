"""`WorkerLost`, which can be caught without Ray."""

from __future__ import annotations

from typing import Any

__all__ = ["WorkerLost"]


class WorkerLost(RuntimeError):
    """A worker was lost again and again, or could not be started again.

    Attributes:
        state: what was asked for goes on from here: whoever raises it says what takes it; None if there is nothing.
    """

    state: Any = None
