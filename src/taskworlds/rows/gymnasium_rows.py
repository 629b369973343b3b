"""Rows stepped by Gymnasium's own vector environments: the engines "sync" and "async"."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.rendering.views import Views
from taskworlds.rows.copies import read_only
from taskworlds.rows.protocol import RowStep
from taskworlds.rows.worker_processes import WORKER_TIMEOUT, WorkerVectorEnv, start_method

__all__ = ["GymnasiumRows"]

_NOT_A_STATE = "This is not a state that get_state returned, or it is only part of one"


class GymnasiumRows:
    """Rows stepped by Gymnasium's own vector environments, over Python environments of one row each.

    Args:
        strategy: "sync" steps them one after the other in this process, "async" in one process each.
        make_row: makes one row's environment, a `PythonRow`. It must take the task through `next_task`, take
            the seed of `reset` where the world has random starts, skip a step when `idle` is set, report what
            the skill says of the step in info (with "goal", (G,), if G is not 0, and "terminated" where a
            step can end the episode), never end an episode by itself, and have `state`. A step that is skipped
            returns the latest observation; before the first reset any of the space.
        num_rows: how many rows, N.
        goal_size: numbers of a goal, G.
        draws: whether the rows may be drawn.
        worker_timeout: for "async", seconds that a process may go without an answer and without computing anything
            before it counts as lost; None for no limit.

    Attributes:
        num_rows: N.
        goals: each row's goal, (N, G) float64.
        envs: Gymnasium's vector environment.
        in_processes: whether each row works in a process of its own.

    Raises:
        RuntimeError: as all methods, if a row's process was lost; the message names the row.
    """

    def __init__(
        self,
        strategy: str,
        make_row: Callable[[], gym.Env[Any, Any]],
        num_rows: int,
        goal_size: int,
        *,
        draws: bool = False,
        worker_timeout: float | None = WORKER_TIMEOUT,
    ) -> None:
        makers = [make_row] * num_rows
        self.in_processes = strategy == "async"
        self.envs: SyncVectorEnv | WorkerVectorEnv
        if strategy == "sync":
            self.envs = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)
        else:
            from taskworlds.rendering import drawing  # imports MuJoCo, which not every world needs

            start = start_method(has_drawn=draws and drawing.has_drawn())
            self.envs = _async_env(makers, start, worker_timeout)
        self.num_rows = num_rows
        self._space = self.envs.single_observation_space
        self._obs = batches.empty(self._space, num_rows)
        self.goals = np.zeros((num_rows, goal_size))
        self._masked = False
        self._actions: Any = None  # of a step that has begun, for "sync"
        # A first reset of some rows only fails where the others have no observation.
        if isinstance(self.envs, SyncVectorEnv):
            obs = batches.copied(self._obs)
            self.envs._env_obs = [batches.row_of(self._space, obs, row) for row in range(num_rows)]
        elif not self.envs.shared_memory:
            self.step(
                batches.empty(self.envs.single_action_space, num_rows), np.zeros(num_rows, dtype=np.bool_)
            )

    def reset(self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]) -> Any:
        """See `Rows.reset`."""
        self.envs.set_attr(
            "next_task", [task if chosen else None for task, chosen in zip(tasks, rows, strict=True)]
        )
        obs, infos = self.envs.reset(seed=seeds.tolist(), options={"reset_mask": rows.copy()})
        self._obs = batches.write(self._space, self._obs, obs, rows)
        if "goal" in infos:
            self.goals[rows] = infos["goal"][rows]
        return self._obs

    def step(self, actions: Any, rows: NDArray[np.bool_]) -> RowStep:
        """See `Rows.step`."""
        self.step_async(actions, rows)
        return self.step_wait()

    def step_async(self, actions: Any, rows: NDArray[np.bool_]) -> None:
        """See `Rows.step_async`."""
        # A masked step that raised leaves later rows idle, so after one every row is told again.
        if self._masked or not rows.all():
            self._masked = True  # also if this is interrupted
            self.envs.set_attr("idle", [not stepping for stepping in rows])
        self._masked = not rows.all()
        self._stepping = rows
        if isinstance(self.envs, WorkerVectorEnv):
            self.envs.step_async(actions)
        else:
            self._actions = actions

    def step_wait(self) -> RowStep:
        """See `Rows.step_wait`."""
        if isinstance(self.envs, WorkerVectorEnv):
            obs, rewards, _, _, infos = self.envs.step_wait()
        else:
            begun, self._actions = self._actions, None
            if begun is None:
                raise RuntimeError("No step is under way: call step_async() first.")
            obs, rewards, _, _, infos = self.envs.step(begun)
        rows = self._stepping
        self._obs = batches.write(self._space, self._obs, obs, rows)
        terms = {name: values for name, values in infos.items() if not name.startswith("_")}
        if "goal" in terms:
            self.goals[rows] = terms.pop("goal")[rows]
        terminated = terms.pop("terminated", None)
        return RowStep(self._obs, rewards, terms, terminated)

    def get_state(self) -> list[Any]:
        """See `Rows.get_state`."""
        return copy.deepcopy(list(self.envs.get_attr("state")))

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """See `Rows.set_state`."""
        if not isinstance(state, list) or any(
            each is not None and not isinstance(each, dict) for each in state
        ):
            raise WrongValue(
                "The state was taken on another engine; only the engine that took it can restore it."
            )
        if source.size and source.max() >= len(state):
            raise WrongValue(f"The state is of {len(state)} rows, so there is no row {source.max()} in it.")
        for row in source[source >= 0].tolist():
            physics = (state[row] or {}).get("physics")
            if isinstance(physics, np.ndarray) and not np.isfinite(physics).all():
                raise WrongValue(
                    f"The state cannot be restored: the physics of its row {row} hold a number that is not finite. "
                    "Take the state before the simulation diverges."
                )
        before = self.get_state()
        after = [before[row] if taken < 0 else state[taken] for row, taken in enumerate(source.tolist())]
        obs, goals = self._obs_of(after), self._goals_of(after)
        errors = self._put(after)
        if errors:
            self._put(before)
            row, error = errors[0]
            raise WrongValue(f"{_NOT_A_STATE}: row {row} cannot take it ({type(error).__name__}: {error}).")
        self._obs, self.goals = obs, goals

    def _put(self, states: list[Any]) -> list[tuple[int, Exception]]:
        """Puts each row into a state; returns the rows that could not take theirs, and why."""
        self.envs.set_attr("value", states)
        answers = self.envs.call("put_state")
        return [(row, error) for row, (error, _) in enumerate(answers) if error is not None]

    def _obs_of(self, states: list[Any]) -> Any:
        """Returns the observations in the states of all rows, where they have them; else those at hand."""
        obs = batches.copied(self._obs)
        for row, each in enumerate(states):
            if each is not None:
                try:
                    obs = batches.write_row(self._space, obs, row, each["obs"])
                except (KeyError, TypeError, ValueError) as error:
                    raise WrongValue(f"{_NOT_A_STATE}: row {row} has no observation ({error}).") from None
        return obs

    def _goals_of(self, states: list[Any]) -> NDArray[np.float64]:
        """Returns the goals in the states of all rows, zeros where they have none."""
        goals: NDArray[np.float64] = np.zeros_like(self.goals)
        for row, each in enumerate(states):
            if each is not None and "goal" in each:
                goal = np.asarray(each["goal"])
                if goal.shape != goals.shape[1:] or goal.dtype.kind != "f":
                    raise WrongValue(f"{_NOT_A_STATE}: the goal of row {row} is {goal!r}.")
                goals[row] = goal
        return goals

    def render(self) -> tuple[Any, ...]:
        """See `Rows.render`."""
        return tuple(self.envs.call("render"))

    def pictures(self, views: Views, rows: NDArray[np.bool_]) -> Sequence[tuple[NDArray[Any], ...]]:
        """See `Rows.pictures`."""
        chosen = np.flatnonzero(rows).tolist()
        if isinstance(self.envs, SyncVectorEnv):
            envs: list[Any] = [self.envs.envs[row] for row in chosen]
            if not envs or not envs[0].has_cameras:
                return [env.look(views) for env in envs]
            from taskworlds.rendering import drawing  # imports MuJoCo, which not every world needs

            jobs = [
                drawing.Job(-1 - row, functools.partial(env.look, views))
                for row, env in zip(chosen, envs, strict=True)
            ]
            return drawing.spread(jobs, views)
        self.envs.set_attr("value", [views if each else None for each in rows.tolist()])
        seen = _unpacked(self.envs.call("look_at_value"))
        return [seen[row] for row in chosen]

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """See `Rows.call`."""
        return _unpacked(self.envs.call("ask", name, args, kwargs))

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """See `Rows.get_attr`."""
        values = _unpacked(self.envs.call("read", name))
        return values if isinstance(self.envs, SyncVectorEnv) else tuple(map(read_only, values))

    def set_attr(self, name: str, values: Sequence[Any]) -> None:
        """See `Rows.set_attr`."""
        self.envs.set_attr("value", list(values))
        _unpacked(self.envs.call("write", name))

    def close(self) -> None:
        """See `Rows.close`."""
        self.envs.close()


def _async_env(
    makers: Sequence[Callable[[], gym.Env[Any, Any]]], context: str, worker_timeout: float | None
) -> WorkerVectorEnv:
    """Makes rows in a process each, which write observations into shared memory if these have a fixed size."""
    make = functools.partial(
        WorkerVectorEnv,
        makers,
        worker_timeout=worker_timeout,
        context=context,
        autoreset_mode=AutoresetMode.DISABLED,
    )
    try:
        return make()
    except (TypeError, ValueError):
        return make(shared_memory=False)


def _unpacked(answers: Sequence[tuple[Exception | None, Any]]) -> tuple[Any, ...]:
    """Returns each row's value, or raises the first row's error.

    Rows answer with their error rather than raise it, since a process of AsyncVectorEnv ends with what it
    raises.
    """
    for error, _ in answers:
        if error is not None:
            raise error
    return tuple(value for _, value in answers)
