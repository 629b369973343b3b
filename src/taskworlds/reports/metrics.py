"""How metrics are named and written on the page, and which one it is about."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from taskworlds.charts.axes import Axis, axis_over, written
from taskworlds.charts.dot_chart import Interval, interval_text
from taskworlds.evaluation.pooled import Pooled
from taskworlds.evaluation.statistics import METRICS, RATES
from taskworlds.reports.blocks import Cell

__all__ = ["Metric", "cell", "leading_metric", "metric_named", "shown_metrics"]


class Metric(NamedTuple):
    """A metric as the page shows it.

    Attributes:
        name: one of `METRICS`.
        title: in words, as a heading.
        digits: after the decimal point.
    """

    name: str
    title: str
    digits: int

    @property
    def headline_digits(self) -> int:
        """Digits after the decimal point of the figure over all skills."""
        return 3 if self.name in RATES else 1

    def axis(self, values: Iterable[float], label: str | None = None) -> Axis:
        """Returns the axis for values of it: from 0 to 1 for rates."""
        if self.name in RATES:
            return Axis(label or self.title, 0.0, 1.0, self.digits)
        return axis_over(label or self.title, values, from_zero=True, digits=self.digits)


_TITLES = {
    "success_end": Metric("success_end", "Success at the end", 2),
    "success_once": Metric("success_once", "Success at any step", 2),
    "episode_return": Metric("episode_return", "Return", 1),
    "length": Metric("length", "Steps", 1),
}


def metric_named(name: str) -> Metric:
    """Returns the metric of a name in `METRICS`."""
    return _TITLES[name]


def leading_metric(methods: Sequence[Pooled]) -> Metric:
    """Returns what the page is about: success at the end, or the return where no success is known."""
    known = any(not math.isnan(method.overall["success_end"].mean.value) for method in methods)
    return _TITLES["success_end" if known else "episode_return"]


def shown_metrics(methods: Sequence[Pooled]) -> list[Metric]:
    """Returns the metrics that are known, also if of some skills only, the leading one first.

    Success at any step is left out where it equals that at the end.
    """
    leading = leading_metric(methods)
    others = [_TITLES[name] for name in METRICS if name != leading.name]
    return [leading] + [metric for metric in others if _is_told(metric.name, methods)]


def _is_told(name: str, methods: Sequence[Pooled]) -> bool:
    if name not in RATES:
        return True
    skills = [skill for method in methods for skill in method.skills]
    figures = [(getattr(skill, name).value, skill.success_end.value) for skill in skills]
    return any(not math.isnan(value) and (name == "success_end" or value != end) for value, end in figures)


def cell(figure: Interval, digits: int, *, strong: bool = False) -> Cell:
    """Returns a cell with a figure and its interval, sorted by the figure."""
    return Cell(interval_text(figure, digits), _order(figure[0]), strong)


def number_cell(value: float, digits: int = 0, *, strong: bool = False) -> Cell:
    """Returns a cell with a number."""
    return Cell(written(value, digits), _order(value), strong)


def _order(value: float) -> float:
    return -math.inf if math.isnan(value) else value
