"""Gymnasium's infos of a batch: under each name the rows' values, and under `_name` for which rows they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["keep", "merge", "put"]


def put(infos: dict[str, Any], name: str, values: Any, rows: NDArray[np.bool_]) -> None:
    """Adds an entry, and beside it a copy of the rows for which it holds."""
    infos[name], infos[f"_{name}"] = values, rows.copy()


def keep(infos: dict[str, Any], rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Copies what infos say of `rows`, without entries that say nothing of them."""
    kept: dict[str, Any] = {}
    for name, values in infos.items():
        if name.startswith("_"):
            continue
        present = infos[f"_{name}"] & rows
        if not present.any():
            continue
        mine: Any
        if isinstance(values, dict):
            mine = keep(values, rows)
        else:
            mine = np.full(values.shape, None if values.dtype == object else 0, dtype=values.dtype)
            mine[present] = values[present]
        put(kept, name, mine, present)
    return kept


def merge(infos: dict[str, Any], more: dict[str, Any]) -> None:
    """Adds what `more` says of other rows."""
    for name, values in more.items():
        if name.startswith("_"):
            continue
        rows = more[f"_{name}"]
        if name in infos:
            infos[name][rows] = values[rows]
            infos[f"_{name}"] |= rows
        else:
            put(infos, name, values, rows)
