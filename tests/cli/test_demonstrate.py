"""`taskworlds demonstrate`: data sets on the command line."""

from __future__ import annotations

import json
import re
import sys

import pytest

SHORT = ("--episodes", "2", "--max-episode-steps", "3", "--seed", "1")
POINT = ("demonstrate", "point", "--policy", "random", *SHORT)


@pytest.fixture
def needs_minari():
    pytest.importorskip("minari", reason="Minari is for Python 3.11 and later")
    pytest.importorskip("h5py")


@pytest.mark.usefixtures("needs_minari")
def test_a_data_set_for_minari(run, tmp_path, monkeypatch):
    import minari

    ran = run(*POINT, "--format", "minari", "--out", tmp_path)
    assert ran.code == 0, ran.err
    for words in (
        "point train: 1 skill x 2 episodes of up to 3 steps, seed 1",
        "policy random",
        "Come close to the goal.",
        "2 episodes, 6 steps, ",
        f"wrote {tmp_path / 'taskworlds' / 'point-random-v0'}",
        f"load it with MINARI_DATASETS_PATH={tmp_path} and minari.load_dataset('taskworlds/point-random-v0')",
    ):
        assert words in ran.out
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    assert minari.load_dataset("taskworlds/point-random-v0").total_steps == 6
    again = run(*POINT, "--format", "minari")  # to Minari's own place, which is the same now
    assert again.code == 2
    assert "--dataset-id must be new in" in again.err
    assert run(*POINT, "--format", "minari", "--dataset-id", "demos/a-v1", "--quiet").code == 0
    assert sorted(minari.list_local_datasets()) == ["demos/a-v1", "taskworlds/point-random-v0"]


def test_a_data_set_for_lerobot(run, tmp_path):
    pytest.importorskip("pyarrow")
    out = tmp_path / "out"
    ran = run(*POINT, "--format", "lerobot", "--out", out, "--fps", "7", "--json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert (told["episodes"], told["steps"], told["folder"], told["dataset_id"]) == (2, 6, str(out), None)
    assert told["skills"][0]["kept"] == 2
    assert told["bytes"] == sum(each.stat().st_size for each in out.rglob("*") if each.is_file())
    assert json.loads((out / "meta" / "info.json").read_text())["fps"] == 7
    assert "--out must be a new or empty folder" in run(*POINT, "--format", "lerobot", "--out", out).err
    assert run(*POINT, "--format", "lerobot", "--out", out, "--force", "--quiet").out.startswith("2 episodes")


def test_pictures(run, tmp_path):
    pytest.importorskip("pyarrow")
    pytest.importorskip("av")
    ran = run(*POINT, "--format", "lerobot", "--out", tmp_path / "out", "--camera", "default")
    assert ran.code == 0, ran.err
    assert "drawing 8 pictures" in ran.out
    assert len([*(tmp_path / "out").rglob("*.mp4")]) == 1


def test_some_tasks(run, tmp_path):
    pytest.importorskip("pyarrow")
    from taskworlds import benchmark

    ids = [task.id for task in benchmark("point", seed=1).train_tasks[3:5]]
    given = [word for id in ids for word in ("--task", id)]
    ran = run(*POINT[:4], *SHORT[2:], *given, "--format", "lerobot", "--out", tmp_path / "out", "--json")
    about = json.loads((tmp_path / "out" / "meta" / "taskworlds.json").read_text())
    assert [each["task_id"] for each in about["episodes"]] == ids
    assert json.loads(ran.out)["episodes"] == 2


def test_what_is_missing_is_said(run, tmp_path):
    pytest.importorskip("pyarrow")
    policy = tmp_path / "corner.py"
    policy.write_text("import numpy as np\ndef act(obs):\n    return np.full((len(obs), 2), 0.1)\n")
    given = ("demonstrate", "point", "--policy", f"{policy}:act", "--only-successes", "--format", "lerobot")
    ran = run(*given, "--episodes", "9", "--max-attempts", "20", "--num-goals", "20", "--out", tmp_path / "a")
    assert ran.code == 1
    assert "Some episodes are missing in the data set: point has " in ran.err
    assert "of 9 after 20 attempts." in ran.err
    assert (tmp_path / "a").exists()
    ran = run(
        *given, "--episodes", "1", "--max-attempts", "1", "--max-episode-steps", "1", "--out", tmp_path / "b"
    )
    assert ran.code == 1
    assert "Nothing was written, since no episode was kept: point has 0 of 1 after 1 attempts." in ran.err
    assert {each.name for each in tmp_path.iterdir()} - {"__pycache__"} == {"a", "corner.py"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "csv"], "--format must be one of 'minari', 'lerobot', not 'csv'"),
        (["--format", "lerobot"], "--format lerobot needs a folder to write to: give --out"),
        (["--format", "minari", "--fps", "3"], "--fps is for --format lerobot, not for minari"),
        (["--format", "lerobot", "--out", "x", "--dataset-id", "a"], "--dataset-id is for --format minari"),
        (["--format", "lerobot", "--out", "x", "--width", "64"], "--width is for pictures: give --camera"),
        (["--format", "lerobot", "--out", "x", "--camera", "corner"], "--camera must not be given for point"),
        (
            ["--format", "lerobot", "--out", "x", "--max-attempts", "3"],
            "--max-attempts is for only_successes",
        ),
        (["--format", "lerobot", "--out", "x", "--policy", "expert"], "point, which has no scripted experts"),
        (
            ["--format", "lerobot", "--out", "x", "--task", "zz"],
            "task must be the id of one of the 50 tasks",
        ),
        (["--format", "minari", "--dataset-id", "a b"], "--dataset-id must be a name of letters"),
    ],
)
def test_mistakes(run, check_mistake, tmp_path, monkeypatch, arguments, message):
    if "minari" in arguments and "--fps" not in arguments:
        pytest.importorskip("minari")
    monkeypatch.chdir(tmp_path)
    check_mistake(run(*POINT, *arguments), message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("format", "library"), [("minari", "minari"), ("lerobot", "pyarrow.parquet")])
def test_a_missing_library_is_said_before_anything_is_played(run, tmp_path, monkeypatch, format, library):
    monkeypatch.setitem(sys.modules, library, None)
    ran = run(*POINT, "--format", format, "--out", tmp_path)
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert 'pip install "taskworlds[demonstrations]"' in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("error", "code", "message", "where"),
    [
        (
            OSError(28, "No space left on device"),
            1,
            r"Error: The data set could not be written: .*No space left on device\. Nothing is left of it\.",
            "lerobot_data.write_tasks",
        ),
        (KeyboardInterrupt(), 130, "stopped; nothing was written", "lerobot_data.write_tasks"),
        (KeyboardInterrupt(), 130, "stopped; nothing was written", "collecting.play_units"),
    ],
)
def test_a_disk_that_is_full_and_ctrl_c_leave_nothing(
    run, tmp_path, monkeypatch, error, code, message, where
):
    pytest.importorskip("pyarrow")

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(f"taskworlds.demonstrations.{where}", fail)
    ran = run(*POINT, "--format", "lerobot", "--out", tmp_path / "out")
    assert ran.code == code
    assert re.search(message, ran.err)
    assert list(tmp_path.iterdir()) == []
