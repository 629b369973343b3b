"""One row of the sync and async engines: any Meta-World skill, stepped by its official Python environment.

The official environments are used as they are. What they lack is added around them: the task is a value, the state can
be taken and put back exactly, and the clock is the caller's. A skill that Meta-World does not have is stepped by a
`PlainEnv`, which looks the same from here.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.sawyer_xyz_env import SawyerXYZEnv
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.rendering.camera import Camera
from taskworlds.rendering.cameras import Cameras
from taskworlds.rendering.jitter import Jitter
from taskworlds.rendering.views import Views
from taskworlds.rows.python_row import PythonRow
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.edits import Editor
from taskworlds.worlds.metaworld.factors import look_of, physics_of
from taskworlds.worlds.metaworld.mended import is_mended, mend_official
from taskworlds.worlds.metaworld.models import varied_model
from taskworlds.worlds.metaworld.reference import PlainEnv
from taskworlds.worlds.metaworld.row_renderer import jitter_of
from taskworlds.worlds.metaworld.skills import skill

__all__ = ["OfficialRow"]

# Attributes of an official env that its construction fixes: they are rebuilt, not saved.
_REBUILT = {
    "model",
    "data",
    "mujoco_renderer",
    "render_mode",
    "camera_name",
    "camera_id",
    "width",
    "height",
    "metadata",
    "fullpath",
    "_ezpickle_args",
    "_draw",
    "_renderer",
}

# Arrays of mjData that official code keeps views of, as if they were copies (`get_body_com` returns one). What they
# show moves with the simulation, and some rewards depend on it, so a restored environment must have the same views.
_VIEWED = ("xpos", "xquat", "xmat", "site_xpos", "geom_xpos", "qpos", "qvel", "mocap_pos", "mocap_quat")

_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION
_NEVER = 2**62  # steps; the vector environment keeps the clock, so the official one must not stop the episode


class OfficialRow(PythonRow):
    """One environment of a batch that can hold any task of any Meta-World skill.

    An official environment is built for the first task of its skill (0.2 s, 20 MB) and kept. For a skill that users
    registered it is a `PlainEnv`.

    Args:
        reward_function_version: "v1" or "v2".
        render_mode: None, "rgb_array", "depth_array" or "human".
        camera_name, camera_id, width, height: as for `Camera`. Without a camera pictures are as `RowRenderer` has them.
    """

    has_cameras = True
    metadata = {"render_modes": ["human", "rgb_array", "depth_array"], "render_fps": 80}

    def __init__(
        self,
        reward_function_version: str = "v2",
        render_mode: str | None = None,
        camera_name: str | None = None,
        camera_id: int | None = None,
        width: int = 480,
        height: int = 480,
    ) -> None:
        self.observation_space = sawyer.observation_space(visible=True, hidden=True)
        self.action_space = sawyer.action_space()
        self.render_mode = render_mode
        self._make: dict[str, Any] = {
            "reward_function_version": reward_function_version,
            "render_mode": render_mode,
            "camera_name": camera_name,
            "camera_id": camera_id,
            "width": width,
            "height": height,
        }
        self._how = (render_mode, camera_name, camera_id, width, height)
        self._envs: dict[str, Any] = {}
        self._editors: dict[str, Editor] = {}
        self._cameras: dict[str, Camera] = {}
        self._viewed: dict[tuple[str, Views], Cameras] = {}

    @property
    def inner(self) -> Any:
        """The official environment in use; None before the first reset."""
        return None if self.task is None else self._envs[self.task.env_name]

    def begin(self, task: Task, seed: int | None) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Starts an episode. Seeds change nothing."""
        env = self._prepared(task)
        obs, _ = env.reset()
        return obs, {"goal": env._target_pos}

    def advance(
        self, action: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], float, None, dict[str, Any]]:
        """Steps the official environment."""
        obs, reward, _, _, info = self.inner.step(action)
        return obs, reward, None, info | {"goal": self.inner._target_pos}

    def picture(self) -> Any:
        """Returns a picture of the official environment's simulation, as the native engine draws it.

        Meta-World's own shows depths as raw numbers of OpenGL's, and the corner cameras' pictures upside down.
        """
        assert self.task is not None
        env, name = self.inner, self.task.env_name
        if isinstance(env, PlainEnv):
            return env.render()
        if name not in self._cameras:
            self._cameras[name] = Camera(
                env.model, env.data, *self._how, lookat=sawyer.VIEW_CENTRE, upright=True
            )
        return self._cameras[name].picture(self._place)

    def look(self, views: Views) -> tuple[NDArray[Any], ...]:
        """Returns pictures of the official environment's simulation; see `PythonRow.look`."""
        assert self.task is not None
        env, key = self.inner, (self.task.env_name, views)
        if isinstance(env, PlainEnv):
            shown: tuple[NDArray[Any], ...] = env.look(views)
            return shown
        if key not in self._viewed:
            self._viewed[key] = Cameras(env.model, env.data, views, lookat=sawyer.VIEW_CENTRE, upright=True)
        return self._viewed[key].pictures(self._place)

    def _place(self) -> Jitter | None:
        """The simulation is as it is to be shown; returns how the task jitters cameras."""
        assert self.task is not None
        return jitter_of(look_of(self.task))

    def close(self) -> None:
        """Closes the official environments."""
        for camera in self._cameras.values():
            camera.close()
        for cameras in self._viewed.values():
            cameras.close()
        self._cameras.clear()
        self._viewed.clear()
        for env in self._envs.values():
            env.close()
        self._envs.clear()
        self._editors.clear()
        self.task = None

    def _prepared(self, task: Task) -> Any:
        """Returns the official environment of a task, with the task in it."""
        if task.env_name not in self._envs:
            env: Any
            if task.env_name in ALL_V3_ENVIRONMENTS:
                env = ALL_V3_ENVIRONMENTS[task.env_name](**self._make)
                self._editors[task.env_name] = Editor(env.model)
            else:
                env = PlainEnv(skill(task.env_name), **self._make)
            env.max_path_length = _NEVER
            self._envs[task.env_name] = env
        env = self._envs[task.env_name]
        self._change(env, task)
        env._set_task_called = True
        env._freeze_rand_vec = True
        env._last_rand_vec = np.array(task["rand_vec"], dtype=np.float64)
        if env._partially_observable != task["partially_observable"]:
            env._partially_observable = task["partially_observable"]
            env.__dict__.pop("sawyer_observation_space", None)  # cached for the other visibility
        return env

    def _change(self, env: Any, task: Task) -> None:
        """Gives an environment's model the factors of a task, and its reset the version."""
        physics, look = physics_of(task), look_of(task)
        if isinstance(env, PlainEnv):
            env.change(physics, look)
            return
        official = skill(task.env_name)
        masses = varied_model(official.model, official.name, physics).from_masses if physics else None
        self._editors[task.env_name].change(official.name, physics, look, masses)
        mend_official(env, task.env_name, is_mended(task))

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Returns the physics, and the attributes of the official environment that change."""
        env = self.inner
        physics = np.empty(mujoco.mj_stateSize(env.model, _INTEGRATION))
        mujoco.mj_getState(env.model, env.data, physics, _INTEGRATION)
        return {
            "physics": physics,
            "body_pos": env.model.body_pos,
            "site_pos": env.model.site_pos,
            "attributes": {
                name: _save(env, value) for name, value in vars(env).items() if _is_state(name, value)
            },
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Puts back what `get_state` returned."""
        assert self.task is not None
        env = self._prepared(self.task)
        env.model.body_pos[:] = state["body_pos"]
        env.model.site_pos[:] = state["site_pos"]
        mujoco.mj_setState(env.model, env.data, state["physics"], _INTEGRATION)
        mujoco.mj_forward(env.model, env.data)  # derived quantities (positions of bodies, contacts)
        mujoco.mj_setState(
            env.model, env.data, state["physics"], _INTEGRATION
        )  # mj_forward moved the warm start
        for name, saved in state["attributes"].items():
            setattr(env, name, _load(env, saved))


