"""Button: a box with a mushroom button that its spring holds out; the goal, the hole, is 0.0935 m further in.

button-press-topdown-v3        press it from above; solved within 0.024 m of the hole
button-press-topdown-wall-v3   the same, past a wall
button-press-v3                press it from the front; solved within 0.02 m
button-press-wall-v3           the same, past a wall; solved within 0.03 m
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import distance, hamacher_product, long_tail, pushing_v1
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = float32(0.0, 0.4, 0.2)  # m, where the hand starts
CAP = 0.193  # m, from the button's body to its face
PRESSED_RADIUS = 0.005  # m
ABOVE, FRONT = 2, 1  # the axis that the button moves along: z or y
TOPDOWN_SOLVED, FRONT_SOLVED, WALL_SOLVED = 0.024, 0.02, 0.03  # m


def _start(sim, axis):
    """Returns what the rewards want to know, once the box is in place."""
    target = sim.site("hole")
    return {"target": target, "travel": abs(target[axis] - sim.site("buttonStart")[axis])}


def reset_topdown(sim, rand_vec, before):
    """Puts the box, button up, at `rand_vec`."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("box", rand_vec)
    sim.forward()
    return {"init_tcp": init_tcp, **_start(sim, ABOVE)}


def reset_front(sim, rand_vec, before):
    """Puts the box, button towards the robot, at `rand_vec`, and pulls the button out."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("box", rand_vec)
    sim.place_joint(0.0, stop=1)
    return {"init_tcp": init_tcp, **_start(sim, FRONT)}


def observe_topdown(now, objects):
    """The button's face, on top, and its orientation."""
    objects[0], objects[1], objects[2] = now.button[0], now.button[1], now.button[2] + CAP
    for i in range(4):
        objects[3 + i] = now.button_quat[i]


def observe_front(now, objects):
    """The button's face, in front, and its orientation."""
    objects[0], objects[1], objects[2] = now.button[0], now.button[1] - CAP, now.button[2]
    for i in range(4):
        objects[3 + i] = now.button_quat[i]


def _parts(now, obs, start, axis, radius):
    """Returns the fingers' distance from the button, the way left, and the reward for each, 0 to 1."""
    face = obs[4:7]
    reached = distance(face, now.tcp)
    left = abs(start.target[axis] - face[axis])
    near = long_tail(reached, 0.0, radius, distance(face, start.init_tcp))
    pressed = long_tail(left, 0.0, PRESSED_RADIUS, start.travel)
    return reached, left, near, pressed


def _terms(reward, obs, reached, left, near, pressed, solved):
    return Terms(
        reward=reward,
        success=left <= solved,
        near_object=reached <= 0.05,
        grasp_success=obs[3] > 0.0,
        grasp_reward=near,
        in_place_reward=pressed,
        obj_to_target=left,
    )


def reward_topdown(now, obs, action, start, memory, single):
    """Fingers at the button and shut (0..5), and there how far it is in (0..5)."""
    reached, left, near, pressed = _parts(now, obs, start, ABOVE, 0.01)
    reward = 5.0 * hamacher_product(1.0 - obs[3], near)
    if reached <= 0.03:
        reward += 5.0 * pressed
    return _terms(reward, obs, reached, left, near, pressed, TOPDOWN_SOLVED)


def reward_topdown_wall(now, obs, action, start, memory, single):
    """Fingers at the button and open (0..5), and there how far it is in (0..5)."""
    reached, left, near, pressed = _parts(now, obs, start, ABOVE, 0.01)
    reward = 5.0 * hamacher_product(obs[3], near)
    if reached <= 0.03:
        reward += 5.0 * pressed
    return _terms(reward, obs, reached, left, near, pressed, TOPDOWN_SOLVED)


def reward_front(now, obs, action, start, memory, single):
    """Fingers at the button and open (0..2), and there how far it is in (0..8)."""
    reached, left, near, pressed = _parts(now, obs, start, FRONT, 0.05)
    reward = 2.0 * hamacher_product(obs[3], near)
    if reached <= 0.05:
        reward += 8.0 * pressed
    return _terms(reward, obs, reached, left, near, pressed, FRONT_SOLVED)


