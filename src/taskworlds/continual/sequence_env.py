"""`SequenceVectorEnv`: a list of vector environments, one for each task, of which one at a time is stepped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, WrongValue, check_count, check_seed
from taskworlds.vector._batch import only
from taskworlds.vector.episodes import Step
from taskworlds.vector.task_vector_env import TaskVectorEnv

__all__ = ["SequenceVectorEnv"]


class SequenceVectorEnv(gym.vector.VectorEnv[Any, Any, NDArray[Any]]):
    """Tasks one after the other, each for a budget of steps, on Gymnasium's vector API.

    Made by `taskworlds.continual.make_sequence`. It has the shape that Meta-World's maintainers ask for (Farama's
    Metaworld, issue 581): a list of vector environments, one for each task, with the same spaces, and one index,
    `env_idx`, of that to which actions and resets go.

    The step that uses up a task's budget truncates every row that it does not end otherwise, so that the last episode
    on a task may be short; in the same step the next task's first episodes begin, as at any end (SAME_STEP): the
    observations are theirs, and `final_obs` and `final_info` have the ended ones'. After the last task nothing begins,
    the observations are the last ones, and another step is refused.

    Infos also have `env_idx`, (N,) int64: the index of the task that this call reports of, and in `final_info` that of
    the episode that ended.

    Args:
        envs: the environments, with the same spaces and numbers of rows, under SAME_STEP.
        steps_per_task: the budget: steps on each task, over all rows; None for none: then set `env_idx`, and reset.
        how: the options that all of them were made with, for environments to evaluate on.

    Attributes:
        envs: as given.
        steps_per_task: as given.
        skills: the skill of each task.
        num_steps: steps so far, over all rows and tasks.

    Raises:
        ValueError: the budget is not a multiple of the number of rows, or the environments differ.
    """

    metadata: dict[str, Any] = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self, envs: Sequence[TaskVectorEnv], steps_per_task: int | None, how: Mapping[str, Any] | None = None
    ) -> None:
        self.envs = tuple(envs)
        self.how = dict(how or {})
        first = self.envs[0]
        self.num_envs = first.num_envs
        for each in self.envs:
            alike = (each.num_envs, each.observation_space, each.action_space) == (
                first.num_envs,
                first.observation_space,
                first.action_space,
            )
            if not alike or each.autoreset_mode is not AutoresetMode.SAME_STEP:
                raise WrongValue(
                    f"envs must have the same rows and spaces, under SAME_STEP, but {each!r} differs from {first!r}."
                )
        if steps_per_task is not None:
            steps_per_task = check_count("steps_per_task", steps_per_task)
            if steps_per_task % self.num_envs:
                raise WrongValue(
                    f"steps_per_task must be a multiple of the number of rows, {self.num_envs}, because each step "
                    f"is one of every row, not {steps_per_task}.",
                    argument="steps_per_task",
                )
        self.steps_per_task = steps_per_task
        self.skills = tuple(each.skills[0] for each in self.envs)
        self.metadata = first.metadata
        self.render_mode = first.render_mode
        for name in ("observation_space", "action_space", "single_observation_space", "single_action_space"):
            setattr(self, name, getattr(first, name))
        self.num_steps = 0
        self._env_idx = 0
        self._ready = False
        self._seed: int | None = None

    @property
    def env_idx(self) -> int:
        """The index of the task to which actions and resets go; without a budget it may be set, before a reset."""
        return self._env_idx

    @env_idx.setter
    def env_idx(self, env_idx: int) -> None:
        if self.steps_per_task is not None:
            raise WrongValue(
                f"env_idx must not be set where steps_per_task={self.steps_per_task} moves it. Make the sequence with "
                "steps_per_task=None.",
                argument="env_idx",
            )
        self._env_idx, self._ready = check_count("env_idx", env_idx, 0, len(self.envs) - 1), False

    @property
    def env(self) -> TaskVectorEnv:
        """The environment of the task at hand: `envs[env_idx]`."""
        return self.envs[self._env_idx]

    @property
    def is_over(self) -> bool:
        """Whether every task has had its budget."""
        return self.steps_per_task is not None and self.num_steps >= self.steps_per_task * len(self.envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts episodes of the task at hand; it does not go back in the sequence.

        Args:
            seed: row i of the task of index k is seeded with `seed + k * N + i`, this one now and those to come when
                they begin.
            options: as for `TaskVectorEnv.reset`.

        Returns:
            Observations and infos.

        Raises:
            RuntimeError: every task has had its budget.
        """
        if self.is_over:
            raise RuntimeError(
                f"The sequence is over after {self.num_steps} steps: make another with make_sequence."
            )
        if seed is not None:
            if isinstance(seed, Sequence):
                raise WrongType(
                    f"seed must be one whole number for all tasks, not {seed!r}.", argument="seed"
                )
            self._seed = check_seed(seed)
        obs, infos = self._begin(options) if seed is not None else self.env.reset(options=options)
        self._ready = True
        return obs, self._with_index(infos)

    def _begin(self, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins the task at hand with the seed of its place."""
        seed = None if self._seed is None else self._seed + self._env_idx * self.num_envs
        return self.env.reset(seed=seed, options=options)

    def step(self, actions: Any) -> Step:
        """Steps the rows of the task at hand once; see `TaskVectorEnv.step`.

        Args:
            actions: one action of each row, in the shape of `action_space`; in Meta-World (N, 4).

        Returns:
            Observations, rewards (N,) float64, terminations and truncations (N,) bool, and infos. The step that uses up
            a task's budget returns the observations of the next task's first episodes; see the class.

        Raises:
            RuntimeError: every task has had its budget, or `env_idx` was set without a reset.
            ValueError: the actions are a chunk of several steps, which a border could fall into.
        """
        if self.is_over:
            raise RuntimeError(
                f"The sequence is over after {self.num_steps} steps: make another with make_sequence."
            )
        if not self._ready:
            raise RuntimeError("There is no episode to step: call reset() first.")
        if self.env.actions.is_chunk(actions):
            raise WrongValue(
                f"actions must have the shape {self.action_space.shape}, one step of every row, not "
                f"{np.shape(actions)}: a sequence counts single steps. Step a chunk's actions one after the other.",
                argument="actions",
            )
        obs, rewards, terminated, truncated, infos = self.env.step(actions)
        self.num_steps += self.num_envs
        infos = self._with_index(infos)
        if self.steps_per_task is None or self.num_steps % self.steps_per_task:
            return obs, rewards, terminated, truncated, infos
        cut = ~(terminated | truncated)
        ended = self._cut(infos, cut)
        truncated = truncated | cut
        if self.is_over:
            return ended["final_obs"], rewards, terminated, truncated, infos | ended
        self._env_idx += 1
        obs, begun = self._begin()
        return obs, rewards, terminated, truncated, self._with_index(begun) | ended

    def _with_index(self, infos: dict[str, Any]) -> dict[str, Any]:
        index = np.full(self.num_envs, self._env_idx)
        infos["env_idx"], infos["_env_idx"] = index, np.ones(self.num_envs, dtype=np.bool_)
        if "final_info" in infos:
            ended = infos["_final_info"]
            infos["final_info"] |= {"env_idx": np.where(ended, index, 0), "_env_idx": ended.copy()}
        return infos

    def _cut(self, infos: Mapping[str, Any], cut: NDArray[np.bool_]) -> dict[str, Any]:
        """Returns what is told of the last episodes on a task, those that the budget cuts and those that ended."""
        all_rows = np.ones(self.num_envs, dtype=np.bool_)
        told = {name: values for name, values in infos.items() if "final_" not in name}
        told |= {"episode": only(all_rows, self.env.progress.episode()), "_episode": all_rows}
        ended = told if cut.all() else _chosen(told, infos["final_info"], cut)
        return {
            "final_obs": infos["final_obs"],
            "_final_obs": all_rows.copy(),
            "final_info": ended,
            "_final_info": all_rows.copy(),
        }

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Takes a snapshot of everything that decides the future, as `TaskVectorEnv.get_state` does, of all tasks."""
        budget = self.steps_per_task or 0
        place = np.array([self._env_idx, self.num_steps, self._ready, budget], dtype=np.int64)
        seed = np.array("" if self._seed is None else str(self._seed))
        states = {
            f"{number}/{name}": values
            for number, each in enumerate(self.envs)
            for name, values in each.get_state().items()
        }
        return {"place": place, "seed": seed, **states}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Goes back to a snapshot, here or in another process.

        Args:
            state: what `get_state` of a sequence with the same tasks and budget returned.

        Raises:
            ValueError: it is of another sequence, or damaged. Then nothing has changed.
        """
        limit = self.steps_per_task
        try:
            env_idx, num_steps, ready, budget = (int(each) for each in state["place"])
            seed = str(state["seed"])
            fits = 0 <= env_idx < len(self.envs) and num_steps >= 0 and (seed.isdecimal() or not seed)
            fits &= budget == (limit or 0)
            if limit is not None:
                fits &= env_idx == min(num_steps // limit, len(self.envs) - 1)
        except (KeyError, TypeError, ValueError):
            fits = False
        numbers = {name.partition("/")[0] for name in state if "/" in name} if fits else set()
        if numbers != {str(number) for number in range(len(self.envs))}:
            raise WrongValue(
                "state must be what get_state of a sequence with these tasks and this budget returned."
            )
        before = [each.get_state() for each in self.envs]
        try:
            for number, each in enumerate(self.envs):
                start = f"{number}/"
                own = {
                    name.removeprefix(start): array for name, array in state.items() if name.startswith(start)
                }
                each.set_state(own)
        except BaseException:
            for each, earlier in zip(self.envs, before, strict=True):
                each.set_state(earlier)
            raise
        self._env_idx, self.num_steps, self._ready = env_idx, num_steps, bool(ready)
        self._seed = int(seed) if seed else None

    def render(self) -> tuple[Any, ...]:
        """Returns one picture a row of the task at hand."""
        return self.env.render()

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the rows of all tasks.

        Args:
            **kwargs: of Gymnasium's signature; ignored.
        """
        for each in self.envs:
            each.close()

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self.envs)} tasks, num_envs={self.num_envs}, "
            f"steps_per_task={self.steps_per_task}, env_idx={self._env_idx}, num_steps={self.num_steps})"
        )


def _chosen(one: Mapping[str, Any], other: Mapping[str, Any], rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Returns infos whose values are those of `one` in `rows`, and those of `other` elsewhere."""
    made: dict[str, Any] = {}
    for name, values in one.items():
        there = other[name]
        if isinstance(values, Mapping):
            made[name] = _chosen(values, there, rows)
        else:
            made[name] = np.where(rows.reshape(-1, *[1] * (values.ndim - 1)), values, there)
    return made
