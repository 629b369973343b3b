"""The two ends of the pipe between a process that steps rows and one that has a row: `Requests` and `Answers`.

A request has a number, and its answer has the same. So an answer that nobody waited for is told from the one that is
waited for. An exception in any line here (Ctrl-C) loses no part of what was read: what system calls return is kept
before Python looks at its signals.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import pickle
import select
import struct
import threading
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

__all__ = ["Answers", "Requests", "SilentError"]

_AT_ONCE = 4096  # bytes that a pipe takes whether or not its reader reads
_READ = 1 << 16  # bytes at a time
_SIZE = struct.Struct("!Q")  # stands before each message


class SilentError(ConnectionError):
    """A process did not answer within the limit, and computed nothing."""


class _Messages:
    """Whole messages through a connection of `multiprocessing`, which this takes over."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._number: int = connection.fileno()
        self._read: list[bytes] = []  # and not taken yet
        self._reads = iter(functools.partial(os.read, self._number, _READ), None)

    def fileno(self) -> int:
        """Returns the file's number."""
        return self._number

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        closed: bool = self._connection.closed
        return closed

    def close(self) -> None:
        """Closes this end."""
        self._connection.close()

    def _write(self, message: bytes) -> None:
        """Writes a message; waits for its reader if it is long."""
        rest = memoryview(_SIZE.pack(len(message)) + message)
        while rest:
            rest = rest[os.write(self._number, rest) :]

    def _read_more(self) -> None:
        """Waits for more bytes; EOFError if the other end is closed."""
        self._read.extend(itertools.islice(self._reads, 1))  # in one line of C, so that nothing read is lost
        if not self._read[-1]:
            raise EOFError

    def _next(self) -> tuple[Any, list[bytes]] | None:
        """Returns the first message that was read, and what was read after it; None if there is no whole one."""
        if not self._read:
            return None
        if len(self._read[0]) < _SIZE.size:
            self._read = [b"".join(self._read)]
            if len(self._read[0]) < _SIZE.size:
                return None
        end = _SIZE.size + _SIZE.unpack_from(self._read[0])[0]
        if sum(map(len, self._read)) < end:
            return None
        data = b"".join(self._read)
        return pickle.loads(memoryview(data)[_SIZE.size : end]), [data[end:]] if data[end:] else []


class Requests(_Messages):
    """The end of the process that asks.

    Args:
        connection: the connection.
        pid: of the process that answers.
        limit: seconds that it may go without an answer and without computing anything; None for no limit.

    Attributes:
        silent: whether it went beyond the limit.
    """

    def __init__(self, connection: Any, pid: int | None, limit: float | None) -> None:
        super().__init__(connection)
        self.silent = False
        self._pid = pid
        self._limit = limit
        self._poller = select.poll()
        self._poller.register(self._number, select.POLLIN)
        self._asked = 0  # number of the latest request
        self._answer: tuple[int, Any] = (0, None)
        self._writer: threading.Thread | None = None

    def send(self, request: Any) -> None:
        """Sends a request. It does not wait for the other process, whatever the size."""
        self._asked += 1
        message = bytes(ForkingPickler.dumps((self._asked, request)))
        if len(message) <= _AT_ONCE and self._writer is None:
            self._write(message)
            return
        self._writer = threading.Thread(target=self._write_after, args=(self._writer, message), daemon=True)
        self._writer.start()

    def _write_after(self, earlier: threading.Thread | None, message: bytes) -> None:
        if earlier is not None:
            earlier.join()
        with contextlib.suppress(OSError):  # whoever waits for the answer is told
            self._write(message)

    def recv(self) -> Any:
        """Returns the answer to the latest request; the same if it is asked again.

        Raises:
            EOFError: the process has ended.
            SilentError: it went beyond the limit.
        """
        while self._answer[0] != self._asked:
            if not self._take():
                self._wait()
                self._read_more()
        if self._writer is not None and not self._writer.is_alive():
            self._writer = None
        return self._answer[1]

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Returns whether there is an answer to the latest request, after at most `timeout` seconds."""
        while self._answer[0] != self._asked:
            if not self._take():
                if not self._poller.poll(None if timeout is None else timeout * 1000):
                    return False
                self._read_more()
        return True

    def leave_out(self) -> bool:
        """Reads what is there without a look at it; returns whether more may come."""
        try:
            return bool(os.read(self._number, _READ))
        except OSError:
            return False

    def _take(self) -> bool:
        """Takes an answer out of what was read, if there is a whole one."""
        found = self._next()
        if found is not None:
            self._answer, self._read = found
        return found is not None

    def _wait(self) -> None:
        """Waits until there is something to read."""
        half = None if self._limit is None else 500 * self._limit  # milliseconds
        computed: float | None = -1.0
        while not self._poller.poll(half):
            before, computed = computed, _seconds_computed(self._pid)
            if computed == before:
                self.silent = True
                raise SilentError


def _seconds_computed(pid: int | None) -> float | None:
    """Returns how long a process has computed, in ticks of the system; None where that is not known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return float(fields[11]) + float(fields[12])


class Answers(_Messages):
    """The end of the process that answers, with the methods of a connection that Gymnasium's worker uses."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._asked = 0

    def recv(self) -> Any:
        """Returns the next request.

        Raises:
            EOFError: the process that asks has ended.
        """
        while (found := self._next()) is None:
            self._read_more()
        (self._asked, request), self._read = found
        return request

    def send(self, answer: Any) -> None:
        """Answers the latest request."""
        self._write(bytes(ForkingPickler.dumps((self._asked, answer))))
