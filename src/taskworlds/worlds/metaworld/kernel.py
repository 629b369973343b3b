"""A skill's kernel: what the engine calls after a row's physics to get observation, reward and terms.

It is the same for every skill but for the skill's own functions and sizes, which it finds among its globals. As
ordinary Python it works on arrays (`plain_kernel`); compiled it works on the engine's pointers (`native_kernel`).
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.worlds.metaworld import rewards, sawyer
from taskworlds.worlds.metaworld.reset import Beginning
from taskworlds.worlds.metaworld.skill import Skill

__all__ = [
    "ARM_READS",
    "MEMORY_SIZE",
    "TERM_NAMES",
    "TERM_SIZE",
    "first_observation",
    "is_cached",
    "native_kernel",
    "param_size",
    "plain_kernel",
]

# What every skill reads, before its own reads.
ARM_READS: dict[str, tuple[str, ...]] = {
    "hand": ("body_xpos", "hand"),
    "right_claw": ("body_xpos", "rightclaw"),
    "left_claw": ("body_xpos", "leftclaw"),
    "right_finger": ("site_xpos", "rightEndEffector"),
    "left_finger": ("site_xpos", "leftEndEffector"),
    "right_pad": ("body_xpos", "rightpad"),
    "left_pad": ("body_xpos", "leftpad"),
}
WIDTHS = {
    "body_xpos": 3,
    "body_xquat": 4,
    "site_xpos": 3,
    "geom_xpos": 3,
    "geom_xmat": 9,
    "qpos": 1,
    "touch": 1,
}

TERM_NAMES = (
    "success",
    "near_object",
    "grasp_success",
    "grasp_reward",
    "in_place_reward",
    "obj_to_target",
    "unscaled_reward",
)
TERM_SIZE = 1 + len(TERM_NAMES) + 3  # the reward, what info has, and the goal's position
_SHOWN = 1  # params: whether the goal is visible
MEMORY_SIZE = 18 + 3  # memory: the last frame, room for the fingers' centre, then the skill's own
_CODE = ("reset", "observe", "rewards")  # fields of a skill that are functions, known by their files' text


def param_size(skill: Skill) -> int:
    """Gives how many params a row of the skill has."""
    return _SHOWN + sum(skill.start.values())


def _look(now_values, tcp):
    """Names what the engine read, and computes the fingers' centre into `tcp`."""
    for i in range(3):
        tcp[i] = (now_values[RIGHT_FINGER + i] + now_values[LEFT_FINGER + i]) / 2.0
    return make_now(now_values, tcp)


def _frame(now, frame):
    """Writes the 18 numbers of an observation that come from the simulation."""
    for i in range(3):
        frame[i] = now.hand[i]
    frame[3] = min(max(distance(now.right_claw, now.left_claw) / 0.1, 0.0), 1.0)
    for i in range(4, 18):
        frame[i] = 0.0
    observe(now, frame[4:18])


def _step(now_values, action, params, memory, obs, terms, single):
    """Observes and rewards one step. All arguments are float64 arrays but `single`, which is a flag."""
    now = look(now_values, memory[18:21])
    start = make_start(params)
    frame(now, obs)
    for i in range(18):
        obs[18 + i] = memory[i]
        memory[i] = obs[i]
    shown = params[0] != 0.0
    goal = get_goal(now, start)
    for i in range(3):
        terms[8 + i] = goal[i]
        obs[36 + i] = min(max(goal[i], GOAL_LOW[i]), GOAL_HIGH[i]) if shown else 0.0
    for i in range(3):
        obs[i] = min(max(obs[i], HAND_LOW[i]), HAND_HIGH[i])
        obs[18 + i] = min(max(obs[18 + i], HAND_LOW[i]), HAND_HIGH[i])

    out = reward(now, obs, action, start, memory[21:], single)
    terms[0] = out.reward
    terms[1] = out.success
    terms[2] = out.near_object
    terms[3] = out.grasp_success
    terms[4] = out.grasp_reward
    terms[5] = out.in_place_reward
    terms[6] = out.obj_to_target
    terms[7] = out.reward


def _enter(now, action, params, memory, obs, terms, single):
    """The engine's way in: gives its pointers a shape."""
    step(
        carray(now, NOW_SIZE),
        carray(action, 4),
        carray(params, PARAM_SIZE),
        carray(memory, MEMORY_SIZE),
        carray(obs, 39),
        carray(terms, TERM_SIZE),
        single != 0,
    )


