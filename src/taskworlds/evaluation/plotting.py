"""Results as matplotlib figures: dots with intervals, for papers and notebooks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from taskworlds.charts.series import COLOURS
from taskworlds.core.errors import check_choice
from taskworlds.evaluation.statistics import METRICS, RATES
from taskworlds.evaluation.summaries import SkillSummary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_of_skills"]

_MARKERS = "osD^v"
_LABELS = dict(zip(METRICS, ("success (end)", "success once", "return", "length"), strict=True))


def figure_of_skills(
    methods: Sequence[tuple[str, Sequence[SkillSummary]]], metric: str | None, *, title: str | None = None
) -> Figure:
    """Returns a figure with a row for each skill, and in it a dot with its interval for each method.

    It belongs to no window and no global state: it shows itself as the last line of a notebook's cell, and
    `figure.savefig(path)` writes it.

    Args:
        methods: their names, each with the figures of its skills.
        metric: one of `METRICS`; None for success (end), or for the return where no success is known.
        title: above; None for none.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: `metric` is something else.
    """
    if metric is None:
        known = any(not math.isnan(skill.success_end.value) for _, skills in methods for skill in skills)
        metric = "success_end" if known else "episode_return"
    check_choice("metric", metric, METRICS)
    try:
        from matplotlib.figure import Figure  # an optional library, which only this needs
    except ImportError:
        raise ImportError(
            'plot needs matplotlib, which is not installed: pip install "taskworlds[report]".'
        ) from None
    names = list(dict.fromkeys(skill.env_name for _, skills in methods for skill in skills))
    height = 1.2 + len(names) * (0.24 + 0.09 * (len(methods) - 1))
    figure = Figure(figsize=(7.0, height), layout="constrained")
    axes = figure.add_subplot()
    step = 0.8 / len(methods)
    for place, (name, skills) in enumerate(methods):
        colour, marker = COLOURS[place % len(COLOURS)], _MARKERS[place % len(_MARKERS)]
        rows = [names.index(skill.env_name) + step * (place - (len(methods) - 1) / 2) for skill in skills]
        figures = [getattr(skill, metric) for skill in skills]
        for row, (_, low, high) in zip(rows, figures, strict=True):
            axes.plot([low, high], [row, row], color=colour, alpha=0.5, linewidth=2.5, solid_capstyle="round")
        values = [each.value for each in figures]
        axes.plot(values, rows, marker, color=colour, label=name, markersize=5, linestyle="none")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(f"{_LABELS[metric]}, with 95 % intervals")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if metric in RATES:
        axes.set_xlim(-0.02, 1.02)
    if title is not None:
        axes.set_title(title, loc="left", fontsize=10)
    if len(methods) > 1:
        figure.legend(loc="outside upper right", ncols=min(4, len(methods)), frameon=False)
    return figure
