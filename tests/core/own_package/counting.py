"""A world and an engine of somebody else's, found by their entry points: a counter that is to reach a number."""

import gymnasium as gym
import numpy as np

from taskworlds import BenchmarkMaker, RowEngine, Task, World
from taskworlds.core.world import Listing
from taskworlds.rows.protocol import RowStep

SKILLS = ("count-up", "count-down")


def tasks(seed, num_goals):
    drawn = np.random.default_rng(seed).integers(2, 5, (2, 3 if num_goals is None else num_goals)).tolist()
    train, test = (tuple(Task(name, {"goal": goal}) for name in SKILLS for goal in goals) for goals in drawn)
    return train, test


def check_task(task):
    if set(task.params) != {"goal"}:
        raise ValueError(f"A task of {task.env_name} has the parameter goal, not {', '.join(task.params)}.")


def observation_space(*, visible, hidden):
    return gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)


class Rows:
    """Counters, all of them in one array."""

    def __init__(self, num_rows):
        self.num_rows = num_rows
        self.obs = np.zeros((num_rows, 2))  # count and goal
        self.signs = np.ones(num_rows)

    goals = property(lambda self: self.obs[:, 1:])

    def reset(self, tasks, rows, seeds):
        for row in np.flatnonzero(rows):
            self.signs[row] = 1 if tasks[row].env_name == "count-up" else -1
            self.obs[row] = 0, tasks[row]["goal"]
        return self.obs

    def step(self, actions, rows):
        self.obs[rows, 0] += (self.signs * np.sign(actions[:, 0]))[rows]
        success = (self.obs[:, 0] >= self.obs[:, 1]).astype(np.float64)
        return RowStep(self.obs, success.copy(), {"success": success})

    def step_async(self, actions, rows):
        self.outcome = self.step(actions, rows)

    def step_wait(self):
        return self.outcome

    def get_state(self):
        return {"obs": self.obs.copy(), "signs": self.signs.copy()}

    def set_state(self, state, source):
        self.obs, self.signs = state["obs"][source], state["signs"][source]

    def close(self):
        pass


def make_engine_rows(world, env_names, num_rows, settings):
    return Rows(num_rows)


class Expert:
    """Knows which way to count."""

    def __call__(self, obs):
        return np.where(self.up, 1.0, -1.0)[:, None]

    def begin_episodes(self, mask, infos):
        self.up = np.array([name == "count-up" for name in infos["task_name"]])


WORLD = World(
    name="counting",
    suite="numbers",
    skills=SKILLS,
    actions=gym.spaces.Box(-1.0, 1.0, (1,), np.float32),
    observations=observation_space,
    max_episode_steps=6,
    benchmarks={
        "counting": BenchmarkMaker(
            tasks, has_test=True, train_skills=SKILLS, test_skills=SKILLS, num_goals=3, summary="the number"
        )
    },
    rows={"counting": make_engine_rows},
    has_success=True,
    has_random_starts=False,
    goal_size=1,
    task_check=check_task,
    described="counting:described",
    listing=Listing("Numbers", thing="thing"),
    experts=Expert,
    packages=("counting",),
)

ENGINE = RowEngine("counting", make_engine_rows, version="1.0", summary="NumPy")


def described(env_name):
    return "counter", "reach the number"
