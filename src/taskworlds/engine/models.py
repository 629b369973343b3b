"""Compiled models: made once per process, shared by every scene, engine and thread."""

from __future__ import annotations

import contextlib
import difflib
import functools
import importlib.metadata
import os
import platform
import threading
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from taskworlds.core.digest import digest
from taskworlds.engine import _native, model_cache
from taskworlds.engine.model_files import is_own_file, read_spec

__all__ = ["Model", "full_metaworld_model", "metaworld_model"]

_KINDS = ("body", "geom", "site", "joint", "actuator", "sensor", "tendon")

# Meta-World's constructor writes this into the weld that holds the hand to the mocap body: no offset, the
# relative pose that the hand keeps, and the torque scale (mjModel.eq_data).
_WELD_DATA = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 5.0)


class Model:
    """A compiled MuJoCo model: immutable, shared, looked up by name.

    Args:
        data: what `mujoco.mj_saveModel` writes, by the same MuJoCo.

    Raises:
        ValueError: the bytes are no model of this MuJoCo.

    Example:
        >>> import mujoco
        >>> ball = '<body name="ball"><freejoint name="free"/><geom size="1"/></body>'
        >>> xml = f"<mujoco><worldbody>{ball}</worldbody></mujoco>"
        >>> model = Model.from_mujoco(mujoco.MjModel.from_xml_string(xml))
        >>> model.find("body", "ball"), model.joint_qpos("free")
        (1, (0, 7))
    """

    def __init__(self, data: bytes) -> None:
        self._take(_native.Model(data))

    def _take(self, native: _native.Model) -> None:
        self.native = native
        self._asset: str | None = None  # the file of Meta-World that it was compiled from
        self._saved: Path | None = None  # where the cache has it

    @classmethod
    def from_mujoco(cls, model: mujoco.MjModel) -> Model:
        """Copies a model of MuJoCo's Python bindings, as it is now.

        Raises:
            TypeError: it is no `mujoco.MjModel`.
        """
        if not isinstance(model, mujoco.MjModel):
            raise TypeError(
                f"model must be a mujoco.MjModel, not {model!r}. For saved bytes use Model(data)."
            )
        copy = cls.__new__(cls)
        copy._take(_native.Model.copy_of(model._address))
        return copy

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Model:
        """Reads what `mujoco.mj_saveModel` of the same MuJoCo wrote; it takes a third of the time of reading bytes.

        Raises:
            ValueError: the file is no model of this MuJoCo, or cannot be read.
        """
        model = cls.__new__(cls)
        model._take(_native.Model.load(os.fsencode(path)))
        return model

    def to_mujoco(self) -> mujoco.MjModel:
        """Makes an independent copy for MuJoCo's Python bindings (rendering, resets)."""
        if self._saved is not None:
            # What stands there is gone or cut off, or MuJoCo's bindings cannot take its name: then the bytes will do.
            with contextlib.suppress(OSError, TypeError, ValueError):
                if self._saved.stat().st_size == self.native.num_bytes:  # MuJoCo logs what it cannot read
                    return mujoco.MjModel.from_binary_path(os.fspath(self._saved))
        return mujoco.MjModel.from_binary_path("model.mjb", {"model.mjb": self.native.to_bytes()})

    @functools.cached_property
    def _ids(self) -> dict[str, dict[str, int]]:
        names = {kind: getattr(self.native, f"{kind}_names") for kind in _KINDS}
        return {kind: {name: i for i, name in enumerate(names[kind]) if name} for kind in _KINDS}

    def find(self, kind: str, name: str) -> int:
        """Gives the id of the named "body", "geom", "site", "joint", "actuator", "sensor" or "tendon".

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
            raise ValueError(f"The model has no {kind} named {name!r}.{hint}")
        return known[name]

    def joint_qpos(self, name: str) -> tuple[int, int]:
        """Gives the first index of the named joint's qpos, and how many numbers it has."""
        return self.native.joint_qpos[self.find("joint", name)]

    def mocap_index(self, name: str) -> int:
        """Gives the named body's index among the mocap bodies.

        Raises:
            ValueError: there is no such body, or it is not a mocap body.
        """
        index = self.native.body_mocap[self.find("body", name)]
        if index < 0:
            raise ValueError(f"The body {name!r} is not a mocap body, so an action cannot move it.")
        return index

    def __reduce__(self) -> tuple[Any, ...]:
        # A Meta-World model travels as its file's name: 3 MB less, and the receiver shares one copy.
        if self._asset is not None:
            return metaworld_model, (self._asset,)
        return Model, (self.native.to_bytes(),)


