"""A skill's kernel: what the engine calls after a row's physics to get observation, reward and terms.

It is the same for every skill but for the skill's own functions and sizes, which it finds among its globals. As
ordinary Python it works on arrays (`plain_kernel`); compiled it works on the engine's pointers (`native_kernel`).
"""

from __future__ import annotations

import functools
import itertools
import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.digest import reached
from taskworlds.core.errors import WrongValue
from taskworlds.kernels.entry import Array, Entry, compile_named, entry, find_named, part, unpacker
from taskworlds.worlds.metaworld import rewards, sawyer
from taskworlds.worlds.metaworld.sawyer import ARM_READS, TERM_NAMES
from taskworlds.worlds.metaworld.skill import READ_SIZES, Skill
from taskworlds.worlds.metaworld.skills import SKILLS

if TYPE_CHECKING:  # kernels are compiled where no MuJoCo is
    import mujoco

    from taskworlds.worlds.metaworld.reset import Beginning

__all__ = [
    "ARM_READS",
    "MEMORY_SIZE",
    "TERM_SIZE",
    "entries",
    "find_kernel",
    "first_observation",
    "kernel_functions",
    "native_kernel",
    "param_size",
    "plain_kernel",
    "read_values",
]

TERM_SIZE = 1 + len(TERM_NAMES) + 3  # the reward, what info has, and the goal's position
_SHOWN = 1  # params: whether the goal is visible
MEMORY_SIZE = 18 + 3  # memory: the last frame, room for the fingers' centre, then the skill's own


def param_size(skill: Skill) -> int:
    """Returns how many params a row of the skill has."""
    return _SHOWN + sum(skill.start.values())


# What follows, down to `_step`, is bound to a skill by `_bind`. Functions that name nothing of a skill and take arrays
# are compiled once for all skills: what is in them rather than in `_step` makes every skill's compilation shorter. That
# goes for slices too, which take numba long.


def _between(values: Array, right: int, left: int, tcp: Array) -> None:
    """Computes the centre of two points among the values."""
    for i in range(3):
        tcp[i] = (values[right + i] + values[left + i]) / 2.0


def _hand_frame(hand: Array, right_claw: Array, left_claw: Array, frame: Array) -> None:
    """Writes the hand's place and opening, and zeros after them."""
    for i in range(3):
        frame[i] = hand[i]
    frame[3] = min(max(distance(right_claw, left_claw) / 0.1, 0.0), 1.0)
    for i in range(4, 18):
        frame[i] = 0.0


def _frame(now: Any, frame: Array) -> None:
    """Writes the 18 numbers of an observation that come from the simulation."""
    hand_frame(now.hand, now.right_claw, now.left_claw, frame)
    observe(now, part(frame, 4, 18))


def _complete(obs: Array, memory: Array, goal: Array, goal_low: Any, goal_high: Any, shown: bool) -> None:
    """Completes an observation by the frame before and the goal, clips it, and remembers its frame."""
    for i in range(18):
        obs[18 + i] = memory[i]
        memory[i] = obs[i]
    for i in range(3):
        obs[36 + i] = min(max(goal[i], goal_low[i]), goal_high[i]) if shown else 0.0
    for i in range(3):
        obs[i] = min(max(obs[i], HAND_LOW[i]), HAND_HIGH[i])
        obs[18 + i] = min(max(obs[18 + i], HAND_LOW[i]), HAND_HIGH[i])


def _write_terms(out: Any, goal: Array, terms: Array) -> None:
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


def _step(
    now_values: Array, action: Array, params: Array, memory: Array, obs: Array, terms: Array, single: bool
) -> None:
    """Observes and rewards one step. All arguments are float64 arrays but `single`, which is a flag."""
    tcp = part(memory, 18, 21)
    between(now_values, RIGHT_FINGER, LEFT_FINGER, tcp)
    now = make_now(now_values, tcp)
    start = make_start(params)
    goal = get_goal(now, start)
    frame(now, obs)
    complete(obs, memory, goal, GOAL_LOW, GOAL_HIGH, params[0] != 0.0)
    write_terms(get_terms(now, obs, action, start, part(memory, 21, MEMORY_SIZE), single), goal, terms)


