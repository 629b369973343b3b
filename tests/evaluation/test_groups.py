"""Means by group of difficulty, and the mean of the groups' means."""

from __future__ import annotations

import io
import math

import pytest
import rich.console

from taskworlds import Task, World
from taskworlds.evaluation import Episode, Estimate, Fingerprint, Result, TaskRecord, pool
from taskworlds.evaluation.groups import mean_of_estimates, members_of
from taskworlds.reports import report_page
from taskworlds.worlds.metaworld.difficulty import DIFFICULTY
from taskworlds.worlds.metaworld.skills import SKILLS

GOALS = 4
RATES = {"easy": 0.75, "medium": 0.5, "hard": 0.25, "very hard": 0.0}  # with 4 goals: 3, 2, 1 and 0 successes
WHOLE = [skill.name for skill in SKILLS]


def result(names, rates=RATES, error=None, seed=0):
    group = {name: each for each, members in DIFFICULTY.items() for name in members}
    records = tuple(
        TaskRecord(
            Task(name, {"goal": goal}),
            (Episode(10.0 * goal + seed, 5, goal < GOALS * rates[group.get(name, "easy")], False),),
            error if name == names[0] else None,
        )
        for name in names
        for goal in range(GOALS)
    )
    fingerprint = Fingerprint.of([record.task for record in records], protocol="multi-task")
    return Result("MT50", "train", 1, seed, fingerprint, records)


def test_the_lists_hold_each_skill_once():
    assert [len(members) for members in DIFFICULTY.values()] == [28, 11, 6, 5]
    assert sorted(name for members in DIFFICULTY.values() for name in members) == sorted(WHOLE)


def test_the_mean_of_means_is_not_the_mean_over_skills():
    found = result(WHOLE).by_group()
    assert {group: figure.value for group, figure in found.groups.items()} == pytest.approx(RATES)
    assert found.mean.value == pytest.approx(0.375)
    assert result(WHOLE).overall["success_once"].mean.value == pytest.approx(
        (28 * 0.75 + 11 * 0.5 + 6 * 0.25) / 50
    )
    assert found.env_names == DIFFICULTY
    assert found.mean.low < 0.375 < found.mean.high
    narrowest = min(figure.high - figure.low for figure in found.groups.values())
    assert found.mean.high - found.mean.low < narrowest * 2
    assert result(WHOLE).by_group("episode_return").mean.value == pytest.approx(15.0)
    assert result(WHOLE).by_group("success_end").mean.value == 0.0


def test_published_averages_follow():
    smolvla = {"easy": 0.871, "medium": 0.518, "hard": 0.7, "very hard": 0.64}
    assert mean_of_estimates(Estimate(each, each, each) for each in smolvla.values()).value == pytest.approx(
        0.68225
    )


def test_of_some_skills_the_groups_are_of_those_that_ran():
    some = result(["reach-v3", "push-v3", "window-open-v3"])
    assert some.by_group().env_names == {"easy": ("reach-v3", "window-open-v3"), "hard": ("push-v3",)}
    assert some.by_group().mean.value == pytest.approx(0.5)
    assert some.groups == {}
    failed = result(["reach-v3", "push-v3"], error="OSError: gone")
    assert failed.by_group().env_names == {"hard": ("push-v3",)}


def test_bad_requests():
    with pytest.raises(
        ValueError, match=r"The skills of this result are in no groups: cheetah-run\. Meta-World's"
    ):
        result(["cheetah-run"]).by_group()
    with pytest.raises(ValueError, match="metric must be one of"):
        result(WHOLE).by_group("reward")
    with pytest.raises(ValueError, match="metric must be one of"):
        pool([result(WHOLE), result(WHOLE, seed=1)]).by_group("reward")
    with pytest.raises(
        TypeError, match="skill_groups of the world 'own' must be a dictionary of tuples of different"
    ):
        World(
            name="own",
            suite="own",
            skills=("tidy",),
            actions="own:actions",
            observations="own:observations",
            max_episode_steps=5,
            row="own:row",
            skill_groups={"easy": ("tidy", "tidy")},
        )


def test_several_runs_have_an_interval_over_runs():
    runs = [result(WHOLE), result(WHOLE, RATES | {"very hard": 1.0})]
    both = pool(runs, "two")
    found = both.by_group()
    assert found.groups["very hard"].value == 0.5
    assert found.mean.value == pytest.approx((0.375 + 0.625) / 2)
    assert found.mean.low < 0.375 < 0.625 < found.mean.high
    assert both.groups["success_once"] == found
    alike = pool([result(WHOLE), result(WHOLE, seed=1)]).by_group().mean
    assert (alike.value, alike.low) == (pytest.approx(0.375), result(WHOLE).by_group().mean.low)
    assert pool(runs[:1]).by_group() == runs[0].by_group()


def test_a_mean_without_intervals_has_none():
    found = mean_of_estimates([Estimate(0.5, math.nan, math.nan), Estimate(1.0, 0.9, 1.0)])
    assert found.value == 0.75
    assert math.isnan(found.low)
    assert math.isnan(mean_of_estimates([]).value)


def printed(table, width):
    console = rich.console.Console(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 100])
def test_tables_of_all_skills_show_the_groups(width):
    for outcome in (result(WHOLE), pool([result(WHOLE), result(WHOLE, seed=1)], "two")):
        text = printed(outcome.table(), width)
        assert max(map(len, text.splitlines())) <= width
        lines = {line.strip()[:25].strip(): line.split() for line in text.splitlines()}
        assert lines["mean over 28 easy"][4:6] == ["0.00", "0.75"]
        assert lines["mean over 5 very hard"][5:7] == ["0.00", "0.00"]
        assert lines["mean of these 4 means"][5:7] == ["0.00", "0.38"]
    assert "means" not in printed(result(WHOLE[:49]).table(), width)


def test_reports_of_all_skills_show_the_groups():
    page = report_page(result(WHOLE))
    assert "Success at the end by group of skills" in page
    assert ">very hard<" in page
    assert "by group of skills" in report_page(
        result(WHOLE), pool([result(WHOLE), result(WHOLE, seed=1)], "two")
    )
    assert "by group of skills" not in report_page(result(WHOLE[:49]))


def test_members_of_no_world():
    assert members_of(["no-such-skill"]) == {}
