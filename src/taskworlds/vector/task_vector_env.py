"""The vector environment: N rows, each of which can hold any task of the benchmark."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

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
from taskworlds.vector.rows import GymnasiumRows, Rows, RowStep
from taskworlds.vector.task_selection import TaskSelection
from taskworlds.worlds import world_of

__all__ = ["STRATEGIES", "TaskVectorEnv"]

STRATEGIES = ("native", "sync", "async")
_RESET_OPTIONS = ("reset_mask", "tasks")

Step = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class _Begun(NamedTuple):
    """A step between its two halves: the actions, and which rows step and which begin an episode instead."""

    actions: NDArray[np.floating]
    stepping: NDArray[np.bool_]
    restarting: NDArray[np.bool_]


class TaskVectorEnv(gym.vector.VectorEnv[NDArray[np.float64], Any, NDArray[Any]]):
    """A batch of N rows over the tasks of one split of a benchmark, on Gymnasium's vector API.

    Made by `taskworlds.make_vec`. Everything returned is the caller's own: no array is written to again.

    Info, at reset and at each step, has for each row `task_name` (the skill), `task_id` (`Task.id`) and
    `goal` (its position, (N, 3) float64, metres); at each step also what the skill reports, as (N,) float64:
    `success`, `near_object`, `grasp_success`, `grasp_reward`, `in_place_reward`, `obj_to_target`,
    `unscaled_reward`. When an episode ends, `episode` has its return `r` (the sum of the rewards before any
    normalisation), length `l` and time `t`; under SAME_STEP all that belongs to the ended episode stands in
    `final_info`, and its true last observation in `final_obs`, (N,) object, each (O,) float64 or None. As
    always in Gymnasium, `_name` beside `name` tells for which rows it holds; in the others it is zero, or
    None.

    A step that succeeds under `terminate_on_success` and is at the limit at once is a termination, not a
    truncation.

    Args:
        benchmark: where the tasks come from.
        split: "train" or "test".
        num_envs: rows, N.
        strategy: the engine, one of `STRATEGIES`.
        options: everything else.
        seed: row i draws its tasks from a generator seeded with `seed + i`; None for one of the system's
            entropy.

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
        strategy: str = "native",
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
        self._spaces(
            world.observation_space(visible=False in hidden, hidden=True in hidden), world.action_space()
        )
        self._shows_goal = False in hidden
        self._hides_goal = True in hidden
        both = (*tasks, *benchmark.train_tasks, *benchmark.test_tasks)
        self._known = (
            self.skills if options.use_one_hot else list(dict.fromkeys(task.env_name for task in both))
        )
        self._selections = [TaskSelection(options.task_select, row) for row in deal(tasks, n)]
        self._sample_on_reset = np.full(n, options.samples_on_reset)
        self._terminate_on_success = np.full(n, options.terminate_on_success)
        self._reward_normalizer = {
            None: lambda: None,
            "gymnasium": lambda: ReturnRewardNormalizer(n),
            "exponential": lambda: ExponentialRewardNormalizer(n, options.reward_alpha),
        }[options.reward_normalization_method]()
        self._obs_normalizer = (
            ObservationNormalizer(n, self._obs_size) if options.normalize_observations else None
        )

        self._tasks: list[Task | None] = [None] * n  # of the episode at hand
        self._held_tasks: list[Task | None] = [None] * n  # given by set_tasks, for all episodes to come
        self._next_tasks: list[Task | None] = [None] * n  # given or drawn for the next episode alone
        self._one_hot = np.zeros((n, len(self.skills) if options.use_one_hot else 0))
        self._task_names = np.full(n, None, dtype=object)
        self._task_ids = np.full(n, None, dtype=object)
        self._goals = np.zeros((n, world.goal_size))
        self._obs = np.zeros((n, self._obs_size))
        self._steps = np.zeros(n, dtype=np.int64)
        self._returns = np.zeros(n)
        self._started_at = np.zeros(n)
        self._running = np.zeros(n, dtype=np.bool_)  # rows in the middle of an episode
        self._pending: _Begun | None = None  # a step that step_async began

        self._rngs: list[np.random.Generator] = []
        self._rng_seeds: list[int] = []  # what each was seeded with; -1 where that is not known
        for row in range(n):
            rng, rng_seed = seeding.np_random(None if seed is None else check_seed(seed) + row)
            self._rngs.append(rng)
            self._rng_seeds.append(rng_seed)
        if seed is not None:
            self.action_space.seed(seed)
            self.single_action_space.seed(seed)
        self._recipe = (benchmark, split, num_envs, strategy, options)
        self._rows: Rows = self._make_rows()

    def _make_rows(self) -> Rows:
        """Makes what steps the rows: the world's native engine, or its Python environments under Gymnasium's."""
        names = ("render_mode", "camera_name", "camera_id", "width", "height")
        chosen = {name: getattr(self.options, name) for name in names}
        chosen["reward_function_version"] = self.reward_function_version
        world, threads = self._world, self.options.num_threads
        if self.strategy != "native":
            make_row = functools.partial(world.make_row, **chosen)
            return GymnasiumRows(self.strategy, make_row, self.num_envs, world.goal_size)
        if world.make_native_rows is None:
            raise ValueError(f'{world.name} has no native engine: take vector_strategy="sync" or "async".')
        return world.make_native_rows(self.skills, self.num_envs, num_threads=threads, **chosen)

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
        self._obs_size = low.size
        self.single_observation_space = gym.spaces.Box(low, high, dtype=np.float64)
        self.single_action_space = action
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(action, self.num_envs)

    # --- tasks ----------------------------------------------------------------------------------------------

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

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The generator of each row, as in Gymnasium's own vector environments."""
        return tuple(self._rngs)

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """What each row's generator was seeded with; -1 where that is not known."""
        return tuple(self._rng_seeds)

    def set_tasks(self, tasks: Task | Sequence[Task], mask: ArrayLike | None = None) -> None:
        """Fixes the tasks of rows, from the next reset of each row on, also a seeded one.

        They stay until other tasks are set, or `sample_tasks` chooses. A task given to `reset` comes in
        between. Where a task puts its goal outside the skill's bounds, observations after a step show the
        nearest place within them, as Meta-World's do; info has the goal itself.

        Args:
            tasks: one task for all chosen rows, or one for each of them. Any goal of the benchmark's skills
                will do, also one that the benchmark does not list. Meta-World's own task objects are
                accepted.
            mask: which rows, (N,) bool; None for all.

        Raises:
            ValueError: a task's skill is not the benchmark's, or the lengths do not fit.
        """
        rows = self._mask("mask", mask)
        for row, task in zip(np.flatnonzero(rows), self._one_each("tasks", tasks, rows), strict=True):
            self._held_tasks[row], self._next_tasks[row] = task, None

    def sample_tasks(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Chooses a new task for every row, by `task_select`, and resets.

        Args:
            seed: as for `reset`.
            options: as for `reset`.

        Returns:
            What `reset` gives.
        """
        self._check_ready("sample_tasks()")
        every = np.ones(self.num_envs, dtype=np.bool_)
        self._reset_options(options)
        self._seed(self._seeds(seed), every)
        self._next_tasks = [self._draw(row) for row in range(self.num_envs)]
        self._held_tasks = [None] * self.num_envs
        return self.reset(options=options)

    def _draw(self, row: int) -> Task:
        task = self._selections[row].draw(self._rngs[row])
        return self._checked(task) if callable(self.options.task_select) else task

    def _one_each(self, argument: str, tasks: Any, rows: NDArray[np.bool_]) -> list[Task]:
        count = int(rows.sum())
        if isinstance(tasks, Task) or (hasattr(tasks, "env_name") and hasattr(tasks, "data")):
            given = [tasks] * count
        elif isinstance(tasks, Sequence):
            given = list(tasks)
            if len(given) == self.num_envs and count != self.num_envs:
                given = [task for task, chosen in zip(given, rows, strict=True) if chosen]
        else:
            raise TypeError(f"{argument} must be a Task or a list with one for each row, not {tasks!r}.")
        if len(given) != count:
            raise ValueError(
                f"{argument} must have one task for each of the {count} chosen rows, not {len(given)}."
            )
        return [self._checked(Task.of(task)) for task in given]

    def _checked(self, task: Task) -> Task:
        known = self._known
        if task.env_name not in known:
            shown = ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")
            raise ValueError(
                f"The task {task.id} is of the skill {task.env_name!r}, which {self.benchmark.name} "
                f"does not have here; it has {shown}. Make an environment from a benchmark or a list of "
                "tasks that holds it."
            )
        self._world.check_task(task)
        hides = self._world.hides_goal(task)
        if (hides and not self._hides_goal) or (not hides and not self._shows_goal):
            raise ValueError(
                f"The task {task.id} of {task.env_name} {'hides' if hides else 'shows'} its goal, and the "
                f"tasks of {self.benchmark.name} {'show' if hides else 'hide'} theirs, so it is of another "
                "benchmark. Give one of this benchmark's tasks."
            )
        return task

    # --- reset ----------------------------------------------------------------------------------------------

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Starts an episode in every row, or in the rows that `options["reset_mask"]` names.

        Args:
            seed: row i's generator is seeded with `seed + i`, or with the i-th of a list. It decides which
                tasks are chosen from here on, so equal seeds give equal tasks, goals and states.
            options: `reset_mask`, which rows, (N,) bool; `tasks`, a task for all of them or one for each.

        Returns:
            Observations (N, O) float64 (rows not reset keep theirs), and info about the rows reset.

        Raises:
            TypeError: an option is not known.
            ValueError: a task or the mask does not fit.
        """
        self._check_ready("reset()")
        rows, tasks = self._reset_options(options)
        seeds = self._seeds(seed)
        self._seed(seeds, rows)
        for row, task in tasks.items():
            self._next_tasks[row] = task
        seeded = np.array([each is not None for each in seeds]) & rows
        self._start(rows, choose=seeded)
        return self._obs.copy(), self._about(rows)

    def _reset_options(self, options: dict[str, Any] | None) -> tuple[NDArray[np.bool_], dict[int, Task]]:
        """Checks the options of a reset; gives the rows to reset, and the tasks that were given, by row."""
        options = dict(options or {})
        unknown = sorted(map(str, set(options) - set(_RESET_OPTIONS)))
        if unknown:
            raise TypeError(
                f"reset takes the options {' and '.join(_RESET_OPTIONS)}, not {', '.join(unknown)}."
            )
        rows = self._mask("options['reset_mask']", options.get("reset_mask"))
        if options.get("tasks") is None:
            return rows, {}
        tasks = self._one_each("options['tasks']", options["tasks"], rows)
        return rows, dict(zip(np.flatnonzero(rows).tolist(), tasks, strict=True))

    def _start(self, rows: NDArray[np.bool_], choose: NDArray[np.bool_]) -> None:
        """Begins an episode in `rows`, where `choose` of a newly chosen task, whatever resets usually do."""
        if not rows.any():
            return
        tasks: dict[int, Task] = {}
        for row in np.flatnonzero(rows).tolist():
            given = self._next_tasks[row] or self._held_tasks[row]
            if given is not None:
                tasks[row] = given
            elif choose[row] or self._sample_on_reset[row] or self._tasks[row] is None:
                tasks[row] = self._draw(row)
        for row, task in tasks.items():
            self._next_tasks[row] = None
            self._put_current(row, task)
        base, goals = self._rows.reset(self._tasks, rows)
        self._goals[rows] = goals[rows]
        self._steps[rows] = 0
        self._returns[rows] = 0.0
        self._started_at[rows] = time.perf_counter()
        self._running[rows] = True
        self._compose(base, rows)

    def _check_ready(self, call: str) -> None:
        if self.closed:
            raise RuntimeError(f"{call} needs an open environment, and this one was closed: make a new one.")
        if self._pending is not None:
            raise RuntimeError(f"A step is under way: call step_wait() before {call}.")

    def _put_current(self, row: int, task: Task | None) -> None:
        self._tasks[row] = task
        self._task_names[row] = task and task.env_name
        self._task_ids[row] = task and task.id
        if self.options.use_one_hot:
            self._one_hot[row] = [task is not None and name == task.env_name for name in self.skills]

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, Sequence | np.ndarray):
            if len(seed) != self.num_envs:
                raise ValueError(
                    f"seed must have one entry for each of the {self.num_envs} rows, not {len(seed)}."
                )
            return [None if each is None else check_seed(each) for each in seed]
        first = check_seed(seed)
        return [first + row for row in range(self.num_envs)]

    def _seed(self, seeds: list[int | None], rows: NDArray[np.bool_]) -> None:
        for row in np.flatnonzero(rows):
            if seeds[row] is not None:
                self._rngs[row], self._rng_seeds[row] = seeding.np_random(seeds[row])
                self._selections[row].restart()

    # --- step -----------------------------------------------------------------------------------------------

    def step(self, actions: ArrayLike, mask: ArrayLike | None = None) -> Step:
        """Steps the rows.

        Args:
            actions: (N, A), finite. The arm moves by the first three clipped to [-1, 1] (1 is 1 cm); the last
                is the gripper's effort. float32 and float64 are both taken as they are.
            mask: which rows step, (N,) bool; None for all. The others keep their observation, with reward 0.

        Returns:
            Observations (N, O) float64, rewards (N,) float64, terminations and truncations (N,) bool, and
            info.

        Raises:
            ValueError: the actions' shape is wrong, or a row's action is not finite.
            RuntimeError: a row to be stepped was not reset, or (without autoreset) its episode has ended.
        """
        begun = self._begin(actions, mask)
        outcome = self._rows.step(begun.actions, begun.stepping) if begun.stepping.any() else None
        return self._finish(begun, outcome)

    def step_async(self, actions: ArrayLike, mask: ArrayLike | None = None) -> None:
        """Begins a step; the caller may compute while the rows step, and `step_wait` gives the outcome."""
        begun = self._begin(actions, mask)
        if begun.stepping.any():
            self._rows.step_async(begun.actions, begun.stepping)
        self._pending = begun

    def step_wait(self) -> Step:
        """Waits for the step that `step_async` began, and gives what `step` gives."""
        if self._pending is None:
            raise RuntimeError("No step is under way: call step_async() first.")
        begun, self._pending = self._pending, None
        return self._finish(begun, self._rows.step_wait() if begun.stepping.any() else None)

    def _begin(self, actions: ArrayLike, mask: ArrayLike | None) -> _Begun:
        """Checks a step's arguments, and says which rows step and which begin anew."""
        self._check_ready("another step")
        chosen = self._mask("mask", mask)
        actions = self._actions(actions)
        unready = chosen & ~self._running
        restarting = np.zeros_like(chosen)
        if unready.any():
            row = int(np.flatnonzero(unready)[0])
            which = f" of row {row}" if self.num_envs > 1 else ""
            if self._steps[row] == 0:
                raise RuntimeError(f"No episode{which} has begun: call reset() before step().")
            if self.options.autoreset_mode is not AutoresetMode.NEXT_STEP:
                raise RuntimeError(
                    f"The episode{which} has ended: call reset() before the next step. In a batch, "
                    'reset(options={"reset_mask": terminations | truncations}) resets the rows that ended.'
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
        return _Begun(actions, stepping, restarting)

    def _finish(self, begun: _Begun, outcome: RowStep | None) -> Step:
        """Makes of an engine's outcome what the caller gets; None if no row stepped."""
        actions, stepping, restarting = begun
        n = self.num_envs
        rewards = np.zeros(n)
        terminated = np.zeros(n, dtype=np.bool_)
        truncated = np.zeros(n, dtype=np.bool_)
        infos: dict[str, Any] = {}
        if outcome is not None:
            self._goals[stepping] = outcome.goals[stepping]
            rewards[stepping] = outcome.rewards[stepping]
            self._steps[stepping] += 1
            self._returns[stepping] += rewards[stepping]
            success = outcome.terms["success"] == 1.0
            terminated = stepping & self._terminate_on_success & success
            truncated = stepping & ~terminated & (self._steps >= self.max_episode_steps)
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
            self._start(restarting, choose=np.zeros_like(restarting))
            _merge(infos, self._about(restarting))
        return self._obs.copy(), rewards, terminated, truncated, infos

    def _restart_in_same_step(self, infos: dict[str, Any], done: NDArray[np.bool_]) -> dict[str, Any]:
        """Resets rows whose episode ended, and keeps what they ended with in `final_obs` and `final_info`."""
        final_info, infos = _keep(infos, done), _keep(infos, ~done)
        final_obs = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(done):
            final_obs[row] = self._obs[row].copy()
        self._start(done, choose=np.zeros_like(done))
        _put(infos, "final_obs", final_obs, done)
        _put(infos, "final_info", final_info, done)
        _merge(infos, self._about(done))
        return infos

    def _episode(self, done: NDArray[np.bool_]) -> dict[str, Any]:
        seconds = np.round(time.perf_counter() - self._started_at, 6)
        statistics: dict[str, Any] = {}
        _put(statistics, "r", np.where(done, self._returns, 0.0), done)
        _put(statistics, "l", np.where(done, self._steps, 0), done)
        _put(statistics, "t", np.where(done, seconds, 0.0), done)
        return statistics

    def _about(self, rows: NDArray[np.bool_]) -> dict[str, Any]:
        """What info says of the task of `rows`; nothing if there are none."""
        infos: dict[str, Any] = {}
        if rows.any():
            for name, values in (("task_name", self._task_names), ("task_id", self._task_ids)):
                shown = np.full(self.num_envs, None, dtype=object)
                shown[rows] = values[rows]
                _put(infos, name, shown, rows)
            _put(infos, "goal", np.where(rows[:, None], self._goals, 0.0), rows)
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
            raise ValueError(
                f"actions must be an array of shape {self.action_space.shape}, not {actions!r}."
            ) from None
        if array.dtype.kind in "iub":
            array = array.astype(np.float64)
        if array.dtype not in (np.float32, np.float64):
            raise TypeError(f"actions must be of dtype float32 or float64, not {array.dtype}.")
        if array.shape != self.action_space.shape:
            raise ValueError(f"actions must have the shape {self.action_space.shape}, not {array.shape}.")
        return array.copy()  # the caller may write to theirs before step_wait

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
        self._check_ready("render()")
        if self.render_mode is None:
            raise RuntimeError('There is no picture: make the environment with render_mode="rgb_array".')
        if any(task is None for task in self._tasks):
            raise RuntimeError("There is no picture before the first reset: call reset().")
        return self._rows.render()

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the rows."""
        if hasattr(self, "_rows"):
            self._rows.close()

    # --- Meta-World's names for each row's attributes and methods -------------------------------------------

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Gives an attribute of each row, under Meta-World's names.

        `tasks`, `task` (the current one), `current_task_idx`, `task_name` (the official class's name),
        `max_path_length`, `max_episode_steps`, `terminate_on_success`, `sample_tasks_on_reset`,
        `update_running_mean`, `np_random`, the spaces; anything else is asked of the engine's environment in
        the row.

        Raises:
            AttributeError: there is no such attribute, or it is a method.
            RuntimeError: the engine's environment is asked before the first reset.
        """
        read = self._attributes().get(name)
        if read is not None:
            return tuple(read(row) for row in range(self.num_envs))
        self._check_ready(f"get_attr({name!r})")
        return self._rows.get_attr(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Sets an attribute of each row: one value for all, or a list or tuple with one for each.

        `tasks` (then a list of lists), `terminate_on_success`, `sample_tasks_on_reset` and
        `update_running_mean` (whether normalisation's statistics move; one value for all rows); anything else
        is set on the engine's environments.

        Raises:
            AttributeError: there is no such attribute, or it cannot be set.
            ValueError: a value does not fit, or they are not as many as rows.
        """
        self._check_ready(f"set_attr({name!r})")
        each = list(values) if isinstance(values, list | tuple) else [values] * self.num_envs
        if len(each) != self.num_envs:
            raise ValueError(
                f"{name} must have one value for each of the {self.num_envs} rows, not {len(each)}."
            )
        if name == "tasks":
            tasks = [_list_of_tasks(given) for given in each]
            checked = [[self._checked(Task.of(task)) for task in given] for given in tasks]
            for row, (selection, given) in enumerate(zip(self._selections, checked, strict=True)):
                selection.set_tasks(given)
                self._held_tasks[row] = self._next_tasks[row] = None
        elif name in ("terminate_on_success", "sample_tasks_on_reset"):
            switches = self._terminate_on_success if name == "terminate_on_success" else self._sample_on_reset
            switches[:] = [_switch(name, value) for value in each]
        elif name == "update_running_mean":
            if len({_switch(name, value) for value in each}) > 1:
                raise ValueError(f"{name} must be the same for all rows, not {values!r}.")
            for normalizer in (self._obs_normalizer, self._reward_normalizer):
                if normalizer is not None:
                    normalizer.updating = bool(each[0])
        elif name in self._attributes():
            raise AttributeError(
                f"{name!r} cannot be set. set_attr takes tasks, terminate_on_success, sample_tasks_on_reset "
                "and update_running_mean; the rest is chosen when the environment is made."
            )
        else:
            self._rows.set_attr(name, each)

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Calls a method of each row, under Meta-World's names, and gives one result a row.

        `toggle_terminate_on_success(on)`, `toggle_sample_tasks_on_reset(on)`, `sample_tasks()` (gives each
        row's observation and info), `set_task(task)`, `get_checkpoint()`, `load_checkpoint(checkpoints)`,
        `render()`, and the attributes of `get_attr`; anything else is asked of the engine's environment in
        the row.

        Raises:
            AttributeError: there is no such method, or it would act behind this environment's back.
            RuntimeError: the engine's environment is asked before the first reset.
        """
        n = self.num_envs
        if name in self._methods:
            result = self._methods[name](self, *args, **kwargs)
            return (None,) * n if result is None else result
        if name in self._attributes() and not (args or kwargs):
            return self.get_attr(name)
        if name in ("reset", "step", "close", "seed"):
            own = "reset(seed=...)" if name == "seed" else f"{name}()"
            raise AttributeError(
                f"The rows have no {name}() of their own: call the vector environment's {own}."
            )
        self._check_ready(f"call({name!r})")
        return self._rows.call(name, *args, **kwargs)

    def _toggle_terminate_on_success(self, on: Any) -> None:
        self.set_attr("terminate_on_success", on)

    def _toggle_sample_tasks_on_reset(self, on: Any) -> None:
        self.set_attr("sample_tasks_on_reset", on)

    def _sample_each(self, **kwargs: Any) -> tuple[Any, ...]:
        obs, infos = self.sample_tasks(**kwargs)
        return tuple((obs[row], self.row_info(infos, row)) for row in range(self.num_envs))

    def _set_task(self, task: Any) -> None:
        self.set_tasks([task] * self.num_envs)

    def _get_checkpoints(self) -> tuple[Any, ...]:
        return tuple(snapshot.get_checkpoint(self, row) for row in range(self.num_envs))

    def _load_checkpoints(self, checkpoints: Sequence[tuple[str, dict[str, Any]]]) -> None:
        self._check_ready("load_checkpoint()")
        snapshot.load_checkpoints(self, checkpoints)

    _methods: ClassVar[dict[str, Callable[..., Any]]] = {
        "toggle_terminate_on_success": _toggle_terminate_on_success,
        "toggle_sample_tasks_on_reset": _toggle_sample_tasks_on_reset,
        "sample_tasks": _sample_each,
        "set_task": _set_task,
        "get_checkpoint": _get_checkpoints,
        "load_checkpoint": _load_checkpoints,
        "render": render,
    }

    def _attributes(self) -> dict[str, Callable[[int], Any]]:
        """By name, what gives the attribute of a row."""
        normalizers = [each for each in (self._obs_normalizer, self._reward_normalizer) if each is not None]
        return {
            "tasks": lambda row: list(self._selections[row].tasks),
            "task": lambda row: self._tasks[row],
            "current_task_idx": lambda row: self._selections[row].current_task_idx,
            "task_name": self._class_name,
            "max_path_length": lambda row: self.max_episode_steps,
            "max_episode_steps": lambda row: self.max_episode_steps,
            "terminate_on_success": lambda row: bool(self._terminate_on_success[row]),
            "sample_tasks_on_reset": lambda row: bool(self._sample_on_reset[row]),
            "update_running_mean": lambda row: all(each.updating for each in normalizers),
            "np_random": lambda row: self._rngs[row],
            "np_random_seed": lambda row: self._rng_seeds[row],
            "action_space": lambda row: self.single_action_space,
            "observation_space": lambda row: self.single_observation_space,
        }

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

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Takes a snapshot of everything that decides the future, also in mid-episode.

        Physics, counters, statistics, generators, tasks. A dictionary of plain values and NumPy arrays, the
        caller's own. `set_state` puts it back, here or in another process, to the last bit.

        Raises:
            RuntimeError: a step is under way.
        """
        self._check_ready("get_state()")
        return snapshot.take(self)

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a snapshot.

        Raises:
            ValueError: the snapshot is of another shape, reward, limit or simulator, so it could not be
                exact.
            RuntimeError: a step is under way.
        """
        self._check_ready("set_state()")
        snapshot.restore(self, state)

    def __reduce__(self) -> tuple[Any, ...]:
        spaces = ("action_space", "single_action_space", "observation_space", "single_observation_space")
        kept = {name: getattr(self, name) for name in spaces}  # with their generators
        return _rebuild, (self._recipe, self.get_state(), kept | {"spec": self.spec})


def _rebuild(recipe: tuple[Any, ...], state: dict[str, Any], attributes: dict[str, Any]) -> TaskVectorEnv:
    env = TaskVectorEnv(*recipe)
    env.set_state(state)
    for name, value in attributes.items():
        setattr(env, name, value)
    return env


def _switch(name: str, value: Any) -> bool:
    return check_choice(name, value.item() if isinstance(value, np.bool_) else value, (True, False))


def _list_of_tasks(tasks: Any) -> list[Any]:
    if not isinstance(tasks, list | tuple) or not tasks:
        raise ValueError(f"tasks must be a list of lists, for each row at least one task, not {tasks!r}.")
    return list(tasks)


def _put(infos: dict[str, Any], name: str, values: Any, rows: NDArray[np.bool_]) -> None:
    """Adds an entry to info, and beside it the rows for which it holds."""
    infos[name], infos[f"_{name}"] = values, rows.copy()


def _keep(infos: dict[str, Any], rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Copies what info says of `rows`, without entries that say nothing of them."""
    kept: dict[str, Any] = {}
    for name, values in infos.items():
        if name.startswith("_"):
            continue
        present = infos[f"_{name}"] & rows
        if not present.any():
            continue
        mine: Any
        if isinstance(values, dict):
            mine = _keep(values, rows)
        else:
            mine = np.full(values.shape, None if values.dtype == object else 0, dtype=values.dtype)
            mine[present] = values[present]
        _put(kept, name, mine, present)
    return kept


def _merge(infos: dict[str, Any], more: dict[str, Any]) -> None:
    """Adds to info what `more` says of other rows."""
    for name, values in more.items():
        if name.startswith("_"):
            continue
        rows = more[f"_{name}"]
        if name in infos:
            infos[name][rows] = values[rows]
            infos[f"_{name}"] |= rows
        else:
            _put(infos, name, values, rows)
