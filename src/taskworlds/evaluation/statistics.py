"""What is measured, a figure with its interval, and the mean and interquartile mean, as pure functions on arrays.

`intervals` has the intervals of rates and over runs, `bootstrap` those that resample, `aggregates` the figures of
several runs, and `significance` the p values. docs/statistics.md says which is used where, and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CONFIDENCE", "METRICS", "RATES", "UNKNOWN", "Estimate", "iqm", "mean", "skill_rows"]

METRICS = ("success_end", "success_once", "episode_return", "length")
"""What is measured of an episode, and averaged."""

RATES = ("success_end", "success_once")
"""Those of them that are shares of successes, from 0 to 1."""

CONFIDENCE = 0.95
"""The probability that an interval holds the true figure."""


class Estimate(NamedTuple):
    """A figure with its interval.

    Attributes:
        value: the figure.
        low: lower end of the 95 % interval, NaN where there is none.
        high: upper end, likewise.
    """

    value: float
    low: float
    high: float


UNKNOWN = Estimate(np.nan, np.nan, np.nan)
"""No figure."""


def mean(values: ArrayLike) -> Any:
    """Returns the mean over the last axis; NaN where there are no values.

    Example:
        >>> float(mean([0.0, 0.5, 1.0]))
        0.5
    """
    array = np.asarray(values, dtype=np.float64)
    return array.mean(axis=-1) if array.shape[-1] else np.full(array.shape[:-1], np.nan)[()]


def iqm(values: ArrayLike) -> Any:
    """Returns the interquartile mean over the last axis: the mean of the middle half.

    A quarter of the values, rounded down, is left out at each end. NaN where a value is NaN or there are
    none.

    Example:
        >>> float(iqm([0.0, 1.0, 2.0, 100.0]))
        1.5
    """
    array = np.sort(np.asarray(values, dtype=np.float64), axis=-1)  # NaN comes last
    count = array.shape[-1]
    if not count:
        return mean(array)
    cut = count // 4
    middle = array[..., cut : count - cut].mean(axis=-1)
    return np.where(np.isnan(array[..., -1]), np.nan, middle)[()]


def skill_rows(strata: Sequence[str]) -> list[NDArray[np.intp]]:
    """Returns the positions of each skill's goals, skills in the order in which they come first.

    Args:
        strata: the skill of each goal, G of them.

    Example:
        >>> [rows.tolist() for rows in skill_rows(["reach", "push", "reach"])]
        [[0, 2], [1]]
    """
    members: dict[str, list[int]] = {}
    for position, stratum in enumerate(strata):
        members.setdefault(stratum, []).append(position)
    return [np.array(rows) for rows in members.values()]
