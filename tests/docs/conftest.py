"""The tables of docs/features.md, for the tests of this folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

_PAGE = Path(__file__).parents[2] / "docs" / "features.md"


class Table(NamedTuple):
    """A table of features: under which heading it stands, its columns, its rows, and the line below it."""

    heading: str
    columns: list[str]
    rows: dict[str, dict[str, str]]  # by feature and system: what the cell says
    below: str


class Features(NamedTuple):
    """What docs/features.md says."""

    tables: list[Table]
    sources: dict[str, str]  # by system: the row of the table of versions
    footnotes: dict[str, str]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


@pytest.fixture(scope="session")
def features() -> Features:
    """Docs/features.md, read."""
    text = _PAGE.read_text()
    footnotes = dict(re.findall(r"^\[\^([\w-]+)\]: (.*)$", text, flags=re.MULTILINE))
    tables, sources = [], {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE):
        lines = [line for line in section.splitlines() if line.startswith("|")]
        if not lines:
            continue
        header, _, *rows = lines
        columns = _cells(header)
        if columns[0] == "system":
            sources = {_cells(line)[0]: line for line in rows}
            continue
        found: dict[str, dict[str, str]] = {}
        for line in rows:
            feature, *cells = _cells(line)
            assert feature not in found, f"{feature} is there twice"
            found[feature] = dict(zip(columns[1:], cells, strict=True))
        below = section.split(lines[-1])[1].split("\n[^")[0]
        tables.append(Table(section.splitlines()[0], columns[1:], found, below))
    return Features(tables, sources, footnotes)
