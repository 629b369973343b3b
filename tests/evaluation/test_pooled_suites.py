"""Parts of a suite of variations, and scores of lists: of several runs, and of the differences of methods."""

from __future__ import annotations

import io
import json
import math
import re

import numpy as np
import pytest
import rich.console

from taskworlds import Task, compare, pool
from taskworlds.evaluation import Episode, Fingerprint, Provenance, Result, TaskRecord
from taskworlds.evaluation.intervals import over_runs

PARTS = {"clean": 4, "friction 1": 4, "friction 2": 4, "all 1": 4}  # goals of each


def run(number, wins, protocol="multi-task", skills=("push-v3", "reach-v3")):
    """A run that solves, in each part, the given number of goals of each skill."""
    records = []
    for name in skills:
        for part, goals in PARTS.items():
            if (name, part) == ("reach-v3", "friction 2"):
                continue  # as a skill that does not have a factor
            for goal in range(goals):
                won = goal < wins[part]
                params = {"goal": goal} | ({} if part == "clean" else {"variation": part})
                records.append(TaskRecord(Task(name, params), (Episode(10.0 * won + number, 5, won, won),)))
    fingerprint = Fingerprint.of([record.task for record in records], protocol=protocol)
    return Result("suite", "train", 1, 0, fingerprint, tuple(records), Provenance(f"run {number}"))


WEAK = {"clean": 2, "friction 1": 1, "friction 2": 0, "all 1": 0}
GOOD = {"clean": 4, "friction 1": 3, "friction 2": 3, "all 1": 1}
BEST = {"clean": 4, "friction 1": 4, "friction 2": 4, "all 1": 3}


