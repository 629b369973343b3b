"""The layout of LeRobot's data sets, held with pyarrow and PyAV alone. docs/demonstrations.md says what has read it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from taskworlds.core.world import World
from taskworlds.demonstrations import Cameras, Plan, collect, write_lerobot
from taskworlds.demonstrations.lerobot_data import check_lerobot
from taskworlds.demonstrations.lerobot_statistics import of_numbers

av = pytest.importorskip("av")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

DATA = "data/chunk-000/file-000.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
VIDEO = "videos/observation.images.default/chunk-000/file-000.mp4"


def read_json(folder, name):
    return json.loads((folder / "meta" / name).read_text())


@pytest.fixture(scope="module")
def of_reach(reach, tmp_path_factory):
    return write_lerobot(reach, tmp_path_factory.mktemp("lerobot") / "reach")


@pytest.fixture(scope="module")
def of_point(point, tmp_path_factory):
    """With pictures."""
    with Cameras(point.plan, ["default"]) as cameras:
        return write_lerobot(point, tmp_path_factory.mktemp("lerobot") / "point", fps=10, cameras=cameras)


def test_info(of_reach, reach):
    info = read_json(of_reach, "info.json")
    features = info.pop("features")
    assert info == {
        "codebase_version": "v3.0",
        "robot_type": "metaworld",
        "total_episodes": 3,
        "total_frames": reach.num_steps,
        "total_tasks": 1,
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": 80,
        "splits": {"train": "0:3"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": None,
    }
    assert {name: (each["dtype"], each["shape"]) for name, each in features.items()} == {
        "observation.state": ("float32", [4]),
        "observation.environment_state": ("float32", [39]),
        "action": ("float32", [4]),
        "next.reward": ("float32", [1]),
        "next.success": ("bool", [1]),
        "next.done": ("bool", [1]),
        "next.truncated": ("bool", [1]),
        "skill": ("string", [1]),
        "task_id": ("string", [1]),
        "timestamp": ("float32", [1]),
        "frame_index": ("int64", [1]),
        "episode_index": ("int64", [1]),
        "index": ("int64", [1]),
        "task_index": ("int64", [1]),
    }
    assert features["observation.state"]["names"] == [
        "hand_position_0",
        "hand_position_1",
        "hand_position_2",
        "gripper_opening",
    ]
    assert len(set(features["observation.environment_state"]["names"])) == 39


def test_the_kinds_of_columns(of_reach):
    schema = pq.read_schema(of_reach / DATA)
    assert schema.field("observation.state").type == pa.list_(pa.float32(), 4)
    assert schema.field("observation.environment_state").type == pa.list_(pa.float32(), 39)
    assert schema.field("action").type == pa.list_(pa.float32(), 4)
    plain = {"next.reward": pa.float32(), "next.success": pa.bool_(), "task_id": pa.string()}
    plain |= {"timestamp": pa.float32(), "task_index": pa.int64(), "episode_index": pa.int64()}
    assert {name: schema.field(name).type for name in plain} == plain


def test_frames(of_reach, reach):
    """A frame has what was observed before the step; what was observed after the last one has no place."""
    table = pq.read_table(of_reach / DATA).to_pydict()
    file = pq.ParquetFile(of_reach / DATA)
    assert file.num_row_groups == 3
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"
    assert table["index"] == list(range(reach.num_steps))
    begin = 0
    for number, each in enumerate(reach.episodes):
        recording, steps = each.recording, each.episode.length
        rows = slice(begin, begin + steps)
        observed = recording.observations[:-1].astype(np.float32)
        np.testing.assert_array_equal(table["observation.environment_state"][rows], observed)
        np.testing.assert_array_equal(table["observation.state"][rows], observed[:, :4])
        np.testing.assert_array_equal(table["action"][rows], recording.actions)
        np.testing.assert_array_equal(table["next.reward"][rows], recording.rewards.astype(np.float32))
        assert table["next.success"][rows] == (recording.success > 0).tolist()
        assert table["next.done"][rows] == [False] * (steps - 1) + [True]
        assert table["next.truncated"][rows] == [False] * (steps - 1) + [recording.truncated]
        assert table["frame_index"][rows] == list(range(steps))
        assert table["episode_index"][rows] == [number] * steps
        assert set(table["skill"][rows]) == {"reach-v3"}
        assert set(table["task_id"][rows]) == {each.task.id}
        times = np.float32(np.arange(steps) / 80)
        np.testing.assert_array_equal(np.float32(table["timestamp"][rows]), times)
        begin += steps


def test_episodes(of_reach, reach):
    rows = pq.read_table(of_reach / EPISODES).to_pylist()
    begin = 0
    for number, (row, each) in enumerate(zip(rows, reach.episodes, strict=True)):
        steps = each.episode.length
        assert row["episode_index"] == number
        assert row["tasks"] == ["Move the gripper to the goal."]
        assert (row["length"], row["dataset_from_index"], row["dataset_to_index"]) == (
            steps,
            begin,
            begin + steps,
        )
        assert [
            row[f"{kind}/{place}_index"] for kind in ("data", "meta/episodes") for place in ("chunk", "file")
        ] == [0] * 4
        for name, values in of_numbers(each.recording.actions).items():
            assert row[f"stats/action/{name}"] == values
        assert "stats/task_id/min" not in row
        begin += steps


def test_statistics_of_all_frames(of_reach):
    found = read_json(of_reach, "stats.json")
    table = pq.read_table(of_reach / DATA).to_pydict()
    assert set(found) == set(table) - {"skill", "task_id"}
    for name in ("action", "next.reward", "next.success", "timestamp", "index"):
        expected = of_numbers(np.array(table[name]))
        assert set(found[name]) == set(expected)
        for each, values in expected.items():
            np.testing.assert_allclose(found[name][each], values, rtol=1e-6)


def test_tasks_are_the_index_of_pandas(of_reach):
    table = pq.read_table(of_reach / "meta" / "tasks.parquet")
    assert table.to_pydict() == {"task_index": [0], "task": ["Move the gripper to the goal."]}
    assert table.schema.pandas_metadata["index_columns"] == ["task"]
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(of_reach / "meta" / "tasks.parquet")
    assert frame.loc["Move the gripper to the goal."].task_index == 0
    assert list(frame.columns) == ["task_index"]


def test_texts_tell_the_skills_apart(tmp_path, monkeypatch):
    """Also where two skills have the same words, as two of Meta-World's in other data sets."""
    monkeypatch.setattr(World, "instruction", lambda self, name: "Push the puck.")
    tasks = [
        task for name in ("push-v3", "push-back-v3") for task in Plan.of("random", name, episodes=1).tasks[:1]
    ]
    folder = write_lerobot(collect("random", tasks, episodes=1, max_episode_steps=2), tmp_path / "out")
    assert pq.read_table(folder / "meta" / "tasks.parquet")["task"].to_pylist() == [
        "Push the puck (push-v3).",
        "Push the puck (push-back-v3).",
    ]
    assert pq.read_table(folder / DATA)["task_index"].to_pylist() == [0, 0, 1, 1]
    assert read_json(folder, "info.json")["total_tasks"] == 2


