"""The registry: every world and every engine there is, the package's own and those that others add.

Others add theirs by `register_world` and `register_engine`, or have them found without an import: an installed package
names them in the entry points "taskworlds.worlds" (a `World`, or several) and "taskworlds.engines" (a `RowEngine`). The
package's own are named here in the same way.
"""

from __future__ import annotations

import functools
import importlib.metadata
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_known
from taskworlds.core.reference import resolve
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import BenchmarkMaker, World

__all__ = [
    "benchmark_makers",
    "choose_engine",
    "engine",
    "engines",
    "names_changed",
    "on_new_names",
    "register_engine",
    "register_world",
    "world_of",
    "worlds",
]

_WORLDS = (
    "taskworlds.worlds.metaworld.world:METAWORLD",
    "taskworlds.worlds.locomotion.world:LOCOMOTION",
    "taskworlds.worlds.control.world:CONTROL_WORLDS",
    "taskworlds.worlds.small.world:SMALL_WORLDS",
)
_ENGINES = "taskworlds.rows.engines:ENGINES"

_listeners: list[Callable[[], None]] = []


class _Registry:
    """What has been registered, in order."""

    def __init__(self) -> None:
        self.worlds: dict[str, World] = {}
        self.engines: dict[str, RowEngine] = {}
        self.complete = False  # whether the package's own and the entry points are in it
        self.completing = False


_registry = _Registry()


def worlds() -> tuple[World, ...]:
    """Returns all worlds: the package's own, then those that were registered, the oldest first."""
    return tuple(_complete().worlds.values())


def engines() -> dict[str, RowEngine]:
    """Returns all engines by name: the package's own, then those that were registered, the oldest first."""
    return dict(_complete().engines)


def register_world(world: World, *, replace: bool = False) -> None:
    """Makes a world known in this process: its skills and benchmarks have their names everywhere from then on.

    Registering an equal world again does nothing.

    Args:
        world: the world. `taskworlds.testing.check_world` tells whether it works.
        replace: drop another world that was registered under the name. Environments that exist keep the old one.

    Raises:
        TypeError: `world` is not a `World`.
        ValueError: its name, or the name of one of its skills or benchmarks, belongs to another world.
    """
    if not isinstance(world, World):
        raise WrongType(
            f"world must be a taskworlds.World, not {world!r}: make one, World(name=..., ...).",
            argument="world",
        )
    registry = _complete()
    known = registry.worlds.get(world.name)
    if known == world:
        return
    if known is not None and not replace:
        raise WrongValue(
            f"name must not be {world.name!r}: another world is registered under it. Choose another name, or register "
            "with replace=True to drop the other.",
            argument="name",
        )
    _check_names(world, [each for name, each in registry.worlds.items() if name != world.name])
    registry.worlds[world.name] = world
    names_changed()


def register_engine(engine: RowEngine, *, replace: bool = False) -> None:
    """Makes an engine known in this process: `vector_strategy` takes its name from then on.

    Registering an equal engine again does nothing.

    Args:
        engine: the engine. `taskworlds.testing.check_engine` tells whether it works.
        replace: drop another engine that was registered under the name. Environments that exist keep the old one.

    Raises:
        TypeError: `engine` is not a `RowEngine`.
        ValueError: its name belongs to another engine.
    """
    if not isinstance(engine, RowEngine):
        raise WrongType(
            f"engine must be a taskworlds.RowEngine, not {engine!r}: make one, RowEngine(name=..., ...).",
            argument="engine",
        )
    registry = _complete()
    known = registry.engines.get(engine.name)
    if known == engine:
        return
    if known is not None and not replace:
        raise WrongValue(
            f"name must not be {engine.name!r}: another engine is registered under it. Choose another name, or register "
            "with replace=True to drop the other.",
            argument="name",
        )
    registry.engines[engine.name] = engine


def on_new_names(listener: Callable[[], None]) -> None:
    """Has a function called whenever there are new names of skills or benchmarks."""
    if listener not in _listeners:
        _listeners.append(listener)


