"""`taskworlds compare`."""

from __future__ import annotations

import json
import re

import pytest

from taskworlds.cli import main


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for name, policy, steps in (("expert", "expert", 60), ("random", "random", 60), ("short", "random", 20)):
        with pytest.raises(SystemExit) as stop:
            main(
                f"evaluate reach-v3 --goals 3 --max-episode-steps {steps} --policy {policy} -q --out".split()
                + [str(folder / name)]
            )
        assert stop.value.code == 0
    return folder


def test_compare(run, results):
    ran = run("compare", results / "expert", results / "random" / "result.json")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == f"A: success 1.000 in 3 tasks, {results}/expert"
    assert lines[1] == f"B: success 0.000 in 3 tasks, {results}/random/result.json"
    assert re.fullmatch(
        r"B minus A: success -1\.000, 95 % interval \[-1\.000, -0\.\d{3}\], 3 tasks", lines[-1]
    )
    assert re.search(r"^ reach-v3 +3 +-1\.00", ran.out, re.MULTILINE)


def test_compare_as_json(run, results):
    ran = run("compare", results / "expert", results / "random", "--json")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert told["num_tasks"] == 3
    overall = told["overall"]["success_end"]["mean"]
    assert (overall["value"], overall["low"]) == (-1.0, -1.0)
    assert -1.0 < overall["high"] < 0.0  # three tasks are no certainty
    assert [skill["env_name"] for skill in told["skills"]] == ["reach-v3"]
    assert (told["left_out"], told["differences"]) == ([], {})
    told = json.loads(
        run("compare", results / "expert", results / "short", "--allow-different", "--json").out
    )
    assert told["differences"] == {"max_episode_steps": [60, 20]}


def test_compare_refuses_what_was_not_measured_alike(run, check_mistake, results):
    ran = run("compare", results / "expert", results / "short")
    check_mistake(ran, "max_episode_steps: 60 and 20. Evaluate again .* or pass --allow-different")
    ran = run("compare", results / "expert", results / "short", "--allow-different")
    assert ran.code == 0
    assert "differs: max_episode_steps, 60 and 20" in ran.out


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("nothing.json", r"nothing\.json cannot be read: No such file"),
        (".", r"result\.json cannot be read: No such file"),
        ("expert/tasks.csv", "tasks.csv: This is not a saved Result"),
    ],
)
def test_compare_reads_results_only(run, check_mistake, results, other, message):
    check_mistake(run("compare", results / "expert", results / other), message)
