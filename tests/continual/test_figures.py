"""The figures of continual learning against numbers worked out by hand, and the records of runs."""

from __future__ import annotations

import dataclasses
import math

import pytest

from taskworlds.continual import LearningRun, forgetting, forward_transfer, performance

STEPS = (50, 100, 150, 200)
RUN = LearningRun(("a", "b"), 100, STEPS, ((0.2, 0.0), (0.8, 0.1), (0.6, 0.5), (0.4, 0.9)))
BETTER = LearningRun(("a", "b"), 100, STEPS, ((0.4, 0.0), (1.0, 0.1), (0.8, 0.7), (0.6, 0.9)))


def alone(skill, *rates):
    return LearningRun((skill,), 100, (50, 100), tuple((rate,) for rate in rates))


def test_which_task_an_evaluation_belongs_to():
    assert RUN.trained.tolist() == [0, 0, 1, 1]
    assert RUN.during(1).tolist() == [0.5, 0.9]
    assert RUN.at_end(2).tolist() == [[0.6, 0.5], [0.4, 0.9]]
    assert RUN.is_whole
    assert not LearningRun(("a", "b"), 100, STEPS[:3], RUN.success[:3]).is_whole


def test_performance_is_the_mean_over_the_last_evaluations_tasks_and_runs():
    assert performance([RUN], last=2).value == pytest.approx((0.6 + 0.5 + 0.4 + 0.9) / 4)
    assert performance([RUN], last=1).value == pytest.approx(0.65)
    assert performance([RUN, BETTER], last=1).value == pytest.approx((0.65 + 0.75) / 2)


def test_forgetting_counts_the_last_task_as_nothing():
    assert forgetting([RUN], last=1).value == pytest.approx((0.8 - 0.4 + 0.0) / 2)
    assert forgetting([RUN], last=2).value == pytest.approx((0.5 - 0.5 + 0.0) / 2)
    kept = dataclasses.replace(RUN, success=(*RUN.success[:3], (1.0, 0.9)))
    assert forgetting([kept], last=1).value == pytest.approx(-0.1)


def test_forward_transfer_is_a_ratio_of_means_over_runs():
    baselines = {
        "a": [alone("a", 0.0, 0.4), alone("a", 0.2, 0.6)],
        "b": [alone("b", 0.0, 0.8), alone("b", 0.2, 0.2)],
    }
    found = forward_transfer([RUN, BETTER], baselines)
    a, b = (0.5 + 0.7) / 2, (0.7 + 0.8) / 2
    alone_a, alone_b = (0.2 + 0.4) / 2, (0.4 + 0.2) / 2
    assert found.value == pytest.approx(((a - alone_a) / (1 - alone_a) + (b - alone_b) / (1 - alone_b)) / 2)
    assert found.low < found.value < found.high
    assert math.isnan(forward_transfer([RUN], baselines).low)
    more = baselines | {
        "a": [*baselines["a"], alone("a", 1.0, 0.9)]
    }  # one more than b has: it does not count
    assert forward_transfer([RUN, BETTER], more) == found


def test_a_skill_that_comes_twice_has_one_baseline():
    twice = LearningRun(("a", "a"), 100, STEPS, RUN.success)
    found = forward_transfer([twice], {"a": [alone("a", 0.0, 0.4)]})
    assert found.value == pytest.approx(((0.5 - 0.2) / 0.8 + (0.7 - 0.2) / 0.8) / 2)


def test_intervals_are_over_runs():
    found = performance([RUN, BETTER], last=1)
    assert (found.low, found.high) == (pytest.approx(0.65), pytest.approx(0.75))
    assert performance([RUN, BETTER], last=1) == found
    assert math.isnan(performance([RUN], last=1).low)


def test_a_file_holds_a_run(tmp_path):
    RUN.save(tmp_path / "run.json")
    assert LearningRun.load(tmp_path / "run.json") == RUN
    text = (tmp_path / "run.json").read_text()
    (tmp_path / "other.json").write_text(text.replace("0.8", "0.9"))
    with pytest.raises(ValueError, match=r"other.json: This saved LearningRun is damaged: its checksum"):
        LearningRun.load(tmp_path / "other.json")
    (tmp_path / "other.json").write_text(text[:40])
    with pytest.raises(
        ValueError, match=r"other.json: This is not a saved LearningRun, or it is only part of one"
    ):
        LearningRun.load(tmp_path / "other.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ValueError, match=r"other.json: This is JSON, but not a saved LearningRun"):
        LearningRun.load(tmp_path / "other.json")
    (tmp_path / "other.json").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"other.json: This is not a saved LearningRun: it is not text"):
        LearningRun.load(tmp_path / "other.json")


PART = LearningRun(("a", "b"), 100, STEPS[:2], RUN.success[:2])


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: performance(RUN), TypeError, "runs must be a list of LearningRuns, not LearningRun"),
        (lambda: performance([]), ValueError, "runs must hold at least one run, but it is empty"),
        (lambda: performance(["a"]), TypeError, "runs must hold LearningRuns only, not 'a'"),
        (lambda: performance([PART]), ValueError, "runs must be whole: .* step 200, not at step 100"),
        (lambda: performance([RUN, PART]), ValueError, "runs must be over the same sequence"),
        (
            lambda: forgetting([RUN]),
            ValueError,
            "last must be at most 2, the evaluations while a task is trained, not 5",
        ),
        (lambda: performance([RUN], last=0), ValueError, "last must be at least 1, not 0"),
        (
            lambda: forward_transfer([RUN], {}),
            ValueError,
            "baselines must have runs on a alone, and have none",
        ),
        (
            lambda: forward_transfer([RUN], {"a": [alone("b", 0, 0)], "b": [alone("b", 0, 0)]}),
            ValueError,
            r"baselines\['a'\] must be of a alone, with 100 steps and 2 evaluations as in the runs, not of b with",
        ),
        (
            lambda: forward_transfer([RUN], {"a": [alone("a", 1, 1)], "b": [alone("b", 0, 0)]}),
            ValueError,
            r"baselines\['a'\] must not be successful at every evaluation",
        ),
        (
            lambda: LearningRun(("a",), 100, (50,), ((0.5, 0.5),)),
            ValueError,
            "success must have 1 rates for each of",
        ),
        (
            lambda: LearningRun(("a",), 100, (50,), ((1.5,),)),
            ValueError,
            "success must hold rates from 0 to 1",
        ),
        (
            lambda: LearningRun(("a",), 100, (50,), ((math.nan,),)),
            ValueError,
            "success must hold rates from 0 to 1",
        ),
        (
            lambda: LearningRun(("a",), 100, (50, 50), ((0.5,),) * 2),
            ValueError,
            "steps must rise from above 0 to at m",
        ),
        (
            lambda: LearningRun(("a",), 100, (101,), ((0.5,),)),
            ValueError,
            "steps must rise from above 0 to at most 100",
        ),
    ],
)
def test_mistakes(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
