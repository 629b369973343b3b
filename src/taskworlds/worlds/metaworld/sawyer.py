"""The Sawyer arm that every Meta-World skill shares: its action and its observation of 39 numbers.

An observation is, in order: hand position (3, metres), gripper opening (1: 0 closed, 1 open), two objects of
position and quaternion (14, zeros where a skill has one object), the same 18 numbers one step earlier, and
the goal's position (3, zeros where the task hides it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import gymnasium as gym

__all__ = [
    "ACTION_SCALE",
    "ACTION_SIZE",
    "ARM_READS",
    "FRAME_SKIP",
    "GOAL",
    "HAND_HIGH",
    "HAND_LOW",
    "HAND_QUAT",
    "MAX_EPISODE_STEPS",
    "OBS_SIZE",
    "TERM_NAMES",
    "VIEW_CENTRE",
    "action_space",
    "observation_space",
    "observed_parts",
]

OBS_SIZE = 39
ACTION_SIZE = 4
FRAME_SKIP = 5  # physics steps per step
ACTION_SCALE = 0.01  # m, that the hand moves at an action of 1
HAND_QUAT = (1.0, 0.0, 1.0, 0.0)  # orientation that the hand is held in, (w, x, y, z), not normalised
GOAL = slice(36, 39)  # where the goal's position stands in the observation
MAX_EPISODE_STEPS = 500
# What a step reports.
TERM_NAMES = (
    "success",
    "near_object",
    "grasp_success",
    "grasp_reward",
    "in_place_reward",
    "obj_to_target",
    "unscaled_reward",
)

# m, what pictures without a camera show. Meta-World's show the geoms' median at the first picture, which is within a
# few cm of it, but depends on where the arm was.
VIEW_CENTRE = (0.0, 0.55, 0.15)

HAND_LOW, HAND_HIGH = (-0.525, 0.348, -0.0525), (0.525, 1.025, 0.7)  # m
# Union of the 50 skills' goals, m. The lowest y is door-open's 0.85 - 0.45, one bit below 0.4.
_GOAL_LOW, _GOAL_HIGH = (-0.5, 0.85 - 0.45, -0.15), (0.51, 1.0, 0.5)

# What every skill reads, before its own reads: (source, name) as in `engine.Scene.reads`.
ARM_READS: dict[str, tuple[str, ...]] = {
    "hand": ("body_xpos", "hand"),
    "right_claw": ("body_xpos", "rightclaw"),
    "left_claw": ("body_xpos", "leftclaw"),
    "right_finger": ("site_xpos", "rightEndEffector"),
    "left_finger": ("site_xpos", "leftEndEffector"),
    "right_pad": ("body_xpos", "rightpad"),
    "left_pad": ("body_xpos", "leftpad"),
}


def action_space() -> gym.spaces.Box:
    """Returns the action's space, (4,) float32: hand's move in x, y, z (1 is 1 cm) and gripper's effort."""
    import gymnasium as gym  # not at the top: importing Gymnasium loads this module by the hook of the ids

    return gym.spaces.Box(-1.0, 1.0, (ACTION_SIZE,), np.float32)


def observation_space(*, visible: bool, hidden: bool) -> gym.spaces.Box:
    """Returns the observation's space, (39,) float64, the same for every skill so that one batch can mix them.

    Meta-World declares another goal box for each skill; this is their union.

    Args:
        visible: whether some tasks show their goal.
        hidden: whether some tasks hide it.
    """
    import gymnasium as gym  # as above

    zero = (0.0, 0.0, 0.0)
    shown_low = _GOAL_LOW if visible else zero
    shown_high = _GOAL_HIGH if visible else zero
    goal_low = np.minimum(shown_low, zero) if hidden else np.array(shown_low)
    goal_high = np.maximum(shown_high, zero) if hidden else np.array(shown_high)
    objects = np.full(14, np.inf)
    low = np.hstack([HAND_LOW, -1.0, -objects, HAND_LOW, -1.0, -objects, goal_low])
    high = np.hstack([HAND_HIGH, 1.0, objects, HAND_HIGH, 1.0, objects, goal_high])
    return gym.spaces.Box(low, high, dtype=np.float64)


def observed_parts() -> dict[str, int]:
    """Returns by name how many numbers each part of an observation has, in their order.

    Positions are in metres, orientations are quaternions in the skill's official order, the
    opening is 0 (closed) to 1. Of the objects
    that a skill does not have, the numbers are 0. What begins with `previous_` is the same, one step before.
    """
    now = {
        "hand_position": 3,
        "gripper_opening": 1,
        "object_position": 3,
        "object_orientation": 4,
        "second_object_position": 3,
        "second_object_orientation": 4,
    }
    return now | {f"previous_{name}": size for name, size in now.items()} | {"goal": 3}
