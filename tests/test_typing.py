"""What type checkers see, on a user's script: right uses pass, and misspelt names and keywords are errors."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

import taskworlds
from taskworlds.vector.keywords import BenchmarkKeywords, MakeKeywords
from taskworlds.vector.options import Options

STUB = Path(taskworlds.__file__).with_name("__init__.pyi")

RIGHT = """
import numpy as np
import taskworlds
from taskworlds import Benchmark, Comparison, Pooled, Task, TaskEnv, TaskVectorEnv
from taskworlds.evaluation import load_policy

envs: TaskVectorEnv = taskworlds.make_vec("MT10", 10, use_one_hot=True, task_select="pseudorandom", num_threads=1)
observations, infos = envs.reset(seed=0)
actions = np.zeros(envs.action_space.shape or (), dtype=np.float32)
observations, rewards, terminations, truncations, infos = envs.step(actions)
state = envs.get_state()
envs.set_state(state, rows=0)
benchmark: Benchmark = taskworlds.benchmark("ML10", seed=0)
task: Task = benchmark.test_tasks[0]
env: TaskEnv = taskworlds.make(benchmark, split="test", k_episodes=2)
observation, info = env.reset(options={"task": task})
step = env.step(env.action_space.sample())
print(step.reward, step.env_info["success"], task.id)


def stand_still(observations: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> object:
    return np.zeros((len(observations), 4))


result = taskworlds.evaluate(stand_still, "reach-v3", num_goals=2, max_episode_steps=50)
print(result.overall["success_once"].mean.value, result.fingerprint.tasks)


class Agent:
    def predict(self, observation: object, state: object = None, deterministic: bool = False) -> tuple[object, object]:
        return observation, state


taskworlds.evaluate(Agent(), "reach-v3")
taskworlds.evaluate(Agent, "reach-v3")
taskworlds.evaluate("agent.py:act", "reach-v3")
policy = load_policy("agent.py:make", checkpoint="weights.pt", width=64)
taskworlds.evaluate(policy, "reach-v3")
comparison: Comparison = taskworlds.compare(result, result)
pooled: Pooled = taskworlds.pool([result])
grid = taskworlds.GridWorldEnv("4x4", max_episode_length=10)
family = taskworlds.control.family("cheetah-run", "torso_length")
"""

WRONG = """
import taskworlds

taskworlds.mak_vec("MT10")
taskworlds.make_vec("MT10", use_onehot=True)
taskworlds.make("MT10", render="rgb_array")
taskworlds.make_vec("MT10", use_one_hot="yes")
taskworlds.make("reach-v3", task_select="sometimes")
taskworlds.evaluate(lambda obs: obs, "MT10", num_goal=2)
taskworlds.benchmark("MT1", env="reach-v3")
taskworlds.Task("reach-v3", parameters={})
taskworlds.PointEnv(gaol=(1, 1))
taskworlds.control.famly("cheetah-run", "torso_length")
"""
LINES = [number for number, line in enumerate(WRONG.splitlines(), 1) if line.startswith("taskworlds.")]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("typing")
    (folder / "right.py").write_text(RIGHT)
    (folder / "wrong.py").write_text(WRONG)
    return folder


def mistakes_by_mypy(folder):
    """By file, the lines in which mypy --strict finds an error."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "right.py", "wrong.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return re.findall(r"^(\w+\.py):(\d+): error", done.stdout, re.MULTILINE), done.stdout


def mistakes_by_pyright(folder):
    """By file, the lines in which pyright finds an error."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pyright",
            "--outputjson",
            "--pythonpath",
            sys.executable,
            "right.py",
            "wrong.py",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = json.loads(done.stdout)["generalDiagnostics"]
    errors = [each for each in found if each["severity"] == "error"]
    return [
        (Path(each["file"]).name, str(each["range"]["start"]["line"] + 1)) for each in errors
    ], json.dumps(errors, indent=1)


@pytest.mark.parametrize("checker", [mistakes_by_mypy, mistakes_by_pyright])
def test_mistakes_in_a_users_script_are_found_and_nothing_else(scripts, checker):
    found, output = checker(scripts)
    assert {int(line) for file, line in found if file == "wrong.py"} == set(LINES), output
    assert [line for file, line in found if file == "right.py"] == [], output


def test_the_stub_has_the_public_names_from_their_modules():
    seen = {}
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            for each in node.names:
                assert each.name == each.asname, f"{each.name} must be re-exported as itself"
                seen[each.name] = node.module
        elif isinstance(node, ast.Assign):
            listed = ast.literal_eval(node.value)
    assert sorted(seen) == sorted(listed) == sorted(taskworlds.__all__)
    for name, module in seen.items():
        if module == "taskworlds":
            assert getattr(taskworlds, name) is importlib.import_module(f"taskworlds.{name}")
        else:
            assert getattr(taskworlds, name) is getattr(importlib.import_module(module), name)


def test_keywords_are_documented_where_they_are_typed():
    known = {field.name for field in fields(Options)}
    entries = get_type_hints(MakeKeywords, include_extras=True)
    assert known <= set(entries)
    assert set(entries) - known == set(get_type_hints(BenchmarkKeywords))
    for make in (taskworlds.make, taskworlds.make_vec):
        parameters = inspect.signature(make).parameters
        assert set(entries) < set(parameters)
        for field in fields(Options):
            assert parameters[field.name].default == field.default, field.name
        for name in entries:
            assert re.search(rf"^    {name}: \w", make.__doc__, re.MULTILINE), name
