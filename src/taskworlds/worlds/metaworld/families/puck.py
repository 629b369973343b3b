"""Puck: a puck on the table, pushed or carried to a goal.

pick-place-v3    lift the puck to the goal; solved within 0.07 m of it
"""

from __future__ import annotations

import math

from taskworlds.worlds.metaworld.rewards import (
    closed_effort,
    distance,
    distance_2d,
    hamacher_product,
    hamacher_product_as,
    long_tail,
    quat_from_matrix,
    rounded,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms

HAND = (0.0, 0.6, 0.2)  # m, where the hand starts
RADIUS = 0.015  # m, of the puck as the fingers see it
PAD_REACH = 0.05  # m, from a pad to the puck, along y
XZ_REACH = 0.005  # m, from the fingers' centre to the puck, in x and z
TARGET_RADIUS = 0.05  # m
SOLVED_RADIUS = 0.07  # m
LIFT = 0.04  # m, that version 1 wants first


def reset(sim, rand_vec, before):
    """Puts the puck at the first three numbers and the goal at the last three."""
    init_tcp = sim.settle_hand(HAND)
    obj_init, target = rand_vec[:3], rand_vec[3:]
    sim.place_object(obj_init)
    sim.move_site("goal", target)
    height = sim.geom("objGeom")[2]
    lifted = (obj_init[0], obj_init[1], height + LIFT)
    return {
        "target": target,
        "init_tcp": init_tcp,
        "obj_init": obj_init,
        "height": height,
        "max_placing": distance(lifted, target) + height + LIFT,
    }


def observe(now, objects):
    """The puck's centre and orientation."""
    for i in range(3):
        objects[i] = now.obj[i]
    quat_from_matrix(now.obj_matrix, objects[3:7])


def _caging(now, obj, start, effort, single):
    """Fingers around the puck and closing: like `rewards.caging_reward`, but each pad is on its own side.

    Meta-World measures the pads' margins from where they are now, though it means where they started.
    """
    right_margin = abs(abs(obj[1] - now.right_pad[1]) - PAD_REACH)
    left_margin = abs(abs(obj[1] - now.left_pad[1]) - PAD_REACH)
    caging_y = hamacher_product(
        long_tail(now.left_pad[1] - obj[1], RADIUS, PAD_REACH, left_margin),
        long_tail(obj[1] - now.right_pad[1], RADIUS, PAD_REACH, right_margin),
    )
    xz_margin = distance_2d(start.obj_init, start.init_tcp, 0, 2) - XZ_REACH
    caging = hamacher_product(
        caging_y, long_tail(distance_2d(now.tcp, obj, 0, 2), 0.0, XZ_REACH, xz_margin)
    )
    gripping, soft = 0.0, False
    if caging > 0.97:
        gripping, soft = closed_effort(effort, 1.0, single)
    reward = hamacher_product_as(caging, gripping, soft)
    return rounded(rounded(reward + rounded(caging, soft), soft) / 2.0, soft), soft


def reward(now, obs, action, start, memory, single):
    """Grasp times place (0..1), up to 6 more once the puck is up, and 10 at the goal."""
    obj, opening, target = obs[4:7], obs[3], start.target
    error = distance(obj, target)
    reached = distance(obj, now.tcp)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, distance(start.obj_init, target))
    grasped, soft = _caging(now, obj, start, action[3], single)
    total = hamacher_product_as(grasped, in_place, soft)
    if reached < 0.02 and opening > 0.0 and obj[2] - 0.01 > start.obj_init[2]:
        total = rounded(total + rounded(1.0 + 5.0 * in_place, soft), soft)
    if error < TARGET_RADIUS:
        total = 10.0
    return Terms(
        reward=total,
        success=error <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=_held(now, obj, opening, start),
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def _held(now, obj, opening, start):
    """Both pads press on the puck, and it is up."""
    touching = now.left_touch > 0.0 and now.right_touch > 0.0
    return touching and opening > 0.0 and obj[2] - 0.02 > start.obj_init[2]


def reward_v1(now, obs, action, start, memory, single):
    """Version 1: come near, then 100 times the height, then up to 2000 for the way to the goal."""
    obj = obs[4:7]
    lifted = start.height + LIFT
    reached = distance(obj, now.tcp)
    error = distance(obj, start.target)
    if reached < 0.05:
        reach = -reached + rounded(max(action[3], 0.0) / 50.0, single)
    else:
        aside = distance_2d(obj, now.tcp, 0, 1)
        reach = -reached if aside < 0.05 else -aside - 2.0 * abs(now.tcp[2] - start.init_tcp[2])
    picked = obj[2] >= lifted - 0.01
    dropped = obj[2] < start.height + 0.005 and error > 0.02 and reached > 0.02
    pick = 0.0
    if picked and not dropped:
        pick = 100.0 * lifted
    elif reached < 0.1 and obj[2] > start.height + 0.005:
        pick = 100.0 * min(lifted, obj[2])
    place = 0.0
    if picked and reached < 0.1 and not dropped:
        near = math.exp(-(error**2) / 0.01) + math.exp(-(error**2) / 0.001)
        place = max(1000.0 * (start.max_placing - error) + 1000.0 * near, 0.0)
    return Terms(
        reward=reach + pick + place,
        success=error <= SOLVED_RADIUS,
        near_object=True,
        grasp_success=False,
        grasp_reward=0.0,
        in_place_reward=0.0,
        obj_to_target=error,
    )


SKILLS = (
    Skill(
        "pick-place-v3",
        "SawyerPickPlaceEnvV3",
        "puck",
        "lift the puck to the goal",
        (-0.1, 0.6, 0.02, -0.1, 0.8, 0.05),
        (0.1, 0.7, 0.02, 0.1, 0.9, 0.3),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_pick_place_v3.xml",
        goal_low=(-0.1, 0.8, 0.05),
        goal_high=(0.1, 0.9, 0.3),
        moves=(("site_pos", "goal"),),
        reads={
            "obj": ("body_xpos", "obj"),
            "obj_matrix": ("geom_xmat", "objGeom"),
            "left_touch": ("touch", "leftpad_geom", "objGeom"),
            "right_touch": ("touch", "rightpad_geom", "objGeom"),
        },
        start={"target": 3, "init_tcp": 3, "obj_init": 3, "height": 1, "max_placing": 1},
        reset=reset,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
)
