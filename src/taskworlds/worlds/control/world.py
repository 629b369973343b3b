"""dm_control's suite as worlds: one for each skill, with the benchmarks of its families."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.core.world import SETTINGS, BenchmarkMaker, Listing, Tasks, World
from taskworlds.worlds.control.skills import CUSTOM_SKILLS, MAX_EPISODE_STEPS, NATIVE, SKILLS, ControlSkill
from taskworlds.worlds.control.spaces import action_space, observation_space
from taskworlds.worlds.control.task_check import check_task
from taskworlds.worlds.control.variation import Family, families, gym_id
from taskworlds.worlds.control.variations import VARIATIONS

if TYPE_CHECKING:
    import gymnasium as gym

__all__ = ["CONTROL_WORLDS", "CUSTOM_WORLDS"]

_RANGE_TASKS = 50


def _make_row(env_name: str, **settings: Any) -> gym.Env[Any, Any]:
    from taskworlds.worlds.control.row import ControlRow  # imports the simulator

    return ControlRow(env_name, **settings)


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
        raise WrongValue(
            f"num_goals must be left out for {name}, not {num_goals}: the benchmark has tasks of its own, "
            f"{' and '.join(map(str, own))}. Benchmarks whose names end in -range take any number.",
            argument="num_goals",
        )


def _benchmarks(skill: ControlSkill) -> dict[str, BenchmarkMaker]:
    name = skill.env_name
    own = (name,)

    def maker(
        tasks: Callable[..., Tasks], summary: str, *, has_test: bool, is_variant: bool
    ) -> BenchmarkMaker:
        return BenchmarkMaker(
            tasks,
            has_test=has_test,
            train_skills=own,
            test_skills=own if has_test else (),
            summary=summary,
            is_variant=is_variant,
        )

    made = {
        name: maker(
            functools.partial(_base, name), f"nothing: {skill.summary}", has_test=False, is_variant=True
        )
    }
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
            split = functools.partial(_split, title + ending, family, test, by)
            made[title + ending] = maker(split, family.summary, has_test=True, is_variant=bool(ending))
        drawn = functools.partial(_range, family)
        made[f"{title}-range"] = maker(drawn, family.summary, has_test=True, is_variant=True)
        for each in VARIATIONS:
            if each.gym_id and each.parameter == family.label and each.skills[0] == name:
                id = gym_id(name, each)
                all_ten = functools.partial(_all, id, family)
                made[id] = dataclasses.replace(
                    maker(all_ten, family.summary, has_test=False, is_variant=True),
                    single="taskworlds.compat.mtrl.mtenv:make_hipbmdp",
                )
    return made


def _described(skill: ControlSkill, env_name: str) -> tuple[str, str]:
    return skill.domain, skill.summary


def _space(skill: ControlSkill, *, visible: bool, hidden: bool) -> gym.spaces.Box:
    return observation_space(skill)


def _parts(skill: ControlSkill) -> dict[str, int]:
    """Asks dm_control's environment how many numbers each part of its observation has."""
    from taskworlds.worlds.control.environment import build  # imports the simulator

    environment = build(Task(skill.env_name), 0, textures=False).environment
    try:
        return {name: math.prod(spec.shape) for name, spec in environment.observation_spec().items()}
    finally:
        environment.physics.free()


_LISTING = Listing(
    "dm_control, with families whose physics varies",
    thing="domain",
    varies="what varies",
    notes={
        "benchmarks": "--world control also lists each family with -interpolation, -extrapolation, -by-index and "
        "-range at the end of its name, mtenv's MT-HiPBMDP ids, and each skill's own model, by the skill's name."
    },
)


def _world(skill: ControlSkill) -> World:
    name = skill.env_name
    return World(
        name=name,
        suite="control",
        skills=(name,),
        actions=functools.partial(action_space, skill),
        observations=functools.partial(_space, skill),
        max_episode_steps=MAX_EPISODE_STEPS,
        benchmarks=_benchmarks(skill),
        row=functools.partial(_make_row, name),
        rows={"native": "taskworlds.worlds.control.native:make_rows"} if name in NATIVE else {},
        settings=SETTINGS,
        terms=(),
        observed=functools.partial(_parts, skill),
        reward_function_versions=("dm_control",),
        task_check=check_task,
        described=functools.partial(_described, skill),
        instructions="taskworlds.worlds.control.instructions:instructions",
        listing=_LISTING,
        packages=("mujoco", "dm_control"),
        peers="taskworlds.worlds.control.peers:peers",
        render_modes=("rgb_array", "depth_array"),
        render_fps=skill.render_fps,
    )


CONTROL_WORLDS: tuple[World, ...] = tuple(_world(each) for each in SKILLS)

CUSTOM_WORLDS: tuple[World, ...] = tuple(_world(each) for each in CUSTOM_SKILLS)
"""TD-MPC2's tasks in domains of the suite."""
