"""Coffee: a coffee machine with a button, and a mug that stands in front of it or away from it.

coffee-button-v3   press the machine's button 0.03 m in; solved within 0.02 m of that
coffee-pull-v3     pull the mug out of the machine to the goal; solved within 0.07 m of it
coffee-push-v3     push the mug to the goal in the machine; solved within 0.07 m of it
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
    pushing_v1,
    quat_in_scipy_order,
    rounded,
)
from taskworlds.worlds.metaworld.skill import Skill, Terms

HAND = (0.0, 0.4, 0.2)  # m, where the hand starts
FRONT = 0.22  # m, from the machine's centre to its front, along -y
BUTTON_HEIGHT = 0.3  # m, above the table
STROKE = 0.03  # m, how far the button goes in
PRESSED_RADIUS = 0.005  # m
MUG_RADIUS = 0.02  # m, of the mug as the fingers see it
PAD_REACH = 0.05  # m, from a pad to the mug, along y
XZ_REACH = 0.05  # m, from the fingers' centre to the mug, in x and z
GRASP_REACH = 0.04  # m, from the fingers' centre to the mug
GRASP_EFFORT = 0.7  # effort that holds the mug
TARGET_RADIUS = 0.05  # m
SOLVED_RADIUS = 0.07  # m


def _place_mug(sim, position):
    """Puts the mug somewhere, and stops the wrist and the fingers.

    Meta-World means to stop the mug, but in this model the mug's joint comes first, not last.
    """
    sim.data.qpos[0:3] = position
    sim.data.qvel[9:15] = 0.0
    sim.forward()


def reset_button(sim, rand_vec, before):
    """Puts the machine at `rand_vec` and the mug in it."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("coffee_machine", rand_vec)
    _place_mug(sim, rand_vec + (0.0, -FRONT, 0.0))
    target = rand_vec + (0.0, -FRONT + STROKE, BUTTON_HEIGHT)
    travel = abs(sim.site("buttonStart")[1] - target[1])
    return {"target": target, "init_tcp": init_tcp, "travel": travel}


def _reset_mug(sim, mug, target, in_machine):
    """Puts the mug and the goal somewhere, and the machine around one of them."""
    init_tcp = sim.settle_hand(HAND)
    _place_mug(sim, mug)
    sim.move_body("coffee_machine", in_machine + (0.0, FRONT, 0.0))
    sim.move_site("mug_goal", target)
    return {"target": target, "init_tcp": init_tcp, "obj_init": mug}


def reset_pull(sim, rand_vec, before):
    """Puts the mug, in the machine, at the first three numbers and the goal at the last three."""
    return _reset_mug(sim, rand_vec[:3], rand_vec[3:], rand_vec[:3])


def reset_push(sim, rand_vec, before):
    """Puts the mug at the first three numbers and the goal, in the machine, at the last three."""
    return _reset_mug(sim, rand_vec[:3], rand_vec[3:], rand_vec[3:])


def observe_button(now, objects):
    """The button; always upright."""
    for i in range(3):
        objects[i] = now.button[i]
    objects[3] = 1.0


def observe_mug(now, objects):
    """The mug's foot and its orientation."""
    for i in range(3):
        objects[i] = now.mug[i]
    w, x, y, z = now.mug_quat
    quat_in_scipy_order(w, x, y, z, objects[3:7])


def reward_button(now, obs, action, start, memory, single):
    """Fingers at the button and open (0..2), and there how far it is in (0..8)."""
    button = obs[4:7]
    reached = distance(button, now.tcp)
    left = abs(start.target[1] - button[1])
    near = long_tail(reached, 0.0, 0.05, distance(button, start.init_tcp))
    pressed = long_tail(left, 0.0, PRESSED_RADIUS, STROKE)
    reward = 2.0 * hamacher_product(obs[3], near)
    if reached <= 0.05:
        reward += 8.0 * pressed
    return Terms(
        reward=reward,
        success=left <= 0.02,
        near_object=reached <= 0.05,
        grasp_success=obs[3] > 0.0,
        grasp_reward=near,
        in_place_reward=pressed,
        obj_to_target=left,
    )


def reward_mug(now, obs, action, start, memory, single):
    """Grasp times place (0..1), up to 6 more with the mug between the fingers, and 10 at the goal.

    Errors in x and y count twice for the place.
    """
    mug, target = obs[4:7], start.target
    error = _weighted(mug, target)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, _weighted(start.obj_init, target))
    grasped, soft = caging_reward(
        now,
        mug,
        start.obj_init,
        start.init_tcp,
        action[3],
        single,
        MUG_RADIUS,
        PAD_REACH,
        GRASP_REACH,
        XZ_REACH,
        GRASP_EFFORT,
        1,
    )
    reached = distance(mug, now.tcp)
    reward = hamacher_product_as(grasped, in_place, soft)
    if reached < GRASP_REACH and obs[3] > 0.0:
        reward = rounded(reward + rounded(1.0 + 5.0 * in_place, soft), soft)
    if error < TARGET_RADIUS:
        reward = 10.0
    distance_left = distance(mug, target)
    return Terms(
        reward=reward,
        success=distance_left <= SOLVED_RADIUS,
        near_object=reached <= 0.03,
        grasp_success=False,  # Meta-World asks for contact with the mug's visual geom, which has none
        grasp_reward=grasped,
        in_place_reward=in_place,
        obj_to_target=distance_left,
    )


