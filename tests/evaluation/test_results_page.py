"""docs/results.md: its Python runs as written, and its tables name what the files hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import taskworlds
from taskworlds.evaluation import journal

PAGE = (Path(__file__).parents[2] / "docs" / "results.md").read_text()


def test_the_page_runs_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == 4
    exec(compile("\n".join(blocks), "docs/results.md", "exec"), {"__name__": "__main__"})


def named(after):
    """Returns the keys in the first column of the table that follows a text."""
    table = PAGE.split(after, 1)[1].split("\n\n", 2)[1]
    return {name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    result = taskworlds.evaluate(
        "random", "point", num_goals=1, max_episode_steps=2, resume=folder, keep_actions=True
    )
    return json.loads(result.to_json()), (folder / journal.NAME).read_text().splitlines()


def test_the_tables_name_the_keys(data):
    result, _ = data
    assert named("## The format of `result.json`\n\nJSON") == set(result)
    assert named("\nAn episode:") == {*result["tasks"][0]["episodes"][0], "attempts"}
    assert named("\nProvenance (") == set(result["provenance"])
    assert named("\nFingerprint (") == set(result["fingerprint"])
    assert set(result["tasks"][0]) == {"task", "error", "episodes"}


def test_the_list_names_the_keys_of_lines(data):
    first, other = PAGE.split("## The format of `episodes.jsonl`")[1].split("- Each other line")
    about, line = map(json.loads, data[1])
    for text, keys in ((first, about), (other, line)):
        assert {*re.findall(r"`(\w+)`", text)} - {"dtype", "shape", "data"} == {*keys, "sha256"} - (
            {"sha256"} if text is other else set()
        )
    assert set(line["actions"]) == {"dtype", "shape", "data"}
