import csv
import json
import math
import os
import pickle

import pytest

from taskworlds import Task
from taskworlds.evaluation import Episode, Fingerprint, Result, TaskRecord


def record(goal, successes, skill="open", error=None, episode_return=1.0):
    episodes = tuple(Episode(episode_return, 5, bool(success), bool(success)) for success in successes)
    return TaskRecord(Task(skill, {"goal": goal}), episodes, error)


def result(*records, **keywords):
    fingerprint = Fingerprint.of([each.task for each in records], protocol="multi-task")
    fields = {"benchmark": "toy", "split": "train", "episodes_per_task": 2, "seed": 0}
    return Result(**fields | keywords, fingerprint=fingerprint, tasks=records)


@pytest.fixture
def mixed():
    return result(
        record(0, [1, 1]),
        record(1, [1, 0]),
        record(2, [0, 0]),
        record(0, [0, 1], skill="close", episode_return=0.1 + 0.2),
        record(1, [1], skill="close", error="OSError: gone, with a comma"),
    )


# --- figures ---


def test_figures_over_all_skills(mixed):
    assert mixed.scores("success_end").tolist() == [1.0, 0.5, 0.0, 0.5]
    assert mixed.overall["success_end"].mean.value == 0.5
    assert mixed.overall["success_end"].iqm.value == 0.5
    assert mixed.overall["length"].mean == (5.0, 5.0, 5.0)


def test_a_task_has_the_weight_of_one_however_many_episodes_it_has():
    uneven = result(record(0, [1]), record(1, [0, 0, 0]))
    assert uneven.overall["success_end"].mean.value == 0.5


def test_skills(mixed):
    opened, closed = mixed.skills
    assert (opened.env_name, opened.num_tasks, opened.num_failed, opened.num_episodes) == ("open", 3, 0, 6)
    assert opened.success_end.value == 0.5
    assert opened.success_end.low < 0.5 < opened.success_end.high
    assert (closed.num_tasks, closed.num_failed, closed.num_episodes) == (2, 1, 2)
    assert closed.success_end.value == 0.5
    assert math.isnan(closed.success_end.low)  # a single task is left, which has no interval


def test_failed_tasks_are_listed_and_in_no_average(mixed):
    assert [each.error for each in mixed.failed] == ["OSError: gone, with a comma"]
    assert math.isnan(mixed.failed[0].mean("success_end"))
    assert len(mixed.completed) == 4
    assert len(mixed.tasks) == 5


def test_unknown_metrics_are_refused(mixed):
    with pytest.raises(ValueError, match="metric must be one of 'success_end', 'success_once'"):
        mixed.scores("success")


def test_repr_is_short(mixed):
    assert repr(mixed).startswith("<Result of toy train: 5 tasks, 1 failed, success 0.500, 95 % interval [0.")


# --- files ---


def test_json_round_trip_is_exact(mixed):
    again = Result.from_json(mixed.to_json())
    assert again == mixed
    assert again.tasks[3].episodes[0].episode_return == 0.1 + 0.2
    assert again.overall == mixed.overall
    assert pickle.loads(pickle.dumps(mixed)) == mixed


def test_episodes_that_diverged_are_kept_in_files_and_are_none_in_files_of_before(mixed):
    odd = result(
        record(0, [1, 1]), TaskRecord(Task("open", {"goal": 1}), (Episode(1.0, 3, True, True, True),))
    )
    assert [each.num_diverged for each in Result.from_json(odd.to_json()).tasks] == [0, 1]
    assert [row["diverged"] for row in csv.DictReader(odd.to_csv().splitlines())] == ["0", "1"]
    data = json.loads(odd.to_json())
    del data["sha256"]
    data["format_version"] = 2
    for each in (episode for task in data["tasks"] for episode in task["episodes"]):
        del each["diverged"]
    assert [each.num_diverged for each in Result.from_json(json.dumps(data)).tasks] == [0, 0]


