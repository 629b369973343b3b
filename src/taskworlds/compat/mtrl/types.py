"""Type aliases for code that uses mtrl's vector environments, under mtrl's names.

They can be imported without PyTorch and OmegaConf, which are named here but not imported.

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
"""An array of observations: of NumPy, or a PyTorch tensor with `tensor="torch"`."""

EnvObsType: TypeAlias = TensorType
"""The environments' own observations in a batch: (n, d), or (n, channels, height, width)."""

TaskObsType: TypeAlias = TensorType
"""The index of the task of each environment in a batch, (n,) int64."""

ObsType: TypeAlias = dict[str, TensorType]
"""A batch of observations: an `EnvObsType` under "env_obs", a `TaskObsType` under "task_obs"."""

ActionType: TypeAlias = str | int | float | np.ndarray
"""One environment's action."""

EnvType: TypeAlias = AsyncVectorEnv
"""A batch of environments, each in a process of its own: the base of `VecEnv` and `MetaWorldVecEnv`."""

EnvsDictType: TypeAlias = dict[str, AsyncVectorEnv]
"""An experiment's batches of environments by mode, "train" and "eval"."""

EnvBuilderType: TypeAlias = Callable[[], gymnasium.Env[Any, Any]]
"""A function that makes one environment in its process: one entry of `env_fns`."""

EnvMetaDataType: TypeAlias = Mapping[str, Sequence[Any]]
"""The `env_metadata` of a `VecEnv`: a value for each environment under "ids" and under "mode"."""

EnvIdToTaskMapType: TypeAlias = Mapping[str, Task]
"""The task of each environment by its skill's name: what `build_metaworld_vec_env` takes and returns."""

ConfigType: TypeAlias = Any
"""mtrl's configuration: an OmegaConf `DictConfig`, a dictionary, or an object with attributes."""
