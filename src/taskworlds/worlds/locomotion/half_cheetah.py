"""Half-cheetah: a planar runner with six actuated joints, Gymnasium's HalfCheetah-v5.

half-cheetah-vel    run at a given velocity
half-cheetah-dir    run forward, or backward

Both come from MAML (Finn, Abbeel and Levine, "Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks", 2017,
section 5.3). Rewards, ranges and names in info are garage's (rlworkgroup/garage, src/garage/envs/mujoco/
half_cheetah_vel_env.py and half_cheetah_dir_env.py). Numbers of tasks are PEARL's (Rakelly et al. 2019;
katerakelly/oyster, configs/cheetah-vel.json and cheetah-dir.json): there are only two directions, so both serve for
training and for testing. Observations, actions, starts and physics are Gymnasium's: no step ends an episode, and the
observation (17 numbers) leaves out the position along x.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from taskworlds.core.errors import WrongValue
from taskworlds.worlds.locomotion.skill import Skill, check_number

__all__ = ["SKILLS"]

BODY = "half_cheetah_v5:HalfCheetahEnv"
CTRL_COST = 0.05  # per squared unit of action; Gymnasium's own reward has 0.1
VELOCITIES = (0.0, 2.0)  # m/s: MAML's and garage's. PEARL and ProMP draw from 0 to 3
DIRECTIONS = (1.0, -1.0)  # forward, backward


def reward_velocity(x_velocity: float, effort: float, velocity: float) -> tuple[float, float, float]:
    """Minus the difference to the wanted velocity (m/s), minus the control cost.

    Args:
        x_velocity: mean velocity along x during the step, m/s.
        effort: sum of the action's squares.
        velocity: the goal, m/s.

    Returns:
        Reward, its forward term and its control term.
    """
    forward = -abs(x_velocity - velocity)
    ctrl = -CTRL_COST * effort
    return forward + ctrl, forward, ctrl


def reward_direction(x_velocity: float, effort: float, direction: float) -> tuple[float, float, float]:
    """The velocity (m/s) in the wanted direction, minus the control cost; arguments as for `reward_velocity`."""
    forward = direction * x_velocity
    ctrl = -CTRL_COST * effort
    return forward + ctrl, forward, ctrl


def _check_direction(skill: str, value: Any) -> None:
    check_number("direction", skill, value)
    if value not in DIRECTIONS:
        raise WrongValue(
            f"direction must be 1 (forward) or -1 (backward) for {skill}, not {value!r}.",
            argument="direction",
        )


def _velocity(params: Mapping[str, Any]) -> tuple[float, ...]:
    return (float(params["velocity"]),)


def _direction(params: Mapping[str, Any]) -> tuple[float, ...]:
    return (float(params["direction"]),)


def _draw_velocity(rng: np.random.Generator) -> dict[str, Any]:
    return {"velocity": float(rng.uniform(*VELOCITIES))}


def _draw_direction(rng: np.random.Generator) -> dict[str, Any]:
    return {"direction": DIRECTIONS[int(rng.integers(len(DIRECTIONS)))]}


SKILLS = (
    Skill(
        name="half-cheetah-vel",
        class_name="HalfCheetahVelEnv",
        summary="run at the given velocity",
        body=BODY,
        obs_size=17,
        action_size=6,
        goal_size=1,
        params={"velocity": partial(check_number, "velocity")},
        default={"velocity": 0.0},
        goal=_velocity,
        draw=_draw_velocity,
        num_tasks=(100, 30),
        measures=("x_velocity",),
        reward=reward_velocity,
        goal_terms=("task_vel",),
    ),
    Skill(
        name="half-cheetah-dir",
        class_name="HalfCheetahDirEnv",
        summary="run forward, or backward",
        body=BODY,
        obs_size=17,
        action_size=6,
        goal_size=1,
        params={"direction": _check_direction},
        default={"direction": 1.0},
        goal=_direction,
        draw=_draw_direction,
        listed={"half-cheetah-dir": tuple({"direction": direction} for direction in DIRECTIONS)},
        measures=("x_velocity",),
        reward=reward_direction,
        goal_terms=("task_dir",),
    ),
)
