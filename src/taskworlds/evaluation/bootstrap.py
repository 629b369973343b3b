"""Percentile bootstrap intervals: over the goals of one run, and over the runs of a method as rliable does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.evaluation.aggregates import as_scores
from taskworlds.evaluation.statistics import CONFIDENCE, Estimate, skill_rows

__all__ = ["RESAMPLES", "over_goals", "stratified"]

RESAMPLES = 2000  # puts the ends of a 95 % interval at the 2.5 % and 97.5 % points give or take 0.35 %

_BLOCK = 4_000_000  # numbers drawn at a time, to bound memory


def over_goals(
    statistic: Callable[..., Any],
    *samples: ArrayLike,
    strata: Sequence[str],
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Returns a statistic of the skills' means, with the interval that other goals of the same skills would move it in.

    Each resample draws, separately for each skill, as many of its goals as it has, with replacement. Several samples
    (two results on the same goals) are resampled together, so that pairs stay pairs. Within a skill of a single goal
    nothing can be resampled; all such skills are drawn from together, as if they were goals of one skill. With fewer
    than two goals in all, or with a NaN among the numbers, there is no interval: both ends are NaN.

    For rates use `intervals.rate`: resampling cannot tell how rare a failure is that has not been seen.

    Args:
        statistic: takes as many arrays as there are samples, (..., S), the means of the S skills, and reduces the last
            axis. The order of the skills is not that of `strata`, but the same for all samples.
        *samples: numbers by goal, (G,) each: the average over that goal's episodes.
        strata: the skill of each goal, G of them.
        seed: of the generator that draws; equal seeds give equal intervals.
        confidence: share of the resamples that lie inside the interval.
        resamples: how many resamples are drawn.

    Raises:
        ValueError: a sample has another shape.

    Example:
        >>> from taskworlds.evaluation.statistics import mean
        >>> over_goals(mean, [0.0, 2.0, 4.0, 4.0], strata=["reach"] * 4, seed=0)
        Estimate(value=2.5, low=1.0, high=4.0)
    """
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    if any(array.shape != (len(strata),) for array in arrays):
        raise WrongValue(
            f"Each sample must have one number for each of the {len(strata)} strata, not shapes "
            f"{[array.shape for array in arrays]}."
        )
    groups = skill_rows(strata)
    value = float(statistic(*(np.array([array[rows].mean() for rows in groups]) for array in arrays)))
    if len(strata) < 2 or np.isnan(value):
        return Estimate(value, np.nan, np.nan)
    generator = np.random.default_rng(seed)
    alone = [int(rows[0]) for rows in groups if len(rows) == 1]
    drawn = [_means(arrays, rows, resamples, generator) for rows in groups if len(rows) > 1]
    if alone:
        rows = np.array(alone)[generator.integers(len(alone), size=(resamples, len(alone)))]
        drawn.append([array[rows] for array in arrays])
    values = statistic(*(np.concatenate(columns, axis=1) for columns in zip(*drawn, strict=True)))
    return _percentiles(value, values, confidence)


def stratified(
    statistic: Callable[..., Any],
    *scores: ArrayLike,
    seed: int,
    skills_too: bool = False,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Returns a statistic of runs x skills with the stratified bootstrap interval of rliable (Agarwal et al., 2021).

    Each skill draws as many of its runs as it has, with replacement, independently of the other skills. The draws are
    those of rliable 1.2.0 after `numpy.random.seed(seed)`, so the interval is the same number.

    It suits one training per skill, as on Atari. Where one policy was trained on all skills, what is common to the
    skills of a run is shuffled apart, and the interval is too narrow: `Pooled.overall` has one that is not.

    Args:
        statistic: takes as many arrays as there are score matrices, (..., R, S), and reduces the last two axes.
        *scores: matrices runs x skills, (R, S) each, of one method or of two. They are resampled independently.
        seed: any whole number from 0 to 2**32 - 1.
        skills_too: whether skills are drawn too, with replacement, as if they were a sample of many; for one matrix.
        confidence: share of the resamples that lie inside the interval.
        resamples: how many resamples are drawn; rliable's default is 50,000, and 2,000 for profiles.

    Raises:
        ValueError: a matrix is empty or not two-dimensional, or `skills_too` is used with several.

    Example:
        >>> from taskworlds.evaluation.aggregates import interquartile_mean
        >>> scores = [[0.1, 0.55, 0.9, 1.2], [0.2, 0.6, 0.8, 1.0], [0.15, 0.5, 0.95, 1.1]]
        >>> found = stratified(interquartile_mean, scores, seed=0)
        >>> found.low < found.value < found.high
        True
    """
    matrices = [as_scores(each) for each in scores]
    if skills_too and len(matrices) > 1:
        raise WrongValue(
            "skills_too must be False for several matrices, whose skills would not stay the same. Give one matrix.",
            "skills_too",
        )
    generator = np.random.RandomState(seed)  # the generator behind rliable's draws
    block = max(1, _BLOCK // sum(matrix.size for matrix in matrices))
    values = []
    for start in range(0, resamples, block):
        count = min(block, resamples - start)
        values.append(statistic(*_redrawn(matrices, count, generator, skills_too)))
    return _percentiles(float(statistic(*matrices)), np.concatenate(values), confidence)


def _redrawn(
    matrices: Sequence[NDArray[np.float64]], count: int, generator: np.random.RandomState, skills_too: bool
) -> list[NDArray[np.float64]]:
    """Returns stratified resamples of each matrix, (count, R, S), in the order in which rliable draws."""
    width = matrices[0].shape[1]
    if len(matrices) == 1 and not skills_too:  # nothing else is drawn in between, so all can be drawn at once
        (matrix,) = matrices
        return [matrix[generator.randint(len(matrix), size=(count, *matrix.shape)), np.arange(width)]]
    drawn: list[list[NDArray[np.float64]]] = []
    for _ in range(count):
        runs = [generator.randint(len(matrix), size=matrix.shape) for matrix in matrices]
        skills = generator.randint(width, size=(1, width)) if skills_too else np.arange(width)
        drawn.append([matrix[chosen, skills] for matrix, chosen in zip(matrices, runs, strict=True)])
    return [np.stack(each) for each in zip(*drawn, strict=True)]


def _means(
    arrays: Sequence[NDArray[np.float64]],
    rows: NDArray[np.intp],
    resamples: int,
    generator: np.random.Generator,
) -> list[NDArray[np.float64]]:
    """Returns the means of resamples of some goals, one column a sample: (resamples, 1) each."""
    block = max(1, _BLOCK // len(rows))
    means = []
    for start in range(0, resamples, block):
        chosen = rows[generator.integers(len(rows), size=(min(block, resamples - start), len(rows)))]
        means.append([array[chosen].mean(axis=1, keepdims=True) for array in arrays])
    return [np.concatenate(each) for each in zip(*means, strict=True)]


def _percentiles(value: float, values: NDArray[np.float64], confidence: float) -> Estimate:
    tail = 50 * (1 - confidence)
    low, high = np.percentile(values, [tail, 100 - tail])
    return Estimate(value, float(low), float(high))
