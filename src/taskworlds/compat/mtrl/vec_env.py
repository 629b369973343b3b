"""mtrl's vector environments on Gymnasium's API: `VecEnv` and `MetaWorldVecEnv`.

Each environment runs in a process of its own. An observation is a dictionary: "env_obs", the environments' own
observations, and "task_obs", the index of each one's task.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from taskworlds.compat.mtrl.batch_rows import make_numbered_row, make_row
from taskworlds.compat.mtrl.config import first
from taskworlds.compat.mtrl.types import EnvBuilderType, EnvMetaDataType, EnvObsType, ObsType, TaskObsType
from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_seed
from taskworlds.rows.worker_processes import WORKER_TIMEOUT, WorkerVectorEnv

__all__ = ["MetaWorldVecEnv", "VecEnv"]

TENSORS = ("numpy", "torch")

VecEnvStep = tuple[ObsType, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]
"""Observations; rewards, (n,) float64; terminations and truncations, (n,) bool each; and infos."""


class VecEnv(WorkerVectorEnv):
    """A batch of n environments with dictionary observations, each in a process of its own.

    `reset` returns observations and infos; `step` returns observations, rewards (n,) float64, terminations and
    truncations (n,) bool, and infos. Observations are batched by key: "env_obs" (n, ...), "task_obs" (n,). Everything
    except the observations is always in NumPy arrays.

    An environment whose episode ends is reset in the same step: its observation is then the first of the new episode,
    and the last observation and info of the old one are in `infos["final_obs"][i]` and `infos["final_info"]`.

    If an environment raises an error, or its process dies or stops, the error names it by index, id and mode, and all
    environments are closed. If Ctrl-C interrupts a step or a reset, some environments may be ahead of others: the next
    step is refused, and `reset()` puts it right.

    Args:
        env_metadata: "ids" and "mode", each with one value for each environment. Modes may be dotted, as in
            "eval.interpolation".
        env_fns: functions that make the environments, each called in its process; the first is also called here, for
            its spaces.
        observation_space: the space of one environment's observations; None for that of the first. All must have it.
        action_space: the space of one environment's actions; None for that of the first. All must have it.
        shared_memory: whether observations are passed in shared memory, which is faster if they are large.
        copy: whether observations are the caller's own; if not, the next step writes to them.
        context: how processes start, "fork", "spawn" or "forkserver"; None for Python's usual way, or "spawn"
            where that is not safe, as other threads are running. "spawn" and "forkserver" need the code of the script
            to be under `if __name__ == "__main__":`.
        daemon: whether the processes end with this one. Daemons cannot start processes of their own.
        worker: the function that runs in each process, with the signature of Gymnasium's worker; None for our own.
        tensor: the type of the observations, "numpy" or "torch".
        autoreset_mode: what happens at the end of an episode, as in Gymnasium. DISABLED leaves it to the caller:
            `reset(options={"reset_mask": terminations | truncations})`.
        worker_timeout: seconds that a process may go without an answer and without computing anything before it counts
            as lost; None for no limit.

    Raises:
        ImportError: `tensor="torch"` without PyTorch.
        TypeError: an argument is of the wrong type.
        ValueError: `env_metadata` does not fit, or the environments' spaces differ.
        RuntimeError: a process died or stopped; so for all methods.

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
        worker_timeout: float | None = WORKER_TIMEOUT,
    ) -> None:
        env_fns = list(env_fns)
        if not env_fns:
            raise WrongValue(
                "env_fns must have at least one function that makes an environment.", argument="env_fns"
            )
        for index, env_fn in enumerate(env_fns):
            if not callable(env_fn):
                raise WrongType(
                    f"env_fns[{index}] must be a function that makes an environment, not {env_fn!r}."
                )
        self._ids, self._mode = _check_metadata(env_metadata, len(env_fns))
        self._torch = _import_torch() if check_choice("tensor", tensor, TENSORS) == "torch" else None
        if not isinstance(autoreset_mode, AutoresetMode):
            modes = {mode.value: mode for mode in AutoresetMode}
            autoreset_mode = modes[check_choice("autoreset_mode", autoreset_mode, tuple(modes))]
        self._given_observation_space, self._given_action_space = observation_space, action_space
        super().__init__(
            self._row_fns(env_fns),
            shared_memory=shared_memory,
            copy=copy,
            context=context,
            daemon=daemon,
            worker=worker,
            autoreset_mode=autoreset_mode,
            worker_timeout=worker_timeout,
        )

    _noun = "environments"

    @staticmethod
    def _row_fns(env_fns: list[EnvBuilderType]) -> list[EnvBuilderType]:
        return [functools.partial(make_row, env_fn) for env_fn in env_fns]

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
        """Begins a reset; `reset_wait` returns its outcome.

        Args:
            seed: environment i is reset with `seed + i`, or with the i-th entry of a list; None leaves the generators
                as they are.
            options: passed on to each environment's reset, except `reset_mask`, (n,) bool: which environments to reset.

        Raises:
            TypeError: a seed is not a whole number.
            ValueError: a seed is out of range, the list does not have one seed for each environment, or the mask does
                not fit.
        """
        seeds: Any = seed
        if isinstance(seed, Sequence | np.ndarray):
            seeds = [None if each is None else check_seed(each) for each in seed]
            if len(seeds) != self.num_envs:
                raise WrongValue(
                    f"seed must have one entry for each of the {self.num_envs} environments, "
                    f"not {len(seeds)}.",
                    argument="seed",
                )
        elif seed is not None:
            seeds = check_seed(seed)
        if options is not None:
            options = dict(options)
            if "reset_mask" in options:
                options["reset_mask"] = self._mask(options["reset_mask"])
        mask = None if options is None else options.get("reset_mask")
        if self.interrupted is not None and mask is not None and not mask.all():
            raise self._out_of_step("reset() of some environments")
        super().reset_async(seeds, options)

    def reset_wait(self, timeout: float | None = None) -> tuple[ObsType, dict[str, Any]]:
        """Returns the outcome of the reset that `reset_async` began.

        Args:
            timeout: seconds to wait for all environments; None for no limit but `worker_timeout`.

        Returns:
            Observations and infos, as `reset`.

        Raises:
            multiprocessing.TimeoutError: the time was over. Steps are then refused until `reset()` of all environments.
            gymnasium.error.NoAsyncCallError: no reset was begun.
        """
        obs, infos = super().reset_wait(timeout)
        return self._tensors(obs), infos

    def step_async(self, actions: Any) -> None:
        """Begins a step; `step_wait` returns its outcome.

        Args:
            actions: one for each environment, in the shape of `action_space`: an array, a tensor or a list.

        Raises:
            ValueError: the shape is another one.
        """
        if hasattr(actions, "detach"):
            actions = actions.detach().cpu().numpy()
        expected = self.action_space.shape
        if expected is not None and np.shape(actions) != expected:
            raise WrongValue(
                f"actions must have the shape {expected}, one for each of the {self.num_envs} environments, "
                f"not {np.shape(actions)}.",
                argument="actions",
            )
        if self.interrupted is not None:
            raise self._out_of_step("step()")
        super().step_async(actions)

    def step_wait(self, timeout: float | None = None) -> VecEnvStep:
        """Returns the outcome of the step that `step_async` began.

        Args:
            timeout: seconds to wait for all environments; None for no limit but `worker_timeout`.

        Returns:
            Observations, rewards, terminations, truncations and infos, as `step`; see the class.

        Raises:
            multiprocessing.TimeoutError: the time was over. Steps are then refused until `reset()` of all environments.
            gymnasium.error.NoAsyncCallError: no step was begun.
        """
        obs, rewards, terminations, truncations, infos = super().step_wait(timeout)
        if "final_obs" in infos:
            for index in np.flatnonzero(infos["_final_obs"]):
                infos["final_obs"][index] = self._tensors(infos["final_obs"][index])
        return self._tensors(obs), rewards, terminations, truncations, infos

    def _mask(self, mask: Any) -> np.ndarray:
        array = np.asarray(mask)
        if array.dtype != np.bool_ or array.shape != (self.num_envs,) or not array.any():
            raise WrongValue(
                f"options['reset_mask'] must be a bool array of shape ({self.num_envs},), True for at least "
                f"one environment, not {mask!r}."
            )
        return array

    def _tensors(self, values: Any) -> Any:
        """Returns an observation, or a part of it, in the type that `tensor` names."""
        if isinstance(values, Mapping):
            return {key: self._tensors(value) for key, value in values.items()}
        return values if self._torch is None else self._torch.as_tensor(values)

    def _out_of_step(self, call: str) -> RuntimeError:
        return RuntimeError(
            f"{call} is not possible now: a {self.interrupted} was interrupted, so some environments may be ahead of "
            "others. Call reset() for all of them."
        )

    # --- checks and failures ---------------------------------------------------------------------------

    def _compare_spaces(self) -> None:
        expected = first(self._given_action_space, self.single_action_space)
        for index, space in enumerate(self._spaces("action_space")):
            if space != expected:
                raise WrongValue(
                    f"All environments must have the action space {expected}, but {self._who(index)} has {space}."
                )
        self._check_observation_spaces(self._spaces("observation_space"))

    def _spaces(self, name: str) -> tuple[Any, ...]:
        self.call_async(name)
        return self.call_wait()

    def _check_observation_spaces(self, spaces: Sequence[Any]) -> None:
        expected = first(self._given_observation_space, self.single_observation_space)
        for index, space in enumerate(spaces):
            if space != expected:
                raise WrongValue(
                    f"All environments must have the observation space {expected}, but {self._who(index)} has "
                    f"{space}."
                )

    def _who(self, index: int) -> str:
        return f"environment {index} (id {self._ids[index]!r}, mode {self._mode[index]!r})"


