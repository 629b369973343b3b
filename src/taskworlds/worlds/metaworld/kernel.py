"""A skill's kernel: what the engine calls after a row's physics to get observation, reward and terms.

It is the same for every skill but for the skill's own functions and sizes, which it finds among its globals. As
ordinary Python it works on arrays (`plain_kernel`); compiled it works on the engine's pointers (`native_kernel`).
"""

from __future__ import annotations

import collections
import functools
import types
from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.digest import digest, reached
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


# What follows, down to `_enter`, is bound to a skill by `_bind`. Functions that name nothing of a skill and take arrays
# are compiled once for all skills: what is in them rather than in `_step` makes every skill's compilation shorter. That
# goes for slices too, which take numba long.


def _part(values, begin, end):
    """Gives a part of an array."""
    return values[begin:end]


def _between(values, right, left, tcp):
    """Computes the centre of two points among the values."""
    for i in range(3):
        tcp[i] = (values[right + i] + values[left + i]) / 2.0


def _hand_frame(hand, right_claw, left_claw, frame):
    """Writes the hand's place and opening, and zeros after them."""
    for i in range(3):
        frame[i] = hand[i]
    frame[3] = min(max(distance(right_claw, left_claw) / 0.1, 0.0), 1.0)
    for i in range(4, 18):
        frame[i] = 0.0


def _frame(now, frame):
    """Writes the 18 numbers of an observation that come from the simulation."""
    hand_frame(now.hand, now.right_claw, now.left_claw, frame)
    observe(now, part(frame, 4, 18))


def _complete(obs, memory, goal, goal_low, goal_high, shown):
    """Completes an observation by the frame before and the goal, clips it, and remembers its frame."""
    for i in range(18):
        obs[18 + i] = memory[i]
        memory[i] = obs[i]
    for i in range(3):
        obs[36 + i] = min(max(goal[i], goal_low[i]), goal_high[i]) if shown else 0.0
    for i in range(3):
        obs[i] = min(max(obs[i], HAND_LOW[i]), HAND_HIGH[i])
        obs[18 + i] = min(max(obs[18 + i], HAND_LOW[i]), HAND_HIGH[i])


def _write_terms(out, goal, terms):
    """Writes the reward, what info has, and the goal."""
    terms[0] = out.reward
    terms[1] = out.success
    terms[2] = out.near_object
    terms[3] = out.grasp_success
    terms[4] = out.grasp_reward
    terms[5] = out.in_place_reward
    terms[6] = out.obj_to_target
    terms[7] = out.reward
    for i in range(3):
        terms[8 + i] = goal[i]


def _step(now_values, action, params, memory, obs, terms, single):
    """Observes and rewards one step. All arguments are float64 arrays but `single`, which is a flag."""
    tcp = part(memory, 18, 21)
    between(now_values, RIGHT_FINGER, LEFT_FINGER, tcp)
    now = make_now(now_values, tcp)
    start = make_start(params)
    goal = get_goal(now, start)
    frame(now, obs)
    complete(obs, memory, goal, GOAL_LOW, GOAL_HIGH, params[0] != 0.0)
    write_terms(get_terms(now, obs, action, start, part(memory, 21, MEMORY_SIZE), single), goal, terms)


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


def _bind(skill: Skill, version: str, *, to_compile: bool = False) -> dict[str, Any]:
    """Gives the globals that a skill's kernel runs with, as plain Python or to be compiled."""
    if version not in skill.rewards:
        raise ValueError(
            f"reward_function_version must be one that {skill.name} has, {' or '.join(skill.rewards)}, not {version!r}."
        )
    reads = ARM_READS | dict(skill.reads)
    slots, at = {}, 0
    for name, read in reads.items():
        width = READ_SIZES[read[0]]
        slots[name] = f"part(values, {at}, {at + width})" if width > 1 else f"values[{at}]"
        if name in ("right_finger", "left_finger"):
            slots[name + "_at"] = str(at)
        at += width
    right, left = int(slots.pop("right_finger_at")), int(slots.pop("left_finger_at"))
    starts, past = {}, _SHOWN
    for name, width in skill.start.items():
        starts[name] = f"part(params, {past}, {past + width})" if width > 1 else f"params[{past}]"
        past += width
    now_type, start_type = (
        _record(f"{title}_{digest(fields)}" if to_compile else title, fields)
        for title, fields in (("Now", (*slots, "tcp")), ("Start", tuple(starts)))
    )
    goal = f"now.{skill.live_goal}" if skill.live_goal else "start.target"
    made: dict[str, Any] = {
        "__name__": __name__,
        "Now": now_type,
        "Start": start_type,
        "observe": skill.observe,
        "get_terms": skill.rewards[version],
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
    for function in (_part, _between, _hand_frame, _frame, _complete, _write_terms, _step, _enter):
        name = function.__name__.removeprefix("_")
        made[name] = types.FunctionType(function.__code__, made, name)
    return made


@functools.cache
def _record(title: str, fields: tuple[str, ...]) -> type:
    """Makes a named tuple, one for all skills with these fields.

    Compiled code needs a title that tells fields apart: names of machine code hold the types' titles and not their
    fields.
    """
    return collections.namedtuple(title, fields)


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

    enter, name = _named(skill, version)
    return compile_kernel(enter, name if keep else None)


def is_cached(skill: Skill, version: str) -> bool | None:
    """Tells whether `native_kernel` would find the kernel on disk; None if nothing can be kept there."""
    from taskworlds.engine.kernels import is_on_disk

    return is_on_disk(*_named(skill, version))


def _named(skill: Skill, version: str) -> tuple[Callable[..., None], str]:
    """Gives a kernel with its name on disk: skill, version, and a digest of what it is made of and what compiles it."""
    enter = _bind(skill, version, to_compile=True)["enter"]
    return enter, f"{skill.name}_{version}_{digest(enter, _compiler())}".replace("-", "_")


@functools.cache
def _compiler() -> str:
    """Gives a digest of what compiles kernels."""
    from taskworlds.engine.kernels import compile_kernel

    return digest(compile_kernel)


def first_observation(
    skill: Skill, beginning: Beginning, visible: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Gives an episode's first observation (39,), its memory, and the goal's position (3,).

    Meta-World clips no observation at reset, and shows the first frame twice.
    """
    bound = _bind(skill, next(iter(skill.rewards)))
    values = read_values(skill, beginning.data, forces=False)  # they play no part in an observation
    memory = np.zeros(MEMORY_SIZE + skill.memory)
    tcp = memory[18:21]
    bound["between"](values, bound["RIGHT_FINGER"], bound["LEFT_FINGER"], tcp)
    now = bound["make_now"](values, tcp)
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
