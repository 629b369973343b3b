"""docs/demonstrations.md: its Python runs as written, and its table has every skill."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taskworlds.worlds.metaworld.skills import SKILLS

PAGE = (Path(__file__).parents[2] / "docs" / "demonstrations.md").read_text()


def test_the_page_runs_as_written(tmp_path, monkeypatch):
    for library in ("minari", "h5py", "av", "pyarrow"):
        pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))  # which the page sets, and the test takes back
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == 3
    exec(compile("\n".join(blocks), "docs/demonstrations.md", "exec"), {"__name__": "__main__"})


def test_the_table_has_every_skill():
    rows = re.findall(r"^\| (\S+-v3) \| (\d+) \| (\d\.\d+) to (\d\.\d+) \|", PAGE, flags=re.MULTILINE)
    assert sorted(name for name, *_ in rows) == sorted(each.name for each in SKILLS)
    assert all(float(low) <= int(count) / 100 <= float(high) for _, count, low, high in rows)
    mean = sum(int(count) for _, count, *_ in rows) / len(rows) / 100
    assert f"\n{mean:.3f} [" in PAGE
