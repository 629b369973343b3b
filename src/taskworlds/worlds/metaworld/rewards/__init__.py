"""The building blocks of Meta-World's rewards, on plain numbers, so that numba can compile them.

The formulas are those of `metaworld.utils.reward_utils` (which took `tolerance` from dm_control) and of
`SawyerXYZEnv._gripper_caging_reward`. They run compiled and as ordinary Python with equal results. Skills import them
from here.

float32: Meta-World computes with the action as it comes. NumPy keeps float32 where a float32 number meets a Python
number, so with a float32 action a gripper's effort between 0 and 1 turns the rest of a reward into float32. Functions
that such a number passes through take `single` and then round as NumPy would.
"""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards.geometry import (
    distance,
    distance_2d,
    length,
    quat_from_matrix,
    quat_in_scipy_order,
)
from taskworlds.worlds.metaworld.rewards.grasping import (
    along_handle,
    caging_reward,
    closed_effort,
    grip_beside,
    held,
    near_in_xz,
    pads_beside,
    touched,
)
from taskworlds.worlds.metaworld.rewards.products import (
    hamacher_product,
    hamacher_product_as,
    rounded,
    tool_reward,
)
from taskworlds.worlds.metaworld.rewards.tolerances import (
    funnel_above,
    gaussian,
    long_tail,
    upright,
)
from taskworlds.worlds.metaworld.rewards.version1 import (
    approach_v1,
    lift_v1,
    picking_v1,
    pushing_v1,
    reaching_v1,
)

__all__ = [
    "along_handle",
    "approach_v1",
    "caging_reward",
    "closed_effort",
    "distance",
    "distance_2d",
    "funnel_above",
    "gaussian",
    "grip_beside",
    "hamacher_product",
    "hamacher_product_as",
    "held",
    "length",
    "lift_v1",
    "long_tail",
    "near_in_xz",
    "pads_beside",
    "picking_v1",
    "pushing_v1",
    "quat_from_matrix",
    "quat_in_scipy_order",
    "reaching_v1",
    "rounded",
    "tool_reward",
    "touched",
    "upright",
]