def text(table, width=100):
    console = rich.console.Console(width=width, no_color=True, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


def test_one_run_is_as_it_is():
    one = run(0, GOOD)
    pooled = pool([one])
    assert pooled.by_variation("episode_return") == one.by_variation("episode_return")
    assert pooled.variations == one.variations


def test_parts_of_several_runs():
    runs = [run(number, wins) for number, wins in enumerate((WEAK, GOOD, BEST))]
    pooled = pool(runs)
    found = pooled.by_variation("success_end")
    assert list(found.parts) == ["clean", "friction 1", "friction 2", "all 1"]
    assert found.env_names["friction 2"] == ("push-v3",)
    for part, wins in {"clean": (2, 4, 4), "friction 1": (1, 3, 4), "friction 2": (0, 3, 4)}.items():
        shares = np.array(wins) / 4
        assert found.parts[part].value == pytest.approx(shares.mean())
        assert found.parts[part] == over_runs(shares, rates=True)
        assert found.clean[part] == over_runs(np.array([0.5, 1.0, 1.0]), rates=True)
    assert pooled.variations["success_end"] == found
    printed = text(pooled.table())
    assert "friction 2, 1 skill " in printed
    assert "all 1, 2 skills " in printed
    with pytest.raises(ValueError, match="metric must be one of"):
        pooled.by_variation("sucess")


def test_differences_by_part():
    a, b, c = (pool([run(number, wins)], name) for number, (name, wins) in enumerate(
        {"weak": WEAK, "good": GOOD, "best": BEST}.items()
    ))  # fmt: skip
    comparison = compare(a, b)
    assert comparison.parts == ("clean", "friction 1", "friction 2", "all 1")
    (parts,) = comparison.by_variation("success_end")
    assert [part.difference.value for part in parts] == [0.5, 0.5, 0.75, 0.25]
    assert [part.num_tasks for part in parts] == [8, 8, 4, 8]
    assert parts[2].env_names == ("push-v3",)
    assert all(part.difference.low < part.difference.value < part.difference.high for part in parts)
    assert all(part.p_value <= part.p_adjusted for part in parts)
    assert any(part.p_value < part.p_adjusted for part in parts)
    printed = text(comparison.table("success_end"))
    assert " friction 2, 1 skill   0.00  0.75  +0.75" in printed
    assert "of parts over the 4 parts" in printed
    assert len(comparison.by_variation()) == 1
    three = compare(a, b, c)
    assert [len(parts) for parts in three.by_variation("episode_return")] == [4, 4, 4]
    assert " friction 2, 1 skill   0.00  0.75  1.00" in text(three.table("success_end"))
    told = json.loads(json.dumps(three.to_dict(), allow_nan=False))
    assert told["methods"][1]["variations"]["success_end"]["friction 2"]["value"] == 0.75


def test_results_without_parts_say_so():
    def plain(number):
        tasks = [Task("push-v3", {"goal": goal}) for goal in range(3)]
        records = tuple(TaskRecord(task, (Episode(1.0 * number, 5, True, True),)) for task in tasks)
        return Result(
            "plain",
            "train",
            1,
            0,
            Fingerprint.of(tasks, protocol="multi-task"),
            records,
            Provenance(f"{number}"),
        )

    pooled, comparison = pool([plain(0), plain(1)]), compare(plain(0), plain(1))
    assert pooled.variations == pooled.list_scores == comparison.scores == {}
    assert comparison.parts == ()
    for find in (pooled.by_variation, comparison.by_variation):
        with pytest.raises(ValueError, match="MT10-robust has them"):
            find()
    with pytest.raises(ValueError, match=r"needs a result of evaluate\(\.\.\., protocol='newt'\)"):
        pooled.score("newt")


def played(number, won, returned, protocol="multi-task, protocol tdmpc2"):
    """A run of a list over two worlds: two goals of push, and cheetah-run."""
    tasks = [Task("push-v3", {"goal": 0}), Task("push-v3", {"goal": 1}), Task("cheetah-run")]
    episodes = [Episode(1.0, 5, goal < won, goal < won) for goal in range(2)] + [
        Episode(returned, 500, None, None)
    ]
    records = tuple(TaskRecord(task, (each,)) for task, each in zip(tasks, episodes, strict=True))
    fingerprint = Fingerprint.of(tasks, protocol=protocol)
    return Result("list", "train", 1, 0, fingerprint, records, Provenance(f"run {number}"))


def test_score_of_several_runs():
    runs = [played(0, 1, 400.0), played(1, 2, 600.0), played(2, 0, 500.0)]
    own = [each.score("tdmpc2").value for each in runs]
    assert own == [45.0, 80.0, 25.0]
    found = pool(runs).score("tdmpc2")
    assert found == over_runs(own)
    assert pool(runs).list_scores == {"tdmpc2": found}
    assert "score of tdmpc2: 50.0 [" in text(pool(runs).table())
    assert pool(runs[:1]).score("tdmpc2") == runs[0].score("tdmpc2") == runs[0].list_scores["tdmpc2"]
    assert "score of tdmpc2: 45.0" in text(runs[0].table())


def test_score_of_runs_with_success_alone_is_a_rate():
    def of_push(number, won):
        whole = played(number, won, 1.0)
        tasks = [record.task for record in whole.tasks[:2]]
        fingerprint = Fingerprint.of(tasks, protocol=whole.fingerprint.protocol)
        return Result("push", "train", 1, 0, fingerprint, whole.tasks[:2], whole.provenance)

    pooled = pool([of_push(0, 1), of_push(1, 2)])
    assert pooled.score("tdmpc2") == tuple(100 * each for each in pooled.overall["success_end"].mean)
    assert pooled.score("tdmpc2").high <= 100.0
    other = pool([of_push(0, 1)])
    with pytest.raises(ValueError, match="others must have as many runs as"):
        pooled.score("tdmpc2", other)


def test_world_by_world_makes_the_whole():
    runs = [played(0, 1, 400.0), played(1, 2, 600.0)]

    def part(places):
        made = []
        for each in runs:
            records = tuple(each.tasks[place] for place in places)
            fingerprint = Fingerprint.of(
                [record.task for record in records], protocol=each.fingerprint.protocol
            )
            made.append(Result("part", "train", 1, 0, fingerprint, records, each.provenance))
        return pool(made)

    assert part([0, 1]).score("tdmpc2", part([2])) == pool(runs).score("tdmpc2")


def test_differences_of_scores():
    a, b = pool([played(0, 1, 400.0)], "a"), pool([played(1, 2, 600.0)], "b")
    comparison = compare(a, b)
    ((found, p),) = comparison.scores["tdmpc2"]
    assert found.value == pytest.approx(80.0 - 45.0)
    assert found.low < found.value < found.high
    assert 0 < p <= 1
    assert re.search(r" score of tdmpc2 +45\.0 +80\.0 +\+35\.0 ", text(comparison.table("episode_return")))
    runs = (
        pool([played(0, 1, 400.0), played(2, 0, 410.0)], "a"),
        pool([played(1, 2, 600.0), played(3, 2, 620.0)], "b"),
    )
    ((found, p),) = compare(*runs).scores["tdmpc2"]
    assert found.value == pytest.approx((80.0 + 81.0) / 2 - (45.0 + 20.5) / 2)
    ((found, p),) = compare(a, runs[1]).scores["tdmpc2"]
    assert math.isnan(found.low)
    assert math.isnan(p)
    assert re.search(
        r" score of tdmpc2 +45\.0 +80\.0 +80\.5 ", text(compare(a, b, runs[1]).table("episode_return"))
    )
    newt = [pool([played(n, n, 500.0, "multi-task, protocol newt")], str(n)) for n in (0, 1)]
    assert compare(*newt).scores["newt"][0][0].value == pytest.approx(0.25)
