"""Evaluations in parts: each of R processes plays its share of the tasks, and the results make one."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from taskworlds.core.errors import WrongType, WrongValue, check_count
from taskworlds.core.task import Task
from taskworlds.evaluation.alike import check_alike
from taskworlds.evaluation.fingerprint import Fingerprint, code_of_skills, hash_of_tasks
from taskworlds.evaluation.result import PARTIAL, Result

__all__ = ["check_part", "is_part", "merge_parts", "name_of_part", "tasks_of_part"]

_NAMED = re.compile(r"(.*) \(part ([1-9]\d*) of ([1-9]\d*), tasks ([0-9a-f]{16})\)", re.DOTALL)
_LISTED = 5  # parts, in a message


def check_part(part: Any) -> tuple[int, int]:
    """Returns which part of an evaluation is asked for: its number, from 0 on, and how many there are.

    Raises:
        TypeError, ValueError: it is not such a pair.
    """
    if not isinstance(part, tuple | list) or len(part) != 2:
        raise WrongType(
            f"part must be a pair (rank, of): which part, from 0 on, and of how many, not {part!r}.",
            argument="part",
        )
    of = check_count("The second number of part", part[1])
    return check_count("The first number of part", part[0], minimum=0, maximum=of - 1), of


def tasks_of_part(tasks: Sequence[Task], part: tuple[int, int]) -> list[Task]:
    """Returns the tasks of a part, in order: every R-th from the r-th on, so each is in one part.

    Tasks stand by skill, so each part has goals of each skill, as long as there are as many.

    Raises:
        ValueError: there are more parts than tasks.
    """
    rank, of = part
    if of > len(tasks):
        raise WrongValue(
            f"part must be of at most {len(tasks)} parts, as there are no more tasks, not {of}.",
            argument="part",
        )
    return list(tasks[rank::of])


def name_of_part(benchmark: str, part: tuple[int, int], tasks: Iterable[Task]) -> str:
    """Returns the name of a benchmark with that of a part, which `merge_parts` knows it by; parts count from 1 there.

    Args:
        benchmark: its name.
        part: as for `evaluate`.
        tasks: of all parts.
    """
    return f"{benchmark} (part {part[0] + 1} of {part[1]}, tasks {hash_of_tasks(tasks)})"


class _Named(NamedTuple):
    """What the name of a part says: of which whole it is."""

    benchmark: str
    of: int
    tasks: str


def is_part(result: Result) -> bool:
    """Returns whether a result is of a part of an evaluation."""
    return _NAMED.fullmatch(result.benchmark.removesuffix(PARTIAL)) is not None


def merge_parts(results: Sequence[Result]) -> Result:
    """Makes one result of the results of all parts of an evaluation.

    It equals that of the evaluation in one process, if the policy's action for an observation does not depend on the
    row; only its `provenance` is that of the first part.

    Args:
        results: what `evaluate(..., part=(r, R))` returned for each r, in any order.

    Raises:
        TypeError: they are not results.
        ValueError: one is missing or there twice, or they are not parts of the same evaluation.

    Example:
        >>> from taskworlds.evaluation import evaluate, random_policy
        >>> parts = [
        ...     evaluate(lambda obs: obs[:, :2] * 0, "point", num_goals=3, max_episode_steps=2, part=(rank, 2))
        ...     for rank in range(2)
        ... ]
        >>> [len(part.tasks) for part in parts], len(merge_parts(parts).tasks)
        ([2, 1], 3)
    """
    results = [results] if isinstance(results, Result) else list(results)
    for each in results:
        if not isinstance(each, Result):
            raise WrongType(
                f"results must be Results, what evaluate returned or Result.load reads, not {each!r}.",
                argument="results",
            )
    if not results:
        raise WrongValue("results must hold the result of each part, but it is empty.", argument="results")
    named = [_named(result) for result in results]
    _check_of_one(results, [name for _, name in named])
    benchmark, of, hash_of_all = named[0][1]
    found = {rank: result for (rank, _), result in zip(named, results, strict=True)}
    missing = [rank for rank in range(of) if rank not in found]
    if missing or len(results) != of:
        twice = [rank for rank, count in sorted(Counter(rank for rank, _ in named).items()) if count > 1]
        wrong = " and ".join(
            f"{_listed(ranks)} of {of} {verb}"
            for ranks, verb in (
                (missing, "is missing" if len(missing) == 1 else "are missing"),
                (twice, "is there twice" if len(twice) == 1 else "are there twice"),
            )
            if ranks
        )
        raise WrongValue(f"results must have each of the {of} parts once, but {wrong}.", argument="results")
    fingerprint = _fingerprint_of_all([found[rank] for rank in range(of)])
    count = sum(len(result.tasks) for result in results)
    if any(len(result.tasks) != len(range(rank, count, of)) for rank, result in found.items()):
        raise _not_of_one("tasks")
    tasks = tuple(found[place % of].tasks[place // of] for place in range(count))
    if hash_of_tasks(record.task for record in tasks) != hash_of_all:
        raise _not_of_one("tasks")
    fingerprint = dataclasses.replace(fingerprint, tasks=hash_of_all)
    return dataclasses.replace(found[0], benchmark=benchmark, fingerprint=fingerprint, tasks=tasks)


def _named(result: Result) -> tuple[int, _Named]:
    """Returns which part a result is of, from 0 on, and of what."""
    if result.benchmark.endswith(PARTIAL) and is_part(result):
        raise WrongValue(
            f"results must be whole parts, and {result!r} is of an evaluation that was stopped. Resume it first.",
            argument="results",
        )
    name = _NAMED.fullmatch(result.benchmark)
    if name is None or int(name[2]) > int(name[3]):
        raise WrongValue(
            f"results must be those of evaluate(..., part=(rank, of)), on the command line of --part, and {result!r} "
            "is of no part.",
            argument="results",
        )
    return int(name[2]) - 1, _Named(name[1], int(name[3]), name[4])


def _listed(ranks: Sequence[int]) -> str:
    """Returns parts in words, counted from 1 as in their names."""
    shown = [str(rank + 1) for rank in ranks[:_LISTED]]
    more = ", ..." if len(ranks) > _LISTED else ""
    return f"part {shown[0]}" if len(ranks) == 1 else f"parts {', '.join(shown)}{more}"


def _check_of_one(results: Sequence[Result], names: Sequence[_Named]) -> None:
    """Raises unless the parts are of one evaluation, by all that they say themselves."""
    says: dict[str, list[Any]] = {
        "benchmark": [name.benchmark for name in names],
        "number of parts": [name.of for name in names],
        "split": [result.split for result in results],
        "episodes of a task": [result.episodes_per_task for result in results],
        "seed": [result.seed for result in results],
        "tasks of all parts": [name.tasks for name in names],
        "policy": [result.provenance.policy_line for result in results if result.provenance is not None],
    }
    for what, values in says.items():
        if len(seen := list(dict.fromkeys(values))) > 1:
            raise _not_of_one(what, f": {seen[0]!r} and {seen[1]!r}")


def _not_of_one(what: str, values: str = "") -> WrongValue:
    return WrongValue(
        "results must be of parts of one evaluation, with the same benchmark, number of parts, split, episodes, seed, "
        f"tasks and policy, but they differ in the {what}{values}.",
        argument="results",
    )


def _fingerprint_of_all(parts: Sequence[Result]) -> Fingerprint:
    """Returns the fingerprint of parts that were measured in the same way; its tasks are still those of the first.

    A part may have skills of fewer worlds than another, and so fewer packages and fewer registered skills.

    Raises:
        ValueError: something else differs.
    """
    whole = parts[0].fingerprint
    for part in parts[1:]:
        own = part.fingerprint.packages
        only = set(whole.packages) ^ set(own)
        check_alike(whole, part.fingerprint, ("tasks", "registered_skills", *sorted(only)))
        packages = {**whole.packages, **own}
        whole = dataclasses.replace(whole, packages=dict(sorted(packages.items())))
    codes = dict.fromkeys(part.fingerprint.registered_skills for part in parts)
    if len(codes) == 1:
        return whole
    # A part tells the code of its own skills alone, so this process has to know that of all.
    for part in parts:
        here = code_of_skills({record.task.env_name for record in part.tasks})
        if here != part.fingerprint.registered_skills:
            raise WrongValue(
                "results must be of parts that were played with the same code of registered skills, and it is to be "
                f"known here: {part.benchmark} has {part.fingerprint.registered_skills}, and here it is {here}. "
                "Register the skills as they were before merging.",
                argument="results",
            )
    every = {record.task.env_name for part in parts for record in part.tasks}
    return dataclasses.replace(whole, registered_skills=code_of_skills(every))
