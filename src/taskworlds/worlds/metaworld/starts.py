"""Where episodes start, computed once for each skill and goal, kept, and copied into rows.

A reset settles the hand for 2 x 250 physics steps, and its outcome depends on skill, rand_vec and the task's physical
factors alone. The outcomes are shared by all environments of the process; memory for them is bounded. Until a body of
the model is moved, the hand settles alike for all goals: that is computed once for a model, so a goal never seen costs
250 physics steps where its fixtures stand elsewhere, and none where only objects and marks do. These steps are done in
C++ (`Settling`), between two halves in Python.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.cpus import count_cpus
from taskworlds.engine import Settling
from taskworlds.worlds.metaworld.factors import Physics
from taskworlds.worlds.metaworld.kernel import first_observation
from taskworlds.worlds.metaworld.models import varied_model
from taskworlds.worlds.metaworld.reset import Beginning, Halfway, first_half, second_half
from taskworlds.worlds.metaworld.sims import Which, forget_sims, known_places, simulation
from taskworlds.worlds.metaworld.skill import Skill

__all__ = ["MAX_BYTES", "Kept", "Key", "beginnings", "begun", "ended", "forget", "is_kept", "kept_bytes"]

MAX_BYTES = 256 * 2**20  # about 60,000 outcomes; a benchmark of 50 skills with 50 goals each takes 12 MB


class Key(NamedTuple):
    """What a start depends on.

    Attributes:
        skill: the skill, with the reset of its version.
        rand_vec: the task's numbers.
        physics: the task's physical factors.
    """

    skill: Skill
    rand_vec: tuple[float, ...]
    physics: Physics = ()

    @property
    def which(self) -> Which:
        """The model that the episode runs in, as `sims.simulation` takes it."""
        return os.fspath(self.skill.model), self.skill.name if self.physics else "", self.physics


class Kept(NamedTuple):
    """What a row is set to at reset. Read-only, shared.

    Attributes:
        state: MuJoCo's integration state, (S,) float64.
        moved: values of the skill's `moves`, and with physical factors those at `edits.changed_places`, (V,) float64.
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
_bytes = 0
_lock = threading.Lock()


def beginnings(
    wanted: Sequence[Key],
    settle: Callable[[list[Settling]], None],
    ahead: Mapping[Key, Halfway | Kept] | None = None,
) -> list[Kept]:
    """Returns the starts of episodes, computing those that are not kept.

    Args:
        wanted: what each depends on.
        settle: does settlings, as `Engine.settle`.
        ahead: starts of which the first half was computed before.
    """
    wanted = [Key(*key) for key in wanted]
    with _lock:
        found = {key: _kept[key] for key in wanted if key in _kept}
        for key in found:
            _kept.move_to_end(key)
    missing = [key for key in dict.fromkeys(wanted) if key not in found]
    if missing:
        halves = {} if ahead is None else {key: ahead[key] for key in missing if key in ahead}
        halves |= _all_begun([key for key in missing if key not in halves])
        settle([half.settling for half in halves.values() if isinstance(half, Halfway) and half.settling])
        for key in _by_model(halves):
            half = halves[key]
            found[key] = ended(key, half) if isinstance(half, Halfway) else half
    return [found[key] for key in wanted]


def is_kept(key: Key) -> bool:
    """Returns whether a start is there already."""
    return key in _kept


def begun(key: Key) -> Halfway | Kept:
    """Computes the first half of a start, see `first_half`; all of it, and keeps it, where that is one."""
    with simulation(*key.which) as sim:
        half = first_half(key.skill, sim, key.rand_vec)
        return half if isinstance(half, Halfway) else _keep(key, half)


def ended(key: Key, half: Halfway) -> Kept:
    """Computes the second half of a start, and keeps it; its settling, if there is one, must be done."""
    with simulation(*key.which) as sim:
        return _keep(key, second_half(key.skill, sim, key.rand_vec, half))


def kept_bytes() -> int:
    """Returns the memory that kept outcomes take, in bytes."""
    return _bytes


def forget() -> None:
    """Drops all kept outcomes, and what resets have learnt."""
    global _bytes
    with _lock:
        _kept.clear()
        _bytes = 0
    forget_sims()


def _all_begun(keys: list[Key]) -> dict[Key, Halfway | Kept]:
    """Computes first halves; side by side where that of a model takes long, because it is the first one."""
    firsts = {key.which: key for key in keys if not known_places(*key.which)}
    halves: dict[Key, Halfway | Kept] = {}
    if len(firsts) > 1:
        with ThreadPoolExecutor(min(len(firsts), count_cpus())) as pool:
            halves |= zip(firsts.values(), pool.map(begun, firsts.values()), strict=True)
    return halves | {key: begun(key) for key in _by_model(keys) if key not in halves}


def _by_model(keys: Iterable[Key]) -> list[Key]:
    """Sorts keys so that those of one model follow each other, as few models are kept for resets."""
    return sorted(keys, key=lambda key: key.which)


def _keep(key: Key, beginning: Beginning) -> Kept:
    global _bytes
    skill = key.skill
    obs, memory, goal = first_observation(skill, beginning, visible=True)
    start = np.concatenate([beginning.start[name] for name in skill.start])
    moved = beginning.moved
    if key.physics:
        moved = np.concatenate([moved, varied_model(*key.which).values])
    kept = Kept(beginning.state, moved, start, memory, obs, goal)
    for array in kept:
        array.flags.writeable = False
    with _lock:
        if key not in _kept:
            _kept[key] = kept
            _bytes += kept.nbytes
        while _bytes > MAX_BYTES and len(_kept) > 1:
            _bytes -= _kept.popitem(last=False)[1].nbytes
    return kept
