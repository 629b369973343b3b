"""The building blocks of Meta-World's rewards, on plain numbers, so that numba can compile them.

The formulas are those of `metaworld.utils.reward_utils` (which took `tolerance` from dm_control) and of
`SawyerXYZEnv._gripper_caging_reward`. They run compiled and as ordinary Python with equal results.

float32: Meta-World computes with the action as it comes. NumPy keeps float32 where a float32 number meets a Python
number, so with a float32 action a gripper's effort between 0 and 1 turns the rest of a reward into float32. Functions
that such a number passes through take `single` and then round as NumPy would.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = [
    "caging_reward",
    "closed_effort",
    "distance",
    "distance_2d",
    "gaussian",
    "hamacher_product",
    "hamacher_product_as",
    "length",
    "long_tail",
    "quat_from_matrix",
    "rounded",
]

_LONG_TAIL_SCALE = math.sqrt(1.0 / 0.1 - 1.0)  # value 0.1 at the margin
_GAUSSIAN_SCALE = math.sqrt(-2.0 * math.log(0.1))


def length(x, y, z):
    """Gives the length of a vector."""
    return math.sqrt(x * x + y * y + z * z)


def distance(a, b):
    """Gives the distance between two points, arrays of 3."""
    x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return math.sqrt(x * x + y * y + z * z)


def distance_2d(a, b, i, j):
    """Gives the distance between two points in the plane of their coordinates `i` and `j`."""
    x, y = a[i] - b[i], a[j] - b[j]
    return math.sqrt(x * x + y * y)


def _excess(x, lower, upper, margin):
    """Says how far `x` is outside [lower, upper], in margins; -1 inside. Without a margin, infinity outside."""
    if lower <= x <= upper:
        return -1.0
    if margin == 0.0:
        return math.inf
    return (lower - x if x < lower else x - upper) / margin


def long_tail(x, lower, upper, margin):
    """Gives 1 where `x` is in [lower, upper], and outside falls off like 1 / d^2, to 0.1 at the margin."""
    d = _excess(x, lower, upper, margin)
    if d == -1.0:
        return 1.0
    return 1.0 / ((d * _LONG_TAIL_SCALE) ** 2 + 1.0)


def gaussian(x, lower, upper, margin):
    """Gives 1 where `x` is in [lower, upper], and outside falls off like a bell curve, to 0.1 at the margin."""
    d = _excess(x, lower, upper, margin)
    if d == -1.0:
        return 1.0
    return math.exp(-0.5 * (d * _GAUSSIAN_SCALE) ** 2)


def hamacher_product(a, b):
    """Gives the Hamacher t-norm of two numbers in [0, 1]: small if one of them is small."""
    denominator = a + b - a * b
    return a * b / denominator if denominator > 0.0 else 0.0


def rounded(x, single):
    """Gives `x` as float32 holds it, if `single`."""
    return float(np.float32(x)) if single else x


def hamacher_product_as(a, b, single):
    """Gives the Hamacher product; if `single`, computed in float32 step by step."""
    if not single:
        return hamacher_product(a, b)
    a, b = rounded(a, True), rounded(b, True)
    product = rounded(a * b, True)
    denominator = rounded(rounded(a + b, True) - product, True)
    return rounded(product / denominator, True) if denominator > 0.0 else 0.0


def closed_effort(effort, desired, single):
    """Gives the gripper's effort to close, as a share of the `desired` one, and whether it is a float32 number.

    Returns:
        The share, 0 to 1, and `single` if the effort was cut off neither at 0 nor at `desired`.
    """
    if effort <= 0.0:
        return 0.0, False
    if effort > desired:
        return 1.0, False
    return rounded(effort / desired, single), single


def caging_reward(
    now,
    obj,
    obj_init,
    init_tcp,
    effort,
    single,
    obj_radius,
    pad_success,
    object_reach_radius,
    xz_success,
    desired_effort,
    density,
):
    """Gives the reward for having the fingers around an object and closing them, 0 to 1.

    Args:
        now: what the skill reads; `left_pad`, `right_pad` and `tcp` are used.
        obj: the object's position, (3,).
        obj_init: the object's position at reset, (3,).
        init_tcp: the fingers' centre at reset, (3,).
        effort: the action's last number.
        single: whether the action came as float32.
        obj_radius: radius of the object's bounding sphere, metres.
        pad_success: distance from a pad to the object, along y, that counts as reached.
        object_reach_radius: distance from the fingers' centre that counts as reached, with density 1.
        xz_success: the same in the x-z plane.
        desired_effort: effort that counts as a full grip.
        density: 0 only with a grip; 1 also for coming near the object (Meta-World's medium density); 2 also for the
            fingers around it (its high density).

    Returns:
        The reward, and whether it is a float32 number.
    """
    left = abs(now.left_pad[1] - obj[1])
    right = abs(now.right_pad[1] - obj[1])
    left_margin = abs(abs(now.left_pad[1] - obj_init[1]) - pad_success)
    right_margin = abs(abs(now.right_pad[1] - obj_init[1]) - pad_success)
    caging_y = hamacher_product(
        long_tail(left, obj_radius, pad_success, left_margin),
        long_tail(right, obj_radius, pad_success, right_margin),
    )
    xz_margin = distance_2d(obj_init, init_tcp, 0, 2) - xz_success
    caging_xz = long_tail(distance_2d(now.tcp, obj, 0, 2), 0.0, xz_success, xz_margin)
    caging = hamacher_product(caging_y, caging_xz)

    gripping, soft = 0.0, False
    if caging > 0.97:
        gripping, soft = closed_effort(effort, desired_effort, single)
    reward = hamacher_product_as(caging, gripping, soft)
    if density == 2:
        reward = rounded(rounded(reward + rounded(caging, soft), soft) / 2.0, soft)
    if density == 1:
        reach_margin = abs(distance(obj_init, init_tcp) - object_reach_radius)
        reach = long_tail(distance(obj, now.tcp), 0.0, object_reach_radius, reach_margin)
        reward = rounded(rounded(reward + rounded(reach, soft), soft) / 2.0, soft)
    return reward, soft


def quat_from_matrix(m, quat):
    """Writes the quaternion (x, y, z, w) of a rotation matrix (9 numbers, row by row) into `quat` (4,).

    The largest of the four numbers is computed from the diagonal, so its sign is positive: scipy's
    `Rotation.from_matrix(m).as_quat()`, after Markley (2008), "Unit quaternion from rotation matrix".
    """
    trace = m[0] + m[4] + m[8]
    largest, i = trace, 3
    for axis in range(3):
        if m[4 * axis] > largest or (i == 3 and m[4 * axis] >= largest):
            largest, i = m[4 * axis], axis
    if i == 3:
        quat[0], quat[1], quat[2] = m[7] - m[5], m[2] - m[6], m[3] - m[1]
        quat[3] = 1.0 + trace
    else:
        j, k = (i + 1) % 3, (i + 2) % 3
        quat[i] = 1.0 - trace + 2.0 * m[4 * i]
        quat[j] = m[3 * j + i] + m[3 * i + j]
        quat[k] = m[3 * k + i] + m[3 * i + k]
        quat[3] = m[3 * k + j] - m[3 * j + k]
    norm = math.sqrt(quat[0] ** 2 + quat[1] ** 2 + quat[2] ** 2 + quat[3] ** 2)
    for n in range(4):
        quat[n] /= norm
