"""The outcome of an evaluation: every episode of every task, and what follows from them."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import json
import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from taskworlds.core import json_text
from taskworlds.core.errors import WrongValue, check_choice, check_count
from taskworlds.core.files import write_whole
from taskworlds.core.task import by_skill
from taskworlds.evaluation import dataframes, notebook, plotting, result_file
from taskworlds.evaluation.fingerprint import Fingerprint
from taskworlds.evaluation.groups import Grouped, grouped, several_worlds, skills_by_world, whole_groups
from taskworlds.evaluation.provenance import Provenance
from taskworlds.evaluation.records import TaskRecord, task_label
from taskworlds.evaluation.scores import check_evaluated, check_other_skills, in_words, protocols_of, score_of
from taskworlds.evaluation.statistics import METRICS, UNKNOWN, Estimate
from taskworlds.evaluation.summaries import (
    SkillSummary,
    Summary,
    Worst,
    headline,
    mean_of,
    summarise,
    worst_in_words,
    worst_of,
)
from taskworlds.evaluation.variations import CLEAN, Varied, part_of, varied

if TYPE_CHECKING:
    import matplotlib.figure
    import pandas
    import rich.table

__all__ = [
    "METRICS",
    "PARTIAL",
    "Result",
    "SkillSummary",
    "Stopped",
    "Summary",
    "Worst",
    "headline",
]

PARTIAL = " (partial)"
"""What the benchmark's name ends in, in the result of an evaluation that was stopped."""
_LISTED = 3  # tasks or skills, in a line below a table
_WITH_ENDS = tuple(name for metric in METRICS for name in (metric, f"{metric}_low", f"{metric}_high"))


