"""What is to be demonstrated: the tasks, how many episodes of each skill, and the settings of the environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from taskworlds.core.benchmark import Benchmark, split_of_name
from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_count, check_seed, check_switch
from taskworlds.core.registry import benchmark_makers, world_of
from taskworlds.core.task import Task, by_skill
from taskworlds.core.world import World
from taskworlds.evaluation.loading import origin_of
from taskworlds.evaluation.players import as_policy
from taskworlds.evaluation.policies import Policy, is_meta_learner
from taskworlds.evaluation.records import task_label
from taskworlds.vector.make import make
from taskworlds.vector.task_env import TaskEnv

__all__ = ["Plan"]

_ATTEMPTS = 4  # at most, for each success that is wanted, unless the caller says


@dataclass(frozen=True)
class Plan:
    """What is to be demonstrated, by whom and how. `Plan.of` checks it.

    Attributes:
        policy: who plays, as `taskworlds.evaluation.players.as_policy` returned it.
        benchmark: where the tasks are from.
        split: "train" or "test".
        tasks: what is played, each once.
        episodes: how many of each skill are kept.
        only_successes: whether only successes are kept.
        max_attempts: how many episodes of each skill are played at most.
        seed: of goals, starts and the random policy.
        settings: keywords of `taskworlds.make` that were chosen.
        named: the benchmark's name, and the keywords that make it; None where it came as an object.
    """

    policy: Any
    benchmark: Benchmark
    split: str
    tasks: tuple[Task, ...]
    episodes: int
    only_successes: bool
    max_attempts: int
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    named: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls,
        policy: Policy | str,
        benchmark: Any,
        *,
        episodes: int,
        only_successes: bool = False,
        max_attempts: int | None = None,
        split: str | None = None,
        env_name: str | None = None,
        num_goals: int | None = None,
        tasks: Iterable[Any] | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> Plan:
        """Returns the plan of what `taskworlds.demonstrations.collect` is asked for.

        Args:
            policy: as for `collect`.
            benchmark: as for `collect`.
            episodes: as for `collect`.
            only_successes: as for `collect`.
            max_attempts: as for `collect`.
            split: as for `collect`.
            env_name: as for `collect`.
            num_goals: as for `collect`.
            tasks: as for `collect`.
            seed: as for `collect`.
            **settings: more keywords of `taskworlds.make`; those that are None are left out. `terminate_on_success` is
                on by default where there is success.

        Raises:
            TypeError: an argument is of the wrong type.
            ValueError: an argument is out of range, or the policy cannot play that.

        Example:
            >>> plan = Plan.of("expert", "MT10", episodes=60)
            >>> len(plan.tasks), plan.world.name, plan.make().observation_space.shape
            (600, 'Meta-World', (39,))
        """
        episodes = check_count("episodes", episodes)
        only_successes = check_switch("only_successes", only_successes)
        seed = check_seed(seed)
        if max_attempts is not None and not only_successes:
            raise WrongType(
                f"max_attempts is for only_successes, but came without it, as {max_attempts!r}. Leave it out.",
                argument="max_attempts",
            )
        limit = check_count("max_attempts", _ATTEMPTS * episodes if max_attempts is None else max_attempts)
        limit = limit if only_successes else episodes
        if limit < episodes:
            raise WrongValue(
                f"max_attempts must be at least the number of episodes, {episodes}, not {limit}.",
                argument="max_attempts",
            )
        if split is not None:
            check_choice("split", split, ("train", "test"))
        named: dict[str, Any] | None = None
        if isinstance(benchmark, str):
            name, split = split_of_name(benchmark, split)
            naming = {"env_name": env_name, "num_goals": num_goals}
            if num_goals is None and tasks is None:
                naming["num_goals"] = _goals(name, limit)
            naming = {keyword: value for keyword, value in naming.items() if value is not None}
            made = Benchmark.of(name, seed=seed, **naming)
            named = {"name": name} | naming
        else:
            made = Benchmark.of(benchmark, env_name=env_name, num_goals=num_goals)
        split = split or ("train" if made.train_tasks else "test")
        chosen = _chosen(made, split, tasks)
        player = as_policy(policy)
        world = world_of(chosen[0].env_name)
        given = {keyword: value for keyword, value in settings.items() if value is not None}
        given = {"terminate_on_success": world.has_success} | given
        plan = cls(player, made, split, chosen, episodes, only_successes, limit, seed, given, named)
        plan._check()
        return plan

    def _check(self) -> None:
        """Raises ValueError or TypeError where the policy or the world cannot do it."""
        world = self.world
        if (count := len(set(map(world_of, self.by_skill())))) > 1:
            raise WrongValue(
                f"benchmark must be of one world, and {self.benchmark.name} has skills of {count} worlds, whose "
                f"episodes do not fit into one data set. Give one of them, such as {self.tasks[0].env_name!r}.",
                argument="benchmark",
            )
        if is_meta_learner(self.policy):
            raise WrongType(
                "policy must play without adapting to its tasks first, but it is a meta-learning agent. Give the "
                "function that acts after adapting.",
                argument="policy",
            )
        if self.only_successes and not world.has_success:
            raise WrongValue(
                f"only_successes must be False for {world.name}, which does not report success. Leave it out.",
                argument="only_successes",
            )
        if not self.is_expert:
            return
        if world.experts is None:
            raise WrongValue(
                f"policy must be 'random' or one of your own for {world.name}, which has no scripted experts.",
                argument="policy",
            )
        fewest = min(len(each) for each in self.by_skill().values())
        if self.episodes > fewest and not world.has_random_starts:
            raise WrongValue(
                f"episodes must be at most {fewest}, the number of goals of a skill here, not {self.episodes}, since "
                "the scripted expert plays a goal in the same way each time. Give num_goals, or fewer episodes.",
                argument="episodes",
            )

    @property
    def world(self) -> World:
        """The world of the tasks."""
        return world_of(self.tasks[0].env_name)

    @property
    def is_expert(self) -> bool:
        """Whether the world's scripted expert plays."""
        world = self.world
        named = origin_of(self.policy).name == "expert"
        return named or (world.experts is not None and type(self.policy) is type(world.expert()))

    @property
    def repeats(self) -> bool:
        """Whether another episode of a task can be another episode."""
        return self.world.has_random_starts or not self.is_expert

    def by_skill(self) -> dict[str, tuple[Task, ...]]:
        """Returns the tasks by skill, in the benchmark's order."""
        return by_skill(self.tasks, lambda task: task.env_name)

    def instructions(self) -> dict[str, str]:
        """Returns what is to be done in words, by skill; no two skills have the same words.

        Example:
            >>> Plan.of("expert", "MT10", episodes=1).instructions()["drawer-open-v3"]
            'Pull the drawer open.'
        """
        words = {name: world_of(name).instruction(name) for name in self.by_skill()}
        told = list(words.values())
        return {
            name: text if told.count(text) == 1 else f"{text.removesuffix('.')} ({name})."
            for name, text in words.items()
        }

    def make(self, **options: Any) -> TaskEnv:
        """Makes an environment in which every episode can be played again.

        Reset it with an episode's seed, and its task as the option `task`.

        Args:
            **options: keywords of `taskworlds.make` besides the plan's own, as for pictures.
        """
        given = {"split": self.split, "seed": self.seed, **self.settings, **options}
        if self.named is None:
            return make(self.benchmark, **given)
        return make(**{**self.named, **given})


