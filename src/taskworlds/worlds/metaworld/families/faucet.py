"""Faucet: a base with a handle of 0.175 m that turns by a quarter to either side, from pointing at the robot.

faucet-open-v3    turn the handle to the right; solved within 0.07 m of the goal
faucet-close-v3   turn it to the left; solved within 0.07 m of the goal
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards import distance, gaussian, length, long_tail, pushing_v1
from taskworlds.worlds.metaworld.skill import Skill, Terms

HAND = (0.0, 0.4, 0.2)  # m, where the hand starts
OPEN_TARGET = (0.175, 0.0, 0.125)  # m, from the base to the goal of faucet-open
CLOSE_TARGET = (-0.175, 0.0, 0.125)  # m, and of faucet-close
WAY = length(OPEN_TARGET[0], OPEN_TARGET[1], OPEN_TARGET[2])  # m, from the base to either
TARGET_RADIUS = 0.07  # m
REACH_RADIUS = 0.01  # m
GRIP = (-0.04, 0.0, 0.03)  # m, from the handle's end, as it is observed, to where faucet-open has it


def reset_open(sim, rand_vec, before):
    """Puts the faucet at `rand_vec`."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("faucetBase", rand_vec)
    target = rand_vec + OPEN_TARGET
    sim.move_site("goal_open", target)
    return {"target": target, "init_tcp": init_tcp, "obj_init": rand_vec}


def reset_close(sim, rand_vec, before):
    """Puts the faucet at `rand_vec`."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("faucetBase", rand_vec)
    sim.forward()
    target = rand_vec + CLOSE_TARGET
    sim.move_site("goal_close", target)
    return {"target": target, "init_tcp": init_tcp, "obj_init": rand_vec}


def observe(now, objects):
    """The handle's end and the base's orientation."""
    objects[0], objects[1], objects[2] = now.handle[0], now.handle[1], now.handle[2] - 0.01
    for i in range(4):
        objects[3 + i] = now.base_quat[i]


def _turn(now, start, handle):
    """Fingers at the handle (0..4) and the handle at the goal (0..6), and 10 when it is.

    Both margins are measured from the base, as if the handle had been there.
    """
    error = distance(handle, start.target)
    in_place = long_tail(error, 0.0, TARGET_RADIUS, abs(WAY - TARGET_RADIUS))
    reached = distance(handle, now.tcp)
    reached_at_start = distance(start.obj_init, start.init_tcp)
    reach = gaussian(reached, 0.0, REACH_RADIUS, abs(reached_at_start - REACH_RADIUS))
    turned = error <= TARGET_RADIUS
    return Terms(
        reward=10.0 if turned else 4.0 * reach + 6.0 * in_place,
        success=turned,
        near_object=reached <= 0.01,
        grasp_success=True,
        grasp_reward=reach,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_open(now, obs, action, start, memory, single):
    """See `_turn`."""
    return _turn(now, start, (obs[4] + GRIP[0], obs[5] + GRIP[1], obs[6] + GRIP[2]))


def reward_close(now, obs, action, start, memory, single):
    """See `_turn`."""
    return _turn(now, start, (obs[4], obs[5], obs[6]))


def reward_v1(now, obs, action, start, memory, single):
    """Version 1 of both: come near, then up to 2000 for the way that is done."""
    handle = obs[4:7]
    error = distance(handle, start.target)
    reward = pushing_v1(distance(handle, now.tcp), error, WAY)
    return Terms(reward, error <= TARGET_RADIUS, True, True, 0.0, 0.0, error)


MODEL = "sawyer_xyz/sawyer_faucet.xml"
BASE_QUAT = ("body_xquat", "faucetBase")
START = {"target": 3, "init_tcp": 3, "obj_init": 3}

SKILLS = (
    Skill(
        "faucet-open-v3",
        "SawyerFaucetOpenEnvV3",
        "faucet",
        "turn the handle to open the faucet",
        (-0.05, 0.8, 0.0),
        (0.05, 0.85, 0.0),
        model=MODEL,
        hand_low=(-0.5, 0.4, -0.15),
        goal_low=(-0.5, 0.4, -0.15),
        moves=(("body_pos", "faucetBase"), ("site_pos", "goal_open")),
        reads={"handle": ("site_xpos", "handleStartOpen"), "base_quat": BASE_QUAT},
        start=START,
        reset=reset_open,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward_open},
    ),
    Skill(
        "faucet-close-v3",
        "SawyerFaucetCloseEnvV3",
        "faucet",
        "turn the handle to close the faucet",
        (-0.1, 0.8, 0.0),
        (0.1, 0.85, 0.0),
        model=MODEL,
        hand_low=(-0.5, 0.4, -0.15),
        goal_low=(-0.5, 0.4, -0.15),
        moves=(("body_pos", "faucetBase"), ("site_pos", "goal_close")),
        reads={"handle": ("site_xpos", "handleStartClose"), "base_quat": BASE_QUAT},
        start=START,
        reset=reset_close,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward_close},
    ),
)
