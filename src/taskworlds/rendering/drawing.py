"""Draws MuJoCo's scenes off the screen, for all environments of a process, whatever thread they are drawn from.

OpenGL has rules that an environment should not have to know:

- A context is current in one thread. So one thread of the process draws, with one context, whoever asks for a picture.
- It does not survive a fork: what draws in a process forked from one that has drawn waits for ever. So that is refused.
- What it keeps of a model is large, 130 MB for one of Meta-World's. So the models drawn last share it, and it is given
  back when they are closed.
"""

from __future__ import annotations

import atexit
import collections
import concurrent.futures
import contextlib
import ctypes
import itertools
import os
import queue
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import mujoco
import mujoco.gl_context
import numpy as np
from numpy.typing import NDArray

from taskworlds.rendering import offscreen

__all__ = ["Stage", "call", "has_drawn", "is_forked_from_drawing", "settle"]

_MOST_KEPT = 40  # models; Meta-World has 36
# bytes of models, after which a context ends when nothing is to be drawn: it keeps some memory of what is gone, but
# the first picture of a new one takes 0.1 s
_MUCH = 50e6
_MOST_GEOMS = 10_000  # in a picture, as in mujoco.Renderer
_FONT = mujoco.mjtFontScale.mjFONTSCALE_150
_THREADED = (
    "mujoco.egl",
    "mujoco.osmesa",
)  # others are bound to a window's library, which wants the main thread
_EMPTY = """
<mujoco><visual>
  <quality shadowsize="{size}" offsamples="0"/> <global offwidth="16" offheight="16"/>
</visual></mujoco>
"""

Outcome = TypeVar("Outcome")


