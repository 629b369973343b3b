"""The vector environment: N rows, each of which can hold any task of the benchmark."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from taskworlds.core import batches
from taskworlds.core.benchmark import Benchmark
from taskworlds.core.errors import check_count, check_seed
from taskworlds.core.registry import choose_engine
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.task import Task
from taskworlds.rendering import grid, offscreen
from taskworlds.rows.flaws import FirstLook
from taskworlds.rows.protocol import Rows
from taskworlds.vector import metaworld_names, snapshot
from taskworlds.vector.actions import make_actions
from taskworlds.vector.arguments import check_options, row_mask, row_seeds
from taskworlds.vector.assignments import Assignments, one_world
from taskworlds.vector.env_protocol import Part
from taskworlds.vector.episodes import Episodes, Step
from taskworlds.vector.guard import Guard, guarded
from taskworlds.vector.infos import Infos
from taskworlds.vector.normalization import reward_normalizer
from taskworlds.vector.observations import make_observations
from taskworlds.vector.one_hot import OneHot
from taskworlds.vector.options import Options
from taskworlds.vector.progress import Progress

__all__ = ["TaskVectorEnv"]


class TaskVectorEnv(gym.vector.VectorEnv[Any, Any, NDArray[Any]]):
    """A batch of N rows over the tasks of one split of a benchmark, on Gymnasium's vector API.

    Made by `taskworlds.make_vec`. Everything returned is the caller's own: no array is written to again. Observations
    are batches of the world's space; in most worlds, Meta-World among them, arrays (N, O) float64. docs/infos.md
    describes infos, and where each part of an observation is.

    It takes one call at a time: a call from another thread meanwhile is refused with a RuntimeError. If an exception
    (Ctrl-C) stops a step or reset half-way, its rows are not stepped again before a `reset` or `set_state`.

    A step that succeeds under `terminate_on_success` and also reaches the limit is a termination, not a truncation.

    With `k_episodes` an episode of this environment is a trial: K attempts at one task, each of at most
    `max_episode_steps`. The step that ends an attempt other than the last does not end the episode: it returns the
    first observation of the next attempt (a soft reset). Observations that are a vector of floats end with a flag: 1
    where an attempt begins, else 0.

    Args:
        benchmark: where the tasks come from.
        split: "train" or "test".
        num_envs: rows, N.
        strategy: the name of an engine; None for the world's best.
        options: everything else.
        seed: row i draws its tasks from a generator seeded with `seed + i`; None for fresh entropy.

    Attributes:
        benchmark, split, options: as given.
        strategy: the name of the engine in use.
        skills: the split's skills, each once, in the order of the one-hot.
        reward_function_version: the reward in use.
        world: the record of the skills' world.
        engine: the record of the engine in use.
        rows: what the engine made to step the rows. Do not call it: this environment would not notice.
        assignments, progress, observations, infos, episodes, actions, reward_normalizer, guard: the parts of this
            environment, for the package's own use.
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array", "depth_array"]}

    def __init__(
        self,
        benchmark: Benchmark,
        split: str,
        num_envs: int,
        strategy: str | None = None,
        options: Options | None = None,
        seed: int | None = 0,
    ) -> None:
        self.guard = Guard()
        seed = None if seed is None else check_seed(seed)
        self.benchmark = benchmark
        self.split = split
        self.options = options = options if options is not None else Options()
        self.num_envs = n = check_count("num_envs", num_envs)
        self.skills = benchmark.env_names(split)
        self.world = world = one_world(self.skills)
        self.engine: RowEngine = choose_engine(world, strategy, n)
        self.strategy = self.engine.name
        self.reward_function_version = options.reward_version_of(world)
        settings, engine_options = options.settings_of(world), options.options_of(self.engine)
        modes = {"autoreset_mode": options.autoreset_mode, "render_modes": list(world.render_modes)}
        self.metadata = type(self).metadata | modes | {"render_fps": world.render_fps}
        self.render_mode = options.render_mode

        self.assignments = Assignments(benchmark, split, world, n, options, seed)
        self.progress = Progress(
            n,
            options.max_episode_steps or world.max_episode_steps,
            world=world.name,
            has_success=world.has_success,
            terminate_on_success=options.terminate_on_success,
            k_episodes=options.k_episodes,
        )
        space = world.observation_space(
            visible=self.assignments.shows_goal, hidden=self.assignments.hides_goal
        )
        self.single_action_space = world.action_space()
        self.actions = make_actions(self.single_action_space, n)
        one_hot = OneHot(benchmark, split, options)
        self.observations = make_observations(n, world, space, self.single_action_space, one_hot, options)
        self.single_observation_space = self.observations.space
        self.reward_normalizer = reward_normalizer(
            options.reward_normalization_method, n, options.reward_alpha
        )
        self.observation_space = batch_space(self.single_observation_space, n)
        self.action_space = batch_space(self.single_action_space, n)
        if seed is not None:
            self.action_space.seed(seed)
            self.single_action_space.seed(seed)

        self._every = row_mask("mask", None, n)
        self._every.flags.writeable = False
        self._recipe = (benchmark, split, num_envs, strategy)
        if self.render_mode is not None and "camera_name" in world.settings:
            offscreen.check_window() if self.render_mode == "human" else offscreen.prepare()
        rows: Rows = self.engine.make(world, self.skills, n, settings, engine_options)
        self.infos = Infos(world, rows, self.assignments, self.progress, self.observations, options)
        self.episodes = Episodes(
            FirstLook(world, self.strategy, space, n, rows),
            rows,
            self.actions,
            self.assignments,
            self.progress,
            self.observations,
            self.infos,
            self.reward_normalizer,
            self.guard,
            options.autoreset_mode,
        )
        self.rows = rows  # the last attribute: from here on, assigning one is the user's doing

    @property
    def observation_layout(self) -> dict[str, slice]:
        """Where each part of a row's observation is, by name (docs/infos.md); {} if it is not a vector of floats."""
        return self.observations.layout

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
    def task_names(self) -> NDArray[Any]:
        """The skill of each row's episode at hand, (N,) object: texts, or None before the first reset."""
        return np.array(self.assignments.labels["task_name"])

    @property
    def task_ids(self) -> NDArray[Any]:
        """`Task.id` of each row's episode at hand, (N,) object: texts, or None before the first reset."""
        return np.array(self.assignments.labels["task_id"])

    @property
    def terminate_on_success(self) -> NDArray[np.bool_]:
        """Whether success ends the episode, for each row, (N,) bool."""
        switches: NDArray[np.bool_] = self.progress.terminate_on_success.copy()
        switches.flags.writeable = False  # writing to it would change nothing
        return switches

    @property
    def autoreset_mode(self) -> AutoresetMode:
        """What happens to a row whose episode has ended, as in Gymnasium's own vector environments."""
        return self.options.autoreset_mode

    @property
    def max_episode_steps(self) -> int:
        """Steps after which an episode, in trials an attempt, is truncated."""
        return self.progress.limit

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The generator of each row, as in Gymnasium's own vector environments."""
        return tuple(self.assignments.generators.each)

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """What each row's generator was seeded with; -1 where that is not known."""
        return tuple(self.assignments.generators.seeds)

    @guarded
    def set_tasks(self, tasks: Task | Sequence[Task], mask: ArrayLike | None = None) -> None:
        """Fixes the tasks of rows, from the next reset of each row on, also a seeded one.

        They stay until other tasks are set, or `sample_tasks` chooses. A task given to `reset` comes in between. Where
        a task puts its goal outside the skill's bounds, observations after a step show the nearest place within them,
        as Meta-World's do; info has the goal itself.

        Args:
            tasks: one task for all chosen rows, or one for each of them. Any goal of the benchmark's skills will do,
                also one that the benchmark does not list. Meta-World's own task objects are accepted.
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
        """
        self._sample_tasks(seed, options)
        return self.reset(options=options)

    @guarded
    def _sample_tasks(self, seed: int | None, options: dict[str, Any] | None) -> None:
        self.check_ready("sample_tasks()")
        self._reset_options(options)
        self.assignments.seed(row_seeds(seed, self.num_envs), self._every)
        self.assignments.draw_all()

    # --- reset ----------------------------------------------------------------------------------------------

    @guarded
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
            Observations and infos; rows that are not reset keep theirs.

        Raises:
            TypeError: an option is not known.
            ValueError: a task or the mask does not fit.
        """
        self.check_ready("reset()")
        rows, tasks = self._reset_options(options)
        seeds = row_seeds(seed, self.num_envs)
        self.guard.changing(rows)
        self.assignments.seed(seeds, rows)
        for row, task in tasks.items():
            self.assignments.following[row] = task
        self.episodes.start(rows, draw=np.array([each is not None for each in seeds]))
        return self.observations.copy(), self.infos.of_reset(rows)

    def _reset_options(self, options: dict[str, Any] | None) -> tuple[NDArray[np.bool_], dict[int, Task]]:
        """Returns the rows to reset, and the tasks that were given, by row."""
        options = check_options(options)
        rows = self._mask("options['reset_mask']", options.get("reset_mask"))
        tasks = options.get("tasks")
        return rows, {} if tasks is None else self.assignments.one_each("options['tasks']", tasks, rows)

    def _mask(self, argument: str, mask: ArrayLike | None) -> NDArray[np.bool_]:
        return self._every if mask is None else row_mask(argument, mask, self.num_envs)

    def check_ready(self, call: str) -> None:
        """Raises RuntimeError if the environment is closed, or a step is under way; `call` is for the message."""
        if self.closed:
            raise RuntimeError(f"{call} needs an open environment, and this one was closed: make a new one.")
        self.episodes.settle()
        if self.episodes.under_way is not None:
            raise RuntimeError(f"A step is under way: call step_wait() before {call}.")

    # --- step -----------------------------------------------------------------------------------------------

    @guarded
    def step(self, actions: Any, mask: ArrayLike | None = None) -> Step:
        """Steps the rows.

        Args:
            actions: a batch of the world's actions; numbers must be finite. In Meta-World (N, 4): the arm moves by
                the first three clipped to [-1, 1] (1 is 1 cm); the last is the gripper's effort. float32 and float64
                are both taken as they are.
            mask: which rows step, (N,) bool; None for all. The others keep observation and infos, with reward 0.

        Returns:
            Observations, rewards (N,) float64, terminations and truncations (N,) bool, and info.

        Raises:
            TypeError: the actions are of another type than the space's.
            ValueError: the actions' shape is wrong, or a row cannot take its action: it is not finite, or
                there is no such choice.
            RuntimeError: a row to be stepped was not reset, or (without autoreset) its episode has ended; or
                the simulator refused a row, which the message names with its task and step.
        """
        self.check_ready("another step")
        return self.episodes.step(actions, self._mask("mask", mask))

    @guarded
    def step_async(self, actions: Any, mask: ArrayLike | None = None) -> None:
        """Begins a step; the caller may compute while the rows step, and `step_wait` returns the outcome."""
        self.check_ready("another step")
        self.episodes.step_async(actions, self._mask("mask", mask))

    @guarded
    def step_wait(self) -> Step:
        """Waits for the step that `step_async` began, and returns what `step` returns."""
        return self.episodes.step_wait()

    # --- pictures -------------------------------------------------------------------------------------------

    @guarded
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

    @guarded
    def close_extras(self, **kwargs: Any) -> None:
        """Frees the rows. A row's process that does not end (engine "async") is ended after a few seconds."""
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

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}{metaworld_names.hint(name)}"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if not metaworld_names.assign(self, self, name, value):
            super().__setattr__(name, value)

    def __repr__(self) -> str:
        name, tasks = self.benchmark.name, sum(len(each.tasks) for each in self.assignments.selections)
        return (
            f"{type(self).__name__}({name}, split={self.split}, num_envs={self.num_envs}, tasks={tasks}, "
            f"engine={self.strategy})"
        )

    # --- one row of what a batch returns --------------------------------------------------------------------

    def row_info(self, infos: dict[str, Any], row: int) -> dict[str, Any]:
        """Takes one row's info out of a batch's: what a single environment's info would hold."""
        return self.infos.row(infos, row)

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
            "infos": self.infos,
        }
        return parts | ({} if self.reward_normalizer is None else {"rewards": self.reward_normalizer})

    @guarded
    def get_state(self) -> dict[str, NDArray[Any]]:
        """Takes a snapshot of everything that decides the future, also in mid-episode.

        Physics, counters, statistics, generators, tasks, as NumPy arrays by name, the caller's own and none of
        them of objects: `numpy.savez(path, **state)` saves it, and `dict(numpy.load(path))` is it again.
        `set_state` restores it, here or in another process, to the last bit.

        Raises:
            RuntimeError: a step is under way, or was left half-way.
        """
        self.check_ready("get_state()")
        self.guard.check("get_state()")
        return snapshot.take(self)

    @guarded
    def set_state(
        self, state: Mapping[str, NDArray[Any]] | str | os.PathLike[str], rows: ArrayLike | None = None
    ) -> None:
        """Goes back to a snapshot, or puts rows of a snapshot into any rows here.

        Rows that come from one row continue in the same way, generators included, as long as they get the same actions;
        `reset(seed=...)` makes them differ.

        Args:
            state: what `get_state` returned; or the path of the .npz file in which `numpy.savez` saved it, or what
                `numpy.load` returned for that file, which is refused if it holds far more than such a state.
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
        return _rebuild, ((*self._recipe, self.options), self.get_state(), kept | {"spec": self.spec})


def _rebuild(recipe: tuple[Any, ...], state: dict[str, Any], attributes: dict[str, Any]) -> TaskVectorEnv:
    env = TaskVectorEnv(*recipe)
    env.set_state(state)
    for name, value in attributes.items():
        setattr(env, name, value)
    return env
