"""Checks of code that may crash or never end: in a process of their own, with a limit of time."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection

from taskworlds.testing.report import Check

__all__ = ["run_in_own_process"]

# A forked process has the functions of notebooks and programs, which another could not find. macOS's libraries do not
# bear it, and Windows has no fork; there the checks run in this process, without a limit.
_FORKS = sys.platform not in ("win32", "darwin", "emscripten")


def run_in_own_process(
    run: Callable[[], Iterator[Check]], names: Sequence[str], seconds: float
) -> tuple[tuple[Check, ...], bool]:
    """Runs checks in a process that is forked from this one.

    Args:
        run: yields the checks, in the order of `names`.
        names: the names of all checks.
        seconds: how long each check may take.

    Returns:
        The checks, and whether the last one that ran came to its end. If it did not, it is a failure that says why, and
        those after it are "not run".
    """
    if not _FORKS:
        return tuple(run()), True
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(run, sender), name="taskworlds checks")
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning
        )
        process.start()
    sender.close()
    done: list[Check] = []
    fault = ""
    try:
        while not fault and len(done) < len(names):
            if not receiver.poll(seconds):
                fault = (
                    f"did not end within {seconds:g} s. Does a loop in one of the skill's functions never end? If it "
                    "is only slow, give check_skill a greater `limit`."
                )
            else:
                try:
                    done.append(receiver.recv())
                except EOFError:
                    process.join()
                    fault = _ending(process.exitcode)
    finally:
        if process.is_alive() and (fault or len(done) < len(names)):
            process.kill()
        process.join()
        receiver.close()
    if fault:
        broken, *others = names[len(done) :]
        done.append(Check(broken, "failed", fault))
        done += [Check(name, "not run", f"because the check of {broken} failed") for name in others]
    return tuple(done), not fault


def _send(run: Callable[[], Iterator[Check]], sender: Connection) -> None:
    """Runs the checks, in the new process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the other process's to handle
    for check in run():
        sender.send(check)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return (
            f"the process crashed with {signal.Signals(-code).name}. Does one of the skill's functions, once compiled, "
            "read or write beyond the end of an array?"
        )
    return f"the process ended by itself, with exit code {code}."
