"""Handle: a box with a handle that slides up and down, in front of the robot or, turned, at its left.

handle-press-v3        press it down; solved within 0.02 m of the goal's height
handle-press-side-v3   the same at the side
handle-pull-v3         pull it up from below; solved within 0.05 m of the goal's height
handle-pull-side-v3    the same at the side; solved within 0.08 m of the goal
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import (
    caging_reward,
    distance,
    hamacher_product,
    hamacher_product_as,
    long_tail,
    pushing_v1,
    rounded,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms

HAND = (0.0, 0.6, 0.2)  # m, where the hand starts
UP, DOWN = -0.001, -0.1  # m, of the handle's joint
HANDLE_RADIUS = 0.02  # m, that counts as reached for a press
PRESS_RADIUS = 0.02  # m
PULL_RADIUS = 0.05  # m
PULL_SIDE_SOLVED = 0.08  # m
GRIP, SIDE_GRIP = (0.022, 0.05), (0.032, 0.06)  # m, least and largest distance of a pad that pulls, along y
GRASP_REACH = 0.01  # m, from the fingers' centre to the handle, in x and z
LIFT_REACH = 0.035  # m, from the fingers' centre to the handle while it goes up


def _place(sim, rand_vec, joint):
    """Puts the box at `rand_vec` and the handle up or down."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("box", rand_vec)
    sim.place_joint(joint, stop=1)
    return init_tcp


def reset_press(sim, rand_vec, before):
    """Puts the box at `rand_vec`, the handle up."""
    init_tcp = _place(sim, rand_vec, UP)
    return {"target": sim.site("goalPress"), "init_tcp": init_tcp, "obj_init": sim.site("handleStart")}


def reset_pull(sim, rand_vec, before):
    """Puts the box at `rand_vec`, the handle down.

    Meta-World takes the box's position for the handle's, and the handle's height within its link for the way.
    """
    init_tcp = _place(sim, rand_vec, DOWN)
    target = sim.site("goalPull")
    travel = abs(sim.site_in_model("handleStart")[2] - target[2])
    return {"target": target, "init_tcp": init_tcp, "obj_init": rand_vec, "travel": travel}


def reset_pull_side(sim, rand_vec, before):
    """Puts the box at `rand_vec`, the handle down."""
    init_tcp = _place(sim, rand_vec, DOWN)
    target = sim.site("goalPull")
    travel = abs(sim.site("handleStart")[2] - target[2])
    return {"target": target, "init_tcp": init_tcp, "obj_init": sim.site("handleCenter"), "travel": travel}


def observe(now, objects):
    """The point of the handle that the skill is about; no orientation."""
    for i in range(3):
        objects[i] = now.handle[i]


