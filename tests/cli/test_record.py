"""`taskworlds record`."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

import taskworlds.videos
from taskworlds.rendering import offscreen
from taskworlds.videos import CannotDraw, NotWritten

GRID = ("record", "grid-4x4", "--choose", "first", "--no-captions")


def test_it_says_what_it_plays_chooses_draws_and_writes(run, tmp_path):
    ran = run("record", "point", "--num-goals", "3", "--max-episode-steps", "5", "--out", tmp_path)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[:2] == [
        "point test: 3 tasks x 1 episode of policy random, seed 0",
        "There is no success of point.",
    ]
    assert re.fullmatch(r"drawing 1 episode, 6 pictures of 400 x 400, \d+ ms each: about 0:\d\d", lines[2])
    task = json.loads((tmp_path / "videos.json").read_text())["videos"][0]["task"]
    assert lines[3:] == [f"wrote {tmp_path}/point.mp4: failure after 5 steps (task {task}, episode 0)"]


def test_the_options_are_those_of_record(run, tmp_path, monkeypatch):
    given = {}

    def stand_in(policy, benchmark, out, **keywords):
        given.update(keywords, benchmark=benchmark.name, out=out)
        raise KeyboardInterrupt

    monkeypatch.setattr(taskworlds.videos, "record", stand_in)
    ran = run(
        "record", "ML1-test", "--env-name", "push-v3", "--num-goals", "2", "--episodes-per-task", "3", "--seed", "4",
        "--max-episode-steps", "9", "--full-episodes", "--reward-version", "v1", "--one-hot", "--num-envs", "2",
        "--engine", "sync", "--choose", "best", "--episodes", "2", "--per", "all", "--camera", "corner", "--width",
        "64", "--height", "48", "--every", "3", "--no-shadows", "--no-captions", "--format", "gif", "--force",
        "--out", tmp_path,
    )  # fmt: skip
    assert ran.code == 130
    assert ran.err == "stopped. No video was finished.\n"
    told = {name: given.pop(name) for name in list(given) if name.startswith("on_")}
    assert set(told) == {"on_episode", "on_step", "on_plan", "on_picture", "on_video"}
    assert len(given.pop("tasks")) == 2
    assert given == {
        "benchmark": "ML1-push-v3", "split": "test", "episodes_per_task": 3, "seed": 4, "max_episode_steps": 9,
        "terminate_on_success": False, "reward_function_version": "v1", "use_one_hot": True, "num_envs": 2,
        "vector_strategy": "sync", "choose": "best", "episodes": 2, "per": "all", "camera_name": "corner",
        "camera_id": None, "width": 64, "height": 48, "every": 3, "shadows": False, "captions": False,
        "format": "gif", "force": True, "out": tmp_path,
    }  # fmt: skip


def test_json_is_alone_on_standard_output(run, tmp_path):
    ran = run(*GRID, "--json", "--out", tmp_path)
    assert ran.code == 0
    assert json.loads(ran.out) == json.loads((tmp_path / "videos.json").read_text())
    assert "wrote" in ran.err
    quiet = run(*GRID, "--json", "--out", tmp_path, "--force", "--quiet")
    assert (json.loads(quiet.out), quiet.err) == (json.loads(ran.out), "")


def test_tasks_by_their_ids(run, tmp_path):
    ids = [task.id for task in taskworlds.benchmark("point", num_goals=3).test_tasks]
    ran = run("record", "point", "--num-goals", "3", "--max-episode-steps", "2", "--task", ids[2], "--json", "-q",
              "--out", tmp_path)  # fmt: skip
    assert [each["task"] for each in json.loads(ran.out)["videos"]] == [ids[2]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("grid-4x4", "--choose", "lucky"), "--choose must be one of 'first'"),
        (("grid-4x4", "--per", "task"), "--per must be one of 'skill', 'episode', 'all', not 'task'"),
        (("grid-4x4", "--format", "avi"), "--format must be one of 'mp4', 'gif', 'both', not 'avi'"),
        (("grid-4x4", "--camera", "top"), "--camera-name must not be given for grid-4x4"),
        (("grid-4x4", "--width", "64"), "--width must not be given for grid-4x4"),
        (("grid-4x4", "--every", "0"), "Invalid value for '--every'"),
        (("grid-4x4", "--policy", "expert"), "grid-4x4 has no scripted experts"),
        (("grid-4x5",), "Unknown benchmark 'grid-4x5'"),
        (
            ("half-cheetah-vel", "--choose", "both"),
            "--choose must be first, best or worst for half-cheetah-vel",
        ),
    ],
)
def test_mistakes_are_told_in_one_line(run, check_mistake, tmp_path, arguments, message):
    check_mistake(run("record", *arguments, "--out", tmp_path, "--quiet"), message)
    assert list(tmp_path.iterdir()) == []


def test_videos_that_are_there_stay(run, check_mistake, tmp_path):
    assert run(*GRID, "--out", tmp_path).code == 0
    check_mistake(
        run(*GRID, "--out", tmp_path), r"--out must be a folder without videos.*\(--force\) to delete"
    )
    assert run(*GRID, "--out", tmp_path, "--force").code == 0


def test_the_out_folder_is_needed(run, check_mistake):
    check_mistake(run("record", "grid-4x4"), "Missing option '--out'")


def test_a_rule_that_finds_nothing_fails(run, tmp_path):
    ran = run(
        "record",
        "point",
        "--num-goals",
        "1",
        "--max-episode-steps",
        "2",
        "--choose",
        "success",
        "--out",
        tmp_path,
    )
    assert ran.code == 1
    assert ran.err == "Error: No episode was found that --choose asks for, so there is no video.\n"


@pytest.mark.parametrize("module", ["imageio_ffmpeg", "PIL.ImageFont"])
def test_a_missing_library_is_told_in_one_line(run, tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    ran = run("record", "grid-4x4", "--choose", "first", "--out", tmp_path)
    assert ran.code == 1
    assert re.fullmatch(r'Error: .* pip install "taskworlds\[report\]"\n', ran.err)


def test_where_nothing_draws_it_says_what_to_install(run, tmp_path, monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "none-such")
    monkeypatch.delitem(sys.modules, "mujoco")  # as in a new process
    monkeypatch.setattr(offscreen, "fault", lambda program, **environment: "it is missing")
    ran = run("record", "reach-v3", "--num-goals", "1", "--out", tmp_path, "--quiet")
    assert ran.code == 1
    assert ran.err.startswith("Error: MUJOCO_GL must name a library that can draw here")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    "error", [CannotDraw("No library."), NotWritten("a.mp4 could not be written: full.")]
)
def test_what_could_not_be_done_is_told_with_what_is_finished(run, tmp_path, monkeypatch, error):
    record = taskworlds.videos.record

    def failing(*args, **keywords):
        record(*args, **keywords)
        raise error

    monkeypatch.setattr(taskworlds.videos, "record", failing)
    ran = run(*GRID, "--out", tmp_path)
    assert ran.code == 1
    assert ran.err == f"Error: {error} 1 finished video is in {tmp_path}.\n"


def test_options_can_come_from_a_file(run, tmp_path):
    (tmp_path / "run.toml").write_text('choose = "first"\ncaptions = false\nseed = 3\n')
    ran = run(
        "record", "grid-4x4", "--config", tmp_path / "run.toml", "--out", tmp_path / "videos", "--json", "-q"
    )
    assert ran.code == 0
    assert (json.loads(ran.out)["choose"], json.loads(ran.out)["seed"]) == ("first", 3)


def test_one_changing_line_on_a_terminal(run, tmp_path, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("CI", raising=False)
    ran = run(*GRID, "--out", tmp_path)
    assert ran.code == 0
    assert re.search(r"\d+ of \d+ pictures", ran.err)


def test_the_help_loads_no_simulator():
    code = (
        "import sys\nfrom taskworlds.cli import main\n"
        "try:\n    main(['record', '--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'mujoco', 'PIL', 'imageio_ffmpeg', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "side by side" in done.stdout
