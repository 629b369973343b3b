"""Samplers of constructors, of a `set_task` class's tasks, and of environments that exist already."""

from __future__ import annotations

import abc
import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np

from taskworlds.compat.garage.samplers.updates import (
    EnvUpdate,
    ExistingEnvUpdate,
    NewEnvUpdate,
    SetTaskUpdate,
)
from taskworlds.core.draws import generator_of, sample_indices
from taskworlds.core.errors import WrongType, WrongValue, check_count

__all__ = ["ConstructEnvsSampler", "EnvPoolSampler", "SetTaskSampler", "TaskSampler"]


class TaskSampler(abc.ABC):
    """Decides which tasks several environments work on next."""

    @property
    @abc.abstractmethod
    def n_tasks(self) -> int | None:
        """Number of different tasks; None if it is not known, or not finite."""

    @abc.abstractmethod
    def sample(self, n_tasks: int, with_replacement: bool = False) -> Sequence[EnvUpdate]:
        """Returns `n_tasks` updates, one for each environment.

        Args:
            n_tasks: number of updates.
            with_replacement: whether the draws are independent, so that a task may be drawn twice in succession.
        """


class ConstructEnvsSampler(TaskSampler):
    """Samples among functions that each make the environment of one task.

    Args:
        env_constructors: the functions, called without arguments; at least one.
        seed: seed of the draws; None for fresh entropy.
        np_random: the generator to draw from, in place of a seed.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: there are no functions, or both seed and np_random are given.

    Example:
        >>> import functools, taskworlds
        >>> makers = [functools.partial(taskworlds.PointEnv, goal=(x, 0.0)) for x in (-1.0, 0.0, 1.0)]
        >>> updates = ConstructEnvsSampler(makers, seed=0).sample(4)
        >>> [float(update().reset()[1]["goal"][0]) for update in updates]
        [1.0, -1.0, 0.0, 1.0]
    """

    def __init__(
        self,
        env_constructors: Iterable[Callable[[], gymnasium.Env[Any, Any]]],
        *,
        seed: int | None = 0,
        np_random: np.random.Generator | None = None,
    ) -> None:
        self._updates = [NewEnvUpdate(construct) for construct in env_constructors]
        check_count("The number of env_constructors", len(self._updates))
        self._np_random = generator_of(seed, np_random)

    @property
    def n_tasks(self) -> int:
        """Number of constructors."""
        return len(self._updates)

    def sample(self, n_tasks: int, with_replacement: bool = False) -> list[NewEnvUpdate]:
        """Returns updates that make new environments.

        Args:
            n_tasks: number of updates; it may exceed the number of constructors.
            with_replacement: whether the draws are independent; otherwise every constructor is drawn once, in random
                order, before any is drawn again.
        """
        n_tasks = check_count("n_tasks", n_tasks)
        chosen = sample_indices(
            n_tasks, self.n_tasks, with_replacement=with_replacement, np_random=self._np_random
        )
        return [self._updates[int(index)] for index in chosen]


