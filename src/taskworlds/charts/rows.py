"""Where the rows of a chart lie: names left of the field in wide drawings, and above the marks in narrow ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from taskworlds.charts.svg import LABEL, Drawing, shortened, text_width

__all__ = ["NARROW", "Layout", "draw_names", "lay_out"]

NARROW = 560  # pixels; below, names stand above the marks, as a telephone's width has no room beside them
_NAME = 16.0  # height of a name above its marks
_BELOW = 5.0  # room below them, so that they are seen to belong to the name above


class Layout(NamedTuple):
    """Where the rows are, in pixels.

    Attributes:
        left, right: ends of the field in which marks are drawn.
        top, bottom: of all rows.
        names: height of each row's name, its middle.
        middles: height of each row's marks, their middle.
        room: height that each row has for marks.
        narrow: whether names stand above the marks.
    """

    left: float
    right: float
    top: float
    bottom: float
    names: tuple[float, ...]
    middles: tuple[float, ...]
    room: float
    narrow: bool


def lay_out(names: Sequence[str], width: float, *, top: float, room: float, right: float = 0.0) -> Layout:
    """Returns where rows are.

    Args:
        names: of the rows.
        width: of the drawing.
        top: where the first row begins.
        room: height of a row's marks.
        right: width to leave free at the right of the field.
    """
    narrow = width < NARROW
    left = 12.0 if narrow else min(0.36 * width, 14 + max((text_width(name) for name in names), default=0))
    height = room + (_NAME + _BELOW if narrow else 0.0)
    starts = [top + height * row for row in range(len(names))]
    down = _NAME - 1 + room / 2 if narrow else room / 2
    middles = tuple(start + down for start in starts)
    return Layout(
        left,
        width - 14 - right,
        top,
        top + height * len(names),
        tuple(start + 9 for start in starts) if narrow else middles,
        middles,
        room,
        narrow,
    )


def draw_names(drawing: Drawing, names: Sequence[str], layout: Layout, *, right: float = 0.0) -> None:
    """Writes the names of rows, and draws a faint line below every row of a narrow drawing.

    Args:
        drawing: is added to.
        names: of the rows.
        layout: where the rows are.
        right: width to leave free at the right of names that stand above the marks.
    """
    for name, y, middle in zip(names, layout.names, layout.middles, strict=True):
        room = layout.right - right if layout.narrow else layout.left - 10
        shown = shortened(name, room)
        tooltip = None if shown == name else name
        if layout.narrow:
            drawing.text(0, y, shown, size=LABEL, tooltip=tooltip)
        else:
            drawing.text(layout.left - 10, y, shown, anchor="end", tooltip=tooltip)
        drawing.line(layout.left, middle, layout.right, middle, opacity=0.08)
