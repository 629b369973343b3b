"""Pictures of the native engine's rows, from the full model with its visual parts, which is made on first use."""

from __future__ import annotations

import os
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.rendering.camera import Camera
from taskworlds.worlds.metaworld.models import full_metaworld_model
from taskworlds.worlds.metaworld.skill import Skill

__all__ = ["RowRenderer"]

_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION


class RowRenderer:
    """Draws rows by putting their state into a full model of their skill.

    Pictures are upright: Meta-World's corner cameras hang upside down, and what they see is turned by half a turn.

    Args:
        render_mode: "rgb_array", "depth_array" or "human".
        camera_name: camera, by name; None for a free camera.
        camera_id: camera, by number.
        width: pixels.
        height: pixels.
    """

    def __init__(
        self, render_mode: str, camera_name: str | None, camera_id: int | None, width: int, height: int
    ) -> None:
        self._how = (render_mode, camera_name, camera_id, width, height)
        self._scenes: dict[str | os.PathLike[str], tuple[mujoco.MjModel, mujoco.MjData]] = {}
        self._cameras: dict[str | os.PathLike[str], Camera] = {}

    def render(self, skill: Skill, state: NDArray[np.float64], moved: NDArray[np.float64]) -> Any:
        """Draws a row.

        Args:
            skill: the row's skill.
            state: MuJoCo's integration state, (S,) float64.
            moved: values of the skill's `moves`, (V,) float64.

        Returns:
            (height, width, 3) uint8; (height, width) float32 for depth, metres; None for a window.
        """
        if skill.model not in self._scenes:
            whole = full_metaworld_model(skill.model)
            self._scenes[skill.model] = whole, mujoco.MjData(whole)
        model, data = self._scenes[skill.model]
        for (field, name), position in zip(skill.moves, moved.reshape(-1, 3), strict=True):
            place = model.body(name) if field == "body_pos" else model.site(name)
            place.pos = position
        mujoco.mj_setState(model, data, state, _INTEGRATION)
        mujoco.mj_forward(model, data)
        if skill.model not in self._cameras:
            self._cameras[skill.model] = Camera(model, data, *self._how)
        camera = self._cameras[skill.model]
        picture = camera.picture()
        if picture is None or camera.fixed < 0:
            return picture
        up = data.cam_xmat[camera.fixed].reshape(3, 3)[:, 1]
        return picture[::-1, ::-1].copy() if up[2] < 0 else picture

    def close(self) -> None:
        """Frees windows and buffers."""
        for camera in self._cameras.values():
            camera.close()
        self._cameras.clear()
