"""Peg: a peg on the table, and a box with a hole in its side.

peg-insert-side-v3    put the peg into the hole; solved when its head is within 0.07 m of the goal in there;
                      errors in y and z count twice
peg-unplug-side-v3    pull the peg out, along x; solved when its end is within 0.07 m of the goal, 0.15 m out
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import (
    approach_v1,
    caging_reward,
    distance,
    distance_2d,
    hamacher_product,
    hamacher_product_as,
    length,
    long_tail,
    picking_v1,
    quat_in_scipy_order,
    reaching_v1,
    rounded,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms

HAND = (0.0, 0.6, 0.2)  # m, where the hand starts
SOLVED_RADIUS = 0.07  # m
XZ_REACH = 0.005  # m, from the fingers' centre to the peg, in x and z
REACH = 0.01  # m, from the fingers' centre to the peg

# peg-insert-side
HOLE = (0.03, 0.0, 0.13)  # m, from the box to the goal in its hole
PEG_RADIUS = 0.0075  # m, as the fingers see it
PEG_PAD_REACH = 0.03  # m, from a pad to the peg, along y
HOLD_RADIUS = 0.08  # m, from the fingers' centre to a peg that they hold
LIFT = 0.11  # m, that version 1 wants first
HEAD_RADIUS = 0.05  # m, of the head to the goal, within which version 1 looks at where it is gripped instead

# peg-unplug-side
SOCKET = (0.044, 0.0, 0.131)  # m, from the box to the plugged peg
PULL = (0.15, 0.0, 0.0)  # m, from the plugged peg to the goal
PLUG_RADIUS = 0.025  # m, as the fingers see it
PLUG_PAD_REACH = 0.05  # m, from a pad to the peg, along y
PLUG_EFFORT = 0.8  # effort that counts as a full grip
PULLED = 0.015  # m, along x, that show that the peg is held
OUT_RADIUS = 0.05  # m, of the peg's end to the goal


def reset_insert(sim, rand_vec, before):
    """Puts the peg at the first three numbers and the box at the last three."""
    init_tcp = sim.settle_hand(HAND)
    obj_init, box = rand_vec[:3], rand_vec[3:]
    head_init = sim.site("pegHead")  # where the model has it: the reward measures from there
    sim.place_object(obj_init)
    sim.move_body("box", box)
    target = box + HOLE
    sim.move_site("goal", target)
    rest = sim.body("peg")[2]
    return {
        "target": target,
        "init_tcp": init_tcp,
        "obj_init": obj_init,
        "head_init": head_init,
        "rest": rest,
        "way": distance((obj_init[0], obj_init[1], rest + LIFT), target) + rest + LIFT,
    }


def reset_unplug(sim, rand_vec, before):
    """Puts the box at `rand_vec` and the peg into its hole."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("box", rand_vec)
    plugged = rand_vec + SOCKET
    sim.place_joints((*plugged, 1.0, 0.0, 0.0, 0.0), stop=(0, 3))
    obj_init = sim.site("pegEnd")
    target = plugged + PULL
    sim.move_site("goal", target)
    return {"target": target, "init_tcp": init_tcp, "obj_init": obj_init}


def observe_insert(now, objects):
    """Where the peg is to be gripped, and its orientation."""
    for i in range(3):
        objects[i] = now.grip[i]
    quat = now.peg_quat
    quat_in_scipy_order(quat[0], quat[1], quat[2], quat[3], objects[3:7])


def observe_unplug(now, objects):
    """The peg's end and its orientation."""
    for i in range(3):
        objects[i] = now.end[i]
    for i in range(4):
        objects[3 + i] = now.peg_quat[i]


def _head_error(head, target):
    """Distance that counts y and z twice, so that the peg is lined up before it goes in along x."""
    return length(head[0] - target[0], 2.0 * (head[1] - target[1]), 2.0 * (head[2] - target[2]))


def _clearance(head, near, far):
    """1 outside the region between two corners; inside, the product of the ways from `near`, 0 to 1 at `far`.

    Returns:
        The clearance, and whether the head is inside.
    """
    clearance = 1.0
    for i in range(3):
        way = (head[i] - near[i]) / (far[i] - near[i])
        if not 0.0 <= way <= 1.0:
            return 1.0, False
        clearance *= way
    return clearance, True


def _caging(now, peg, start, effort, single, radius, pad_reach, full_effort):
    return caging_reward(
        now, peg, start.obj_init, start.init_tcp, effort, single,
        radius, pad_reach, REACH, XZ_REACH, full_effort, 2,
    )  # fmt: skip


