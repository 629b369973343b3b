"""AMAGO's trials in Meta-World: `KEpisodeMetaworld` over a benchmark, and `Metaworld` by the benchmark's name.

A trial is k attempts at one task that the agent does not know. Between attempts only the arm and the objects go back to
their start (a soft reset), so an agent with memory can use in one attempt what it learned in the previous ones. Both
classes are views of `taskworlds.make(..., k_episodes=k)`.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.utils import seeding
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.benchmark import SPLITS, Benchmark
from taskworlds.core.benchmark import benchmark as make_benchmark
from taskworlds.core.chunk_step import check_no_chunk
from taskworlds.core.errors import (
    WrongType,
    WrongValue,
    check_choice,
    check_count,
    check_seed,
    unexpected_keywords,
)
from taskworlds.core.step import EnvSpec, EnvStep, SpecMixin
from taskworlds.core.task import Task
from taskworlds.vector.keywords import RenderMode
from taskworlds.vector.make import make
from taskworlds.vector.options import Options
from taskworlds.vector.task_env import TaskEnv
from taskworlds.worlds.metaworld.skills import SKILLS, canonical_name

__all__ = ["KEpisodeMetaworld", "Metaworld"]

LOG_PREFIX = "AMAGO_LOG_METRIC"  # AMAGO logs the entries of info whose names begin so

_BENCHMARKS = ("ml10", "ml25", "ml45")
_KEYWORDS = {"k_episodes", "max_episode_length", "reward_scales", "seed", "render_mode"}
_FIXED = {
    "max_episode_steps",
    "task_select",
    "sample_tasks_on_reset",
    "autoreset_mode",
}  # decided by this class
_OPTIONS = {field.name for field in dataclasses.fields(Options)} - _FIXED - _KEYWORDS | {"vector_strategy"}


class KEpisodeMetaworld(SpecMixin, gymnasium.Env[Any, Any]):  # type: ignore[misc]  # spec is narrower
    """Trials of k attempts at one task, on Gymnasium's API.

    `reset` begins a trial: it draws a skill, each with the same probability, and then one of that skill's tasks. When
    an attempt other than the last ends, the same `step` resets the task and returns the first observation of the next
    attempt. The trial ends with its last attempt: `terminated` if the task ended that attempt, `truncated` if the time
    limit did. `step` returns an `EnvStep`.

    An observation is the environment's, followed by a flag: 1 where an attempt begins, at a reset and at a soft reset,
    and 0 elsewhere.

    Info has, at reset and at each step, `task_name` (the skill), `task_id` (`Task.id`), `goal` (its position) and
    `goal_idx` (the task's index among the skill's tasks of the split, -1 for a task from elsewhere); at each step it
    also has what the environment reports, such as `success`, and the entries of `taskworlds.make(..., k_episodes=k)`
    about the attempt, whose returns are those before `reward_scales`. The step that ends attempt i of 0 to k-1 adds:

    - `final_obs`: the last observation of the attempt, with flag 0. At the trial's end it equals the observation that
      the step returns.
    - `AMAGO_LOG_METRIC Trial {i} Success`: 1.0 if any step of the attempt succeeded, else 0.0.
    - `AMAGO_LOG_METRIC Trial {i} Return`: the sum of the attempt's rewards, as `step` returned them.
    - at the trial's end, `AMAGO_LOG_METRIC Total Successes` and `AMAGO_LOG_METRIC Total Trial Return`: their sums over
      the k attempts. (AMAGO itself logs a Total Return.)

    Args:
        benchmark: a `taskworlds.Benchmark`, one of Meta-World's own benchmark objects, or a list of tasks.
        split: "train" or "test": the tasks that trials are drawn from.
        k_episodes: attempts of a trial, K.
        max_episode_length: steps after which an attempt is truncated.
        reward_scales: factors for the rewards of some skills, by the skill's name; None for the class's own
            `reward_scales`, which a subclass may set.
        seed: seeds the draws of the trials, until a `reset(seed=...)`; None for fresh entropy. If `benchmark` is
            a name, also the seed of its goals; a seeded reset then warns, once, that None does not fix these.
        render_mode: None, "rgb_array", "depth_array" or "human".
        **options: more keywords of `taskworlds.make`: `terminate_on_success` (off by default; ends an attempt on its
            first success), `reward_function_version`, `vector_strategy` and so on. The keywords that decide which task
            comes next, or when an attempt is truncated, are not among them.

    Attributes:
        benchmark: the tasks, as a `Benchmark`.
        split: as given.
        k_episodes: as given.
        max_episode_length: as given.
        reward_scales: factor of the reward by the skill's name; 1 for a skill that is missing. Read at each reset.
        task: the trial's task; None before the first reset.
        spec: the `EnvSpec`; its `max_episode_length` is that of a trial, K times an attempt's.

    Raises:
        TypeError: a keyword is not known, or an argument has the wrong type.
        ValueError: an argument is out of range, or the split has no tasks.

    Example:
        >>> import taskworlds
        >>> env = KEpisodeMetaworld(taskworlds.benchmark("ML1", "reach-v3", seed=0), "train", 2, 3)
        >>> obs, info = env.reset(seed=0)
        >>> obs.shape, float(obs[-1]), info["task_name"], info["goal_idx"]
        ((40,), 1.0, 'reach-v3', 42)
        >>> for _ in range(6):
        ...     obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
        ...     names = [name.removeprefix("AMAGO_LOG_METRIC ") for name in info if "AMAGO" in name]
        ...     print(float(obs[-1]), truncated, sorted(names))
        0.0 False []
        0.0 False []
        1.0 False ['Trial 0 Return', 'Trial 0 Success']
        0.0 False []
        0.0 False []
        0.0 True ['Total Successes', 'Total Trial Return', 'Trial 1 Return', 'Trial 1 Success']
    """

    metadata: ClassVar[dict[str, Any]] = TaskEnv.metadata  # type: ignore[misc]
    reward_scales: Mapping[str, float] = {}

    def __init__(
        self,
        benchmark: Benchmark | Any,
        split: str,
        k_episodes: int,
        max_episode_length: int = 500,
        *,
        reward_scales: Mapping[str, float] | None = None,
        seed: int | None = 0,
        render_mode: RenderMode | None = None,
        **options: Any,
    ) -> None:
        unknown = [name for name in options if name not in _OPTIONS]
        if unknown:
            raise unexpected_keywords(f"{type(self).__name__}()", unknown, _OPTIONS | _KEYWORDS)
        self.benchmark = Benchmark.of(benchmark, **({"seed": seed} if isinstance(benchmark, str) else {}))
        self.split = check_choice("split", split, SPLITS)
        self.k_episodes = check_count("k_episodes", k_episodes)
        self.max_episode_length = check_count("max_episode_length", max_episode_length)
        if reward_scales is not None:
            self.reward_scales = _by_present_name(reward_scales)
        _by_present_name(self.reward_scales)  # raises for an unknown skill
        if seed is not None:
            self._np_random, self._np_random_seed = seeding.np_random(check_seed(seed))
        self.render_mode = render_mode
        self._env = make(
            self.benchmark,
            split=split,
            k_episodes=self.k_episodes,
            max_episode_steps=self.max_episode_length,
            task_select="fixed",  # each reset is given its task
            seed=seed,
            render_mode=render_mode,
            names_in_info=True,
            **({"terminate_on_success": False} | options),
        )
        self.action_space = self._env.action_space
        self.observation_space = self._env.observation_space
        self._tasks = self.benchmark.by_skill(split)

        self.task: Task | None = None
        self._goal_idx = -1
        self._scale = 1.0  # factor of the reward in this trial
        self._return = 0.0  # of the attempt under way, scaled
        self._returns: list[float] = []  # of the trial's attempts that have ended
        self._successes: list[float] = []  # likewise

        self._describe(
            self.benchmark.name,
            {
                "benchmark": self.benchmark,
                "split": split,
                "k_episodes": self.k_episodes,
                "max_episode_length": self.max_episode_length,
                "reward_scales": reward_scales,
                "seed": seed,
                "render_mode": render_mode,
            }
            | options,
        )

    def _describe(self, name: str, kwargs: dict[str, Any]) -> None:
        """Sets the name and the spec, from which `spec.make()` builds the environment again."""
        self._name = name
        self._spec = EnvSpec(
            self.observation_space,
            self.action_space,
            self.k_episodes * self.max_episode_length,
            entry_point=f"{type(self).__module__}:{type(self).__qualname__}",
            kwargs=kwargs,
        )

    @property
    def env_name(self) -> str:
        """The trial's skill, for logs and file names; before the first reset, the benchmark's name."""
        if self.task is None:
            return f"metaworld_{self._name}".replace("/", "_")
        return self.task.env_name

    def get_env_funcs(
        self, benchmark: Benchmark | Any, train_set: bool
    ) -> Mapping[str, Callable[..., gymnasium.Env[Any, Any]]]:
        """Returns functions that make a single environment of one skill, by the skill's name.

        Args:
            benchmark: as for the constructor.
            train_set: whether the environments hold the train tasks, or else the test tasks.

        Returns:
            Functions without arguments, in the benchmark's order; each makes an environment whose `tasks` are those of
            the skill.
        """
        benchmark = Benchmark.of(benchmark)
        return benchmark.train_classes if train_set else benchmark.test_classes

    def get_obs(self, og_obs: ArrayLike, soft_reset: bool) -> NDArray[np.float64]:
        """Makes an observation of this environment; a subclass may make another.

        Args:
            og_obs: observation of the attempt's environment, (O,) float64.
            soft_reset: whether an attempt begins with it.

        Returns:
            A new array, (O + 1,) float64: `og_obs`, followed by the flag.
        """
        return np.append(np.asarray(og_obs, dtype=np.float64), float(soft_reset))

    def _observe(self, flagged: NDArray[np.float64]) -> NDArray[np.float64]:
        """Makes an observation from one of `make(k_episodes=)`, which ends with the flag."""
        return self.get_obs(flagged[:-1], bool(flagged[-1]))

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Begins a trial on a newly drawn task.

        Args:
            seed: fixes the tasks of this and the following trials, and with them goals and states; None to go on with
                the generator as it is.
            options: `task`, the trial's task: a `Task` or one of Meta-World's own.

        Returns:
            Observation (O + 1,) float64 with flag 1, and info.

        Raises:
            TypeError: an option is not known.
            ValueError: the task is not of one of the benchmark's skills, or the seed is out of range.
        """
        options = dict(options or {})
        task = options.pop("task", None)
        if options:
            raise WrongType(f"reset takes the option task, not {', '.join(sorted(map(str, options)))}.")
        super().reset(seed=None if seed is None else check_seed(seed))
        task = self._draw() if task is None else Task.of(task)
        obs, info = self._env.reset(seed=seed, options={"task": task})
        self.task = task
        mine = self._tasks.get(task.env_name, ())
        self._goal_idx = mine.index(task) if task in mine else -1
        self._scale = _by_present_name(self.reward_scales).get(task.env_name, 1.0)
        self._return = 0.0
        self._returns, self._successes = [], []
        return self._observe(obs), info | {"goal_idx": self._goal_idx}

    def step(self, action: ArrayLike) -> EnvStep:
        """Takes one step, and begins the next attempt if this one ended with it.

        Args:
            action: (A,), finite.

        Returns:
            The `EnvStep`: observation (O + 1,) float64, reward (float), terminated, truncated and info. Its
            `step_type` is that of the trial: FIRST for the first step after `reset`, not after a soft reset.

        Raises:
            RuntimeError: no trial is under way: call reset().
            ValueError: the action has the wrong shape or is not finite.
        """
        if self.task is None or len(self._returns) == self.k_episodes:
            raise RuntimeError(
                f"{type(self).__name__}.step needs a trial under way. Call reset() before the first step, and after "
                "each step that terminates or truncates."
            )
        check_no_chunk(self.action_space, action)
        step = self._env.step(action)
        reward = step.reward * self._scale
        self._return += reward
        obs = self._observe(step.observation)
        info = step.env_info | {"goal_idx": self._goal_idx}
        info.pop("episode", None)  # the name under which Gymnasium's recorders sum up a trial
        last_obs = info.pop("attempt_final_obs")
        if info["attempt_ended"]:
            info["final_obs"] = obs.copy() if step.last else self._observe(last_obs)
            info |= self._end_attempt(float(info["attempt_success"]))
        return EnvStep(self.spec, action, reward, obs, info, step.step_type)

    def render(self) -> Any:
        """Returns the picture that `render_mode` asks for.

        Raises:
            RuntimeError: the environment was made without a `render_mode`, or was not reset yet.
        """
        return self._env.render()

    def close(self) -> None:
        """Frees the simulator."""
        self._env.close()

    def _draw(self) -> Task:
        names = list(self._tasks)
        tasks = self._tasks[names[int(self.np_random.integers(len(names)))]]
        return tasks[int(self.np_random.integers(len(tasks)))]

    def _end_attempt(self, success: float) -> dict[str, float]:
        """Notes how the attempt went, and returns its metrics; after the trial's last also the totals."""
        trial = len(self._returns)
        metrics = {f"Trial {trial} Success": success, f"Trial {trial} Return": self._return}
        self._returns.append(self._return)
        self._successes.append(success)
        self._return = 0.0
        if len(self._returns) == self.k_episodes:
            metrics |= {"Total Successes": sum(self._successes), "Total Trial Return": sum(self._returns)}
        return {f"{LOG_PREFIX} {name}": value for name, value in metrics.items()}


