"""Mean, interquartile mean and bootstrap intervals over tasks, as pure functions on arrays.

A sample has one number per task: the average over that task's episodes. The intervals answer one question:
how far would the figure move if other tasks of the same skills had been drawn? So tasks are what is
resampled, within each skill; the skills are fixed, and so are the episodes of a task.

Resampling cannot tell how rare a failure is that has not been seen: five successes in five tasks would give an interval
of no width. Where the success rates of all tasks of a skill are equal, the skill's rate is therefore drawn from its
beta distribution, that of Laplace's rule of succession, instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import WrongValue

__all__ = [
    "CONFIDENCE",
    "METRICS",
    "RATES",
    "RESAMPLES",
    "UNKNOWN",
    "Estimate",
    "all_or_nothing",
    "estimate",
    "iqm",
    "mean",
]

METRICS = ("success_end", "success_once", "episode_return", "length")
"""What is measured of an episode, and averaged."""

RATES = ("success_end", "success_once")
"""Those of them that are shares of successes, from 0 to 1."""

CONFIDENCE = 0.95
RESAMPLES = 2000  # puts the ends of a 95 % interval at the 2.5 % and 97.5 % points give or take 0.35 %

_BLOCK = 4_000_000  # numbers drawn at a time, to bound memory


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
    from scipy.stats import trim_mean  # takes a second, which only this needs

    array = np.asarray(values, dtype=np.float64)
    if not array.shape[-1]:
        return mean(array)
    return np.where(np.isnan(array).any(axis=-1), np.nan, trim_mean(array, 0.25, axis=-1))[()]


def all_or_nothing(*samples: ArrayLike) -> bool:
    """Returns whether all numbers are 0 or 1, as the success rates of tasks with one episode each.

    Their interquartile mean says little: with 38 ones of 50 it is 1.

    Example:
        >>> all_or_nothing([0.0, 1.0]), all_or_nothing([0.0, 1.0], [0.5, 1.0])
        (True, False)
    """
    return all(np.isin(sample, (0.0, 1.0)).all() for sample in samples)


def estimate(
    statistic: Callable[..., Any],
    *samples: ArrayLike,
    strata: Sequence[str],
    seed: int,
    rates: bool = False,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Returns a statistic of one number per task, with its percentile bootstrap interval.

    Each resample draws, separately for each skill, as many of its tasks as it has, with replacement. Several
    samples (two results on the same tasks) are resampled together, so that pairs stay pairs. Within a skill
    of a single task nothing can be resampled; all such skills are drawn from together, as if they were tasks
    of one skill. With fewer than two tasks in all, or with a NaN among the numbers, there is no interval:
    both ends are NaN.

    Args:
        statistic: takes as many arrays as there are samples, (..., T), and reduces the last axis.
        *samples: numbers by task, (T,) each.
        strata: the skill of each task, T of them.
        seed: of the generator that draws; equal seeds give equal intervals.
        rates: whether the numbers are shares of successes. Skills whose tasks all have the same share, c, are then not
            resampled: with n such tasks their share is drawn from Beta(n c + 1, n (1 - c) + 1), one draw for all of
            them. The interval holds the figure itself too.
        confidence: share of the resamples that lie inside the interval.
        resamples: how many resamples are drawn.

    Example:
        >>> estimate(mean, [0.0, 1.0, 1.0, 1.0], strata=["reach"] * 4, seed=0)
        Estimate(value=0.75, low=0.25, high=1.0)
        >>> certain = estimate(mean, [1.0] * 5, strata=["reach"] * 5, seed=0, rates=True)
        >>> round(certain.low, 1), certain.high  # Wilson's interval for 5 of 5 begins at 0.57
        (0.5, 1.0)
    """
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    if any(array.shape != (len(strata),) for array in arrays):
        raise WrongValue(
            f"Each sample must have one number for each of the {len(strata)} strata, not shapes "
            f"{[array.shape for array in arrays]}."
        )
    value = float(statistic(*arrays))
    if len(strata) < 2 or np.isnan(value):
        return Estimate(value, np.nan, np.nan)
    generator = np.random.default_rng(seed)
    groups = _groups(strata)
    flat = [_equal_shares(array, groups) if rates else {} for array in arrays]
    shares = np.random.default_rng((seed, 1))  # apart, so that other skills' draws do not depend on them
    values = np.concatenate(
        [
            statistic(
                *(_with_shares(array[rows], each, shares) for array, each in zip(arrays, flat, strict=True))
            )
            for rows in _resampled(groups, resamples, generator)
        ]
    )
    tail = 50 * (1 - confidence)
    low, high = (float(end) for end in np.percentile(values, [tail, 100 - tail]))
    return Estimate(value, min(low, value), max(high, value)) if rates else Estimate(value, low, high)


def _groups(strata: Sequence[str]) -> list[NDArray[np.intp]]:
    """Returns the positions of the tasks that are drawn from together, each once."""
    members: dict[str, list[int]] = {}
    for position, stratum in enumerate(strata):
        members.setdefault(stratum, []).append(position)
    groups = [np.array(group) for group in members.values() if len(group) > 1]
    alone = [group[0] for group in members.values() if len(group) == 1]
    return [*groups, np.array(alone)] if alone else groups


def _equal_shares(
    array: NDArray[np.float64], groups: Sequence[NDArray[np.intp]]
) -> dict[float, NDArray[np.intp]]:
    """Returns, by share, the columns of a resample that belong to groups whose tasks all have that share."""
    columns: dict[float, list[int]] = {}
    start = 0
    for group in groups:
        share = float(array[group[0]])
        if (array[group] == share).all():
            columns.setdefault(share, []).extend(range(start, start + len(group)))
        start += len(group)
    return {share: np.array(each) for share, each in columns.items()}


def _with_shares(
    sample: NDArray[np.float64], columns: dict[float, NDArray[np.intp]], generator: np.random.Generator
) -> NDArray[np.float64]:
    """Puts drawn shares into the columns of resamples, (R, T), that belong to each share."""
    for share, each in columns.items():
        successes = share * len(each)
        sample[:, each] = generator.beta(successes + 1, len(each) - successes + 1, size=(len(sample), 1))
    return sample


def _resampled(
    groups: Sequence[NDArray[np.intp]], resamples: int, generator: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """Draws positions of tasks, (R, T) a block, until there are `resamples` rows."""
    block = max(1, _BLOCK // sum(map(len, groups)))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        yield np.concatenate(
            [group[generator.integers(len(group), size=(size, len(group)))] for group in groups], axis=1
        )
