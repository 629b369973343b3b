"""`camera_matrices`: where the cameras of a batch stand, and how they project."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, WrongValue, check_known
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import World
from taskworlds.rendering.views import Views, check_poses
from taskworlds.rows.protocol import Rows
from taskworlds.vector.assignments import Assignments
from taskworlds.vector.options import Options

__all__ = ["CameraMatrices", "matrices_of"]


class CameraMatrices(NamedTuple):
    """The matrices of a camera, of a batch or, without the N, of one environment.

    A point of the world p, metres, is at `extrinsics @ (p, 1)` in the camera's frame: x to the right, y down and z
    forward, as OpenCV has it. With `u, v, w = intrinsics @` that, it is in column u / w and line v / w of the picture;
    the picture's upper left corner is at (0, 0), and the middle of its first pixel at (0.5, 0.5). w is the depth that
    pictures of depths show.

    Attributes:
        intrinsics: (N, 3, 3) float64, pixels.
        extrinsics: (N, 4, 4) float64; moves points from the world's frame into the camera's, metres.
    """

    intrinsics: NDArray[np.float64]
    extrinsics: NDArray[np.float64]


class BatchWithCameras(Protocol):
    """What `matrices_of` uses of a vector environment."""

    world: World
    engine: RowEngine
    options: Options
    assignments: Assignments
    rows: Rows
    num_envs: int


def matrices_of(env: BatchWithCameras, name: str | None) -> CameraMatrices:
    """Returns the matrices of a camera in each row; see `TaskVectorEnv.camera_matrices`."""
    world, options = env.world, env.options
    if "camera_name" not in world.settings or not hasattr(env.rows, "pictures"):
        raise WrongValue(f"The pictures of {world.name} have no cameras on the engine {env.engine.name!r}.")
    if name is not None and not isinstance(name, str):
        raise WrongType(f"name must be the name of a camera, or None, not {name!r}.", argument="name")
    if name is not None and world.cameras:
        check_known("name", name, world.cameras, f"{world.name} has {', '.join(world.cameras)}.")
    if None in env.assignments.current:
        raise RuntimeError("Cameras are nowhere before the first reset: call reset().")
    camera = next((each for each in (name, options.camera_name, options.camera_id) if each is not None), None)
    poses = check_poses(options.camera_poses or {})
    views = Views((camera,), options.width, options.height, "matrices", poses=poses)
    found = np.stack([each for (each,) in env.rows.pictures(views, np.ones(env.num_envs, np.bool_))])
    return CameraMatrices(found[:, :3, :3].copy(), found[:, 3:].copy())
