"""p values: how probable a difference at least as large would be if there were none."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import WrongValue

__all__ = ["holm", "mcnemar", "paired", "sign_flip", "welch"]

_DRAWS = 9999  # so that the smallest p value of drawn signs is 1 in 10,000
_ENUMERATED = 13  # non-zero differences up to which all signs are tried, 8,192 of them
_BLOCK = 200_000  # signs at a time, which fit into a processor's cache


def mcnemar(only_first: int, only_second: int) -> float:
    """Returns the mid-p value of McNemar's test: two methods on the same goals, with one episode each.

    Of the goals on which just one method succeeded, each method would have half if they were alike. The mid-p counts
    what was seen itself by half (Fagerland, Lydersen and Laake, 2013): the exact p value is too large on average.

    Args:
        only_first: on how many goals the first method alone succeeded.
        only_second: on how many the second alone did.

    Example:
        >>> round(mcnemar(2, 9), 6), mcnemar(0, 0)
        (0.038574, 1.0)
    """
    from scipy.special import bdtr  # takes a moment, which importing the package does without

    total, fewer = only_first + only_second, min(only_first, only_second)
    below = bdtr(fewer - 1, total, 0.5) if fewer else 0.0
    return float(bdtr(fewer, total, 0.5) + below) if total else 1.0


def sign_flip(differences: ArrayLike, *, seed: int) -> float:
    """Returns the p value of a permutation test of paired differences: their signs are turned at random.

    The statistic is the sum. Up to 13 differences that are not 0 all signs are tried; with more, 9,999 are drawn, and
    what was seen counts as one more.

    Args:
        differences: of each goal, (G,), weighted as in the mean that is tested.
        seed: of the generator that draws.

    Example:
        >>> sign_flip([1.0, 2.0, 3.0, 4.0, 5.0], seed=0)  # all or none turned, of 32
        0.0625
    """
    given = np.asarray(differences, dtype=np.float64)
    if np.isnan(given).any():
        return math.nan
    array = given[given != 0]
    seen = abs(array.sum()) * (1 - 1e-9)  # sums that are equal may differ in the last digits
    if array.size <= _ENUMERATED:
        signs = np.array(list(itertools.product((-1, 1), repeat=array.size)), dtype=np.float64)
        return float((abs(signs @ array) >= seen).mean())
    generator, beyond = np.random.default_rng(seed), 1
    width = -(-array.size // 8)  # bytes that have a bit for each difference
    block = max(1, _BLOCK // array.size)
    for start in range(0, _DRAWS, block):
        rows = min(block, _DRAWS - start)
        drawn = np.frombuffer(generator.bytes(rows * width), dtype=np.uint8).reshape(rows, width)
        turned = np.unpackbits(drawn, axis=1, count=array.size).astype(np.float64) @ array
        beyond += int((abs(array.sum() - 2 * turned) >= seen).sum())
    return beyond / (_DRAWS + 1)


def paired(differences: ArrayLike, weights: ArrayLike, *, seed: int) -> float:
    """Returns the p value of two methods on the same goals.

    McNemar's mid-p where each goal's difference is 1, 0 or -1 and all have equal weight, as success with one episode a
    goal; else the permutation test.

    Args:
        differences: of each goal, (G,).
        weights: of each goal in the mean that is tested, (G,).
        seed: of the generator that draws.

    Example:
        >>> round(paired([1, 1, 1, 1, 0], [0.2] * 5, seed=0), 6)
        0.0625
    """
    array, factors = np.asarray(differences, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if np.isin(array, (-1.0, 0.0, 1.0)).all() and np.ptp(factors) == 0:
        return mcnemar(int((array < 0).sum()), int((array > 0).sum()))
    return sign_flip(array * factors, seed=seed)


def welch(first: ArrayLike, second: ArrayLike) -> tuple[float, float]:
    """Returns the p value of Welch's t test of runs against other runs, and half the width of its 95 % interval.

    Where all runs of each method are alike the t statistic has no meaning. The p value is then that of the permutation
    test over runs, 2 / C(R + Q, R) unless the methods are equal, and the half width is NaN.

    Args:
        first: a figure of each run of one method, (R,), two or more.
        second: the same of the other, (Q,), two or more.

    Raises:
        ValueError: there are fewer.

    Example:
        >>> p, half = welch([0.1, 0.2, 0.3], [0.5, 0.6, 0.7])
        >>> round(p, 4), round(half, 4)
        (0.008, 0.2267)
        >>> welch([1.0, 1.0, 1.0], [0.0, 0.0, 0.0])
        (0.1, nan)
    """
    from scipy.special import stdtr, stdtrit  # as above

    arrays = [np.asarray(each, dtype=np.float64) for each in (first, second)]
    if any(array.size < 2 for array in arrays):
        raise WrongValue(
            f"Both methods must have two runs or more, not {arrays[0].size} and {arrays[1].size}. Evaluate more "
            "training seeds."
        )
    difference = float(arrays[1].mean() - arrays[0].mean())
    if math.isnan(difference):
        return math.nan, math.nan
    parts = [array.var(ddof=1) / array.size if np.ptp(array) > 0 else 0.0 for array in arrays]
    variance = sum(parts)
    if variance == 0:
        sizes = [array.size for array in arrays]
        alike = arrays[0][0] == arrays[1][0]
        return 1.0 if alike else min(1.0, 2 / math.comb(sum(sizes), sizes[0])), math.nan
    # Welch and Satterthwaite's degrees of freedom.
    freedom = variance**2 / sum(part**2 / (array.size - 1) for part, array in zip(parts, arrays, strict=True))
    error = math.sqrt(variance)
    return float(2 * stdtr(freedom, -abs(difference) / error)), float(stdtrit(freedom, 0.975) * error)


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p values corrected for being many (Holm, 1979), in the same order; NaN stays NaN and does not count.

    If those below 0.05 are called differences, the probability that any of them is none is at most 0.05.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    array: NDArray[np.float64] = np.asarray(p_values, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(array))
    order = known[np.argsort(array[known], kind="stable")]
    adjusted = np.full(array.shape, math.nan)
    factors = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(array[order] * factors), 1.0)
    return [float(each) for each in adjusted]
