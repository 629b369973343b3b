"""What a result says of the run that it comes from."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

import numpy as np
import pytest

import taskworlds
from taskworlds.evaluation import Provenance, Result, evaluate, load_policy
from taskworlds.evaluation.loading import checkpoint_digest, origin_of

SHORT = {"num_goals": 1, "max_episode_steps": 3}

AGENT = """
import numpy as np

def make(checkpoint=None, scale=1.0, of=None):
    return lambda obs: np.zeros((len(obs), 2)) * scale
"""


def still(observations):
    return np.zeros((len(observations), 2))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of the test's own, in which it runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agent_of_provenance.py").write_text(AGENT)
    (tmp_path / "weights").write_text("1")
    return tmp_path


def test_a_result_says_what_was_run(here, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/evaluate.py", "--seed", "3 4"])
    policy = load_policy("agent_of_provenance.py:make", checkpoint="weights", scale=0.5)
    result = evaluate(policy, "point", num_envs=1, **SHORT)
    run = result.provenance
    assert (run.policy, dict(run.policy_arguments)) == ("agent_of_provenance.py:make", {"scale": 0.5})
    assert (run.checkpoint, run.checkpoint_sha256) == ("weights", checkpoint_digest("weights"))
    assert run.policy_line == (
        f"agent_of_provenance.py:make(scale=0.5) with weights (sha256 {checkpoint_digest('weights')[:16]})"
    )
    assert (run.engine, run.num_envs, run.workers) == (taskworlds.make_vec("point", 1).engine.name, 1, None)
    assert run.command == "evaluate.py --seed '3 4'"
    assert run.versions["taskworlds"] == result.fingerprint.taskworlds
    assert run.versions["numpy"] == np.__version__
    assert run.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert run.started.endswith("Z")
    assert 0 < run.seconds < 600
    assert (run.commit, run.has_changes) == (None, None)
    again = Result.from_json(result.to_json())
    assert again.provenance == run
    assert hash(run) == hash(again.provenance)


def test_a_module_that_is_run_is_named(here, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/taskworlds/__main__.py", "evaluate", "point"])
    assert evaluate(still, "point", **SHORT).provenance.command == "python -m taskworlds evaluate point"


def test_it_makes_no_difference_to_equality(here):
    first, second = (evaluate("random", "point", num_envs=rows, **SHORT, seed=2) for rows in (1, 1))
    assert first == second
    assert first.provenance.started <= second.provenance.started


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        ("random", "random"),
        (still, f"{__name__}:still"),
        (functools.partial(still), f"{__name__}:still"),
        (lambda obs: np.zeros((len(obs), 2)), f"{__name__}:<lambda>"),
        (np.zeros, "numpy:zeros"),
    ],
)
def test_a_policy_has_a_name(policy, name):
    assert origin_of(policy).name == name


def test_arguments_that_are_not_json_are_shown(here):
    policy = load_policy("agent_of_provenance.py:make", of=np.zeros)
    given = origin_of(policy).arguments["of"]
    assert isinstance(given, str)
    assert "zeros" in given


def test_a_policys_origin_goes_with_it(here):
    policy = load_policy("agent_of_provenance.py:make", scale=2.0)
    key = id(policy)
    assert origin_of(policy).name == "agent_of_provenance.py:make"
    del policy
    from taskworlds.evaluation import loading

    assert key not in loading._origins


def test_the_commit_of_the_repository(here):
    def git(*arguments):
        own = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *own, *arguments], check=True, capture_output=True)

    git("init", "-q", ".")
    assert evaluate(still, "point", **SHORT).provenance.commit is None  # there is none yet
    git("add", ".")
    git("commit", "-q", "-m", "first")
    clean = evaluate(still, "point", **SHORT).provenance
    assert len(clean.commit) == 40
    assert clean.has_changes is False
    (here / "weights").write_text("2")
    assert evaluate(still, "point", **SHORT).provenance.has_changes is True


def test_without_git_there_is_no_commit(here, monkeypatch):
    monkeypatch.setenv("PATH", str(here))
    assert evaluate(still, "point", **SHORT).provenance.commit is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"policy": None}, "policy must be a string"),
        ({"policy_arguments": [1]}, "policy_arguments must be a dictionary"),
        ({"num_envs": 0}, "num_envs must be at least 1"),
        ({"seconds": -1.0}, "seconds must be a number of seconds"),
        ({"seconds": "nan"}, "seconds must be a number of seconds"),
        ({"has_changes": "yes"}, "has_changes must be True or False"),
        ({"poet": "x"}, "unexpected keyword argument 'poet'"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    result = evaluate(still, "point", **SHORT)
    data = json.loads(result.to_json())
    data["provenance"].update(change)
    with pytest.raises(ValueError, match=f"This saved Result is damaged: .*{message}"):
        Result.from_json(json.dumps(data))


def test_files_of_earlier_versions_have_none():
    data = json.loads(evaluate(still, "point", **SHORT).to_json())
    del data["provenance"], data["sha256"]
    data["format_version"] = 2
    assert Result.from_json(json.dumps(data)).provenance is None


def test_a_changed_one_does_not_match_the_checksum():
    data = json.loads(evaluate(still, "point", **SHORT).to_json())
    data["provenance"]["policy"] = "better"
    with pytest.raises(ValueError, match="its checksum"):
        Result.from_json(json.dumps(data))


def test_a_provenance_by_hand():
    assert Provenance("mine").policy_line == "mine"