def test_what_lerobot_has_no_place_for(of_reach, reach):
    about = read_json(of_reach, "taskworlds.json")
    assert about["benchmark"] == "ML1-reach-v3"
    for each, kept in zip(about["episodes"], reach.episodes, strict=True):
        assert (each["seed"], each["task_id"], each["task"]["env_name"]) == (
            kept.seed,
            kept.task.id,
            "reach-v3",
        )
        assert each["return"] == kept.episode.episode_return


def test_a_world_whose_parts_have_no_owner_and_no_success(cheetah, tmp_path):
    folder = write_lerobot(cheetah, tmp_path / "out", fps=20)
    features = read_json(folder, "info.json")["features"]
    assert features["observation.state"]["shape"] == [17]
    assert not {"observation.environment_state", "next.success"} & set(features)


def decoded(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            (frame.pts * stream.time_base, frame.to_ndarray(format="rgb24"))
            for frame in container.decode(stream)
        ]


def test_videos_have_a_picture_for_each_frame_at_its_time(of_point, point):
    frames = decoded(of_point / VIDEO)
    assert len(frames) == point.num_steps
    assert [float(time) for time, _ in frames] == [number / 10 for number in range(point.num_steps)]
    with Cameras(point.plan, ["default"]) as cameras:
        drawn = np.concatenate([cameras.pictures(each)["default"][:-1] for each in point.episodes])
    error = np.mean((np.stack([frame for _, frame in frames]).astype(float) - drawn) ** 2)
    assert 10 * np.log10(255**2 / error) > 25
    rows = pq.read_table(of_point / EPISODES).to_pylist()
    key = "videos/observation.images.default"
    begin = 0
    for row in rows:
        assert row[f"{key}/from_timestamp"] == begin / 10
        begin += row["length"]
        assert row[f"{key}/to_timestamp"] == begin / 10
        assert np.shape(row["stats/observation.images.default/mean"]) == (3, 1, 1)


