"""Tables of metrics for the terminal: 100 columns wide, or 80, where the two ends of an interval have a line each.

Where there are fewer columns, counts, lengths and returns go before success does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import rich.box
import rich.console
import rich.measure
import rich.table
import rich.text

from taskworlds.evaluation.fitting_table import FittingTable
from taskworlds.evaluation.groups import Grouped, several_worlds
from taskworlds.evaluation.statistics import METRICS, RATES, UNKNOWN, Estimate
from taskworlds.evaluation.summaries import SkillSummary, Summary, num_worst, part_in_words, worst_of
from taskworlds.evaluation.variations import Varied

__all__ = ["MetricTable", "shown_metrics", "summary_table"]

_WIDE = 100  # columns in which an interval has room in one line
_HEADINGS = dict(zip(METRICS, ("success\n(end)", "success\nonce", "return", "length"), strict=True))

_GIVEN_UP = ("length", "episode_return", "success_once")  # where there is no room, the first of them first


def shown_metrics(successes: Iterable[Estimate]) -> tuple[str, ...]:
    """Returns the metrics to show: those of success only if some of the given figures of success is known."""
    known = any(not math.isnan(each.value) for each in successes)
    return tuple(metric for metric in METRICS if known or not metric.startswith("success"))


def summary_table(
    title: str,
    skills: Sequence[SkillSummary],
    overall: Mapping[str, Summary],
    *,
    over: str,
    lines: Sequence[str],
    groups: Mapping[str, Grouped],
    worlds: Mapping[str, Mapping[str, Estimate]],
    variations: Mapping[str, Varied],
) -> rich.table.Table:
    """Returns the table of a result: each skill, then the figures over all skills, with intervals.

    Args:
        title: heading of the table.
        skills: a line each.
        overall: mean and interquartile mean by metric.
        over: what the intervals are over, in words.
        lines: more lines of text below the table.
        groups: by metric, its means by group of skills; {} for no groups.
        worlds: by metric, its means by world; {} where there is one world.
        variations: by metric, its means by part of a suite of variations; {} for no suite.
    """
    ran = [skill for skill in skills if skill.num_tasks > skill.num_failed]
    metrics = shown_metrics(skill.success_end for skill in skills) if ran else METRICS
    made = MetricTable(title, ("tasks", "episodes"), metrics)
    for skill in skills:
        done = skill.num_tasks - skill.num_failed
        tasks = f"{done}/{skill.num_tasks}" if skill.num_failed else str(done)
        figures = {metric: getattr(skill, metric) for metric in METRICS}
        made.add(skill.env_name, (tasks, skill.num_episodes), figures, with_interval=False)
    made.add_section()
    counts = (
        sum(skill.num_tasks - skill.num_failed for skill in skills),
        sum(skill.num_episodes for skill in skills),
    )
    means = {metric: overall[metric].mean for metric in METRICS}
    made.add("mean over skills", counts, means, with_interval=True, bold=True)
    if len(ran) > 1:
        middle = {metric: overall[metric].iqm for metric in METRICS}
        made.add("interquartile mean over skills", ("", ""), middle, with_interval=False)
    if groups:
        _add_groups(made, groups)
    names = several_worlds([skill.env_name for skill in ran], at_least=2)
    if names:
        _add_parts(made, names, worlds, with_interval=True)
    if variations:
        env_names = variations[METRICS[0]].env_names
        parts = {metric: found.parts for metric, found in variations.items()}
        _add_parts(made, env_names, parts, with_interval=False)
    notes = [] if all(math.isnan(each.low) for each in means.values()) else [f"intervals: 95 %, {over}"]
    worst = num_worst(ran)
    if worst:
        lowest = {
            metric: Estimate(worst_of(ran, worst, metric).value, math.nan, math.nan) for metric in RATES
        }
        heading = "worst skill" if worst == 1 else f"mean of the worst {worst}"
        made.add(heading, ("", ""), dict.fromkeys(METRICS, UNKNOWN) | lowest, with_interval=False)
        named = zip(*worst_of(ran, worst, "success_end")[1:], strict=True)
        notes.append(f"lowest success (end): {', '.join(f'{name} {value:.2f}' for name, value in named)}")
    made.set_caption([*notes, *lines])
    return made.table


def _add_groups(table: MetricTable, groups: Mapping[str, Grouped]) -> None:
    """Adds a line for each group of skills, and one for the mean of their means."""
    first = groups[METRICS[0]]
    for group, names in first.env_names.items():
        figures = {metric: groups[metric].groups[group] for metric in METRICS}
        table.add(f"mean over {len(names)} {group}", ("", ""), figures, with_interval=False)
    means = {metric: groups[metric].mean for metric in METRICS}
    table.add(f"mean of these {len(first.groups)} means", ("", ""), means, with_interval=True)


def _add_parts(
    table: MetricTable,
    env_names: Mapping[str, Sequence[str]],
    figures: Mapping[str, Mapping[str, Estimate]],
    *,
    with_interval: bool,
) -> None:
    """Adds a section with a line for each part of the tasks.

    Args:
        table: to which it is added.
        env_names: by the name of each part, its skills.
        figures: by metric, its means by part.
        with_interval: whether lines with the intervals are added.
    """
    table.add_section()
    for part, names in env_names.items():
        means = {metric: found[part] for metric, found in figures.items()}
        table.add(part_in_words(part, names), ("", ""), means, with_interval=with_interval)


class MetricTable:
    """Builds a table: a line for each skill with its counts and metrics, and lines over all of them.

    Args:
        title: heading of the table.
        counts: headings of the counts, which stand between the name and the metrics.
        metrics: the metrics to show, some of `METRICS`.
        signed: whether figures are differences, and so have a sign.
    """

    def __init__(
        self, title: str, counts: Sequence[str], metrics: Sequence[str] = METRICS, *, signed: bool = False
    ) -> None:
        self.metrics = tuple(metrics)
        self._signed = signed
        self._num_counts = len(counts)
        given_up = (*counts, *(_HEADINGS[metric] for metric in _GIVEN_UP))
        self.table: rich.table.Table = FittingTable(
            title=title, box=rich.box.SIMPLE_HEAD, padding=0, caption_justify="left", given_up=given_up
        )
        self.table.add_column("skill", overflow="fold")
        for heading in counts:
            self.table.add_column(heading, justify="right", no_wrap=True)
        for metric in self.metrics:
            self.table.add_column(_HEADINGS[metric], justify="right", no_wrap=True)

    def add(
        self,
        name: str,
        counts: Sequence[object],
        estimates: Mapping[str, Estimate],
        *,
        with_interval: bool,
        bold: bool = False,
    ) -> None:
        """Adds a line.

        Args:
            name: what the figures are of.
            counts: numbers under the headings of the counts.
            estimates: by metric, the figure and its interval.
            with_interval: whether a second line shows the intervals.
            bold: whether the line is set in bold.
        """
        shown = [estimates[metric] for metric in self.metrics]
        figures = [self._figure(each.value, metric) for each, metric in zip(shown, self.metrics, strict=True)]
        self.table.add_row(_plain(name), *map(str, counts), *figures, style="bold" if bold else None)
        if with_interval:
            intervals = [
                self._interval(each, metric) for each, metric in zip(shown, self.metrics, strict=True)
            ]
            label = _Cell("  95 % interval", "  95 % from\n         to")
            self.table.add_row(label, *[""] * self._num_counts, *intervals)

    def add_section(self) -> None:
        """Draws a line below what has been added."""
        self.table.add_section()

    def set_caption(self, lines: Sequence[str]) -> None:
        """Puts lines of text below the table, if there are any."""
        if lines:
            self.table.caption = _plain("\n".join(lines))

    def _interval(self, estimate: Estimate, metric: str) -> _Cell:
        if math.isnan(estimate.low):
            return _Cell("-", "-")
        low, high = self._figure(estimate.low, metric), self._figure(estimate.high, metric)
        return _Cell(f"[{low}, {high}]", f"{low}\n{high}")

    def _figure(self, value: float, metric: str) -> str:
        if math.isnan(value):
            return "-"
        if metric.startswith("success"):
            digits = 2
        else:
            digits = 1 if abs(value) < 100 else 0
        return f"{value:{'+' if self._signed else ''}.{digits}f}"


class _Cell:
    """A cell with one text for wide consoles, and another for those that have no room for it."""

    def __init__(self, wide: str, narrow: str) -> None:
        self._wide, self._narrow = _plain(wide), _plain(narrow)

    def _shown(self, console: rich.console.Console) -> rich.text.Text:
        return self._wide if console.width >= _WIDE else self._narrow

    def __rich_console__(
        self, console: rich.console.Console, options: rich.console.ConsoleOptions
    ) -> rich.console.RenderResult:
        yield self._shown(console)

    def __rich_measure__(
        self, console: rich.console.Console, options: rich.console.ConsoleOptions
    ) -> rich.measure.Measurement:
        return rich.measure.Measurement.get(console, options, self._shown(console))


def _plain(text: str) -> rich.text.Text:
    """Returns text in which square brackets are square brackets."""
    return rich.text.Text(text)
