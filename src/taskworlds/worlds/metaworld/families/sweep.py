"""Sweep: a block on the table, swept off its edge or into a hole.

sweep-v3         sweep it off the table to the right; solved within 0.05 m of the goal
sweep-into-v3    sweep it into the hole; solved within 0.05 m of the hole's axis
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import (
    approach_v1,
    distance,
    distance_2d,
    grip_beside,
    hamacher_product,
    long_tail,
    quat_from_matrix,
    touched,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms

HAND = (0.0, 0.6, 0.2)  # m, where the hand starts
BLOCK_HEIGHT = 0.02  # m, where sweep puts the block
EDGE = (0.5, 0.01)  # m, x and z of sweep's goal; its y is the block's
HOLE = (0.0, 0.84, 0.02)  # m
RADIUS = 0.02  # m, of the block as the fingers see it
SLACK = 0.01  # m, how much farther a pad grips it
SLACK_INTO = 0.005  # m, the same in sweep-into
PAD_REACH = 0.05  # m, from a pad to the block, along y
XZ_REACH = 0.005  # m, from the fingers' centre to the block, in x and z
XZ_REACH_INTO = 0.01  # m, the same in sweep-into
TARGET_RADIUS = 0.05  # m
FALLEN = 0.05  # m, below its start, where version 1 takes a block to have fallen
TABLE_Y = (0.4, 1.0)  # m, where one that has fallen is in the hole


def reset_off(sim, rand_vec, before):
    """Puts the block at the x and y of `rand_vec`, and the goal beyond the edge straight to its right."""
    init_tcp = sim.settle_hand(HAND)
    obj_init, target = (*rand_vec[:2], BLOCK_HEIGHT), (EDGE[0], rand_vec[1], EDGE[1])
    sim.place_object(obj_init)
    sim.move_site("goal", target)
    return {"target": target, "init_tcp": init_tcp, "obj_init": obj_init}


def reset_into(sim, rand_vec, before):
    """Puts the block at the x and y of `rand_vec`, as high as it came to lie while the hand settled."""
    init_tcp = sim.settle_hand(HAND)
    obj_init = (*rand_vec[:2], sim.body("obj")[2])
    sim.place_object(obj_init)
    sim.move_site("goal", HOLE)
    return {"target": HOLE, "init_tcp": init_tcp, "obj_init": obj_init}


def observe_off(now, objects):
    """The block's foot and its orientation (w, x, y, z)."""
    for i in range(3):
        objects[i] = now.obj[i]
    for i in range(4):
        objects[3 + i] = now.obj_quat[i]


def observe_into(now, objects):
    """The block's centre and orientation (x, y, z, w)."""
    for i in range(3):
        objects[i] = now.obj[i]
    quat_from_matrix(now.obj_matrix, objects[3:7])


def _sweep(now, obs, start, error, error_at_start, slack, xz_reach):
    """Twice the grip, plus 6 times grip times place (0..8), and 10 at the goal."""
    obj = obs[4:7]
    reached = distance(obj, now.tcp)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, error_at_start)
    gripped = grip_beside(now, obj, start.obj_init, start.init_tcp, RADIUS, slack, PAD_REACH, xz_reach)
    total = 2.0 * gripped + 6.0 * hamacher_product(gripped, in_place)
    return Terms(
        reward=10.0 if error < TARGET_RADIUS else total,
        success=error <= TARGET_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=touched(now) and obs[3] > 0.0,
        grasp_reward=gripped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_off(now, obs, action, start, memory, single):
    """See `_sweep`."""
    error, error_at_start = distance(obs[4:7], start.target), distance(start.obj_init, start.target)
    return _sweep(now, obs, start, error, error_at_start, SLACK, XZ_REACH)


def reward_into(now, obs, action, start, memory, single):
    """See `_sweep`. The goal is as high as the block is, so only errors in x and y count."""
    obj, hole = obs[4:7], start.target
    error = distance_2d(obj, hole, 0, 1)
    error_at_start = distance(start.obj_init, (hole[0], hole[1], obj[2]))
    return _sweep(now, obs, start, error, error_at_start, SLACK_INTO, XZ_REACH_INTO)


def _sweep_v1(now, obs, start, fallen):
    """Version 1 of both: come near, then `rewards.approach_v1`; a block that has fallen is at the goal."""
    obj = obs[4:7]
    reached = distance(obj, now.tcp)
    error = 0.0 if fallen else distance_2d(obj, start.target, 0, 1)
    reward = 0.0 if fallen else -reached
    if reached < 0.05:
        reward += approach_v1(error, distance_2d(start.obj_init, start.target, 0, 1))
    return Terms(reward, error <= TARGET_RADIUS, True, False, 0.0, 0.0, error)


def reward_off_v1(now, obs, action, start, memory, single):
    """Version 1: see `_sweep_v1`."""
    return _sweep_v1(now, obs, start, obs[6] < start.obj_init[2] - FALLEN)


def reward_into_v1(now, obs, action, start, memory, single):
    """Version 1: see `_sweep_v1`."""
    on_table = TABLE_Y[0] < obs[5] < TABLE_Y[1]
    return _sweep_v1(now, obs, start, obs[6] < start.obj_init[2] - FALLEN and on_table)


TOUCH = {
    "left_touch": ("touch", "leftpad_geom", "objGeom"),
    "right_touch": ("touch", "rightpad_geom", "objGeom"),
}

SKILLS = (
    Skill(
        "sweep-into-v3",
        "SawyerSweepIntoGoalEnvV3",
        "sweep",
        "sweep the block into the hole in the table",
        (-0.1, 0.6, 0.02, -0.001, 0.8399, 0.0199),
        (0.1, 0.7, 0.02, 0.001, 0.8401, 0.0201),
        min_separation=0.15,
        separated_from=(0.0, 0.84),
        model="sawyer_xyz/sawyer_table_with_hole.xml",
        goal_low=(-0.001, 0.8399, 0.0199),
        goal_high=(0.001, 0.8401, 0.0201),
        moves=(("site_pos", "goal"),),
        reads={"obj": ("body_xpos", "obj"), "obj_matrix": ("geom_xmat", "objGeom"), **TOUCH},
        start={"target": 3, "init_tcp": 3, "obj_init": 3},
        reset=reset_into,
        observe=observe_into,
        rewards={"v1": reward_into_v1, "v2": reward_into},
    ),
    Skill(
        "sweep-v3",
        "SawyerSweepEnvV3",
        "sweep",
        "sweep the block off the table",
        (-0.1, 0.6, 0.02),
        (0.1, 0.7, 0.02),
        model="sawyer_xyz/sawyer_sweep_v3.xml",
        goal_low=(0.49, 0.6, 0.0),
        goal_high=(0.51, 0.7, 0.02),
        moves=(("site_pos", "goal"),),
        reads={"obj": ("body_xpos", "obj"), "obj_quat": ("body_xquat", "obj"), **TOUCH},
        start={"target": 3, "init_tcp": 3, "obj_init": 3},
        reset=reset_off,
        observe=observe_off,
        rewards={"v1": reward_off_v1, "v2": reward_off},
    ),
)
