"""The classic meta-RL environments, one at a time: garage's half-cheetahs, and the literature's ant and walker.

Each is an environment of `taskworlds.make` under garage's protocol: `sample_tasks` draws from the distribution of the
literature, and `set_task` takes what it returned. For batches, benchmarks, trials and processes use
`taskworlds.make_vec`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from taskworlds.compat.garage.infos import as_arrays, episode_info, step_info
from taskworlds.compat.garage.step_wrapper import no_episode
from taskworlds.core.benchmark import Benchmark
from taskworlds.core.chunk_step import check_no_chunk
from taskworlds.core.errors import WrongType, WrongValue, check_count, check_seed, check_switch
from taskworlds.core.spaces import garage_space
from taskworlds.core.step import EnvSpec, EnvStep
from taskworlds.core.task import Task
from taskworlds.vector.options import Options
from taskworlds.vector.task_env import TaskEnv
from taskworlds.worlds.locomotion.skill import EPISODE_LENGTH
from taskworlds.worlds.locomotion.skills import skill

__all__ = ["AntDirEnv", "AntGoalEnv", "HalfCheetahDirEnv", "HalfCheetahVelEnv", "Walker2dRandParamsEnv"]


class LocomotionEnv(TaskEnv):
    """Base of the environments below: one locomotion skill, whose task is set or drawn."""

    env_name: ClassVar[str]
    set_task_starts_episode: ClassVar[bool] = True

    def __init__(
        self,
        task: Mapping[str, Any] | Task | None = None,
        max_episode_length: int = EPISODE_LENGTH,
        partially_observable: bool = True,
        render_mode: str | None = None,
        camera_name: str | None = None,
        camera_id: int | None = None,
        width: int = 480,
        height: int = 480,
        *,
        seed: int | None = 0,
    ) -> None:
        """Makes an environment of the class's skill.

        Args:
            task: what `set_task` takes; None for the class's default.
            max_episode_length: most steps of an episode.
            partially_observable: whether the goal is hidden. Otherwise its numbers are the last ones of the
                observation. This holds for all tasks of the environment.
            render_mode: what `render()` returns: "rgb_array", "depth_array", or "human" for a window.
            camera_name: camera of the picture, by name; None for one that follows the body.
            camera_id: camera of the picture, by number.
            width: the picture's width, pixels.
            height: the picture's height, pixels.
            seed: seeds the environment's generator, from which `sample_tasks` draws, until a `reset(seed=...)`; None
                for fresh entropy.

        Raises:
            TypeError: an argument is of the wrong type.
            ValueError: an argument is out of range, or the task and `partially_observable` disagree.
        """
        limit = check_count("max_episode_length", max_episode_length)
        hidden = check_switch("partially_observable", partially_observable)
        first = self._task_of(skill(self.env_name).default if task is None else task, hidden)
        skill(self.env_name).check_task(first)
        if first["partially_observable"] is not hidden:
            raise WrongValue(
                f"partially_observable is {hidden}, but the task has {first['partially_observable']}: both must agree."
            )
        picture: dict[str, Any] = {
            "render_mode": render_mode,
            "camera_name": camera_name,
            "camera_id": camera_id,
            "width": width,
            "height": height,
        }
        options = Options(task_select="fixed", max_episode_steps=limit, **picture)
        super().__init__(Benchmark(self.env_name, (first,)), strategy="sync", options=options, seed=seed)
        own = {name: value for name, value in first.params.items() if name != "partially_observable"}
        self.spec = EnvSpec(
            self.observation_space,
            self.action_space,
            limit,
            entry_point=f"{type(self).__module__}:{type(self).__qualname__}",
            kwargs={"task": own, "max_episode_length": limit, "partially_observable": hidden, "seed": seed}
            | picture,
        )

    def _take_spaces(self) -> None:
        super()._take_spaces()
        self.observation_space = garage_space(self.observation_space)
        self.action_space = garage_space(self.action_space)

    @property
    def render_modes(self) -> list[str]:
        """Names of the modes in which the environment can be rendered."""
        return list(self.metadata["render_modes"])

    @property
    def partially_observable(self) -> bool:
        """Whether the goal is hidden from the observation."""
        hidden: bool = self.benchmark.train_tasks[0]["partially_observable"]
        return hidden

    @property
    def num_tasks(self) -> int:
        """Not defined: tasks are drawn from a distribution, so `samplers` may ask for any number of them."""
        raise AttributeError(
            f"{type(self).__name__} draws its tasks from a distribution, so it has no num_tasks"
        )

    def sample_tasks(self, num_tasks: int, *, seed: int | None = None) -> list[dict[str, Any]]:  # type: ignore[override]
        """Draws tasks from the skill's distribution.

        Args:
            num_tasks: number of tasks, at least 1.
            seed: seed of a generator for these tasks alone; None for the environment's own generator, which
                `reset(seed=...)` seeds.

        Returns:
            Dictionaries of the skill's parameters, for `set_task`.
        """
        rng = self.np_random if seed is None else np.random.default_rng(check_seed(seed))
        return [skill(self.env_name).draw(rng) for _ in range(check_count("num_tasks", num_tasks))]

    def set_task(self, task: Mapping[str, Any] | Task) -> None:
        """Sets the task and starts an episode of it.

        The next call may be `step`, or `reset` for the first observation; later resets keep the task.

        Args:
            task: a dictionary of the skill's parameters, as `sample_tasks` returns; or a `Task` of the skill.

        Raises:
            TypeError: task is neither, or a parameter is of the wrong type.
            ValueError: a parameter is missing, unknown or out of range; or the task shows a goal that the environment
                hides, or the reverse.
        """
        super().set_task(self._task_of(task, self.partially_observable))
        self.reset()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode of the task that is set.

        Args:
            seed: seeds the generator from which `sample_tasks` draws, and decides the start; None to go on.
            options: a dictionary with the key `task`, a `Task`: the task of this episode. Later ones have the task of
                `set_task`, if it was called.

        Returns:
            The first observation, (O,) float64, and info, with the "goal" of the task.

        Raises:
            TypeError: an option is not known.
            ValueError: the task does not fit, or the seed is out of range.
        """
        observation, info = super().reset(seed=seed, options=options)
        return observation, self._info(info)

    def step(self, action: Any) -> EnvStep:
        """Takes one step.

        Args:
            action: the torques, (A,), finite; the simulator clips them to [-1, 1].

        Returns:
            The `EnvStep`: observation (O,) float64, reward (float), terminated, truncated, and info, which has the same
            keys at all steps.

        Raises:
            RuntimeError: no episode is under way: call reset() or set_task().
            ValueError: the action has the wrong shape, or is not finite.
        """
        if not self.batch.progress.running[0]:
            raise no_episode(self)
        check_no_chunk(self.action_space, action)
        step = super().step(action)
        info = self._info({"diverged": 0.0} | step.env_info)
        return EnvStep(step.env_spec, step.action, step.reward, step.observation, info, step.step_type)

    def _info(self, info: dict[str, Any]) -> dict[str, Any]:
        """Returns what info says in garage's terms: a `task_id` would be an index, which these tasks do not have."""
        return {name: value for name, value in step_info(info).items() if name != "task_id"}

    def _task_of(self, task: Any, hidden: bool) -> Task:
        if isinstance(task, Task):
            if task.env_name != self.env_name:
                raise WrongValue(
                    f"task must be of {self.env_name}, not of {task.env_name}: {task!r}.", argument="task"
                )
            return task
        if not isinstance(task, Mapping):
            names = " and ".join(repr(name) for name in skill(self.env_name).params)
            raise WrongType(
                f"task must be a dictionary with {names}, as sample_tasks returns, or a Task, not {task!r}.",
                argument="task",
            )
        return Task(self.env_name, {"partially_observable": hidden, **task})


