"""Pictures of the native engine's rows, from the full model with its visual parts, which is made on first use."""

from __future__ import annotations

import functools
import os
import threading
import weakref
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.rendering import drawing
from taskworlds.rendering.camera import Camera
from taskworlds.rendering.cameras import Cameras
from taskworlds.rendering.jitter import Jitter
from taskworlds.rendering.views import Views
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.edits import Derived, Editor, sites_of
from taskworlds.worlds.metaworld.factors import Look, Physics
from taskworlds.worlds.metaworld.models import full_metaworld_model
from taskworlds.worlds.metaworld.skill import Skill

__all__ = ["RowRenderer", "jitter_of"]

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
        self._editor = Editor(self.model)
        self._sites: dict[str, NDArray[np.int64]] = {}  # by skill, those that are not its object's
        self._as_it_is = Derived(
            self.model.body_subtreemass, self.model.body_invweight0, self.model.dof_invweight0
        )  # pictures show no weight
        self.stage = drawing.Stage(self.model)

    def put_back_places(self, env_name: str) -> None:
        """Puts bodies and sites where no skill has moved them, but for the sites of the object, which `change` sets."""
        if env_name not in self._sites:
            own = sites_of(self.model, env_name)
            self._sites[env_name] = np.setdiff1d(np.arange(self.model.nsite), own)
        others = self._sites[env_name]
        self.model.body_pos[:], sites = self.places
        self.model.site_pos[others] = sites[others]

    def change(self, env_name: str, physics: Physics, look: Look) -> None:
        """Gives the model a task's factors, as far as they can be seen."""
        seen = tuple(each for each in physics if each[0] == "object_size")
        self._editor.change(env_name, seen, look, self._as_it_is)


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
        render_mode: "rgb_array", "depth_array" or "human"; None if only `job` is used.
        camera_name: camera, by name; None for a free camera.
        camera_id: camera, by number.
        width: pixels.
        height: pixels.
    """

    def __init__(
        self,
        render_mode: str | None,
        camera_name: str | None = None,
        camera_id: int | None = None,
        width: int = 480,
        height: int = 480,
    ) -> None:
        self._how = (render_mode, camera_name, camera_id, width, height)
        self._is_window = render_mode == "human"
        self._shown: dict[str | os.PathLike[str], tuple[_Scene, Camera]] = {}
        self._viewed: dict[tuple[str | os.PathLike[str], Views], tuple[_Scene, Cameras]] = {}

    def render(
        self,
        skill: Skill,
        state: NDArray[np.float64],
        moved: NDArray[np.float64],
        physics: Physics = (),
        look: Look = (),
    ) -> Any:
        """Draws a row.

        Args:
            skill: the row's skill.
            state: MuJoCo's integration state, (S,) float64.
            moved: values of the skill's `moves`, (V,) float64.
            physics: physical factors of the row's task.
            look: its visual ones.

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
        scene, camera = self._shown[skill.model]
        return camera.picture(functools.partial(_place, scene, skill, state, moved, physics, look))

    def job(
        self,
        views: Views,
        skill: Skill,
        state: NDArray[np.float64],
        moved: NDArray[np.float64],
        physics: Physics = (),
        look: Look = (),
    ) -> drawing.Job:
        """Returns the taking of a row's pictures; the arguments beside `views` are as for `render`."""
        key = skill.model, views
        if key not in self._viewed:
            scene = _scene_of(skill.model)
            cameras = Cameras(
                scene.model, scene.data, views, lookat=sawyer.VIEW_CENTRE, upright=True, stage=scene.stage
            )
            self._viewed[key] = scene, cameras
        scene, cameras = self._viewed[key]
        return cameras.job(functools.partial(_place, scene, skill, state, moved, physics, look))

    def close(self) -> None:
        """Frees windows, and what drawing holds of models that nobody else draws."""
        for _, camera in self._shown.values():
            camera.close()
        self._shown.clear()
        self._viewed.clear()
        drawing.settle()


def _place(
    scene: _Scene,
    skill: Skill,
    state: NDArray[np.float64],
    moved: NDArray[np.float64],
    physics: Physics,
    look: Look,
) -> Jitter | None:
    """Puts a scene into a row's state, and returns how its task jitters cameras; arguments as for `render`."""
    model, data = scene.model, scene.data
    scene.change(skill.name, physics, look)
    scene.put_back_places(skill.name)
    for (field, name), position in zip(skill.moves, moved.reshape(-1, 3), strict=True):
        place = model.body(name) if field == "body_pos" else model.site(name)
        place.pos = position
    mujoco.mj_setState(model, data, state, _INTEGRATION)
    return jitter_of(look)


def jitter_of(look: Look) -> Jitter | None:
    """Returns how a task's visual factors jitter cameras; None where they do not."""
    values = dict(look).get("camera_jitter")
    return None if values is None else Jitter(*values)
