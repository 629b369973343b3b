"""GymEnv: any Gymnasium environment with garage's protocol: `EnvStep`, a time limit, checked observations."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec as GymnasiumEnvSpec
from gymnasium.utils import EzPickle, RecordConstructorArgs

from taskworlds.compat.garage.showing import show, visualize
from taskworlds.compat.garage.step_wrapper import StepWrapper
from taskworlds.core.errors import WrongValue, check_switch
from taskworlds.core.step import EnvSpec, EnvStep, StepType, check_max_episode_length

__all__ = ["GymEnv"]


class GymEnv(StepWrapper, RecordConstructorArgs):
    """A Gymnasium environment whose steps are of the type `EnvStep`.

    Pickling and copying keep as much as they do for the environment itself, except for an open window, which is left
    out. Environments that Gymnasium's EzPickle rebuilds, such as its MuJoCo environments, must be reset after copying.

    Each step's info has two more keys, both bool, for whether the time limit and not the task ended the episode:
    "TimeLimit.truncated" (the environment's own value if it has one) and "GymEnv.TimeLimitTerminated".

    Args:
        env: a Gymnasium environment, or the id of one.
        is_image: whether observations are images of uint8 pixels. They are then returned as float32, scaled from
            0..255 to 0..1, and so is `observation_space`.
        max_episode_length: most steps of an episode, infinity for no limit; None for the environment's own limit. A
            limit that differs from the environment's own is used, with a warning. A longer one does not extend
            episodes: the environment's own limit still ends them.

    Raises:
        TypeError: max_episode_length is not a whole number.
        ValueError: env is neither an id nor a Gymnasium environment, is_image does not fit its observations,
            or max_episode_length is below 1.

    Example:
        >>> env = GymEnv("CartPole-v1", max_episode_length=500)
        >>> obs, info = env.reset(seed=0)
        >>> step = env.step(1)
        >>> step.reward, step.first, step.env_info["TimeLimit.truncated"]
        (1.0, True, False)
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any] | str,
        is_image: bool = False,
        max_episode_length: float | None = None,
    ) -> None:
        if isinstance(env, str):
            env = gymnasium.make(env)
        elif not isinstance(env, gymnasium.Env):
            raise WrongValue(
                f"GymEnv can take env as a Gymnasium id or a gymnasium.Env, not as {type(env).__name__}: "
                f"{env!r}. Convert environments of the older gym to Gymnasium first."
            )
        self._is_image: bool = check_switch("is_image", is_image)
        own_limit = _time_limit(env)
        self._max_episode_length = own_limit
        if max_episode_length is not None:
            self._max_episode_length = check_max_episode_length(max_episode_length)
            if own_limit is not None and self._max_episode_length != own_limit:
                warnings.warn(
                    f"max_episode_length={max_episode_length!r} is used in place of the environment's own "
                    f"limit of {own_limit} steps, which still ends longer episodes. To change "
                    "that limit, make the environment with gymnasium.make(id, max_episode_steps=...).",
                    stacklevel=2,
                )
        RecordConstructorArgs.__init__(self, is_image=is_image, max_episode_length=self._max_episode_length)
        super().__init__(env)
        if is_image:
            self.observation_space = _image_space(env.observation_space)
        self._env_info: dict[str, Any] | None = None  # of the episode's first step, whose keys all steps have
        self._shows: str | None = None  # the mode in which each step is shown, after visualize()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode; seed and options are passed on to the environment.

        Args:
            seed: seed of the environment's generator, at least 0; None to go on with the generator as it is.
            options: passed on to the environment.

        Returns:
            The first observation, and an empty info, as in garage, some of whose workers take no other.

        Raises:
            RuntimeError: the observation does not conform to the space.
            TypeError: the seed is not a whole number.
            ValueError: the seed is negative.
        """
        observation, _ = super().reset(seed=seed, options=options)
        return self._observe(observation), {}

    def _restart(self) -> None:
        super()._restart()
        self._env_info = None

    def step(self, action: Any) -> EnvStep:
        """Steps the environment.

        Args:
            action: an action of its space. The environment gets a copy, so the caller's stays unchanged.

        Returns:
            The `EnvStep`, with a float for the reward. A step that is both terminal and at the limit is terminal.

        Raises:
            RuntimeError: no episode is under way (call reset()); or info has other keys than on the first step of the
                episode; or the observation does not conform to its space.
        """
        step_cnt = (self._steps or 0) + 1
        step = super().step(copy.deepcopy(action))
        if self._shows is not None:
            show(self, self._shows)
        step_type = step.step_type
        if not step.last:
            step_type = StepType.get_step_type(step_cnt, self._max_episode_length, done=False)
        timeout = step_type is StepType.TIMEOUT
        if timeout:
            self._steps = None
        self._check_info(step.env_info)
        info = {"TimeLimit.truncated": timeout} | step.env_info | {"GymEnv.TimeLimitTerminated": timeout}
        return EnvStep(
            self.spec, action, float(step.reward), self._observe(step.observation), info, step_type
        )

    def visualize(self) -> None:
        """Shows the environment, now and at each later step: in its window, or as printed text.

        Where there is neither a display nor a text, it draws a picture offscreen, and warns that it is not shown.

        Raises:
            RuntimeError: the environment has no `visualize` of its own, and no render modes.
        """
        if self.env.has_wrapper_attr("visualize"):
            self.env.get_wrapper_attr("visualize")()
        else:
            self._shows = visualize(self)

    def __getstate__(self) -> dict[str, Any]:
        layers: list[gymnasium.Env[Any, Any]] = [self]
        while isinstance(layers[-1], gymnasium.Wrapper):
            layers.append(layers[-1].env)
        windows = [
            (vars(layer), name, value)
            for layer in layers
            for name, value in vars(layer).items()
            if name == "viewer" or _is_drawing(value)
        ]
        for attributes, name, _ in windows:
            attributes[name] = None
        try:
            state = super().__getstate__()
            if windows:
                state = copy.deepcopy(state)
        finally:
            for attributes, name, value in windows:
                attributes[name] = value
        if any(getattr(type(layer), "__getstate__", None) is EzPickle.__getstate__ for layer in layers):
            state["_steps"] = None
        return state

    def _make_spec(self, inner: GymnasiumEnvSpec) -> EnvSpec:
        spec = super()._make_spec(inner)
        spec.max_episode_steps = self._max_episode_length
        return spec

    def _observe(self, observation: Any) -> Any:
        """Returns an observation as this environment's space has it, or raises that it does not conform."""
        space = self.env.observation_space
        if not _conforms(space, observation):
            raise RuntimeError(
                f"GymEnv observation does not conform to its observation_space, {space}: {observation!r}. "
                "Correct the environment, or the space that it declares."
            )
        return np.asarray(observation, np.float32) / np.float32(255) if self._is_image else observation

    def _check_info(self, info: dict[str, Any]) -> None:
        """Raises if info's keys are not those of the episode's first step."""
        if self._env_info is None:
            self._env_info = info
        elif info.keys() != self._env_info.keys():
            raise RuntimeError(
                "GymEnv outputs inconsistent env_info keys. The first step of the episode had "
                f"{sorted(map(str, self._env_info))}, and this one has {sorted(map(str, info))}. Give the "
                "same keys at each step; put wrappers that add keys at the end of an episode outside GymEnv."
            )


