"""Shelf: a block on the table, and a shelf with two boards, 0.05 m and 0.24 m high.

shelf-place-v3    lift the block onto the upper board; solved within 0.07 m of the goal
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import (
    caging_reward,
    distance,
    hamacher_product,
    hamacher_product_as,
    lift_v1,
    long_tail,
    quat_from_matrix,
    rounded,
    touched,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = float32(0.0, 0.6, 0.2)  # m, where the hand starts
SHELF_TO_GOAL = (0.0, 0.0, 0.3)  # m
RADIUS = 0.02  # m, of the block as the fingers see it
PAD_REACH = 0.05  # m, from a pad to the block, along y
REACH = 0.01  # m, from the fingers' centre to the block
TARGET_RADIUS = 0.05  # m
SOLVED_RADIUS = 0.07  # m
BOARD = 0.24  # m, height of the upper board
HALF_WIDTH = 0.15  # m, of the region in front of the shelf and under the board
DEPTH = 3.0 * TARGET_RADIUS  # m, of that region in front of the goal
LIFT = 0.04  # m, that version 1 wants first


def reset(sim, rand_vec, before):
    """Puts the block at the first two numbers, as high as it came to lie, and the goal at the last three."""
    init_tcp = sim.settle_hand(HAND)
    obj_init = (rand_vec[0], rand_vec[1], sim.body("obj")[2])
    shelf = rand_vec[3:] - SHELF_TO_GOAL
    sim.move_body("shelf", shelf)
    sim.forward()
    target = sim.site_in_model("goal") + shelf
    sim.place_object(obj_init)
    return {"target": target, "init_tcp": init_tcp, "obj_init": obj_init, "height": sim.geom("objGeom")[2]}


def observe(now, objects):
    """The block's centre and orientation."""
    for i in range(3):
        objects[i] = now.block[i]
    quat_from_matrix(now.block_matrix, objects[3:7])


def _in_place(block, target, error, error_at_start):
    """The block is at the goal (0..1), but loses where the board is in its way.

    Below the board it loses the more, the lower it is and the nearer to the goal; behind the goal, all.

    Returns:
        The reward without the loss, the reward with it, and whether there was any in front of the goal.
    """
    in_place = long_tail(error, 0.0, TARGET_RADIUS, error_at_start)
    below = 0.0 < block[2] < BOARD and target[0] - HALF_WIDTH < block[0] < target[0] + HALF_WIDTH
    front = target[1] - DEPTH
    if below and front < block[1] < target[1]:
        loss = hamacher_product((block[1] - front) / DEPTH, (BOARD - block[2]) / BOARD)
        return in_place, min(max(in_place - loss, 0.0), 1.0), True
    if below and block[1] > target[1]:
        return in_place, 0.0, False
    return in_place, in_place, False


def reward(now, obs, action, start, memory, single):
    """Grasp times place (0..1), up to 6 more once the block is up, and 10 at the goal."""
    block, opening, target = obs[4:7], obs[3], start.target
    error = distance(block, target)
    reached = distance(block, now.tcp)
    lossless, in_place, loses = _in_place(block, target, error, distance(start.obj_init, target))
    grasped, soft = caging_reward(
        now, block, start.obj_init, start.init_tcp, action[3], single, RADIUS, PAD_REACH, REACH, REACH, 1.0, 0
    )
    total = hamacher_product_as(grasped, lossless, soft)
    if reached < 0.025 and opening > 0.0 and block[2] - 0.01 > start.obj_init[2]:
        soft = soft and not loses  # the loss is a float64 number of NumPy, which float32 gives way to
        total = rounded(total + rounded(1.0 + 5.0 * in_place, soft), soft)
    return Terms(
        reward=10.0 if error < TARGET_RADIUS else total,
        success=error <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=touched(now) and opening > 0.0 and block[2] - 0.02 > start.obj_init[2],
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_v1(now, obs, action, start, memory, single):
    """Version 1: see `lift_v1`."""
    block = obs[4:7]
    error = distance(block, start.target)
    total = lift_v1(
        now, block, start.obj_init, start.init_tcp, start.target, start.height, LIFT, 0.0, action[3], single
    )
    return Terms(total, error <= SOLVED_RADIUS, True, False, 0.0, 0.0, error)


SKILLS = (
    Skill(
        "shelf-place-v3",
        "SawyerShelfPlaceEnvV3",
        "shelf",
        "lift the block onto the shelf",
        (-0.1, 0.5, 0.019, -0.1, 0.8, 0.299),
        (0.1, 0.6, 0.021, 0.1, 0.9, 0.301),
        min_separation=0.1,
        model="sawyer_xyz/sawyer_shelf_placing.xml",
        goal_low=(-0.1, 0.8, 0.299),
        goal_high=(0.1, 0.9, 0.301),
        moves=(("body_pos", "shelf"),),
        reads={
            "block": ("body_xpos", "obj"),
            "block_matrix": ("geom_xmat", "objGeom"),
            "left_touch": ("touch", "leftpad_geom", "objGeom"),
            "right_touch": ("touch", "rightpad_geom", "objGeom"),
        },
        start={"target": 3, "init_tcp": 3, "obj_init": 3, "height": 1},
        reset=reset,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
)
