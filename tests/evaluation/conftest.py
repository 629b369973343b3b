"""Stand-ins with the contract of the package's vector environments, for tests that need no simulator."""

from dataclasses import dataclass
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv

from taskworlds import Task
from taskworlds.evaluation import environments
from taskworlds.vector.options import Options

HORIZON = 10


class ScriptedVecEnv(VectorEnv):
    """Rows whose episodes the task scripts: `solved_at` and `unsolved_at` (steps), `breaks_at` (step, 0:
    reset), `diverges_at` (step).

    The observation is [number of the goal, steps so far]; the reward of a step is 1 plus the action's first
    number.
    """

    engine = None  # no engine's record
    options = Options()

    def __init__(self, benchmark, rows, split="train", horizon=HORIZON, terminate_on_success=True):
        self.benchmark, self.split = benchmark, split
        self.tasks = tuple(list(row) for row in rows)
        self.num_envs = len(self.tasks)
        self.single_observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
        self.single_action_space = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED}
        self.max_episode_steps, self.reward_function_version = horizon, "v2"
        self.terminate_on_success = np.full(self.num_envs, terminate_on_success)
        self.held = [None] * self.num_envs
        self.steps = np.zeros(self.num_envs, dtype=int)
        self.running = np.zeros(self.num_envs, dtype=bool)
        self.obs = np.zeros((self.num_envs, 2))
        self.resets = []  # (row, task)
        self.toggles = []
        self.was_closed = False

    def set_tasks(self, tasks, mask=None):
        rows = np.flatnonzero(np.ones(self.num_envs, dtype=bool) if mask is None else mask)
        for row, task in zip(rows, tasks, strict=True):
            self.held[row] = task

    def reset(self, *, seed=None, options=None):
        mask = options["reset_mask"]
        self.set_tasks(options["tasks"], mask)
        for row in np.flatnonzero(mask):
            if self.held[row].params.get("breaks_at") == 0:
                raise OSError(f"no world for {self.held[row]['goal']}")
            self.resets.append((int(row), self.held[row]))
            self.steps[row], self.running[row] = 0, True
            self.obs[row] = self.held[row]["goal"], 0
        names = np.array([task and task.env_name for task in self.held], dtype=object)
        goals = np.array([[task["goal"] if task else 0.0, 0.0, 0.0] for task in self.held])
        return self.obs.copy(), {"task_name": names, "goal": goals}

    def step(self, actions, mask=None):
        if not self.running[mask].all():
            raise RuntimeError("a row that has ended was stepped")
        rewards, success, diverged = (np.zeros(self.num_envs) for _ in range(3))
        for row in np.flatnonzero(mask):
            self.steps[row] += 1
            task, step = self.held[row], self.steps[row]
            if task.params.get("breaks_at") == step:
                raise FloatingPointError(f"diverged at step {step}")
            self.obs[row, 1] = step
            rewards[row] = 1.0 + actions[row, 0]
            diverged[row] = task.params.get("diverges_at") == step
            solved = task.params.get("solved_at")
            success[row] = solved is not None and solved <= step < task.params.get("unsolved_at", HORIZON + 1)
        terminated = mask & (success > 0) & self.terminate_on_success
        truncated = mask & (self.steps >= self.max_episode_steps)
        self.running &= ~(terminated | truncated)
        infos = {"success": success}
        if diverged.any():
            infos |= {"diverged": diverged, "_diverged": diverged > 0}
        return self.obs.copy(), rewards, terminated, truncated, infos

    def call(self, name, *args):
        assert name == "toggle_terminate_on_success"
        self.toggles.append(args[0])
        self.terminate_on_success[:] = args[0]
        return (None,) * self.num_envs

    def close(self, **kwargs):
        self.was_closed = True


@dataclass(frozen=True)
class StandInBenchmark:
    name: str
    train_tasks: tuple
    test_tasks: tuple = ()
    seed: int = 0

    def tasks(self, split):
        return self.train_tasks if split == "train" else self.test_tasks

    def env_names(self, split):
        return list(dict.fromkeys(task.env_name for task in self.tasks(split)))


def still(obs):
    """A policy that does nothing."""
    return np.zeros((len(obs), 4))


def task(goal, skill="open", **script):
    return Task(skill, {"goal": goal, **script})


def vec_env(tasks, num_envs=None, skills_apart=True, **keywords):
    """Deals tasks over rows, each row to one skill where there are enough rows."""
    benchmark = StandInBenchmark("toy", tuple(tasks), tuple(tasks))
    names = benchmark.env_names("train")
    num_envs = num_envs or len(names)
    if skills_apart:
        of_skill = {name: [each for each in tasks if each.env_name == name] for name in names}
        rows = []
        for row in range(num_envs):
            its, nth = of_skill[names[row % len(names)]], row // len(names)
            count = len(range(row % len(names), num_envs, len(names)))
            rows.append(its[nth::count] or [its[nth % len(its)]])
    else:
        rows = [list(tasks) for _ in range(num_envs)]
    return ScriptedVecEnv(benchmark, rows, **keywords)


@pytest.fixture
def toy():
    """The stand-ins, gathered: task, vec_env, still, benchmark."""
    return SimpleNamespace(
        task=task, vec_env=vec_env, still=still, benchmark=StandInBenchmark, horizon=HORIZON
    )


@pytest.fixture
def installed(monkeypatch):
    """Puts the stand-ins in the place of make_vec and Benchmark, and records how they are called."""
    record = SimpleNamespace(of=[], make_vec=[], envs=None)
    benchmarks = {
        "MT": StandInBenchmark("MT", tuple(task(goal, solved_at=2) for goal in range(3))),
        "ML": StandInBenchmark("ML", (task(0),), tuple(task(goal, "close", solved_at=3) for goal in (5, 6))),
    }

    def of(benchmark, **how):
        record.of.append((benchmark, how))
        if not isinstance(benchmark, str) and how:
            raise TypeError(f"{', '.join(how)} can only be given with a benchmark's name")
        return benchmarks[benchmark] if isinstance(benchmark, str) else benchmark

    def make_vec(benchmark, *, num_envs, split, terminate_on_success, **keywords):
        record.make_vec.append(
            {"num_envs": num_envs, "split": split, "terminate_on_success": terminate_on_success, **keywords}
        )
        record.envs = vec_env(
            benchmark.tasks(split), num_envs, split=split, terminate_on_success=terminate_on_success
        )
        record.envs.benchmark = benchmark
        return record.envs

    monkeypatch.setattr(environments, "world_of", lambda env_name: SimpleNamespace(has_success=True))
    monkeypatch.setattr(environments, "Benchmark", SimpleNamespace(of=of))
    monkeypatch.setattr(environments, "make_vec", make_vec)
    return record
