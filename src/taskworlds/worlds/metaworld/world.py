"""Meta-World as a world: its skills, spaces and tasks, for the engines and the vector environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.core.task import Task
from taskworlds.core.world import SETTINGS, Listing, World
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.benchmark_lists import ENV_NAMES, NUM_GOALS
from taskworlds.worlds.metaworld.difficulty import DIFFICULTY
from taskworlds.worlds.metaworld.factors import check_factors
from taskworlds.worlds.metaworld.goals import too_near
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.skills import (
    canonical_name,
    env_names,
    register_skill,
    registered_skills,
    skill,
)
from taskworlds.worlds.metaworld.validation import REWARD_VERSIONS

if TYPE_CHECKING:
    import gymnasium as gym

__all__ = ["METAWORLD"]

_PARAMS = {"rand_vec", "partially_observable"}
_MAX_NUMBER = 1e10  # MuJoCo's mjMAXVAL, beyond which it calls a position bad and starts the simulation anew


def _check_task(task: Task) -> None:
    needs = skill(task.env_name)
    size = len(needs.rand_vec_low)
    if not _PARAMS.issubset(task.params):
        raise WrongValue(
            f"A task of {task.env_name} has the parameters rand_vec and partially_observable, "
            f"not {', '.join(task.params) or 'none'}."
        )
    if len(task.params) > len(_PARAMS):
        check_factors(task)
    vector = task["rand_vec"]
    if not (isinstance(vector, tuple) and all(type(x) in (int, float) for x in vector)):
        raise WrongType(
            f"rand_vec must be a tuple of {size} numbers for {task.env_name}, not {vector!r}.",
            argument="rand_vec",
        )
    if len(vector) != size:
        raise WrongValue(
            f"rand_vec must have {size} numbers for {task.env_name}, not {len(vector)}: {vector!r}.",
            argument="rand_vec",
        )
    for i, number in enumerate(vector):
        if abs(number) > _MAX_NUMBER:
            raise WrongValue(
                f"rand_vec[{i}] must be between -{_MAX_NUMBER:g} and {_MAX_NUMBER:g}, not {number!r}, in task "
                f"{task.id} of {task.env_name}: MuJoCo simulates no positions beyond that. This skill's goals are "
                f"drawn with rand_vec[{i}] from {needs.rand_vec_low[i]} to {needs.rand_vec_high[i]}."
            )
    if not isinstance(task["partially_observable"], bool):
        raise WrongType(
            f"partially_observable must be True or False, not {task['partially_observable']!r}.",
            argument="partially_observable",
        )
    if too_near(needs, np.array(vector, dtype=np.float64)):
        x, y = needs.separated_from or vector[3:5]
        raise WrongValue(
            f"rand_vec must put the object of {task.env_name} at least {needs.min_separation} m away from "
            f"({x}, {y}) in x and y, not at ({vector[0]}, {vector[1]}): Meta-World redraws such a vector, "
            "and with a fixed one its environment would loop for ever. Move the object or the goal.",
            argument="rand_vec",
        )


def _hides_goal(task: Task) -> bool:
    return bool(task["partially_observable"])


class _RowMaker:
    """Makes a row of the sync and async engines; takes the registered skills along into another process."""

    def __call__(self, **options: Any) -> gym.Env[Any, Any]:
        from taskworlds.worlds.metaworld.official import OfficialRow  # imports the simulator

        return OfficialRow(**options)

    def __reduce__(self) -> tuple[Any, ...]:
        return _row_maker_knowing, registered_skills()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _RowMaker)

    def __hash__(self) -> int:
        return hash(_RowMaker)


def _row_maker_knowing(*skills: Skill) -> _RowMaker:
    for each in skills:
        register_skill(each)
    return _RowMaker()


def _class_name(env_name: str) -> str:
    return skill(env_name).class_name or env_name


def _described(env_name: str) -> tuple[str, str]:
    return skill(env_name).family, skill(env_name).summary


def _details(env_name: str) -> dict[str, Any]:
    """Bounds of the goals, and the benchmarks' splits that hold the skill."""
    splits = {
        title: {title: lists.train}
        if not lists.test
        else {f"{title}-train": lists.train, f"{title}-test": lists.test}
        for title, lists in ENV_NAMES.items()
    }
    held = [title for parts in splits.values() for title, names in parts.items() if env_name in names]
    low, high = skill(env_name).rand_vec_low, skill(env_name).rand_vec_high
    return {"rand_vec_low": list(low), "rand_vec_high": list(high), "benchmarks": held}


def _current_name(env_name: str) -> str | None:
    """The v3 skill for a v2 name; None for a name that no skill has."""
    known = env_name.removesuffix("-v2") + "-v3" in env_names()
    return (
        canonical_name(env_name) if known or env_name.endswith(("-goal-observable", "-goal-hidden")) else None
    )


METAWORLD = World(
    name="Meta-World",
    suite="metaworld",
    skills=env_names,
    actions=sawyer.action_space,
    observations=sawyer.observation_space,
    max_episode_steps=sawyer.MAX_EPISODE_STEPS,
    benchmarks="taskworlds.worlds.metaworld.benchmarks:BENCHMARKS",
    skill_benchmark="MT1",
    row=_RowMaker(),
    rows={"native": "taskworlds.worlds.metaworld.native:NativeRows"},
    settings=SETTINGS,
    has_success=True,
    terms=sawyer.TERM_NAMES,
    observed=sawyer.observed_parts,
    own_parts=("hand_position", "gripper_opening"),
    has_random_starts=False,
    reward_function_versions=REWARD_VERSIONS,
    goal_size=3,
    task_check=_check_task,
    fresh_task="taskworlds.worlds.metaworld.goals:fresh_task",
    goal_hidden=_hides_goal,
    current_name=_current_name,
    class_names=_class_name,
    described=_described,
    instructions="taskworlds.worlds.metaworld.instructions:instructions",
    details=_details,
    listing=Listing(
        "Meta-World",
        summary="what the arm has to do",
        by_skill=True,
        notes={
            "benchmarks": "Multi-task benchmarks show the goal in the observation. Meta benchmarks hide it, and keep "
            f"some tasks apart for the test. Each skill has {NUM_GOALS} goals.",
            "skills": "MT1 and ML1 take any of them: taskworlds evaluate drawer-open-v3.",
        },
    ),
    classes=("taskworlds:KEpisodeMetaworld", "taskworlds:MetaWorldSetTaskEnv", "taskworlds:Metaworld"),
    experts="taskworlds.worlds.metaworld.experts:ExpertPolicy",
    packages=("mujoco", "metaworld"),
    code="taskworlds.worlds.metaworld.skill_code:registered_code",
    peers="taskworlds.worlds.metaworld.peers:peers",
    render_modes=("human", "rgb_array", "depth_array"),
    render_fps=80,
    cameras=("topview", "corner", "corner2", "corner3", "corner4", "behindGripper", "gripperPOV"),
    task_word="goal",
    skill_groups=DIFFICULTY,
)
