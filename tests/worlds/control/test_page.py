"""The page about families says what the code does."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from taskworlds.worlds.control.variations import VARIATIONS

PAGE = Path(__file__).parents[3] / "docs" / "families.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_is_that_of_the_code():
    rows = [
        f"| {', '.join(each.skills)} | `{each.parameter}` | {', '.join(map(str, each.values))} | {each.base} | "
        f"{each.summary} |"
        for each in VARIATIONS
    ]
    assert [
        line
        for line in PAGE.read_text().splitlines()
        if re.match(r"\| \S.* \| `\w+` \| 0|\| .*`cart_mass`", line)
    ] == rows


@pytest.mark.requires_dm_control
def test_python_runs_as_written(tmp_path):
    assert "hopper-hop-gear test: 2 tasks" in run(
        [sys.executable, "-c", "\n".join(blocks("python"))], tmp_path
    )


@pytest.mark.requires_dm_control
def test_the_command_runs_as_written(tmp_path):
    install, command = blocks("sh")
    assert install == 'pip install "taskworlds[control]"\n'
    program, *arguments = shlex.split(command)
    assert program == "taskworlds"
    output = run([sys.executable, "-m", "taskworlds", *arguments], tmp_path)
    assert "cheetah-run" in output
