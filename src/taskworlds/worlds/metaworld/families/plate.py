"""Plate: a square plate that slides on the table, and a cabinet, open in front, that it fits into.

plate-slide-v3              slide it forward into the cabinet
plate-slide-side-v3         slide it sideways, to the left, into the cabinet
plate-slide-back-v3         slide it back out of the cabinet
plate-slide-back-side-v3    slide it sideways, to the right, out of the cabinet

All are solved within 0.07 m of the goal. `rand_vec` is where the plate is taken to start, and the goal.
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import (
    distance,
    distance_2d,
    hamacher_product,
    long_tail,
    pushing_v1,
    quat_from_matrix,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = float32(0.0, 0.6, 0.2)  # m, where the hand starts
MIDDLE = (0.0, 0.0)  # m, the plate's two slides in the middle of the table
FORWARD = (0.0, 0.15)  # m, the slides of the plate that starts in the cabinet in front
LEFT = (-0.15, 0.0)  # m, the slides of the plate that starts in the cabinet at the left
RADIUS = 0.05  # m, around goal and plate, where being nearer counts no more
SOLVED_RADIUS = 0.07  # m
LOW = 0.03  # m, height of the fingers that can push the plate
PUSH_RADIUS = 0.07  # m, from the fingers to the plate that they push


def _reset(sim, rand_vec, slides, cabinet):
    """Puts the plate, by its slides, and the cabinet, which stays where it is if that is None."""
    init_tcp = sim.settle_hand(HAND)
    obj_init, target = rand_vec[:3], rand_vec[3:]
    if cabinet is not None:
        sim.move_body("puck_goal", cabinet)
    sim.place_joints(slides)
    sim.move_site("goal", target)
    return {
        "target": target,
        "init_tcp": init_tcp,
        "obj_init": obj_init,
        "way": distance_2d(obj_init, target, 0, 1),
    }


def reset_forward(sim, rand_vec, before):
    """Puts the cabinet at the goal."""
    return _reset(sim, rand_vec, MIDDLE, rand_vec[3:])


def reset_side(sim, rand_vec, before):
    """Leaves the cabinet at the left; only the goal moves."""
    return _reset(sim, rand_vec, MIDDLE, None)


def reset_back(sim, rand_vec, before):
    """Leaves the cabinet in front; only the goal moves."""
    start = _reset(sim, rand_vec, FORWARD, None)
    return start | {"way": distance_2d(sim.geom("puck"), start["target"], 0, 1)}


def reset_back_side(sim, rand_vec, before):
    """Puts the cabinet where the plate is taken to start."""
    start = _reset(sim, rand_vec, LEFT, rand_vec[:3])
    return start | {"way": distance_2d(sim.geom("puck"), start["target"], 0, 1)}


def observe(now, objects):
    """The plate's centre and orientation."""
    for i in range(3):
        objects[i] = now.plate[i]
    quat_from_matrix(now.plate_matrix, objects[3:7])


def _judge(now, obs, start, slack):
    """Distances from the plate to goal and fingers, and how good each is, 0..1.

    The distances at reset, less `slack` metres, are worth 0.1.
    """
    plate = obs[4:7]
    error = distance(plate, start.target)
    reached = distance(now.tcp, plate)
    in_place = long_tail(error, 0.0, RADIUS, distance(start.obj_init, start.target) - slack)
    near = long_tail(reached, 0.0, RADIUS, distance(start.init_tcp, start.obj_init) - slack)
    return error, reached, in_place, near


def _terms(reward, error, reached, in_place, near):
    return Terms(
        reward=10.0 if error < RADIUS else reward,
        success=error <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=False,
        grasp_reward=near,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_forward(now, obs, action, start, memory, single):
    """Fingers at the plate times plate in the cabinet, times 8; 10 at the goal."""
    error, reached, in_place, near = _judge(now, obs, start, 0.0)
    return _terms(8.0 * hamacher_product(near, in_place), error, reached, in_place, near)


def reward(now, obs, action, start, memory, single):
    """The other three: up to 1.5 for nearness; low and at the plate 2 to 9 for its way; 10 at the goal."""
    error, reached, in_place, near = _judge(now, obs, start, RADIUS)
    pushing = now.tcp[2] <= LOW and reached < PUSH_RADIUS
    total = 2.0 + 7.0 * in_place if pushing else 1.5 * near
    return _terms(total, error, reached, in_place, near)


def reward_v1(now, obs, action, start, memory, single):
    """Version 1 of all four: see `pushing_v1`; the way is measured in x and y."""
    plate = obs[4:7]
    error = distance_2d(plate, start.target, 0, 1)
    total = pushing_v1(distance(plate, now.tcp), error, start.way)
    return Terms(total, error <= SOLVED_RADIUS, True, False, 0.0, 0.0, error)


READS = {"plate": ("geom_xpos", "puck"), "plate_matrix": ("geom_xmat", "puck")}
START = {"target": 3, "init_tcp": 3, "obj_init": 3, "way": 1}

SKILLS = (
    Skill(
        "plate-slide-v3",
        "SawyerPlateSlideEnvV3",
        "plate",
        "slide the plate forward into the cabinet",
        (0.0, 0.6, 0.0, -0.1, 0.85, 0.0),
        (0.0, 0.6, 0.0, 0.1, 0.9, 0.0),
        model="sawyer_xyz/sawyer_plate_slide.xml",
        goal_low=(-0.1, 0.85, 0.0),
        goal_high=(0.1, 0.9, 0.0),
        moves=(("body_pos", "puck_goal"), ("site_pos", "goal")),
        reads=READS,
        start=START,
        reset=reset_forward,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward_forward},
    ),
    Skill(
        "plate-slide-side-v3",
        "SawyerPlateSlideSideEnvV3",
        "plate",
        "slide the plate sideways into the cabinet",
        (0.0, 0.6, 0.0, -0.3, 0.54, 0.0),
        (0.0, 0.6, 0.0, -0.25, 0.66, 0.0),
        model="sawyer_xyz/sawyer_plate_slide_sideway.xml",
        goal_low=(-0.3, 0.54, 0.0),
        goal_high=(-0.25, 0.66, 0.0),
        moves=(("site_pos", "goal"),),
        reads=READS,
        start=START,
        reset=reset_side,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
    Skill(
        "plate-slide-back-v3",
        "SawyerPlateSlideBackEnvV3",
        "plate",
        "slide the plate back out of the cabinet",
        (0.0, 0.85, 0.0, -0.1, 0.6, 0.015),
        (0.0, 0.85, 0.0, 0.1, 0.6, 0.015),
        model="sawyer_xyz/sawyer_plate_slide.xml",
        goal_low=(-0.1, 0.6, 0.015),
        goal_high=(0.1, 0.6, 0.015),
        moves=(("site_pos", "goal"),),
        reads=READS,
        start=START,
        reset=reset_back,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
    Skill(
        "plate-slide-back-side-v3",
        "SawyerPlateSlideBackSideEnvV3",
        "plate",
        "slide the plate sideways out of the cabinet",
        (-0.25, 0.6, 0.0, -0.05, 0.6, 0.015),
        (-0.25, 0.6, 0.0, 0.15, 0.6, 0.015),
        model="sawyer_xyz/sawyer_plate_slide_sideway.xml",
        goal_low=(-0.05, 0.6, 0.015),
        goal_high=(0.15, 0.6, 0.015),
        moves=(("body_pos", "puck_goal"), ("site_pos", "goal")),
        reads=READS,
        start=START,
        reset=reset_back_side,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward},
    ),
)