_cache: dict[str, Model] = {}
_cache_lock = threading.Lock()


def metaworld_model(asset: str | os.PathLike[str]) -> Model:
    """Compiles a model with Meta-World's arm, or gives the one compiled earlier in this process.

    What no bit of the physics depends on is left out, which makes the model six times smaller. The welds to mocap
    bodies are set as Meta-World's constructor sets them.

    Args:
        asset: the file: a path within the assets of the metaworld package, "sawyer_xyz/sawyer_drawer.xml", or the
            absolute path of a file of one's own, see `model_files.read_spec`. A file that changes after its first use
            in the process is not read again.

    Raises:
        ValueError: there is no such file, or it is no model.

    Example:
        >>> model = metaworld_model("sawyer_xyz/sawyer_drawer.xml")
        >>> model is metaworld_model("sawyer_xyz/sawyer_drawer.xml"), model.mocap_index("mocap")
        (True, 0)
    """
    asset = os.fspath(asset)
    with _cache_lock:
        if asset not in _cache:
            _cache[asset] = _compile(asset)
        return _cache[asset]


def full_metaworld_model(asset: str | os.PathLike[str]) -> mujoco.MjModel:
    """Compiles a model as `metaworld_model` does, with all that is to be seen, for MuJoCo's Python bindings."""
    return _with_welds(read_spec(asset).compile())


def _compile(asset: str) -> Model:
    if is_own_file(asset):  # its author changes it
        return Model.from_mujoco(_compiled(asset))
    model = _from_disk(asset)
    if model is None:
        model = Model.from_mujoco(_compiled(asset))
        model_cache.save(_file_name(asset), model.native.to_bytes())
    model._asset = asset
    return model


def _compiled(asset: str) -> mujoco.MjModel:
    spec = read_spec(asset)
    _trim(spec)
    return _with_welds(spec.compile())


def _from_disk(asset: str) -> Model | None:
    file = model_cache.folder().absolute() / _file_name(asset)
    try:
        model = Model.from_file(file)
    except ValueError:  # there is none, or it is cut off, or of another MuJoCo
        return None
    model._saved = file
    return model


def _file_name(asset: str) -> str:
    """Names a compiled model by its file and by a digest of all that decides what it is compiled to."""
    return f"{Path(asset).stem}_{digest((asset, platform.machine(), *_versions()), _compiled)}.mjb"


@functools.cache
def _versions() -> tuple[str, ...]:
    """The versions of the packages that a compiled model comes from; looking them up takes milliseconds."""
    return tuple(importlib.metadata.version(package) for package in ("metaworld", "mujoco"))


def _with_welds(model: mujoco.MjModel) -> mujoco.MjModel:
    for i in np.flatnonzero(model.eq_type == mujoco.mjtEq.mjEQ_WELD):
        if (model.body_mocapid[[model.eq_obj1id[i], model.eq_obj2id[i]]] >= 0).any():
            model.eq_data[i] = _WELD_DATA
    return model


def _trim(spec: mujoco.MjSpec) -> None:
    """Deletes what no bit of the physics depends on: nameless geoms of bodies that cannot collide, meshes, textures.

    A body with a geom that collides keeps its visual geoms too. They are part of the tree by which MuJoCo
    looks for the body's contacts, and without them (as the compiler's `discardvisual` has it) it finds some
    that it would miss. A body whose inertia the file does not state keeps them because they count towards it.
    Geoms with a name stay, since a skill may read them.
    """
    for body in spec.bodies:
        geoms = list(body.geoms)
        if body.explicitinertial and not any(geom.contype or geom.conaffinity for geom in geoms):
            for geom in geoms:
                if not geom.name:
                    geom.delete()
    for shape in [*spec.geoms, *spec.sites]:
        shape.material = ""
    used = {geom.meshname for geom in spec.geoms}
    for mesh in [mesh for mesh in spec.meshes if mesh.name not in used]:
        mesh.delete()
    for asset in [*spec.materials, *spec.textures]:
        asset.delete()
