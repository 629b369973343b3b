"""Commands for lists over several worlds, such as TD-MPC2's MT30."""

from __future__ import annotations

import json

import pytest


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


def test_lists_are_listed(run):
    assert [row["name"] for row in json.loads(run("list", "envs", "MT80", "--json").out)] == [
        "taskworlds/MT80"
    ]
    assert "taskworlds/MT30" in run("list", "envs").out
    assert "MT30, MT80" in run("list").out
