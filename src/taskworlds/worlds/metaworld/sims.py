"""Simulations for resets, kept and put back after each, since making one takes longer than most resets."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from taskworlds.worlds.metaworld.factors import Physics
from taskworlds.worlds.metaworld.models import metaworld_model, varied_model
from taskworlds.worlds.metaworld.reset import Settled, Sim

__all__ = ["Which", "forget_sims", "known_places", "simulation"]

_MOST = 64  # simulations that are kept, of some 0.6 MB each; Meta-World has 36 models
_MOST_VARIED = 8  # of them with factors of a task, which hold a model of some 4 MB each, too
_MOST_SETTLED = 4096  # models with factors of which it is kept where the hand settles, some kB each

Which = tuple[str, str, Physics]
"""A model's file, and for a model with physical factors the skill, whose object they are of, and the factors."""

_settled: OrderedDict[Which, Settled] = OrderedDict()
_idle: OrderedDict[tuple[Which, int], Sim] = OrderedDict()  # by model, and to tell them apart
_lock = threading.Lock()


@contextmanager
def simulation(asset: str | os.PathLike[str], env_name: str = "", physics: Physics = ()) -> Iterator[Sim]:
    """Lends a simulation of a model as its file has it; what knows where the hand settles is shared.

    If the block ends in an exception the simulation is thrown away.

    Args:
        asset: the model's file.
        env_name: with physical factors, the skill whose object they are of; else "".
        physics: physical factors of a task that the model is to have.
    """
    which = os.fspath(asset), env_name, physics
    settled = known_places(*which)
    with _lock:
        found = next((key for key in reversed(_idle) if key[0] == which), None)
        sim = None if found is None else _idle.pop(found)
    if sim is None:
        original = varied_model(*which).model if physics else metaworld_model(asset)
        sim = Sim(original.to_mujoco(), settled, original)
    else:
        sim.put_back(settled)
    yield sim
    with _lock:
        _idle[which, id(sim)] = sim
        varied = [key for key in _idle if key[0][2]]
        for key in varied[: max(len(varied) - _MOST_VARIED, 0)]:
            del _idle[key]
        while len(_idle) > _MOST:
            _idle.popitem(last=False)


def known_places(asset: str | os.PathLike[str], env_name: str = "", physics: Physics = ()) -> Settled:
    """Returns where the hand settles in a model as its file has it; what is learnt is added. Arguments as above."""
    which = os.fspath(asset), env_name, physics
    with _lock:
        found = _settled.setdefault(which, {})
        _settled.move_to_end(which)
        while len(_settled) > _MOST_SETTLED:
            _settled.popitem(last=False)
        return found


def forget_sims() -> None:
    """Drops the simulations, and where hands settle."""
    with _lock:
        _idle.clear()
        _settled.clear()