def names_changed() -> None:
    """Tells those that asked that there are new names of skills or benchmarks."""
    _by_skill.cache_clear()
    for listener in _listeners:
        listener()


def world_of(env_name: str) -> World:
    """Returns the world that a skill belongs to.

    Raises:
        TypeError: `env_name` is not a string.
        ValueError: no world has this skill.
    """
    found = _by_skill().get(env_name) if isinstance(env_name, str) else None
    if found is not None:
        return found
    for world in worlds():
        if env_name in world.env_names():
            return world
    known = [name for world in worlds() for name in world.env_names()]
    check_known("skill", env_name, known, f"`taskworlds list skills` shows all {len(known)}.")
    raise AssertionError("unreachable: check_known raises for an unknown name")


def benchmark_makers() -> dict[str, tuple[World, BenchmarkMaker]]:
    """Returns, by the name of each benchmark, its world and what makes it."""
    return {name: (world, maker) for world in worlds() for name, maker in world.benchmark_makers().items()}


def engine(name: str) -> RowEngine:
    """Returns the engine of a name.

    Raises:
        ValueError: there is no such engine.
    """
    known = engines()
    return known[check_choice("vector_strategy", name, tuple(known))]


def choose_engine(world: World, strategy: str | None, num_envs: int) -> RowEngine:
    """Returns the engine to use: the caller's, else the world's default, else processes if there are several rows.

    Raises:
        ValueError: there is no such engine, or it cannot step the world.
    """
    if strategy is None:
        return engine(next(iter(world.rows), "async" if num_envs > 1 else "sync"))
    chosen = engine(strategy)
    if not chosen.can_step(world):
        listed = " or ".join(f'"{name}"' for name, each in engines().items() if each.can_step(world))
        raise WrongValue(f"{world.name} has no {strategy} engine: take vector_strategy={listed}.")
    return chosen


@functools.lru_cache(maxsize=1)
def _by_skill() -> dict[str, World]:
    """The worlds by the names of their skills, as far as those are fixed."""
    return {name: world for world in worlds() if isinstance(world.skills, tuple) for name in world.skills}


def _complete() -> _Registry:
    """Returns the registry with the package's own worlds and engines, and those of entry points, in it."""
    if _registry.complete or _registry.completing:
        return _registry
    _registry.completing = True
    try:
        for name in _WORLDS:
            for world in _several(resolve(name)):
                _registry.worlds[world.name] = world
        for own in resolve(_ENGINES):
            _registry.engines[own.name] = own
        _load("taskworlds.worlds", register_world)
        _load("taskworlds.engines", register_engine)
        _registry.complete = True
    finally:
        _registry.completing = False
    names_changed()
    return _registry


def _load(group: str, register: Callable[[Any], None]) -> None:
    """Registers what installed packages name in an entry point; one that cannot be registered costs a warning."""
    for entry in importlib.metadata.entry_points(group=group):
        try:
            for each in _several(entry.load()):
                register(each)
        except Exception as error:
            warnings.warn(
                f"The entry point {entry.name!r} of {group} ({entry.value}) could not be registered, and the rest works "
                f"without it: {type(error).__name__}: {error}",
                RuntimeWarning,
                stacklevel=2,
            )


def _several(found: Any) -> Iterable[Any]:
    return found if isinstance(found, list | tuple) else (found,)


def _check_names(world: World, others: list[World]) -> None:
    """Raises ValueError if a name of the world's is another's."""
    taken: dict[str, World] = {}
    for other in others:
        taken |= dict.fromkeys((*other.env_names(), *other.benchmark_makers()), other)
    for kind, names in (("skill", world.env_names()), ("benchmark", world.benchmark_makers())):
        for name in names:
            if name in taken:
                raise WrongValue(
                    f"The world {world.name!r} must not have a {kind} {name!r}: {taken[name].name} has that name already. "
                    "Choose another name."
                )
