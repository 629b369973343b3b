"""The locomotion worlds: one for each skill, as each has a goal of another kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np

from taskworlds.errors import check_count
from taskworlds.task import Task
from taskworlds.worlds.locomotion.skill import EPISODE_LENGTH, Skill
from taskworlds.worlds.locomotion.skills import SKILLS
from taskworlds.worlds.world import Tasks, World

if TYPE_CHECKING:
    from taskworlds.worlds.rows import Rows

__all__ = ["LOCOMOTION"]


def _action_space(skill: Skill) -> gym.spaces.Box:
    return gym.spaces.Box(-1.0, 1.0, (skill.action_size,), np.float32)


def _observation_space(skill: Skill, *, visible: bool, hidden: bool) -> gym.spaces.Box:
    size = skill.obs_size + (skill.goal_size if visible else 0)
    return gym.spaces.Box(-np.inf, np.inf, (size,), np.float64)


def _hides_goal(task: Task) -> bool:
    return task["partially_observable"]


def _make_row(env_name: str, **options: Any) -> gym.Env[Any, Any]:
    from taskworlds.worlds.locomotion.row import LocomotionRow

    return LocomotionRow(env_name, **options)


def _make_native_rows(env_names: Sequence[str], num_rows: int, **options: Any) -> Rows:
    from taskworlds.worlds.locomotion.native import make_rows

    return make_rows(env_names, num_rows, **options)


def _draw(skill: Skill, default: tuple[int, int], seed: int, num_goals: int | None) -> Tasks:
    """Draws train and test tasks.

    They come from two generators, so the first tasks of a split do not depend on how many follow.
    """
    train, test = default if num_goals is None else (check_count("num_goals", num_goals),) * 2
    drawn = []
    for split, count in enumerate((train, test)):
        rng = np.random.default_rng((seed, split))
        drawn.append(tuple(skill.task(skill.draw(rng)) for _ in range(count)))
    return drawn[0], drawn[1]


def _list(
    name: str, skill: Skill, params: tuple[Mapping[str, Any], ...], seed: int, num_goals: int | None
) -> Tasks:
    if num_goals not in (None, len(params)):
        raise ValueError(
            f"num_goals must be {len(params)} or None for {name}, not {num_goals!r}: it has {len(params)} tasks, "
            "which train and test alike."
        )
    tasks = tuple(skill.task(each) for each in params)
    return tasks, tasks


def _benchmarks(skill: Skill) -> dict[str, Callable[[int, int | None], Tasks]]:
    made: dict[str, Callable[[int, int | None], Tasks]] = {
        name: partial(_list, name, skill, params) for name, params in skill.listed.items()
    }
    if skill.num_tasks is not None:
        made[skill.name] = partial(_draw, skill, skill.num_tasks)
    return made


def _world(skill: Skill) -> World:
    return World(
        name=skill.name,
        suite="locomotion",
        env_names=lambda: (skill.name,),
        max_episode_steps=EPISODE_LENGTH,
        reward_function_versions=("v1",),
        action_space=partial(_action_space, skill),
        observation_space=partial(_observation_space, skill),
        goal_size=skill.goal_size,
        check_task=skill.check_task,
        hides_goal=_hides_goal,
        class_name=lambda env_name: skill.class_name,
        about=lambda env_name: (skill.body_name, skill.summary),
        packages=("mujoco", "gymnasium"),
        render_fps=skill.render_fps,
        make_row=partial(_make_row, skill.name),
        make_native_rows=_make_native_rows,
        has_success=False,
        random_starts=True,
        benchmarks=_benchmarks(skill),
    )


LOCOMOTION: tuple[World, ...] = tuple(_world(each) for each in SKILLS)
