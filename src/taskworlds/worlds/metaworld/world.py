"""Meta-World as a world: its skills, spaces and tasks, for the engines and the vector environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np

from taskworlds.task import Task
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.fields import REWARD_VERSIONS
from taskworlds.worlds.metaworld.goals import too_near
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.skills import env_names, register_skill, registered_skills, skill
from taskworlds.worlds.world import World

if TYPE_CHECKING:
    from taskworlds.worlds.rows import Rows

__all__ = ["METAWORLD"]

_PARAMS = {"rand_vec", "partially_observable"}
_MAX_NUMBER = 1e10  # MuJoCo's mjMAXVAL, beyond which it calls a position bad and starts the simulation anew


def _check_task(task: Task) -> None:
    needs = skill(task.env_name)
    size = len(needs.rand_vec_low)
    if set(task.params) != _PARAMS:
        raise ValueError(
            f"A task of {task.env_name} has the parameters rand_vec and partially_observable, "
            f"not {', '.join(task.params) or 'none'}."
        )
    vector = task["rand_vec"]
    if not (isinstance(vector, tuple) and all(type(x) in (int, float) for x in vector)):
        raise TypeError(f"rand_vec must be a tuple of {size} numbers for {task.env_name}, not {vector!r}.")
    if len(vector) != size:
        raise ValueError(
            f"rand_vec must have {size} numbers for {task.env_name}, not {len(vector)}: {vector!r}."
        )
    for i, number in enumerate(vector):
        if abs(number) > _MAX_NUMBER:
            raise ValueError(
                f"rand_vec[{i}] must be between -{_MAX_NUMBER:g} and {_MAX_NUMBER:g}, not {number!r}, in task "
                f"{task.id} of {task.env_name}: MuJoCo simulates no positions beyond. This skill's goals are drawn "
                f"with rand_vec[{i}] from {needs.rand_vec_low[i]} to {needs.rand_vec_high[i]}."
            )
    if not isinstance(task["partially_observable"], bool):
        raise TypeError(f"partially_observable must be True or False, not {task['partially_observable']!r}.")
    if too_near(needs, np.array(vector, dtype=np.float64)):
        x, y = needs.separated_from or vector[3:5]
        raise ValueError(
            f"rand_vec must put the object of {task.env_name} at least {needs.min_separation} m away from "
            f"({x}, {y}) in x and y, not at ({vector[0]}, {vector[1]}): Meta-World draws such a vector "
            "again, and its environment would wait for another one for ever. Move the object or the goal."
        )


def _hides_goal(task: Task) -> bool:
    return task["partially_observable"]


class _RowMaker:
    """Makes a row of the sync and async engines; takes the registered skills along into another process."""

    def __call__(self, **options: Any) -> gym.Env[Any, Any]:
        from taskworlds.worlds.metaworld.official import OfficialRow

        return OfficialRow(**options)

    def __reduce__(self) -> tuple[Any, ...]:
        return _row_maker_knowing, registered_skills()


def _row_maker_knowing(*skills: Skill) -> _RowMaker:
    for each in skills:
        register_skill(each)
    return _RowMaker()


def _make_native_rows(env_names: Sequence[str], num_rows: int, **options: Any) -> Rows:
    from taskworlds.worlds.metaworld.native import NativeRows

    return NativeRows(env_names, num_rows, **options)


METAWORLD = World(
    name="Meta-World",
    suite="metaworld",
    env_names=env_names,
    max_episode_steps=sawyer.MAX_EPISODE_STEPS,
    reward_function_versions=REWARD_VERSIONS,
    action_space=sawyer.action_space,
    observation_space=sawyer.observation_space,
    goal_size=3,
    check_task=_check_task,
    hides_goal=_hides_goal,
    class_name=lambda env_name: skill(env_name).class_name or env_name,
    about=lambda env_name: (skill(env_name).family, skill(env_name).summary),
    packages=("mujoco", "metaworld"),
    render_fps=80,
    make_row=_RowMaker(),
    make_native_rows=_make_native_rows,
)
