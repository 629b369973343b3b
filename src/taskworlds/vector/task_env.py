"""The single environment: a view of a batch of one row."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec as GymnasiumEnvSpec
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.benchmark import Benchmark
from taskworlds.core.chunk_step import ChunkStep
from taskworlds.core.draws import sample_without_replacement
from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_seed
from taskworlds.core.registry import world_of
from taskworlds.core.step import EnvSpec, EnvStep, SpecMixin, StepType
from taskworlds.core.task import Task
from taskworlds.vector import metaworld_names
from taskworlds.vector.camera_matrices import CameraMatrices
from taskworlds.vector.guard import Guard, guarded
from taskworlds.vector.gymnasium_ids import spec_of, tell_limit
from taskworlds.vector.notebook import environment_html
from taskworlds.vector.options import Options
from taskworlds.vector.task_vector_env import TaskVectorEnv

__all__ = ["TaskEnv"]


class TaskEnv(SpecMixin, gym.Env[Any, Any]):
    """One environment over the tasks of a split of a benchmark, on Gymnasium's API.

    `taskworlds.make` makes it. It is a view of a `TaskVectorEnv` of one row, `batch`.

    `step` returns an `EnvStep`: Gymnasium's tuple of five, with garage's names as well. A step that succeeds and also
    reaches the limit is `terminated`, not `truncated`. Info is that of `TaskVectorEnv`, without the batch: numbers of
    NumPy's types, the same names at each reset and step; docs/infos.md lists them. Attributes of the official
    environment, such as Meta-World's `model` and `data`, can be read where the engine has one, as "sync" has.

    Attributes:
        observation_space: the space of observations, in most worlds vectors, (O,) float64.
        action_space: the space of actions; in Meta-World (4,) float32, from -1 to 1.
        render_mode: what `render` returns; None if the environment was made without one.
        metadata: "render_modes", the modes of the world's pictures, and "render_fps".

    Example:
        >>> import taskworlds
        >>> env = taskworlds.make("reach-v3", seed=0)
        >>> obs, info = env.reset(seed=0)
        >>> obs.shape, env.task.env_name, float(info["success"])
        ((39,), 'reach-v3', 0.0)
        >>> step = env.step(env.action_space.sample())
        >>> step.truncated, int(step.env_info["episode_length"])
        (False, 1)
    """

    metadata = TaskVectorEnv.metadata

    def __init__(
        self,
        benchmark: Benchmark,
        split: str = "train",
        strategy: str | None = None,
        options: Options | None = None,
        seed: int | None = 0,
    ) -> None:
        """Makes an environment, of arguments that `make` has read.

        Args:
            benchmark: as for `TaskVectorEnv`.
            split: as for `TaskVectorEnv`.
            strategy: as for `TaskVectorEnv`.
            options: as for `TaskVectorEnv`; `autoreset_mode` has no effect.
            seed: as for `TaskVectorEnv`.

        :meta private:
        """
        for name in ("batch_size", "group_size"):
            if options is not None and getattr(options, name) is not None:
                raise WrongValue(
                    f"{name} must not be given for a single environment, not {getattr(options, name)!r}: it is for "
                    "batches, which taskworlds.make_vec makes.",
                    argument=name,
                )
        _check_one_world(benchmark, split)
        options = dataclasses.replace(options or Options(), autoreset_mode=AutoresetMode.DISABLED)
        self.guard = Guard()  # beside the batch's, for calls that are more than one of the batch's
        self._batch = TaskVectorEnv(benchmark, split, 1, strategy, options, seed)
        self._painters: dict[str, TaskVectorEnv] = {}  # by render mode, those that draw in another than ours
        self.metadata = type(self).metadata | {
            name: self._batch.metadata[name] for name in ("render_modes", "render_fps")
        }
        self._take_spaces()
        always = ("task_select", "terminate_on_success")  # whose defaults in `make` depend on the benchmark
        chosen = {
            field.name: getattr(options, field.name)
            for field in dataclasses.fields(options)
            if field.name in always or getattr(options, field.name) != field.default
        }
        del chosen["autoreset_mode"]
        given = {
            "benchmark": benchmark,
            "split": split,
            "vector_strategy": self._batch.strategy,
            "seed": seed,
        }
        self.spec = spec_of(benchmark.name, given | chosen)

    @property
    def spec(self) -> EnvSpec:
        """The environment's `EnvSpec`. Gymnasium's, when assigned, gains the spaces and the limit."""
        if self._spec.max_episode_steps != self._limit:
            self.spec = self._spec  # the limit was assigned anew
        spec: EnvSpec = self._spec
        return spec

    @spec.setter
    def spec(self, spec: GymnasiumEnvSpec | None) -> None:
        spaces = {"action_space": self.action_space, "observation_space": self.observation_space}
        self._spec = EnvSpec.of(spec, **spaces, max_episode_length=self._limit)
        options, limit = self._batch.options, self._batch.max_episode_steps
        tell_limit(
            self._spec, options.max_episode_steps if options.k_episodes is None else limit, self._limit
        )

    @property
    def _limit(self) -> int:
        """Steps after which an episode, in trials with all its attempts, is truncated."""
        return self._batch.max_episode_steps * (self._batch.options.k_episodes or 1)

    def _take_spaces(self) -> None:
        self.observation_space = self._batch.single_observation_space
        self.action_space = self._batch.single_action_space
        self.render_mode = self._batch.render_mode
        is_array = batches.in_arrays(self.action_space)
        self._array_shape = self.action_space.shape if is_array else None  # None also for a Dict or Tuple

    # Gymnasium's base class keeps generator and seed under these names; here both are the row's.

    @property
    def _np_random(self) -> np.random.Generator:
        return self._batch.assignments.generators.each[0]

    @_np_random.setter
    def _np_random(self, generator: np.random.Generator) -> None:
        self._batch.assignments.generators.each[0] = generator

    @property
    def _np_random_seed(self) -> int:
        return self._batch.assignments.generators.seeds[0]

    @_np_random_seed.setter
    def _np_random_seed(self, seed: int) -> None:
        self._batch.assignments.generators.seeds[0] = seed

    # --- tasks ----------------------------------------------------------------------------------------------

    @property
    def batch(self) -> TaskVectorEnv:
        """The batch of one row that this is a view of. What is done to it is done to this environment."""
        return self._batch

    @property
    def benchmark(self) -> Benchmark:
        """Where the tasks come from."""
        return self._batch.benchmark

    @property
    def split(self) -> str:
        """Which of the benchmark's tasks these are, "train" or "test"; `task_index` in info counts them."""
        return self._batch.split

    @property
    def skills(self) -> list[str]:
        """The split's skills, in the order of the one-hot and of `skill_index` in info."""
        return list(self._batch.skills)

    @property
    def observation_layout(self) -> dict[str, slice]:
        """Where each part of an observation stands, by name; see `TaskVectorEnv.observation_layout`."""
        return self._batch.observation_layout

    @property
    def tasks(self) -> list[Task]:
        """The tasks to choose from."""
        return self._batch.tasks[0]

    @property
    def num_tasks(self) -> int:
        """How many tasks there are to choose from."""
        return len(self.tasks)

    @property
    def task(self) -> Task | None:
        """The task of the episode at hand; None before the first reset."""
        return self._batch.current_tasks[0]

    @property
    def task_name(self) -> str:
        """The official class's name of the skill at hand, which Meta-World's own code knows it by."""
        return str(self._batch.get_attr("task_name")[0])

    @property
    def instruction(self) -> str | None:
        """What is to be done in the episode at hand, as a sentence; None before the first reset."""
        text: str | None = self._batch.instructions[0]
        return text

    def set_task(self, task: Any) -> None:
        """Fixes the task from the next reset on, also a seeded one: a `Task`, or one of Meta-World's own.

        It stays until another is set, or `sample_tasks()` chooses.

        Args:
            task: the task. Any goal of the benchmark's skills will do, also one that the benchmark does not list.

        Raises:
            TypeError: it is not a task.
            ValueError: its skill or its goal's visibility is not the benchmark's.
        """
        self._batch.set_tasks(task)

    @guarded
    def sample_tasks(self, n_tasks: int | None = None, *, seed: int | None = None) -> Any:
        """Returns `n_tasks` tasks in garage's protocol; without a number, goes to a new task, in Meta-World's.

        Args:
            n_tasks: how many tasks to return. Every task comes once, in random order, before any is repeated.
            seed: seed of a generator for these tasks alone; without `n_tasks`, as for `reset`.

        Returns:
            A list of tasks; or, without `n_tasks`, the observation and info of a reset to a new task.
        """
        if n_tasks is None:
            return self._first(*self._batch.sample_tasks(seed=seed))
        rng = self.np_random if seed is None else np.random.default_rng(check_seed(seed))
        return sample_without_replacement(self.tasks, n_tasks, rng)

    @property
    def terminate_on_success(self) -> bool:
        """Whether success ends the episode."""
        return bool(self._batch.terminate_on_success[0])

    def toggle_terminate_on_success(self, on: bool) -> None:
        """Sets whether success ends the episode.

        Args:
            on: whether it does.
        """
        self._batch.set_attr("terminate_on_success", on)

    def toggle_sample_tasks_on_reset(self, on: bool) -> None:
        """Sets whether each reset chooses a task.

        Args:
            on: whether it does; otherwise resets keep the task.
        """
        self._batch.set_attr("sample_tasks_on_reset", on)

    # --- episodes -------------------------------------------------------------------------------------------

    @guarded
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: fixes which task this and the following episodes have, and with it goal and state.
            options: a dictionary with the key `task`, a `Task`: the task of this episode. Later episodes have the task
                that `set_task` or `task_select` gives them; where there are neither (`task_select="fixed"`), it stays.

        Returns:
            Observation, in most worlds (O,) float64, and info: numbers by name, such as `skill_index`, `task_index` and
            `episode_length`, and `goal`, (G,) float64; docs/infos.md lists them.

        Raises:
            TypeError: an option is not known.
            ValueError: the task does not fit.
        """
        options = dict(options or {})
        batch_options = {"tasks": options.pop("task")} if options.get("task") is not None else {}
        options.pop("task", None)
        if options:
            raise WrongType(f"reset takes the option task, not {', '.join(sorted(options))}.")
        return self._first(*self._batch.reset(seed=None if seed is None else [seed], options=batch_options))

    def _first(self, obs: Any, infos: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Takes the only row's observation and info out of the batch's."""
        return self._batch.row_obs(obs, 0), self._batch.row_info(infos, 0)

    def step(self, action: Any) -> EnvStep | ChunkStep:
        """Takes one step, or a chunk of several; see `TaskVectorEnv.step`.

        Args:
            action: a value of the action space; numbers must be finite. Or T of them in an array, (T, ...).

        Returns:
            Observation, reward (float), terminated, truncated and info, as an `EnvStep`; for a chunk a `ChunkStep`.
            Info has what the world reports of the step, such as `success`; docs/infos.md lists the names.

        Raises:
            TypeError: the action is of another type than the space's.
            ValueError: its shape is wrong, or it is not finite, or there is no such choice.
            RuntimeError: there was no reset yet, or the episode has ended; or the simulator failed.
        """
        if self.guard.turn.locked():  # else the batch's own guard is enough, as only one call is made of it
            self.guard.refuse("step()")
        batch = self._batch
        if type(action) is np.ndarray and action.shape == self._array_shape:  # most often
            actions = action[None]
        elif batch.actions.is_chunk(action[None] if isinstance(action, np.ndarray) else [action]):
            return self._step_chunk(action)
        else:
            actions = self._as_batch(action)
        obs, rewards, terminated, truncated, info = batch.step_one(actions)
        is_first = bool(info["episode_length"] == 1)
        kind = StepType.of(terminated.item(0), truncated.item(0), is_first)
        first = batch.row_obs(obs, 0)
        return EnvStep(self._spec, action, rewards.item(0), first, info, kind)

    def _step_chunk(self, actions: Any) -> ChunkStep:
        obs, rewards, terminations, truncations, info = self._batch.step_one(np.asarray(actions)[None])
        first = self._batch.row_obs(obs, 0)
        return ChunkStep(self._spec, actions, rewards[0], terminations[0], truncations[0], first, info)

    def _as_batch(self, action: Any) -> Any:
        """Returns the batch of one row that has an action, of which only the shape is checked."""
        actions = batches.of_one(self.action_space, action)
        shape = self.action_space.shape
        if shape is not None and isinstance(actions, np.ndarray) and actions.shape[1:] != shape:
            raise WrongValue(
                f"action must have the shape {shape}, not {actions.shape[1:]}.", argument="action"
            )
        return actions

    def render(self, mode: str | None = None) -> Any:
        """Returns the picture that `render_mode` asks for, or one in another mode.

        Args:
            mode: one of the world's modes; None for the `render_mode` that the environment was made with. In another
                mode a second simulator draws, which takes the state over at each call.

        Returns:
            (height, width, 3) uint8 for "rgb_array"; (height, width) float32, metres, for "depth_array"; None for
            "human", which draws into a window.

        Raises:
            RuntimeError: there was no reset yet; or `mode` is None, and the environment was made without one.
            ValueError: the world does not have this mode.
        """
        if mode is None or mode == self.render_mode:
            return self._batch.render()[0]
        painter = self._painters.get(mode)
        if painter is None:
            check_choice("mode", mode, self.metadata["render_modes"])
            painter = self._painters[mode] = self._batch.with_render_mode(mode)
        painter.set_state(self._batch.get_state())
        return painter.render()[0]

    def camera_matrices(self, name: str | None = None) -> CameraMatrices:
        """Returns where a camera stands, and how it projects onto a picture of `width` and `height`.

        It is where pictures that are observed show it from: `camera_poses` count.

        Args:
            name: the camera; None for the one whose picture `render` returns.

        Returns:
            `CameraMatrices`: intrinsics (3, 3) in pixels, extrinsics (4, 4) in metres.

        Raises:
            ValueError: there is no such camera, or the world's pictures have none.
            RuntimeError: there was no reset yet.
        """
        intrinsics, extrinsics = self._batch.camera_matrices(name)
        return CameraMatrices(intrinsics[0], extrinsics[0])

    def close(self) -> None:
        """Frees the simulator."""
        for each in (self._batch, *self._painters.values()):
            each.close()

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Takes a snapshot of everything that decides the future, also in mid-episode.

        Returns:
            Arrays by name, as from `TaskVectorEnv.get_state`: `numpy.savez(path, **state)` saves them.

        Raises:
            RuntimeError: a step was left half-way.
        """
        return self._batch.get_state()

    def set_state(
        self, state: Mapping[str, NDArray[Any]] | str | os.PathLike[str], row: int | None = None
    ) -> None:
        """Goes back to a snapshot, or to a row of a batch's snapshot.

        Args:
            state: what `get_state` returned, here or of a batch; or the path of the .npz file that it was saved in.
            row: which row of a batch's snapshot; None for a single environment's.

        Raises:
            ValueError: the snapshot is of other skills, rewards, limits or versions, so it could not be exact; or it is
                damaged; or there is no such row. Then nothing has changed.
        """
        self._batch.set_state(state, row)

    def get_checkpoint(self) -> tuple[str, dict[str, Any]]:
        """Returns which tasks come next, as Meta-World's environments do at the end of an epoch.

        It has no physics, so it is exact between episodes; `get_state` is exact everywhere.

        Returns:
            The environment's name, and a dictionary that can be saved as JSON.
        """
        checkpoint: tuple[str, dict[str, Any]] = self._batch.call("get_checkpoint")[0]
        return checkpoint

    def load_checkpoint(self, checkpoints: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Goes back to a checkpoint; the next reset goes on from there.

        Args:
            checkpoints: pairs that `get_checkpoint` returned, among them that of this environment's name.

        Raises:
            ValueError: there is none of this name, or it is not what `get_checkpoint` returned.
        """
        self._batch.call("load_checkpoint", checkpoints)

    def __getattr__(self, name: str) -> Any:
        """Returns an attribute of the official environment, such as `model` or `data`, but not a method."""
        if "_batch" not in self.__dict__ or not metaworld_names.may_be_read(name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        try:
            return self._batch.get_attr(name)[0]
        except (AttributeError, RuntimeError) as error:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}: {error}"
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if not metaworld_names.assign(self, self.__dict__.get("_batch"), name, [value]):
            super().__setattr__(name, value)

    def set_wrapper_attr(self, name: str, value: Any, *, force: bool = True) -> bool:
        """Sets an attribute, as plain assignment does; wrappers of Gymnasium call it.

        Args:
            name: the attribute.
            value: its new value.
            force: whether to define it where there is none of this name.

        Returns:
            Whether it was set.
        """
        return super().set_wrapper_attr(name, value, force=force or metaworld_names.has_meaning(name))

    def __repr__(self) -> str:
        name, tasks, batch = type(self).__name__, len(self._batch.tasks[0]), self._batch
        return f"{name}({batch.benchmark.name}, split={batch.split}, tasks={tasks}, engine={batch.strategy})"

    def _repr_html_(self) -> str:
        return environment_html(self._batch, title=type(self).__name__, single=True)

    def __getstate__(self) -> dict[str, Any]:
        return {"batch": self._batch, "spec": self.spec}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.guard = Guard()
        self._batch = state["batch"]
        self._painters = {}
        self._take_spaces()
        self._spec = state["spec"]


def _check_one_world(benchmark: Benchmark, split: str) -> None:
    """Raises WrongValue if a benchmark's skills are of several worlds, which only a batch can serve."""
    names = benchmark.env_names(split)
    worlds = list(dict.fromkeys(map(world_of, names)))
    if len(worlds) > 1:
        raise WrongValue(
            f"{benchmark.name} has skills of {len(worlds)} worlds ({worlds[0].name}, {worlds[1].name}"
            f"{', ...' if len(worlds) > 2 else ''}), and a single environment is of one world. Make a batch, in which "
            f"each row serves one: make_vec(..., pad=True); or a single environment of one skill: make({names[0]!r})."
        )
