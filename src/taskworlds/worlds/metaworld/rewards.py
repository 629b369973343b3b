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
    desired = rounded(desired, single)
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


def near_in_xz(now, obj, obj_init, init_tcp, xz_success):
    """Gives the reward for the fingers' centre being at an object, in the x-z plane, 0 to 1."""
    margin = distance_2d(obj_init, init_tcp, 0, 2) - xz_success
    return long_tail(distance_2d(now.tcp, obj, 0, 2), 0.0, xz_success, margin)


def pads_beside(now, obj, nearest, farthest, pad_success):
    """Gives the reward for both pads being `nearest` to `farthest` from an object, along y, 0 to 1.

    Unlike in `caging_reward` each pad has to be on its own side. Meta-World measures the margins from where
    the pads are now, though it means where they started.
    """
    right, left = obj[1] - now.right_pad[1], now.left_pad[1] - obj[1]
    return hamacher_product(
        long_tail(right, nearest, farthest, abs(abs(right) - pad_success)),
        long_tail(left, nearest, farthest, abs(abs(left) - pad_success)),
    )


def grip_beside(now, obj, obj_init, init_tcp, obj_radius, slack, pad_success, xz_success):
    """Gives the reward for having the pads close to both sides of an object, whatever the effort, 0 to 1.

    Args:
        now: what the skill reads; `left_pad`, `right_pad` and `tcp` are used.
        obj: the object's position, (3,).
        obj_init: the object's position at reset, (3,).
        init_tcp: the fingers' centre at reset, (3,).
        obj_radius: least distance of a pad from the object, along y, metres.
        slack: how much farther a pad may be and still grips, metres.
        pad_success: distance of a pad that counts as reached, metres.
        xz_success: the same for the fingers' centre, in the x-z plane.
    """
    around = pads_beside(now, obj, obj_radius, pad_success, pad_success)
    caging = hamacher_product(around, near_in_xz(now, obj, obj_init, init_tcp, xz_success))
    gripping = 0.0
    if caging > 0.95:
        gripping = pads_beside(now, obj, obj_radius, obj_radius + slack, pad_success)
    return (caging + gripping) / 2.0


def touched(now):
    """Says whether both pads press on the object, which the skill reads as `left_touch` and `right_touch`."""
    return now.left_touch > 0.0 and now.right_touch > 0.0


def held(now, obj, obj_init, opening):
    """Says whether both pads press on the object, not shut, and it is 0.02 m above where it was at reset."""
    return touched(now) and opening > 0.0 and obj[2] - 0.02 > obj_init[2]


def funnel_above(height, radius, steepness, rim, margin):
    """Gives the reward for a hand being above a funnel, so that it clears the edges around an object, 0 to 1.

    Args:
        height: the hand's height, metres.
        radius: how far from the funnel's axis it is; within 0.03 m the funnel is open, metres.
        steepness: metres that the funnel rises while `radius` grows by a factor of e.
        rim: the funnel's height 1.03 m from its axis, metres.
        margin: metres below the funnel, beyond 0.01, where the reward is 0.1.
    """
    floor = steepness * math.log(radius - 0.03) + rim if radius > 0.03 else 0.0
    return long_tail(max(floor - height, 0.0), 0.0, 0.01, margin)


def approach_v1(error, error_at_start):
    """Gives version 1's reward for coming nearer: 1000 for each metre, 2000 more at the goal."""
    near = math.exp(-(error**2) / 0.01) + math.exp(-(error**2) / 0.001)
    return max(1000.0 * (error_at_start - error) + 1000.0 * near, 0.0)


def pushing_v1(reached, error, error_at_start):
    """Gives version 1's reward for pushing: come near, then `approach_v1`.

    Args:
        reached: the fingers' distance from the object, metres.
        error: the object's distance from the goal, metres.
        error_at_start: the same at reset.
    """
    return (approach_v1(error, error_at_start) if reached < 0.05 else 0.0) - reached


def reaching_v1(now, obj, init_tcp, aside_radius, height_weight, effort, single):
    """Gives version 1's reward for reaching an object to be lifted: minus the distance, plus closing there.

    Args:
        now: what the skill reads; `tcp` is used.
        obj: the object's position, (3,).
        init_tcp: the fingers' centre at reset, (3,).
        aside_radius: distance in x and y, metres, beyond which only that counts, and that the fingers keep
            the height that they started at.
        height_weight: what a metre of that height counts.
        effort: the action's last number.
        single: whether the action came as float32.
    """
    reached = distance(obj, now.tcp)
    if reached < 0.05:
        return -reached + rounded(max(effort, 0.0) / 50.0, single)
    aside = distance_2d(obj, now.tcp, 0, 1)
    if aside < aside_radius:
        return -reached
    return -aside - height_weight * abs(now.tcp[2] - init_tcp[2])