def _goals(name: str, needed: int) -> int | None:
    """Returns how many goals to draw so that no episode repeats one; None for the benchmark's own number."""
    found = benchmark_makers().get(name)
    if found is None:
        try:
            world = world_of(name)
        except ValueError:
            return None  # the benchmark says what is wrong with the name
        if world.skill_benchmark is None:
            return None
        found = world, world.benchmark_makers()[world.skill_benchmark]
    world, maker = found
    if world.has_random_starts or maker.num_goals is None or not 1 < maker.num_goals < needed:
        return None
    return needed


def _chosen(benchmark: Benchmark, split: str, wanted: Iterable[Any] | None) -> tuple[Task, ...]:
    """Returns the tasks to play, each once."""
    available = dict.fromkeys(benchmark.tasks(split))
    if wanted is None:
        return tuple(available)
    if isinstance(wanted, Task | str) or not isinstance(wanted, Iterable):
        raise WrongType(
            f"tasks must be a list of tasks, or None for all of them, not {wanted!r}.", argument="tasks"
        )
    chosen = tuple(dict.fromkeys(Task.of(task) for task in wanted))
    if not chosen:
        raise WrongValue(
            "tasks must name at least one task, or be None for all of them, but it is empty.",
            argument="tasks",
        )
    for task in chosen:
        if task not in available:
            raise WrongValue(
                f"tasks must be among the {len(available)} {split} tasks of {benchmark.name}, but {task_label(task)} "
                "is not. Check the split, the seed and the number of goals that it was drawn with.",
                argument="tasks",
            )
    return chosen
