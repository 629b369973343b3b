"""Observations that are pictures, alone or beside the world's own observation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.rendering.views import STATE, Views
from taskworlds.rows.protocol import Rows
from taskworlds.vector.observations import LastStep, Observations
from taskworlds.vector.options import Options

__all__ = ["PictureObservations", "observe_pictures"]


def observe_pictures(
    state: Observations, views: Views, rows: Rows, num_rows: int, options: Options, engine: str
) -> PictureObservations:
    """Returns the observations of rows that are seen. Rows whose engine does not draw are closed.

    Raises:
        ValueError: the engine's rows do not draw observations.
    """
    try:
        with_state = options.observation == "state+pixels"
        return PictureObservations(state, views, rows, num_rows, with_state=with_state, engine=engine)
    except BaseException:
        rows.close()
        raise


class PictureObservations(Observations):
    """The pictures of N rows, drawn whenever a row begins or steps, and the state's observations if they are wanted.

    One picture alone is an array; else observations are a dictionary of them.

    Args:
        state: the state's observations, which are kept up in any case.
        views: which pictures.
        rows: the engine's rows, which draw.
        num_rows: how many rows, N.
        with_state: whether the state is observed, too.
        engine: the engine's name, for messages.

    Attributes:
        space: a row's observation.
        values: the batch of the latest observations; written to again and again.
        normalizer: of the state's observations, or None.

    Raises:
        ValueError: the engine's rows do not draw observations.
    """

    def __init__(
        self, state: Observations, views: Views, rows: Rows, num_rows: int, *, with_state: bool, engine: str
    ) -> None:
        if not hasattr(rows, "pictures"):
            raise WrongValue(
                f'observation must be "state" with the engine {engine!r}, whose rows do not draw observations: they '
                "have no method pictures(views, rows). Leave it out, or choose another vector_strategy.",
                argument="observation",
            )
        self._state, self._views, self._rows, self._with_state = state, views, rows, with_state
        self.normalizer = state.normalizer
        parts: dict[str, gym.Space[Any]] = {STATE: state.space} if with_state else {}
        for name, (_, depth) in zip(views.names, views.shots, strict=True):
            size = views.height, views.width
            parts[name] = (
                gym.spaces.Box(0.0, np.inf, size, np.float32)
                if depth
                else gym.spaces.Box(0, 255, (*size, 3), np.uint8)
            )
        self._alone = len(parts) == 1
        space = next(iter(parts.values())) if self._alone else gym.spaces.Dict(parts)
        super().__init__(num_rows, space)
        if with_state:
            self.values[STATE] = state.values

    @property
    def layout(self) -> dict[str, slice]:
        """Where each part of the state's observation stands; empty where it is not observed."""
        return self._state.layout if self._with_state else {}

    def set_task(self, row: int, task: Task | None) -> None:
        """Tells which task a row has from now on."""
        self._state.set_task(row, task)

    def write(
        self, world: Any, rows: NDArray[np.bool_], last_step: LastStep | None, *, begins: bool = False
    ) -> None:
        """Writes the state's observations of `rows`, and draws them; see `Observations.write`."""
        self._state.write(world, rows, last_step, begins=begins)
        if self._with_state:
            self.values[STATE] = self._state.values  # which some spaces replace
        chosen = np.flatnonzero(rows)
        if not chosen.size:
            return
        for row, pictures in zip(chosen, self._rows.pictures(self._views, rows), strict=True):
            for name, picture in zip(self._views.names, pictures, strict=True):
                target = self.values if self._alone else self.values[name]
                if picture.shape != target.shape[1:]:
                    raise RuntimeError(
                        f"A picture of row {row} is {picture.shape} and not {target.shape[1:]}, as its World's "
                        "picture_size says: correct it."
                    )
                target[row] = picture

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Returns the latest pictures, and what the state's observations need."""
        return {"state": self._state.get_state(), "values": batches.to_plain(self.space, self.values)}

    def check_state(self, state: Mapping[str, Any], num_rows: int) -> None:
        """Raises ValueError for anything but the state of `num_rows` rows that these rows could take."""
        self._state.check_state(state["state"], num_rows)
        batches.from_plain(self.space, state["values"], num_rows)

    def set_state(self, state: Mapping[str, Any], source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,)."""
        self._state.set_state(state["state"], source)
        super().set_state(state, source)
        if self._with_state:
            self.values[STATE] = self._state.values
