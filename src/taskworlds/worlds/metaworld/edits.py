"""Changes that a task's factors make in a compiled model of Meta-World: what changes, and the changes themselves.

They are made in the compiled model, not in its XML, so that the official environments' models can be changed in place
and put back, and rows of the native engine can have the changed numbers as their own. What MuJoCo derives from masses
when it compiles is derived again here. Meta-World's own numbers are multiplied, and nothing else is touched.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.worlds.metaworld.factors import Look, Physics
from taskworlds.worlds.metaworld.objects import OBJECTS

__all__ = [
    "Changed",
    "Derived",
    "Editor",
    "changed_places",
    "changed_values",
    "derived",
    "sites_of",
    "sized_bodies",
    "vary",
]

Place = tuple[str, int]
"""A field of the model that can change, and the id of the body, joint or geom that it is of."""

_SLIDING = 0  # of the three coefficients of friction
_TABLE, _FLOOR = "table_wood", "floor"  # a material, and a geom
_MESH = int(mujoco.mjtGeom.mjGEOM_MESH)
_HIDDEN_GROUP = 3  # geoms of this group and beyond are not drawn


class Derived(NamedTuple):
    """What MuJoCo derives from the masses of a model, by body and by degree of freedom.

    Attributes:
        body_subtreemass: (B,) float64, kg.
        body_invweight0: (B, 2) float64.
        dof_invweight0: (V,) float64.
    """

    body_subtreemass: NDArray[np.float64]
    body_invweight0: NDArray[np.float64]
    dof_invweight0: NDArray[np.float64]


def moving_bodies(model: mujoco.MjModel, env_name: str) -> list[int]:
    """Returns the bodies that a skill's object is made of: those that move, of what its table names."""
    thing = OBJECTS.get(env_name)
    return [] if thing is None else _moving(model, thing.bodies)


def sized_bodies(model: mujoco.MjModel, env_name: str) -> list[int]:
    """Returns those of `moving_bodies` whose size can vary."""
    thing = OBJECTS.get(env_name)
    return _moving(model, thing.sized or thing.bodies) if thing is not None and thing.is_sizable else []


def _moving(model: mujoco.MjModel, names: Iterable[str]) -> list[int]:
    roots = {model.body(name).id for name in names}
    found = []
    for body in range(1, model.nbody):
        above = body
        while above and above not in roots:
            above = int(model.body_parentid[above])
        if above and model.body_weldid[body]:
            found.append(body)
    return found


def _joints(model: mujoco.MjModel, bodies: Iterable[int]) -> list[int]:
    return [joint for body in bodies for joint in _span(model.body_jntadr, model.body_jntnum, body)]


def _geoms(model: mujoco.MjModel, bodies: Iterable[int]) -> list[int]:
    return [geom for body in bodies for geom in _span(model.body_geomadr, model.body_geomnum, body)]


def _span(first: NDArray[np.int32], count: NDArray[np.int32], each: int) -> range:
    return range(int(first[each]), int(first[each] + count[each])) if count[each] else range(0)


def sites_of(model: mujoco.MjModel, env_name: str) -> NDArray[np.int64]:
    """Returns the sites on what can vary in size, by id; resets move none of them."""
    return np.flatnonzero(np.isin(model.site_bodyid, sized_bodies(model, env_name)))


def _meshes(model: mujoco.MjModel, bodies: Iterable[int]) -> list[int]:
    """Returns the meshes that bodies are drawn with; no other body of these models is."""
    drawn = {int(model.geom_dataid[geom]) for geom in _geoms(model, bodies) if model.geom_type[geom] == _MESH}
    return sorted(drawn)


def _corners(model: mujoco.MjModel, mesh: int) -> slice:
    return slice(int(model.mesh_vertadr[mesh]), int(model.mesh_vertadr[mesh] + model.mesh_vertnum[mesh]))


