"""Door: a door on the table, hinged at its left, with a handle; it opens towards the robot, by up to 2 rad.

door-open-v3    pull it open; solved when the handle is within 0.08 m of the goal, along x
door-close-v3   push it shut; solved when the handle is within 0.08 m of the goal
"""

from __future__ import annotations

import math

import numpy as np

from taskworlds.worlds.metaworld.rewards import (
    distance,
    distance_2d,
    gaussian,
    hamacher_product,
    length,
    long_tail,
    pushing_v1,
    quat_in_scipy_order,
    rounded,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

OPEN_HAND = (0.0, 0.6, 0.2)  # m, where the hand starts for door-open
CLOSE_HAND = float32(-0.5, 0.6, 0.2)  # m, and for door-close
OPEN_TARGET = (-0.3, -0.45, 0.0)  # m, from the door's frame to the goal of door-open
CLOSE_TARGET = (0.2, -0.2, 0.0)  # m, and of door-close
WIDE_OPEN = -1.5708  # rad

# The handle that Meta-World looks at is a mesh that only is to be seen, so the engine's model has none.
# MuJoCo's compiler would put it here within door_link: centre of mass (m) and principal axes (w, x, y, z).
HANDLE = (0.3757216301497299, -0.10713989547547989, 3.5948720107846327e-05)
HANDLE_QUAT = (0.1511710860256814, 0.6907584981379653, -0.15062096865140928, 0.6908786606941284)

SOLVED_RADIUS = 0.08  # m
SHUT_RADIUS = 0.05  # m
FUNNEL_RADIUS = 0.12  # m, around the handle, where the hand may come down
GRIP = (0.0, 0.03, -0.01)  # m, from the handle to where the hand has to be


def _handle(position, quat):
    """Returns the handle's position, three numbers, from that of door_link, and its quaternion (w, x, y, z)."""
    w, x, y, z = quat
    # twice the cross product of the quaternion's axis with HANDLE
    a = 2.0 * (y * HANDLE[2] - z * HANDLE[1])
    b = 2.0 * (z * HANDLE[0] - x * HANDLE[2])
    c = 2.0 * (x * HANDLE[1] - y * HANDLE[0])
    return (
        position[0] + HANDLE[0] + w * a + y * c - z * b,
        position[1] + HANDLE[1] + w * b + z * a - x * c,
        position[2] + HANDLE[2] + w * c + x * b - y * a,
    )


def _place(sim, hand, door, angle, target):
    """Puts the door somewhere, opened by an angle, and gives what both rewards want to know."""
    init_tcp = sim.settle_hand(hand)
    sim.move_body("door", door)
    sim.move_site("goal", target)
    sim.place_joint(angle, stop=1)
    handle = _handle(sim.body("door_link"), sim.data.body("door_link").xquat)
    pull = np.hypot(handle[0] - target[0], handle[1] - target[1])
    return {"target": target, "init_tcp": init_tcp, "pull": pull}


def reset_open(sim, rand_vec, before):
    """Puts the door, shut, at `rand_vec`."""
    return _place(sim, OPEN_HAND, rand_vec, 0.0, rand_vec + OPEN_TARGET)


def reset_close(sim, rand_vec, before):
    """Puts the door, wide open, at `rand_vec`."""
    return _place(sim, CLOSE_HAND, rand_vec, WIDE_OPEN, rand_vec + CLOSE_TARGET)


def observe(now, objects):
    """The handle's centre and orientation."""
    objects[0], objects[1], objects[2] = _handle(now.door, now.door_quat)
    w, x, y, z = now.door_quat
    u, a, b, c = HANDLE_QUAT
    quat_in_scipy_order(
        w * u - x * a - y * b - z * c,
        w * a + x * u + y * c - z * b,
        w * b - x * c + y * u + z * a,
        w * c + x * b - y * a + z * u,
        objects[3:7],
    )


def _ready(hand, handle):
    """Hand at the handle (0..1), coming from above: it has to stay over a funnel until it is near."""
    behind = handle[0] - 0.05
    aside = math.sqrt((hand[0] - behind) ** 2 + (hand[1] - handle[1]) ** 2)
    floor = 0.04 * math.log(aside - FUNNEL_RADIUS) + 0.4 if aside > FUNNEL_RADIUS else 0.0
    above = long_tail(floor - hand[2], 0.0, 0.01, floor / 2.0) if hand[2] < floor else 1.0
    away = length(hand[0] - handle[0] - GRIP[0], hand[1] - handle[1] - GRIP[1], hand[2] - handle[2] - GRIP[2])
    return hamacher_product(above, long_tail(away, 0.0, FUNNEL_RADIUS / 2.0, 0.5))


def _opened(angle):
    """How far the door is open (0..1): 0.2 for opening it by 2 degrees, and the rest on the way to 120."""
    trying = 0.2 if angle > math.pi / 90.0 else 0.0
    return trying + 0.8 * long_tail(math.pi * 2.0 / 3.0 - angle, 0.0, 0.5, math.pi / 3.0)


def reward_open(now, obs, action, start, memory, single):
    """Hand at the handle and closing (0..2) and the door open (0..8), and 10 at the goal."""
    hand, handle = obs[0:3], obs[4:7]
    solved = abs(handle[0] - start.target[0]) <= SOLVED_RADIUS
    effort = min(max(action[3], -1.0), 1.0)
    grab = rounded(effort + 1.0, single) / 2.0
    ready = _ready(hand, handle)
    opened = _opened(-2.0 * math.atan2(now.door_quat[3], now.door_quat[0]))
    return Terms(
        reward=10.0 if solved else 2.0 * hamacher_product(ready, grab) + 8.0 * opened,
        success=solved,
        near_object=ready,
        grasp_success=grab >= 0.5,
        grasp_reward=grab,
        in_place_reward=opened,
        obj_to_target=0.0,  # Meta-World gives none
    )


def reward_close(now, obs, action, start, memory, single):
    """Fingers at the goal (0..3) and the handle there (0..6), and 10 when it is."""
    handle, target = obs[4:7], start.target
    error = distance(handle, target)
    door_to_target = length(CLOSE_TARGET[0], CLOSE_TARGET[1], CLOSE_TARGET[2])
    in_place = gaussian(error, 0.0, SHUT_RADIUS, door_to_target)
    hand_margin = distance(CLOSE_HAND, handle) + 0.1
    hand_in_place = gaussian(distance(now.tcp, target), 0.0, 0.25 * SHUT_RADIUS, hand_margin)
    return Terms(
        reward=10.0 if error < SHUT_RADIUS else 3.0 * hand_in_place + 6.0 * in_place,
        success=error <= SOLVED_RADIUS,
        near_object=False,
        grasp_success=True,
        grasp_reward=1.0,
        in_place_reward=hand_in_place,
        obj_to_target=error,
    )


def _swing_v1(now, obs, start):
    """Version 1 of both: come near, then up to 2000 for the way that is done in x and y."""
    handle = obs[4:7]
    error = distance_2d(handle, start.target, 0, 1)
    return pushing_v1(distance(handle, now.tcp), error, start.pull), error


def reward_open_v1(now, obs, action, start, memory, single):
    """Version 1: see `_swing_v1`."""
    reward, _ = _swing_v1(now, obs, start)
    solved = abs(obs[4] - start.target[0]) <= SOLVED_RADIUS
    return Terms(reward, solved, False, False, 0.0, 0.0, 0.0)


def reward_close_v1(now, obs, action, start, memory, single):
    """Version 1: see `_swing_v1`."""
    reward, error = _swing_v1(now, obs, start)
    return Terms(reward, error <= SOLVED_RADIUS, False, True, 1.0, 0.0, error)


MODEL = "sawyer_xyz/sawyer_door_pull.xml"
MOVES = (("body_pos", "door"), ("site_pos", "goal"))
READS = {"door": ("body_xpos", "door_link"), "door_quat": ("body_xquat", "door_link")}
START = {"target": 3, "init_tcp": 3, "pull": 1}

SKILLS = (
    Skill(
        "door-close-v3",
        "SawyerDoorCloseEnvV3",
        "door",
        "push the open door shut",
        (0.0, 0.85, 0.15),
        (0.1, 0.95, 0.15),
        model=MODEL,
        goal_low=(0.2, 0.65, 0.1499),
        goal_high=(0.3, 0.75, 0.1501),
        moves=MOVES,
        reads=READS,
        start=START,
        reset=reset_close,
        observe=observe,
        rewards={"v1": reward_close_v1, "v2": reward_close},
    ),
    Skill(
        "door-open-v3",
        "SawyerDoorEnvV3",
        "door",
        "pull the door open by its handle",
        (0.0, 0.85, 0.15),
        (0.1, 0.95, 0.15),
        model=MODEL,
        goal_low=(-0.3, 0.4, 0.1499),
        goal_high=(-0.2, 0.5, 0.1501),
        moves=MOVES,
        reads=READS,
        start=START,
        reset=reset_open,
        observe=observe,
        rewards={"v1": reward_open_v1, "v2": reward_open},
    ),
)
