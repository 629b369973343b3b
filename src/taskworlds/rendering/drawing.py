"""Draws MuJoCo's scenes off the screen, for all environments of a process, whatever thread they are drawn from.

OpenGL has rules that an environment should not have to know:

- A context is current in one thread. So a thread of the process draws, with a context of its own, whoever asks for a
  picture; and where many are asked for at once, several such threads.
- It does not survive a fork: what draws in a process forked from one that has drawn waits for ever. So that is refused.
- What it keeps of a model is large, 130 MB for one of Meta-World's. So the models drawn last share it, and it is given
  back when they are closed.
"""

from __future__ import annotations

import atexit
import concurrent.futures
import contextlib
import ctypes
import itertools
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import mujoco
from numpy.typing import NDArray

from taskworlds.core.cpus import count_cpus
from taskworlds.rendering import offscreen
from taskworlds.rendering.studio import Look, Studio
from taskworlds.rendering.views import Views

__all__ = [
    "Job",
    "Stage",
    "call",
    "has_drawn",
    "is_forked_from_drawing",
    "settle",
    "spread",
    "without_shadows",
]

_MOST_KEPT = 40  # models in all threads together; Meta-World has 36
_MOST_THREADS = 8  # that draw: each has its own context, and memory for shadows
_SPARE = 2  # models that a thread keeps beyond its share

Outcome = TypeVar("Outcome")


