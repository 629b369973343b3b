"""An SVG drawing that is read aloud: elements one after the other, with a title and a description."""

from __future__ import annotations

import contextlib
import html
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["LABEL", "SMALL", "Caption", "Drawing", "number", "polyline", "shortened", "text_width"]

LABEL = 12
SMALL = 11  # font sizes, pixels

_ADVANCE = 0.56  # mean width of a letter of the usual sans-serif fonts, in font sizes


class Caption(NamedTuple):
    """What stands for a chart where it is not seen.

    Attributes:
        name: of letters, digits and hyphens, different for each chart of a page: ids are made of it.
        title: what the chart shows, in a few words.
        description: what is to be seen in it, in a sentence or two.
    """

    name: str
    title: str
    description: str


def number(value: float) -> str:
    """Returns a coordinate with at most two decimals.

    Example:
        >>> number(3.0), number(2.345), number(-0.001)
        ('3', '2.35', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text_width(text: str, size: float = LABEL) -> float:
    """Returns about how wide a text is, in pixels; no font is at hand to measure it with."""
    return len(text) * size * _ADVANCE


class Drawing:
    """An SVG of a size in pixels.

    Args:
        width, height: of the view, pixels.
        caption: its name, title and description.
    """

    def __init__(self, width: float, height: float, caption: Caption) -> None:
        name = html.escape(caption.name)
        size = f'width="{number(width)}" height="{number(height)}"'
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" {size} '
            f'viewBox="0 0 {number(width)} {number(height)}" aria-labelledby="{name}-title {name}-desc" '
            f'font-family="system-ui, sans-serif" font-size="{LABEL}" style="max-width:100%;height:auto">',
            f'<title id="{name}-title">{html.escape(caption.title)}</title>',
            f'<desc id="{name}-desc">{html.escape(caption.description)}</desc>',
        ]

    def add(self, tag: str, *, tooltip: str | None = None, **attributes: str | float) -> None:
        """Adds an element without text.

        Args:
            tag: the element's name.
            tooltip: shown while a pointer rests on it.
            attributes: by name, with underscores in place of hyphens.
        """
        inside = "" if tooltip is None else f"<title>{html.escape(tooltip)}</title>"
        opened = f"<{tag}{_written(attributes)}"
        self._parts.append(f"{opened}>{inside}</{tag}>" if inside else f"{opened}/>")

    @contextlib.contextmanager
    def group(self, **attributes: str | float) -> Iterator[None]:
        """Puts the elements that are added in the `with` block into a group, which has what they share."""
        self._parts.append(f"<g{_written(attributes)}>")
        yield
        self._parts.append("</g>")

    def line(self, x1: float, y1: float, x2: float, y2: float, *, opacity: float = 0.15) -> None:
        """Adds a thin straight line in the colour of the text: one of a grid or an axis."""
        path = f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"
        self.add("path", d=path, stroke="currentColor", stroke_opacity=opacity, fill="none")

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "start",
        size: float = LABEL,
        tooltip: str | None = None,
        **attributes: str | float,
    ) -> None:
        """Adds a line of text whose middle is at the height `y`.

        Args:
            x: where it starts, ends or has its middle, as `anchor` says.
            y: its middle.
            text: what is written.
            anchor: "start", "end" or "middle".
            size: of the font, pixels.
            tooltip: shown while a pointer rests on it.
            attributes: further ones.
        """
        own: dict[str, str | float] = {"x": x, "y": y + size * 0.35, "fill": "currentColor"}
        own.update(attributes)
        if anchor != "start":
            own["text_anchor"] = anchor
        if size != LABEL:
            own["font_size"] = size
        hover = "" if tooltip is None else f"<title>{html.escape(tooltip)}</title>"
        self._parts.append(f"<text{_written(own)}>{hover}{html.escape(text)}</text>")

    def to_svg(self) -> str:
        """Returns the drawing."""
        return "".join(self._parts) + "</svg>"


def shortened(text: str, width: float, size: float = LABEL) -> str:
    """Returns a text that is cut, with "..." at its end, if it is wider than `width` pixels.

    Example:
        >>> shortened("pick-place-v3", 200.0), shortened("button-press-topdown-wall-v3", 100.0)
        ('pick-place-v3', 'button-pres...')
    """
    room = max(4, math.floor(width / (size * _ADVANCE)))
    return text if len(text) <= room else text[: room - 3] + "..."


def polyline(points: Iterable[tuple[float, float]]) -> str:
    """Returns the path through points.

    Example:
        >>> polyline([(0.0, 0.0), (10.0, 5.0)])
        'M0 0L10 5'
    """
    commands = itertools.chain("M", itertools.repeat("L"))
    return "".join(f"{c}{number(x)} {number(y)}" for c, (x, y) in zip(commands, points, strict=False))


def _written(attributes: dict[str, str | float]) -> str:
    return "".join(
        f' {name.replace("_", "-")}="{html.escape(value) if isinstance(value, str) else number(value)}"'
        for name, value in attributes.items()
    )
