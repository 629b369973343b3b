"""The engines: what steps the rows of a `TaskVectorEnv`.

An engine knows physics, observation, reward and success of each row. Everything that Meta-World's users
choose on top (one-hot, ends of episodes, normalisation, statistics, which task comes next) is computed in
batch above it, once for every engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

from taskworlds.task import Task

__all__ = ["GymnasiumRows", "RowFault", "RowStep", "Rows"]


class RowFault(NamedTuple):
    """What the simulator said of a row that went wrong in a step.

    Attributes:
        row: the row.
        what: the fault, for a message.
        went_on: whether the row was stepped all the same; otherwise it is as it was before.
    """

    row: int
    what: str
    went_on: bool


class RowStep(NamedTuple):
    """What a step gives. The arrays are the engine's own until its next call: copy what is kept.

    Attributes:
        obs: observations, (N, O) float64; unchanged where the row did not step.
        rewards: (N,) float64; means nothing where the row did not step.
        terms: by name, what the skill reports of the step, each (N,) float64; "success" among them where the world
            has success. They mean nothing where the row did not step.
        terminated: whether the step ended the row's episode, (N,) bool; None in worlds where no step does.
        faults: of rows that went wrong.
    """

    obs: NDArray[np.float64]
    rewards: NDArray[np.float64]
    terms: dict[str, NDArray[np.float64]]
    terminated: NDArray[np.bool_] | None = None
    faults: Sequence[RowFault] = ()


class Rows(Protocol):
    """What `TaskVectorEnv` asks of an engine."""

    num_rows: int

    @property
    def goals(self) -> NDArray[np.float64]:
        """Each row's goal, (N, G) float64, the engine's own; in Meta-World its position, metres."""

    def reset(
        self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Starts an episode in the chosen rows.

        Args:
            tasks: one entry a row, read where `rows` is True.
            rows: which rows, (N,) bool.
            seeds: for each row the seed of its start, (N,); read in worlds with `random_starts`.

        Returns:
            Observations, (N, O) float64; what was there before in the other rows.
        """

    def step(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> RowStep:
        """Steps the chosen rows with actions (N, A)."""

    def step_async(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> None:
        """Begins a step of the chosen rows with actions (N, A)."""

    def step_wait(self) -> RowStep:
        """Waits for the step and gives its outcome."""

    def get_state(self) -> Any:
        """Gives the rows' exact state, as plain values and arrays that are the caller's own."""

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """Puts each row i where `get_state` found row `source[i]`; source is (N,)."""

    def render(self) -> tuple[Any, ...]:
        """Gives each row's picture."""

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Calls a method of each row's own environment, or reads an attribute, where the engine has such.

        An error in a row is raised here, and leaves the rows usable.
        """

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Reads an attribute of each row's own environment; AttributeError for a method, never called."""

    def set_attr(self, name: str, values: Sequence[Any]) -> None:
        """Sets an attribute that each row's own environment has, one value a row."""

    def close(self) -> None:
        """Frees what the engine holds."""


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
