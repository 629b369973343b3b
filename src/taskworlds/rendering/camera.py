"""A camera on one MuJoCo simulation."""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mujoco
import mujoco.gl_context
import numpy as np
from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.rendering import offscreen

__all__ = ["Camera"]


class Camera:
    """Takes pictures of a simulation, or shows it in a window.

    Pictures are MuJoCo's own renderer's, since Gymnasium's draws wrongly once another environment of the process has
    been closed; windows are Gymnasium's.

    Args:
        model: the model. Its buffer for drawing is made as large as the picture.
        data: the simulation.
        mode: "rgb_array", "depth_array" or "human".
        name: a camera of the model, by name.
        number: a camera of the model, by number; -1 for a free one.
        width: pixels.
        height: pixels.
        default: the camera of the model that is taken if there is neither name nor number; None for a free one, which
            sees the whole of the model as it is now.

    Raises:
        ValueError: the model has no such camera, or both a name and a number were given.
        RuntimeError: there is no mode.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        mode: str | None,
        name: str | None,
        number: int | None,
        width: int,
        height: int,
        default: str | None = None,
    ) -> None:
        names = [model.camera(i).name for i in range(model.ncam)]
        if name is not None and number is not None:
            raise WrongValue("A camera is chosen by camera_name or by camera_id, not by both.")
        if name is not None and name not in names:
            raise WrongValue(
                f"camera_name must be one of {', '.join(names) or 'none'}, not {name!r}.",
                argument="camera_name",
            )
        if number is not None and not -1 <= number < model.ncam:
            raise WrongValue(
                f"camera_id must be from -1 (the free camera) to {model.ncam - 1}, not {number!r}.",
                argument="camera_id",
            )
        if name is None and number is None:
            name = default
        self.fixed = names.index(name) if name is not None else -1 if number is None else number
        """Number of the model's camera; -1 for the free one."""
        model.vis.global_.offwidth = max(model.vis.global_.offwidth, width)
        model.vis.global_.offheight = max(model.vis.global_.offheight, height)
        if mode is None:
            raise RuntimeError('There is no picture: make the environment with render_mode="rgb_array".')
        self._data, self._mode = data, mode
        if mode == "human":
            self._window = MujocoRenderer(model, data, width=width, height=height, camera_id=self.fixed)
            return
        offscreen.prepare()
        self._view = mujoco.MjvCamera()
        if self.fixed >= 0:
            self._view.type, self._view.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, self.fixed
        else:
            self._view.lookat[:] = np.median(data.geom_xpos, axis=0)
            self._view.distance = model.stat.extent
        self._renderer = _draw(mujoco.Renderer, model, height, width)
        if not _open:
            atexit.register(_close_all)  # after MuJoCo registered the end of its library, so it runs before
        _open.add(self)
        if mode == "depth_array":
            self._renderer.enable_depth_rendering()

    def picture(self) -> NDArray[Any] | None:
        """Returns (height, width, 3) uint8, or for depth (height, width) float32, metres; None for a window."""
        if self._mode == "human":
            self._window.render("human")
            return None
        drawn: NDArray[Any] = _draw(self._take)
        return drawn

    def _take(self) -> NDArray[Any]:
        self._renderer.update_scene(self._data, self._view)
        picture: NDArray[Any] = self._renderer.render()
        return picture

    def close(self) -> None:
        """Frees the window or the buffers."""
        if self._mode == "human":
            self._window.close()  # type: ignore[no-untyped-call]
        else:
            _open.discard(self)
            _draw(self._renderer.close)


_open: weakref.WeakSet[Camera] = weakref.WeakSet()


def _close_all() -> None:
    for camera in list(_open):
        camera.close()


_drawing: dict[int, ThreadPoolExecutor] = {}  # by process, as a forked one has no threads


def _draw(function: Callable[..., Any], *args: Any) -> Any:
    """Calls what draws off the screen, in a thread of its own.

    EGL and OSMesa have one current context in each thread, which MuJoCo's renderer changes at will. dm_control and
    Gymnasium, which draw in the caller's thread, take it for granted that theirs still is.
    """
    if mujoco.gl_context.GLContext.__module__ not in ("mujoco.egl", "mujoco.osmesa"):
        # A window's library may be bound to the main thread.
        return function(*args)
    process = os.getpid()
    if process not in _drawing:
        _drawing[process] = ThreadPoolExecutor(1, thread_name_prefix="taskworlds-draw")
    try:
        drawn = _drawing[process].submit(function, *args)
    except RuntimeError:  # the interpreter is ending, and the thread has ended
        return function(*args)
    return drawn.result()
