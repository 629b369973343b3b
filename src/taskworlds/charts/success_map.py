"""A heat map of success: a row for each skill, a cell for each of its goals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from taskworlds.charts.rows import draw_names, lay_out
from taskworlds.charts.series import colour
from taskworlds.charts.svg import SMALL, Caption, Drawing, number

__all__ = ["heat_map"]

_SHADES = 10  # steps of lightness between no success and success; a cell's exact share is in its tooltip
_FAILED = -1.0  # the shade of goals that could not be played
_LARGEST = 22.0  # pixels


def heat_map(
    rows: Sequence[tuple[str, Sequence[tuple[str, float]]]], caption: Caption, *, width: float
) -> str:
    """Returns a chart of shares of success, from 0 to 1, as SVG: the more of the colour, the more success.

    Args:
        rows: skills from top to bottom, each with its goals: a goal's label and its share; NaN, drawn as a cross, for
            one that could not be played.
        caption: of the drawing.
        width: of the drawing, pixels. In wide drawings each cell tells its label and share to a pointer; narrow ones
            are for telephones, which have none.

    Example:
        >>> goals = [("goal 1", 1.0), ("goal 2", 0.0)]
        >>> chart = heat_map([("reach-v3", goals)], Caption("a", "Success", "."), width=800)
        >>> "goal 2: 0.00" in chart
        True
    """
    names = [name for name, _ in rows]
    most = max((len(goals) for _, goals in rows), default=1)
    plan = lay_out(names, width, top=26, room=0)
    size = min(_LARGEST, (plan.right - plan.left) / max(1, most))
    room = min(max(size, 10.0), 18.0) + 2
    layout = lay_out(names, width, top=26, room=room)
    drawing = Drawing(width, layout.bottom + 6, caption)
    _draw_key(drawing, layout.left)
    draw_names(drawing, names, layout)
    box = number(max(size - 2, size * 0.75)), number(room - 3)
    for (name, goals), middle in zip(rows, layout.middles, strict=True):
        top = middle - room / 2 + 1
        shades: dict[float, list[tuple[str, str]]] = {}
        for place, (label, share) in enumerate(goals):
            x = layout.left + place * size
            path = f"M{number(x)} {number(top)}h{box[0]}v{box[1]}h-{box[0]}z"
            if math.isnan(share):
                path = f"M{number(x)} {number(top)}l{box[0]} {box[1]}m0 -{box[1]}l-{box[0]} {box[1]}"
            told = "could not be played" if math.isnan(share) else f"{share:.2f}"
            shade = _FAILED if math.isnan(share) else round(share * _SHADES) / _SHADES
            shades.setdefault(shade, []).append((path, f"{label}: {told}"))
        for shade, cells in shades.items():
            with drawing.group(**_paint(shade)):
                if layout.narrow:
                    drawing.add("path", d="".join(path for path, _ in cells))
                elif all(told.endswith(": 1.00") for _, told in cells):
                    drawing.add("path", d="".join(path for path, _ in cells), tooltip=f"{name}: 1.00")
                else:
                    for path, told in cells:
                        drawing.add("path", d=path, tooltip=told)
    return drawing.to_svg()


def _paint(shade: float) -> dict[str, str | float]:
    """Returns the look of cells: an outline where nothing filled would be seen, otherwise more colour for more."""
    if shade == _FAILED:
        return {"stroke": "currentColor", "stroke_opacity": 0.7, "fill": "none"}
    if shade == 0.0:
        return {"stroke": colour(1), "stroke_width": 1.2, "fill": colour(1), "fill_opacity": 0.12}
    return {"fill": colour(0), "fill_opacity": 0.15 + 0.7 * shade}


def _draw_key(drawing: Drawing, left: float) -> None:
    for x, shade, text in ((0, 1.0, "success"), (78, 0.5, "half of the time"), (190, 0.0, "failure")):
        with drawing.group(**_paint(shade)):
            drawing.add("path", d=f"M{number(left + x)} 5h11v11h-11z")
        drawing.text(left + x + 17, 10.5, text, size=SMALL)
