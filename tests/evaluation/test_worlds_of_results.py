"""Figures by world of results over several worlds: of one run, of several, of their differences, and as tables."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pytest
import rich.console

from taskworlds import Task, compare, pool
from taskworlds.evaluation import Episode, Fingerprint, Provenance, Result, TaskRecord
from taskworlds.evaluation.intervals import over_runs

GOALS = 4  # of each skill of Meta-World


def run(number, wins, returned=300.0, *, skills=("reach-v3", "push-v3", "walker-walk", "point")):
    """A run that solves the given number of goals of each skill that has success."""
    records = []
    for name in skills:
        for goal in range(GOALS):
            won = None if name == "walker-walk" else goal < wins
            reward = returned if won is None else 10.0 * won
            records.append(TaskRecord(Task(name, {"goal": goal}), (Episode(reward, 5, won, won),)))
    fingerprint = Fingerprint.of([record.task for record in records], protocol="multi-task")
    return Result("arms and legs", "train", 1, 0, fingerprint, tuple(records), Provenance(f"run {number}"))


def of_unknown_world(number):
    return run(number, 2, skills=("reach-v3", "push-v3", "CartPole-v1"))


def text(table, width=80):
    console = rich.console.Console(width=width, no_color=True, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


def test_one_run():
    result = run(0, 1)
    assert list(result.worlds["success_end"]) == ["Meta-World", "walker-walk", "point"]
    assert result.worlds["episode_return"] == result.by_world("episode_return")
    alone = run(0, 1, skills=("reach-v3", "push-v3"))
    assert result.worlds["success_end"]["Meta-World"] == alone.overall["success_end"].mean
    printed = text(result.table())
    assert re.search(r"Meta-World, 2 skills +0\.25 +0\.25 +2\.5 +5\.0", printed)
    assert "95 % from                                      0.06" in printed  # of the mean over Meta-World
    assert "walker-walk, " not in printed  # the skill's line has the figures of a world with one
    assert pool([result]).worlds == result.worlds
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize(
    "alone", [run(0, 1, skills=("reach-v3", "push-v3")), of_unknown_world(0)], ids=["one", "unknown"]
)
def test_results_without_several_worlds_have_no_such_lines(alone):
    other = run(1, 2, skills=tuple(dict.fromkeys(record.task.env_name for record in alone.tasks)))
    comparison = compare(alone, other)
    assert alone.worlds == pool([alone, other]).worlds == {}
    assert comparison.worlds == ()
    for shown in (alone, pool([alone, other]), comparison):
        assert "Meta-World" not in text(shown.table())
    told = comparison.to_dict()
    assert told["methods"][0]["worlds"] == told["pairs"][0]["worlds"] == {}


def test_a_skill_of_no_world_is_refused_where_worlds_are_asked_for():
    results = [of_unknown_world(0), of_unknown_world(1)]
    for find in (results[0].by_world, pool(results).by_world, compare(*results).by_world):
        with pytest.raises(ValueError, match=r"Unknown skill 'CartPole-v1'"):
            find()
    with pytest.raises(ValueError, match=r"Unknown skill 'CartPole-v1'"):
        results[0].to_csv("world")


def test_several_runs():
    pooled = pool([run(number, wins) for number, wins in enumerate((1, 3, 4))])
    found = pooled.by_world("success_end")
    assert list(found) == ["Meta-World", "walker-walk", "point"]
    assert found["Meta-World"] == over_runs(np.array([0.25, 0.75, 1.0]), rates=True)
    assert np.isnan(found["walker-walk"].value)
    assert pooled.worlds["success_end"]["Meta-World"] == found["Meta-World"]
    assert re.search(r"Meta-World, 2 skills +0\.67 ", text(pooled.table()))
    with pytest.raises(ValueError, match="metric must be one of"):
        pooled.by_world("sucess")


def test_differences_of_two_methods():
    comparison = compare(run(0, 1, 300.0), run(1, 3, 500.0))
    assert comparison.worlds == ("Meta-World", "walker-walk", "point")
    (found,) = comparison.by_world("success_end")
    arm, legs, point = found
    assert (arm.part, arm.env_names, arm.num_tasks) == ("Meta-World", ("reach-v3", "push-v3"), 8)
    alone = compare(*(run(n, wins, skills=("reach-v3", "push-v3")) for n, wins in enumerate((1, 3))))
    assert arm.difference == alone.overall["success_end"].mean
    assert arm.p_value == alone.pairs[0].p_values["success_end"]
    assert np.isnan(legs.p_value)
    # Holm's correction, over the two worlds that have success.
    assert arm.p_adjusted == min(2 * arm.p_value, 1.0) < point.p_value
    printed = text(comparison.table())
    for line in (
        r"mean success \(end\), Meta-World +0\.25 +0\.75 +\+0\.50 ",
        r"mean return, Meta-World +2\.5 +7\.5 +\+5\.0 ",
    ):
        assert re.search(line, printed)
    assert "walker-walk " in printed
    assert ", walker-walk" not in printed
    assert "of worlds over the 3 worlds" in printed
    assert max(map(len, printed.splitlines())) <= 80
    with pytest.raises(ValueError, match="metric must be one of"):
        comparison.by_world("sucess")


def test_differences_of_several_methods():
    methods = [pool([run(n, wins)], name) for n, (name, wins) in enumerate({"a": 1, "b": 3, "c": 4}.items())]
    comparison = compare(*methods)
    assert [len(worlds) for worlds in comparison.by_world("episode_return")] == [3, 3, 3]
    assert re.search(r"Meta-World, 2 skills +0\.25 +0\.75 +1\.00", text(comparison.table("success_end")))
    told = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert told["methods"][1]["worlds"]["success_end"]["Meta-World"]["value"] == 0.75
    assert told["methods"][1]["worlds"]["success_end"]["walker-walk"]["value"] is None
    told_pair = told["pairs"][1]["worlds"]["success_end"]["Meta-World"]
    arm = comparison.by_world("success_end")[1][0]
    assert told_pair == arm.difference._asdict() | {"p_value": arm.p_value, "p_adjusted": arm.p_adjusted}


def test_tables_with_a_row_for_each_world():
    result = run(0, 1)
    rows = list(csv.DictReader(result.to_csv("world").splitlines()))
    assert [(row["world"], row["skills"]) for row in rows] == [
        ("Meta-World", "2"),
        ("walker-walk", "1"),
        ("point", "1"),
    ]
    value, low, high = result.by_world("success_end")["Meta-World"]
    names = ("success_end", "success_end_low", "success_end_high")
    assert [float(rows[0][name]) for name in names] == [value, low, high]
    assert rows[1]["success_end"] == ""
    assert float(rows[1]["episode_return"]) == 300.0
    frame = pool([result, run(1, 3)]).to_dataframe("world")
    assert frame["run"].tolist() == [0, 0, 0, 1, 1, 1]
    assert frame[frame["world"] == "Meta-World"]["success_end"].tolist() == [0.25, 0.75]


def test_pages_in_notebooks_show_success_where_skills_have_it():
    page = run(0, 1)._repr_html_()
    assert "success (end)" in page
    assert "0.25 [" in page
