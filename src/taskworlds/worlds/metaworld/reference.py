"""A skill as a plain Python environment: MuJoCo's bindings step its whole model, and its kernel runs uncompiled.

The sync and async engines use it for the skills that Meta-World has no environment for. It shares nothing with the
native engine but the skill's own functions, so `check_skill` takes it for the oracle.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.edits import vary
from taskworlds.worlds.metaworld.factors import Look, Physics
from taskworlds.worlds.metaworld.kernel import (
    TERM_SIZE,
    first_observation,
    plain_kernel,
    read_values,
)
from taskworlds.worlds.metaworld.models import full_metaworld_model
from taskworlds.worlds.metaworld.reset import begin
from taskworlds.worlds.metaworld.skill import Skill

if TYPE_CHECKING:
    from taskworlds.rendering.views import Views
    from taskworlds.worlds.metaworld.row_renderer import RowRenderer

__all__ = ["PlainEnv"]

_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION


class PlainEnv:
    """One skill, with the attributes of Meta-World's own environments that `OfficialRow` uses.

    The task is set from outside: `_last_rand_vec`, and whether the goal is hidden, `_partially_observable`.

    Args:
        skill: the skill.
        reward_function_version: "v1" or "v2".
        render_mode: None, "rgb_array", "depth_array" or "human".
        camera: `camera_name`, `camera_id`, `width` and `height`, as for `RowRenderer`.

    Example:
        >>> from taskworlds.worlds.metaworld.skills import skill
        >>> env = PlainEnv(skill("drawer-open-v3"))
        >>> env._last_rand_vec = np.array([0.0, 0.9, 0.0])
        >>> obs, _ = env.reset()
        >>> obs[36:39].round(2).tolist()
        [0.0, 0.54, 0.09]
    """

    def __init__(
        self,
        skill: Skill,
        reward_function_version: str = "v2",
        render_mode: str | None = None,
        **camera: Any,
    ) -> None:
        self._skill = skill
        self._kernel = plain_kernel(skill, reward_function_version)
        self._draw = (render_mode, camera)
        self._renderer: RowRenderer | None = None
        self._fresh = full_metaworld_model(skill.model)
        self.model = copy.copy(self._fresh)
        self.data = mujoco.MjData(self.model)
        self._last_rand_vec: NDArray[np.float64] | None = None
        self._partially_observable = False
        self._target_pos = np.zeros(3)
        self._params = np.zeros(0)
        self._memory = np.zeros(0)
        self._physics: Physics = ()
        self._look: Look = ()

    def change(self, physics: Physics, look: Look) -> None:
        """Takes the factors of a task. Where physical ones change, a reset or a state must follow."""
        if physics != self._physics:
            self._physics = physics
            self.model = self._new_model()
            self.data = mujoco.MjData(self.model)
        self._look = look

    def _new_model(self) -> mujoco.MjModel:
        model = copy.copy(self._fresh)
        vary(model, self._skill.name, self._physics)
        return model

    def reset(self) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Starts an episode of the task that was set; gives observation (39,) and an empty info."""
        assert self._last_rand_vec is not None
        model = self._new_model()
        beginning = begin(self._skill, model, self._last_rand_vec)
        self.model, self.data = model, beginning.data
        visible = not self._partially_observable
        obs, self._memory, self._target_pos = first_observation(self._skill, beginning, visible)
        starts = [beginning.start[name] for name in self._skill.start]
        self._params = np.concatenate([np.array([float(visible)]), *starts])
        return obs, {}

    def step(
        self, action: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, float]]:
        """Takes a step, (4,); never ends the episode."""
        moved = np.clip(action[:3], -1, 1) * sawyer.ACTION_SCALE  # in float32, if the action is
        place = self.data.mocap_pos[0] + moved
        self.data.mocap_pos[0] = np.clip(place, self._skill.hand_low, self._skill.hand_high)
        self.data.mocap_quat[0] = sawyer.HAND_QUAT
        self.data.ctrl[:2] = action[3], -action[3]
        mujoco.mj_step(self.model, self.data, nstep=sawyer.FRAME_SKIP)
        mujoco.mj_forward(self.model, self.data)
        return self.after_step(self.data, action)

    def after_step(
        self, data: mujoco.MjData, action: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, float]]:
        """Returns what `step` returns, of a simulation that has taken the step: this one's, or one beside it.

        Physics knows of no reward, so environments with other rewards can follow one simulation. Each must have been
        reset to its start.
        """
        obs, terms = np.zeros(sawyer.OBS_SIZE), np.zeros(TERM_SIZE)
        now = read_values(self._skill, data)
        single = action.dtype == np.float32
        self._kernel(now, action.astype(np.float64), self._params, self._memory, obs, terms, single)
        self._target_pos = terms[-3:].copy()
        return (
            obs,
            float(terms[0]),
            False,
            False,
            dict(zip(sawyer.TERM_NAMES, terms[1:8].tolist(), strict=True)),
        )

    def physics(self) -> NDArray[np.float64]:
        """Returns MuJoCo's integration state, (S,)."""
        state = np.empty(mujoco.mj_stateSize(self.model, _INTEGRATION))
        mujoco.mj_getState(self.model, self.data, state, _INTEGRATION)
        return state

    def render(self) -> Any:
        """Returns a picture, upright, by the `render_mode`."""
        return self._painter().render(self._skill, self.physics(), self._moved(), self._physics, self._look)

    def look(self, views: Views) -> Any:
        """Returns pictures, as `PythonRow.look`."""
        row = self._skill, self.physics(), self._moved(), self._physics, self._look
        return self._painter().job(views, *row).draw()

    def _painter(self) -> RowRenderer:
        if self._renderer is None:
            from taskworlds.worlds.metaworld.row_renderer import RowRenderer

            mode, camera = self._draw
            self._renderer = RowRenderer(mode, **camera)
        return self._renderer

    def _moved(self) -> NDArray[np.float64]:
        """Returns the values of the skill's `moves`, (V,)."""
        moved = [
            (self.model.body(name) if field == "body_pos" else self.model.site(name)).pos
            for field, name in self._skill.moves
        ]
        return np.array(moved).reshape(-1)

    def close(self) -> None:
        """Frees what drawing holds."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