def _time_limit(env: gymnasium.Env[Any, Any]) -> int | None:
    """Returns the time limit of `env`: its spec's, or else a TimeLimit wrapper's; None if it has none."""
    if env.spec is not None and env.spec.max_episode_steps is not None:
        return env.spec.max_episode_steps
    if env.has_wrapper_attr("_max_episode_steps"):
        limit: int = env.get_wrapper_attr("_max_episode_steps")
        return limit
    return None


def _image_space(space: gymnasium.Space[Any]) -> spaces.Box:
    """Returns the space of the scaled pixels, or raises that `space` is not one of images."""
    if not (isinstance(space, spaces.Box) and space.dtype == np.uint8 and len(space.shape) <= 3):
        raise WrongValue(
            "is_image=True needs an observation_space of images, a Box of uint8 with at most 3 dimensions, "
            f"not {space}. Leave is_image out, or wrap the environment so that it returns such images."
        )
    return spaces.Box(space.low / np.float32(255), space.high / np.float32(255), dtype=np.float32)


def _conforms(space: gymnasium.Space[Any], observation: Any) -> bool:
    """Returns whether an observation has the structure and size of `space`; its values are not checked."""
    if space.contains(observation):
        return True
    if isinstance(space, spaces.Dict):
        return (
            isinstance(observation, Mapping)
            and observation.keys() == space.keys()
            and all(_conforms(space[key], observation[key]) for key in space)
        )
    if isinstance(space, spaces.Tuple):
        return (
            isinstance(observation, tuple)
            and len(observation) == len(space)
            and all(map(_conforms, space, observation))
        )
    return space.is_np_flattenable and np.size(observation) == spaces.flatdim(space)


def _is_drawing(value: Any) -> bool:
    """Returns whether `value` is a window, a clock or images of pygame, which Gymnasium draws with."""
    if isinstance(value, list | tuple):
        return any(map(_is_drawing, value))
    return type(value).__module__.partition(".")[0] == "pygame"
