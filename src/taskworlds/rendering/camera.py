"""A camera on one MuJoCo simulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mujoco
import numpy as np
from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.rendering import choices, drawing, offscreen
from taskworlds.rendering.cameras import Cameras
from taskworlds.rendering.jitter import Jitter
from taskworlds.rendering.views import Views

__all__ = ["Camera"]

_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION


class Camera:
    """Takes pictures of a simulation, or shows it in a window.

    Pictures are those of `Cameras`. Windows are Gymnasium's.

    Args:
        model: the model.
        data: the simulation.
        mode: "rgb_array", "depth_array" or "human".
        name: a camera of the model, by name.
        number: a camera of the model, by number; -1 for a free one.
        width: pixels.
        height: pixels.
        default: the camera of the model that is taken if there is neither name nor number; None for the free one.
        lookat: what the free camera looks at, metres; None for MuJoCo's own free camera.
        upright: whether what a camera sees that hangs upside down is turned by half a turn.
        stage: what draws the model, if others draw it too; it is left open. None for one of the camera's own.

    Raises:
        ValueError: the model has no such camera, or both a name and a number were given.
        RuntimeError: there is no mode, or no display for a window.
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
        *,
        default: str | int | None = None,
        lookat: Sequence[float] | None = None,
        upright: bool = False,
        stage: drawing.Stage | None = None,
    ) -> None:
        if mode is None:
            raise RuntimeError('There is no picture: make the environment with render_mode="rgb_array".')
        size = choices.check_size(width, height)
        fixed = _number_of(model, name, number, default)
        self._window: MujocoRenderer | None = None
        if mode == "human":
            offscreen.check_window()
            self._model, self._data = model, data
            self._state = np.empty(mujoco.mj_stateSize(model, _INTEGRATION))
            self._shown = mujoco.MjData(model)
            self._window = MujocoRenderer(model, self._shown, width=width, height=height, camera_id=fixed)
            return
        channels = "depth" if mode == "depth_array" else "rgb"
        views = Views((fixed,), *size, channels)
        self._cameras = Cameras(model, data, views, lookat=lookat, upright=upright, stage=stage)

    def picture(self, place: Callable[[], Jitter | None] | None = None) -> NDArray[Any] | None:
        """Returns (height, width, 3) uint8, or for depth (height, width) float32, metres; None for a window.

        Args:
            place: puts model and simulation into the state to be shown, and returns how cameras stand elsewhere, see
                `Cameras.pictures`, which a window does not show; None to show all as it is.

        Raises:
            RuntimeError: the camera is closed, nothing here can draw, or this process was forked from one that has
                drawn.
        """
        if self._window is not None:
            if place is not None:
                place()
            self._take_state()
            self._window.render("human")
            return None
        return self._cameras.pictures(place)[0]

    def _take_state(self) -> None:
        mujoco.mj_getState(self._model, self._data, self._state, _INTEGRATION)
        mujoco.mj_setState(self._model, self._shown, self._state, _INTEGRATION)
        mujoco.mj_forward(self._model, self._shown)

    def close(self) -> None:
        """Frees the window, or what drawing holds."""
        if self._window is not None:
            self._window.close()  # type: ignore[no-untyped-call]
        else:
            self._cameras.close()


def _number_of(model: mujoco.MjModel, name: str | None, number: int | None, default: str | int | None) -> int:
    """Returns the number of the camera that was chosen; -1 for the free one."""
    choices.check_camera(name, number)
    names = [model.camera(i).name for i in range(model.ncam)]
    if name is not None and name not in names:
        raise WrongValue(
            f"camera_name must be one of {', '.join(names) or 'none'}, not {name!r}.", argument="camera_name"
        )
    if number is not None and not -1 <= number < model.ncam:
        raise WrongValue(
            f"camera_id must be from -1 (the free camera) to {model.ncam - 1}, not {number!r}.",
            argument="camera_id",
        )
    if name is None and number is None:
        if isinstance(default, str):
            return names.index(default)
        number = default
    return names.index(name) if name is not None else -1 if number is None else int(number)
