"""Continual World's three figures: average performance, forgetting, and forward transfer.

As its code has them (awarelab/continual_world, results_processing/tables.py), which averages over the last five
evaluations where the paper's text (Wolczyk et al. 2021) has the last one. p_i(t) is the success rate on task i at
evaluation t. Intervals are 90 % ones of the percentile bootstrap over runs, as there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from taskworlds.continual.learning_run import LearningRun
from taskworlds.core.errors import WrongType, WrongValue, check_count
from taskworlds.evaluation.statistics import Estimate

__all__ = ["LAST", "forgetting", "forward_transfer", "performance"]

LAST = 5
"""Evaluations that are averaged at an end."""

_RESAMPLES = 4000
_ENDS = (5.0, 95.0)  # per cent

Runs = Sequence[LearningRun]
"""Runs of one method over the same sequence, one for each training seed."""


def performance(runs: Runs, last: int = LAST) -> Estimate:
    """Returns the average performance: the mean of p_i over the last evaluations of the whole run, tasks, and runs.

    Args:
        runs: whole runs over the same sequence, one for each training seed.
        last: how many evaluations.

    Returns:
        The figure with its 90 % interval over runs; NaN ends for a single run.

    Raises:
        TypeError, ValueError: the runs are not whole, or of different sequences, or have too few evaluations.

    Example:
        >>> rates = (0, 0), (1, 0), (1, 0), (0.5, 1)
        >>> run = LearningRun(("reach-v3", "push-v3"), 100, (50, 100, 150, 200), rates)
        >>> performance([run], last=1).value, forgetting([run], last=1).value
        (0.75, 0.25)
    """
    runs = _checked(runs, last)
    values = np.array([run.at_end(last).mean() for run in runs])
    return _over_runs(lambda chosen: values[chosen].mean(), len(values))


def forgetting(runs: Runs, last: int = LAST) -> Estimate:
    """Returns the forgetting: by how much p_i fell from the end of task i's own training to the end of the run.

    Both ends are means over the last evaluations. The mean is over all tasks, the last one included, which cannot be
    forgotten (COOM leaves it out). It is negative where later tasks helped.

    Args:
        runs: as for `performance`.
        last: as for `performance`.

    Returns:
        As for `performance`.

    Raises:
        TypeError, ValueError: as for `performance`.
    """
    runs = _checked(runs, last)
    values = np.array([_lost(run, last).mean() for run in runs])
    return _over_runs(lambda chosen: values[chosen].mean(), len(values))


def _lost(run: LearningRun, last: int) -> NDArray[np.float64]:
    own = np.array([run.during(task)[-last:].mean() for task in range(len(run.skills))])
    lost: NDArray[np.float64] = own - run.at_end(last).mean(axis=0)
    return lost


def forward_transfer(runs: Runs, baselines: Mapping[str, Runs]) -> Estimate:
    """Returns the forward transfer: how much faster tasks were learned in the sequence than alone.

    (A_i - B_i) / (1 - B_i), where A_i is the mean over runs of the mean of p_i while task i is trained, the area under
    its curve, and B_i the same of runs on that skill alone with the same budget: a ratio of means over runs, not a mean
    of ratios. The figure is the mean over all tasks, the first one included. Where a skill comes twice, the same
    baseline serves both times.

    Args:
        runs: as for `performance`.
        baselines: by skill, runs over the sequence of this skill alone, with the same budget and evaluations as many as
            a task has in `runs`. Of skills with more runs than others, the first ones count.

    Returns:
        The figure with its 90 % interval over runs and baselines, resampled independently; NaN ends where either has a
        single run.

    Raises:
        TypeError, ValueError: as for `performance`; or a baseline is missing, differs in its budget, or is always
            successful, so that there is nothing to gain.

    Example:
        >>> run = LearningRun(("reach-v3",), 100, (50, 100), ((0.5,), (1,)))
        >>> alone = LearningRun(("reach-v3",), 100, (50, 100), ((0,), (1,)))
        >>> forward_transfer([run], {"reach-v3": [alone]}).value
        0.5
    """
    runs = _checked(runs, 1)
    skills = runs[0].skills
    areas = np.array([[run.during(task).mean() for task in range(len(skills))] for run in runs])
    alone = _areas_alone(runs[0], baselines)
    count = min(map(len, alone.values()))
    base = np.array([alone[skill][:count] for skill in skills]).T  # (runs of each baseline, T)

    def transfer(chosen: NDArray[np.intp], chosen_base: NDArray[np.intp]) -> float:
        reached, without = areas[chosen].mean(axis=0), base[chosen_base].mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(((reached - without) / (1.0 - without)).mean())

    return _over_runs(transfer, len(areas), count)


def _areas_alone(run: LearningRun, baselines: Mapping[str, Runs]) -> dict[str, list[float]]:
    """Returns the areas of the baselines' curves by skill."""
    found: dict[str, list[float]] = {}
    for task, skill in enumerate(run.skills):
        if skill in found:
            continue
        if skill not in baselines:
            raise WrongValue(
                f"baselines must have runs on {skill} alone, and have none.", argument="baselines"
            )
        alone = _checked(baselines[skill], 1, argument=f"baselines[{skill!r}]")
        mine = (1, run.steps_per_task, len(run.during(task)))
        for each in alone:
            theirs = (len(each.skills), each.steps_per_task, len(each.steps))
            if each.skills != (skill,) or theirs != mine:
                raise WrongValue(
                    f"baselines[{skill!r}] must be of {skill} alone, with {mine[1]} steps and {mine[2]} evaluations "
                    f"as in the runs, not of {', '.join(each.skills)} with {theirs[1]} steps and {theirs[2]} "
                    "evaluations.",
                    argument="baselines",
                )
        found[skill] = [float(each.during(0).mean()) for each in alone]
        if np.mean(found[skill]) == 1.0:
            raise WrongValue(
                f"baselines[{skill!r}] must not be successful at every evaluation: then there is nothing to gain, and "
                "the forward transfer is not defined.",
                argument="baselines",
            )
    return found


