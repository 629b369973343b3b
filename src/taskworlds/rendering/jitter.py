"""How cameras stand elsewhere than they should: turned around what they look at, tilted, rolled, nearer or farther."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Jitter"]


class Jitter(NamedTuple):
    """A displacement of cameras.

    Attributes:
        yaw: turn around the vertical through the point that is looked at, radians, counter-clockwise from above.
        pitch: turn around the horizontal through that point, radians; the camera sinks and looks up.
        roll: turn of the camera around its own axis, radians, counter-clockwise as it sees the world.
        zoom: how much farther away the camera is, as a share of its distance; below 0 it is nearer.
    """

    yaw: float
    pitch: float
    roll: float
    zoom: float

    def moved(
        self,
        position: NDArray[np.float64],
        axes: NDArray[np.float64],
        centre: Sequence[float] | NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns where a camera stands, and how it is turned.

        Args:
            position: where it should stand in the world, (3,), metres.
            axes: its axes as columns: to the right, up, and backwards, (3, 3).
            centre: the point that it turns around, metres.

        Example:
            >>> looks_down = np.eye(3)
            >>> position, _ = Jitter(0.0, 0.0, 0.0, 0.5).moved(np.array([0.0, 0.0, 2.0]), looks_down, (0.0, 0.0, 0.0))
            >>> position.tolist()
            [0.0, 0.0, 3.0]
        """
        turn = _turn((0.0, 0.0, 1.0), self.yaw) @ _turn(axes[:, 0], self.pitch)
        turned = turn @ axes
        place = np.asarray(centre) + turn @ (position - centre) * (1.0 + self.zoom)
        return place, _turn(turned[:, 2], self.roll) @ turned

    def free(self, azimuth: float, elevation: float, distance: float) -> tuple[float, float, float]:
        """Returns the two angles, degrees, and the distance, metres, of a free camera, which cannot roll."""
        return (
            azimuth + math.degrees(self.yaw),
            elevation + math.degrees(self.pitch),
            distance * (1.0 + self.zoom),
        )


def _turn(axis: Sequence[float] | NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Returns the matrix of a turn around an axis of length one, by Rodrigues' formula."""
    x, y, z = axis
    across = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turn: NDArray[np.float64] = (
        np.eye(3) + math.sin(angle) * across + (1.0 - math.cos(angle)) * across @ across
    )
    return turn
