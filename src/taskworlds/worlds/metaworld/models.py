"""Compiled models with Meta-World's arm: made once per process, shared, and kept on disk."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import platform
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.core import cache
from taskworlds.core.cpus import count_cpus
from taskworlds.core.digest import digest
from taskworlds.engine.models import Model, Origin
from taskworlds.worlds.metaworld.edits import Derived, changed_values, derived, vary
from taskworlds.worlds.metaworld.factors import Physics
from taskworlds.worlds.metaworld.model_files import is_own_file, read_spec

__all__ = ["Varied", "full_metaworld_model", "metaworld_model", "metaworld_models", "varied_model"]

# Meta-World's constructor writes this into the weld that holds the hand to the mocap body: no offset, the
# relative pose that the hand keeps, and the torque scale (mjModel.eq_data).
_WELD_DATA = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 5.0)

_MOST_VARIED = 8  # varied models that are kept, of some 4 MB each

_cache: dict[str, Model] = {}
_cache_lock = threading.Lock()
_varied: OrderedDict[tuple[str, str, Physics], Varied] = OrderedDict()  # least recently used first


class Varied(NamedTuple):
    """A skill's model as physical factors of a task have it.

    Attributes:
        model: the model.
        values: its numbers at `edits.changed_places`, (V,) float64, read-only.
        from_masses: what follows from its masses.
    """

    model: Model
    values: NDArray[np.float64]
    from_masses: Derived


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
    return metaworld_models([asset])[0]


def metaworld_models(assets: Iterable[str | os.PathLike[str]]) -> list[Model]:
    """Returns the models of several files, as `metaworld_model`; those to be compiled are compiled side by side."""
    names = [os.fspath(asset) for asset in assets]
    with _cache_lock:
        missing = [name for name in dict.fromkeys(names) if name not in _cache]
        unread = []
        for name in missing:
            if (model := _from_disk(name)) is None:
                unread.append(name)
            else:
                _cache[name] = model
        if unread:  # counting processors reads files, and takes a twentieth of making a small environment
            with ThreadPoolExecutor(min(count_cpus(), len(unread))) as threads:
                compiled = list(threads.map(_compile, map(_trimmed, unread), unread))
            for name, model in zip(unread, compiled, strict=True):
                _cache[name] = model
                if not is_own_file(name):
                    cache.save("models", _file_name(name), model.native.to_bytes())
    return [_cache[name] for name in names]


def full_metaworld_model(asset: str | os.PathLike[str]) -> mujoco.MjModel:
    """Compiles a model as `metaworld_model` does, with all that is to be seen, for MuJoCo's Python bindings."""
    return Model.compile(read_spec(asset), weld=_WELD_DATA).to_mujoco()


def varied_model(asset: str | os.PathLike[str], env_name: str, physics: Physics) -> Varied:
    """Changes a skill's model as a task has it, or returns what was made of it: the 8 used last are kept.

    Starts of episodes are computed with such models. Rows that are stepped have numbers of their own in place of the
    model's, so the number of different values in a batch is not bounded.

    Args:
        asset: the model's file.
        env_name: the skill, whose object the factors are of.
        physics: the task's physical factors.
    """
    asset = os.fspath(asset)
    key = asset, env_name, physics
    with _cache_lock:
        if key in _varied:
            _varied.move_to_end(key)
            return _varied[key]
    model = metaworld_model(asset).to_mujoco()
    vary(model, env_name, physics)
    values = changed_values(model, env_name)
    values.flags.writeable = False
    made = Varied(Model.from_mujoco(model), values, derived(model))
    with _cache_lock:
        _varied[key] = made
        while len(_varied) > _MOST_VARIED:
            _varied.popitem(last=False)
    return made


def _from_disk(asset: str) -> Model | None:
    """Returns a model that was compiled earlier, if it is on disk."""
    if is_own_file(asset):  # its author changes it
        return None
    data = cache.load("models", _file_name(asset))
    if data is not None:
        with contextlib.suppress(ValueError):  # it is another MuJoCo's
            return Model(data, origin=_origin(asset))
    return None


def _origin(asset: str) -> Origin:
    return metaworld_model, (asset,)


def _trimmed(asset: str) -> mujoco.MjSpec:
    spec = read_spec(asset)
    _trim(spec)
    return spec


def _compile(spec: mujoco.MjSpec, asset: str) -> Model:
    return Model.compile(spec, weld=_WELD_DATA, origin=None if is_own_file(asset) else _origin(asset))


def _file_name(asset: str) -> str:
    """Names a compiled model by its file and by a digest of all that decides what it is compiled to."""
    made_with = (asset, platform.machine(), *_versions(), cache.FORMAT, _WELD_DATA)
    return f"{Path(asset).stem}_{digest(made_with, _trimmed)}.mjb"


@functools.cache
def _versions() -> tuple[str, ...]:
    """The versions of the packages that a compiled model comes from; looking them up takes milliseconds."""
    return tuple(importlib.metadata.version(package) for package in ("metaworld", "mujoco"))


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
