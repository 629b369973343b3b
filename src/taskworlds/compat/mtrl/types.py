"""Type aliases for code over mtrl's vector environments, under mtrl's names.

All can be imported where neither PyTorch nor OmegaConf is installed; those two are named here, not loaded.

Example:
    >>> from taskworlds.compat.mtrl.types import ObsType
    >>> def num_envs(obs: ObsType) -> int:
    ...     return len(obs["task_obs"])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv

from taskworlds.core.task import Task

if TYPE_CHECKING:
    import torch

__all__ = [
    "ActionType",
    "ConfigType",
    "EnvBuilderType",
    "EnvIdToTaskMapType",
    "EnvMetaDataType",
    "EnvObsType",
    "EnvType",
    "EnvsDictType",
    "ObsType",
    "TaskObsType",
    "TensorType",
]

TensorType: TypeAlias = Union[np.ndarray, "torch.Tensor"]
"""What observations are made of: NumPy arrays, or PyTorch tensors where `tensor="torch"` was asked for."""

EnvObsType: TypeAlias = TensorType
"""What the environments of a batch observe: (n, d), or (n, channels, height, width)."""

TaskObsType: TypeAlias = TensorType
"""Which task each environment of a batch has: its number, (n,) int64."""

ObsType: TypeAlias = dict[str, TensorType]
"""A batch of observations: an `EnvObsType` under "env_obs", a `TaskObsType` under "task_obs"."""

ActionType: TypeAlias = str | int | float | np.ndarray
"""One environment's action."""

EnvType: TypeAlias = AsyncVectorEnv
"""A batch of environments in a process each: what `VecEnv` and `MetaWorldVecEnv` are."""

EnvsDictType: TypeAlias = dict[str, AsyncVectorEnv]
"""An experiment's batches of environments by mode, "train" and "eval"."""

EnvBuilderType: TypeAlias = Callable[[], gymnasium.Env[Any, Any]]
"""What makes one environment in its process: one entry of `env_fns`."""

EnvMetaDataType: TypeAlias = Mapping[str, Sequence[Any]]
"""The `env_metadata` of a `VecEnv`: a value for each environment under "ids" and under "mode"."""

EnvIdToTaskMapType: TypeAlias = Mapping[str, Task]
"""The task of each environment by its skill's name: what `build_metaworld_vec_env` gives and takes."""

ConfigType: TypeAlias = Any
"""mtrl's configuration: an OmegaConf `DictConfig`, a dictionary, or an object with attributes."""
