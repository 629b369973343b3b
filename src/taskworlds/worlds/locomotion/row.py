"""One row of the sync and async engines: a locomotion skill on Gymnasium's own MuJoCo environment.

Gymnasium's environment steps the physics, observes and draws the starts. What is added: the task's reward, the goal
in observation and info, the body's parameters, and a state that can be taken and put back exactly.
"""

from __future__ import annotations

import importlib
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.rendering.camera import Camera
from taskworlds.rendering.cameras import Cameras
from taskworlds.rendering.drawing import Job
from taskworlds.rendering.views import Views
from taskworlds.rows.python_row import PythonRow
from taskworlds.worlds.locomotion.skills import skill

__all__ = ["LocomotionRow"]

_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION


class LocomotionRow(PythonRow):
    """One environment of a batch that can hold any task of one locomotion skill.

    Observation: Gymnasium's, followed by the goal's numbers, which are zeros where the task hides its goal.
    Info: Gymnasium's, as floats, with the skill's own reward terms; "goal", (G,) float64; "terminated", bool, where a
    step of the skill can end the episode.

    Args:
        env_name: the skill.
        reward_function_version: "v1", the only one.
        render_mode: None, "rgb_array", "depth_array" or "human".
        camera_name, camera_id, width, height: the camera and the picture, see `Camera`. By default it is the body's own
            camera, which follows it.
    """

    has_cameras = True
    metadata = {"render_modes": ["human", "rgb_array", "depth_array"], "render_fps": 20}

    def __init__(
        self,
        env_name: str,
        reward_function_version: str = "v1",
        render_mode: str | None = None,
        camera_name: str | None = None,
        camera_id: int | None = None,
        width: int = 480,
        height: int = 480,
    ) -> None:
        self._skill = skill(env_name)
        module, _, class_name = self._skill.body.partition(":")
        make = getattr(importlib.import_module(f"gymnasium.envs.mujoco.{module}"), class_name)
        self._env: Any = make(**self._skill.arguments)
        self._how = (render_mode, camera_name, camera_id, width, height)
        self._camera: Camera | None = None
        self._viewed: dict[Views, Cameras] = {}
        size = self._skill.obs_size + self._skill.goal_size
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (size,), np.float64)
        self.action_space = self._env.action_space
        self.metadata = type(self).metadata | {"render_fps": self._env.metadata["render_fps"]}
        self.render_mode = render_mode
        self._built = {name: getattr(self._env.model, name).copy() for name in self._skill.model_params}
        self._placed: Task | None = None  # whose body the model has
        self._goal_numbers: tuple[float, ...] = ()
        self._aim: tuple[float, ...] = ()  # the goal, where the reward depends on it

    @property
    def inner(self) -> Any:
        """Gymnasium's environment."""
        return self._env

    def begin(self, task: Task, seed: int | None) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Starts an episode where Gymnasium's environment starts for the seed, to the last bit."""
        self._place(task)
        obs, _ = self._env.reset(seed=seed)
        return self._observed(obs), {"goal": self._goal_numbers}

    def advance(
        self, action: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], float, bool | None, dict[str, Any]]:
        """Steps Gymnasium's environment."""
        obs, _, terminated, _, measured = self._env.step(action)
        terms: dict[str, Any] = {name: float(value) for name, value in measured.items()}
        effort = sum(each * each for each in action.tolist())
        reward, forward, ctrl = self._skill.reward(
            *(terms[name] for name in self._skill.measures), effort, *self._aim
        )
        terms |= {"reward_forward": forward, "reward_ctrl": ctrl}
        terms |= dict(zip(self._skill.goal_terms, self._goal_numbers, strict=False))
        ended = bool(terminated) if self._skill.terminates else None
        return self._observed(obs), reward, ended, terms

    def picture(self) -> Any:
        """Returns a picture of this row."""
        if self._camera is None:
            model, data = self.simulation
            self._camera = Camera(model, data, *self._how, default="track")
        return self._camera.picture()

    @property
    def simulation(self) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """MuJoCo's model, with the body of the task at hand, and its data."""
        return self._env.model, self._env.data

    def show(self, task: Task, physics: NDArray[np.float64]) -> Any:
        """Returns the picture of a task's body in a state, MuJoCo's integration state; the row is left there."""
        self._place(task)
        mujoco.mj_setState(*self.simulation, physics, _INTEGRATION)
        return self.picture()

    def look(self, views: Views) -> tuple[NDArray[Any], ...]:
        """Returns pictures of this row; see `PythonRow.look`."""
        return self._cameras(views).pictures()

    def job(self, views: Views, task: Task, physics: NDArray[np.float64]) -> Job:
        """Returns the taking of pictures of a task's body in a state, MuJoCo's; the row is left there."""

        def place() -> None:
            self._place(task)
            mujoco.mj_setState(*self.simulation, physics, _INTEGRATION)

        return self._cameras(views).job(place)

    def _cameras(self, views: Views) -> Cameras:
        if views not in self._viewed:
            model, data = self.simulation
            first = next(iter(self._viewed.values()), None)
            stage = None if first is None else first.stage  # one copy of the model is enough
            self._viewed[views] = Cameras(model, data, views, default="track", stage=stage)
        return self._viewed[views]

    def close(self) -> None:
        """Closes Gymnasium's environment."""
        for cameras in self._viewed.values():
            cameras.close()
        self._viewed.clear()
        if self._camera is not None:
            self._camera.close()
            self._camera = None
        self._env.close()

    def _observed(self, obs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns Gymnasium's observation with the goal behind it."""
        assert self.task is not None
        hidden = self.task["partially_observable"]
        return np.concatenate([obs, np.zeros(len(self._goal_numbers)) if hidden else self._goal_numbers])

    def _place(self, task: Task) -> None:
        """Takes a task's goal, and gives the model its body."""
        self._goal_numbers = self._skill.goal(task.params)
        self._aim = () if self._skill.model_params else self._goal_numbers
        if self._built and task != self._placed:
            model = self._env.model
            for name, built in self._built.items():
                getattr(model, name)[:] = built * np.array(task[name])
            mujoco.mj_setConst(model, mujoco.MjData(model))
            self._placed = task

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Returns the physics."""
        model, data = self.simulation
        physics = np.empty(mujoco.mj_stateSize(model, _INTEGRATION))
        mujoco.mj_getState(model, data, physics, _INTEGRATION)
        # Gymnasium's ant measures its velocity from the body's place as the last step left it, which MuJoCo computed
        # before it moved the joints for the last time.
        return {"physics": physics, "xpos": data.xpos}

    def set_state(self, state: dict[str, Any]) -> None:
        """Puts back what `get_state` returned."""
        assert self.task is not None
        self._place(self.task)
        model, data = self.simulation
        mujoco.mj_setState(model, data, state["physics"], _INTEGRATION)
        mujoco.mj_forward(model, data)  # what a picture shows
        mujoco.mj_setState(model, data, state["physics"], _INTEGRATION)  # mj_forward moved the warm start
        data.xpos[:] = state["xpos"]
