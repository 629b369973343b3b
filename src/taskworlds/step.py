"""What a step gives: `EnvStep`, `StepType` and `EnvSpec`, the same for garage's users and for Gymnasium's.

`EnvStep` is Gymnasium's tuple of five that can also be read by garage's names. `EnvSpec` is Gymnasium's spec that
also carries the spaces and the time limit.
"""

from __future__ import annotations

import enum
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec as GymnasiumEnvSpec

__all__ = ["EnvSpec", "EnvStep", "StepType"]


class StepType(enum.IntEnum):
    """Where a step stands in its episode. FIRST is the first step taken, not the reset."""

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
            raise ValueError(f"step_cnt must be at least 1, not {step_cnt}: call reset() before the first step.")
        if done:
            return cls.TERMINAL
        if max_episode_length is not None and step_cnt >= max_episode_length:
            return cls.TIMEOUT
        return cls.FIRST if step_cnt == 1 else cls.MID


class EnvSpec(GymnasiumEnvSpec):
    """Gymnasium's `EnvSpec` with the spaces and the time limit of the environment in hand.

    Specs with equal spaces and limits are equal, also after pickling.

    Args:
        action_space: space of the actions.
        observation_space: space of the observations.
        max_episode_length: most steps of an episode, None for no limit.
        id: Gymnasium's name of the environment, if it has one.

    Example:
        >>> from gymnasium.spaces import Box, Discrete
        >>> spec = EnvSpec(Discrete(2), Box(0.0, 1.0, (3,)), max_episode_length=100)
        >>> spec.max_episode_length, spec.max_episode_steps
        (100, 100)
    """

    action_space: gymnasium.Space[Any]
    observation_space: gymnasium.Space[Any]
    max_episode_length: int | None

    def __init__(
        self,
        action_space: gymnasium.Space[Any],
        observation_space: gymnasium.Space[Any],
        max_episode_length: int | None = None,
        *,
        id: str = "taskworlds/unregistered",
    ) -> None:
        super().__init__(id=id, max_episode_steps=max_episode_length)
        self.action_space = action_space
        self.observation_space = observation_space
        self.max_episode_length = max_episode_length

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


class EnvStep(tuple[Any, Any, bool, bool, dict[str, Any]]):
    """One step: Gymnasium's tuple of five, with garage's names for its parts.

    Unpacks as `observation, reward, terminated, truncated, info`, so it may be returned wherever Gymnasium wants a
    plain tuple. Immutable and picklable.

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
        step_type = StepType(step_type)
        terminated, truncated = step_type is StepType.TERMINAL, step_type is StepType.TIMEOUT
        step = super().__new__(cls, (observation, reward, terminated, truncated, env_info))
        object.__setattr__(step, "env_spec", env_spec)
        object.__setattr__(step, "action", action)
        object.__setattr__(step, "step_type", step_type)
        return step

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"an EnvStep cannot be changed (tried to set {name!r}).")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (
            self.env_spec,
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
