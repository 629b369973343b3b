"""Window: a frame with a pane that slides 0.2 m along x by its handle.

window-open-v3    slide it to the right; solved when the handle is within 0.05 m of the goal, along x
window-close-v3   slide it back to the left; solved likewise
"""

from __future__ import annotations

import math

from taskworlds.worlds.metaworld.rewards import distance, gaussian, hamacher_product, long_tail
from taskworlds.worlds.metaworld.skill import Skill, Terms, float32

HAND = float32(0.0, 0.4, 0.2)  # m, where the hand starts
STROKE = 0.2  # m
TARGET_RADIUS = 0.05  # m
HANDLE_RADIUS = 0.02  # m


def reset_open(sim, rand_vec, before):
    """Puts the window, shut, at `rand_vec`. Positions in the world stay as they were."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("window", rand_vec)
    handle = sim.site("handleOpenStart")
    sim.data.joint("window_slide").qpos = 0.0
    target = rand_vec + (STROKE, 0.0, 0.0)
    sim.move_site("goal", target)
    return {"target": target, "init_tcp": init_tcp, "handle_init": handle}


def reset_close(sim, rand_vec, before):
    """Puts the window, open, at `rand_vec`. Positions in the world stay as they were, those of a shut one."""
    init_tcp = sim.settle_hand(HAND)
    sim.move_body("window", rand_vec)
    handle = sim.site("handleCloseStart") + (STROKE, 0.0, 0.0)
    sim.data.joint("window_slide").qpos = STROKE
    sim.move_site("goal", rand_vec)
    return {"target": rand_vec, "init_tcp": init_tcp, "handle_init": handle}


def observe(now, objects):
    """The handle; no orientation."""
    for i in range(3):
        objects[i] = now.handle[i]


def reward_open(now, obs, action, start, memory, single):
    """Fingers at the handle times the window open (0..1), times 10."""
    reached, reach_margin = _reach(now, obs, start)
    reach = long_tail(reached, 0.0, HANDLE_RADIUS, reach_margin)
    return _terms(obs, start, reached, reach, STROKE)


def reward_close(now, obs, action, start, memory, single):
    """Fingers at the handle times the window shut (0..1), times 10."""
    reached, reach_margin = _reach(now, obs, start)
    reach = gaussian(reached, 0.0, HANDLE_RADIUS, reach_margin)
    return _terms(obs, start, reached, reach, abs(start.handle_init[0] - start.target[0]))


def _reach(now, obs, start):
    """Returns the fingers' distance from the handle, and the margin that it is measured by."""
    reached_at_start = distance(start.handle_init, start.init_tcp)
    return distance(obs[4:7], now.tcp), abs(reached_at_start - HANDLE_RADIUS)


def _terms(obs, start, reached, reach, error_at_start):
    error = abs(obs[4] - start.target[0])
    in_place = long_tail(error, 0.0, TARGET_RADIUS, abs(error_at_start - TARGET_RADIUS))
    return Terms(
        reward=10.0 * hamacher_product(reach, in_place),
        success=error <= TARGET_RADIUS,
        near_object=reached <= 0.05,
        grasp_success=True,
        grasp_reward=reach,
        in_place_reward=in_place,
        obj_to_target=error,
    )


def reward_v1(now, obs, action, start, memory, single):
    """Version 1 of both: come near, then up to 2000 for the way that is done; the wrong way takes away."""
    error = abs(obs[4] - start.target[0])
    reached = distance(obs[4:7], now.tcp)
    slid = 0.0
    if reached < 0.05:
        near = math.exp(-(error**2) / 0.01) + math.exp(-(error**2) / 0.001)
        slid = 1000.0 * (STROKE - error) + 1000.0 * near
    return Terms(slid - reached, error <= TARGET_RADIUS, True, True, 0.0, 0.0, error)


MODEL = "sawyer_xyz/sawyer_window_horizontal.xml"
MOVES = (("body_pos", "window"), ("site_pos", "goal"))
START = {"target": 3, "init_tcp": 3, "handle_init": 3}

SKILLS = (
    Skill(
        "window-open-v3",
        "SawyerWindowOpenEnvV3",
        "window",
        "slide the window open",
        (-0.1, 0.7, 0.16),
        (0.1, 0.9, 0.16),
        model=MODEL,
        moves=MOVES,
        reads={"handle": ("site_xpos", "handleOpenStart")},
        start=START,
        reset=reset_open,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward_open},
    ),
    Skill(
        "window-close-v3",
        "SawyerWindowCloseEnvV3",
        "window",
        "slide the window shut",
        (0.0, 0.75, 0.2),
        (0.0, 0.9, 0.2),
        model=MODEL,
        moves=MOVES,
        reads={"handle": ("site_xpos", "handleCloseStart")},
        start=START,
        reset=reset_close,
        observe=observe,
        rewards={"v1": reward_v1, "v2": reward_close},
    ),
)
