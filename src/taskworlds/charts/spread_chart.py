"""How values are spread: a row for each skill, with a stroke for each value, the middle half and the median."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from taskworlds.charts.axes import Axis, Scale, draw_columns, written
from taskworlds.charts.rows import draw_names, lay_out
from taskworlds.charts.series import colour, draw_legend, draw_mark, legend_height
from taskworlds.charts.svg import SMALL, Caption, Drawing, number

__all__ = ["Spread", "spreads"]

_BAND = 16.0  # height of a method's strokes, pixels


class Spread(NamedTuple):
    """A row of a chart of spreads.

    Attributes:
        name: of the skill.
        values: of each method, one number for each episode; none where it has none.
    """

    name: str
    values: Sequence[Sequence[float]]


def spreads(
    rows: Sequence[Spread], methods: Sequence[str], axis: Axis, caption: Caption, *, width: float
) -> str:
    """Returns a chart of distributions as SVG: all values, a bar over the middle half of them, a mark at the median.

    Args:
        rows: from top to bottom.
        methods: their names.
        axis: of the values.
        caption: of the drawing.
        width: of the drawing, pixels.

    Example:
        >>> rows = [Spread("reach-v3", [[40.0, 50.0, 90.0]])]
        >>> axis = Axis("steps", 0.0, 100.0, 0)
        >>> chart = spreads(rows, ["expert"], axis, Caption("a", "Steps", "By skill."), width=800)
        >>> "reach-v3: median 50, middle half 45 to 70, 3 values" in chart
        True
    """
    names = [row.name for row in rows]
    several = len(methods) > 1
    top = 8 + legend_height(methods, width) if several else 4
    layout = lay_out(names, width, top=top, room=6 + _BAND * len(methods))
    drawing = Drawing(width, layout.bottom + 40, caption)
    scale = Scale(axis.low, axis.high, layout.left, layout.right)
    draw_columns(drawing, axis, scale, layout.top, layout.bottom)
    draw_names(drawing, names, layout)
    for row, middle in zip(rows, layout.middles, strict=True):
        for series, values in enumerate(row.values):
            label = f"{row.name}, {methods[series]}" if several else row.name
            y = middle + _BAND * (series - (len(methods) - 1) / 2)
            _draw_spread(drawing, series, values, label, scale, y, axis.digits)
    if several:
        draw_legend(drawing, methods, 0, 0, width)
    return drawing.to_svg()


def _draw_spread(
    drawing: Drawing, series: int, values: Sequence[float], label: str, scale: Scale, y: float, digits: int
) -> None:
    known = np.array([value for value in values if np.isfinite(value)], dtype=np.float64)
    if not len(known):
        middle = (scale.start + scale.end) / 2
        drawing.text(middle, y, "none", anchor="middle", size=SMALL, fill_opacity=0.6)
        return
    low, median, high = (float(each) for each in np.percentile(known, [25, 50, 75]))
    strokes = "".join(f"M{number(scale(float(value)))} {number(y - 5)}v10" for value in np.sort(known))
    drawing.add("path", d=strokes, stroke=colour(series), stroke_opacity=0.35, fill="none")
    bar = f"M{number(scale(low))} {number(y)}H{number(scale(high))}"
    drawing.add("path", d=bar, stroke=colour(series), stroke_width=5, stroke_opacity=0.55)
    low_text, median_text, high_text = (written(each, digits) for each in (low, median, high))
    count = f"{len(known)} value{'s' if len(known) > 1 else ''}"
    tooltip = f"{label}: median {median_text}, middle half {low_text} to {high_text}, {count}"
    draw_mark(drawing, series, scale(median), y, tooltip=tooltip)