def reward_front_wall(now, obs, action, start, memory, single):
    """Come near with shut fingers (0..2); there 2, open fingers (2..4), and how far in, squared (0..4)."""
    reached, left, near, pressed = _parts(now, obs, start, FRONT, 0.01)
    if reached > 0.07:
        reward = 2.0 * hamacher_product((1.0 - obs[3]) / 2.0, near)
    else:
        reward = 2.0 + 2.0 * (1.0 + obs[3]) + 4.0 * pressed**2
    return _terms(reward, obs, reached, left, near, pressed, WALL_SOLVED)


def _press_v1(obs, start, fingers, axis, travel, solved):
    """Version 1 of all four: come near, then up to 2000 for the way that is done."""
    face = obs[4:7]
    left = abs(face[axis] - start.target[axis])
    reward = pushing_v1(distance(face, fingers), left, travel)
    return Terms(reward, left <= solved, True, False, 0.0, 0.0, left)


def reward_topdown_v1(now, obs, action, start, memory, single):
    """Version 1: see `_press_v1`."""
    return _press_v1(obs, start, now.tcp, ABOVE, start.travel, TOPDOWN_SOLVED)


def reward_front_v1(now, obs, action, start, memory, single):
    """Version 1: see `_press_v1`. Only the left finger counts."""
    return _press_v1(obs, start, now.left_finger, FRONT, start.travel, FRONT_SOLVED)


def reward_front_wall_v1(now, obs, action, start, memory, single):
    """Version 1: see `_press_v1`. Only the left finger counts.

    Meta-World takes the way to be done along z, where there is none.
    """
    return _press_v1(obs, start, now.left_finger, FRONT, 0.0, WALL_SOLVED)


MOVES = (("body_pos", "box"),)
READS = {"button": ("body_xpos", "button"), "button_quat": ("body_xquat", "button")}
START = {"target": 3, "init_tcp": 3, "travel": 1}

SKILLS = (
    Skill(
        "button-press-topdown-v3",
        "SawyerButtonPressTopdownEnvV3",
        "button",
        "press the button down from above",
        (-0.1, 0.8, 0.115),
        (0.1, 0.9, 0.115),
        model="sawyer_xyz/sawyer_button_press_topdown.xml",
        moves=MOVES,
        reads=READS,
        start=START,
        reset=reset_topdown,
        observe=observe_topdown,
        rewards={"v1": reward_topdown_v1, "v2": reward_topdown},
    ),
    Skill(
        "button-press-topdown-wall-v3",
        "SawyerButtonPressTopdownWallEnvV3",
        "button",
        "press the button down from above, over a wall",
        (-0.1, 0.8, 0.115),
        (0.1, 0.9, 0.115),
        model="sawyer_xyz/sawyer_button_press_topdown_wall.xml",
        moves=MOVES,
        reads=READS,
        start=START,
        reset=reset_topdown,
        observe=observe_topdown,
        rewards={"v1": reward_topdown_v1, "v2": reward_topdown_wall},
    ),
    Skill(
        "button-press-v3",
        "SawyerButtonPressEnvV3",
        "button",
        "press the button in from the front",
        (-0.1, 0.85, 0.115),
        (0.1, 0.9, 0.115),
        model="sawyer_xyz/sawyer_button_press.xml",
        moves=MOVES,
        reads=READS,
        start=START,
        reset=reset_front,
        observe=observe_front,
        rewards={"v1": reward_front_v1, "v2": reward_front},
    ),
    Skill(
        "button-press-wall-v3",
        "SawyerButtonPressWallEnvV3",
        "button",
        "press the button in from the front, past a wall",
        (-0.05, 0.85, 0.1149),
        (0.05, 0.9, 0.1151),
        model="sawyer_xyz/sawyer_button_press_wall.xml",
        moves=MOVES,
        reads=READS,
        start=START,
        reset=reset_front,
        observe=observe_front,
        rewards={"v1": reward_front_wall_v1, "v2": reward_front_wall},
    ),
)