def reward_press(now, obs, action, start, memory, single):
    """Fingers at the handle times the handle down (0..1), times 10, and 10 when it is down."""
    handle = obs[4:7]
    error = abs(handle[2] - start.target[2])
    error_at_start = abs(start.obj_init[2] - start.target[2])
    in_place = long_tail(error, 0.0, PRESS_RADIUS, abs(error_at_start - PRESS_RADIUS))
    reached = distance(handle, now.tcp)
    reached_at_start = distance(start.obj_init, start.init_tcp)
    reach = long_tail(reached, 0.0, HANDLE_RADIUS, abs(reached_at_start - HANDLE_RADIUS))
    return Terms(
        reward=10.0 if error <= PRESS_RADIUS else 10.0 * hamacher_product(reach, in_place),
        success=error <= PRESS_RADIUS,
        near_object=reached <= 0.05,
        grasp_success=True,
        grasp_reward=reach,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def _pull(now, obs, action, start, single, error, error_at_start, grip, lifted, solved):
    """Grasp times place (0..1), up to 6 more while the fingers lift the handle, and 10 at the goal."""
    handle, opening = obs[4:7], obs[3]
    in_place = long_tail(error, 0.0, PULL_RADIUS, error_at_start)
    grasped, soft = caging_reward(
        now,
        handle,
        start.obj_init,
        start.init_tcp,
        action[3],
        single,
        grip[0],
        grip[1],
        GRASP_REACH,
        GRASP_REACH,
        1.0,
        2,
    )
    reached = distance(handle, now.tcp)
    reward = hamacher_product_as(grasped, in_place, soft)
    if reached < LIFT_REACH and opening > 0.0 and lifted:
        reward = rounded(reward + rounded(1.0 + 5.0 * in_place, soft), soft)
    if error < PULL_RADIUS:
        reward = 10.0
    return Terms(
        reward=reward,
        success=error <= solved,
        near_object=reached <= 0.05,
        grasp_success=opening > 0.0 and handle[2] - 0.03 > start.obj_init[2],
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_pull(now, obs, action, start, memory, single):
    """See `_pull`. Only the height counts for the place."""
    handle, target = obs[4:7], start.target
    error = abs(target[2] - handle[2])
    error_at_start = abs(target[2] - start.obj_init[2])
    # Meta-World compares y with a height here, so this holds as long as the handle is in front of the robot.
    lifted = handle[1] - 0.01 > start.obj_init[2]
    return _pull(now, obs, action, start, single, error, error_at_start, GRIP, lifted, PULL_RADIUS)


def reward_pull_side(now, obs, action, start, memory, single):
    """See `_pull`."""
    handle, target = obs[4:7], start.target
    error = distance(handle, target)
    error_at_start = distance(start.obj_init, target)
    lifted = handle[2] - 0.01 > start.obj_init[2]
    return _pull(now, obs, action, start, single, error, error_at_start, SIDE_GRIP, lifted, PULL_SIDE_SOLVED)


def _slide_v1(now, obs, start, travel, solved, grasp):
    """Version 1 of all four: come near with the left finger, then up to 2000 for the way that is done."""
    handle = obs[4:7]
    left = abs(handle[2] - start.target[2])
    reward = pushing_v1(distance(handle, now.left_finger), left, travel)
    return Terms(reward, left <= solved, True, grasp, 0.0, 0.0, left)


def reward_press_v1(now, obs, action, start, memory, single):
    """Version 1: see `_slide_v1`."""
    return _slide_v1(now, obs, start, abs(start.obj_init[2] - start.target[2]), PRESS_RADIUS, True)


def reward_pull_v1(now, obs, action, start, memory, single):
    """Version 1: see `_slide_v1`."""
    return _slide_v1(now, obs, start, start.travel, PULL_RADIUS, False)


def reward_pull_side_v1(now, obs, action, start, memory, single):
    """Version 1: see `_slide_v1`."""
    return _slide_v1(now, obs, start, start.travel, PULL_SIDE_SOLVED, False)


FRONT_MODEL = "sawyer_xyz/sawyer_handle_press.xml"
SIDE_MODEL = "sawyer_xyz/sawyer_handle_press_sideways.xml"
MOVES = (("body_pos", "box"),)
PRESS_START = {"target": 3, "init_tcp": 3, "obj_init": 3}
PULL_START = {"target": 3, "init_tcp": 3, "obj_init": 3, "travel": 1}

SKILLS = (
    Skill(
        "handle-press-side-v3",
        "SawyerHandlePressSideEnvV3",
        "handle",
        "press down the handle at the side",
        (-0.35, 0.65, -0.001),
        (-0.25, 0.75, 0.001),
        model=SIDE_MODEL,
        moves=MOVES,
        reads={"handle": ("site_xpos", "handleStart")},
        start=PRESS_START,
        reset=reset_press,
        observe=observe,
        rewards={"v1": reward_press_v1, "v2": reward_press},
    ),
    Skill(
        "handle-press-v3",
        "SawyerHandlePressEnvV3",
        "handle",
        "press down the handle in front",
        (-0.1, 0.8, -0.001),
        (0.1, 0.9, 0.001),
        model=FRONT_MODEL,
        goal_low=(-0.1, 0.55, 0.04),
        goal_high=(0.1, 0.70, 0.08),
        moves=MOVES,
        reads={"handle": ("site_xpos", "handleStart")},
        start=PRESS_START,
        reset=reset_press,
        observe=observe,
        rewards={"v1": reward_press_v1, "v2": reward_press},
    ),
    Skill(
        "handle-pull-side-v3",
        "SawyerHandlePullSideEnvV3",
        "handle",
        "pull up the handle at the side",
        (-0.35, 0.65, 0.0),
        (-0.25, 0.75, 0.0),
        model=SIDE_MODEL,
        moves=MOVES,
        reads={"handle": ("site_xpos", "handleCenter")},
        start=PULL_START,
        reset=reset_pull_side,
        observe=observe,
        rewards={"v1": reward_pull_side_v1, "v2": reward_pull_side},
    ),
    Skill(
        "handle-pull-v3",
        "SawyerHandlePullEnvV3",
        "handle",
        "pull up the handle in front",
        (-0.1, 0.8, -0.001),
        (0.1, 0.9, 0.001),
        model=FRONT_MODEL,
        goal_low=(-0.1, 0.55, 0.04),
        goal_high=(0.1, 0.70, 0.18),
        moves=MOVES,
        reads={"handle": ("site_xpos", "handleRight")},
        start=PULL_START,
        reset=reset_pull,
        observe=observe,
        rewards={"v1": reward_pull_v1, "v2": reward_pull},
    ),
)