def _weighted(a, b):
    """Returns the distance between two points, x and y counted twice."""
    return length(2.0 * (a[0] - b[0]), 2.0 * (a[1] - b[1]), a[2] - b[2])


def reward_button_v1(now, obs, action, start, memory, single):
    """Version 1: come near with the left finger, then up to 2000 for the way that is done."""
    button = obs[4:7]
    left = abs(button[1] - start.target[1])
    reward = pushing_v1(distance(button, now.left_finger), left, start.travel)
    return Terms(reward, left <= 0.02, True, False, 0.0, 0.0, left)


def _way(obs, start):
    """Returns the mug's distance from the goal on the table, and the same at reset."""
    return distance_2d(obs[4:7], start.target, 0, 1), distance_2d(start.obj_init, start.target, 0, 1)


def _mug_terms_v1(reward, obs, start):
    error = distance(obs[4:7], start.target)
    return Terms(reward, error <= SOLVED_RADIUS, True, False, 0.0, 0.0, error)


def reward_pull_v1(now, obs, action, start, memory, single):
    """Version 1: up to 2000 for the way that the mug is pulled.

    The first part is not how near the fingers are: Meta-World takes how far the mug, at the height that the
    fingers started at, is from the world's origin, which is 0.5 m and more.
    """
    mug = obs[4:7]
    reward = -length(mug[0], mug[1], start.init_tcp[2])
    if distance(mug, now.tcp) < 0.05:
        error, error_at_start = _way(obs, start)
        reward += approach_v1(error, error_at_start)
    return _mug_terms_v1(reward, obs, start)


def reward_push_v1(now, obs, action, start, memory, single):
    """Version 1: come near, then up to 2000 for the way that the mug is pushed."""
    error, error_at_start = _way(obs, start)
    return _mug_terms_v1(pushing_v1(distance(obs[4:7], now.tcp), error, error_at_start), obs, start)


MUG_READS = {"mug": ("body_xpos", "obj"), "mug_quat": ("body_xquat", "mug")}

SKILLS = (
    Skill(
        "coffee-button-v3",
        "SawyerCoffeeButtonEnvV3",
        "coffee",
        "press the button of the coffee machine",
        (-0.1, 0.8, -0.001),
        (0.1, 0.9, 0.001),
        model="sawyer_xyz/sawyer_coffee.xml",
        goal_low=(-0.101, 0.8 + (STROKE - FRONT), 0.298),
        goal_high=(0.101, 0.9 + (STROKE - FRONT), 0.302),
        moves=(("body_pos", "coffee_machine"),),
        reads={"button": ("site_xpos", "buttonStart")},
        start={"target": 3, "init_tcp": 3, "travel": 1},
        reset=reset_button,
        observe=observe_button,
        rewards={"v1": reward_button_v1, "v2": reward_button},
    ),
    Skill(
        "coffee-pull-v3",
        "SawyerCoffeePullEnvV3",
        "coffee",
        "pull the mug away from the coffee machine",
        (-0.05, 0.7, -0.001, -0.1, 0.55, -0.001),
        (0.05, 0.75, 0.001, 0.1, 0.65, 0.001),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_coffee.xml",
        goal_low=(-0.1, 0.55, -0.001),
        goal_high=(0.1, 0.65, 0.001),
        moves=(("body_pos", "coffee_machine"), ("site_pos", "mug_goal")),
        reads=MUG_READS,
        start={"target": 3, "init_tcp": 3, "obj_init": 3},
        reset=reset_pull,
        observe=observe_mug,
        rewards={"v1": reward_pull_v1, "v2": reward_mug},
    ),
    Skill(
        "coffee-push-v3",
        "SawyerCoffeePushEnvV3",
        "coffee",
        "push the mug under the coffee machine",
        (-0.1, 0.55, -0.001, -0.05, 0.7, -0.001),
        (0.1, 0.65, 0.001, 0.05, 0.75, 0.001),
        min_separation=0.15,
        model="sawyer_xyz/sawyer_coffee.xml",
        goal_low=(-0.05, 0.7, -0.001),
        goal_high=(0.05, 0.75, 0.001),
        moves=(("body_pos", "coffee_machine"), ("site_pos", "mug_goal")),
        reads=MUG_READS,
        start={"target": 3, "init_tcp": 3, "obj_init": 3},
        reset=reset_push,
        observe=observe_mug,
        rewards={"v1": reward_push_v1, "v2": reward_mug},
    ),
)
