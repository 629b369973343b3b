"""`record`: from a policy to files and their index."""

import json
import os

import numpy as np
import pytest

import taskworlds
from taskworlds.videos import NotWritten, index, record, recording
from taskworlds.videos.filming import Look, films

SHORT = {"num_goals": 6, "max_episode_steps": 10}


def listed(folder):
    return json.loads((folder / "videos.json").read_text())["videos"]


def test_a_video_of_each_skill_with_a_success_and_a_failure(tmp_path, seeker, frames):
    plans, drawn, told = [], [], []
    videos = record(
        seeker,
        "point",
        tmp_path / "new" / "videos",
        on_plan=plans.append,
        on_picture=lambda: drawn.append(1),
        on_video=told.append,
        **SHORT,
    )
    (video,) = videos
    assert told == videos
    assert sorted(each.name for each in video.file.parent.iterdir()) == ["point.mp4", "videos.json"]
    solved, failed = video.episodes
    assert (solved.episode.success_end, failed.episode.success_end) == (True, False)
    found = frames(video.file)
    assert (
        found.shape
        == (11, video.height, video.width, 3)
        == (video.num_pictures, video.height, video.width, 3)
    )
    assert video.fps == 16
    (plan,) = plans
    assert len(drawn) == plan.pictures == len(solved.actions) + 1 + 11
    expected = np.stack(list(films(plan.session.stage, video.episodes, Look())))
    assert np.abs(found[:, : expected.shape[1]].astype(int) - expected).mean() < 2  # compressed

    result = taskworlds.evaluate(seeker, "point", **SHORT)
    outcome = {record.task.id: record.episodes for record in result.tasks}
    entries = listed(video.file.parent)
    assert [entry["place"] for entry in entries] == [0, 1]
    for entry, each in zip(entries, video.episodes, strict=True):
        assert outcome[entry["task"]][entry["episode"]] == each.episode
        assert (entry["file"], entry["skill"]) == ("point.mp4", "point")
        assert (entry["success"], entry["return"], entry["steps"]) == (
            each.episode.success_end,
            each.episode.episode_return,
            each.episode.length,
        )
        assert entry["params"] == {"goal": list(each.task["goal"])}
        assert entry["policy"].endswith(":Seeker")
    assert plan.listing(videos) == json.loads((video.file.parent / "videos.json").read_text())


def test_a_video_of_each_episode_in_both_formats(tmp_path, frames):
    videos = record("random", "grid-4x4", tmp_path, choose="worst", episodes=2, per="episode", format="both",
                    episodes_per_task=3, captions=False)  # fmt: skip
    names = [video.file.name for video in videos]
    stems = list(dict.fromkeys(name.partition(".")[0] for name in names))
    assert len(stems) == 2
    assert names == [f"{stem}.{ending}" for stem in stems for ending in ("mp4", "gif")]
    assert [entry["file"] for entry in listed(tmp_path)] == names
    for video in videos:
        assert frames(video.file).shape == (video.num_pictures, 256, 256, 3)


def test_one_video_of_all(tmp_path):
    videos = record(
        "random", "grid-4x4", tmp_path, choose="first", episodes=3, per="all", episodes_per_task=3
    )
    assert [(video.file.name, len(video.episodes)) for video in videos] == [("grid-4x4.mp4", 3)]


def test_a_fourth_of_the_pictures_runs_as_fast(tmp_path, frames):
    (video,) = record("random", "point", tmp_path, choose="first", every=4, num_goals=1, max_episode_steps=10)
    assert len(frames(video.file)) == video.num_pictures == 4
    assert video.fps == 4


def test_a_rule_that_finds_nothing_writes_nothing(tmp_path):
    plans = []
    assert record("random", "point", tmp_path, choose="success", num_goals=1, on_plan=plans.append) == []
    assert plans[0].choice.missing == ("There is no success of point.",)
    assert list(tmp_path.iterdir()) == []


