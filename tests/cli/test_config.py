"""Options that stand in a file, and the file beside a result."""

from __future__ import annotations

import json

import pytest

from taskworlds.evaluation import Result

SHORT = 'num-goals = 2\nmax-episode-steps = 5\npolicy = "random"\n'


@pytest.fixture
def config(tmp_path):
    """Writes a file of options, and gives its path."""

    def write(text):
        path = tmp_path / "own.toml"
        path.write_text(text)
        return path

    return write


def test_options_stand_in_a_file_and_typed_ones_count_more(run, config):
    file = config('benchmark = "point"\nseed = 3\nepisodes = 2\n' + SHORT)
    ran = run("evaluate", "--config", file, "--seed", "4", "--json")
    result = Result.from_json(ran.out)
    assert (result.seed, result.episodes_per_task, len(result.tasks)) == (4, 2, 2)
    assert result.fingerprint.max_episode_steps == 5
    ran = run("evaluate", "half-cheetah-vel", "--config", config('benchmark = "point"\n' + SHORT), "--json")
    assert Result.from_json(ran.out).benchmark.startswith("half-cheetah-vel")


@pytest.mark.parametrize("name", ["num-goals", "num_goals", "goals"])
def test_an_option_has_its_names(run, config, name):
    file = config(f'{name} = 1\nmax-episode-steps = 5\npolicy = "random"\n')
    assert len(Result.from_json(run("evaluate", "point", "--config", file, "--json").out).tasks) == 1


@pytest.mark.parametrize(
    ("text", "terminates"),
    [
        ("full-episodes = true", False),
        ("full-episodes = false", True),
        ("stop-at-success = false", False),
        ("terminate-on-success = true", True),
    ],
)
def test_switches(run, config, text, terminates):
    ran = run("evaluate", "reach-v3", "--config", config(f"{SHORT}{text}\n"), "--json")
    assert Result.from_json(ran.out).fingerprint.terminate_on_success is terminates


def test_arguments_of_a_policy_are_a_table_or_a_list(run, config, tmp_path):
    agent = tmp_path / "agent_of_config.py"
    agent.write_text(
        "import numpy as np\ndef make(a, b='x'):\n    return lambda obs: np.full((len(obs), 2), a)\n"
    )
    given = f'num-goals = 1\nmax-episode-steps = 5\npolicy = "{agent}:make"\n'
    for more in ('policy-arg = ["a=0.5", "b=y"]\n', '[policy-arg]\na = 0.5\nb = "y"\n'):
        ran = run("evaluate", "point", "--config", config(given + more), "--json")
        assert dict(Result.from_json(ran.out).provenance.policy_arguments) == {"a": 0.5, "b": "y"}


def test_the_file_beside_a_result_says_how_to_get_it_again(run, tmp_path):
    given = ("point", "--num-goals", "2", "--max-episode-steps", "5", "--policy", "random", "--seed", "7")
    run("evaluate", *given, "--episodes", "2", "--keep-actions", "--out", tmp_path / "a")
    text = (tmp_path / "a" / "run.toml").read_text()
    assert 'benchmark = "point"\npolicy = "random"\n' in text
    assert "episodes-per-task = 2\nseed = 7\nmax-episode-steps = 5\n" in text
    ran = run("evaluate", "--config", tmp_path / "a" / "run.toml", "--out", tmp_path / "b")
    assert ran.code == 0
    assert Result.load(tmp_path / "a" / "result.json") == Result.load(tmp_path / "b" / "result.json")
    assert (tmp_path / "b" / "run.toml").read_text() == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "num-gaols = 3",
            r"Unknown option 'num-gaols'\. Did you mean 'num-goals'\? It stands in .*own\.toml",
        ),
        ("config = 'x'", "Unknown option 'config'"),
        ("help = true", "Unknown option 'help'"),
        ("num-goals = 1\nnum_goals = 2", "gives --num-goals twice, the second time as num_goals"),
        ("num-goals = true", "num-goals in .* must be a string or a number, not True"),
        ("seed = [1]", r"seed in .* must be a string or a number, not \[1\]"),
        ("seed = 1979-05-27", "seed in .* must be a string or a number"),
        ("quiet = 1", "quiet in .* must be true or false, not 1"),
        ("task = [true]", "task in .* must be a list of strings or numbers"),
        ("num-goals = 0", "Invalid value for '--num-goals'"),
        ("seed = 'x'", "Invalid value for '--seed'"),
        ("seed = ", "--config must be a TOML file, which .* is not"),
        ("\0", "--config must be a TOML file, which .* is not"),
    ],
)
def test_mistakes_in_a_file(run, check_mistake, config, text, message):
    check_mistake(run("evaluate", "point", "--config", config(text)), message)


def test_a_file_that_is_not_there(run, check_mistake, tmp_path):
    check_mistake(
        run("evaluate", "point", "--config", tmp_path / "no.toml"), "--config must be a file that can be read"
    )
    check_mistake(run("evaluate", "point", "--config", tmp_path), "--config must be a file that can be read")


def test_the_file_beside_a_result_is_for_record_and_watch_too(run, check_mistake, tmp_path):
    given = ("--num-goals", "1", "--max-episode-steps", "5", "--policy", "random", "--episodes-per-task", "2")
    run("evaluate", "point", *given, "--keep-actions", "--out", tmp_path / "a")
    file = tmp_path / "a" / "run.toml"
    shown = run("record", "--config", file, "--out", tmp_path / "b", "--choose", "best", "--json", "-q")
    assert [(each["steps"], each["policy"]) for each in json.loads(shown.out)["videos"]] == [(5, "random")]
    # All options are taken; a point is not drawn into windows.
    check_mistake(run("watch", "--config", file), "benchmark must be of a world that draws into windows")
    # A protocol changes what is played, and is not passed over.
    with file.open("a") as more:
        more.write('protocol = "newt"\n')
    check_mistake(run("record", "--config", file, "--out", tmp_path / "c"), "Unknown option 'protocol'")


def test_only_commands_that_play_it_say_that_they_take_the_file_of_an_evaluation(run):
    said = {
        command: "run.toml" in run(command, "--help").out
        for command in ("evaluate", "record", "watch", "compare")
    }
    assert said == {"evaluate": True, "record": True, "watch": True, "compare": False}


@pytest.mark.parametrize("command", ["evaluate", "record", "watch", "demonstrate", "bench"])
def test_goals_are_the_same_word_everywhere(run, command):
    said = " ".join(run(command, "--help").out.split())
    if command != "bench" or "goals" in said:
        assert "--num-goals,--goals" in said


def test_every_command_with_options_takes_a_file(run):
    for command in ("evaluate", "record", "watch", "replay", "demonstrate", "compare", "report", "bench"):
        assert "--config" in run(command, "--help").out, command
