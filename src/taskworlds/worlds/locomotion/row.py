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
from gymnasium.envs.mujoco import MujocoEnv
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.rendering.camera import Camera
from taskworlds.rows.python_row import PythonRow
from taskworlds.worlds.locomotion.skills import skill

__all__ = ["LocomotionRow"]

_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION


class LocomotionRow(PythonRow):
    """One environment of a batch that can hold any task of one locomotion skill.

    It is the row that Gymnasium's SyncVectorEnv and AsyncVectorEnv step for `TaskVectorEnv`, and not made for use by
    itself: it reports no end of an episode, save as "terminated" in info, and `next_task` must be set before the first
    reset.

    Observation: Gymnasium's, and then the goal's numbers, which are zeros where the task hides its goal.
    Info: Gymnasium's, as floats, with the skill's own reward terms; "goal", (G,) float64; "terminated", bool, where a
    step of the skill can end the episode.

    Args:
        env_name: the skill.
        reward_function_version: "v1", the only one.
        render_mode: None, "rgb_array", "depth_array" or "human".
        camera_name, camera_id, width, height: the camera and the picture, see `Camera`.
    """

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
        super().__init__()
        self._skill = skill(env_name)
        module, _, class_name = self._skill.body.partition(":")
        make = getattr(importlib.import_module(f"gymnasium.envs.mujoco.{module}"), class_name)
        self._official: MujocoEnv = make(**self._skill.arguments)
        self._how = (render_mode, camera_name, camera_id, width, height)
        self._camera: Camera | None = None
        size = self._skill.obs_size + self._skill.goal_size
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (size,), np.float64)
        self.action_space = self.official.action_space
        self.metadata = type(self).metadata | {"render_fps": self.official.metadata["render_fps"]}
        self.render_mode = render_mode
        model = self.official.model
        self._built = {name: getattr(model, name).copy() for name in self._skill.model_params}
        self._task: Task | None = None
        self._goal: tuple[float, ...] = ()
        self._aim: tuple[float, ...] = ()  # the goal, where the reward depends on it
        self._obs = np.zeros(size)

    @property
    def official(self) -> MujocoEnv:
        """Gymnasium's environment."""
        return self._official

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Starts an episode of `next_task`, or of the task at hand if that is None.

        The start is the one that Gymnasium's environment gives for the seed, to the last bit.
        """
        self._set_task(self.next_task or self._task)
        self.next_task = None
        obs, _ = self.official.reset(seed=seed)
        return self._observe(obs), {"goal": np.array(self._goal)}

    def step(
        self, action: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, Any]]:
        """Steps Gymnasium's environment, unless `idle` was set for this step. Reports ends in info alone."""
        if self.idle:
            self.idle = False
            return self._obs, 0.0, False, False, {}
        obs, _, terminated, _, measured = self.official.step(action)
        info: dict[str, Any] = {name: float(value) for name, value in measured.items()}
        effort = sum(each * each for each in action.tolist())
        reward, forward, ctrl = self._skill.reward(
            *(info[name] for name in self._skill.measures), effort, *self._aim
        )
        info |= {"reward_forward": forward, "reward_ctrl": ctrl}
        info |= dict(zip(self._skill.goal_terms, self._goal, strict=False))
        info["goal"] = np.array(self._goal)
        if self._skill.terminates:
            info["terminated"] = bool(terminated)
        return self._observe(obs), reward, False, False, info

    def render(self) -> Any:
        """Gives a picture of this row: by default from the body's own camera, which follows it."""
        if self._camera is None:
            self._camera = Camera(self.official.model, self.official.data, *self._how, default="track")
        return self._camera.picture()

    @property
    def simulation(self) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """MuJoCo's model, with the body of the task at hand, and its data."""
        return self.official.model, self.official.data

    def show(self, task: Task, physics: NDArray[np.float64]) -> Any:
        """Gives the picture of a task's body in a state, MuJoCo's integration state; the row is left there."""
        self._set_task(task)
        mujoco.mj_setState(*self.simulation, physics, _INTEGRATION)
        mujoco.mj_forward(*self.simulation)
        return self.render()

    def close(self) -> None:
        """Closes Gymnasium's environment."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
        self.official.close()

    def _observe(self, obs: NDArray[np.float64]) -> NDArray[np.float64]:
        assert self._task is not None
        shown = np.zeros(len(self._goal)) if self._task["partially_observable"] else self._goal
        self._obs = np.concatenate([obs, shown])
        return self._obs

    def _set_task(self, task: Task | None) -> None:
        if task is None:
            raise RuntimeError("The row has no task yet: set next_task before the first reset.")
        if task == self._task:
            return
        self._task = task
        self._goal = self._skill.goal(task.params)
        self._aim = () if self._skill.model_params else self._goal
        if self._built:
            model = self.official.model
            for name, built in self._built.items():
                getattr(model, name)[:] = built * np.array(task[name])
            mujoco.mj_setConst(model, mujoco.MjData(model))

    # --- exact state ----------------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any] | None:
        """Everything that decides this row's future, as plain values and arrays; None before the first reset.

        Setting it puts the row exactly there, in this or another process: the next steps are equal to the last bit.
        """
        if self._task is None:
            return None
        model, data = self.official.model, self.official.data
        physics = np.empty(mujoco.mj_stateSize(model, _INTEGRATION))
        mujoco.mj_getState(model, data, physics, _INTEGRATION)
        # Gymnasium's ant measures its velocity from the body's place as the last step left it, which MuJoCo computed
        # before it moved the joints for the last time.
        return {
            "task": self._task.to_json(),
            "obs": self._obs.copy(),
            "goal": np.array(self._goal),
            "physics": physics,
            "xpos": data.xpos.copy(),
        }

    @state.setter
    def state(self, state: dict[str, Any] | None) -> None:
        if state is None:
            self._task = None
            return
        self._set_task(Task.from_json(state["task"]))
        self._obs = np.array(state["obs"])
        model, data = self.official.model, self.official.data
        mujoco.mj_setState(model, data, state["physics"], _INTEGRATION)
        mujoco.mj_forward(model, data)  # what a picture shows
        mujoco.mj_setState(model, data, state["physics"], _INTEGRATION)  # mj_forward moved the warm start
        data.xpos[:] = state["xpos"]
