"""The record of a batch's several worlds: to the parts of a batch one world, whose answers are each skill's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.core.world import SETTINGS, World
from taskworlds.vector.observations import is_flat

__all__ = ["mixed_world", "padded"]

Spaces = tuple[gym.Space[Any], gym.Space[Any]]


def mixed_world(worlds: Sequence[World], skills: Sequence[Sequence[str]], spaces: Sequence[Spaces]) -> World:
    """Makes the record of several worlds, which is never registered.

    Args:
        worlds: the worlds, at least two.
        skills: of each, the names of its skills in the batch.
        spaces: of each, the observation and the action of a row.

    Raises:
        ValueError: observations or actions of one are not a vector of floats.
    """
    for world, (observation, action) in zip(worlds, spaces, strict=True):
        for what, space in (("observations", observation), ("actions", action)):
            if not is_flat(space):
                others = ", ".join(each.name for each in worlds if each is not world)
                raise WrongValue(
                    f"{world.name} cannot be in one batch with {others}: only vectors of floats can be padded, and the "
                    f"{what} of {world.name} are {space}. Make an environment of its own for it."
                )
    own = _Own(worlds, skills)
    terms = None
    if all(world.terms is not None for world in worlds):
        terms = tuple(dict.fromkeys(name for world in worlds for name in world.term_names()))
    first = worlds[0]
    sizes = {world.picture_size for world in worlds}
    return World(
        name=" + ".join(world.name for world in worlds),
        suite="mixed",
        skills=tuple(name for names in skills for name in names),
        actions=padded([action for _, action in spaces], zeros=False),
        observations=padded([observation for observation, _ in spaces], zeros=True),
        max_episode_steps=max(world.max_episode_steps for world in worlds),
        rows={"mixed": "taskworlds.rows.mixed:MixedRows"},  # no engine that is registered
        settings=tuple(each for each in SETTINGS if all(each in world.settings for world in worlds)),
        has_success=any(world.has_success for world in worlds),
        terms=terms,
        has_random_starts=any(world.has_random_starts for world in worlds),
        goal_size=max(world.goal_size for world in worlds),
        task_check=own.check_task,
        fresh_task=own.fresh_task,
        goal_hidden=own.hides_goal,
        class_names=own.class_name,
        described=own.about,
        instructions=own.instructions_of,
        packages=tuple(dict.fromkeys(name for world in worlds for name in world.packages)),
        render_modes=tuple(
            each for each in first.render_modes if all(each in world.render_modes for world in worlds)
        ),
        render_fps=min(world.render_fps for world in worlds),
        picture_size=sizes.pop() if len(sizes) == 1 else None,
    )


def padded(spaces: Sequence[gym.Space[Any]], *, zeros: bool) -> gym.spaces.Box:
    """Returns the space of vectors of floats that are padded to the longest.

    Args:
        spaces: vectors of floats.
        zeros: whether the bounds of a number that some of them do not have include the zero that stands there.

    Returns:
        For each number the bounds of all spaces together that have it; of their dtype, or float64 where they differ.
    """
    boxes = [space for space in spaces if isinstance(space, gym.spaces.Box)]
    dtypes = {box.dtype for box in boxes}
    dtype: Any = dtypes.pop() if len(dtypes) == 1 else np.dtype(np.float64)
    size = max(box.low.size for box in boxes)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    for box in boxes:
        own = slice(box.low.size)
        low[own], high[own] = np.minimum(low[own], box.low), np.maximum(high[own], box.high)
        if zeros:
            rest = slice(box.low.size, None)
            low[rest], high[rest] = np.minimum(low[rest], 0.0), np.maximum(high[rest], 0.0)
    return gym.spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype)


class _Own:
    """Answers for each skill as its own world does, also for skills of the worlds that the batch does not have yet."""

    def __init__(self, worlds: Sequence[World], skills: Sequence[Sequence[str]]) -> None:
        self._worlds = worlds
        self._by_skill = {name: world for world, names in zip(worlds, skills, strict=True) for name in names}

    def _world(self, env_name: str) -> World:
        found = self._by_skill.get(env_name)
        return found or next(world for world in self._worlds if env_name in world.env_names())

    def check_task(self, task: Task) -> None:
        self._world(task.env_name).check_task(task)

    def fresh_task(self, task: Task, np_random: np.random.Generator) -> Task:
        world = self._world(task.env_name)
        return task if world.fresh_task is None else world.draw_goal(task, np_random)

    def hides_goal(self, task: Task) -> bool:
        return self._world(task.env_name).hides_goal(task)

    def class_name(self, env_name: str) -> str:
        return self._world(env_name).class_name(env_name)

    def about(self, env_name: str) -> tuple[str, str]:
        return self._world(env_name).about(env_name)

    def instructions_of(self, task: Task) -> tuple[str, ...]:
        return self._world(task.env_name).instructions_of(task)
