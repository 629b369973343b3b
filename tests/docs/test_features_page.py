"""What docs/features.md says of others says where it was read; test_features.py shows what it says of us."""

from __future__ import annotations

import re

SYSTEMS = (
    "taskworlds", "Meta-World", "EnvPool", "garage", "AMAGO", "mtrl",
    "TorchRL", "LeRobot", "MTBench", "RLinf", "TD-MPC2",
)  # fmt: skip
CELL = re.compile(r"(yes|no|part|)(?:\[\^([\w-]+)\])?")


def cells(features):
    """All cells: (feature, system, what it says, its footnote or None)."""
    for table in features.tables:
        for feature, row in table.rows.items():
            for system, text in row.items():
                found = CELL.fullmatch(text)
                assert found, f"{feature}, {system}: {text!r} is neither yes, no, part nor empty"
                yield feature, system, found[1], found[2]


def test_every_table_has_every_system(features):
    assert len(features.tables) > 3
    for table in features.tables:
        assert table.columns == list(SYSTEMS), table.heading
    named = [feature for table in features.tables for feature in table.rows]
    assert len(named) == len(set(named))


def test_what_is_there_in_part_has_a_footnote_that_names_the_system(features):
    for feature, system, says, footnote in cells(features):
        if says == "part":
            assert footnote, f"{feature}, {system}: which part?"
        if footnote:
            text = features.footnotes.get(footnote)
            assert text, f"{feature}, {system}: there is no footnote {footnote}"
            assert f"**{system}**" in text, f"the footnote {footnote} says nothing of {system}"


def test_every_footnote_is_about_cells_that_point_to_it(features):
    pointing = {(footnote, system) for _, system, _, footnote in cells(features) if footnote}
    said = {
        (name, system)
        for name, text in features.footnotes.items()
        for system in re.findall(r"\*\*(.+?)\*\*", text)
    }
    assert said == pointing


def test_we_say_something_of_ourselves_in_every_row(features):
    for feature, system, says, _ in cells(features):
        assert says or system != "taskworlds", feature


def test_there_are_rows_where_others_have_what_we_do_not(features):
    """A table without them would be an advertisement."""
    without = [
        feature for feature, system, says, _ in cells(features) if (system, says) == (SYSTEMS[0], "no")
    ]
    assert len(without) > 5
    for feature in without:
        assert any(says == "yes" for each, _, says, _ in cells(features) if each == feature), feature


def test_every_other_system_was_read_somewhere(features):
    assert tuple(features.sources) == SYSTEMS[1:]
    for system, line in features.sources.items():
        link = re.search(r"\(https://github\.com/[\w-]+/[\w-]+/tree/([0-9a-f]{7,40})\)", line)
        assert link, system
        assert line.count(link[1]) == 2, f"{system}: the link and the text name different versions"
    for table in features.tables:
        read = re.search(r"Read in: (.*)", table.below, flags=re.DOTALL)
        assert read, table.heading
        for part, system in zip(read[1].split(";"), SYSTEMS[1:], strict=True):
            assert re.match(rf"\s*{re.escape(system)}\s+`", part), (
                f"{table.heading}: where was {system} read?"
            )
