"""The locomotion skills' kernels: Gymnasium's observations and measures, restated for the native engine.

What the kernels compute is Gymnasium's HalfCheetahEnv, AntEnv and Walker2dEnv of version 5
(gymnasium/envs/mujoco/*_v5.py). The rewards are the skills' own, from their tables.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from taskworlds.kernels.entry import Array, Entry, bind
from taskworlds.rows.model_kernel import ModelKernel, Native
from taskworlds.worlds.locomotion.skill import Skill
from taskworlds.worlds.locomotion.skills import SKILLS

__all__ = ["BODIES", "Body", "entries", "native"]

ANT_CONTACT_COST = 5e-4  # per squared unit of contact force, of forces clipped to [-1, 1]
ANT_HEALTHY_Z = (0.2, 1.0)  # m
WALKER_HEALTHY_Z = (0.8, 2.0)  # m
WALKER_HEALTHY_ANGLE = (-1.0, 1.0)  # radians
WALKER_MAX_VELOCITY = 10.0  # of observed velocities, m/s or radians/s

# params: whether the goal is shown, then the goal's numbers.


def effort_of(action: Array) -> float:
    """Sums the action's squares."""
    total = 0.0
    for each in action:
        total += each * each
    return total


def half_cheetah(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """Positions but for x, velocities, and the goal. memory: x before the step."""
    x = now.qpos[0]
    x_velocity = (x - memory[0]) / DT
    memory[0] = x
    for i in range(8):
        obs[i] = now.qpos[1 + i]
    for i in range(9):
        obs[8 + i] = now.qvel[i]
    obs[17] = params[0] * params[1]
    total, forward, ctrl = reward(x_velocity, effort_of(action), params[1])
    terms[0] = total
    terms[1] = x
    terms[2] = x_velocity
    terms[3] = forward
    terms[4] = ctrl
    terms[5] = params[1]


def ant(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """Positions, velocities, contact forces of all bodies but the world, and the goal. memory: x and y before."""
    x, y = now.qpos[0], now.qpos[1]
    x_velocity = (now.torso[0] - memory[0]) / DT
    y_velocity = (now.torso[1] - memory[1]) / DT
    memory[0] = now.torso[0]
    memory[1] = now.torso[1]
    finite = True
    left_out = 29 + 78 - OBS  # of the positions: x and y, unless the skill observes them
    for i in range(15):
        finite = finite and math.isfinite(now.qpos[i])
        if i >= left_out:
            obs[i - left_out] = now.qpos[i]
    for i in range(14):
        finite = finite and math.isfinite(now.qvel[i])
        obs[15 - left_out + i] = now.qvel[i]
    contact = 0.0
    for i in range(84):
        force = min(max(now.contact_forces[i], -1.0), 1.0)
        contact += force * force
        if i >= 6:  # without the world's
            obs[OBS - 78 + i - 6] = force
    obs[OBS] = params[0] * params[1]
    obs[OBS + 1] = params[0] * params[2]
    healthy = finite and HEALTHY_LOW <= now.qpos[2] <= HEALTHY_HIGH
    survive = HEALTHY_REWARD if healthy else 0.0
    cost = -(CONTACT_COST * contact)
    total, forward, ctrl = reward_of(x, y, x_velocity, y_velocity, cost, survive, effort_of(action), params)
    terms[0] = total
    terms[1] = x
    terms[2] = y
    terms[3] = math.sqrt(x * x + y * y)
    terms[4] = x_velocity
    terms[5] = y_velocity
    terms[6] = forward
    terms[7] = ctrl
    terms[8] = cost
    terms[9] = survive
    if TERMINATES:
        terms[10] = 0.0 if healthy else 1.0


def ant_direction(
    x: float,
    y: float,
    x_velocity: float,
    y_velocity: float,
    contact: float,
    survive: float,
    effort: float,
    params: Array,
) -> Any:
    """The reward of ant-dir."""
    return reward(x_velocity, y_velocity, contact, survive, effort, params[1], params[2])


def ant_goal(
    x: float,
    y: float,
    x_velocity: float,
    y_velocity: float,
    contact: float,
    survive: float,
    effort: float,
    params: Array,
) -> Any:
    """The reward of ant-goal."""
    return reward(x, y, contact, effort, params[1], params[2])


def walker2d(now: Any, action: Array, params: Array, memory: Array, obs: Array, terms: Array) -> None:
    """Positions but for x, clipped velocities, and the goal. memory: x before the step."""
    x, z, angle = now.qpos[0], now.qpos[1], now.qpos[2]
    x_velocity = (x - memory[0]) / DT
    memory[0] = x
    for i in range(8):
        obs[i] = now.qpos[1 + i]
    for i in range(9):
        obs[8 + i] = min(max(now.qvel[i], -MAX_VELOCITY), MAX_VELOCITY)
    for i in range(GOAL_SIZE):
        obs[17 + i] = params[0] * params[1 + i]
    healthy = Z_LOW < z < Z_HIGH and ANGLE_LOW < angle < ANGLE_HIGH
    survive = 1.0 if healthy else 0.0
    total, forward, ctrl = reward(x_velocity, survive, effort_of(action))
    terms[0] = total
    terms[1] = x
    terms[2] = z - INITIAL_Z
    terms[3] = x_velocity
    terms[4] = forward
    terms[5] = ctrl
    terms[6] = survive
    terms[7] = 0.0 if healthy else 1.0


_READS = {"qpos": ("qpos",), "qvel": ("qvel",)}
_X_MEMORY: dict[str, Any] = {"memory": lambda now: (now.qpos[0],), "memory_size": 1}


class Body(NamedTuple):
    """What kernels need to know of a body's model.

    Attributes:
        dt: seconds of a step.
        frame_skip: physics steps per step.
        initial_z: the second number of the model's first qpos: of a body in the plane its torso's height, m.
    """

    dt: float
    frame_skip: int
    initial_z: float


# As Gymnasium's models have it. Rows ask the model itself; these are for kernels that are compiled without one.
BODIES = {
    "ant": Body(0.05, 5, 0.0),
    "half-cheetah": Body(0.05, 5, 0.0),
    "walker2d": Body(0.008, 4, 1.25),
}
_READ_SIZES = {
    "ant": {"qpos": 15, "qvel": 14, "torso": 3, "contact_forces": 84},
    "half-cheetah": {"qpos": 9, "qvel": 9},
    "walker2d": {"qpos": 9, "qvel": 9},
}


def native(each: Skill, body: Body) -> Native:
    """Says how the engine steps a skill."""
    common = {"reward": each.reward, "DT": body.dt}
    how: dict[str, Any] = {"frame_skip": body.frame_skip, "stepping": "step"}
    measured = ("reward_forward", "reward_ctrl")
    if each.body.startswith("half_cheetah"):
        return Native(
            reads=_READS,
            kernel=bind(half_cheetah, **common),
            terms=("x_position", "x_velocity", *measured, *each.goal_terms),
            **how,
            **_X_MEMORY,
        )
    if each.body.startswith("walker2d"):
        (z_low, z_high), (angle_low, angle_high) = WALKER_HEALTHY_Z, WALKER_HEALTHY_ANGLE
        return Native(
            reads=_READS,
            kernel=bind(
                walker2d,
                **common,
                Z_LOW=z_low,
                Z_HIGH=z_high,
                ANGLE_LOW=angle_low,
                ANGLE_HIGH=angle_high,
                MAX_VELOCITY=WALKER_MAX_VELOCITY,
                GOAL_SIZE=each.goal_size,
                INITIAL_Z=body.initial_z,
            ),
            terms=(
                "x_position",
                "z_distance_from_origin",
                "x_velocity",
                *measured,
                "reward_survive",
                "terminated",
            ),
            **how,
            **_X_MEMORY,
        )
    reward_of = bind(ant_direction if each.name == "ant-dir" else ant_goal, reward=each.reward)
    terms = ("x_position", "y_position", "distance_from_origin", "x_velocity", "y_velocity")
    return Native(
        reads=_READS | {"torso": ("body_xpos", "torso"), "contact_forces": ("body_cfrc_ext",)},
        kernel=bind(
            ant,
            DT=body.dt,
            reward_of=reward_of,
            OBS=each.obs_size,
            HEALTHY_LOW=ANT_HEALTHY_Z[0],
            HEALTHY_HIGH=ANT_HEALTHY_Z[1],
            HEALTHY_REWARD=float(each.arguments.get("healthy_reward", 1.0)),
            CONTACT_COST=ANT_CONTACT_COST,
            TERMINATES=each.terminates,
        ),
        terms=(
            *terms,
            *measured,
            "reward_contact",
            "reward_survive",
            *(("terminated",) if each.terminates else ()),
        ),
        memory=lambda now: (now.torso[0], now.torso[1]),
        memory_size=2,
        **how,
    )


def entries() -> Iterator[Entry]:
    """Returns the kernels of all locomotion skills."""
    for each in SKILLS:
        yield ModelKernel(
            native(each, BODIES[each.body_name]),
            _READ_SIZES[each.body_name],
            action_size=each.action_size,
            param_size=1 + each.goal_size,
            obs_size=each.obs_size + each.goal_size,
        ).entry(each.name)
