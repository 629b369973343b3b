"""dm_control's own environment of a task, with a model that is edited before it is compiled.

The suite's function builds the environment as always (task object, time limit, control step). Only the step from XML to
model is ours: the XML is parsed into MuJoCo's spec, changed as the task says, compiled once and kept.
"""

from __future__ import annotations

import copy
import functools
import importlib
import importlib.util
import os
import sys
import threading
import types
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.draws import legacy_seed
from taskworlds.core.errors import WrongValue, check_seed
from taskworlds.core.task import Task
from taskworlds.rendering import drawing, offscreen
from taskworlds.worlds.control import edits
from taskworlds.worlds.control.skills import CUSTOM_SKILLS, skill
from taskworlds.worlds.control.variations import changes_of, check_parameters

if TYPE_CHECKING:
    from dm_control.rl.control import Environment

__all__ = [
    "Built",
    "build",
    "compiled",
    "differing",
    "import_suite",
    "make_environment",
    "same",
]

_KEPT_BYTES = 256 * 2**20
_KEPT_MODELS = 256
_BACKENDS = ("egl", "osmesa", "disable")
_DRAWN = ("_", "bvh_", "mesh_", "oct_", "skin_", "tex_")


class Built(NamedTuple):
    """An environment, and what it was made of.

    Attributes:
        environment: dm_control's environment, with a model of its own.
        model: the compiled model as it was before the environment's task object wrote to it. It is shared: do not write
            to it.
    """

    environment: Environment
    model: mujoco.MjModel


def make_environment(task: Task, seed: int | None = None, **environment_kwargs: Any) -> Environment:
    """See `taskworlds.control.make_environment`."""
    return build(task, seed, **environment_kwargs).environment


def build(
    task: Task, seed: int | None, *, textures: bool = True, draws: bool = True, **environment_kwargs: Any
) -> Built:
    """Makes dm_control's environment of a task, like `make_environment`.

    Args:
        task: as for `make_environment`.
        seed: as for `make_environment`.
        textures: False makes each texture one pixel large. The physics stays the same, and a model takes 16 KB and
            1 ms to compile instead of 12 MB and 50 ms, but pictures are wrong.
        draws: False leaves drawing to others: dm_control then has no OpenGL context, which some resets would make.
        **environment_kwargs: as for `make_environment`.
    """
    made = skill(task.env_name)
    domain, name = made[:2]
    check_parameters(task)
    import_suite(task.env_name)
    module = importlib.import_module(f"dm_control.suite.{domain}")
    kwargs: dict[str, Any] = {"random": None if seed is None else legacy_seed(check_seed(seed))}
    if "time_limit" in environment_kwargs:
        kwargs["time_limit"] = environment_kwargs.pop("time_limit")
    if environment_kwargs:
        kwargs["environment_kwargs"] = environment_kwargs
    source = _ModelSource(module.Physics if draws else _undrawn(module.Physics), task, textures)
    make = (
        _custom(domain, name, source) if made in CUSTOM_SKILLS else _with_physics(module.SUITE[name], source)
    )
    try:
        environment = make(**kwargs)
    except ValueError as error:
        if source.model is None:
            raise
        raise WrongValue(f"dm_control cannot make {_described(task)}: {error}") from None
    assert source.model is not None
    return Built(environment, source.model)


def compiled(task: Task) -> mujoco.MjModel:
    """Returns the compiled model of a task, without textures. It is shared: read it only.

    Raises:
        ImportError: dm_control is not installed.
        ValueError: the skill or a parameter is not known, or MuJoCo cannot compile the model.

    Example:
        >>> round(compiled(Task("cheetah-run", {"torso_length": 0.8})).body("torso").mass.item(), 6)
        7.478169
    """
    return build(task, 0, textures=False).model


def differing(model: mujoco.MjModel, other: mujoco.MjModel) -> dict[str, NDArray[Any]]:
    """Returns copies, by name, of those of a model's arrays that differ from another model's of the same shape.

    What is only drawn (meshes, textures, skins) is left out.
    """
    found = {}
    for name in _array_names():
        mine, others = getattr(model, name), getattr(other, name)
        if not np.array_equal(mine, others):
            found[name] = mine.copy()
    return found


def same(model: mujoco.MjModel, other: mujoco.MjModel) -> bool:
    """Whether two compiled models are equal in all that they hold."""
    return np.array_equal(_saved(model), _saved(other))


def _saved(model: mujoco.MjModel) -> NDArray[np.uint8]:
    content = np.zeros(mujoco.mj_sizeModel(model), dtype=np.uint8)
    mujoco.mj_saveModel(model, None, content)
    return content


@functools.lru_cache(maxsize=1)
def _array_names() -> tuple[str, ...]:
    model = mujoco.MjSpec().compile()
    return tuple(
        name
        for name in dir(model)
        if isinstance(getattr(model, name), np.ndarray) and not name.startswith(_DRAWN)
    )


@functools.cache
def _undrawn(physics: type[Any]) -> type[Any]:
    """Returns a domain's `Physics` without OpenGL contexts: they belong to a thread, which a reset does not."""
    return type(physics.__name__, (physics,), {"contexts": None})


class _ModelSource:
    """Stands for a domain's `Physics` where the suite's functions make one from XML."""

    def __init__(self, physics: Any, task: Task, textures: bool) -> None:
        self._physics = physics
        self._task = task
        self._textures = textures
        self.model: mujoco.MjModel | None = None  # once it is compiled

    def from_xml_string(self, xml: str | bytes, assets: Mapping[str, Any] | None = None) -> Any:
        """Makes the physics from the XML, changed as the task says."""
        from dm_control.mujoco import wrapper

        self.model = _model(self._task, xml, assets or {}, self._textures)
        physics = self._physics.from_model(wrapper.MjModel(copy.copy(self.model)))
        if hasattr(physics, "_sensor_types_to_names"):
            physics._sensor_types_to_names = _SensorNames(physics.model)
        return physics


