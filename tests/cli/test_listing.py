"""`taskworlds list`."""

from __future__ import annotations

import json
import re

import pytest

import taskworlds
from taskworlds.cli import listing
from taskworlds.core.benchmark import benchmark
from taskworlds.core.registry import world_of, worlds
from taskworlds.vector.gymnasium_ids import ids


def test_list_benchmarks(run):
    out = run("list", "benchmarks").out
    assert re.search(r"^ ML10 +meta +10 +5 *$", out, re.MULTILINE)
    assert re.search(r"^ ant-goal +150 +30 +go to the given place *$", out, re.MULTILINE)
    assert re.search(r"^ walker-walk-len +4 +4 +half-length of the left foot, m *$", out, re.MULTILINE)
    assert "walker-walk-len-range" not in out
    rows = json.loads(run("list", "benchmarks", "--json").out)
    of_worlds = [name for world in worlds() for name in world.benchmark_makers()]
    assert [row["name"] for row in rows] == [*of_worlds, "MT30", "MT80"]
    for row in rows:
        if row["needs"]:
            with pytest.raises(TypeError, match=f"{row['name']} needs {row['needs'].split()[0]}"):
                benchmark(row["name"])
            continue
        made = benchmark(row["name"], seed=0)
        assert row["train_skills"] == made.env_names("train")
        assert row["test_skills"] == (made.env_names("test") if made.is_meta else [])
        assert (row["train_tasks"], row["test_tasks"]) == (len(made.train_tasks), len(made.test_tasks))
        assert row["kind"] == ("meta" if made.is_meta else "multi-task")
        several = len({world_of(name) for name in row["train_skills"]}) > 1
        assert row["world"] == ("mixed" if several else world_of(row["train_skills"][0]).suite)
        assert row["summary"] or row["world"] == "metaworld"


def test_list_alone_gives_an_overview(run):
    rows = json.loads(run("list", "--json").out)
    assert [row["world"] for row in rows] == [*dict.fromkeys(world.suite for world in worlds()), "mixed"]
    assert (rows[-1]["examples"], rows[-1]["benchmarks"], rows[-1]["ids"]) == (["MT30", "MT80"], 2, 2)
    for row in rows[:-1]:
        suite = [world for world in worlds() if world.suite == row["world"]]
        assert row["skills"] == sum(len(world.env_names()) for world in suite)
        assert row["benchmarks"] == sum(len(world.benchmark_makers()) for world in suite)
        assert 1 <= len(row["examples"]) <= 3
    assert sum(row["ids"] for row in rows) == len(ids())
    out = run("list").out
    assert re.search(r"^ Meta-World +12 +50 +\d+ +MT10, ML10, assembly-v3 *$", out, re.MULTILINE)
    assert "`taskworlds list skills`" in out
    assert run("list", "--world", "small").out == run("list", "benchmarks", "--world", "small").out


def test_list_skills(run):
    out = run("list", "skills").out
    names = [name for world in worlds() for name in world.env_names()]
    assert all(re.search(rf"^ {name} ", out, re.MULTILINE) for name in names)
    assert out.splitlines()[-1].startswith(f"{len(names)} skills.")
    rows = json.loads(run("list", "skills", "--json").out)
    assert [row["name"] for row in rows] == names
    assert [row["benchmarks"] for row in rows if row["name"] == "sweep-v3"] == [
        ["MT50", "ML10-train", "ML25-test", "ML45-train"]
    ]
    for row in rows:
        assert (row["object"], row["summary"]) == world_of(row["name"]).about(row["name"])
        assert row["object"]
        assert row["summary"]


def test_lists_of_one_world_and_by_a_word(run):
    rows = json.loads(run("list", "benchmarks", "--world", "control", "--json").out)
    assert {row["world"] for row in rows} == {"control"}
    out = run("list", "benchmarks", "--world", "control").out
    assert all(re.search(rf"^ {row['name']} ", out, re.MULTILINE) for row in rows)
    rows = json.loads(run("list", "skills", "Cheetah", "--json").out)
    custom = [f"cheetah-{task}" for task in ("run-backwards", "run-front", "run-back", "jump")]
    assert [row["name"] for row in rows] == ["half-cheetah-vel", "half-cheetah-dir", "cheetah-run", *custom]
    rows = json.loads(run("list", "skills", "lid on", "--json").out)
    assert [row["name"] for row in rows] == ["box-close-v3"]
    out = run("list", "benchmarks", "torso").out
    assert re.search(r"^ cheetah-run-torso_length-range +50 +50 ", out, re.MULTILINE)
    assert "MT10" not in out


def test_list_envs(run):
    out = run("list", "envs").out
    assert re.search(r"^ taskworlds/ML10-test +test tasks of ML10, 5 skills *$", out, re.MULTILINE)
    assert re.search(r"^ taskworlds/custom-mt-envs +custom-mt-envs; give envs_list *$", out, re.MULTILINE)
    cheetah = r"^ taskworlds/half-cheetah-vel +run at the given velocity; 100 train and 30 test tasks *$"
    assert re.search(cheetah, out, re.MULTILINE)
    rows = json.loads(run("list", "envs", "--json").out)
    names = [row["name"] for row in rows]
    assert [name for name in names if "/" in name] == list(ids())
    classes = {row["name"]: row["world"] for row in rows[len(ids()) :]}
    assert all(hasattr(taskworlds, name.removeprefix("taskworlds.")) for name in classes)
    assert classes["taskworlds.KEpisodeMetaworld"] == "metaworld"
    assert classes["taskworlds.AntGoalEnv"] == "locomotion"
    assert classes["taskworlds.GymEnv"] is None
    reach = "taskworlds/reach-v3"
    assert reach not in out.split()
    assert re.search(rf"^ {reach} +move the", run("list", "envs", "--world", "metaworld").out, re.MULTILINE)
    out = run("list", "envs", "--world", "locomotion").out
    assert re.search(
        r"^ taskworlds/half-cheetah-vel-test +run at the given velocity; 30 test tasks *$", out, re.MULTILINE
    )


@pytest.mark.parametrize("columns", ["80", "100"])
def test_lists_fit_a_terminal(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    for name in listing.LISTS:
        out = run("list", name).out
        assert max(map(len, out.splitlines())) <= int(columns)
        assert "…" not in out


def test_what_is_piped_is_not_cut(run):
    assert "…" not in "".join(run("list", name).out for name in listing.LISTS)
