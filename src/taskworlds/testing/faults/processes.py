"""Rows' processes that are killed or stopped in the middle of a call, and a parent that is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from taskworlds import MetaWorldVecEnv, PointEnv, make_vec
from taskworlds.core.processes import python_command
from taskworlds.testing.faults.tally import Tally

__all__ = ["inject"]

_ROWS = 3
_LIMIT = 1.0  # seconds that a process may be silent here
_SPARE = 20.0  # seconds beyond a limit, as the machine may be busy

_PROGRAM = """
import numpy as np, taskworlds
envs = taskworlds.make_vec("point", 3, seed=0, vector_strategy="async")
envs.reset(seed=0)
print(*(process.pid for process in envs.rows.envs.processes), flush=True)
while True:
    envs.step(np.zeros((3, 2)))
"""
"""A program with rows in processes, which it names by their numbers and steps for ever."""


def inject(rounds: int, seed: int) -> Iterator[Tally]:
    """Kills and stops processes of the engine "async" and of mtrl's `VecEnv`, in each call and between calls.

    Args:
        rounds: how often each fault is injected.
        seed: decides which row and when.
    """
    rng = random.Random(seed)
    for name, call in _CALLS.items():
        for how in ("killed", "stopped"):
            tally = Tally(
                f"a row's process is {how} in {name}",
                "RuntimeError with the row's number; no process is left",
            )
            for _ in range(rounds):
                tally.note(_lose_row(how, call, rng))
            yield tally
    for how in ("killed", "stopped"):
        tally = Tally(f"a row's process is {how} before close()", "it returns in time; no process is left")
        for _ in range(rounds):
            tally.note(_close(how, rng))
        yield tally
    tally = Tally(
        "an environment's process of mtrl's MetaWorldVecEnv is killed in step", "RuntimeError with its index"
    )
    for _ in range(rounds):
        tally.note(_lose_environment(rng))
    yield tally
    tally = Tally("the parent is killed while rows step", "no process is left")
    for _ in range(rounds):
        tally.note(_kill_parent(rng))
    yield tally


_CALLS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "step": lambda envs, state: envs.step(np.zeros((_ROWS, 2))),
    "step of some rows": lambda envs, state: envs.step(np.zeros((_ROWS, 2)), np.arange(_ROWS) < _ROWS - 1),
    "step_wait": lambda envs, state: (envs.step_async(np.zeros((_ROWS, 2))), envs.step_wait()),
    "reset": lambda envs, state: envs.reset(seed=1),
    "get_state": lambda envs, state: envs.get_state(),
    "set_state": lambda envs, state: envs.set_state(state),
    "render": lambda envs, state: envs.render(),
    "get_attr": lambda envs, state: envs.get_attr("metadata"),
}


def _make(render_mode: Literal["rgb_array"] | None = None) -> Any:
    limit = {"worker_timeout": _LIMIT}
    return make_vec(
        "point", _ROWS, seed=0, vector_strategy="async", render_mode=render_mode, engine_options=limit
    )


def _lose_row(how: str, call: Callable[[Any, dict[str, Any]], Any], rng: random.Random) -> str | None:
    """Loses one row in a call; returns what was wrong with what followed."""
    envs = _make("rgb_array" if call is _CALLS["render"] else None)
    envs.reset(seed=0)
    state = envs.get_state()
    processes, victim = envs.rows.envs.processes, rng.randrange(_ROWS)
    with _Lost(processes[victim].pid, how, rng.uniform(0.0, 0.3)):
        begun = time.monotonic()
        flaw: str | None = "no error"
        try:
            call(envs, state)
        except RuntimeError as error:
            flaw = None if f"row {victim} " in f"{error} " else f"another row is named: {error}"
        except Exception as error:
            flaw = f"{type(error).__name__}: {error}"
        taken = time.monotonic() - begun
    if flaw is None and taken > _LIMIT + _SPARE:
        flaw = f"it took {taken:.1f} s"
    return flaw or _closed(envs) or _left(processes)


def _lose_environment(rng: random.Random) -> str | None:
    """The same for an environment of mtrl's class."""
    metadata: dict[str, list[Any]] = {"ids": list(range(_ROWS)), "mode": ["train"] * _ROWS}
    envs = MetaWorldVecEnv(metadata, [PointEnv] * _ROWS, worker_timeout=_LIMIT)
    envs.reset(seed=0)
    processes, victim = envs.processes, rng.randrange(_ROWS)
    with _Lost(processes[victim].pid, "killed", rng.uniform(0.0, 0.3)):
        flaw: str | None = "no error"
        try:
            envs.step(np.zeros((_ROWS, 2)))
        except RuntimeError as error:
            flaw = None if f"environment {victim} " in str(error) else f"another one is named: {error}"
        except Exception as error:
            flaw = f"{type(error).__name__}: {error}"
    return flaw or _closed(envs) or _left(processes)


class _Lost:
    """While it is entered: the process is stopped, and killed after some seconds if it is to be."""

    def __init__(self, pid: int | None, how: str, after: float) -> None:
        assert pid is not None
        self._pid, self._how = pid, how
        self._timer = threading.Timer(after, os.kill, (pid, signal.SIGKILL))

    def __enter__(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)
        if self._how == "killed":
            self._timer.start()

    def __exit__(self, *_: object) -> None:
        if self._how == "killed":
            self._timer.join()


def _close(how: str, rng: random.Random) -> str | None:
    """Loses one row, and then closes; returns what was wrong with what followed."""
    envs = _make()
    envs.reset(seed=0)
    if rng.random() < 0.5:
        envs.step_async(np.zeros((_ROWS, 2)))
    processes = envs.rows.envs.processes
    os.kill(processes[rng.randrange(_ROWS)].pid, signal.SIGKILL if how == "killed" else signal.SIGSTOP)
    return _closed(envs) or _left(processes)


def _closed(envs: Any) -> str | None:
    """Closes; returns what was wrong with that."""
    begun = time.monotonic()
    try:
        envs.close()
    except Exception as error:
        return f"close() raised {type(error).__name__}: {error}"
    taken = time.monotonic() - begun
    return f"close() took {taken:.1f} s" if taken > _LIMIT + _SPARE else None


def _left(processes: list[Any]) -> str | None:
    left = [process.pid for process in processes if process.is_alive()]
    return f"processes are left: {left}" if left else None


def _kill_parent(rng: random.Random) -> str | None:
    """Kills a program with rows in processes; returns which of these are left."""
    with subprocess.Popen(python_command(_PROGRAM), stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        pids = [int(pid) for pid in program.stdout.readline().split()]
        stopped = pids[-1] if rng.random() < 0.5 else None  # which keeps the others' pipes open
        if stopped is not None:
            os.kill(stopped, signal.SIGSTOP)
        time.sleep(rng.uniform(0.0, 0.2))
        program.kill()
    expected = {pid for pid in pids if pid != stopped}
    end = time.monotonic() + _SPARE
    while (left := [pid for pid in expected if _is_there(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    if stopped is not None:
        os.kill(stopped, signal.SIGCONT)
        while _is_there(stopped) and time.monotonic() < end + _SPARE:
            time.sleep(0.05)
        left += [stopped] if _is_there(stopped) else []
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return f"{len(left)} of {len(pids)} processes are left" if left or not pids else None


def _is_there(pid: int) -> bool:
    """Returns whether a process runs; one that has ended and that nobody has asked about yet does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
