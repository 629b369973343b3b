"""`Views`: which pictures of a row are taken, and how; without MuJoCo, so that it can be checked and sent anywhere."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from taskworlds.core.errors import WrongType, WrongValue

__all__ = ["CHANNELS", "QUALITIES", "Views", "check_cameras", "check_poses"]

CHANNELS = ("rgb", "depth", "rgbd")
"""What a picture is of: colours, depths, or both."""

QUALITIES = ("official", "training")
"""How exactly shadows and edges are drawn."""

Pose = tuple[float, ...]
"""Of a camera, in the frame of the body that it hangs on: x, y, z in metres, and a quaternion w, x, y, z if turned."""

STATE, PICTURE, DEPTH = "state", "pixels", "depth"
"""Names in observations: of the world's own observation, of the only camera's picture, and of its depths."""


@dataclass(frozen=True)
class Views:
    """The pictures that are taken of a row.

    Attributes:
        cameras: cameras of the model, by name or number; None for the one that the world shows by default.
        width: of each picture, pixels.
        height: of each picture, pixels.
        channels: "rgb", "depth" or "rgbd"; or "matrices", for no pictures but where the cameras are.
        quality: "official" or "training".
        poses: places of cameras that stand elsewhere than in the model, by name.
        num_threads: the most threads that draw; None for as many as the process may use.

    Example:
        >>> Views(("corner2", "gripperPOV"), 84, 84, "rgbd").names
        ('corner2', 'corner2_depth', 'gripperPOV', 'gripperPOV_depth')
    """

    cameras: tuple[str | int | None, ...] = (None,)
    width: int = 480
    height: int = 480
    channels: str = "rgb"
    quality: str = "official"
    poses: tuple[tuple[str, Pose], ...] = ()
    num_threads: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each picture, in the order in which they are taken."""
        named = [each for each in self.cameras if isinstance(each, str)]
        found = []
        for camera in self.cameras:
            colour, depth = (f"{camera}", f"{camera}_{DEPTH}") if named else (PICTURE, DEPTH)
            found += [colour] * (self.channels != "depth") + [depth] * (self.channels != "rgb")
        return tuple(found)

    @property
    def shots(self) -> tuple[tuple[str | int | None, bool], ...]:
        """Of each picture, in the same order, the camera and whether it is of depths."""
        depths = {"rgb": (False,), "depth": (True,), "rgbd": (False, True)}[self.channels]
        return tuple((camera, depth) for camera in self.cameras for depth in depths)


def check_cameras(cameras: Any) -> tuple[str, ...]:
    """Returns names of cameras, each once.

    Raises:
        TypeError: they are not strings.
        ValueError: there are none, or one comes twice, or a name cannot stand in an observation.

    Example:
        >>> check_cameras(["corner2", "gripperPOV"])
        ('corner2', 'gripperPOV')
    """
    if isinstance(cameras, str) or not isinstance(cameras, Iterable):
        raise WrongType(
            f'cameras must be a tuple of names, such as ("corner2",), not {cameras!r}.', argument="cameras"
        )
    names = tuple(cameras)
    if not all(isinstance(each, str) for each in names):
        raise WrongType(f"cameras must be names of cameras, as strings, not {cameras!r}.", argument="cameras")
    if not names or len(set(names)) < len(names):
        raise WrongValue(
            f"cameras must name at least one camera, and each once, not {names!r}.", argument="cameras"
        )
    taken = [each for each in names if each == STATE or each.removesuffix(f"_{DEPTH}") in set(names) - {each}]
    if taken:
        raise WrongValue(
            f"cameras must not name {taken[0]!r}, which an observation uses for something else.",
            argument="cameras",
        )
    return names


def check_poses(poses: Any) -> tuple[tuple[str, Pose], ...]:
    """Returns places of cameras, sorted by name.

    Raises:
        TypeError: they are not a dictionary of numbers by the names of cameras.
        ValueError: one does not have three finite numbers, or seven, or its quaternion has the length zero.

    Example:
        >>> check_poses({"corner2": (0.75, 0.075, 0.7)})
        (('corner2', (0.75, 0.075, 0.7)),)
    """
    if not isinstance(poses, Mapping) or not all(isinstance(name, str) for name in poses):
        raise WrongType(
            'camera_poses must be a dictionary from names of cameras to places, such as {"corner2": (0.75, 0.075, '
            f"0.7)}}, not {poses!r}.",
            argument="camera_poses",
        )
    found = {}
    for name, pose in poses.items():
        try:
            values = tuple(pose)
        except TypeError:
            values = (pose,)
        if not all(isinstance(each, numbers.Real) and math.isfinite(each) for each in values) or (
            len(values) not in (3, 7) or (len(values) == 7 and not any(values[3:]))
        ):
            raise WrongValue(
                f"camera_poses[{name!r}] must be x, y, z in metres, or these and a quaternion w, x, y, z, as finite "
                f"numbers, not {pose!r}.",
                argument="camera_poses",
            )
        found[name] = tuple(float(each) for each in values)
    return tuple(sorted(found.items()))
