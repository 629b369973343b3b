"""mtrl's vector environments on Gymnasium's API: `VecEnv`, `MetaWorldVecEnv`, `build_metaworld_vec_env`.

Each environment runs in a process of its own. An observation is a dictionary: "env_obs", what the
environments observe, and "task_obs", the number of each one's task.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import multiprocessing.connection
import pickle
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from gymnasium.vector.async_vector_env import AsyncState, _async_worker
from gymnasium.vector.utils import batch_space

from taskworlds.benchmarks import Benchmark
from taskworlds.benchmarks import benchmark as make_benchmark
from taskworlds.errors import check_choice, check_count, check_seed
from taskworlds.task import Task
from taskworlds.types import ConfigType, EnvBuilderType, EnvMetaDataType, EnvObsType, ObsType, TaskObsType
from taskworlds.vector.make import make
from taskworlds.worlds import world_of
from taskworlds.worlds.metaworld.skills import canonical_name

__all__ = ["MetaWorldVecEnv", "VecEnv", "build_metaworld_vec_env"]

TENSORS = ("numpy", "torch")

_GRACE = 5.0  # seconds that a process whose pipe is broken gets to end, so that its exit code is known

Step = tuple[ObsType, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]


class VecEnv(AsyncVectorEnv):
    """A batch of n environments with dictionary observations, each in a process of its own.

    `reset` gives observations and infos; `step` gives observations, rewards (n,) float64, terminations and
    truncations (n,) bool, and infos. Observations are batched by key: "env_obs" (n, ...), "task_obs" (n,).
    Everything but the observations is in NumPy arrays always.

    An environment whose episode ends is reset in the same step: its observation is then the first of the new
    episode, and `infos["final_obs"][i]` and `infos["final_info"]` have what the old one ended with.

    If an environment raises an error, or its process dies, the error names it by index, id and mode, and all
    environments are closed.

    Args:
        env_metadata: "ids" and "mode", each with one value for each environment. Modes may be dotted, as in
            "eval.interpolation".
        env_fns: what makes each environment, in its process; the first is called here too, for its spaces.
        observation_space: the space of one environment's observations; None for that of the first. All must
            have it.
        action_space: the space of one environment's actions; None for that of the first. All must have it.
        shared_memory: whether observations come through shared memory, which is faster if they are large.
        copy: whether observations are the caller's own; if not, the next step writes to them.
        context: how processes start, "fork", "spawn" or "forkserver"; None for Python's default. "spawn"
            needs the code of the script to be under `if __name__ == "__main__":`.
        daemon: whether the processes end with this one. Daemons cannot start processes of their own.
        worker: what runs in each process, with the signature of Gymnasium's worker; None for that one.
        tensor: what observations are made of, "numpy" or "torch".
        autoreset_mode: what happens at the end of an episode, as in Gymnasium. DISABLED leaves it to the
            caller: `reset(options={"reset_mask": terminations | truncations})`.

    Raises:
        ImportError: `tensor="torch"` without PyTorch.
        TypeError: an argument is of the wrong type.
        ValueError: `env_metadata` does not fit, or the environments' spaces differ.

    Example:
        >>> import gymnasium
        >>> from gymnasium.spaces import Dict, Discrete
        >>> from gymnasium.wrappers import TransformObservation
        >>> def make_env(task):
        ...     env = gymnasium.make("CartPole-v1")
        ...     space = Dict({"env_obs": env.observation_space, "task_obs": Discrete(2)})
        ...     return TransformObservation(env, lambda obs: {"env_obs": obs, "task_obs": task}, space)
        >>> envs = VecEnv(
        ...     {"ids": [3, 5], "mode": ["train", "train"]},
        ...     [lambda: make_env(0), lambda: make_env(1)],
        ... )
        >>> obs, infos = envs.reset(seed=0)
        >>> obs["env_obs"].shape, obs["task_obs"].tolist(), envs.ids
        ((2, 4), [0, 1], [3, 5])
        >>> envs.close()
    """

    def __init__(
        self,
        env_metadata: EnvMetaDataType,
        env_fns: Sequence[EnvBuilderType],
        observation_space: gym.Space[Any] | None = None,
        action_space: gym.Space[Any] | None = None,
        shared_memory: bool = True,
        copy: bool = True,
        context: str | None = None,
        daemon: bool = True,
        worker: Callable[..., None] | None = None,
        *,
        tensor: str = "numpy",
        autoreset_mode: str | AutoresetMode = AutoresetMode.SAME_STEP,
    ) -> None:
        env_fns = list(env_fns)
        if not env_fns:
            raise ValueError("env_fns must have at least one function that makes an environment.")
        for index, env_fn in enumerate(env_fns):
            if not callable(env_fn):
                raise TypeError(
                    f"env_fns[{index}] must be a function that makes an environment, not {env_fn!r}."
                )
        self._ids, self._mode = _check_metadata(env_metadata, len(env_fns))
        self._torch = _import_torch() if check_choice("tensor", tensor, TENSORS) == "torch" else None
        if not isinstance(autoreset_mode, AutoresetMode):
            modes = {mode.value: mode for mode in AutoresetMode}
            autoreset_mode = modes[check_choice("autoreset_mode", autoreset_mode, tuple(modes))]
        self._given_observation_space, self._given_action_space = observation_space, action_space
        try:
            super().__init__(
                self._row_fns(env_fns),
                shared_memory=shared_memory,
                copy=copy,
                context=context,
                daemon=daemon,
                worker=worker or _worker,
                autoreset_mode=autoreset_mode,
            )
        except BaseException:
            self._abandon()
            raise

    @staticmethod
    def _row_fns(env_fns: list[EnvBuilderType]) -> list[EnvBuilderType]:
        return [functools.partial(_make_row, env_fn) for env_fn in env_fns]

    @property
    def ids(self) -> list[Any]:
        """The id of each environment, as in `env_metadata`."""
        return list(self._ids)

    @property
    def mode(self) -> list[str]:
        """The mode of each environment, as in `env_metadata`."""
        return list(self._mode)

    # --- episodes --------------------------------------------------------------------------------------

    def reset_async(
        self, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> None:
        """Begins a reset; `reset_wait` gives its outcome.

        Args:
            seed: environment i is reset with `seed + i`, or with the i-th of a list; None goes on with the
                generators as they are.
            options: for each environment's own reset; but `reset_mask`, (n,) bool, says which to reset.

        Raises:
            TypeError: a seed is not a whole number.
            ValueError: a seed is out of range, there are not as many as environments, or the mask does not
                fit.
        """
        seeds: Any = seed
        if isinstance(seed, Sequence | np.ndarray):
            seeds = [None if each is None else check_seed(each) for each in seed]
            if len(seeds) != self.num_envs:
                raise ValueError(
                    f"seed must have one entry for each of the {self.num_envs} environments, "
                    f"not {len(seeds)}."
                )
        elif seed is not None:
            seeds = check_seed(seed)
        if options is not None:
            options = dict(options)
            if "reset_mask" in options:
                options["reset_mask"] = self._mask(options["reset_mask"])
        with self._watched("reset"):
            super().reset_async(seeds, options)

    def reset_wait(self, timeout: float | None = None) -> tuple[ObsType, dict[str, Any]]:
        """Gives the outcome of the reset that `reset_async` began: observations and infos."""
        with self._watched("reset"):
            obs, infos = super().reset_wait(timeout)
        return self._tensors(obs), infos

    def step_async(self, actions: Any) -> None:
        """Begins a step; `step_wait` gives its outcome.

        Args:
            actions: one for each environment, of the shape of `action_space`: array, tensor or list.

        Raises:
            ValueError: the shape is another.
        """
        if hasattr(actions, "detach"):
            actions = actions.detach().cpu().numpy()
        expected = self.action_space.shape
        if expected is not None and np.shape(actions) != expected:
            raise ValueError(
                f"actions must have the shape {expected}, one for each of the {self.num_envs} environments, "
                f"not {np.shape(actions)}."
            )
        with self._watched("step"):
            super().step_async(actions)

    def step_wait(self, timeout: float | None = None) -> Step:
        """Gives the outcome of the step that `step_async` began: Gymnasium's five values."""
        with self._watched("step"):
            obs, rewards, terminations, truncations, infos = super().step_wait(timeout)
        if "final_obs" in infos:
            for index in np.flatnonzero(infos["_final_obs"]):
                infos["final_obs"][index] = self._tensors(infos["final_obs"][index])
        return self._tensors(obs), rewards, terminations, truncations, infos

    def _mask(self, mask: Any) -> np.ndarray:
        array = np.asarray(mask)
        if array.dtype != np.bool_ or array.shape != (self.num_envs,) or not array.any():
            raise ValueError(
                f"options['reset_mask'] must be a bool array of shape ({self.num_envs},), True for at least "
                f"one environment, not {mask!r}."
            )
        return array

    def _tensors(self, values: Any) -> Any:
        """Gives an observation, or a part of it, as `tensor` asks."""
        if isinstance(values, Mapping):
            return {key: self._tensors(value) for key, value in values.items()}
        return values if self._torch is None else self._torch.as_tensor(values)

    # --- the environments themselves -------------------------------------------------------------------

    def call_async(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        """Begins a call of each environment's method `name`; `call_wait` gives the results."""
        with self._watched(f"the call of {name}"):
            super().call_async(name, *args, **kwargs)

    def call_wait(self, timeout: float | None = None) -> tuple[Any, ...]:
        """Gives the results of the call that `call_async` began, one for each environment."""
        with self._watched("a call"):
            return super().call_wait(timeout)

    def set_attr(self, name: str, values: Any) -> None:
        """Sets an attribute of each environment: one value for all, or a list or tuple with one for each."""
        with self._watched(f"the setting of {name}"):
            super().set_attr(name, values)

    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        """Ends the processes, also if some have died already."""
        try:
            super().close_extras(timeout, terminate)
        except (EOFError, ConnectionError):
            super().close_extras(terminate=True)

    # --- checks and failures ---------------------------------------------------------------------------

    def _check_spaces(self) -> None:
        """Compares the environments' spaces; Gymnasium calls this when all processes have been started."""
        expected = _first(self._given_action_space, self.single_action_space)
        for index, space in enumerate(self._spaces("action_space")):
            if space != expected:
                raise ValueError(
                    f"All environments must have the action space {expected}, but that of {self._who(index)} "
                    f"is {space}."
                )
        self._check_observation_spaces(self._spaces("observation_space"))

    def _spaces(self, name: str) -> tuple[Any, ...]:
        with self._watched("the start"):
            super().call_async(name)
            return super().call_wait()

    def _check_observation_spaces(self, spaces: Sequence[Any]) -> None:
        expected = _first(self._given_observation_space, self.single_observation_space)
        for index, space in enumerate(spaces):
            if space != expected:
                raise ValueError(
                    f"All environments must have the observation space {expected}, but that of "
                    f"{self._who(index)} is {space}."
                )

    def _who(self, index: int) -> str:
        return f"environment {index} (id {self._ids[index]!r}, mode {self._mode[index]!r})"

    @contextlib.contextmanager
    def _watched(self, doing: str) -> Iterator[None]:
        """Turns a broken pipe into an error that names the environments whose processes have died."""
        try:
            yield
        except (EOFError, ConnectionError) as error:
            if self.closed:  # not a pipe's, but an environment's own error, which came through its pipe
                raise
            ended = multiprocessing.connection.wait([each.sentinel for each in self.processes], _GRACE)
            dead = []
            for index, process in enumerate(self.processes):
                if process.sentinel in ended:
                    process.join()
                    dead.append(f"{self._who(index)} with exit code {process.exitcode}")
            self._abandon()
            raise RuntimeError(
                f"A process died during {doing}: {', '.join(dead) or 'it is not known which'}. What it "
                "printed is on stderr. All environments are now closed: make them again. A process that dies "
                'at the start may miss `if __name__ == "__main__":` around the code of the script.'
            ) from error

    def _raise_if_errors(self, successes: Sequence[bool]) -> None:  # type: ignore[override]
        """Raises the error of the first environment that failed; Gymnasium calls this with every answer."""
        failures = list(successes).count(False)
        if not failures:
            return
        reports = [self.error_queue.get() for _ in range(failures)]
        index, kind, text, trace = min(reports, key=lambda report: report[0])
        self._abandon()
        message = f"In {self._who(index)}: {text} (All environments are now closed: make them again.)"
        try:
            error = kind(message)
        except Exception:  # a kind that takes other arguments than one text
            error = RuntimeError(message)
        raise error from RuntimeError(f"in the environment's own process:\n{trace}")

    def _abandon(self) -> None:
        """Ends all processes at once, also if not all of them have been started."""
        self.processes = [each for each in getattr(self, "processes", []) if each.pid is not None]
        self.parent_pipes = getattr(self, "parent_pipes", [])
        self._state = AsyncState.DEFAULT
        self.close(terminate=True)


class MetaWorldVecEnv(VecEnv):
    """A batch of n environments with array observations, beside which the number of each one is given.

    Observations are "env_obs", (n, d) in the environments' own dtype (float64 for Meta-World), and
    "task_obs", 0 ... n - 1, int64. The environments' spaces must have one shape and dtype. Where their bounds
    differ, `observation_space` has each one's own, and `single_observation_space` the least and greatest.

    Everything else is as in `VecEnv`.

    Args:
        env_metadata: as for `VecEnv`.
        env_fns: as for `VecEnv`.
        observation_space: the Box of one environment's array; None for the environments' own.
        action_space: as for `VecEnv`.
        shared_memory: as for `VecEnv`.
        copy: as for `VecEnv`.
        context: as for `VecEnv`.
        daemon: as for `VecEnv`.
        worker: as for `VecEnv`.
        tensor: as for `VecEnv`.
        autoreset_mode: as for `VecEnv`.

    Raises:
        ImportError: `tensor="torch"` without PyTorch.
        TypeError: an argument is of the wrong type.
        ValueError: `env_metadata` does not fit, or the environments' spaces differ.

    Example:
        >>> from functools import partial
        >>> from taskworlds import PointEnv
        >>> envs = MetaWorldVecEnv(
        ...     {"ids": [0, 1], "mode": ["train", "train"]},
        ...     [partial(PointEnv, goal=(0.25, 0.0)), partial(PointEnv, goal=(0.0, 0.5))],
        ... )
        >>> obs, infos = envs.reset(seed=0)
        >>> obs["env_obs"].tolist(), obs["task_obs"].tolist()
        ([[0.0, 0.0, 0.25], [0.0, 0.0, 0.5]], [0, 1])
        >>> envs.observation_space.contains(obs)
        True
        >>> envs.close()
    """

    @staticmethod
    def _row_fns(env_fns: list[EnvBuilderType]) -> list[EnvBuilderType]:
        return [
            functools.partial(_make_numbered_row, env_fn, index, len(env_fns))
            for index, env_fn in enumerate(env_fns)
        ]

    @property
    def task_obs(self) -> TaskObsType:
        """The number of each environment, 0 ... n - 1, (n,) int64."""
        return self._tensors(np.arange(self.num_envs, dtype=np.int64))

    def create_multitask_obs(self, env_obs: EnvObsType) -> ObsType:
        """Gives the batch of observations for what the environments observe.

        Args:
            env_obs: (n, d); it is used as it is, not copied.

        Returns:
            "env_obs" (n, d) and "task_obs" (n,) int64.
        """
        return {"env_obs": self._tensors(env_obs), "task_obs": self.task_obs}

    def reset_wait(self, timeout: float | None = None) -> tuple[ObsType, dict[str, Any]]:
        """Gives the outcome of the reset that `reset_async` began: observations and infos."""
        obs, infos = super().reset_wait(timeout)
        return self.create_multitask_obs(obs["env_obs"]), infos

    def step_wait(self, timeout: float | None = None) -> Step:
        """Gives the outcome of the step that `step_async` began: Gymnasium's five values."""
        obs, rewards, terminations, truncations, infos = super().step_wait(timeout)
        return self.create_multitask_obs(obs["env_obs"]), rewards, terminations, truncations, infos

    def _check_observation_spaces(self, spaces: Sequence[Any]) -> None:
        boxes = [space["env_obs"] for space in spaces]
        expected = _first(self._given_observation_space, boxes[0])
        if not isinstance(expected, Box):
            raise TypeError(
                f"observation_space must be the Box of one environment's array, not {expected!r}."
            )
        for index, box in enumerate(boxes):
            if (box.shape, box.dtype) != (expected.shape, expected.dtype):
                raise ValueError(
                    f"All environments must have observations of the shape {expected.shape} and dtype "
                    f"{expected.dtype}, but those of {self._who(index)} are {box.shape} and {box.dtype}."
                )
        if self._given_observation_space is not None:
            boxes = [expected] * len(boxes)
        low, high = np.stack([box.low for box in boxes]), np.stack([box.high for box in boxes])
        dtype, task_obs = expected.dtype.type, Discrete(self.num_envs)
        self.single_observation_space = Dict(
            {"env_obs": Box(low.min(axis=0), high.max(axis=0), dtype=dtype), "task_obs": task_obs}
        )
        self.observation_space = Dict(
            {"env_obs": Box(low, high, dtype=dtype), "task_obs": batch_space(task_obs, self.num_envs)}
        )


def build_metaworld_vec_env(
    config: ConfigType,
    benchmark: Benchmark | Any | None,
    mode: str,
    env_id_to_task_map: Mapping[str, Any] | None = None,
    *,
    seed: int | None = None,
    max_episode_steps: int | None = None,
    should_perform_reward_normalization: bool | None = None,
    context: str | None = "spawn",
    shared_memory: bool = True,
    tensor: str = "numpy",
    autoreset_mode: str | AutoresetMode = AutoresetMode.SAME_STEP,
) -> tuple[MetaWorldVecEnv, Mapping[str, Any]]:
    """Makes one environment for each skill of a Meta-World benchmark, each with one goal.

    The goals are chosen once, by a generator made for it. The map that comes back says which; given to
    another call, it fixes them, so that evaluation has the goals of training.

    These entries of the configuration are read. All may be missing, and a keyword comes before its entry:

    - `env.benchmark`: read only if `benchmark` is None. Its `_target_` is "metaworld.MT10" or the like, or
      "taskworlds.benchmark"; its other entries are keywords of `taskworlds.benchmark`, as `env_name` for MT1.
    - `env.num_envs`: must be the number of the skills to train on.
    - `env.ordered_task_list`: the skills to train on, in the order that the environments shall have.
    - `env.should_perform_reward_normalization`: whether each environment divides its rewards by their running
      deviation, exponentially weighted; yes if missing. Also taken from `env.builder.make_kwargs`.
    - `env.max_episode_steps`: 500 if missing. Also taken from `env.builder.make_kwargs`.
    - `env.builder.make_kwargs`: what else stands there is for `taskworlds.make`.
    - `env.seed`, `seed`, `setup.seed`: the first that is there decides the goals.

    Args:
        config: mtrl's configuration, or its group `env` alone: an OmegaConf `DictConfig`, a dictionary, or an
            object with attributes.
        benchmark: ours or one of Meta-World's own; None to make the one that `config` names.
        mode: the mode of all environments. "test", also dotted as in "test.easy", takes the skills that a
            meta-learning benchmark keeps for the test; every other takes those to train on.
        env_id_to_task_map: a task for each skill: a `Task`, one of Meta-World's own, or a task's JSON.
        seed: decides the goals. None for that of `config`, or else the benchmark's own; without any of these,
            each call chooses anew.
        max_episode_steps: steps after which an episode is truncated. mtrl's experiments use 150.
        should_perform_reward_normalization: whether rewards are normalized.
        context: how processes start. "spawn" is safe with every simulator and thread; it needs the code of
            the script to be under `if __name__ == "__main__":`.
        shared_memory: as for `VecEnv`.
        tensor: as for `VecEnv`.
        autoreset_mode: as for `VecEnv`.

    Returns:
        The environments, with the ids 0 ... n - 1, and the task of each skill: the very map that was given,
        or a new dictionary in the environments' order.

    Raises:
        TypeError: an argument or an entry of the configuration is of the wrong type.
        ValueError: an entry does not fit the benchmark, or the map does not have its skills.

    Example:
        >>> config = {"env": {"benchmark": {"_target_": "metaworld.MT1", "env_name": "reach-v3"}}}
        >>> envs, tasks = build_metaworld_vec_env(config, None, "train", seed=0)
        >>> list(tasks), envs.ids, envs.mode, envs.observation_space["env_obs"].shape
        (['reach-v3'], [0], ['train'], (1, 39))
        >>> envs.close()
    """
    if config is None or isinstance(config, str | Sequence):
        raise TypeError(
            f"config must be a DictConfig, a dictionary or an object with attributes, not {config!r}."
        )
    if not isinstance(mode, str):
        raise TypeError(f"mode must be a string, one for all environments, not {mode!r}.")
    group = _entry(config, "env") or config
    seed = _first(seed, _entry(group, "seed"), _entry(config, "seed"), _entry(config, "setup", "seed"))
    if seed is not None:
        seed = check_seed(seed)
    benchmark = _named_benchmark(group, seed) if benchmark is None else Benchmark.of(benchmark)
    if benchmark.test_tasks and (mode.split(".")[0] == "test" or not benchmark.train_tasks):
        split, skills = "test", benchmark.env_names("test")
    else:
        split, skills = "train", _train_skills(group, benchmark)
    if env_id_to_task_map is None:
        chosen = _choose_tasks(benchmark.tasks(split), _first(seed, benchmark.seed))
        tasks = {name: chosen[name] for name in skills}
        env_id_to_task_map = tasks
    else:
        tasks = _tasks_of_map(env_id_to_task_map, skills)

    options = _keywords(_entry(group, "builder", "make_kwargs"))
    normalizes = _first(
        should_perform_reward_normalization,
        options.pop("should_perform_reward_normalization", None),
        _entry(group, "should_perform_reward_normalization"),
        True,
    )
    if check_choice("should_perform_reward_normalization", normalizes, (True, False)):
        options.setdefault("reward_normalization_method", "exponential")
    options["max_episode_steps"] = _first(
        max_episode_steps, options.get("max_episode_steps"), _entry(group, "max_episode_steps")
    )
    envs = MetaWorldVecEnv(
        {"ids": list(range(len(skills))), "mode": [mode] * len(skills)},
        [functools.partial(make, [tasks[name]], **options) for name in skills],
        shared_memory=shared_memory,
        context=context,
        tensor=tensor,
        autoreset_mode=autoreset_mode,
    )
    return envs, env_id_to_task_map


# --- what runs in each process ---------------------------------------------------------------------------


class _Row(gym.Wrapper[Any, Any, Any, Any]):
    """An environment of a batch. What an episode ends with outlives the reset in the same step."""

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        obs, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            obs, info = copy.deepcopy((obs, info))
        return obs, reward, terminated, truncated, info


class _NumberedRow(_Row):
    """An environment of a batch, with its number beside its observation."""

    def __init__(self, env: gym.Env[Any, Any], index: int, num_envs: int) -> None:
        super().__init__(env)
        self._index = np.int64(index)
        self.observation_space = Dict({"env_obs": env.observation_space, "task_obs": Discrete(num_envs)})

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        obs, info = self.env.reset(**kwargs)
        return {"env_obs": obs, "task_obs": self._index}, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        obs, reward, terminated, truncated, info = super().step(action)
        return {"env_obs": obs, "task_obs": self._index}, reward, terminated, truncated, info


def _make_env(env_fn: EnvBuilderType) -> gym.Env[Any, Any]:
    env = env_fn()
    if not isinstance(env, gym.Env):
        raise TypeError(f"env_fns must make environments of Gymnasium's, not {env!r}.")
    return env


def _make_row(env_fn: EnvBuilderType) -> _Row:
    env = _make_env(env_fn)
    if not isinstance(env.observation_space, Dict):
        raise ValueError(
            "VecEnv takes environments with dictionary observations (a gymnasium.spaces.Dict), not "
            f"{env.observation_space}. MetaWorldVecEnv takes those with arrays."
        )
    return _Row(env)


def _make_numbered_row(env_fn: EnvBuilderType, index: int, num_envs: int) -> _NumberedRow:
    env = _make_env(env_fn)
    if not isinstance(env.observation_space, Box):
        raise ValueError(
            "MetaWorldVecEnv takes environments with array observations (a gymnasium.spaces.Box), not "
            f"{env.observation_space}. VecEnv takes those with dictionaries."
        )
    return _NumberedRow(env, index, num_envs)


class _Errors:
    """A queue for reports of errors: whatever the error, what goes through can be pickled."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue

    def put(self, report: tuple[int, type[BaseException], BaseException, str]) -> None:
        index, kind, error, trace = report
        text = f"{kind.__name__}: {error}"
        try:
            pickle.loads(pickle.dumps(kind))
        except Exception:  # a class that only this process knows
            kind = RuntimeError
        self._queue.put((index, kind, text, trace))


def _worker(
    index: int,
    env_fn: EnvBuilderType,
    pipe: Any,
    parent_pipe: Any,
    shared_memory: Any,
    error_queue: Any,
    *others: Any,
) -> None:
    """Gymnasium's worker, which here also reports what `env_fn` raises."""
    errors: Any = _Errors(error_queue)
    try:
        env = env_fn()
    except Exception as error:
        parent_pipe.close()
        pipe.recv()  # the question for the spaces, which this answers
        errors.put((index, type(error), error, traceback.format_exc()))
        pipe.send((None, False))
        return
    _async_worker(index, lambda: env, pipe, parent_pipe, shared_memory, errors, *others)


# --- arguments and configuration -------------------------------------------------------------------------


def _import_torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            'tensor="torch" needs PyTorch, which is not installed: pip install "taskworlds[torch]"'
        ) from error
    return torch


