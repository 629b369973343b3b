"""Learning curves: results of the same policy at other checkpoints are points of one curve."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import NamedTuple

from taskworlds.charts import Caption, Curve, curves
from taskworlds.evaluation.loading import Origin
from taskworlds.evaluation.pooled import Pooled, pool
from taskworlds.reports.blocks import Cell, Column, Section, Table, chart
from taskworlds.reports.metrics import Metric, cell, number_cell

__all__ = ["Learning", "learning_curves", "learning_section", "place_of"]


class Learning(NamedTuple):
    """A policy at several checkpoints.

    Attributes:
        name: the policy with its arguments.
        points: the number of each checkpoint, ascending, with the runs there.
    """

    name: str
    points: tuple[tuple[int, Pooled], ...]


def place_of(method: Pooled) -> int | None:
    """Returns where a method is on a learning curve: the last whole number in the name of its checkpoint.

    Where the checkpoint's name has none, or the runs' numbers differ, it is the last whole number in the method's
    name, which is that of its folder; None where there is none either.
    """
    numbers = set()
    for run in method.runs:
        checkpoint = None if run.provenance is None else run.provenance.checkpoint
        numbers.add(
            None if checkpoint is None else _last_number(PurePath(checkpoint.replace("\\", "/")).name)
        )
    if len(numbers) == 1 and None not in numbers:
        return numbers.pop()
    return _last_number(method.name)


def learning_curves(
    methods: Sequence[Pooled], *, allow_different: bool | Iterable[str] = False
) -> tuple[list[Learning], list[Pooled]]:
    """Finds the curves among methods.

    Methods belong to a curve if all their runs are of the same policy with the same arguments, their checkpoints
    differ, and they lie at two places at least. Methods at the same place are pooled. An argument in which the runs of
    one method differ, as its training seed does, makes no difference.

    Args:
        methods: all of them.
        allow_different: as in `taskworlds.evaluation.pool`.

    Returns:
        The curves; and the methods to compare: the last point of each curve in the place of its first method, and
        those that belong to no curve.
    """
    groups: dict[str, list[tuple[int, Pooled]]] = {}
    for method in methods:
        policy, place = _policy(method), place_of(method)
        if policy is not None and place is not None:
            groups.setdefault(policy, []).append((place, method))
    found: dict[str, Learning] = {}
    for policy, members in groups.items():
        checkpoints = {_checkpoints(method) for _, method in members}
        places = sorted({place for place, _ in members})
        if len(places) < 2 or len(checkpoints) < 2:
            continue
        points = []
        for place in places:
            here = [method for other, method in members if other == place]
            runs = [run for method in here for run in method.runs]
            merged = (
                here[0]
                if len(here) == 1
                else pool(runs, f"{policy} at {place}", allow_different=allow_different)
            )
            points.append((place, merged))
        found[policy] = Learning(policy, tuple(points))
    shown: dict[str, Pooled] = {}
    inside = {id(method): policy for policy in found for _, method in groups[policy]}
    for method in methods:
        policy = inside.get(id(method))
        last = method if policy is None else found[policy].points[-1][1]
        shown.setdefault(last.name, last)
    return list(found.values()), list(shown.values())


def learning_section(learnings: Sequence[Learning], metric: Metric, x_label: str) -> Section:
    """Returns the section: the curves, and a table of their points.

    Args:
        learnings: the curves.
        metric: that they show.
        x_label: what the numbers of the checkpoints are.
    """
    drawn = [
        Curve(
            each.name,
            [(float(place), method.overall[metric.name].mean) for place, method in each.points],
        )
        for each in learnings
    ]
    values = [number for curve in drawn for _, figure in curve.points for number in figure]

    def draw(caption: Caption, width: float) -> str:
        return curves(drawn, x_label, metric.axis(values), caption, width=width)

    description = (
        f"A point for each checkpoint at the number in its name, {metric.title.lower()} as the mean over skills with "
        "a band for its 95 % interval. The table below has the numbers."
    )
    several = len(learnings) > 1
    rows = [
        [
            *([Cell(each.name)] if several else []),
            number_cell(place),
            Cell(method.name),
            number_cell(len(method.runs)),
            cell(method.overall[metric.name].mean, metric.digits),
        ]
        for each in learnings
        for place, method in each.points
    ]
    columns = [
        *([Column("policy", is_number=False)] if several else []),
        Column(x_label),
        Column("result", is_number=False),
        Column("runs"),
        Column(metric.title),
    ]
    title = f"{metric.title} by {x_label}"
    return Section(
        "learning",
        "Learning curves",
        [chart("learning", title, description, draw), Table(title, columns, rows)],
    )


def _policy(method: Pooled) -> str | None:
    """Returns the policy with the arguments that all runs have, without its checkpoint; None for several policies.

    Arguments in which runs of a method differ are those of its runs, such as their training seeds.
    """
    told = [run.provenance for run in method.runs]
    names = {None if each is None else each.policy for each in told}
    if len(names) != 1 or (name := names.pop()) is None:
        return None
    first, *others = [dict(each.policy_arguments) for each in told if each is not None]
    shared = {
        key: value
        for key, value in first.items()
        if all(key in each and each[key] == value for each in others)
    }
    return Origin(name, shared).in_words()


def _checkpoints(method: Pooled) -> tuple[tuple[str | None, str | None] | None, ...]:
    return tuple(
        None if run.provenance is None else (run.provenance.checkpoint, run.provenance.checkpoint_sha256)
        for run in method.runs
    )


def _last_number(text: str) -> int | None:
    """Returns the last whole number in a text.

    Example:
        >>> _last_number("ppo_2_step_1000000.zip"), _last_number("final.pt")
        (1000000, None)
    """
    found = re.findall(r"\d+", text)
    return int(found[-1]) if found else None