def lift_v1(now, obj, obj_init, init_tcp, target, height, lift, bottom, effort, single):
    """Gives version 1's reward for lifting: reach, then 100 for each metre up, then `approach_v1`.

    Args:
        now: what the skill reads; `tcp` is used.
        obj: the object's position, (3,).
        obj_init: where reset put it, (3,).
        init_tcp: the fingers' centre at reset, (3,).
        target: the goal's position, (3,).
        height: the object's height at reset, metres.
        lift: how far up the object has to be before it is carried, metres.
        bottom: height that the metres are counted from.
        effort: the action's last number.
        single: whether the action came as float32.
    """
    lifted = height + lift
    reached = distance(obj, now.tcp)
    error = distance(obj, target)
    dropped = obj[2] < height + 0.005 and error > 0.02 and reached > 0.02
    carried = obj[2] >= lifted - 0.01 and not dropped
    reward = reaching_v1(now, obj, init_tcp, 0.05, 2.0, effort, single)
    if carried:
        reward += 100.0 * (lifted - bottom)
    elif reached < 0.1 and obj[2] > height + 0.005:
        reward += 100.0 * (min(lifted, obj[2]) - bottom)
    if carried and reached < 0.1:
        way = length(obj_init[0] - target[0], obj_init[1] - target[1], lifted - target[2])
        reward += approach_v1(error, way + lifted)
    return reward


def quat_in_scipy_order(w, x, y, z, quat):
    """Writes a rotation that MuJoCo holds as (w, x, y, z) into `quat` (4,), as `quat_from_matrix` would.

    For geoms that only are to be seen: the engine's models have none, but a body that moves with them.
    """
    largest = w
    for number in (z, y, x):
        if abs(number) >= abs(largest):  # scipy prefers x, then y, then z
            largest = number
    scale = math.copysign(1.0 / math.sqrt(w * w + x * x + y * y + z * z), largest)
    quat[0], quat[1], quat[2], quat[3] = x * scale, y * scale, z * scale, w * scale


def picking_v1(height, rest, lifted, reached):
    """Gives version 1's reward for picking something up: 100 for each metre of its height, up to `lifted`.

    Args:
        height: its height, metres.
        rest: its height at reset; up to 0.005 m above that it counts as lying.
        lifted: how high it has to be, less 0.01 m.
        reached: the fingers' distance from it; beyond 0.1 m nothing counts on the way up.

    Returns:
        The reward, and whether it is as high as it has to be.
    """
    if height >= lifted - 0.01:
        return 100.0 * lifted, True
    if reached < 0.1 and height > rest + 0.005:
        return 100.0 * min(lifted, height), False
    return 0.0, False


def along_handle(handle, hand, reach):
    """Gives the point of a handle along x that the hand is at, or its centre if none is within `reach`.

    So a handle can pass for a sphere in `caging_reward`.

    Args:
        handle: its centre, (3,).
        hand: the hand's position, (3,).
        reach: how far along x the handle goes to either side, metres.
    """
    x = hand[0] if abs(handle[0] - hand[0]) < reach else handle[0]
    return x, handle[1], handle[2]


def upright(quat, ideal, slack):
    """Gives the reward for an orientation: 1 at the ideal, 0 where it is `slack` away, linear between.

    Args:
        quat: the quaternion, (4,).
        ideal: the one that is wanted, likewise. Its negative, which is the same orientation, does not count.
        slack: length of the difference of the two.
    """
    squares = 0.0
    for i in range(4):
        squares += (quat[i] - ideal[i]) ** 2
    return max(1.0 - math.sqrt(squares) / slack, 0.0)


def tool_reward(grasped, in_place, orientation, soft):
    """Gives the reward for a tool: grasp (0..2) plus place (0..6), times its orientation (0..1).

    Args:
        grasped: 0 to 1.
        in_place: 0 to 1.
        orientation: 0 to 1.
        soft: whether `grasped` is a float32 number.
    """
    total = rounded(2.0 * grasped + rounded(6.0 * in_place, soft), soft)
    return rounded(total * rounded(orientation, soft), soft)