def _bind(skill: Skill, version: str) -> dict[str, Any]:
    """Gives the globals that a skill's kernel runs with."""
    reads = ARM_READS | dict(skill.reads)
    slots, at = {}, 0
    for name, read in reads.items():
        width = WIDTHS[read[0]]
        slots[name] = f"values[{at}:{at + width}]" if width > 1 else f"values[{at}]"
        if name in ("right_finger", "left_finger"):
            slots[name + "_at"] = str(at)
        at += width
    right, left = int(slots.pop("right_finger_at")), int(slots.pop("left_finger_at"))
    starts, past = {}, _SHOWN
    for name, width in skill.start.items():
        starts[name] = f"params[{past}:{past + width}]" if width > 1 else f"params[{past}]"
        past += width
    now_type = collections.namedtuple("Now", [*slots, "tcp"])  # type: ignore[misc]
    start_type = collections.namedtuple("Start", list(starts))  # type: ignore[misc]
    goal = f"now.{skill.live_goal}" if skill.live_goal else "start.target"
    made: dict[str, Any] = {
        "__name__": __name__,
        "Now": now_type,
        "Start": start_type,
        "observe": skill.observe,
        "reward": skill.rewards[version],
        "distance": rewards.distance,
        "RIGHT_FINGER": right,
        "LEFT_FINGER": left,
        "NOW_SIZE": at,
        "PARAM_SIZE": past,
        "MEMORY_SIZE": MEMORY_SIZE + skill.memory,
        "TERM_SIZE": TERM_SIZE,
        "GOAL_LOW": tuple(float(x) for x in skill.goal_low),
        "GOAL_HIGH": tuple(float(x) for x in skill.goal_high),
        "HAND_LOW": sawyer.HAND_LOW,
        "HAND_HIGH": sawyer.HAND_HIGH,
    }
    exec(
        f"def make_now(values, tcp):\n    return Now({', '.join(slots.values())}, tcp)\n"
        f"def make_start(params):\n    return Start({', '.join(starts.values())})\n"
        f"def get_goal(now, start):\n    return {goal}\n",
        made,
    )
    for name, function in (("look", _look), ("frame", _frame), ("step", _step), ("enter", _enter)):
        made[name] = types.FunctionType(function.__code__, made, name)
    return made


def plain_kernel(skill: Skill, version: str) -> Callable[..., None]:
    """Gives a skill's kernel as ordinary Python on arrays: `(now, action, params, memory, obs, terms, single)`."""
    return _bind(skill, version)["step"]


def native_kernel(skill: Skill, version: str) -> Any:
    """Compiles a skill's kernel for the engine, or loads it from the cache on disk.

    The cache is numba's; its key holds the text of everything that a kernel is made of, so it is never stale.
    """
    from taskworlds.engine.kernels import compile_kernel

    return compile_kernel(_bind(skill, version)["enter"], _cache_name(skill, version))


def is_cached(skill: Skill, version: str) -> bool:
    """Tells whether `native_kernel` would find the kernel on disk."""
    from taskworlds.engine.kernels import is_on_disk

    return is_on_disk(_bind(skill, version)["enter"], _cache_name(skill, version))


def _cache_name(skill: Skill, version: str) -> str:
    """Names a kernel by skill, version and a hash of everything that it is made of."""
    import taskworlds.engine.kernels as compiler

    functions: list[Any] = [skill.observe, skill.rewards[version]]
    modules = {
        sys.modules[__name__],
        rewards,
        compiler,
        *(sys.modules[each.__module__] for each in functions),
    }
    text = "".join(sorted(inspect.getsource(module) for module in modules)) + version
    text += "".join(each.__qualname__ for each in functions)
    text += repr([getattr(skill, each.name) for each in dataclasses.fields(skill) if each.name not in _CODE])
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{skill.name}_{version}_{digest}".replace("-", "_")


def first_observation(
    skill: Skill, beginning: Beginning, visible: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Gives an episode's first observation (39,), its memory, and the goal's position (3,).

    Meta-World clips no observation at reset, and shows the first frame twice.
    """
    bound = _bind(skill, next(iter(skill.rewards)))
    values = np.concatenate(
        [_read(beginning.data, read) for read in (ARM_READS | dict(skill.reads)).values()]
    )
    memory = np.zeros(MEMORY_SIZE + skill.memory)
    now = bound["look"](values, memory[18:21])
    obs = np.zeros(sawyer.OBS_SIZE)
    bound["frame"](now, obs)
    obs[18:36] = memory[:18] = obs[:18]
    goal = np.array(getattr(now, skill.live_goal) if skill.live_goal else beginning.start["target"])
    if visible:
        obs[sawyer.GOAL] = goal
    return obs, memory, goal


def _read(data: mujoco.MjData, read: tuple[str, ...]) -> NDArray[np.float64]:
    source, name = read[:2]
    if source == "touch":
        return np.zeros(1)  # forces play no part in an observation
    if source == "qpos":
        return np.array(data.joint(name).qpos).reshape(-1)
    kind, field = source.split("_", 1)
    return np.array(getattr(getattr(data, kind)(name), field)).reshape(-1)
