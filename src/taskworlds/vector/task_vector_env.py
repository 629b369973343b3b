"""The vector environment: N rows, each of which can hold any task of the benchmark."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from taskworlds.core import batches
from taskworlds.core.benchmark import Benchmark
from taskworlds.core.errors import check_count, check_seed
from taskworlds.core.task import Task
from taskworlds.vector import metaworld_names, snapshot
from taskworlds.vector.arguments import check_options, row_mask, row_seeds
from taskworlds.vector.assembly import assemble
from taskworlds.vector.batch_pictures import BatchPictures
from taskworlds.vector.composition import Composition, compose
from taskworlds.vector.env_protocol import Part
from taskworlds.vector.episodes import Step
from taskworlds.vector.guard import Guard, guarded
from taskworlds.vector.notebook import environment_html
from taskworlds.vector.options import Options
from taskworlds.vector.partial_batches import PartialBatches, PartialStep
from taskworlds.vector.recipe import Recipe, remake, restore

__all__ = ["TaskVectorEnv"]


class TaskVectorEnv(BatchPictures):
    """A batch of N rows over the tasks of one split of a benchmark, on Gymnasium's vector API.

    `taskworlds.make_vec` makes it. What is not described here, such as `close`, is as in `gymnasium.vector.VectorEnv`.

    Everything returned is the caller's own: no array is written to again. Observations are batches of the world's
    space; in most worlds, Meta-World among them, arrays (N, O) float64. docs/infos.md describes infos, and where each
    part of an observation is.

    It takes one call at a time: a call from another thread meanwhile is refused with a RuntimeError. If an exception
    (Ctrl-C) stops a step or reset half-way, its rows are not stepped again before a `reset` or `set_state`.

    A step that succeeds under `terminate_on_success` and also reaches the limit is a termination, not a truncation.

    With `k_episodes` an episode of this environment is a trial: K attempts at one task, each of at most
    `max_episode_steps`. The step that ends an attempt other than the last does not end the episode: it returns the
    first observation of the next attempt (a soft reset). Observations that are a vector of floats end with a flag: 1
    where an attempt begins, else 0.

    Attributes:
        benchmark: where the tasks come from.
        split: which of its tasks these are, "train" or "test".
        num_envs: how many rows there are, N.
        single_observation_space: the space of a row's observation.
        single_action_space: the space of a row's action.
        observation_space: the space of a batch of N observations.
        action_space: the space of a batch of N actions.
        options: what was chosen for the environment, by the keywords of `make_vec`.
        strategy: the name of the engine in use.
        skills: the split's skills, each once, in the order of the one-hot.
        reward_function_version: the reward in use, such as "v2".
        render_mode: what `render` returns; None if the environment was made without one.
        composition: which world each row serves, and which tasks it was dealt.
        world: the `World` of the skills; for several worlds, a record of all of them together.
        worlds: the records of the worlds, in the order of their rows.
        world_index: the world of each row, its place in `worlds`, (N,) int64.
        limits_of_worlds: the limit of each world's episodes that this environment was made with, steps.
        engine: the `RowEngine` in use.
        engines: the record of each world's engine.

    Example:
        >>> import taskworlds
        >>> envs = taskworlds.make_vec("MT10", seed=0)
        >>> obs, infos = envs.reset(seed=0)
        >>> obs.shape, infos["goal"].shape, envs.task_names[:2].tolist()
        ((10, 39), (10, 3), ['reach-v3', 'push-v3'])
        >>> obs, rewards, terminations, truncations, infos = envs.step(envs.action_space.sample())
        >>> rewards.shape, infos["success"].shape
        ((10,), (10,))
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
        composition: Composition | None = None,
    ) -> None:
        """Makes a batch, of arguments that `make_vec` has read.

        Its other attributes are its parts. `rows` is what the engine made to step the rows: do not call it, since this
        environment would not notice.

        Args:
            benchmark: where the tasks come from.
            split: "train" or "test".
            num_envs: rows, N.
            strategy: the name of an engine; None for the world's best.
            options: everything else.
            seed: row i draws its tasks from a generator seeded with `seed + i`; None for fresh entropy.
            composition: which world each row serves, and which tasks it is dealt, where these rows are part of a larger
                batch; None where they are all.

        :meta private:
        """
        self.guard = Guard()
        seed = None if seed is None else check_seed(seed)
        asked = options if options is not None else Options()
        self._recipe = Recipe(benchmark, split, num_envs, strategy, asked, composition)
        self.benchmark, self.split = benchmark, split
        self.num_envs = n = check_count("num_envs", num_envs)
        self.skills = benchmark.env_names(split)
        if composition is None:
            composition = compose(benchmark, split, n, pad=asked.pad, group_size=asked.group_size or 1)
        self.composition, self.world = composition, composition.world
        self.worlds, self.world_index = composition.worlds, composition.world_index

        made = assemble(benchmark, split, composition, strategy, asked, seed, self.guard)
        self.limits_of_worlds = made.play.limits_of_worlds
        self.options = self._settled = made.play.options
        self.reward_function_version = made.reward_function_version
        self.engine, self.engines = made.engine.engine, made.engine.of_worlds
        self.strategy = self.engine.name
        self.assignments, self.progress = made.parts.assignments, made.parts.progress
        self.actions, self.observations = made.parts.actions, made.parts.observations
        self.infos, self.reward_normalizer = made.parts.infos, made.parts.rewards
        self.repeating_rows = made.repeating_rows
        self.episodes, self.chunks, self.partial_batches = made.episodes, made.chunks, made.partial_batches

        self.render_mode = self.options.render_mode
        modes = {
            "autoreset_mode": self.options.autoreset_mode,
            "render_modes": list(self.world.render_modes),
        }
        self.metadata = type(self).metadata | modes | {"render_fps": self.world.render_fps}
        self.single_action_space = composition.action_space
        self.action_space = composition.batch_action_space()
        if seed is not None:
            self.action_space.seed(seed)
            self.single_action_space.seed(seed)
        self.single_observation_space = self.observations.space
        self.observation_space = batch_space(self.single_observation_space, n)
        self._every = row_mask("mask", None, n)
        self._every.flags.writeable = False
        self.rows = made.rows  # the last attribute: from here on, assigning one is the user's doing

    # --- tasks ----------------------------------------------------------------------------------------------

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
            TypeError: they are not tasks.
            ValueError: a task's skill is not the benchmark's, or the lengths do not fit.
        """
        rows = self._mask("mask", mask)
        self.assignments.hold(self.assignments.one_each("tasks", tasks, rows))
        self.episodes.expect(rows)

    def sample_tasks(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Chooses a new task for every row, by `task_select`, and resets.

        Args:
            seed: as for `reset`.
            options: as for `reset`.

        Returns:
            Observations and infos, as `reset`.

        Raises:
            TypeError: an option is not known.
            ValueError: a task or the mask does not fit.
        """
        self._sample_tasks(seed, options)
        return self.reset(options=options)

    @guarded
    def _sample_tasks(self, seed: int | None, options: dict[str, Any] | None) -> None:
        self.check_ready("sample_tasks()")
        self._reset_options(options)
        self.assignments.seed(row_seeds(seed, self.num_envs, self.options.group_size), self._every)
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
                tasks are chosen from here on, so equal seeds give equal tasks, goals and states. With `group_size` all
                rows of group g have `seed + g`; a list is taken as it is.
            options: a dictionary with these keys, each of which may be left out. `reset_mask`: which rows are reset,
                (N,) bool; the others go on with their episodes. `tasks`: the task of the episode that begins, a `Task`
                for all of these rows or a list with one for each. Later episodes have the tasks that `set_tasks` or
                `task_select` gives them; where there are neither (`task_select="fixed"`), the task stays.

        Returns:
            Observations, a batch of `observation_space`: in most worlds (N, O) float64. And infos, arrays over the rows
            by name, such as `skill_index` and `task_index`, (N,) int64, and `goal`, (N, G) float64; what the world
            reports of a step, such as `success`, is 0. docs/infos.md lists them. Rows that are not reset keep
            observation and infos.

        Raises:
            TypeError: an option or a seed is of the wrong type, or an option is not known.
            ValueError: a task, the mask or a seed does not fit.
            RuntimeError: a step, or one of the rows to be reset, is under way; or the environment is closed.
        """
        rows, tasks = self._reset_options(options)
        self.check_ready("reset()", rows)
        seeds = row_seeds(seed, self.num_envs, self.options.group_size)
        self.guard.changing(rows)
        self.assignments.seed(seeds, rows)
        for row, task in tasks.items():
            self.assignments.following[row] = task
        self.episodes.start(rows, draw=np.array([each is not None for each in seeds]), given=tasks)
        return self.observations.copy(), self.infos.of_reset(rows)

    def _reset_options(self, options: dict[str, Any] | None) -> tuple[NDArray[np.bool_], dict[int, Task]]:
        """Returns the rows to reset, and the tasks that were given, by row."""
        options = check_options(options)
        rows = self._mask("options['reset_mask']", options.get("reset_mask"))
        tasks = options.get("tasks")
        return rows, {} if tasks is None else self.assignments.one_each("options['tasks']", tasks, rows)

    def _mask(self, argument: str, mask: ArrayLike | None) -> NDArray[np.bool_]:
        return self._every if mask is None else row_mask(argument, mask, self.num_envs)

    def check_ready(self, call: str, rows: NDArray[np.bool_] | None = None) -> None:
        """Raises RuntimeError if the environment is closed, or a step is under way.

        Args:
            call: the call, for the message.
            rows: which rows must not be under way, (N,) bool; None for all.

        :meta private:
        """
        if self.closed:
            raise RuntimeError(f"{call} needs an open environment, and this one was closed: make a new one.")
        self.episodes.settle()
        if self.episodes.under_way is not None:
            raise RuntimeError(f"A step is under way: call step_wait() before {call}.")
        if self.partial_batches is not None:
            self.partial_batches.check_idle(call, rows)

    # --- step -----------------------------------------------------------------------------------------------

    @guarded
    def step(self, actions: Any, mask: ArrayLike | None = None) -> Step:
        """Steps the rows, once or, with a chunk of actions, several times.

        Args:
            actions: a batch of the world's actions; numbers must be finite. In Meta-World (N, 4): the arm moves by
                the first three clipped to [-1, 1] (1 is 1 cm); the last is the gripper's effort. float32 and float64
                are both taken as they are. Or a chunk of T steps, (N, T, 4), of choices (N, T). A row stops
                where its episode, or attempt, ends; docs/action_chunks.md has the rest.
            mask: which rows step, (N,) bool; None for all. The others keep observation and infos, with reward 0.

        Returns:
            Observations as from `reset`; rewards (N,) float64; terminations and truncations (N,) bool; and infos:
            `success` (in worlds that have it), `episode_return`, `episode_length` and so on, each (N,), which
            docs/infos.md lists. Where an episode ended, `autoreset_mode` says what they are of: by default (SAME_STEP)
            of the next episode's reset, with the ended one's in `infos["final_obs"]` and `infos["final_info"]`.

            Of a chunk: the observations and infos of each row's last step, with how many steps it took as
            `executed_steps`, (N,) int64; rewards and both flags (N, T), 0 and False for steps that were not taken.

        Raises:
            TypeError: the actions are of another type than the space's.
            ValueError: the actions' shape is wrong, or a row cannot take its action: it is not finite, or
                there is no such choice.
            RuntimeError: a row to be stepped was not reset, or (without autoreset) its episode has ended; or
                the simulator refused a row, which the message names with its task and step.
        """
        self.check_ready("another step")
        take = self.chunks.step if self.actions.is_chunk(actions) else self.episodes.step
        return take(actions, self._mask("mask", mask))

    @guarded
    def step_one(self, actions: Any) -> Step:
        """Steps the only row, and returns what `step` returns, but for infos the row's info, as `row_info` takes it.

        For the single environment, which is a view of a batch of one row: it saves making infos of a batch.

        :meta private:
        """
        self.check_ready("another step")
        take = self.chunks.step if self.actions.is_chunk(actions) else self.episodes.step
        if self.infos.can_tell_one:
            return take(actions, self._every, one=True)
        obs, rewards, terminated, truncated, infos = take(actions, self._every)
        return obs, rewards, terminated, truncated, self.infos.row(infos, 0)

    @guarded
    def step_async(self, actions: Any, mask: ArrayLike | None = None) -> None:
        """Begins a step; the caller may compute while the rows step, and `step_wait` returns the outcome.

        Until then steps, resets, pictures and snapshots are refused.

        Args:
            actions: as for `step`, but not a chunk.
            mask: as for `step`.

        Raises:
            TypeError: as for `step`.
            ValueError: as for `step`; or the actions are a chunk.
            RuntimeError: as for `step`; or another step is under way.
        """
        self.check_ready("another step")
        self.episodes.step_async(actions, self._mask("mask", mask))

    @guarded
    def step_wait(self) -> Step:
        """Waits for the step that `step_async` began.

        Returns:
            What `step` returns.

        Raises:
            RuntimeError: no step was begun; or the simulator refused a row, which the message names.
        """
        return self.episodes.step_wait()

    # --- partial batches ------------------------------------------------------------------------------------

    @guarded
    def send(self, actions: Any, rows: ArrayLike) -> None:
        """Begins a step of some rows, each on its own, which `recv` ends; see docs/partial_batches.md.

        Rows are under way until they are received. Meanwhile other rows may be sent or reset, but nothing else is
        possible: no `step`, no snapshot, no picture.

        Args:
            actions: a batch of M actions, as for `step`.
            rows: the row of each, (M,) int, at least one.

        Raises:
            TypeError: the actions are of another type than the space's.
            ValueError: the actions' shape is wrong, a row cannot take its action, or a row does not exist or is there
                twice.
            RuntimeError: the environment was made without `batch_size`; or a row is under way, was not reset, or
                (without autoreset) its episode has ended. Then nothing has changed.
        """
        self._partial("send()").send(actions, rows)

    @guarded
    def recv(self) -> PartialStep:
        """Waits for `batch_size` of the rows under way, or all if they are fewer, and returns those done first.

        Each row's results are those that it has in whole batches with the same actions; only which rows come together
        depends on time. What interrupts the waiting (Ctrl-C) leaves all rows under way: `recv` can be called again.

        Returns:
            The rows, (M,) int64 in ascending order, and for each of them, in that order, observations, rewards,
            terminations, truncations and infos.

        Raises:
            RuntimeError: the environment was made without `batch_size`, or no row is under way; or the simulator
                refused a row, which the message names with its task and step.
        """
        return self._partial("recv()").recv()

    def _partial(self, call: str) -> PartialBatches:
        """Returns what sends and receives rows.

        Raises:
            RuntimeError: the environment is closed, has a step under way, or was made without `batch_size`.
        """
        self.check_ready(call, ~self._every)
        if self.partial_batches is None:
            raise RuntimeError(
                f"{call} needs an environment that was made with batch_size, the number of rows that recv() returns: "
                "make_vec(..., batch_size=8)."
            )
        return self.partial_batches

    # --- closing --------------------------------------------------------------------------------------------

    @guarded
    def close_extras(self, **kwargs: Any) -> None:
        """Frees the rows, for `close`. A row's process that does not end (engine "async") is ended after a few seconds.

        :meta private:
        """
        if hasattr(self, "rows"):
            self.rows.close()

    # --- Meta-World's names for each row's attributes and methods -------------------------------------------

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Returns an attribute of each row, under Meta-World's names.

        Args:
            name: one of those that `set_attr` sets; or `task` (the `Task` at hand), `current_task_idx`, `task_name`
                (the official class's name), `np_random`, `np_random_seed`, `action_space` or `observation_space`. Any
                other name is asked of the official environment of each row, where the engine has one ("sync", "async").

        Returns:
            N values, one for each row.

        Raises:
            AttributeError: there is no such attribute, or it is a method.
            RuntimeError: the engine's environment is asked before the first reset.
        """
        return metaworld_names.get_attr(self, name)

    def set_attr(self, name: str, values: Any) -> None:
        """Sets an attribute of each row, under Meta-World's names.

        Args:
            name: `tasks` (the tasks that the row chooses from), `max_episode_steps` (or `max_path_length`; the same in
                all rows), `terminate_on_success`, `sample_tasks_on_reset`, or `update_running_mean` (whether the
                statistics of normalization are updated). Any other name is set in the official environment of each
                row, where the engine has one.
            values: one value for all rows, or a list or tuple with one for each.

        Raises:
            AttributeError: there is no such attribute, or it cannot be set.
            ValueError: a value does not fit, or they are not as many as rows.
        """
        metaworld_names.set_attr(self, name, values)

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Calls a method of each row, under Meta-World's names.

        Args:
            name: `toggle_terminate_on_success`, `toggle_sample_tasks_on_reset`, `set_task`, `sample_tasks`,
                `get_checkpoint`, `load_checkpoint` or `render`. Any other name is asked of the official environment of
                each row, where the engine has one ("sync", "async").
            *args: the method's arguments, the same for all rows.
            **kwargs: its keywords.

        Returns:
            N results, one for each row; None for methods that return nothing.

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

    def _repr_html_(self) -> str:
        return environment_html(self, title=type(self).__name__, single=False)

    # --- one row of what a batch returns --------------------------------------------------------------------

    def row_info(self, infos: dict[str, Any], row: int) -> dict[str, Any]:
        """Takes one row's info out of a batch's.

        Args:
            infos: what `reset`, `step` or `recv` returned.
            row: which row; of what `recv` returned, its place among the rows received.

        Returns:
            What a single environment's info would hold: numbers of NumPy's types by name, and arrays such as `goal`.
        """
        return self.infos.row(infos, row)

    def row_obs(self, obs: Any, row: int) -> Any:
        """Takes one row's observation out of a batch's.

        Args:
            obs: observations of `reset`, `step` or `recv`, of any of Gymnasium's spaces.
            row: which row; of what `recv` returned, its place among the rows received.

        Returns:
            A value of `single_observation_space`. Its arrays are views of the batch's.
        """
        return batches.row_of(self.single_observation_space, obs, row)

    # --- exact state ----------------------------------------------------------------------------------------

    @property
    def parts(self) -> dict[str, Part]:
        """The parts with a state of their own, by name; with `rows` they are all that decides the future.

        :meta private:
        """
        parts: dict[str, Part] = {
            "assignments": self.assignments,
            "progress": self.progress,
            "elapsed": self.progress.stopwatch,
            "observations": self.observations,
            "infos": self.infos,
        }
        if self.assignments.curriculum is not None:
            parts["curriculum"] = self.assignments.curriculum
        parts |= {} if self.repeating_rows is None else {"repeats": self.repeating_rows}
        return parts | ({} if self.reward_normalizer is None else {"rewards": self.reward_normalizer})

    @guarded
    def get_state(self) -> dict[str, NDArray[Any]]:
        """Takes a snapshot of everything that decides the future, also in mid-episode.

        Physics, counters, statistics, generators, tasks, as NumPy arrays by name, the caller's own and none of
        them of objects: `numpy.savez(path, **state)` saves it, and `dict(numpy.load(path))` is it again.
        `set_state` restores it, here or in another process, to the last bit.

        Returns:
            Arrays by name. What each holds is not for users: pass the dictionary on as it is.

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

    def with_render_mode(self, mode: str) -> TaskVectorEnv:
        """Makes a batch like this one that draws in another mode, and can take its state.

        :meta private:
        """
        return remake(TaskVectorEnv, self._recipe.in_mode(mode), self._changed_limit)

    @property
    def _changed_limit(self) -> int | None:
        """The limit of episodes, if it was changed after this environment was made, which a protocol would refuse."""
        return None if self.options is self._settled else self.options.max_episode_steps

    def __reduce__(self) -> tuple[Any, ...]:
        spaces = ("action_space", "single_action_space", "observation_space", "single_observation_space")
        kept = {name: getattr(self, name) for name in spaces}  # with their generators
        kept["spec"] = self.spec
        return restore, (TaskVectorEnv, self._recipe, self._changed_limit, self.get_state(), kept)