class HalfCheetahEnv(LocomotionEnv):
    """Base of garage's two half-cheetahs, whose infos hold arrays of one number."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode of the task that is set.

        Args:
            seed: seeds the generator from which `sample_tasks` draws, and decides the start; None to go on.
            options: a dictionary with the key `task`, a `Task`: the task of this episode. Later ones have the task of
                `set_task`, if it was called.

        Returns:
            The first observation, (O,) float64, and info, which holds arrays only.

        Raises:
            TypeError: an option is not known.
            ValueError: the task does not fit, or the seed is out of range.
        """
        observation, info = super().reset(seed=seed, options=options)
        return observation, episode_info(info)

    def _info(self, info: dict[str, Any]) -> dict[str, Any]:
        return as_arrays(super()._info(info))


class HalfCheetahVelEnv(HalfCheetahEnv):
    """A half-cheetah that should run at the velocity of its task.

    A task is `{"velocity": v}`, in m/s; `sample_tasks` draws it uniformly from 0 to 2. By default the
    velocity is 0. Episodes never terminate.

    Reward: minus the distance between the mean velocity of the step and the task's, less 0.05 times the sum of the
    action's squares.
    Observation: Gymnasium's HalfCheetah-v5, (17,) float64. Action: torques, (6,) float32, -1 to 1.
    Info, besides Gymnasium's: "reward_forward", "reward_ctrl", "task_vel", "goal". All numbers are in arrays, (1,)
    float64, as garage's.

    Example:
        >>> env = HalfCheetahVelEnv({"velocity": 1.5})
        >>> obs, info = env.reset(seed=0)
        >>> step = env.step(np.zeros(6))
        >>> step.reward == -abs(step.env_info["x_velocity"].item() - 1.5)
        True
        >>> [0.0 <= task["velocity"] <= 2.0 for task in env.sample_tasks(2)]
        [True, True]
    """

    env_name = "half-cheetah-vel"


