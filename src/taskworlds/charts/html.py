"""Small tables as HTML for notebooks, with their few styles inside, so that they need no page around them."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

__all__ = ["definition_table", "table"]

_CELL = "padding:0.15em 0.7em 0.15em 0;background:none;border:0;vertical-align:top"


def definition_table(title: str, entries: Iterable[tuple[str, str]]) -> str:
    """Returns a table of names and what they are.

    Args:
        title: the line above.
        entries: names, each with its text.

    Example:
        >>> "<td" in definition_table("MT10", [("rows", "10")])
        True
    """
    body = "".join(
        f'<tr style="background:none"><th scope="row" style="{_CELL};text-align:left;font-weight:normal;opacity:0.7">'
        f'{html.escape(name)}</th><td style="{_CELL};text-align:left">{html.escape(text)}</td></tr>'
        for name, text in entries
    )
    return f'{_title(title)}<table style="border-collapse:collapse;border:0"><tbody>{body}</tbody></table>'


def table(
    title: str, header: Sequence[str], rows: Iterable[Sequence[str]], *, footer: Sequence[str] = ()
) -> str:
    """Returns a table of texts; all columns but the first are aligned at the right.

    Args:
        title: the line above.
        header: of the columns.
        rows: texts, one for each column.
        footer: of the last row, in bold; none for no such row.

    Example:
        >>> "reach-v3" in table("MT10", ["skill", "success"], [["reach-v3", "1.00"]])
        True
    """
    lines = [_line("th", header)]
    lines += [_line("td", row) for row in rows]
    lines += [_line("th", footer)] if footer else []
    return (
        f'{_title(title)}<table style="border-collapse:collapse;border:0;font-variant-numeric:tabular-nums">'
        f"{''.join(lines)}</table>"
    )


def _line(tag: str, cells: Sequence[str]) -> str:
    inside = "".join(
        f'<{tag} style="{_CELL};text-align:{"right" if place else "left"}">{html.escape(cell)}</{tag}>'
        for place, cell in enumerate(cells)
    )
    return f'<tr style="background:none">{inside}</tr>'


def _title(title: str) -> str:
    return f'<div style="font-weight:600;margin:0.2em 0">{html.escape(title)}</div>'
