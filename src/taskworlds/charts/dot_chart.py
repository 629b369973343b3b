"""Dots with their intervals: a row for each skill, and a column or a mark for each method."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from taskworlds.charts.axes import Axis, Scale, draw_columns, written
from taskworlds.charts.rows import NARROW, draw_names, lay_out
from taskworlds.charts.series import colour, draw_legend, draw_mark, legend_height
from taskworlds.charts.svg import SMALL, Caption, Drawing, number, shortened, text_width

__all__ = ["Dots", "Interval", "dots", "interval_text"]

Interval = tuple[float, float, float]
"""A figure, and the lower and the upper end of its interval; NaN where there is none."""

_COLUMN = 130  # pixels that a method's column needs
_GAP = 36.0  # between two columns


class Dots(NamedTuple):
    """A row of a chart of dots.

    Attributes:
        name: of the skill.
        figures: one of each method: its figure and the ends of its interval.
    """

    name: str
    figures: Sequence[Interval]


def dots(rows: Sequence[Dots], methods: Sequence[str], axis: Axis, caption: Caption, *, width: float) -> str:
    """Returns a chart of figures with intervals as SVG.

    Wide drawings have a column for each method where there is room; otherwise the methods' marks stand below each other
    in each row. With one method, wide drawings have the numbers at the right.

    Args:
        rows: from top to bottom.
        methods: their names.
        axis: of the figures.
        caption: of the drawing.
        width: of the drawing, pixels.

    Example:
        >>> row = Dots("reach-v3", [(0.5, 0.25, 0.75)])
        >>> chart = dots([row], ["expert"], Axis("success", 0.0, 1.0), Caption("a", "Success", "By skill."), width=800)
        >>> "reach-v3: 0.50 [0.25, 0.75]" in chart
        True
    """
    names = [row.name for row in rows]
    alone = len(methods) == 1
    texts = [interval_text(row.figures[0], axis.digits) for row in rows] if alone and width >= NARROW else []
    right = max((text_width(text, SMALL) for text in texts), default=-10) + 10
    layout = lay_out(names, width, top=4, room=20, right=right)
    apart = not (alone or layout.narrow) and (layout.right - layout.left) / len(methods) >= _COLUMN
    if apart:
        layout = lay_out(names, width, top=24, room=20)
    elif not alone:
        layout = lay_out(names, width, top=8 + legend_height(methods, width), room=8 + 13 * len(methods))
    drawing = Drawing(width, layout.bottom + 40, caption)
    draw_names(drawing, names, layout)
    groups = [[series] for series in range(len(methods))] if apart else [list(range(len(methods)))]
    step = (layout.right - layout.left + _GAP) / len(groups)
    for place, group in enumerate(groups):
        start = layout.left + place * step
        scale = Scale(axis.low, axis.high, start, start + step - _GAP)
        draw_columns(drawing, axis, scale, layout.top, layout.bottom)
        if apart:
            draw_mark(drawing, group[0], start + 5, 11)
            shown = shortened(methods[group[0]], step - _GAP - 20)
            drawing.text(start + 15, 11, shown, tooltip=methods[group[0]], font_weight="600")
        for row, middle in zip(rows, layout.middles, strict=True):
            for nth, series in enumerate(group):
                y = middle + 13 * (nth - (len(group) - 1) / 2)
                label = row.name if alone else f"{row.name}, {methods[series]}"
                _draw_dot(drawing, series, row.figures[series], label, scale, y, axis.digits)
    if not (apart or alone):
        draw_legend(drawing, methods, 0, 0, width)
    for text, middle in zip(texts, layout.middles, strict=False):
        drawing.text(width - 4, middle, text, anchor="end", size=SMALL, fill_opacity=0.85)
    return drawing.to_svg()


def interval_text(figure: Interval, digits: int = 2) -> str:
    """Returns a figure with its interval in brackets.

    Example:
        >>> interval_text((0.5, 0.25, 0.75)), interval_text((0.5, math.nan, math.nan))
        ('0.50 [0.25, 0.75]', '0.50')
    """
    value, low, high = (written(each, digits) for each in figure)
    return value if math.isnan(figure[1]) else f"{value} [{low}, {high}]"


def _draw_dot(
    drawing: Drawing, series: int, figure: Interval, label: str, scale: Scale, y: float, digits: int
) -> None:
    value, low, high = figure
    if math.isnan(value):
        drawing.text(
            (scale.start + scale.end) / 2, y, "not known", anchor="middle", size=SMALL, fill_opacity=0.6
        )
        return
    if not math.isnan(low):
        path = f"M{number(scale(low))} {number(y)}H{number(scale(high))}"
        drawing.add(
            "path", d=path, stroke=colour(series), stroke_width=3, stroke_opacity=0.55, stroke_linecap="round"
        )
    draw_mark(drawing, series, scale(value), y, tooltip=f"{label}: {interval_text(figure, digits)}")