@dataclass(frozen=True, repr=False)
class Result:
    """What `evaluate` returns: all episodes by task, their averages, and the fingerprint.

    A task's figure is the average over its episodes. Every task (a skill with one goal) has equal weight in the average
    of its skill, however fast its episodes end, and every skill in the average of the whole. The 95 % intervals are
    over new goals of the same skills, for the same policy: Wilson's with an effective number of trials for success
    (`taskworlds.evaluation.intervals.rate`), a percentile bootstrap for returns and lengths. A single task has none
    (NaN). Several training runs are one result by `taskworlds.evaluation.pool`; docs/statistics.md says more.

    Attributes:
        benchmark: name of the benchmark or environment.
        split: "train" or "test"; None for environments without splits.
        episodes_per_task: how many episodes each task was given.
        seed: the seed of the evaluation, from which the intervals are drawn too.
        fingerprint: what another result must share to be compared with this one.
        tasks: one record for each task, also for those that could not run.
        provenance: what was run; None in files of earlier versions. Results that differ in it alone are equal.

    Example:
        >>> from taskworlds import Task
        >>> from taskworlds.evaluation import Episode
        >>> episodes = (Episode(8.0, 3, True, True), Episode(2.0, 9, True, False))
        >>> task = Task("reach-v3", {"rand_vec": (0.0, 0.6, 0.2)})
        >>> fingerprint = Fingerprint.of([task], protocol="multi-task")
        >>> result = Result("MT1", "train", 2, 0, fingerprint, (TaskRecord(task, episodes),))
        >>> result.overall["success_end"].mean.value, result.overall["episode_return"].mean.value
        (0.5, 5.0)
        >>> Result.from_json(result.to_json()) == result
        True
    """

    benchmark: str
    split: str | None
    episodes_per_task: int
    seed: int
    fingerprint: Fingerprint
    tasks: tuple[TaskRecord, ...]
    provenance: Provenance | None = field(default=None, compare=False)

    @property
    def failed(self) -> tuple[TaskRecord, ...]:
        """The tasks that could not run to their end, each with its `error`. They are not in any average."""
        return tuple(record for record in self.tasks if record.error is not None)

    @functools.cached_property
    def completed(self) -> tuple[TaskRecord, ...]:
        """The tasks that ran to their end."""
        return tuple(record for record in self.tasks if record.error is None)

    def attempt(self, number: int) -> Result:
        """Returns the result of one attempt of each trial: its tasks have that attempt as their episode.

        `compare(result.attempt(0), result.attempt(1))` tells, task by task and with intervals, how much better the
        second attempt is than the first.

        Args:
            number: which, from 0 on, as `attempt` in infos.

        Raises:
            TypeError: `number` is not a whole number.
            ValueError: there is no such attempt, or the evaluation was one without trials.

        Example:
            >>> from taskworlds import Task
            >>> from taskworlds.evaluation import Episode
            >>> attempts = Episode(-9.0, 5, None, None), Episode(-4.0, 5, None, None)
            >>> trial = Episode(-13.0, 10, None, None, attempts=attempts)
            >>> record = TaskRecord(Task("half-cheetah-vel", {"velocity": 1.0}), (trial,))
            >>> fingerprint = Fingerprint.of([record.task], protocol="multi-task, trials of 2 attempts")
            >>> result = Result("half-cheetah-vel", "test", 1, 0, fingerprint, (record,))
            >>> [result.attempt(number).overall["episode_return"].mean.value for number in (0, 1)]
            [-9.0, -4.0]
        """
        attempts = min((len(each.attempts) for record in self.tasks for each in record.episodes), default=0)
        if not attempts:
            raise WrongValue("There are no attempts: evaluate an environment that is made with k_episodes.")
        chosen = check_count("number", number, 0, attempts - 1)
        protocol = f"{self.fingerprint.protocol}, one of them"
        return dataclasses.replace(
            self,
            fingerprint=dataclasses.replace(self.fingerprint, protocol=protocol),
            tasks=tuple(
                dataclasses.replace(record, episodes=tuple(each.attempts[chosen] for each in record.episodes))
                for record in self.tasks
            ),
        )

    def scores(self, metric: str) -> NDArray[np.float64]:
        """Returns a metric by completed task, (T,) float64, averaged over the task's episodes.

        Args:
            metric: "success_end" or "success_once" (0 to 1; NaN where the world does not define success),
                "episode_return" (sum of rewards) or "length" (steps).

        Raises:
            ValueError: the metric is not one of these.
        """
        return np.array([record.mean(metric) for record in self.completed], dtype=np.float64)

    @functools.cached_property
    def overall(self) -> dict[str, Summary]:
        """By metric: mean and interquartile mean over the skills, with intervals."""
        strata = [record.task.env_name for record in self.completed]
        return {metric: summarise(metric, self.scores(metric), strata, self.seed) for metric in METRICS}

    @functools.cached_property
    def skills(self) -> tuple[SkillSummary, ...]:
        """The figures of each skill, in the order of the tasks."""
        records = by_skill(self.tasks, lambda record: record.task.env_name)
        return tuple(self._summarise(name, each) for name, each in records.items())

    def _summarise(self, env_name: str, records: Sequence[TaskRecord]) -> SkillSummary:
        ran = [record for record in records if record.error is None]
        figures = {
            metric: mean_of(metric, [record.mean(metric) for record in ran], [env_name] * len(ran), self.seed)
            for metric in METRICS
        }
        return SkillSummary(
            env_name=env_name,
            num_tasks=len(records),
            num_failed=len(records) - len(ran),
            num_episodes=sum(len(record.episodes) for record in ran),
            **figures,
        )

    def worst(self, k: int, metric: str = "success_once") -> Worst:
        """Returns the mean of the k skills that are lowest, with their names: a good mean can hide skills that fail.

        The skills are chosen by the same episodes that their means are of, so the figure is lower than it would be on
        new episodes, the more so the fewer there are.

        Args:
            k: how many, from 1 to the number of skills that ran.
            metric: "success_end", "success_once" or "episode_return".

        Raises:
            TypeError: `k` is not a whole number.
            ValueError: there are not so many skills, or it is another metric.

        Example:
            >>> from taskworlds import Task
            >>> from taskworlds.evaluation import Episode
            >>> tasks = Task("reach-v3"), Task("push-v3")
            >>> records = [TaskRecord(task, (Episode(1.0, 5, won, won),)) for task, won in zip(tasks, (True, False))]
            >>> fingerprint = Fingerprint.of(tasks, protocol="multi-task")
            >>> Result("two", "train", 1, 0, fingerprint, tuple(records)).worst(1)
            Worst(value=0.0, env_names=('push-v3',), values=(0.0,))
        """
        return worst_of(self.skills, k, metric)

    def by_group(self, metric: str = "success_once") -> Grouped:
        """Returns a metric by group of skills, and the mean of the groups' means, as published tables have it.

        Meta-World's groups are those of difficulty, with 28, 11, 6 and 5 skills. The mean of their means weighs a very
        hard skill more than an easy one; `overall` has the mean over skills. Of a benchmark with some of the skills,
        a group's mean is over those that ran.

        Args:
            metric: "success_end", "success_once", "episode_return" or "length".

        Raises:
            ValueError: it is another metric, or no skill is in a group.

        Example:
            >>> from taskworlds import Task
            >>> from taskworlds.evaluation import Episode
            >>> tasks = Task("reach-v3"), Task("door-open-v3"), Task("push-v3")
            >>> won = True, True, False
            >>> records = [TaskRecord(task, (Episode(1.0, 5, x, x),)) for task, x in zip(tasks, won)]
            >>> result = Result("three", "train", 1, 0, Fingerprint.of(tasks, protocol="multi-task"), tuple(records))
            >>> result.by_group().mean.value, round(result.overall["success_once"].mean.value, 3)
            (0.5, 0.667)
        """
        return grouped(self._that_ran(), self._mean_over(metric))

    def by_world(self, metric: str = "success_once") -> dict[str, Estimate]:
        """Returns a metric by the name of the world: the mean over its skills, each with equal weight.

        Returns of several worlds are on different scales, and success is unknown (NaN) in worlds without it, so of a
        mixture these figures can be read where the mean over all skills cannot.

        Args:
            metric: "success_end", "success_once", "episode_return" or "length".

        Raises:
            ValueError: it is another metric, or a skill is of no world that is registered.

        Example:
            >>> from taskworlds import Task
            >>> from taskworlds.evaluation import Episode
            >>> tasks = Task("reach-v3"), Task("push-v3"), Task("walker-walk")
            >>> won = True, False, None
            >>> records = [TaskRecord(task, (Episode(8.0, 5, x, x),)) for task, x in zip(tasks, won)]
            >>> result = Result("three", "train", 1, 0, Fingerprint.of(tasks, protocol="multi-task"), tuple(records))
            >>> {world: figure.value for world, figure in result.by_world().items()}
            {'Meta-World': 0.5, 'walker-walk': nan}
        """
        mean_over = self._mean_over(metric)
        return {world: mean_over(names) for world, names in skills_by_world(self._that_ran()).items()}

    def _that_ran(self) -> list[str]:
        return list(dict.fromkeys(record.task.env_name for record in self.completed))

    def _mean_over(self, metric: str) -> Callable[[Sequence[str]], Estimate]:
        """Returns what gives the mean of a metric over some skills."""
        check_choice("metric", metric, METRICS)
        strata = np.array([record.task.env_name for record in self.completed])
        scores = self.scores(metric)

        def mean_over(names: Sequence[str]) -> Estimate:
            rows = np.isin(strata, names)
            return mean_of(metric, scores[rows], strata[rows].tolist(), self.seed)

        return mean_over

    def score(self, name: str, *others: Result) -> Estimate:
        """Returns the score of a list of skills as the authors of a protocol compute it, with its interval.

        Args:
            name: the protocol, "tdmpc2" or "newt", by which the episodes were played; see docs/protocols.md.
            others: results of the list's other skills, where they were evaluated world by world.

        Raises:
            ValueError: the episodes were played otherwise, a skill is of a world without such a score, or in two of the
                results.
        """
        for each in (self, *others):
            check_evaluated(name, each.fingerprint.protocol)
        check_other_skills([record.task for record in each.tasks] for each in (self, *others))
        return score_of(name, [record for each in (self, *others) for record in each.completed], self.seed)

    def by_variation(self, metric: str = "success_once") -> Varied:
        """Returns a metric by part of a suite of variations, such as MT10-robust: by factor and strength, and clean.

        Args:
            metric: "success_end", "success_once", "episode_return" or "length".

        Raises:
            ValueError: it is another metric, or no task belongs to a part of a suite.

        Example:
            >>> from taskworlds import Task
            >>> from taskworlds.evaluation import Episode
            >>> tasks = Task("push-v3"), Task("push-v3", {"variation": "friction 1"})
            >>> records = [TaskRecord(task, (Episode(1.0, 5, x, x),)) for task, x in zip(tasks, (True, False))]
            >>> result = Result("two", "train", 1, 0, Fingerprint.of(tasks, protocol="multi-task"), tuple(records))
            >>> {part: each.value for part, each in result.by_variation().parts.items()}
            {'clean': 1.0, 'friction 1': 0.0}
        """
        check_choice("metric", metric, METRICS)
        tasks = [record.task for record in self.completed]
        strata = np.array([task.env_name for task in tasks])
        scores = self.scores(metric)

        def mean_over(rows: NDArray[np.bool_]) -> Estimate:
            return mean_of(metric, scores[rows], strata[rows].tolist(), self.seed) if rows.any() else UNKNOWN

        return varied(tasks, mean_over)

    def __repr__(self) -> str:
        name = self.benchmark if self.split is None else f"{self.benchmark} {self.split}"
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"<Result of {name}: {len(self.tasks)} tasks{failed}, {self.headline}>"

    def _repr_html_(self) -> str:
        name = self.benchmark if self.split is None else f"{self.benchmark} {self.split}"
        return notebook.result_html(f"{name}: {self.headline}", self.skills, self.overall)

    def plot(self, metric: str | None = None) -> matplotlib.figure.Figure:
        """Returns a matplotlib figure: a dot with its interval for each skill.

        Args:
            metric: "success_end", "success_once", "episode_return" or "length"; None for success_end, or
                for the return where no success is known.

        Raises:
            ImportError: matplotlib is not installed: `pip install "taskworlds[report]"`.
            ValueError: `metric` is something else.
        """
        return plotting.figure_of_skills(
            [(repr(self)[1:-1].partition(":")[0], self.skills)], metric, title=self.headline
        )

    @property
    def headline(self) -> str:
        """The mean over the skills and its interval in words: of success, or of the return where none is known."""
        return headline({metric: summary.mean for metric, summary in self.overall.items()})

    @property
    def worst_in_words(self) -> str:
        """The mean success (end) of the lowest skills in words: of three, of one among fewer than four; "" if alone."""
        return worst_in_words(self.skills)

    @functools.cached_property
    def groups(self) -> dict[str, Grouped]:
        """By metric, `by_group`; {} unless all skills of all groups ran, so that it compares with published tables."""
        if not whole_groups(record.task.env_name for record in self.completed):
            return {}
        return {metric: self.by_group(metric) for metric in METRICS}

    @functools.cached_property
    def worlds(self) -> dict[str, dict[str, Estimate]]:
        """By metric, `by_world`; {} unless skills of several worlds ran, all of them registered."""
        if not several_worlds(self._that_ran()):
            return {}
        return {metric: self.by_world(metric) for metric in METRICS}

    @functools.cached_property
    def variations(self) -> dict[str, Varied]:
        """By metric, `by_variation`; {} where no task belongs to a part of a suite of variations."""
        if all(part_of(record.task) == CLEAN for record in self.completed):
            return {}
        return {metric: self.by_variation(metric) for metric in METRICS}

    @functools.cached_property
    def list_scores(self) -> dict[str, Estimate]:
        """By protocol, `score`; {} unless the episodes were played by a protocol that has one for all the skills."""
        names = [record.task.env_name for record in self.completed]
        return {name: self.score(name) for name in protocols_of(self.fingerprint.protocol, names) if names}

    def table(self) -> rich.table.Table:
        """Returns a table for `rich.print`: each skill, then the figures over all skills, with intervals."""
        # Loads rich, which only tables need.
        from taskworlds.evaluation.tables import summary_table

        name = self.benchmark if self.split is None else f"{self.benchmark} {self.split}"
        lines = [*in_words(self.list_scores), *self._divergences(), *self._failures()]
        over = "over new goals of these skills, for this policy"
        return summary_table(
            f"{name}, {self.fingerprint.protocol}",
            self.skills,
            self.overall,
            over=over,
            lines=lines,
            groups=self.groups,
            worlds=self.worlds,
            variations=self.variations,
        )

    def _divergences(self) -> list[str]:
        """Returns a line on the episodes of the averages that diverged in simulation; none if none did."""
        by_name = Counter[str]()
        for record in self.completed:
            by_name[record.task.env_name] += record.num_diverged
        skills = [f"{name} ({number})" for name, number in by_name.most_common(_LISTED) if number]
        if not skills:
            return []
        more = ", ..." if len(+by_name) > _LISTED else ""
        episodes = sum(len(record.episodes) for record in self.completed)
        return [f"{by_name.total()} of {episodes} episodes diverged in simulation: {', '.join(skills)}{more}"]

    def _failures(self) -> list[str]:
        """Returns lines on the tasks that could not run; none if all could."""
        if not self.failed:
            return []
        lines = [f"{len(self.failed)} of {len(self.tasks)} tasks could not run and are not in any average:"]
        lines += [f"{task_label(record.task)}: {record.error}" for record in self.failed[:_LISTED]]
        return lines + ["..."] if len(self.failed) > _LISTED else lines

    # --- files ---

    def to_json(self) -> str:
        """Returns everything as JSON, with every float exact."""
        return result_file.text_of({each.name: getattr(self, each.name) for each in dataclasses.fields(self)})

    @classmethod
    def from_json(cls, text: str) -> Result:
        """Makes a result from the text that `to_json` returned, in this format version or an earlier one.

        Args:
            text: the JSON.

        Raises:
            ValueError: the text is cut off, damaged or changed, holds what cannot be, or is something else's.
        """
        return cls(**result_file.fields_of(text))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes `to_json()` to a file, all at once: a reader never sees half of it.

        Args:
            path: the file; one that exists is replaced.

        Raises:
            OSError: it cannot be written.
        """
        write_whole(path, self.to_json().encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Result:
        """Reads a file that `save` wrote.

        Args:
            path: the file.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is cut off, damaged, or something else's.
        """
        return json_text.load(path, cls.from_json, result_file.WHAT)

    def to_csv(self, by: Literal["task", "skill", "world"] = "task") -> str:
        """Returns a table as CSV with a header, one row per task, skill or world. Unknown figures are empty cells.

        Args:
            by: "task" for each task's averages, its parameters as JSON, its error, and how many episodes diverged;
                "skill" for each skill's averages with the ends of their intervals; "world" for the same of the skills
                of each world that ran, see `by_world`.

        Raises:
            ValueError: `by` is something else; or by worlds, and a skill is of no world that is registered.
        """
        check_choice("by", by, tuple(self._rows))
        rows = self._rows[by]()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows(
            ["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row] for row in rows
        )
        return text.getvalue()

    def to_dataframe(self, by: Literal["task", "skill", "world", "episode"] = "task") -> pandas.DataFrame:
        """Returns a table as a DataFrame of pandas, with a row for each task, skill, world or episode.

        Args:
            by: "task", "skill" and "world" for the columns of `to_csv`; "episode" for each episode's skill, task and
                number, its return, length and success, and whether it diverged, also of tasks that failed later.

        Raises:
            ImportError: pandas is not installed: `pip install "taskworlds[report]"`.
            ValueError: as for `to_csv`.

        Example:
            >>> from taskworlds import Task
            >>> from taskworlds.evaluation import Episode
            >>> record = TaskRecord(Task("reach-v3"), (Episode(8.0, 3, True, True), Episode(2.0, 9, True, False)))
            >>> fingerprint = Fingerprint.of([record.task], protocol="multi-task")
            >>> result = Result("MT1", "train", 2, 0, fingerprint, (record,))
            >>> result.to_dataframe("episode")["length"].tolist()
            [3, 9]
        """
        rows = self._rows | {"episode": lambda: dataframes.episode_rows(self.tasks)}
        return dataframes.frame_of(rows[check_choice("by", by, tuple(rows))]())

    def save_csv(self, path: str | os.PathLike[str], by: Literal["task", "skill", "world"] = "task") -> None:
        """Writes `to_csv(by)` to a file, all at once.

        Args:
            path: the file; one that exists is replaced.
            by: as for `to_csv`.

        Raises:
            OSError: it cannot be written.
        """
        write_whole(path, self.to_csv(by).encode())

    @property
    def _rows(self) -> dict[str, Callable[[], list[Sequence[Any]]]]:
        """What returns the rows of a table, the header first, by what a row is of."""
        return {"task": self._task_rows, "skill": self._skill_rows, "world": self._world_rows}

    def _task_rows(self) -> list[Sequence[Any]]:
        header = ["env_name", "task_id", "params", "episodes", *METRICS, "error", "diverged"]
        return [
            header,
            *(
                [
                    record.task.env_name,
                    record.task.id,
                    json.dumps(dict(record.task.params)),
                    len(record.episodes),
                    *(record.mean(metric) for metric in METRICS),
                    record.error or "",
                    record.num_diverged,
                ]
                for record in self.tasks
            ),
        ]

    def _skill_rows(self) -> list[Sequence[Any]]:
        return [
            ["env_name", "tasks", "failed", "episodes", *_WITH_ENDS],
            *(
                [
                    skill.env_name,
                    skill.num_tasks,
                    skill.num_failed,
                    skill.num_episodes,
                    *(number for metric in METRICS for number in getattr(skill, metric)),
                ]
                for skill in self.skills
            ),
        ]

    def _world_rows(self) -> list[Sequence[Any]]:
        figures = {metric: self.by_world(metric) for metric in METRICS}
        skills = skills_by_world(self._that_ran())
        return [
            ["world", "skills", *_WITH_ENDS],
            *(
                [world, len(names), *(number for metric in METRICS for number in figures[metric][world])]
                for world, names in skills.items()
            ),
        ]


class Stopped(KeyboardInterrupt):
    """Ctrl-C during `evaluate`, with what had been finished.

    Tasks whose episodes are short come first, so the averages of a part say little about the whole. `evaluate` goes on
    from there with `resume=stopped.result`.

    Attributes:
        result: the tasks that had all their episodes, and no others; its `benchmark` ends in `PARTIAL`, and its
            fingerprint is of these tasks.
    """

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result
