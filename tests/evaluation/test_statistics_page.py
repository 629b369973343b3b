"""docs/statistics.md: its code runs, and its numbers are those of the functions."""

import re
from pathlib import Path

from taskworlds.evaluation.intervals import rate

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"


def test_the_pages_code_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert len(blocks) == 8
    names = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert (tmp_path / "ours.json").exists()
    assert "<Pooled 'ours': 3 runs, 30 tasks, success" in capsys.readouterr().out
    assert names["several"].pairs[0].over == "runs"


def test_the_pages_example_of_an_interval():
    assert "50 of 50 goals give [0.925, 1]" in PAGE.read_text()
    assert [round(end, 3) for end in rate([1.0] * 50, ["a"] * 50)] == [1.0, 0.925, 1.0]
