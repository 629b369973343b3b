"""Minari's real library reads what was written, and its environment plays the episodes again."""

from __future__ import annotations

import os

import numpy as np
import pytest

import taskworlds
from taskworlds.demonstrations import Cameras, collect, write_minari
from taskworlds.demonstrations.minari_data import check_minari

minari = pytest.importorskip("minari", reason="Minari is for Python 3.11 and later")
pytest.importorskip("h5py")


@pytest.fixture(autouse=True)
def datasets(tmp_path, monkeypatch):
    """The folder in which Minari looks for data sets."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


def metadata_of(dataset):
    return list(dataset.storage.get_episode_metadata(range(dataset.total_episodes)))


@pytest.mark.parametrize("data_format", ["hdf5", "arrow", "parquet"])
@pytest.mark.parametrize("given", ["reach", "cheetah"])
def test_minari_reads_what_was_collected(given, data_format, request):
    found = request.getfixturevalue(given)
    folder = write_minari(found, "demos/some-v3", data_format=data_format)
    assert folder.parts[-2:] == ("demos", "some-v3")
    dataset = minari.load_dataset("demos/some-v3")
    assert (dataset.total_episodes, dataset.total_steps) == (len(found.episodes), found.num_steps)
    assert dataset.observation_space == found.observation_space
    assert dataset.action_space == found.action_space
    for each, kept, about in zip(
        found.episodes, dataset.iterate_episodes(), metadata_of(dataset), strict=True
    ):
        recording, steps = each.recording, each.episode.length
        assert kept.observations.dtype == found.observation_space.dtype
        assert kept.actions.dtype == found.action_space.dtype
        np.testing.assert_array_equal(kept.observations, recording.observations)
        np.testing.assert_array_equal(kept.actions, recording.actions)
        np.testing.assert_array_equal(kept.rewards, recording.rewards)
        assert len(kept.observations) == steps + 1
        assert kept.terminations.tolist() == [False] * (steps - 1) + [recording.terminated]
        assert kept.truncations.tolist() == [False] * (steps - 1) + [recording.truncated]
        assert type(about["seed"]) is int
        assert about["seed"] == each.seed
        assert about["options"] == {"task": each.task.to_json(), "instruction": each.instruction}
        if given == "reach":
            assert list(kept.infos) == ["success"]
            np.testing.assert_array_equal(kept.infos["success"][:, 0], [np.nan, *recording.success])
        else:
            assert not kept.infos


@pytest.mark.parametrize("given", ["reach", "point", "cheetah"])
def test_the_recovered_environment_plays_the_episodes_again(given, request, check_same_episode):
    write_minari(request.getfixturevalue(given), "demos/some-v0")
    dataset = minari.load_dataset("demos/some-v0")
    env = dataset.recover_environment()
    for kept, about in zip(dataset.iterate_episodes(), metadata_of(dataset), strict=True):
        task = taskworlds.Task.from_json(about["options"]["task"])
        check_same_episode(env, about["seed"], task, kept.observations, kept.actions, kept.rewards)


def test_what_the_metadata_says(point):
    write_minari(point)
    dataset = minari.load_dataset("taskworlds/point-north_east-v0")
    metadata = dataset.storage.metadata
    assert metadata["algorithm_name"].endswith(":north_east")
    assert "point: Come close to the goal." in metadata["description"]
    assert metadata["requirements"] == [f"taskworlds>={taskworlds.__version__}", f"numpy=={np.__version__}"]
    assert metadata["taskworlds"]["skills"][0]["kept"] == 3
    assert metadata["taskworlds"]["run"]["engine"] == "numpy"
    assert not {"started", "seconds", "command"} & set(metadata["taskworlds"]["run"])
    assert dataset.env_spec.kwargs == {
        "benchmark": "point",
        "seed": 0,
        "split": "train",
        "terminate_on_success": True,
    }


def test_a_benchmark_that_is_an_object_has_no_recipe():
    """Its tasks stand in the episodes' options all the same."""
    benchmark = taskworlds.benchmark("point", seed=0, num_goals=2)
    write_minari(collect("random", benchmark, episodes=1, max_episode_steps=2), "demos/some-v0")
    with pytest.raises(ValueError, match="env_spec is None"):
        minari.load_dataset("demos/some-v0").recover_environment()


