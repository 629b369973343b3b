"""The section on variations: how well each method does on each part of a suite such as MT10-robust."""

from __future__ import annotations

from collections.abc import Sequence

from taskworlds.charts import Caption, Dots, dots
from taskworlds.evaluation.comparison import Comparison
from taskworlds.evaluation.pooled import Pooled
from taskworlds.evaluation.variations import CLEAN
from taskworlds.reports.blocks import Block, Cell, Column, Section, Table, Text, chart
from taskworlds.reports.differences import part_differences
from taskworlds.reports.metrics import Metric, cell, number_cell

__all__ = ["variations_section"]


def variations_section(methods: Sequence[Pooled], comparison: Comparison | None, metric: Metric) -> Section:
    """Returns the section: a chart and a table by part, and the differences where there are several methods.

    Args:
        methods: with the same parts.
        comparison: of the methods; None where there is one.
        metric: that it shows.
    """
    found = [method.variations[metric.name] for method in methods]
    names = list(found[0].parts)
    several = len(methods) > 1
    rows = [Dots(name, [each.parts[name] for each in found]) for name in names]
    values = [number for row in rows for figure in row.figures for number in figure]

    def draw(caption: Caption, width: float) -> str:
        return dots(rows, [method.name for method in methods], metric.axis(values), caption, width=width)

    description = (
        f"A dot for each of {len(names)} parts{' and each method' if several else ''}, with its 95 % interval. The "
        "table below has the numbers."
    )
    blocks: list[Block] = [
        Text(
            "A part has tasks that differ from the clean ones in one factor, or in all, by a strength. Skills that do "
            "not have the factor are not in it, so the table shows the clean figure of the same skills beside each."
        ),
        chart("variations", f"{metric.title}, by part", description, draw),
        _table(methods, names, metric),
    ]
    if comparison is not None and comparison.parts:
        blocks.append(part_differences(comparison, comparison.by_variation(metric.name), metric, "part"))
    return Section("variations", "Variations", blocks)


def _table(methods: Sequence[Pooled], names: Sequence[str], metric: Metric) -> Table:
    found = [method.variations[metric.name] for method in methods]
    several = len(methods) > 1
    columns = [Column("part", is_number=False), Column("skills")]
    for method in methods:
        heading = method.name if several else metric.title
        columns += [Column(heading), Column(f"{heading}, clean" if several else "the same skills, clean")]
    rows = []
    for name in names:
        cells = [Cell(name), number_cell(len(found[0].env_names[name]))]
        for each in found:
            cells.append(cell(each.parts[name], metric.digits))
            cells.append(Cell("") if name == CLEAN else cell(each.clean[name], metric.digits))
        rows.append(cells)
    return Table(f"{metric.title} by part, with 95 % intervals", columns, rows)
