"""Several runs (training seeds) of one method as one result, whose unit is the run."""

from __future__ import annotations

import functools
import json
import math
import os
import reprlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core import json_text
from taskworlds.core.errors import WrongType, WrongValue, check_choice
from taskworlds.core.files import write_whole
from taskworlds.core.task import Task, by_skill
from taskworlds.evaluation import aggregates, bootstrap, dataframes, intervals, notebook, plotting
from taskworlds.evaluation.alike import check_alike
from taskworlds.evaluation.groups import (
    Grouped,
    grouped,
    mean_of_estimates,
    several_worlds,
    skills_by_world,
    whole_groups,
)
from taskworlds.evaluation.result import Result
from taskworlds.evaluation.scores import (
    check_evaluated,
    check_other_skills,
    counted_by,
    in_words,
    protocols_of,
)
from taskworlds.evaluation.statistics import METRICS, RATES, UNKNOWN, Estimate, skill_rows
from taskworlds.evaluation.summaries import (
    SkillSummary,
    Summary,
    Worst,
    headline,
    worst_in_words,
    worst_of,
)
from taskworlds.evaluation.variations import CLEAN, Varied, part_of, varied

if TYPE_CHECKING:
    import matplotlib.figure
    import pandas
    import rich.table

__all__ = ["Pooled", "name_of", "pool"]

_FORMAT = "taskworlds.Pooled"
_WHAT = "a file of pooled results"
_VERSION = 1


