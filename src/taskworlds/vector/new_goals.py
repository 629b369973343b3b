"""Benchmarks with other goals: drawn from all that there are, instead of those that a benchmark lists."""

from __future__ import annotations

import dataclasses

import numpy as np

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.errors import check_choice, check_seed, check_switch
from taskworlds.core.registry import world_of
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.vector.protocols import PROTOCOLS

__all__ = ["with_new_goals"]


def with_new_goals(
    benchmark: Benchmark, split: str, seed: int, *, protocol: str | None, unlimited_goals: bool | None
) -> Benchmark:
    """Returns a benchmark whose tasks of a split have goals drawn anew, where options say that goals are unlimited.

    An evaluation plays listed tasks, so it lists as many new ones as there were: they depend on the seed alone.

    Args:
        benchmark: the benchmark.
        split: which of its tasks.
        seed: of the goals.
        protocol: as for `make_vec`; it may say that goals are unlimited.
        unlimited_goals: as for `make_vec`; None for what the protocol says.

    Raises:
        ValueError: the protocol is not known, or a world cannot draw goals.

    Example:
        >>> from taskworlds.core.benchmark import benchmark
        >>> listed = benchmark("reach-v3", num_goals=2)
        >>> drawn = with_new_goals(listed, "train", seed=0, protocol="newt", unlimited_goals=None)
        >>> len(drawn.train_tasks), set(drawn.train_tasks) & set(listed.train_tasks)
        (2, set())
    """
    check_choice("protocol", protocol, (None, *PROTOCOLS))
    unlimited = unlimited_goals is not None and check_switch("unlimited_goals", unlimited_goals)
    if not unlimited and (protocol is None or unlimited_goals is not None):  # which a protocol may contradict
        return benchmark
    np_random = np.random.default_rng(check_seed(seed))

    def drawn(task: Task) -> Task:
        world = world_of(task.env_name)
        return world.draw_goal(task, np_random) if unlimited or _sets(protocol, world) else task

    tasks = benchmark.tasks(split)
    new = tuple(map(drawn, tasks))
    if new == tasks:
        return benchmark
    if split == "test":
        return dataclasses.replace(benchmark, test_tasks=new)
    return dataclasses.replace(benchmark, train_tasks=new)


def _sets(protocol: str | None, world: World) -> bool:
    sets = {} if protocol is None else PROTOCOLS[protocol].sets.get(world.suite, {})
    return bool(sets.get("unlimited_goals"))