def _bind(skill: Skill, version: str) -> dict[str, Any]:
    """Returns the globals that a skill's kernel runs with: `step` is the kernel, and `sizes` those of its arrays."""
    if version not in skill.rewards:
        raise WrongValue(
            f"reward_function_version must be one that {skill.name} has, {' or '.join(skill.rewards)}, "
            f"not {version!r}.",
            argument="reward_function_version",
        )
    reads = {name: READ_SIZES[read[0]] for name, read in (ARM_READS | dict(skill.reads)).items()}
    first = dict(zip(reads, itertools.accumulate(reads.values(), initial=0), strict=False))
    made: dict[str, Any] = {
        "__name__": __name__,
        "part": part,
        "make_now": unpacker("Now", reads, more=("tcp",)),
        "make_start": unpacker("Start", skill.start, start=_SHOWN),
        "get_goal": _named_goal(skill.live_goal),
        "observe": skill.observe,
        "get_terms": skill.rewards[version],
        "distance": rewards.distance,
        "RIGHT_FINGER": first["right_finger"],
        "LEFT_FINGER": first["left_finger"],
        "MEMORY_SIZE": MEMORY_SIZE + skill.memory,
        "GOAL_LOW": tuple(float(x) for x in skill.goal_low),
        "GOAL_HIGH": tuple(float(x) for x in skill.goal_high),
        "HAND_LOW": sawyer.HAND_LOW,
        "HAND_HIGH": sawyer.HAND_HIGH,
    }
    for function in (_between, _hand_frame, _frame, _complete, _write_terms, _step):
        name = function.__name__.removeprefix("_")
        made[name] = types.FunctionType(function.__code__, made, name)
    made["sizes"] = {
        "now": sum(reads.values()),
        "action": sawyer.ACTION_SIZE,
        "params": param_size(skill),
        "memory": MEMORY_SIZE + skill.memory,
        "obs": sawyer.OBS_SIZE,
        "terms": TERM_SIZE,
    }
    return made


@functools.lru_cache(maxsize=64)
def _bound_once(skill: Skill) -> dict[str, Any]:
    """`_bind` for observations, which no reward plays a part in."""
    return _bind(skill, next(iter(skill.rewards)))


def _named_goal(live_goal: str | None) -> Callable[..., Any]:
    """Makes the function that finds the goal's position: in what was read, or in what the reset handed on."""
    made: dict[str, Any] = {"__name__": __name__}
    exec(
        f"def get_goal(now, start):\n    return {f'now.{live_goal}' if live_goal else 'start.target'}\n", made
    )
    get_goal: Callable[..., Any] = made["get_goal"]
    return get_goal


def plain_kernel(skill: Skill, version: str) -> Callable[..., None]:
    """Returns a skill's kernel as ordinary Python on arrays: `(now, action, params, memory, obs, terms, single)`."""
    step: Callable[..., None] = _bind(skill, version)["step"]
    return step


def kernel_functions(skill: Skill, version: str) -> list[types.FunctionType]:
    """Returns the skill's functions that its kernel is made of: `observe`, the reward, and all that they call."""
    observe, reward = skill.observe, skill.rewards[version]
    assert isinstance(observe, types.FunctionType)
    assert isinstance(reward, types.FunctionType)
    functions = [*reached(observe), *reached(reward)]
    return list({id(each): each for each in functions}.values())


def native_kernel(skill: Skill, version: str, *, keep: bool = True, checked: bool = False) -> Any:
    """Finds a skill's kernel for the engine, or compiles it: see `compile_named`.

    Args:
        skill: the skill.
        version: of the reward.
        keep: False compiles it again, and leaves the cache alone.
        checked: whether indices are checked, see `compile_kernel`.
    """
    return compile_named(*_entry(skill, version), keep=keep, checked=checked)


def find_kernel(skill: Skill, version: str) -> Any:
    """Returns what `native_kernel` would return without compiling; None if it had to be compiled."""
    return find_named(*_entry(skill, version))


def entries() -> Iterator[Entry]:
    """Returns the kernels of all of Meta-World's skills in all versions of the reward, skills of a family together."""
    for skill in sorted(SKILLS, key=lambda each: each.family):
        for version in skill.rewards:
            yield _entry(skill, version)


def _entry(skill: Skill, version: str) -> Entry:
    bound = _bind(skill, version)
    return Entry(entry(bound["step"], **bound["sizes"]), f"{skill.name}_{version}")


def first_observation(
    skill: Skill, beginning: Beginning, visible: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Returns an episode's first observation (39,), its memory, and the goal's position (3,).

    Meta-World clips no observation at reset, and shows the first frame twice.
    """
    bound = _bound_once(skill)
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
    """Returns what the engine reads after a step, (G,), from MuJoCo's Python bindings; forces as 0 if not `forces`."""
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
    """Returns the normal force between two geoms, newtons, computed as Meta-World does."""
    pair = {data.geom(name).id for name in names}
    force = 0.0
    for contact in data.contact:
        if set(contact.geom.tolist()) == pair and data.nefc:
            # -1, where a contact made no constraint, is the last: Meta-World's quirk
            force += data.efc_force[contact.efc_address]
    return force
