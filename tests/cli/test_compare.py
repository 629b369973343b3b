"""`taskworlds compare`."""

from __future__ import annotations

import json
import re

import pytest

from taskworlds.cli import main
from taskworlds.core import json_text


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for name, policy, steps in (("expert", "expert", 60), ("random", "random", 60), ("short", "random", 20)):
        with pytest.raises(SystemExit) as stop:
            main(
                f"evaluate reach-v3 --num-goals 3 --max-episode-steps {steps} --policy {policy} -q --out".split()
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
    assert lines[2].strip() == "A: expert, B: random"
    assert re.fullmatch(
        r"B minus A: success -1\.000, 95 % interval \[-1\.000, \+0\.\d{3}\], 3 tasks", lines[-1]
    )
    assert re.search(
        r"^ reach-v3 +1\.00 +0\.00 +-1\.00 +\[-1\.00, \+0\.\d\d\] +0\.125", ran.out, re.MULTILINE
    )


def test_compare_as_json(run, results):
    ran = run("compare", results / "expert", results / "random", "--json")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert told["num_tasks"] == 3
    assert [method["name"] for method in told["methods"]] == ["expert", "random"]
    (pair,) = told["pairs"]
    overall = pair["overall"]["success_end"]["mean"]
    assert (overall["value"], overall["low"]) == (-1.0, -1.0)
    assert -1.0 < overall["high"] < 0.5  # three tasks are no certainty
    assert pair["p_values"]["success_end"] == 0.125
    assert [skill["env_name"] for skill in pair["skills"]] == ["reach-v3"]
    assert (told["left_out"], pair["differences"]) == ([], {})
    told = json.loads(
        run("compare", results / "expert", results / "short", "--allow-different", "--json").out
    )
    assert told["pairs"][0]["differences"] == {"max_episode_steps": [60, 20]}


def test_compare_takes_several_methods_with_several_runs(run, results, tmp_path):
    for method, policy in (("a", "expert"), ("b", "random")):
        for seed in (1, 2):
            data = json.loads((results / policy / "result.json").read_text())
            data["provenance"]["started"] = f"2026-01-0{seed}T00:00:00Z"  # another training run
            del data["sha256"]
            (tmp_path / method / str(seed)).mkdir(parents=True)
            (tmp_path / method / str(seed) / "result.json").write_text(json.dumps(json_text.seal(data)))
    ran = run("compare", tmp_path / "a", tmp_path / "b", results / "expert")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == f"A: success 1.000 in 3 tasks, 2 runs, {tmp_path}/a"
    assert re.search(r"^ B - A +-1\.00 +\[-1\.00, .*\] +0\.333 +0\.00", ran.out, re.MULTILINE)
    assert "C - A, C - B: no interval, as one run does not show how much runs vary" in ran.out
    assert [line[:9] for line in lines[-3:]] == ["B minus A", "C minus A", "C minus B"]
    # Twice the same run does not count as two.
    (tmp_path / "b" / "2" / "result.json").write_text((tmp_path / "b" / "1" / "result.json").read_text())
    ran = run("compare", tmp_path / "a", tmp_path / "b")
    assert ran.code == 2
    assert "numbers 0 and 1 are the same result" in ran.err


def test_compare_shows_another_metric(run, check_mistake, results):
    ran = run("compare", results / "expert", results / "random", "--metric", "length")
    assert "skills: length, 3 tasks a skill" in ran.out
    ran = run("compare", results / "expert", results / "random", "--metric", "score")
    check_mistake(ran, "--metric must be one of 'success_end'")


def test_compare_needs_two(run, check_mistake, results):
    check_mistake(run("compare", results / "expert"), "needs two results or more, not 1")


@pytest.mark.parametrize("columns", [80, 120])
def test_compare_fits_terminals(run, results, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    out = run("compare", results / "expert", results / "random", results / "random").out
    table = [line for line in out.splitlines() if line.startswith(" ")]
    assert table
    assert max(map(len, table)) <= columns


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
        ("expert/none", r"expert/none cannot be read: No such file"),
        (".", r"They differ in max_episode_steps: 60 and 20.* pass --allow-different"),
        ("expert/tasks.csv", "tasks.csv: This is not a saved Result"),
    ],
)
def test_compare_reads_results_only(run, check_mistake, results, other, message):
    check_mistake(run("compare", results / "expert", results / other), message)
