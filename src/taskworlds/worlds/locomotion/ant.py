"""Ant: a torso on four legs with eight actuated joints, Gymnasium's Ant-v5.

ant-dir     run in a given direction of the plane; ant-fwd-back is the benchmark of its two directions along x
ant-goal    go to a given place

Running forward or backward is MAML's (Finn, Abbeel and Levine 2017, section 5.3), all directions and the goals are
ProMP's (Rothfuss et al., "ProMP: Proximal Meta-Policy Search", 2019; jonasrothfuss/ProMP, meta_policy_search/envs/
mujoco_envs/ant_rand_direc_2d.py and ant_rand_goal.py) and PEARL's (Rakelly et al., "Efficient Off-Policy
Meta-Reinforcement Learning via Probabilistic Context Variables", 2019; katerakelly/oyster, rlkit/envs/ant_dir.py and
ant_goal.py), which agree on rewards and ranges. Numbers of tasks are PEARL's: configs/ant-goal.json and ant-dir.json,
the latter for ant-fwd-back; its benchmark of all directions is a humanoid's (configs/humanoid-dir.json), whose numbers
ant-dir has.

Physics, starts, contact cost and the reward for health are Gymnasium's. As in PEARL, an episode of ant-dir ends when
the torso leaves the healthy heights (0.2 m to 1 m), since otherwise an ant on its back would go on collecting the
reward for health. Nothing ends an episode of ant-goal, where every step costs and an early end would be a way out. The
observation is Gymnasium's: positions, velocities and contact forces, 105 numbers without x and y, or 107 with them in
ant-goal, which cannot be learned without.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.worlds.locomotion.skill import Skill, check_number

__all__ = ["SKILLS"]

BODY = "ant_v5:AntEnv"
DIR_CTRL_COST = 0.5  # per squared unit of action, Gymnasium's own
GOAL_CTRL_COST = 0.1
GOAL_RADIUS = 3.0  # m; goals lie within this of the start


def reward_direction(
    x_velocity: float, y_velocity: float, contact: float, survive: float, effort: float, x: float, y: float
) -> tuple[float, float, float]:
    """The torso's velocity (m/s) in the wanted direction, minus the costs, plus the reward for health.

    Args:
        x_velocity: the torso's mean velocity along x during the step, m/s.
        y_velocity: along y.
        contact: minus the contact cost.
        survive: the reward for health.
        effort: sum of the action's squares.
        x: the goal, a direction of length 1: its component along x.
        y: its component along y.

    Returns:
        Reward, its forward term and its control term.
    """
    forward = x_velocity * x + y_velocity * y
    ctrl = -DIR_CTRL_COST * effort
    return forward + ctrl + contact + survive, forward, ctrl


def reward_goal(
    x_position: float, y_position: float, contact: float, effort: float, x: float, y: float
) -> tuple[float, float, float]:
    """Minus the distances to the goal along x and along y (m), minus the costs.

    Args:
        x_position: x of the torso after the step, m.
        y_position: y of the torso after the step, m.
        contact: minus the contact cost.
        effort: sum of the action's squares.
        x: x of the goal, m.
        y: y of the goal, m.

    Returns:
        Reward, its goal term and its control term.
    """
    goal = -abs(x_position - x) - abs(y_position - y)
    ctrl = -GOAL_CTRL_COST * effort
    return goal + ctrl + contact, goal, ctrl


def _check_goal(skill: str, value: Any) -> None:
    if not (isinstance(value, tuple) and all(type(each) in (int, float) for each in value)):
        raise WrongType(
            f"goal must be a tuple of 2 numbers, x and y in metres, for {skill}, not {value!r}.",
            argument="goal",
        )
    if len(value) != 2:
        raise WrongValue(
            f"goal must have 2 numbers, x and y in metres, for {skill}, not {len(value)}: {value!r}.",
            argument="goal",
        )


def _direction(params: Mapping[str, Any]) -> tuple[float, ...]:
    return math.cos(params["angle"]), math.sin(params["angle"])


def _goal(params: Mapping[str, Any]) -> tuple[float, ...]:
    x, y = params["goal"]
    return float(x), float(y)


def _draw_angle(rng: np.random.Generator) -> dict[str, Any]:
    return {"angle": float(rng.uniform(0.0, 2.0 * math.pi))}


def _draw_goal(rng: np.random.Generator) -> dict[str, Any]:
    angle = rng.uniform(0.0, 2.0 * math.pi)
    distance = GOAL_RADIUS * math.sqrt(rng.random())  # uniform over the disc
    return {"goal": (distance * math.cos(angle), distance * math.sin(angle))}


SKILLS = (
    Skill(
        name="ant-dir",
        class_name="AntDirEnv",
        summary="run in the given direction",
        body=BODY,
        obs_size=105,
        action_size=8,
        goal_size=2,
        params={"angle": partial(check_number, "angle")},  # radians from the x axis towards y
        default={"angle": 0.0},
        goal=_direction,
        draw=_draw_angle,
        num_tasks=(100, 30),
        listed={"ant-fwd-back": ({"angle": 0.0}, {"angle": math.pi})},
        measures=("x_velocity", "y_velocity", "reward_contact", "reward_survive"),
        reward=reward_direction,
        terminates=True,
    ),
    Skill(
        name="ant-goal",
        class_name="AntGoalEnv",
        summary="go to the given place",
        body=BODY,
        obs_size=107,
        action_size=8,
        goal_size=2,
        params={"goal": _check_goal},
        default={"goal": (GOAL_RADIUS, 0.0)},
        goal=_goal,
        draw=_draw_goal,
        num_tasks=(150, 30),
        arguments={
            "exclude_current_positions_from_observation": False,
            "healthy_reward": 0.0,
            "terminate_when_unhealthy": False,
        },
        measures=("x_position", "y_position", "reward_contact"),
        reward=reward_goal,
    ),
)
