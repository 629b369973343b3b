"""Other libraries' environments of the same bodies, for `taskworlds bench`: Gymnasium's and EnvPool's."""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

import gymnasium as gym

from taskworlds.core.world import Peer

__all__ = ["envpool_peers", "gymnasium_peers"]


def gymnasium_peers(id: str, num_envs: int) -> list[Peer]:
    """Returns Gymnasium's environment of an id, in both its vector environments; none if there is no such id."""
    if id not in gym.registry:
        return []
    make = functools.partial(gym.make_vec, id, num_envs)
    return [
        Peer(f"Gymnasium, {way}", functools.partial(make, vectorization_mode=way), num_envs)
        for way in ("sync", "async")
    ]


def envpool_peers(name: str, num_envs: int, threads: tuple[int, ...], seed: int) -> list[Peer]:
    """Returns EnvPool's environment of a name, for each number of threads; none where it is not installed."""
    if importlib.util.find_spec("envpool") is None:
        return []
    return [
        Peer(
            f"EnvPool, {count} thread{'' if count == 1 else 's'}",
            functools.partial(_make_envpool, name, num_envs, count, seed),
            num_envs,
        )
        for count in threads
    ]


def _make_envpool(name: str, num_envs: int, threads: int, seed: int) -> Any:
    import envpool  # an optional package

    return envpool.make_gymnasium(name, num_envs=num_envs, num_threads=threads, seed=seed)
