"""Runs docs/add-an-engine.md: its package is installed into a folder, and found by its entry point."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "add-an-engine.md").read_text()
FILES = dict(re.findall(r"```(?:python|toml)\n# ([\w.]+)\n(.*?)```", PAGE, flags=re.DOTALL))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page's files, with what `pip install` would write about them."""
    folder = tmp_path_factory.mktemp("threads")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    entry_points = re.search(r'entry-points."([\w.]+)"\]\n(.*)', FILES["pyproject.toml"])
    info = folder / "thread_rows-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thread-rows\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[{entry_points[1]}]\n{entry_points[2]}\n".replace('"', ""))
    return folder


def run(folder, name):
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, name], cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_every_block_is_a_file():
    assert set(FILES) == {"pyproject.toml", "thread_rows.py", "use.py", "check.py"}


def test_it_is_found_by_name_and_takes_its_options(folder):
    assert run(folder, "use.py") == re.search(r"It prints `(.*)`", PAGE)[1] + "\n"


def test_the_conformance_suite(folder):
    lines = run(folder, "check.py").splitlines()
    assert lines[0] == "threads: ok"
    assert any("gives what sync gives" in line for line in lines)
    assert any("sync's is taken" in line for line in lines)
