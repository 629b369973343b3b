"""What the rest of the package needs to know of a world: a suite of skills that share spaces and a simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym

from taskworlds.task import Task

__all__ = ["Tasks", "World"]

Tasks = tuple[tuple[Task, ...], tuple[Task, ...]]
"""The train and the test tasks of a benchmark."""


@dataclass(frozen=True)
class World:
    """A suite of skills whose tasks can be mixed in one batch.

    Attributes:
        name: its name, for messages.
        suite: what it belongs to, for lists: "metaworld", "locomotion" or "control".
        env_names: gives its skills, which may become more while the process runs.
        max_episode_steps: an episode's limit unless the caller gives one.
        reward_function_versions: the rewards to choose from, the default last.
        action_space: gives the space of one row's actions.
        observation_space: gives the space of one row's observations, from `visible` and `hidden`: whether some tasks
            show their goal, and whether some hide it. An engine's observation may be longer: what is left out where
            all tasks hide their goal stands last.
        goal_size: how many numbers a goal has in info; 0 for a world without goals, whose info has none.
        check_task: raises ValueError or TypeError, with a message that helps, for a task that cannot be run.
        hides_goal: whether a task keeps its goal out of the observation.
        class_name: the class that implements a skill upstream, which some callers know it by.
        about: gives, for a skill, what it has to do with (an object, a body, a domain) and what is to be done, in a
            few words.
        packages: the packages whose versions decide its numbers.
        render_fps: pictures of one second, one for each step.
        make_row: makes the environment of one row of the sync and async engines; imports the simulator.
        make_native_rows: makes the rows of the native engine, from the skills, how many rows, and options; imports the
            simulator. None for a world that the native engine does not step.
        has_success: whether a step reports success.
        random_starts: whether an episode's start depends on a random seed, beside the task.
        benchmarks: by name, what makes the tasks of a benchmark that is the world's own, from `seed` and `num_goals`,
            the tasks wanted in each split (None: the benchmark's own number).
    """

    name: str
    suite: str
    env_names: Callable[[], tuple[str, ...]]
    max_episode_steps: int
    reward_function_versions: tuple[str, ...]
    action_space: Callable[[], gym.spaces.Box]
    observation_space: Callable[..., gym.spaces.Box]
    goal_size: int
    check_task: Callable[[Task], None]
    hides_goal: Callable[[Task], bool]
    class_name: Callable[[str], str]
    about: Callable[[str], tuple[str, str]]
    packages: tuple[str, ...]
    render_fps: int
    make_row: Callable[..., gym.Env[Any, Any]]
    make_native_rows: Callable[..., Any] | None = None
    has_success: bool = True
    random_starts: bool = False
    benchmarks: Mapping[str, Callable[[int, int | None], Tasks]] = field(default_factory=dict)
