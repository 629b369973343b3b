"""Who is measured: this package on each engine, and the peers that the world names.

The native engine is measured next to its yardstick, a bare loop. All of them step the same benchmark (or, where a
contestant has no tasks, the same skill) with the same actions.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.reference import resolve
from taskworlds.core.registry import choose_engine, engines, world_of
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import World
from taskworlds.perf.bare_loop import BareLoop
from taskworlds.vector.make import make, make_vec

__all__ = ["Contestant", "contestants"]

_BARE = {"native": "bare C++ loop"}  # titles of the bare loops, by the engine whose yardstick each is


@dataclass(frozen=True)
class Contestant:
    """One way to step a batch.

    Attributes:
        title: its name in the table.
        make: makes it: a Gymnasium vector environment or a single one, or a `BareLoop`.
        rows: its number of rows; None for a single environment, stepped with one action.
        is_bare: whether it is a bare loop, which has no episodes and no build.
        yardstick: title of the bare loop of which its speed is a share; None for none.
        is_ours: whether it is this package's.
    """

    title: str
    make: Callable[[], Any]
    rows: int | None
    is_bare: bool = False
    yardstick: str | None = None
    is_ours: bool = False

    def actions(
        self, steps: int, rng: np.random.Generator, space: gym.Space[Any]
    ) -> Sequence[Any] | NDArray[Any]:
        """Draws actions for so many steps from the space of one row, one for each step.

        Returns:
            (steps, rows, *shape), or (steps, *shape) for a single environment; float32 for a bounded Box of floats. For
            a space that is not one of arrays, such as a Dict, a list of its batches, or of its values.
        """
        rows = () if self.rows is None else (self.rows,)
        if isinstance(space, gym.spaces.Box) and space.is_bounded() and space.dtype.kind == "f":
            return rng.uniform(space.low, space.high, (steps, *rows, *space.shape)).astype(np.float32)
        own = copy.deepcopy(space)
        if space.shape is None and self.rows is not None:
            own = batch_space(own, self.rows)
        own.seed(int(rng.integers(2**31)))
        if space.shape is None:
            return [own.sample() for _ in range(steps)]
        drawn = [own.sample() for _ in range(steps * (self.rows or 1))]
        return np.array(drawn).reshape(steps, *rows, *space.shape)


def contestants(
    benchmark: Benchmark, num_envs: int, threads: tuple[int, ...], seed: int = 0
) -> list[Contestant]:
    """Returns all that can step a benchmark on this machine.

    An engine that takes `num_threads` is measured with each number of threads. Where the world has rows of its own, one
    engine is enough of those that step the same environments, as their equal snapshots say.

    A batch over several worlds is measured on the best engine of each, and on those that step Python environments in
    this process. It has no peers, and no yardstick.

    Args:
        benchmark: its train tasks are stepped.
        num_envs: rows, where a contestant can have any number.
        threads: numbers of threads to try, for those that take one.
        seed: of tasks and starts.
    """
    skills = benchmark.env_names("train")
    worlds = list(dict.fromkeys(map(world_of, skills)))
    if len(worlds) > 1:
        return _of_several(benchmark, num_envs, threads, seed, worlds)
    world = worlds[0]
    made: list[Contestant] = []
    able = [each for each in engines().values() if each.inside is None and each.can_step(world)]
    if any(each.name in world.rows for each in able):
        able = list({each.takes_snapshots_of: each for each in reversed(able)}.values())[::-1]
    for each in able:
        made += _on_engine(benchmark, num_envs, threads, seed, each)
    if len(skills) == 1:
        one = functools.partial(make, benchmark, seed=seed)
        made.append(Contestant("taskworlds, one env", one, None, is_ours=True))
    peers = [] if world.peers is None else resolve(world.peers)(benchmark, num_envs, threads, seed)
    return made + [Contestant(each.title, each.make, each.num_rows) for each in peers]


def _of_several(
    benchmark: Benchmark, num_envs: int, threads: tuple[int, ...], seed: int, worlds: Sequence[World]
) -> list[Contestant]:
    """This package on the best engine of each world, for each number of threads if one takes it, and on "sync"."""
    making = functools.partial(make_vec, benchmark, num_envs, seed=seed, task_select="random", pad=True)
    takes_threads = any("num_threads" in choose_engine(world, None, 1).options for world in worlds)
    best = [
        (f"taskworlds, best engines, {_count(n)}", functools.partial(making, num_threads=n)) for n in threads
    ]
    if not takes_threads:
        best = [("taskworlds, best engines", making)]
    best.append(("taskworlds, sync", functools.partial(making, vector_strategy="sync")))
    return [Contestant(title, make, num_envs, is_ours=True) for title, make in best]


def _on_engine(
    benchmark: Benchmark, num_envs: int, threads: tuple[int, ...], seed: int, engine: RowEngine
) -> list[Contestant]:
    """This package on one engine, for each number of threads if it takes one, with its yardstick if it has one."""
    if "num_threads" not in engine.options:
        return [_ours(benchmark, num_envs, seed, engine, engine.name)]
    made: list[Contestant] = []
    for n in threads:
        ours = _ours(benchmark, num_envs, seed, engine, f"{engine.name}, {_count(n)}", num_threads=n)
        if engine.name in _BARE:
            bare = f"{_BARE[engine.name]}, {_count(n)}"
            made.append(replace(ours, yardstick=bare))
            made.append(
                Contestant(
                    bare, functools.partial(_bare_loop, ours.make), num_envs, is_bare=True, is_ours=True
                )
            )
        else:
            made.append(ours)
    return made


def _bare_loop(make: Callable[[], Any]) -> BareLoop:
    return BareLoop(make())


def _ours(
    benchmark: Benchmark, num_envs: int, seed: int, engine: RowEngine, how: str, **keywords: Any
) -> Contestant:
    made = functools.partial(
        make_vec,
        benchmark,
        num_envs,
        seed=seed,
        task_select="random",
        vector_strategy=engine.name,
        **keywords,
    )
    return Contestant(f"taskworlds, {how}", made, num_envs, is_ours=True)


def _count(threads: int) -> str:
    return f"{threads} thread{'' if threads == 1 else 's'}"