class MetaWorldVecEnv(VecEnv):
    """A batch of n environments with array observations, which adds the index of each environment to them.

    Observations are "env_obs", (n, d) in the environments' own dtype (float64 for Meta-World), and "task_obs",
    0 ... n - 1, int64. The environments' spaces must have the same shape and dtype. Where their bounds differ,
    `observation_space` has each one's own, and `single_observation_space` the lowest and the highest.

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
        worker_timeout: as for `VecEnv`.

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
            functools.partial(make_numbered_row, env_fn, index, len(env_fns))
            for index, env_fn in enumerate(env_fns)
        ]

    @property
    def task_obs(self) -> TaskObsType:
        """The index of each environment, 0 ... n - 1, (n,) int64."""
        indices: TaskObsType = self._tensors(np.arange(self.num_envs, dtype=np.int64))
        return indices

    def create_multitask_obs(self, env_obs: EnvObsType) -> ObsType:
        """Returns the batch of observations for the environments' own ones.

        Args:
            env_obs: (n, d); it is not copied.

        Returns:
            "env_obs" (n, d) and "task_obs" (n,) int64.
        """
        return {"env_obs": self._tensors(env_obs), "task_obs": self.task_obs}

    def reset_wait(self, timeout: float | None = None) -> tuple[ObsType, dict[str, Any]]:
        """Returns the outcome of the reset that `reset_async` began.

        Args:
            timeout: seconds to wait for all environments; None for no limit but `worker_timeout`.

        Returns:
            Observations and infos, as `reset`.

        Raises:
            multiprocessing.TimeoutError: the time was over. Steps are then refused until `reset()` of all environments.
            gymnasium.error.NoAsyncCallError: no reset was begun.
        """
        obs, infos = super().reset_wait(timeout)
        return self.create_multitask_obs(obs["env_obs"]), infos

    def step_wait(self, timeout: float | None = None) -> VecEnvStep:
        """Returns the outcome of the step that `step_async` began.

        Args:
            timeout: seconds to wait for all environments; None for no limit but `worker_timeout`.

        Returns:
            Observations, rewards, terminations, truncations and infos, as `step`; see the class.

        Raises:
            multiprocessing.TimeoutError: the time was over. Steps are then refused until `reset()` of all environments.
            gymnasium.error.NoAsyncCallError: no step was begun.
        """
        obs, rewards, terminations, truncations, infos = super().step_wait(timeout)
        return self.create_multitask_obs(obs["env_obs"]), rewards, terminations, truncations, infos

    def _check_observation_spaces(self, spaces: Sequence[Any]) -> None:
        boxes = [space["env_obs"] for space in spaces]
        expected = first(self._given_observation_space, boxes[0])
        if not isinstance(expected, Box):
            raise WrongType(
                f"observation_space must be the Box of one environment's array, not {expected!r}.",
                argument="observation_space",
            )
        for index, box in enumerate(boxes):
            if (box.shape, box.dtype) != (expected.shape, expected.dtype):
                raise WrongValue(
                    f"All environments must have observations of the shape {expected.shape} and dtype "
                    f"{expected.dtype}, but {self._who(index)} has {box.shape} and {box.dtype}."
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


# --- arguments -------------------------------------------------------------------------------------------


def _import_torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            'tensor="torch" needs PyTorch, which is not installed: pip install "taskworlds[torch]"'
        ) from error
    return torch


def _check_metadata(env_metadata: EnvMetaDataType, num_envs: int) -> tuple[list[Any], list[str]]:
    """Returns the ids and modes, one for each environment."""
    if not isinstance(env_metadata, Mapping):
        raise WrongType(
            f'env_metadata must be a dictionary with "ids" and "mode", not {env_metadata!r}.',
            argument="env_metadata",
        )
    entries = []
    for name in ("ids", "mode"):
        if name not in env_metadata:
            raise WrongValue(
                f"env_metadata must have the entry {name!r}, a list with one value for each of the "
                f"{num_envs} environments, but it has {', '.join(map(repr, env_metadata)) or 'no entry'}.",
                argument="env_metadata",
            )
        values = env_metadata[name]
        if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
            raise WrongType(
                f"env_metadata[{name!r}] must be a list with one value for each environment, not {values!r}."
            )
        if len(values) != num_envs:
            raise WrongValue(
                f"env_metadata[{name!r}] must have one value for each of the {num_envs} environments, "
                f"not {len(values)}: {list(values)!r}."
            )
        entries.append(list(values))
    return entries[0], entries[1]
