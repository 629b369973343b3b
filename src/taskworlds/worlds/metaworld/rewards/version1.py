"""Parts of version 1 of the rewards, Meta-World's older one (`reward_function_version="v1"`), in the thousands."""

from __future__ import annotations

import math

from taskworlds.worlds.metaworld.rewards.geometry import distance, distance_2d, length
from taskworlds.worlds.metaworld.rewards.products import rounded

__all__ = ["approach_v1", "lift_v1", "picking_v1", "pushing_v1", "reaching_v1"]


def approach_v1(error, error_at_start):
    """Returns version 1's reward for coming nearer: 1000 for each metre, 2000 more at the goal."""
    near = math.exp(-(error**2) / 0.01) + math.exp(-(error**2) / 0.001)
    return max(1000.0 * (error_at_start - error) + 1000.0 * near, 0.0)


def pushing_v1(reached, error, error_at_start):
    """Returns version 1's reward for pushing: come near, then `approach_v1`.

    Args:
        reached: the fingers' distance from the object, metres.
        error: the object's distance from the goal, metres.
        error_at_start: the same at reset.
    """
    return (approach_v1(error, error_at_start) if reached < 0.05 else 0.0) - reached


def reaching_v1(now, obj, init_tcp, aside_radius, height_weight, effort, single):
    """Returns version 1's reward for reaching an object to be lifted: minus the distance, plus closing there.

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


def picking_v1(height, rest, lifted, reached):
    """Returns version 1's reward for picking something up: 100 for each metre of its height, up to `lifted`.

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


def lift_v1(now, obj, obj_init, init_tcp, target, height, lift, bottom, effort, single):
    """Returns version 1's reward for lifting: reach, then 100 for each metre up, then `approach_v1`.

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