class Metaworld(KEpisodeMetaworld):
    """Trials of k attempts at the tasks of a meta-learning benchmark, made from its name.

    Like `KEpisodeMetaworld`, but stricter about actions: they must lie in [-1, 1], as those of AMAGO's agents do.

    Args:
        benchmark_name: "ml10", "ml25" or "ml45"; or a skill's name, such as "reach-v3", for ML1 of that
            skill. A v2 name means the v3 skill, with a DeprecationWarning.
        split: "train" or "test".
        k_episodes: attempts of a trial, K.
        max_episode_length: steps after which an attempt is truncated.
        reward_scales: as for `KEpisodeMetaworld`.
        seed: seed of the goals (those of Meta-World's benchmark with this seed) and of the trials' draws; None as for
            `KEpisodeMetaworld`.
        render_mode: as for `KEpisodeMetaworld`.
        **options: as for `KEpisodeMetaworld`.

    Raises:
        TypeError: as for `KEpisodeMetaworld`.
        ValueError: the benchmark or skill is not known; and as for `KEpisodeMetaworld`.

    Example:
        >>> env = Metaworld("ml10", "test", k_episodes=3, seed=0)
        >>> env.env_name
        'metaworld_ml10'
        >>> obs, info = env.reset(seed=1)
        >>> env.env_name, env.spec.max_episode_length
        ('shelf-place-v3', 1500)
    """

    def __init__(
        self,
        benchmark_name: str,
        split: str,
        k_episodes: int,
        max_episode_length: int = 500,
        *,
        reward_scales: Mapping[str, float] | None = None,
        seed: int | None = 0,
        render_mode: RenderMode | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            _benchmark_of(benchmark_name, seed),
            split,
            k_episodes,
            max_episode_length,
            reward_scales=reward_scales,
            seed=seed,
            render_mode=render_mode,
            **options,
        )
        kwargs = self._spec.kwargs
        del kwargs["benchmark"]
        self._describe(benchmark_name, {"benchmark_name": benchmark_name} | kwargs)

    def step(self, action: ArrayLike) -> EnvStep:
        """Takes one step; see `KEpisodeMetaworld.step`.

        Args:
            action: (4,), in [-1, 1].

        Returns:
            The `EnvStep`, as `KEpisodeMetaworld.step`.

        Raises:
            RuntimeError: no trial is under way: call reset().
            ValueError: the action has the wrong shape, or does not lie in [-1, 1].
        """
        if not (np.abs(action) <= 1.0).all():
            raise WrongValue(
                f"action must lie in [-1, 1], not {np.asarray(action).tolist()}. Clip it, as in "
                "gymnasium.wrappers.ClipAction.",
                argument="action",
            )
        return super().step(action)


def _by_present_name(scales: Mapping[str, float]) -> dict[str, float]:
    """Returns reward scales with v3 names for v2 names; raises ValueError for an unknown skill."""
    return {canonical_name(name): factor for name, factor in scales.items()}


def _benchmark_of(name: str, seed: int | None) -> Benchmark:
    """Makes the benchmark that AMAGO knows by `name`."""
    if not isinstance(name, str):
        raise WrongType(
            f"benchmark_name must be a string, not {name!r}. KEpisodeMetaworld takes benchmark objects.",
            argument="benchmark_name",
        )
    if name.lower() in _BENCHMARKS:
        return make_benchmark(name.upper(), seed=seed)
    skills = [skill.name for skill in SKILLS]
    if name not in skills and name.replace("-v2", "-v3") not in skills:
        known = [*_BENCHMARKS, *skills]
        near = difflib.get_close_matches(name.lower(), known, n=3)
        suggestion = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise WrongValue(
            f"Unrecognized metaworld benchmark {name!r}.{suggestion} It must be {', '.join(_BENCHMARKS)} or a "
            "skill; `taskworlds list skills` shows the skills."
        )
    return make_benchmark("ML1", canonical_name(name), seed=seed)
