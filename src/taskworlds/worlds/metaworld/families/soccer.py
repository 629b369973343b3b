"""Soccer: a ball, rolled into a soccer goal that stands on the table.

soccer-v3    solved within 0.07 m of the goal's centre
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import (
    distance,
    distance_2d,
    grip_beside,
    held,
    length,
    long_tail,
    pushing_v1,
    quat_from_matrix,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms

HAND = (0.0, 0.6, 0.2)  # m, where the hand starts
BALL_HEIGHT = 0.03  # m
RADIUS = 0.013  # m, of the ball as the fingers see it
SLACK = 0.01  # m, how much farther a pad grips it
PAD_REACH = 0.05  # m, from a pad to the ball, along y
XZ_REACH = 0.005  # m, from the fingers' centre to the ball, in x and z
TARGET_RADIUS = 0.07  # m
ERROR_X = 3.0  # how many times an error in x counts
GOAL_DEPTH = 0.1  # m, from the goal's mouth to its centre, along y
GOAL_HALF_WIDTH = 0.1  # m


def reset(sim, rand_vec, before):
    """Puts the ball at the first two numbers and the soccer goal at the last three."""
    init_tcp = sim.settle_hand(HAND)
    obj_init, target = (*rand_vec[:2], BALL_HEIGHT), rand_vec[3:]
    sim.move_body("goal_whole", target)
    sim.place_object(obj_init)
    sim.move_site("goal", target)
    return {"target": target, "init_tcp": init_tcp, "obj_init": obj_init}


def observe(now, objects):
    """The ball's centre and orientation."""
    for i in range(3):
        objects[i] = now.ball[i]
    quat_from_matrix(now.ball_matrix, objects[3:7])


def reward(now, obs, action, start, memory, single):
    """Three times the grip plus 6.5 times the place (0..9.5), and 10 in the goal; less for a ball beside it.

    Meta-World measures the place against the way that the ball has come, not the way it had to go.
    """
    ball, opening, target = obs[4:7], obs[3], start.target
    beside = ball[0] - target[0]
    error = length(ERROR_X * beside, ball[1] - target[1], ball[2] - target[2])
    rolled = length(
        ERROR_X * (ball[0] - start.obj_init[0]), ball[1] - start.obj_init[1], ball[2] - start.obj_init[2]
    )
    reached = distance(ball, now.tcp)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, rolled)
    goal_line = target[1] - GOAL_DEPTH
    if ball[1] > goal_line and abs(beside) > GOAL_HALF_WIDTH:
        too_far = (ball[1] - goal_line) / (1.0 - goal_line)
        in_place = min(max(in_place - 2.0 * too_far, 0.0), 1.0)
    gripped = grip_beside(now, ball, start.obj_init, start.init_tcp, RADIUS, SLACK, PAD_REACH, XZ_REACH)
    true_error = distance(ball, target)
    return Terms(
        reward=10.0 if error < TARGET_RADIUS else 3.0 * gripped + 6.5 * in_place,
        success=true_error <= TARGET_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=held(now, ball, start.obj_init, opening),
        grasp_reward=gripped,
        in_place_reward=in_place,
        obj_to_target=true_error,
    )


def reward_v1(now, obs, action, start, memory, single):
    """Version 1: see `rewards.pushing_v1`. Only errors in x and y count."""
    ball = obs[4:7]
    error = distance_2d(ball, start.target, 0, 1)
    reward = pushing_v1(distance(ball, now.tcp), error, distance_2d(start.obj_init, start.target, 0, 1))
    return Terms(reward, error <= TARGET_RADIUS, True, False, 0.0, 0.0, error)


SKILLS = (
    Skill(
        "soccer-v3",
        "SawyerSoccerEnvV3",
        "soccer",
        "push the ball into the soccer goal",
        (-0.1, 0.6, 0.03, -0.1, 0.8, 0.0),
        (0.1, 0.7, 0.03, 0.1, 0.9, 0.0),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_soccer.xml",
        goal_low=(-0.1, 0.8, 0.0),
        goal_high=(0.1, 0.9, 0.0),
        moves=(("body_pos", "goal_whole"), ("site_pos", "goal")),
        reads={
            "ball": ("body_xpos", "soccer_ball"),
            "ball_matrix": ("geom_xmat", "objGeom"),
            "left_touch": ("touch", "leftpad_geom", "objGeom"),
            "right_touch": ("touch", "rightpad_geom", "objGeom"),
        },
        start={"target": 3, "init_tcp": 3, "obj_init": 3},
        reset=reset,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
)