def test_a_folder_beside_the_program(point, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert write_minari(point, "demos/some-v0", root="near") == tmp_path / "near" / "demos" / "some-v0"


def test_namespaces(point):
    write_minari(point, "own/more/some-v0")
    assert list(minari.list_local_datasets()) == ["own/more/some-v0"]
    assert sorted(minari.namespace.list_local_namespaces()) == ["own", "own/more"]
    minari.namespace.update_namespace_metadata("own", description="kept")
    write_minari(point, "own/more/some-v1")
    assert minari.namespace.get_namespace_metadata("own") == {"description": "kept"}


def test_pictures_are_written_in_parts(cheetah, monkeypatch):
    monkeypatch.setattr("taskworlds.demonstrations.minari_data._TOGETHER", 1)
    told = []
    with Cameras(cheetah.plan, ["default"], width=32, height=32) as cameras:
        write_minari(cheetah, "demos/seen-v0", cameras=cameras, on_episode=lambda *each: told.append(each))
        write_minari(cheetah, "demos/jpeg-v0", cameras=cameras, jpeg_encoding=True)
        drawn = [cameras.pictures(each)["default"] for each in cheetah.episodes]
    assert told == [(1, 2), (2, 2)]
    seen, jpeg = minari.load_dataset("demos/seen-v0"), minari.load_dataset("demos/jpeg-v0")
    assert seen.observation_space["images"]["default"].shape == (32, 32, 3)
    assert [each["seed"] for each in metadata_of(seen)] == [each.seed for each in cheetah.episodes]
    for each, pictures, kept, near in zip(cheetah.episodes, drawn, seen, jpeg, strict=True):
        np.testing.assert_array_equal(kept.observations["state"], each.recording.observations)
        np.testing.assert_array_equal(kept.observations["images"]["default"], pictures)
        difference = near.observations["images"]["default"].astype(int) - pictures
        assert 0 < np.abs(difference).mean() < 16


def test_equal_seeds_give_equal_files(tmp_path, contents):
    def written(name, seed):
        found = collect("random", "point", episodes=2, seed=seed, max_episode_steps=3)
        return contents(write_minari(found, "demos/some-v0", root=tmp_path / name))

    assert written("a", 0) == written("b", 0)
    assert written("c", 1) != written("a2", 0)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(28, "No space left on device"), OSError),
        (RuntimeError("Unable to flush file's cached information"), OSError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failure_leaves_nothing(error, raised, point, datasets, monkeypatch):
    from minari.dataset._storages.hdf5_storage import HDF5Storage

    def fail(self, episodes):
        raise error

    monkeypatch.setattr(HDF5Storage, "update_episodes", fail)
    with pytest.raises(raised, match="No space|Unable to flush" if raised is OSError else None):
        write_minari(point, "demos/some-v0")
    assert list(datasets.iterdir()) == []
    assert os.environ["MINARI_DATASETS_PATH"] == str(datasets)


def test_a_data_set_is_replaced_only_if_that_is_wanted(point, reach, datasets):
    write_minari(point, "demos/some-v0")
    with pytest.raises(ValueError, match=r"dataset_id must be new in .*, but demos/some-v0 is there already"):
        write_minari(reach, "demos/some-v0")
    write_minari(reach, "demos/some-v0", force=True)
    assert minari.load_dataset("demos/some-v0").total_steps == reach.num_steps
    assert sorted(each.name for each in datasets.rglob("*") if ".part" in each.name) == []


@pytest.mark.parametrize(
    "dataset_id", ["demos/some", "x/some-v0", "a.b/some-v0", "demos/so me-v0", "/some-v0", 3]
)
def test_an_id_has_a_version_and_no_strange_letters(dataset_id):
    with pytest.raises(
        ValueError, match="dataset_id must be a name of letters, digits, - and _ that ends in a"
    ):
        check_minari(dataset_id)


def test_mistakes(point, tmp_path):
    with pytest.raises(TypeError, match=r"cameras must be taskworlds.demonstrations.Cameras\(plan, names\)"):
        write_minari(point, cameras=["corner2"])
    with pytest.raises(ValueError, match="data_format must be one of 'hdf5', 'arrow', 'parquet', not 'csv'"):
        write_minari(point, data_format="csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="root must be a folder that can be written to"):
        write_minari(point, root=tmp_path / "file")
    empty = collect("expert", "reach-v3", episodes=1, only_successes=True, num_goals=1, max_episode_steps=1)
    with pytest.raises(ValueError, match="demonstrations must have at least one episode"):
        write_minari(empty)
