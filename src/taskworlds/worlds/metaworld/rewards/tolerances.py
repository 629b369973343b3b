"""How nearly something is as it should be: functions that give 1 where it is, and less the farther it is off.

`long_tail` and `gaussian` are the two shapes of dm_control's `tolerance` that Meta-World uses, with 0.1 at the margin.
"""

from __future__ import annotations

import math

__all__ = ["funnel_above", "gaussian", "long_tail", "upright"]

_LONG_TAIL_SCALE = math.sqrt(1.0 / 0.1 - 1.0)  # value 0.1 at the margin
_GAUSSIAN_SCALE = math.sqrt(-2.0 * math.log(0.1))


def _excess(x, lower, upper, margin):
    """Says how far `x` is outside [lower, upper], in margins; -1 inside. Without a margin, infinity outside."""
    if lower <= x <= upper:
        return -1.0
    if margin == 0.0:
        return math.inf
    return (lower - x if x < lower else x - upper) / margin


def long_tail(x, lower, upper, margin):
    """Returns 1 where `x` is in [lower, upper], and outside falls off like 1 / d^2, to 0.1 at the margin."""
    d = _excess(x, lower, upper, margin)
    if d == -1.0:
        return 1.0
    return 1.0 / ((d * _LONG_TAIL_SCALE) ** 2 + 1.0)


def gaussian(x, lower, upper, margin):
    """Returns 1 where `x` is in [lower, upper], and outside falls off like a bell curve, to 0.1 at the margin."""
    d = _excess(x, lower, upper, margin)
    if d == -1.0:
        return 1.0
    return math.exp(-0.5 * (d * _GAUSSIAN_SCALE) ** 2)


def funnel_above(height, radius, steepness, rim, margin):
    """Returns the reward for a hand being above a funnel, so that it clears the edges around an object, 0 to 1.

    Args:
        height: the hand's height, metres.
        radius: how far from the funnel's axis it is; within 0.03 m the funnel is open, metres.
        steepness: metres that the funnel rises while `radius` grows by a factor of e.
        rim: the funnel's height 1.03 m from its axis, metres.
        margin: metres below the funnel, beyond 0.01, where the reward is 0.1.
    """
    floor = steepness * math.log(radius - 0.03) + rim if radius > 0.03 else 0.0
    return long_tail(max(floor - height, 0.0), 0.0, 0.01, margin)


def upright(quat, ideal, slack):
    """Returns the reward for an orientation: 1 at the ideal, 0 where it is `slack` away, linear between.

    Args:
        quat: the quaternion, (4,).
        ideal: the one that is wanted, likewise. Its negative, which is the same orientation, does not count.
        slack: length of the difference of the two.
    """
    squares = 0.0
    for i in range(4):
        squares += (quat[i] - ideal[i]) ** 2
    return max(1.0 - math.sqrt(squares) / slack, 0.0)
