import pytest

from taskworlds import Task
from taskworlds.evaluation import Episode, Fingerprint, Provenance, Result, TaskRecord, pool
from taskworlds.evaluation.methods import load_method, load_methods


def result(number, **changes):
    records = tuple(
        TaskRecord(Task("open", {"goal": goal}), (Episode(1.0, 5, goal > number, goal > number),))
        for goal in range(4)
    )
    fingerprint = Fingerprint.of([record.task for record in records], protocol="multi-task", **changes)
    return Result("toy", "train", 1, 0, fingerprint, records, Provenance("agent", started=f"run {number}"))


def save(folder, number, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    result(number, **changes).save(folder / "result.json")
    return folder


def test_a_file_and_a_folder_with_one_result_are_one_run(tmp_path):
    folder = save(tmp_path / "ppo", 1)
    for path in (folder, folder / "result.json", str(folder)):
        method = load_method(path)
        assert (method.name, method.runs) == ("ppo", (result(1),))
    result(2).save(tmp_path / "sac.json")
    assert load_method(tmp_path / "sac.json").name == "sac"
    assert load_method(folder, "mine").name == "mine"


def test_a_folder_of_folders_has_several_runs_in_order(tmp_path):
    for number in (10, 9, 1):
        save(tmp_path / "ppo" / f"seed{number}", number)
    (tmp_path / "ppo" / "figures").mkdir()
    method = load_method(tmp_path / "ppo")
    assert [run.provenance.started for run in method.runs] == ["run 1", "run 9", "run 10"]
    assert (method.name, method.over) == ("ppo", "runs")


def test_an_evaluation_that_was_stopped_is_no_run(tmp_path):
    runs = tmp_path / "ppo"
    save(runs / "seed1", 1)
    (runs / "seed2").mkdir()
    (runs / "seed2" / "episodes.jsonl").write_text("{}\n")
    message = r"{0} has no result\.json yet, .* `taskworlds evaluate --config {0}/run\.toml --out {0} --resume` plays"
    for path in (runs, runs / "seed2"):
        with pytest.raises(ValueError, match=message.format(runs / "seed2")):
            load_method(path)
    save(runs / "seed2", 2)  # with its episodes, whose actions were kept
    assert len(load_method(runs).runs) == 2


def test_a_file_of_pooled_runs_is_a_method(tmp_path):
    pooled = pool([result(1), result(2)], "ours")
    pooled.save(tmp_path / "both.json")
    assert load_method(tmp_path / "both.json").runs == pooled.runs


def test_what_is_not_clear_or_not_there(tmp_path):
    save(tmp_path / "ppo" / "seed1", 1)
    save(tmp_path / "ppo", 2)
    with pytest.raises(ValueError, match=r"and so do 1 folders in it, the first seed1: it is not clear"):
        load_method(tmp_path / "ppo")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"No such file, and no folder in .*empty holds one"):
        load_method(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"none.json cannot be read: No such file"):
        load_method(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\x80\x04\x95\xff")
    with pytest.raises(ValueError, match=r"bytes.json: This is not a saved Result"):
        load_method(tmp_path / "bytes.json")


def test_runs_must_be_alike_and_different(tmp_path):
    save(tmp_path / "ppo" / "1", 1)
    save(tmp_path / "ppo" / "2", 2, max_episode_steps=7)
    with pytest.raises(ValueError, match="They differ in max_episode_steps: None and 7"):
        load_method(tmp_path / "ppo")
    assert len(load_method(tmp_path / "ppo", allow_different=True).runs) == 2
    save(tmp_path / "ppo" / "2", 1)
    with pytest.raises(ValueError, match="numbers 0 and 1 are the same result"):
        load_method(tmp_path / "ppo")


def test_names_are_made_unlike(tmp_path, monkeypatch):
    places = [save(tmp_path / name, number) for number, name in enumerate(("x/ppo", "y/ppo", "sac"))]
    assert [each.name for each in load_methods(places)] == ["x/ppo", "y/ppo", "sac"]
    assert [each.name for each in load_methods(places[1:])] == ["ppo", "sac"]
    assert [each.name for each in load_methods([places[0]] * 2)] == ["ppo", "ppo (2)"]
    monkeypatch.chdir(tmp_path / "x")
    assert [each.name for each in load_methods(["ppo", "../sac", "ppo/result.json"])][1] == "sac"
    monkeypatch.chdir(tmp_path / "x" / "ppo")
    assert load_method(".").name == "ppo"
