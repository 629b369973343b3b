"""All rows of a small world at once: what `PointEnv` and `GridWorldEnv` compute, to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.rows.numpy_rows import NumpyRows
from taskworlds.worlds.small.arena import ARENA_SIZE, SUCCESS_DISTANCE, check_goal, moved, observations
from taskworlds.worlds.small.grid_map import read_map, transitions
from taskworlds.worlds.small.grid_world import draw_grid
from taskworlds.worlds.small.point import draw_point

__all__ = ["GridRows", "PointRows"]

Advanced = tuple[NDArray[np.float64], dict[str, NDArray[np.float64]], NDArray[np.bool_]]


class PointRows(NumpyRows):
    """Points that come close to goals, as `PointEnv` with its default arguments."""

    arrays = ("points",)

    def __init__(self, env_names: Sequence[str], num_rows: int, *, render_mode: str | None = None) -> None:
        super().__init__(num_rows, goal_size=2)
        self.points = np.zeros((num_rows, 2), np.float32)

    def begin(self, rows: NDArray[np.intp], tasks: Sequence[Task], seeds: NDArray[np.int64]) -> None:
        """Puts points at the origin."""
        self.points[rows] = 0.0
        self.goals[rows] = [check_goal(task["goal"], ARENA_SIZE) for task in tasks]

    def advance(self, actions: NDArray[Any], rows: NDArray[np.bool_]) -> Advanced:
        """Moves points."""
        np.copyto(self.points, moved(self.points, actions, ARENA_SIZE), where=rows[:, None])
        distances = self.observe()[:, 2].astype(np.float64)
        success = distances < SUCCESS_DISTANCE
        return -distances, {"success": success.astype(np.float64)}, success

    def observe(self) -> NDArray[np.float32]:
        """Returns x, y and the distance to the goal, (N, 3) float32."""
        return observations(self.points, self.goals.astype(np.float32))

    def render(self) -> tuple[NDArray[np.uint8], ...]:
        """Returns pictures, each (400, 400, 3) uint8."""
        return tuple(
            draw_point(point, goal, ARENA_SIZE) for point, goal in zip(self.points, self.goals, strict=True)
        )


class GridRows(NumpyRows):
    """Agents that cross a map, as `GridWorldEnv`.

    Args:
        desc: the map's name.
        env_names: the world's one skill.
        num_rows: how many rows, N.
        render_mode: "rgb_array" or None.
    """

    arrays = ("cells",)

    def __init__(
        self, desc: str, env_names: Sequence[str], num_rows: int, *, render_mode: str | None = None
    ) -> None:
        super().__init__(num_rows)
        self._map = read_map(desc)
        self._letters = self._map.reshape(-1)
        self._transitions = transitions(self._map)
        self._start = int(np.flatnonzero(self._letters == "S")[0])
        self.cells = np.full(num_rows, self._start, np.int64)

    def begin(self, rows: NDArray[np.intp], tasks: Sequence[Task], seeds: NDArray[np.int64]) -> None:
        """Puts agents at S."""
        self.cells[rows] = self._start

    def advance(self, actions: NDArray[Any], rows: NDArray[np.bool_]) -> Advanced:
        """Moves agents by one cell."""
        self.cells[rows] = self._transitions[self.cells[rows], actions[rows]]
        letters = self._letters[self.cells]
        success = letters == "G"
        rewards = success.astype(np.float64)
        return rewards, {"success": rewards.copy()}, success | (letters == "H")

    def observe(self) -> NDArray[np.int64]:
        """Returns the agents' cells, (N,) int64."""
        cells: NDArray[np.int64] = self.cells.copy()
        return cells

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """See `Rows.set_state`."""
        cells = state.get("cells") if isinstance(state, dict) else None
        if isinstance(cells, np.ndarray) and not np.isin(cells, np.arange(self._letters.size)).all():
            raise WrongValue(
                f"The state cannot be restored: cells must be from 0 to {self._letters.size - 1}."
            )
        super().set_state(state, source)

    def render(self) -> tuple[NDArray[np.uint8], ...]:
        """Returns pictures, each (height, width, 3) uint8."""
        return tuple(draw_grid(self._map, cell) for cell in self.cells.tolist())