def vary(model: mujoco.MjModel, env_name: str, physics: Physics, from_masses: Derived | None = None) -> None:
    """Changes a model as a task's physical factors have it.

    Args:
        model: the skill's model with Meta-World's own numbers; it is changed.
        env_name: the skill.
        physics: the factors.
        from_masses: what `derived` gives for these factors, of this model or another with the same bodies and joints;
            None to compute it.
    """
    factors = dict(physics)
    bodies = moving_bodies(model, env_name)
    if "friction" in factors:
        model.geom_friction[:, _SLIDING] *= factors["friction"]
    if "damping" in factors:
        for joint in _joints(model, bodies):
            _numbers(model, ("dof_damping", joint))[:] *= factors["damping"]
    size, mass = factors.get("object_size", 1.0), factors.get("object_mass", 1.0)
    sized = sized_bodies(model, env_name) if size != 1.0 else []
    _resize(model, sized, size)
    if size == mass == 1.0:
        return
    model.body_mass[bodies] *= mass
    for body in bodies:  # of the same mass, spread wider
        model.body_inertia[body] *= mass * size**2 if body in sized else mass
    found = derived(model) if from_masses is None else from_masses
    for body in _with_ancestors(model, bodies):
        model.body_subtreemass[body] = found.body_subtreemass[body]
    model.body_invweight0[bodies] = found.body_invweight0[bodies]
    for joint in _joints(model, bodies):
        dofs = _dofs(model, joint)
        model.dof_invweight0[dofs] = found.dof_invweight0[dofs]


def _resize(model: mujoco.MjModel, bodies: Iterable[int], size: float) -> None:
    """Makes bodies larger around their origin, which they share: shapes, meshes that are only seen, and sites."""
    for mesh in _meshes(model, bodies):
        model.mesh_vert[_corners(model, mesh)] *= np.float32(size)
        model.mesh_scale[mesh] *= size  # which tells those who draw
    for body in bodies:
        model.site_pos[model.site_bodyid == body] *= size
        model.body_ipos[body] *= size
        _numbers(model, ("bvh_aabb", body))[:] *= size
        for geom in _geoms(model, [body]):
            model.geom_size[geom] *= size
            model.geom_pos[geom] *= size
            model.geom_aabb[geom] *= size
            model.geom_rbound[geom] *= size


def derived(model: mujoco.MjModel) -> Derived:
    """Computes what MuJoCo derives from a model's masses, as its compiler does; the model stays as it is."""
    compiled = copy.copy(model)
    mujoco.mj_setConst(compiled, mujoco.MjData(compiled))
    return Derived(
        compiled.body_subtreemass.copy(), compiled.body_invweight0.copy(), compiled.dof_invweight0.copy()
    )


def _with_ancestors(model: mujoco.MjModel, bodies: Iterable[int]) -> list[int]:
    found = set(bodies)
    for body in bodies:
        above = body
        while above:
            above = int(model.body_parentid[above])
            found.add(above)
    return sorted(found)


# --- as numbers that a row has of its own -------------------------------------------------------------------


def changed_places(model: mujoco.MjModel, env_name: str) -> tuple[Place, ...]:
    """Returns every place of a model that `vary` may change, whatever the factors."""
    bodies = moving_bodies(model, env_name)
    places: list[Place] = [("geom_friction", geom) for geom in range(model.ngeom)]
    for field in ("body_mass", "body_inertia", "body_invweight0"):
        places += [(field, body) for body in bodies]
    places += [("body_subtreemass", body) for body in _with_ancestors(model, bodies)]
    for field in ("dof_damping", "dof_invweight0"):
        places += [(field, joint) for joint in _joints(model, bodies)]
    sized = sized_bodies(model, env_name)
    for field in ("body_ipos", "bvh_aabb"):
        places += [(field, body) for body in sized]
    for field in ("geom_pos", "geom_size", "geom_aabb", "geom_rbound"):
        places += [(field, geom) for geom in _geoms(model, sized)]
    places += [("site_pos", int(site)) for site in sites_of(model, env_name)]
    return tuple(places)


def changed_values(model: mujoco.MjModel, env_name: str) -> NDArray[np.float64]:
    """Returns the numbers at `changed_places`, one after another, (V,) float64."""
    return np.concatenate([np.ravel(_numbers(model, place)) for place in changed_places(model, env_name)])


def _numbers(model: mujoco.MjModel, place: Place) -> NDArray[np.float64]:
    """Returns a view of the numbers at a place."""
    field, each = place
    array: NDArray[np.float64] = getattr(model, field)
    if field.startswith("dof_"):
        return array[_dofs(model, each)]
    if field == "bvh_aabb":
        first = int(model.body_bvhadr[each])
        return array[first : first + int(model.body_bvhnum[each])] if model.body_bvhnum[each] else array[:0]
    return array[each : each + 1]


def _dofs(model: mujoco.MjModel, joint: int) -> slice:
    first = int(model.jnt_dofadr[joint])
    return slice(first, first + {0: 6, 1: 3}.get(int(model.jnt_type[joint]), 1))


# --- models that are changed and put back -------------------------------------------------------------------

