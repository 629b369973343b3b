"""The kernels of dm_control's skills, those of the families: observations and rewards, restated for the native engine.

What the kernels compute is dm_control's suite (dm_control/suite/cartpole.py, cheetah.py, finger.py, walker.py) with the
`tolerance` of dm_control/utils/rewards.py, and TD-MPC2's tasks as in `custom_tasks`. Other skills have no kernel, and
run in Python: those of TD-MPC2's whose reward depends on sizes in the model, which a task may change (cup-spin), or
whose every episode has a model of its own, with the target elsewhere (the reacher).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from taskworlds.kernels.entry import Array, Entry, bind
from taskworlds.rows.model_kernel import ModelKernel, Native
from taskworlds.worlds.control.skills import skill

__all__ = ["KERNELS", "entries", "native"]

GAUSSIAN = math.sqrt(-2.0 * math.log(0.1))  # scale at which a gaussian is 0.1 at the margin
STAND_HEIGHT = 1.2  # m, of the walker's torso
CHEETAH_SPEED = 10.0  # m/s
WALK_SPEED, RUN_SPEED = 1.0, 8.0  # m/s, of the walker
SPIN_VELOCITY = 15.0  # radians/s, of the finger's spinner
BACKWARDS_SPEED = 8.0  # m/s, of the cheetah
ONE_LEG_SPEED = 6.0  # m/s, of the cheetah on one leg
STILL_SPEED = 0.5  # m/s, up to which the cheetah stands
HOP_LEAST, HOP_MOST, HOP_SPEED = 0.6, 2.0, 1.0  # m, of the hopper's torso above its foot; m/s
PENDULUM_VELOCITY = 9.0  # radians/s


def near_zero(x: float, margin: float) -> float:
    """1 at zero, falling like a gaussian to 0.1 at the margin."""
    scaled = abs(x) / margin * GAUSSIAN
    return math.exp(-0.5 * (scaled * scaled))


def at_least(x: float, bound: float, margin: float, at_margin: float) -> float:
    """1 from the bound on, falling in a line to `at_margin` at the margin below it, and on to 0."""
    if x >= bound:
        return 1.0
    scaled = (bound - x) / margin * (1.0 - at_margin)
    return 1.0 - scaled if scaled < 1.0 else 0.0


def high(z: float) -> float:
    """1 from the height of a standing walker on, falling like a gaussian to 0.1 at half of it."""
    return 1.0 if z >= STAND_HEIGHT else near_zero(STAND_HEIGHT - z, STAND_HEIGHT / 2.0)


def observe_cheetah(now: Any, obs: Array) -> None:
    """Positions but for x, and velocities."""
    for i in range(8):
        obs[i] = now.qpos[1 + i]
    for i in range(9):
        obs[8 + i] = now.qvel[i]


def cheetah_run(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """A reward for the torso's speed forward."""
    observe_cheetah(now, obs)
    terms[0] = at_least(now.torso_velocity[0], CHEETAH_SPEED, CHEETAH_SPEED, 0.0)


def cheetah_run_backwards(
    now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array
) -> None:
    """A reward for the torso's speed backward."""
    observe_cheetah(now, obs)
    terms[0] = at_least(-now.torso_velocity[0], BACKWARDS_SPEED, BACKWARDS_SPEED, 0.0)


def cheetah_run_on_one_leg(
    now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array
) -> None:
    """A reward for the torso's speed forward with it and the foot `raised` high."""
    observe_cheetah(now, obs)
    up = (3.0 * high(now.raised[2]) + 2.0 * high(now.torso[2])) / 5.0
    terms[0] = up * (5.0 * at_least(now.torso_velocity[0], ONE_LEG_SPEED, ONE_LEG_SPEED, 0.0) + 1.0) / 6.0


