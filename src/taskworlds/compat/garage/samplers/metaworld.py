"""`MetaWorldTaskSampler`: samples a benchmark's tasks, the same number of each skill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from taskworlds.compat.garage.metaworld_set_task import MetaWorldSetTaskEnv, check_onehot
from taskworlds.compat.garage.samplers.task_samplers import TaskSampler
from taskworlds.compat.garage.samplers.updates import SetTaskUpdate
from taskworlds.core.benchmark import Benchmark
from taskworlds.core.draws import Deck, generator_of, sample_indices
from taskworlds.core.errors import WrongValue, check_count
from taskworlds.core.task import Task

__all__ = ["MetaWorldTaskSampler"]


class MetaWorldTaskSampler(TaskSampler):
    """Samples the tasks of one split of a benchmark, the same number of each skill, for `MetaWorldSetTaskEnv`.

    The updates are ordered by skill, in the benchmark's order, so that an environment that always gets the update of
    the same index keeps its skill. Skills may have different numbers of tasks.

    Args:
        benchmark: a `taskworlds.Benchmark`, one of Meta-World's own benchmark objects, or a list of tasks.
        kind: "train" or "test".
        wrapper: as for `MetaWorldSetTaskEnv`, for the environments that the updates make.
        add_env_onehot: as for `MetaWorldSetTaskEnv`.
        seed: seed of the draws; None for fresh entropy. If `benchmark` is a name, also the seed of its goals.
        np_random: the generator to draw from, in place of a seed.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: kind is not "train" or "test"; add_env_onehot is True for a meta-learning benchmark or for test
            tasks; or both seed and np_random are given.

    Example:
        >>> import taskworlds
        >>> sampler = MetaWorldTaskSampler(taskworlds.benchmark("ML10", seed=0), "test", seed=0)
        >>> sampler.n_tasks
        250
        >>> [update.task.env_name for update in sampler.sample(10)][:4]
        ['drawer-open-v3', 'drawer-open-v3', 'door-close-v3', 'door-close-v3']
    """

    def __init__(
        self,
        benchmark: Benchmark | Any,
        kind: str,
        wrapper: Callable[..., gymnasium.Env[Any, Any]] | None = None,
        add_env_onehot: bool = False,
        *,
        seed: int | None = 0,
        np_random: np.random.Generator | None = None,
    ) -> None:
        self._benchmark = Benchmark.of(benchmark, **({"seed": seed} if isinstance(benchmark, str) else {}))
        check_onehot(self._benchmark, kind, add_env_onehot)
        self._setting = (self._benchmark, kind, wrapper, add_env_onehot)
        self._np_random = generator_of(seed, np_random)
        self._tasks = self._benchmark.by_skill(kind)
        self._decks = {name: Deck(len(tasks)) for name, tasks in self._tasks.items()}

    @property
    def n_tasks(self) -> int:
        """Number of tasks, of all skills together."""
        return sum(map(len, self._tasks.values()))

    def sample(self, n_tasks: int, with_replacement: bool = False) -> list[SetTaskUpdate]:
        """Returns updates that set a task.

        Args:
            n_tasks: number of updates, a multiple of the number of skills.
            with_replacement: whether the draws are independent. Otherwise every task of a skill is drawn once, in
                random order, before any is drawn again, over this call and the following ones.

        Raises:
            ValueError: `n_tasks` is not a multiple of the number of skills.
        """
        n_tasks = check_count("n_tasks", n_tasks)
        if n_tasks % len(self._tasks):
            raise WrongValue(
                f"n_tasks must be a multiple of {len(self._tasks)}, the number of skills, not {n_tasks}: "
                "each skill gets the same number of tasks.",
                argument="n_tasks",
            )
        each = n_tasks // len(self._tasks)
        return [
            _MetaWorldUpdate(*self._setting, task)
            for name in self._tasks
            for task in self._draw(name, each, with_replacement)
        ]

    def _draw(self, name: str, count: int, with_replacement: bool) -> list[Task]:
        tasks = self._tasks[name]
        if with_replacement:
            chosen = sample_indices(count, len(tasks), with_replacement=True, np_random=self._np_random)
            return [tasks[int(index)] for index in chosen]
        deck, drawn = self._decks[name], []
        for _ in range(count):
            deck.deal(self._np_random)
            drawn.append(
                tasks[deck.order[-1 - deck.place]]
            )  # from the end, or a seed would draw other tasks than ever
        return drawn


class _MetaWorldUpdate(SetTaskUpdate):
    """Sets a task on a `MetaWorldSetTaskEnv` of the same benchmark, or makes one.

    Unlike `SetTaskUpdate` it leaves the wrapper to the environment, which wraps each skill.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        kind: str,
        wrapper: Callable[..., gymnasium.Env[Any, Any]] | None,
        add_env_onehot: bool,
        task: Task,
    ) -> None:
        super().__init__(MetaWorldSetTaskEnv, task, wrapper)
        self._setting = (benchmark, kind, add_env_onehot)

    @property
    def task(self) -> Task:
        """The task that it sets."""
        task: Task = self._task
        return task

    def _fits(self, old_env: gymnasium.Env[Any, Any]) -> bool:
        env = old_env.unwrapped
        return type(env) is MetaWorldSetTaskEnv and self._setting == (
            env.benchmark,
            env.kind,
            env.add_env_onehot,
        )

    def _make(self) -> gymnasium.Env[Any, Any]:
        benchmark, kind, add_env_onehot = self._setting
        env = MetaWorldSetTaskEnv(benchmark, kind, self._wrapper, add_env_onehot)
        env.set_task(self._task)
        return env
