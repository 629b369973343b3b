"""Lock: a door with a lever on it that turns by a quarter; the goal is where the lever's end goes.

door-lock-v3     turn the lever down; solved within 0.02 m of the goal's height
door-unlock-v3   turn it up to the side; solved within 0.02 m of the goal, along x
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import distance, hamacher_product, length, long_tail, pushing_v1
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = float32(0.0, 0.6, 0.2)  # m, where the hand starts
LOCK_TARGET = (0.0, -0.04, -0.1)  # m, from the lever's axis to the goal of door-lock
UNLOCK_TARGET = (0.1, -0.04, 0.0)  # m, and of door-unlock
LEVER = 0.1  # m
LOCKED = 1.5708  # rad
SOLVED_RADIUS = 0.02  # m
TURNED_RADIUS = 0.005  # m
SHOULDER = (0.0, 0.055, 0.07)  # m, from the hand to what pushes the lever in door-unlock


def reset_lock(sim, rand_vec, before):
    """Puts the door at `rand_vec` and runs a step, which leaves positions one substep behind the state."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("door", rand_vec)
    sim.run(5)
    return {"target": sim.body("lock_link") + LOCK_TARGET, "init_tcp": init_tcp}


def reset_unlock(sim, rand_vec, before):
    """Puts the door at `rand_vec`, the lever down."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("door", rand_vec)
    sim.place_joint(LOCKED, stop=1)
    return {"target": sim.body("lock_link") + UNLOCK_TARGET, "init_tcp": init_tcp}


def observe(now, objects):
    """The lever's end and the door's orientation."""
    for i in range(3):
        objects[i] = now.lever[i]
    for i in range(4):
        objects[3 + i] = now.door_quat[i]


def _weighted(x, y, z):
    """Returns the length of a vector, x counted a quarter and z half."""
    return length(0.25 * x, y, 0.5 * z)


def reward_lock(now, obs, action, start, memory, single):
    """Left pad at the lever and fingers open (0..2), and the lever down (0..8).

    Meta-World measures the pad's margin from where the pad is now, though it means where it started.
    """
    lever, pad = obs[4:7], now.left_pad
    reached = _weighted(lever[0] - pad[0], lever[1] - pad[1], lever[2] - pad[2])
    near = long_tail(reached, 0.0, 0.01, reached)
    left = abs(start.target[2] - lever[2])
    turned = long_tail(left, 0.0, TURNED_RADIUS, LEVER)
    return _terms(2.0 * hamacher_product(obs[3], near) + 8.0 * turned, obs, reached, left, near, turned)


def reward_unlock(now, obs, action, start, memory, single):
    """Gripper's shoulder at the lever (0..2), and the lever up (0..8).

    The margin is from where the shoulder started to the lever's axis, where that is now.
    """
    hand, lever, tcp, axis = obs[0:3], obs[4:7], start.init_tcp, now.axis
    reached = _weighted(
        hand[0] + SHOULDER[0] - lever[0], hand[1] + SHOULDER[1] - lever[1], hand[2] + SHOULDER[2] - lever[2]
    )
    margin = _weighted(
        tcp[0] + SHOULDER[0] - axis[0], tcp[1] + SHOULDER[1] - axis[1], tcp[2] + SHOULDER[2] - axis[2]
    )
    near = long_tail(reached, 0.0, 0.02, margin)
    left = abs(start.target[0] - lever[0])
    turned = long_tail(left, 0.0, TURNED_RADIUS, LEVER)
    return _terms(2.0 * near + 8.0 * turned, obs, reached, left, near, turned)


def _terms(reward, obs, reached, left, near, turned):
    return Terms(
        reward=reward,
        success=left <= SOLVED_RADIUS,
        near_object=reached <= 0.05,
        grasp_success=obs[3] > 0.0,
        grasp_reward=near,
        in_place_reward=turned,
        obj_to_target=left,
    )


def reward_v1(now, obs, action, start, memory, single):
    """Version 1 of both: come near, then up to 2000 for the way that is done from the lever's axis."""
    lever = obs[4:7]
    error = distance(lever, start.target)
    way = length(LOCK_TARGET[0], LOCK_TARGET[1], LOCK_TARGET[2])  # UNLOCK_TARGET's is the same
    reward = pushing_v1(distance(lever, now.tcp), error, way)
    return Terms(reward, error <= SOLVED_RADIUS, True, False, 0.0, 0.0, error)


MODEL = "sawyer_xyz/sawyer_door_lock.xml"
MOVES = (("body_pos", "door"),)
DOOR_QUAT = ("body_xquat", "door_link")

SKILLS = (
    Skill(
        "door-lock-v3",
        "SawyerDoorLockEnvV3",
        "lock",
        "turn the lock to lock the door",
        (-0.1, 0.8, 0.15),
        (0.1, 0.85, 0.15),
        model=MODEL,
        hand_low=(-0.5, 0.4, -0.15),
        goal_low=(-0.5, 0.4, -0.15),
        moves=MOVES,
        reads={"lever": ("site_xpos", "lockStartLock"), "door_quat": DOOR_QUAT},
        start={"target": 3, "init_tcp": 3},
        reset=reset_lock,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward_lock},
    ),
    Skill(
        "door-unlock-v3",
        "SawyerDoorUnlockEnvV3",
        "lock",
        "turn the lock to unlock the door",
        (-0.1, 0.8, 0.15),
        (0.1, 0.85, 0.15),
        model=MODEL,
        hand_low=(-0.5, 0.4, -0.15),
        goal_low=(0.0, 0.64, 0.2100),
        goal_high=(0.2, 0.7, 0.2111),
        moves=MOVES,
        reads={
            "lever": ("site_xpos", "lockStartUnlock"),
            "axis": ("body_xpos", "lock_link"),
            "door_quat": DOOR_QUAT,
        },
        start={"target": 3, "init_tcp": 3},
        reset=reset_unlock,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward_unlock},
    ),
)
