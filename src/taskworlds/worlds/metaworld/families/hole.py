"""Hole: a hole in the table, to take a puck out of and to put a block into.

pick-out-of-hole-v3    lift the puck out to the goal above the table; solved within 0.07 m of it
hand-insert-v3         put a block, held by the fingers, into the hole; solved within 0.05 m of the goal
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
    held,
    lift_v1,
    long_tail,
    rounded,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = (0.0, 0.6, 0.2)  # m, where the hand starts
HAND_INSERT = float32(*HAND)  # m, the same in hand-insert
BLOCK_HEIGHT = 0.05  # m, where hand-insert puts the block
RADIUS = 0.015  # m, of puck and block as the fingers see them
TCP_REACH = 0.01  # m, from the fingers' centre to either
PAD_REACH_OUT = 0.02  # m, from a pad to the puck, along y
XZ_REACH_OUT = 0.03  # m, from the fingers' centre to the puck, in x and z
GRIP_OUT = 0.1  # effort that grips the puck
PAD_REACH_INSERT = 0.05  # m, from a pad to the block, along y
XZ_REACH_INSERT = 0.005  # m, from the fingers' centre to the block, in x and z
PUCK_RADIUS = 0.02  # m, from the goal, that counts as in place for the puck
TARGET_RADIUS = 0.05  # m
SOLVED_RADIUS = 0.07  # m, for the puck
FUNNEL = (0.015, 0.15, 0.02)  # steepness, rim and margin of `rewards.funnel_above`, m
PINCHED = 0.33  # opening of fingers with nothing between them
LIFT = 0.11  # m, that version 1 wants first
BOTTOM = 0.02  # m, below the puck, that version 1 counts its height from


def reset_out(sim, rand_vec, before):
    """Puts the puck, in the hole, at the first three numbers and the goal at the last three."""
    init_tcp = sim.settle_hand(HAND)
    obj_init, target = rand_vec[:3], rand_vec[3:]
    sim.place_object(obj_init)
    sim.move_site("goal", target)
    return {"target": target, "init_tcp": init_tcp, "obj_init": obj_init, "height": sim.geom("objGeom")[2]}


def reset_insert(sim, rand_vec, before):
    """Puts the block, on the table, at the first two numbers and the goal, in the hole, at the last three."""
    init_tcp = sim.settle_hand(HAND_INSERT)
    obj_init, target = (*rand_vec[:2], BLOCK_HEIGHT), rand_vec[3:]
    sim.place_object(obj_init)
    sim.move_site("goal", target)
    return {"target": target, "init_tcp": init_tcp, "obj_init": obj_init}


def observe(now, objects):
    """The object's centre and orientation (w, x, y, z)."""
    for i in range(3):
        objects[i] = now.obj[i]
    for i in range(4):
        objects[3 + i] = now.obj_quat[i]


