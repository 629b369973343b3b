"""`ControlEnv`: one of dm_control's environments on Gymnasium's API."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box
from gymnasium.utils import seeding
from numpy.typing import NDArray

from taskworlds.core.errors import check_choice, check_count, check_seed
from taskworlds.worlds.control.environment import own_context

__all__ = ["ControlEnv"]


class ControlEnv(gym.Env[NDArray[np.float64], NDArray[np.float64]]):
    """A dm_control environment, with flat observations and actions in [-1, 1].

    Observations are dm_control's own numbers, in its order, in one float64 array. Where dm_control ends an
    episode with a discount of 0, it is terminated; where its clock does, truncated.

    Args:
        environment: dm_control's `control.Environment` over a task of its suite.
        seed: seeds the environment's generator, as dm_control's `task_kwargs={"random": seed}` does; None to
            leave it as it is.
        render_mode: "rgb_array" or None.
        height: of pictures, in pixels.
        width: of pictures, in pixels.
        camera_id: the model's camera that pictures are taken with; -1 for a free one.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: an argument is out of range, or an action has no bounds.

    Example:
        >>> from dm_control import suite
        >>> env = ControlEnv(suite.load("finger", "spin"), seed=0)
        >>> observation, info = env.reset()
        >>> observation.shape, env.action_space
        ((9,), Box(-1.0, 1.0, (2,), float64))
        >>> env.step([0.0, 0.5])[1:]
        (0.0, False, False, {})
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}

    def __init__(
        self,
        environment: Any,
        *,
        seed: int | None = None,
        render_mode: str | None = None,
        height: int = 84,
        width: int = 84,
        camera_id: int = 0,
    ) -> None:
        physics = environment.physics
        self.render_mode = check_choice("render_mode", render_mode, (None, "rgb_array"))
        self.metadata = self.metadata | {"render_fps": round(1 / environment.control_timestep())}
        self._size = {"height": check_count("height", height), "width": check_count("width", width)}
        self._camera = check_count("camera_id", camera_id, minimum=-1)
        if self._camera >= physics.model.ncam:
            raise ValueError(
                f"camera_id must be from -1 (the free camera) to {physics.model.ncam - 1}, not {camera_id}."
            )
        buffer = physics.model.vis.global_
        buffer.offheight = max(buffer.offheight, self._size["height"])
        buffer.offwidth = max(buffer.offwidth, self._size["width"])

        spec = environment.action_spec()
        if not (np.isfinite(spec.minimum).all() and np.isfinite(spec.maximum).all()):
            raise ValueError(f"The environment's actions must have bounds to be in [-1, 1], but are {spec}.")
        self._scale = (spec.maximum - spec.minimum) / 2
        self._shift = (spec.maximum + spec.minimum) / 2
        self.action_space = Box(-1.0, 1.0, spec.shape, np.float64)
        numbers = sum(int(np.prod(each.shape)) for each in environment.observation_spec().values())
        self.observation_space = Box(-np.inf, np.inf, (numbers,), np.float64)
        self._environment = environment
        self._under_way = False
        if seed is not None:
            self._seed(check_seed(seed))

    @property
    def environment(self) -> Any:
        """The dm_control environment, with its `physics` and `task`."""
        return self._environment

    def _seed(self, seed: int) -> None:
        self._np_random, self._np_random_seed = seeding.np_random(seed)
        self._environment.task.random.seed(seed)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: seeds the generator first, so that the start is always the same; None to go on with it.
            options: none are known.

        Raises:
            TypeError: there are options.
        """
        if options:
            raise TypeError(f"reset takes no options, not {', '.join(sorted(map(str, options)))}.")
        if seed is not None:
            self._seed(check_seed(seed))
        time_step = self._environment.reset()
        self._under_way = True
        return self._flat(time_step.observation), {}

    def step(self, action: Any) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, Any]]:
        """Takes one of dm_control's control steps.

        Args:
            action: (A,), each in [-1, 1], where -1 and 1 are the actuator's own bounds.

        Raises:
            RuntimeError: no episode is under way.
            ValueError: the action is of another shape or out of bounds.
        """
        if not self._under_way:
            raise RuntimeError("No episode is under way: call reset() before step().")
        values = np.asarray(action, dtype=np.float64)
        if values.shape != self.action_space.shape or not (np.abs(values) <= 1.0).all():
            raise ValueError(
                f"The action must be {self.action_space.shape}, each number in [-1, 1], not {action!r}. "
                "Clip it, or rescale it."
            )
        time_step = self._environment.step(values * self._scale + self._shift)
        ended = time_step.last()
        terminated = bool(ended and time_step.discount == 0.0)
        self._under_way = not ended
        return (
            self._flat(time_step.observation),
            float(time_step.reward),
            terminated,
            ended and not terminated,
            {},
        )

    @staticmethod
    def _flat(observation: Mapping[str, Any]) -> NDArray[np.float64]:
        return np.concatenate([np.ravel(each) for each in observation.values()], dtype=np.float64)

    def render(self) -> NDArray[np.uint8] | None:
        """Gives a picture of the environment as it is, (height, width, 3) uint8, upright; None without a mode.

        Raises:
            RuntimeError: there is no library to draw with.
        """
        if self.render_mode is None:
            return None
        own_context()
        try:
            return self._environment.physics.render(**self._size, camera_id=self._camera)
        except Exception as error:
            raise RuntimeError(
                f"The picture could not be drawn ({type(error).__name__}: {error}). dm_control takes its "
                "library from MUJOCO_GL when it is imported; that is now "
                f"{os.environ.get('MUJOCO_GL', 'not set')}. Set it to egl or osmesa before; "
                "`taskworlds doctor` shows which works."
            ) from error

    def close(self) -> None:
        """Frees the physics, and what draws it."""
        self._under_way = False
        self._environment.physics.free()
