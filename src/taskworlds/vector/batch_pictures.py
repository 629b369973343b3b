"""The pictures of a batch that are asked for, and its cameras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import World
from taskworlds.rendering import grid
from taskworlds.rows.protocol import Rows
from taskworlds.vector import camera_matrices
from taskworlds.vector.batch_properties import BatchProperties
from taskworlds.vector.camera_matrices import CameraMatrices
from taskworlds.vector.guard import Guard, guarded

__all__ = ["BatchPictures"]


class BatchPictures(BatchProperties):
    """What `TaskVectorEnv` draws when it is asked to. What is drawn for observations is in `PictureObservations`."""

    guard: Guard
    world: World
    engine: RowEngine
    rows: Rows

    def check_ready(self, call: str, rows: NDArray[Any] | None = None) -> None:
        """Raises RuntimeError if the environment is closed, or a step is under way.

        :meta private:
        """
        raise NotImplementedError

    @guarded
    def render(self) -> tuple[Any, ...]:
        """Returns one picture of each row, in the `render_mode` that the environment was made with.

        Returns:
            N pictures: (height, width, 3) uint8 for "rgb_array", (height, width) float32, metres, for "depth_array";
            None for "human", which draws into a window.

        Raises:
            RuntimeError: it was made without one, or there was no reset yet.
        """
        self.check_ready("render()")
        if self.render_mode is None:
            raise RuntimeError('There is no picture: make the environment with render_mode="rgb_array".')
        if None in self.assignments.current:
            raise RuntimeError("There is no picture before the first reset: call reset().")
        return self.rows.render()

    def render_grid(self, rows: Sequence[int] | None = None, columns: int | None = None) -> NDArray[Any]:
        """Returns one picture of several rows, side by side.

        Args:
            rows: which rows, in the order of the picture; None for all.
            columns: pictures beside each other; None for a grid that is about as wide as high.

        Returns:
            (height, width, 3) uint8; for depth (height, width) float32. Places without a row are black.

        Raises:
            ValueError: a row does not exist.
            RuntimeError: as for `render`, or the environment draws into a window.
        """
        return grid.grid(self.render(), rows, columns)

    @guarded
    def camera_matrices(self, name: str | None = None) -> CameraMatrices:
        """Returns where a camera stands in each row, and how it projects onto a picture of `width` and `height`.

        It is where pictures that are observed show it from: `camera_poses` count.

        Args:
            name: the camera; None for the one whose picture `render` returns.

        Returns:
            `CameraMatrices`: intrinsics (N, 3, 3) in pixels, extrinsics (N, 4, 4) in metres.

        Raises:
            ValueError: there is no such camera, or the world's pictures have none.
            RuntimeError: there was no reset yet.
        """
        self.check_ready("camera_matrices()")
        return camera_matrices.matrices_of(self, name)
