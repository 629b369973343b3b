"""The locomotion skills on the native engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskworlds.core.task import Task
from taskworlds.rows.model_rows import ModelRows
from taskworlds.worlds.locomotion.kernels import Body, native
from taskworlds.worlds.locomotion.row import LocomotionRow
from taskworlds.worlds.locomotion.skills import skill

__all__ = ["make_rows"]


def make_rows(
    env_names: Sequence[str],
    num_rows: int,
    *,
    reward_function_version: str = "v1",
    num_threads: int | None = None,
    **drawing: Any,
) -> ModelRows:
    """Makes the rows of a skill; see `World.make_native_rows`."""
    each = skill(env_names[0])
    row = LocomotionRow(each.name, reward_function_version, **drawing)
    env: Any = row.inner

    def params(task: Task) -> tuple[float, ...]:
        return (0.0 if task["partially_observable"] else 1.0, *each.goal(task.params))

    return ModelRows(
        native(each, Body(env.dt, env.frame_skip, float(env.init_qpos[1]))),
        row,
        each.task(each.default),
        num_rows,
        goal_size=each.goal_size,
        action_size=each.action_size,
        params=params,
        model_key=lambda task: tuple(task[name] for name in each.model_params),
        num_threads=num_threads,
    )
