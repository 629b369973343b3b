"""The skills of dm_control's families on the native engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskworlds.core.task import Task
from taskworlds.rows.model_rows import ModelRows
from taskworlds.worlds.control.kernels import native
from taskworlds.worlds.control.row import ControlRow
from taskworlds.worlds.control.skills import skill

__all__ = ["make_rows"]


def make_rows(
    env_names: Sequence[str],
    num_rows: int,
    *,
    reward_function_version: str = "dm_control",
    num_threads: int | None = None,
    **drawing: Any,
) -> ModelRows:
    """Makes the rows of a skill; see `World.make_native_rows`."""
    name = env_names[0]
    row = ControlRow(name, reward_function_version, **drawing)
    base = Task(name)
    row.next_task = base
    row.reset(seed=0)
    return ModelRows(
        native(name, row.inner._n_sub_steps),
        row,
        base,
        num_rows,
        goal_size=0,
        action_size=skill(name).action_size,
        params=lambda task: (),
        model_key=lambda task: task.params,
        num_threads=num_threads,
    )