class _SensorNames(dict[tuple[int, ...], list[str]]):
    """Sensors' names by their types, which quadruped asks for; its own code needs `np.in1d`, gone in NumPy 2.4."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._model = model

    def __missing__(self, sensor_types: tuple[int, ...]) -> list[str]:
        ids = np.flatnonzero(np.isin(self._model.sensor_type, [int(each) for each in sensor_types]))
        self[sensor_types] = [self._model.id2name(each, "sensor") for each in ids]
        return self[sensor_types]


def _custom(domain: str, name: str, physics: _ModelSource) -> Any:
    """Returns what makes the environment of one of TD-MPC2's tasks, like one of the suite's functions."""
    # Imports dm_control's suite, which `build` has prepared.
    from taskworlds.worlds.control import custom_tasks

    return functools.partial(custom_tasks.make, domain, name, physics)


def _with_physics(function: Any, physics: _ModelSource) -> Any:
    """Returns a copy of one of the suite's functions that finds `physics` under the global name `Physics`.

    The functions of its module that it calls are copied likewise; the module itself stays as it is.
    """
    module_globals = function.__globals__
    own = dict(module_globals)
    for name, value in module_globals.items():
        if isinstance(value, types.FunctionType) and value.__globals__ is module_globals:
            own[name] = types.FunctionType(
                value.__code__, own, value.__name__, value.__defaults__, value.__closure__
            )
            own[name].__kwdefaults__ = value.__kwdefaults__
    own["Physics"] = physics
    return own[function.__name__]


# --- compiled models, kept ----------------------------------------------------------------------------------

_models: OrderedDict[tuple[Any, ...], mujoco.MjModel] = OrderedDict()
_lock = threading.Lock()


def _model(task: Task, xml: str | bytes, assets: Mapping[str, Any], textures: bool) -> mujoco.MjModel:
    """Returns the compiled model of a task. It is shared: copy it before writing to it."""
    changes = changes_of(task)
    key = (task.env_name, _bytes(xml), changes, textures)
    with _lock:
        if key in _models:
            _models.move_to_end(key)
            return _models[key]
    model = _compile(task, xml, assets, changes, textures)
    with _lock:
        _models[key] = model
        size = sum(mujoco.mj_sizeModel(kept) for kept in _models.values())
        while len(_models) > 1 and (size > _KEPT_BYTES or len(_models) > _KEPT_MODELS):
            size -= mujoco.mj_sizeModel(_models.popitem(last=False)[1])
    return model


def _compile(
    task: Task, xml: str | bytes, assets: Mapping[str, Any], changes: Sequence[edits.Change], textures: bool
) -> mujoco.MjModel:
    # A spec looks files up under the name that MuJoCo makes of theirs, without the leading "./".
    files = {name.removeprefix("./"): _bytes(content) for name, content in assets.items()}
    included = {name: content for name, content in files.items() if name.endswith(".xml")}
    other = {name: content for name, content in files.items() if name not in included}
    spec = mujoco.MjSpec.from_string(_bytes(xml).decode(), include=included, assets=other)
    if not textures:
        for texture in spec.textures:
            texture.width = texture.height = 1
    edits.apply(spec, changes)
    try:
        return spec.compile()
    except ValueError as error:
        raise WrongValue(
            f"MuJoCo cannot compile {_described(task)}: {' '.join(str(error).split())}. Choose a value that makes "
            "a valid model."
        ) from None


def _described(task: Task) -> str:
    fixed = ", ".join(f"{name}={value!r}" for name, value in task.params.items())
    return f"{task.env_name} with {fixed}" if fixed else task.env_name


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


# --- the import ---------------------------------------------------------------------------------------------


def import_suite(env_name: str) -> Any:
    """Imports dm_control's suite, so that pictures can be drawn with and without a screen.

    Args:
        env_name: the skill that needs it, for the message.

    Raises:
        ImportError: dm_control is not installed.
    """
    if "dm_control.suite" in sys.modules:
        return sys.modules["dm_control.suite"]
    if importlib.util.find_spec("dm_control") is None:
        raise ImportError(
            f"{env_name} is a skill of dm_control's suite, and dm_control is not installed: "
            'pip install "taskworlds[control]"'
        )
    if (
        drawing.is_forked_from_drawing()
    ):  # whose OpenGL dm_control would take hold of, and wait for when it ends
        with offscreen.using_library("disable"):
            return importlib.import_module("dm_control.suite")
    screen = sys.platform != "linux" or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    if not screen and not os.environ.get("MUJOCO_GL"):
        _import_without_screen()
    return importlib.import_module("dm_control.suite")


def _import_without_screen() -> None:
    """Makes dm_control use EGL, else OSMesa, else no pictures; by itself it uses GLFW, which needs a screen."""
    before = os.environ.get("MUJOCO_GL")
    for backend in _BACKENDS:
        os.environ["MUJOCO_GL"] = backend
        try:
            importlib.import_module("dm_control._render")
            return
        except (ImportError, RuntimeError, AttributeError):
            for name in [name for name in sys.modules if name.startswith("dm_control._render")]:
                del sys.modules[name]
            os.environ.pop("PYOPENGL_PLATFORM", None)
        finally:
            os.environ.pop("MUJOCO_GL")
            if before is not None:
                os.environ["MUJOCO_GL"] = before
