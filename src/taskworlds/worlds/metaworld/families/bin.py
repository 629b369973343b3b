"""Bin: a block to be carried from the left one of two bins to the right one.

bin-picking-v3    solved within 0.05 m of the right bin's centre
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import (
    approach_v1,
    caging_reward,
    distance,
    distance_2d,
    funnel_above,
    hamacher_product,
    hamacher_product_as,
    long_tail,
    reaching_v1,
    rounded,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms

HAND = (0.0, 0.6, 0.2)  # m, where the hand starts
RADIUS = 0.015  # m, of the block as the fingers see it
PAD_REACH = 0.05  # m, from a pad to the block, along y
TCP_REACH = 0.01  # m, from the fingers' centre to the block
XZ_REACH = 0.01  # m, the same in x and z
GRIP = 0.7  # effort that grips the block
TARGET_RADIUS = 0.05  # m
FUNNEL = (0.02, 0.2, 0.05)  # steepness, rim and margin of `rewards.funnel_above`, m
PINCHED = 0.43  # opening of fingers with nothing between them
LIFT = 0.1  # m, that version 1 wants first
ERROR_AT_START = 0  # where the memory keeps the first step's error


def reset(sim, rand_vec, before):
    """Puts the block at the x and y of `rand_vec`, as high as it came to lie while the hand settled."""
    init_tcp = sim.settle_hand(HAND)
    obj_init = (*rand_vec[:2], sim.body("obj")[2])
    sim.place_object(obj_init)
    return {
        "target": sim.body("bin_goal"),
        "init_tcp": init_tcp,
        "obj_init": obj_init,
        "height": sim.body("obj")[2],
    }


def observe(now, objects):
    """The block's centre and orientation (w, x, y, z)."""
    for i in range(3):
        objects[i] = now.obj[i]
    for i in range(4):
        objects[3 + i] = now.obj_quat[i]


def _above_edges(hand, start):
    """The hand above the funnel around the block's start or around the goal, whichever is lower there."""
    from_start, from_goal = distance_2d(hand, start.obj_init, 0, 1), distance_2d(hand, start.target, 0, 1)
    return funnel_above(hand[2], min(from_start, from_goal), FUNNEL[0], FUNNEL[1], FUNNEL[2])


def reward(now, obs, action, start, memory, single):
    """Grasp times place (0..1), up to 6 more for a block up and clear of the edges, and 10 in the bin.

    The place is measured against the error after the episode's first step.
    """
    hand, obj = obs[0:3], obs[4:7]
    error = distance(obj, start.target)
    if memory[ERROR_AT_START] == 0.0:
        memory[ERROR_AT_START] = error
    in_place = long_tail(error, 0.0, TARGET_RADIUS, memory[ERROR_AT_START])
    grasped, soft = caging_reward(
        now, obj, start.obj_init, start.init_tcp, action[3], single,
        RADIUS, PAD_REACH, TCP_REACH, XZ_REACH, GRIP, 2,
    )  # fmt: skip
    total = hamacher_product_as(grasped, in_place, soft)
    near = distance(obj, hand) < 0.04
    up = near and obs[3] >= PINCHED and obj[2] - 0.02 > start.obj_init[2]
    if up:
        clear = _above_edges(hand, start)
        total = rounded(total + rounded(1.0 + 5.0 * hamacher_product(clear, in_place), soft), soft)
    if error < TARGET_RADIUS:
        total = 10.0
    return Terms(
        reward=total,
        success=error <= TARGET_RADIUS,
        near_object=near,
        grasp_success=up,
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_v1(now, obs, action, start, memory, single):
    """Version 1: reach, then 100 times the height, then the way to the bin; there, 200 for letting go."""
    obj, target = obs[4:7], start.target
    lifted = start.height + LIFT
    reached = distance(obj, now.tcp)
    error = distance_2d(obj, target, 0, 1)
    way = approach_v1(error, distance_2d(start.obj_init, target, 0, 1) + lifted)
    opening = rounded(-200.0 * action[3], single)
    over_bin = abs(obj[0] - target[0]) < 0.05 and abs(obj[1] - target[1]) < 0.05
    dropped = obj[2] < start.height + 0.005 and error > 0.02 and reached > 0.02
    carried = obj[2] >= lifted - 0.01 and not dropped
    if over_bin and obj[2] < start.height + 0.05:
        reward = opening + way
    else:
        reward = reaching_v1(now, obj, start.init_tcp, 0.06, 1.0, action[3], single)
        if carried:
            reward += 100.0 * lifted
        elif reached < 0.1 and obj[2] > start.height + 0.005:
            reward += 100.0 * min(lifted, obj[2])
        if carried and reached < 0.1:
            reward += opening + way if over_bin else way
    return Terms(reward, error <= TARGET_RADIUS, False, False, 0.0, 0.0, error)


SKILLS = (
    Skill(
        "bin-picking-v3",
        "SawyerBinPickingEnvV3",
        "bin",
        "move the block from the left bin to the right one",
        (-0.21, 0.65, 0.02, 0.1199, 0.699, -0.001),
        (-0.03, 0.75, 0.02, 0.1201, 0.701, 0.001),
        model="sawyer_xyz/sawyer_bin_picking.xml",
        hand_low=(-0.5, 0.4, 0.07),
        goal_low=(0.1199, 0.699, -0.001),
        goal_high=(0.1201, 0.701, 0.001),
        reads={"obj": ("body_xpos", "obj"), "obj_quat": ("body_xquat", "obj")},
        start={"target": 3, "init_tcp": 3, "obj_init": 3, "height": 1},
        memory=1,
        reset=reset,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
)
