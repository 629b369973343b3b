"""The rows of a batch as the protocols see them: started and stepped together, each row's faults its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import create_empty_array
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue
from taskworlds.core.registry import worlds
from taskworlds.core.task import Task
from taskworlds.evaluation.records import Episode
from taskworlds.vector.composition import Composition

__all__ = ["FixedRows", "RowsFault", "Step", "Tally", "TaskRows", "holds_tasks"]


class Step(NamedTuple):
    """What a step returned for the rows that were stepped; in the other rows reward 0, no end, and success NaN.

    Attributes:
        rewards: (N,) float64.
        terminated, truncated: (N,) bool.
        success: (N,) float64; NaN where the environment does not report it.
        returns: of the episodes so far, (N,) float64, before any normalisation of the rewards; NaN where the
            environment does not report it.
        diverged: whether the simulation broke down, (N,) bool; False where the environment does not report it.
        attempt_ended: in trials, whether an attempt ended, (N,) bool; False without trials.
        attempt_returns: in trials, of the attempts so far, as `returns`.
        errors: by row, why it could not be stepped.
    """

    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    success: NDArray[np.float64]
    returns: NDArray[np.float64]
    diverged: NDArray[np.bool_]
    attempt_ended: NDArray[np.bool_]
    attempt_returns: NDArray[np.float64]
    errors: dict[int, str]


class RowsFault(Exception):
    """A step of several rows failed, and it is not known in which: `__cause__` tells why."""


def holds_tasks(envs: Any) -> bool:
    """Returns whether a vector env is one of ours: one whose rows can be given any task."""
    return isinstance(envs, VectorEnv) and callable(getattr(envs, "set_tasks", None))


class TaskRows:
    """The rows of one of our vector envs, in any autoreset mode.

    Where an episode's start is drawn at random, it depends on the seed, the task and the episode's number alone, not
    on which row plays it and what that has played before.

    Args:
        envs: the vector env.
        seed: of the starts.

    Attributes:
        obs: the latest observation of each row, a batch of the observation space; zeros before a row's first episode.
            Each call makes a new one, so callers may keep it.
        composition: which world each row serves, if they serve several; else None.
    """

    def __init__(self, envs: Any, seed: int) -> None:
        self.envs = envs
        self.num_envs: int = envs.num_envs
        self._seed = seed
        self._space: gym.Space[Any] = envs.single_observation_space
        self.obs: Any = create_empty_array(self._space, self.num_envs, fn=np.zeros)
        self.skills: tuple[frozenset[str], ...] = tuple(
            frozenset(task.env_name for task in tasks) for tasks in envs.tasks
        )
        composition: Composition | None = getattr(envs, "composition", None)
        self.composition = composition if composition is not None and composition.is_mixed else None
        held = frozenset[str]().union(*self.skills)
        drawn = [held & {*world.env_names()} for world in worlds() if world.has_random_starts]
        self._drawn = frozenset[str]().union(*drawn)  # skills whose episodes start at random

    def start(
        self, episodes: Mapping[int, tuple[Task, int]]
    ) -> tuple[list[tuple[NDArray[np.bool_], dict[str, Any]]], dict[int, str]]:
        """Starts episodes: all in one call or, where that fails, one by one.

        Args:
            episodes: by row, its task and its number among those of the task.

        Returns:
            For each call that went well, the rows that it reset, (N,) bool, and its infos; and, by row, why it
            failed.
        """
        try:
            return [self._reset(episodes)], {}
        except Exception as error:
            if len(episodes) == 1:
                return [], {row: _describe(error) for row in episodes}
        started, errors = [], {}
        for row, episode in episodes.items():
            try:
                started.append(self._reset({row: episode}))
            except Exception as error:
                errors[row] = _describe(error)
        return started, errors

    def ends_on_success(self) -> NDArray[np.bool_]:
        """Returns whether success ends the episode, of the rows whose worlds have success; of all if none has."""
        ends: NDArray[np.bool_] = np.asarray(self.envs.terminate_on_success)
        if self.composition is None:
            return ends
        has_success = self.composition.has(lambda world: world.has_success)
        return ends[has_success] if has_success.any() else ends

    def step(self, actions: NDArray[Any], active: NDArray[np.bool_], alone: NDArray[np.bool_]) -> Step:
        """Steps the active rows: in one call, but for the rows marked `alone`, which get a call each.

        Raises:
            RowsFault: the call for several rows failed. Which rows were stepped is then unknown.
        """
        result = Step(
            np.zeros(self.num_envs),
            np.zeros(self.num_envs, dtype=np.bool_),
            np.zeros(self.num_envs, dtype=np.bool_),
            np.full(self.num_envs, np.nan),
            np.full(self.num_envs, np.nan),
            np.zeros(self.num_envs, dtype=np.bool_),
            np.zeros(self.num_envs, dtype=np.bool_),
            np.full(self.num_envs, np.nan),
            {},
        )
        together = active & ~alone
        if together.any():
            try:
                self._step(actions, together, result)
            except Exception as error:
                raise RowsFault from error
        for row in np.flatnonzero(active & alone).tolist():
            try:
                self._step(actions, np.arange(self.num_envs) == row, result)
            except Exception as error:
                result.errors[row] = _describe(error)
        return result

    def start_seed(self, task: Task, number: int) -> int:
        """Returns the seed of an episode's start, below 2**64: what is reset with it, and the task, starts the same.

        Args:
            task: of the episode.
            number: of the episode, among those of its task.
        """
        words = np.random.SeedSequence([self._seed, int(task.id, 16), number]).generate_state(2)
        return int.from_bytes(words.astype("<u4").tobytes(), "little")

    @contextlib.contextmanager
    def until_the_clock(self) -> Iterator[None]:
        """Lets episodes run to their limit, whatever their success, inside the `with` block."""
        before = bool(np.all(self.ends_on_success()))
        self.envs.call("toggle_terminate_on_success", False)
        try:
            yield
        finally:
            self.envs.call("toggle_terminate_on_success", before)

    def _reset(self, episodes: Mapping[int, tuple[Task, int]]) -> tuple[NDArray[np.bool_], dict[str, Any]]:
        mask = np.isin(np.arange(self.num_envs), list(episodes))
        options = {"reset_mask": mask.copy(), "tasks": [episodes[row][0] for row in sorted(episodes)]}
        seeds = {
            row: self.start_seed(*each) for row, each in episodes.items() if each[0].env_name in self._drawn
        }
        how = {"seed": [seeds.get(row) for row in range(self.num_envs)]} if seeds else {}
        obs, infos = self.envs.reset(**how, options=options)
        self._take(obs, mask)
        return mask, infos

    def _step(self, actions: NDArray[Any], mask: NDArray[np.bool_], result: Step) -> None:
        obs, rewards, terminated, truncated, infos = self.envs.step(actions, mask=mask.copy())
        self._take(obs, mask)
        for kept, given in zip(result[:3], (rewards, terminated, truncated), strict=True):
            kept[mask] = np.asarray(given)[mask]
        ended = result.terminated | result.truncated
        result.success[mask] = _reported(infos, "success", ended)[mask]
        result.diverged[mask] = (_reported(infos, "diverged", ended) > 0)[mask]
        result.attempt_ended[mask] = (_reported(infos, "attempt_ended", ended) > 0)[mask]
        result.attempt_returns[mask] = _reported(infos, "attempt_return", ended)[mask]
        told = _reported(infos, "episode_return", ended)
        recorded = _column(
            infos.get("final_info", infos).get("episode", {}), "r", ended
        )  # by a wrapper of others
        result.returns[mask] = np.where(np.isnan(told), recorded, told)[mask]

    def _take(self, obs: Any, mask: NDArray[np.bool_]) -> None:
        self.obs = _merged(self._space, mask, obs, self.obs)


class FixedRows:
    """The rows of any Gymnasium env or vector env: each row is a task of its own, which nobody else can set.

    All three autoreset modes look alike from here: after each `step`, `begin` tells which rows begin an
    episode.

    Attributes:
        obs: the latest batch of observations, as the environment returned it.
        tasks: one for each row: the environment's name, and the row's number.
    """

    def __init__(self, env: Any) -> None:
        if isinstance(env, VectorEnv):
            envs: Any = env
            inner = getattr(envs.unwrapped, "envs", None) or [envs] * envs.num_envs
        else:
            envs = SyncVectorEnv([lambda: _Kept(env)], autoreset_mode=AutoresetMode.DISABLED)
            inner = [env]
        self.envs = envs
        self.num_envs: int = envs.num_envs
        if "autoreset_mode" not in envs.metadata:
            raise WrongValue(
                f"{envs!r} does not say in metadata['autoreset_mode'] how it resets its rows, so its "
                "episodes cannot be told apart. Set it to one of gymnasium.vector.AutoresetMode."
            )
        self._mode = AutoresetMode(envs.metadata["autoreset_mode"])
        # Under NEXT_STEP the rows whose next step is their reset; otherwise none.
        self._resetting = np.zeros(self.num_envs, dtype=np.bool_)
        self.tasks = tuple(Task(_name(row_env), {"row": row}) for row, row_env in enumerate(inner))
        limits = {row_env.spec.max_episode_steps if row_env.spec else None for row_env in inner}
        self.max_episode_steps: int | None = limits.pop() if len(limits) == 1 else None
        self.obs: Any = None
        self._infos: dict[str, Any] = {}
        self._began = np.zeros(self.num_envs, dtype=np.bool_)

    def start(self, seed: int) -> dict[str, Any]:
        """Resets all rows and returns the infos."""
        infos: dict[str, Any]
        self.obs, infos = self.envs.reset(seed=seed)
        return infos

    @property
    def playing(self) -> NDArray[np.bool_]:
        """The rows that the next step is a step of an episode for, (N,) bool."""
        return ~self._resetting

    def step(self, actions: Any) -> Step:
        """Steps all rows, and returns what that meant for the rows that were `playing`."""
        playing = self.playing
        self.obs, rewards, terminated, truncated, self._infos = self.envs.step(actions)
        terminated, truncated = playing & terminated, playing & truncated
        ended = terminated | truncated
        self._began = ended
        if self._mode == AutoresetMode.NEXT_STEP:
            self._began, self._resetting = self._resetting, ended
        return Step(
            rewards=np.where(playing, rewards, 0.0),
            terminated=terminated,
            truncated=truncated,
            success=np.where(playing, _reported(self._infos, "success", ended), np.nan),
            returns=np.full(self.num_envs, np.nan),
            diverged=playing & (_reported(self._infos, "diverged", ended) > 0),
            attempt_ended=playing & (_reported(self._infos, "attempt_ended", ended) > 0),
            attempt_returns=np.where(playing, _reported(self._infos, "attempt_return", ended), np.nan),
            errors={},
        )

    def begin(self) -> tuple[NDArray[np.bool_], dict[str, Any]]:
        """Returns the rows that begin an episode after the latest step, (N,) bool, and their resets' infos."""
        if self._mode == AutoresetMode.DISABLED and self._began.any():
            self.obs, self._infos = self.envs.reset(options={"reset_mask": self._began.copy()})
        return self._began, self._infos