@dataclass(frozen=True, repr=False)
class Pooled:
    """One or several runs of a method, as `pool` returns them: R runs, S skills, G goals.

    All figures rest on the tasks that ran to their end in every run. With several runs the intervals are over runs: how
    far would the figure move if the method had been trained again, with other seeds? They are t intervals over the
    runs' means, of success on the logit. Where all runs have the same success, that of their mean over goals stands for
    it, since a t interval would have no width. With one run all intervals are over goals, as those of the run itself.

    Attributes:
        runs: the results, one for each training seed.
        name: of the method, as tables show it.

    Example:
        >>> from taskworlds.evaluation import Episode, Fingerprint, TaskRecord
        >>> tasks = [Task("reach-v3", {"goal": number}) for number in range(4)]
        >>> fingerprint = Fingerprint.of(tasks, protocol="multi-task")
        >>> def run(wins):
        ...     episodes = [(Episode(1.0, 5, number < wins, number < wins),) for number in range(4)]
        ...     return Result("reach", "train", 1, 0, fingerprint, tuple(map(TaskRecord, tasks, episodes)))
        >>> pooled = pool([run(1), run(2), run(3)], name="ppo")
        >>> pooled
        <Pooled 'ppo': 3 runs, 4 tasks, success 0.500, 95 % interval [0.077, 0.923]>
        >>> pooled.scores("success_end").tolist()
        [[0.25], [0.5], [0.75]]
    """

    runs: tuple[Result, ...]
    name: str

    @property
    def over(self) -> str:
        """What the intervals are over: "runs", or "goals" where there is one run."""
        return "runs" if len(self.runs) > 1 else "goals"

    @functools.cached_property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that ran to their end in every run, in the order of the first run."""
        done = [{record.task for record in run.completed} for run in self.runs[1:]]
        tasks = (record.task for record in self.runs[0].completed)
        return tuple(task for task in tasks if all(task in each for each in done))

    @functools.cached_property
    def left_out(self) -> tuple[Task, ...]:
        """The tasks that did not run to their end in every run. They are in no figure."""
        kept = set(self.tasks)
        every = dict.fromkeys(record.task for run in self.runs for record in run.tasks)
        return tuple(task for task in every if task not in kept)

    def goals(self, metric: str = "success_end", tasks: Sequence[Task] | None = None) -> NDArray[np.float64]:
        """Returns a metric by run and task, (R, G) float64, averaged over the task's episodes.

        Args:
            metric: "success_end", "success_once", "episode_return" or "length".
            tasks: some of `tasks`; None for all.
        """
        check_choice("metric", metric, METRICS)
        chosen = self.tasks if tasks is None else tasks
        return np.array([[run[task] for task in chosen] for run in self._by_task[metric]], dtype=np.float64)

    @functools.cached_property
    def _by_task(self) -> dict[str, list[dict[Task, float]]]:
        return {
            metric: [{record.task: record.mean(metric) for record in run.completed} for run in self.runs]
            for metric in METRICS
        }

    def scores(self, metric: str = "success_end", tasks: Sequence[Task] | None = None) -> NDArray[np.float64]:
        """Returns the mean of a metric by run and skill, (R, S) float64.

        Args:
            metric: "success_end", "success_once", "episode_return" or "length".
            tasks: some of `tasks`; None for all. The skills are in the order in which they come first.
        """
        chosen = self.tasks if tasks is None else tasks
        values = self.goals(metric, chosen)
        rows = skill_rows([task.env_name for task in chosen])
        means = np.empty((len(self.runs), len(rows)))
        for skill, each in enumerate(rows):
            means[:, skill] = values[:, each].mean(axis=1)
        return means

    @functools.cached_property
    def overall(self) -> dict[str, Summary]:
        """By metric: the mean over skills and runs with its interval, and the IQM over all R x S scores.

        The IQM of several runs has no interval here; `rliable` gives rliable's.
        """
        if len(self.runs) == 1:
            return self.runs[0].overall
        return {metric: Summary(self._mean(metric, self.tasks), self._iqm(metric)) for metric in METRICS}

    @functools.cached_property
    def skills(self) -> tuple[SkillSummary, ...]:
        """The figures of each skill over all runs, in the order of the tasks.

        A task counts as failed unless it ran to its end in every run. Episodes are counted over all runs.
        """
        if len(self.runs) == 1:
            return self.runs[0].skills
        kept = set(self.tasks)
        summaries = []
        every = (*self.tasks, *self.left_out)
        order = {record.task: number for number, record in enumerate(self.runs[0].tasks)}
        for name, tasks in by_skill(
            sorted(every, key=lambda task: order.get(task, len(order))), lambda task: task.env_name
        ).items():
            ran = [task for task in tasks if task in kept]
            summaries.append(
                SkillSummary(
                    env_name=name,
                    num_tasks=len(tasks),
                    num_failed=len(tasks) - len(ran),
                    num_episodes=sum(self._episodes[task] for task in ran),
                    **{metric: self._mean(metric, ran) for metric in METRICS},
                )
            )
        return tuple(summaries)

    @functools.cached_property
    def _episodes(self) -> dict[Task, int]:
        counts = dict.fromkeys(self.tasks, 0)
        for run in self.runs:
            for record in run.completed:
                if record.task in counts:
                    counts[record.task] += len(record.episodes)
        return counts

    def _mean(self, metric: str, tasks: Sequence[Task]) -> Estimate:
        """Returns the mean over skills and runs on some of `tasks`, with its interval over runs."""
        if not tasks:
            return UNKNOWN
        found = intervals.over_runs(self.scores(metric, tasks).mean(axis=1), rates=metric in RATES)
        if metric in RATES and math.isnan(found.low):
            return self.over_goals(metric, tasks)
        return found

    def over_goals(self, metric: str, tasks: Sequence[Task] | None = None) -> Estimate:
        """Returns a success rate, averaged over the runs, with its interval over new goals and not over runs.

        Args:
            metric: "success_end" or "success_once".
            tasks: some of `tasks`; None for all.
        """
        check_choice("metric", metric, RATES)
        chosen = self.tasks if tasks is None else tasks
        return intervals.rate(self.goals(metric, chosen).mean(axis=0), [task.env_name for task in chosen])

    def _iqm(self, metric: str) -> Estimate:
        scores = self.scores(metric)
        value = float(aggregates.interquartile_mean(scores)) if scores.shape[1] > 1 else math.nan
        return Estimate(value, math.nan, math.nan)

    def worst(self, k: int, metric: str = "success_once") -> Worst:
        """Returns the mean of the k skills that are lowest over all runs, with their names, as `Result.worst`.

        Args:
            k: how many skills.
            metric: "success_end", "success_once", "episode_return" or "length".
        """
        return worst_of(self.skills, k, metric)

    def by_group(self, metric: str = "success_once") -> Grouped:
        """Returns a metric by group of skills over all runs, as `Result.by_group`, with intervals over runs.

        Args:
            metric: "success_end", "success_once", "episode_return" or "length".
        """
        if len(self.runs) == 1:
            return self.runs[0].by_group(metric)
        check_choice("metric", metric, METRICS)

        def mean_over(groups: Sequence[Sequence[str]]) -> Estimate:
            means = [self.scores(metric, self._tasks_of(names)).mean(axis=1) for names in groups]
            found = intervals.over_runs(np.mean(means, axis=0), rates=metric in RATES)
            if metric in RATES and math.isnan(found.low):  # runs that are alike, as in `_mean`
                return mean_of_estimates(self._mean(metric, self._tasks_of(names)) for names in groups)
            return found

        return grouped(self._that_ran(), lambda names: self._mean(metric, self._tasks_of(names)), mean_over)

    @functools.cached_property
    def groups(self) -> dict[str, Grouped]:
        """By metric, `by_group`; {} unless all skills of all groups ran in every run, as `Result.groups`."""
        if not whole_groups(task.env_name for task in self.tasks):
            return {}
        return {metric: self.by_group(metric) for metric in METRICS}

    def by_world(self, metric: str = "success_once") -> dict[str, Estimate]:
        """Returns a metric by the name of the world over all runs, as `Result.by_world`, with intervals over runs.

        Args:
            metric: one of `METRICS`.

        Raises:
            ValueError: it is another metric, or a skill is of no world that is registered.
        """
        if len(self.runs) == 1:
            return self.runs[0].by_world(metric)
        check_choice("metric", metric, METRICS)
        skills = skills_by_world(self._that_ran())
        return {world: self._mean(metric, self._tasks_of(names)) for world, names in skills.items()}

    @functools.cached_property
    def worlds(self) -> dict[str, dict[str, Estimate]]:
        """By metric, `by_world`; {} unless skills of several worlds ran in every run, as `Result.worlds`."""
        if not several_worlds(self._that_ran()):
            return {}
        return {metric: self.by_world(metric) for metric in METRICS}

    def _that_ran(self) -> list[str]:
        return list(dict.fromkeys(task.env_name for task in self.tasks))

    def _tasks_of(self, names: Sequence[str]) -> list[Task]:
        return [task for task in self.tasks if task.env_name in names]

    def by_variation(self, metric: str = "success_once") -> Varied:
        """Returns a metric by part of a suite of variations over all runs, as `Result.by_variation`.

        Args:
            metric: "success_end", "success_once", "episode_return" or "length".
        """
        if len(self.runs) == 1:
            return self.runs[0].by_variation(metric)
        check_choice("metric", metric, METRICS)

        def mean_over(rows: NDArray[np.bool_]) -> Estimate:
            return self._mean(metric, [self.tasks[row] for row in np.flatnonzero(rows)])

        return varied(self.tasks, mean_over)

    @functools.cached_property
    def variations(self) -> dict[str, Varied]:
        """By metric, `by_variation`; {} where no task belongs to a part of a suite of variations."""
        if all(part_of(task) == CLEAN for task in self.tasks):
            return {}
        return {metric: self.by_variation(metric) for metric in METRICS}

    def counted(self, name: str, tasks: Sequence[Task] | None = None) -> NDArray[np.float64]:
        """Returns what a protocol counts by run and task, (R, G) float64, on its scale.

        Args:
            name: the protocol, as for `score`.
            tasks: some of `tasks`; None for all.
        """
        chosen = self.tasks if tasks is None else tasks
        found = [counted_by(name, task.env_name) for task in chosen]
        values = {metric: self.goals(metric, chosen) for metric in {metric for metric, _ in found}}
        counted = np.empty((len(self.runs), len(chosen)))
        for place, (metric, factor) in enumerate(found):
            counted[:, place] = factor * values[metric][:, place]
        return counted

    def score(self, name: str, *others: Pooled) -> Estimate:
        """Returns the score of a list of skills over all runs, as `Result.score`, with its interval over runs.

        Args:
            name: the protocol, "tdmpc2" or "newt".
            others: the list's other skills, where they were evaluated world by world: run by run those of this method.

        Raises:
            ValueError: the episodes were played otherwise; a skill is of a world without such a score, or in two of
                them; another has another number of runs.
        """
        every = (self, *others)
        for each in every:
            if len(each.runs) != len(self.runs):
                raise WrongValue(
                    f"others must have as many runs as {self.name!r}, {len(self.runs)}, and {each.name!r} has "
                    f"{len(each.runs)}.",
                    argument="others",
                )
            for run in each.runs:
                check_evaluated(name, run.fingerprint.protocol)
        check_other_skills(each.tasks for each in every)
        if len(self.runs) == 1:
            return self.runs[0].score(name, *(each.runs[0] for each in others))
        tasks = [task for each in every for task in each.tasks]
        if not tasks:
            return UNKNOWN
        counted = {counted_by(name, task.env_name) for task in tasks}
        if not others and len(counted) == 1:
            ((metric, factor),) = counted
            return Estimate(*(factor * each for each in self._mean(metric, tasks)))
        values = np.concatenate([each.counted(name) for each in every], axis=1)
        rows = skill_rows([task.env_name for task in tasks])
        return intervals.over_runs(np.mean([values[:, each].mean(axis=1) for each in rows], axis=0))

    @functools.cached_property
    def list_scores(self) -> dict[str, Estimate]:
        """By protocol, `score`; {} unless all runs were played by a protocol that has one, as `Result.list_scores`."""
        names = [task.env_name for task in self.tasks]
        found = [protocols_of(run.fingerprint.protocol, names) for run in self.runs]
        return {name: self.score(name) for name in found[0] if names and all(name in each for each in found)}

    def optimality_gap(self, metric: str = "success_end", target: float = 1.0) -> Estimate:
        """Returns by how much scores miss a target on average; a score above it counts as the target.

        It is rliable's figure, with a t interval over runs; without one for a single run, and where runs are alike.

        Args:
            metric: of the scores: "success_end", "success_once", "episode_return" or "length".
            target: the score that counts as full.
        """
        gaps = [aggregates.optimality_gap(row[np.newaxis], target) for row in self.scores(metric)]
        return intervals.over_runs(gaps)

    def profile(self, taus: ArrayLike, metric: str = "success_end") -> tuple[Estimate, ...]:
        """Returns the performance profile: for each tau the share of the R x S scores strictly above it.

        The intervals are over runs, for one tau at a time; there is none for a single run, and where runs are alike.

        Args:
            taus: thresholds, (K,).
            metric: of the scores.
        """
        thresholds = np.atleast_1d(np.asarray(taus, dtype=np.float64))
        scores = self.scores(metric)
        if np.isnan(scores).any():
            return (UNKNOWN,) * len(thresholds)
        shares = [aggregates.performance_profile(row[np.newaxis], thresholds) for row in scores]
        return tuple(intervals.over_runs(each, rates=True) for each in np.array(shares).T)

    def rliable(
        self, metric: str = "success_end", *, seed: int = 0, resamples: int = bootstrap.RESAMPLES
    ) -> dict[str, Estimate]:
        """Returns "mean", "median", "iqm" and "optimality_gap" of the scores as rliable does, with its intervals.

        They come from the stratified bootstrap over runs, for papers that report it. Where one policy was trained on
        all skills these intervals are too narrow (`bootstrap.stratified` says why); with one run they have no width.

        Args:
            metric: of the scores.
            seed: of the bootstrap; the numbers are rliable's after `numpy.random.seed(seed)`.
            resamples: how many are drawn.

        Raises:
            ValueError: there is a single run.
        """
        if len(self.runs) < 2:
            raise WrongValue(
                f"rliable's intervals are over runs, of which {self.name!r} has one. Pool the results of two or more "
                "training seeds."
            )
        statistics: dict[str, Callable[[ArrayLike], Any]] = {
            "mean": aggregates.mean,
            "median": aggregates.median,
            "iqm": aggregates.interquartile_mean,
            "optimality_gap": aggregates.optimality_gap,
        }
        scores = self.scores(metric)
        return {
            name: bootstrap.stratified(statistic, scores, seed=seed, resamples=resamples)
            for name, statistic in statistics.items()
        }

    @property
    def headline(self) -> str:
        """The mean and its interval in words, as `Result.headline`."""
        return headline({metric: summary.mean for metric, summary in self.overall.items()})

    @property
    def worst_in_words(self) -> str:
        """The lowest skills in words, as `Result.worst_in_words`."""
        return worst_in_words(self.skills)

    def __repr__(self) -> str:
        return f"<Pooled {self.name!r}: {self.num_runs}, {len(self.tasks)} tasks, {self.headline}>"

    def _repr_html_(self) -> str:
        title = f"{self.name}, {self.num_runs}: {self.headline}"
        return notebook.result_html(title, self.skills, self.overall)

    def to_dataframe(self, by: Literal["task", "skill", "world", "episode"] = "task") -> pandas.DataFrame:
        """Returns the tables of all runs as one DataFrame of pandas, as `Result.to_dataframe`, with the column `run`.

        Args:
            by: as for `Result.to_dataframe`.

        Raises:
            ImportError: pandas is not installed: `pip install "taskworlds[report]"`.
            ValueError: `by` is something else.
        """
        return dataframes.joined([run.to_dataframe(by) for run in self.runs])

    def plot(self, metric: str | None = None) -> matplotlib.figure.Figure:
        """Returns a matplotlib figure: a dot with its interval for each skill, as `Result.plot`.

        Args:
            metric: "success_end", "success_once", "episode_return" or "length"; None for success_end, or
                for the return where no success is known.

        Raises:
            ImportError: matplotlib is not installed: `pip install "taskworlds[report]"`.
            ValueError: `metric` is something else.
        """
        return plotting.figure_of_skills(
            [(self.name, self.skills)], metric, title=f"{self.name}: {self.headline}"
        )

    @property
    def num_runs(self) -> str:
        """How many runs there are, in words."""
        return "1 run" if len(self.runs) == 1 else f"{len(self.runs)} runs"

    def table(self) -> rich.table.Table:
        """Returns a table for `rich.print`: each skill, then the figures over all skills, with intervals."""
        # Loads rich, which only tables need.
        from taskworlds.evaluation.tables import summary_table

        if len(self.runs) == 1:
            return self.runs[0].table()
        lines = []
        if self.left_out:
            lines.append(f"left out: {len(self.left_out)} tasks that did not run to their end in every run")
        first = self.runs[0]
        benchmark = first.benchmark if first.split is None else f"{first.benchmark} {first.split}"
        title = f"{self.name}: {self.num_runs} on {benchmark}, {first.fingerprint.protocol}"
        return summary_table(
            title,
            self.skills,
            self.overall,
            over="over training runs",
            lines=[*in_words(self.list_scores), *lines],
            groups=self.groups,
            worlds=self.worlds,
            variations=self.variations,
        )

    # --- files ---

    def to_json(self) -> str:
        """Returns everything as JSON, with every float exact: the name, and the runs as `Result.to_json` does."""
        runs = [json.loads(run.to_json()) for run in self.runs]
        data = {"format": _FORMAT, "format_version": _VERSION, "name": self.name, "runs": runs}
        return json.dumps(json_text.seal(data), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Pooled:
        """Makes pooled runs from the text that `to_json` returned.

        Args:
            text: the JSON.

        Raises:
            ValueError: the text is cut off, damaged or changed, holds what cannot be, or is something else's.
        """
        data = json_text.parse_format(text, _WHAT, _FORMAT)
        if data.get("format_version") != _VERSION:
            raise WrongValue(
                f"These pooled results have format_version {reprlib.repr(data.get('format_version'))}, and this "
                f"version of taskworlds reads {_VERSION}. Use the version that wrote them."
            )
        json_text.check_seal(data, "This file of pooled results")
        try:
            runs = [Result.from_json(json.dumps(run)) for run in data["runs"]]
            if not isinstance(data["name"], str) or not runs:
                raise WrongValue("it needs a name and one run at least")
        except (KeyError, TypeError, ValueError) as error:
            raise WrongValue(f"This file of pooled results is damaged: {json_text.why(error)}.") from error
        return cls(tuple(runs), data["name"])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes `to_json()` to a file, all at once: a reader never sees half of it.

        Args:
            path: the file; one that exists is replaced.
        """
        write_whole(path, self.to_json().encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Pooled:
        """Reads a file that `save` wrote.

        Args:
            path: the file.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is cut off, damaged, or something else's.
        """
        return json_text.load(path, cls.from_json, _WHAT)


def pool(
    results: Sequence[Result], name: str | None = None, *, allow_different: bool | Iterable[str] = False
) -> Pooled:
    """Returns several runs (training seeds) of one method as one result.

    Args:
        results: of the runs, measured in the same way.
        name: of the method; None for the policy's name, or "method" where that is not known or not the same.
        allow_different: True to pool whatever differs, or the names of what may differ in the fingerprints, as in
            `compare`.

    Raises:
        TypeError: `results` is not a list of Results, or `name` is not a string.
        ValueError: `results` is empty, holds a result twice, or results that were not measured in the same way.
    """
    if isinstance(results, Result | Pooled | str) or not isinstance(results, Iterable):
        raise WrongType(
            f"results must be a list of Results, one for each training run, not {type(results).__name__}.",
            argument="results",
        )
    runs = tuple(results)
    if not runs:
        raise WrongValue("results must hold one Result at least, and it is empty.", argument="results")
    for number, run in enumerate(runs):
        if not isinstance(run, Result):
            raise WrongType(
                f"results must be Results only, but number {number} is of type {type(run).__name__}: give what "
                "evaluate or Result.load returned.",
                argument="results",
            )
    if name is not None and not isinstance(name, str):
        raise WrongType(f"name must be a string, not {name!r}.", argument="name")
    for number, run in enumerate(runs):
        for other, earlier in enumerate(runs[:number]):
            if run.tasks == earlier.tasks and run.provenance == earlier.provenance:
                raise WrongValue(
                    f"results must be of different runs, but numbers {other} and {number} are the same result. A run "
                    "that counts twice would make intervals too narrow: give each once.",
                    argument="results",
                )
    if not isinstance(allow_different, bool | str):
        allow_different = tuple(allow_different)  # which may be asked several times
    for run in runs[1:]:
        check_alike(runs[0].fingerprint, run.fingerprint, allow_different)
    return Pooled(runs, name_of(runs, "method") if name is None else name)


def name_of(runs: Sequence[Result], otherwise: str) -> str:
    """Returns the policy's name, if all runs know one and the same."""
    names = {None if run.provenance is None else run.provenance.policy for run in runs}
    (first, *others) = names
    return otherwise if others or first is None else first
