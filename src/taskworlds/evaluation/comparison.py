"""Comparing two results task by task: refused unless they were measured in the same way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskworlds.core.errors import WrongType, WrongValue, check_known
from taskworlds.core.task import Task, by_skill
from taskworlds.evaluation import statistics
from taskworlds.evaluation.fingerprint import packages_of
from taskworlds.evaluation.result import Result, Summary, headline
from taskworlds.evaluation.statistics import METRICS, RATES, UNKNOWN, Estimate

if TYPE_CHECKING:
    import rich.table

__all__ = ["Comparison", "SkillDifference", "compare"]


@dataclass(frozen=True)
class SkillDifference:
    """The difference of two results on one skill; each figure is the second result's minus the first's.

    Attributes:
        env_name: the skill.
        num_tasks: on how many tasks the figures rest.
        success_end, success_once, episode_return, length: mean difference, with its interval.
    """

    env_name: str
    num_tasks: int
    success_end: Estimate
    success_once: Estimate
    episode_return: Estimate
    length: Estimate


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` returns; each figure is the second result's minus the first's.

    Attributes:
        overall: by metric: difference of the means and of the interquartile means, with intervals.
        skills: the differences by skill.
        num_tasks: on how many tasks the figures rest: those that ran to their end in both results.
        left_out: tasks that ran to their end in one of the results only, or in neither.
        fingerprint_differences: fields and packages of the fingerprints that differ, with both values.
    """

    overall: dict[str, Summary]
    skills: tuple[SkillDifference, ...]
    num_tasks: int
    left_out: tuple[Task, ...]
    fingerprint_differences: dict[str, tuple[Any, Any]]

    def __repr__(self) -> str:
        means = {metric: summary.mean for metric, summary in self.overall.items()}
        return (
            f"<Comparison, second result minus first: {self.num_tasks} tasks, {headline(means, signed=True)}>"
        )

    def table(self) -> rich.table.Table:
        """Returns a table for `rich.print`: each skill, then the overall differences, with intervals."""
        # Loads rich, which only tables need.
        from taskworlds.evaluation.tables import MetricTable, shown_metrics

        metrics = shown_metrics(skill.success_end for skill in self.skills)
        made = MetricTable("second result minus first", ("tasks",), metrics, signed=True)
        for skill in self.skills:
            figures = {metric: getattr(skill, metric) for metric in METRICS}
            made.add(skill.env_name, (skill.num_tasks,), figures, with_interval=True)
        made.add_section()
        for heading, figure in (("mean", "mean"), ("interquartile mean", "iqm")):
            figures = {metric: getattr(self.overall[metric], figure) for metric in METRICS}
            made.add(f"{heading} over tasks", (self.num_tasks,), figures, with_interval=True, bold=True)
        lines = [
            f"differs: {name}, {first} and {second}"
            for name, (first, second) in self.fingerprint_differences.items()
        ]
        if self.left_out:
            lines.append(f"left out: {len(self.left_out)} tasks that did not run to their end in both")
        made.set_caption(lines)
        return made.table


def compare(a: Result, b: Result, *, allow_different: bool | Iterable[str] = False) -> Comparison:
    """Returns the differences `b - a`, task by task, by skill and overall, with 95 % intervals.

    Results are compared only if their fingerprints agree: the same tasks, settings and versions. The intervals are a
    paired bootstrap: tasks are drawn within each skill, and each drawn task brings its figures from both results. Where
    all tasks of a skill succeed or fail alike in a result, its share of successes is drawn from a beta distribution, so
    that a difference is not claimed for certain. Tasks that did not run to their end in both are left out and listed.

    Args:
        a: the result to measure from, for example the baseline's.
        b: the other result.
        allow_different: True to compare whatever differs, or the names of what may differ in the fingerprints, its
            fields and packages, for example `["numpy", "engine"]`.

    Raises:
        TypeError: `a` or `b` is not a Result.
        ValueError: the fingerprints differ where they may not, or the results have no completed task in
            common.

    Example:
        >>> import gymnasium
        >>> from taskworlds.evaluation import evaluate
        >>> env = gymnasium.make("CartPole-v1")
        >>> left = evaluate(lambda obs: (obs[:, 2] > 9).astype(int), env, episodes_per_task=5)
        >>> leaning = evaluate(lambda obs: (obs[:, 2] > 0).astype(int), env, episodes_per_task=5)
        >>> comparison = compare(left, leaning)
        >>> comparison.overall["length"].mean.value > 10, comparison.fingerprint_differences
        (True, {})
    """
    for name, result in (("a", a), ("b", b)):
        if not isinstance(result, Result):
            raise WrongType(
                f"{name} must be a Result, not {type(result).__name__}: give what evaluate or Result.load "
                "returned.",
                argument=name,
            )
    differences = a.fingerprint.differences(b.fingerprint)
    known = dict.fromkeys((*a.fingerprint.by_name(), *b.fingerprint.by_name(), *packages_of()))
    _check_alike(differences, allow_different, known)

    records_a = {record.task: record for record in a.tasks}
    records_b = {record.task: record for record in b.tasks}
    done_b = {record.task for record in b.completed}
    tasks = [record.task for record in a.completed if record.task in done_b]
    if not tasks:
        raise WrongValue(
            "a and b have no task that ran to its end in both, so there is nothing to compare. Evaluate both "
            "on the same benchmark and seed."
        )

    def difference(statistic: Callable[[Any], Any], metric: str, chosen: Sequence[Task]) -> Estimate:
        return statistics.estimate(
            lambda first, second: statistic(second) - statistic(first),
            [records_a[task].mean(metric) for task in chosen],
            [records_b[task].mean(metric) for task in chosen],
            strata=[task.env_name for task in chosen],
            seed=a.seed,
            rates=metric in RATES,
        )

    return Comparison(
        overall={
            metric: Summary(
                difference(statistics.mean, metric, tasks),
                UNKNOWN
                if metric in RATES
                and statistics.all_or_nothing(
                    *([records[task].mean(metric) for task in tasks] for records in (records_a, records_b))
                )
                else difference(statistics.iqm, metric, tasks),
            )
            for metric in METRICS
        },
        skills=tuple(
            SkillDifference(
                name,
                len(chosen),
                **{metric: difference(statistics.mean, metric, chosen) for metric in METRICS},
            )
            for name, chosen in by_skill(tasks, lambda task: task.env_name).items()
        ),
        num_tasks=len(tasks),
        left_out=tuple(task for task in records_a | records_b if task not in set(tasks)),
        fingerprint_differences=differences,
    )


def _check_alike(
    differences: dict[str, tuple[Any, Any]], allow_different: bool | Iterable[str], fields: Collection[str]
) -> None:
    """Raises unless all differences of the fingerprints are allowed."""
    if isinstance(allow_different, bool):
        allowed = set(differences) if allow_different else set()
    else:
        names = [allow_different] if isinstance(allow_different, str) else list(allow_different)
        hint = f"A fingerprint has {', '.join(fields)}."
        allowed = {check_known("field of the fingerprint", name, fields, hint) for name in names}
    refused = {name: values for name, values in differences.items() if name not in allowed}
    if refused:
        listed = "; ".join(f"{name}: {mine!r} and {theirs!r}" for name, (mine, theirs) in refused.items())
        raise WrongValue(
            "The results were not measured in the same way, so their difference would have several causes. They "
            f"differ in {listed}. Evaluate again under the same conditions, or pass "
            f"allow_different={list(refused)!r} to compare them anyway."
        )
