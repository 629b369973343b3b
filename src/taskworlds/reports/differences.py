"""The section on differences: each later method minus each earlier one, on the same goals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from taskworlds.charts import Caption, Difference
from taskworlds.charts import differences as draw_differences
from taskworlds.charts.axes import Axis
from taskworlds.charts.difference_chart import SIGNIFICANT, p_text, signed_text
from taskworlds.evaluation.comparison import Comparison, Pair, PartDifference
from taskworlds.evaluation.statistics import RATES
from taskworlds.reports.blocks import Block, Cell, Column, Folded, Section, Table, Text, chart
from taskworlds.reports.metrics import Metric, number_cell

__all__ = ["differences_section", "part_differences"]

_SHOWN = 3  # pairs whose charts are not folded


def differences_section(comparison: Comparison, metric: Metric) -> Section:
    """Returns the section: the differences of the means, then a chart and a table for each pair."""
    count = comparison.num_tasks
    blocks: list[Block] = [
        Text(
            f"Differences are of {metric.title.lower()}, over the {count} goals that ran to their end in every run. "
            "p values are corrected (Holm) for the number of differences in their table: the more are looked at, "
            "the more seem large by chance."
        ),
        _overall(comparison, metric),
    ]
    if comparison.left_out:
        blocks.append(
            Text(
                f"{len(comparison.left_out)} goals are left out, as they did not run to their end everywhere."
            )
        )
    if any(pair.over == "nothing" for pair in comparison.pairs):
        blocks.append(
            Text(
                "Where one method has a single run and the other several, a difference has no interval and no p "
                "value: one run does not say how far another would be from it."
            )
        )
    series = {method.name: number for number, method in enumerate(comparison.methods)}
    for number, pair in enumerate(comparison.pairs):
        drawn = _of_pair(pair, metric, f"difference-{number}", (series[pair.a], series[pair.b]))
        blocks += drawn if number < _SHOWN else [Folded(_title(pair), drawn)]
    return Section("differences", "Differences", blocks)


def _title(pair: Pair) -> str:
    return f"{pair.b} minus {pair.a}"


def _overall(comparison: Comparison, metric: Metric) -> Table:
    rows = []
    for pair in comparison.pairs:
        adjusted = pair.p_adjusted.get(metric.name, math.nan)
        rows.append(
            [
                Cell(_title(pair)),
                _difference(pair.overall[metric.name].mean, metric, strong=adjusted < SIGNIFICANT),
                _p(pair.p_values.get(metric.name, math.nan)),
                _p(adjusted),
                number_cell(pair.probability_of_improvement.get(metric.name, math.nan), 2),
            ]
        )
    return Table(
        "Difference of the means over skills, with 95 % intervals",
        [
            Column("methods", is_number=False),
            Column("difference"),
            Column("p"),
            Column("p, corrected"),
            Column("probability of improvement"),
        ],
        rows,
    )


def _of_pair(pair: Pair, metric: Metric, name: str, series: tuple[int, int]) -> list[Block]:
    chosen = sorted(pair.skills, key=lambda skill: -_finite(getattr(skill, metric.name).value))
    rows = [
        Difference(skill.env_name, getattr(skill, metric.name), skill.p_adjusted.get(metric.name, math.nan))
        for skill in chosen
    ]
    table = Table(
        f"{_title(pair)}, by skill",
        [
            Column("skill", is_number=False),
            Column("goals"),
            Column("difference"),
            Column("p"),
            Column("p, corrected"),
        ],
        [
            [
                Cell(skill.env_name),
                number_cell(skill.num_tasks),
                _difference(row.figure, metric, strong=row.p < SIGNIFICANT),
                _p(skill.p_values.get(metric.name, math.nan)),
                _p(row.p),
            ]
            for skill, row in zip(chosen, rows, strict=True)
        ],
        is_folded=True,
    )
    description = (
        f"For each of {len(rows)} skills a dot for {pair.b} minus {pair.a} with its 95 % interval. Filled marks have "
        "a corrected p value below 0.05. The table below has the numbers."
    )
    axis = _axis(rows, metric)

    def draw(caption: Caption, width: float) -> str:
        return draw_differences(rows, (pair.a, pair.b), axis, caption, width=width, series=series)

    return [chart(name, f"{metric.title}: {_title(pair)}", description, draw), table]


def part_differences(
    comparison: Comparison, found: Sequence[Sequence[PartDifference]], metric: Metric, part: str
) -> Table:
    """Returns the table of the differences by part of the tasks, folded.

    Args:
        comparison: of the methods.
        found: for each of its pairs, the differences to show.
        metric: whose they are.
        part: what a part is called: "world".
    """
    several = len(comparison.pairs) > 1
    rows = [
        [
            Cell(each.part),
            *([Cell(_title(pair))] if several else []),
            _difference(each.difference, metric, strong=each.p_adjusted < SIGNIFICANT),
            _p(each.p_value),
            _p(each.p_adjusted),
        ]
        for pair, differences in zip(comparison.pairs, found, strict=True)
        for each in differences
    ]
    title = f"{metric.title}: differences by {part}"
    if not several:
        title += f", {_title(comparison.pairs[0])}"
    return Table(
        f"{title}, with 95 % intervals",
        [
            Column(part, is_number=False),
            *([Column("methods", is_number=False)] if several else []),
            Column("difference"),
            Column("p"),
            Column("p, corrected"),
        ],
        rows,
        is_folded=True,
    )


def _axis(rows: Sequence[Difference], metric: Metric) -> Axis:
    label = f"difference in {metric.title.lower()}"
    if metric.name in RATES:
        return Axis(label, -1.0, 1.0, metric.digits)
    most = max((abs(each) for row in rows for each in row.figure if not math.isnan(each)), default=1.0) or 1.0
    return Axis(label, -1.05 * most, 1.05 * most, metric.digits)


def _difference(figure: tuple[float, float, float], metric: Metric, *, strong: bool) -> Cell:
    return Cell(signed_text(figure, metric.digits), _finite(figure[0]), strong)


def _p(p: float) -> Cell:
    return Cell(p_text(p).removeprefix("p ").removeprefix("= "), 2.0 if math.isnan(p) else p, p < SIGNIFICANT)


def _finite(value: float) -> float:
    return -math.inf if math.isnan(value) else value
