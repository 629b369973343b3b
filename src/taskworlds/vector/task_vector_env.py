"""The vector environment: N rows, each of which can hold any task of the benchmark."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.errors import check_choice, check_count, check_seed
from taskworlds.core.registry import choose_engine, world_of
from taskworlds.core.task import Task
from taskworlds.core.world import SETTINGS
from taskworlds.rendering import grid, offscreen
from taskworlds.rows.protocol import RowFault, Rows, RowStep
from taskworlds.vector import metaworld_names, snapshot
from taskworlds.vector._batch import describe, ready, row_info
from taskworlds.vector.dealing import deal
from taskworlds.vector.infos import keep, merge, put
from taskworlds.vector.normalization import (
    ExponentialRewardNormalizer,
    ReturnRewardNormalizer,
)
from taskworlds.vector.observations import Observations
from taskworlds.vector.options import Options
from taskworlds.vector.progress import Progress
from taskworlds.vector.task_selection import TaskSelection

__all__ = ["TaskVectorEnv"]

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_RESET_OPTIONS = ("reset_mask", "tasks")

Step = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class _Begun(NamedTuple):
    """A step between its two halves: the actions, which rows step, and which begin an episode instead, if any do."""

    actions: NDArray[np.floating]
    stepping: NDArray[np.bool_]
    restarting: NDArray[np.bool_] | None = None


class TaskVectorEnv(gym.vector.VectorEnv[NDArray[np.float64], Any, NDArray[Any]]):
    """A batch of N rows over the tasks of one split of a benchmark, on Gymnasium's vector API.

    Made by `taskworlds.make_vec`. Everything returned is the caller's own: no array is written to again.

    Info, at reset and at each step, has for each row `task_name` (the skill), `task_id` (`Task.id`) and, in
    worlds with goals, `goal` (in Meta-World its position, (N, 3) float64, metres); at each step also what the
    skill reports, as (N,) float64: in Meta-World `success`, `near_object`, `grasp_success`, `grasp_reward`,
    `in_place_reward`, `obj_to_target`, `unscaled_reward`. When an episode ends, `episode` has its return `r`
    (the sum of the rewards before any normalisation), length `l` and time `t`; under SAME_STEP all that
    belongs to the ended episode stands in `final_info`, and its true last observation in `final_obs`, (N,)
    object, each (O,) float64 or None. `diverged` is 1 where the simulation broke down in the step (a
    RuntimeWarning says so too). As always in Gymnasium, `_name` beside `name` tells for which rows it holds;
    in the others it is zero, or None.

    A step that succeeds under `terminate_on_success` and is at the limit at once is a termination, not a
    truncation.

    With `k_episodes` an episode of this environment is a trial: K attempts at one task, each of at most
    `max_episode_steps`. Observations end with a flag: 1 where an attempt begins, else 0. The step that ends an
    attempt but the last is no end: it gives the first observation of the next attempt (a soft reset), and has
    the attempt's true last observation in `final_obs`. The step that ends any attempt has `attempt`: its
    `index` (0 to K-1), return `r`, length `l` and, in worlds with success, `success` (1 if any of its steps
    succeeded). `episode` counts the whole trial.

    Args:
        benchmark: where the tasks come from.
        split: "train" or "test".
        num_envs: rows, N.
        strategy: the engine, the name of an engine; None for the world's best.
        options: everything else.
        seed: row i draws its tasks from a generator seeded with `seed + i`; None for one of the system's
            entropy.

    Attributes:
        benchmark, split, options: as given.
        strategy: the engine in use.
        skills: the split's skills, in the order of the one-hot.
        max_episode_steps: steps after which an episode (an attempt, in trials) is truncated.
        reward_function_version: the reward in use.
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array", "depth_array"]}

    def __init__(
        self,
        benchmark: Benchmark,
        split: str,
        num_envs: int,
        strategy: str | None = None,
        options: Options | None = None,
        seed: int | None = None,
    ) -> None:
        self.benchmark = benchmark
        self.split = split
        self.options = options = options if options is not None else Options()
        self.num_envs = check_count("num_envs", num_envs)
        tasks = benchmark.tasks(split)
        self.skills = benchmark.env_names(split)
        self._world = world = world_of(self.skills[0])
        self._engine = choose_engine(world, strategy, self.num_envs)
        self.strategy = self._engine.name
        for name in self.skills:
            if name not in world.env_names():
                raise ValueError(
                    f"All tasks of an environment must be of one world, but {self.skills[0]} is a skill of "
                    f"{world.name} and {name} of {world_of(name).name}. Make an environment for each."
                )
        self.max_episode_steps = options.max_episode_steps or world.max_episode_steps
        version = options.reward_function_version or world.reward_function_versions[-1]
        self.reward_function_version = check_choice(
            "reward_function_version", version, world.reward_function_versions
        )
        own = {"autoreset_mode": options.autoreset_mode, "render_fps": world.render_fps}
        self.metadata = type(self).metadata | own
        self.render_mode = options.render_mode
        if self.render_mode in ("rgb_array", "depth_array"):
            offscreen.prepare()

        n = self.num_envs
        hidden = {world.hides_goal(task) for task in tasks}
        self.single_action_space = world.action_space()
        self._observations = Observations(
            n,
            world.observation_space(visible=False in hidden, hidden=True in hidden),
            self.single_action_space.shape[0],
            self.skills,
            options,
        )
        self.single_observation_space = self._observations.space
        self.observation_space = batch_space(self.single_observation_space, n)
        self.action_space = batch_space(self.single_action_space, n)
        self._shows_goal = False in hidden
        self._hides_goal = True in hidden
        both = (*tasks, *benchmark.train_tasks, *benchmark.test_tasks)
        self._known = (
            self.skills if options.use_one_hot else list(dict.fromkeys(task.env_name for task in both))
        )
        self._selections = [TaskSelection(options.task_select, row) for row in deal(tasks, n)]
        self._sample_on_reset = np.full(n, options.samples_on_reset)
        self._terminate_on_success = np.full(n, False)
        self._terminate_on_success[:] = self._check_success(
            "terminate_on_success", [options.terminate_on_success]
        )
        self._reward_normalizer = {
            None: lambda: None,
            "gymnasium": lambda: ReturnRewardNormalizer(n),
            "exponential": lambda: ExponentialRewardNormalizer(n, options.reward_alpha),
        }[options.reward_normalization_method]()

        self._tasks: list[Task | None] = [None] * n  # of the episode at hand
        self._held_tasks: list[Task | None] = [None] * n  # given by set_tasks, for all episodes to come
        self._next_tasks: list[Task | None] = [None] * n  # given or drawn for the next episode alone
        self._task_names = np.full(n, None, dtype=object)
        self._task_ids = np.full(n, None, dtype=object)
        self._progress = Progress(n)
        self._pending: _Begun | None = None  # a step that step_async began
        self._every = np.ones(n, dtype=np.bool_)  # the mask of all rows
        self._every.flags.writeable = False

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
        """Makes what steps the rows, by the engine in use."""
        world, options = self._world, self.options
        chosen: dict[str, Any] = {"reward_function_version": self.reward_function_version} | {
            name: getattr(options, name) for name in SETTINGS if name != "reward_function_version"
        }
        settings = {name: value for name, value in chosen.items() if name in world.settings}
        own = {"num_threads": options.num_threads} if "num_threads" in self._engine.options else {}
        return self._engine.make(world, self.skills, self.num_envs, settings, own)

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
        self._reset_options(options)
        self._seed(self._seeds(seed), self._every)
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
        return self._observations.values.copy(), self._about(rows)

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
        self._progress.start(rows)  # first, so that what stops this half-way leaves no row to be stepped
        for row, task in tasks.items():
            self._next_tasks[row] = None
            self._put_current(row, task)
        self._start_attempt(rows)

    def _start_attempt(self, rows: NDArray[np.bool_]) -> None:
        """Puts `rows`, at least one, to the start of their tasks."""
        seeds = np.zeros(self.num_envs, dtype=np.int64)
        if self._world.has_random_starts:
            for row in np.flatnonzero(rows):
                seeds[row] = self._rngs[row].integers(2**31)
        self._observations.write(self._rows.reset(self._tasks, rows, seeds), rows)
        self._progress.start_attempt(rows)

    def _check_success(self, argument: str, switches: list[bool]) -> list[bool]:
        if any(switches) and not self._world.has_success:
            raise ValueError(f"{argument} must be False for {self._world.name}, where no success is defined.")
        return switches

    def _check_ready(self, call: str) -> None:
        if self.closed:
            raise RuntimeError(f"{call} needs an open environment, and this one was closed: make a new one.")
        if self._pending is not None:
            raise RuntimeError(f"A step is under way: call step_wait() before {call}.")

    def _put_current(self, row: int, task: Task | None) -> None:
        self._tasks[row] = task
        self._task_names[row] = task and task.env_name
        self._task_ids[row] = task and task.id
        self._observations.set_skill(row, None if task is None else task.env_name)

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, np.ndarray):
            seed = seed.tolist()
        if isinstance(seed, Sequence):
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
            actions: (N, A), finite. In Meta-World the arm moves by the first three clipped to [-1, 1] (1 is
                1 cm); the last is the gripper's effort. float32 and float64 are both taken as they are.
            mask: which rows step, (N,) bool; None for all. The others keep their observation, with reward 0.

        Returns:
            Observations (N, O) float64, rewards (N,) float64, terminations and truncations (N,) bool, and
            info.

        Raises:
            ValueError: the actions' shape is wrong, or a row's action is not finite.
            RuntimeError: a row to be stepped was not reset, or (without autoreset) its episode has ended; or
                the simulator refused a row, which the message names with its task and step.
        """
        begun = self._begin(actions, mask)
        return self._finish(begun, self._rows.step(begun.actions, begun.stepping))

    def step_async(self, actions: ArrayLike, mask: ArrayLike | None = None) -> None:
        """Begins a step; the caller may compute while the rows step, and `step_wait` gives the outcome."""
        begun = self._begin(actions, mask)
        self._rows.step_async(begun.actions, begun.stepping)
        self._pending = begun

    def step_wait(self) -> Step:
        """Waits for the step that `step_async` began, and gives what `step` gives."""
        if self._pending is None:
            raise RuntimeError("No step is under way: call step_async() first.")
        begun, self._pending = self._pending, None
        return self._finish(begun, self._rows.step_wait())

    def _begin(self, actions: ArrayLike, mask: ArrayLike | None) -> _Begun:
        """Checks a step's arguments, and says which rows step and which begin anew."""
        self._check_ready("another step")
        chosen, progress = self._mask("mask", mask), self._progress
        actions = self._actions(actions)
        if ready(actions, chosen, progress.running):
            return _Begun(actions, chosen)
        stepping, unready = chosen & progress.running, chosen & ~progress.running
        restarting = unready if unready.any() else None
        if restarting is not None:
            row = int(np.flatnonzero(restarting)[0])
            which = f" of row {row}" if self.num_envs > 1 else ""
            if progress.steps[row] == 0:
                raise RuntimeError(f"No episode{which} has begun: call reset() before step().")
            if self.options.autoreset_mode is not AutoresetMode.NEXT_STEP:
                raise RuntimeError(
                    f"The episode{which} has ended: call reset() before the next step. In a batch, "
                    'reset(options={"reset_mask": terminations | truncations}) resets the rows that ended.'
                )
        if not ready(actions, stepping, progress.running):
            row = int(np.flatnonzero(stepping & ~np.isfinite(actions).all(axis=1))[0])
            raise ValueError(
                f"actions[{row}] must be finite, not {actions[row].tolist()} "
                f"(task {self._task_ids[row]} of {self._task_names[row]}, step {progress.steps[row]})."
            )
        return _Begun(actions, stepping, restarting)

    def _finish(self, begun: _Begun, outcome: RowStep) -> Step:
        """Makes of an engine's outcome what the caller gets."""
        actions, stepping, restarting = begun
        rewards, terminated, truncated, ended = self._progress.step(
            stepping,
            outcome.rewards,
            outcome.terms.get("success"),
            outcome.terminated,
            terminate_on_success=self._terminate_on_success,
            limit=self.max_episode_steps,
        )
        self._observations.write(outcome.obs, stepping, (actions, rewards, ended))
        infos: dict[str, Any] = describe(stepping, self._labels(), outcome.terms)
        if outcome.faults:
            self._report(outcome.faults, infos)
        if self._reward_normalizer is not None:
            rewards = self._reward_normalizer(rewards, terminated, stepping)
        if ended is not None:
            infos = self._end(infos, ended, terminated, truncated)
        if restarting is not None:
            self._start(restarting, choose=np.zeros_like(restarting))
            merge(infos, self._about(restarting))
        return self._observations.values.copy(), rewards, terminated, truncated, infos

    def _end(
        self,
        infos: dict[str, Any],
        ended: NDArray[np.bool_],
        terminated: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
    ) -> dict[str, Any]:
        """Ends the episodes of `ended`, or their attempts: then the flags of trials that go on are taken back."""
        progress, done = self._progress, ended
        if self.options.k_episodes is not None:
            put(infos, "attempt", progress.attempt(ended, has_success=self._world.has_success), ended)
            progress.attempts += ended
            done = ended & (progress.attempts == self.options.k_episodes)
            terminated &= done
            truncated &= done
        again = ended & ~done
        progress.running[ended] = False
        final_obs = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(ended):
            final_obs[row] = self._observations.values[row].copy()
        if again.any():
            infos |= describe(again, {"final_obs": final_obs})
            progress.keep_attempt(again)
            self._start_attempt(again)
        if done.any():
            put(infos, "episode", progress.episode(done), done)
            if self.options.autoreset_mode is AutoresetMode.SAME_STEP:
                final_info, infos = keep(infos, done), keep(infos, ~done)
                self._start(done, choose=np.zeros_like(done))
                infos |= describe(ended, {"final_obs": final_obs})
                put(infos, "final_info", final_info, done)
                merge(infos, self._about(done))
        return infos

    def _report(self, faults: Sequence[RowFault], infos: dict[str, Any]) -> None:
        """Raises for rows that could not be stepped, and notes those whose simulation diverged."""
        diverged = np.zeros(self.num_envs, dtype=np.bool_)
        for fault in faults:
            row = fault.row
            step, task, skill = self._progress.steps[row], self._task_ids[row], self._task_names[row]
            where = f"row {row}, step {step}, task {task} of {skill}"
            if not fault.went_on:
                raise RuntimeError(f"MuJoCo could not step {where}: {fault.what}")
            diverged[row] = True
            warnings.warn(
                f"The simulation of {where} diverged ({fault.what}). MuJoCo put it back to the model's initial state, "
                "as it does in the official environment; the rest of the episode means little.",
                RuntimeWarning,
                stacklevel=4,
            )
        infos |= describe(diverged, {"diverged": np.ones(self.num_envs)})

    def _labels(self) -> dict[str, NDArray[Any]]:
        """What info says of each row's task."""
        labels: dict[str, NDArray[Any]] = {"task_name": self._task_names, "task_id": self._task_ids}
        if self._world.goal_size:
            labels["goal"] = self._rows.goals
        return labels

    def _about(self, rows: NDArray[np.bool_]) -> dict[str, Any]:
        """What info says of the task of `rows`; nothing if there are none."""
        return describe(rows, self._labels())

    def _actions(self, actions: ArrayLike) -> NDArray[np.floating]:
        try:
            array = np.asarray(actions)
        except ValueError:
            raise ValueError(
                f"actions must be an array of shape {self.action_space.shape}, not {actions!r}."
            ) from None
        if array.dtype.kind in "iub":
            array = array.astype(np.float64)
        if array.dtype not in _FLOATS:
            raise TypeError(f"actions must be of dtype float32 or float64, not {array.dtype}.")
        if array.shape != self.action_space.shape:
            raise ValueError(f"actions must have the shape {self.action_space.shape}, not {array.shape}.")
        return array.copy()  # the caller may write to theirs before the step is done

    def _mask(self, argument: str, mask: ArrayLike | None) -> NDArray[np.bool_]:
        if mask is None:
            return self._every
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

    def render_grid(self, rows: Sequence[int] | None = None, columns: int | None = None) -> NDArray[Any]:
        """Gives one picture of several rows, side by side.

        Args:
            rows: which rows, in the order of the picture; None for all.
            columns: pictures beside each other; None for a grid that is about as wide as high.

        Returns:
            (height, width, 3) uint8; for depth (height, width) float32. Places without a row are black.

        Raises:
            ValueError: a row does not exist.
            RuntimeError: as for `render`, or the environment draws into a window.
        """
        return grid.grid(self.render(), rows, columns)

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the rows."""
        if hasattr(self, "_rows"):
            self._rows.close()

    # --- Meta-World's names for each row's attributes and methods -------------------------------------------

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Gives an attribute of each row, under Meta-World's names; see `taskworlds.vector.metaworld_names`.

        Raises:
            AttributeError: there is no such attribute, or it is a method.
            RuntimeError: the engine's environment is asked before the first reset.
        """
        return metaworld_names.get_attr(self, name)

    def set_attr(self, name: str, values: Any) -> None:
        """Sets an attribute of each row: one value for all, or a list or tuple with one for each.

        Raises:
            AttributeError: there is no such attribute, or it cannot be set.
            ValueError: a value does not fit, or they are not as many as rows.
        """
        metaworld_names.set_attr(self, name, values)

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Calls a method of each row, under Meta-World's names, and gives one result a row.

        Raises:
            AttributeError: there is no such method, or it would act behind this environment's back.
            RuntimeError: the engine's environment is asked before the first reset.
        """
        return metaworld_names.call(self, name, *args, **kwargs)

    @staticmethod
    def row_info(infos: dict[str, Any], row: int) -> dict[str, Any]:
        """Takes one row's info out of a batch's: what a single environment's info would hold."""
        return row_info(infos, row)

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Takes a snapshot of everything that decides the future, also in mid-episode.

        Physics, counters, statistics, generators, tasks, as NumPy arrays by name, the caller's own and none of
        them of objects: `numpy.savez(path, **state)` saves it, and `dict(numpy.load(path))` is it again.
        `set_state` puts it back, here or in another process, to the last bit.

        Raises:
            RuntimeError: a step is under way.
        """
        self._check_ready("get_state()")
        return snapshot.take(self)

    def set_state(self, state: Mapping[str, NDArray[Any]], rows: ArrayLike | None = None) -> None:
        """Goes back to a snapshot, or puts rows of a snapshot into any rows here.

        Rows that come from one row go on alike, generators included, as long as they get the same actions;
        `reset(seed=...)` parts them.

        Args:
            state: what `get_state` gave.
            rows: for each row here the row of the snapshot that it takes, (N,) int, or one for all: `rows=0`
                forks the snapshot's first row into all rows. The numbers of rows may then differ. None: each
                takes its own.

        Raises:
            ValueError: the snapshot is of other skills, rewards, limits or versions, so it could not be
                exact; or `rows` do not fit.
            RuntimeError: a step is under way.
        """
        self._check_ready("set_state()")
        snapshot.restore(self, state, rows)

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
