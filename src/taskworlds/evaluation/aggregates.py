"""Figures of several runs on several skills, exactly as rliable 1.2.0 defines them (Agarwal et al., 2021).

A matrix of scores has one row a run (training seed) and one column a skill, (R, S); a score is the mean over the goals
of that skill in that run. All functions but the profile take stacks of such matrices too, (..., R, S), and reduce the
last two axes, so that they can be resampled by `bootstrap.stratified`.

Agarwal, Schwarzer, Castro, Courville and Bellemare, Deep Reinforcement Learning at the Edge of the Statistical
Precipice, NeurIPS 2021.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.evaluation.statistics import iqm

__all__ = [
    "as_scores",
    "interquartile_mean",
    "mean",
    "median",
    "optimality_gap",
    "performance_profile",
    "probability_of_improvement",
]


def as_scores(scores: ArrayLike) -> NDArray[np.float64]:
    """Returns a matrix runs x skills, (R, S) float64, or a stack of them.

    Raises:
        ValueError: it has fewer than two axes, or no runs or skills.
    """
    matrix = np.asarray(scores, dtype=np.float64)
    if matrix.ndim < 2 or 0 in matrix.shape:
        raise WrongValue(
            f"scores must be a matrix with a row for each run and a column for each skill, not of shape "
            f"{matrix.shape}. Give Pooled.scores(metric), for example.",
            "scores",
        )
    return matrix


def mean(scores: ArrayLike) -> Any:
    """Returns the mean over skills of the means over runs.

    Example:
        >>> float(mean([[0.0, 1.0], [0.5, 1.0]]))
        0.625
    """
    return as_scores(scores).mean(axis=-2).mean(axis=-1)


def median(scores: ArrayLike) -> Any:
    """Returns the median over skills of the means over runs.

    Example:
        >>> float(median([[0.0, 0.5, 1.0], [0.5, 0.5, 1.0]]))
        0.5
    """
    return np.median(as_scores(scores).mean(axis=-2), axis=-1)


def interquartile_mean(scores: ArrayLike) -> Any:
    """Returns the mean of the middle half of all R x S scores; a quarter, rounded down, is left out at each end.

    Example:
        >>> float(interquartile_mean([[0.0, 0.5], [0.7, 1.0]]))
        0.6
    """
    matrix = as_scores(scores)
    return iqm(matrix.reshape(*matrix.shape[:-2], -1))


def optimality_gap(scores: ArrayLike, target: float = 1.0) -> Any:
    """Returns by how much scores miss a target on average; a score above it counts as the target.

    Example:
        >>> float(optimality_gap([[0.5, 1.5]]))
        0.25
    """
    return target - np.minimum(as_scores(scores), target).mean(axis=(-2, -1))


def performance_profile(scores: ArrayLike, taus: ArrayLike, *, of_means: bool = False) -> NDArray[np.float64]:
    """Returns the share of scores strictly above each threshold.

    Args:
        scores: matrix runs x skills, (R, S).
        taus: thresholds, (K,).
        of_means: whether the share is of the skills' means over runs (S of them), and not of all R x S scores.

    Returns:
        Shares, (K,) float64.

    Example:
        >>> performance_profile([[0.0, 0.5, 1.0]], [0.0, 0.5, 1.0]).round(2).tolist()
        [0.67, 0.33, 0.0]
    """
    matrix = as_scores(scores)
    values = matrix.mean(axis=0) if of_means else matrix.ravel()
    return np.asarray((values > np.asarray(taus, dtype=np.float64)[..., np.newaxis]).mean(axis=-1))


def probability_of_improvement(x: ArrayLike, y: ArrayLike) -> Any:
    """Returns how probable it is that a run of X beats a run of Y, on a skill drawn at random.

    It is the mean over skills of U / (R_x R_y), with the statistic U of Mann and Whitney: pairs of runs in which X has
    the higher score, plus half of the ties.

    Args:
        x: scores of X, (R_x, S).
        y: scores of Y on the same skills, (R_y, S).

    Raises:
        ValueError: the skills are not as many.

    Example:
        >>> float(probability_of_improvement([[0.5, 0.9]], [[0.5, 0.8]]))
        0.75
    """
    first, second = as_scores(x), as_scores(y)
    if first.shape[-1] != second.shape[-1]:
        raise WrongValue(
            f"y must have scores of the {first.shape[-1]} skills of x, not of {second.shape[-1]}. Take both on the "
            "same skills.",
            "y",
        )
    left, right = first[..., :, np.newaxis, :], second[..., np.newaxis, :, :]
    better = (left > right).mean(axis=(-3, -2)) + (left == right).mean(axis=(-3, -2)) / 2
    return better.mean(axis=-1)
