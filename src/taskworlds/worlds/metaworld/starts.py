"""Where episodes start, computed once for each skill and goal, kept, and copied into rows.

A reset settles the hand for 2 x 250 physics steps, and its outcome depends on skill and rand_vec alone. The outcomes
are shared by all environments of the process; memory for them is bounded. Until a body of the model is moved, the hand
settles alike for all goals: that is computed once for a model, so a goal never seen costs 250 physics steps where its
fixtures stand elsewhere, and none where only objects and marks do.
"""

from __future__ import annotations

import copy
import ctypes
import functools
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.cpus import count_cpus
from taskworlds.worlds.metaworld.kernel import first_observation
from taskworlds.worlds.metaworld.models import metaworld_model
from taskworlds.worlds.metaworld.reset import Settled, begin
from taskworlds.worlds.metaworld.skill import Skill

__all__ = ["MAX_BYTES", "Kept", "beginnings", "forget", "kept_bytes"]

_TRIM_AFTER = 50  # computed outcomes: half a second of work, for a few milliseconds
MAX_BYTES = 256 * 2**20  # about 60,000 outcomes; a benchmark of 50 skills with 50 goals each takes 12 MB

Key = tuple[Skill, tuple[float, ...]]


class Kept(NamedTuple):
    """What a row is set to at reset. Read-only, shared.

    Attributes:
        state: MuJoCo's integration state, (S,) float64.
        moved: values of the skill's `moves`, (V,) float64.
        start: the skill's `start`, one after another, (P - 1,) float64.
        memory: the kernel's memory, (M,) float64.
        obs: the first observation, with the goal shown, (39,) float64.
        goal: the goal's position, (3,) float64, metres.
    """

    state: NDArray[np.float64]
    moved: NDArray[np.float64]
    start: NDArray[np.float64]
    memory: NDArray[np.float64]
    obs: NDArray[np.float64]
    goal: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        """Memory that the arrays take."""
        return sum(array.nbytes for array in self)


_kept: OrderedDict[Key, Kept] = OrderedDict()  # least recently used first
_settled: dict[str, Settled] = {}  # by the model's file
_bytes = 0
_untrimmed = 0  # outcomes computed since memory was last given back
_lock = threading.Lock()


def beginnings(wanted: Sequence[tuple[Skill, tuple[float, ...]]]) -> list[Kept]:
    """Returns the starts of episodes, computing those that are not kept, on all cores.

    Args:
        wanted: for each the skill and the task's rand_vec.
    """
    keys = list(wanted)
    with _lock:
        found = {key: _kept[key] for key in keys if key in _kept}
        for key in found:
            _kept.move_to_end(key)
    missing = {key: pair for key, pair in zip(keys, wanted, strict=True) if key not in found}
    if missing:
        if len(missing) == 1:
            computed = [_compute(*pair) for pair in missing.values()]
        else:
            with ThreadPoolExecutor(min(len(missing), count_cpus())) as pool:
                computed = list(pool.map(lambda pair: _compute(*pair), missing.values()))
        new = dict(zip(missing, computed, strict=True))
        found |= new
        _keep(new)
        _give_back(len(new))
    return [found[key] for key in keys]


def kept_bytes() -> int:
    """Returns the memory that kept outcomes take, in bytes."""
    return _bytes


def forget() -> None:
    """Drops all kept outcomes."""
    global _bytes
    with _lock:
        _kept.clear()
        _settled.clear()
        _bytes = 0


def _keep(new: dict[Key, Kept]) -> None:
    global _bytes
    with _lock:
        for key, kept in new.items():
            if key not in _kept:
                _kept[key] = kept
                _bytes += kept.nbytes
        while _bytes > MAX_BYTES and len(_kept) > 1:
            _bytes -= _kept.popitem(last=False)[1].nbytes


def _give_back(computed: int) -> None:
    """Has glibc give free memory back, now and then.

    Each outcome takes a copy of a model, some MB. After the first of these is freed, glibc no longer maps such blocks
    each for itself but cuts them from its arenas, one for each thread, and holds on to hundreds of MB of holes.
    """
    global _untrimmed
    with _lock:
        _untrimmed += computed
        if _untrimmed < _TRIM_AFTER:
            return
        _untrimmed = 0
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    """Finds glibc's function; None where the C library is another one."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None


@functools.lru_cache(maxsize=10)  # of 3 MB each; MT10 has 8
def _unmoved(asset: str) -> mujoco.MjModel:
    """Returns a model as its file has it, to be copied: three times as fast as making it from the engine's."""
    return metaworld_model(asset).to_mujoco()


def _compute(skill: Skill, vector: tuple[float, ...]) -> Kept:
    asset = os.fspath(skill.model)
    beginning = begin(skill, copy.copy(_unmoved(asset)), vector, _settled.setdefault(asset, {}))
    obs, memory, goal = first_observation(skill, beginning, visible=True)
    start = np.concatenate([beginning.start[name] for name in skill.start])
    kept = Kept(beginning.state, beginning.moved, start, memory, obs, goal)
    for array in kept:
        array.flags.writeable = False
    return kept
