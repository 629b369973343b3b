"""Intervals in closed form: of success rates over goals, of their differences, and of any figure over runs.

Nothing is drawn here, so they need no seed. docs/statistics.md has their simulated coverage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from taskworlds.core.errors import WrongValue
from taskworlds.evaluation.statistics import CONFIDENCE, UNKNOWN, Estimate, skill_rows

__all__ = ["Trials", "effective_trials", "newcombe", "over_runs", "rate", "wilson"]


class Trials(NamedTuple):
    """A success rate, and how many independent trials would tell as much about it.

    Attributes:
        rate: mean over skills of the skills' means, from 0 to 1.
        number: how many trials, not a whole number as a rule.
    """

    rate: float
    number: float


def wilson(rate: float, trials: float, confidence: float = CONFIDENCE) -> Estimate:
    """Returns a rate with Wilson's score interval (Wilson, 1927), which lies within [0, 1] and always has a width.

    Args:
        rate: share of successes.
        trials: number of independent trials, above 0; it need not be whole.
        confidence: the probability that the interval holds the true rate.

    Example:
        >>> [round(end, 3) for end in wilson(1.0, 50)]
        [1.0, 0.929, 1.0]
    """
    z = _normal(confidence)
    scale = 1 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / scale
    half = z * math.sqrt(rate * (1 - rate) / trials + (z / (2 * trials)) ** 2) / scale
    # At 0 and 1 an end is the rate itself, but for rounding.
    return Estimate(rate, min(max(centre - half, 0.0), rate), max(min(centre + half, 1.0), rate))


def effective_trials(values: ArrayLike, strata: Sequence[str]) -> Trials:
    """Returns the rate over skills and its effective number of trials.

    With p the mean over the S skills of the means p_s of their G_s goals, and V = sum(var_s / G_s) / S^2 its variance
    when goals are drawn within skills (var_s with G_s - 1), the number is p (1 - p) / V: so many coin tosses would have
    that variance. Episodes of one goal are not counted as if they were independent. Where goals do not vary within any
    skill it is S^2 / sum(1 / G_s), which is the number of goals where all skills have as many. A skill with one goal
    counts with variance p (1 - p). For a single skill the number is multiplied by (z / t)^2, with the quantiles of the
    normal and of Student's t distribution with G - 1 degrees of freedom.

    Args:
        values: success rate of each goal over its episodes, (G,), from 0 to 1; two or more.
        strata: the skill of each goal, G of them.

    Example:
        >>> trials = effective_trials([1.0] * 45 + [0.0] * 5, ["reach"] * 50)
        >>> trials.rate, round(trials.number, 6)
        (0.9, 46.610496)
    """
    from scipy.special import stdtrit  # takes a moment, which importing the package does without

    array = np.asarray(values, dtype=np.float64)
    skills = [array[rows] for rows in skill_rows(strata)]
    p = float(np.mean([each.mean() for each in skills]))
    variances = [_variance(each) if len(each) > 1 else p * (1 - p) for each in skills]
    variance = sum(own / len(each) for own, each in zip(variances, skills, strict=True)) / len(skills) ** 2
    if variance > 0 and 0 < p < 1:
        number = p * (1 - p) / variance
    else:
        number = len(skills) ** 2 / sum(1 / len(each) for each in skills)
    if len(skills) == 1:
        t = float(stdtrit(len(array) - 1, (1 + CONFIDENCE) / 2))
        number *= (_normal(CONFIDENCE) / t) ** 2
    return Trials(p, number)


def rate(values: ArrayLike, strata: Sequence[str]) -> Estimate:
    """Returns a success rate with its 95 % interval over new goals of the same skills, for the same policy.

    It is Wilson's interval with the effective number of trials. One goal alone has no interval, and unknown success
    leaves everything unknown.

    Args:
        values: success rate of each goal over its episodes, (G,), from 0 to 1.
        strata: the skill of each goal, G of them.

    Raises:
        ValueError: there are not as many values as strata.

    Example:
        >>> [round(end, 3) for end in rate([1.0] * 50, ["reach"] * 50)]
        [1.0, 0.925, 1.0]
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (len(strata),):
        raise WrongValue(
            f"values must have one number for each of the {len(strata)} strata, not shape {array.shape}.",
            "values",
        )
    if not array.size or np.isnan(array).any():
        return UNKNOWN
    if array.size == 1:
        return Estimate(float(array[0]), math.nan, math.nan)
    return wilson(*effective_trials(array, strata))


def newcombe(first: Estimate, second: Estimate) -> Estimate:
    """Returns the difference of two rates, second minus first, with an interval made of theirs.

    Newcombe's hybrid score interval (1998, method 10). It takes the rates as independent, so it is wider than needed
    where they are of the same goals.

    Example:
        >>> [round(end, 3) for end in newcombe(wilson(0.0, 10), wilson(1.0, 10))]
        [1.0, 0.608, 1.0]
    """
    value = second.value - first.value
    return Estimate(
        value,
        value - math.hypot(second.value - second.low, first.high - first.value),
        value + math.hypot(second.high - second.value, first.value - first.low),
    )


def over_runs(means: ArrayLike, *, rates: bool = False, confidence: float = CONFIDENCE) -> Estimate:
    """Returns the mean over runs, with Student's t interval: how far would it move with other training seeds?

    Of rates, the interval is taken on the logit, log(p / (1 - p)), with the standard error divided by p (1 - p), and so
    lies within (0, 1). There is no interval for one run, nor where all runs are alike: it would have no width.

    Args:
        means: a figure of each run, (R,).
        rates: whether the figures are shares, from 0 to 1.
        confidence: the probability that the interval holds the expectation over runs.

    Example:
        >>> [round(end, 3) for end in over_runs([0.88, 0.92, 0.9], rates=True)]
        [0.9, 0.838, 0.94]
    """
    from scipy.special import stdtrit  # as above

    array = np.asarray(means, dtype=np.float64)
    value = float(array.mean()) if array.size else math.nan
    if array.size < 2 or math.isnan(value) or not np.ptp(array) > 0:
        return Estimate(value, math.nan, math.nan)
    half = float(stdtrit(array.size - 1, (1 + confidence) / 2) * array.std(ddof=1) / math.sqrt(array.size))
    if not rates:
        return Estimate(value, value - half, value + half)
    logit, half = math.log(value / (1 - value)), half / (value * (1 - value))
    return Estimate(value, _share(logit - half), _share(logit + half))


def _variance(values: np.ndarray) -> float:
    """Returns the variance with G - 1; exactly 0 for equal values, whose mean may differ in the last digit."""
    return float(values.var(ddof=1)) if np.ptp(values) > 0 else 0.0


def _share(logit: float) -> float:
    """Returns 1 / (1 + exp(-logit)), without overflow."""
    return (1 + math.tanh(logit / 2)) / 2


def _normal(confidence: float) -> float:
    from scipy.special import ndtri  # as above

    return float(ndtri((1 + confidence) / 2))