def reward_insert(now, obs, action, start, memory, single):
    """Grasp times place (0..1), up to 6 more once the peg is up, and 10 in the hole.

    The place counts less while the head is in front of the box, below or above the hole.
    """
    peg, opening, target = obs[4:7], obs[3], start.target
    reached = distance(peg, now.tcp)
    error = _head_error(now.head, target)
    in_place = long_tail(error, 0.0, SOLVED_RADIUS, _head_error(start.head_init, target))
    below, is_below = _clearance(now.head, now.below_near, now.below_far)
    above, is_above = _clearance(now.head, now.above_near, now.above_far)
    in_place = hamacher_product(in_place, hamacher_product(above, below))
    up = opening > 0.0 and peg[2] - 0.01 > start.obj_init[2]
    if up and reached < HOLD_RADIUS:
        grasped = 1.0
        total = hamacher_product(grasped, in_place) + (1.0 + 5.0 * in_place)
    else:
        grasped, soft = _caging(now, peg, start, action[3], single, PEG_RADIUS, PEG_PAD_REACH, 1.0)
        # within a region the clearance is a float64 number of NumPy, which float32 gives way to
        total = hamacher_product_as(grasped, in_place, soft and not is_below and not is_above)
    return Terms(
        reward=10.0 if error <= SOLVED_RADIUS else total,
        success=error <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=up and reached < 0.02,
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_unplug(now, obs, action, start, memory, single):
    """Grasp (0..2), 1 and up to 5 more for the way once the peg is held and moves, and 10 at the goal."""
    end, opening, target = obs[4:7], obs[3], start.target
    reached = distance(end, now.tcp)
    error = distance(end, target)
    grasped, soft = _caging(now, end, start, action[3], single, PLUG_RADIUS, PLUG_PAD_REACH, PLUG_EFFORT)
    in_place = long_tail(error, 0.0, OUT_RADIUS, distance(start.obj_init, target))
    held = opening > 0.5 and end[0] - start.obj_init[0] > PULLED
    total = 2.0 * grasped
    if held and reached < 0.035:
        total = rounded(rounded(1.0 + total, soft) + rounded(5.0 * in_place, soft), soft)
    return Terms(
        reward=10.0 if error <= OUT_RADIUS else total,
        success=error <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=held,
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_insert_v1(now, obs, action, start, memory, single):
    """Version 1: come near, then 100 times the height, then `approach_v1` for the head, at last the grip."""
    peg = obs[4:7]
    reached = distance(peg, now.tcp)
    error = distance(peg, start.target)
    total = reaching_v1(now, peg, start.init_tcp, 0.05, 1.0, action[3], single)
    picking, up = picking_v1(peg[2], start.rest, start.rest + LIFT, reached)
    total += picking
    if up and reached < 0.1:
        head_error = distance(now.head, start.target)
        total += approach_v1(error if head_error <= HEAD_RADIUS else head_error, start.way)
    return Terms(total, error <= SOLVED_RADIUS, True, False, 0.0, 0.0, error)


def reward_unplug_v1(now, obs, action, start, memory, single):
    """Version 1: come near, then `approach_v1`, where only x and y count."""
    end = obs[4:7]
    error = distance_2d(end, start.target, 0, 1)
    total = reaching_v1(now, end, HAND, 0.05, 2.0, action[3], single)
    if distance(end, now.tcp) < 0.05:
        total += approach_v1(error, distance(start.obj_init, start.target))
    return Terms(total, error <= SOLVED_RADIUS, True, False, 0.0, 0.0, error)


SKILLS = (
    Skill(
        "peg-insert-side-v3",
        "SawyerPegInsertionSideEnvV3",
        "peg",
        "put the peg into the hole in the side of the box",
        (0.0, 0.5, 0.02, -0.35, 0.4, -0.001),
        (0.2, 0.7, 0.02, -0.25, 0.7, 0.001),
        min_separation=0.1,
        model="sawyer_xyz/sawyer_peg_insertion_side.xml",
        goal_low=(-0.35 + HOLE[0], 0.4, -0.001 + HOLE[2]),
        goal_high=(-0.25 + HOLE[0], 0.7, 0.001 + HOLE[2]),
        moves=(("body_pos", "box"), ("site_pos", "goal")),
        reads={
            "grip": ("site_xpos", "pegGrasp"),
            "head": ("site_xpos", "pegHead"),
            "peg_quat": ("body_xquat", "peg"),
            "below_near": ("site_xpos", "bottom_right_corner_collision_box_1"),
            "below_far": ("site_xpos", "top_left_corner_collision_box_1"),
            "above_near": ("site_xpos", "bottom_right_corner_collision_box_2"),
            "above_far": ("site_xpos", "top_left_corner_collision_box_2"),
        },
        start={"target": 3, "init_tcp": 3, "obj_init": 3, "head_init": 3, "rest": 1, "way": 1},
        reset=reset_insert,
        observe=observe_insert,
        rewards={"v1": reward_insert_v1, "v2": reward_insert},
    ),
    Skill(
        "peg-unplug-side-v3",
        "SawyerPegUnplugSideEnvV3",
        "peg",
        "pull the peg out of the side of the box",
        (-0.25, 0.6, -0.001),
        (-0.15, 0.8, 0.001),
        model="sawyer_xyz/sawyer_peg_unplug_side.xml",
        goal_low=(-0.25 + 0.194, 0.6, -0.001 + 0.131),
        goal_high=(-0.15 + 0.194, 0.8, 0.001 + 0.131),
        moves=(("body_pos", "box"), ("site_pos", "goal")),
        reads={"end": ("site_xpos", "pegEnd"), "peg_quat": ("body_xquat", "plug1")},
        start={"target": 3, "init_tcp": 3, "obj_init": 3},
        reset=reset_unplug,
        observe=observe_unplug,
        rewards={"v1": reward_unplug_v1, "v2": reward_unplug},
    ),
)
