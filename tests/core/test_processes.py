"""Processes that are started, and how long work is announced."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from taskworlds.core.announcements import announced, listening
from taskworlds.core.processes import python_command

TRAP = "open('ran', 'w').close(); raise SystemExit(3)"


def run(command, folder, **environment):
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=os.environ | environment
    )


def test_nothing_comes_from_the_current_folder(tmp_path):
    for name in ("random", "statistics", "taskworlds"):
        (tmp_path / f"{name}.py").write_text(TRAP)
    done = run(
        python_command("import random, statistics, taskworlds; print(sys.argv[1:])", "a", "b"), tmp_path
    )
    assert (done.stdout, done.stderr) == ("['a', 'b']\n", "")
    assert not (tmp_path / "ran").exists()


def test_what_the_user_names_is_found(tmp_path):
    (tmp_path / "mine.py").write_text("print('mine')")
    assert run(python_command("import mine"), "/", PYTHONPATH=str(tmp_path)).stdout == "mine\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a path that a link stands for")
def test_the_package_is_found_wherever_this_process_found_it(tmp_path):
    done = run(python_command("import taskworlds; print(taskworlds.__name__)"), tmp_path, PYTHONPATH="")
    assert done.stdout == "taskworlds\n"


def test_work_is_announced_in_one_line(capsys):
    with announced("compiling 2 skills", 2) as advance:
        advance()
        advance()
    assert capsys.readouterr() == ("", "taskworlds: compiling 2 skills ... done\n")
    with pytest.raises(KeyboardInterrupt), announced("compiling 2 skills", 2):
        raise KeyboardInterrupt
    assert capsys.readouterr() == ("", "taskworlds: compiling 2 skills ...\n")


def test_whoever_listens_hears_it_and_nothing_is_printed(capsys):
    heard = []
    with listening(lambda *told: heard.append(told)), announced("compiling 2 skills", 2) as advance:
        advance()
    assert heard == [("compiling 2 skills", 0, 2), ("compiling 2 skills", 1, 2)]
    assert capsys.readouterr() == ("", "")
