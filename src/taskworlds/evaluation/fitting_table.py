"""A table that leaves out columns where a terminal has no room for them, so that no figure is cut in two."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import rich.console
import rich.measure
import rich.table
import rich.text

__all__ = ["FittingTable"]


class FittingTable(rich.table.Table):
    """A table of rich whose less important columns go, one after the other, until the others fit whole.

    A line of the caption says which columns are missing. Where those that stay do not fit, names are folded, if the
    column of names may wrap and the others may not.

    Args:
        *headings: as for rich.
        given_up: headings of columns, the first to go first. Columns that are not there are passed over.
        **options: as for rich.
    """

    def __init__(self, *headings: str, given_up: Sequence[str] = (), **options: object) -> None:
        super().__init__(*headings, **options)  # type: ignore[arg-type]
        self._given_up = tuple(given_up)

    def __rich_console__(
        self, console: rich.console.Console, options: rich.console.ConsoleOptions
    ) -> rich.console.RenderResult:
        shown, gone = self._fitted(console, options)
        if gone:
            line = f"no room for: {', '.join(gone)}"
            caption = [] if shown.caption is None else [_text(shown.caption)]
            shown.caption = rich.text.Text("\n").join([*caption, rich.text.Text(line)])
        yield from rich.table.Table.__rich_console__(shown, console, options)

    def _fitted(
        self, console: rich.console.Console, options: rich.console.ConsoleOptions
    ) -> tuple[FittingTable, list[str]]:
        """Returns the table without what has no room, and the headings of that."""
        shown = copy.copy(self)
        shown.columns = list(self.columns)
        gone: list[str] = []
        wide = options.update(max_width=1_000)
        for heading in self._given_up:
            needed = rich.measure.Measurement.get(console, wide, _without_caption(shown)).maximum
            if needed <= options.max_width:
                break
            left = [each for each in shown.columns if _text(each.header).plain != heading]
            if len(left) < len(shown.columns):
                gone.append(" ".join(heading.split()))
                shown.columns = left
        return shown, gone


def _without_caption(table: FittingTable) -> rich.table.Table:
    """Returns a table as wide as its columns alone."""
    bare = copy.copy(table)
    bare.caption = bare.title = None
    return bare


def _text(given: object) -> rich.text.Text:
    """Returns a heading or caption as text; square brackets of a plain one are markup, as rich has it."""
    return given if isinstance(given, rich.text.Text) else rich.text.Text.from_markup(str(given))
