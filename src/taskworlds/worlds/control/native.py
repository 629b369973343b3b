"""dm_control's skills on the native engine, those of the families: observations and rewards restated as kernels.

What the kernels compute is dm_control's suite (dm_control/suite/cartpole.py, cheetah.py, finger.py, walker.py) with the
`tolerance` of dm_control/utils/rewards.py. Other skills have no kernel, and run in Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from taskworlds.core.task import Task
from taskworlds.rows.model_rows import ModelRows, Native, bind
from taskworlds.worlds.control.row import ControlRow
from taskworlds.worlds.control.skills import skill

__all__ = ["make_rows"]

GAUSSIAN = math.sqrt(-2.0 * math.log(0.1))  # scale at which a gaussian is 0.1 at the margin
STAND_HEIGHT = 1.2  # m, of the walker's torso
CHEETAH_SPEED = 10.0  # m/s
WALK_SPEED, RUN_SPEED = 1.0, 8.0  # m/s, of the walker
SPIN_VELOCITY = 15.0  # radians/s


def near_zero(x, margin):
    """1 at zero, falling like a gaussian to 0.1 at the margin."""
    scaled = abs(x) / margin * GAUSSIAN
    return math.exp(-0.5 * (scaled * scaled))


def at_least(x, bound, margin, at_margin):
    """1 from the bound on, falling in a line to `at_margin` at the margin below it, and on to 0."""
    if x >= bound:
        return 1.0
    scaled = (bound - x) / margin * (1.0 - at_margin)
    return 1.0 - scaled if scaled < 1.0 else 0.0


def cheetah_run(now, action, params, memory, obs, terms):
    """now: qpos (9), qvel (9), the torso's velocity (3)."""
    for i in range(17):
        obs[i] = now[1 + i]
    terms[0] = at_least(now[18], CHEETAH_SPEED, CHEETAH_SPEED, 0.0)


def walker(now, action, params, memory, obs, terms):
    """now: orientations of 8 bodies (72), the torso's place (3), qvel (9), the torso's velocity (3)."""
    for i in range(7):
        obs[2 * i] = now[9 * (i + 1)]
        obs[2 * i + 1] = now[9 * (i + 1) + 2]
    height = now[74]
    obs[14] = height
    for i in range(9):
        obs[15 + i] = now[75 + i]
    standing = 1.0 if height >= STAND_HEIGHT else near_zero(STAND_HEIGHT - height, STAND_HEIGHT / 2.0)
    upright = (1.0 + now[9 + 8]) / 2.0
    stand = (3.0 * standing + upright) / 4.0
    terms[0] = stand
    if SPEED > 0.0:
        terms[0] = stand * (5.0 * at_least(now[84], SPEED, SPEED / 2.0, 0.5) + 1.0) / 6.0


def finger_spin(now, action, params, memory, obs, terms):
    """now: angles (2), tip (3), spinner (3), velocities (3), touch (2)."""
    obs[0] = now[0]
    obs[1] = now[1]
    obs[2] = now[2] - now[5]
    obs[3] = now[4] - now[7]
    for i in range(3):
        obs[4 + i] = now[8 + i]
    for i in range(2):
        obs[7 + i] = math.log1p(now[11 + i])
    terms[0] = 1.0 if now[10] <= -SPIN_VELOCITY else 0.0


def cartpole_swingup(now, action, params, memory, obs, terms):
    """now: the cart's place (1), the pole's orientation (9), qvel (2), control (1)."""
    obs[0] = now[0]
    obs[1] = now[1 + 8]
    obs[2] = now[1 + 2]
    obs[3] = now[10]
    obs[4] = now[11]
    upright = (now[1 + 8] + 1.0) / 2.0
    centered = (1.0 + near_zero(now[0], 2.0)) / 2.0
    control = abs(now[12])
    small_control = (4.0 + (1.0 - control * control if control < 1.0 else 0.0)) / 5.0
    small_velocity = (1.0 + near_zero(now[11], 5.0)) / 2.0
    terms[0] = upright * small_control * small_velocity * centered


class _Kernel(NamedTuple):
    """A skill's kernel and what it reads."""

    function: Callable[..., None]
    reads: tuple[tuple[str, ...], ...]


_TORSO = ("sensordata", "torso_subtreelinvel")
_WALKER = (("body_xmat",), ("body_xpos", "torso"), ("qvel",), _TORSO)
_FINGER = ("proximal", "distal", "tip", "spinner", "proximal_velocity", "distal_velocity", "hinge_velocity")

KERNELS = {
    "cheetah-run": _Kernel(cheetah_run, (("qpos",), ("qvel",), _TORSO)),
    "walker-stand": _Kernel(bind(walker, SPEED=0.0), _WALKER),
    "walker-walk": _Kernel(bind(walker, SPEED=WALK_SPEED), _WALKER),
    "walker-run": _Kernel(bind(walker, SPEED=RUN_SPEED), _WALKER),
    "finger-spin": _Kernel(
        finger_spin, tuple(("sensordata", name) for name in (*_FINGER, "touchtop", "touchbottom"))
    ),
    "cartpole-swingup": _Kernel(
        cartpole_swingup, (("qpos", "slider"), ("body_xmat", "pole_1"), ("qvel",), ("ctrl",))
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
