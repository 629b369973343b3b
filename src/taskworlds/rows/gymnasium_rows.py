"""Rows stepped by Gymnasium's own vector environments: the engines "sync" and "async"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.rows.protocol import RowStep

__all__ = ["GymnasiumRows"]


class GymnasiumRows:
    """Rows stepped by Gymnasium's own vector environments, over Python environments of one row each.

    Args:
        strategy: "sync" steps them one after the other in this process, "async" in one process each.
        make_row: makes one row's environment. It must take the task through `next_task`, take the seed of
            `reset` where the world has random starts, skip a step when `idle` is set, report what the skill
            says of the step in info (with "goal", (G,), if G is not 0, and "terminated" where a step can end
            the episode), never end an episode by itself, and have `state` and the methods `ask`, `read` and
            `write` (see `OfficialRow`).
        num_rows: how many rows, N.
        goal_size: numbers of a goal, G.
    """

    def __init__(
        self, strategy: str, make_row: Callable[[], gym.Env[Any, Any]], num_rows: int, goal_size: int
    ) -> None:
        vectorize = {"sync": SyncVectorEnv, "async": AsyncVectorEnv}[strategy]
        self._envs: Any = vectorize([make_row] * num_rows, autoreset_mode=AutoresetMode.DISABLED)
        self.num_rows = num_rows
        self._obs = np.zeros((num_rows, self._envs.single_observation_space.shape[0]))
        self.goals = np.zeros((num_rows, goal_size))
        self._masked = False
        if strategy == "sync":  # a first reset of some rows only fails where the others have no observation
            self._envs._env_obs = list(self._obs.copy())

    def reset(
        self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """See `Rows.reset`."""
        self._envs.set_attr(
            "next_task", [task if chosen else None for task, chosen in zip(tasks, rows, strict=True)]
        )
        obs, infos = self._envs.reset(seed=seeds.tolist(), options={"reset_mask": rows.copy()})
        self._obs[rows] = obs[rows]
        if "goal" in infos:
            self.goals[rows] = infos["goal"][rows]
        return self._obs

    def step(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> RowStep:
        """See `Rows.step`."""
        self.step_async(actions, rows)
        return self.step_wait()

    def step_async(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> None:
        """See `Rows.step_async`."""
        # A masked step that raised leaves later rows idle, so after one every row is told again.
        if self._masked or not rows.all():
            self._envs.set_attr("idle", [not stepping for stepping in rows])
        self._masked = not rows.all()
        self._stepping = rows
        if isinstance(self._envs, AsyncVectorEnv):
            self._envs.step_async(actions)
        else:
            self._actions = actions

    def step_wait(self) -> RowStep:
        """See `Rows.step_wait`."""
        if isinstance(self._envs, AsyncVectorEnv):
            obs, rewards, _, _, infos = self._envs.step_wait()
        else:
            obs, rewards, _, _, infos = self._envs.step(self._actions)
        rows = self._stepping
        self._obs[rows] = obs[rows]
        terms = {name: values for name, values in infos.items() if not name.startswith("_")}
        if "goal" in terms:
            self.goals[rows] = terms.pop("goal")[rows]
        terminated = terms.pop("terminated", None)
        return RowStep(self._obs, rewards, terms, terminated)

    def get_state(self) -> list[Any]:
        """See `Rows.get_state`."""
        return list(self._envs.get_attr("state"))

    def set_state(self, state: list[Any], source: NDArray[np.int64]) -> None:
        """See `Rows.set_state`."""
        chosen = [state[row] for row in source]
        self._envs.set_attr("state", chosen)
        for row, each in enumerate(chosen):
            if each is not None:
                self._obs[row] = each["obs"]
                if "goal" in each:
                    self.goals[row] = each["goal"]

    def render(self) -> tuple[Any, ...]:
        """See `Rows.render`."""
        return tuple(self._envs.call("render"))

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """See `Rows.call`."""
        return _unpacked(self._envs.call("ask", name, args, kwargs))

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """See `Rows.get_attr`."""
        return _unpacked(self._envs.call("read", name))

    def set_attr(self, name: str, values: Sequence[Any]) -> None:
        """See `Rows.set_attr`."""
        self._envs.set_attr("value", list(values))
        _unpacked(self._envs.call("write", name))

    def close(self) -> None:
        """See `Rows.close`."""
        self._envs.close()


def _unpacked(answers: Sequence[tuple[Exception | None, Any]]) -> tuple[Any, ...]:
    """Gives each row's value, or raises the first row's error.

    Rows answer with their error rather than raise it, since a process of AsyncVectorEnv ends with what it
    raises.
    """
    for error, _ in answers:
        if error is not None:
            raise error
    return tuple(value for _, value in answers)
