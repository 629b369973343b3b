"""Compiled models with Meta-World's arm: made once per process, shared, and kept on disk."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import platform
import threading
from pathlib import Path

import mujoco
import numpy as np

from taskworlds.core import cache
from taskworlds.core.digest import digest
from taskworlds.engine import Model
from taskworlds.worlds.metaworld.model_files import is_own_file, read_spec

__all__ = ["full_metaworld_model", "metaworld_model"]

# Meta-World's constructor writes this into the weld that holds the hand to the mocap body: no offset, the
# relative pose that the hand keeps, and the torque scale (mjModel.eq_data).
_WELD_DATA = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 5.0)

_cache: dict[str, Model] = {}
_cache_lock = threading.Lock()


def metaworld_model(asset: str | os.PathLike[str]) -> Model:
    """Compiles a model with Meta-World's arm, or returns the one compiled earlier in this process.

    What no bit of the physics depends on is left out, which makes the model six times smaller. The welds to mocap
    bodies are set as Meta-World's constructor sets them.

    Args:
        asset: the file: a path within the assets of the metaworld package, "sawyer_xyz/sawyer_drawer.xml", or the
            absolute path of a file of one's own, see `read_spec`. A file that changes after its first use
            in the process is not read again.

    Raises:
        ValueError: there is no such file, or it is not a model.

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
    origin = (metaworld_model, (asset,))
    name = _file_name(asset)
    data = cache.load("models", name)
    if data is not None:
        with contextlib.suppress(ValueError):  # it is another MuJoCo's
            return Model(data, origin=origin)
    model = Model.from_mujoco(_compiled(asset), origin=origin)
    cache.save("models", name, model.native.to_bytes())
    return model


def _compiled(asset: str) -> mujoco.MjModel:
    spec = read_spec(asset)
    _trim(spec)
    return _with_welds(spec.compile())


def _file_name(asset: str) -> str:
    """Names a compiled model by its file and by a digest of all that decides what it is compiled to."""
    return (
        f"{Path(asset).stem}_{digest((asset, platform.machine(), *_versions(), cache.FORMAT), _compiled)}.mjb"
    )


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
