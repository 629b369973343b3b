"""Runs docs/write-a-skill.md: its blocks are saved as the files that they name, and run as a user runs them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "write-a-skill.md").read_text()
FILES = dict(re.findall(r"```(?:python|xml)\n(?:# |<!-- )([\w.]+)(?: -->)?\n(.*?)```", PAGE, flags=re.DOTALL))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("user")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def run(folder, name):
    return subprocess.run(
        [sys.executable, name], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


def test_every_block_is_a_file():
    assert len(FILES) == PAGE.count("```python") + PAGE.count("```xml") == 6


def test_the_check_prints_what_the_page_shows(folder):
    done = run(folder, "check.py")
    assert done.returncode == 0, done.stderr
    shown = re.search(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)
    # How equal the compiled kernel is depends on the machine's library of functions.
    precision = re.compile(r"(equals plain Python to ).*")
    assert precision.sub(r"\1", done.stdout) == precision.sub(r"\1", shown.group(1))


def test_training_runs(folder):
    done = run(folder, "train.py")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["(8, 39) drawer-half-open-v1 0.0", "(2, 41)", "50 50"]
    assert "success 1.000" in lines[3]


def test_a_model_of_ones_own(folder):
    done = run(folder, "check_block.py")
    assert done.returncode == 0, done.stderr
