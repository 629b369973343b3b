"""Puck: a puck on the table, 0.02 m high and wide, pushed or carried to a goal.

push-v3               push it away; solved within 0.05 m of the goal
push-wall-v3          push it around the left end of a wall; solved within 0.07 m
push-back-v3          pull a block towards the robot; solved within 0.07 m
pick-place-v3         lift it to the goal; solved within 0.07 m
pick-place-wall-v3    lift it over a wall to the goal; solved within 0.07 m
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import (
    caging_reward,
    closed_effort,
    distance,
    distance_2d,
    grip_beside,
    hamacher_product,
    hamacher_product_as,
    held,
    length,
    lift_v1,
    long_tail,
    near_in_xz,
    pads_beside,
    pushing_v1,
    quat_from_matrix,
    rounded,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = (0.0, 0.6, 0.2)  # m, where the hand starts
HAND_BACK = float32(*HAND)  # m, the same in push-back
RADIUS = 0.015  # m, of the puck as the fingers see it
BLOCK_RADIUS = 0.007  # m, of push-back's block, likewise
BLOCK_SLACK = 0.003  # m, how much farther a pad grips it
PAD_REACH = 0.05  # m, from a pad to the puck, along y
XZ_REACH = 0.005  # m, from the fingers' centre to the puck, in x and z
BLOCK_XZ_REACH = 0.01  # m, the same for the block
TCP_REACH = 0.01  # m, from the fingers' centre to the puck
NEAR = 0.02  # m, from the fingers' centre to a puck that is between the fingers
TARGET_RADIUS = 0.05  # m
SOLVED_RADIUS = 0.07  # m
LIFT = 0.04  # m, that version 1 wants first
WALL_Y = 0.75  # m, of the wall's middle
PAST_WALL_Y = 0.77  # m, of the point that a puck has to pass
LEFT_OF_WALL = -0.05  # m, x of that point when pushing
ABOVE_WALL = 0.25  # m, its height when lifting
ERROR_X = 3.0  # how many times an error in x counts on the way to that point when pushing
ERROR_Z = 3.0  # how many times an error in z counts on the way to it when lifting


def reset_lift(sim, rand_vec, before):
    """Puts the puck at the first three numbers and the goal at the last three."""
    init_tcp = sim.settle_hand(HAND)
    obj_init, target = rand_vec[:3], rand_vec[3:]
    sim.place_object(obj_init)
    sim.move_site("goal", target)
    return {"target": target, "init_tcp": init_tcp, "obj_init": obj_init, "height": sim.geom("objGeom")[2]}


def reset_push(sim, rand_vec, before):
    """Puts puck and goal where `_on_table` says."""
    return _on_table(sim, rand_vec, HAND)


def reset_back(sim, rand_vec, before):
    """Puts block and goal where `_on_table` says."""
    return _on_table(sim, rand_vec, HAND_BACK)


def _on_table(sim, rand_vec, hand):
    """Puts object and goal at the x and y of `rand_vec`, as high as the object lay after the settling."""
    init_tcp = sim.settle_hand(hand)
    height = sim.body("obj")[2]
    obj_init, target = (*rand_vec[:2], height), (*rand_vec[3:5], height)
    sim.place_object(obj_init)
    sim.move_site("goal", target)
    return {"target": target, "init_tcp": init_tcp, "obj_init": obj_init}


def observe(now, objects):
    """The puck's centre and orientation."""
    for i in range(3):
        objects[i] = now.obj[i]
    quat_from_matrix(now.obj_matrix, objects[3:7])


def _caging(now, obj, start, effort, density, single):
    """Fingers around the puck and closing, as most skills reward it."""
    return caging_reward(
        now, obj, start.obj_init, start.init_tcp, effort, single,
        RADIUS, PAD_REACH, TCP_REACH, XZ_REACH, 1.0, density,
    )  # fmt: skip


def _around_wall(base, midway, in_place, y, soft):
    """Adds to a reward, for a puck between the fingers: 1 to 5 for the way to the wall, up to 3 beyond it."""
    total = rounded(base + 1.0, soft)
    if y > WALL_Y:
        return rounded(rounded(total + 4.0, soft) + rounded(3.0 * in_place, soft), soft)
    return rounded(total + rounded(4.0 * midway, soft), soft)


def reward_push(now, obs, action, start, memory, single):
    """Twice the grasp (0..2); twice that plus up to 6 with the puck between the fingers; 10 at the goal."""
    obj, opening, target = obs[4:7], obs[3], start.target
    error = distance(obj, target)
    reached = distance(obj, now.tcp)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, distance(start.obj_init, target))
    grasped, soft = _caging(now, obj, start, action[3], 2, single)
    total = 2.0 * grasped
    if reached < NEAR and opening > 0.0:
        more = rounded(rounded(1.0 + total, soft) + rounded(5.0 * in_place, soft), soft)
        total = rounded(total + more, soft)
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


