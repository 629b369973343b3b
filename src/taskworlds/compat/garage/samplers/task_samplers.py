"""Samplers over constructors, over a class with `set_task`, and over environments that exist."""

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
from taskworlds.core.errors import check_count

__all__ = ["ConstructEnvsSampler", "EnvPoolSampler", "SetTaskSampler", "TaskSampler"]

Env = gymnasium.Env[Any, Any]


class TaskSampler(abc.ABC):
    """Says which tasks several environments work on next."""

    @property
    @abc.abstractmethod
    def n_tasks(self) -> int | None:
        """How many different tasks there are; None if that is not known, or without end."""

    @abc.abstractmethod
    def sample(self, n_tasks: int, with_replacement: bool = False) -> Sequence[EnvUpdate]:
        """Gives `n_tasks` updates, one for each environment.

        Args:
            n_tasks: how many.
            with_replacement: whether the draws are independent, so that a task may come again at once.
        """


class ConstructEnvsSampler(TaskSampler):
    """Samples among functions that each make the environment of one task.

    Args:
        env_constructors: the functions, called without arguments; at least one.
        seed: seed of the draws; None for the system's entropy.
        np_random: the generator to draw from, in place of a seed.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: there are no functions, or both seed and np_random.

    Example:
        >>> import functools, taskworlds
        >>> makers = [functools.partial(taskworlds.PointEnv, goal=(x, 0.0)) for x in (-1.0, 0.0, 1.0)]
        >>> updates = ConstructEnvsSampler(makers, seed=0).sample(4)
        >>> [float(update().reset()[1]["goal"][0]) for update in updates]
        [1.0, -1.0, 0.0, 1.0]
    """

    def __init__(
        self,
        env_constructors: Iterable[Callable[[], Env]],
        *,
        seed: int | None = None,
        np_random: np.random.Generator | None = None,
    ) -> None:
        self._updates = [NewEnvUpdate(construct) for construct in env_constructors]
        check_count("The number of env_constructors", len(self._updates))
        self._np_random = generator_of(seed, np_random)

    @property
    def n_tasks(self) -> int:
        """How many constructors there are."""
        return len(self._updates)

    def sample(self, n_tasks: int, with_replacement: bool = False) -> list[NewEnvUpdate]:
        """Gives updates that make new environments.

        Args:
            n_tasks: how many; more than there are constructors is allowed.
            with_replacement: whether the draws are independent; otherwise every constructor comes once, in
                random order, before any comes again.
        """
        n_tasks = check_count("n_tasks", n_tasks)
        chosen = sample_indices(
            n_tasks, self.n_tasks, with_replacement=with_replacement, np_random=self._np_random
        )
        return [self._updates[int(index)] for index in chosen]


class SetTaskSampler(TaskSampler):
    """Samples the tasks that an environment's own `sample_tasks` gives.

    Args:
        env_type: class of the environments, which can be called without arguments and has `set_task`, such as
            `PointEnv` or `MetaWorldSetTaskEnv`.
        env: the environment to sample from; None to make one.
        wrapper: a function of (env), or of (env, task), that gives a new environment wrapped; None for none.
        seed: seed of the draws; None to leave the environment's generator as it is.
        np_random: the generator to draw from, in place of a seed. The environment keeps it as its own.

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
        env_type: type[Env],
        env: Env | None = None,
        wrapper: Callable[..., Env] | None = None,
        *,
        seed: int | None = None,
        np_random: np.random.Generator | None = None,
    ) -> None:
        SetTaskUpdate(env_type, None, wrapper)  # raises for what it would not take
        if env is not None and not isinstance(env, gymnasium.Env):
            raise TypeError(f"env must be a Gymnasium environment or None, not {env!r}.")
        self._env_type = env_type
        self._env = env_type() if env is None else env
        self._wrapper = wrapper
        if seed is not None or np_random is not None:
            self._env.unwrapped.np_random = generator_of(seed, np_random)

    @property
    def n_tasks(self) -> int | None:
        """The environment's `num_tasks`; None if it has none."""
        return self._env.get_wrapper_attr("num_tasks") if self._env.has_wrapper_attr("num_tasks") else None

    def sample(self, n_tasks: int, with_replacement: bool = False) -> list[SetTaskUpdate]:
        """Gives updates that set a task.

        Args:
            n_tasks: how many.
            with_replacement: makes no difference: the environment's `sample_tasks` decides.
        """
        tasks = self._env.get_wrapper_attr("sample_tasks")(check_count("n_tasks", n_tasks))
        return [SetTaskUpdate(self._env_type, task, self._wrapper) for task in tasks]


class EnvPoolSampler(TaskSampler):
    """Samples among environments that exist, each for one task and at most once in a sample.

    Args:
        envs: the environments, at least one.
        seed: seed of the draws; None for the system's entropy.
        np_random: the generator to draw from, in place of a seed.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: there are no environments, or both seed and np_random.

    Example:
        >>> import taskworlds
        >>> sampler = EnvPoolSampler([taskworlds.PointEnv(), taskworlds.GridWorldEnv()], seed=0)
        >>> [type(update()).__name__ for update in sampler.sample(2)]
        ['PointEnv', 'GridWorldEnv']
    """

    def __init__(
        self,
        envs: Iterable[Env],
        *,
        seed: int | None = None,
        np_random: np.random.Generator | None = None,
    ) -> None:
        self._updates = [ExistingEnvUpdate(env) for env in envs]
        check_count("The number of envs", len(self._updates))
        self._np_random = generator_of(seed, np_random)

    @property
    def n_tasks(self) -> int:
        """How many environments there are."""
        return len(self._updates)

    def sample(self, n_tasks: int, with_replacement: bool = False) -> list[ExistingEnvUpdate]:
        """Gives updates with different environments of the pool, in random order.

        Args:
            n_tasks: how many, at most the size of the pool.
            with_replacement: must be False.

        Raises:
            ValueError: the pool is too small, or `with_replacement` is asked for.
        """
        n_tasks = check_count("n_tasks", n_tasks)
        if n_tasks > self.n_tasks:
            raise ValueError(
                f"n_tasks must be at most {self.n_tasks}, the size of the pool, not {n_tasks}. "
                f"grow_pool({n_tasks}) adds copies."
            )
        if with_replacement:
            raise ValueError(
                "with_replacement must be False: an environment of the pool can be in one place only. "
                "grow_pool adds copies, and ConstructEnvsSampler makes environments anew."
            )
        chosen = sample_indices(n_tasks, self.n_tasks, np_random=self._np_random)
        return [self._updates[int(index)] for index in chosen]

    def grow_pool(self, new_size: int) -> None:
        """Adds deep copies of random members until the pool has `new_size`, if it has fewer."""
        missing = check_count("new_size", new_size) - self.n_tasks
        if missing > 0:
            chosen = sample_indices(missing, self.n_tasks, with_replacement=True, np_random=self._np_random)
            copies = [copy.deepcopy(self._updates[int(index)]()) for index in chosen]
            self._updates += [ExistingEnvUpdate(env) for env in copies]
