"""A scene: a model with all that a row of it needs, said as data."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from taskworlds.core.errors import check_choice
from taskworlds.engine import _native
from taskworlds.engine.models import Model

__all__ = ["MocapControl", "Scene"]

# The order of these three is that of the enums in cpp/scene.h.
_STEPPINGS = ("forward", "step", "split")
_FIELDS = {  # kind of object, numbers of each
    "body_pos": ("body", 3),
    "body_quat": ("body", 4),
    "site_pos": ("site", 3),
    "site_quat": ("site", 4),
}
_SOURCES: dict[
    str, tuple[str, int | str]
] = {  # kind of object, and numbers of each or the attribute of `_native.Model` that says them one by one
    "body_xpos": ("body", 3),
    "body_xquat": ("body", 4),
    "body_xmat": ("body", 9),
    "body_xipos": ("body", 3),
    "body_subtree_com": ("body", 3),
    "body_cinert": ("body", 10),
    "body_cvel": ("body", 6),
    "body_cfrc_ext": ("body", 6),
    "site_xpos": ("site", 3),
    "site_xmat": ("site", 9),
    "geom_xpos": ("geom", 3),
    "geom_xmat": ("geom", 9),
    "qpos": ("joint", "joint_qpos"),
    "qvel": ("joint", "joint_qvel"),
    "qfrc_actuator": ("joint", "joint_qvel"),
    "ctrl": ("actuator", 1),
    "act": ("actuator", "actuator_act"),
    "ten_length": ("tendon", 1),
    "ten_velocity": ("tendon", 1),
    "sensordata": ("sensor", "sensor_data"),
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
        frame_skip: physics steps per step, n.
        mocap: actions that move a mocap body, if any.
        controls: for each actuator the pair (index of the action, gain): ctrl = gain * action. An actuator
            beyond the list keeps the ctrl that is in the row's state. MuJoCo clamps by itself.
        overrides: fields of the model that each row has its own values for, as pairs (field, name). Fields
            are "body_pos", "body_quat", "site_pos" and "site_quat".
        reads: what is read after a step, as (source, name), or (source,) for all objects in the model's order.
            Sources have MuJoCo's names in mjData:
            of a body "body_xpos", "body_xquat", "body_xmat", "body_xipos", "body_subtree_com", "body_cinert",
            "body_cvel", "body_cfrc_ext"; of a site or geom "site_xpos", "site_xmat", "geom_xpos", "geom_xmat";
            of a joint "qpos", "qvel", "qfrc_actuator"; of an actuator "ctrl", "act"; of a tendon "ten_length",
            "ten_velocity"; of a sensor "sensordata"; and ("touch", geom, geom), the normal force between two
            geoms in newtons.
        stepping: which of MuJoCo's functions make a step, and so what time the reads are of:
            "forward", n times mj_step and then mj_forward (Meta-World);
            "step", n times mj_step: what is derived from positions is one physics step old (Gymnasium);
            "split", mj_step2, n - 1 times mj_step, mj_step1, or for RK4 n times mj_step, mj_step1: what
            depends on positions and velocities is new, what depends on forces one physics step old
            (dm_control). It has no "touch" and no "body_cfrc_ext".

    Raises:
        ValueError: a field, source, name or stepping does not exist, a number does not fit the model, or a
            read does not fit the stepping.

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
    stepping: str = "forward"

    def __post_init__(self) -> None:
        check_choice("stepping", self.stepping, _STEPPINGS)
        for field, _ in self.overrides:
            check_choice("The field of an override", field, tuple(_FIELDS))
        for source, *names in self.reads:
            check_choice("The source of a read", source, tuple(_SOURCES))
            if len(names) not in ((2,) if source == "touch" else (0, 1)):
                raise ValueError(
                    "A read is (source, name), (source,) for all, or ('touch', geom, geom), "
                    f"not {(source, *names)!r}."
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
            stepping=_STEPPINGS.index(self.stepping),
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

    def _native_read(self, source: str, *names: str) -> tuple[int, int, int]:
        code = list(_SOURCES).index(source)
        if source == "touch":
            first, second = (self.model.find("geom", name) for name in names)
        else:
            first, second = self._span(source, *names)
        return code, first, second

    def _span(self, source: str, name: str | None = None) -> tuple[int, int]:
        """Gives the first number of one object, or of all, in the source's array, and how many there are."""
        kind, width = _SOURCES[source]
        if isinstance(width, str):
            spans = getattr(self.model.native, width)
        else:
            number = len(getattr(self.model.native, f"{kind}_names"))
            spans = [(width * i, width) for i in range(number)]
        if name is not None:
            return spans[self.model.find(kind, name)]
        return 0, sum(size for _, size in spans)

    @functools.cached_property
    def read_slices(self) -> dict[tuple[str, ...], slice]:
        """Where each read stands in a row of `Engine.now`."""
        widths = [1 if read[0] == "touch" else self._span(*read)[1] for read in self.reads]
        return _slices(self.reads, widths)

    @functools.cached_property
    def override_slices(self) -> dict[tuple[str, ...], slice]:
        """Where each override stands in a row of `Engine.overrides`."""
        return _slices(self.overrides, [_FIELDS[field][1] for field, _ in self.overrides])

    @functools.cached_property
    def default_overrides(self) -> npt.NDArray[np.float64]:
        """The model's own values of the overrides, (V,) float64, read-only: a row's to begin with."""
        values = np.array(self.native.default_overrides, np.float64)
        values.flags.writeable = False
        return values

    def __reduce__(self) -> tuple[Any, ...]:
        return Scene, tuple(getattr(self, field.name) for field in fields(self))


def _slices(keys: tuple[tuple[str, ...], ...], widths: list[int]) -> dict[tuple[str, ...], slice]:
    slices, start = {}, 0
    for key, width in zip(keys, widths, strict=True):
        slices[key] = slice(start, start + width)
        start += width
    return slices
