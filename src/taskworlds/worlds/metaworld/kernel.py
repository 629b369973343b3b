"""A skill's kernel: what the engine calls after a row's physics to get observation, reward and terms.

It is the same for every skill but for the skill's own functions and sizes, which it finds among its globals. As
ordinary Python it works on arrays (`plain_kernel`); compiled it works on the engine's pointers (`native_kernel`).
"""

from __future__ import annotations

import collections
import types
from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.functions import digest, reached
from taskworlds.worlds.metaworld import rewards, sawyer
from taskworlds.worlds.metaworld.reset import Beginning
from taskworlds.worlds.metaworld.sawyer import ARM_READS
from taskworlds.worlds.metaworld.skill import READ_SIZES, Skill

__all__ = [
    "ARM_READS",
    "MEMORY_SIZE",
    "TERM_NAMES",
    "TERM_SIZE",
    "first_observation",
    "is_cached",
    "kernel_functions",
    "native_kernel",
    "param_size",
    "plain_kernel",
    "read_values",
]

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
    if version not in skill.rewards:
        raise ValueError(
            f"reward_function_version must be one that {skill.name} has, {' or '.join(skill.rewards)}, not {version!r}."
        )
    reads = ARM_READS | dict(skill.reads)
    slots, at = {}, 0
    for name, read in reads.items():
        width = READ_SIZES[read[0]]
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


def kernel_functions(skill: Skill, version: str) -> list[types.FunctionType]:
    """Gives the skill's functions that its kernel is made of: `observe`, the reward, and all that they call."""
    observe, reward = skill.observe, skill.rewards[version]
    assert isinstance(observe, types.FunctionType)
    assert isinstance(reward, types.FunctionType)
    functions = [*reached(observe), *reached(reward)]
    return list({id(each): each for each in functions}.values())


def native_kernel(skill: Skill, version: str, *, keep: bool = True) -> Any:
    """Compiles a skill's kernel for the engine, or loads it from the cache on disk.

    The cache is numba's; its key holds a digest of everything that a kernel is made of, so it is never stale.

    Args:
        skill: the skill.
        version: of the reward.
        keep: False compiles it anew, and leaves the cache alone.
    """
    from taskworlds.engine.kernels import compile_kernel

    enter = _bind(skill, version)["enter"]
    return compile_kernel(enter, _cache_name(skill, version, enter) if keep else None)


def is_cached(skill: Skill, version: str) -> bool | None:
    """Tells whether `native_kernel` would find the kernel on disk; None if nothing can be kept there."""
    from taskworlds.engine.kernels import is_on_disk

    enter = _bind(skill, version)["enter"]
    return is_on_disk(enter, _cache_name(skill, version, enter))


def _cache_name(skill: Skill, version: str, enter: Callable[..., None]) -> str:
    """Names a kernel by skill, version, and a digest of all that it is made of and of what compiles it."""
    from taskworlds.engine.kernels import compile_kernel

    return f"{skill.name}_{version}_{digest(enter, compile_kernel)}".replace("-", "_")


def first_observation(
    skill: Skill, beginning: Beginning, visible: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Gives an episode's first observation (39,), its memory, and the goal's position (3,).

    Meta-World clips no observation at reset, and shows the first frame twice.
    """
    bound = _bind(skill, next(iter(skill.rewards)))
    values = read_values(skill, beginning.data, forces=False)  # they play no part in an observation
    memory = np.zeros(MEMORY_SIZE + skill.memory)
    now = bound["look"](values, memory[18:21])
    obs = np.zeros(sawyer.OBS_SIZE)
    bound["frame"](now, obs)
    obs[18:36] = memory[:18] = obs[:18]
    goal = np.array(getattr(now, skill.live_goal) if skill.live_goal else beginning.start["target"])
    if visible:
        obs[sawyer.GOAL] = goal
    return obs, memory, goal


def read_values(skill: Skill, data: mujoco.MjData, *, forces: bool = True) -> NDArray[np.float64]:
    """Gives what the engine reads after a step, (G,), from MuJoCo's Python bindings; forces as 0 if not `forces`."""
    reads = (ARM_READS | dict(skill.reads)).values()
    return np.concatenate([_read(data, read, forces) for read in reads])


def _read(data: mujoco.MjData, read: tuple[str, ...], forces: bool) -> NDArray[np.float64]:
    source, name = read[:2]
    if source == "touch":
        return np.array([_touch(data, *read[1:])]) if forces else np.zeros(1)
    if source == "qpos":
        return np.array(data.joint(name).qpos).reshape(-1)
    kind, field = source.split("_", 1)
    return np.array(getattr(getattr(data, kind)(name), field)).reshape(-1)


def _touch(data: mujoco.MjData, *names: str) -> float:
    """Gives the normal force between two geoms, newtons, computed as Meta-World does."""
    pair = {data.geom(name).id for name in names}
    force = 0.0
    for contact in data.contact:
        if set(contact.geom.tolist()) == pair and data.nefc:
            force += data.efc_force[
                contact.efc_address
            ]  # -1, where a contact made no constraint, is the last
    return force
