"""`taskworlds evaluate`; episodes are few and short."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

import taskworlds.evaluation
from taskworlds.cli import main
from taskworlds.cli.policy import arguments_of
from taskworlds.evaluation import Result, evaluate, expert_policy
from taskworlds.worlds.metaworld.official import OfficialRow

SHORT = ("--num-goals", "2", "--max-episode-steps", "8")

POLICIES = """
import os
import signal

import numpy as np

from taskworlds.workers.lost import WorkerLost

def still(obs):
    return np.zeros((len(obs), 4))

def load(checkpoint, sign=1, name=""):
    value = sign * float(open(checkpoint).read())
    return lambda obs: np.full((len(obs), 4), value)

def broken(obs):
    raise TypeError("mine")

class Stopped:
    '''Ctrl-C, when the first episode has ended.'''
    calls = 0
    def __call__(self, obs):
        self.calls += 1
        if self.calls > 8:
            raise KeyboardInterrupt
        return np.zeros((len(obs), 4))

class Lost(Stopped):
    def __call__(self, obs):
        self.calls += 1
        if self.calls > self.last:
            raise WorkerLost("worker 1 of 2 was lost 4 times in one call.")
        return np.zeros((len(obs), 4))
    def __init__(self, last=8):
        self.last = last

def until(checkpoint):
    policy = Stopped()
    policy.calls = 8 - int(open(checkpoint).read())
    return policy

class Ended(Stopped):
    def __call__(self, obs):
        if self.calls == 8:
            os.kill(os.getpid(), signal.SIGTERM)
        self.calls += 1
        return np.zeros((len(obs), 4))

class Learner:
    def init(self): pass
    def adapt_action(self, obs): return np.zeros((len(obs), 4)), {}
    def step(self, timestep): pass
    def adapt(self): pass
    def eval_action(self, obs): return np.zeros((len(obs), 4))
    def reset(self, env_mask): pass
