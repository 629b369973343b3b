"""Benchmarks whose tasks vary in more than their goals: with factors drawn from ranges, and in mended versions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from taskworlds.core.errors import WrongType, WrongValue, check_count, check_known, check_seed, check_switch
from taskworlds.core.task import Task
from taskworlds.worlds.metaworld.factors import FACTORS, check_value, factors_of
from taskworlds.worlds.metaworld.mended import MENDED

if TYPE_CHECKING:
    from taskworlds.core.benchmark import Benchmark

__all__ = ["mended", "vary"]


def vary(
    benchmark: Benchmark | str,
    ranges: Mapping[str, Any],
    *,
    seed: int,
    times: int = 1,
    where_possible: bool = False,
    name: str | None = None,
) -> Benchmark:
    """Makes a benchmark whose tasks are another's, with factors drawn at random.

    A task's values depend on the seed, its split and its place in it alone.

    Args:
        benchmark: a benchmark of Meta-World's skills, or its name. Of a union the members and their shares stay.
        ranges: by factor (see docs/variation.md) what it is drawn from: a pair (low, high), uniformly between them,
            each a tuple for a factor of several numbers; or a list of values, one of them.
        seed: decides the values.
        times: how many tasks are made of each.
        where_possible: whether tasks of skills that do not have a factor are left without it, and tasks of other worlds
            as they are. Otherwise that is an error.
        name: the benchmark's name, for reports; None for the other's and the factors'.

    Raises:
        ValueError: a factor is not known, or a skill does not have it or is of another world; a range is empty or out
            of bounds.
        TypeError: an argument is of the wrong type.

    Example:
        >>> heavy = vary("push-v3", {"object_mass": (0.5, 2.0), "table_colour": [(1, 0, 0), (0, 0, 1)]}, seed=0)
        >>> heavy.train_tasks[0]["object_mass"], heavy.train_tasks[0]["table_colour"]
        (1.455..., (0, 0, 1))
    """
    from taskworlds.core.benchmark import Benchmark
    from taskworlds.core.registry import world_of

    given = Benchmark.of(benchmark)
    if not isinstance(ranges, Mapping) or not ranges:
        raise WrongType(
            f"ranges must be a dictionary of ranges by factor, such as {{'friction': (0.5, 2.0)}}, not {ranges!r}.",
            argument="ranges",
        )
    for factor in ranges:
        check_known("factor", factor, FACTORS, f"There are {', '.join(FACTORS)}.")
    draws = {factor: _drawing(factor, ranges[factor]) for factor in sorted(ranges)}
    seed, times = check_seed(seed), check_count("times", times)
    skip = check_switch("where_possible", where_possible)
    skills = {task.env_name for task in (*given.train_tasks, *given.test_tasks)}
    ours = {skill: factors_of(skill) for skill in skills if world_of(skill).suite == "metaworld"}
    for factor in draws:
        if skip and not any(factor in has for has in ours.values()):
            raise WrongValue(
                f"ranges must be of factors that some skill has, and none of {given.name} has {factor}. "
                "docs/variation.md says which skills do.",
                argument="ranges",
            )

    def varied(split: int, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        found = []
        for place, task in enumerate(tasks):
            if task.env_name not in ours and not skip:
                raise WrongValue(
                    f"benchmark must have skills of Meta-World's arm alone, and {task.env_name} is of another world. "
                    "where_possible=True leaves its tasks as they are.",
                    argument="benchmark",
                )
            has = ours.get(task.env_name, ())
            for time in range(times):
                rng = np.random.default_rng([seed, split, place, time])
                values = {factor: draw(rng) for factor, draw in draws.items()}
                kept = {factor: value for factor, value in values.items() if factor in has or not skip}
                found.append(Task(task.env_name, {**task.params, **kept}))
        return tuple(found)

    def more(counts: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(count * times for count in counts)

    members = [
        dataclasses.replace(
            each,
            num_train=each.num_train * times,
            num_test=each.num_test * times,
            lists=more(each.lists),
        )
        for each in given.members
    ]
    return dataclasses.replace(
        given,
        name=name or f"{given.name}-vary-{'-'.join(draws)}",
        train_tasks=varied(0, given.train_tasks),
        test_tasks=varied(1, given.test_tasks),
        lists=more(given.lists),
        members=tuple(members),
    )


def _drawing(factor: str, given: Any) -> Callable[[np.random.Generator], Any]:
    """Returns what draws a factor's value."""
    if isinstance(given, list):
        if not given:
            raise WrongValue(
                f"ranges[{factor!r}] must have at least one value to choose from.", argument="ranges"
            )
        for value in _plain(given):
            check_value(FACTORS[factor], value)
        return lambda rng: given[int(rng.integers(len(given)))]
    try:
        low, high = np.asarray(given, dtype=np.float64)
        is_range = low.shape == (() if not FACTORS[factor].parts else (len(FACTORS[factor].parts),))
    except (TypeError, ValueError):
        is_range = False
    if not is_range:
        bound = f"{len(FACTORS[factor].parts)} numbers" if FACTORS[factor].parts else "a number"
        raise WrongValue(
            f"ranges[{factor!r}] must be a pair (low, high), each {bound}, or a list of values to choose from, not "
            f"{given!r}.",
            argument="ranges",
        )
    if not (low <= high).all():
        raise WrongValue(
            f"ranges[{factor!r}] must have its low end first, and not above the high one, not {given!r}.",
            argument="ranges",
        )
    for end in _plain(given):
        check_value(FACTORS[factor], end)
    return lambda rng: np.asarray(rng.uniform(low, high)).tolist()


def _plain(values: Any) -> tuple[Any, ...]:
    """Returns values as a task's parameters have them: NumPy's numbers and lists become Python's and tuples."""
    return tuple(Task("", {"values": list(values)})["values"])


def mended(benchmark: Benchmark | str, name: str | None = None) -> Benchmark:
    """Makes a benchmark with the mended version of the skills that have one, see `docs/variation.md`.

    Args:
        benchmark: a benchmark, or its name.
        name: the new one's name, for reports; None for the other's.

    Raises:
        ValueError: none of its skills has a mended version.

    Example:
        >>> mended("stick-push-v3").train_tasks[0]["version"]
        'mended'
    """
    from taskworlds.core.benchmark import Benchmark

    given = Benchmark.of(benchmark)
    splits = [
        tuple(
            Task(task.env_name, {**task.params, "version": "mended"}) if task.env_name in MENDED else task
            for task in tasks
        )
        for tasks in (given.train_tasks, given.test_tasks)
    ]
    if splits == [given.train_tasks, given.test_tasks]:
        raise WrongValue(
            f"benchmark must have a skill of which there is a mended version ({', '.join(MENDED)}), or not be mended "
            f"already; {given.name} has none.",
            argument="benchmark",
        )
    return dataclasses.replace(
        given, name=name or f"{given.name}-mended", train_tasks=splits[0], test_tasks=splits[1]
    )
