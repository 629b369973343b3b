"""docs/continual.md: its Python runs as written, and its table has the skills of CW10."""

from __future__ import annotations

import re
from pathlib import Path

from taskworlds.continual import SEQUENCES

PAGE = (Path(__file__).parents[2] / "docs" / "continual.md").read_text()


def test_the_page_runs_as_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == 2
    exec(compile("\n".join(blocks), "docs/continual.md", "exec"), {"__name__": "__main__"})
    out = capsys.readouterr().out.splitlines()
    assert [f"# {out[0]}"] == [
        line for block in blocks for line in block.splitlines() if line.startswith("# ")
    ]
    assert len(out) == 4
    assert all(-1.0 <= float(line) <= 1.0 for line in out[1:])


def test_the_table_has_the_sequence():
    (row,) = re.findall(r"^\| CW10 \| (.*) \(each -v3\) \|$", PAGE, flags=re.MULTILINE)
    assert tuple(f"{name}-v3" for name in row.split(", ")) == SEQUENCES["CW10"]
