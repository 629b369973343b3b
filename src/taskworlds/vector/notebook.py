"""Environments in notebooks: what they are, as a small table."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from taskworlds.charts import definition_table

__all__ = ["environment_html"]


def environment_html(envs: Any, *, title: str, single: bool) -> str:
    """Returns what a batch is as HTML: benchmark, split, tasks, rows, engine, observation, action.

    Args:
        envs: a `TaskVectorEnv`.
        title: the line above.
        single: whether a single environment is shown, which has no number of rows.
    """
    tasks = sum(len(each.tasks) for each in envs.assignments.selections)
    limit = f"up to {envs.max_episode_steps} steps an episode"
    entries = [
        ("benchmark", envs.benchmark.name),
        ("split", envs.split),
        ("tasks", f"{tasks} of {len(envs.skills)} skill{'' if len(envs.skills) == 1 else 's'}, {limit}"),
        *([] if single else [("rows", str(envs.num_envs))]),
        ("engine", envs.strategy),
        ("observation", space_in_words(envs.single_observation_space)),
        ("action", space_in_words(envs.single_action_space)),
    ]
    return definition_table(title, entries)


def space_in_words(space: gym.Space[Any]) -> str:
    """Returns a space in a few words; a Box's bounds only where all of its numbers share them.

    Example:
        >>> import numpy as np
        >>> space_in_words(gym.spaces.Box(-1.0, 1.0, (4,), np.float32)), space_in_words(gym.spaces.Discrete(5))
        ('Box (4,) float32, from -1 to 1', 'Discrete(5)')
    """
    if not isinstance(space, gym.spaces.Box):
        return str(space)
    low, high = space.low, space.high
    shared = low.size and (low == low.flat[0]).all() and (high == high.flat[0]).all() and space.is_bounded()
    bounds = f", from {low.flat[0]:g} to {high.flat[0]:g}" if shared else ""
    return f"Box {space.shape} {space.dtype}{bounds}"
