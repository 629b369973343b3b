"""Pictures of the native engine's rows, from the full model with its visual parts, which is made on first use."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.rendering import drawing
from taskworlds.rendering.camera import Camera
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.models import full_metaworld_model
from taskworlds.worlds.metaworld.skill import Skill

__all__ = ["RowRenderer"]

_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION


class _Scene:
    """A full model, and a simulation that takes the states to be drawn; all rows of the process share it."""

    def __init__(self, asset: str | os.PathLike[str]) -> None:
        self.model = full_metaworld_model(asset)
        self.places = (
            self.model.body_pos.copy(),
            self.model.site_pos.copy(),
        )  # where no skill has moved anything
        self.data = mujoco.MjData(self.model)
        self.stage = drawing.Stage(self.model)


_scenes: weakref.WeakValueDictionary[str, _Scene] = weakref.WeakValueDictionary()  # by the model's file
_making = threading.Lock()


def _scene_of(asset: str | os.PathLike[str]) -> _Scene:
    with _making:
        scene = _scenes.get(os.fspath(asset))
        if scene is None:
            scene = _scenes[os.fspath(asset)] = _Scene(asset)
        return scene


class RowRenderer:
    """Draws rows by putting their state into a full model of their skill.

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
        self._is_window = render_mode == "human"
        self._shown: dict[str | os.PathLike[str], tuple[_Scene, Camera]] = {}

    def render(self, skill: Skill, state: NDArray[np.float64], moved: NDArray[np.float64]) -> Any:
        """Draws a row.

        Args:
            skill: the row's skill.
            state: MuJoCo's integration state, (S,) float64.
            moved: values of the skill's `moves`, (V,) float64.

        Returns:
            (height, width, 3) uint8; (height, width) float32 for depth, metres; None for a window.
        """
        if skill.model not in self._shown:
            scene = _Scene(skill.model) if self._is_window else _scene_of(skill.model)
            camera = Camera(
                scene.model,
                scene.data,
                *self._how,
                lookat=sawyer.VIEW_CENTRE,
                upright=True,
                stage=scene.stage,
            )
            self._shown[skill.model] = scene, camera
        shown = self._shown[skill.model]
        if self._is_window:
            return _take(*shown, skill, state, moved)
        return drawing.call(_take, *shown, skill, state, moved)

    def close(self) -> None:
        """Frees windows, and what drawing holds of models that nobody else draws."""
        for _, camera in self._shown.values():
            camera.close()
        self._shown.clear()
        drawing.settle()


def _take(
    scene: _Scene, camera: Camera, skill: Skill, state: NDArray[np.float64], moved: NDArray[np.float64]
) -> Any:
    model, data = scene.model, scene.data
    model.body_pos[:], model.site_pos[:] = scene.places
    for (field, name), position in zip(skill.moves, moved.reshape(-1, 3), strict=True):
        place = model.body(name) if field == "body_pos" else model.site(name)
        place.pos = position
    mujoco.mj_setState(model, data, state, _INTEGRATION)
    return camera.picture()
