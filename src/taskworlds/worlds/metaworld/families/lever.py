"""Lever: a stand with a lever, 0.2 m long, that points at the robot and turns up.

lever-pull-v3    pull the lever up; solved when it is within 7.5 degrees of pointing straight up
"""

from __future__ import annotations

import math

from taskworlds.worlds.metaworld.rewards import (
    distance,
    hamacher_product,
    length,
    long_tail,
    pushing_v1,
    quat_in_scipy_order,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = float32(0.0, 0.4, 0.2)  # m, where the hand starts
HAND_LOW = (-0.5, 0.4, -0.15)  # m
HAND_HIGH = (0.5, 1.0, 0.5)  # m
LENGTH = 0.2  # m, of the lever
TIP = (0.12, -LENGTH, 0.25)  # m, from the stand to the lever's tip while it points at the robot
RAISED_TIP = (0.12, 0.0, 0.25 + LENGTH)  # m, while it points up
SHOULDER = (0.0, 0.055, 0.07)  # m, from the hand to the part of it that lifts the lever
UP = math.pi / 2.0  # rad
SOLVED_ANGLE = math.pi / 24.0  # rad
# The handle's mesh as MuJoCo turns it to its principal axes: quaternion (w, x, y, z) within the lever's body.
# The observation shows it, but the engine's models have no geoms that only are to be seen.
HANDLE = (0.662500038723091, 0.662500038723091, -0.24717139537556432, 0.24717139537556432)


def reset(sim, rand_vec, before):
    """Puts the stand at `rand_vec`."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("lever", rand_vec)
    target = rand_vec + RAISED_TIP
    sim.move_site("goal", target)
    return {
        "target": target,
        "init_tcp": init_tcp,
        "tip_init": rand_vec + TIP,
        "way": distance(target, rand_vec),
    }


def observe(now, objects):
    """The lever's tip, and its handle's orientation: the product of the lever's and `HANDLE`."""
    for i in range(3):
        objects[i] = now.tip[i]
    w, x, y, z = now.lever_quat[0], now.lever_quat[1], now.lever_quat[2], now.lever_quat[3]
    a, b, c, d = HANDLE
    quat_in_scipy_order(
        w * a - x * b - y * c - z * d,
        w * b + x * a + y * d - z * c,
        w * c - x * d + y * a + z * b,
        w * d + x * c - y * b + z * a,
        objects[3:7],
    )


def _under(hand, tip):
    """Distance from the hand's shoulder to the lever's tip; errors in x and z count four times."""
    return length(
        4.0 * (hand[0] + SHOULDER[0] - tip[0]),
        hand[1] + SHOULDER[1] - tip[1],
        4.0 * (hand[2] + SHOULDER[2] - tip[2]),
    )


def reward(now, obs, action, start, memory, single):
    """Hand under the lever times the tip's way up, times 10. `in_place_reward` looks at the angle instead."""
    tip, target = obs[4:7], start.target
    reached = _under(obs[0:3], tip)
    ready = long_tail(reached, 0.0, 0.02, _under(start.init_tcp, start.tip_init))
    raised = long_tail(distance(tip, target), 0.0, 0.04, distance(start.tip_init, target))
    error = abs(-now.angle - UP)  # rad
    return Terms(
        reward=10.0 * hamacher_product(ready, raised),
        success=error <= SOLVED_ANGLE,
        near_object=reached < 0.03,
        grasp_success=ready > 0.9,
        grasp_reward=ready,
        in_place_reward=long_tail(error, 0.0, UP / 24.0, UP - UP / 6.0),
        obj_to_target=reached,
    )


def reward_v1(now, obs, action, start, memory, single):
    """Version 1: see `pushing_v1`. It takes metres for radians to say whether it is solved."""
    tip = obs[4:7]
    error = distance(tip, start.target)
    total = pushing_v1(distance(tip, now.tcp), error, start.way)
    return Terms(total, error <= SOLVED_ANGLE, True, False, 0.0, 0.0, 0.0)


SKILLS = (
    Skill(
        "lever-pull-v3",
        "SawyerLeverPullEnvV3",
        "lever",
        "pull the lever up",
        (-0.1, 0.7, 0.0),
        (0.1, 0.8, 0.0),
        model="sawyer_xyz/sawyer_lever_pull.xml",
        hand_low=HAND_LOW,
        hand_high=HAND_HIGH,
        goal_low=HAND_LOW,
        goal_high=HAND_HIGH,
        moves=(("body_pos", "lever"), ("site_pos", "goal")),
        reads={
            "tip": ("site_xpos", "leverStart"),
            "lever_quat": ("body_xquat", "lever_link1"),
            "angle": ("qpos", "LeverAxis"),
        },
        start={"target": 3, "init_tcp": 3, "tip_init": 3, "way": 1},
        reset=reset,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
)
