"""Faults of the cache on disk: damaged files, files of others, full disks, processes at the same time or killed.

Each injection is followed by a fresh process that loads a kernel and a model, or makes them, and steps. One process is
started that has imported the package and loaded nothing from the cache; it forks for each of them.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mujoco import MjModel

from taskworlds.core.processes import python_command
from taskworlds.engine import Engine, Model, Scene, compile_kernel
from taskworlds.testing.faults.tally import Tally
from taskworlds.worlds.metaworld.models import metaworld_model

__all__ = ["inject", "serve"]

_SERVE = "from taskworlds.testing.faults.caches import serve; serve()"
_MODEL = "sawyer_xyz/sawyer_drawer.xml"
_BALL = '<mujoco><worldbody><body name="ball"><freejoint/><geom size="1"/></body></worldbody></mujoco>'
_NOBODY = 65534  # the number of a user who owns nothing
_SECONDS = 300.0  # that a process may take; it may have to compile
_AT_ONCE = 10
_EQUAL = "the same numbers"
_EQUAL_WARNED = "the same numbers, and one warning"


def inject(rounds: int, seed: int) -> Iterator[Tally]:
    """Injects each kind of fault as often as `rounds` says, and yields what came of it.

    Args:
        rounds: injections of each kind.
        seed: of the choice of files, places and times.
    """
    if not hasattr(os, "fork"):
        return
    with _Lab(random.Random(seed)) as lab:
        for name, damage in _DAMAGE.items():
            yield lab.tally(f"a file {name}", _EQUAL, rounds, functools.partial(lab.damaged, damage))
        yield lab.tally("a file open to others", _EQUAL_WARNED, rounds, lab.opened)
        if os.geteuid() == 0:  # only root can give files away, or be somebody else
            yield lab.tally("a file of another user", _EQUAL_WARNED, rounds, lab.given_away)
            yield lab.tally("a folder of another user", _EQUAL_WARNED, rounds, lab.folder_given_away)
        yield lab.tally("a full disk", _EQUAL_WARNED, rounds, lab.full)
        yield lab.tally("a folder that cannot be written", _EQUAL_WARNED, rounds, lab.read_only)
        processes = min(_AT_ONCE, 2 + rounds)
        once = functools.partial(lab.at_once, processes)
        yield lab.tally(f"{processes} processes at once", _EQUAL, rounds, once)
        yield lab.tally("killed while writing", _EQUAL, rounds, lab.killed_in_writing)
        yield lab.tally("killed at any time", _EQUAL, rounds, lab.killed)


def _zero_a_page(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(0, len(data), 4096)
    return data[:at] + bytes(len(data[at : at + 4096])) + data[at + 4096 :]


def _change_a_byte(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


_DAMAGE: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "emptied": lambda data, rng: b"",
    "cut": lambda data, rng: data[: rng.randrange(len(data))],
    "with a page of zeros": _zero_a_page,
    "with one bit changed": _change_a_byte,
    "overwritten": lambda data, rng: rng.randbytes(len(data)),
    "made longer": lambda data, rng: data + rng.randbytes(rng.randrange(1, 5000)),
}


class _Lab:
    """A cache folder to damage, and the process that forks those that use it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def __enter__(self) -> _Lab:
        self._root = Path(tempfile.mkdtemp())
        self._root.chmod(0o755)  # another user passes through
        self._folder = self._root / "cache"
        self._server = subprocess.Popen(
            python_command(_SERVE), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        (first,) = self._run()
        self._right = first["numbers"]
        assert self._right is not None, first
        self._whole = {path: path.read_bytes() for path in self._files()}
        return self

    def __exit__(self, *raised: object) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()
        shutil.rmtree(self._root)

    def tally(self, fault: str, right: str, rounds: int, once: Callable[[], str | None]) -> Tally:
        """Injects a fault several times."""
        made = Tally(fault, right)
        for number in range(rounds):
            self._mend()
            flaw = once()
            made.note(None if flaw is None else f"{fault}, round {number}: {flaw}")
        return made

    # --- the faults; each returns what was wrong ------------------------------------------------------------

    def damaged(self, damage: Callable[[bytes, random.Random], bytes]) -> str | None:
        """A file's content is another, and then all is as it was."""
        path = self._any_file()
        path.write_bytes(damage(self._whole[path], self._rng))
        return self._flaw(self._run(), warned=False) or self._flaw(self._run(), warned=False)

    def opened(self) -> str | None:
        """Others can write to a file."""
        self._any_file().chmod(0o666)
        return self._flaw(self._run(), warned=True) or self._flaw(self._run(), warned=False)

    def given_away(self) -> str | None:
        """A file belongs to another user."""
        os.chown(self._any_file(), _NOBODY, _NOBODY)
        return self._flaw(self._run(), warned=True) or self._flaw(self._run(), warned=False)

    def folder_given_away(self) -> str | None:
        """A folder belongs to another user."""
        os.chown(self._any_file().parent, _NOBODY, _NOBODY)
        return self._flaw(self._run(), warned=True)

    def full(self) -> str | None:
        """No file can become longer than some bytes."""
        shutil.rmtree(self._folder)
        flaw = self._flaw(self._run(room=self._rng.randrange(50_000)), warned=True)
        left = [path.name for path in self._files() if path.suffix == ".part"]
        return flaw or (f"{left} stayed behind" if left else None)

    def read_only(self) -> str | None:
        """Nothing can be written into the folder; what is whole there is used all the same."""
        path = self._any_file()
        path.unlink()
        folders = [self._folder, *(self._folder / kind for kind in ("kernels", "models"))]
        for folder in folders:
            folder.chmod(0o555)
        for each in self._files():
            each.chmod(0o444)
        flaw = self._flaw(self._run(obeys_modes=True), warned=True)
        for folder in folders:
            folder.chmod(0o700)
        return flaw

    def at_once(self, processes: int) -> str | None:
        """Several processes make everything at the same time."""
        shutil.rmtree(self._folder)
        return self._flaw(self._run(times=processes), warned=False) or self._flaw(self._run(), warned=False)

    def killed_in_writing(self) -> str | None:
        """A process is killed when a file is half written, or not yet in its place."""
        shutil.rmtree(self._folder)
        self._run(killed_by=self._rng.choice(["fsync", "replace"]))
        return self._flaw(self._run(), warned=False)

    def killed(self) -> str | None:
        """A process is killed while it compiles, writes or steps."""
        shutil.rmtree(self._folder)
        self._run(killed_after=self._rng.uniform(0.0, 3.0))
        return self._flaw(self._run(), warned=False)

    # --- what all of them use -------------------------------------------------------------------------------

    def _mend(self) -> None:
        """Puts everything back to where it was."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for path, data in self._whole.items():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o600)

    def _any_file(self) -> Path:
        return self._rng.choice(list(self._whole))

    def _files(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*/*") if path.is_file())

    def _run(self, *, times: int = 1, **how: Any) -> list[dict[str, Any]]:
        """Steps in fresh processes, and returns what each told."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps({"folder": str(self._folder), "times": times, "how": how}) + "\n")
        self._server.stdin.flush()
        told: list[dict[str, Any]] = json.loads(self._server.stdout.readline())
        return told

    def _flaw(self, told: list[dict[str, Any]], *, warned: bool) -> str | None:
        """Returns what was wrong with what processes told; None if nothing was."""
        for each in told:
            if each["numbers"] is None:
                return f"a process ended with {each['ending']}: {each['error']}"
            if each["numbers"] != self._right:
                return f"the numbers are {each['numbers']}, not {self._right}"
            if len(each["warnings"]) != int(warned):
                return f"{len(each['warnings'])} warnings: {each['warnings']}"
        return None


def serve() -> None:
    """Forks a process for each line of standard input, which says how, and prints what it told."""
    _step(
        Model.from_mujoco(MjModel.from_xml_string(_BALL)), None
    )  # so that each fork need not import anything
    for line in sys.stdin:
        asked = json.loads(line)
        started = [_fork(asked["folder"], asked["how"]) for _ in range(asked["times"])]
        print(json.dumps([_answer(*each, asked["how"]) for each in started]), flush=True)


def _fork(folder: str, how: dict[str, Any]) -> tuple[int, int]:
    """Starts a process; returns its number and where it can be read."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    told: dict[str, Any] = {"numbers": None, "warnings": [], "error": ""}
    try:
        os.environ["TASKWORLDS_CACHE_DIR"] = folder
        _prepare(how)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RuntimeWarning)
            told["numbers"] = _step(metaworld_model(_MODEL), "faults_of_caches")
        told["warnings"] = [str(each.message) for each in caught if each.category is RuntimeWarning]
    except BaseException as error:
        told["error"] = f"{type(error).__name__}: {error}"
    with os.fdopen(writing, "w") as answer:
        json.dump(told, answer)
    os._exit(0)


def _prepare(how: dict[str, Any]) -> None:
    """Makes this process one that the fault can happen to."""
    import resource  # only where there is fork

    if (room := how.get("room")) is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    if how.get("obeys_modes") and os.geteuid() == 0:  # without root's right to write where it may not
        libc = ctypes.CDLL(None, use_errno=True)
        version_3, this_process, rights = 0x20080522, 0, (ctypes.c_uint32 * 6)()
        if libc.capset((ctypes.c_uint32 * 2)(version_3, this_process), rights):
            raise OSError(ctypes.get_errno(), "root cannot give up its rights here")
    if (call := how.get("killed_by")) is not None:
        setattr(os, call, lambda *arguments: os.kill(os.getpid(), signal.SIGKILL))


def _move(now: Any, action: Any, params: Any, memory: Any, obs: Any, terms: Any, single: int) -> None:
    """A kernel: where a body is, and how high it has been in all."""
    memory[0] += now[2]
    obs[0], terms[0] = now[0] + now[1], memory[0]


def _step(model: Model, name: str | None) -> list[float]:
    """Steps a model with a kernel that is kept under a name, and returns numbers that hang on both."""
    scene = Scene(model, 5, reads=(("body_xpos", model.names("body")[-1]),))
    kernel = compile_kernel(_move, name)
    engine = Engine(
        [scene], 2, action_size=0, memory_size=1, obs_size=1, term_size=1, kernels=[kernel], num_threads=1
    )
    engine.kernel_of_row[:] = 0
    for _ in range(20):
        engine.step(np.zeros((2, 0)))
    return [float(engine.states.sum()), float(engine.obs.sum()), float(engine.terms.sum())]


def _answer(process: int, reading: int, how: dict[str, Any]) -> dict[str, Any]:
    """Waits for a process, and returns what it told."""
    end = time.monotonic() + how.get("killed_after", _SECONDS)
    ending = 0
    with os.fdopen(reading) as answer:
        while True:
            done, ending = os.waitpid(process, os.WNOHANG)
            if done:
                break
            if time.monotonic() > end:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.005)
        text = answer.read()
    told: dict[str, Any] = (
        json.loads(text) if text else {"numbers": None, "warnings": [], "error": "it told nothing"}
    )
    return told | {"ending": ending}
