"""One OpenGL context, the thread that it is current in, and what it keeps of models. `drawing` has several of them."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import ctypes
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import mujoco
import mujoco.gl_context
import numpy as np
from numpy.typing import NDArray

__all__ = ["TRAINING_SHADOWS", "Look", "Studio"]

# bytes of models, after which a context ends when nothing is to be drawn: it keeps some memory of what is gone, but
# the first picture of a new one takes 0.1 s
_MUCH = 50e6
_MOST_GEOMS = 10_000  # in a picture, as in mujoco.Renderer
_FONT = mujoco.mjtFontScale.mjFONTSCALE_150
_SMALLEST = 16  # pixels, the width and height of a context's own picture before any is drawn
_THREADED = (
    "mujoco.egl",
    "mujoco.osmesa",
)  # others are bound to a window's library, which wants the main thread
_EMPTY = """
<mujoco><visual>
  <quality shadowsize="{shadow_size}" offsamples="{samples}"/> <global offwidth="16" offheight="16"/>
</visual></mujoco>
"""

# What is said of the place that is drawn into, which contexts of models lend from one that all have.
_CANVAS = (
    "offFBO",
    "offFBO_r",
    "offColor",
    "offColor_r",
    "offDepthStencil",
    "offDepthStencil_r",
    "offWidth",
    "offHeight",
    "offSamples",
)

TRAINING_SHADOWS = 512
"""Pixels of a shadow map, in a line, in the quality "training"; Meta-World's models ask for 4096."""

Outcome = TypeVar("Outcome")

_beginning = threading.Lock()  # contexts begin one after the other: the display is opened by the first


class Look(NamedTuple):
    """How a picture is taken.

    Attributes:
        shape: height and width, pixels.
        depth: whether it is of depths.
        shadows: whether there are shadows.
        training: whether shadows have a map of at most `TRAINING_SHADOWS` and edges are not smoothed, whatever the
            model asks for.
    """

    shape: tuple[int, int]
    depth: bool
    shadows: bool
    training: bool


class _Kept(NamedTuple):
    """What OpenGL keeps of a model."""

    context: mujoco.MjrContext
    scene: mujoco.MjvScene
    heights: NDArray[np.float32]  # of its height fields, as they were uploaded
    scales: NDArray[np.float64]  # of its meshes, (M, 3), likewise: whoever resizes one writes its scale, too
    quality: tuple[
        int, int
    ]  # what the model asks for: pixels of its shadow map, in a line; samples of a pixel
    canvas: tuple[int, ...]  # the place to draw into that came with the context

    def free(self) -> None:
        self.context.shadowTex = self.context.shadowFBO = 0  # which is the studio's
        for name, own in zip(_CANVAS, self.canvas, strict=True):
            setattr(self.context, name, own)
        self.context.free()


