"""Commands for lists over several worlds, such as TD-MPC2's MT30."""

from __future__ import annotations

import json
import re

import pytest

from taskworlds import benchmark


def test_commands_that_play_one_world_at_a_time(run, check_mistake, tmp_path):
    for command, more in (("record", ["--out", tmp_path]), ("watch", [])):
        message = (
            f"BENCHMARK must be of one world for {command}, and MT30 has skills of 30 worlds. .*walker-stand"
        )
        check_mistake(run(command, "MT30", *more), message)
    ran = run("demonstrate", "MT80", "--format", "minari", "--out", tmp_path / "data", "--episodes", "1")
    check_mistake(ran, "must be of one world, and MT80 has skills of 31 worlds, .* such as 'walker-stand'")


@pytest.mark.requires_dm_control
def test_bench_measures_a_list(run):
    ran = run(
        "bench",
        "MT30",
        "--no-build",
        "--rounds",
        "1",
        "--steps",
        "1",
        "--episodes",
        "0",
        "--threads",
        "1",
        "--json",
    )
    assert ran.code == 0
    assert [each["title"] for each in json.loads(ran.out)] == [
        "taskworlds, best engines, 1 thread",
        "taskworlds, sync",
    ]


@pytest.mark.requires_dm_control
def test_evaluate_and_compare_tell_the_means_of_worlds(run, tmp_path):
    chosen = ("reach-v3", "push-v3", "cheetah-run")
    first = {task.env_name: task.id for task in reversed(benchmark("MT80", seed=0).train_tasks)}
    tasks = [word for name in chosen for word in ("--task", first[name])]
    for name in "ab":
        ran = run(
            *("evaluate", "MT80", "--policy", "random", *tasks, "--max-episode-steps", "2"),
            *("--out", tmp_path / name),
        )
        assert ran.code == 0
        assert re.search(r"Meta-World, 2 skills +0\.00 +0\.00 ", ran.out)
    compared = run("compare", tmp_path / "a", tmp_path / "b")
    assert re.search(r"mean success \(end\), Meta-World +0\.00 +0\.00 +\+0\.00 ", compared.out)
    told = json.loads(run("compare", tmp_path / "a", tmp_path / "b", "--json").out)
    assert told["methods"][0]["worlds"]["success_end"]["Meta-World"]["value"] == 0.0
    assert told["methods"][0]["worlds"]["success_end"]["cheetah-run"]["value"] is None


def test_lists_are_listed(run):
    assert [row["name"] for row in json.loads(run("list", "envs", "MT80", "--json").out)] == [
        "taskworlds/MT80"
    ]
    assert "taskworlds/MT30" in run("list", "envs").out
    assert "MT30, MT80" in run("list").out
