"""The section on several runs of a method: how much training again would change, by rliable's figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from taskworlds.charts import Caption, Figure, Profile, figures, profiles
from taskworlds.charts.axes import axis_over
from taskworlds.evaluation.pooled import Pooled
from taskworlds.evaluation.statistics import RATES, Estimate
from taskworlds.reports.blocks import Block, Cell, Column, Section, Table, Text, chart
from taskworlds.reports.metrics import Metric, cell, number_cell

__all__ = ["runs_section"]

_THRESHOLDS = 51  # of the profile


def runs_section(methods: Sequence[Pooled], metric: Metric) -> Section:
    """Returns the section: mean, interquartile mean and optimality gap, the profile, and a table of the runs."""
    runs = ", ".join(f"{method.name} has {len(method.runs)}" for method in methods)
    blocks: list[Block] = [
        Text(
            f"Runs are trainings of a method with other seeds ({runs}). Intervals of methods with several runs are "
            "over runs."
        )
    ]
    names = [method.name for method in methods]
    fields = _fields(methods, metric)

    def draw_figures(caption: Caption, width: float) -> str:
        return figures(fields, names, caption, width=width)

    description = (
        "A bar from end to end of each method's 95 % interval, and a stroke at the figure. "
        "The table has the numbers."
    )
    blocks.append(chart("figures", "Figures over all runs and skills", description, draw_figures))
    blocks.append(
        Table(
            "Figures over all runs and skills, with 95 % intervals",
            [
                Column("method", is_number=False),
                Column("runs"),
                *(Column(field.axis.label) for field in fields),
            ],
            [
                [
                    Cell(method.name),
                    number_cell(len(method.runs)),
                    *(cell(field.values[place], metric.digits) for field in fields),
                ]
                for place, method in enumerate(methods)
            ],
        )
    )
    blocks += [_rliable(methods, metric), *_profile(methods, metric)]
    blocks.append(
        Table(
            f"{metric.title} of each run",
            [Column("run", is_number=False), Column(metric.title)],
            [
                [Cell(f"{method.name}, run {number}"), cell(run.overall[metric.name].mean, metric.digits)]
                for method in methods
                for number, run in enumerate(method.runs, 1)
            ],
            is_folded=True,
        )
    )
    return Section("runs", "Several runs", blocks)


def _rliable(methods: Sequence[Pooled], metric: Metric) -> Table:
    """Returns rliable's figures with its own intervals, for papers that report them."""
    names = ("mean", "median", "iqm", "optimality_gap")
    rows = []
    for method in methods:
        if len(method.runs) > 1:
            own = method.rliable(metric.name)
            rows.append([Cell(method.name), *(cell(own[name], metric.digits) for name in names)])
    headings = ("mean", "median", "interquartile mean", "optimality gap")
    return Table(
        "The same as rliable computes it, with its stratified bootstrap, which is too narrow for one policy on many "
        "skills",
        [Column("method", is_number=False), *(Column(heading) for heading in headings)],
        rows,
        is_folded=True,
    )


def _fields(methods: Sequence[Pooled], metric: Metric) -> list[Figure]:
    measured = [
        ("mean", [method.overall[metric.name].mean for method in methods]),
        ("interquartile mean", [method.overall[metric.name].iqm for method in methods]),
    ]
    if metric.name in RATES:
        gaps = [method.optimality_gap(metric.name) for method in methods]
        measured.append(("optimality gap (less is better)", gaps))
    return [
        Figure(
            metric.axis([number for value in values for number in value], label)
            if metric.name in RATES
            else axis_over(label, [number for value in values for number in value], digits=metric.digits),
            values,
        )
        for label, values in measured
    ]


def _profile(methods: Sequence[Pooled], metric: Metric) -> list[Block]:
    scores = np.concatenate([method.scores(metric.name).ravel() for method in methods])
    known = scores[np.isfinite(scores)]
    if not len(known):
        return []
    low, high = (0.0, 1.0) if metric.name in RATES else (float(known.min()), float(known.max()))
    if low == high:
        return []
    taus = np.linspace(low, high, _THRESHOLDS)
    drawn = []
    found: dict[str, tuple[Estimate, ...]] = {}
    for method in methods:
        shares = method.profile(taus, metric.name)
        found[method.name] = shares
        known = any(not math.isnan(each.low) for each in shares)
        # Where all runs agree there is no interval, and so no band.
        lower = [each.value if math.isnan(each.low) else each.low for each in shares] if known else []
        upper = [each.value if math.isnan(each.high) else each.high for each in shares] if known else []
        drawn.append(Profile(method.name, taus.tolist(), [each.value for each in shares], lower, upper))

    def draw(caption: Caption, width: float) -> str:
        return profiles(drawn, metric.title, caption, width=width)

    description = (
        "For each threshold the share of run and skill pairs whose score is above it, with a band for its 95 % "
        "interval. A curve that lies higher is better. The table has the numbers."
    )
    picked = range(0, _THRESHOLDS, 5)
    table = Table(
        "Performance profile: share of run and skill pairs above a threshold",
        [Column(metric.title), *(Column(method.name) for method in methods)],
        [
            [
                number_cell(float(taus[place]), 2),
                *(cell(shares[place], 2) for shares in found.values()),
            ]
            for place in picked
        ],
        is_folded=True,
    )
    return [chart("profile", "Performance profile", description, draw), table]
