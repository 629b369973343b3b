"""docs/reports.md: its code runs, its pictures are there, and it names every option."""

from __future__ import annotations

import re
from pathlib import Path

import taskworlds.cli.report as command

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reports.md").read_text(encoding="utf-8")


def test_the_pages_code_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(compile(block, "reports.md", "exec"), names)
    assert "Two that do not learn" in (tmp_path / "report.html").read_text()
    assert (tmp_path / "skills.pdf").exists()
    assert "point" in capsys.readouterr().out


def test_the_page_names_every_option_and_its_pictures_are_there():
    spelt = {"as_json": "json", "curve": "no-curve", "config_file": "config"}
    for name in command.report.__annotations__:
        if name not in ("results", "return"):
            assert f"--{spelt.get(name, name).replace('_', '-')}" in PAGE, name
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", PAGE):
        assert (DOCS / picture).stat().st_size < 200_000