def test_the_same_call_gives_the_same_files(tmp_path):
    for name in "ab":
        record("random", "point", tmp_path / name, choose="best", num_goals=3, max_episode_steps=5)
    for name in ("point.mp4", "videos.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def small(folder, **settings):
    given = {"choose": "first", "episodes": 2, "per": "episode", "episodes_per_task": 2, "captions": False}
    return record("random", "grid-4x4", folder, **(given | settings))


def test_videos_are_not_written_over_unless_forced(tmp_path):
    before = small(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(
        ValueError, match=r"out must be a folder without videos, but .* already holds videos\.json, g"
    ):
        small(tmp_path)
    (after,) = small(tmp_path, force=True, per="skill", episodes=1)
    assert not any(video.file.exists() for video in before)
    assert sorted(each.name for each in tmp_path.iterdir()) == [after.file.name, "notes.txt", "videos.json"]


def test_files_of_others_are_never_written_over(tmp_path):
    (tmp_path / "grid-4x4.mp4").write_text("mine")
    with pytest.raises(ValueError, match=r"holds grid-4x4\.mp4, not listed in a videos\.json"):
        small(tmp_path, per="skill", force=True)
    assert (tmp_path / "grid-4x4.mp4").read_text() == "mine"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"format": "other", "videos": []}',
        '{"format": "taskworlds.Videos", "videos": [{"file": "../a"}]}',
    ],
)
def test_an_index_of_others_is_left_alone(tmp_path, text):
    (tmp_path / "videos.json").write_text(text)
    with pytest.raises(ValueError, match="cannot be read as one"):
        small(tmp_path, force=True)
    assert (tmp_path / "videos.json").read_text() == text


def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_played(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "play", None)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"out must be a folder that can be written to, which .*file is not"):
        small(tmp_path / "file")


def test_on_a_full_disk_what_was_finished_stays_and_is_listed(tmp_path, monkeypatch, full_disk):
    stand_in = os.environ["IMAGEIO_FFMPEG_EXE"]
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE")  # until the first video is written
    folder = tmp_path / "videos"
    with pytest.raises(NotWritten, match="No space left on device"):
        small(folder, on_video=lambda video: monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", stand_in))
    (entry,) = listed(folder)
    assert sorted(each.name for each in folder.iterdir()) == [entry["file"], "videos.json"]


def test_an_interruption_leaves_what_was_finished(tmp_path):
    drawn, done = [], []

    def stop():
        drawn.append(1)
        if done and len(drawn) > done[0].num_pictures + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(tmp_path, on_picture=stop, on_video=done.append)
    (entry,) = listed(tmp_path)
    assert entry["file"] == done[0].file.name
    assert sorted(each.name for each in tmp_path.iterdir()) == [entry["file"], "videos.json"]


def test_an_index_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    def full(path, *parts):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index, "write_whole", full)
    with pytest.raises(NotWritten, match=r"videos\.json could not be written: No space left on device\."):
        small(tmp_path)


def test_names_of_files_are_plain_and_different(tmp_path, monkeypatch):
    benchmark = taskworlds.Benchmark("my own/tasks", taskworlds.benchmark("grid-4x4").train_tasks)
    (video,) = record("random", benchmark, tmp_path, choose="first", per="all")
    assert video.file.name == "my_own_tasks.mp4"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"per": "task"}, "per must be one of 'skill', 'episode', 'all', not 'task'"),
        ({"format": "avi"}, "format must be one of 'mp4', 'gif', 'both', not 'avi'"),
        ({"choose": "lucky"}, "choose must be one of 'first'"),
        ({"episodes": 0}, "episodes must be at least 1, not 0"),
        ({"every": 0}, "every must be at least 1, not 0"),
        ({"split": "test"}, "grid-4x4 has no test tasks"),
    ],
)
def test_wrong_arguments_are_told_at_once(tmp_path, monkeypatch, wrong, message):
    monkeypatch.setattr(recording, "play", None)
    with pytest.raises(ValueError, match=message):
        small(tmp_path / "new", **wrong)
    assert not (tmp_path / "new").exists()


def test_worlds_without_success_have_no_failures(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "play", None)
    with pytest.raises(
        ValueError, match="choose must be first, best or worst for half-cheetah-vel, which does not"
    ):
        record("random", "half-cheetah-vel", tmp_path, choose="failure")


@pytest.mark.slow
@pytest.mark.requires_dm_control
@pytest.mark.parametrize(
    "name", ["MT10", "half-cheetah-vel", "ant-goal", "walker2d-rand-params", "cheetah-run"]
)
def test_all_worlds_that_draw(tmp_path, frames, name):
    goals = {"MT10": 1, "half-cheetah-vel": 2, "ant-goal": 2}.get(name)
    videos = record(
        "random", name, tmp_path, choose="best", every=10, max_episode_steps=20, num_goals=goals, width=64,
        height=64, shadows=False,
    )  # fmt: skip
    assert len(videos) == (10 if name == "MT10" else 1)
    for video in videos:
        found = frames(video.file)
        assert len(found) == 3
        assert found[:, :64, :64].std(axis=(1, 2, 3)).min() > 5  # something is seen
