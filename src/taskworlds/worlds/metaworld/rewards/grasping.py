"""How well the fingers hold an object: around it, beside it, pressing on it, closed with some effort."""

from __future__ import annotations

from taskworlds.worlds.metaworld.rewards.geometry import distance, distance_2d
from taskworlds.worlds.metaworld.rewards.products import hamacher_product, hamacher_product_as, rounded
from taskworlds.worlds.metaworld.rewards.tolerances import long_tail

__all__ = [
    "along_handle",
    "caging_reward",
    "closed_effort",
    "grip_beside",
    "held",
    "near_in_xz",
    "pads_beside",
    "touched",
]


def closed_effort(effort, desired, single):
    """Returns the gripper's effort to close, as a share of the `desired` one, and whether it is a float32 number.

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
    """Returns the reward for having the fingers around an object and closing them, 0 to 1.

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


def along_handle(handle, hand, reach):
    """Returns the point of a handle along x that the hand is at, or its centre if none is within `reach`.

    So a handle can pass for a sphere in `caging_reward`.

    Args:
        handle: its centre, (3,).
        hand: the hand's position, (3,).
        reach: how far along x the handle goes to either side, metres.
    """
    x = hand[0] if abs(handle[0] - hand[0]) < reach else handle[0]
    return x, handle[1], handle[2]


def near_in_xz(now, obj, obj_init, init_tcp, xz_success):
    """Returns the reward for the fingers' centre being at an object, in the x-z plane, 0 to 1."""
    margin = distance_2d(obj_init, init_tcp, 0, 2) - xz_success
    return long_tail(distance_2d(now.tcp, obj, 0, 2), 0.0, xz_success, margin)


def pads_beside(now, obj, nearest, farthest, pad_success):
    """Returns the reward for both pads being `nearest` to `farthest` from an object, along y, 0 to 1.

    Unlike in `caging_reward` each pad has to be on its own side. Meta-World measures the margins from where
    the pads are now, though it means where they started.
    """
    right, left = obj[1] - now.right_pad[1], now.left_pad[1] - obj[1]
    return hamacher_product(
        long_tail(right, nearest, farthest, abs(abs(right) - pad_success)),
        long_tail(left, nearest, farthest, abs(abs(left) - pad_success)),
    )


def grip_beside(now, obj, obj_init, init_tcp, obj_radius, slack, pad_success, xz_success):
    """Returns the reward for having the pads close to both sides of an object, whatever the effort, 0 to 1.

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
