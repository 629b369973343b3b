"""Environments that are made and closed by the thousand: what each leaves behind in the process."""

from __future__ import annotations

import ctypes
import gc
import os
import random
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from taskworlds import make_vec
from taskworlds.core import registry
from taskworlds.rendering import offscreen
from taskworlds.testing.faults.tally import Tally

__all__ = ["inject"]

_KILOBYTES = 5.0  # that an environment may leave behind, on average
_DRAWN = 20.0  # the same for one that drew: libraries of graphics keep pieces of their own
_WARM = 20  # environments at the most before the count begins: what is made once is made by then
_SHARE = {"native": 1, "numpy": 1, "sync": 10, "async": 20}  # of the rounds that an engine has, as a divisor


def inject(rounds: int, seed: int) -> Iterator[Tally]:
    """Makes, uses and closes environments of each world; a sample of dm_control's, which share their code.

    Args:
        rounds: how many of each world on its own engine; fewer on "sync" and "async", and with pictures.
        seed: decides the order of the worlds.
    """
    cases: list[tuple[str, str]] = []
    for world in registry.worlds():
        skill = world.env_names()[0]
        own = [engine for engine in ("native", "numpy") if engine in world.rows]
        cases += [(skill, engine) for engine in own]
        if world.name in ("Meta-World", "half-cheetah-vel", "cartpole-balance", "point"):
            cases += [(skill, engine) for engine in ("sync", "async")]
    random.Random(seed).shuffle(cases)
    for skill, engine in cases:
        yield _make_and_close(skill, engine, max(rounds // _SHARE[engine] // 2, 1), None)
    if _can_draw():
        for skill in ("reach-v3", "half-cheetah-vel", "cartpole-swingup"):
            yield _make_and_close(skill, "native", max(rounds // 40, 1), "rgb_array")


def _make_and_close(skill: str, engine: str, times: int, render_mode: Any) -> Tally:
    """Makes, uses and closes environments of a skill, twice `times` of them; compares the process before and after."""
    limit = _KILOBYTES if render_mode is None else _DRAWN
    drawn = "" if render_mode is None else ", drawn"
    tally = Tally(
        f"{skill} ({engine}{drawn}) made and closed", f"less than {limit:g} KB each; no file, no thread"
    )
    keywords: dict[str, Any] = {"num_threads": 2} if engine == "native" else {}
    if render_mode is not None:
        keywords |= {"render_mode": render_mode, "width": 32, "height": 32}

    def use(count: int) -> None:
        for _ in range(count):
            envs = make_vec(skill, 2, seed=0, vector_strategy=engine, **keywords)
            envs.reset(seed=0)
            envs.step(np.stack([envs.single_action_space.sample()] * 2))
            if render_mode is not None:
                envs.render()
            envs.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        use(max(2, min(_WARM, times)))
        before = _measure()
        use(times)
        middle = _measure()
        use(times)
        after = _measure()
    # What is left behind by each is there in both halves. A few environments say little of a few kilobytes.
    kilobytes = min(middle[0] - before[0], after[0] - middle[0])
    flaws = [f"{kilobytes / times:.1f} KB each"] if kilobytes > limit * max(times, 50) else []
    flaws += [
        f"{now - then} {what} more"
        for what, then, now in zip(("files", "threads"), before[1:], after[1:], strict=True)
        if now > then
    ]
    tally.injected, tally.held = 2 * times, 0 if flaws else 2 * times
    tally.lost = [f"{skill} ({engine}{drawn}): " + ", ".join(flaws)] if flaws else []
    return tally


def _measure() -> tuple[float, int, int]:
    """Returns the process's own memory, KB, its open files, and its threads, Python's and others."""
    gc.collect()
    if not sys.platform.startswith("linux"):
        return 0.0, 0, threading.active_count()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/smaps_rollup") as lines:
        anonymous = next(int(line.split()[1]) for line in lines if line.startswith("Anonymous"))
    return anonymous, len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def _can_draw() -> bool:
    try:
        offscreen.choose_library()
    except RuntimeError:
        return False
    return True