def _checked(runs: Runs, last: int, argument: str = "runs") -> Runs:
    if isinstance(runs, LearningRun) or not isinstance(runs, Sequence) or isinstance(runs, str):
        raise WrongType(
            f"{argument} must be a list of LearningRuns, not {type(runs).__name__}.", argument=argument
        )
    if not runs:
        raise WrongValue(f"{argument} must hold at least one run, but it is empty.", argument=argument)
    check_count("last", last)
    first = runs[0]
    for run in runs:
        if not isinstance(run, LearningRun):
            raise WrongType(f"{argument} must hold LearningRuns only, not {run!r}.", argument=argument)
        if (run.skills, run.steps_per_task, run.steps) != (first.skills, first.steps_per_task, first.steps):
            raise WrongValue(
                f"{argument} must be over the same sequence, with the same budget and evaluations at the same steps.",
                argument=argument,
            )
    if not first.is_whole:
        done = first.steps[-1] if first.steps else 0
        raise WrongValue(
            f"{argument} must be whole: the last evaluation must be at the end of the sequence, step "
            f"{first.steps_per_task * len(first.skills)}, not at step {done}.",
            argument=argument,
        )
    fewest = min(len(first.during(task)) for task in range(len(first.skills)))
    if fewest < last:
        raise WrongValue(
            f"last must be at most {fewest}, the evaluations while a task is trained, not {last}: evaluate more often, "
            "or average over fewer.",
            argument="last",
        )
    return runs


def _over_runs(statistic: Callable[..., float], *counts: int) -> Estimate:
    """Returns a statistic of runs, which takes the numbers of those that count, of each of several sets of runs."""
    value = float(statistic(*(np.arange(count) for count in counts)))
    if min(counts) < 2:
        return Estimate(value, np.nan, np.nan)
    rng = np.random.default_rng(0)
    drawn = [statistic(*(rng.integers(count, size=count) for count in counts)) for _ in range(_RESAMPLES)]
    low, high = np.percentile(drawn, _ENDS)
    return Estimate(value, float(low), float(high))
