"""The environments of a `VecEnv`: what an episode ends with is not written to by the next one."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete

from taskworlds.compat.mtrl.types import EnvBuilderType
from taskworlds.core.errors import WrongType, WrongValue

__all__ = ["NumberedRow", "Row", "make_numbered_row", "make_row"]


class Row(gym.Wrapper[Any, Any, Any, Any]):
    """An environment of a batch. What an episode ends with stays as it is when the same step resets it."""

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Takes one step; at the end of an episode observation and info are copies."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            obs, info = copy.deepcopy((obs, info))
        return obs, reward, terminated, truncated, info


class NumberedRow(Row):
    """An environment of a batch, which adds its index to the observation."""

    def __init__(self, env: gym.Env[Any, Any], index: int, num_envs: int) -> None:
        super().__init__(env)
        self._index = np.int64(index)
        self.observation_space = Dict({"env_obs": env.observation_space, "task_obs": Discrete(num_envs)})

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Starts an episode; the observation has the index."""
        obs, info = self.env.reset(**kwargs)
        return {"env_obs": obs, "task_obs": self._index}, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Takes one step; the observation has the index."""
        obs, reward, terminated, truncated, info = super().step(action)
        return {"env_obs": obs, "task_obs": self._index}, reward, terminated, truncated, info


def _make_env(env_fn: EnvBuilderType) -> gym.Env[Any, Any]:
    env = env_fn()
    if not isinstance(env, gym.Env):
        raise WrongType(f"env_fns must make Gymnasium environments, not {env!r}.", argument="env_fns")
    return env


def make_row(env_fn: EnvBuilderType) -> Row:
    """Makes an environment for `VecEnv`, or raises that its observations are not dictionaries."""
    env = _make_env(env_fn)
    if not isinstance(env.observation_space, Dict):
        raise WrongValue(
            "VecEnv takes environments with dictionary observations (a gymnasium.spaces.Dict), not "
            f"{env.observation_space}. MetaWorldVecEnv takes those with arrays."
        )
    return env if isinstance(env, Row) else Row(env)


def make_numbered_row(env_fn: EnvBuilderType, index: int, num_envs: int) -> NumberedRow:
    """Makes environment `index` of a `MetaWorldVecEnv`, or raises that its observations are not arrays."""
    env = _make_env(env_fn)
    if not isinstance(env.observation_space, Box):
        raise WrongValue(
            "MetaWorldVecEnv takes environments with array observations (a gymnasium.spaces.Box), not "
            f"{env.observation_space}. VecEnv takes those with dictionaries."
        )
    return NumberedRow(env, index, num_envs)