_OF_PHYSICS = (
    "geom_friction", "geom_pos", "geom_size", "geom_aabb", "geom_rbound", "body_ipos", "body_mass", "body_inertia",
    "body_subtreemass", "body_invweight0", "bvh_aabb", "dof_damping", "dof_invweight0",
)  # fmt: skip
_OF_LOOKS = ("geom_rgba", "geom_matid", "light_ambient", "light_diffuse", "light_specular")
_HEADLIGHT = ("ambient", "diffuse", "specular")


class Changed(NamedTuple):
    """What a model was changed to."""

    env_name: str
    physics: Physics
    look: Look


_UNCHANGED = Changed("", (), ())


class Editor:
    """Changes a model as tasks want it, one after another; between them it is as it was.

    Args:
        model: the model, with Meta-World's own numbers.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        self._before: dict[str, NDArray[Any]] = {}
        self._own: dict[str, _Own] = {}  # by skill
        self._now = _UNCHANGED

    def change(self, env_name: str, physics: Physics, look: Look, from_masses: Derived | None = None) -> None:
        """Gives the model the factors of a task, in place of those of the task before.

        Args:
            env_name: the task's skill.
            physics: its physical factors.
            look: its visual ones.
            from_masses: see `vary`.
        """
        wanted = Changed(env_name, physics, look) if physics or look else _UNCHANGED
        if wanted == self._now:
            return
        self._put_back()
        if wanted == _UNCHANGED:
            return
        self._now = wanted
        self._keep()
        if physics:
            vary(self._model, env_name, physics, from_masses)
        if look:
            _dress(self._model, env_name, dict(look))

    def _keep(self) -> None:
        model = self._model
        if not self._before:
            self._before = {name: getattr(model, name).copy() for name in (*_OF_PHYSICS, *_OF_LOOKS)}
            self._before |= {name: getattr(model.vis.headlight, name).copy() for name in _HEADLIGHT}
        env_name = self._now.env_name
        if env_name not in self._own:
            self._own[env_name] = _Own(model, env_name)

    def _put_back(self) -> None:
        if self._now == _UNCHANGED:
            return
        for name, values in self._before.items():
            of = self._model.vis.headlight if name in _HEADLIGHT else self._model
            getattr(of, name)[:] = values
        self._own[self._now.env_name].put_back(self._model)
        self._now = _UNCHANGED


class _Own:
    """What only a skill's object has, as it is before changes. Resets move other sites, which stay where they are."""

    def __init__(self, model: mujoco.MjModel, env_name: str) -> None:
        meshes = _meshes(model, sized_bodies(model, env_name))
        self._sites = sites_of(model, env_name)
        self._places = model.site_pos[self._sites].copy()
        self._meshes = [
            (mesh, model.mesh_scale[mesh].copy(), model.mesh_vert[_corners(model, mesh)].copy())
            for mesh in meshes
        ]

    def put_back(self, model: mujoco.MjModel) -> None:
        """Gives the model these numbers again."""
        model.site_pos[self._sites] = self._places
        for mesh, scale, corners in self._meshes:
            if (model.mesh_scale[mesh] != scale).any():
                model.mesh_scale[mesh] = scale
                model.mesh_vert[_corners(model, mesh)] = corners


def _dress(model: mujoco.MjModel, env_name: str, look: dict[str, Any]) -> None:
    """Changes how a model looks."""
    if "table_colour" in look:
        table = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_MATERIAL, _TABLE)
        _paint(model, np.flatnonzero(model.geom_matid == table), look["table_colour"])
    if "floor_colour" in look:
        _paint(model, [model.geom(_FLOOR).id], look["floor_colour"])
    if "object_colour" in look:
        geoms = _geoms(model, moving_bodies(model, env_name))
        _paint(
            model, [each for each in geoms if model.geom_group[each] < _HIDDEN_GROUP], look["object_colour"]
        )
    if "light" in look:
        headlight = model.vis.headlight
        for values in (model.light_ambient, model.light_diffuse, model.light_specular):
            values *= np.float32(look["light"])
        for values in (headlight.ambient, headlight.diffuse, headlight.specular):
            values *= np.float32(look["light"])


def _paint(model: mujoco.MjModel, geoms: Iterable[int], colour: tuple[float, ...]) -> None:
    """Gives geoms a colour in place of their material."""
    for geom in geoms:
        model.geom_matid[geom] = -1
        model.geom_rgba[geom] = (*colour, 1.0)
