"""The engines of this package: their records, and what makes their rows."""

from __future__ import annotations

import functools
from typing import Any

from taskworlds.core.reference import resolve
from taskworlds.core.registry import default_engine
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import World
from taskworlds.rows.protocol import Rows

__all__ = ["ENGINES"]


def _own_rows(
    engine: str, world: World, env_names: list[str], num_rows: int, settings: dict[str, Any], **options: Any
) -> Rows:
    """Makes the rows that a world has for an engine."""
    rows: Rows = resolve(world.rows[engine])(env_names, num_rows, **settings, **options)
    return rows


def _python_rows(
    strategy: str, world: World, env_names: list[str], num_rows: int, settings: dict[str, Any], **options: Any
) -> Rows:
    """Makes rows of a world's Python environments, under Gymnasium's vector environments."""
    from taskworlds.rows.gymnasium_rows import GymnasiumRows  # only where it is used: it starts processes

    draws = settings.get("render_mode") is not None
    make_row = functools.partial(world.make_row, **settings)
    return GymnasiumRows(strategy, make_row, num_rows, world.goal_size, draws=draws, **options)


def _rows_inside(world: World) -> RowEngine | None:
    """Returns the engine whose rows workers step, a few in each process: one that needs no processes of its own."""
    return default_engine(world, "sync")


def _has_python_rows(world: World) -> bool:
    return world.row is not None


ENGINES = (
    RowEngine(
        "native",
        functools.partial(_own_rows, "native"),
        options=("num_threads",),
        snapshot="native",
        exact=True,
        summary="C++ threads over MuJoCo",
    ),
    RowEngine(
        "numpy",
        functools.partial(_own_rows, "numpy"),
        snapshot="numpy",
        exact=True,
        summary="all rows at once, in NumPy",
    ),
    RowEngine(
        "sync",
        functools.partial(_python_rows, "sync"),
        steps=_has_python_rows,
        snapshot="official",
        exact=True,
        summary="the official Python environments, one after the other",
    ),
    RowEngine(
        "async",
        functools.partial(_python_rows, "async"),
        steps=_has_python_rows,
        options=("worker_timeout",),
        snapshot="official",
        exact=True,
        summary="the official Python environments, each in a process of its own",
    ),
    RowEngine(
        "ray",
        "taskworlds.rows.ray_rows:make_ray_rows",
        options=("num_workers", "cpus_per_worker", "address"),
        summary="the world's best engine, in processes that Ray runs on one machine or many",
        inside=_rows_inside,
        make_mixed_rows="taskworlds.rows.ray_rows:make_mixed_ray_rows",
    ),
)