def _check_metadata(env_metadata: EnvMetaDataType, num_envs: int) -> tuple[list[Any], list[str]]:
    """Gives the ids and modes, one for each environment."""
    if not isinstance(env_metadata, Mapping):
        raise TypeError(f'env_metadata must be a dictionary with "ids" and "mode", not {env_metadata!r}.')
    entries = []
    for name in ("ids", "mode"):
        if name not in env_metadata:
            raise ValueError(
                f"env_metadata must have the entry {name!r}, a list with one value for each of the "
                f"{num_envs} environments, but it has {', '.join(map(repr, env_metadata)) or 'no entry'}."
            )
        values = env_metadata[name]
        if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
            raise TypeError(
                f"env_metadata[{name!r}] must be a list with one value for each environment, not {values!r}."
            )
        if len(values) != num_envs:
            raise ValueError(
                f"env_metadata[{name!r}] must have one value for each of the {num_envs} environments, "
                f"not {len(values)}: {list(values)!r}."
            )
        entries.append(list(values))
    return entries[0], entries[1]


def _first(*values: Any) -> Any:
    """Gives the first value that is not None, or else None."""
    return next((value for value in values if value is not None), None)


def _entry(node: Any, *path: str) -> Any:
    """Gives an entry of a DictConfig, a dictionary or an object, or None."""
    for name in path:
        if isinstance(node, Mapping):
            node = node.get(name)
        else:
            node = getattr(node, name, None)
    return node


