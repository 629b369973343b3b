"""MT10-robust and MT10-robust-pixels: the skills of MT10 with one factor changed at a time, and all at once.

Each has three strengths. A task says which part of the suite it belongs to by its parameter `variation`, such as
"friction 2"; those without it are MT10's own. `Result.by_variation` gives a score for each.

Physical factors are multiplied or divided by the numbers in `MULTIPLES`. Visual ones are drawn as the Distracting
Control Suite (Stone et al., 2021) draws its own, with its scales 0.1, 0.2 and 0.3: colours within the scale of the
original, cameras turned and rolled by up to the scale times 90 degrees, up to half the scale nearer and 1.5 times it
farther away. It leaves lights alone: here they are up to twice the scale darker or brighter.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from taskworlds.core.task import VARIATION, Task
from taskworlds.core.world import Tasks
from taskworlds.worlds.metaworld.benchmark_lists import ENV_NAMES, NUM_GOALS
from taskworlds.worlds.metaworld.factors import PHYSICAL, VISUAL, factors_of
from taskworlds.worlds.metaworld.goals import draw_goals
from taskworlds.worlds.metaworld.objects import OBJECTS

__all__ = ["MULTIPLES", "ROBUST_GOALS", "SCALES", "STRENGTHS", "robust"]

STRENGTHS = (1, 2, 3)
ROBUST_GOALS = 10  # of each skill, the first of its 50, unless the caller says otherwise

MULTIPLES: dict[str, tuple[float, float, float]] = {
    "friction": (1.5, 3.0, 8.0),
    "object_mass": (2.0, 6.0, 20.0),
    "damping": (2.0, 6.0, 20.0),
    "object_size": (1.15, 1.3, 1.5),
}
"""By physical factor, what Meta-World's own number is multiplied with or divided by, for each strength."""

SCALES = (0.1, 0.2, 0.3)
"""Of visual factors, for each strength."""

_LEFT_OUT = {("peg-insert-side-v3", "object_size")}
"""Factors that skills have since the suite was fixed."""

_WOOD, _TILES = (0.55, 0.43, 0.32), (0.3, 0.3, 0.3)  # about the colours of the textures


def robust(factors: Sequence[str], seed: int, num_goals: int | None) -> Tasks:
    """Returns the tasks of a suite: for each skill and goal Meta-World's own, then those of each factor and of all.

    A skill is left out of the parts of factors that it does not have.

    Args:
        factors: the factors.
        seed: of the goals, which are the first of MT10's with this seed, and of the values.
        num_goals: goals of each skill, of which up to 50 are MT10's; None for `ROBUST_GOALS`.
    """
    count = ROBUST_GOALS if num_goals is None else num_goals
    goals = draw_goals(ENV_NAMES["MT10"].train, seed, max(count, NUM_GOALS))
    tasks = []
    for env_name, vectors in goals.items():
        has = [
            factor
            for factor in factors
            if factor in factors_of(env_name) and (env_name, factor) not in _LEFT_OUT
        ]
        for number, vector in enumerate(vectors[:count].tolist()):
            own = {"rand_vec": vector, "partially_observable": False}
            tasks.append(Task(env_name, own))
            for part, changed in [*((factor, [factor]) for factor in has), ("all", has)]:
                for strength in STRENGTHS:
                    values = {
                        factor: _value(env_name, factor, strength, [seed, number, zlib.crc32(part.encode())])
                        for factor in changed
                    }
                    tasks.append(Task(env_name, {**own, **values, VARIATION: f"{part} {strength}"}))
    return tuple(tasks), ()


def _value(env_name: str, factor: str, strength: int, seeds: list[int]) -> Any:
    """Draws a factor's value."""
    names = [zlib.crc32(f"{env_name} {factor}".encode())]
    rng = np.random.default_rng([*seeds, strength, *names])
    if factor in PHYSICAL:
        multiple = MULTIPLES[factor][strength - 1]
        return multiple if rng.integers(2) else round(1.0 / multiple, 4)
    scale = SCALES[strength - 1]
    if factor == "light":
        return round(rng.uniform(1.0 - 2.0 * scale, 1.0 + 2.0 * scale), 4)
    if factor == "camera_jitter":
        most = math.pi / 2 * scale
        zoom = rng.uniform(-0.5 * scale, 1.5 * scale)
        return [round(each, 4) for each in (*rng.uniform(-most, most, 3), zoom)]
    original = np.array(_colour_of(env_name, factor))
    return np.clip(rng.uniform(original - scale, original + scale), 0.0, 1.0).round(4).tolist()


def _colour_of(env_name: str, factor: str) -> tuple[float, float, float]:
    if factor == "object_colour":
        thing = OBJECTS[env_name]
        assert thing is not None
        return thing.colour
    return _WOOD if factor == "table_colour" else _TILES


def physical(seed: int, num_goals: int | None) -> Tasks:
    """The tasks of MT10-robust."""
    return robust(PHYSICAL, seed, num_goals)


def visual(seed: int, num_goals: int | None) -> Tasks:
    """The tasks of MT10-robust-pixels."""
    return robust(VISUAL, seed, num_goals)
