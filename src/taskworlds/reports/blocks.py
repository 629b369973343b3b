"""What a page is made of: sections with texts, charts, tables and videos, as data that the template writes down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from taskworlds.charts import Caption

__all__ = [
    "Block",
    "Cell",
    "Chart",
    "Column",
    "Download",
    "Section",
    "Table",
    "Text",
    "Video",
    "Videos",
    "chart",
]

_WIDE, _NARROW = 940.0, 328.0  # pixels; the page shows one or the other


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes:
        text: plain; the page escapes it.
    """

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart in two widths, of which the page shows the one that has room.

    Attributes:
        wide, narrow: SVG.
        title: the line above.
    """

    kind: ClassVar[str] = "chart"
    title: str
    wide: str
    narrow: str


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: of the column.
        is_number: whether its cells are aligned at the right.
    """

    heading: str
    is_number: bool = True


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what it says; lines are kept.
        order: what its column is sorted by; None for the text.
        strong: whether it stands out.
    """

    text: str
    order: float | None = None
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A table, which can be sorted by each of its columns.

    Attributes:
        title: what it holds; also the line to click where it is folded. Empty below a heading that says it.
        columns: from left to right.
        rows: cells, one for each column.
        footer: rows below, which stay there.
        is_folded: whether only the title shows at first.
        is_sortable: whether a click on a heading sorts.
    """

    kind: ClassVar[str] = "table"
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    footer: Sequence[Sequence[Cell]] = ()
    is_folded: bool = False
    is_sortable: bool = True


@dataclass(frozen=True)
class Download:
    """A file that the page holds.

    Attributes:
        name: of the file.
        size: in words.
        uri: its content as a data URI.
    """

    name: str
    size: str
    uri: str


@dataclass(frozen=True)
class Downloads:
    """Files to download, in a line."""

    kind: ClassVar[str] = "downloads"
    files: Sequence[Download]


@dataclass(frozen=True)
class Video:
    """A video with its caption.

    Attributes:
        uri: its content as a data URI.
        lines: what it shows, one for each episode.
    """

    uri: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Videos:
    """Videos side by side."""

    kind: ClassVar[str] = "videos"
    videos: Sequence[Video]


@dataclass(frozen=True)
class Folded:
    """Blocks of which only the title shows at first."""

    kind: ClassVar[str] = "folded"
    title: str
    blocks: Sequence[Block]


Block = Text | Chart | Table | Downloads | Videos | Folded


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading.

    Attributes:
        name: of letters and hyphens; the heading's id.
        title: the heading.
        blocks: what it holds.
    """

    name: str
    title: str
    blocks: Sequence[Block] = field(default_factory=list)


def chart(name: str, title: str, description: str, draw: Callable[[Caption, float], str]) -> Chart:
    """Draws a chart in both widths.

    Args:
        name: different for each chart of the page.
        title: what it shows, in a few words.
        description: what is to be seen in it, for those who do not see it.
        draw: draws it, given its caption and width.
    """
    wide, narrow = (
        draw(Caption(f"{name}-{word}", title, description), width)
        for word, width in (("wide", _WIDE), ("narrow", _NARROW))
    )
    return Chart(title, wide, narrow)
