"""The section on skills: how well each method does on each of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from taskworlds.charts import Caption, Dots, dots
from taskworlds.charts.difference_chart import p_text
from taskworlds.charts.dot_chart import Interval
from taskworlds.evaluation.comparison import Comparison
from taskworlds.evaluation.groups import several_worlds
from taskworlds.evaluation.pooled import Pooled
from taskworlds.evaluation.scores import as_text
from taskworlds.reports.blocks import Block, Cell, Column, Section, Table, chart
from taskworlds.reports.differences import part_differences
from taskworlds.reports.metrics import Metric, cell, number_cell, shown_metrics

__all__ = ["skills_in_order", "skills_section"]


def skills_in_order(methods: Sequence[Pooled], metric: Metric) -> list[str]:
    """Returns the skills, those with the highest figure of the first method first; equal ones in the tasks' order."""
    names = list(dict.fromkeys(skill.env_name for method in methods for skill in method.skills))
    figures = figures_of(methods[0], metric)

    def rank(name: str) -> float:
        value = figures.get(name, (math.nan,))[0]
        return math.inf if math.isnan(value) else -value

    return sorted(names, key=rank)


def figures_of(method: Pooled, metric: Metric) -> dict[str, Interval]:
    """Returns a method's figures of a metric by skill, with their intervals."""
    return {skill.env_name: getattr(skill, metric.name) for skill in method.skills}


def skills_section(methods: Sequence[Pooled], comparison: Comparison | None, metric: Metric) -> Section:
    """Returns the section: a chart of the leading metric, and tables of all metrics.

    Args:
        methods: what is shown.
        comparison: of the methods; None where there is one.
        metric: the leading one.
    """
    names = skills_in_order(methods, metric)
    figures = [figures_of(method, metric) for method in methods]
    unknown = (math.nan, math.nan, math.nan)
    rows = [Dots(name, [each.get(name, unknown) for each in figures]) for name in names]
    values = [number for row in rows for figure in row.figures for number in figure]
    title = f"{metric.title}, by skill"
    description = (
        f"A dot for each of {len(names)} skills{' and each method' if len(methods) > 1 else ''}, with its 95 % "
        f"interval, sorted by the figure of {methods[0].name}. The table below has the numbers."
    )

    def draw(caption: Caption, width: float) -> str:
        return dots(rows, [method.name for method in methods], metric.axis(values), caption, width=width)

    blocks: list[Block] = [chart("skills", title, description, draw)]
    if len(methods) == 1:
        blocks.append(_table_of_one(methods[0], names, metric))
    else:
        blocks += [
            _table_of_many(methods, names, each, is_folded=each is not metric)
            for each in shown_metrics(methods)
        ]
    if all(method.groups for method in methods):
        blocks.append(_table_of_groups(methods, metric))
    worlds = _shared_worlds(methods)
    if worlds:
        blocks += _by_world(methods, worlds, comparison, metric)
    blocks += [
        _table_of_score(methods, comparison, name)
        for name in methods[0].list_scores
        if all(name in method.list_scores for method in methods)
    ]
    return Section("skills", "Skills", blocks)


def _table_of_score(methods: Sequence[Pooled], comparison: Comparison | None, name: str) -> Table:
    rows = [
        [Cell(method.name), Cell(as_text(name, score), score.value), number_cell(len(method.skills))]
        for method in methods
        for score in (method.list_scores[name],)
    ]
    footer = []
    if comparison is not None:
        for pair, (score, p) in zip(comparison.pairs, comparison.scores[name], strict=True):
            text = f"{as_text(name, score, signed=True)}, {p_text(p)}"
            footer.append([Cell(f"{pair.b} minus {pair.a}"), Cell(text, score.value), Cell("")])
    return Table(
        f"Score of the list as the authors of {name} compute it, with 95 % intervals",
        [Column("method", is_number=False), Column("score"), Column("skills")],
        rows,
        footer,
    )


def _shared_worlds(methods: Sequence[Pooled]) -> dict[str, tuple[str, ...]]:
    """Returns the worlds of several skills, beside other worlds, with their skills; {} unless all methods have them."""
    found = [
        several_worlds(list(dict.fromkeys(task.env_name for task in method.tasks)), at_least=2)
        for method in methods
    ]
    return found[0] if all(each == found[0] for each in found) else {}


