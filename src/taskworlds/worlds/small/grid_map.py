"""The maps of the grid worlds, and where each action leads.

S  start              F or .  free
W or x  wall          H or o  hole: ends the episode without reward
G  goal: reward 1, ends the episode
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from taskworlds.core.errors import WrongType, WrongValue, check_known

__all__ = ["MAPS", "MOVES", "read_map", "transitions"]

MAPS: dict[str, tuple[str, ...]] = {
    "chain": ("GFFFFFFFFFFFFFSFFFFFFFFFFFFFG",),
    "4x4": (
        "SFFF",
        "FHFH",
        "FFFH",
        "HFFG",
    ),
    "4x4_safe": (
        "SFFF",
        "FWFW",
        "FFFW",
        "WFFG",
    ),
    "8x8": (
        "SFFFFFFF",
        "FFFFFFFF",
        "FFFHFFFF",
        "FFFFFHFF",
        "FFFHFFFF",
        "FHHFFFHF",
        "FHFFHFHF",
        "FFFHFFFG",
    ),
}

LETTERS = "SFWHG"
ALIASES = {".": "F", "o": "H", "x": "W"}
MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))  # (rows, columns) for left, down, right, up


def read_map(desc: Any) -> npt.NDArray[np.str_]:
    """Returns a map as letters, (rows, columns), with the aliases replaced.

    Raises:
        TypeError, ValueError: it is not a map; see `GridWorldEnv`.
    """
    if isinstance(desc, str):
        rows = list(MAPS[check_known("map", desc, MAPS, f"The maps are {', '.join(MAPS)}.")])
    else:
        try:
            rows = ["".join(row) for row in desc]
        except TypeError:
            raise WrongType(
                f"desc must be the name of a map ({', '.join(MAPS)}) or a list of strings, not {desc!r}.",
                argument="desc",
            ) from None
    if not rows or not rows[0]:
        raise WrongValue(
            f"desc must have at least one row of at least one cell, not {desc!r}.", argument="desc"
        )
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise WrongValue(
                f"desc must have rows of one length, but row 0 ({rows[0]!r}) has {len(rows[0])} cells and "
                f"row {number} ({row!r}) has {len(row)}. Fill the shorter one with walls (W).",
                argument="desc",
            )
        for col, cell in enumerate(row):
            if ALIASES.get(cell, cell) not in LETTERS:
                raise WrongValue(
                    f"desc must contain only the letters S, F or ., W or x, H or o, and G, not {cell!r} "
                    f"(row {number}, column {col}).",
                    argument="desc",
                )
    letters = np.array([[ALIASES.get(cell, cell) for cell in row] for row in rows])
    starts = int((letters == "S").sum())
    if starts != 1:
        raise WrongValue(f"desc must have exactly one start (S), not {starts}: {rows!r}.", argument="desc")
    return letters


def transitions(letters: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """Returns the cell that each action leads to from each cell of a map, (cells, 4) int64.

    Example:
        >>> transitions(read_map(["SWG"]))[0].tolist()  # a border, a border, a wall, a border
        [0, 0, 0, 0]
    """
    n_rows, n_cols = letters.shape
    rows, cols = np.divmod(np.arange(letters.size), n_cols)
    table = np.empty((letters.size, len(MOVES)), np.int64)
    for action, (down, right) in enumerate(MOVES):
        cells = np.clip(rows + down, 0, n_rows - 1) * n_cols + np.clip(cols + right, 0, n_cols - 1)
        table[:, action] = np.where(letters.flat[cells] == "W", np.arange(letters.size), cells)
    return table