def test_numbers_that_json_does_not_know():
    odd = result(
        record(0, [1], episode_return=math.inf),
        TaskRecord(Task("open", {"goal": 1}), (Episode(math.nan, 3, None, None),)),
    )
    json.loads(odd.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    again = Result.from_json(odd.to_json())
    assert again.tasks[0] == odd.tasks[0]
    assert math.isnan(again.tasks[1].episodes[0].episode_return)
    assert again.tasks[1].episodes[0].success_end is None


def test_save_and_load(mixed, tmp_path):
    path = tmp_path / "result.json"
    path.write_text("what was here before")
    mixed.save(path)
    assert Result.load(path) == mixed
    assert os.listdir(tmp_path) == ["result.json"]


def test_a_failed_save_leaves_the_old_file(mixed, tmp_path, monkeypatch):
    path = tmp_path / "result.json"
    mixed.save(path)
    before = path.read_text()

    def full(descriptor):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        result(record(0, [1])).save(path)
    assert path.read_text() == before
    assert os.listdir(tmp_path) == ["result.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text[: len(text) // 2],
            r"result.json: This is not a saved Result, or it is only part of one",
        ),
        (
            lambda text: "",
            r"it is only part of one \(Expecting value: line 1 column 1 \(char 0\)\). It starts with ''",
        ),
        (lambda text: "env_name,task_id\n", "not a saved Result, .* It starts with 'env_name,task_id"),
        (
            lambda text: '{"a": 1}',
            """JSON, but not a saved Result: it has no "format": 'taskworlds.Result'""",
        ),
        (lambda text: "[1, 2]", "JSON, but not a saved Result"),
        (
            lambda text: text.replace('"format_version": 4', '"format_version": 5'),
            "has format_version 5, and this version of taskworlds reads 1 to 4",
        ),
        (lambda text: text.replace('"seed"', '"sead"'), "is damaged: 'seed' is missing"),
        (
            lambda text: text.replace('"env_name"', '"env"'),
            "is damaged: A task's JSON is an object",
        ),
        (lambda text: text.replace('"protocol"', '"protokol"'), "is damaged: .*protokol"),
        (
            lambda text: text.replace('"length": 5', '"length": "five"'),
            "is damaged: length must be a whole number, not 'five'",
        ),
        (
            lambda text: text.replace('"length": 5', '"length": -7'),
            "is damaged: length must be at least 1, not -7",
        ),
        (
            lambda text: text.replace('"success_once": true', '"success_once": 1e6'),
            "is damaged: success_once must be one of None, True, False",
        ),
        (
            lambda text: text.replace('"success_once": true', '"success_once": false'),
            "cannot have success_once False",
        ),
        (lambda text: text.replace('"goal": 2', '"goal": 3'), "the tasks are not those of the fingerprint"),
        (lambda text: text.replace('"goal": 2', '"goal": 1'), "the tasks are not those of the fingerprint"),
        (
            lambda text: text.replace('"length": 5', '"length": 6'),
            r"its checksum \(sha256\) does not match its content",
        ),
        (lambda text: text.replace('"return": 1.0', '"return": true'), "return must be a number, not True"),
        (lambda text: text.replace('"seed": 0', '"seed": -1'), "seed must be at least 0"),
        (lambda text: text.replace('"split": "train"', '"split": "dev"'), "split must be one of"),
        (
            lambda text: text.replace('"episodes_per_task": 2', '"episodes_per_task": 1'),
            "A task must have from 1 to 1 episodes, not 2",
        ),
        (
            lambda text: text.replace('"numpy": "', '"numpy": 3, "x": "'),
            "numpy of a fingerprint must be a string",
        ),
        (lambda text: text.replace('"return": 1.0', '"return": ' + "[" * 100_000), "not a saved Result"),
    ],
)
def test_half_written_and_foreign_files_are_told_apart(mixed, tmp_path, change, message):
    path = tmp_path / "result.json"
    path.write_text(change(mixed.to_json()))
    with pytest.raises(ValueError, match=message):
        Result.load(path)


def test_a_file_that_is_no_text_or_missing(tmp_path):
    path = tmp_path / "result.json"
    path.write_bytes(b"\x80\x04\x95\xff")
    with pytest.raises(ValueError, match=r"result.json: This is not a saved Result: it is not text"):
        Result.load(path)
    with pytest.raises(FileNotFoundError):
        Result.load(tmp_path / "none.json")


