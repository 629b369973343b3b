"""Runs docs/add-a-world.md: its package is installed into a folder, and found by its entry point."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "add-a-world.md").read_text()
FILES = dict(re.findall(r"```(?:python|toml)\n# ([\w.]+)\n(.*?)```", PAGE, flags=re.DOTALL))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page's files, with what `pip install` would write about them."""
    folder = tmp_path_factory.mktemp("corridor")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    entry_points = re.search(r'entry-points."([\w.]+)"\]\n(.*)', FILES["pyproject.toml"])
    info = folder / "corridor-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: corridor\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[{entry_points[1]}]\n{entry_points[2]}\n".replace('"', ""))
    return folder


def run(folder, *command):
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_world_is_short():
    assert set(FILES) == {"pyproject.toml", "corridor.py", "use.py", "check.py"}
    assert len([line for line in FILES["corridor.py"].splitlines() if line.strip()]) <= 80


def test_what_it_has_without_an_import(folder):
    shown = re.search(r"It prints\n\n```text\n(.*?)```", PAGE, flags=re.DOTALL)
    assert run(folder, "use.py") == shown[1]


def test_lists_and_the_command_line_show_it(folder):
    listed = json.loads(run(folder, "-m", "taskworlds", "list", "benchmarks", "--json"))
    (own,) = [each for each in listed if each["name"] == "corridor"]
    assert (own["world"], own["train_tasks"], own["test_tasks"]) == ("corridor", 3, 2)
    assert "corridor" in run(folder, "-m", "taskworlds", "evaluate", "corridor", "--policy", "use:search")


def test_the_conformance_suite(folder):
    lines = run(folder, "check.py").splitlines()
    assert lines[0] == "corridor: ok"
    assert {line.split()[0] for line in lines[1:]} == {"ok"}
    assert sum("snapshots" in line for line in lines) == 2  # on sync and async
