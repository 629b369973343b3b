"""One row of the sync and async engines: dm_control's own environment of any task of one skill."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.draws import legacy_seed
from taskworlds.core.errors import check_choice, check_seed
from taskworlds.core.task import Task
from taskworlds.rendering.camera import Camera
from taskworlds.rendering.cameras import Cameras
from taskworlds.rendering.choices import check_camera
from taskworlds.rendering.drawing import Job
from taskworlds.rendering.views import Views
from taskworlds.rows.python_row import PythonRow
from taskworlds.worlds.control.environment import Built, build, differing, import_suite
from taskworlds.worlds.control.skills import skill
from taskworlds.worlds.control.spaces import action_space, observation_space

__all__ = ["ControlRow"]

_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION
_FIXED_SEED = 0  # of an environment whose generator is put in place afterwards
_MOST_SHOWN = 40  # models of tasks that are kept to be drawn


class _Scene(NamedTuple):
    """A task's model to be drawn, in the states of any rows, and the cameras on it."""

    built: Built
    cameras: dict[Views, Cameras]


class ControlRow(PythonRow):
    """One environment of a batch that can hold any task of one of dm_control's skills.

    The observation is dm_control's, its entries one after the other in dm_control's order, (O,) float64. A step that
    ends the episode (lqr, where the state has come to rest) has "terminated" in info.

    Args:
        env_name: the skill.
        reward_function_version: "dm_control", the only one.
        render_mode: None, "rgb_array" or "depth_array" (metres).
        camera_name: camera, by name.
        camera_id: camera, by number; -1 for MuJoCo's free camera. Without name and number: camera 0.
        width: pixels.
        height: pixels.
    """

    has_cameras = True
    metadata = {"render_modes": ["rgb_array", "depth_array"], "render_fps": 50}

    def __init__(
        self,
        env_name: str,
        reward_function_version: str = "dm_control",
        render_mode: str | None = None,
        camera_name: str | None = None,
        camera_id: int | None = None,
        width: int = 480,
        height: int = 480,
    ) -> None:
        check_choice("render_mode", render_mode, (None, "rgb_array", "depth_array"))
        check_camera(camera_name, camera_id)
        import_suite(env_name)  # to fail here, rather than in a worker's first reset
        self._skill = skill(env_name)
        self.observation_space = observation_space(self._skill)
        self.action_space = action_space(self._skill)
        self.metadata = type(self).metadata | {"render_fps": self._skill.render_fps}
        self.render_mode = render_mode
        self._how = (render_mode, camera_name, camera_id, width, height)
        self._camera: Camera | None = None  # on the environment in use
        self._viewed: dict[Views, Cameras] = {}  # likewise
        self._scenes: OrderedDict[Task, _Scene] = OrderedDict()
        self._built: Built | None = None
        self._built_for: Task | None = None
        self._model_seed = _FIXED_SEED

    @property
    def inner(self) -> Any:
        """dm_control's environment in use; None before the first reset."""
        return None if self._built is None else self._built.environment

    def begin(self, task: Task, seed: int | None) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Starts an episode where dm_control's environment with this seed has its first; None continues its draws."""
        if seed is not None:
            seed = check_seed(seed)
        new = task != self._built_for
        if self._skill.draws_model:  # a generator's first numbers make the model, so each start has its own
            if seed is None:
                seed = int(np.random.SeedSequence().generate_state(1)[0] >> 1) if new else self._draw()
            self._make(task, seed)
        else:
            if new:
                self._make(task, _FIXED_SEED if seed is not None else None)
            if seed is not None:
                self.inner.task.random.seed(legacy_seed(seed))
        return _flat(self.inner.reset().observation), {}

    def _draw(self) -> int:
        return int(self.inner.task.random.randint(2**31))

    def advance(
        self, action: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], float, bool, dict[str, Any]]:
        """Steps dm_control's environment, which has no clock here."""
        try:
            step = self.inner.step(action)
        except RuntimeError as error:  # dm_control's PhysicsError among them
            assert self.task is not None
            raise RuntimeError(
                f"dm_control could not step the task {self.task.id} of {self._skill.env_name}, "
                f"{dict(self.task.params)}: {error}"
            ) from error
        return _flat(step.observation), float(step.reward), bool(step.last()), {}

    def picture(self) -> Any:
        """Returns a picture, (height, width, 3) uint8, or depths, (height, width) float32, metres.

        Raises:
            ValueError: the skill does not have the camera.
            RuntimeError: nothing here can draw.
        """
        if self._camera is None:
            model, data = self.simulation
            self._camera = Camera(model, data, *self._how, default=0)
        return self._camera.picture()

    @property
    def simulation(self) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """MuJoCo's model of the task at hand, and its data."""
        physics = self.inner.physics
        return physics.model.ptr, physics.data.ptr

    def show(self, task: Task, physics: NDArray[np.float64]) -> Any:
        """Returns the picture of a task's model in a state, MuJoCo's integration state; the row is left there."""
        if task != self._built_for:
            self._make(task, _FIXED_SEED)
        mujoco.mj_setState(*self.simulation, physics, _INTEGRATION)
        return self.picture()

    def look(self, views: Views) -> tuple[NDArray[Any], ...]:
        """Returns pictures of this row; see `PythonRow.look`."""
        if views not in self._viewed:
            self._viewed[views] = Cameras(*self.simulation, views, default=0)
        return self._viewed[views].pictures()

    def job(self, views: Views, task: Task, physics: NDArray[np.float64]) -> Job:
        """Returns the taking of pictures of a task's model in a state, MuJoCo's; the row stays where it is."""
        scene = self._scenes.get(task)
        if scene is None:
            built = build(task, _FIXED_SEED, textures=True, draws=False, time_limit=float("inf"))
            built.environment.reset()  # changes what some models look like
            scene = _Scene(built, {})
            self._scenes[task] = scene
            if len(self._scenes) > _MOST_SHOWN:
                self._scenes.popitem(last=False)  # not closed: it may be about to be drawn
        self._scenes.move_to_end(task)
        shown = scene.built.environment.physics
        model, data = shown.model.ptr, shown.data.ptr
        if views not in scene.cameras:
            stage = next((each.stage for each in scene.cameras.values()), None)
            scene.cameras[views] = Cameras(model, data, views, default=0, stage=stage)
        return scene.cameras[views].job(lambda: mujoco.mj_setState(model, data, physics, _INTEGRATION))

    def close(self) -> None:
        """Frees dm_control's environment."""
        for scene in self._scenes.values():
            for cameras in scene.cameras.values():
                cameras.close()
        self._scenes.clear()
        self._free()
        self.task = None

    def _free(self) -> None:
        if self._camera is not None:
            self._camera.close()
            self._camera = None
        for cameras in self._viewed.values():
            cameras.close()
        self._viewed.clear()
        if self._built is not None:
            self._built.environment.physics.free()
        self._built = self._built_for = None

    def _make(self, task: Task, seed: int | None) -> None:
        self._free()
        textures = self.render_mode is not None
        self._built = build(task, seed, textures=textures, draws=False, time_limit=float("inf"))
        self._built_for = task
        self._model_seed = _FIXED_SEED if seed is None else seed

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Returns the physics, what differs in the model, and dm_control's task object and generator."""
        assert self._built is not None
        environment = self.inner
        model, data = self.simulation
        physics = np.empty(mujoco.mj_stateSize(model, _INTEGRATION))
        mujoco.mj_getState(model, data, physics, _INTEGRATION)
        return {
            "model_seed": self._model_seed,
            "physics": physics,
            "sensors": data.sensordata,
            "model": differing(model, self._built.model),
            "attributes": {
                name: value
                for name, value in vars(environment.task).items()
                if isinstance(value, bool | int | float | str | np.ndarray)
            },
            "random": environment.task.random.get_state(legacy=False),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Puts back what `get_state` returned."""
        assert self.task is not None
        self._make(self.task, state["model_seed"])
        environment = self.inner
        model, data = self.simulation
        for name, values in state["model"].items():
            getattr(model, name)[:] = values
        for name, value in state["attributes"].items():
            setattr(environment.task, name, value)
        environment.task.random.set_state(state["random"])
        mujoco.mj_setState(model, data, state["physics"], _INTEGRATION)
        # dm_control ends a step with the first half of the next, which reads positions and velocities alone. A full
        # mj_forward would move the warm start.
        mujoco.mj_step1(model, data)
        data.sensordata[:] = state["sensors"]  # the first half leaves out those of accelerations and forces
        environment._reset_next_step = False


def _flat(observation: Any) -> NDArray[np.float64]:
    return np.concatenate([np.ravel(part) for part in observation.values()]).astype(np.float64, copy=False)
