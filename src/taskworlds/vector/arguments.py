"""The checks of what `reset` and `step` are given beside actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import WrongType, WrongValue, check_seed

__all__ = ["check_options", "row_mask", "row_seeds"]

_RESET_OPTIONS = ("reset_mask", "tasks")


def row_mask(argument: str, mask: ArrayLike | None, num_rows: int) -> NDArray[np.bool_]:
    """Returns which rows a mask chooses, (N,) bool, a copy; all for None.

    Raises:
        ValueError: it is not a bool array with one entry for each row.
    """
    if mask is None:
        return np.ones(num_rows, dtype=np.bool_)
    array = np.asarray(mask)
    if array.dtype != np.bool_ or array.shape != (num_rows,):
        raise WrongValue(
            f"{argument} must be a bool array of shape ({num_rows},), not {array.dtype} of shape {array.shape}.",
            argument=argument,
        )
    rows: NDArray[np.bool_] = array.copy()
    return rows


def check_options(options: dict[str, Any] | None) -> dict[str, Any]:
    """Returns the options of a reset.

    Raises:
        TypeError: one is not known.
    """
    options = dict(options or {})
    unknown = sorted(map(str, set(options) - set(_RESET_OPTIONS)))
    if unknown:
        raise WrongType(f"reset takes the options {' and '.join(_RESET_OPTIONS)}, not {', '.join(unknown)}.")
    return options


def row_seeds(
    seed: int | Sequence[int | None] | None, num_rows: int, group_size: int | None = None
) -> list[int | None]:
    """Returns the seed of each row, of what `reset` was given; rows of a group share one, unless a list says it all.

    Raises:
        TypeError: a seed is not a whole number.
        ValueError: one is out of range, or they are not as many as rows.
    """
    if seed is None:
        return [None] * num_rows
    if isinstance(seed, np.ndarray):
        seed = seed.tolist()
    if isinstance(seed, Sequence):
        if len(seed) != num_rows:
            raise WrongValue(
                f"seed must have one entry for each of the {num_rows} rows, not {len(seed)}.", argument="seed"
            )
        return [None if each is None else check_seed(each) for each in seed]
    first = check_seed(seed)
    return [first + row // (group_size or 1) for row in range(num_rows)]
