"""The arena of `PointEnv`: how points move in it, what they observe, and the goals that they may have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from taskworlds.core.errors import WrongType, WrongValue

__all__ = [
    "ARENA_SIZE",
    "MAX_MOVE",
    "SUCCESS_DISTANCE",
    "Points",
    "as_pair",
    "check_goal",
    "moved",
    "observations",
    "sample_goals",
]

MAX_MOVE = 0.1  # per axis and step
SUCCESS_DISTANCE = math.sqrt(0.02)  # the length of the longest move, ≈ 0.1414
TASK_RANGE = 2.0  # sampled goals lie within this of the origin, per axis
ARENA_SIZE = 5.0  # the arena reaches as far from the origin, unless the caller says otherwise

Points = npt.NDArray[np.float32]


def moved(points: Points, moves: npt.NDArray[Any], arena_size: float) -> Points:
    """Returns where points are after a move, (..., 2) float32.

    Args:
        points: where they are, (..., 2) float32.
        moves: along x and y, (..., 2); they are clipped to ±0.1, and the points to the arena.
        arena_size: see `PointEnv`.
    """
    allowed = np.clip(moves, -MAX_MOVE, MAX_MOVE).astype(np.float32)
    reached: Points = np.clip(points + allowed, -arena_size, arena_size)
    return reached


def observations(points: Points, goals: Points) -> Points:
    """Returns x, y and the distance to the goal, (..., 3) float32, of points and their goals, (..., 2) float32."""
    to_goal = points - goals
    # Written out, since np.linalg.norm may round one point's distance in another way than many points'.
    distance = np.sqrt(to_goal[..., 0] * to_goal[..., 0] + to_goal[..., 1] * to_goal[..., 1])
    return np.concatenate([points, distance[..., None]], axis=-1)


def sample_goals(rng: np.random.Generator, count: int, arena_size: float) -> Points:
    """Draws goals, (count, 2) float32, uniform within 2 of the origin along both axes, and within the arena."""
    reach = min(TASK_RANGE, arena_size)
    return rng.uniform(-reach, reach, size=(count, 2)).astype(np.float32)


def check_goal(goal: Any, arena_size: float) -> Points:
    """Returns a goal as (2,) float32, a copy.

    Raises:
        TypeError: it is not made of numbers.
        ValueError: it is not two numbers within the arena.
    """
    pair = as_pair("goal", goal).astype(np.float32)
    # Written so that a NaN fails too.
    if not (np.abs(pair) <= arena_size).all():
        raise WrongValue(
            f"goal must lie within the arena, each coordinate between -{arena_size:g} and {arena_size:g}, not "
            f"{goal!r}. Choose another goal or a larger arena_size.",
            argument="goal",
        )
    return pair


def as_pair(argument: str, value: Any) -> npt.NDArray[Any]:
    """Returns two numbers as an array of shape (2,), or raises that they are not."""
    try:
        pair = np.asarray(value)
    except ValueError:  # lists of unequal lengths
        pair = None
    if pair is None or pair.dtype.kind not in "iuf":
        raise WrongType(f"{argument} must be two numbers, not {value!r}.", argument=argument)
    if pair.shape != (2,):
        raise WrongValue(
            f"{argument} must be two numbers, of shape (2,), not of shape {pair.shape}: {value!r}.",
            argument=argument,
        )
    return pair