def reward_push_wall(now, obs, action, start, memory, single):
    """Twice the grasp (0..2), up to 8 more with the puck between the fingers, and 10 at the goal."""
    obj, opening, target = obs[4:7], obs[3], start.target
    obj_init = start.obj_init
    error = distance(obj, target)
    reached = distance(obj, now.tcp)
    to_midpoint = length(ERROR_X * (obj[0] - LEFT_OF_WALL), obj[1] - PAST_WALL_Y, 0.0)
    to_midpoint_at_start = length(
        ERROR_X * (obj_init[0] - LEFT_OF_WALL), obj_init[1] - PAST_WALL_Y, obj_init[2] - obj[2]
    )
    midway = long_tail(to_midpoint, 0.0, TARGET_RADIUS, to_midpoint_at_start)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, distance(obj_init, target))
    grasped, soft = _caging(now, obj, start, action[3], 2, single)
    total = 2.0 * grasped
    if reached < NEAR and opening > 0.0:
        total = _around_wall(total, midway, in_place, obj[1], soft)
    if error < TARGET_RADIUS:
        total = 10.0
    return Terms(
        reward=total,
        success=error <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=held(now, obj, obj_init, opening),
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_back(now, obs, action, start, memory, single):
    """Grip times place (0..1), up to 6 more once the block is gripped and on its way, and 10 at the goal."""
    obj, opening, target = obs[4:7], obs[3], start.target
    error = distance(obj, target)
    error_at_start = distance(start.obj_init, target)
    reached = distance(obj, now.tcp)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, error_at_start)
    gripped = grip_beside(
        now, obj, start.obj_init, start.init_tcp, BLOCK_RADIUS, BLOCK_SLACK, PAD_REACH, BLOCK_XZ_REACH
    )
    total = hamacher_product(gripped, in_place)
    if reached < 0.01 and 0.0 < opening < 0.55 and error_at_start - error > 0.01:
        total += 1.0 + 5.0 * in_place
    if error < TARGET_RADIUS:
        total = 10.0
    return Terms(
        reward=total,
        success=error <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=held(now, obj, start.obj_init, opening),
        grasp_reward=gripped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def _caging_beside(now, obj, start, effort, single):
    """Fingers around the puck and closing, in pick-place: like `_caging`, but each pad is on its own side."""
    around = pads_beside(now, obj, RADIUS, PAD_REACH, PAD_REACH)
    caging = hamacher_product(around, near_in_xz(now, obj, start.obj_init, start.init_tcp, XZ_REACH))
    gripping, soft = 0.0, False
    if caging > 0.97:
        gripping, soft = closed_effort(effort, 1.0, single)
    grasped = hamacher_product_as(caging, gripping, soft)
    return rounded(rounded(grasped + rounded(caging, soft), soft) / 2.0, soft), soft


def reward_lift(now, obs, action, start, memory, single):
    """Grasp times place (0..1), up to 6 more once the puck is up, and 10 at the goal."""
    obj, opening, target = obs[4:7], obs[3], start.target
    error = distance(obj, target)
    reached = distance(obj, now.tcp)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, distance(start.obj_init, target))
    grasped, soft = _caging_beside(now, obj, start, action[3], single)
    total = hamacher_product_as(grasped, in_place, soft)
    if reached < NEAR and opening > 0.0 and obj[2] - 0.01 > start.obj_init[2]:
        total = rounded(total + rounded(1.0 + 5.0 * in_place, soft), soft)
    if error < TARGET_RADIUS:
        total = 10.0
    return Terms(
        reward=total,
        success=error <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=held(now, obj, start.obj_init, opening),
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_lift_wall(now, obs, action, start, memory, single):
    """Grasp times the way to the wall (0..1), up to 8 more once the puck is up, and 10 at the goal."""
    obj, opening, target = obs[4:7], obs[3], start.target
    obj_init = start.obj_init
    error = distance(obj, target)
    reached = distance(obj, now.tcp)
    to_midpoint = length(obj[0] - target[0], obj[1] - PAST_WALL_Y, ERROR_Z * (obj[2] - ABOVE_WALL))
    to_midpoint_at_start = length(
        obj_init[0] - target[0], obj_init[1] - PAST_WALL_Y, ERROR_Z * (obj_init[2] - ABOVE_WALL)
    )
    midway = long_tail(to_midpoint, 0.0, TARGET_RADIUS, to_midpoint_at_start)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, distance(obj_init, target))
    grasped, soft = _caging(now, obj, start, action[3], 0, single)
    total = hamacher_product_as(grasped, midway, soft)
    if reached < NEAR and opening > 0.0 and obj[2] - 0.015 > obj_init[2]:
        total = _around_wall(total, midway, in_place, obj[1], soft)
    if error < TARGET_RADIUS:
        total = 10.0
    return Terms(
        reward=total,
        success=error <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=held(now, obj, obj_init, opening),
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def _push_v1(now, obs, start):
    """Version 1 of the three pushes: see `rewards.pushing_v1`. Only errors in x and y count."""
    obj = obs[4:7]
    error = distance_2d(obj, start.target, 0, 1)
    error_at_start = distance_2d(start.obj_init, start.target, 0, 1)
    return pushing_v1(distance(obj, now.tcp), error, error_at_start), error


def reward_push_v1(now, obs, action, start, memory, single):
    """Version 1 of push: see `_push_v1`."""
    reward, error = _push_v1(now, obs, start)
    return Terms(reward, error <= TARGET_RADIUS, True, False, 0.0, 0.0, error)


def reward_push_far_v1(now, obs, action, start, memory, single):
    """Version 1 of push-wall and push-back: see `_push_v1`."""
    reward, error = _push_v1(now, obs, start)
    return Terms(reward, error <= SOLVED_RADIUS, True, False, 0.0, 0.0, error)


def reward_lift_v1(now, obs, action, start, memory, single):
    """Version 1 of both lifts: see `rewards.lift_v1`."""
    obj = obs[4:7]
    error = distance(obj, start.target)
    reward = lift_v1(
        now, obj, start.obj_init, start.init_tcp, start.target, start.height, LIFT, 0.0, action[3], single
    )
    return Terms(reward, error <= SOLVED_RADIUS, True, False, 0.0, 0.0, error)


READS = {
    "obj": ("body_xpos", "obj"),
    "obj_matrix": ("geom_xmat", "objGeom"),
    "left_touch": ("touch", "leftpad_geom", "objGeom"),
    "right_touch": ("touch", "rightpad_geom", "objGeom"),
}

SKILLS = (
    Skill(
        "pick-place-wall-v3",
        "SawyerPickPlaceWallEnvV3",
        "puck",
        "lift the puck over a wall to the goal",
        (-0.05, 0.6, 0.015, -0.05, 0.85, 0.05),
        (0.05, 0.65, 0.015, 0.05, 0.9, 0.3),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_pick_place_wall_v3.xml",
        goal_low=(-0.05, 0.85, 0.05),
        goal_high=(0.05, 0.9, 0.3),
        moves=(("site_pos", "goal"),),
        reads=READS,
        start={"target": 3, "init_tcp": 3, "obj_init": 3, "height": 1},
        reset=reset_lift,
        observe=observe,
        rewards={"v1": reward_lift_v1, "v2": reward_lift_wall},
    ),
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
        reads=READS,
        start={"target": 3, "init_tcp": 3, "obj_init": 3, "height": 1},
        reset=reset_lift,
        observe=observe,
        rewards={"v1": reward_lift_v1, "v2": reward_lift},
    ),
    Skill(
        "push-v3",
        "SawyerPushEnvV3",
        "puck",
        "push the puck to the goal",
        (-0.1, 0.6, 0.02, -0.1, 0.8, 0.01),
        (0.1, 0.7, 0.02, 0.1, 0.9, 0.02),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_push_v3.xml",
        goal_low=(-0.1, 0.8, 0.01),
        goal_high=(0.1, 0.9, 0.02),
        moves=(("site_pos", "goal"),),
        reads=READS,
        start={"target": 3, "init_tcp": 3, "obj_init": 3},
        reset=reset_push,
        observe=observe,
        rewards={"v1": reward_push_v1, "v2": reward_push},
    ),
    Skill(
        "push-wall-v3",
        "SawyerPushWallEnvV3",
        "puck",
        "push the puck around a wall to the goal",
        (-0.05, 0.6, 0.015, -0.05, 0.85, 0.01),
        (0.05, 0.65, 0.015, 0.05, 0.9, 0.02),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_push_wall_v3.xml",
        goal_low=(-0.05, 0.85, 0.01),
        goal_high=(0.05, 0.9, 0.02),
        moves=(("site_pos", "goal"),),
        reads=READS,
        start={"target": 3, "init_tcp": 3, "obj_init": 3},
        reset=reset_push,
        observe=observe,
        rewards={"v1": reward_push_far_v1, "v2": reward_push_wall},
    ),
    Skill(
        "push-back-v3",
        "SawyerPushBackEnvV3",
        "puck",
        "pull the block back to the goal",
        (-0.1, 0.8, 0.02, -0.1, 0.6, 0.0199),
        (0.1, 0.85, 0.02, 0.1, 0.7, 0.0201),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_push_back_v3.xml",
        goal_low=(-0.1, 0.6, 0.0199),
        goal_high=(0.1, 0.7, 0.0201),
        moves=(("site_pos", "goal"),),
        reads=READS,
        start={"target": 3, "init_tcp": 3, "obj_init": 3},
        reset=reset_back,
        observe=observe,
        rewards={"v1": reward_push_far_v1, "v2": reward_back},
    ),
)