def cheetah_jump(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """A reward for the torso and each foot high, and little speed."""
    observe_cheetah(now, obs)
    still = at_least(-abs(now.torso_velocity[0]), -STILL_SPEED, STILL_SPEED, 0.0)
    hind = (5.0 * high((now.torso[2] + now.hind_foot[2]) / 2.0) + still) / 6.0
    front = (5.0 * high((now.torso[2] + now.front_foot[2]) / 2.0) + still) / 6.0
    terms[0] = (hind + front) / 2.0


def observe_walker(now: Any, obs: Array) -> Any:
    """Two numbers of each body's orientation, the torso's height and velocities; returns how well it stands."""
    for i in range(7):  # without the world's orientation, which comes first
        obs[2 * i] = now.orientations[9 * (i + 1)]
        obs[2 * i + 1] = now.orientations[9 * (i + 1) + 2]
    height = now.torso[2]
    obs[14] = height
    for i in range(9):
        obs[15 + i] = now.qvel[i]
    upright = (1.0 + now.orientations[9 + 8]) / 2.0  # zz of the torso, the first body after the world
    return (3.0 * high(height) + upright) / 4.0


def walker(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """A reward for standing, and for speed forward; SPEED 0 is to stand."""
    stand = observe_walker(now, obs)
    terms[0] = stand
    if SPEED > 0.0:
        terms[0] = stand * (5.0 * at_least(now.torso_velocity[0], SPEED, SPEED / 2.0, 0.5) + 1.0) / 6.0


def walker_backwards(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """A reward for standing and for speed backward."""
    stand = observe_walker(now, obs)
    terms[0] = stand * (5.0 * at_least(-now.torso_velocity[0], SPEED, SPEED / 2.0, 0.5) + 1.0) / 6.0


def hopper_hop_backwards(
    now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array
) -> None:
    """Positions but for x, velocities and the foot's touch; a reward for standing and for speed backward."""
    for i in range(6):
        obs[i] = now.qpos[1 + i]
    for i in range(7):
        obs[6 + i] = now.qvel[i]
    obs[13] = math.log1p(now.touch_toe)
    obs[14] = math.log1p(now.touch_heel)
    height = now.torso[2] - now.foot[2]
    standing = 1.0 if height >= HOP_LEAST and height <= HOP_MOST else 0.0
    terms[0] = standing * at_least(-now.torso_velocity[0], HOP_SPEED, HOP_SPEED / 2.0, 0.5)


def pendulum_spin(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """The pole's orientation (zz and xz) and its velocity; a reward for turning, either way."""
    obs[0] = now.pole[8]
    obs[1] = now.pole[2]
    obs[2] = now.velocity
    terms[0] = at_least(abs(now.velocity), PENDULUM_VELOCITY, PENDULUM_VELOCITY / 2.0, 0.5)


def finger_spin(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """Angles, the tip seen from the spinner in x and z, velocities and touch; a reward while the spinner spins."""
    obs[0] = now.proximal
    obs[1] = now.distal
    obs[2] = now.tip[0] - now.spinner[0]
    obs[3] = now.tip[2] - now.spinner[2]
    obs[4] = now.proximal_velocity
    obs[5] = now.distal_velocity
    obs[6] = now.hinge_velocity
    obs[7] = math.log1p(now.touchtop)
    obs[8] = math.log1p(now.touchbottom)
    terms[0] = 1.0 if now.hinge_velocity <= -SPIN_VELOCITY else 0.0


def cartpole_swingup(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """The cart's place, the pole's orientation (zz and xz) and velocities."""
    obs[0] = now.slider
    obs[1] = now.pole[8]
    obs[2] = now.pole[2]
    obs[3] = now.qvel[0]
    obs[4] = now.qvel[1]
    upright = (now.pole[8] + 1.0) / 2.0
    centered = (1.0 + near_zero(now.slider, 2.0)) / 2.0
    control = abs(now.control)
    small_control = (4.0 + (1.0 - control * control if control < 1.0 else 0.0)) / 5.0
    small_velocity = (1.0 + near_zero(now.qvel[1], 5.0)) / 2.0
    terms[0] = upright * small_control * small_velocity * centered


class _Kernel(NamedTuple):
    """A skill's kernel and what it reads."""

    function: Callable[..., None]
    reads: Mapping[str, tuple[str, ...]]


_QPOS: dict[str, tuple[str, ...]] = {"qpos": ("qpos",)}
_QVEL: dict[str, tuple[str, ...]] = {"qvel": ("qvel",)}
_TORSO = {"torso_velocity": ("sensordata", "torso_subtreelinvel")}  # m/s
_TORSO_PLACE = {"torso": ("body_xpos", "torso")}  # m
_CHEETAH = _QPOS | _QVEL | _TORSO
_WALKER = {"orientations": ("body_xmat",)} | _TORSO_PLACE | _QVEL | _TORSO
_FINGER = ("proximal", "distal", "tip", "spinner", "proximal_velocity", "distal_velocity", "hinge_velocity")
_TOUCHES = ("touchtop", "touchbottom")

KERNELS = {
    "cheetah-run": _Kernel(cheetah_run, _CHEETAH),
    "cheetah-run-backwards": _Kernel(cheetah_run_backwards, _CHEETAH),
    "cheetah-run-front": _Kernel(
        cheetah_run_on_one_leg, _CHEETAH | _TORSO_PLACE | {"raised": ("body_xpos", "bfoot")}
    ),
    "cheetah-run-back": _Kernel(
        cheetah_run_on_one_leg, _CHEETAH | _TORSO_PLACE | {"raised": ("body_xpos", "ffoot")}
    ),
    "cheetah-jump": _Kernel(
        cheetah_jump,
        _CHEETAH | _TORSO_PLACE | {"hind_foot": ("body_xpos", "bfoot"), "front_foot": ("body_xpos", "ffoot")},
    ),
    "walker-stand": _Kernel(bind(walker, SPEED=0.0), _WALKER),
    "walker-walk": _Kernel(bind(walker, SPEED=WALK_SPEED), _WALKER),
    "walker-run": _Kernel(bind(walker, SPEED=RUN_SPEED), _WALKER),
    "walker-walk-backwards": _Kernel(bind(walker_backwards, SPEED=WALK_SPEED), _WALKER),
    "walker-run-backwards": _Kernel(bind(walker_backwards, SPEED=RUN_SPEED), _WALKER),
    "hopper-hop-backwards": _Kernel(
        hopper_hop_backwards,
        _QPOS
        | _QVEL
        | _TORSO
        | {"torso": ("body_xipos", "torso"), "foot": ("body_xipos", "foot")}
        | {name: ("sensordata", name) for name in ("touch_toe", "touch_heel")},
    ),
    "pendulum-spin": _Kernel(pendulum_spin, {"pole": ("body_xmat", "pole"), "velocity": ("qvel", "hinge")}),
    "finger-spin": _Kernel(finger_spin, {name: ("sensordata", name) for name in (*_FINGER, *_TOUCHES)}),
    "cartpole-swingup": _Kernel(
        cartpole_swingup,
        {
            "slider": ("qpos", "slider"),
            "pole": ("body_xmat", "pole_1"),
            "qvel": ("qvel",),
            "control": ("ctrl",),
        },
    ),
}

# How many numbers the reads give. Rows ask the model itself; these are for kernels that are compiled without one.
_PLANAR = {"qpos": 9, "qvel": 9, "torso_velocity": 3, "orientations": 72, "torso": 3}
_HOPPER = {"qpos": 7, "qvel": 7, "torso_velocity": 3, "torso": 3, "foot": 3, "touch_toe": 1, "touch_heel": 1}
_READ_SIZES = {
    "cheetah": _PLANAR | {"raised": 3, "hind_foot": 3, "front_foot": 3},
    "walker": _PLANAR,
    "hopper": _HOPPER,
    "pendulum": {"pole": 9, "velocity": 1},
    "finger": {name: 3 if name in ("tip", "spinner") else 1 for name in (*_FINGER, *_TOUCHES)},
    "cartpole": {"slider": 1, "pole": 9, "qvel": 2, "control": 1},
}


def native(name: str, frame_skip: int) -> Native:
    """Says how the engine steps a skill.

    Args:
        name: the skill.
        frame_skip: physics steps per step.
    """
    kernel = KERNELS[name]
    return Native(frame_skip, "split", kernel.reads, kernel.function, terms=())


def entries() -> Iterator[Entry]:
    """Returns the kernels of all skills that have one."""
    for name in KERNELS:
        each, how = skill(name), native(name, 1)  # kernels do not depend on the frame skip
        yield ModelKernel(
            how,
            {read: _READ_SIZES[each.domain][read] for read in how.reads},
            action_size=each.action_size,
            param_size=0,
            obs_size=each.obs_size,
        ).entry(name)
