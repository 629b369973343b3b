"""One row of the sync and async engines: any Meta-World skill, stepped by its official Python environment.

The official environments are used as they are; what is mended here is around them: the task comes as a value,
the state can be taken and put back exactly, numbers in info have one type, and the clock is the caller's. A skill that
Meta-World does not have is stepped by a `PlainEnv`, which looks the same from here.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.sawyer_xyz_env import SawyerXYZEnv
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.rows.python_row import PythonRow
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.reference import PlainEnv
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

# Arrays of mjData that official code keeps views of, as if they were copies (`get_body_com` returns one).
# What they show moves with the simulation and some rewards depend on it, so a restored env must have the same
# views again.
_VIEWED = ("xpos", "xquat", "xmat", "site_xpos", "geom_xpos", "qpos", "qvel", "mocap_pos", "mocap_quat")

_NEVER = 2**62  # steps; the vector environment keeps the clock, so the official one must not stop the episode


class OfficialRow(PythonRow):
    """One environment of a batch that can hold any task of any Meta-World skill.

    It is the row that Gymnasium's SyncVectorEnv and AsyncVectorEnv step for `TaskVectorEnv`, and not made for
    use by itself: it reports no end of an episode, and `next_task` must be set before the first reset. An
    official env is built on the first task of its skill (0.2 s, 20 MB) and kept. For a skill that users registered
    it is a `PlainEnv`.

    Args:
        reward_function_version: "v1" or "v2".
        render_mode: None, "rgb_array", "depth_array" or "human".
        camera_name, camera_id, width, height: the official environment's arguments of these names.
    """

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
        super().__init__()
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
        self._envs: dict[str, SawyerXYZEnv] = {}
        self._task: Task | None = None
        self._obs = np.zeros(sawyer.OBS_SIZE)

    @property
    def official(self) -> SawyerXYZEnv:
        """The official environment in use.

        Raises:
            RuntimeError: there was no reset yet.
        """
        if self._task is None:
            raise RuntimeError("There is no environment to look into yet: call reset() first.")
        return self._envs[self._task.env_name]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Starts an episode of `next_task`, or of the task at hand if that is None. Seeds change nothing."""
        self._set_task(self.next_task or self._task)
        self.next_task = None
        self._obs, _ = self.official.reset()
        return self._obs, {"goal": np.array(self.official._target_pos, dtype=np.float64)}

    def step(
        self, action: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, Any]]:
        """Steps the official environment, unless `idle` was set for this step. Never reports an end."""
        if self.idle:
            self.idle = False
            return self._obs, 0.0, False, False, {}
        self._obs, reward, _, _, info = self.official.step(action)
        terms: dict[str, Any] = {name: float(value) for name, value in info.items()}
        terms["goal"] = np.array(self.official._target_pos, dtype=np.float64)
        return self._obs, float(reward), False, False, terms

    def render(self) -> Any:
        """Gives the official environment's picture of this row."""
        return self.official.render()

    def close(self) -> None:
        """Closes the official environments."""
        for env in self._envs.values():
            env.close()
        self._envs.clear()
        self._task = None

    def _set_task(self, task: Task | None) -> None:
        if task is None:
            raise RuntimeError("The row has no task yet: set next_task before the first reset.")
        if task.env_name not in self._envs:
            env: Any
            if task.env_name in ALL_V3_ENVIRONMENTS:
                env = ALL_V3_ENVIRONMENTS[task.env_name](**self._make)
            else:
                env = PlainEnv(skill(task.env_name), **self._make)
            env.max_path_length = _NEVER
            self._envs[task.env_name] = env
        env = self._envs[task.env_name]
        env._set_task_called = True
        env._freeze_rand_vec = True
        env._last_rand_vec = np.array(task["rand_vec"], dtype=np.float64)
        if env._partially_observable != task["partially_observable"]:
            env._partially_observable = task["partially_observable"]
            env.__dict__.pop("sawyer_observation_space", None)  # cached for the other visibility
        self._task = task

    # --- exact state ----------------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any] | None:
        """Everything that decides this row's future, as plain values and arrays; None before the first reset.

        Setting it puts the row exactly there, in this or another process: the next steps are equal to the
        last bit.
        """
        if self._task is None:
            return None
        env = self.official
        size = mujoco.mj_stateSize(env.model, mujoco.mjtState.mjSTATE_INTEGRATION)
        physics = np.empty(size)
        mujoco.mj_getState(env.model, env.data, physics, mujoco.mjtState.mjSTATE_INTEGRATION)
        return {
            "task": self._task.to_json(),
            "obs": self._obs.copy(),
            "goal": np.array(env._target_pos, dtype=np.float64),
            "physics": physics,
            "body_pos": env.model.body_pos.copy(),
            "site_pos": env.model.site_pos.copy(),
            "attributes": {
                name: _save(env, value) for name, value in vars(env).items() if _is_state(name, value)
            },
        }

    @state.setter
    def state(self, state: dict[str, Any] | None) -> None:
        if state is None:
            self._task = None
            return
        self._set_task(Task.from_json(state["task"]))
        env = self.official
        self._obs = np.array(state["obs"])
        env.model.body_pos[:] = state["body_pos"]
        env.model.site_pos[:] = state["site_pos"]
        integration = mujoco.mjtState.mjSTATE_INTEGRATION
        mujoco.mj_setState(env.model, env.data, state["physics"], integration)
        mujoco.mj_forward(env.model, env.data)  # derived quantities (positions of bodies, contacts)
        mujoco.mj_setState(
            env.model, env.data, state["physics"], integration
        )  # mj_forward moved the warm start
        for name, saved in state["attributes"].items():
            setattr(env, name, _load(env, saved))


def _is_state(name: str, value: Any) -> bool:
    return name not in _REBUILT and isinstance(
        value, bool | int | float | str | np.generic | np.ndarray | list | tuple | type(None)
    )


def _save(env: SawyerXYZEnv, value: Any) -> Any:
    """Copies an attribute's value, and turns a view into mjData into the place that it shows."""
    if not isinstance(value, np.ndarray):
        return list(value) if isinstance(value, list) else value
    start = value.__array_interface__["data"][0]
    for field, (first, past) in _extents(env).items():
        if value.size and first <= start < past and value.dtype == np.float64:
            return {"view": field, "start": (start - first) // 8, "shape": value.shape}
    return value.copy()


def _load(env: SawyerXYZEnv, saved: Any) -> Any:
    if isinstance(saved, dict) and "view" in saved:
        flat = getattr(env.data, saved["view"]).reshape(-1)
        size = int(np.prod(saved["shape"]))
        return flat[saved["start"] : saved["start"] + size].reshape(saved["shape"])
    return saved.copy() if isinstance(saved, np.ndarray | list) else saved


def _extents(env: SawyerXYZEnv) -> dict[str, tuple[int, int]]:
    """Where each viewed array of mjData lies in memory: first byte, and first byte past it."""
    extents = {}
    for field in _VIEWED:
        array = getattr(env.data, field)
        first = array.__array_interface__["data"][0]
        extents[field] = (first, first + array.nbytes)
    return extents
