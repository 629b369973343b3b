"""Evaluations in parts: each of R processes plays its share of the tasks, and the results make one."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from taskworlds.core.errors import WrongType, WrongValue, check_count
from taskworlds.core.task import Task
from taskworlds.evaluation.alike import check_alike
from taskworlds.evaluation.fingerprint import Fingerprint
from taskworlds.evaluation.result import Result

__all__ = ["check_part", "merge_parts", "name_of_part", "tasks_of_part"]

_NAMED = re.compile(r"(.*) \(part (\d+) of (\d+)\)", re.DOTALL)


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


def name_of_part(benchmark: str, part: tuple[int, int]) -> str:
    """Returns the name of a benchmark with that of a part, which `merge_parts` knows it by."""
    return f"{benchmark} (part {part[0]} of {part[1]})"


def merge_parts(results: Sequence[Result]) -> Result:
    """Makes one result of the results of all parts of an evaluation.

    It equals that of the evaluation in one process, if the policy's action for an observation does not depend on the
    row; only its `provenance` is that of the first part.

    Args:
        results: what `evaluate(..., part=(r, R))` returned for each r, in any order.

    Raises:
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
    results = list(results)
    found: dict[int, Result] = {}
    named = [_NAMED.fullmatch(result.benchmark) for result in results]
    for result, name in zip(results, named, strict=True):
        if name is None:
            raise WrongValue(
                f"results must be those of evaluate(..., part=(rank, of)), and {result!r} is of no part.",
                argument="results",
            )
        found[int(name[2])] = result
    if not results:
        raise WrongValue("results must hold the result of each part, but it is empty.", argument="results")
    names = {(name[1], int(name[3])) for name in named if name is not None}
    first = results[0]
    settings = {(result.split, result.episodes_per_task, result.seed) for result in results}
    if len(names) > 1 or len(settings) > 1:
        raise WrongValue(
            "results must be of parts of one evaluation, with the same benchmark, number of parts, split, episodes and "
            f"seed, not of {', '.join(sorted({result.benchmark for result in results}))}.",
            argument="results",
        )
    benchmark, of = names.pop()
    missing = [rank for rank in range(of) if rank not in found]
    if missing or len(results) != of:
        wrong = f"part {missing[0]} is missing" if missing else "one is there twice"
        raise WrongValue(f"results must have each of the {of} parts once, but {wrong}.", argument="results")
    for result in results[1:]:
        check_alike(first.fingerprint, result.fingerprint, ("tasks", "registered_skills"))
    count = sum(len(result.tasks) for result in results)
    tasks = tuple(found[place % of].tasks[place // of] for place in range(count))
    whole = Fingerprint.of([record.task for record in tasks], protocol=first.fingerprint.protocol)
    fingerprint = dataclasses.replace(
        first.fingerprint, tasks=whole.tasks, registered_skills=whole.registered_skills
    )
    return dataclasses.replace(found[0], benchmark=benchmark, fingerprint=fingerprint, tasks=tasks)
