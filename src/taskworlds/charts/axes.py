"""Axes: where values lie in a drawing, and the round numbers that are written beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from taskworlds.charts.svg import SMALL, Drawing, text_width

__all__ = ["Axis", "Scale", "axis_over", "draw_columns", "draw_lines", "ticks_between", "written"]


class Axis(NamedTuple):
    """What an axis shows.

    Attributes:
        label: what the values are, with their unit.
        low, high: its ends.
        digits: after the decimal point, of the values in tooltips and beside marks.
    """

    label: str
    low: float
    high: float
    digits: int = 2


class Scale(NamedTuple):
    """Puts the values from `low` to `high` between two places of a drawing.

    Example:
        >>> Scale(0.0, 1.0, 100.0, 300.0)(0.25)
        150.0
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Returns the place of a value; outside the ends, the nearest one."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def ticks_between(low: float, high: float, at_most: int) -> list[float]:
    """Returns round numbers from `low` to `high`, multiples of 1, 2 or 5 times a power of ten.

    Example:
        >>> ticks_between(0.0, 1.0, 6), ticks_between(-3.0, 488.0, 4)
        ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 200.0, 400.0])
    """
    rough = (high - low) / max(1, at_most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    return [round(place * step, digits) + 0.0 for place in range(first, last + 1)]


def axis_over(label: str, values: Iterable[float], *, from_zero: bool = False, digits: int = 1) -> Axis:
    """Returns an axis that holds all values but NaN and infinities, with a little room at its ends.

    Args:
        label: of the axis.
        values: to hold.
        from_zero: whether it begins at 0 where no value is below.
        digits: of the axis.

    Example:
        >>> axis_over("steps", [10.0, 110.0], from_zero=True)
        Axis(label='steps', low=0.0, high=115.5, digits=1)
    """
    known = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(known), max(known)
    if from_zero and low >= 0:
        low = 0.0
    room = 0.05 * ((high - low) or abs(high) or 1.0)
    return Axis(label, low if from_zero and low == 0 else low - room, high + room, digits)


def written(value: float, digits: int = 2) -> str:
    """Returns a number as it is written beside marks; "-" for one that is unknown. From a million on it is shortened.

    Example:
        >>> written(0.5), written(1234.5, 1), written(20000.0, 0), written(2_500_000.0, 0), written(math.nan)
        ('0.50', '1234.5', '20,000', '2.5M', '-')
    """
    if math.isnan(value):
        return "-"
    if abs(value) >= 1e6:
        return f"{value / 1e6:.4g}M" if abs(value) < 1e9 else f"{value:.3g}"
    return f"{value:,.{digits}f}" if abs(value) >= 1e4 else f"{value:.{digits}f}"


def draw_columns(drawing: Drawing, axis: Axis, scale: Scale, top: float, bottom: float) -> None:
    """Draws a horizontal axis below a field: a thin line through it at each round number, numbers and the label."""
    room = abs(scale.end - scale.start)
    ticks = ticks_between(axis.low, axis.high, max(2, min(6, int(room / 55))))
    for tick, text in zip(ticks, _texts(ticks), strict=True):
        drawing.line(scale(tick), top, scale(tick), bottom)
        drawing.text(scale(tick), bottom + 11, text, anchor="middle", size=SMALL, fill_opacity=0.75)
    drawing.text((scale.start + scale.end) / 2, bottom + 29, axis.label, anchor="middle", size=SMALL)


def draw_lines(drawing: Drawing, axis: Axis, scale: Scale, left: float, right: float) -> None:
    """Draws a vertical axis left of a field: a thin line through it at each round number, and the numbers."""
    ticks = ticks_between(axis.low, axis.high, 6)
    for tick, text in zip(ticks, _texts(ticks), strict=True):
        drawing.line(left, scale(tick), right, scale(tick))
        drawing.text(left - 6, scale(tick), text, anchor="end", size=SMALL, fill_opacity=0.75)


def widest_text(axis: Axis) -> float:
    """Returns how wide the numbers beside a vertical axis are, pixels."""
    return max(text_width(text, SMALL) for text in _texts(ticks_between(axis.low, axis.high, 6)))


def _texts(ticks: list[float]) -> list[str]:
    """Returns ticks with as many digits as all of them need."""
    digits = next(
        each for each in range(12) if all(math.isclose(round(t, each), t, abs_tol=1e-12) for t in ticks)
    )
    return [written(tick, digits) for tick in ticks]
