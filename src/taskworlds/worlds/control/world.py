"""dm_control's suite as worlds: one for each skill, with the benchmarks of its families."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np

from taskworlds.task import Task
from taskworlds.worlds.control.families import VARIATIONS, check_parameters, variations_of
from taskworlds.worlds.control.family import Family, families, gym_id
from taskworlds.worlds.control.skills import MAX_EPISODE_STEPS, NATIVE, SKILLS, ControlSkill
from taskworlds.worlds.world import Tasks, World

if TYPE_CHECKING:
    from taskworlds.worlds.rows import Rows

__all__ = ["CONTROL_WORLDS", "action_space", "check_task", "observation_space"]

_RANGE_TASKS = 50
_CHECKED = 4096


@functools.lru_cache(maxsize=_CHECKED)
def check_task(task: Task) -> None:
    """Checks that a task can be run.

    A family's value within those of its own needs no simulator; for any other the model is compiled.

    Raises:
        ValueError: the skill, a parameter or an attribute of the model is not known, or MuJoCo cannot compile the
            model.
        TypeError: a value is of a wrong type.
        ImportError: dm_control is needed and not installed.
    """
    check_parameters(task)
    known = variations_of(task.env_name)
    for name, value in task.params.items():
        if name not in known or not min(known[name].values) <= value <= max(known[name].values):
            from taskworlds.worlds.control.environment import compiled

            compiled(task)
            return


def observation_space(skill: ControlSkill) -> gym.spaces.Box:
    """Gives the space of a skill's observations, (O,) float64, without bounds."""
    return gym.spaces.Box(-np.inf, np.inf, (skill.obs_size,), dtype=np.float64)


def action_space(skill: ControlSkill) -> gym.spaces.Box:
    """Gives the space of a skill's actions, (A,) float64, with dm_control's own bounds."""
    return gym.spaces.Box(np.array(skill.low), np.array(skill.high), dtype=np.float64)


def _make_row(env_name: str, **options: Any) -> gym.Env[Any, Any]:
    from taskworlds.worlds.control.row import ControlRow

    return ControlRow(env_name, **options)


def _make_native_rows(env_names: Sequence[str], num_rows: int, **options: Any) -> Rows:
    from taskworlds.worlds.control.native import make_rows

    return make_rows(env_names, num_rows, **options)


# --- benchmarks ---------------------------------------------------------------------------------------------


def _base(env_name: str, seed: int, num_goals: int | None) -> Tasks:
    """The skill with dm_control's own model."""
    _check_number(env_name, num_goals, (1,))
    return (Task(env_name),), ()


def _split(
    name: str, family: Family, test: tuple[str, ...], by: str, seed: int, num_goals: int | None
) -> Tasks:
    """The train tasks of mtrl, and those of some of its other splits to test on."""
    train, tested = family.split("train", by), tuple(task for each in test for task in family.split(each, by))
    _check_number(name, num_goals, (len(train), len(tested)))
    return train, tested


def _all(name: str, family: Family, seed: int, num_goals: int | None) -> Tasks:
    """All ten tasks, as mtenv's environment of this id has them."""
    _check_number(name, num_goals, (len(family.values),))
    return family.tasks(), ()


def _range(family: Family, seed: int, num_goals: int | None) -> Tasks:
    """Values drawn between the family's least and largest; those of the test are drawn from the next seed."""
    count = _RANGE_TASKS if num_goals is None else num_goals
    ends = min(family.values), max(family.values)
    return family.sample(*ends, count, seed), family.sample(*ends, count, seed + 1)


def _check_number(name: str, num_goals: int | None, own: tuple[int, ...]) -> None:
    if num_goals is not None and own != (num_goals,) * len(own):
        raise ValueError(
            f"{name} has tasks of its own, {' and '.join(map(str, own))}, so num_goals cannot be {num_goals}. The "
            "benchmarks whose names end in -range take any number."
        )


def _benchmarks(skill: ControlSkill) -> dict[str, Callable[[int, int | None], Tasks]]:
    name = skill.env_name
    made: dict[str, Callable[[int, int | None], Tasks]] = {name: functools.partial(_base, name)}
    both = ("interpolation", "extrapolation")
    for family in families():
        if family.env_name != name:
            continue
        title = f"{name}-{family.label}"
        for ending, test, by in (
            ("", both, "file"),
            ("-interpolation", both[:1], "file"),
            ("-extrapolation", both[1:], "file"),
            ("-by-index", both, "index"),
        ):
            made[title + ending] = functools.partial(_split, title + ending, family, test, by)
        made[f"{title}-range"] = functools.partial(_range, family)
        for each in VARIATIONS:
            if each.gym_id and each.parameter == family.label and each.skills[0] == name:
                made[gym_id(name, each)] = functools.partial(_all, gym_id(name, each), family)
    return made


def _world(skill: ControlSkill) -> World:
    name = skill.env_name
    return World(
        name=name,
        suite="control",
        env_names=lambda: (name,),
        max_episode_steps=MAX_EPISODE_STEPS,
        reward_function_versions=("dm_control",),
        action_space=functools.partial(action_space, skill),
        observation_space=lambda *, visible, hidden: observation_space(skill),
        goal_size=0,
        check_task=check_task,
        hides_goal=lambda task: False,
        class_name=lambda env_name: env_name,
        about=lambda env_name: (skill.domain, skill.summary),
        packages=("mujoco", "dm_control"),
        render_fps=skill.render_fps,
        make_row=functools.partial(_make_row, name),
        make_native_rows=_make_native_rows if name in NATIVE else None,
        has_success=False,
        random_starts=True,
        benchmarks=_benchmarks(skill),
    )


CONTROL_WORLDS: tuple[World, ...] = tuple(_world(each) for each in SKILLS)