"""


@pytest.fixture
def own_policies(tmp_path, monkeypatch):
    """A folder with policies, made the current one."""
    (tmp_path / "own_policies.py").write_text(POLICIES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("own_policies", None)


def test_evaluate_says_what_it_runs_and_what_came_of_it(run):
    ran = run("evaluate", "reach-v3", "--num-goals", "3")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == (
        "MT1-reach-v3 train: 1 skill x 3 goals x 1 episode = 3 episodes of up to 500 steps, seed 0"
    )
    assert lines[1] == "policy expert, reward v2, engine native with 3 rows"
    assert re.search(r"^ reach-v3 +3 +3 +1\.00 +1\.00", ran.out, re.MULTILINE)
    assert re.fullmatch(r"success 1\.000, 95 % interval \[0\.\d{3}, 1\.000\], 3 tasks, \d+ s", lines[-1])
    assert "\x1b" not in ran.out
    assert ran.err == ""


def test_the_options_are_those_of_evaluate(run):
    given = ("--seed", "3", "--episodes", "2", "--num-envs", "1", "--reward-version", "v1", "--full-episodes")
    ran = run("evaluate", "ML1-test", "--env-name", "push-v3", *SHORT, *given, "--one-hot", "--json")
    expected = evaluate(
        expert_policy(),
        "ML1",
        split="test",
        env_name="push-v3",
        num_goals=2,
        max_episode_steps=8,
        seed=3,
        episodes_per_task=2,
        num_envs=1,
        reward_function_version="v1",
        terminate_on_success=False,
        use_one_hot=True,
    )
    assert Result.from_json(ran.out) == expected
    assert ran.err.startswith(
        "ML1-push-v3 test: 1 skill x 2 goals x 2 episodes = 4 episodes of 8 steps, seed 3\n"
        "policy expert, reward v1, engine native with 1 row\n"
    )


def test_the_engine_changes_no_result(run):
    sync, in_processes = (
        Result.from_json(
            run("evaluate", "reach-v3", *SHORT, "--num-envs", "2", "--engine", engine, "--json").out
        )
        for engine in ("sync", "async")
    )
    assert sync == in_processes


def test_the_random_policy_depends_on_the_seed_alone(run):
    random = ("evaluate", "reach-v3", *SHORT, "--policy", "random", "--json")
    first, again, other = (
        Result.from_json(run(*random, "--seed", seed, "--num-envs", rows).out)
        for seed, rows in ((0, 1), (0, 2), (1, 1))
    )
    assert first == again
    assert first.tasks != other.tasks


def test_quiet(run):
    ran = run("evaluate", "reach-v3", *SHORT, "--quiet")
    assert re.fullmatch(r"success 0\.000, .*, 2 tasks, \d+ s\n", ran.out)
    assert ran.err == ""
    ran = run("evaluate", "reach-v3", *SHORT, "--quiet", "--json")
    assert len(Result.from_json(ran.out).tasks) == 2
    assert ran.err == ""


def test_the_test_tasks_are_the_default_where_there_are_any(run):
    assert run("evaluate", "ML1", "--env-name", "reach-v3", *SHORT).out.startswith("ML1-reach-v3 test: ")


def test_files(run, tmp_path):
    folder = tmp_path / "new" / "results"
    ran = run("evaluate", "reach-v3", *SHORT, "--out", folder)
    assert ran.code == 0
    names = [f"{folder}/{name}" for name in ("result.json", "tasks.csv", "skills.csv", "run.toml")]
    assert ran.out.splitlines()[-1] == f"wrote {', '.join(names)}"
    result = Result.load(folder / "result.json")
    assert (folder / "tasks.csv").read_text() == result.to_csv("task")
    assert (folder / "skills.csv").read_text() == result.to_csv("skill")
    assert len(list(folder.iterdir())) == 4


def test_files_are_overwritten_only_when_forced(run, check_mistake, tmp_path):
    assert run("evaluate", "reach-v3", *SHORT, "--out", tmp_path, "--seed", "0").code == 0
    (tmp_path / "skills.csv").unlink()
    ran = run("evaluate", "reach-v3", *SHORT, "--out", tmp_path, "--seed", "1")
    check_mistake(ran, r"already holds result\.json, tasks\.csv\. Give another folder, or --force")
    ran = run("evaluate", "reach-v3", *SHORT, "--out", tmp_path, "--seed", "0", "--resume")
    check_mistake(ran, r"--resume has nothing to play: .* already holds the result of a whole evaluation")
    assert Result.load(tmp_path / "result.json").seed == 0
    assert run("evaluate", "reach-v3", *SHORT, "--out", tmp_path, "--seed", "1", "--force").code == 0
    assert Result.load(tmp_path / "result.json").seed == 1


def test_the_folder_is_tried_before_anything_is_played(run, check_mistake, tmp_path, monkeypatch):
    def played(*arguments, **keywords):
        raise AssertionError("played first")

    monkeypatch.setattr(taskworlds.evaluation, "evaluate", played)
    (tmp_path / "file").write_text("")
    ran = run("evaluate", "reach-v3", "--out", tmp_path / "file" / "results")
    check_mistake(ran, "--out must be a folder that can be written to, which .* is not: Not a directory")


def test_what_is_printed_survives_a_full_disk(run, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Result, "save", full)
    ran = run("evaluate", "reach-v3", *SHORT, "--out", tmp_path)
    assert ran.code == 1
    assert ran.err == (
        f"Error: The files could not be written to {tmp_path}: No space left on device. The episodes are in "
        "episodes.jsonl there: make room, and the same command with --resume writes the files.\n"
    )
    assert ran.out.splitlines()[-1].startswith("success 0.000")
    monkeypatch.undo()
    assert run("evaluate", "reach-v3", *SHORT, "--out", tmp_path, "--resume").code == 0
    assert (tmp_path / "result.json").exists()


def test_a_policy_from_the_current_folder(run, own_policies):
    ran = run("evaluate", "reach-v3", *SHORT, "--policy", "own_policies:still")
    assert ran.code == 0
    assert "policy own_policies:still, " in ran.out


def test_a_policy_with_arguments_and_a_checkpoint(run, check_mistake, own_policies):
    (own_policies / "weights").write_text("0.5")
    made = ("--policy", "own_policies.py:load", "--checkpoint", "weights", "--policy-arg", "sign=-1")
    ran = run("evaluate", "reach-v3", *SHORT, *made, "--policy-arg", "name=left", "--json")
    assert ran.code == 0
    sha256 = hashlib.sha256(b"0.5").hexdigest()[:16]
    told = f'policy own_policies.py:load(name="left", sign=-1) with weights (sha256 {sha256}), '
    assert told in ran.err
    expected = evaluate(
        lambda obs: np.full((len(obs), 4), -0.5), "reach-v3", num_goals=2, max_episode_steps=8
    )
    assert Result.from_json(ran.out) == expected
    for wrong, message in (
        (
            ("--policy-arg", "sign"),
            "--policy-arg must be NAME=VALUE with the name of an argument, .*, not 'sign'",
        ),
        (("--policy-arg", "=3"), "--policy-arg must be NAME=VALUE"),
        (("--policy-arg", "sign=1"), "--policy-arg gives sign twice"),
        (("--policy-arg", "checkpoint=x"), "give the checkpoint with --checkpoint"),
        (("--policy-arg", "sing=1"), r"'sing' \(did you mean 'sign'\?\)"),
        (("--checkpoint", "weihgts"), "--checkpoint must be a file or a folder that exists, not weihgts"),
        (("--policy", "expert"), "--policy 'expert' takes no checkpoint and no arguments"),
    ):
        check_mistake(run("evaluate", "reach-v3", *SHORT, *made, *wrong), message)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64", 64),
        ("-1e-3", -1e-3),
        ("[1, [2]]", [1, [2]]),
        ('{"a": null}', {"a": None}),
        ("true", True),
        ("False", False),
        ("None", None),
        ('"3"', "3"),
        ("tanh", "tanh"),
        ("", ""),
        ("a=b", "a=b"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_values_of_arguments_are_json_or_texts(text, value):
    assert arguments_of([f"name={text}"]) == {"name": value}


def test_a_policys_own_exception_comes_out(own_policies, capsys):
    with pytest.raises(TypeError, match="mine"):
        main(["evaluate", "reach-v3", *SHORT, "--policy", "own_policies:broken"])


def test_a_policy_that_cannot_be_called_so_comes_out(own_policies, capsys):
    with pytest.raises(TypeError):
        main(["evaluate", "reach-v3", *SHORT, "--policy", "math:sin"])


def test_a_policy_that_learns_from_the_task_first(run, own_policies):
    ran = run(
        "evaluate",
        "ML1",
        "--env-name",
        "reach-v3",
        *SHORT,
        "--policy",
        "own_policies:Learner",
        "--adaptation-episodes",
        "1",
        "--num-envs",
        "2",
    )
    assert ran.code == 0
    assert "policy own_policies:Learner (meta-learning), " in ran.out
    assert "meta: 1 x 1 episodes of adaptation, batches of 2" in ran.out


def test_tasks_that_could_not_run(run, tmp_path, monkeypatch):
    step = OfficialRow.step

    def breaks(self, action):
        if self.task.env_name == "push-v3" and not self.idle:
            raise OSError("no world")
        return step(self, action)

    monkeypatch.setattr(OfficialRow, "step", breaks)
    ran = run(
        "evaluate",
        "MT10",
        "--num-goals",
        "1",
        "--max-episode-steps",
        "2",
        "--engine",
        "sync",
        "--out",
        tmp_path,
    )
    assert ran.code == 1
    message = (
        "1 of 10 tasks could not run and are not in any average, the first of push-v3: OSError: no world"
    )
    assert ran.err == f"Error: {message}\n"
    assert len(Result.load(tmp_path / "result.json").completed) == 9


def test_ctrl_c_shows_what_was_finished(run, own_policies):
    stopped = ("--policy", "own_policies:Stopped", "--num-envs", "1", "--out", "x")
    ran = run("evaluate", "reach-v3", *SHORT, *stopped)
    assert ran.code == 130
    assert "MT1-reach-v3 (partial) train, multi-task" in ran.out
    assert re.search(r"^success 0\.000, 1 task, \d+ s$", ran.out, re.MULTILINE)
    assert ran.err == (
        "PARTIAL: stopped after 1 of 2 tasks, the first to end; 1 episode is kept in x/episodes.jsonl, and the same "
        "command with --resume plays the others\n"
    )
    assert {each.name for each in (own_policies / "x").iterdir()} == {"episodes.jsonl", "run.toml"}
    stopped = stopped[:-2]
    ran = run("evaluate", "reach-v3", *SHORT, *stopped, "--json", "--quiet")
    assert ran.code == 130
    assert Result.from_json(ran.out).benchmark == "MT1-reach-v3 (partial)"
    assert "the first to end; nothing was written" in ran.err


def test_the_loss_of_workers_keeps_what_was_finished(run, own_policies):
    lost = ("evaluate", "reach-v3", *SHORT, "--policy", "own_policies:Lost", "--num-envs", "1", "--out", "x")
    ran = run(*lost)
    assert ran.code == 1
    assert re.search(r"^success 0\.000, 1 task, \d+ s$", ran.out, re.MULTILINE)
    assert ran.err.splitlines() == [
        "Error: worker 1 of 2 was lost 4 times in one call.",
        "PARTIAL: stopped after 1 of 2 tasks, the first to end; 1 episode is kept in x/episodes.jsonl, and the same "
        "command with --resume plays the others",
    ]
    ran = run(*lost[:-1], "y", "--policy-arg", "last=3")
    assert ran.code == 1
    assert ran.err == "Error: worker 1 of 2 was lost 4 times in one call.\n"
    assert {each.name for each in (own_policies / "y").iterdir()} == {"episodes.jsonl", "run.toml"}


def test_workers_are_asked_for_in_the_right_way(run, check_mistake, monkeypatch):
    check_mistake(run("evaluate", "reach-v3", "--workers", "0"), "Invalid value for '--workers'")
    check_mistake(run("evaluate", "reach-v3", "--address", "here:1"), "--address says .* give --workers, too")
    for module in ("taskworlds.workers.cluster", "taskworlds.evaluation.on_workers"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    ran = run("evaluate", "reach-v3", "--workers", "2", "--quiet")
    check_mistake(ran, r'could not be imported .* Type: pip install "taskworlds\[ray\]"')


@pytest.fixture
def stopped(run, own_policies):
    """An evaluation that was stopped after one of two tasks; the fixture is the command that began it."""
    own = (
        "evaluate",
        "reach-v3",
        *SHORT,
        "--num-envs",
        "1",
        "--policy",
        "own_policies:Stopped",
        "--out",
        "x",
    )
    assert run(*own).code == 130
    return own


def test_what_was_stopped_goes_on(run, check_mistake, stopped, own_policies):
    check_mistake(run(*stopped), r"x holds an evaluation that was stopped\. Give --resume .*, --force ")
    ran = run(*stopped, "--resume")  # the policy has time for one more task
    assert ran.code == 0
    assert {each.name for each in (own_policies / "x").iterdir()} == {
        "result.json",
        "tasks.csv",
        "skills.csv",
        "run.toml",
    }
    whole = run("evaluate", "reach-v3", *SHORT, "--policy", "own_policies:still", "--json").out
    assert Result.load(own_policies / "x" / "result.json") == Result.from_json(whole)
    check_mistake(
        run(*stopped[:-1], "y", "--resume"), "y holds no episodes.jsonl. Leave out --resume to start one"
    )
    check_mistake(
        run(*stopped[:-2], "--resume"),
        "an evaluation that is in the folder that --out names",
    )


def test_only_the_same_evaluation_goes_on(run, check_mistake, stopped, own_policies):
    other = "--policy", "own_policies:still", "--resume"
    check_mistake(
        run(*stopped, *other),
        r"--resume must be part of .*: policy was 'own_policies:Stopped' then and is 'own_policies:still' now",
    )
    for option, value, message in (
        ("--max-episode-steps", "9", "max_episode_steps was 8 then and is 9 now"),
        ("--episodes", "2", "episodes_per_task was 1 then and is 2 now"),
        ("--seed", "1", "seed was 0 then and is 1 now"),
    ):
        check_mistake(run(*stopped, option, value, "--resume"), f"--resume must be part of .*{message}")
    kept = own_policies / "x" / "episodes.jsonl"
    about, *lines = kept.read_text().splitlines(keepends=True)
    for damage in (
        "{\n",
        "[]\n",
        "[" * 100_000 + "\n",
        about.replace("still", "stall").replace("reach", "roach"),
        about.replace("taskworlds.Episodes", "taskworlds.Unfinished"),
        about + lines[0].replace('"length": 8', '"length": 7') + lines[0],
    ):
        kept.write_text(damage)
        check_mistake(
            run(*stopped, "--resume"), r"episodes\.jsonl is damaged in line [12] \(.*Start over in another"
        )
    kept.write_text(about[:50])
    check_mistake(run(*stopped, "--resume"), r"episodes\.jsonl has no whole line, so it says nothing")
    assert run(*stopped, "--force").code == 130


def test_only_the_same_checkpoint_goes_on(run, check_mistake, own_policies):
    (own_policies / "steps").write_text("8")
    own = ("--policy", "own_policies.py:until", "--checkpoint", "steps", "--num-envs", "1", "--out", "x")
    assert run("evaluate", "reach-v3", *SHORT, *own).code == 130
    (own_policies / "steps").write_text("99")
    ran = run("evaluate", "reach-v3", *SHORT, *own, "--resume")
    check_mistake(
        ran, r"--resume must .*: policy was '.*until with steps \(sha256 .* and is '.*until with steps"
    )
    (own_policies / "steps").write_text("8")
    assert run("evaluate", "reach-v3", *SHORT, *own, "--resume").code == 0


@pytest.mark.skipif(os.name != "posix", reason="signals of other systems")
def test_a_batch_systems_signal_keeps_what_was_finished(run, own_policies):
    ran = run(
        "evaluate", "reach-v3", *SHORT, "--num-envs", "1", "--policy", "own_policies:Ended", "--out", "x"
    )
    assert ran.code == 130
    assert (own_policies / "x" / "episodes.jsonl").exists()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_ctrl_c_before_anything_was_finished(run, own_policies):
    stopped = ("--policy", "own_policies:Stopped", "--num-envs", "1", "--episodes", "2")
    ran = run("evaluate", "reach-v3", *SHORT, *stopped, "--quiet")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == "stopped before any task was finished; nothing was written\n"


@pytest.mark.parametrize(
    ("name", "first", "how"),
    [
        (
            "half-cheetah-vel",
            "half-cheetah-vel test: 1 skill x 2 tasks x 1 episode = 2 episodes of 8 steps, seed 0",
            "policy random, reward v1, ",
        ),
        pytest.param(
            "walker-walk-len-range",
            "walker-walk-len-range test: 1 skill x 2 tasks x 1 episode = 2 episodes of 8 steps, seed 0",
            "policy random, reward dm_control, ",
            marks=pytest.mark.requires_dm_control,
        ),
    ],
)
def test_evaluate_and_compare_where_there_is_no_success(run, tmp_path, name, first, how):
    ran = run("evaluate", name, *SHORT, "--engine", "sync", "--out", tmp_path)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == first
    assert lines[1] == f"{how}engine sync with 2 rows"
    assert "success" not in ran.out
    assert "nan" not in ran.out
    assert re.search(r"^return -?\d+\.\d, 95 % interval \[.*\], 2 tasks, \d+ s$", ran.out, re.MULTILINE)
    ran = run("compare", tmp_path, tmp_path)
    assert ran.code == 0
    assert "success" not in ran.out
    assert ran.out.splitlines()[-1] == "B minus A: return +0.0, 95 % interval [+0.0, +0.0], 2 tasks"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("ci", [False, True])
def test_a_bar_is_shown_on_a_terminal_only_and_not_in_ci(ci):
    import pty

    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-m", "taskworlds", "evaluate", "reach-v3", *SHORT],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment | ({"CI": "true"} if ci else {}),
    ) as process:
        os.close(theirs)
        shown = b""
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            try:
                while chunk := terminal.read(4096):
                    shown += chunk
            except OSError:  # how Linux tells that the other end was closed
                pass
        out = process.stdout.read()
    assert process.returncode == 0
    assert (b"2 of 2 episodes" in shown) is not ci
    assert b"\x1b" not in out
