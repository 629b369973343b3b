"""`HostedRows`: rows in a worker's process, and how it answers to the driver. `RayPart` is their other end."""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import World
from taskworlds.rows.mixed import MixedPlan
from taskworlds.rows.protocol import Rows, RowStep
from taskworlds.rows.step_line import LineOffer, WorkersEnd, taken_line

__all__ = ["HostedRows", "Reply", "make_hosted_mixed_rows", "make_hosted_rows"]


class Reply(NamedTuple):
    """An answer to the driver.

    Attributes:
        value: what the rows returned.
        goals: the rows' goals, (N, G) float64; None where the call leaves them.
        state: the rows' state after the call, pickled; None where it was not asked for.
    """

    value: Any
    goals: NDArray[np.float64] | None = None
    state: bytes | None = None


class HostedRows:
    """Rows that are asked from another process.

    Args:
        rows: the rows.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._line: WorkersEnd | None = None

    def ask(self, method: str, given: bytes, with_state: bool) -> Reply:
        """Calls a method of the rows.

        Args:
            method: the method. The outcome of "get_state" is the reply's state.
            given: pickled, its arguments: those by place, and those by name.
            with_state: whether to tell the state after the call, too.
        """
        if method == "get_state":
            return Reply(None, state=self._state())
        args, kwargs = pickle.loads(given)
        value = getattr(self._rows, method)(*args, **kwargs)
        return Reply(value, self._rows.goals, self._state() if with_state else None)

    def step(self, actions: Any, rows: NDArray[np.bool_], with_state: bool) -> Reply:
        """Steps the rows; the outcome is in the reply."""
        step = self._rows.step(batches.copied(actions), rows.copy())  # what came in a message is read-only
        return self._told(step, with_state)

    def _told(self, step: RowStep, with_state: bool) -> Reply:
        return Reply(step, self._rows.goals, self._state() if with_state else None)

    def share(self, offer: LineOffer) -> bool:
        """Opens a line to the driver; returns whether it can be reached from here."""
        self._line = None
        try:
            self._line = taken_line(offer)
        except OSError:
            return False
        return True

    def serve(self) -> Reply | None:
        """Steps the rows whenever the driver rings, until it hangs up, or until an outcome does not fit the line.

        Returns:
            That outcome; None if there was none.
        """
        line = self._line
        assert line is not None
        ended = True
        while line.wait():
            try:
                actions, rows = line.asked.values
                step = self._rows.step(batches.copied(actions), rows.copy())
                ended = bool(step.faults) or not line.told.put((step[:-1], self._rows.goals))
            finally:
                line.answer(ended=ended)
            if ended:
                return self._told(step, with_state=False)
            ended = True
        return None

    def _state(self) -> bytes:
        return pickle.dumps(self._rows.get_state(), pickle.HIGHEST_PROTOCOL)

    def set_state(self, state: bytes) -> None:
        """Puts all rows into a state that a reply told, of as many rows."""
        self._rows.set_state(pickle.loads(state), np.arange(self._rows.num_rows))


def make_hosted_rows(
    engine: RowEngine,
    world: World,
    env_names: list[str],
    num_rows: int,
    settings: dict[str, Any],
    options: dict[str, Any],
) -> HostedRows:
    """Makes the rows in a worker's process; the arguments are those of `RowEngine.make`."""
    _prepare_drawing(world, settings)
    return HostedRows(engine.make(world, env_names, num_rows, settings, options))


def make_hosted_mixed_rows(plan: MixedPlan) -> HostedRows:
    """Makes the rows of several worlds in a worker's process."""
    for each in plan.worlds:
        _prepare_drawing(each.world, each.settings)
    return HostedRows(plan.make())


def _prepare_drawing(world: World, settings: dict[str, Any]) -> None:
    if settings.get("render_mode") is not None and "camera_name" in world.settings:
        from taskworlds.rendering import offscreen  # has to come before MuJoCo, and is for pictures alone

        offscreen.prepare()