def reward_out(now, obs, action, start, memory, single):
    """Grasp times place (0..1), up to 6 more for a puck up and clear of the edge, and 10 at the goal."""
    obj, target = obs[4:7], start.target
    error = distance(obj, target)
    reached = distance(obj, now.tcp)
    in_place = long_tail(error, 0.0, PUCK_RADIUS, distance(start.obj_init, target))
    aside = distance_2d(now.tcp, start.obj_init, 0, 1)
    clear = funnel_above(now.tcp[2], aside, FUNNEL[0], FUNNEL[1], FUNNEL[2])
    grasped, soft = caging_reward(
        now, obj, start.obj_init, start.init_tcp, action[3], single,
        RADIUS, PAD_REACH_OUT, TCP_REACH, XZ_REACH_OUT, GRIP_OUT, 2,
    )  # fmt: skip
    total = hamacher_product_as(grasped, in_place, soft)
    up = reached < 0.04 and obs[3] >= PINCHED and obj[2] - 0.02 > start.obj_init[2]
    if up:
        total = rounded(total + rounded(1.0 + 5.0 * hamacher_product(in_place, clear), soft), soft)
    if error < TARGET_RADIUS:
        total = 10.0
    return Terms(
        reward=total,
        success=error <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=up,
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_insert(now, obs, action, start, memory, single):
    """Grasp times place (0..1), up to 8 more with the block between the fingers, and 10 at the goal."""
    obj, opening, target = obs[4:7], obs[3], start.target
    error = distance(obj, target)
    reached = distance(obj, now.tcp)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, distance(start.obj_init, target))
    grasped, soft = caging_reward(
        now, obj, start.obj_init, start.init_tcp, action[3], single,
        RADIUS, PAD_REACH_INSERT, TCP_REACH, XZ_REACH_INSERT, 1.0, 2,
    )  # fmt: skip
    total = hamacher_product_as(grasped, in_place, soft)
    if reached < 0.02 and opening > 0.0:
        total = rounded(total + rounded(1.0 + 7.0 * in_place, soft), soft)
    if error < TARGET_RADIUS:
        total = 10.0
    return Terms(
        reward=total,
        success=error <= TARGET_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=held(now, obj, start.obj_init, opening),
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_out_v1(now, obs, action, start, memory, single):
    """Version 1: see `rewards.lift_v1`."""
    obj, bottom = obs[4:7], start.height - BOTTOM
    error = distance(obj, start.target)
    reward = lift_v1(
        now, obj, start.obj_init, start.init_tcp, start.target, start.height, LIFT, bottom, action[3], single
    )
    return Terms(reward, error <= SOLVED_RADIUS, True, False, 0.0, 0.0, error)


def reward_insert_v1(now, obs, action, start, memory, single):
    """Version 1: the fingers above the hole, then `rewards.approach_v1` downwards.

    It asks nothing of the block: obj_to_target, and success with it, are those of the block at reset.
    """
    aside = distance_2d(now.tcp, start.target, 0, 1)
    above = abs(now.tcp[2] - start.target[2])
    down = approach_v1(above, abs(HAND_INSERT[2] - start.target[2])) if aside < 0.05 else 0.0
    error_at_start = distance(start.obj_init, start.target)
    return Terms(down - aside, error_at_start <= TARGET_RADIUS, True, False, 0.0, 0.0, error_at_start)


SKILLS = (
    Skill(
        "hand-insert-v3",
        "SawyerHandInsertEnvV3",
        "hole",
        "put the block into the hole in the table",
        (-0.1, 0.6, 0.05, -0.04, 0.8, -0.0201),
        (0.1, 0.7, 0.05, 0.04, 0.88, -0.0199),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_table_with_hole.xml",
        hand_low=(-0.5, 0.4, -0.15),
        goal_low=(-0.04, 0.8, -0.0201),
        goal_high=(0.04, 0.88, -0.0199),
        moves=(("site_pos", "goal"),),
        reads={
            "obj": ("body_xpos", "obj"),
            "obj_quat": ("body_xquat", "obj"),
            "left_touch": ("touch", "leftpad_geom", "objGeom"),
            "right_touch": ("touch", "rightpad_geom", "objGeom"),
        },
        start={"target": 3, "init_tcp": 3, "obj_init": 3},
        reset=reset_insert,
        observe=observe,
        rewards={"v1": reward_insert_v1, "v2": reward_insert},
    ),
    Skill(
        "pick-out-of-hole-v3",
        "SawyerPickOutOfHoleEnvV3",
        "hole",
        "lift the puck out of the hole to the goal",
        (0.0, 0.75, 0.02, -0.1, 0.5, 0.15),
        (0.0, 0.75, 0.02, 0.1, 0.6, 0.3),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_pick_out_of_hole.xml",
        hand_low=(-0.5, 0.4, -0.05),
        goal_low=(-0.1, 0.5, 0.15),
        goal_high=(0.1, 0.6, 0.3),
        moves=(("site_pos", "goal"),),
        reads={"obj": ("body_xpos", "obj"), "obj_quat": ("body_xquat", "obj")},
        start={"target": 3, "init_tcp": 3, "obj_init": 3, "height": 1},
        reset=reset_out,
        observe=observe,
        rewards={"v1": reward_out_v1, "v2": reward_out},
    ),
)