class Stage:
    """A model on show: takes pictures of its simulations.

    What OpenGL keeps of the model (meshes and textures) is taken at a first picture; all else is read at each.

    Args:
        model: the model.

    Attributes:
        number: the stage's own number.
        lock: is held while the model and the simulations to be shown are changed and looked at.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        self.number = next(_numbers)
        self.lock = threading.RLock()
        self._release = weakref.finalize(self, _leave, self.number)
        self._release.atexit = False

    def draw(
        self,
        compose: Callable[[], tuple[mujoco.MjData, mujoco.MjvCamera]],
        width: int,
        height: int,
        *,
        depth: bool,
        training: bool = False,
    ) -> NDArray[Any]:
        """Takes a picture.

        Args:
            compose: puts the simulation into the state to be shown, and returns it with the camera. It is called in
                the thread that draws, and alone: `lock` is held until MuJoCo has taken what it draws.
            width: pixels.
            height: pixels.
            depth: whether the picture is of depths.
            training: whether the picture is a quick one, with coarse shadows and edges that are not smoothed.

        Returns:
            (height, width, 3) uint8; for depth (height, width) float32, metres.

        Raises:
            RuntimeError: the stage is closed, nothing here can draw, or this process was forked from one that has
                drawn.
        """
        look = Look((height, width), depth, _has_shadows, training)
        return call(self._draw, compose, look)

    def _draw(
        self, compose: Callable[[], tuple[mujoco.MjData, mujoco.MjvCamera]], look: Look
    ) -> NDArray[Any]:
        if not self._release.alive:
            raise RuntimeError("There is no picture, because the environment was closed: make a new one.")
        try:
            return _studio_here().draw(self.number, self._model, self.lock, compose, look)
        except Exception as error:
            library = os.environ.get("MUJOCO_GL", "not set")
            height, width = look.shape
            raise RuntimeError(
                f"The picture, {width} x {height} pixels, could not be drawn ({type(error).__name__}: {error}). "
                f"MUJOCO_GL, the library that draws, is {library}: set it to egl or osmesa before the program "
                "starts, or draw a smaller picture. `taskworlds doctor` shows which library works."
            ) from error

    def close(self) -> None:
        """Gives back what drawing holds of the model."""
        self._release()
        settle()


def call(function: Callable[..., Outcome], *args: Any) -> Outcome:
    """Calls a function in a thread that draws: the one that calls it, or else the first; returns its outcome.

    Raises:
        RuntimeError: this process was forked from one that has drawn.
    """
    return _studio_here().call(function, *args)


class Job(NamedTuple):
    """Something to be drawn.

    Attributes:
        stage: number of the stage that it is drawn on; other numbers below 0 for what is not known before.
        draw: draws it.
    """

    stage: int
    draw: Callable[[], Any]


def spread(jobs: Sequence[Job], views: Views) -> list[Any]:
    """Draws several things at the same time, in threads with an OpenGL context each; returns them in order.

    Args:
        jobs: what is to be drawn. What is on one stage is drawn by the same thread as far as that is quick, since each
            context needs its own copy of a model.
        views: how they are drawn: with at most `views.num_threads` threads, or if that is None as many as the process
            may use, and never more than 8. Matrices are computed here and now.

    Raises:
        RuntimeError: as `call`. The error of a job is raised when all have ended.
    """
    if views.channels == "matrices":
        return [job.draw() for job in jobs]
    first = _studio_here()
    most = min(count_cpus() if views.num_threads is None else views.num_threads, _MOST_THREADS)
    if len(jobs) < 2 or most < 2 or first.is_here or not first.is_threaded:
        return [first.call(job.draw) for job in jobs]
    studios = _several(most)
    begun = [studio.begin(job.draw) for job, studio in zip(jobs, _dealt(jobs, studios), strict=True)]
    try:
        concurrent.futures.wait(begun)
    except BaseException:
        concurrent.futures.wait(begun)  # after Ctrl-C: what they read may change from here on
        raise
    return [each.result() for each in begun]


def _dealt(jobs: Sequence[Job], studios: Sequence[Studio]) -> list[Studio]:
    """Returns which studio draws each job.

    All draw about as many. But where few of the known models are to be drawn, they stay where they are, so that no
    model is copied for the sake of a draw of a few rows.
    """
    share = -(-len(jobs) // len(studios))
    known = {number for studio in studios for number in studio.kept}
    most = max(share, -(-len(known) // len(studios)))
    load = dict.fromkeys(studios, 0)
    chosen: dict[int, Studio] = {}
    order = sorted(range(len(jobs)), key=lambda place: jobs[place].stage)
    for place in order:
        keeping = [each for each in studios if jobs[place].stage in each.kept and load[each] < most]
        if keeping:
            chosen[place] = min(keeping, key=lambda each: load[each])
            load[chosen[place]] += 1
    for place in order:
        if place not in chosen:
            chosen[place] = next((each for each in studios if load[each] < share), studios[0])
            load[chosen[place]] += 1
    return [chosen[place] for place in range(len(jobs))]


def settle() -> None:
    """Waits until what closed stages held is given back."""
    if not _inherited:
        for studio in list(_studios):
            studio.call(studio.sweep)


@contextlib.contextmanager
def without_shadows() -> Iterator[None]:
    """Has this process draw without shadows inside the `with` block, which takes a third of the time on a CPU.

    Pictures of environments as such always have the shadows that their models ask for.
    """
    global _has_shadows
    before, _has_shadows = _has_shadows, False
    try:
        yield
    finally:
        _has_shadows = before


def has_drawn() -> bool:
    """Whether this process, or one that it was forked from, has drawn, also by other means than these."""
    egl = sys.modules.get("mujoco.egl")
    return (
        _inherited
        or bool(_studios)
        or (egl is not None and egl.EGL_DISPLAY is not None)
        or _has_software_threads()
    )


def is_forked_from_drawing() -> bool:
    """Whether this process was forked from one that had drawn, so that it cannot draw."""
    return _inherited


def _has_software_threads() -> bool:
    """Whether Mesa, which draws without a graphics card, has started its threads: they are not there after a fork."""
    with contextlib.suppress(OSError):
        return any(
            (each / "comm").read_text().startswith("llvmpipe") for each in Path("/proc/self/task").iterdir()
        )
    return False


# --- where a process draws ----------------------------------------------------------------------------------


_numbers = itertools.count()
_has_shadows = True
_studios: list[Studio] = []  # the first draws single pictures
_starting = threading.Lock()
_drawn_before_fork = False
_inherited = False  # whether this process was forked from one that has drawn


def _studio_here() -> Studio:
    """Returns the studio whose thread this is, or else the first, which is set up at the first use."""
    if _inherited:
        raise RuntimeError(
            "This process cannot draw: it was forked from one that had drawn, and OpenGL does not survive a fork, but "
            'waits for ever. Start processes with "spawn" or "forkserver" (multiprocessing.get_context("spawn"), '
            'AsyncVectorEnv(..., context="spawn"), SubprocVecEnv(..., start_method="spawn")), or draw in the first '
            "process only after it has started the others."
        )
    return next((each for each in list(_studios) if each.is_here), None) or _several(1)[0]


def _several(count: int) -> list[Studio]:
    """Returns as many studios as asked for, the first ones."""
    with _starting:
        if not _studios:
            offscreen.prepare()
        while len(_studios) < count:
            most_kept = _MOST_KEPT if not _studios else -(-_MOST_KEPT // count) + _SPARE
            studio = Studio(len(_studios), most_kept)
            # It outlives the interpreter: MuJoCo and dm_control end the library first, and nothing can be freed then.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(studio))
            _studios.append(studio)
        return _studios[:count]


def _leave(number: int) -> None:
    if not _inherited:
        for studio in list(_studios):
            studio.leave(number)


def _before_fork() -> None:
    global _drawn_before_fork
    _drawn_before_fork = has_drawn()


def _after_fork() -> None:
    """Leaves alone in the forked process what its parent draws with: ending it would wait for ever, too."""
    global _inherited, _starting
    _starting = threading.Lock()
    if _drawn_before_fork:
        _inherited = True
        if "OpenGL.EGL" in sys.modules:  # MuJoCo and dm_control let it end the library when the process ends
            atexit.unregister(sys.modules["OpenGL.EGL"].eglTerminate)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
