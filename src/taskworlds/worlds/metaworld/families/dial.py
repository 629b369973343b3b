"""Dial: a dial on the table, 0.05 m in radius, with a mark on its rim that points at the robot.

dial-turn-v3    turn the dial by half a turn; solved when its mark is within 0.07 m of the goal
"""

from __future__ import annotations

import math

from taskworlds.worlds.metaworld.rewards import (
    closed_effort,
    distance,
    gaussian,
    hamacher_product_as,
    long_tail,
    rounded,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = float32(0.0, 0.6, 0.2)  # m, where the hand starts
RADIUS = 0.05  # m, of the dial
PUSH_POINT = (0.05, 0.02, 0.09)  # m, from the mark to where the fingers have to be
TARGET = (0.0, 0.03, 0.03)  # m, from the dial's centre
TARGET_RADIUS = 0.07  # m
REACH = 0.005  # m, from the fingers' centre to the push point


def reset(sim, rand_vec, before):
    """Puts the dial at `rand_vec`. `push_init` is from before positions are computed anew."""
    init_tcp = sim.settle_hand(HAND)
    target = rand_vec + TARGET
    sim.move_body("dial", rand_vec)
    mark = _mark(sim.body("dial"), sim.joint("knob_Joint_1"))
    sim.move_site("goal", target)
    return {
        "target": target,
        "init_tcp": init_tcp,
        "push_init": _push_point(mark),
        "way": abs(target[1] - rand_vec[1]),
    }


def _mark(dial, angle):
    return dial[0] + RADIUS * math.sin(angle), dial[1] - RADIUS * math.cos(angle), dial[2]


def _push_point(mark):
    return mark[0] + PUSH_POINT[0], mark[1] + PUSH_POINT[1], mark[2] + PUSH_POINT[2]


def observe(now, objects):
    """The dial's mark; the orientation is that of the dial's stand, which never turns."""
    mark = _mark(now.dial, now.angle)
    for i in range(3):
        objects[i] = mark[i]
    for i in range(4):
        objects[3 + i] = now.dial_quat[i]


def reward(now, obs, action, start, memory, single):
    """Fingers shut at the push point, which goes with the mark, times the mark's way, times 10."""
    mark, target = obs[4:7], start.target
    error = distance(mark, target)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, abs(distance(start.push_init, target) - TARGET_RADIUS))
    reached = distance(_push_point(mark), now.tcp)
    reach = gaussian(reached, 0.0, REACH, abs(distance(start.push_init, start.init_tcp) - REACH))
    effort, soft = closed_effort(action[3], 1.0, single)
    reach = hamacher_product_as(reach, effort, soft)
    return Terms(
        reward=rounded(10.0 * hamacher_product_as(reach, in_place, soft), soft),
        success=error <= TARGET_RADIUS,
        near_object=reached <= 0.01,
        grasp_success=True,
        grasp_reward=reach,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_v1(now, obs, action, start, memory, single):
    """Version 1: come near the mark, then up to 2000 for its way along y, which is all that counts."""
    mark = obs[4:7]
    error = abs(mark[1] - start.target[1])
    reached = distance(mark, now.tcp)
    turning = 0.0
    if reached < 0.05:
        near = math.exp(-(error**2) / 0.001) + math.exp(-(error**2) / 0.0001)
        turning = max(1000.0 * (start.way - error) + 1000.0 * near, 0.0)
    return Terms(turning - reached, error <= TARGET_RADIUS, True, True, 0.0, 0.0, error)


SKILLS = (
    Skill(
        "dial-turn-v3",
        "SawyerDialTurnEnvV3",
        "dial",
        "turn the dial",
        (-0.1, 0.7, 0.0),
        (0.1, 0.8, 0.0),
        model="sawyer_xyz/sawyer_dial.xml",
        goal_low=(-0.1, 0.73, 0.0299),
        goal_high=(0.1, 0.83, 0.0301),
        moves=(("body_pos", "dial"), ("site_pos", "goal")),
        reads={
            "dial": ("body_xpos", "dial"),
            "dial_quat": ("body_xquat", "dial"),
            "angle": ("qpos", "knob_Joint_1"),
        },
        start={"target": 3, "init_tcp": 3, "push_init": 3, "way": 1},
        reset=reset,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
)
