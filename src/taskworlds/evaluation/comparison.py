"""Comparing methods task by task: refused unless they were measured in the same way."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskworlds.core.errors import WrongType, WrongValue, check_choice
from taskworlds.core.task import Task, by_skill
from taskworlds.evaluation import notebook, plotting
from taskworlds.evaluation.alike import check_alike
from taskworlds.evaluation.differences import (
    improvement,
    mean_difference,
    over_of,
    score_difference,
    summary_of,
)
from taskworlds.evaluation.groups import several_worlds, skills_by_world
from taskworlds.evaluation.pooled import Pooled, name_of, pool
from taskworlds.evaluation.result import Result
from taskworlds.evaluation.significance import holm
from taskworlds.evaluation.statistics import METRICS, Estimate
from taskworlds.evaluation.summaries import Summary, headline
from taskworlds.evaluation.variations import check_parts, parts_of

if TYPE_CHECKING:
    import matplotlib.figure
    import rich.console

__all__ = ["Comparison", "Pair", "PartDifference", "SkillDifference", "compare"]

_BETTER_IS_HIGHER = tuple(metric for metric in METRICS if metric != "length")


@dataclass(frozen=True)
class SkillDifference:
    """The difference of two methods on one skill; each figure is the later method's minus the earlier's.

    Attributes:
        env_name: the skill.
        num_tasks: on how many tasks the figures rest.
        success_end, success_once, episode_return, length: mean difference, with its interval.
        p_values: by metric, the probability of a difference at least as large if there were none.
        p_adjusted: the same after Holm's correction over all skills of all pairs, a family for each metric.
    """

    env_name: str
    num_tasks: int
    success_end: Estimate
    success_once: Estimate
    episode_return: Estimate
    length: Estimate
    p_values: dict[str, float]
    p_adjusted: dict[str, float]


@dataclass(frozen=True)
class PartDifference:
    """The difference of two methods in a world or a part of a suite of variations: the later's minus the earlier's.

    Attributes:
        part: its name, such as "Meta-World" or "friction 2".
        env_names: its skills.
        num_tasks: on how many tasks the figure rests.
        difference: of the means over skills, with its interval.
        p_value: the probability of a difference at least as large if there were none.
        p_adjusted: the same after Holm's correction over all worlds, or all parts, of all pairs.
    """

    part: str
    env_names: tuple[str, ...]
    num_tasks: int
    difference: Estimate
    p_value: float
    p_adjusted: float


@dataclass(frozen=True, repr=False)
class Pair:
    """Two methods of a comparison; each figure is that of `b` minus that of `a`.

    Attributes:
        a: name of the earlier method.
        b: name of the later one.
        overall: by metric: difference of the means and of the interquartile means, with intervals.
        skills: the differences by skill.
        p_values: by metric, of the difference of the means.
        p_adjusted: the same after Holm's correction over all pairs, a family for each metric.
        probability_of_improvement: by metric but length: that a run of `b` is better than one of `a` on a skill drawn
            at random; a tie counts half.
        over: what the intervals are over: "goals" (one run against one, paired), "runs", or "nothing" where one method
            has one run and the other several: there are no intervals and no p values then.
        fingerprint_differences: fields and packages of the fingerprints that differ, with both values.
    """

    a: str
    b: str
    overall: dict[str, Summary]
    skills: tuple[SkillDifference, ...]
    p_values: dict[str, float]
    p_adjusted: dict[str, float]
    probability_of_improvement: dict[str, float]
    over: str
    fingerprint_differences: dict[str, tuple[Any, Any]]

    @property
    def headline(self) -> str:
        """The difference of the means and its interval in words: of success, or of the return where none is known."""
        return headline({metric: summary.mean for metric, summary in self.overall.items()}, signed=True)

    def __repr__(self) -> str:
        return f"<Pair, {self.b} minus {self.a}: {self.headline}>"


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` returns: methods, and each later one minus each earlier one.

    Attributes:
        methods: what was compared, in the order that was given.
        pairs: (a, b), (a, c), (b, c), ... of the methods.
        num_tasks: on how many tasks the figures rest: those that ran to their end in all runs of all methods.
        left_out: the other tasks.
    """

    methods: tuple[Pooled, ...] = field(compare=False)
    pairs: tuple[Pair, ...]
    num_tasks: int
    left_out: tuple[Task, ...]

    @property
    def overall(self) -> dict[str, Summary]:
        """The overall differences where there are two methods, as `Pair.overall`."""
        return self._only("overall").overall

    @property
    def skills(self) -> tuple[SkillDifference, ...]:
        """The differences by skill where there are two methods, as `Pair.skills`."""
        return self._only("skills").skills

    @property
    def fingerprint_differences(self) -> dict[str, tuple[Any, Any]]:
        """What differs between the fingerprints where there are two methods."""
        return self._only("fingerprint_differences").fingerprint_differences

    def _only(self, name: str) -> Pair:
        if len(self.pairs) != 1:
            raise WrongValue(
                f"{name} is of two methods, and there are {len(self.methods)}: take it from one of the "
                f"{len(self.pairs)} pairs, as pairs[0].{name}."
            )
        return self.pairs[0]

    @functools.cached_property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that the figures rest on, in the order of the first method."""
        left_out = set(self.left_out)
        return tuple(task for task in self.methods[0].tasks if task not in left_out)

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a suite of variations that the tasks belong to, "clean" first; () where there is no suite."""
        return tuple(parts_of(self.tasks))

    def by_variation(self, metric: str = "success_once") -> tuple[tuple[PartDifference, ...], ...]:
        """Returns, for each of `pairs`, the difference by part of a suite of variations, such as MT10-robust.

        p values are corrected (Holm) over all parts of all pairs.

        Args:
            metric: "success_end", "success_once", "episode_return" or "length".

        Raises:
            ValueError: it is another metric, or no task belongs to a part of a suite.
        """
        check_choice("metric", metric, METRICS)
        check_parts(self.tasks)
        return self._by_part(metric, parts_of(self.tasks))

    @property
    def worlds(self) -> tuple[str, ...]:
        """The worlds of the tasks' skills; () unless there are several, all of them registered."""
        return tuple(several_worlds(self._env_names))

    def by_world(self, metric: str = "success_once") -> tuple[tuple[PartDifference, ...], ...]:
        """Returns, for each of `pairs`, the difference by world, as `Result.by_world` has the figures.

        p values are corrected (Holm) over all worlds of all pairs.

        Args:
            metric: one of `METRICS`.

        Raises:
            ValueError: it is another metric, or a skill is of no world that is registered.
        """
        check_choice("metric", metric, METRICS)
        skills = skills_by_world(self._env_names)
        tasks = {
            world: [task for task in self.tasks if task.env_name in names] for world, names in skills.items()
        }
        return self._by_part(metric, tasks)

    @property
    def _env_names(self) -> list[str]:
        return list(dict.fromkeys(task.env_name for task in self.tasks))

    def _by_part(
        self, metric: str, parts: Mapping[str, Sequence[Task]]
    ) -> tuple[tuple[PartDifference, ...], ...]:
        """Returns, for each of `pairs`, the difference in each part of the tasks."""
        methods = {method.name: method for method in self.methods}
        seed = self.methods[0].runs[0].seed
        found = []
        for pair in self.pairs:
            for part, tasks in parts.items():
                estimate, p = mean_difference(methods[pair.a], methods[pair.b], metric, tasks, seed)
                names = tuple(dict.fromkeys(task.env_name for task in tasks))
                found.append(PartDifference(part, names, len(tasks), estimate, p, p))
        corrected = holm([each.p_value for each in found])
        found = [dataclasses.replace(each, p_adjusted=p) for each, p in zip(found, corrected, strict=True)]
        count = len(parts)
        return tuple(tuple(found[place : place + count]) for place in range(0, len(found), count))

    @functools.cached_property
    def scores(self) -> dict[str, tuple[tuple[Estimate, float], ...]]:
        """By protocol, for each of `pairs` the difference of the list's scores with its interval, and its p value.

        {} unless all methods were evaluated by a protocol that has a score, as `Result.list_scores`. On the tasks that
        all methods finished.
        """
        names = [
            name for name in self.methods[0].list_scores if all(name in x.list_scores for x in self.methods)
        ]
        methods = {method.name: method for method in self.methods}
        seed = self.methods[0].runs[0].seed
        return {
            name: tuple(
                score_difference(methods[pair.a], methods[pair.b], name, self.tasks, seed)
                for pair in self.pairs
            )
            for name in names
        }

    def __repr__(self) -> str:
        if len(self.pairs) == 1:
            pair = self.pairs[0]
            return f"<Comparison, {pair.b} minus {pair.a}: {self.num_tasks} tasks, {pair.headline}>"
        names = ", ".join(method.name for method in self.methods)
        return f"<Comparison of {names}: {len(self.pairs)} pairs, {self.num_tasks} tasks>"

    def _repr_html_(self) -> str:
        return notebook.comparison_html(self)

    def plot(self, metric: str | None = None) -> matplotlib.figure.Figure:
        """Returns a matplotlib figure: for each skill a dot with its interval for each method.

        Args:
            metric: as for `table`.

        Raises:
            ImportError: matplotlib is not installed: `pip install "taskworlds[report]"`.
            ValueError: `metric` is something else.
        """
        return plotting.figure_of_skills([(method.name, method.skills) for method in self.methods], metric)

    def table(self, metric: str | None = None) -> rich.console.RenderableType:
        """Returns a table for `rich.print`: of two methods each skill with both figures, their difference and its p.

        Of more methods two tables: the figures of each skill, and the differences of the pairs. `pairs[i].skills` has
        the skills' differences.

        Args:
            metric: what the skills' lines show: "success_end", "success_once", "episode_return" or "length";
                None for success_end, or for the return where no success is known.

        Raises:
            ValueError: `metric` is something else.
        """
        # Loads rich, which only tables need.
        from taskworlds.evaluation.comparison_tables import comparison_table

        if metric is None:
            known = not math.isnan(self.pairs[0].overall["success_end"].mean.value)
            metric = "success_end" if known else "episode_return"
        return comparison_table(self, check_choice("metric", metric, METRICS))

    def to_dict(self) -> dict[str, Any]:
        """Returns everything but the methods' episodes as JSON values; what is unknown is None."""

        def numbers(values: dict[str, float]) -> dict[str, float | None]:
            return {name: number if math.isfinite(number) else None for name, number in values.items()}

        def estimates(overall: dict[str, Summary]) -> dict[str, Any]:
            return {
                metric: {"mean": numbers(each.mean._asdict()), "iqm": numbers(each.iqm._asdict())}
                for metric, each in overall.items()
            }

        def of_parts(
            by_metric: dict[str, tuple[tuple[PartDifference, ...], ...]], place: int
        ) -> dict[str, Any]:
            return {
                metric: {
                    part.part: numbers(
                        part.difference._asdict() | {"p_value": part.p_value, "p_adjusted": part.p_adjusted}
                    )
                    for part in found[place]
                }
                for metric, found in by_metric.items()
            }

        worlds = {metric: self.by_world(metric) for metric in METRICS if self.worlds}
        variations = {metric: self.by_variation(metric) for metric in METRICS if self.parts}
        return {
            "methods": [
                {
                    "name": method.name,
                    "runs": len(method.runs),
                    "intervals_over": method.over,
                    "overall": estimates(method.overall),
                    "scores": {name: numbers(each._asdict()) for name, each in method.list_scores.items()},
                    "worlds": {
                        metric: {world: numbers(each._asdict()) for world, each in figures.items()}
                        for metric, figures in method.worlds.items()
                    },
                    "variations": {
                        metric: {part: numbers(each._asdict()) for part, each in varied.parts.items()}
                        for metric, varied in method.variations.items()
                    },
                }
                for method in self.methods
            ],
            "pairs": [
                {
                    "a": pair.a,
                    "b": pair.b,
                    "intervals_over": pair.over,
                    "overall": estimates(pair.overall),
                    "p_values": numbers(pair.p_values),
                    "p_adjusted": numbers(pair.p_adjusted),
                    "probability_of_improvement": numbers(pair.probability_of_improvement),
                    "skills": [
                        {"env_name": skill.env_name, "num_tasks": skill.num_tasks}
                        | {metric: numbers(getattr(skill, metric)._asdict()) for metric in METRICS}
                        | {"p_values": numbers(skill.p_values), "p_adjusted": numbers(skill.p_adjusted)}
                        for skill in pair.skills
                    ],
                    "scores": {
                        name: numbers(found[place][0]._asdict() | {"p_value": found[place][1]})
                        for name, found in self.scores.items()
                    },
                    "worlds": of_parts(worlds, place),
                    "variations": of_parts(variations, place),
                    "differences": {
                        name: list(values) for name, values in pair.fingerprint_differences.items()
                    },
                }
                for place, pair in enumerate(self.pairs)
            ],
            "num_tasks": self.num_tasks,
            "left_out": [json.loads(task.to_json()) for task in self.left_out],
        }


