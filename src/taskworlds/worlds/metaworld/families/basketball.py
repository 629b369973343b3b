"""Basketball: a ball, to be dropped through a hoop.

basketball-v3    solved within 0.08 m of the point 0.05 m above the hoop; errors in z count twice
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import (
    caging_reward,
    distance,
    hamacher_product_as,
    length,
    lift_v1,
    long_tail,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = float32(0.0, 0.6, 0.2)  # m, where the hand starts
BALL_HEIGHT = float32(0.03)[0]  # m
RADIUS = 0.025  # m, of the ball as the fingers see it
PAD_REACH = 0.06  # m, from a pad to the ball, along y
TCP_REACH = 0.01  # m, from the fingers' centre to the ball
XZ_REACH = 0.005  # m, the same in x and z
TARGET_RADIUS = 0.08  # m
TARGET_HEIGHT = 0.3  # m, of the point above the hoop
ERROR_Z = 2.0  # how many times an error in z counts
LIFT = 0.3  # m, that version 1 wants first


def reset(sim, rand_vec, before):
    """Puts the ball at the first two numbers and the hoop's post at the last three.

    Meta-World writes the hoop's position also into the model's site "goal". MuJoCo never looks at it: the
    site lies in the origin of its body, and so takes the body's position.
    """
    init_tcp = sim.settle_hand(HAND)
    obj_init = (*rand_vec[:2], BALL_HEIGHT)
    sim.move_body("basket_goal", rand_vec[3:])
    sim.place_object(obj_init)
    return {
        "target": sim.site("goal"),
        "init_tcp": init_tcp,
        "obj_init": obj_init,
        "height": sim.geom("objGeom")[2],
    }


def observe(now, objects):
    """The ball's centre and orientation (w, x, y, z)."""
    for i in range(3):
        objects[i] = now.ball[i]
    for i in range(4):
        objects[3 + i] = now.ball_quat[i]


def _error(ball, hoop):
    """The ball's distance from the point above the hoop."""
    return length(ball[0] - hoop[0], ball[1] - hoop[1], ERROR_Z * (ball[2] - TARGET_HEIGHT))


def reward(now, obs, action, start, memory, single):
    """Grasp times place (0..1), up to 6 more once the ball is up, and 10 above the hoop."""
    ball, opening = obs[4:7], obs[3]
    error = _error(ball, now.goal)
    reached = distance(ball, now.tcp)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, _error(start.obj_init, now.goal))
    grasped, soft = caging_reward(
        now, ball, start.obj_init, start.init_tcp, action[3], single,
        RADIUS, PAD_REACH, TCP_REACH, XZ_REACH, 1.0, 2,
    )  # fmt: skip
    up = reached < 0.035 and opening > 0.0 and ball[2] - 0.01 > start.obj_init[2]
    if up:
        grasped, soft = 1.0, False
    total = hamacher_product_as(grasped, in_place, soft)
    if up:
        total += 1.0 + 5.0 * in_place
    if error < TARGET_RADIUS:
        total = 10.0
    return Terms(
        reward=total,
        success=error <= TARGET_RADIUS,
        near_object=reached <= 0.05,
        grasp_success=opening > 0.0 and ball[2] - 0.03 > start.obj_init[2],
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_v1(now, obs, action, start, memory, single):
    """Version 1: see `rewards.lift_v1`. The goal is the hoop itself."""
    ball = obs[4:7]
    error = distance(ball, now.goal)
    reward = lift_v1(
        now, ball, start.obj_init, start.init_tcp, now.goal, start.height, LIFT, 0.0, action[3], single
    )
    return Terms(reward, error <= TARGET_RADIUS, True, False, 0.0, 0.0, error)


SKILLS = (
    Skill(
        "basketball-v3",
        "SawyerBasketballEnvV3",
        "basketball",
        "drop the ball through the hoop",
        (-0.1, 0.6, 0.0299, -0.1, 0.85, 0.0),
        (0.1, 0.7, 0.0301, 0.1, 0.9 + 1e-7, 0.0),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_basketball.xml",
        goal_low=(-0.1, 0.85 - 0.083, 0.2499),
        goal_high=(0.1, 0.9 + 1e-7 - 0.083, 0.2501),
        moves=(("body_pos", "basket_goal"),),
        reads={
            "ball": ("body_xpos", "bsktball"),
            "ball_quat": ("body_xquat", "bsktball"),
            "goal": ("site_xpos", "goal"),
        },
        start={"target": 3, "init_tcp": 3, "obj_init": 3, "height": 1},
        live_goal="goal",
        reset=reset,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
)
