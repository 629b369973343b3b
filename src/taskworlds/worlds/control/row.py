"""One row of the sync and async engines: dm_control's own environment of any task of one skill."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import check_choice, check_seed
from taskworlds.core.task import Task
from taskworlds.rows.python_row import PythonRow
from taskworlds.worlds.control.environment import Built, build, differing, import_suite, own_context
from taskworlds.worlds.control.skills import skill
from taskworlds.worlds.control.world import action_space, observation_space

__all__ = ["ControlRow"]

_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION
_FIXED_SEED = 0  # of an environment whose generator is put in place afterwards


class ControlRow(PythonRow):
    """One environment of a batch that can hold any task of one of dm_control's skills.

    It is the row that Gymnasium's SyncVectorEnv and AsyncVectorEnv step for `TaskVectorEnv`, and not made for use by
    itself: it keeps no clock, and `next_task` must be set before the first reset. The observation is dm_control's,
    its entries one after the other in dm_control's order, (O,) float64. A step that ends the episode (lqr, where the
    state has come to rest) has "terminated" in info.

    Args:
        env_name: the skill.
        reward_function_version: "dm_control", the only one.
        render_mode: None, "rgb_array" or "depth_array" (metres).
        camera_name: camera, by name.
        camera_id: camera, by number; -1 for MuJoCo's free camera. Without name and number: camera 0.
        width: pixels.
        height: pixels.
    """

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
        super().__init__()
        check_choice("render_mode", render_mode, (None, "rgb_array", "depth_array"))
        if camera_name is not None and camera_id is not None:
            raise ValueError("A camera is chosen by camera_name or by camera_id, not by both.")
        import_suite(env_name)  # to fail here, rather than in a worker's first reset
        self.observation_space = observation_space(skill(env_name))
        self.action_space = action_space(skill(env_name))
        self.metadata = type(self).metadata | {"render_fps": skill(env_name).render_fps}
        self.render_mode = render_mode
        self._skill = skill(env_name)
        self._camera: str | int = camera_name if camera_name is not None else camera_id or 0
        self._size = {"width": width, "height": height}
        self._task: Task | None = None
        self._built: Built | None = None
        self._model_seed = _FIXED_SEED
        self._obs = np.zeros(self._skill.obs_size)

    @property
    def official(self) -> Any:
        """dm_control's environment in use.

        Raises:
            RuntimeError: there was no reset yet.
        """
        if self._built is None:
            raise RuntimeError("There is no environment to look into yet: call reset() first.")
        return self._built.environment

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Starts an episode of `next_task`, or of the task at hand if that is None.

        Args:
            seed: the start is the first of dm_control's environment with this seed; None to go on with the generator at
                hand.
            options: none are known.
        """
        task, self.next_task = self.next_task or self._task, None
        if task is None:
            raise RuntimeError("The row has no task yet: set next_task before the first reset.")
        if seed is not None:
            seed = check_seed(seed)
        new = task != self._task
        if self._skill.draws_model:  # a generator's first numbers make the model, so each start has its own
            if seed is None:
                seed = int(np.random.SeedSequence().generate_state(1)[0] >> 1) if new else self._draw()
            self._make(task, seed)
        else:
            if new:
                self._make(task, _FIXED_SEED if seed is not None else None)
            if seed is not None:
                self.official.task.random.seed(seed)
        own_context()  # some resets draw
        self._obs = _flat(self.official.reset().observation)
        return self._obs, {}

    def _draw(self) -> int:
        return int(self.official.task.random.randint(2**31))

    def step(
        self, action: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, Any]]:
        """Steps dm_control's environment, unless `idle` was set for this step. Never reports an end but in info."""
        if self.idle:
            self.idle = False
            return self._obs, 0.0, False, False, {}
        try:
            step = self.official.step(action)
        except RuntimeError as error:  # dm_control's PhysicsError among them
            raise RuntimeError(
                f"dm_control could not step the task {self._task and self._task.id} of {self._skill.env_name}, "
                f"{self._task and dict(self._task.params)}: {error}"
            ) from error
        self._obs = _flat(step.observation)
        return self._obs, float(step.reward), False, False, {"terminated": bool(step.last())}

    def render(self) -> Any:
        """Gives a picture, (height, width, 3) uint8, or depths, (height, width) float32, metres."""
        own_context()
        physics = self.official.physics
        frame = physics.model.vis.global_
        frame.offwidth = max(frame.offwidth, self._size["width"])
        frame.offheight = max(frame.offheight, self._size["height"])
        self._check_camera(physics.model)
        return physics.render(**self._size, camera_id=self._camera, depth=self.render_mode == "depth_array")

    def _check_camera(self, model: Any) -> None:
        names = [model.id2name(number, "camera") for number in range(model.ncam)]
        known = self._camera in names if isinstance(self._camera, str) else -1 <= self._camera < model.ncam
        if not known:
            raise ValueError(
                f"{self._skill.env_name} has no camera {self._camera!r}. camera_name can be {', '.join(names)}; "
                f"camera_id -1 (free) to {model.ncam - 1}."
            )

    @property
    def simulation(self) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """MuJoCo's model of the task at hand, and its data."""
        physics = self.official.physics
        return physics.model.ptr, physics.data.ptr

    def show(self, task: Task, physics: NDArray[np.float64]) -> Any:
        """Gives the picture of a task's model in a state, MuJoCo's integration state; the row is left there."""
        if task != self._task:
            self._make(task, _FIXED_SEED)
        mujoco.mj_setState(*self.simulation, physics, _INTEGRATION)
        mujoco.mj_forward(*self.simulation)
        return self.render()

    def close(self) -> None:
        """Frees dm_control's environment."""
        if self._built is not None:
            self._built.environment.physics.free()
        self._built = None
        self._task = None

    def _make(self, task: Task, seed: int | None) -> None:
        self.close()
        self._built = build(task, seed, textures=self.render_mode is not None, time_limit=float("inf"))
        self._task = task
        self._model_seed = _FIXED_SEED if seed is None else seed

    # --- exact state ----------------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any] | None:
        """Everything that decides this row's future, as plain values and arrays; None before the first reset.

        Setting it puts the row exactly there, in this or another process: the next steps are equal to the last bit.
        """
        if self._task is None or self._built is None:
            return None
        environment = self.official
        model, data = environment.physics.model.ptr, environment.physics.data.ptr
        physics = np.empty(mujoco.mj_stateSize(model, _INTEGRATION))
        mujoco.mj_getState(model, data, physics, _INTEGRATION)
        return {
            "task": self._task.to_json(),
            "model_seed": self._model_seed,
            "obs": self._obs.copy(),
            "physics": physics,
            "sensors": data.sensordata.copy(),
            "model": differing(model, self._built.model),
            "attributes": {
                name: value.copy() if isinstance(value, np.ndarray) else value
                for name, value in vars(environment.task).items()
                if isinstance(value, bool | int | float | str | np.ndarray)
            },
            "random": environment.task.random.get_state(legacy=False),
        }

    @state.setter
    def state(self, state: dict[str, Any] | None) -> None:
        if state is None:
            self.close()
            return
        self._make(Task.from_json(state["task"]), state["model_seed"])
        environment = self.official
        model, data = environment.physics.model.ptr, environment.physics.data.ptr
        for name, values in state["model"].items():
            getattr(model, name)[:] = values
        for name, value in state["attributes"].items():
            setattr(environment.task, name, value.copy() if isinstance(value, np.ndarray) else value)
        environment.task.random.set_state(state["random"])
        mujoco.mj_setState(model, data, state["physics"], _INTEGRATION)
        # dm_control ends a step with the first half of the next, which reads positions and velocities alone. A full
        # mj_forward would move the warm start.
        mujoco.mj_step1(model, data)
        data.sensordata[:] = state[
            "sensors"
        ]  # those of accelerations and forces, which the first half leaves alone
        environment._reset_next_step = False
        self._obs = np.array(state["obs"])


def _flat(observation: Any) -> NDArray[np.float64]:
    return np.concatenate([np.ravel(part) for part in observation.values()]).astype(np.float64, copy=False)
