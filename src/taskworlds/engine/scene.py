"""A scene: a model with all that its rows need, described as data."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from taskworlds.core.errors import WrongValue, check_choice
from taskworlds.engine import _native
from taskworlds.engine.models import Model

__all__ = ["MocapControl", "Scene"]

_Key = TypeVar("_Key", bound=tuple[str | int, ...])

# What C++ knows, by name and in its order.
_STEPPINGS = _native.Stepping.__members__
_FIELDS = _native.Field.__members__
_SOURCES = _native.Source.__members__


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

    Raises:
        ValueError: `low`, `high` or `quat` has too few or too many numbers.
    """

    body: str
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    scale: float = 1.0
    quat: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    limit: float = 1.0
    first: int = 0

    def __post_init__(self) -> None:
        for name, numbers, count in (("low", self.low, 3), ("high", self.high, 3), ("quat", self.quat, 4)):
            if len(numbers) != count:
                raise WrongValue(f"{name} must have {count} numbers, not {numbers!r}.")


@dataclass(frozen=True)
class Scene:
    """A model, its control, the fields that rows have of their own, and what is read after a step.

    Args:
        model: the compiled model.
        frame_skip: physics steps per step, n.
        mocap: actions that move a mocap body, if any.
        controls: for each actuator the pair (index of the action, gain): ctrl = gain * action. An actuator
            beyond the list keeps the ctrl that is in the row's state. MuJoCo clamps by itself.
        overrides: fields of the model that each row has its own values for, as pairs (field, name), or (field, id)
            for an object without a name. Fields are "body_pos", "body_quat", "site_pos" and "site_quat". And, with
            what belongs together given together, since MuJoCo derives one from the other when it compiles:
            "body_ipos", "body_mass", "body_subtreemass", "body_inertia", "body_invweight0", "bvh_aabb" (of a body's
            geoms), "dof_damping" and "dof_invweight0" (of a joint), "geom_pos", "geom_size", "geom_aabb",
            "geom_rbound" and "geom_friction".
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
        >>> import mujoco
        >>> from taskworlds.engine import Model
        >>> pole = '<body name="pole"><joint name="hinge"/><geom size="0.1"/></body>'
        >>> actuator = '<actuator><motor joint="hinge"/></actuator>'
        >>> xml = f"<mujoco><worldbody>{pole}</worldbody>{actuator}</mujoco>"
        >>> scene = Scene(
        ...     Model.from_mujoco(mujoco.MjModel.from_xml_string(xml)),
        ...     frame_skip=5,
        ...     controls=((0, 2.0),),
        ...     overrides=(("body_pos", "pole"),),
        ...     reads=(("body_xpos", "pole"), ("body_xquat", "pole"), ("qpos",)),
        ... )
        >>> scene.read_slices[("body_xquat", "pole")], scene.native.action_size
        (slice(3, 7, None), 1)
    """

    model: Model
    frame_skip: int
    mocap: MocapControl | None = None
    controls: tuple[tuple[int, float], ...] = ()
    overrides: tuple[tuple[str, str | int], ...] = ()
    reads: tuple[tuple[str, ...], ...] = ()
    stepping: str = "forward"

    def __post_init__(self) -> None:
        check_choice("stepping", self.stepping, tuple(_STEPPINGS))
        for field, _ in self.overrides:
            check_choice("The field of an override", field, tuple(_FIELDS))
        for source, *names in self.reads:
            check_choice("The source of a read", source, tuple(_SOURCES))
            if len(names) not in ((2,) if source == "touch" else (0, 1)):
                raise WrongValue(
                    "A read is (source, name), (source,) for all, or ('touch', geom, geom), "
                    f"not {(source, *names)!r}."
                )
        self.native  # noqa: B018  made at once, so that a mistake is reported here

    @functools.cached_property
    def native(self) -> _native.Scene:
        """The scene as the engine takes it."""
        find, mocap = self.model.find, None
        if self.mocap is not None:
            mocap = _native.MocapControl(
                self.model.mocap_index(self.mocap.body),
                self.mocap.first,
                self.mocap.limit,
                self.mocap.scale,
                *(tuple(map(float, each)) for each in (self.mocap.low, self.mocap.high, self.mocap.quat)),
            )
        return _native.Scene(
            model=self.model.native,
            frame_skip=self.frame_skip,
            stepping=_STEPPINGS[self.stepping],
            mocap=mocap,
            actuators=[
                _native.ActuatorControl(actuator, action, gain)
                for actuator, (action, gain) in enumerate(self.controls)
            ],
            overrides=[
                _native.Override(
                    _FIELDS[field],
                    each if isinstance(each, int) else find(_native.object_kind(_FIELDS[field]), each),
                )
                for field, each in self.overrides
            ],
            reads=[self._native_read(*read) for read in self.reads],
        )

    def _native_read(self, source: str, *names: str) -> _native.Read:
        code = _SOURCES[source]
        return _native.Read(code, *(self.model.find(_native.object_kind(code), name) for name in names))

    @functools.cached_property
    def read_slices(self) -> dict[tuple[str, ...], slice]:
        """Where each read stands in a row of `Engine.now`."""
        return _slices(self.reads, self.native.read_sizes)

    @functools.cached_property
    def override_slices(self) -> dict[tuple[str | int, ...], slice]:
        """Where each override stands in a row of `Engine.overrides`."""
        return _slices(self.overrides, self.native.override_sizes)

    @functools.cached_property
    def default_overrides(self) -> npt.NDArray[np.float64]:
        """The model's own values of the overrides, (V,) float64, read-only: a row's to begin with."""
        values = np.array(self.native.default_overrides, np.float64)
        values.flags.writeable = False
        return values

    def __reduce__(self) -> tuple[Any, ...]:
        return Scene, tuple(getattr(self, field.name) for field in fields(self))


def _slices(keys: tuple[_Key, ...], widths: list[int]) -> dict[_Key, slice]:
    slices: dict[_Key, slice] = {}
    start = 0
    for key, width in zip(keys, widths, strict=True):
        slices[key] = slice(start, start + width)
        start += width
    return slices
