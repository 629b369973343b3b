"""Who else steps Meta-World's skills: its own entry points, and EnvPool where it is installed."""

from __future__ import annotations

import functools

import gymnasium as gym

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.peers import envpool_peers
from taskworlds.core.world import Peer

__all__ = ["peers"]


def peers(benchmark: Benchmark, num_envs: int, threads: tuple[int, ...], seed: int) -> list[Peer]:
    """Returns the peers of a benchmark's train tasks; see `World.peers`."""
    import metaworld  # noqa: F401  registers its ids

    skills = benchmark.env_names("train")
    if len(skills) == 1:
        one = functools.partial(gym.make, "Meta-World/MT1", env_name=skills[0], seed=seed)
        found = [Peer("Meta-World, one env", one, None)]
        words = skills[0].removesuffix("-v3").split("-")
        name = f"MetaWorld/{''.join(word.capitalize() for word in words)}-v3"
        return found + envpool_peers(name, num_envs, threads, seed)
    if benchmark.name not in ("MT10", "MT25", "MT50"):
        return []
    make = functools.partial(gym.make_vec, f"Meta-World/{benchmark.name}", seed=seed)
    return [
        Peer(f"Meta-World, {way}", functools.partial(make, vector_strategy=way), len(skills))
        for way in ("sync", "async")
    ]
