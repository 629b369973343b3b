"""The outcome of an evaluation: every episode of every task, and what follows from them."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import json
import math
import os
import reprlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskworlds.core import json_text
from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_count, check_seed
from taskworlds.core.files import write_whole
from taskworlds.core.task import Task, by_skill
from taskworlds.evaluation import statistics
from taskworlds.evaluation.fingerprint import Fingerprint, packages_of
from taskworlds.evaluation.statistics import METRICS, RATES, UNKNOWN, Estimate

if TYPE_CHECKING:
    import rich.table

__all__ = [
    "METRICS",
    "PARTIAL",
    "Episode",
    "Result",
    "SkillSummary",
    "Stopped",
    "Summary",
    "TaskRecord",
    "headline",
    "task_label",
]

_FORMAT = "taskworlds.Result"
_FORMAT_VERSION = 3
_READ = (1, 2, 3)  # 1: each package's version was a field of the fingerprint; 1 and 2: without a checksum
PARTIAL = " (partial)"
"""What the benchmark's name ends in, in the result of an evaluation that was stopped."""
_LISTED = 3  # tasks or skills, in a line below a table


class Episode(NamedTuple):
    """One episode that was counted.

    Attributes:
        episode_return: sum of the rewards.
        length: number of steps.
        success_once: whether any step was a success; None where the environment does not say.
        success_end: whether the last step was a success; None where the environment does not say.
        diverged: whether the simulation diverged in some step, so that the episode is not meaningful; False where the
            environment does not say, as with the sync and async engines. The episode still counts, as it does in
            Meta-World's evaluation.
        attempts: of a trial (`k_episodes`) its attempts, each as an episode of its own; () without trials.
    """

    episode_return: float
    length: int
    success_once: bool | None
    success_end: bool | None
    diverged: bool = False
    attempts: tuple[Episode, ...] = ()


@dataclass(frozen=True)
class TaskRecord:
    """A task with its episodes.

    Attributes:
        task: what was evaluated.
        episodes: in the order of their numbers, as many as were asked for unless the task failed.
        error: why the task could not run to its end; None if it could.

    Example:
        >>> record = TaskRecord(Task("reach-v3"), (Episode(8.0, 3, True, True), Episode(2.0, 9, True, False)))
        >>> record.mean("success_end"), record.mean("length")
        (0.5, 6.0)
    """

    task: Task
    episodes: tuple[Episode, ...] = ()
    error: str | None = None

    @property
    def num_diverged(self) -> int:
        """How many of the episodes diverged in simulation."""
        return sum(episode.diverged for episode in self.episodes)

    def mean(self, metric: str) -> float:
        """Returns one of `METRICS` averaged over the episodes; NaN if it is unknown or the task failed."""
        check_choice("metric", metric, METRICS)
        values = [getattr(episode, metric) for episode in self.episodes]
        if self.error is not None or not values or None in values:
            return math.nan
        return float(np.mean(values))


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


class Summary(NamedTuple):
    """One metric over all tasks that ran: its mean and its interquartile mean, each with an interval.

    Success has no interquartile mean (NaN) where each task's rate is 0 or 1, as with one episode a task: it would leave
    out up to a quarter of failures.
    """

    mean: Estimate
    iqm: Estimate


