"""The vector environment: N rows, each of which can hold any task of the benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from taskworlds.core import batches
from taskworlds.core.benchmark import Benchmark
from taskworlds.core.errors import check_choice, check_count
from taskworlds.core.registry import choose_engine
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.task import Task
from taskworlds.rendering import grid, offscreen
from taskworlds.rows.flaws import goals_flaw, observations_flaw, step_flaw
from taskworlds.rows.protocol import Rows, RowStep
from taskworlds.vector import metaworld_names, snapshot
from taskworlds.vector._batch import describe, row_info
from taskworlds.vector.actions import make_actions
from taskworlds.vector.arguments import check_options, row_mask, row_seeds
from taskworlds.vector.assignments import Assignments, one_world
from taskworlds.vector.env_protocol import Part
from taskworlds.vector.infos import keep, merge, put, report
from taskworlds.vector.normalization import reward_normalizer
from taskworlds.vector.observations import make_observations
from taskworlds.vector.options import Options
from taskworlds.vector.progress import Progress

__all__ = ["TaskVectorEnv"]

Step = tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]
"""Observations, rewards, terminations, truncations and infos."""


class _Begun(NamedTuple):
    """A step between its two halves: the actions, which rows step, and which begin an episode instead, if any do."""

    actions: Any
    stepping: NDArray[np.bool_]
    restarting: NDArray[np.bool_] | None = None


class TaskVectorEnv(gym.vector.VectorEnv[Any, Any, NDArray[Any]]):
    """A batch of N rows over the tasks of one split of a benchmark, on Gymnasium's vector API.

    Made by `taskworlds.make_vec`. Everything returned is the caller's own: no array is written to again.

    Observations are batches of the world's space; in most worlds, Meta-World among them, arrays (N, O) float64.

    Info, at reset and at each step, has for each row `task_name` (the skill), `task_id` (`Task.id`) and, in
    worlds with goals, `goal` (in Meta-World its position, (N, 3) float64, metres); at each step also what the
    skill reports, as (N,) float64: in Meta-World `success`, `near_object`, `grasp_success`, `grasp_reward`,
    `in_place_reward`, `obj_to_target`, `unscaled_reward`. When an episode ends, `episode` has its return `r`
    (the sum of the rewards before any normalisation), length `l` and time `t`; under SAME_STEP all that
    belongs to the ended episode stands in `final_info`, and its true last observation in `final_obs`, (N,)
    object, each the observation of a row or None. `diverged` is 1 where the simulation broke down in the step
    (a RuntimeWarning says so too). As always in Gymnasium, `_name` beside `name` tells for which rows it
    holds; in the others it is zero, or None.

    A step that succeeds under `terminate_on_success` and is at the limit at once is a termination, not a
    truncation.

    With `k_episodes` an episode of this environment is a trial: K attempts at one task, each of at most
    `max_episode_steps`. Observations that are one row of floats end with a flag: 1 where an attempt begins,
    else 0. Other observations stay as the world's, and infos alone tell where an attempt begins: after the
    step with `attempt`. The step that ends an attempt other than the last does not end the episode: it returns
    the first observation of the next attempt (a soft reset), and has the attempt's true last observation in
    `final_obs`. The step that ends any attempt has `attempt`: its `index` (0 to K-1), return `r`, length `l`
    and, in worlds with success, `success` (1 if any of its steps succeeded). `episode` counts the whole trial.

    Args:
        benchmark: where the tasks come from.
        split: "train" or "test".
        num_envs: rows, N.
        strategy: the name of an engine; None for the world's best.
        options: everything else.
        seed: row i draws its tasks from a generator seeded with `seed + i`; None for one of the system's
            entropy.

    Attributes:
        benchmark, split, options: as given.
        strategy: the name of the engine in use.
        skills: the split's skills, in the order of the one-hot.
        max_episode_steps: steps after which an episode (an attempt, in trials) is truncated.
        reward_function_version: the reward in use.
        world: the record of the skills' world.
        engine: the record of the engine in use.
        rows: what the engine made: it steps the rows. Calling it goes behind this environment's back.
        assignments, progress, observations, actions, reward_normalizer: the parts of this environment, for the
            package's own use.
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
        self.num_envs = n = check_count("num_envs", num_envs)
        self.skills = benchmark.env_names(split)
        self.world = world = one_world(self.skills)
        self.engine: RowEngine = choose_engine(world, strategy, n)
        self.strategy = self.engine.name
        self.max_episode_steps = options.max_episode_steps or world.max_episode_steps
        version = options.reward_function_version or world.reward_function_versions[-1]
        self.reward_function_version = check_choice(
            "reward_function_version", version, world.reward_function_versions
        )
        settings = options.settings_of(world)
        if "reward_function_version" in settings:
            settings["reward_function_version"] = version
        engine_options = options.options_of(self.engine)
        own = {
            "autoreset_mode": options.autoreset_mode,
            "render_modes": list(world.render_modes),
            "render_fps": world.render_fps,
        }
        self.metadata = type(self).metadata | own
        self.render_mode = options.render_mode

        self.assignments = Assignments(benchmark, split, world, n, options, seed)
        self.progress = Progress(
            n,
            self.max_episode_steps,
            world=world.name,
            has_success=world.has_success,
            terminate_on_success=options.terminate_on_success,
        )
        self.single_action_space = world.action_space()
        self.actions = make_actions(self.single_action_space, n)
        self.observations = make_observations(
            n,
            world.observation_space(visible=self.assignments.shows_goal, hidden=self.assignments.hides_goal),
            self.single_action_space,
            self.skills,
            options,
            world.name,
        )
        self.single_observation_space = self.observations.space
        self.reward_normalizer = reward_normalizer(
            options.reward_normalization_method, n, options.reward_alpha
        )
        self.observation_space = batch_space(self.single_observation_space, n)
        self.action_space = batch_space(self.single_action_space, n)
        if seed is not None:
            self.action_space.seed(seed)
            self.single_action_space.seed(seed)

        self._pending: _Begun | None = None  # a step that step_async began
        self._every = row_mask("mask", None, n)
        self._every.flags.writeable = False
        self._unseen = {"reset", "step"}  # what the engine returns is looked at once
        self._recipe = (benchmark, split, num_envs, strategy, options)
        if self.render_mode in ("rgb_array", "depth_array") and "camera_name" in world.settings:
            offscreen.prepare()
        self.rows: Rows = self.engine.make(world, self.skills, n, settings, engine_options)

    # --- tasks ----------------------------------------------------------------------------------------------

    @property
    def tasks(self) -> tuple[list[Task], ...]:
        """The tasks that each row chooses from."""
        return tuple(list(selection.tasks) for selection in self.assignments.selections)

    @property
    def current_tasks(self) -> tuple[Task | None, ...]:
        """The task of each row's episode at hand; None before the first reset."""
        return tuple(self.assignments.current)

    @property
    def terminate_on_success(self) -> NDArray[np.bool_]:
        """Whether success ends the episode, for each row, (N,) bool."""
        switches: NDArray[np.bool_] = self.progress.terminate_on_success.copy()
        return switches

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The generator of each row, as in Gymnasium's own vector environments."""
        return tuple(self.assignments.generators.each)

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """What each row's generator was seeded with; -1 where that is not known."""
        return tuple(self.assignments.generators.seeds)

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
        self.assignments.hold(self.assignments.one_each("tasks", tasks, self._mask("mask", mask)))

    def sample_tasks(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Chooses a new task for every row, by `task_select`, and resets.

        Args:
            seed: as for `reset`.
            options: as for `reset`.

        Returns:
            What `reset` returns.
        """
        self.check_ready("sample_tasks()")
        self._reset_options(options)
        self.assignments.seed(row_seeds(seed, self.num_envs), self._every)
        self.assignments.draw_all()
        return self.reset(options=options)

    # --- reset ----------------------------------------------------------------------------------------------

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode in every row, or in the rows that `options["reset_mask"]` names.

        Args:
            seed: row i's generator is seeded with `seed + i`, or with the i-th of a list. It decides which
                tasks are chosen from here on, so equal seeds give equal tasks, goals and states.
            options: `reset_mask`, which rows, (N,) bool; `tasks`, a task for all of them or one for each.

        Returns:
            Observations (rows that are not reset keep theirs), and info about the rows that are.

        Raises:
            TypeError: an option is not known.
            ValueError: a task or the mask does not fit.
        """
        self.check_ready("reset()")
        rows, tasks = self._reset_options(options)
        seeds = row_seeds(seed, self.num_envs)
        self.assignments.seed(seeds, rows)
        for row, task in tasks.items():
            self.assignments.following[row] = task
        self._start(rows, draw=np.array([each is not None for each in seeds]))
        return self.observations.copy(), describe(rows, self._labels())

    def _reset_options(self, options: dict[str, Any] | None) -> tuple[NDArray[np.bool_], dict[int, Task]]:
        """Returns the rows to reset, and the tasks that were given, by row."""
        options = check_options(options)
        rows = self._mask("options['reset_mask']", options.get("reset_mask"))
        tasks = options.get("tasks")
        return rows, {} if tasks is None else self.assignments.one_each("options['tasks']", tasks, rows)

    def _mask(self, argument: str, mask: ArrayLike | None) -> NDArray[np.bool_]:
        return self._every if mask is None else row_mask(argument, mask, self.num_envs)

    def _start(self, rows: NDArray[np.bool_], draw: NDArray[np.bool_] | None = None) -> None:
        """Begins an episode in `rows`, where `draw` says so of a newly drawn task, whatever resets usually do."""
        if not rows.any():
            return
        tasks = self.assignments.choose(rows, draw)
        self.progress.start(rows)  # first, so that what stops this half-way leaves no row to be stepped
        for row, task in tasks.items():
            self.assignments.begin(row, task)
            self.observations.set_skill(row, task.env_name)
        self._start_attempt(rows)

    def _start_attempt(self, rows: NDArray[np.bool_]) -> None:
        """Puts `rows`, at least one, to the start of their tasks."""
        seeds = self.assignments.start_seeds(rows)
        obs = self.rows.reset(self.assignments.current, rows, seeds)
        if "reset" in self._unseen:
            self._look("reset", obs)
        self.observations.write(obs, rows)
        self.progress.start_attempt(rows)

    def _look(self, call: str, obs: Any, step: RowStep | None = None) -> None:
        """Raises RuntimeError if what the engine returned has other shapes or types than its rules say."""
        n, world = self.num_envs, self.world
        space = world.observation_space(
            visible=self.assignments.shows_goal, hidden=self.assignments.hides_goal
        )
        flaw = (
            (step and step_flaw(n, world.has_success, step))
            or observations_flaw(space, n, obs)
            or goals_flaw(world.goal_size, self.rows)
        )
        if flaw is not None:
            raise RuntimeError(
                f"Rows of the world {world.name!r} on the engine {self.strategy!r} break a rule in {call}(). "
                f"{flaw.rule}: {flaw.found}. Mend them; check_world and check_engine of taskworlds.testing tell what "
                "else is wrong."
            )
        self._unseen.discard(call)

    def check_ready(self, call: str) -> None:
        """Raises RuntimeError if the environment is closed, or a step is under way; `call` is for the message."""
        if self.closed:
            raise RuntimeError(f"{call} needs an open environment, and this one was closed: make a new one.")
        if self._pending is not None:
            raise RuntimeError(f"A step is under way: call step_wait() before {call}.")

    # --- step -----------------------------------------------------------------------------------------------

    def step(self, actions: Any, mask: ArrayLike | None = None) -> Step:
        """Steps the rows.

        Args:
            actions: a batch of the world's actions; numbers must be finite. In Meta-World (N, 4): the arm
                moves by the first three clipped to [-1, 1] (1 is 1 cm); the last is the gripper's effort.
                float32 and float64 are both taken as they are.
            mask: which rows step, (N,) bool; None for all. The others keep their observation, with reward 0.

        Returns:
            Observations, rewards (N,) float64, terminations and truncations (N,) bool, and info.

        Raises:
            TypeError: the actions are of another type than the space's.
            ValueError: the actions' shape is wrong, or a row cannot take its action: it is not finite, or
                there is no such choice.
            RuntimeError: a row to be stepped was not reset, or (without autoreset) its episode has ended; or
                the simulator refused a row, which the message names with its task and step.
        """
        begun = self._begin(actions, mask)
        return self._finish(begun, self.rows.step(begun.actions, begun.stepping))

    def step_async(self, actions: Any, mask: ArrayLike | None = None) -> None:
        """Begins a step; the caller may compute while the rows step, and `step_wait` returns the outcome."""
        begun = self._begin(actions, mask)
        self.rows.step_async(begun.actions, begun.stepping)
        self._pending = begun

    def step_wait(self) -> Step:
        """Waits for the step that `step_async` began, and returns what `step` returns."""
        if self._pending is None:
            raise RuntimeError("No step is under way: call step_async() first.")
        begun, self._pending = self._pending, None
        return self._finish(begun, self.rows.step_wait())

    def _begin(self, actions: Any, mask: ArrayLike | None) -> _Begun:
        """Checks a step's arguments; returns them with the rows that step and those that begin an episode."""
        self.check_ready("another step")
        chosen, progress = self._mask("mask", mask), self.progress
        actions = self.actions.take(actions)
        if self.actions.ready(actions, chosen, progress.running):
            return _Begun(actions, chosen)
        stepping, unready = chosen & progress.running, chosen & ~progress.running
        restarting = unready if unready.any() else None
        if restarting is not None:
            progress.check_begun(
                restarting, may_have_ended=self.options.autoreset_mode is AutoresetMode.NEXT_STEP
            )
        self.actions.check(actions, stepping, lambda row: f"{self._task_at(row)}, step {progress.steps[row]}")
        return _Begun(actions, stepping, restarting)

    def _finish(self, begun: _Begun, outcome: RowStep) -> Step:
        """Makes of an engine's outcome what the caller gets."""
        actions, stepping, restarting = begun
        if "step" in self._unseen and stepping.any():  # some engines report nothing where no row steps
            self._look("step", getattr(outcome, "obs", None), outcome)
        rewards, terminated, truncated, ended = self.progress.step(
            stepping, outcome.rewards, outcome.terms.get("success"), outcome.terminated
        )
        self.observations.write(outcome.obs, stepping, (actions, rewards, ended))
        infos: dict[str, Any] = describe(stepping, self._labels(), outcome.terms)
        if outcome.faults:
            steps = self.progress.steps
            where = lambda row: f"row {row}, step {steps[row]}, {self._task_at(row)}"  # noqa: E731
            report(infos, outcome.faults, self.num_envs, where)
        if self.reward_normalizer is not None:
            rewards = self.reward_normalizer(rewards, terminated, stepping)
        if ended is not None:
            infos = self._end(infos, ended, terminated, truncated)
        if restarting is not None:
            self._start(restarting)
            merge(infos, describe(restarting, self._labels()))
        return self.observations.copy(), rewards, terminated, truncated, infos

    def _end(
        self,
        infos: dict[str, Any],
        ended: NDArray[np.bool_],
        terminated: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
    ) -> dict[str, Any]:
        """Ends the episodes of `ended`, or their attempts: then the flags of trials that go on are taken back."""
        progress, done = self.progress, ended
        if self.options.k_episodes is not None:
            put(infos, "attempt", progress.attempt(ended), ended)
            progress.attempts += ended
            done = ended & (progress.attempts == self.options.k_episodes)
            terminated &= done
            truncated &= done
        again = ended & ~done
        progress.running[ended] = False
        final_obs = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(ended).tolist():
            final_obs[row] = self.observations.row(row)
        if again.any():
            infos |= describe(again, {"final_obs": final_obs})
            progress.keep_attempt(again)
            self._start_attempt(again)
        if done.any():
            put(infos, "episode", progress.episode(done), done)
            if self.options.autoreset_mode is AutoresetMode.SAME_STEP:
                final_info, infos = keep(infos, done), keep(infos, ~done)
                self._start(done)
                infos |= describe(ended, {"final_obs": final_obs})
                put(infos, "final_info", final_info, done)
                merge(infos, describe(done, self._labels()))
        return infos

    def _labels(self) -> dict[str, NDArray[Any]]:
        """What info says of each row's task."""
        labels = self.assignments.labels
        return labels | {"goal": self.rows.goals} if self.world.goal_size else labels

    def _task_at(self, row: int) -> str:
        labels = self.assignments.labels
        return f"task {labels['task_id'][row]} of {labels['task_name'][row]}"

    # --- pictures -------------------------------------------------------------------------------------------

    def render(self) -> tuple[Any, ...]:
        """Returns one picture a row, by the `render_mode` that the environment was made with.

        Raises:
            RuntimeError: it was made without one, or there was no reset yet.
        """
        self.check_ready("render()")
        if self.render_mode is None:
            raise RuntimeError('There is no picture: make the environment with render_mode="rgb_array".')
        if None in self.assignments.current:
            raise RuntimeError("There is no picture before the first reset: call reset().")
        return self.rows.render()

    def render_grid(self, rows: Sequence[int] | None = None, columns: int | None = None) -> NDArray[Any]:
        """Returns one picture of several rows, side by side.

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
        if hasattr(self, "rows"):
            self.rows.close()

    # --- Meta-World's names for each row's attributes and methods -------------------------------------------

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Returns an attribute of each row, under Meta-World's names; see `taskworlds.vector.metaworld_names`.

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
        """Calls a method of each row, under Meta-World's names, and returns one result a row.

        Raises:
            AttributeError: there is no such method, or it would act behind this environment's back.
            RuntimeError: the engine's environment is asked before the first reset.
        """
        return metaworld_names.call(self, name, *args, **kwargs)

    # --- one row of what a batch returns --------------------------------------------------------------------

    @staticmethod
    def row_info(infos: dict[str, Any], row: int) -> dict[str, Any]:
        """Takes one row's info out of a batch's: what a single environment's info would hold."""
        return row_info(infos, row)

    def row_obs(self, obs: Any, row: int) -> Any:
        """Takes one row's observation out of a batch's; its arrays are views of the batch's."""
        return batches.row_of(self.single_observation_space, obs, row)

    # --- exact state ----------------------------------------------------------------------------------------

    @property
    def parts(self) -> dict[str, Part]:
        """The parts with a state of their own, by name; with `rows` they are all that decides the future."""
        parts: dict[str, Part] = {
            "assignments": self.assignments,
            "progress": self.progress,
            "elapsed": self.progress.stopwatch,
            "observations": self.observations,
        }
        return parts | ({} if self.reward_normalizer is None else {"rewards": self.reward_normalizer})

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Takes a snapshot of everything that decides the future, also in mid-episode.

        Physics, counters, statistics, generators, tasks, as NumPy arrays by name, the caller's own and none of
        them of objects: `numpy.savez(path, **state)` saves it, and `dict(numpy.load(path))` is it again.
        `set_state` puts it back, here or in another process, to the last bit.

        Raises:
            RuntimeError: a step is under way.
        """
        self.check_ready("get_state()")
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
                exact; or it is damaged; or `rows` do not fit. Then nothing has changed.
            RuntimeError: a step is under way.
        """
        self.check_ready("set_state()")
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
