"""The figures of two methods' difference: over the goals of one run each, or over runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.evaluation import aggregates, bootstrap, intervals, significance, statistics
from taskworlds.evaluation.pooled import Pooled
from taskworlds.evaluation.scores import counted_by
from taskworlds.evaluation.statistics import RATES, UNKNOWN, Estimate, skill_rows
from taskworlds.evaluation.summaries import Summary

__all__ = [
    "GOALS",
    "NOTHING",
    "RUNS",
    "improvement",
    "mean_difference",
    "over_of",
    "score_difference",
    "summary_of",
]

GOALS, RUNS, NOTHING = "goals", "runs", "nothing"
"""What the intervals of a pair are over."""


def over_of(a: Pooled, b: Pooled) -> str:
    """Returns what the intervals of two methods' difference are over.

    One run against one: goals. Several against several: runs. One against several: nothing, as one run does not show
    how much the runs of its method vary.
    """
    counts = sorted((len(a.runs), len(b.runs)))
    return GOALS if counts == [1, 1] else RUNS if counts[0] > 1 else NOTHING


def mean_difference(
    a: Pooled, b: Pooled, metric: str, tasks: Sequence[Task], seed: int
) -> tuple[Estimate, float]:
    """Returns the difference b - a of the means over skills with its interval, and its p value.

    Over goals: the paired percentile bootstrap, and `significance.paired`. Where no skill's goals differ in their
    difference, resampling would claim certainty; the interval of success is then Newcombe's, of the two rates. Over
    runs: Welch's t test and its interval; where all runs of each are alike, Newcombe's of the two rates over goals.

    Args:
        a: the earlier method.
        b: the later one.
        metric: one of `METRICS`.
        tasks: that ran to their end in both.
        seed: of what is drawn.
    """
    rates, strata = metric in RATES, [task.env_name for task in tasks]
    over = over_of(a, b)
    if over == GOALS:
        first, second = a.goals(metric, tasks)[0], b.goals(metric, tasks)[0]
        found = bootstrap.over_goals(statistics.mean, second - first, strata=strata, seed=seed)
        if rates and found.low == found.high:
            found = intervals.newcombe(intervals.rate(first, strata), intervals.rate(second, strata))
        return found, significance.paired(second - first, _weights(strata), seed=seed)
    means = [method.scores(metric, tasks).mean(axis=1) for method in (a, b)]
    value = float(means[1].mean() - means[0].mean())
    if over == NOTHING:
        return Estimate(value, math.nan, math.nan), math.nan
    p, half = significance.welch(*means)
    if rates and math.isnan(half) and not math.isnan(value):
        return intervals.newcombe(a.over_goals(metric, tasks), b.over_goals(metric, tasks)), p
    low, high = value - half, value + half
    return (Estimate(value, max(low, -1.0), min(high, 1.0)) if rates else Estimate(value, low, high)), p


def score_difference(
    a: Pooled, b: Pooled, name: str, tasks: Sequence[Task], seed: int
) -> tuple[Estimate, float]:
    """Returns the difference b - a of a protocol's scores with its interval, and its p value.

    Args:
        a: the earlier method.
        b: the later one.
        name: of the protocol.
        tasks: that ran to their end in both.
        seed: of what is drawn.
    """
    counted = {counted_by(name, task.env_name) for task in tasks}
    if len(counted) == 1:
        ((metric, factor),) = counted
        found, p = mean_difference(a, b, metric, tasks, seed)
        return Estimate(*(factor * each for each in found)), p
    strata, over = [task.env_name for task in tasks], over_of(a, b)
    first, second = a.counted(name, tasks), b.counted(name, tasks)
    if over == GOALS:
        change = second[0] - first[0]
        found = bootstrap.over_goals(statistics.mean, change, strata=strata, seed=seed)
        return found, significance.paired(change, _weights(strata), seed=seed)
    means = [each @ _weights(strata) for each in (first, second)]
    value = float(means[1].mean() - means[0].mean())
    if over == NOTHING:
        return Estimate(value, math.nan, math.nan), math.nan
    p, half = significance.welch(*means)
    return Estimate(value, value - half, value + half), p


def summary_of(a: Pooled, b: Pooled, metric: str, tasks: Sequence[Task], seed: int) -> tuple[Summary, float]:
    """Returns the differences of mean and interquartile mean over skills, and the p value of the former."""
    mean, p = mean_difference(a, b, metric, tasks, seed)
    return Summary(mean, _iqm_difference(a, b, metric, tasks, seed)), p


def improvement(a: Pooled, b: Pooled, metric: str, tasks: Sequence[Task]) -> float:
    """Returns the probability that a run of b beats one of a on a skill drawn at random; NaN if a score is unknown."""
    scores = [method.scores(metric, tasks) for method in (b, a)]
    if any(np.isnan(each).any() for each in scores):
        return math.nan
    return float(aggregates.probability_of_improvement(*scores))


def _iqm_difference(a: Pooled, b: Pooled, metric: str, tasks: Sequence[Task], seed: int) -> Estimate:
    strata = [task.env_name for task in tasks]
    alone = all(len(rows) == 1 for rows in skill_rows(strata))
    scores = [method.scores(metric, tasks) for method in (a, b)]
    single = metric in RATES and alone and all(np.isin(each, (0.0, 1.0)).all() for each in scores)
    if scores[0].shape[1] < 2 or single:
        return UNKNOWN
    if over_of(a, b) != GOALS or metric in RATES:
        first, second = (float(aggregates.interquartile_mean(each)) for each in scores)
        return Estimate(second - first, math.nan, math.nan)
    found = bootstrap.over_goals(
        lambda first, second: statistics.iqm(second) - statistics.iqm(first),
        *(method.goals(metric, tasks)[0] for method in (a, b)),
        strata=strata,
        seed=seed,
    )
    return found if found.low < found.high else Estimate(found.value, math.nan, math.nan)


def _weights(strata: Sequence[str]) -> NDArray[np.float64]:
    """Returns the weight of each goal in the mean over skills."""
    weights = np.empty(len(strata))
    skills = skill_rows(strata)
    for rows in skills:
        weights[rows] = 1 / (len(skills) * len(rows))
    return weights
