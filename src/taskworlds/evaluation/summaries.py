"""Figures of a skill and of all skills: means, interquartile means, the lowest skills, and how they read in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import check_choice, check_count
from taskworlds.evaluation import bootstrap, intervals, statistics
from taskworlds.evaluation.statistics import RATES, UNKNOWN, Estimate

__all__ = [
    "SkillSummary",
    "Summary",
    "Worst",
    "headline",
    "mean_of",
    "num_worst",
    "part_in_words",
    "summarise",
    "worst_in_words",
    "worst_of",
]

_WORST = 3  # skills whose mean is shown beside the mean of all


@dataclass(frozen=True)
class SkillSummary:
    """The figures of one skill: averages over its tasks that ran, each task with equal weight.

    Attributes:
        env_name: the skill.
        num_tasks: how many tasks were asked for.
        num_failed: how many of them could not run, and so are not in the averages.
        num_episodes: how many episodes the averages rest on.
        success_end: share of episodes whose last step was a success, with its interval.
        success_once: share of episodes with a success at any step.
        episode_return: average return.
        length: average number of steps.
    """

    env_name: str
    num_tasks: int
    num_failed: int
    num_episodes: int
    success_end: Estimate
    success_once: Estimate
    episode_return: Estimate
    length: Estimate


class Worst(NamedTuple):
    """The lowest skills of a result.

    Attributes:
        value: mean over them.
        env_names: the skills, the lowest first.
        values: their own means, in the same order.
    """

    value: float
    env_names: tuple[str, ...]
    values: tuple[float, ...]


class Summary(NamedTuple):
    """One metric over the skills: its mean and its interquartile mean, each with an interval where it has one.

    Each skill's mean over its tasks counts once, so a skill has equal weight however many of its tasks ran. The
    interquartile mean is over these means too, never over single successes and failures: it is unknown (NaN) with fewer
    than two skills, and for success where each skill has one task with one outcome. That of success has no interval:
    one that is resampled over goals misses the true figure up to nine times in ten.

    Attributes:
        mean: the mean over skills.
        iqm: the interquartile mean.
    """

    mean: Estimate
    iqm: Estimate


def mean_of(metric: str, values: ArrayLike, strata: Sequence[str], seed: int) -> Estimate:
    """Returns the mean over skills of one of `METRICS`, with its interval over goals.

    Args:
        metric: which.
        values: of each goal, (G,).
        strata: the skill of each goal, G of them.
        seed: of the bootstrap, where there is one.
    """
    if metric in RATES:
        return intervals.rate(values, strata)
    return bootstrap.over_goals(statistics.mean, values, strata=strata, seed=seed)


def summarise(metric: str, values: NDArray[np.float64], strata: Sequence[str], seed: int) -> Summary:
    """Returns mean and interquartile mean over skills of one of `METRICS`; arguments as in `mean_of`."""
    return Summary(mean_of(metric, values, strata, seed), _iqm(metric, values, strata, seed))


def _iqm(metric: str, values: NDArray[np.float64], strata: Sequence[str], seed: int) -> Estimate:
    skills = statistics.skill_rows(strata)
    if len(skills) < 2:
        return UNKNOWN
    if metric in RATES:
        means = np.array([values[rows].mean() for rows in skills])
        single = all(len(rows) == 1 for rows in skills) and np.isin(means, (0.0, 1.0)).all()
        return UNKNOWN if single else Estimate(float(statistics.iqm(means)), math.nan, math.nan)
    found = bootstrap.over_goals(statistics.iqm, values, strata=strata, seed=seed)
    return found if found.low < found.high else Estimate(found.value, math.nan, math.nan)


def worst_of(skills: Sequence[SkillSummary], k: int, metric: str) -> Worst:
    """Returns the k lowest of some skills, see `Result.worst`."""
    check_choice("metric", metric, ("success_end", "success_once", "episode_return"))
    values = {
        skill.env_name: getattr(skill, metric).value for skill in skills if skill.num_tasks > skill.num_failed
    }
    chosen = sorted(values, key=values.__getitem__)[: check_count("k", k, 1, len(values))]
    if any(math.isnan(value) for value in values.values()):
        return Worst(math.nan, (), ())
    lowest = tuple(values[name] for name in chosen)
    return Worst(float(np.mean(lowest)), tuple(chosen), lowest)


def worst_in_words(skills: Sequence[SkillSummary]) -> str:
    """Returns the mean success (end) of the lowest skills in words, "" where there is one skill or no success known."""
    count = num_worst(skills)
    if not count:
        return ""
    value = worst_of(skills, count, "success_end").value
    return f"worst skill {value:.3f}" if count == 1 else f"worst {count} skills {value:.3f}"


def num_worst(skills: Sequence[SkillSummary]) -> int:
    """Returns how many of the lowest skills are shown: 3, or 1 of fewer than 4, or 0 of one or without success."""
    ran = [skill for skill in skills if skill.num_tasks > skill.num_failed]
    if len(ran) < 2 or any(math.isnan(skill.success_end.value) for skill in ran):
        return 0
    return _WORST if len(ran) > _WORST else 1


def part_in_words(part: str, env_names: Sequence[str]) -> str:
    """Returns what tables call a part of the tasks, such as those of a world, from its name and its skills.

    Example:
        >>> part_in_words("friction 2", ["push-v3"])
        'friction 2, 1 skill'
    """
    return f"{part}, {len(env_names)} skill{'' if len(env_names) == 1 else 's'}"


def headline(means: Mapping[str, Estimate], *, signed: bool = False) -> str:
    """Puts a mean and its interval into words: of success, or of the return where no success is known.

    Example:
        >>> unknown = Estimate(math.nan, math.nan, math.nan)
        >>> headline({"success_end": unknown, "episode_return": Estimate(12.34, 10.0, 15.0)})
        'return 12.3, 95 % interval [10.0, 15.0]'
    """
    has_success = not math.isnan(means["success_end"].value)
    metric, word, digits = ("success_end", "success", 3) if has_success else ("episode_return", "return", 1)
    value, low, high = (f"{number:{'+' if signed else ''}.{digits}f}" for number in means[metric])
    return (
        f"{word} {value}"
        if math.isnan(means[metric].low)
        else f"{word} {value}, 95 % interval [{low}, {high}]"
    )
