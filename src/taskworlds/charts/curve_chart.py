"""Curves of figures with the bands of their intervals, as learning curves are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from taskworlds.charts.axes import Axis, Scale, axis_over, draw_columns, draw_lines, widest_text, written
from taskworlds.charts.dot_chart import Interval, interval_text
from taskworlds.charts.series import colour, draw_legend, draw_mark, legend_height
from taskworlds.charts.svg import SMALL, Caption, Drawing, polyline

__all__ = ["Curve", "curves"]


class Curve(NamedTuple):
    """A curve.

    Attributes:
        name: of the method.
        points: from left to right: where, and the figure there with its interval.
    """

    name: str
    points: Sequence[tuple[float, Interval]]


def curves(
    drawn: Sequence[Curve], x_label: str, axis: Axis, caption: Caption, *, width: float, height: float = 320
) -> str:
    """Returns a chart of curves as SVG: a mark for each point, and a band between the ends of their intervals.

    Args:
        drawn: the curves.
        x_label: what the places of the points are.
        axis: of the figures, vertical.
        caption: of the drawing.
        width: of the drawing, pixels.
        height: of the drawing without its legend, pixels.

    Example:
        >>> curve = Curve("ppo", [(0.0, (0.1, 0.0, 0.2)), (1000.0, (0.5, 0.4, 0.6))])
        >>> chart = curves([curve], "steps", Axis("success", 0.0, 1.0), Caption("a", "Success", "."), width=800)
        >>> "ppo at 1000: 0.50 [0.40, 0.60]" in chart
        True
    """
    names = [curve.name for curve in drawn]
    top = 30 + (legend_height(names, width) if len(drawn) > 1 else 0)
    left, right, bottom = 16 + widest_text(axis), width - 18, top + height - 70
    across = axis_over(x_label, [x for curve in drawn for x, _ in curve.points], from_zero=True, digits=0)
    place = Scale(across.low, across.high, left, right)
    level = Scale(axis.low, axis.high, bottom, top)
    drawing = Drawing(width, bottom + 40, caption)
    if len(drawn) > 1:
        draw_legend(drawing, names, 0, 0, width)
    drawing.text(0, top - 16, axis.label, size=SMALL)
    draw_columns(drawing, across, place, top, bottom)
    draw_lines(drawing, axis, level, left, right)
    for series, curve in enumerate(drawn):
        banded = [(place(x), figure) for x, figure in curve.points if not math.isnan(figure[1])]
        if len(banded) > 1:
            upper = [(x, level(high)) for x, (_, _, high) in banded]
            lower = [(x, level(low)) for x, (_, low, _) in reversed(banded)]
            drawing.add("path", d=polyline(upper + lower) + "Z", fill=colour(series), fill_opacity=0.16)
        known = [(x, figure) for x, figure in curve.points if not math.isnan(figure[0])]
        line = polyline([(place(x), level(figure[0])) for x, figure in known])
        if known:
            drawing.add(
                "path", d=line, stroke=colour(series), stroke_width=2, fill="none", stroke_linejoin="round"
            )
        for x, figure in known:
            tooltip = f"{curve.name} at {written(x, 0)}: {interval_text(figure, axis.digits)}"
            draw_mark(drawing, series, place(x), level(figure[0]), tooltip=tooltip)
    return drawing.to_svg()
