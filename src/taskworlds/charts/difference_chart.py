"""Differences between two methods: a row for each skill, with the interval of the difference and its p value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from taskworlds.charts.axes import Axis, Scale, draw_columns
from taskworlds.charts.dot_chart import Interval
from taskworlds.charts.rows import NARROW, draw_names, lay_out
from taskworlds.charts.series import colour, draw_mark
from taskworlds.charts.svg import SMALL, Caption, Drawing, number, shortened, text_width

__all__ = ["SIGNIFICANT", "Difference", "differences", "p_text", "signed_text"]

SIGNIFICANT = 0.05
"""Below this a corrected p value is marked."""


class Difference(NamedTuple):
    """A row of a chart of differences.

    Attributes:
        name: of the skill.
        figure: the second method's figure minus the first's, with the ends of its interval.
        p: corrected for the number of skills (Holm); NaN if it is not known.
    """

    name: str
    figure: Interval
    p: float


def differences(
    rows: Sequence[Difference],
    methods: tuple[str, str],
    axis: Axis,
    caption: Caption,
    *,
    width: float,
    series: tuple[int, int] = (0, 1),
) -> str:
    """Returns a chart of paired differences as SVG.

    A mark has the colour and the shape of the method that is better there. It is filled where the corrected p value is
    below 0.05, and hollow elsewhere.

    Args:
        rows: from top to bottom.
        methods: the first and the second.
        axis: of the differences.
        caption: of the drawing.
        width: of the drawing, pixels.
        series: the numbers of the two methods among those of the page, for their colours.

    Example:
        >>> row = Difference("reach-v3", (0.5, 0.25, 0.75), 0.01)
        >>> axis = Axis("difference", -1.0, 1.0)
        >>> chart = differences([row], ("random", "expert"), axis, Caption("a", "Difference", "."), width=800)
        >>> "reach-v3: +0.50 [+0.25, +0.75], p = 0.010" in chart
        True
    """
    names = [row.name for row in rows]
    texts = [
        signed_text(row.figure, axis.digits) + (f", {p_text(row.p)}" if not math.isnan(row.p) else "")
        for row in rows
    ]
    right = max((text_width(text, SMALL) for text in texts), default=0) + 10 if width >= NARROW else 0.0
    layout = lay_out(names, width, top=24, room=20, right=right)
    drawing = Drawing(width, layout.bottom + 40, caption)
    scale = Scale(axis.low, axis.high, layout.left, layout.right)
    draw_columns(drawing, axis, scale, layout.top, layout.bottom)
    draw_names(drawing, names, layout)
    zero = scale(0.0)
    drawing.line(zero, layout.top - 4, zero, layout.bottom, opacity=0.7)
    for side, anchor, end in ((0, "end", layout.left), (1, "start", layout.right)):
        better = f"{shortened(methods[side], abs(end - zero) - 65, SMALL)} better"
        drawing.text(zero + (10 if side else -10), 10, better, anchor=anchor, size=SMALL, fill_opacity=0.85)
    for row, text, middle in zip(rows, texts, layout.middles, strict=True):
        value, low, high = row.figure
        if not math.isnan(value):
            better_series = series[1] if value > 0 else series[0]
            paint = colour(better_series) if value else "currentColor"
            if not math.isnan(low):
                path = f"M{number(scale(low))} {number(middle)}H{number(scale(high))}"
                drawing.add(
                    "path", d=path, stroke=paint, stroke_width=3, stroke_opacity=0.5, stroke_linecap="round"
                )
            tooltip = f"{row.name}: {text}"
            if value:
                filled = row.p < SIGNIFICANT
                draw_mark(drawing, better_series, scale(value), middle, filled=filled, tooltip=tooltip)
            else:
                drawing.add(
                    "circle", tooltip=tooltip, cx=zero, cy=middle, r=3.5, fill="none", stroke="currentColor"
                )
        if right:
            weight = {"font_weight": "600"} if row.p < SIGNIFICANT else {"fill_opacity": 0.75}
            drawing.text(width - 4, middle, text, anchor="end", size=SMALL, **weight)
    return drawing.to_svg()


def signed_text(figure: Interval, digits: int = 2) -> str:
    """Returns a difference with its interval in brackets, all with their signs.

    Example:
        >>> signed_text((0.5, -0.25, 0.75)), signed_text((0.0, math.nan, math.nan))
        ('+0.50 [-0.25, +0.75]', '0.00')
    """
    value, low, high = (
        "-" if math.isnan(each) else f"{each + 0.0:.{digits}f}" if each == 0 else f"{each:+.{digits}f}"
        for each in figure
    )
    return value if math.isnan(figure[1]) else f"{value} [{low}, {high}]"


def p_text(p: float) -> str:
    """Returns a p value in words.

    Example:
        >>> p_text(0.0123), p_text(0.00001), p_text(math.nan)
        ('p = 0.012', 'p < 0.001', '-')
    """
    if math.isnan(p):
        return "-"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
