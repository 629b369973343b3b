"""What the rest of the package needs to know of a world: a suite of skills that share spaces and a simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from taskworlds.task import Task

__all__ = ["World"]


@dataclass(frozen=True)
class World:
    """A suite of skills whose tasks can be mixed in one batch.

    Attributes:
        name: the suite, for messages.
        env_names: its skills.
        max_episode_steps: an episode's limit unless the caller gives one.
        reward_function_versions: the rewards to choose from, the default last.
        action_space: gives the space of one row's actions.
        observation_space: gives the space of one row's observations, from `visible` and `hidden`: whether some tasks
            show their goal, and whether some hide it.
        goal_size: how many numbers a goal has in info.
        check_task: raises ValueError or TypeError, with a message that helps, for a task that cannot be run.
        hides_goal: whether a task keeps its goal out of the observation.
        class_name: the class that implements a skill upstream, which some callers know it by.
        make_row: makes the environment of one row of the sync and async engines; imports the simulator.
        make_native_rows: makes the rows of the native engine, from the skills, how many rows, and options; imports the
            simulator. None for a world that the native engine does not step.
    """

    name: str
    env_names: tuple[str, ...]
    max_episode_steps: int
    reward_function_versions: tuple[str, ...]
    action_space: Callable[[], gym.spaces.Box]
    observation_space: Callable[..., gym.spaces.Box]
    goal_size: int
    check_task: Callable[[Task], None]
    hides_goal: Callable[[Task], bool]
    class_name: Callable[[str], str]
    make_row: Callable[..., gym.Env[Any, Any]]
    make_native_rows: Callable[..., Any] | None = None