class Studio:
    """An OpenGL context, the thread that it is current in, and what it keeps of models.

    Args:
        number: which of the process's studios it is.
        most_kept: how many models it keeps at once.

    Attributes:
        left: numbers of stages that are closed, which `sweep` gives back.
    """

    def __init__(self, number: int, most_kept: int) -> None:
        self._most_kept = most_kept
        self._gl: Any = None
        self._given = 0  # bytes of models, since there is this context
        self._busy = False
        self._kept: collections.OrderedDict[int, _Kept] = collections.OrderedDict()
        self._lenders: dict[tuple[int, int], mujoco.MjrContext] = {}  # by pixels of shadow maps, and samples
        self.left: collections.deque[int] = collections.deque()
        self._jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._turn = threading.RLock()
        self._thread: threading.Thread | None = None
        if getattr(mujoco.gl_context, "GLContext", object).__module__ in _THREADED:
            self._thread = threading.Thread(target=self._work, name=f"taskworlds-draw-{number}", daemon=True)
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

    @property
    def kept(self) -> frozenset[int]:
        """Numbers of the stages whose models the context holds at present. Any thread may ask."""
        return frozenset(list(self._kept))

    @property
    def is_here(self) -> bool:
        """Whether this is the studio's own thread."""
        return threading.current_thread() is self._thread

    @property
    def is_threaded(self) -> bool:
        """Whether it has a thread of its own, beside which others may draw."""
        return self._thread is not None

    def begin(self, function: Callable[..., Outcome], *args: Any) -> concurrent.futures.Future[Outcome]:
        """Has a function called in the studio's thread, of which there must be one; returns what is to come."""
        job: concurrent.futures.Future[Outcome] = concurrent.futures.Future()
        self._jobs.put((function, args, job))
        return job

    def call(self, function: Callable[..., Outcome], *args: Any) -> Outcome:
        """Calls a function in the studio's thread, and returns its outcome."""
        if self._thread is None:
            with self._turn:
                return function(*args)
        if self.is_here:
            return function(*args)
        job = self.begin(function, *args)
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
        lock: threading.RLock,
        compose: Callable[[], tuple[mujoco.MjData, mujoco.MjvCamera]],
        look: Look,
    ) -> NDArray[Any]:
        """Takes a picture; see `taskworlds.rendering.drawing.Stage.draw`."""
        with self._alone(), self._current():
            with lock:
                kept = self._kept_of(number, model)
                context, scene, heights = kept.context, kept.scene, kept.heights
                data, view = compose()
                if not np.array_equal(heights, model.hfield_data):
                    heights[:] = model.hfield_data
                    for each in range(model.nhfield):
                        mujoco.mjr_uploadHField(model, context, each)
                for each in np.flatnonzero((kept.scales != model.mesh_scale).any(axis=1)).tolist():
                    kept.scales[each] = model.mesh_scale[each]
                    mujoco.mjr_uploadMesh(model, context, each)
                option = mujoco.MjvOption()
                option.flags[mujoco.mjtVisFlag.mjVIS_RANGEFINDER] = False  # as in dm_control
                mujoco.mjv_updateScene(model, data, option, None, view, mujoco.mjtCatBit.mjCAT_ALL, scene)
                planes = _planes(model)
            height, width = look.shape
            self._lend(kept, look)
            for flag in (mujoco.mjtRndFlag.mjRND_SEGMENT, mujoco.mjtRndFlag.mjRND_IDCOLOR):
                scene.flags[flag] = look.depth  # makes far depths more exact, as in mujoco.Renderer
            scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = look.shadows
            mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, context)
            whole = mujoco.MjrRect(0, 0, width, height)
            mujoco.mjr_render(whole, scene, context)
            if look.depth:
                near_to_far = np.empty(look.shape, np.float32)  # 1 to 0
                mujoco.mjr_readPixels(None, near_to_far, whole, context)
                return _metres(*planes, near_to_far[::-1])
            from_below = np.empty((*look.shape, 3), np.uint8)
            mujoco.mjr_readPixels(from_below, None, whole, context)
            picture: NDArray[np.uint8] = from_below[::-1].copy()
            return picture

    def _kept_of(self, number: int, model: mujoco.MjModel) -> _Kept:
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        while len(self._kept) >= self._most_kept:
            self._kept.popitem(last=False)[1].free()
        context = self._context(model)
        kept = _Kept(
            context,
            mujoco.MjvScene(model, maxgeom=_MOST_GEOMS),
            model.hfield_data.copy(),
            model.mesh_scale.copy(),
            (model.vis.quality.shadowsize, model.vis.quality.offsamples),
            tuple(getattr(context, name) for name in _CANVAS),
        )
        self._kept[number] = kept
        self._given += mujoco.mj_sizeModel(model)
        return kept

    def _context(self, model: mujoco.MjModel) -> mujoco.MjrContext:
        """Gives OpenGL what it keeps of a model, but no shadow map, and next to nothing to draw into."""
        quality, size = model.vis.quality, model.vis.global_
        before = quality.shadowsize, size.offwidth, size.offheight
        quality.shadowsize, size.offwidth, size.offheight = 0, _SMALLEST, _SMALLEST
        try:
            context = mujoco.MjrContext(model, _FONT)
        finally:
            quality.shadowsize, size.offwidth, size.offheight = before
        context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        return context

    def _lend(self, kept: _Kept, look: Look) -> None:
        """Gives a model's context the shadow map and the place to draw into, most of the memory, which all share."""
        context, (shadow_size, samples) = kept.context, kept.quality
        if look.training:
            shadow_size, samples = min(shadow_size, TRAINING_SHADOWS), 0
        if shadow_size:
            lender = self._lender(shadow_size, 0)
            context.shadowSize = shadow_size
            context.shadowTex, context.shadowFBO = lender.shadowTex, lender.shadowFBO
        canvas = self._lender(0, samples)
        height, width = look.shape
        if width > canvas.offWidth or height > canvas.offHeight:
            mujoco.mjr_resizeOffscreen(max(width, canvas.offWidth), max(height, canvas.offHeight), canvas)
        for name in _CANVAS:
            setattr(context, name, getattr(canvas, name))

    def _lender(self, shadow_size: int, samples: int) -> mujoco.MjrContext:
        key = shadow_size, samples
        if key not in self._lenders:
            empty = mujoco.MjModel.from_xml_string(_EMPTY.format(shadow_size=shadow_size, samples=samples))
            self._lenders[key] = mujoco.MjrContext(empty, _FONT)
        return self._lenders[key]

    @contextlib.contextmanager
    def _current(self) -> Iterator[None]:
        """Makes the context current; afterwards the window's library has the one that it had before."""
        if self._gl is None:
            with _beginning:
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
                for lender in self._lenders.values():
                    lender.free()
                self._lenders.clear()
        if not self._kept and self._given > _MUCH:
            self._gl.free()
            self._gl, self._given = None, 0
        gone.clear()
        _give_back_memory()


def _planes(model: mujoco.MjModel) -> tuple[np.float32, np.float32]:
    """Returns how far the clipping planes are, near and far, metres."""
    near, far = (np.float32(plane * model.stat.extent) for plane in (model.vis.map.znear, model.vis.map.zfar))
    return near, far


def _metres(near: np.float32, far: np.float32, near_to_far: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the depths along the camera's axis, metres, from OpenGL's of the same shape: 1 is near, and 0 far.

    The projection is in single precision, as OpenGL's; so mujoco.Renderer undoes it, too.
    """
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
