"""Products that combine the parts of a reward, in float32 where NumPy would compute so."""

from __future__ import annotations

import numpy as np

__all__ = ["hamacher_product", "hamacher_product_as", "rounded", "tool_reward"]


def rounded(x, single):
    """Returns `x` as float32 holds it, if `single`."""
    return float(np.float32(x)) if single else x


def hamacher_product(a, b):
    """Returns the Hamacher t-norm of two numbers in [0, 1]: small if one of them is small."""
    denominator = a + b - a * b
    return a * b / denominator if denominator > 0.0 else 0.0


def hamacher_product_as(a, b, single):
    """Returns the Hamacher product; if `single`, computed in float32 step by step."""
    if not single:
        return hamacher_product(a, b)
    a, b = rounded(a, True), rounded(b, True)
    product = rounded(a * b, True)
    denominator = rounded(rounded(a + b, True) - product, True)
    return rounded(product / denominator, True) if denominator > 0.0 else 0.0


def tool_reward(grasped, in_place, orientation, soft):
    """Returns the reward for a tool: grasp (0..2) plus place (0..6), times its orientation (0..1).

    Args:
        grasped: 0 to 1.
        in_place: 0 to 1.
        orientation: 0 to 1.
        soft: whether `grasped` is a float32 number.
    """
    total = rounded(2.0 * grasped + rounded(6.0 * in_place, soft), soft)
    return rounded(total * rounded(orientation, soft), soft)
