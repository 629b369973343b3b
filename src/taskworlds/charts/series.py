"""What tells the series of a chart apart: a colour and the shape of a mark for each, and a legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from taskworlds.charts.svg import SMALL, Drawing, polyline, shortened, text_width

__all__ = ["COLOURS", "colour", "draw_legend", "draw_mark", "legend_height"]

# The four colours of Okabe and Ito's palette whose contrast is 3 or more on white and on #121212 alike. Further series
# have them again with other marks.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_LINE = 20.0  # height of a legend's line, pixels

# Around 0, with about the same area: circle (None), square, diamond, triangle up, triangle down, plus, cross.
_SHAPES: tuple[tuple[tuple[float, float], ...] | None, ...] = (
    None,
    ((-4, -4), (4, -4), (4, 4), (-4, 4)),
    ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
    ((0, -5.2), (5, 4), (-5, 4)),
    ((0, 5.2), (5, -4), (-5, -4)),
    ((-1.7, -5), (1.7, -5), (1.7, -1.7), (5, -1.7), (5, 1.7), (1.7, 1.7))
    + ((1.7, 5), (-1.7, 5), (-1.7, 1.7), (-5, 1.7), (-5, -1.7), (-1.7, -1.7)),
    (
        (0, -2),
        (3, -5),
        (5, -3),
        (2, 0),
        (5, 3),
        (3, 5),
        (0, 2),
        (-3, 5),
        (-5, 3),
        (-2, 0),
        (-5, -3),
        (-3, -5),
    ),
)


def colour(series: int) -> str:
    """Returns the colour of a series, counted from 0: a CSS variable of the page, and a fixed colour where it has none.

    Example:
        >>> colour(0), colour(5)
        ('var(--series-1,#0072b2)', 'var(--series-2,#d55e00)')
    """
    place = series % len(COLOURS)
    return f"var(--series-{place + 1},{COLOURS[place]})"


def draw_mark(
    drawing: Drawing, series: int, x: float, y: float, *, filled: bool = True, tooltip: str | None = None
) -> None:
    """Draws the mark of a series, counted from 0, around a point; hollow if it is not filled."""
    paint = (
        {"fill": colour(series)}
        if filled
        else {"fill": "none", "stroke": colour(series), "stroke_width": 1.6}
    )
    shape = _SHAPES[series % len(_SHAPES)]
    if shape is None:
        drawing.add("circle", tooltip=tooltip, cx=x, cy=y, r=4.5, **paint)
    else:
        path = polyline([(x + dx, y + dy) for dx, dy in shape]) + "Z"
        drawing.add("path", tooltip=tooltip, d=path, **paint)


def draw_legend(drawing: Drawing, names: Sequence[str], x: float, y: float, width: float) -> None:
    """Draws the marks of series with their names, in as many lines as `width` pixels need, from the height `y` on."""
    for series, (line, start, shown) in enumerate(_laid_out(names, width)):
        middle = y + (line + 0.5) * _LINE
        draw_mark(drawing, series, x + start + 6, middle)
        drawing.text(x + start + 16, middle, shown, size=SMALL, tooltip=names[series])


def legend_height(names: Sequence[str], width: float) -> float:
    """Returns how high a legend of such names is, pixels."""
    return _LINE * (1 + max((line for line, _, _ in _laid_out(names, width)), default=-1))


def _laid_out(names: Sequence[str], width: float) -> Iterator[tuple[int, float, str]]:
    """Returns for each name its line, where it starts there, and what is shown of it."""
    line, start = 0, 0.0
    for name in names:
        shown = shortened(name, width - 24, SMALL)
        wide = 32 + text_width(shown, SMALL)
        if start and start + wide > width:
            line, start = line + 1, 0.0
        yield line, start, shown
        start += wide
