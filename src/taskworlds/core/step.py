"""What a step returns: `EnvStep`, `StepType` and `EnvSpec`, the same for garage's users and for Gymnasium's.

`EnvStep` is Gymnasium's tuple of five that can also be read by garage's names. `EnvSpec` is Gymnasium's spec
that also carries the spaces and the time limit.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Callable
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec as GymnasiumEnvSpec

from taskworlds.core.errors import WrongValue, check_count

__all__ = ["EnvSpec", "EnvStep", "SpecMixin", "StepType", "check_max_episode_length"]


def check_max_episode_length(value: float | None) -> int | None:
    """Returns a time limit as an int, or None for no limit, which infinity means too.

    Raises:
        TypeError: it is not a whole number.
        ValueError: it is below 1.

    Example:
        >>> check_max_episode_length(500), check_max_episode_length(math.inf)
        (500, None)
    """
    if value is None or value == math.inf:
        return None
    return check_count("max_episode_length (None for no limit)", value)


class StepType(enum.IntEnum):
    """Where a step stands in its episode.

    Attributes:
        FIRST: the first step taken, not the reset.
        MID: none of the others.
        TERMINAL: the task ended with it, also where this was at the limit or the first step.
        TIMEOUT: the clock alone ended the episode with it.
    """

    FIRST = 0
    MID = 1
    TERMINAL = 2
    TIMEOUT = 3

    @classmethod
    def get_step_type(cls, step_cnt: int, max_episode_length: float | None, done: bool) -> StepType:
        """Classifies a step.

        Args:
            step_cnt: how many steps the episode has had, this one included; at least 1.
            max_episode_length: the episode's limit, None or infinity for none.
            done: whether the step ended the task (as opposed to the clock).

        Returns:
            TERMINAL if `done`, also at the limit; else TIMEOUT at the limit; else FIRST for step 1, else MID.

        Raises:
            ValueError: `step_cnt` is below 1: the environment was not reset.
        """
        if step_cnt < 1:
            raise WrongValue(
                f"step_cnt must be at least 1, not {step_cnt}: call reset() before the first step.",
                argument="step_cnt",
            )
        timeout = max_episode_length is not None and step_cnt >= max_episode_length
        return cls.of(done, timeout, is_first=step_cnt == 1)

    @classmethod
    def of(cls, terminated: bool, truncated: bool, is_first: bool) -> StepType:
        """Classifies a step by Gymnasium's two flags: the one rule by which an episode's clock becomes a type.

        Args:
            terminated: whether the step ended the task.
            truncated: whether the clock ended the episode with it.
            is_first: whether it is the first step of its episode.

        Returns:
            TERMINAL if `terminated`, else TIMEOUT if `truncated`, else FIRST or MID.

        Example:
            >>> StepType.of(False, False, is_first=True).name, StepType.of(True, True, is_first=False).name
            ('FIRST', 'TERMINAL')
        """
        if terminated:
            return _TERMINAL
        if truncated:
            return _TIMEOUT
        return _FIRST if is_first else _MID


_FIRST, _MID, _TERMINAL, _TIMEOUT = StepType  # Python 3.10 and 3.11 look up an enum's members slowly


class EnvSpec(GymnasiumEnvSpec):
    """Gymnasium's `EnvSpec` with the spaces and the time limit of the environment in hand.

    Specs with equal ids, spaces and limits are equal, also after pickling. The limit is one number under two
    names, garage's `max_episode_length` and Gymnasium's `max_episode_steps`, so Gymnasium's wrappers may
    change it. The order of the arguments is garage's.

    Args:
        observation_space: space of the observations.
        action_space: space of the actions.
        max_episode_length: most steps of an episode; None or infinity for no limit, which reads as None.
        id: Gymnasium's name of the environment, if it has one.
        entry_point: what `make()` calls to build the environment again, as in Gymnasium; None if it cannot.
        kwargs: the arguments it is called with.

    Raises:
        TypeError: max_episode_length is not a whole number.
        ValueError: max_episode_length is below 1.

    Example:
        >>> from gymnasium.spaces import Box, Discrete
        >>> spec = EnvSpec(Box(0.0, 1.0, (3,)), Discrete(2), max_episode_length=100)
        >>> spec.max_episode_length, spec.max_episode_steps, spec.input_space
        (100, 100, Discrete(2))
    """

    observation_space: gymnasium.Space[Any]
    action_space: gymnasium.Space[Any]

    def __init__(
        self,
        observation_space: gymnasium.Space[Any],
        action_space: gymnasium.Space[Any],
        max_episode_length: float | None = None,
        *,
        id: str = "taskworlds/unregistered",
        entry_point: Callable[..., gymnasium.Env[Any, Any]] | str | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            id=id,
            entry_point=entry_point,
            max_episode_steps=check_max_episode_length(max_episode_length),
            kwargs=kwargs or {},
        )
        self.observation_space = observation_space
        self.action_space = action_space

    @classmethod
    def of(
        cls,
        spec: GymnasiumEnvSpec | None,
        observation_space: gymnasium.Space[Any],
        action_space: gymnasium.Space[Any],
        max_episode_length: float | None,
    ) -> EnvSpec:
        """Returns Gymnasium's `spec` (None: an unregistered one) with these spaces and this limit.

        Args:
            spec: Gymnasium's spec, whose own limit is not taken; None for an environment that was never registered.
            observation_space: space of the observations.
            action_space: space of the actions.
            max_episode_length: most steps of an episode; None or infinity for no limit.

        Raises:
            TypeError: max_episode_length is not a whole number.
            ValueError: max_episode_length is below 1.

        Example:
            >>> from gymnasium.spaces import Box, Discrete
            >>> spec = EnvSpec.of(gymnasium.spec("CartPole-v1"), Box(-1.0, 1.0, (4,)), Discrete(2), 20)
            >>> spec.id, spec.max_episode_length, spec.action_space
            ('CartPole-v1', 20, Discrete(2))
        """
        made = cls(observation_space, action_space, max_episode_length)
        if spec is not None:
            for field in dataclasses.fields(GymnasiumEnvSpec):
                if field.name != "max_episode_steps":
                    setattr(made, field.name, getattr(spec, field.name))
        return made

    @property
    def max_episode_length(self) -> int | None:
        """Most steps of an episode, None for no limit."""
        return self.max_episode_steps

    @property
    def input_space(self) -> gymnasium.Space[Any]:
        """What the environment takes: `action_space`, under the name of garage's `InOutSpec`."""
        return self.action_space

    @property
    def output_space(self) -> gymnasium.Space[Any]:
        """What the environment returns: `observation_space`, likewise."""
        return self.observation_space

    def description(self) -> EnvSpec:
        """Returns the spec without the recipe of the environment: id, spaces and limit, and no `kwargs`.

        It equals this one, but cannot make the environment. Pickled steps carry it, since a recipe may hold a whole
        benchmark. As long as this spec stays as it is, the same object is returned, so a pickled list of steps has it
        once.

        Example:
            >>> from gymnasium.spaces import Discrete
            >>> spec = EnvSpec(Discrete(2), Discrete(3), entry_point="some:Env", kwargs={"size": 4})
            >>> spec.description() == spec, spec.description().kwargs
            (True, {})
        """
        if self.entry_point is None or self.entry_point is _make_without_recipe:
            return self
        known: EnvSpec | None = self.__dict__.get("_described")
        if known is None or known != self:
            known = EnvSpec(
                self.observation_space,
                self.action_space,
                self.max_episode_length,
                id=self.id,
                entry_point=_make_without_recipe,
            )
            self.__dict__["_described"] = known
        return known

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_described"}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EnvSpec):
            return NotImplemented
        return (self.id, self.action_space, self.observation_space, self.max_episode_length) == (
            other.id,
            other.action_space,
            other.observation_space,
            other.max_episode_length,
        )

    def __hash__(self) -> int:
        return hash((self.id, self.max_episode_length))