@dataclass(frozen=True, repr=False)
class Result:
    """What `evaluate` returns: all episodes by task, their averages, and the fingerprint.

    A task's figure is the average over its episodes. Every task (a skill with one goal) has equal weight in
    the averages of its skill and of the whole, however fast its episodes end. The 95 % intervals are
    bootstrapped over the tasks, and have a width where all tasks succeed or fail alike, see
    `taskworlds.evaluation.statistics`; a single task has none (NaN).

    Attributes:
        benchmark: name of the benchmark or environment.
        split: "train" or "test"; None for environments without splits.
        episodes_per_task: how many episodes each task was given.
        seed: the seed of the evaluation, from which the intervals are drawn too.
        fingerprint: what another result must share to be compared with this one.
        tasks: one record for each task, also for those that could not run.

    Example:
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
        """Returns one of `METRICS` by completed task, (T,) float64, averaged over the task's episodes."""
        return np.array([record.mean(metric) for record in self.completed], dtype=np.float64)

    @functools.cached_property
    def overall(self) -> dict[str, Summary]:
        """By metric: mean and interquartile mean over the completed tasks, with intervals."""
        skills = [record.task.env_name for record in self.completed]

        def figure(statistic: Callable[..., Any], metric: str) -> Estimate:
            return statistics.estimate(
                statistic, self.scores(metric), strata=skills, seed=self.seed, rates=metric in RATES
            )

        return {
            metric: Summary(
                figure(statistics.mean, metric),
                UNKNOWN
                if metric in RATES and statistics.all_or_nothing(self.scores(metric))
                else figure(statistics.iqm, metric),
            )
            for metric in METRICS
        }

    @functools.cached_property
    def skills(self) -> tuple[SkillSummary, ...]:
        """The figures of each skill, in the order of the tasks."""
        records = by_skill(self.tasks, lambda record: record.task.env_name)
        return tuple(self._summarise(name, each) for name, each in records.items())

    def _summarise(self, env_name: str, records: Sequence[TaskRecord]) -> SkillSummary:
        ran = [record for record in records if record.error is None]
        figures = {
            metric: statistics.estimate(
                statistics.mean,
                [record.mean(metric) for record in ran],
                strata=[env_name] * len(ran),
                seed=self.seed,
                rates=metric in RATES,
            )
            for metric in METRICS
        }
        return SkillSummary(
            env_name=env_name,
            num_tasks=len(records),
            num_failed=len(records) - len(ran),
            num_episodes=sum(len(record.episodes) for record in ran),
            **figures,
        )

    def __repr__(self) -> str:
        name = self.benchmark if self.split is None else f"{self.benchmark} {self.split}"
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"<Result of {name}: {len(self.tasks)} tasks{failed}, {self.headline}>"

    @property
    def headline(self) -> str:
        """The mean over the tasks and its interval in words: of success, or of the return where none is known."""
        return headline({metric: summary.mean for metric, summary in self.overall.items()})

    def table(self) -> rich.table.Table:
        """Returns a table for `rich.print`: each skill, then mean and interquartile mean with intervals."""
        # Loads rich, which only tables need.
        from taskworlds.evaluation.tables import MetricTable, shown_metrics

        metrics = shown_metrics(skill.success_end for skill in self.skills) if self.completed else METRICS
        name = self.benchmark if self.split is None else f"{self.benchmark} {self.split}"
        made = MetricTable(f"{name}, {self.fingerprint.protocol}", ("tasks", "episodes"), metrics)
        for skill in self.skills:
            ran = skill.num_tasks - skill.num_failed
            tasks = f"{ran}/{skill.num_tasks}" if skill.num_failed else str(ran)
            figures = {metric: getattr(skill, metric) for metric in METRICS}
            made.add(skill.env_name, (tasks, skill.num_episodes), figures, with_interval=False)
        made.add_section()
        counts = (len(self.completed), sum(len(record.episodes) for record in self.completed))
        for heading, figure in (("mean", "mean"), ("interquartile mean", "iqm")):
            estimates = {metric: getattr(self.overall[metric], figure) for metric in METRICS}
            made.add(f"{heading} over tasks", counts, estimates, with_interval=True, bold=True)
        made.set_caption([*self._divergences(), *self._failures()])
        return made.table

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
        data = {
            "format": _FORMAT,
            "format_version": _FORMAT_VERSION,
            "benchmark": self.benchmark,
            "split": self.split,
            "episodes_per_task": self.episodes_per_task,
            "seed": self.seed,
            "fingerprint": self.fingerprint.to_dict(),
            "tasks": [
                {
                    "task": json.loads(record.task.to_json()),
                    "error": record.error,
                    "episodes": list(map(_episode_dict, record.episodes)),
                }
                for record in self.tasks
            ],
        }
        return json.dumps(json_text.seal(data), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Result:
        """Makes a result from the text that `to_json` returned.

        Raises:
            ValueError: the text is cut off, damaged or changed, holds what cannot be, or is something else's.
        """
        data = json_text.parse(text, "a saved Result")
        if not isinstance(data, dict) or data.get("format") != _FORMAT:
            raise WrongValue(
                f'This is JSON, but not a saved Result: it has no "format": {_FORMAT!r}. It starts with '
                f"{text[:60]!r}."
            )
        version = data.get("format_version")
        if version not in _READ:
            raise WrongValue(
                f"This Result has format_version {reprlib.repr(version)}, and this version of taskworlds reads "
                f"{' and '.join(map(str, _READ))}. Use the version that wrote it: "
                f"{reprlib.repr(data.get('fingerprint'))}."
            )
        try:
            quota = check_count("episodes_per_task", data["episodes_per_task"])
            tasks = tuple(_to_record(record, quota) for record in data["tasks"])
            fingerprint = Fingerprint.from_dict(data["fingerprint"])
            check_choice("split", data["split"], (None, "train", "test"))
            if not isinstance(data["benchmark"], str):
                raise WrongType(f"benchmark must be a string, not {data['benchmark']!r}.")
            fingerprint.check_tasks([record.task for record in tasks])
            if version == 1 and fingerprint.registered_skills is None:
                names = packages_of(record.task.env_name for record in tasks)
                packages = {name: fingerprint.packages.get(name) for name in names}
                fingerprint = dataclasses.replace(fingerprint, packages=packages)
            result = cls(
                benchmark=data["benchmark"],
                split=data["split"],
                episodes_per_task=quota,
                seed=check_seed(data["seed"]),
                fingerprint=fingerprint,
                tasks=tasks,
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise WrongValue(f"This saved Result is damaged: {type(error).__name__}: {error}.") from error
        if version == _FORMAT_VERSION:
            json_text.check_seal(data, "This saved Result")
        return result

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes `to_json()` to a file, all at once: a reader never sees half of it."""
        write_whole(path, self.to_json().encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Result:
        """Reads a file that `save` wrote.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is cut off, damaged, or something else's.
        """
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            raise WrongValue(f"{os.fspath(path)}: This is not a saved Result: it is not text.") from None
        except ValueError as error:
            raise WrongValue(f"{os.fspath(path)}: {error}") from error

    def to_csv(self, by: Literal["task", "skill"] = "task") -> str:
        """Returns a table as CSV with a header, one row per task or per skill. Unknown figures are empty cells.

        Args:
            by: "task" for each task's averages, its parameters as JSON, its error, and how many episodes diverged;
                "skill" for each skill's averages with the ends of their intervals.

        Raises:
            ValueError: `by` is something else.
        """
        check_choice("by", by, ("task", "skill"))
        rows = self._task_rows() if by == "task" else self._skill_rows()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows(
            ["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row] for row in rows
        )
        return text.getvalue()

    def save_csv(self, path: str | os.PathLike[str], by: Literal["task", "skill"] = "task") -> None:
        """Writes `to_csv(by)` to a file, all at once."""
        write_whole(path, self.to_csv(by).encode())

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
        figures = [name for metric in METRICS for name in (metric, f"{metric}_low", f"{metric}_high")]
        return [
            ["env_name", "tasks", "failed", "episodes", *figures],
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


def task_label(task: Task) -> str:
    """Names a task in messages: its skill and its id."""
    return f"{task.env_name} (task {task.id})"


def _to_record(data: Any, quota: int) -> TaskRecord:
    """Returns the record of a task in a file; raises TypeError, KeyError or ValueError for one that cannot be.

    Args:
        data: what the file says.
        quota: how many episodes the task was given.
    """
    episodes = tuple(map(_to_episode, data["episodes"]))
    error = data["error"]
    if not (error is None or isinstance(error, str)):
        raise WrongType(f"error must be a string or None, not {error!r}.")
    if len(episodes) > quota or (error is None and not episodes):
        raise WrongValue(f"A task must have from 1 to {quota} episodes, not {len(episodes)}")
    return TaskRecord(Task.from_dict(data["task"]), episodes, error)


def _to_episode(data: Any) -> Episode:
    once, end = (
        check_choice(name, data[name], (None, True, False)) for name in ("success_once", "success_end")
    )
    if end is not None and (once is None or end > once):
        raise WrongValue(f"An episode that ends with success_end {end} cannot have success_once {once}")
    given = data["return"]
    if isinstance(given, bool) or not (isinstance(given, int | float) or given in _NOT_FINITE):
        raise WrongValue(f"return must be a number, not {given!r}")
    diverged = check_choice("diverged", data.get("diverged", False), (True, False))  # absent in older files
    attempts = tuple(map(_to_episode, data.get("attempts", ())))
    return Episode(float(given), check_count("length", data["length"]), once, end, diverged, attempts)


def _episode_dict(episode: Episode) -> dict[str, Any]:
    """Returns an episode as `_to_episode` takes it."""
    data = {
        "return": _to_number(episode.episode_return),
        "length": episode.length,
        "success_once": episode.success_once,
        "success_end": episode.success_end,
        "diverged": episode.diverged,
    }
    return data | ({"attempts": list(map(_episode_dict, episode.attempts))} if episode.attempts else {})


_NOT_FINITE = ("nan", "inf", "-inf")


def _to_number(value: float) -> float | str:
    """Returns a float for JSON, which has no NaN and no infinity: these become strings that `float` reads."""
    return value if math.isfinite(value) else str(value)
