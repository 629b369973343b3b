"""Compiled models: looked up by name, and shared by every scene, engine and thread."""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Sequence
from typing import Any, TypeAlias

import mujoco

from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.core.reference import Reference, resolve
from taskworlds.engine import _native

__all__ = ["Model", "Origin"]

_KINDS = ("body", "geom", "site", "joint", "actuator", "sensor", "tendon")

Origin: TypeAlias = tuple[Reference, tuple[Any, ...]]
"""A function, or its name, and its arguments: see `Model`."""


class Model:
    """A compiled MuJoCo model: immutable, shared, looked up by name.

    Args:
        data: what `mujoco.mj_saveModel` writes, by the same MuJoCo.
        origin: the attribute.

    Attributes:
        native: the model as C++ has it.
        origin: how another process can make this model: a function, or its name as "module:NAME", and its arguments. A
            pickle then holds these instead of the model, which is some MB, and models that a function keeps are shared
            by all who unpickle them. None for a model that travels as its bytes.

    Raises:
        ValueError: the bytes are not a compiled model of this MuJoCo.

    Example:
        >>> import mujoco
        >>> ball = '<body name="ball"><freejoint name="free"/><geom size="1"/></body>'
        >>> xml = f"<mujoco><worldbody>{ball}</worldbody></mujoco>"
        >>> model = Model.from_mujoco(mujoco.MjModel.from_xml_string(xml))
        >>> model.find("body", "ball"), model.joint_qpos("free")
        (1, (0, 7))
    """

    def __init__(self, data: bytes, *, origin: Origin | None = None) -> None:
        self._take(_native.Model(data), origin)

    def _take(self, native: _native.Model, origin: Origin | None = None) -> None:
        self.native = native
        self.origin = origin

    @classmethod
    def from_mujoco(cls, model: mujoco.MjModel, *, origin: Origin | None = None) -> Model:
        """Copies a model of MuJoCo's Python bindings, as it is now.

        Args:
            model: the model.
            origin: see `Model`.

        Raises:
            TypeError: it is not a `mujoco.MjModel`.
        """
        if not isinstance(model, mujoco.MjModel):
            raise WrongType(
                f"model must be a mujoco.MjModel, not {model!r}. For saved bytes use Model(data).",
                argument="model",
            )
        copy = cls.__new__(cls)
        copy._take(_native.Model.copy_of(model._address), origin)
        return copy

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, origin: Origin | None = None) -> Model:
        """Reads what `mujoco.mj_saveModel` of the same MuJoCo wrote. The file may be deleted.

        Args:
            path: the file.
            origin: see `Model`.

        Raises:
            ValueError: the file is not a compiled model of this MuJoCo, or cannot be read.
        """
        model = cls.__new__(cls)
        model._take(_native.Model.load(os.fsencode(path)), origin)
        return model

    @classmethod
    def compile(
        cls, spec: mujoco.MjSpec, *, weld: Sequence[float] | None = None, origin: Origin | None = None
    ) -> Model:
        """Compiles what MuJoCo read from a model file, without Python's lock: several threads may do so at once.

        Args:
            spec: what was read. Nothing else may use it meanwhile.
            weld: what `mjModel.eq_data` is to hold for each weld to a mocap body, 11 numbers; None: as compiled.
            origin: see `Model`.

        Raises:
            ValueError: it cannot be compiled, with the reason in MuJoCo's words.
        """
        model = cls.__new__(cls)
        model._take(_native.Model.compile(spec._address, weld), origin)
        return model

    def to_mujoco(self) -> mujoco.MjModel:
        """Makes an independent copy for MuJoCo's Python bindings (rendering, resets)."""
        name = self.native.lend()
        try:
            return mujoco.MjModel.from_binary_path(name)
        finally:
            self.native.take_back()

    @functools.cached_property
    def _ids(self) -> dict[str, dict[str, int]]:
        names = {kind: self.native.names(kind) for kind in _KINDS}
        return {kind: {name: i for i, name in enumerate(names[kind]) if name} for kind in _KINDS}

    def find(self, kind: str, name: str) -> int:
        """Returns the id of the named "body", "geom", "site", "joint", "actuator", "sensor" or "tendon".

        Raises:
            ValueError: the model has none of this name.
        """
        known = self._ids[kind]
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = (
                f" Did you mean {near[0]!r}?"
                if near
                else f" It has {', '.join(known) or 'none with a name'}."
            )
            raise WrongValue(f"The model has no {kind} named {name!r}.{hint}")
        return known[name]

    def joint_qpos(self, name: str) -> tuple[int, int]:
        """Returns the first index of the named joint's qpos, and how many numbers it has."""
        return _native.span_of(self.native, _native.Source.qpos, self.find("joint", name))

    def names(self, kind: str) -> list[str]:
        """Returns the names of all objects of a kind that have one, in the order of their ids."""
        return list(self._ids[kind])

    def mocap_index(self, name: str) -> int:
        """Returns the named body's index among the mocap bodies.

        Raises:
            ValueError: there is no such body, or it is not a mocap body.
        """
        index = self.native.body_mocap[self.find("body", name)]
        if index < 0:
            raise WrongValue(f"The body {name!r} is not a mocap body, so an action cannot move it.")
        return index

    def __reduce__(self) -> tuple[Any, ...]:
        if self.origin is not None:
            return _made, self.origin
        return Model, (self.native.to_bytes(),)


def _made(maker: Reference, arguments: tuple[Any, ...]) -> Model:
    """Makes a model from its origin."""
    model: Model = resolve(maker)(*arguments)
    return model
