"""Figures over all skills, side by side: a field for each figure, with a bar for each method's interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from taskworlds.charts.axes import Axis, Scale, draw_columns, written
from taskworlds.charts.dot_chart import Interval, interval_text
from taskworlds.charts.rows import NARROW, draw_names, lay_out
from taskworlds.charts.series import colour
from taskworlds.charts.svg import SMALL, Caption, Drawing, number

__all__ = ["Figure", "figures"]

_GAP = 28.0  # between two fields, pixels
_FIGURE = 60.0  # room for a number at the end of a name's line, pixels


class Figure(NamedTuple):
    """A field of the chart.

    Attributes:
        axis: of the figure; its label names it.
        values: one of each method, with the ends of its interval.
    """

    axis: Axis
    values: Sequence[Interval]


def figures(fields: Sequence[Figure], methods: Sequence[str], caption: Caption, *, width: float) -> str:
    """Returns a chart of intervals as SVG: fields side by side in wide drawings, below each other in narrow ones.

    Args:
        fields: the figures.
        methods: their names.
        caption: of the drawing.
        width: of the drawing, pixels.

    Example:
        >>> field = Figure(Axis("mean", 0.0, 1.0), [(0.5, 0.25, 0.75)])
        >>> "expert: mean 0.50 [0.25, 0.75]" in figures([field], ["expert"], Caption("a", "Figures", "."), width=800)
        True
    """
    side_by_side = width >= NARROW
    layout = lay_out(methods, width, top=6, room=30)
    height = layout.bottom + 44
    drawing = Drawing(width, height if side_by_side else height * len(fields), caption)
    step = (layout.right - layout.left + _GAP) / len(fields) if side_by_side else 0.0
    for place, field in enumerate(fields):
        down = 0.0 if side_by_side else height * place
        start = layout.left + place * step
        end = start + step - _GAP if side_by_side else layout.right
        scale = Scale(field.axis.low, field.axis.high, start, end)
        moved = layout._replace(
            names=tuple(y + down for y in layout.names), middles=tuple(y + down for y in layout.middles)
        )
        if side_by_side and not place:
            draw_names(drawing, methods, moved)
        elif not side_by_side:
            draw_names(drawing, methods, moved, right=_FIGURE)
        draw_columns(drawing, field.axis, scale, layout.top + down, layout.bottom + down)
        for series, (method, figure, middle) in enumerate(
            zip(methods, field.values, moved.middles, strict=True)
        ):
            label = f"{method}: {field.axis.label}"
            beside = None if side_by_side else (width, moved.names[series])
            _draw_bar(drawing, series, label, figure, scale, middle, field.axis.digits, beside)
    return drawing.to_svg()


def _draw_bar(
    drawing: Drawing,
    series: int,
    label: str,
    figure: Interval,
    scale: Scale,
    y: float,
    digits: int,
    beside: tuple[float, float] | None,
) -> None:
    """Draws a method's figure, with its number above it, or where `beside` says: at the end of the name's line."""
    value, low, high = figure
    if math.isnan(value):
        drawing.text(
            (scale.start + scale.end) / 2, y, "not known", anchor="middle", size=SMALL, fill_opacity=0.6
        )
        return
    tooltip = f"{label} {interval_text(figure, digits)}"
    if not math.isnan(low):
        start = scale(low)
        drawing.add(
            "rect", tooltip=tooltip, x=start, y=y - 6, width=max(1.0, scale(high) - start), height=12, rx=2,
            fill=colour(series), fill_opacity=0.4,
        )  # fmt: skip
    path = f"M{number(scale(value))} {number(y - 8)}v16"
    drawing.add("path", tooltip=tooltip, d=path, stroke=colour(series), stroke_width=3)
    at, anchor = ((scale(value), y - 15), "middle") if beside is None else (beside, "end")
    drawing.text(*at, written(value, digits), anchor=anchor, size=SMALL, fill_opacity=0.85)
