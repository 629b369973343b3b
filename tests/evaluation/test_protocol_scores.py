"""Evaluation by a protocol, and the score of a list as its authors compute it."""

import numpy as np
import pytest

import taskworlds
from taskworlds import Task, evaluate
from taskworlds.evaluation import Episode, Fingerprint, Pooled, Result, TaskRecord, expert_policy


def result(protocol, *records):
    tasks = tuple(TaskRecord(task, tuple(episodes)) for task, episodes in records)
    return Result(
        "list", "train", 2, 0, Fingerprint.of([each.task for each in tasks], protocol=protocol), tasks
    )


def goal(name, x):
    return Task(name, {"rand_vec": (x, 0.7, 0.02, 0.0, 0.9, 0.1), "partially_observable": False})


WON, LOST = Episode(50.0, 100, True, True), Episode(20.0, 100, True, False)  # both succeeded once
RECORDS = (
    (goal("push-v3", 0.0), [WON, LOST]),
    (goal("push-v3", 0.1), [LOST, LOST]),
    (goal("reach-v3", 0.0), [WON, WON]),
    (Task("cheetah-run"), [Episode(500.0, 500, None, None), Episode(700.0, 500, None, None)]),
)


def test_the_score_of_a_list():
    """Success at the end times 100, returns divided by 10, and the mean over skills, not over goals."""
    made = result("multi-task, protocol tdmpc2, goals drawn anew", *RECORDS)
    assert made.score("tdmpc2").value == pytest.approx((25.0 + 100.0 + 60.0) / 3)
    assert result("multi-task, protocol newt", *RECORDS).score("newt").value == pytest.approx(
        (0.25 + 1.0 + 0.6) / 3
    )


def test_results_of_several_worlds_make_one_score():
    one, other = (
        result("multi-task, protocol tdmpc2", *RECORDS[:3]),
        result("multi-task, protocol tdmpc2", RECORDS[3]),
    )
    assert one.score("tdmpc2").value == pytest.approx(62.5)
    assert one.score("tdmpc2", other).value == pytest.approx((25.0 + 100.0 + 60.0) / 3)


def test_no_skill_counts_twice():
    """The interval of a result beside itself was narrower than its own."""
    one = result("multi-task, protocol tdmpc2", *RECORDS[1:])
    again = result("multi-task, protocol tdmpc2", RECORDS[0])
    for others in ((one,), (again,), (again, again)):
        with pytest.raises(ValueError, match="is in two of the results: it would count twice"):
            one.score("tdmpc2", *others)
    pooled = Pooled(runs=(one, one), name="a")
    with pytest.raises(ValueError, match="push-v3 is in two of the results"):
        pooled.score("tdmpc2", Pooled(runs=(again, again), name="b"))


def test_what_was_played_otherwise_has_no_such_score():
    with pytest.raises(
        ValueError, match=r"needs a result of evaluate\(..., protocol='tdmpc2'\).*: multi-task"
    ):
        result("multi-task", *RECORDS).score("tdmpc2")
    newt = result("multi-task, protocol newt", *RECORDS)
    with pytest.raises(ValueError, match="protocol newt"):
        newt.score("tdmpc2")
    with pytest.raises(ValueError, match="protocol newt"):
        result("multi-task, protocol tdmpc2", *RECORDS).score("tdmpc2", newt)
    with pytest.raises(ValueError, match="name must be one of 'tdmpc2', 'newt'"):
        newt.score("dreamer")
    with pytest.raises(ValueError, match="defined for skills of Meta-World and dm_control, not for point"):
        result("multi-task, protocol newt", (Task("point", {"goal": (0.0, 0.1)}), [WON])).score("newt")


def test_evaluate_by_a_protocol():
    how = {"num_goals": 4, "seed": 3, "protocol": "tdmpc2"}
    played = evaluate(expert_policy(), "reach-v3", **how)
    assert played.fingerprint.protocol == (
        "multi-task, protocol tdmpc2, actions repeated 2 times (success: last), goals drawn anew"
    )
    assert (played.fingerprint.max_episode_steps, played.fingerprint.terminate_on_success) == (100, False)
    assert {episode.length for record in played.tasks for episode in record.episodes} == {100}
    tasks = [record.task for record in played.tasks]
    assert len(set(tasks)) == 4
    assert not set(tasks) & set(taskworlds.benchmark("reach-v3", seed=3, num_goals=4).train_tasks)
    assert [record.task for record in evaluate("random", "reach-v3", **how).tasks] == tasks
    assert played.score("tdmpc2").value == pytest.approx(100 * played.overall["success_end"].mean.value)
    assert Result.from_json(played.to_json()).score("tdmpc2") == played.score("tdmpc2")


def test_evaluate_with_repeated_actions_and_new_goals():
    plain = evaluate(
        "random", "reach-v3", num_goals=2, seed=0, max_episode_steps=3, terminate_on_success=False
    )
    other = evaluate(
        "random",
        "reach-v3",
        num_goals=2,
        seed=0,
        max_episode_steps=3,
        terminate_on_success=False,
        action_repeat=2,
        unlimited_goals=True,
    )
    assert plain.fingerprint.protocol == "multi-task"
    assert other.fingerprint.protocol == (
        "multi-task, actions repeated 2 times (success: any), goals drawn anew"
    )
    assert not {each.task for each in plain.tasks} & {each.task for each in other.tasks}
    means = [np.mean([each.mean("episode_return") for each in made.tasks]) for made in (plain, other)]
    assert means[1] > 1.5 * means[0]
    with pytest.raises(ValueError, match="terminate_on_success=True contradicts protocol='newt'"):
        evaluate("random", "reach-v3", num_goals=1, protocol="newt", terminate_on_success=True)
    with pytest.raises(ValueError, match="has no fresh_task"):
        evaluate("random", "point", unlimited_goals=True)
    with pytest.raises(ValueError, match="protocol must be one of None, 'tdmpc2', 'newt'"):
        evaluate("random", "reach-v3", protocol="dreamer")


def test_the_score_of_successes_alone_has_the_interval_of_the_success():
    result = taskworlds.evaluate("expert", "MT10", protocol="tdmpc2", num_goals=1)
    score, success = result.score("tdmpc2"), result.overall["success_end"].mean
    assert score == pytest.approx([100 * each for each in success])
    assert score.low < score.value
