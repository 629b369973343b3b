"""Hammer: a hammer on the table, and a block with a nail in it, 0.11 m high, that goes in along y.

hammer-v3    drive the nail in with the hammer; solved when it is 0.09 m in, which is all but 0.01 m
"""

from __future__ import annotations

import math

from taskworlds.worlds.metaworld.rewards import (
    along_handle,
    approach_v1,
    caging_reward,
    distance,
    long_tail,
    picking_v1,
    reaching_v1,
    tool_reward,
    upright,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms

HAND = (0.0, 0.4, 0.2)  # m, where the hand starts
HEAD = (0.16, 0.06, 0.0)  # m, from the hammer's body to the face that hits, while the hammer lies straight
HEAD_MIDDLE = 0.16  # m, along the hammer's x, to the middle of its head
LYING = (1.0, 0.0, 0.0, 0.0)  # quaternion (w, x, y, z) of a hammer that lies straight
TILT = 0.4  # distance of quaternions at which it lies so badly that nothing counts
HANDLE_REACH = 0.07  # m, half the handle's length
RADIUS = 0.015  # m, of the handle as the fingers see it
PAD_REACH = 0.02  # m, from a pad to the handle, along y
REACH = 0.01  # m, from the fingers' centre to the handle
DRIVEN = 0.09  # m, of the nail
LIFT = 0.09  # m, that version 1 wants first


def reset(sim, rand_vec, before):
    """Puts the hammer at `rand_vec`. The block and the goal in it stay where they are."""
    init_tcp = sim.settle_hand(HAND)
    target = sim.site("goal")
    sim.place_object(rand_vec)
    return {"target": target, "init_tcp": init_tcp, "obj_init": rand_vec, "rest": sim.body("hammer")[2]}


def observe(now, objects):
    """Hammer and nail, each with its orientation."""
    for i in range(3):
        objects[i] = now.hammer[i]
        objects[7 + i] = now.nail[i]
    for i in range(4):
        objects[3 + i] = now.hammer_quat[i]
        objects[10 + i] = now.nail_quat[i]


def _terms(reward, solved, orientation, grasped, in_place):
    """`near_object` is the orientation's reward, and no distance is given: so does Meta-World."""
    return Terms(reward, solved, orientation, grasped >= 0.5, grasped, in_place, 0.0)


def reward(now, obs, action, start, memory, single):
    """`tool_reward`, and 10 when solved, unless that came about without the hammer.

    The place is 0.1 for a lifted head and 0.9 for its way to the goal of the nail.
    """
    hammer = obs[4:7]
    head = (hammer[0] + HEAD[0], hammer[1] + HEAD[1], hammer[2] + HEAD[2])
    grasped, soft = caging_reward(
        now, along_handle(hammer, obs[0:3], HANDLE_REACH), start.obj_init, start.init_tcp, action[3], single,
        RADIUS, PAD_REACH, REACH, REACH, 1.0, 2,
    )  # fmt: skip
    error = distance(start.target, head)
    in_place = (0.1 if head[2] > 0.02 else 0.0) + 0.9 * long_tail(error, 0.0, 0.02, 0.2)
    orientation = upright(obs[7:11], LYING, TILT)
    total = tool_reward(grasped, in_place, orientation, soft)
    solved = now.nail_depth > DRIVEN
    return _terms(10.0 if solved and total > 5.0 else total, solved, orientation, grasped, in_place)


def _head_middle(hammer, quat):
    """The middle of the hammer's head: `HEAD_MIDDLE` along the hammer's own x axis."""
    w, x, y, z = quat[0], quat[1], quat[2], quat[3]
    return (
        hammer[0] + HEAD_MIDDLE * (w * w + x * x - y * y - z * z),
        hammer[1] + HEAD_MIDDLE * 2.0 * (x * y + w * z),
        hammer[2] + HEAD_MIDDLE * 2.0 * (x * z - w * y),
    )


def reward_v1(now, obs, action, start, memory, single):
    """Version 1: come near, then 100 times the height, then `approach_v1` for the head's way to the nail.

    That is the way to where the nail's head is at first, and the one from there to the goal, which is fixed.
    """
    hammer, target = obs[4:7], start.target
    reached = distance(hammer, now.tcp)
    total = reaching_v1(now, hammer, start.init_tcp, math.inf, 0.0, action[3], single)
    lifted = start.rest + LIFT
    picking, up = picking_v1(hammer[2], start.rest, lifted, reached)
    total += picking
    if up and reached < 0.1:
        left = distance(now.nail_start, _head_middle(now.hammer, now.hammer_quat))
        left += abs(now.nail_start[1] - target[1])
        way = abs(lifted - start.obj_init[2]) + lifted + abs(start.obj_init[1] - target[1])
        total += approach_v1(left, way)
    return _terms(total, now.nail_depth > DRIVEN, 0.0, 0.0, 0.0)


SKILLS = (
    Skill(
        "hammer-v3",
        "SawyerHammerEnvV3",
        "hammer",
        "drive the nail in with the hammer",
        (-0.1, 0.4, 0.0),
        (0.1, 0.5, 0.0),
        model="sawyer_xyz/sawyer_hammer.xml",
        goal_low=(0.2399, 0.7399, 0.109),
        goal_high=(0.2401, 0.7401, 0.111),
        reads={
            "hammer": ("body_xpos", "hammer"),
            "hammer_quat": ("body_xquat", "hammer"),
            "nail": ("body_xpos", "nail_link"),
            "nail_quat": ("body_xquat", "nail_link"),
            "nail_start": ("site_xpos", "nailHead"),
            "nail_depth": ("qpos", "NailSlideJoint"),
        },
        start={"target": 3, "init_tcp": 3, "obj_init": 3, "rest": 1},
        reset=reset,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
)
