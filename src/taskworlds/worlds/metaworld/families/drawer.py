"""Drawer: a cabinet on the table; its handle slides 0.2 m towards the robot, along -y.

drawer-open-v3    pull the handle out; solved within 0.03 m of the open position
drawer-close-v3   push it back in; solved within 0.065 m of the closed position
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import (
    closed_effort,
    distance,
    gaussian,
    hamacher_product_as,
    length,
    long_tail,
    pushing_v1,
    rounded,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = float32(0.0, 0.6, 0.2)  # m, where the hand starts
HANDLE = (0.0, -0.16, 0.0)  # m, from drawer_link to the handle's centre, as drawer-open reports it
HANDLE_TOP = (0.0, -0.16, 0.05)  # m, the same as drawer-close reports it
TARGET_HEIGHT = 0.09  # m, of the goal above the cabinet's frame
OPEN_STROKE = 0.2  # m, how far drawer-open pulls
CLOSE_STROKE = 0.15  # m, how far drawer-close pushes
CLOSED_RADIUS = 0.05  # m
CLOSED_SLACK = 0.015  # m


def reset_open(sim, rand_vec, before):
    """Puts the cabinet, shut, at `rand_vec`."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("drawer", rand_vec)
    target = rand_vec + (0.0, HANDLE[1] - OPEN_STROKE, TARGET_HEIGHT)
    sim.move_site("goal", target)
    return {"target": target, "init_tcp": init_tcp}


def reset_close(sim, rand_vec, before):
    """Puts the cabinet at `rand_vec` and pulls the drawer out."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("drawer", rand_vec)
    target = rand_vec + (0.0, HANDLE_TOP[1], TARGET_HEIGHT)
    sim.place_joint(-CLOSE_STROKE)
    sim.move_site("goal", target)
    return {"target": target, "init_tcp": init_tcp, "obj_init": sim.body("drawer_link") + HANDLE_TOP}


def observe_open(now, objects):
    """The handle's centre and the drawer's orientation."""
    for i in range(3):
        objects[i] = now.drawer[i] + HANDLE[i]
    for i in range(4):
        objects[3 + i] = now.drawer_quat[i]


def observe_close(now, objects):
    """The handle's top; no orientation."""
    for i in range(3):
        objects[i] = now.drawer[i] + HANDLE_TOP[i]


def reward_open(now, obs, action, start, memory, single):
    """Hand to handle (0..1) plus opening (0..1), times 5. Errors in x and y count three times for the hand."""
    hand, handle, target = obs[0:3], obs[4:7], start.target
    error = distance(handle, target)
    opening = long_tail(error, 0.0, 0.02, OPEN_STROKE)
    to_handle = length(3.0 * (handle[0] - hand[0]), 3.0 * (handle[1] - hand[1]), handle[2] - hand[2])
    to_handle_at_start = length(
        3.0 * (target[0] - start.init_tcp[0]),
        3.0 * (target[1] + OPEN_STROKE - start.init_tcp[1]),
        target[2] - start.init_tcp[2],
    )
    caging = long_tail(to_handle, 0.0, 0.01, to_handle_at_start)
    reached = distance(handle, hand)
    return Terms(
        reward=(caging + opening) * 5.0,
        success=error <= 0.03,
        near_object=reached <= 0.03,
        grasp_success=obs[3] > 0.0,
        grasp_reward=caging,
        in_place_reward=opening,
        obj_to_target=error,
    )


def reward_close(now, obs, action, start, memory, single):
    """Fingers at the handle and shut, and the drawer in: their product times 10, and 10 when it is in."""
    handle = obs[4:7]
    error = distance(handle, start.target)
    error_at_start = distance(start.obj_init, start.target)
    in_place = long_tail(error, 0.0, CLOSED_RADIUS, abs(error_at_start - CLOSED_RADIUS))
    reached = distance(handle, now.tcp)
    reached_at_start = distance(start.obj_init, start.init_tcp)
    reach = gaussian(reached, 0.0, 0.005, abs(reached_at_start - 0.005))
    effort, soft = closed_effort(action[3], 1.0, single)
    reach = hamacher_product_as(reach, effort, soft)
    reward = hamacher_product_as(reach, in_place, soft)
    closed = error <= CLOSED_RADIUS + CLOSED_SLACK
    return Terms(
        reward=10.0 if closed else rounded(reward * 10.0, soft),
        success=closed,
        near_object=reached <= 0.01,
        grasp_success=True,
        grasp_reward=reach,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def _pull_v1(now, obs, target, stroke):
    """Version 1 of both: `pushing_v1` along y, and how far there is to go."""
    handle = obs[4:7]
    left = abs(handle[1] - target[1])
    return pushing_v1(distance(handle, now.tcp), left, stroke), left


def reward_open_v1(now, obs, action, start, memory, single):
    """Version 1: see `_pull_v1`."""
    reward, left = _pull_v1(now, obs, start.target, OPEN_STROKE)
    return Terms(reward, left <= 0.03, True, False, 0.0, 0.0, left)


def reward_close_v1(now, obs, action, start, memory, single):
    """Version 1: see `_pull_v1`."""
    reward, left = _pull_v1(now, obs, start.target, CLOSE_STROKE)
    return Terms(reward, left <= CLOSED_RADIUS + CLOSED_SLACK, True, True, 0.0, 0.0, left)


SKILLS = (
    Skill(
        "drawer-close-v3",
        "SawyerDrawerCloseEnvV3",
        "drawer",
        "push the drawer shut",
        (-0.1, 0.9, 0.0),
        (0.1, 0.9, 0.0),
        model="sawyer_xyz/sawyer_drawer.xml",
        moves=(("body_pos", "drawer"), ("site_pos", "goal")),
        reads={"drawer": ("body_xpos", "drawer_link")},
        start={"target": 3, "init_tcp": 3, "obj_init": 3},
        reset=reset_close,
        observe=observe_close,
        rewards={"v1": reward_close_v1, "v2": reward_close},
    ),
    Skill(
        "drawer-open-v3",
        "SawyerDrawerOpenEnvV3",
        "drawer",
        "pull the drawer open",
        (-0.1, 0.9, 0.0),
        (0.1, 0.9, 0.0),
        model="sawyer_xyz/sawyer_drawer.xml",
        moves=(("body_pos", "drawer"), ("site_pos", "goal")),
        reads={"drawer": ("body_xpos", "drawer_link"), "drawer_quat": ("body_xquat", "drawer_link")},
        start={"target": 3, "init_tcp": 3},
        reset=reset_open,
        observe=observe_open,
        rewards={"v1": reward_open_v1, "v2": reward_open},
    ),
)