def _is_state(name: str, value: Any) -> bool:
    return name not in _REBUILT and isinstance(
        value, bool | int | float | str | np.generic | np.ndarray | list | tuple | type(None)
    )


def _save(env: SawyerXYZEnv, value: Any) -> Any:
    """Returns an attribute's value; of a view into mjData, the place that it shows."""
    if not isinstance(value, np.ndarray):
        return value
    start = value.__array_interface__["data"][0]
    for field, (first, past) in _extents(env).items():
        if value.size and first <= start < past and value.dtype == np.float64:
            return {"view": field, "start": (start - first) // 8, "shape": value.shape}
    return value


def _load(env: SawyerXYZEnv, saved: Any) -> Any:
    if isinstance(saved, dict) and "view" in saved:
        flat = getattr(env.data, saved["view"]).reshape(-1)
        size = int(np.prod(saved["shape"]))
        return flat[saved["start"] : saved["start"] + size].reshape(saved["shape"])
    return saved


def _extents(env: SawyerXYZEnv) -> dict[str, tuple[int, int]]:
    """Where each viewed array of mjData lies in memory: first byte, and first byte past it."""
    extents = {}
    for field in _VIEWED:
        array = getattr(env.data, field)
        first = array.__array_interface__["data"][0]
        extents[field] = (first, first + array.nbytes)
    return extents