class Stage:
    """A model on show: takes pictures of its simulations.

    What OpenGL keeps of the model (meshes and textures) is taken at a first picture; all else is read at each.

    Args:
        model: the model.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        self._number = next(_numbers)
        self._release = weakref.finalize(self, _leave, self._number)
        self._release.atexit = False

    def draw(
        self, data: mujoco.MjData, view: mujoco.MjvCamera, width: int, height: int, *, depth: bool
    ) -> NDArray[Any]:
        """Returns a picture, (height, width, 3) uint8; for depth (height, width) float32, metres.

        Raises:
            RuntimeError: the stage is closed, nothing here can draw, or this process was forked from one that has
                drawn.
        """
        return call(self._draw, data, view, width, height, depth)

    def _draw(
        self, data: mujoco.MjData, view: mujoco.MjvCamera, width: int, height: int, depth: bool
    ) -> NDArray[Any]:
        if not self._release.alive:
            raise RuntimeError("There is no picture, because the environment was closed: make a new one.")
        try:
            return _studio_here().draw(self._number, self._model, data, view, (height, width), depth)
        except Exception as error:
            library = os.environ.get("MUJOCO_GL", "not set")
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
    """Calls a function in the thread that draws, where no other picture is drawn meanwhile; returns its outcome.

    Raises:
        RuntimeError: this process was forked from one that has drawn.
    """
    return _studio_here().call(function, *args)


def settle() -> None:
    """Waits until what closed stages held is given back."""
    if _studio is not None and not _inherited:
        _studio.call(_studio.sweep)


def has_drawn() -> bool:
    """Whether this process, or one that it was forked from, has drawn, also by other means than these."""
    egl = sys.modules.get("mujoco.egl")
    return (
        _inherited
        or _studio is not None
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


class _Kept(NamedTuple):
    """What OpenGL keeps of a model."""

    context: mujoco.MjrContext
    scene: mujoco.MjvScene
    heights: NDArray[np.float32]  # of its height fields, as they were uploaded

    def free(self) -> None:
        self.context.shadowTex = self.context.shadowFBO = 0  # which is the studio's
        self.context.free()


class _Studio:
    """An OpenGL context, the thread that it is current in, and what it keeps of models."""

    def __init__(self) -> None:
        self._gl: Any = None
        self._given = 0  # bytes of models, since there is this context
        self._busy = False
        self._kept: collections.OrderedDict[int, _Kept] = collections.OrderedDict()
        self._shadows: dict[int, mujoco.MjrContext] = {}
        self.left: collections.deque[int] = collections.deque()  # numbers of stages that are closed
        self._jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._turn = threading.RLock()
        self._thread: threading.Thread | None = None
        if getattr(mujoco.gl_context, "GLContext", object).__module__ in _THREADED:
            self._thread = threading.Thread(target=self._work, name="taskworlds-draw", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            job: concurrent.futures.Future[Any] | None
            function, args, job = self._jobs.get()
            try:
                outcome = function(*args)
            except BaseException as error:
                if job is not None:
                    job.set_exception(error)
            else:
                if job is not None:
                    job.set_result(outcome)
            del function, args, job

    def call(self, function: Callable[..., Outcome], *args: Any) -> Outcome:
        if self._thread is None:
            with self._turn:
                return function(*args)
        if threading.current_thread() is self._thread:
            return function(*args)
        job: concurrent.futures.Future[Outcome] = concurrent.futures.Future()
        self._jobs.put((function, args, job))
        try:
            return job.result()
        except BaseException:
            concurrent.futures.wait([job])  # after Ctrl-C: what it reads may change from here on
            raise

    def leave(self, number: int) -> None:
        """Notes that a stage is closed. Any thread may call it at any time, since garbage collection does."""
        self.left.append(number)
        if self._thread is not None:
            self._jobs.put((self.sweep, (), None))

    # In the thread that draws:

    def draw(
        self,
        number: int,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        view: mujoco.MjvCamera,
        shape: tuple[int, int],
        depth: bool,
    ) -> NDArray[Any]:
        with self._alone(), self._current():
            context, scene, heights = self._kept_of(number, model)
            if not np.array_equal(heights, model.hfield_data):
                heights[:] = model.hfield_data
                for each in range(model.nhfield):
                    mujoco.mjr_uploadHField(model, context, each)
            height, width = shape
            if width > context.offWidth or height > context.offHeight:
                mujoco.mjr_resizeOffscreen(
                    max(width, context.offWidth), max(height, context.offHeight), context
                )
            option = mujoco.MjvOption()
            option.flags[mujoco.mjtVisFlag.mjVIS_RANGEFINDER] = False  # as in dm_control
            mujoco.mjv_updateScene(model, data, option, None, view, mujoco.mjtCatBit.mjCAT_ALL, scene)
            for flag in (mujoco.mjtRndFlag.mjRND_SEGMENT, mujoco.mjtRndFlag.mjRND_IDCOLOR):
                scene.flags[flag] = depth  # makes far depths more exact, as in mujoco.Renderer
            mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, context)
            whole = mujoco.MjrRect(0, 0, width, height)
            mujoco.mjr_render(whole, scene, context)
            if depth:
                near_to_far = np.empty(shape, np.float32)  # 1 to 0
                mujoco.mjr_readPixels(None, near_to_far, whole, context)
                return _metres(model, near_to_far[::-1])
            from_below = np.empty((*shape, 3), np.uint8)
            mujoco.mjr_readPixels(from_below, None, whole, context)
            picture: NDArray[np.uint8] = from_below[::-1].copy()
            return picture

    def _kept_of(self, number: int, model: mujoco.MjModel) -> _Kept:
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        while len(self._kept) >= _MOST_KEPT:
            self._kept.popitem(last=False)[1].free()
        kept = _Kept(
            self._context(model), mujoco.MjvScene(model, maxgeom=_MOST_GEOMS), model.hfield_data.copy()
        )
        self._kept[number] = kept
        self._given += mujoco.mj_sizeModel(model)
        return kept

    def _context(self, model: mujoco.MjModel) -> mujoco.MjrContext:
        """Gives OpenGL what it keeps of a model; the shadow map, most of the memory, is one for all."""
        quality = model.vis.quality
        size, quality.shadowsize = quality.shadowsize, 0
        try:
            context = mujoco.MjrContext(model, _FONT)
        finally:
            quality.shadowsize = size
        context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        if size:
            if size not in self._shadows:
                empty = mujoco.MjModel.from_xml_string(_EMPTY.format(size=size))
                self._shadows[size] = mujoco.MjrContext(empty, _FONT)
            lender = self._shadows[size]
            context.shadowSize = size
            context.shadowTex, context.shadowFBO = lender.shadowTex, lender.shadowFBO
        return context

    @contextlib.contextmanager
    def _current(self) -> Iterator[None]:
        """Makes the context current; afterwards the window's library has the one that it had before."""
        if self._gl is None:
            self._gl = mujoco.gl_context.GLContext(16, 16)
        glfw = sys.modules["glfw"] if type(self._gl).__module__ == "mujoco.glfw" else None
        before = None if glfw is None else glfw.get_current_context()
        self._gl.make_current()
        try:
            yield
        finally:
            if glfw is not None:
                glfw.make_context_current(before)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Puts off what garbage collection asks for meanwhile in this thread: it closes environments, too."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
            self.sweep()

    def sweep(self) -> None:
        """Gives back what closed stages held."""
        if self._busy:
            return
        gone = []
        while self.left:
            number = self.left.popleft()
            if number in self._kept:
                gone.append(self._kept.pop(number))
        if gone:
            with self._alone():
                self._free(gone)

    def _free(self, gone: list[_Kept]) -> None:
        with self._current():
            for each in gone:
                each.free()
            if not self._kept:
                for lender in self._shadows.values():
                    lender.free()
                self._shadows.clear()
        if not self._kept and self._given > _MUCH:
            self._gl.free()
            self._gl, self._given = None, 0
        gone.clear()
        _give_back_memory()


