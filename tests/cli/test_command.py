"""The command itself: its help, and mistakes in calling it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import taskworlds
from taskworlds.core.registry import engines
from taskworlds.worlds.metaworld.world import METAWORLD


def test_no_simulator_is_loaded_where_none_is_needed():
    commands = [
        ["--help"],
        ["--version"],
        ["evaluate", "--help"],
        ["demonstrate", "--help"],
        ["list", "benchmarks"],
        ["list", "skills"],
        ["list", "envs"],
        ["list", "skills", "cheetah", "--json"],
        ["merge", "--help"],
        ["bench", "--help"],
        ["evaluate", "MT11"],
    ]
    program = (
        "import contextlib, sys\n"
        "from taskworlds.cli import main\n"
        f"for arguments in {commands!r}:\n"
        "    with contextlib.suppress(SystemExit):\n"
        "        main(arguments)\n"
        "    loaded = sorted({'mujoco', 'metaworld', 'dm_control'} & set(sys.modules))\n"
        "    print('LOADED', arguments, loaded, flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    told = [line for line in done.stdout.splitlines() if line.startswith("LOADED")]
    assert told == [f"LOADED {arguments} []" for arguments in commands], done.stderr


def test_version(run):
    assert run("--version").out == f"taskworlds {taskworlds.__version__}\n"


def test_python_dash_m():
    done = subprocess.run(
        [sys.executable, "-m", "taskworlds", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"taskworlds {taskworlds.__version__}\n")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help(run, arguments):
    ran = run(*arguments)
    assert ran.code == 0
    for word in ("evaluate", "list", "compare", "bench", "doctor", "Start with: taskworlds evaluate MT10"):
        assert word in ran.out


@pytest.mark.parametrize(
    "command", ["evaluate", "demonstrate", "list", "compare", "merge", "bench", "doctor", "cache"]
)
def test_each_command_helps_with_an_example(run, command):
    ran = run(command, "--help")
    assert ran.code == 0
    assert f"Example: taskworlds {command}" in ran.out


def test_the_choices_in_the_help_are_those_there_are(run):
    out = run("evaluate", "--help").out
    for name in engines():
        assert f"{name}: " in out
    assert "|".join(METAWORLD.reward_function_versions) in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evalute"], "No such command 'evalute'"),
        (["evaluate"], r"Missing argument 'BENCHMARK'\. `taskworlds evaluate --help` shows more\."),
        (["evaluate", "MT10", "--gaols", "3"], "No such option: --gaols"),
        (["evaluate", "MT10", "--num-goals", "0"], "--num-goals"),
        (["evaluate", "MT10", "--num-goals", "few"], "--num-goals"),
        (["evaluate", "MT11"], "Unknown benchmark 'MT11'. Did you mean 'MT1' or 'MT10'?"),
        (["evaluate", "Meta-World/MT10"], "Unknown benchmark 'Meta-World/MT10'. Did you mean 'MT10' or"),
        (["evaluate", "rech-v3"], "Did you mean 'reach-v3'"),
        (["evaluate", "MT1"], "MT1 needs --env-name"),
        (["evaluate", "MT1", "--env-name", "rech-v3"], "Unknown skill 'rech-v3'. Did you mean 'reach-v3'"),
        (["evaluate", "MT10", "--env-name", "reach-v3"], "MT10 does not take --env-name"),
        (["evaluate", "MT10", "--split", "tset"], "--split must be one of 'train', 'test', not 'tset'"),
        (["evaluate", "MT10", "--split", "test"], "MT10 has no test tasks"),
        (
            ["evaluate", "ML10-test", "--split", "train"],
            "names the test tasks, so --split='train' contradicts",
        ),
        (["evaluate", "MT10", "--seed", "-1"], "--seed must be at least 0, not -1"),
        (["evaluate", "MT10", "--engine", "snyc"], "--engine must be one of .*'sync'.*, not 'snyc'"),
        (["evaluate", "MT10", "--reward-version", "v3"], "--reward-version must be one of 'v1', 'v2'"),
        (["evaluate", "MT10", "--policy", "exprt"], "Unknown policy 'exprt'. Did you mean 'expert'?"),
        (["evaluate", "MT10", "--policy", "no.module:x"], "there is no module 'no'"),
        (
            ["evaluate", "MT10", "--policy", "os:nothing"],
            "object in os 'nothing'. It is named by 'os:nothing'",
        ),
        (
            ["evaluate", "MT10", "--policy", "math:pi"],
            "'math:pi' cannot be played: --policy must be .*, not 3.14",
        ),
        (
            ["evaluate", "MT10", "--adaptation-episodes", "2"],
            "--adaptation-episodes can only be given for the meta",
        ),
        (
            ["evaluate", "custom-mt-envs"],
            "custom-mt-envs needs envs_list, which the command line does not take. In",
        ),
        (["list", "skils"], "Unknown list 'skils'. Did you mean 'skills'?"),
        (["list", "skills", "chetah"], r"Unknown word 'chetah'\. Did you mean 'cheetah-run' or"),
        (
            ["list", "skills", "--world", "mars"],
            "--world must be one of 'metaworld', 'locomotion', 'control', 'small', not 'mars'. `taskworlds list skills "
            "mars` looks for a word.",
        ),
        (["evaluate", "cw10"], r"'CW10' is a continual sequence, not a benchmark\..*make_sequence\('CW10'\)"),
        (
            ["bench", "tdmpc2"],
            "'tdmpc2' is a protocol, not a benchmark. .*--protocol tdmpc2",
        ),
        (
            ["evaluate", "MT10", "--policy", "MT10"],
            "Unknown policy 'MT10'. It is the name of a benchmark or a",
        ),
        (
            ["evaluate", "walker-walk", "--policy", "expert"],
            "walker-walk has no scripted experts: give --policy ra",
        ),
        (
            ["evaluate", "half-cheetah-vel", "--reward-version", "v2"],
            "--reward-version must be one of 'v1', not 'v2'",
        ),
        (
            ["evaluate", "half-cheetah-dir", "--num-goals", "3"],
            "--num-goals must be 2 or None for half-cheetah-dir, not 3",
        ),
        (["bench", "MT11"], "Unknown benchmark 'MT11'. Did you mean 'MT1' or 'MT10'?"),
        (["bench", "ML10-test"], "BENCHMARK must name train tasks, not 'ML10-test', because .* Give ML10."),
        (["bench", "reach-v3", "--threads", "two"], "--threads must be whole numbers above 0, .*, not 'two'"),
        (["bench", "reach-v3", "--threads", "1,0"], "--threads must be whole numbers above 0, .*, not '1,0'"),
        (["bench", "reach-v3", "--rounds", "0"], "--rounds"),
        (["compare", "a.json"], "compare needs two results or more, not 1"),
        (["compare"], "Missing argument 'RESULT'"),
    ],
)
def test_mistakes_are_told_in_one_line(run, check_mistake, arguments, message):
    check_mistake(run(*arguments), message)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["evaluate", "ML4"], {"ML45"}),
        (["evaluate", "MT10", "--policy", "r"], {"random"}),
        (["evaluate", "MT10", "--engine", ""], set(engines())),
        (["list", "sk"], {"skills"}),
        (["list", "skills", "--world", "metaw"], {"metaworld"}),
        (["bench", "reach-v"], {"reach-v3"}),
        (["cache", "c"], {"clear"}),
    ],
)
def test_the_shell_completes(run, monkeypatch, words, offered):
    monkeypatch.setenv("_TASKWORLDS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", " ".join(["taskworlds", *words]))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    assert set(run().out.split()) == offered


def test_ctrl_c_is_told(run, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("taskworlds.cli.doctor.checks", interrupted)
    ran = run("doctor")
    assert ran.code == 130
    assert ran.err.splitlines()[-1] == "stopped"
