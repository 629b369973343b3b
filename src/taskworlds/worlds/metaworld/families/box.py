"""Box: an open box and its lid, which has a handle and lies on the table.

box-close-v3    put the lid on the box; solved when the lid is within 0.08 m of the goal
"""

from __future__ import annotations

import math

from taskworlds.worlds.metaworld.rewards import (
    distance,
    distance_2d,
    hamacher_product,
    length,
    lift_v1,
    long_tail,
    rounded,
    upright,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = float32(0.0, 0.6, 0.2)  # m, where the hand starts
LID_HEIGHT = float32(0.02)[0]  # m, of the lid's body at reset
LID_TO_HANDLE = 0.02  # m, along z, from the lid's link, as it is observed, to where the hand has to be
LYING = (0.707, 0.0, 0.0, 0.707)  # quaternion (w, x, y, z) of a lid that lies flat
TILT = 0.2  # distance of quaternions at which a lid lies so badly that nothing counts
FUNNEL = 0.02  # m, radius of the column above the handle in which the hand may come down
SOLVED_RADIUS = 0.08  # m
LIFT = 0.12  # m, that version 1 wants first


def reset(sim, rand_vec, before):
    """Puts the lid at the first two numbers and the box at x and y of the last three, the goal."""
    init_tcp = sim.settle_hand(HAND)
    obj_init, target = (rand_vec[0], rand_vec[1], LID_HEIGHT), rand_vec[3:]
    sim.move_body("boxbody", (target[0], target[1], sim.body("boxbody")[2]))
    sim.run(5)
    sim.place_object(obj_init)
    sim.move_site("goal", target)
    return {
        "target": target,
        "init_tcp": init_tcp,
        "obj_init": obj_init,
        "handle_height": sim.geom("BoxHandleGeom")[2],
    }


def observe(now, objects):
    """The lid and its orientation."""
    for i in range(3):
        objects[i] = now.lid[i]
    for i in range(4):
        objects[3 + i] = now.lid_quat[i]


def _ready(hand, handle):
    """The hand is at the handle (0..1), and has come from above: not below a funnel around it."""
    radius = distance_2d(hand, handle, 0, 1)
    floor = 0.04 * math.log(radius - FUNNEL) + 0.4 if radius > FUNNEL else 0.0
    above = 1.0 if hand[2] >= floor else long_tail(floor - hand[2], 0.0, 0.01, floor / 2.0)
    return hamacher_product(above, long_tail(distance(hand, handle), 0.0, 0.02, 0.5))


def reward(now, obs, action, start, memory, single):
    """Closing at the handle (0..2) plus the lid's way (0..8), or 10 if solved; times its orientation."""
    lid, target = obs[4:7], start.target
    handle = (lid[0], lid[1], lid[2] + LID_TO_HANDLE)
    closing = rounded(min(max(action[3], -1.0), 1.0) + 1.0, single) / 2.0
    ready = _ready(obs[0:3], handle)
    error = length(target[0] - handle[0], target[1] - handle[1], 3.0 * (target[2] - handle[2]))
    in_place = (0.2 if handle[2] > 0.04 else 0.0) + 0.8 * long_tail(error, 0.0, 0.05, 0.25)
    solved = distance(lid, target) < SOLVED_RADIUS
    total = 10.0 if solved else 2.0 * hamacher_product(closing, ready) + 8.0 * in_place
    return Terms(
        reward=total * upright(obs[7:11], LYING, TILT),
        success=solved,
        near_object=ready,
        grasp_success=closing >= 0.5,
        grasp_reward=closing,
        in_place_reward=in_place,
        obj_to_target=0.0,
    )


def reward_v1(now, obs, action, start, memory, single):
    """Version 1: see `lift_v1`; heights are compared with the handle's."""
    lid, height = obs[4:7], start.handle_height
    total = lift_v1(
        now, lid, start.obj_init, start.init_tcp, start.target, height, LIFT, 0.0, action[3], single
    )
    return Terms(total, distance(lid, start.target) < SOLVED_RADIUS, 0.0, False, 0.0, 0.0, 0.0)


SKILLS = (
    Skill(
        "box-close-v3",
        "SawyerBoxCloseEnvV3",
        "box",
        "put the lid on the box",
        (-0.05, 0.5, 0.02, -0.1, 0.7, 0.133),
        (0.05, 0.55, 0.02, 0.1, 0.8, 0.133),
        min_separation=0.25,
        model="sawyer_xyz/sawyer_box.xml",
        goal_low=(-0.1, 0.7, 0.133),
        goal_high=(0.1, 0.8, 0.133),
        moves=(("body_pos", "boxbody"), ("site_pos", "goal")),
        reads={"lid": ("body_xpos", "top_link"), "lid_quat": ("body_xquat", "top_link")},
        start={"target": 3, "init_tcp": 3, "obj_init": 3, "handle_height": 1},
        reset=reset,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
)
