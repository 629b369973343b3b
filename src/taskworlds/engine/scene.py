"""A scene: a model with all that a row of it needs, said as data."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from taskworlds.engine import _native
from taskworlds.engine.models import Model
from taskworlds.errors import check_choice

__all__ = ["MocapControl", "Scene"]

# The order of these two is that of the enums in cpp/scene.h. Each name is (kind of object, numbers).
_FIELDS = {
    "body_pos": ("body", 3),
    "body_quat": ("body", 4),
    "site_pos": ("site", 3),
    "site_quat": ("site", 4),
}
_SOURCES = {
    "body_xpos": ("body", 3),
    "body_xquat": ("body", 4),
    "site_xpos": ("site", 3),
    "site_xmat": ("site", 9),
    "geom_xpos": ("geom", 3),
    "geom_xmat": ("geom", 9),
    "qpos": ("joint", None),
    "touch": ("geom", 1),
}


@dataclass(frozen=True)
class MocapControl:
    """Three actions that move a mocap body within a box: position += scale * clip(action, -limit, limit).

    Args:
        body: the mocap body's name.
        low: smallest position, (x, y, z), metres.
        high: largest position, (x, y, z), metres.
        scale: metres per unit of action.
        quat: orientation written at each step, (w, x, y, z). It is not normalised.
        limit: largest action.
        first: index of the action that moves x; y and z follow.
    """

    body: str
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    scale: float = 0.01
    quat: tuple[float, float, float, float] = (1.0, 0.0, 1.0, 0.0)
    limit: float = 1.0
    first: int = 0


@dataclass(frozen=True)
class Scene:
    """A model, its control, the fields that rows have of their own, and what is read after a step.

    Args:
        model: the compiled model.
        frame_skip: physics steps per step.
        mocap: actions that move a mocap body, if any.
        controls: for each actuator the pair (index of the action, gain): ctrl = gain * action. An actuator
            beyond the list keeps the ctrl that is in the row's state.
        overrides: fields of the model that each row has its own values for, as pairs (field, name). Fields
            are "body_pos", "body_quat", "site_pos" and "site_quat".
        reads: what is read after a step, as (source, name): "body_xpos", "body_xquat", "site_xpos",
            "site_xmat", "geom_xpos", "geom_xmat", ("qpos", joint), or ("touch", geom, geom), the normal force
            between two geoms in newtons.

    Raises:
        ValueError: a field, source or name does not exist, or a number does not fit the model.

    Example:
        >>> from taskworlds.engine import metaworld_model
        >>> scene = Scene(
        ...     metaworld_model("sawyer_xyz/sawyer_drawer.xml"),
        ...     frame_skip=5,
        ...     mocap=MocapControl("mocap", low=(-0.5, 0.4, 0.05), high=(0.5, 1.0, 0.5)),
        ...     controls=((3, 1.0), (3, -1.0)),
        ...     overrides=(("body_pos", "drawer"),),
        ...     reads=(("body_xpos", "hand"), ("body_xpos", "drawer_link"), ("body_xquat", "drawer_link")),
        ... )
        >>> scene.read_slices[("body_xquat", "drawer_link")], scene.native.state_size
        (slice(6, 10, None), 273)
    """

    model: Model
    frame_skip: int
    mocap: MocapControl | None = None
    controls: tuple[tuple[int, float], ...] = ()
    overrides: tuple[tuple[str, str], ...] = ()
    reads: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        for field, _ in self.overrides:
            check_choice("The field of an override", field, tuple(_FIELDS))
        for source, *names in self.reads:
            check_choice("The source of a read", source, tuple(_SOURCES))
            if len(names) != (2 if source == "touch" else 1):
                raise ValueError(
                    f"A read is (source, name), or ('touch', geom, geom), not {(source, *names)!r}."
                )
        self.native  # noqa: B018  made at once, so that a mistake is reported here

    @functools.cached_property
    def native(self) -> _native.Scene:
        """The scene as the engine takes it."""
        find, mocap = self.model.find, self.mocap
        head = None
        if mocap is not None:
            head = (self.model.mocap_index(mocap.body), mocap.first, mocap.limit, mocap.scale)
        return _native.Scene(
            model=self.model.native,
            frame_skip=self.frame_skip,
            mocap=head,
            mocap_low=[float(x) for x in mocap.low] if mocap else [],
            mocap_high=[float(x) for x in mocap.high] if mocap else [],
            mocap_quat=[float(x) for x in mocap.quat] if mocap else [],
            actuators=[(actuator, action, gain) for actuator, (action, gain) in enumerate(self.controls)],
            overrides=[
                (list(_FIELDS).index(field), find(_FIELDS[field][0], name)) for field, name in self.overrides
            ],
            reads=[self._native_read(*read) for read in self.reads],
        )

    def _native_read(self, source: str, name: str, other: str | None = None) -> tuple[int, int, int]:
        code = list(_SOURCES).index(source)
        if source == "qpos":
            return (code, *self.model.joint_qpos(name))
        find, kind = self.model.find, _SOURCES[source][0]
        return code, find(kind, name), 0 if other is None else find(kind, other)

    @functools.cached_property
    def read_slices(self) -> dict[tuple[str, ...], slice]:
        """Where each read stands in a row of `Engine.now`."""
        widths = [_SOURCES[read[0]][1] or self.model.joint_qpos(read[1])[1] for read in self.reads]
        return _slices(self.reads, widths)

    @functools.cached_property
    def override_slices(self) -> dict[tuple[str, ...], slice]:
        """Where each override stands in a row of `Engine.overrides`."""
        return _slices(self.overrides, [_FIELDS[field][1] for field, _ in self.overrides])

    def __reduce__(self) -> tuple[Any, ...]:
        return Scene, (self.model, self.frame_skip, self.mocap, self.controls, self.overrides, self.reads)


def _slices(keys: tuple[tuple[str, ...], ...], widths: list[int]) -> dict[tuple[str, ...], slice]:
    slices, start = {}, 0
    for key, width in zip(keys, widths, strict=True):
        slices[key] = slice(start, start + width)
        start += width
    return slices
