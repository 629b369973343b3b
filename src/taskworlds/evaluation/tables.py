"""Tables of results and comparisons for the terminal: 100 columns wide, or 80 with broken lines."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import rich.box
import rich.table
import rich.text

from taskworlds.evaluation.comparison import Comparison, SkillDifference
from taskworlds.evaluation.result import METRICS, Result, SkillSummary, task_label
from taskworlds.evaluation.statistics import Estimate

__all__ = ["comparison_table", "result_table"]

_HEADINGS = dict(zip(METRICS, ("success\n(end)", "success\nonce", "return", "length"), strict=True))
_LISTED = 3  # tasks or skills, in a line below a table


def result_table(result: Result) -> rich.table.Table:
    """Gives a result's table: each skill, then the overall figures with their intervals below them."""
    name = result.benchmark if result.split is None else f"{result.benchmark} {result.split}"
    metrics = _shown(result.skills) if result.completed else METRICS
    table = _table(f"{name}, {result.fingerprint.protocol}", ("tasks", "episodes"), metrics)
    for skill in result.skills:
        ran = skill.num_tasks - skill.num_failed
        tasks = f"{ran}/{skill.num_tasks}" if skill.num_failed else str(ran)
        table.add_row(
            _plain(skill.env_name),
            tasks,
            str(skill.num_episodes),
            *(_figure(getattr(skill, metric).value, metric) for metric in metrics),
        )
    table.add_section()
    done = result.completed
    episodes = str(sum(len(record.episodes) for record in done))
    for heading, figure in (("mean", "mean"), ("interquartile mean", "iqm")):
        estimates = {metric: getattr(result.overall[metric], figure) for metric in metrics}
        table.add_row(f"{heading} over tasks", str(len(done)), episodes, *_figures(estimates), style="bold")
        table.add_row("  95 % interval", "", "", *_intervals(estimates))
    lines = _divergences(result)
    if result.failed:
        lines += [f"{len(result.failed)} of {len(result.tasks)} tasks could not run and are in no average:"]
        lines += [f"{task_label(record.task)}: {record.error}" for record in result.failed[:_LISTED]]
        if len(result.failed) > _LISTED:
            lines.append("...")
    if lines:
        table.caption = _plain("\n".join(lines))
    return table


def comparison_table(comparison: Comparison) -> rich.table.Table:
    """Gives a comparison's table: the differences by skill, then overall, each with its interval below it."""
    metrics = _shown(comparison.skills)
    table = _table("second result minus first", ("tasks",), metrics)
    for skill in comparison.skills:
        estimates = {metric: getattr(skill, metric) for metric in metrics}
        table.add_row(_plain(skill.env_name), str(skill.num_tasks), *_figures(estimates, signed=True))
        table.add_row("  95 % interval", "", *_intervals(estimates, signed=True))
    table.add_section()
    for heading, figure in (("mean", "mean"), ("interquartile mean", "iqm")):
        estimates = {metric: getattr(comparison.overall[metric], figure) for metric in metrics}
        table.add_row(
            f"{heading} over tasks",
            str(comparison.num_tasks),
            *_figures(estimates, signed=True),
            style="bold",
        )
        table.add_row("  95 % interval", "", *_intervals(estimates, signed=True))
    lines = [
        f"differs: {name}, {first} and {second}"
        for name, (first, second) in comparison.fingerprint_differences.items()
    ]
    if comparison.left_out:
        lines.append(f"left out: {len(comparison.left_out)} tasks that did not run to their end in both")
    if lines:
        table.caption = _plain("\n".join(lines))
    return table


def _divergences(result: Result) -> list[str]:
    """Gives a line that says which episodes of the averages diverged in simulation; none if none did."""
    by_skill = Counter[str]()
    for record in result.completed:
        by_skill[record.task.env_name] += record.num_diverged
    skills = [f"{name} ({number})" for name, number in by_skill.most_common(_LISTED) if number]
    if not skills:
        return []
    more = ", ..." if len(+by_skill) > _LISTED else ""
    episodes = sum(len(record.episodes) for record in result.completed)
    return [f"{by_skill.total()} of {episodes} episodes diverged in simulation: {', '.join(skills)}{more}"]


def _shown(skills: Sequence[SkillSummary | SkillDifference]) -> tuple[str, ...]:
    """Gives the metrics to show: those of success only where some skill has it."""
    known = any(not math.isnan(skill.success_end.value) for skill in skills)
    return tuple(metric for metric in METRICS if known or not metric.startswith("success"))


def _table(title: str, counts: tuple[str, ...], metrics: tuple[str, ...]) -> rich.table.Table:
    table = rich.table.Table(title=title, box=rich.box.SIMPLE_HEAD, padding=0, caption_justify="left")
    table.add_column("skill", no_wrap=True)
    for heading in counts:
        table.add_column(heading, justify="right", no_wrap=True)
    for metric in metrics:
        table.add_column(
            _HEADINGS[metric], justify="right"
        )  # an interval takes two lines where there is no room
    return table


def _plain(text: str) -> rich.text.Text:
    """Gives text in which square brackets are square brackets."""
    return rich.text.Text(text)


def _figures(estimates: dict[str, Estimate], *, signed: bool = False) -> list[str]:
    return [_figure(estimate.value, metric, signed=signed) for metric, estimate in estimates.items()]


def _intervals(estimates: dict[str, Estimate], *, signed: bool = False) -> list[str]:
    return [
        f"[{_figure(estimate.low, metric, signed=signed)}, {_figure(estimate.high, metric, signed=signed)}]"
        if not math.isnan(estimate.low)
        else "-"
        for metric, estimate in estimates.items()
    ]


def _figure(value: float, metric: str, *, signed: bool = False) -> str:
    if math.isnan(value):
        return "-"
    if metric.startswith("success"):
        digits = 2
    else:
        digits = 1 if abs(value) < 100 else 0
    return f"{value:{'+' if signed else ''}.{digits}f}"