def compare(
    a: Result | Pooled | Sequence[Result],
    b: Result | Pooled | Sequence[Result],
    *more: Result | Pooled | Sequence[Result],
    allow_different: bool | Iterable[str] = False,
) -> Comparison:
    """Returns the differences of methods, each later one minus each earlier one, by skill and overall.

    Methods are compared only if their fingerprints agree: the same tasks, settings and versions. Tasks that did not run
    to their end in all runs of all methods are left out and listed. docs/statistics.md says how to read the figures.

    One run against one: intervals and p values are over new goals, for these two policies. They are paired, since both
    were played on the same goals: a percentile bootstrap, and McNemar's mid-p test or a permutation test. Several runs
    against several: they are over training runs, by Welch's t test. One against several has neither. p values are
    corrected by Holm's method, over all pairs for the overall differences, and over all skills of all pairs for those
    by skill, a family for each metric.

    Args:
        a: the method to measure from, for example the baseline: a result, what `pool` returned, or a list of results,
            one for each training run.
        b: the other method.
        *more: more methods.
        allow_different: True to compare whatever differs, or the names of what may differ in the fingerprints, its
            fields and packages, for example `["numpy", "engine"]`.

    Raises:
        TypeError: a method is something else.
        ValueError: the fingerprints differ where they may not, or the methods have no completed task in common.

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
    given = (a, b, *more)
    if not isinstance(allow_different, bool | str):
        allow_different = tuple(allow_different)  # which is asked several times
    methods = _with_own_names([_method(each, number, allow_different) for number, each in enumerate(given)])
    numbers = [(i, j) for j in range(len(methods)) for i in range(j)]
    differences = {
        (i, j): check_alike(methods[i].runs[0].fingerprint, methods[j].runs[0].fingerprint, allow_different)
        for i, j in numbers
    }
    done = [set(method.tasks) for method in methods]
    tasks = [task for task in methods[0].tasks if all(task in each for each in done)]
    if not tasks:
        raise WrongValue(
            "a and b have no task that ran to its end in both, so there is nothing to compare. Evaluate both "
            "on the same benchmark and seed."
            if len(methods) == 2
            else "The methods have no task that ran to its end in all of them, so there is nothing to compare. "
            "Evaluate them on the same benchmark and seed."
        )
    seed = methods[0].runs[0].seed
    pairs = [_pair(methods[i], methods[j], tasks, seed, differences[i, j]) for i, j in sorted(numbers)]
    kept = set(tasks)
    every = dict.fromkeys(task for method in methods for task in (*method.tasks, *method.left_out))
    return Comparison(
        methods=tuple(methods),
        pairs=tuple(_corrected(pairs)),
        num_tasks=len(tasks),
        left_out=tuple(task for task in every if task not in kept),
    )


def _method(given: Any, number: int, allow_different: bool | Iterable[str]) -> Pooled:
    """Returns a method that `compare` was given; one whose policy is not known is named after its place."""
    place = f"method {number + 1}"
    if isinstance(given, Pooled):
        return given
    if isinstance(given, Result):
        return pool([given], name_of([given], place))
    if isinstance(given, Sequence) and given and all(isinstance(each, Result) for each in given):
        return pool(given, name_of(given, place), allow_different=allow_different)
    name = "ab"[number] if number < 2 else f"argument {number + 1}"
    raise WrongType(
        f"{name} must be a Result, not {type(given).__name__}: give what evaluate or Result.load returned, what pool "
        "returned, or a list of Results that are runs of one method.",
        argument=name,
    )


def _with_own_names(methods: Sequence[Pooled]) -> list[Pooled]:
    """Returns the methods, each with another name: what comes again gets a number."""
    seen: dict[str, int] = {}
    named = []
    for method in methods:
        seen[method.name] = count = seen.get(method.name, 0) + 1
        named.append(method if count == 1 else dataclasses.replace(method, name=f"{method.name} ({count})"))
    return named


def _pair(
    a: Pooled, b: Pooled, tasks: Sequence[Task], seed: int, differences: dict[str, tuple[Any, Any]]
) -> Pair:
    """Returns the differences b - a, with p values that are not corrected yet."""
    overall, p_values = {}, {}
    for metric in METRICS:
        overall[metric], p_values[metric] = summary_of(a, b, metric, tasks, seed)
    skills = []
    for name, chosen in by_skill(tasks, lambda task: task.env_name).items():
        found = {metric: mean_difference(a, b, metric, chosen, seed) for metric in METRICS}
        own = {metric: p for metric, (_, p) in found.items()}
        figures = {metric: estimate for metric, (estimate, _) in found.items()}
        skills.append(SkillDifference(name, len(chosen), **figures, p_values=own, p_adjusted=own))
    return Pair(
        a=a.name,
        b=b.name,
        overall=overall,
        skills=tuple(skills),
        p_values=p_values,
        p_adjusted=p_values,
        probability_of_improvement={metric: improvement(a, b, metric, tasks) for metric in _BETTER_IS_HIGHER},
        over=over_of(a, b),
        fingerprint_differences=differences,
    )


def _corrected(pairs: Sequence[Pair]) -> list[Pair]:
    """Returns the pairs with p values corrected over all of them, and the skills' over all skills of all pairs."""
    overall = [dict[str, float]() for _ in pairs]
    by_pair = [[dict[str, float]() for _ in pair.skills] for pair in pairs]
    for metric in METRICS:
        corrected = holm([pair.p_values[metric] for pair in pairs])
        for own, p in zip(overall, corrected, strict=True):
            own[metric] = p
        corrected = holm([skill.p_values[metric] for pair in pairs for skill in pair.skills])
        for own, p in zip((each for skills in by_pair for each in skills), corrected, strict=True):
            own[metric] = p
    return [
        dataclasses.replace(
            pair,
            p_adjusted=own,
            skills=tuple(
                dataclasses.replace(skill, p_adjusted=each)
                for skill, each in zip(pair.skills, adjusted, strict=True)
            ),
        )
        for pair, own, adjusted in zip(pairs, overall, by_pair, strict=True)
    ]