class SetTaskSampler(TaskSampler):
    """Samples tasks with an environment's own `sample_tasks`.

    Args:
        env_type: class of the environments, which can be called without arguments and has `set_task`, such as
            `PointEnv` or `MetaWorldSetTaskEnv`.
        env: the environment to sample from; None to make one.
        wrapper: a function of (env), or of (env, task), that wraps a new environment; None for no wrapper.
        seed: seed of the draws; None to leave the environment's generator as it is.
        np_random: the generator to draw from, in place of a seed; it becomes the environment's own.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `env_type` is not a class, or both seed and np_random are given.

    Example:
        >>> import taskworlds
        >>> first, second = SetTaskSampler(taskworlds.PointEnv, seed=0).sample(2)
        >>> env = first()
        >>> second(env) is env
        True
    """

    def __init__(
        self,
        env_type: type[gymnasium.Env[Any, Any]],
        env: gymnasium.Env[Any, Any] | None = None,
        wrapper: Callable[..., gymnasium.Env[Any, Any]] | None = None,
        *,
        seed: int | None = None,
        np_random: np.random.Generator | None = None,
    ) -> None:
        SetTaskUpdate(env_type, None, wrapper)  # checks the arguments
        if env is not None and not isinstance(env, gymnasium.Env):
            raise WrongType(f"env must be a Gymnasium environment or None, not {env!r}.", argument="env")
        self._env_type = env_type
        self._env = env_type() if env is None else env
        self._wrapper = wrapper
        if seed is not None or np_random is not None:
            self._env.unwrapped.np_random = generator_of(seed, np_random)

    @property
    def n_tasks(self) -> int | None:
        """The environment's `num_tasks`; None if it does not have this attribute."""
        return self._env.get_wrapper_attr("num_tasks") if self._env.has_wrapper_attr("num_tasks") else None

    def sample(self, n_tasks: int, with_replacement: bool = False) -> list[SetTaskUpdate]:
        """Returns updates that set a task.

        Args:
            n_tasks: number of updates.
            with_replacement: not used: the environment's `sample_tasks` decides.
        """
        tasks = self._env.get_wrapper_attr("sample_tasks")(check_count("n_tasks", n_tasks))
        return [SetTaskUpdate(self._env_type, task, self._wrapper) for task in tasks]


class EnvPoolSampler(TaskSampler):
    """Samples among environments that exist already, each of them for one task and at most once in a sample.

    Args:
        envs: the environments, at least one.
        seed: seed of the draws; None for fresh entropy.
        np_random: the generator to draw from, in place of a seed.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: there are no environments, or both seed and np_random are given.

    Example:
        >>> import taskworlds
        >>> sampler = EnvPoolSampler([taskworlds.PointEnv(), taskworlds.GridWorldEnv()], seed=0)
        >>> [type(update()).__name__ for update in sampler.sample(2)]
        ['PointEnv', 'GridWorldEnv']
    """

    def __init__(
        self,
        envs: Iterable[gymnasium.Env[Any, Any]],
        *,
        seed: int | None = 0,
        np_random: np.random.Generator | None = None,
    ) -> None:
        self._updates = [ExistingEnvUpdate(env) for env in envs]
        check_count("The number of envs", len(self._updates))
        self._np_random = generator_of(seed, np_random)

    @property
    def n_tasks(self) -> int:
        """Number of environments."""
        return len(self._updates)

    def sample(self, n_tasks: int, with_replacement: bool = False) -> list[ExistingEnvUpdate]:
        """Returns updates with different environments of the pool, in random order.

        Args:
            n_tasks: number of updates, at most the size of the pool.
            with_replacement: must be False.

        Raises:
            ValueError: the pool is too small, or `with_replacement` is True.
        """
        n_tasks = check_count("n_tasks", n_tasks)
        if n_tasks > self.n_tasks:
            raise WrongValue(
                f"n_tasks must be at most {self.n_tasks}, the size of the pool, not {n_tasks}. "
                f"grow_pool({n_tasks}) adds copies.",
                argument="n_tasks",
            )
        if with_replacement:
            raise WrongValue(
                "with_replacement must be False: an environment of the pool can be in one place only. "
                "grow_pool adds copies, and ConstructEnvsSampler makes new environments.",
                argument="with_replacement",
            )
        chosen = sample_indices(n_tasks, self.n_tasks, np_random=self._np_random)
        return [self._updates[int(index)] for index in chosen]

    def grow_pool(self, new_size: int) -> None:
        """Adds deep copies of random members until the pool has `new_size`, if it is smaller.

        Args:
            new_size: how many environments there are to be, at least 1. A pool that is larger stays as it is.

        Raises:
            TypeError: new_size is not a whole number.
            ValueError: new_size is below 1.
        """
        missing = check_count("new_size", new_size) - self.n_tasks
        if missing > 0:
            chosen = sample_indices(missing, self.n_tasks, with_replacement=True, np_random=self._np_random)
            copies = [copy.deepcopy(self._updates[int(index)]()) for index in chosen]
            self._updates += [ExistingEnvUpdate(env) for env in copies]
