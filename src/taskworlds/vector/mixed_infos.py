"""The infos of a batch of several worlds: what a world does not have is not told of its rows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.world import World
from taskworlds.rows.protocol import Rows
from taskworlds.vector.assignments import Assignments
from taskworlds.vector.composition import Composition
from taskworlds.vector.infos import Infos
from taskworlds.vector.observations import Observations
from taskworlds.vector.options import Options
from taskworlds.vector.progress import Progress

__all__ = ["MixedInfos"]


class MixedInfos(Infos):
    """As `Infos`, where rows serve several worlds.

    All rows have all names. Under a name that a row's world does not have stands 0, and its mask is False; `row` leaves
    it out. That holds for success, goals, and what else skills report.

    Args:
        composition, rows, assignments, progress, observations, options, raw_steps: as of `Infos`.
    """

    def __init__(
        self,
        composition: Composition,
        rows: Rows,
        assignments: Assignments,
        progress: Progress,
        observations: Observations,
        options: Options,
        raw_steps: NDArray[np.int64] | None = None,
    ) -> None:
        super().__init__(composition, rows, assignments, progress, observations, options, raw_steps)
        told: dict[str, Callable[[World], Any]] = {
            "goal": lambda world: world.goal_size,
            "success": lambda world: world.has_success,
            "attempt_success": lambda world: world.has_success,
        }
        for name in composition.world.term_names():
            told[name] = functools.partial(_reports, name)
        rows_with = {name: composition.has(has) for name, has in told.items()}
        self._masks = [(f"_{name}", those) for name, those in rows_with.items() if not those.all()]
        self._lacking = [
            [name for name, has in told.items() if not has(world)] for world in composition.worlds
        ]

    def _without(self, infos: dict[str, Any]) -> dict[str, Any]:
        """Takes the rows out of masks that do not have what they are of; returns the infos."""
        for name, rows_with in self._masks:
            mask = infos.get(name)
            if mask is not None:
                np.logical_and(mask, rows_with, mask)
        return infos

    def of_reset(self, rows: NDArray[np.bool_]) -> dict[str, Any]:
        """Returns the infos of a reset of `rows`, (N,) bool."""
        return self._without(super().of_reset(rows))

    def of_step(
        self,
        rows: NDArray[np.bool_],
        ended: NDArray[np.bool_] | None,
        *,
        one: bool = False,
    ) -> dict[str, Any]:
        """Returns the infos of a step; see `Infos.of_step`."""
        return self._without(super().of_step(rows, ended, one=one))

    def end(self, infos: dict[str, Any], done: NDArray[np.bool_], *, one: bool = False) -> None:
        """Adds what is told of episodes that end; see `Infos.end`."""
        super().end(infos, done, one=one)
        if "final_info" in infos:
            self._without(infos["final_info"])

    def started(self, infos: dict[str, Any], rows: NDArray[np.bool_]) -> None:
        """Makes the infos of a step tell of episodes that have begun; see `Infos.started`."""
        super().started(infos, rows)
        self._without(infos)

    def row(self, infos: Mapping[str, Any], row: int) -> dict[str, Any]:
        """Takes one row's info out of a batch's, with what its world has."""
        info = super().row(infos, row)
        for name in self._lacking[info["world_index"]]:  # in infos of some rows, the place is not the row
            info.pop(name, None)
        return info


def _reports(name: str, world: World) -> bool:
    """Returns whether a world's steps may report something under a name."""
    return world.terms is None or name in world.term_names()
