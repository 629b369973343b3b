"""What the oracle's tests share: rows that are an environment each."""

from __future__ import annotations

import numpy as np
import pytest

from taskworlds.rows.protocol import RowStep


class LoneRows:
    """Rows of environments as they are, one each, so that `parity.compare` can look at them.

    Args:
        make: makes a row's environment for its first task.
        put: hands an environment a task, before its reset.
        num_rows: how many rows.
        fresh: whether each reset makes a new environment.
    """

    def __init__(self, make, put, num_rows, *, fresh=False):
        self.num_rows = num_rows
        self.envs = [None] * num_rows
        self.goals = np.zeros((num_rows, 3))
        self._make, self._put, self._fresh = make, put, fresh
        self._obs = np.zeros((num_rows, 39))

    def reset(self, tasks, rows, seeds):
        for row in np.flatnonzero(rows):
            if self._fresh or self.envs[row] is None:
                self.envs[row] = self._make(tasks[row])
            self._put(self.envs[row], tasks[row])
            self._obs[row], _ = self.envs[row].reset()
            self.goals[row] = self.envs[row]._target_pos
        return self._obs

    def step(self, actions, rows):
        rewards, terminated = np.zeros(self.num_rows), np.zeros(self.num_rows, dtype=np.bool_)
        terms = {}
        for row in np.flatnonzero(rows):
            self._obs[row], rewards[row], terminated[row], truncated, info = self.envs[row].step(actions[row])
            assert not truncated
            for name, value in info.items():
                terms.setdefault(name, np.zeros(self.num_rows))[row] = float(value)
            self.goals[row] = self.envs[row]._target_pos
        return RowStep(self._obs, rewards, terms, terminated)

    def get_attr(self, name):
        return tuple(getattr(env, name) for env in self.envs)

    def close(self):
        for env in self.envs:
            env.close()


@pytest.fixture(scope="session")
def lone_rows():
    return LoneRows
