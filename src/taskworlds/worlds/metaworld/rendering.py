"""Pictures of the native engine's rows, from the full model with its visual parts, which is made on first use."""

from __future__ import annotations

import os
from typing import Any

import mujoco
import numpy as np
from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer
from numpy.typing import NDArray

from taskworlds.engine import full_metaworld_model
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
        self._mode = render_mode
        self._camera: dict[str, Any] = {"camera_name": camera_name, "camera_id": camera_id}
        self._size: dict[str, Any] = {"width": width, "height": height}
        self._scenes: dict[str | os.PathLike[str], tuple[mujoco.MjModel, mujoco.MjData, MujocoRenderer]] = {}

    def render(self, skill: Skill, state: NDArray[np.float64], moved: NDArray[np.float64]) -> Any:
        """Draws a row.

        Args:
            skill: the row's skill.
            state: MuJoCo's integration state, (S,) float64.
            moved: values of the skill's `moves`, (V,) float64.

        Returns:
            (height, width, 3) uint8; (height, width) float32 for depth; None for a window.
        """
        model, data, renderer = self._scene(skill)
        for (field, name), position in zip(skill.moves, moved.reshape(-1, 3), strict=True):
            place = model.body(name) if field == "body_pos" else model.site(name)
            place.pos = position
        mujoco.mj_setState(model, data, state, _INTEGRATION)
        mujoco.mj_forward(model, data)
        picture = renderer.render(self._mode)
        return (
            picture if picture is None or not self._upside_down(model, data) else picture[::-1, ::-1].copy()
        )

    def _scene(self, skill: Skill) -> tuple[mujoco.MjModel, mujoco.MjData, MujocoRenderer]:
        if skill.model not in self._scenes:
            model = full_metaworld_model(skill.model)
            model.vis.global_.offwidth = self._size["width"]
            model.vis.global_.offheight = self._size["height"]
            self._check_camera(model)
            data = mujoco.MjData(model)
            self._scenes[skill.model] = model, data, MujocoRenderer(model, data, **self._size, **self._camera)
        return self._scenes[skill.model]

    def _check_camera(self, model: mujoco.MjModel) -> None:
        name, number = self._camera["camera_name"], self._camera["camera_id"]
        names = [model.camera(i).name for i in range(model.ncam)]
        if name is not None and name not in names:
            raise ValueError(f"camera_name must be one of {', '.join(names)}, not {name!r}.")
        if number is not None and not -1 <= number < model.ncam:
            raise ValueError(
                f"camera_id must be from -1 (the free camera) to {model.ncam - 1}, not {number!r}."
            )

    def _upside_down(self, model: mujoco.MjModel, data: mujoco.MjData) -> bool:
        name, number = self._camera["camera_name"], self._camera["camera_id"]
        camera = model.camera(name).id if name is not None else number
        if camera is None or camera < 0:
            return False
        up = data.cam_xmat[camera].reshape(3, 3)[:, 1]
        return bool(up[2] < 0)

    def close(self) -> None:
        """Frees windows and buffers."""
        for _, _, renderer in self._scenes.values():
            renderer.close()
        self._scenes.clear()
