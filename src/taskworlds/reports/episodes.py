"""The section on episodes: how long they take, what they return, and on which goals they fail."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from taskworlds.charts import Caption, Spread, heat_map, spreads
from taskworlds.charts.axes import axis_over
from taskworlds.core.task import by_skill
from taskworlds.evaluation.pooled import Pooled
from taskworlds.evaluation.records import Episode, TaskRecord
from taskworlds.reports.blocks import Block, Cell, Column, Folded, Section, Table, chart
from taskworlds.reports.metrics import Metric, leading_metric, number_cell
from taskworlds.reports.skills import skills_in_order

__all__ = ["episodes_section"]


def episodes_section(methods: Sequence[Pooled]) -> Section:
    """Returns the section: steps to success, returns, and maps of success by goal."""
    leading = leading_metric(methods)
    names = skills_in_order(methods, leading)
    blocks: list[Block] = []
    has_success = leading.name == "success_end"
    if has_success and all(run.fingerprint.terminate_on_success for method in methods for run in method.runs):
        values = _values(methods, lambda episode: episode.length if episode.success_once else math.nan)
        blocks += _spread(methods, names, values, "steps", "Steps to success", "step", 0)
    returns = _values(methods, lambda episode: episode.episode_return)
    spread = _spread(methods, names, returns, "returns", "Returns of episodes", "return", 1)
    blocks += [Folded("Returns of episodes", spread)] if blocks else spread
    if has_success:
        blocks += [
            block
            for number, method in enumerate(methods)
            for block in _map(method, names, leading, f"goals-{number}", len(methods) > 1)
        ]
    return Section("episodes", "Episodes", blocks)


def _values(methods: Sequence[Pooled], read: Callable[[Episode], float]) -> list[dict[str, list[float]]]:
    """Returns, for each method and skill, one number for each episode of all runs; NaN is left out."""
    found = []
    for method in methods:
        own: dict[str, list[float]] = {}
        for episode, name in _episodes(method):
            value = read(episode)
            if math.isfinite(value):
                own.setdefault(name, []).append(float(value))
        found.append(own)
    return found


def _episodes(method: Pooled) -> Iterator[tuple[Episode, str]]:
    for run in method.runs:
        for record in run.completed:
            for episode in record.episodes:
                yield episode, record.task.env_name


def _spread(
    methods: Sequence[Pooled],
    names: Sequence[str],
    values: Sequence[dict[str, list[float]]],
    name: str,
    title: str,
    unit: str,
    digits: int,
) -> list[Block]:
    rows = [Spread(skill, [own.get(skill, []) for own in values]) for skill in names]
    every = [number for row in rows for series in row.values for number in series]
    if not every:
        return []
    axis = axis_over(unit, every, from_zero=True, digits=digits)
    description = (
        "A stroke for each episode, a bar over the middle half of them, and a mark at the median, for each skill. "
        "The table below has the numbers."
    )

    def draw(caption: Caption, width: float) -> str:
        return spreads(rows, [method.name for method in methods], axis, caption, width=width)

    several = len(methods) > 1
    table_rows = []
    for row in rows:
        for method, series in zip(methods, row.values, strict=True):
            quartiles = np.percentile(series, [0, 25, 50, 75, 100]) if series else [math.nan] * 5
            table_rows.append(
                [
                    Cell(row.name),
                    *([Cell(method.name)] if several else []),
                    number_cell(len(series)),
                    *(number_cell(float(each), digits) for each in quartiles),
                ]
            )
    columns = [Column("skill", is_number=False), *([Column("method", is_number=False)] if several else [])]
    columns += [
        Column(text) for text in ("episodes", "least", "quarter below", "median", "quarter above", "most")
    ]
    return [
        chart(name, title, description, draw),
        Table(f"{title}: the numbers", columns, table_rows, is_folded=True),
    ]


def _map(method: Pooled, names: Sequence[str], metric: Metric, name: str, is_folded: bool) -> list[Block]:
    by_task: dict[str, list[float]] = {}
    for run in method.runs:
        for record in run.tasks:
            by_task.setdefault(record.task.id, []).append(record.mean(metric.name))
    by_name = by_skill(method.runs[0].tasks, lambda record: record.task.env_name)
    rows = []
    for skill in names:
        records: Sequence[TaskRecord] = by_name.get(skill, ())
        goals = [
            (f"goal {number} (task {record.task.id})", float(np.mean(by_task[record.task.id])))
            for number, record in enumerate(records, 1)
        ]
        rows.append((skill, goals))
    title = "Success by goal" + (f": {method.name}" if is_folded else "")
    description = (
        f"A row for each skill and a cell for each of its goals: the darker, the more of the episodes of {method.name} "
        "were a success. The table lists the goals that were not always solved."
    )

    def draw(caption: Caption, width: float) -> str:
        return heat_map(rows, caption, width=width)

    missed = [
        (skill, number, record.task.id, share)
        for skill in names
        for number, record in enumerate(by_name.get(skill, ()), 1)
        if (share := float(np.mean(by_task[record.task.id]))) < 1
    ]
    table = Table(
        f"Goals that were not always solved ({len(missed)})",
        [
            Column("skill", is_number=False),
            Column("goal"),
            Column("task", is_number=False),
            Column("success"),
        ],
        [
            [Cell(skill), number_cell(number), Cell(task_id), number_cell(share, 2)]
            for skill, number, task_id, share in missed
        ],
        is_folded=True,
    )
    drawn: list[Block] = [chart(name, title, description, draw), *([table] if missed else [])]
    return [Folded(title, drawn)] if is_folded else drawn
