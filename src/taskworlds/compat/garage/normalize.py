"""`NormalizedEnv` (also called `normalize`): observations, rewards and actions on a common scale.

The running statistics are garage's; here they can also be frozen, saved, and shared between environments.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec as GymnasiumEnvSpec
from gymnasium.spaces import Box
from gymnasium.utils import RecordConstructorArgs

from taskworlds.compat.garage.running_statistics import RunningStatistics
from taskworlds.compat.garage.step_wrapper import StepWrapper
from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.core.step import EnvSpec, EnvStep

__all__ = ["NormalizedEnv", "normalize"]


class NormalizedEnv(StepWrapper, RecordConstructorArgs):
    """Normalizes observations and rewards by running statistics, and takes actions on a symmetric scale.

    Observations (if `normalize_obs`) become (x - mean) / (std + 1e-8); the statistics are updated with each observation
    of `reset` and `step` before it is normalized. Rewards (if `normalize_reward`) become r / (std + 1e-8), without
    centring, and are then always multiplied by `scale_reward`.

    Actions in [-s, s], where s is `expected_action_scale`, are mapped to the bounds of the environment's action space
    and clipped to them, if that is a Box of floats with finite bounds. Other actions are passed on unchanged.

    The spaces describe the observations and actions of this wrapper: a normalized observation has no finite bounds and
    is float32, or float64 where the environment's dtype needs it (float64, int32, int64); the action space is [-s, s].

    Statistics are updated until `freeze()`. For evaluation, pass the training environment's statistics to the
    evaluation environment and freeze the latter: it then uses what the training environment learns, and adds nothing.

    Args:
        env: the environment to wrap.
        scale_reward: factor by which the reward is multiplied, finite.
        normalize_obs: whether to normalize observations.
        normalize_reward: whether to normalize rewards.
        expected_action_scale: largest absolute value of the actions passed to `step`, above 0.
        flatten_obs: whether normalized observations are flat vectors (as from `gymnasium.spaces.flatten`); False keeps
            their shape, and needs a Box. Without `normalize_obs` observations are never reshaped.
        obs_alpha: weight of the newest observation in the statistics, in [0, 1].
        reward_alpha: weight of the newest reward in the statistics, in [0, 1].
        obs_statistics: statistics to use and to update further, of the flat observation's shape; None for new ones.
        reward_statistics: statistics to use and to update further, of shape (); None for new ones.

    Attributes:
        obs_statistics: `RunningStatistics` of the observations, None without `normalize_obs`.
        reward_statistics: `RunningStatistics` of the rewards, None without `normalize_reward`.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range, or the statistics that are given do not fit or are not used.

    Example:
        >>> import gymnasium
        >>> env = NormalizedEnv(gymnasium.make("Pendulum-v1"), normalize_obs=True, scale_reward=0.1)
        >>> observation, info = env.reset(seed=0)
        >>> evaluation = NormalizedEnv(
        ...     gymnasium.make("Pendulum-v1"), normalize_obs=True, obs_statistics=env.obs_statistics
        ... )
        >>> evaluation.freeze()
        >>> learned = env.obs_statistics.to_json()
        >>> observation, info = evaluation.reset(seed=1)
        >>> env.obs_statistics.to_json() == learned
        True
        >>> env.action_space
        Box(-1.0, 1.0, (1,), float32)
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        scale_reward: float = 1.0,
        normalize_obs: bool = False,
        normalize_reward: bool = False,
        expected_action_scale: float = 1.0,
        flatten_obs: bool = True,
        obs_alpha: float = 0.001,
        reward_alpha: float = 0.001,
        *,
        obs_statistics: RunningStatistics | None = None,
        reward_statistics: RunningStatistics | None = None,
    ) -> None:
        for argument, flag in (
            ("normalize_obs", normalize_obs),
            ("normalize_reward", normalize_reward),
            ("flatten_obs", flatten_obs),
        ):
            if not isinstance(flag, bool | np.bool_):
                raise WrongType(f"{argument} must be True or False, not {flag!r}.", argument=argument)
        _check_number("scale_reward", scale_reward)
        _check_number("expected_action_scale", expected_action_scale)
        if expected_action_scale <= 0:
            raise WrongValue(
                f"expected_action_scale must be above 0, not {expected_action_scale!r}.",
                argument="expected_action_scale",
            )
        for argument, alpha in (("obs_alpha", obs_alpha), ("reward_alpha", reward_alpha)):
            _check_number(argument, alpha)
            if not 0 <= alpha <= 1:
                raise WrongValue(
                    f"{argument} must be in [0, 1], not {alpha!r}: it is the weight of a new value.",
                    argument=argument,
                )
        RecordConstructorArgs.__init__(
            self,
            scale_reward=scale_reward,
            normalize_obs=normalize_obs,
            normalize_reward=normalize_reward,
            expected_action_scale=expected_action_scale,
            flatten_obs=flatten_obs,
            obs_alpha=obs_alpha,
            reward_alpha=reward_alpha,
            obs_statistics=obs_statistics,
            reward_statistics=reward_statistics,
        )
        StepWrapper.__init__(self, env)
        self._frozen = False
        self._scale_reward = float(scale_reward)
        self._action_scale = float(expected_action_scale)
        self._obs_alpha = float(obs_alpha)
        self._reward_alpha = float(reward_alpha)

        obs_shape: tuple[int, ...] = ()
        if normalize_obs:
            self.observation_space = _normalized_space(env.observation_space, flatten_obs)
            obs_shape = (gymnasium.spaces.flatdim(env.observation_space),)
        self.obs_statistics = _statistics("obs", normalize_obs, obs_statistics, obs_shape)
        self.reward_statistics = _statistics("reward", normalize_reward, reward_statistics, ())

        self._rescales_actions = _is_finite_box(env.action_space)
        if self._rescales_actions:
            scale = self._action_scale
            self.action_space = Box(
                -scale, scale, env.action_space.shape, dtype=np.dtype(env.action_space.dtype).type
            )

    @property
    def frozen(self) -> bool:
        """Whether this environment leaves the statistics unchanged."""
        return self._frozen

    def freeze(self) -> None:
        """Stops updating the statistics; this environment still normalizes by them."""
        self._frozen = True
        self._cached_spec = None

    def unfreeze(self) -> None:
        """Updates the statistics again."""
        self._frozen = False
        self._cached_spec = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode; the first observation is normalized as well.

        Args:
            seed: seed of the environment's generator, at least 0; None to go on with the generator as it is.
            options: passed on to the environment.

        Returns:
            The first observation, in `observation_space`, and the arrays of the environment's info.

        Raises:
            TypeError: the seed is not a whole number.
            ValueError: the seed is negative.
        """
        observation, info = super().reset(seed=seed, options=options)
        return self._observe(observation), info

    def step(self, action: Any) -> EnvStep:
        """Takes one step with an action on the expected scale.

        Args:
            action: a value of `action_space`. Where the environment's actions are a Box of floats with finite bounds,
                it goes from minus to plus `expected_action_scale`, and what lies outside is clipped.

        Returns:
            The `EnvStep`, with the action as given, and the observation and the reward normalized.

        Raises:
            RuntimeError: no episode is under way: call reset().
            ValueError: the action has another shape than the action space.
        """
        step = super().step(self._inner_action(action))
        return EnvStep(
            self.spec,
            action,
            self._reward(step.reward),
            self._observe(step.observation),
            step.env_info,
            step.step_type,
        )

    def _inner_action(self, action: Any) -> Any:
        if not self._rescales_actions:
            return action
        space = self.env.action_space
        assert isinstance(space, Box)
        given = np.asarray(action, np.float64)
        if given.shape != space.shape:
            raise WrongValue(
                f"The action must have the action space's shape {space.shape}, not {given.shape}: {action!r}."
            )
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)
        inner = low + (given + self._action_scale) * 0.5 * (high - low) / self._action_scale
        return np.clip(inner.astype(space.dtype), space.low, space.high)

    def _observe(self, observation: Any) -> Any:
        if self.obs_statistics is None:
            return observation
        flat = np.asarray(gymnasium.spaces.flatten(self.env.observation_space, observation), np.float64)
        if not self._frozen:
            self.obs_statistics.update(flat, self._obs_alpha)
        normalized = (flat - self.obs_statistics.mean) / self.obs_statistics.scale
        return normalized.astype(self.observation_space.dtype).reshape(self.observation_space.shape)

    def _reward(self, reward: Any) -> float:
        value = float(reward)
        if self.reward_statistics is not None:
            if not self._frozen:
                self.reward_statistics.update(value, self._reward_alpha)
            value = value / float(self.reward_statistics.scale)
        return value * self._scale_reward

    def _make_spec(self, inner: GymnasiumEnvSpec) -> EnvSpec:
        spec = super()._make_spec(inner)
        learns = self.obs_statistics is not None or self.reward_statistics is not None
        # While the statistics change, equal states and seeds lead to unequal observations or rewards.
        spec.nondeterministic = inner.nondeterministic or (learns and not self._frozen)
        return spec


normalize = NormalizedEnv


def _is_finite_box(space: gymnasium.Space[Any]) -> bool:
    """Returns whether `space` is a Box of floats with finite bounds."""
    if not isinstance(space, Box) or space.dtype.kind != "f":
        return False
    return bool(np.isfinite(space.low).all() and np.isfinite(space.high).all())


def _check_number(argument: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise WrongType(f"{argument} must be a number, not {value!r}.", argument=argument)
    if not math.isfinite(value):
        raise WrongValue(f"{argument} must be finite, not {value!r}.", argument=argument)


def _normalized_space(space: gymnasium.Space[Any], flatten: bool) -> Box:
    """Returns the space of the normalized observations of `space`: floats without bounds."""
    if flatten:
        if not space.is_np_flattenable:
            raise WrongValue(
                f"normalize_obs needs observations that flatten to a vector, not those of {space}."
            )
        space = gymnasium.spaces.flatten_space(space)
    if not isinstance(space, Box):
        raise WrongValue(
            f"flatten_obs=False needs observations of a Box, not of {space}: "
            "normalized values do not lie in it. Use flatten_obs=True."
        )
    return Box(-np.inf, np.inf, space.shape, dtype=np.result_type(space.dtype, np.float32).type)


def _statistics(
    kind: str, used: bool, given: RunningStatistics | None, shape: tuple[int, ...]
) -> RunningStatistics | None:
    """Returns the statistics of "obs" or "reward": those given, or new ones; None if they are not used."""
    argument = f"{kind}_statistics"
    if given is not None:
        if not isinstance(given, RunningStatistics):
            raise WrongType(
                f"{argument} must be a RunningStatistics or None, not {given!r}.", argument=argument
            )
        if not used:
            raise WrongValue(f"{argument} were given but are not used. Add normalize_{kind}=True.")
        if given.shape != shape:
            raise WrongValue(
                f"{argument} must have shape {shape}, not {given.shape}: they belong to another environment.",
                argument=argument,
            )
        return given
    return RunningStatistics(shape) if used else None