def test_csv_by_task(mixed):
    rows = list(csv.DictReader(mixed.to_csv().splitlines()))
    assert len(rows) == 5
    assert rows[1] == {
        "env_name": "open",
        "task_id": mixed.tasks[1].task.id,
        "params": '{"goal": 1}',
        "episodes": "2",
        "success_end": "0.5",
        "success_once": "0.5",
        "episode_return": "1.0",
        "length": "5.0",
        "error": "",
        "diverged": "0",
    }
    assert (rows[4]["error"], rows[4]["success_end"]) == ("OSError: gone, with a comma", "")
    assert float(rows[3]["episode_return"]) == 0.1 + 0.2


def test_csv_by_skill(mixed, tmp_path):
    path = tmp_path / "skills.csv"
    mixed.save_csv(path, by="skill")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["env_name"] for row in rows] == ["open", "close"]
    assert float(rows[0]["success_end_low"]) == mixed.skills[0].success_end.low
    assert (rows[1]["tasks"], rows[1]["failed"], rows[1]["success_end"]) == ("2", "1", "0.5")
    assert rows[1]["success_end_high"] == ""
    with pytest.raises(ValueError, match="by must be one of 'task', 'skill', 'world', not 'goal'"):
        mixed.to_csv("goal")


def test_the_interquartile_mean_is_over_skills_never_over_single_successes():
    seen = result(*(record(goal, [goal < 38]) for goal in range(50)), episodes_per_task=1)
    mean, iqm = seen.overall["success_end"]
    assert mean.value == 0.76
    assert math.isnan(iqm.value)  # of one skill there is none
    assert math.isnan(seen.overall["episode_return"].iqm.value)
    wins = {"a": 0, "b": 1, "c": 2, "d": 10}
    skills = result(*(record(goal, [goal < won], name) for name, won in wins.items() for goal in range(10)))
    mean, iqm = skills.overall["success_end"]
    assert (mean.value, iqm.value) == (pytest.approx(0.325), pytest.approx(0.15))
    assert math.isnan(iqm.low)
    one_goal = result(*(record(0, [won > 0], name) for name, won in wins.items()))
    assert math.isnan(one_goal.overall["success_end"].iqm.value)
    assert one_goal.overall["success_end"].mean.value == 0.75


def test_skills_have_equal_weight_overall():
    uneven = result(*(record(goal, [1]) for goal in range(9)), record(0, [0], skill="close"))
    assert uneven.overall["success_end"].mean.value == 0.5
    assert uneven.overall["success_end"].mean.low < 0.2  # half of the figure rests on one goal


def test_success_has_wilsons_interval():
    seen = result(*(record(goal, [goal < 45]) for goal in range(50)))
    assert seen.overall["success_end"].mean == pytest.approx((0.9, 0.781338, 0.957749), abs=1e-6)
    assert seen.skills[0].success_end == seen.overall["success_end"].mean
    perfect = result(*(record(goal, [1]) for goal in range(50)), seed=5)
    assert perfect.overall["success_end"].mean == pytest.approx((1.0, 0.925268, 1.0), abs=1e-6)


def test_worst_skills(mixed):
    wins = {"a": 4, "b": 1, "c": 3, "d": 0}
    skills = result(*(record(goal, [goal < won], name) for name, won in wins.items() for goal in range(4)))
    assert skills.worst(2) == (0.125, ("d", "b"), (0.0, 0.25))
    assert skills.worst(1, "episode_return").value == 1.0
    assert skills.worst_in_words == "worst 3 skills 0.333"
    assert mixed.worst_in_words == "worst skill 0.500"
    assert result(record(0, [1])).worst_in_words == ""
    with pytest.raises(ValueError, match="k must be at most 4, not 5"):
        skills.worst(5)
    with pytest.raises(
        ValueError, match="metric must be one of 'success_end', 'success_once', 'episode_return'"
    ):
        skills.worst(1, "length")
    silent = result(TaskRecord(Task("open", {"goal": 0}), (Episode(1.0, 5, None, None),)))
    assert math.isnan(silent.worst(1).value)
    assert silent.worst(1, "episode_return").env_names == ("open",)