def test_videos_in_info(of_point):
    info = read_json(of_point, "info.json")
    assert (info["fps"], info["video_path"]) == (
        10,
        "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
    )
    feature = info["features"]["observation.images.default"]
    assert (feature["dtype"], feature["shape"]) == ("video", [400, 400, 3])
    assert feature["names"] == ["height", "width", "channels"]
    with av.open(str(of_point / VIDEO)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 10
    said = feature["info"]
    assert (said["video.codec"], said["video.pix_fmt"], said["video.fps"]) == ("h264", "yuv420p", 10)
    assert (said["has_audio"], said["is_depth_map"]) == (False, False)
    assert "observation.images.default" not in pq.read_schema(of_point / DATA).names
    assert np.shape(read_json(of_point, "stats.json")["observation.images.default"]["q50"]) == (3, 1, 1)


def test_files_are_of_a_limited_size(point, tmp_path, monkeypatch):
    monkeypatch.setattr("taskworlds.demonstrations.lerobot_tables._MOST_BYTES", 1)
    monkeypatch.setattr("taskworlds.demonstrations.lerobot_video._MOST_BYTES", -1)
    monkeypatch.setattr("taskworlds.demonstrations.lerobot_data._FILES_IN_CHUNK", 2)
    with Cameras(point.plan, ["default"]) as cameras:
        folder = write_lerobot(point, tmp_path / "out", cameras=cameras)
    files = ["chunk-000/file-000", "chunk-000/file-001", "chunk-001/file-000"]
    for kind, key in (("data", "data"), ("videos/observation.images.default",) * 2):
        end = "parquet" if kind == "data" else "mp4"
        found = sorted(str(path.relative_to(folder / kind)) for path in (folder / kind).rglob("*.*"))
        assert found == [f"{file}.{end}" for file in files]
        rows = pq.read_table(folder / EPISODES).to_pylist()
        assert [(row[f"{key}/chunk_index"], row[f"{key}/file_index"]) for row in rows] == [
            (0, 0),
            (0, 1),
            (1, 0),
        ]
    for row, file in zip(rows, files, strict=True):
        assert row["videos/observation.images.default/from_timestamp"] == 0.0
        assert len(decoded(folder / "videos/observation.images.default" / f"{file}.mp4")) == row["length"]


def test_equal_seeds_give_equal_files(tmp_path, contents):
    def written(name, seed):
        found = collect("random", "point", episodes=2, seed=seed, max_episode_steps=3)
        with Cameras(found.plan, ["default"]) as cameras:
            return contents(write_lerobot(found, tmp_path / name, cameras=cameras))

    assert written("a", 0) == written("b", 0)
    assert written("c", 1) != written("d", 0)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there(error, point, reach, tmp_path, monkeypatch, contents):
    folder = write_lerobot(reach, tmp_path / "out")
    before = contents(tmp_path)

    def fail(*_):
        raise error

    monkeypatch.setattr("taskworlds.demonstrations.lerobot_data.write_tasks", fail)
    for each in ("out", "new"):
        with pytest.raises(type(error)):
            write_lerobot(point, tmp_path / each, force=True)
    assert contents(tmp_path) == before
    monkeypatch.undo()
    with pytest.raises(
        ValueError, match=r"already holds a LeRobot data set\. Give another folder, or force=True"
    ):
        write_lerobot(point, folder)
    write_lerobot(point, folder, force=True)
    assert read_json(folder, "info.json")["total_frames"] == point.num_steps
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_something_else_is_never_replaced(point, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ValueError, match=r"already holds something else\. Give another folder\.$"):
        write_lerobot(point, tmp_path, force=True)
    assert (tmp_path / "thesis.tex").exists()
    (tmp_path / "new").mkdir()
    assert write_lerobot(point, tmp_path / "new") == tmp_path / "new"


def test_mistakes(point, tmp_path):
    plan = Plan.of("expert", "reach-v3", episodes=1)
    with (
        Cameras(plan, ["corner"], width=15, height=16) as cameras,
        pytest.raises(
            ValueError, match="pictures of even width and height for videos, but corner draws 15 x 16"
        ),
    ):
        check_lerobot(plan, tmp_path / "out", cameras=cameras)
    with pytest.raises(
        ValueError, match=r"observations that are vectors of numbers, which Discrete\(16\) of grid-4x4"
    ):
        check_lerobot(Plan.of("random", "grid-4x4", episodes=1), tmp_path / "out")
    with pytest.raises(ValueError, match="fps must be at least 1, not 0"):
        write_lerobot(point, tmp_path / "out", fps=0)
    with pytest.raises(TypeError, match=r"fps must be a whole number, not 12\.5"):
        write_lerobot(point, tmp_path / "out", fps=12.5)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="out must be a folder that can be written to"):
        write_lerobot(point, tmp_path / "file" / "out")