def _make_without_recipe(**kwargs: Any) -> gymnasium.Env[Any, Any]:
    """Entry point of a description."""
    raise WrongValue(
        "The spec of a copied or pickled step describes the environment but cannot make it. Use the spec of the "
        "environment itself: env.spec.make()."
    )


class SpecMixin:
    """The property `spec` of an environment, with its spaces and its limit; a base to name before `gymnasium.Env`.

    The environment sets `_spec` once, to an `EnvSpec`. Gymnasium assigns a spec of its own to what `gymnasium.make` has
    made: that one then gains the environment's spaces, and the limit of the spec before.
    """

    action_space: gymnasium.Space[Any]
    observation_space: gymnasium.Space[Any]
    _spec: Any = None

    @property
    def spec(self) -> EnvSpec:
        """The environment's `EnvSpec`. Gymnasium's, when assigned, gains the spaces and the limit.

        None while the environment has none yet; what is assigned then is dropped.
        """
        found: EnvSpec = self._spec
        return found

    @spec.setter
    def spec(self, spec: GymnasiumEnvSpec | None) -> None:
        if self._spec is not None:
            limit = self._spec.max_episode_length
            self._spec = EnvSpec.of(spec, self.observation_space, self.action_space, limit)


class EnvStep(tuple[Any, Any, bool, bool, dict[str, Any]]):
    """One step: Gymnasium's tuple of five, with garage's names for its parts.

    Unpacks as `observation, reward, terminated, truncated, info`, so it may be returned wherever Gymnasium
    wants a plain tuple. Immutable and picklable; pickled and copied, it has `EnvSpec.description()` for its spec.

    Attributes:
        env_spec: the environment's `EnvSpec`.
        action: the action as the caller gave it.
        observation: observation after the step.
        reward: reward of the step.
        terminated: whether the task itself ended; Gymnasium's third value.
        truncated: whether the clock ended the episode; Gymnasium's fourth value.
        env_info: the info dictionary; Gymnasium's fifth value.
        step_type: `StepType`; TERMINAL wins where the task ends at the limit.

    Example:
        >>> step = EnvStep(None, 1, 0.5, [0.0], {"success": True}, StepType.TERMINAL)
        >>> observation, reward, terminated, truncated, info = step
        >>> terminated, truncated, step.last, step.env_info["success"]
        (True, False, True, True)
    """

    env_spec: Any
    action: Any
    step_type: StepType

    def __new__(
        cls,
        env_spec: Any,
        action: Any,
        reward: Any,
        observation: Any,
        env_info: dict[str, Any],
        step_type: StepType,
    ) -> EnvStep:
        """Makes a step, in garage's order of arguments."""
        if type(step_type) is not StepType:
            step_type = StepType(step_type)
        terminated, truncated = step_type is _TERMINAL, step_type is _TIMEOUT
        step = tuple.__new__(cls, (observation, reward, terminated, truncated, env_info))
        attributes = step.__dict__  # in single assignments, as that takes half the time
        attributes["env_spec"] = env_spec
        attributes["action"] = action
        attributes["step_type"] = step_type
        return step

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"an EnvStep cannot be changed (tried to set {name!r}).")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"an EnvStep cannot be changed (tried to delete {name!r}).")

    def __reduce__(self) -> tuple[Any, ...]:
        spec = self.env_spec
        return type(self), (
            spec.description() if isinstance(spec, EnvSpec) else spec,
            self.action,
            self.reward,
            self.observation,
            self.env_info,
            self.step_type,
        )

    def __repr__(self) -> str:
        return (
            f"EnvStep(observation={self.observation!r}, reward={self.reward!r}, "
            f"step_type={self.step_type.name}, env_info={self.env_info!r})"
        )

    @property
    def observation(self) -> Any:
        """Observation after the step."""
        return self[0]

    @property
    def reward(self) -> Any:
        """Reward of the step."""
        return self[1]

    @property
    def terminated(self) -> bool:
        """Whether the task itself ended."""
        return self[2]

    @property
    def truncated(self) -> bool:
        """Whether the clock ended the episode."""
        return self[3]

    @property
    def env_info(self) -> dict[str, Any]:
        """The info dictionary of the step."""
        return self[4]

    @property
    def first(self) -> bool:
        """Whether this is the first step taken in its episode, and not also its last."""
        return self.step_type is StepType.FIRST

    @property
    def mid(self) -> bool:
        """Whether this step is neither the first nor the last."""
        return self.step_type is StepType.MID

    @property
    def terminal(self) -> bool:
        """Whether the task itself ended with this step."""
        return self.step_type is StepType.TERMINAL

    @property
    def timeout(self) -> bool:
        """Whether the clock ended the episode with this step."""
        return self.step_type is StepType.TIMEOUT

    @property
    def last(self) -> bool:
        """Whether the episode ended with this step, either way."""
        return self.terminal or self.timeout
