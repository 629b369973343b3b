"""Performance profiles: which share of the scores lies above each threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from taskworlds.charts.axes import Axis, Scale, draw_columns, draw_lines, widest_text
from taskworlds.charts.series import colour, draw_legend, legend_height
from taskworlds.charts.svg import SMALL, Caption, Drawing, polyline

__all__ = ["Profile", "profiles"]

_DASHES = ("", "7 3", "2 3", "9 3 2 3")  # tell the lines of methods apart without colours


class Profile(NamedTuple):
    """The profile of a method.

    Attributes:
        name: of the method.
        taus: thresholds, ascending.
        values: share of the scores above each of them.
        low, high: ends of their intervals; empty for none.
    """

    name: str
    taus: Sequence[float]
    values: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def profiles(
    drawn: Sequence[Profile], x_label: str, caption: Caption, *, width: float, height: float = 320
) -> str:
    """Returns a chart of profiles as SVG: steps, since a share changes where a score lies, each with its band.

    Args:
        drawn: the profiles.
        x_label: what the thresholds are of.
        caption: of the drawing.
        width: of the drawing, pixels.
        height: of the drawing without its legend, pixels.

    Example:
        >>> profile = Profile("expert", [0.0, 0.5, 1.0], [1.0, 0.5, 0.0], [0.9, 0.4, 0.0], [1.0, 0.6, 0.0])
        >>> chart = profiles([profile], "success", Caption("a", "Profile", "."), width=800)
        >>> "expert" in chart, chart.count("<path") > 4
        (True, True)
    """
    names = [profile.name for profile in drawn]
    axis = Axis("share of run and skill pairs above it", 0.0, 1.0)
    taus = [tau for profile in drawn for tau in profile.taus]
    across = Axis(x_label, min(taus), max(taus))
    top = 30 + (legend_height(names, width) if len(drawn) > 1 else 0)
    left, right, bottom = 16 + widest_text(axis), width - 18, top + height - 70
    place, level = Scale(across.low, across.high, left, right), Scale(0.0, 1.0, bottom, top)
    drawing = Drawing(width, bottom + 40, caption)
    if len(drawn) > 1:
        draw_legend(drawing, names, 0, 0, width)
    drawing.text(0, top - 16, axis.label, size=SMALL)
    draw_columns(drawing, across, place, top, bottom)
    draw_lines(drawing, axis, level, left, right)
    for series, each in enumerate(drawn):
        if len(each.low):
            upper, lower = _steps(each.taus, each.high), _steps(each.taus, each.low)
            band = [(place(tau), level(share)) for tau, share in upper + lower[::-1]]
            drawing.add("path", d=polyline(band) + "Z", fill=colour(series), fill_opacity=0.16)
        line = polyline([(place(tau), level(share)) for tau, share in _steps(each.taus, each.values)])
        dashes = {"stroke_dasharray": _DASHES[series % len(_DASHES)]} if series % len(_DASHES) else {}
        drawing.add(
            "path", tooltip=each.name, d=line, stroke=colour(series), stroke_width=2, fill="none", **dashes
        )
    return drawing.to_svg()


def _steps(taus: Sequence[float], shares: Sequence[float]) -> list[tuple[float, float]]:
    """Returns the corners of the steps through points: a share holds from its threshold to the next."""
    corners: list[tuple[float, float]] = []
    for tau, share in zip(taus, shares, strict=True):
        if corners:
            corners.append((tau, corners[-1][1]))
        corners.append((tau, share))
    return corners
