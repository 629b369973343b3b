"""`TaskOnehotWrapper`: a one-hot of the task at the end of the observation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box
from gymnasium.utils import RecordConstructorArgs
from typing_extensions import Self

from taskworlds.compat.garage.step_wrapper import StepWrapper
from taskworlds.core.errors import WrongType, WrongValue, check_count
from taskworlds.core.step import EnvStep

__all__ = ["TaskOnehotWrapper"]


class TaskOnehotWrapper(StepWrapper, RecordConstructorArgs):
    """Appends a one-hot of the task to the observation, and its index to info as `task_id`.

    The observation keeps its dtype, so a float64 observation is still exact. Info has `task_id` at every step, in place
    of the environment's own. `wrap_env_list` is the usual way to make these wrappers.

    Args:
        env: the environment to wrap; its observations are a vector (a Box of one dimension).
        task_index: index of the task, from 0.
        n_total_tasks: number of tasks, the length of the one-hot.

    Raises:
        TypeError: `task_index` or `n_total_tasks` is not a whole number.
        ValueError: `task_index` is not below `n_total_tasks`, or the observation is not a vector.

    Example:
        >>> import gymnasium
        >>> env = TaskOnehotWrapper(gymnasium.make("CartPole-v1"), task_index=1, n_total_tasks=3)
        >>> observation, info = env.reset(seed=0)
        >>> observation[4:].tolist(), observation.dtype.name, env.step(0).env_info["task_id"]
        ([0.0, 1.0, 0.0], 'float32', 1)
        >>> env.observation_space.shape
        (7,)
    """

    def __init__(self, env: gymnasium.Env[Any, Any], task_index: int, n_total_tasks: int) -> None:
        n_total_tasks = check_count("n_total_tasks", n_total_tasks)
        task_index = check_count("task_index", task_index, minimum=0)
        if task_index >= n_total_tasks:
            raise WrongValue(
                f"task_index must be below n_total_tasks={n_total_tasks}, not {task_index}: tasks count "
                "from 0.",
                argument="task_index",
            )
        RecordConstructorArgs.__init__(self, task_index=task_index, n_total_tasks=n_total_tasks)
        StepWrapper.__init__(self, env)
        self._space = space_with_onehot(vector_space(env.observation_space), n_total_tasks)
        self.observation_space = self._space
        self._task_index = task_index
        self._n_total_tasks = n_total_tasks

    @classmethod
    def wrap_env_list(cls, envs: Iterable[gymnasium.Env[Any, Any]]) -> list[Self]:
        """Wraps environments, each with the one-hot of its index in the list.

        Args:
            envs: the environments. Their order decides the one-hots, so it must be the same wherever results are
                compared.

        Returns:
            The wrapped environments, in the same order.

        Example:
            >>> import gymnasium
            >>> envs = TaskOnehotWrapper.wrap_env_list([gymnasium.make("CartPole-v1") for _ in range(2)])
            >>> [env.reset(seed=0)[0][4:].tolist() for env in envs]
            [[1.0, 0.0], [0.0, 1.0]]
        """
        envs = _as_list("envs", envs, "environments")
        return [cls(env, index, len(envs)) for index, env in enumerate(envs)]

    @classmethod
    def wrap_env_cons_list(
        cls, env_cons: Iterable[Callable[[], gymnasium.Env[Any, Any]]]
    ) -> list[Callable[[], Self]]:
        """Wraps constructors of environments, each with the one-hot of its index in the list.

        Args:
            env_cons: functions without arguments that make the environments. Their order decides the one-hots.

        Returns:
            Functions that make the wrapped environments, in the same order. No environment is made before they are
            called; they can be pickled if the given ones can.

        Example:
            >>> import gymnasium
            >>> make = lambda: gymnasium.make("CartPole-v1")
            >>> constructors = TaskOnehotWrapper.wrap_env_cons_list([make, make])
            >>> constructors[1]().reset(seed=0)[0][4:].tolist()
            [0.0, 1.0]
        """
        env_cons = _as_list("env_cons", env_cons, "functions that make environments")
        for index, construct in enumerate(env_cons):
            if not callable(construct):
                raise WrongType(
                    f"env_cons must hold functions that make environments, but item {index} is "
                    f"{construct!r}. Use wrap_env_list for environments that exist already.",
                    argument="env_cons",
                )
        return [
            functools.partial(_construct, cls, construct, index, len(env_cons))
            for index, construct in enumerate(env_cons)
        ]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode; the observation ends with the one-hot.

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
        """Takes one step; the observation ends with the one-hot.

        Args:
            action: a value of `action_space`.

        Returns:
            The `EnvStep`; info has the task's index as `task_id`.

        Raises:
            RuntimeError: no episode is under way: call reset().
        """
        step = super().step(action)
        return EnvStep(
            self.spec,
            step.action,
            step.reward,
            self._observe(step.observation),
            step.env_info | {"task_id": self._task_index},
            step.step_type,
        )

    def _observe(self, observation: Any) -> npt.NDArray[Any]:
        return observation_with_onehot(observation, self._task_index, self._n_total_tasks, self._space.dtype)


def vector_space(space: gymnasium.Space[Any]) -> Box:
    """Returns an observation space if it is a Box of one dimension, and otherwise raises ValueError."""
    if not isinstance(space, Box) or len(space.shape) != 1:
        raise WrongValue(
            f"A one-hot needs observations that are a vector (a Box of one dimension), not {space}. "
            "Wrap the environment in gymnasium.wrappers.FlattenObservation first."
        )
    return space


def space_with_onehot(space: Box, length: int) -> Box:
    """Returns the space of the vectors of `space` followed by a one-hot, with its dtype."""
    zeros = np.zeros(length, space.dtype)
    return Box(
        np.concatenate([space.low, zeros]), np.concatenate([space.high, zeros + 1]), dtype=space.dtype.type
    )


def observation_with_onehot(
    observation: Any, index: int, length: int, dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    """Returns a new vector: `observation` followed by the one-hot of `index`, of the given dtype."""
    onehot = np.zeros(length, dtype)
    onehot[index] = 1
    return np.concatenate([np.asarray(observation, dtype), onehot])


def _as_list(argument: str, items: Any, meaning: str) -> list[Any]:
    if not isinstance(items, Iterable) or isinstance(items, str):
        raise WrongType(
            f"{argument} must be a list of {meaning}, not {items!r}. Put a single one into a list.",
            argument=argument,
        )
    return list(items)


def _construct(
    wrapper: type[Any], construct: Callable[[], gymnasium.Env[Any, Any]], index: int, length: int
) -> Any:
    return wrapper(construct(), index, length)
