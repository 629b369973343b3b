"""Who is measured: this package on each engine, the official environments, and EnvPool where it is installed.

Beside the native engine stands its yardstick, a bare loop. All step the same benchmark (or, where a contestant has no
tasks, the same skill) with the same actions.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.bench.bare_loop import BareLoop
from taskworlds.benchmarks import Benchmark
from taskworlds.worlds import METAWORLD, world_of

__all__ = ["Contestant", "contestants"]

# EnvPool's names of what it has of the other worlds. Its tasks there are the base ones, without goals.
_ENVPOOL = {
    "half-cheetah-vel": "HalfCheetah-v5",
    "half-cheetah-dir": "HalfCheetah-v5",
    "ant-dir": "Ant-v5",
    "walker2d-rand-params": "Walker2d-v5",
    "cheetah-run": "CheetahRun-v1",
    "walker-walk": "WalkerWalk-v1",
    "finger-spin": "FingerSpin-v1",
    "cartpole-swingup": "CartpoleSwingup-v1",
}


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
    if world.make_native_rows is not None:
        for n in threads:
            made += _native(benchmark, num_envs, n, seed)
    engines = ("sync", "async") if world.make_native_rows is None else ("sync",)
    made += [_ours(benchmark, num_envs, seed, engine, vector_strategy=engine) for engine in engines]
    if len(skills) == 1:
        import taskworlds

        made.append(Contestant("taskworlds, one env", lambda: taskworlds.make(benchmark, seed=seed), None))
    made += _official(benchmark, skills, num_envs, seed)
    name = _envpool_name(skills[0]) if len(skills) == 1 else None
    if name is not None and importlib.util.find_spec("envpool") is not None:
        made += [_envpool(name, num_envs, n, seed) for n in threads]
    return made


def _native(benchmark: Benchmark, num_envs: int, threads: int, seed: int) -> list[Contestant]:
    """The native engine, and the bare loop over the same rows."""
    ours = _ours(benchmark, num_envs, seed, f"native, {_count(threads)}", num_threads=threads)
    bare = f"bare C++ loop, {_count(threads)}"
    return [
        replace(ours, yardstick=bare),
        Contestant(bare, lambda: BareLoop(ours.make()), num_envs, is_bare=True),
    ]


def _ours(benchmark: Benchmark, num_envs: int, seed: int, how: str, **keywords: Any) -> Contestant:
    import taskworlds

    def make() -> Any:
        return taskworlds.make_vec(benchmark, num_envs, seed=seed, task_select="random", **keywords)

    return Contestant(f"taskworlds, {how}", make, num_envs)


def _official(benchmark: Benchmark, skills: list[str], num_envs: int, seed: int) -> list[Contestant]:
    """The official environments: Meta-World's own entry points, or Gymnasium's environment of the same body."""
    if world_of(skills[0]) is METAWORLD:
        import metaworld  # noqa: F401  registers its ids

        if len(skills) == 1:
            one = functools.partial(gym.make, "Meta-World/MT1", env_name=skills[0], seed=seed)
            return [Contestant("Meta-World, one env", one, None)]
        if benchmark.name not in ("MT10", "MT25", "MT50"):
            return []
        make = functools.partial(gym.make_vec, f"Meta-World/{benchmark.name}", seed=seed)
        return [
            Contestant(f"Meta-World, {way}", functools.partial(make, vector_strategy=way), len(skills))
            for way in ("sync", "async")
        ]
    name = _ENVPOOL.get(skills[0], "")
    if name not in gym.registry:
        return []
    make = functools.partial(gym.make_vec, name, num_envs)
    return [
        Contestant(f"Gymnasium, {way}", functools.partial(make, vectorization_mode=way), num_envs)
        for way in ("sync", "async")
    ]


def _envpool_name(skill: str) -> str | None:
    """EnvPool's name of a skill, if it has it."""
    if world_of(skill) is not METAWORLD:
        return _ENVPOOL.get(skill)
    words = skill.removesuffix("-v3").split("-")
    return f"MetaWorld/{''.join(word.capitalize() for word in words)}-v3"


def _envpool(name: str, num_envs: int, threads: int, seed: int) -> Contestant:
    def make() -> Any:
        import envpool

        return envpool.make_gymnasium(name, num_envs=num_envs, num_threads=threads, seed=seed)

    return Contestant(f"EnvPool, {_count(threads)}", make, num_envs)


def _count(threads: int) -> str:
    return f"{threads} thread{'' if threads == 1 else 's'}"
