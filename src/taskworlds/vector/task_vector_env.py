"""The vector environment: N rows, each of which can hold any task of the benchmark."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from taskworlds.benchmarks import Benchmark
from taskworlds.errors import check_choice, check_count, check_seed
from taskworlds.task import Task
from taskworlds.vector import snapshot
from taskworlds.vector.dealing import deal
from taskworlds.vector.normalization import (
    ExponentialRewardNormalizer,
    ObservationNormalizer,
    ReturnRewardNormalizer,
)
from taskworlds.vector.options import Options
from taskworlds.vector.rows import GymnasiumRows, Rows
from taskworlds.vector.task_selection import TaskSelection
from taskworlds.worlds import world_of

__all__ = ["STRATEGIES", "TaskVectorEnv"]

STRATEGIES = ("sync", "async")
_RESET_OPTIONS = ("reset_mask", "tasks")

Step = tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
]


class TaskVectorEnv(gym.vector.VectorEnv[NDArray[np.float64], NDArray[np.floating], NDArray[np.bool_]]):
    """A batch of N rows over the tasks of one split of a benchmark, on Gymnasium's vector API.

    Made by `taskworlds.make_vec`. Everything returned is the caller's own: no array is written to again.

    Info, at reset and at each step, has for each row `task_name` (the skill), `task_id` (`Task.id`) and `goal` (its
    position, (N, 3) float64, metres); at each step also what the skill reports, as (N,) float64: `success`,
    `near_object`, `grasp_success`, `grasp_reward`, `in_place_reward`, `obj_to_target`, `unscaled_reward`. When an
    episode ends, `episode` has its return `r` (the sum of the rewards before any normalisation), length `l` and time
    `t`; under SAME_STEP these stand in `final_info`, and the true last observation in `final_obs`, (N, O). As always
    in Gymnasium, `_name` beside `name` tells for which rows it holds.

    Args:
        benchmark: where the tasks come from.
        split: "train" or "test".
        num_envs: rows, N.
        strategy: the engine, one of `STRATEGIES`.
        options: everything else.
        seed: row i draws its tasks from a generator seeded with `seed + i`; None for one of the system's entropy.

    Attributes:
        benchmark, split, options: as given.
        skills: the split's skills, in the order of the one-hot.
        max_episode_steps: steps after which an episode is truncated.
        reward_function_version: the reward in use.
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array", "depth_array"], "render_fps": 80}

    def __init__(
        self,
        benchmark: Benchmark,
        split: str,
        num_envs: int,
        strategy: str = "sync",
        options: Options | None = None,
        seed: int | None = None,
    ) -> None:
        self.benchmark = benchmark
        self.split = split
        self.options = options = options if options is not None else Options()
        self.num_envs = check_count("num_envs", num_envs)
        self.strategy = check_choice("vector_strategy", strategy, STRATEGIES)
        tasks = benchmark.tasks(split)
        self.skills = benchmark.env_names(split)
        self._world = world = world_of(self.skills[0])
        for name in self.skills:
            if name not in world.env_names:
                raise ValueError(
                    f"All tasks of an environment must be of one world, but {self.skills[0]} is a skill of "
                    f"{world.name} and {name} of {world_of(name).name}. Make an environment for each."
                )
        self.max_episode_steps = options.max_episode_steps or world.max_episode_steps
        version = options.reward_function_version or world.reward_function_versions[-1]
        self.reward_function_version = check_choice(
            "reward_function_version", version, world.reward_function_versions
        )
        self.metadata = type(self).metadata | {"autoreset_mode": options.autoreset_mode}
        self.render_mode = options.render_mode

        n = self.num_envs
        hidden = {world.hides_goal(task) for task in tasks}
        self._spaces(world.observation_space(visible=False in hidden, hidden=True in hidden), world.action_space())
        self._shows_goal = False in hidden
        self._hides_goal = True in hidden
        self._selections = [TaskSelection(options.task_select, row) for row in deal(tasks, n)]
        self._sample_on_reset = np.full(n, options.samples_on_reset)
        self._terminate_on_success = np.full(n, options.terminate_on_success)
        self._reward_normalizer = {
            None: lambda: None,
            "gymnasium": lambda: ReturnRewardNormalizer(n),
            "exponential": lambda: ExponentialRewardNormalizer(n, options.reward_alpha),
        }[options.reward_normalization_method]()
        obs_size = self.single_observation_space.shape[0]
        self._obs_normalizer = ObservationNormalizer(n, obs_size) if options.normalize_observations else None

        self._tasks: list[Task | None] = [None] * n  # of the episode at hand
        self._next_tasks: list[Task | None] = [None] * n  # given by set_tasks for the next episode
        self._one_hot = np.zeros((n, len(self.skills) if options.use_one_hot else 0))
        self._task_names = np.full(n, None, dtype=object)
        self._task_ids = np.full(n, None, dtype=object)
        self._goals = np.zeros((n, world.goal_size))
        self._obs = np.zeros((n, obs_size))
        self._steps = np.zeros(n, dtype=np.int64)
        self._returns = np.zeros(n)
        self._started_at = np.zeros(n)
        self._running = np.zeros(n, dtype=np.bool_)  # rows in the middle of an episode
        self._pending: tuple[NDArray[np.floating], NDArray[np.bool_], NDArray[np.bool_]] | None = None

        self._rngs = [seeding.np_random(None if seed is None else check_seed(seed) + i)[0] for i in range(n)]
        if seed is not None:
            self.action_space.seed(seed)
            self.single_action_space.seed(seed)
        self._recipe = (benchmark, split, num_envs, strategy, options)
        self._rows: Rows = GymnasiumRows(strategy, self._make_row, n, world.goal_size)

    @property
    def _make_row(self) -> Any:
        """A picklable function that makes one row of the sync and async engines."""
        chosen = {
            name: getattr(self.options, name)
            for name in ("render_mode", "camera_name", "camera_id", "width", "height")
        }
        return functools.partial(
            self._world.make_row, reward_function_version=self.reward_function_version, **chosen
        )

    def _spaces(self, observation: gym.spaces.Box, action: gym.spaces.Box) -> None:
        """Declares the spaces, from those of the world and the options."""
        low, high = observation.low, observation.high
        self._base_size = low.size
        if self.options.use_one_hot:
            low, high = np.append(low, np.zeros(len(self.skills))), np.append(high, np.ones(len(self.skills)))
        if self.options.recurrent_info_in_obs:
            size = low.size + action.shape[0] + 2
            low, high = np.full(size, -np.inf), np.full(size, np.inf)
        if self.options.normalize_observations:
            low, high = np.full(low.size, -np.inf), np.full(low.size, np.inf)
        self.single_observation_space = gym.spaces.Box(low, high, dtype=np.float64)
        self.single_action_space = action
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(action, self.num_envs)

    # --- tasks ---------------------------------------------------------------------------------------------------

    @property
    def tasks(self) -> tuple[list[Task], ...]:
        """The tasks that each row chooses from."""
        return tuple(list(selection.tasks) for selection in self._selections)

    @property
    def current_tasks(self) -> tuple[Task | None, ...]:
        """The task of each row's episode at hand; None before the first reset."""
        return tuple(self._tasks)

    @property
    def terminate_on_success(self) -> NDArray[np.bool_]:
        """Whether success ends the episode, for each row, (N,) bool."""
        return self._terminate_on_success.copy()

    def set_tasks(self, tasks: Task | Sequence[Task], mask: ArrayLike | None = None) -> None:
        """Fixes the tasks of the next episodes. They take effect at the next reset of each row, and stay.

        Args:
            tasks: one task for all chosen rows, or one for each of them. Any goal of the benchmark's skills will do,
                also one that the benchmark does not list. Meta-World's own task objects are accepted.
            mask: which rows, (N,) bool; None for all.

        Raises:
            ValueError: a task's skill is not the benchmark's, or the lengths do not fit.
        """
        rows = self._mask("mask", mask)
        for row, task in zip(np.flatnonzero(rows), self._one_each(tasks, rows), strict=True):
            self._next_tasks[row] = task

    def sample_tasks(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Chooses a new task for every row, by `task_select`, and resets."""
        if seed is not None:
            self._seed(self._seeds(seed), np.ones(self.num_envs, dtype=np.bool_))
        self._next_tasks = [
            selection.draw(rng) for selection, rng in zip(self._selections, self._rngs, strict=True)
        ]
        return self.reset(options=options)

    def _one_each(self, tasks: Any, rows: NDArray[np.bool_]) -> list[Task]:
        count = int(rows.sum())
        if isinstance(tasks, Task) or (hasattr(tasks, "env_name") and hasattr(tasks, "data")):
            given = [tasks] * count
        elif isinstance(tasks, Sequence):
            given = list(tasks)
            if len(given) == self.num_envs and count != self.num_envs:
                given = [task for task, chosen in zip(given, rows, strict=True) if chosen]
        else:
            raise TypeError(f"tasks must be a Task or a list with one for each row, not {tasks!r}.")
        if len(given) != count:
            raise ValueError(f"tasks must have one task for each of the {count} chosen rows, not {len(given)}.")
        return [self._checked(Task.of(task)) for task in given]

    def _checked(self, task: Task) -> Task:
        known = self.skills
        if not self.options.use_one_hot:
            known = list(dict.fromkeys([*known, *(each.env_name for each in self.benchmark.test_tasks)]))
            known = list(dict.fromkeys([*known, *(each.env_name for each in self.benchmark.train_tasks)]))
        if task.env_name not in known:
            shown = ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")
            raise ValueError(
                f"The task {task.id} is of the skill {task.env_name!r}, which {self.benchmark.name} "
                f"does not have here; it has {shown}. Make an environment from a benchmark or a list of tasks that "
                "holds it."
            )
        self._world.check_task(task)
        hides = self._world.hides_goal(task)
        if (hides and not self._hides_goal) or (not hides and not self._shows_goal):
            raise ValueError(
                f"The task {task.id} of {task.env_name} {'hides' if hides else 'shows'} its goal, and the tasks of "
                f"{self.benchmark.name} {'show' if hides else 'hide'} theirs, so it is another benchmark's."
            )
        return task

    # --- reset ---------------------------------------------------------------------------------------------------

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Starts an episode in every row, or in the rows that `options["reset_mask"]` names.

        Args:
            seed: row i's generator is seeded with `seed + i`, or with the i-th of a list. It decides which tasks are
                chosen from here on, so equal seeds give equal tasks, goals and states.
            options: `reset_mask`, which rows, (N,) bool; `tasks`, a task for all of them or one for each.

        Returns:
            Observations (N, O) float64 (rows not reset keep theirs), and info about the rows reset.

        Raises:
            TypeError: an option is not known.
            ValueError: a task or the mask does not fit.
        """
        options = dict(options or {})
        unknown = sorted(set(options) - set(_RESET_OPTIONS))
        if unknown:
            raise TypeError(f"reset takes the options {' and '.join(_RESET_OPTIONS)}, not {', '.join(unknown)}.")
        if self._pending is not None:
            raise RuntimeError("A step is under way: call step_wait() before reset().")
        rows = self._mask("options['reset_mask']", options.get("reset_mask"))
        seeds = self._seeds(seed)
        if options.get("tasks") is not None:
            self.set_tasks(options["tasks"], rows)
        self._seed(seeds, rows)
        seeded = np.array([each is not None for each in seeds]) & rows
        self._start(rows, choose=seeded)
        return self._obs.copy(), self._about(rows)

    def _start(self, rows: NDArray[np.bool_], choose: NDArray[np.bool_]) -> None:
        """Begins an episode in `rows`; where `choose`, a task is chosen even if resets usually keep theirs."""
        for row in np.flatnonzero(rows):
            given = self._next_tasks[row]
            if given is not None:
                task = given
            elif choose[row] or self._sample_on_reset[row] or self._tasks[row] is None:
                task = self._checked(self._selections[row].draw(self._rngs[row]))
            else:
                continue
            self._next_tasks[row] = None
            self._set_current(row, task)
        base, goals = self._rows.reset(self._tasks, rows)
        self._goals[rows] = goals[rows]
        self._steps[rows] = 0
        self._returns[rows] = 0.0
        self._started_at[rows] = time.perf_counter()
        self._running[rows] = True
        self._compose(base, rows)

    def _set_current(self, row: int, task: Task) -> None:
        self._tasks[row] = task
        self._task_names[row], self._task_ids[row] = task.env_name, task.id
        if self.options.use_one_hot:
            self._one_hot[row] = np.arange(len(self.skills)) == self.skills.index(task.env_name)

    def _clear_current(self, row: int) -> None:
        self._tasks[row] = self._task_names[row] = self._task_ids[row] = None
        self._one_hot[row] = 0.0

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, Sequence) or isinstance(seed, np.ndarray):
            if len(seed) != self.num_envs:
                raise ValueError(f"seed must have one entry for each of the {self.num_envs} rows, not {len(seed)}.")
            return [None if each is None else check_seed(each) for each in seed]
        first = check_seed(seed)
        return [first + row for row in range(self.num_envs)]

    def _seed(self, seeds: list[int | None], rows: NDArray[np.bool_]) -> None:
        for row in np.flatnonzero(rows):
            if seeds[row] is not None:
                self._rngs[row] = seeding.np_random(seeds[row])[0]
                self._selections[row].restart()

    # --- step ----------------------------------------------------------------------------------------------------

    def step(self, actions: ArrayLike, mask: ArrayLike | None = None) -> Step:
        """Steps the rows.

        Args:
            actions: (N, A), finite. The arm moves by the first three clipped to [-1, 1] (1 is 1 cm); the last is the
                gripper's effort. float32 and float64 are both taken as they are.
            mask: which rows step, (N,) bool; None for all. The others keep their observation, with reward 0.

        Returns:
            Observations (N, O) float64, rewards (N,) float64, terminations and truncations (N,) bool, and info.

        Raises:
            ValueError: the actions' shape is wrong, or a row's action is not finite.
            RuntimeError: a row to be stepped was not reset, or (without autoreset) its episode has ended.
        """
        self.step_async(actions, mask)
        return self.step_wait()

    def step_async(self, actions: ArrayLike, mask: ArrayLike | None = None) -> None:
        """Begins a step: the caller may compute while the rows step, and gets the outcome from `step_wait`."""
        if self._pending is not None:
            raise RuntimeError("A step is under way already: call step_wait() first.")
        chosen = self._mask("mask", mask)
        actions = self._actions(actions)
        unready = chosen & ~self._running
        restarting = np.zeros_like(chosen)
        if unready.any():
            row = int(np.flatnonzero(unready)[0])
            if self._tasks[row] is None:
                raise RuntimeError(f"Row {row} has not been reset: call reset() before step().")
            if self.options.autoreset_mode is not AutoresetMode.NEXT_STEP:
                raise RuntimeError(
                    f"The episode of row {row} has ended: reset it first, "
                    'reset(options={"reset_mask": terminations | truncations}).'
                )
            restarting = unready
        stepping = chosen & ~restarting
        finite = np.isfinite(actions).all(axis=1)
        if not finite[stepping].all():
            row = int(np.flatnonzero(stepping & ~finite)[0])
            raise ValueError(
                f"actions[{row}] must be finite, not {actions[row].tolist()} "
                f"(task {self._task_ids[row]} of {self._task_names[row]}, step {self._steps[row]})."
            )
        self._pending = actions, stepping, restarting
        if stepping.any():
            self._rows.step_async(actions, stepping)

    def step_wait(self) -> Step:
        """Waits for the step that `step_async` began, and gives what `step` gives."""
        if self._pending is None:
            raise RuntimeError("No step is under way: call step_async() first.")
        actions, stepping, restarting = self._pending
        self._pending = None
        n = self.num_envs
        rewards = np.zeros(n)
        terminated = np.zeros(n, dtype=np.bool_)
        truncated = np.zeros(n, dtype=np.bool_)
        infos: dict[str, Any] = {}
        if stepping.any():
            outcome = self._rows.step_wait()
            self._goals[stepping] = outcome.goals[stepping]
            rewards[stepping] = outcome.rewards[stepping]
            self._steps[stepping] += 1
            self._returns[stepping] += rewards[stepping]
            success = outcome.terms["success"] == 1.0
            terminated = stepping & self._terminate_on_success & success
            truncated = stepping & (self._steps >= self.max_episode_steps)
            self._compose(outcome.obs, stepping, actions, rewards, terminated | truncated)
            if self._reward_normalizer is not None:
                rewards = self._reward_normalizer(rewards, terminated, stepping)
            infos = self._about(stepping)
            for name, values in outcome.terms.items():
                _put(infos, name, np.where(stepping, values, 0.0), stepping)
        done = terminated | truncated
        self._running[done] = False
        if done.any():
            _put(infos, "episode", self._episode(done), done)
            if self.options.autoreset_mode is AutoresetMode.SAME_STEP:
                infos = self._restart_in_same_step(infos, done)
        if restarting.any():
            self._start(restarting, choose=np.zeros(n, dtype=np.bool_))
            for name, value in self._about(restarting).items():
                infos[name] = infos[name] | value if name.startswith("_") and name in infos else value
        return self._obs.copy(), rewards, terminated, truncated, infos

    def _restart_in_same_step(self, infos: dict[str, Any], done: NDArray[np.bool_]) -> dict[str, Any]:
        """Resets rows whose episode ended, and keeps what they ended with in `final_obs` and `final_info`."""
        final_obs = np.where(done[:, None], self._obs, 0.0)
        final = {
            name: (value & done if name.startswith("_") else value) for name, value in infos.items()
        }
        self._start(done, choose=np.zeros_like(done))
        del infos["episode"], infos["_episode"]
        infos = {
            name: (value & ~done if name.startswith("_") else value) for name, value in infos.items()
        }
        for name, value in self._about(done).items():
            infos[name] = infos[name] | value if name.startswith("_") else value
        _put(infos, "final_obs", final_obs, done)
        _put(infos, "final_info", final, done)
        return infos

    def _episode(self, done: NDArray[np.bool_]) -> dict[str, Any]:
        seconds = np.round(time.perf_counter() - self._started_at, 6)
        statistics: dict[str, Any] = {}
        _put(statistics, "r", np.where(done, self._returns, 0.0), done)
        _put(statistics, "l", np.where(done, self._steps, 0), done)
        _put(statistics, "t", np.where(done, seconds, 0.0), done)
        return statistics

    def _about(self, rows: NDArray[np.bool_]) -> dict[str, Any]:
        """What info says of the task, for every row, marked as present in `rows`."""
        infos: dict[str, Any] = {}
        _put(infos, "task_name", self._task_names.copy(), rows)
        _put(infos, "task_id", self._task_ids.copy(), rows)
        _put(infos, "goal", self._goals.copy(), rows)
        return infos

    def _compose(
        self,
        base: NDArray[np.float64],
        rows: NDArray[np.bool_],
        actions: NDArray[np.floating] | None = None,
        rewards: NDArray[np.float64] | None = None,
        done: NDArray[np.bool_] | None = None,
    ) -> None:
        """Writes the observations of `rows`: the world's, then the one-hot, then what the last step was."""
        obs = self._obs
        at = self._base_size
        obs[rows, :at] = base[rows]
        if self.options.use_one_hot:
            past = at + len(self.skills)
            obs[rows, at:past] = self._one_hot[rows]
            at = past
        if self.options.recurrent_info_in_obs:
            obs[rows, at:] = 0.0
            if actions is not None and rewards is not None and done is not None:
                scale = 10.0 if self.options.normalize_reward_in_recurrent_info else 1.0
                obs[rows, at:-2] = actions[rows]
                obs[rows, -2] = rewards[rows] / scale
                obs[rows, -1] = done[rows]
        if self._obs_normalizer is not None:
            self._obs_normalizer(obs, rows)

    def _actions(self, actions: ArrayLike) -> NDArray[np.floating]:
        try:
            array = np.asarray(actions)
        except ValueError:
            raise ValueError(f"actions must be an array of shape {self.action_space.shape}, not {actions!r}.") from None
        if array.dtype.kind in "iub":
            array = array.astype(np.float64)
        if array.dtype not in (np.float32, np.float64):
            raise TypeError(f"actions must be of dtype float32 or float64, not {array.dtype}.")
        if array.shape != self.action_space.shape:
            raise ValueError(f"actions must have the shape {self.action_space.shape}, not {array.shape}.")
        return array

    def _mask(self, argument: str, mask: ArrayLike | None) -> NDArray[np.bool_]:
        if mask is None:
            return np.ones(self.num_envs, dtype=np.bool_)
        array = np.asarray(mask)
        if array.dtype != np.bool_ or array.shape != (self.num_envs,):
            raise ValueError(
                f"{argument} must be a bool array of shape ({self.num_envs},), not {array.dtype} of shape "
                f"{array.shape}."
            )
        return array.copy()

    def render(self) -> tuple[Any, ...]:
        """Gives one picture a row, by the `render_mode` that the environment was made with.

        Raises:
            RuntimeError: it was made without one, or there was no reset yet.
        """
        if self.render_mode is None:
            raise RuntimeError('There is no picture: make the environment with render_mode="rgb_array".')
        if any(task is None for task in self._tasks):
            raise RuntimeError("There is no picture before the first reset: call reset().")
        return self._rows.render()

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the rows."""
        if hasattr(self, "_rows"):
            self._rows.close()

    # --- Meta-World's names for each row's attributes and methods ------------------------------------------------

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Gives an attribute of each row, under Meta-World's names.

        `tasks`, `task` (the current one), `current_task_idx`, `task_name` (the official class's name),
        `max_path_length`, `max_episode_steps`, `terminate_on_success`, `sample_tasks_on_reset`, `np_random`, the
        spaces; anything else is asked of the engine's environment in the row.
        """
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Sets an attribute of each row: one value for all, or a list or tuple with one for each.

        `tasks` (then a list of lists), `terminate_on_success`, `sample_tasks_on_reset` and `update_running_mean`
        (whether normalisation's statistics move; one value); anything else is set on the engine's environments.
        """
        each = list(values) if isinstance(values, list | tuple) else [values] * self.num_envs
        if name == "update_running_mean":
            for normalizer in (self._obs_normalizer, self._reward_normalizer):
                if normalizer is not None:
                    normalizer.updating = bool(each[0])
            return
        if len(each) != self.num_envs:
            raise ValueError(f"{name} must have one value for each of the {self.num_envs} rows, not {len(each)}.")
        if name == "tasks":
            for selection, tasks in zip(self._selections, each, strict=True):
                if not tasks:
                    raise ValueError("Each row needs at least one task.")
                selection.set_tasks([self._checked(Task.of(task)) for task in tasks])
        elif name in ("terminate_on_success", "sample_tasks_on_reset"):
            switches = self._terminate_on_success if name == "terminate_on_success" else self._sample_on_reset
            switches[:] = [check_choice(name, bool(value), (True, False)) for value in each]
        else:
            self._rows.set_attr(name, each)

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Calls a method of each row, under Meta-World's names, and gives one result a row.

        `toggle_terminate_on_success(on)`, `toggle_sample_tasks_on_reset(on)`, `sample_tasks()` (gives each row's
        observation and info), `set_task(task)`, `get_checkpoint()`, `load_checkpoint(checkpoints)`, `render()`, and
        the attributes of `get_attr`; anything else is asked of the engine's environment in the row.
        """
        n = self.num_envs
        if name in ("toggle_terminate_on_success", "toggle_sample_tasks_on_reset"):
            self.set_attr(name.removeprefix("toggle_"), *args, **{"values": kwargs.pop("on")} if kwargs else {})
            return (None,) * n
        if name == "sample_tasks":
            obs, infos = self.sample_tasks(*args, **kwargs)
            return tuple((obs[row], self.row_info(infos, row)) for row in range(n))
        if name == "set_task":
            self.set_tasks(*args, **kwargs)
            return (None,) * n
        if name == "get_checkpoint":
            return tuple(snapshot.get_checkpoint(self, row) for row in range(n))
        if name == "load_checkpoint":
            snapshot.load_checkpoints(self, *args, **kwargs)
            return (None,) * n
        if name == "render":
            return self.render()
        ours = {
            "tasks": lambda row: list(self._selections[row].tasks),
            "task": lambda row: self._tasks[row],
            "current_task_idx": lambda row: self._selections[row].current_task_idx,
            "task_name": self._class_name,
            "max_path_length": lambda row: self.max_episode_steps,
            "max_episode_steps": lambda row: self.max_episode_steps,
            "terminate_on_success": lambda row: bool(self._terminate_on_success[row]),
            "sample_tasks_on_reset": lambda row: bool(self._sample_on_reset[row]),
            "np_random": lambda row: self._rngs[row],
            "action_space": lambda row: self.single_action_space,
            "observation_space": lambda row: self.single_observation_space,
        }
        if name in ours:
            return tuple(ours[name](row) for row in range(n))
        return self._rows.call(name, *args, **kwargs)

    def _class_name(self, row: int) -> str:
        """The official class of the row's skill: of its episode at hand, or else of its first task."""
        task = self._tasks[row] or self._selections[row].tasks[0]
        return self._world.class_name(task.env_name)

    @staticmethod
    def row_info(infos: dict[str, Any], row: int) -> dict[str, Any]:
        """Takes one row's info out of a batch's: what a single environment's info would hold."""
        info: dict[str, Any] = {}
        for name, values in infos.items():
            if name.startswith("_") or not infos[f"_{name}"][row]:
                continue
            value = TaskVectorEnv.row_info(values, row) if isinstance(values, dict) else values[row]
            info[name] = value.item() if isinstance(value, np.generic) else value
        return info

    # --- exact state ---------------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Takes a snapshot of everything that decides the future, also in mid-episode.

        Physics, counters, statistics, generators, tasks. A dictionary of plain values and NumPy arrays, the caller's
        own. `set_state` puts it back, here or in another process, to the last bit.

        Raises:
            RuntimeError: a step is under way.
        """
        if self._pending is not None:
            raise RuntimeError("A step is under way: call step_wait() before get_state().")
        return snapshot.take(self)

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a snapshot.

        Raises:
            ValueError: the snapshot is of another shape, reward or simulator, so it could not be exact.
        """
        snapshot.restore(self, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._recipe, self.get_state(), self.spec)


def _rebuild(recipe: tuple[Any, ...], state: dict[str, Any], spec: Any) -> TaskVectorEnv:
    env = TaskVectorEnv(*recipe)
    env.set_state(state)
    env.spec = spec
    return env


def _put(infos: dict[str, Any], name: str, values: Any, rows: NDArray[np.bool_]) -> None:
    """Adds an entry to info, and beside it the rows for which it holds."""
    infos[name], infos[f"_{name}"] = values, rows.copy()
