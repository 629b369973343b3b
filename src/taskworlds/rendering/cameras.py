"""Several cameras on one MuJoCo simulation: their pictures, and where they stand."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.rendering import drawing
from taskworlds.rendering.jitter import Jitter
from taskworlds.rendering.views import Views

__all__ = ["Cameras"]

_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION
_WORLD = 0  # the body that cameras of the room hang on
_LEVEL = 1e-6  # up to which a camera that looks down is not called upside down


class Cameras:
    """Takes the pictures of a simulation that `Views` tells.

    What a picture shows depends on model and state alone: not on earlier pictures, nor on what the simulation computed
    of bodies' places for its last step, which many simulators leave a part of a step behind. They may be taken from any
    thread.

    Args:
        model: the model.
        data: the simulation.
        views: which pictures.
        default: the camera of the model that stands for None in `views`; None for the free one.
        lookat: what the free camera looks at, metres; None for MuJoCo's own free camera.
        upright: whether what a camera sees that hangs upside down is turned by half a turn.
        stage: what draws the model, if others draw it too; it is left open. None for one of the cameras' own.

    Attributes:
        stage: what draws the model.

    Raises:
        ValueError: the model does not have one of the cameras.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        views: Views,
        *,
        default: str | int | None = None,
        lookat: Sequence[float] | None = None,
        upright: bool = False,
        stage: drawing.Stage | None = None,
    ) -> None:
        self._model, self._data, self._views, self._upright = model, data, views, upright
        self._state = np.empty(mujoco.mj_stateSize(model, _INTEGRATION))
        self._shown = mujoco.MjData(model)
        self._lookat = lookat
        names = [model.camera(i).name for i in range(model.ncam)]
        self._numbers = {camera: _number_of(names, camera, default) for camera in views.cameras}
        self._poses = {_posed(names, name): pose for name, pose in views.poses}
        self._jitter: Jitter | None = None  # of the picture that is taken
        self._owned = stage is None
        self.stage = drawing.Stage(model) if stage is None else stage

    def job(self, place: Callable[[], Jitter | None] | None = None) -> drawing.Job:
        """Returns the taking of the pictures, for `drawing.spread`; `place` as for `pictures`."""
        return drawing.Job(self.stage.number, lambda: self.pictures(place))

    def pictures(self, place: Callable[[], Jitter | None] | None = None) -> tuple[NDArray[Any], ...]:
        """Takes the pictures.

        Args:
            place: puts model and simulation into the state to be shown, alone, and returns how cameras that do not hang
                on a body that moves stand elsewhere, if they do; None to show all as it is.

        Returns:
            One picture for each of `views.names`: (height, width, 3) uint8, or for depth (height, width) float32,
            metres. For "matrices" the cameras' matrices instead, see `matrices`.

        Raises:
            RuntimeError: the stage is closed, nothing here can draw, or this process was forked from one that has
                drawn.
        """
        if self._views.channels == "matrices":
            return tuple(self.matrices(camera, place) for camera in self._views.cameras)
        return drawing.call(self._pictures, place)

    def _pictures(self, place: Callable[[], Jitter | None] | None) -> tuple[NDArray[Any], ...]:
        return tuple(self._picture(camera, depth, place) for camera, depth in self._views.shots)

    def _picture(
        self, camera: str | int | None, depth: bool, place: Callable[[], Jitter | None] | None
    ) -> NDArray[Any]:
        turned = False

        def compose() -> tuple[mujoco.MjData, mujoco.MjvCamera]:
            nonlocal turned
            self._take_state(place)
            turned = self._hangs(camera)
            return self._shown, self._view(camera)

        views = self._views
        training = views.quality == "training"
        picture = self.stage.draw(compose, views.width, views.height, depth=depth, training=training)
        return np.ascontiguousarray(picture[::-1, ::-1]) if turned else picture

    def matrices(
        self, camera: str | int | None, place: Callable[[], Jitter | None] | None = None
    ) -> NDArray[np.float64]:
        """Returns a camera's intrinsic matrix above its extrinsic one, (7, 4) float64, without drawing.

        The first three lines are the intrinsic matrix, pixels, and a column of zeros; the last four take a point of the
        world, metres, into the camera's frame: x to the right, y down, z forward in the picture as it is returned.
        """
        with self.stage.lock:
            self._take_state(place)
            scene = mujoco.MjvScene(self._model, maxgeom=1)
            mujoco.mjv_updateCamera(self._model, self._shown, self._view(camera), scene)
            turned = self._hangs(camera)
        left, right = scene.camera
        centre = (left.pos + right.pos) / 2  # as OpenGL's part of MuJoCo takes them where there is no stereo
        forward, up = left.forward.astype(np.float64), left.up.astype(np.float64)
        across = np.cross(forward, up)
        turn = -1.0 if turned else 1.0
        axes = np.stack([turn * across, -turn * up, forward])
        width, height = self._views.width, self._views.height
        bottom, top = float(left.frustum_bottom), float(left.frustum_top)
        half_width = float(left.frustum_width) or width / height * (top - bottom) / 2
        middle = float(left.frustum_center + right.frustum_center) / 2
        near = float(left.frustum_near)
        found = np.zeros((7, 4))
        found[0, 0], found[1, 1] = width * near / (2 * half_width), height * near / (top - bottom)
        found[0, 2] = width * (0.5 - turn * middle / (2 * half_width))
        found[1, 2] = height * (0.5 + turn * (top + bottom) / (2 * (top - bottom)))
        found[2, 2] = 1.0
        found[3:6, :3], found[3:6, 3], found[6, 3] = axes, -axes @ centre.astype(np.float64), 1.0
        return found

    def _take_state(self, place: Callable[[], Jitter | None] | None) -> None:
        self._jitter = None if place is None else place()
        model = self._model
        mujoco.mj_getState(model, self._data, self._state, _INTEGRATION)
        mujoco.mj_setState(model, self._shown, self._state, _INTEGRATION)
        with self._moved():
            mujoco.mj_forward(model, self._shown)

    @contextlib.contextmanager
    def _moved(self) -> Iterator[None]:
        """Puts the cameras that stand elsewhere into the model, which others may use, and takes them out of it again.

        A camera that follows a body has its place, seen from that body or from its centre of mass, in other fields.
        """
        model = self._model
        jittered = () if self._jitter is None else self._of_the_room()
        fields = (model.cam_pos, model.cam_pos0, model.cam_poscom0, model.cam_quat, model.cam_mat0)
        moved = dict.fromkeys([*self._poses, *jittered])
        before = [[values[number].copy() for values in fields] for number in moved]
        for number, pose in self._poses.items():
            self._put(number, np.array(pose[:3]), np.array(pose[3:]) if len(pose) == 7 else None)
        for number in jittered:
            assert self._jitter is not None
            matrix, turn = np.empty(9), np.empty(4)
            mujoco.mju_quat2Mat(matrix, model.cam_quat[number])
            place, axes = self._jitter.moved(model.cam_pos[number], matrix.reshape(3, 3), self._centre)
            mujoco.mju_mat2Quat(turn, axes.reshape(-1))
            self._put(number, place, turn)
        try:
            yield
        finally:
            for number, kept in zip(moved, before, strict=True):
                for values, value in zip(fields, kept, strict=True):
                    values[number] = value

    def _put(self, number: int, place: NDArray[np.float64], turn: NDArray[np.float64] | None) -> None:
        """Puts a camera of the model somewhere else; `turn` is a quaternion, or None to leave it as it is."""
        model = self._model
        for values in (model.cam_pos, model.cam_pos0, model.cam_poscom0):
            values[number] = place
        if turn is not None:
            matrix, turn = np.empty(9), turn / np.linalg.norm(turn)
            mujoco.mju_quat2Mat(matrix, turn)
            model.cam_quat[number], model.cam_mat0[number] = turn, matrix

    def _of_the_room(self) -> list[int]:
        """Returns the cameras to be shown that hang on no body."""
        shown = {number for number in self._numbers.values() if number >= 0}
        return [number for number in sorted(shown) if self._model.cam_bodyid[number] == _WORLD]

    @property
    def _centre(self) -> NDArray[np.float64]:
        """What cameras that stand elsewhere turn around, (3,), metres."""
        return np.array(self._model.stat.center if self._lookat is None else self._lookat, dtype=np.float64)

    def _view(self, camera: str | int | None) -> mujoco.MjvCamera:
        view, number = mujoco.MjvCamera(), self._numbers[camera]
        if number >= 0:
            view.type, view.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, number
        elif self._lookat is None:
            mujoco.mjv_defaultFreeCamera(self._model, view)
        else:
            view.lookat[:] = self._lookat
            view.distance = self._model.stat.extent
        if number < 0 and self._jitter is not None:
            view.azimuth, view.elevation, view.distance = self._jitter.free(
                view.azimuth, view.elevation, view.distance
            )
        return view

    def _hangs(self, camera: str | int | None) -> bool:
        """Whether the picture is turned, since the camera hangs upside down."""
        number = self._numbers[camera]
        if not self._upright or number < 0:
            return False
        return bool(self._shown.cam_xmat[number].reshape(3, 3)[2, 1] < -_LEVEL)

    def close(self) -> None:
        """Gives back what drawing holds, unless others have it too."""
        if self._owned:
            self.stage.close()


def _number_of(names: Sequence[str], camera: str | int | None, default: str | int | None) -> int:
    """Returns the number of a camera; -1 for the free one."""
    if camera is None:
        camera = -1 if default is None else default
    if isinstance(camera, str):
        if camera not in names:
            raise WrongValue(
                f"cameras must be of {', '.join(names) or 'none'}, which the model has, not {camera!r}.",
                argument="cameras",
            )
        return names.index(camera)
    if not -1 <= camera < len(names):
        raise WrongValue(
            f"camera_id must be from -1 (the free camera) to {len(names) - 1}, not {camera!r}.",
            argument="camera_id",
        )
    return int(camera)


def _posed(names: Sequence[str], camera: str) -> int:
    """Returns the number of a camera that stands elsewhere."""
    if camera not in names:
        raise WrongValue(
            f"camera_poses must be of {', '.join(names) or 'none'}, which the model has, not {camera!r}.",
            argument="camera_poses",
        )
    return names.index(camera)
