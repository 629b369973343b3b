"""The locomotion worlds: one for each skill, as each has a goal of another kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from taskworlds.core.errors import WrongValue, check_count
from taskworlds.core.task import Task
from taskworlds.core.world import SETTINGS, BenchmarkMaker, Listing, Tasks, World
from taskworlds.worlds.locomotion.skill import EPISODE_LENGTH, Skill
from taskworlds.worlds.locomotion.skills import SKILLS

if TYPE_CHECKING:
    import gymnasium as gym

__all__ = ["LOCOMOTION"]


def _action_space(skill: Skill) -> gym.spaces.Box:
    import gymnasium as gym  # not at the top: importing Gymnasium loads this module by the hook of the ids

    return gym.spaces.Box(-1.0, 1.0, (skill.action_size,), np.float32)


def _observation_space(skill: Skill, *, visible: bool, hidden: bool) -> gym.spaces.Box:
    import gymnasium as gym  # as above

    size = skill.obs_size + (skill.goal_size if visible else 0)
    return gym.spaces.Box(-np.inf, np.inf, (size,), np.float64)


def _terms(skill: Skill) -> tuple[str, ...]:
    """Returns what a step reports: what Gymnasium's environment does, with the terms of the skill's own reward."""
    told = ("reward_forward", "reward_ctrl")
    if skill.body_name == "half-cheetah":
        return ("x_position", "x_velocity", *told, *skill.goal_terms)
    if skill.body_name == "walker2d":
        return ("x_position", "z_distance_from_origin", "x_velocity", *told, "reward_survive")
    moved = ("x_position", "y_position", "distance_from_origin", "x_velocity", "y_velocity")
    return (*moved, *told, "reward_contact", "reward_survive")


def _parts(skill: Skill) -> dict[str, int]:
    """Asks Gymnasium's environment how many numbers each part of its observation has; the goal stands behind them."""
    from taskworlds.worlds.locomotion.row import LocomotionRow  # imports the simulator

    row = LocomotionRow(skill.name)
    try:
        structure = row.inner.observation_structure
    finally:
        row.close()
    parts = {name: size for name, size in structure.items() if size and not name.startswith("skipped")}
    return parts | {"goal": skill.goal_size}


def _hides_goal(task: Task) -> bool:
    return bool(task["partially_observable"])


def _make_row(env_name: str, **settings: Any) -> gym.Env[Any, Any]:
    from taskworlds.worlds.locomotion.row import LocomotionRow  # imports the simulator

    return LocomotionRow(env_name, **settings)


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
        raise WrongValue(
            f"num_goals must be {len(params)} or None for {name}, not {num_goals!r}: it has {len(params)} tasks, "
            "which train and test alike.",
            argument="num_goals",
        )
    tasks = tuple(skill.task(each) for each in params)
    return tasks, tasks


def _benchmarks(skill: Skill) -> dict[str, BenchmarkMaker]:
    own = (skill.name,)

    def maker(tasks: Any) -> BenchmarkMaker:
        return BenchmarkMaker(tasks, has_test=True, train_skills=own, test_skills=own, summary=skill.summary)

    made = {name: maker(partial(_list, name, skill, params)) for name, params in skill.listed.items()}
    if skill.num_tasks is not None:
        made[skill.name] = maker(partial(_draw, skill, skill.num_tasks))
    return made


def _class_name(skill: Skill, env_name: str) -> str:
    return skill.class_name


def _described(skill: Skill, env_name: str) -> tuple[str, str]:
    return skill.body_name, skill.summary


_LISTING = Listing(
    "Classic meta-RL worlds, on Gymnasium's MuJoCo bodies",
    thing="body",
    summary="what the body has to do",
    notes={
        "benchmarks": "Numbers of tasks, unless num_goals says otherwise; half-cheetah-dir and ant-fwd-back train and "
        "test on the same two."
    },
)


def _world(skill: Skill) -> World:
    return World(
        name=skill.name,
        suite="locomotion",
        skills=(skill.name,),
        actions=partial(_action_space, skill),
        observations=partial(_observation_space, skill),
        max_episode_steps=EPISODE_LENGTH,
        benchmarks=_benchmarks(skill),
        row=partial(_make_row, skill.name),
        rows={"native": "taskworlds.worlds.locomotion.native:make_rows"},
        settings=SETTINGS,
        terms=_terms(skill),
        observed=partial(_parts, skill),
        goal_size=skill.goal_size,
        task_check=skill.check_task,
        goal_hidden=_hides_goal,
        class_names=partial(_class_name, skill),
        classes=(f"taskworlds:{skill.class_name}",),
        described=partial(_described, skill),
        instructions="taskworlds.worlds.locomotion.instructions:instructions",
        listing=_LISTING,
        packages=("mujoco", "gymnasium"),
        peers="taskworlds.worlds.locomotion.peers:peers",
        render_modes=("human", "rgb_array", "depth_array"),
        render_fps=skill.render_fps,
    )


LOCOMOTION: tuple[World, ...] = tuple(_world(each) for each in SKILLS)
