"""The rows of a batch as the protocols see them, with observations of other spaces than Box."""

import gymnasium as gym
import numpy as np

from taskworlds import Task
from taskworlds.evaluation.rows import TaskRows

SPACE = gym.spaces.Dict(
    {
        "picture": gym.spaces.Box(0, 255, (2, 2, 3), np.uint8),
        "place": gym.spaces.Tuple((gym.spaces.Discrete(5), gym.spaces.MultiDiscrete([3, 3]))),
    }
)


class Envs:
    """Two rows whose observations are all the number of calls so far."""

    num_envs = 2
    single_observation_space = SPACE
    tasks = ([Task("walk")], [Task("walk")])
    calls = 0

    def reset(self, options):
        self.calls += 1
        return self.observations(), {}

    def step(self, actions, mask):
        self.calls += 1
        ended = np.zeros(2, dtype=bool)
        return self.observations(), np.ones(2), ended, ended, {}

    def observations(self):
        picture = np.full((2, 2, 2, 3), self.calls, np.uint8)
        return {"picture": picture, "place": (np.full(2, self.calls), np.full((2, 2), self.calls))}


def shown(obs):
    """The number that each row shows, if all parts agree."""
    parts = (obs["picture"], *obs["place"])
    (numbers,) = {tuple(int(part[row].flat[0]) for row in range(2)) for part in map(np.asarray, parts)}
    return numbers


def test_observations_of_composite_spaces_are_kept_by_row():
    rows = TaskRows(Envs(), seed=0)
    assert shown(rows.obs) == (0, 0)
    rows.start({1: (Task("walk"), 0)})
    before = rows.obs
    assert shown(before) == (0, 1)
    rows.start({0: (Task("walk"), 0)})
    assert shown(rows.obs) == (2, 1)
    rows.step(np.zeros(2), np.array([False, True]), np.zeros(2, dtype=bool))
    assert (shown(rows.obs), shown(before)) == ((2, 3), (0, 1))
    assert rows.obs["picture"].dtype == np.uint8


def test_rows_tell_which_skills_they_hold():
    rows = TaskRows(Envs(), seed=0)
    assert rows.skills == (frozenset({"walk"}),) * 2
    assert rows.num_envs == 2
