"""Type aliases for code over mtrl's vector environments, under mtrl's names.

All can be imported where neither PyTorch nor OmegaConf is installed; those two are named in them, not loaded.

Example:
    >>> from taskworlds.types import EnvIdToTaskMapType, ObsType
    >>> def first_env_obs(obs: ObsType) -> float:
    ...     return float(obs["env_obs"][0][0])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv

from taskworlds.task import Task

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
"""What an observation is made of: a NumPy array, or a PyTorch tensor where `tensor="torch"` was asked for."""

EnvObsType: TypeAlias = TensorType
"""What the environments observe, one row each: (n, d), or (n, ...) for images."""

TaskObsType: TypeAlias = TensorType
"""Which task each row has: its number, (n,) int64."""

ObsType: TypeAlias = dict[str, TensorType]
"""A batch of observations: `{"env_obs": EnvObsType, "task_obs": TaskObsType}`."""

ActionType: TypeAlias = Union[str, int, float, np.ndarray]
"""One environment's action."""

EnvType: TypeAlias = AsyncVectorEnv
"""A vector environment with a process for each of its environments: what `VecEnv` and `MetaWorldVecEnv` are."""

EnvsDictType: TypeAlias = dict[str, AsyncVectorEnv]
"""An experiment's vector environments by mode: `{"train": ..., "eval": ...}`."""

EnvBuilderType: TypeAlias = "Callable[[], gymnasium.Env[Any, Any]]"
"""What makes one environment in its process; one entry of `env_fns`. It must be picklable."""

EnvMetaDataType: TypeAlias = Mapping[str, Sequence[Any]]
"""The `env_metadata` of a vector environment: `{"ids": [...], "mode": [...]}`, an entry for each environment."""

EnvIdToTaskMapType: TypeAlias = Mapping[str, Task]
"""The task of each environment, by the name of its skill: what `build_metaworld_vec_env` gives and takes."""

ConfigType: TypeAlias = Any
"""mtrl's configuration: an OmegaConf `DictConfig`, a dictionary, or an object with attributes."""
