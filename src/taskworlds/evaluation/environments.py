"""What is evaluated: a benchmark, one of our vector envs, or any other Gymnasium env, each as a plan says."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np

from taskworlds.core.benchmark import Benchmark, split_of_name
from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.core.registry import world_of
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.task import Task
from taskworlds.evaluation.fingerprint import Fingerprint
from taskworlds.evaluation.journal import Writer
from taskworlds.evaluation.meta import MetaSettings, batches, play_batch
from taskworlds.evaluation.parts import name_of_part, tasks_of_part
from taskworlds.evaluation.players import play_in
from taskworlds.evaluation.playing import play_fixed, play_multi_task
from taskworlds.evaluation.policies import Actor, Policy
from taskworlds.evaluation.provenance import Clock, Provenance
from taskworlds.evaluation.recording import Recorder, Recording
from taskworlds.evaluation.records import Episode, TaskRecord, task_label
from taskworlds.evaluation.result import PARTIAL, Result, Stopped
from taskworlds.evaluation.rows import FixedRows, TaskRows, holds_tasks
from taskworlds.evaluation.schedule import Ledger, Schedule
from taskworlds.vector.make import META_BATCH_SIZE, make_vec
from taskworlds.vector.new_goals import with_new_goals
from taskworlds.vector.protocols import in_words
from taskworlds.workers.lost import WorkerLost

__all__ = [
    "Plan",
    "default_num_envs",
    "default_split",
    "evaluate_benchmark",
    "evaluate_fixed",
    "evaluate_tasks",
]

_NUM_ENVS = 10  # rows to aim at where the caller does not say


class Plan(NamedTuple):
    """What the caller asked for, checked as far as it can be without the environment."""

    policy: Policy
    split: str | None
    episodes_per_task: int
    seed: int
    tasks: Iterable[Any] | None
    meta: MetaSettings | None
    on_episode: Callable[[int, int], None] | None
    on_step: Callable[[int], None] | None
    on_outcome: Callable[[Task, Episode], None] | None
    resume: Result | Path | None
    keep_actions: bool
    clock: Clock
    part: tuple[int, int] | None = None


def default_split(benchmark: Benchmark) -> str:
    """Returns the split that is evaluated unless the caller says which."""
    return "test" if benchmark.test_tasks else "train"


def default_num_envs(num_skills: int, episodes: int, *, meta: bool) -> int:
    """Returns how many rows there are unless the caller says: equally many for each skill, and enough in all.

    In the multi-task protocol, whose outcome does not depend on it, there are no more than episodes to be played.
    """
    aim = META_BATCH_SIZE if meta else _NUM_ENVS
    rows = num_skills * -(-aim // num_skills)
    return rows if meta else min(rows, episodes)


class Play(Protocol):
    """Plays what is not played yet, and has it taken down."""

    def __call__(
        self, plan: Plan, make_envs: Callable[[], Any], rows: TaskRows, ledger: Ledger, /
    ) -> None: ...


def play_here(plan: Plan, make_envs: Callable[[], Any], rows: TaskRows, ledger: Ledger) -> None:
    """Plays in this process, in `rows`."""
    space = rows.envs.single_action_space
    player = play_in(plan.policy, space, plan.seed, rows.composition)
    actor = Actor(player, space, rows.num_envs)
    if plan.meta is None:
        schedule = Schedule(ledger.tasks, ledger.quota, rows.skills)
        recorder = Recorder(rows) if plan.keep_actions else None
        for _ in play_multi_task(actor, rows, ledger, schedule, recorder):
            pass
        return
    for batch in batches(ledger, rows.skills):
        for _ in play_batch(actor, rows, ledger, plan.meta, batch):
            pass


def evaluate_benchmark(
    plan: Plan, benchmark_or_name: Any, building: dict[str, Any], play: Play = play_here
) -> Result:
    """Makes the vector env of a benchmark, evaluates it, and closes it."""
    naming: dict[str, Any] = {
        name: building.pop(name) for name in ("env_name", "num_goals") if name in building
    }
    split = plan.split
    if isinstance(benchmark_or_name, str):
        benchmark_or_name, split = split_of_name(benchmark_or_name, split)
        naming["seed"] = plan.seed
    benchmark = Benchmark.of(benchmark_or_name, **naming)
    split = split or default_split(benchmark)
    benchmark = with_new_goals(
        benchmark,
        split,
        plan.seed,
        protocol=building.get("protocol"),
        unlimited_goals=building.get("unlimited_goals"),
    )
    worlds = [world_of(name) for name in benchmark.env_names(split)]
    settings = {
        "num_envs": default_num_envs(
            len(benchmark.env_names(split)),
            len(benchmark.tasks(split)) * plan.episodes_per_task,
            meta=plan.meta is not None,
        ),
        "terminate_on_success": "protocol" not in building and any(world.has_success for world in worlds),
        **({"pad": True} if any(world is not worlds[0] and world != worlds[0] for world in worlds) else {}),
    } | building
    make_envs = functools.partial(
        make_vec,
        benchmark,
        split=split,
        seed=plan.seed,
        autoreset_mode=gym.vector.AutoresetMode.DISABLED,
        **settings,
    )
    envs = make_envs()
    try:
        result = evaluate_tasks(plan, envs, functools.partial(play, plan, make_envs))
    except KeyboardInterrupt:
        with contextlib.suppress(Exception):  # what was finished counts more
            envs.close()
        raise
    except BaseException:
        envs.close()
        raise
    envs.close()
    return result


def evaluate_tasks(plan: Plan, envs: Any, play: Callable[[TaskRows, Ledger], None] | None = None) -> Result:
    """Evaluates one of our vector envs on the tasks of its rows.

    Args:
        plan: what the caller asked for.
        envs: the vector env.
        play: plays what the ledger has not; the default does so in this process.
    """
    if plan.split not in (None, envs.split):
        raise WrongValue(
            f"split must be {envs.split!r}, the split of the environment that was passed, not "
            f"{plan.split!r}. Make another environment for the other split.",
            argument="split",
        )
    rows = TaskRows(envs, plan.seed)
    terminate_on_success = np.unique(rows.ends_on_success())
    if len(terminate_on_success) != 1:
        raise WrongValue(
            "terminate_on_success must be the same in all rows of an environment that is evaluated, or its "
            "tasks would be measured differently. Call toggle_terminate_on_success on all rows.",
            argument="terminate_on_success",
        )
    held = {task for row in envs.tasks for task in row}
    listed = [task for task in envs.benchmark.tasks(envs.split) if task in held]  # in an order without rows
    tasks = _chosen([*listed, *(task for row in envs.tasks for task in row)], plan.tasks)
    name = envs.benchmark.name
    if plan.part is not None:
        name, tasks = name_of_part(name, plan.part, tasks), tasks_of_part(tasks, plan.part)
    practice = 0 if plan.meta is None else plan.meta.practice
    protocol = "multi-task"
    if plan.meta is not None:
        protocol = (
            f"meta: {plan.meta.rounds} x {plan.meta.episodes} episodes of adaptation, "
            f"batches of {rows.num_envs}"
        )
    if envs.options.k_episodes is not None:
        protocol += f", trials of {envs.options.k_episodes} attempts"
    protocol += in_words(envs.options)
    limits = set(envs.get_attr("max_episode_steps")) if rows.composition is not None else set()
    if len(limits) > 1:
        protocol += ", each world's own limit of steps"
    engine = _engine_of(envs)
    fingerprint = functools.partial(
        Fingerprint.of,
        protocol=protocol,
        reward_function_version=envs.reward_function_version,
        max_episode_steps=None if len(limits) > 1 else envs.max_episode_steps,
        terminate_on_success=bool(terminate_on_success[0]),
        engine=engine,
    )
    of_all = fingerprint(tasks)  # before anything is played: files of registered skills may change meanwhile
    stop = functools.partial(_provenance, plan, None if engine is None else engine.name, rows.num_envs)
    with contextlib.ExitStack() as stack:
        if isinstance(plan.resume, Path):
            writer = stack.enter_context(_writer(plan, name, envs.split, of_all))
            numbers = {task.id: number for number, task in enumerate(tasks)}
            kept = writer.played(numbers, plan.episodes_per_task)
            played = {(numbers[id], episode): outcome for (id, episode), outcome in kept.items()}
        else:
            writer, played = None, _played(plan, name, envs.split, tasks, fingerprint)
        on_ended = functools.partial(_ended, plan, writer)
        ledger = Ledger(
            tasks, practice, plan.episodes_per_task, plan.on_episode, plan.on_step, played, on_ended
        )
        stack.enter_context(_kept_when_stopped(plan, name, envs.split, fingerprint, ledger.records, stop))
        (play or functools.partial(play_here, plan, lambda: envs))(rows, ledger)
    return _result(plan, name, envs.split, of_all, ledger.records(), stop(of_all))


def _writer(plan: Plan, name: str, split: str | None, fingerprint: Fingerprint) -> Writer:
    """Returns what writes the episodes to the folder that `plan.resume` names."""
    about = {
        "benchmark": name,
        "split": split,
        "episodes_per_task": plan.episodes_per_task,
        "seed": plan.seed,
        "policy": plan.clock.origin.in_words(),
        "fingerprint": fingerprint.to_dict(),
    }
    assert isinstance(plan.resume, Path)
    return Writer(plan.resume, about, plan.keep_actions)


def _ended(
    plan: Plan,
    writer: Writer | None,
    task: Task,
    number: int,
    episode: Episode,
    recording: Recording | None,
) -> None:
    """Has an episode written, and tells the caller."""
    if writer is not None:
        writer.add(task, number, episode, None if recording is None else recording.actions)
    if plan.on_outcome is not None:
        plan.on_outcome(task, episode)


def _provenance(plan: Plan, engine: str | None, num_envs: int, fingerprint: Fingerprint) -> Provenance:
    return plan.clock.stop(fingerprint.packages, engine, num_envs)


def _engine_of(envs: Any) -> RowEngine | None:
    """Returns the record of the engine that steps the rows."""
    engine: RowEngine | None = envs.engine
    return engine


def evaluate_fixed(plan: Plan, env: Any) -> Result:
    """Evaluates any other Gymnasium env or vector env on its rows as they are."""
    for name, value in (("split", plan.split), ("tasks", plan.tasks), ("part", plan.part)):
        if value is not None:
            raise WrongType(
                f"{name} cannot be chosen for {env!r}, whose tasks cannot be set: pass a benchmark, or an "
                "environment from taskworlds.make_vec."
            )
    if plan.meta is not None:
        raise WrongType(
            f"The meta protocol needs an environment whose tasks can be set, not {env!r}: pass a benchmark, "
            "or an environment from taskworlds.make_vec."
        )
    if plan.resume is not None:
        raise WrongType(
            f"resume needs an environment whose tasks can be set, not {env!r}: pass a benchmark, or an "
            "environment from taskworlds.make_vec.",
            argument="resume",
        )
    tasks = getattr(env.unwrapped, "tasks", None)
    chooses = hasattr(env.unwrapped, "set_task") and isinstance(tasks, list | tuple) and len(tasks) > 1
    if holds_tasks(env.unwrapped) or chooses:
        raise WrongType(
            f"{env!r} changes its tasks between episodes and cannot be told which to play next, so the "
            "tasks would not get equal weight. Pass its benchmark, or an environment from taskworlds.make_vec "
            "without wrappers; a policy can do what a wrapper does to observations."
        )
    rows = FixedRows(env)
    on_ended = functools.partial(_ended, plan, None)
    ledger = Ledger(rows.tasks, 0, plan.episodes_per_task, plan.on_episode, plan.on_step, on_ended=on_ended)
    name = ", ".join(sorted({task.env_name for task in rows.tasks}))
    fingerprint = functools.partial(
        Fingerprint.of, protocol="multi-task", max_episode_steps=rows.max_episode_steps
    )
    of_all = fingerprint(rows.tasks)
    player = play_in(plan.policy, rows.envs.single_action_space, plan.seed)
    stop = functools.partial(_provenance, plan, None, rows.num_envs)
    with _kept_when_stopped(plan, name, None, fingerprint, ledger.records, stop):
        play_fixed(Actor(player, rows.envs.single_action_space, rows.num_envs), rows, ledger, plan.seed)
    return _result(plan, name, None, of_all, ledger.records(), stop(of_all))


def _chosen(available: Sequence[Task], wanted: Iterable[Any] | None) -> list[Task]:
    """Returns the tasks to evaluate, each once."""
    if wanted is None:
        return list(dict.fromkeys(available))
    if isinstance(wanted, Task) or not isinstance(wanted, Iterable):
        raise WrongType(
            f"tasks must be a list of tasks, or None for all of them, not {wanted!r}.", argument="tasks"
        )
    chosen = list(dict.fromkeys(Task.of(task) for task in wanted))
    if not chosen:
        raise WrongValue(
            "tasks must name at least one task, or be None for all of them, but it is empty.",
            argument="tasks",
        )
    known = set(available)
    for task in chosen:
        if task not in known:
            raise WrongValue(
                f"tasks must be in the split of the benchmark that is evaluated, but {task_label(task)} is "
                f"not one of its {len(known)}. Check the split and the seed that it was drawn with.",
                argument="tasks",
            )
    return chosen


def _played(
    plan: Plan,
    name: str,
    split: str | None,
    tasks: Sequence[Task],
    fingerprint: Callable[[Sequence[Task]], Fingerprint],
) -> dict[tuple[int, int], Episode]:
    """Returns the episodes that the result in `plan.resume` brings along, by the task's number and their own.

    Raises:
        ValueError: it is not a part of this evaluation.
    """
    part = plan.resume
    if not isinstance(part, Result):
        return {}
    mine = {
        "benchmark": name,
        "split": split,
        "episodes_per_task": plan.episodes_per_task,
        "seed": plan.seed,
    }
    theirs = {each: getattr(part, each) for each in mine}
    theirs["benchmark"] = part.benchmark.removesuffix(PARTIAL)
    faults = [
        f"{each} was {theirs[each]!r} then and is {mine[each]!r} now"
        for each in mine
        if mine[each] != theirs[each]
    ]
    if not faults:
        known = set(tasks)
        faults = [
            f"{task_label(each.task)} is not evaluated here" for each in part.tasks if each.task not in known
        ]
    if not faults:
        differing = part.fingerprint.differences(fingerprint([each.task for each in part.tasks]))
        faults = [f"{each} was {its!r} then and is {own!r} now" for each, (its, own) in differing.items()]
    if not faults:
        count = plan.episodes_per_task
        faults = [
            f"{task_label(each.task)} has {len(each.episodes)} of {count} episodes"
            for each in part.completed
            if len(each.episodes) != count
        ]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise WrongValue(
            f"resume must be part of this same evaluation, but {faults[0]}{more}. Evaluate with the same settings, or "
            "leave out resume to start over.",
            argument="resume",
        )
    numbers = {task: number for number, task in enumerate(tasks)}
    return {
        (numbers[record.task], number): episode
        for record in part.completed
        for number, episode in enumerate(record.episodes)
    }


@contextlib.contextmanager
def _kept_when_stopped(
    plan: Plan,
    name: str,
    split: str | None,
    fingerprint: Callable[[Sequence[Task]], Fingerprint],
    records: Callable[[], Sequence[TaskRecord]],
    stop: Callable[[Fingerprint], Provenance],
) -> Iterator[None]:
    """Makes Ctrl-C, and the loss of workers, bring along the tasks that have had all their episodes."""

    def part() -> Result | None:
        done = tuple(
            record
            for record in records()
            if record.error is not None or len(record.episodes) == plan.episodes_per_task
        )
        if not done:
            return None
        of_these = fingerprint([record.task for record in done])
        provenance = stop(of_these)
        return Result(
            f"{name}{PARTIAL}", split, plan.episodes_per_task, plan.seed, of_these, done, provenance
        )

    try:
        yield
    except KeyboardInterrupt:
        if (stopped := part()) is None:
            raise
        raise Stopped(stopped) from None
    except WorkerLost as lost:
        lost.state = part()
        raise


def _result(
    plan: Plan,
    name: str,
    split: str | None,
    fingerprint: Fingerprint,
    records: Sequence[TaskRecord],
    provenance: Provenance,
) -> Result:
    result = Result(name, split, plan.episodes_per_task, plan.seed, fingerprint, tuple(records), provenance)
    if result.failed:
        first = result.failed[0]
        warnings.warn(
            f"{len(result.failed)} of {len(result.tasks)} tasks could not run and are not in any average. The "
            f"first is {task_label(first.task)}: {first.error}. Result.failed lists them.",
            RuntimeWarning,
            stacklevel=4,
        )
    return result
