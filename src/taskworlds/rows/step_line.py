"""What a driver and a worker on one machine step rows through: arrays in shared memory, and a byte to and fro.

It takes a twentieth of the time that a call through Ray does. The driver makes a line (`offered_line`), and tells the
worker where it is, which opens it (`taken_line`). While the worker's `HostedRows.serve` runs, the driver writes actions
into the arrays and rings; the worker writes outcomes there and answers.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import NamedTuple

from taskworlds.rows.shared_arrays import Layout, Offer, SharedArrays, offered, taken

__all__ = ["DriversEnd", "LineOffer", "WorkersEnd", "offered_line", "taken_line"]

_STEP, _HANG_UP = b"s", b"h"  # what the driver says
_DONE, _ENDED = b"d", b"e"  # what the worker says


class LineOffer(NamedTuple):
    """What a worker needs to open a line.

    Attributes:
        asked, told: its arrays.
        rings, answers: where the pipes are to be found as long as they are offered.
    """

    asked: Offer
    told: Offer
    rings: str
    answers: str


class _End:
    """One end of a line.

    Attributes:
        asked: actions, and which rows step.
        told: outcomes.
    """

    def __init__(self, asked: SharedArrays, told: SharedArrays, hears: Connection, says: Connection) -> None:
        self.asked, self.told = asked, told
        self._hears, self._says = hears, says  # these close themselves when they are gone

    def _say(self, what: bytes) -> None:
        os.write(self._says.fileno(), what)  # a byte is read whole or not at all, whatever interrupts

    def _hear(self) -> bytes:
        """Waits for a byte; there is none if the other end is gone."""
        return os.read(self._hears.fileno(), 1)


class DriversEnd(_End):
    """The driver's end of a line."""

    def ring(self) -> None:
        """Has the worker step with what is in `asked`."""
        with contextlib.suppress(BrokenPipeError):  # it is lost, as `wait` will find
            self._say(_STEP)

    def wait(self) -> bool:
        """Waits for the step; returns whether its outcome is in `told`, and the worker goes on serving."""
        return self._hear() == _DONE

    def hang_up(self) -> None:
        """Has the worker stop serving, after the step that is under way."""
        with contextlib.suppress(BrokenPipeError):
            self._say(_HANG_UP)


class WorkersEnd(_End):
    """The worker's end of a line."""

    def wait(self) -> bool:
        """Waits until the driver rings; returns whether it wants a step."""
        return self._hear() == _STEP

    def answer(self, *, ended: bool) -> None:
        """Tells the driver that a step is done, or that the worker stops serving."""
        self._say(_ENDED if ended else _DONE)


@contextlib.contextmanager
def offered_line(asked: Layout, told: Layout) -> Iterator[tuple[DriversEnd, LineOffer]]:
    """Makes a line for actions and outcomes of these layouts, which a worker may take within the `with` block.

    Raises:
        OSError: there is no memory to be shared on this system, or no room.
    """
    with offered(asked) as (our_asked, asked_offer), offered(told) as (our_told, told_offer):
        rung, rings = multiprocessing.Pipe(duplex=False)
        answered, answers = multiprocessing.Pipe(duplex=False)
        with (
            rung,
            answers,
        ):  # the worker's, of which no other copy must be left: so each end notices the other's
            paths = (f"/proc/{os.getpid()}/fd/{each.fileno()}" for each in (rung, answers))
            yield DriversEnd(our_asked, our_told, answered, rings), LineOffer(asked_offer, told_offer, *paths)


def taken_line(offer: LineOffer) -> WorkersEnd:
    """Opens a line that the driver offers.

    Raises:
        OSError: it cannot be reached from here.
    """
    asked, told = taken(offer.asked), taken(offer.told)
    hears = Connection(os.open(offer.rings, os.O_RDONLY | os.O_CLOEXEC), writable=False)
    says = Connection(os.open(offer.answers, os.O_WRONLY | os.O_CLOEXEC), readable=False)
    return WorkersEnd(asked, told, hears, says)
