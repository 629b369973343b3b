"""`taskworlds evaluate --part` and `taskworlds merge`: shares of an evaluation, and the whole of them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

from taskworlds.cli import main
from taskworlds.core import json_text
from taskworlds.evaluation import Result

SHORT = ("reach-v3", "--num-goals", "3", "--max-episode-steps", "8", "--policy", "random")


def result_of(folder):
    return Result.load(folder / "result.json")


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A folder with the parts 1 and 2 of an evaluation, and the whole of it."""
    folder = tmp_path_factory.mktemp("parts")
    for name, part in (("p/1", ["--part", "1/2"]), ("p/2", ["--part", "2/2"]), ("whole", [])):
        with pytest.raises(SystemExit) as stop:
            main(["evaluate", *SHORT, *part, "-q", "--out", str(folder / name)])
        assert stop.value.code == 0
    return folder


def test_in_processes_of_their_own(tmp_path):
    def command(*arguments):
        ran = subprocess.run(
            [sys.executable, "-m", "taskworlds", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    for number in (1, 2):
        told = command("evaluate", *SHORT, "--part", f"{number}/2", "--out", f"r{number}")
        count = "2 tasks" if number == 1 else "1 task"
        assert told.startswith(f"MT1-reach-v3 train, part {number}/2: {count} x 1 episode = ")
    told = command("merge", "r1", "r2/result.json", "--out", "all")
    assert told.splitlines()[-1] == "wrote all/result.json, all/tasks.csv, all/skills.csv"
    assert "MT1-reach-v3 train, multi-task" in told
    command("evaluate", *SHORT, "--out", "whole")
    assert result_of(tmp_path / "all") == result_of(tmp_path / "whole")
    for name in ("tasks.csv", "skills.csv"):
        assert (tmp_path / "all" / name).read_text() == (tmp_path / "whole" / name).read_text()


def test_what_is_printed(run, parts, tmp_path):
    ran = run("merge", parts / "p" / "2", parts / "p" / "1")
    assert ran.code == 0
    assert re.fullmatch(
        r"success 0\.000, 95 % interval \[.*\], 3 tasks, of 2 parts", ran.out.splitlines()[-1]
    )
    ran = run("merge", parts / "p", "-q", "--out", tmp_path / "all")
    assert len(ran.out.splitlines()) == 1
    assert result_of(tmp_path / "all") == result_of(parts / "whole")
    ran = run("merge", parts / "p", "--json")
    assert Result.from_json(ran.out) == result_of(parts / "whole")
    assert ran.err.endswith("of 2 parts\n")


@pytest.mark.requires_dm_control
def test_a_list_over_several_worlds(run, tmp_path):
    own = ("MT30", "--max-episode-steps", "3", "--policy", "random", "-q")
    for number in (1, 2):  # the second of 31 parts would have no task
        given = (*own, "--part", f"{number}/2", "--out", tmp_path / "p" / str(number))
        assert run("evaluate", *given).code == 0
    assert run("evaluate", *own, "--out", tmp_path / "whole").code == 0
    assert run("merge", tmp_path / "p", "--out", tmp_path / "all", "-q").code == 0
    assert result_of(tmp_path / "all") == result_of(tmp_path / "whole")


def test_a_part_goes_on_where_it_was_stopped(run, parts, check_mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies.py").write_text(
        "import numpy as np\n"
        "class Stops:\n"
        "    calls = 0\n"
        "    def __call__(self, obs):\n"
        "        self.calls += 1\n"
        "        if self.calls > 8:\n"
        "            raise KeyboardInterrupt\n"
        "        return np.zeros((len(obs), 4))\n"
    )
    own = ("evaluate", *SHORT[:-1], "policies.py:Stops", "--num-envs", "1", "--part")
    assert run(*own, "1/2", "--out", "p/1").code == 130
    check_mistake(
        run("merge", "p"), r"p/1 has no result\.json yet, as it holds an evaluation that was stopped"
    )
    check_mistake(
        run(*own, "2/2", "--out", "p/1", "--resume"), "benchmark was .*part 1 of 2.* is .*part 2 of 2"
    )
    assert run("evaluate", "--config", "p/1/run.toml", "--out", "p/1", "--resume").code == 0
    assert run(*own, "2/2", "--out", "p/2").code == 0
    assert run("merge", "p", "--out", "all").code == 0
    assert len(result_of(tmp_path / "all").completed) == 3


def test_parts_that_are_no_whole(run, parts, check_mistake, tmp_path):
    one, two, whole = parts / "p" / "1", parts / "p" / "2", parts / "whole"
    check_mistake(run("merge", one), "PART must have each of the 2 parts once, but part 2 of 2 is missing")
    check_mistake(run("merge", one, two, one), "but part 1 of 2 is there twice")
    check_mistake(run("merge", one, one), "but part 2 of 2 is missing and part 1 of 2 is there twice")
    check_mistake(run("merge", whole), "PART must be those of .*--part, and <Result .* is of no part")
    check_mistake(run("merge", tmp_path / "none"), "none cannot be read: No such file")
    check_mistake(run("merge"), "Missing argument 'PART")
    check_mistake(
        run("merge", one, two, "--out", whole), r"already holds result\.json, tasks\.csv, skills\.csv"
    )
    check_mistake(
        run("compare", parts / "p", whole), r"`taskworlds merge .*/p --out FOLDER` makes one result"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--seed", "1"), "differ in the seed: 0 and 1"),
        (("--policy", "expert"), "differ in the policy: 'random' and 'expert'"),
        (("--episodes", "2"), "differ in the episodes of a task: 1 and 2"),
        (("--num-goals", "4"), "differ in the tasks of all parts"),
        (("--part", "2/3"), "differ in the number of parts: 2 and 3"),
        (("--max-episode-steps", "9"), "max_episode_steps: 8 and 9. Evaluate all parts with the same"),
    ],
)
def test_parts_of_other_evaluations(run, parts, check_mistake, tmp_path, given, message):
    ran = run("evaluate", *SHORT, "--part", "2/2", *given, "-q", "--out", tmp_path / "other")
    assert ran.code == 0
    check_mistake(run("merge", parts / "p" / "1", tmp_path / "other"), message)


def test_a_part_that_lacks_tasks_of_its_own(run, parts, check_mistake, tmp_path):
    """As nothing writes it, but somebody may."""
    other = shutil.copytree(parts / "p", tmp_path / "p")
    changed = json.loads((other / "1" / "result.json").read_text())
    changed["benchmark"] = json.loads((other / "2" / "result.json").read_text())["benchmark"]
    del changed["sha256"]
    (other / "2" / "result.json").write_text(json.dumps(json_text.seal(changed)))
    check_mistake(run("merge", other), "but they differ in the tasks")


@pytest.mark.parametrize("given", ["0/2", "3/2", "1/0", "1", "1/2/3", "a/b", "-1/2", "1 / 2"])
def test_what_is_no_part(run, check_mistake, given):
    ran = run("evaluate", *SHORT, f"--part={given}")
    check_mistake(ran, f"--part must be K/N, the K-th of N parts, .*, not '{given}'")


def test_more_parts_than_tasks(run, check_mistake):
    ran = run("evaluate", *SHORT, "--part", "1/4")
    check_mistake(ran, "--part must be of at most 3 parts, as there are no more tasks, not 4")


def test_failed_tasks_are_told_again(run, parts, tmp_path):
    other = shutil.copytree(parts / "p", tmp_path / "p")
    changed = json.loads((other / "2" / "result.json").read_text())
    changed["tasks"][0] |= {"error": "OSError: no world", "episodes": []}
    del changed["sha256"]
    (other / "2" / "result.json").write_text(json.dumps(json_text.seal(changed)))
    ran = run("merge", other, "--out", tmp_path / "all")
    assert ran.code == 1
    assert ran.err == (
        "Error: 1 of 3 tasks could not run and are not in any average, the first of reach-v3: OSError: no world\n"
    )
    assert len(result_of(tmp_path / "all").failed) == 1