class Tally:
    """Adds up each row's running episode, and in trials its attempts.

    Args:
        num_envs: rows, N.
        of_attempts: whether what is added up are attempts, which have none of their own.
    """

    def __init__(self, num_envs: int, *, of_attempts: bool = False) -> None:
        self._returns = np.zeros(num_envs)
        self._given = np.full(num_envs, np.nan)  # the return so far, where the environment tells it
        self._lengths = np.zeros(num_envs, dtype=np.int64)
        self._known = np.zeros(num_envs, dtype=np.bool_)
        self._once = np.zeros(num_envs, dtype=np.bool_)
        self._end = np.full(num_envs, np.nan)
        self._diverged = np.zeros(num_envs, dtype=np.bool_)
        self._attempt = None if of_attempts else Tally(num_envs, of_attempts=True)
        self._attempts: list[list[Episode]] = [[] for _ in range(num_envs)]  # that have ended

    def begin(self, mask: NDArray[np.bool_]) -> None:
        """Starts again in the rows of the mask."""
        if self._attempt is not None:
            self._attempt.begin(mask)
            for row in np.flatnonzero(mask).tolist():
                self._attempts[row] = []
        for array in (self._returns, self._lengths, self._known, self._once, self._diverged):
            array[mask] = 0
        self._end[mask] = np.nan

    def add(self, mask: NDArray[np.bool_], step: Step) -> None:
        """Adds a step in the rows of the mask."""
        self._returns[mask] += step.rewards[mask]
        self._given[mask] = step.returns[mask]
        self._lengths[mask] += 1
        known = mask & ~np.isnan(step.success)
        self._known |= known
        self._once |= known & (step.success > 0)
        self._end[mask] = step.success[mask]
        self._diverged |= mask & step.diverged
        if self._attempt is not None and not np.isnan(step.attempt_returns).all():
            self._attempt.add(mask, step._replace(returns=step.attempt_returns))
            ended = mask & step.attempt_ended
            for row in np.flatnonzero(ended).tolist():
                self._attempts[row].append(self._attempt.episode(row))
            self._attempt.begin(ended)

    def episode(self, row: int) -> Episode:
        """Returns a row's episode so far."""
        return Episode(
            episode_return=float(self._returns[row] if np.isnan(self._given[row]) else self._given[row]),
            length=int(self._lengths[row]),
            success_once=bool(self._once[row]) if self._known[row] else None,
            success_end=None if np.isnan(self._end[row]) else bool(self._end[row] > 0),
            diverged=bool(self._diverged[row]),
            attempts=tuple(self._attempts[row]),
        )


