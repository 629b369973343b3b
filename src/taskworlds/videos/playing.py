"""Playing all episodes at full speed, without pictures, with the actions kept: which are drawn is chosen afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium as gym
from numpy.typing import NDArray

from taskworlds.core.benchmark import Benchmark, split_of_name
from taskworlds.core.errors import WrongType, WrongValue, check_count, check_seed
from taskworlds.core.registry import choose_engine, world_of
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.evaluation.environments import default_num_envs, default_split
from taskworlds.evaluation.loading import origin_of
from taskworlds.evaluation.players import as_policy, play_in
from taskworlds.evaluation.playing import play_multi_task
from taskworlds.evaluation.policies import Actor, is_meta_learner
from taskworlds.evaluation.recording import Recorder, Recording
from taskworlds.evaluation.records import Episode, TaskRecord, task_label
from taskworlds.evaluation.rows import TaskRows
from taskworlds.evaluation.schedule import Ledger, Schedule
from taskworlds.vector.make import make_vec

__all__ = ["Played", "Session", "Stage", "play"]

_MODE = gym.vector.AutoresetMode.DISABLED
_OF_MANY = ("num_envs", "vector_strategy")  # settings that one row does not take over as they are
_ELSEWHERE = (
    "async",
    "ray",
)  # engines of other processes; the same rows can be stepped, and drawn, in this one


class Played(NamedTuple):
    """An episode that was played.

    Attributes:
        task: of the episode.
        number: of the episode, among those of its task.
        episode: what came of it.
        actions: that were taken in its T steps, (T, ...).
    """

    task: Task
    number: int
    episode: Episode
    actions: NDArray[Any]


@dataclass(frozen=True)
class Stage:
    """What is played, and the settings that its environments are made with.

    Attributes:
        benchmark: the benchmark.
        split: "train" or "test".
        tasks: those that are played, in the order of the split.
        seed: of goals, starts and the random policy.
        settings: other keywords of `taskworlds.make_vec`, such as max_episode_steps.
    """

    benchmark: Benchmark
    split: str
    tasks: tuple[Task, ...]
    seed: int
    settings: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        benchmark: Any,
        *,
        split: str | None = None,
        seed: int = 0,
        tasks: Iterable[Any] | None = None,
        env_name: str | None = None,
        num_goals: int | None = None,
        **settings: Any,
    ) -> Stage:
        """Returns the stage that a caller asked for.

        Args:
            benchmark: by name, or as `taskworlds.benchmark` takes it.
            split: "train" or "test"; None for what `evaluate` plays.
            seed: of goals, starts and the random policy.
            tasks: those of the split that are played; None for all.
            env_name: the skill of "MT1" and "ML1".
            num_goals: goals of each skill of a benchmark that is named.
            **settings: of `taskworlds.make_vec`; those that are None are left out.

        Raises:
            TypeError, ValueError: as for `taskworlds.evaluate`.
        """
        seed = check_seed(seed)
        naming = {"env_name": env_name, "num_goals": num_goals}
        naming = {name: value for name, value in naming.items() if value is not None}
        if isinstance(benchmark, str):
            benchmark, split = split_of_name(benchmark, split)
            made = Benchmark.of(benchmark, seed=seed, **naming)
        else:
            made = Benchmark.of(benchmark, **naming)
        split = split or default_split(made)
        every = tuple(dict.fromkeys(made.tasks(split)))
        chosen = every if tasks is None else _chosen(every, tasks)
        how = {name: value for name, value in settings.items() if value is not None}
        has_success = world_of(chosen[0].env_name).has_success
        return cls(made, split, chosen, seed, {"terminate_on_success": has_success} | how)

    @property
    def world(self) -> World:
        """The world of the benchmark's skills."""
        return world_of(self.tasks[0].env_name)

    def make_rows(self, episodes_per_task: int) -> TaskRows:
        """Makes as many rows as `evaluate` would, without pictures; their `envs` are to be closed.

        Args:
            episodes_per_task: how many episodes of each task are to be played.

        :meta private:
        """
        skills = len(self.benchmark.env_names(self.split))
        count = len(self.benchmark.tasks(self.split)) * episodes_per_task
        settings = {"num_envs": default_num_envs(skills, count, meta=False)} | dict(self.settings)
        made = make_vec(self.benchmark, split=self.split, seed=self.seed, autoreset_mode=_MODE, **settings)
        return TaskRows(made, self.seed)

    def make_row(self, task: Task, **pictures: Any) -> TaskRows:
        """Makes one row for one task, in this process; its `envs` are to be closed.

        Args:
            task: one of `tasks`.
            **pictures: keywords of `taskworlds.make_vec` about drawing; those that are None are left out.

        :meta private:
        """
        given = {name: value for name, value in pictures.items() if value is not None}
        settings = {name: value for name, value in self.settings.items() if name not in _OF_MANY}
        engine = self.settings.get("vector_strategy")
        if engine is not None and choose_engine(self.world, engine, 1).name not in _ELSEWHERE:
            settings["vector_strategy"] = engine
        one = self.benchmark.only(task.env_name, self.split)
        made = make_vec(one, 1, split=self.split, seed=self.seed, autoreset_mode=_MODE, **(settings | given))
        return TaskRows(made, self.seed)


