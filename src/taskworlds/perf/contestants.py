"""Who is measured: this package on each engine, the official environments, and EnvPool where it is installed.

Beside the native engine stands its yardstick, a bare loop. All step the same benchmark (or, where a contestant has no
tasks, the same skill) with the same actions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.reference import resolve
from taskworlds.core.registry import engines, world_of
from taskworlds.perf.bare_loop import BareLoop
from taskworlds.vector.make import make, make_vec

__all__ = ["Contestant", "contestants"]


@dataclass(frozen=True)
class Contestant:
    """One way to step a batch.

    Attributes:
        title: its name in the table.
        make: makes it: a Gymnasium vector environment or a single one, or a `BareLoop`.
        rows: its number of rows; None for a single environment, stepped with one action.
        is_bare: whether it is a bare loop, which has no episodes and no build.
        yardstick: title of the bare loop of which its speed is a share; None for none.
    """

    title: str
    make: Callable[[], Any]
    rows: int | None
    is_bare: bool = False
    yardstick: str | None = None

    def actions(self, steps: int, rng: np.random.Generator, space: gym.spaces.Box) -> NDArray[np.float32]:
        """Draws actions for so many steps, (steps, rows, A) or (steps, A) float32, within the space of one row."""
        shape = (steps, *(() if self.rows is None else (self.rows,)), *space.shape)
        return rng.uniform(space.low, space.high, shape).astype(np.float32)


def contestants(
    benchmark: Benchmark, num_envs: int, threads: tuple[int, ...], seed: int = 0
) -> list[Contestant]:
    """Gives all who can step a benchmark on this machine.

    Args:
        benchmark: its train tasks are stepped.
        num_envs: rows, where a contestant can have any number.
        threads: numbers of threads to try, for those that take one.
        seed: of tasks and starts.
    """
    skills = benchmark.env_names("train")
    world = world_of(skills[0])
    made: list[Contestant] = []
    able = [name for name, each in engines().items() if each.can_step(world)]
    if "native" in able:
        for n in threads:
            made += _native(benchmark, num_envs, n, seed)
        able = [name for name in able if name not in ("native", "async")]
    made += [_ours(benchmark, num_envs, seed, engine, vector_strategy=engine) for engine in able]
    if len(skills) == 1:
        made.append(Contestant("taskworlds, one env", functools.partial(make, benchmark, seed=seed), None))
    peers = [] if world.peers is None else resolve(world.peers)(benchmark, num_envs, threads, seed)
    return made + [Contestant(each.title, each.make, each.num_rows) for each in peers]


def _native(benchmark: Benchmark, num_envs: int, threads: int, seed: int) -> list[Contestant]:
    """The native engine, and the bare loop over the same rows."""
    ours = _ours(benchmark, num_envs, seed, f"native, {_count(threads)}", num_threads=threads)
    bare = f"bare C++ loop, {_count(threads)}"
    return [
        replace(ours, yardstick=bare),
        Contestant(bare, lambda: BareLoop(ours.make()), num_envs, is_bare=True),
    ]


def _ours(benchmark: Benchmark, num_envs: int, seed: int, how: str, **keywords: Any) -> Contestant:
    made = functools.partial(make_vec, benchmark, num_envs, seed=seed, task_select="random", **keywords)
    return Contestant(f"taskworlds, {how}", made, num_envs)


def _count(threads: int) -> str:
    return f"{threads} thread{'' if threads == 1 else 's'}"
