"""Stick: a short stick on the table, and a thermos that slides on it, with a handle that the stick fits into.

stick-push-v3    push the thermos with the stick; solved when its middle is within 0.12 m of the goal and the
                 stick is held
stick-pull-v3    put the stick into the handle and pull; solved when the handle is within 0.12 m of the goal
                 and the stick in it
"""

from __future__ import annotations

import math

from taskworlds.worlds.metaworld.rewards import (
    caging_reward,
    distance,
    distance_2d,
    hamacher_product_as,
    length,
    long_tail,
    picking_v1,
    quat_in_scipy_order,
    reaching_v1,
    touched,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms

HAND = (0.0, 0.6, 0.2)  # m, where the hand starts
STICK_HEIGHT = 0.02  # m, of the stick's centre at reset
THERMOS_JOINTS = 7  # the stick's free joint is 7 numbers, then come the thermos' two slides
STOPPED = (
    THERMOS_JOINTS,
    THERMOS_JOINTS + 1,
)  # velocities that Meta-World stops: of the slides only the second's
THERMOS_VELOCITIES = (6, 8)  # velocities of the slides: a free joint has 6
PUSH_SLIDES = (0.0, 0.0)  # m, where they start
PULL_SLIDES = (0.0, 0.09)  # m
HANDLE_TO_THERMOS = 0.09  # m, along y
HANDLE_DEPTH = 0.05  # m, along x: how far through the handle stick-pull wants the stick
PUSH_GRIP = 0.015  # m, along x, from the stick's centre to where stick-push wants it gripped
SOLVED_RADIUS = 0.12  # m
PULL_RADIUS = 0.05  # m, where stick-pull counts a distance as none
PAD_REACH = 0.05  # m, from a pad to the stick, along y
REACH = 0.01  # m, from the fingers' centre to the stick
PUSH_STICK_RADIUS = 0.04  # m, as the fingers see it
PULL_STICK_RADIUS = 0.014  # m
LIFT = 0.04  # m, that version 1 wants first
TOUCH_RADIUS = 0.05  # m, from stick to thermos, where version 1 begins to count the thermos' way


def _reset(sim, rand_vec, slides, target_height, stopped=STOPPED):
    """Puts the stick at the first two numbers, the goal at the fourth and fifth, the thermos by its slides.

    The goal is as high as `target_height`, metres, or as the thermos' handle if that is None. `stopped` are the
    velocities that are set to zero with the slides.
    """
    init_tcp = sim.settle_hand(HAND)
    stick_init = (rand_vec[0], rand_vec[1], STICK_HEIGHT)
    height = sim.site("insertion")[2] if target_height is None else target_height
    target = (rand_vec[3], rand_vec[4], height)
    sim.place_object(stick_init)
    sim.place_joints(slides, first=THERMOS_JOINTS, stop=stopped)
    sim.move_site("goal", target)
    obj_init = sim.body("object")
    rest = sim.body("stick")[2]
    return {
        "target": target,
        "init_tcp": init_tcp,
        "stick_init": stick_init,
        "obj_init": obj_init,
        "rest": rest,
        "stick_way": distance((obj_init[0], obj_init[1], rest + LIFT), stick_init) + rest + LIFT,
        "thermos_way": distance_2d(obj_init, target, 0, 1),
    }


def reset_push(sim, rand_vec, before):
    """The goal is as high as the handle."""
    return _reset(sim, rand_vec, PUSH_SLIDES, None)


def reset_pull(sim, rand_vec, before):
    """The goal is as high as the stick."""
    return _reset(sim, rand_vec, PULL_SLIDES, STICK_HEIGHT)


def reset_push_mended(sim, rand_vec, before):
    """The thermos starts at rest, see `mended`."""
    return _reset(sim, rand_vec, PUSH_SLIDES, None, THERMOS_VELOCITIES)


def reset_pull_mended(sim, rand_vec, before):
    """The thermos starts at rest, see `mended`."""
    return _reset(sim, rand_vec, PULL_SLIDES, STICK_HEIGHT, THERMOS_VELOCITIES)


def observe_push(now, objects):
    """The stick's centre and orientation, and the thermos' middle at the height of its handle."""
    observe_pull(now, objects)
    objects[8] += HANDLE_TO_THERMOS


def observe_pull(now, objects):
    """The stick's centre and orientation, and the thermos' handle."""
    for i in range(3):
        objects[i] = now.stick[i]
        objects[7 + i] = now.handle[i]
    quat = now.stick_quat
    quat_in_scipy_order(quat[0], quat[1], quat[2], quat[3], objects[3:7])


def _caging(now, stick, stick_init, start, effort, single, radius):
    return caging_reward(
        now, stick, stick_init, start.init_tcp, effort, single, radius, PAD_REACH, REACH, REACH, 1.0, 2
    )  # fmt: skip


def _up(obs, start):
    """The fingers are not quite shut, and the stick has left the table."""
    return obs[3] > 0.0 and obs[6] - 0.01 > start.stick_init[2]


def _inserted(stick_end, handle):
    """The stick's end is through the handle."""
    through = stick_end[0] >= handle[0]
    return through and abs(stick_end[1] - handle[1]) <= 0.04 and abs(stick_end[2] - handle[2]) <= 0.06


def reward_push(now, obs, action, start, memory, single):
    """Grasp (0..1); with the stick up 2 and the places of stick (0..5) and thermos (0..3); 10 at the goal."""
    stick, thermos, target = (obs[4] + PUSH_GRIP, obs[5], obs[6]), obs[11:14], start.target
    reached = distance(stick, now.tcp)
    error = distance(thermos, target)
    stick_margin = distance(start.stick_init, target) - SOLVED_RADIUS
    stick_in_place = long_tail(distance(stick, target), 0.0, SOLVED_RADIUS, stick_margin)
    in_place = long_tail(error, 0.0, SOLVED_RADIUS, distance(start.obj_init, target) - SOLVED_RADIUS)
    if _up(obs, start) and reached < 0.02:
        grasped = 1.0
        total = 10.0 if error <= SOLVED_RADIUS else 2.0 + 5.0 * stick_in_place + 3.0 * in_place
    else:
        grasped, _ = _caging(now, stick, start.stick_init, start, action[3], single, PUSH_STICK_RADIUS)
        total = grasped
    held = touched(now) and _up(obs, start)
    return Terms(
        reward=total,
        success=held and error <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=held,
        grasp_reward=grasped,
        in_place_reward=stick_in_place,
        obj_to_target=error,
    )


def _to_thermos(stick, thermos):
    """Distance from a stick to where stick-pull wants it in the handle; an error in z counts twice."""
    x = thermos[0] + HANDLE_DEPTH
    return length(stick[0] - x, stick[1] - thermos[1], 2.0 * (stick[2] - thermos[2]))


def reward_pull(now, obs, action, start, memory, single):
    """Grasp times the stick's way into the handle (0..1), and 10 at the goal.

    With the stick up, 1 and that way (0..5) more; with it in, 6 and the places of stick (0..2) and thermos.
    """
    stick, handle, target = obs[4:7], obs[11:14], start.target
    reached = distance(stick, now.tcp)
    error = distance(handle, target)
    inserted = _inserted(now.stick_end, handle)
    to_thermos_at_start = _to_thermos(start.stick_init, start.obj_init)
    inserting = long_tail(_to_thermos(stick, handle), 0.0, PULL_RADIUS, to_thermos_at_start)
    if _up(obs, start) and reached < 0.02:
        grasped = 1.0
        total = 1.0 + hamacher_product_as(grasped, inserting, False)
        if not inserted:
            total += 5.0 * inserting
        elif error > SOLVED_RADIUS:
            thermos = (handle[0] + HANDLE_DEPTH, handle[1], handle[2])
            stick_margin, margin = distance(start.stick_init, target), distance(start.obj_init, target)
            stick_in_place = long_tail(distance(stick, target), 0.0, PULL_RADIUS, stick_margin)
            in_place = long_tail(distance(thermos, target), 0.0, PULL_RADIUS, margin)
            total += 5.0 + 2.0 * stick_in_place + in_place
        else:
            total = 10.0
    else:
        # Meta-World measures the margins from where the thermos started, though it means the stick
        grasped, soft = _caging(now, stick, start.obj_init, start, action[3], single, PULL_STICK_RADIUS)
        total = hamacher_product_as(grasped, inserting, soft)
    return Terms(
        reward=total,
        success=error <= SOLVED_RADIUS and inserted,
        near_object=reached <= 0.03,
        grasp_success=touched(now) and obs[3] > 0.0 and stick[2] - 0.02 > start.obj_init[2],
        grasp_reward=grasped,
        in_place_reward=inserting,
        obj_to_target=error,
    )


def _coming_v1(left, way, weight, wide, narrow):
    """1000 for each metre of the way that is done, and twice `weight` at its end; the widths are in m^2."""
    return 1000.0 * (way - left) + weight * (math.exp(-(left**2) / wide) + math.exp(-(left**2) / narrow))


def _carry_v1(now, obs, start, effort, single, wide, narrow):
    """Version 1 of both: come near, 100 times the height, then the stick's way and the thermos'.

    Meta-World means the thermos' position but reads other numbers of the observation: the stick's height
    and half of its quaternion. So do we, because otherwise it would be another reward.

    Returns:
        The reward, and what passes for the thermos' distance from the goal.
    """
    stick, thermos = obs[4:7], obs[6:9]
    error = distance_2d(thermos, start.target, 0, 1)
    to_thermos = distance(stick, thermos)
    reached = distance(stick, now.tcp)
    total = reaching_v1(now, stick, start.init_tcp, math.inf, 0.0, effort, single)
    picking, up = picking_v1(stick[2], start.rest, start.rest + LIFT, reached)
    total += picking
    if up and reached < 0.1:
        coming = _coming_v1(to_thermos, start.stick_way, 1000.0, 0.01, 0.001)
        if to_thermos < TOUCH_RADIUS:
            coming += _coming_v1(error, start.thermos_way, 2000.0, wide, narrow)
        total += max(coming, 0.0)
    return total, error


def reward_push_v1(now, obs, action, start, memory, single):
    """Version 1: see `_carry_v1`. It is never solved, as Meta-World never says that the stick is held."""
    total, error = _carry_v1(now, obs, start, action[3], single, 0.001, 0.0001)
    return Terms(total, False, True, False, 0.0, 0.0, error)


def reward_pull_v1(now, obs, action, start, memory, single):
    """Version 1: see `_carry_v1`."""
    total, error = _carry_v1(now, obs, start, action[3], single, 0.01, 0.001)
    handle = obs[11:14]
    solved = distance(handle, start.target) <= SOLVED_RADIUS and _inserted(now.stick_end, handle)
    return Terms(total, solved, True, False, 0.0, 0.0, error)


READS = {
    "stick": ("body_xpos", "stick"),
    "stick_quat": ("body_xquat", "stick"),
    "stick_end": ("site_xpos", "stick_end"),
    "handle": ("site_xpos", "insertion"),
    "left_touch": ("touch", "leftpad_geom", "objGeom"),
    "right_touch": ("touch", "rightpad_geom", "objGeom"),
}
START = {
    "target": 3,
    "init_tcp": 3,
    "stick_init": 3,
    "obj_init": 3,
    "rest": 1,
    "stick_way": 1,
    "thermos_way": 1,
}

SKILLS = (
    Skill(
        "stick-push-v3",
        "SawyerStickPushEnvV3",
        "stick",
        "push the thermos with the stick",
        (-0.08, 0.58, 0.0, 0.399, 0.55, 0.1319),
        (-0.03, 0.62, 0.001, 0.401, 0.6, 0.1321),
        min_separation=0.1,
        model="sawyer_xyz/sawyer_stick_obj.xml",
        goal_low=(0.399, 0.55, 0.1319),
        goal_high=(0.401, 0.6, 0.1321),
        moves=(("site_pos", "goal"),),
        reads=READS,
        start=START,
        reset=reset_push,
        observe=observe_push,
        rewards={"v1": reward_push_v1, "v2": reward_push},
    ),
    Skill(
        "stick-pull-v3",
        "SawyerStickPullEnvV3",
        "stick",
        "pull the thermos with the stick",
        (-0.1, 0.55, 0.0, 0.35, 0.45, 0.0199),
        (0.0, 0.65, 0.001, 0.45, 0.55, 0.0201),
        min_separation=0.1,
        model="sawyer_xyz/sawyer_stick_obj.xml",
        hand_low=(-0.5, 0.35, 0.05),
        goal_low=(0.35, 0.45, 0.0199),
        goal_high=(0.45, 0.55, 0.0201),
        moves=(("site_pos", "goal"),),
        reads=READS,
        start=START,
        reset=reset_pull,
        observe=observe_pull,
        rewards={"v1": reward_pull_v1, "v2": reward_pull},
    ),
)