def _metres(model: mujoco.MjModel, near_to_far: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the depths along the camera's axis, metres, from OpenGL's of the same shape: 1 is near, and 0 far.

    The projection is in single precision, as OpenGL's; so mujoco.Renderer undoes it, too.
    """
    near, far = (  # metres, of the clipping planes
        np.float32(plane * model.stat.extent) for plane in (model.vis.map.znear, model.vis.map.zfar)
    )
    half = np.float32(0.5)
    shift = half * (far + near) / (far - near) - half
    depths: NDArray[np.float64] = (
        half * (2 * far * near / (far - near)) / (near_to_far.astype(np.float64) + shift)
    )
    return depths.astype(np.float32)


def _give_back_memory() -> None:
    """Lets the system have what was freed; glibc keeps most of it by itself."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(AttributeError, OSError):  # other C libraries do not have the function
            ctypes.CDLL(None).malloc_trim(0)


_numbers = itertools.count()
_studio: _Studio | None = None
_starting = threading.Lock()
_drawn_before_fork = False
_inherited = False  # whether this process was forked from one that has drawn


def _studio_here() -> _Studio:
    """Returns this process's studio, which is set up at the first use."""
    global _studio
    if _inherited:
        raise RuntimeError(
            "This process cannot draw: it was forked from one that had drawn, and OpenGL does not survive a fork, but "
            'waits for ever. Start processes with "spawn" or "forkserver" (multiprocessing.get_context("spawn"), '
            'AsyncVectorEnv(..., context="spawn"), SubprocVecEnv(..., start_method="spawn")), or draw in the first '
            "process only after it has started the others."
        )
    with _starting:
        if _studio is None:
            offscreen.prepare()
            _studio = _Studio()
            # It outlives the interpreter: MuJoCo and dm_control end the library first, and nothing can be freed then.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(_studio))
        return _studio


def _leave(number: int) -> None:
    if _studio is not None and not _inherited:
        _studio.leave(number)


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