def _by_world(
    methods: Sequence[Pooled],
    worlds: Mapping[str, Sequence[str]],
    comparison: Comparison | None,
    metric: Metric,
) -> list[Block]:
    """Returns the tables of the means over the skills of worlds, and of their differences."""
    metrics = shown_metrics(methods)
    count = Column("skills")
    name = Column("world", is_number=False)
    if len(methods) == 1:
        found = methods[0].worlds
        rows = [
            [
                Cell(world),
                *(cell(found[each.name][world], each.digits) for each in metrics),
                number_cell(len(names)),
            ]
            for world, names in worlds.items()
        ]
        columns = [name, *(Column(each.title) for each in metrics), count]
        return [Table("Means over the skills of a world, with 95 % intervals", columns, rows)]
    blocks: list[Block] = []
    for each in metrics:
        rows = [
            [
                Cell(world),
                *(cell(method.worlds[each.name][world], each.digits) for method in methods),
                number_cell(len(names)),
            ]
            for world, names in worlds.items()
        ]
        columns = [name, *(Column(method.name) for method in methods), count]
        title = f"{each.title}, means over the skills of a world, with 95 % intervals"
        blocks.append(Table(title, columns, rows, is_folded=each is not metric))
        if comparison is not None:
            blocks.append(part_differences(comparison, comparison.by_world(each.name), each, "world"))
    return blocks


def _table_of_groups(methods: Sequence[Pooled], metric: Metric) -> Table:
    found = [method.groups[metric.name] for method in methods]
    rows = [
        [
            Cell(group),
            *(cell(each.groups[group], metric.digits) for each in found),
            number_cell(len(found[0].env_names[group])),
        ]
        for group in found[0].groups
    ]
    total = [
        Cell("mean of the groups' means", strong=True),
        *(cell(each.mean, metric.digits, strong=True) for each in found),
        number_cell(sum(len(names) for names in found[0].env_names.values()), strong=True),
    ]
    return Table(
        f"{metric.title} by group of skills, as published tables average it, with 95 % intervals",
        [
            Column("group", is_number=False),
            *(Column(metric.title if len(methods) == 1 else method.name) for method in methods),
            Column("skills"),
        ],
        rows,
        [total],
    )


def _table_of_one(method: Pooled, names: Sequence[str], metric: Metric) -> Table:
    metrics = shown_metrics([method])
    by_name = {skill.env_name: skill for skill in method.skills}
    rows = []
    for name in names:
        skill = by_name[name]
        ran = skill.num_tasks - skill.num_failed
        goals = f"{ran} of {skill.num_tasks}" if skill.num_failed else str(ran)
        figures = [cell(getattr(skill, each.name), each.digits) for each in metrics]
        rows.append([Cell(name), *figures, Cell(goals, ran), number_cell(skill.num_episodes)])
    total = [
        Cell("mean", strong=True),
        *(cell(method.overall[each.name].mean, each.digits, strong=True) for each in metrics),
        number_cell(len(method.tasks), strong=True),
        number_cell(sum(skill.num_episodes for skill in method.skills), strong=True),
    ]
    return Table(
        f"{metric.title} and other figures, with 95 % intervals",
        [
            Column("skill", is_number=False),
            *(Column(each.title) for each in metrics),
            Column("goals"),
            Column("episodes"),
        ],
        rows,
        [total],
    )


def _table_of_many(
    methods: Sequence[Pooled], names: Sequence[str], metric: Metric, *, is_folded: bool
) -> Table:
    figures = [figures_of(method, metric) for method in methods]
    unknown = (math.nan, math.nan, math.nan)
    rows = [
        [Cell(name), *(cell(each.get(name, unknown), metric.digits) for each in figures)] for name in names
    ]
    total = [
        Cell("mean", strong=True),
        *(cell(method.overall[metric.name].mean, metric.digits, strong=True) for method in methods),
    ]
    return Table(
        f"{metric.title}, with 95 % intervals",
        [Column("skill", is_number=False), *(Column(method.name) for method in methods)],
        rows,
        [total],
        is_folded=is_folded,
    )