class Session(NamedTuple):
    """What came of playing.

    Attributes:
        stage: what was played.
        policy: who played, in a line.
        episodes: in the order of tasks and numbers, without those of tasks that failed.
        failed: the tasks that could not run, each with its `error`.
    """

    stage: Stage
    policy: str
    episodes: tuple[Played, ...]
    failed: tuple[TaskRecord, ...]


def play(
    policy: Any,
    stage: Stage,
    *,
    episodes_per_task: int = 1,
    on_episode: Callable[[int, int], None] | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Session:
    """Plays episodes of each task as `taskworlds.evaluate` does, and keeps their actions.

    Args:
        policy: as for `taskworlds.evaluate`, but not a meta-learner.
        stage: what is played.
        episodes_per_task: of each task.
        on_episode: called as `on_episode(done, total)` when an episode has ended.
        on_step: called as `on_step(rows)` after each step, with the number of rows that took it.

    Raises:
        TypeError: the policy is a meta-learner, or not a policy.
        ValueError: its actions cannot be taken.

    Example:
        >>> session = play("random", Stage.of("grid-4x4", seed=1))
        >>> [(each.task.env_name, len(each.actions) == each.episode.length) for each in session.episodes]
        [('grid-4x4', True)]
    """
    count = check_count("episodes_per_task", episodes_per_task)
    who = origin_of(policy).in_words()
    player = as_policy(policy)
    if is_meta_learner(player):
        raise WrongType(
            f"policy must be one that does not adapt to tasks, not {who}, which is a meta-learner: give the policy "
            "that it has adapted, as a function on observations.",
            argument="policy",
        )
    kept: dict[tuple[Task, int], Played] = {}

    def keep(task: Task, number: int, episode: Episode, recording: Recording | None) -> None:
        assert recording is not None
        kept[task, number] = Played(task, number, episode, recording.actions)

    rows = stage.make_rows(count)
    try:
        space = rows.envs.single_action_space
        actor = Actor(play_in(player, space, stage.seed), space, rows.num_envs)
        ledger = Ledger(stage.tasks, 0, count, on_episode, on_step, on_ended=keep)
        schedule = Schedule(ledger.tasks, count, rows.skills)
        for _ in play_multi_task(actor, rows, ledger, schedule, Recorder(rows)):
            pass
    finally:
        rows.envs.close()
    records = ledger.records()
    failed = tuple(record for record in records if record.error is not None)
    ran = [record for record in records if record.error is None]
    episodes = (kept[record.task, number] for record in ran for number in range(count))
    return Session(stage, who, tuple(episodes), failed)


def _chosen(available: tuple[Task, ...], wanted: Iterable[Any]) -> tuple[Task, ...]:
    chosen = set()
    for each in wanted:
        task = Task.of(each)
        if task not in available:
            raise WrongValue(
                f"tasks must be in the split of the benchmark that is played, but {task_label(task)} is not one of its "
                f"{len(available)}. Check the split and the seed that it was drawn with.",
                argument="tasks",
            )
        chosen.add(task)
    if not chosen:
        raise WrongValue(
            "tasks must name at least one task, or be None for all of them, but it is empty.",
            argument="tasks",
        )
    return tuple(task for task in available if task in chosen)
