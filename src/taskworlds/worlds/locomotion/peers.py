"""Who else steps these bodies. Their tasks there are the base ones, without goals."""

from __future__ import annotations

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.peers import envpool_peers, gymnasium_peers
from taskworlds.core.world import Peer

__all__ = ["peers"]

_NAMES = {
    "half-cheetah-vel": "HalfCheetah-v5",
    "half-cheetah-dir": "HalfCheetah-v5",
    "ant-dir": "Ant-v5",
    "walker2d-rand-params": "Walker2d-v5",
}


def peers(benchmark: Benchmark, num_envs: int, threads: tuple[int, ...], seed: int) -> list[Peer]:
    """Returns the peers of a benchmark's skill; see `World.peers`."""
    name = _NAMES.get(benchmark.env_names("train")[0])
    if name is None:
        return []
    return gymnasium_peers(name, num_envs) + envpool_peers(name, num_envs, threads, seed)