class HalfCheetahDirEnv(HalfCheetahEnv):
    """A half-cheetah that should run forward or backward, depending on its task.

    A task is `{"direction": d}`, 1.0 (forward, the default) or -1.0 (backward); `sample_tasks` draws both with the same
    probability. Episodes never terminate.

    Reward: the mean velocity of the step times the direction, less 0.05 times the sum of the action's squares.
    Observation: Gymnasium's HalfCheetah-v5, (17,) float64. Action: torques, (6,) float32, -1 to 1.
    Info, besides Gymnasium's: "reward_forward", "reward_ctrl", "task_dir", "goal". All numbers are in arrays, (1,)
    float64, as garage's.

    Example:
        >>> env = HalfCheetahDirEnv()
        >>> env.set_task({"direction": -1.0})
        >>> step = env.step(np.zeros(6))
        >>> step.reward == -step.env_info["x_velocity"].item()
        True
    """

    env_name = "half-cheetah-dir"


class AntDirEnv(LocomotionEnv):
    """An ant that should run in the direction of its task.

    A task is `{"angle": a}`, in radians from the x axis towards y; `sample_tasks` draws it uniformly from the circle.
    By default the angle is 0. An episode terminates when the torso is below 0.2 m or above 1 m.

    Reward: the torso's mean velocity in the direction during the step, plus 1 while the torso's height is healthy, less
    0.5 times the sum of the action's squares, less Gymnasium's contact cost.
    Observation: Gymnasium's Ant-v5, (105,) float64. Action: torques, (8,) float32, -1 to 1.
    Info, besides Gymnasium's: "reward_forward", "reward_ctrl", floats; "goal", the direction, (2,) float64.

    Example:
        >>> env = AntDirEnv({"angle": np.pi / 2})
        >>> obs, info = env.reset(seed=0)
        >>> info["goal"].round(6).tolist()
        [0.0, 1.0]
    """

    env_name = "ant-dir"


class AntGoalEnv(LocomotionEnv):
    """An ant that should go to the place of its task.

    A task is `{"goal": (x, y)}`, in metres from the start; `sample_tasks` draws it uniformly from the disc of radius 3.
    By default the place is (3, 0). Episodes never terminate.

    Reward: minus the distance to the goal along x and along y after the step, less 0.1 times the sum of the action's
    squares, less Gymnasium's contact cost.
    Observation: Gymnasium's Ant-v5 with the place in x and y, (107,) float64. Action: torques, (8,) float32, -1 to 1.
    Info, besides Gymnasium's: "reward_forward" (the goal's part), "reward_ctrl", floats; "goal", (2,) float64.

    Example:
        >>> env = AntGoalEnv({"goal": (1.0, -2.0)}, partially_observable=False)
        >>> obs, info = env.reset(seed=0)
        >>> obs.shape, obs[-2:].tolist()
        ((109,), [1.0, -2.0])
    """

    env_name = "ant-goal"


class Walker2dRandParamsEnv(LocomotionEnv):
    """A walker that should walk forward, with the body of its task.

    A task has multipliers, above 0, of four arrays of the MuJoCo model: "body_mass" (8 numbers), "body_inertia"
    (8 times 3), "dof_damping" (9) and "geom_friction" (8 times 3). `sample_tasks` draws 1.3 to the power of U(-3, 3)
    for damping and 1.5 to the power of U(-3, 3) for the rest. By default all are 1, Gymnasium's body. An episode
    terminates when the walker falls.

    Reward: the mean velocity of the step, plus 1 while the walker is healthy, less 0.001 times the sum of the action's
    squares, as Gymnasium's.
    Observation: Gymnasium's Walker2d-v5, (17,) float64. Action: torques, (6,) float32, -1 to 1.
    Info, besides Gymnasium's: "goal", the multipliers in the order above, (65,) float64.

    Example:
        >>> env = Walker2dRandParamsEnv()
        >>> obs, info = env.reset(seed=0)
        >>> built = env.model.body_mass.copy()
        >>> task = env.sample_tasks(1)[0]
        >>> env.set_task(task)
        >>> bool((env.model.body_mass == built * task["body_mass"]).all())
        True
    """

    env_name = "walker2d-rand-params"
