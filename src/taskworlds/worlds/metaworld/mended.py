"""Skills whose official form has a defect that an open pull request of Meta-World's mends, in the mended form.

A task has it with the parameter `version="mended"`; without it everything is Meta-World's own, to the last bit.

stick-push-v3, stick-pull-v3   the thermos starts at rest. The official reset clears velocities 16 and 17, but the
                               thermos' two are 15 and 16, as a free joint has 7 positions and 6 velocities. So it
                               starts moving along x, and slides until its joint's limit stops it.
                               https://github.com/Farama-Foundation/Metaworld/pull/584 (and 575)

What is mended of peg-insert-side-v3 is its expert, see `mended_experts`: its environment has no version.
"""

from __future__ import annotations

import dataclasses
import functools
import types
from typing import Any

from taskworlds.core.task import Task
from taskworlds.worlds.metaworld.families import stick
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.skills import skill

__all__ = ["MENDED", "is_mended", "mend_official", "skill_of"]

MENDED = {
    "stick-push-v3": "https://github.com/Farama-Foundation/Metaworld/pull/584",
    "stick-pull-v3": "https://github.com/Farama-Foundation/Metaworld/pull/584",
}
"""By skill, the pull request that mends it."""

_RESETS = {"stick-push-v3": stick.reset_push_mended, "stick-pull-v3": stick.reset_pull_mended}
_THERMOS_POSITIONS = slice(16, 18)  # in qpos
_THERMOS_VELOCITIES = slice(15, 17)  # in qvel


def is_mended(task: Task) -> bool:
    """Returns whether a task is of a skill's mended form."""
    return "version" in task.params


def skill_of(task: Task) -> Skill:
    """Returns the skill of a task, with the reset that its version has."""
    return _mended(skill(task.env_name)) if is_mended(task) else skill(task.env_name)


@functools.cache
def _mended(official: Skill) -> Skill:
    reset = _RESETS.get(official.name)
    return official if reset is None else dataclasses.replace(official, reset=reset)


def mend_official(env: Any, env_name: str, mended: bool) -> None:
    """Has an official environment reset in the mended form, or as it is.

    Args:
        env: the environment.
        env_name: its skill.
        mended: whether it is to be mended.
    """
    if env_name not in _RESETS:
        return
    if mended:
        env._set_obj_xyz = types.MethodType(_stop_thermos, env)
    else:
        env.__dict__.pop("_set_obj_xyz", None)


def _stop_thermos(env: Any, pos: Any) -> None:
    qpos, qvel = env.data.qpos.flat.copy(), env.data.qvel.flat.copy()
    qpos[_THERMOS_POSITIONS] = pos
    qvel[_THERMOS_VELOCITIES] = 0.0
    env.set_state(qpos, qvel)
