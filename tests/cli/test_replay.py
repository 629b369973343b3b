"""`taskworlds replay`."""

from __future__ import annotations

import json
import re

import pytest

from taskworlds.evaluation import Result


@pytest.fixture
def kept(run, tmp_path):
    """The folder of an evaluation that kept its actions, and its result."""
    folder = tmp_path / "results"
    ran = run("evaluate", "grid-4x4", "--episodes", "2", "--keep-actions", "--out", folder, "-q")
    assert ran.code == 0
    return folder, Result.load(folder / "result.json")


def test_an_episode_comes_out_the_same(run, kept):
    folder, result = kept
    (record,) = result.tasks
    ran = run("replay", folder, "--task", record.task.id[:6], "--episode", "1")
    assert ran.code == 0
    length = record.episodes[1].length
    assert re.fullmatch(
        rf"grid-4x4 \(task {record.task.id}\), episode 1: {length} steps?, return 0\.0, failure, the same as in .*\n",
        ran.out,
    )


def test_it_is_drawn_if_wanted(run, kept, tmp_path, check_mistake):
    folder, result = kept
    task, out = result.tasks[0].task.id, tmp_path / "episode.gif"
    ran = run("replay", folder / "result.json", "--task", task, "--out", out, "--no-captions", "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {
        "skill": "grid-4x4",
        "task": task,
        "params": {},
        "episode": 0,
        "success": False,
        "return": 0.0,
        "steps": result.tasks[0].episodes[0].length,
        "file": str(out),
    }
    assert out.read_bytes().startswith(b"GIF89a")
    check_mistake(run("replay", folder, "--task", task, "--out", out), "--out must be a new file")
    again = run("replay", folder, "--task", task, "--out", out, "--force")
    assert again.out.splitlines()[1] == f"wrote {out}"


def test_what_is_missing_is_told_in_one_line(run, kept, tmp_path, check_mistake):
    folder, result = kept
    task = result.tasks[0].task.id
    check_mistake(run("replay", folder, "--task", "zzz"), "--task must be one of the 1 of .*, not 'zzz'")
    check_mistake(run("replay", folder, "--task", task, "--episode", "2"), "--episode must be below 2")
    check_mistake(run("replay", tmp_path / "none", "--task", task), r"none does not exist\.")
    check_mistake(
        run("replay", folder, "--task", task, "--out", "a.avi"), "--out must be the name of an mp4 or gif"
    )
    (folder / "episodes.jsonl").unlink()
    check_mistake(
        run("replay", folder, "--task", task), r"holds no episodes\.jsonl with actions: evaluate with"
    )
