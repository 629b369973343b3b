"""Gymnasium's infos of a batch: under each name the rows' values, and under `_name` for which rows they hold."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.rows.protocol import RowFault
from taskworlds.vector._batch import describe

__all__ = ["keep", "merge", "put", "report"]


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


def report(
    infos: dict[str, Any], faults: Sequence[RowFault], num_rows: int, where: Callable[[int], str]
) -> None:
    """Notes in infos the rows whose simulation diverged, with a warning for each.

    Args:
        infos: the infos of the step.
        faults: what the simulator said of rows.
        num_rows: how many rows, N.
        where: tells of a row its step and task.

    Raises:
        RuntimeError: a row could not be stepped.
    """
    diverged = np.zeros(num_rows, dtype=np.bool_)
    for fault in faults:
        if not fault.went_on:
            raise RuntimeError(f"MuJoCo could not step {where(fault.row)}: {fault.what}")
        diverged[fault.row] = True
        warnings.warn(
            f"The simulation of {where(fault.row)} diverged ({fault.what}). MuJoCo put it back to the model's initial "
            "state, as it does in the official environment; the rest of the episode means little.",
            RuntimeWarning,
            stacklevel=4,
        )
    infos |= describe(diverged, {"diverged": np.ones(num_rows)})