class _Kept(gym.Wrapper[Any, Any, Any, Any]):
    """Keeps the caller's env open when the batch around it goes away."""

    def close(self) -> None:
        pass


def _name(env: Any) -> str:
    return env.spec.id if env.spec else type(env.unwrapped).__name__


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _merged(space: gym.Space[Any], mask: NDArray[np.bool_], new: Any, old: Any) -> Any:
    """Returns a batch of observations: `new` in the rows of the mask, and `old` in the others."""
    if isinstance(space, gym.spaces.Dict):
        return {name: _merged(each, mask, new[name], old[name]) for name, each in space.spaces.items()}
    if isinstance(space, gym.spaces.Tuple):
        return tuple(
            _merged(*parts) for parts in zip(space.spaces, [mask] * len(space), new, old, strict=True)
        )
    if isinstance(old, np.ndarray):
        return batches.aligned(np.where(mask.reshape(-1, *[1] * (old.ndim - 1)), new, old))
    return tuple(one if chosen else other for chosen, one, other in zip(mask, new, old, strict=True))


def _reported(infos: dict[str, Any], name: str, ended: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Reads what a step's infos say of it under a name, (N,) float64; NaN in rows that do not report it."""
    column = _column(infos, name, np.ones(len(ended), dtype=np.bool_))
    if "final_info" in infos:  # SAME_STEP: what belongs to the step that ended an episode lies in here
        column = np.where(ended, _column(infos["final_info"], name, ended), column)
    return column


def _column(infos: dict[str, Any], name: str, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Reads a number of each of the rows from infos, (N,) float64; NaN where it is not reported."""
    column = np.full(len(rows), np.nan)
    if name in infos:
        present = rows & infos.get(f"_{name}", True)
        column[present] = np.asarray(infos[name])[present].astype(np.float64)
    return column
