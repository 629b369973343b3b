"""The command line, run in this process where that suffices; episodes are few and short."""

import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

import taskworlds
import taskworlds.evaluation
from taskworlds.benchmarks import BENCHMARK_NAMES, benchmark
from taskworlds.cli import doctor as doctor_module
from taskworlds.cli import listing, main
from taskworlds.evaluation import Result, evaluate, expert_policy
from taskworlds.registration import IDS
from taskworlds.vector.task_vector_env import STRATEGIES
from taskworlds.worlds import WORLDS, world_of
from taskworlds.worlds.metaworld.official import OfficialRow
from taskworlds.worlds.metaworld.world import METAWORLD

SHORT = ("--goals", "2", "--max-episode-steps", "8")
POLICIES = """
import numpy as np

def still(obs):
    return np.zeros((len(obs), 4))

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

class Learner:
    def init(self): pass
    def adapt_action(self, obs): return np.zeros((len(obs), 4)), {}
    def step(self, timestep): pass
    def adapt(self): pass
    def eval_action(self, obs): return np.zeros((len(obs), 4))
    def reset(self, env_mask): pass
"""


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(capsys):
    """Runs a command, and gives its exit code and what it printed."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return SimpleNamespace(code=stop.value.code, out=printed.out, err=printed.err)

    return run


@pytest.fixture
def own_policies(tmp_path, monkeypatch):
    """A folder with policies, made the current one."""
    (tmp_path / "own_policies.py").write_text(POLICIES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("own_policies", None)


def check_mistake(ran, message):
    assert ran.code == 2
    assert re.search(message, ran.err), ran.err
    assert ran.err.startswith("Error: ")
    assert ran.err.count("\n") == 1


# --- the command itself ---


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["evaluate", "--help"],
        ["list", "benchmarks"],
        ["list", "skills"],
        ["list", "envs"],
        ["list", "skills", "cheetah", "--json"],
        ["bench", "--help"],
        ["evaluate", "MT11"],
    ],
    ids=" ".join,
)
def test_no_simulator_is_loaded_where_none_is_needed(arguments):
    program = (
        "import atexit, sys\n"
        "from taskworlds.cli import main\n"
        "atexit.register(lambda: print(sorted({'mujoco', 'metaworld', 'dm_control'} & set(sys.modules))))\n"
        f"main({arguments!r})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


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


@pytest.mark.parametrize("command", ["evaluate", "list", "compare", "bench", "doctor"])
def test_each_command_helps_with_an_example(run, command):
    ran = run(command, "--help")
    assert ran.code == 0
    assert f"Example: taskworlds {command}" in ran.out


def test_the_choices_in_the_help_are_those_there_are(run):
    out = run("evaluate", "--help").out
    assert "|".join(STRATEGIES) in out
    assert "|".join(METAWORLD.reward_function_versions) in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evalute"], "No such command 'evalute'"),
        (["evaluate"], r"Missing argument 'BENCHMARK'\. `taskworlds evaluate --help` tells more\."),
        (["evaluate", "MT10", "--gaols", "3"], "No such option: --gaols"),
        (["evaluate", "MT10", "--goals", "0"], "--goals"),
        (["evaluate", "MT10", "--goals", "few"], "--goals"),
        (["evaluate", "MT11"], "Unknown benchmark 'MT11'. Did you mean 'MT1' or 'MT10'?"),
        (["evaluate", "rech-v3"], "Did you mean 'reach-v3'"),
        (["evaluate", "MT1"], "MT1 needs --env-name"),
        (["evaluate", "MT1", "--env-name", "rech-v3"], "Unknown skill 'rech-v3'. Did you mean 'reach-v3'"),
        (["evaluate", "MT10", "--env-name", "reach-v3"], "MT10 does not take --env-name"),
        (["evaluate", "MT10", "--split", "tset"], "--split must be one of 'train', 'test', not 'tset'"),
        (["evaluate", "MT10", "--split", "test"], "MT10 has no test tasks"),
        (["evaluate", "ML10-test", "--split", "train"], "is the test split, so --split='train' contradicts"),
        (["evaluate", "MT10", "--seed", "-1"], "--seed must be at least 0, not -1"),
        (["evaluate", "MT10", "--engine", "snyc"], "--engine must be one of .*'sync'.*, not 'snyc'"),
        (["evaluate", "MT10", "--reward-version", "v3"], "--reward-version must be one of 'v1', 'v2'"),
        (["evaluate", "MT10", "--policy", "exprt"], "Unknown policy 'exprt'. Did you mean 'expert'?"),
        (["evaluate", "MT10", "--policy", "no.module:x"], "there is no module 'no'"),
        (["evaluate", "MT10", "--policy", "math:pi"], "'math:pi' is no policy"),
        (["evaluate", "MT10", "--adaptation-episodes", "2"], "--adaptation-episodes ask.* for the meta"),
        (["evaluate", "custom-mt-envs"], "which the command line does not take. In Python: taskworlds.eval"),
        (["list", "skils"], "Unknown list 'skils'. Did you mean 'skills'?"),
        (["list"], "Missing argument"),
        (["list", "skills", "chetah"], r"Unknown word 'chetah'\. Did you mean 'cheetah-run'\?"),
        (
            ["list", "skills", "--world", "mars"],
            "--world must be one of 'metaworld', 'locomotion', 'control', not",
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
            ["evaluate", "half-cheetah-dir", "--goals", "3"],
            "--goals must be 2 or None for half-cheetah-dir, not 3",
        ),
        (["bench", "MT11"], "Unknown benchmark 'MT11'. Did you mean 'MT1' or 'MT10'?"),
        (["bench", "ML10-test"], "BENCHMARK must name train tasks, .* not 'ML10-test'. Give ML10."),
        (["bench", "reach-v3", "--threads", "two"], "--threads must be whole numbers above 0, .*, not 'two'"),
        (["bench", "reach-v3", "--threads", "1,0"], "--threads must be whole numbers above 0, .*, not '1,0'"),
        (["bench", "reach-v3", "--rounds", "0"], "--rounds"),
        (["compare", "a.json"], "Missing argument 'B'"),
    ],
)
def test_mistakes_are_told_in_one_line(run, arguments, message):
    check_mistake(run(*arguments), message)


# --- evaluate ---


def test_evaluate_says_what_it_runs_and_what_came_of_it(run):
    ran = run("evaluate", "reach-v3", "--goals", "3")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == (
        "MT1-reach-v3 train: 1 skill x 3 goals x 1 episode = 3 episodes of up to 500 steps, seed 0"
    )
    assert lines[1] == "policy expert, reward v2, engine native with 3 rows"
    assert re.search(r"^ reach-v3 +3 +3 +1\.00 +1\.00", ran.out, re.MULTILINE)
    assert re.fullmatch(r"success 1\.000, 95 % interval \[1\.000, 1\.000\], 3 tasks, \d+ s", lines[-1])
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
        run("evaluate", "reach-v3", *SHORT, "--num-envs", "2", "--engine", engine, "--json").out
        for engine in ("sync", "async")
    )
    assert sync == in_processes


def test_the_random_policy_depends_on_the_seed_alone(run):
    first, again, other = (
        run(
            "evaluate", "reach-v3", *SHORT, "--policy", "random", "--seed", seed, "--num-envs", rows, "--json"
        )
        for seed, rows in ((0, 1), (0, 2), (1, 1))
    )
    assert first.out == again.out
    assert first.out != other.out


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
    names = [f"{folder}/{name}" for name in ("result.json", "tasks.csv", "skills.csv")]
    assert ran.out.splitlines()[-1] == f"wrote {', '.join(names)}"
    result = Result.load(folder / "result.json")
    assert (folder / "tasks.csv").read_text() == result.to_csv("task")
    assert (folder / "skills.csv").read_text() == result.to_csv("skill")
    assert len(list(folder.iterdir())) == 3


def test_files_are_overwritten_only_when_forced(run, tmp_path):
    assert run("evaluate", "reach-v3", *SHORT, "--out", tmp_path, "--seed", "0").code == 0
    (tmp_path / "skills.csv").unlink()
    ran = run("evaluate", "reach-v3", *SHORT, "--out", tmp_path, "--seed", "1")
    check_mistake(ran, r"already holds result\.json, tasks\.csv\. Give another folder, or --force")
    assert Result.load(tmp_path / "result.json").seed == 0
    assert run("evaluate", "reach-v3", *SHORT, "--out", tmp_path, "--seed", "1", "--force").code == 0
    assert Result.load(tmp_path / "result.json").seed == 1


def test_the_folder_is_tried_before_anything_is_played(run, tmp_path, monkeypatch):
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
    assert ran.err == f"Error: The files could not be written to {tmp_path}: No space left on device.\n"
    assert ran.out.splitlines()[-1].startswith("success 0.000")


def test_a_policy_from_the_current_folder(run, own_policies):
    ran = run("evaluate", "reach-v3", *SHORT, "--policy", "own_policies:still")
    assert ran.code == 0
    assert "policy own_policies:still, " in ran.out


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
        if self._task.env_name == "push-v3" and not self.idle:
            raise OSError("no world")
        return step(self, action)

    monkeypatch.setattr(OfficialRow, "step", breaks)
    ran = run(
        "evaluate", "MT10", "--goals", "1", "--max-episode-steps", "2", "--engine", "sync", "--out", tmp_path
    )
    assert ran.code == 1
    message = "1 of 10 tasks could not run and are in no average, the first of push-v3: OSError: no world"
    assert ran.err == f"Error: {message}\n"
    assert len(Result.load(tmp_path / "result.json").completed) == 9


def test_ctrl_c_shows_what_was_finished(run, own_policies):
    stopped = ("--policy", "own_policies:Stopped", "--num-envs", "1", "--out", "x")
    ran = run("evaluate", "reach-v3", *SHORT, *stopped)
    assert ran.code == 130
    assert "MT1-reach-v3 (partial) train, multi-task" in ran.out
    assert re.search(r"^success 0\.000, 1 task, \d+ s$", ran.out, re.MULTILINE)
    assert ran.err == "PARTIAL: stopped after 1 of 2 tasks, the first to end; nothing was written\n"
    assert list((own_policies / "x").iterdir()) == []
    ran = run("evaluate", "reach-v3", *SHORT, *stopped, "--json", "--quiet")
    assert ran.code == 130
    assert Result.from_json(ran.out).benchmark == "MT1-reach-v3 (partial)"


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


# --- list ---


def test_list_benchmarks(run):
    out = run("list", "benchmarks").out
    assert re.search(r"^ ML10 +meta +10 +5 *$", out, re.MULTILINE)
    assert re.search(r"^ ant-goal +150 +30 +go to the given place *$", out, re.MULTILINE)
    assert re.search(r"^ walker-walk-len +4 +4 +half-length of the left foot, m *$", out, re.MULTILINE)
    assert "walker-walk-len-range" not in out
    rows = json.loads(run("list", "benchmarks", "--json").out)
    assert [row["name"] for row in rows] == [
        *BENCHMARK_NAMES,
        *(name for world in WORLDS for name in world.benchmarks),
    ]
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
        assert row["world"] == world_of(row["train_skills"][0]).suite
        assert row["summary"] or row["world"] == "metaworld"


def test_list_skills(run):
    out = run("list", "skills").out
    names = [name for world in WORLDS for name in world.env_names()]
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
    assert [row["name"] for row in rows] == ["half-cheetah-vel", "half-cheetah-dir", "cheetah-run"]
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
    names = [row["name"] for row in json.loads(run("list", "envs", "--json").out)]
    assert [name for name in names if "/" in name] == list(IDS)
    for name in names[len(IDS) :]:
        assert hasattr(taskworlds, name.removeprefix("taskworlds."))


@pytest.mark.parametrize("columns", ["80", "100"])
def test_lists_fit_a_terminal(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    for name in listing.LISTS:
        out = run("list", name).out
        assert max(map(len, out.splitlines())) <= int(columns)
        assert "…" not in out


def test_what_is_piped_is_not_cut(run):
    assert "…" not in "".join(run("list", name).out for name in listing.LISTS)


# --- compare ---


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
    assert lines[-1] == "B minus A: success -1.000, 95 % interval [-1.000, -1.000], 3 tasks"
    assert re.search(r"^ reach-v3 +3 +-1\.00", ran.out, re.MULTILINE)


def test_compare_refuses_what_was_not_measured_alike(run, results):
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
        ("expert/tasks.csv", "tasks.csv: This is no saved Result"),
    ],
)
def test_compare_reads_results_only(run, results, other, message):
    check_mistake(run("compare", results / "expert", results / other), message)


# --- bench ---

TINY = ("--num-envs", "2", "--rounds", "1", "--steps", "2", "--no-build", "--episodes", "0", "--threads", "1")


def test_bench(run):
    ran = run("bench", "reach-v3", *TINY)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "MT1-reach-v3, 2 rows, medians of 1 round; times: of Meta-World, one env"
    number = r"[\d,]+ +\d+\.\d\d"
    for title, rows in (
        ("taskworlds, native, 1 thread", 2),
        ("taskworlds, sync", 2),
        ("taskworlds, one env", 1),
    ):
        assert re.search(rf"^{title} +{rows} +{number} *$", ran.out, re.MULTILINE), title
    assert re.search(r"^Meta-World, one env +1 +[\d,]+ +1\.00 *$", ran.out, re.MULTILINE)
    assert re.fullmatch(r"\d+ cores, load .*, Python [\d.]+", lines[-1])


def test_bench_of_another_world_as_json(run):
    ran = run("bench", "half-cheetah-vel", *TINY, "--json")
    assert ran.code == 0
    rows = {row["title"]: row for row in json.loads(ran.out)}
    assert {"taskworlds, sync", "Gymnasium, sync"} <= set(rows)
    for row in rows.values():
        assert [speed > 0 for speed in row["steps_per_second"]] == [True]
        assert (row["with_resets"], row["build_seconds"], row["megabytes"]) == ([], None, None)


# --- doctor ---


@pytest.fixture
def healthy(monkeypatch):
    """A machine where all is well, without starting any process."""
    versions = {name: bound[2:] for name, bound in doctor_module.NEEDED.items()}
    monkeypatch.setattr(doctor_module, "_version", versions.get)
    monkeypatch.setattr(doctor_module, "fault", lambda program, **environment: None)
    return versions


def test_the_doctor_finds_this_machine_fit(run):
    ran = run("doctor")
    assert ran.code == 0
    assert re.search(r"^ simulation +ok +one step of reach-v3", ran.out, re.MULTILINE)
    assert "Everything that `taskworlds evaluate` needs is there." in ran.out


@pytest.mark.parametrize(
    ("version", "found"), [(None, "not installed"), ("3.2.7", "3.2.7, but ==3.3.0 is needed")]
)
def test_the_doctor_names_what_is_missing_and_how_to_get_it(run, healthy, version, found):
    healthy["mujoco"] = version
    ran = run("doctor")
    assert ran.code == 1
    assert re.search(rf'^ mujoco +MISSING +{found} +pip install "mujoco==3\.3\.0"', ran.out, re.MULTILINE)
    assert ran.out.splitlines()[-1] == "`taskworlds evaluate` cannot run: mujoco."


def test_what_is_optional_may_be_missing(run, healthy, monkeypatch):
    def fault(program, **environment):
        return "crashed with signal 11" if "mujoco.Renderer" in program or "registry" in program else None

    monkeypatch.setattr(doctor_module, "fault", fault)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    ran = run("doctor")
    assert ran.code == 0
    for check in ("offscreen GL", "Gymnasium ids", "torch", "omegaconf", "dm_control", r"C\+\+ compiler"):
        assert re.search(rf"^ {check} +optional ", ran.out, re.MULTILINE), check
    for advice in ("libegl1", "libosmesa6", "import taskworlds before", "pip install torch", "g++"):
        assert advice in ran.out


def test_a_simulator_that_does_not_run(run, healthy, monkeypatch):
    monkeypatch.setattr(doctor_module, "fault", lambda program, **environment: "ImportError: libGL.so.1")
    ran = run("doctor")
    assert ran.code == 1
    assert re.search(r"^ simulation +MISSING +ImportError: libGL\.so\.1", ran.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("version", "fault", "found"),
    [(None, None, "not installed"), ("1.0.9", "ImportError: gone", "1.0.9, but ImportError: gone")],
)
def test_the_doctor_looks_at_dm_control(run, healthy, monkeypatch, version, fault, found):
    healthy["dm_control"] = version
    monkeypatch.setattr(
        doctor_module, "fault", lambda program, **environment: fault if "dm_control" in program else None
    )
    ran = run("doctor")
    assert ran.code == 0
    assert re.search(rf"^ dm_control +optional +{found}", ran.out, re.MULTILINE)
    assert 'pip install "taskworlds[control]"' in ran.out


@pytest.mark.parametrize(
    ("works", "advice"), [(("egl",), r"set MUJOCO_GL=egl"), ((), r"apt-get install libegl1")]
)
def test_the_doctor_tries_the_library_that_is_set(run, healthy, monkeypatch, works, advice):
    def fault(program, **environment):
        library = environment.get("MUJOCO_GL", "osmesa")
        return None if library in ("", "disable", *works) else "AttributeError: no glGetError"

    monkeypatch.setattr(doctor_module, "fault", fault)
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    ran = run("doctor")
    assert ran.code == 1
    assert re.search(r"^ simulation +MISSING .*unset MUJOCO_GL, as osmesa", ran.out, re.MULTILINE)
    assert re.search(rf"^ offscreen GL +optional +MUJOCO_GL=osmesa: .*{advice}", ran.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("found", "wanted", "satisfied"),
    [
        ("3.10.0", ">=3.10,<3.14", True),
        ("3.9.18", ">=3.10,<3.14", False),
        ("3.14.0", ">=3.10,<3.14", False),
        ("3.3.0", "==3.3.0", True),
        ("3.3.1", "==3.3.0", False),
        ("1.10", ">=1.9", True),
        ("2.0.0rc1", ">=1.26", True),
    ],
)
def test_bounds_of_versions(found, wanted, satisfied):
    assert doctor_module._satisfies(found, wanted) is satisfied


def test_the_doctor_wants_what_the_package_declares(request):
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((request.config.rootpath / "pyproject.toml").read_text())["project"]
    bounds = dict(
        re.fullmatch(r"([\w-]+)(?:\[\w+\])?(.*)", each).groups() for each in project["dependencies"]
    )
    assert {name: bounds[name] for name in doctor_module.NEEDED} == doctor_module.NEEDED
    assert project["requires-python"] == doctor_module.PYTHON
