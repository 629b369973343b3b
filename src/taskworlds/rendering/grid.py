"""Several pictures in one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue, check_count

__all__ = ["grid"]


def grid(pictures: Sequence[Any], rows: Sequence[int] | None, columns: int | None) -> NDArray[Any]:
    """Arranges pictures of one size in a grid, line by line; see `TaskVectorEnv.render_grid`.

    Example:
        >>> tiles = [np.full((2, 3, 3), value, np.uint8) for value in (1, 2, 3)]
        >>> grid(tiles, None, 2).shape, grid(tiles, [2, 0], 1)[:, 0, 0].tolist()
        ((4, 6, 3), [3, 3, 1, 1])
    """
    chosen = range(len(pictures)) if rows is None else list(rows)
    if not len(chosen):
        raise WrongValue("rows must name at least one row.", argument="rows")
    for row in chosen:
        if not (isinstance(row, int | np.integer) and 0 <= row < len(pictures)):
            raise WrongValue(
                f"rows must be numbers from 0 to {len(pictures) - 1}, not {row!r}.", argument="rows"
            )
    if pictures[0] is None:
        raise RuntimeError(
            'A window has no picture to return: make the environment with render_mode="rgb_array".'
        )
    width = math.ceil(math.sqrt(len(chosen))) if columns is None else check_count("columns", columns)
    lines = math.ceil(len(chosen) / width)
    shape = pictures[0].shape
    whole = np.zeros((lines * shape[0], width * shape[1], *shape[2:]), dtype=pictures[0].dtype)
    for place, row in enumerate(chosen):
        top, left = place // width * shape[0], place % width * shape[1]
        whole[top : top + shape[0], left : left + shape[1]] = pictures[row]
    return whole
