"""dm_control's skills on the native engine, those of the families: observations and rewards restated as kernels.

What the kernels compute is dm_control's suite (dm_control/suite/cartpole.py, cheetah.py, finger.py, walker.py) with the
`tolerance` of dm_control/utils/rewards.py. Other skills have no kernel, and run in Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from taskworlds.core.task import Task
from taskworlds.engine.kernel_entry import Array, bind
from taskworlds.rows.model_rows import ModelRows, Native
from taskworlds.worlds.control.row import ControlRow
from taskworlds.worlds.control.skills import skill

__all__ = ["make_rows"]

GAUSSIAN = math.sqrt(-2.0 * math.log(0.1))  # scale at which a gaussian is 0.1 at the margin
STAND_HEIGHT = 1.2  # m, of the walker's torso
CHEETAH_SPEED = 10.0  # m/s
WALK_SPEED, RUN_SPEED = 1.0, 8.0  # m/s, of the walker
SPIN_VELOCITY = 15.0  # radians/s


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


def cheetah_run(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """Positions but for x, velocities, and a reward for the torso's speed forward."""
    for i in range(8):
        obs[i] = now.qpos[1 + i]
    for i in range(9):
        obs[8 + i] = now.qvel[i]
    terms[0] = at_least(now.torso_velocity[0], CHEETAH_SPEED, CHEETAH_SPEED, 0.0)


def walker(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """Two numbers of each body's orientation, the torso's height and velocities; SPEED 0 is to stand."""
    for i in range(7):  # without the world's orientation, which comes first
        obs[2 * i] = now.orientations[9 * (i + 1)]
        obs[2 * i + 1] = now.orientations[9 * (i + 1) + 2]
    height = now.torso[2]
    obs[14] = height
    for i in range(9):
        obs[15 + i] = now.qvel[i]
    standing = 1.0 if height >= STAND_HEIGHT else near_zero(STAND_HEIGHT - height, STAND_HEIGHT / 2.0)
    upright = (1.0 + now.orientations[9 + 8]) / 2.0  # zz of the torso, the first body after the world
    stand = (3.0 * standing + upright) / 4.0
    terms[0] = stand
    if SPEED > 0.0:
        terms[0] = stand * (5.0 * at_least(now.torso_velocity[0], SPEED, SPEED / 2.0, 0.5) + 1.0) / 6.0


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
_WALKER = {"orientations": ("body_xmat",), "torso": ("body_xpos", "torso")} | _QVEL | _TORSO
_FINGER = ("proximal", "distal", "tip", "spinner", "proximal_velocity", "distal_velocity", "hinge_velocity")

KERNELS = {
    "cheetah-run": _Kernel(cheetah_run, _QPOS | _QVEL | _TORSO),
    "walker-stand": _Kernel(bind(walker, SPEED=0.0), _WALKER),
    "walker-walk": _Kernel(bind(walker, SPEED=WALK_SPEED), _WALKER),
    "walker-run": _Kernel(bind(walker, SPEED=RUN_SPEED), _WALKER),
    "finger-spin": _Kernel(
        finger_spin, {name: ("sensordata", name) for name in (*_FINGER, "touchtop", "touchbottom")}
    ),
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


def make_rows(
    env_names: Sequence[str],
    num_rows: int,
    *,
    reward_function_version: str = "dm_control",
    num_threads: int | None = None,
    **drawing: Any,
) -> ModelRows:
    """Makes the rows of a skill; see `World.make_native_rows`."""
    name = env_names[0]
    row = ControlRow(name, reward_function_version, **drawing)
    base = Task(name)
    row.next_task = base
    row.reset(seed=0)
    kernel = KERNELS[name]
    return ModelRows(
        Native(row.inner._n_sub_steps, "split", kernel.reads, kernel.function, terms=()),
        row,
        base,
        num_rows,
        goal_size=0,
        action_size=skill(name).action_size,
        params=lambda task: (),
        model_key=lambda task: task.params,
        num_threads=num_threads,
    )