def _keywords(node: Any) -> dict[str, Any]:
    """Gives a group of the configuration as a dictionary of plain values."""
    return _plain(node if isinstance(node, Mapping) else vars(node)) if node is not None else {}


def _plain(value: Any) -> Any:
    """Gives OmegaConf's containers as dictionaries and lists."""
    if isinstance(value, Mapping):
        return {name: _plain(value[name]) for name in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _named_benchmark(group: Any, seed: int | None) -> Benchmark:
    """Makes the benchmark that the configuration's group `env` names."""
    keywords = _keywords(_entry(group, "benchmark"))
    target = keywords.get("_target_")
    if not isinstance(target, str):
        raise ValueError(
            "benchmark must be given, or else named in the configuration: env.benchmark._target_ must be "
            f'"metaworld.MT10" or the like, not {target!r}.'
        )
    keywords = {name: value for name, value in keywords.items() if not name.startswith("_")}  # Hydra's own
    if target != "taskworlds.benchmark":
        keywords["name"] = target.removeprefix("metaworld.")
    keywords["seed"] = _first(keywords.get("seed"), seed)
    return make_benchmark(**keywords)


def _train_skills(group: Any, benchmark: Benchmark) -> list[str]:
    """Gives the skills to train on, in the order that the configuration asks for."""
    skills = benchmark.env_names("train")
    num_envs = _entry(group, "num_envs")
    if num_envs is not None and check_count("num_envs", num_envs) != len(skills):
        raise ValueError(
            f"num_envs must be {len(skills)} in the configuration, one environment for each skill of "
            f"{benchmark.name}, not {num_envs}."
        )
    order = _entry(group, "ordered_task_list")
    if order is None:
        return skills
    if isinstance(order, str) or not isinstance(order, Sequence):
        raise TypeError(f"ordered_task_list must be a list of skill names, not {order!r}.")
    names = [canonical_name(name) for name in order]
    if sorted(names) != sorted(skills):
        raise ValueError(
            f"ordered_task_list must name each skill of {benchmark.name} once, {', '.join(skills)}, "
            f"but it is {', '.join(names) or 'empty'}."
        )
    return names


def _choose_tasks(tasks: Sequence[Task], seed: int | None) -> dict[str, Task]:
    """Chooses one task of each skill."""
    rng = np.random.default_rng(seed)
    goals: dict[str, list[Task]] = {}
    for task in tasks:
        goals.setdefault(task.env_name, []).append(task)
    return {name: goals[name][rng.integers(len(goals[name]))] for name in goals}


def _tasks_of_map(tasks: Mapping[str, Any], skills: Sequence[str]) -> dict[str, Task]:
    """Gives the tasks of an `env_id_to_task_map`, checked."""
    if not isinstance(tasks, Mapping):
        raise TypeError(f"env_id_to_task_map must be a dictionary of a task for each skill, not {tasks!r}.")
    if set(tasks) != set(skills):
        lacks = ", ".join(name for name in skills if name not in tasks) or "none"
        extra = ", ".join(str(name) for name in tasks if name not in skills) or "none"
        raise ValueError(
            f"env_id_to_task_map must have a task for each of the {len(skills)} skills and no other; "
            f"lacking: {lacks}; too many: {extra}."
        )
    found = {}
    for name, value in tasks.items():
        task = Task.from_json(json.dumps(_plain(value))) if isinstance(value, Mapping) else value
        task = Task.from_json(task) if isinstance(task, str) else Task.of(task)
        if task.env_name != name:
            raise ValueError(
                f"env_id_to_task_map[{name!r}] must be a task of {name}, not of {task.env_name}."
            )
        world_of(name).check_task(task)
        found[name] = task
    return found
