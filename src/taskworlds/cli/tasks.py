"""What the options of a command say is played: a benchmark, a split of it, and maybe some of its tasks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from taskworlds.core.benchmark import SPLITS, Benchmark, split_of_name
from taskworlds.core.benchmark import benchmark as make_benchmark
from taskworlds.core.errors import WrongValue, check_choice
from taskworlds.core.registry import benchmark_makers, world_of
from taskworlds.core.task import Task
from taskworlds.core.world import World

__all__ = ["chosen", "of_one_world", "part_of", "played"]

_PART = re.compile(r"(\d+)/(\d+)")


def played(
    name: str, split: str | None, env_name: str | None, seed: int, num_goals: int | None
) -> tuple[Benchmark, str]:
    """Returns the benchmark that is named, and the split of it that is played.

    Raises:
        ValueError: there is no such benchmark or split, or it needs what the command line does not take.
    """
    from taskworlds.evaluation.environments import default_split  # loads a simulator

    if split is not None:
        check_choice("split", split, SPLITS)
    name, split = split_of_name(name, split)
    maker = benchmark_makers()[name][1] if name in benchmark_makers() else None
    other = [keyword for keyword in maker.keywords if keyword != "env_name"] if maker is not None else []
    if other:
        raise WrongValue(
            f"{name} needs {' and '.join(other)}, which the command line does not take. In Python: "
            f"taskworlds.evaluate(policy, taskworlds.benchmark({name!r}, {other[0]}=[...]))."
        )
    made = make_benchmark(name, env_name, seed=seed, num_goals=num_goals)
    split = split or default_split(made)
    made.tasks(split)  # raises where there are none
    return made, split


def chosen(benchmark: Benchmark, split: str, ids: Sequence[str] | None) -> tuple[Task, ...]:
    """Returns the tasks of a split that are played: all of them, or those whose ids begin as the given ones.

    Raises:
        ValueError: no task has such an id, or several begin so.
    """
    tasks = tuple(dict.fromkeys(benchmark.tasks(split)))
    if not ids:
        return tasks
    found: dict[Task, None] = {}
    for id in ids:
        matching = [task for task in tasks if task.id.startswith(id)] if id else []
        if not matching:
            raise WrongValue(
                f"task must be the id of one of the {len(tasks)} tasks of {benchmark.name} {split}, or its beginning, "
                f"not {id!r}. The first is {tasks[0].id}, of {tasks[0].env_name}; tasks.csv of an evaluation lists "
                "them. Other seeds and numbers of goals have other tasks.",
                argument="task_ids",
            )
        if len(matching) > 1:
            raise WrongValue(
                f"task {id!r} is the beginning of {len(matching)} ids, such as {matching[0].id} and {matching[1].id}. "
                "Give more of it.",
                argument="task_ids",
            )
        found[matching[0]] = None
    return tuple(task for task in tasks if task in found)


def of_one_world(benchmark: Benchmark, tasks: Sequence[Task], command: str) -> World:
    """Returns the world of the tasks that are played, for a command that plays in single environments.

    Raises:
        ValueError: the benchmark's skills are of several worlds.
    """
    every = dict.fromkeys(task.env_name for task in (*benchmark.train_tasks, *benchmark.test_tasks))
    count = len(set(map(world_of, every)))
    if count > 1:
        skill = tasks[0].env_name
        raise WrongValue(
            f"BENCHMARK must be of one world for {command}, and {benchmark.name} has skills of {count} worlds. Give "
            f"one skill at a time: taskworlds {command} {skill}. `taskworlds evaluate {benchmark.name}` plays all."
        )
    return world_of(tasks[0].env_name)


def part_of(given: str | None) -> tuple[int, int] | None:
    """Returns the part that `--part 1/4` names, as `evaluate` takes it: which, from 0 on, and of how many.

    Raises:
        ValueError: it is not such a text.

    Example:
        >>> part_of("1/4"), part_of(None)
        ((0, 4), None)
    """
    if given is None:
        return None
    found = _PART.fullmatch(given)
    number, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= of:
        raise WrongValue(
            f"part must be K/N, the K-th of N parts, with K from 1 to N, as 1/4, not {given!r}.",
            argument="part",
        )
    return number - 1, of
