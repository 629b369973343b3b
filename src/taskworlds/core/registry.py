"""The registry: every world and every engine there is, the package's own and those that others add.

Others add theirs by `register_world` and `register_engine`, or have them found without an import: an installed package
names them in the entry points "taskworlds.worlds" (a `World`, or several) and "taskworlds.engines" (a `RowEngine`, or
several). The package's own are named here in the same way. All of them are loaded once, when the registry is first
asked for something.

No module is imported while the lock is held, so that two threads, one of which imports a module that registers a world,
never wait for each other.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from taskworlds.core.cpus import count_cpus
from taskworlds.core.errors import Mistake, WrongType, WrongValue, check_choice, check_known
from taskworlds.core.reference import resolve
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import BenchmarkMaker, World

__all__ = [
    "benchmark_makers",
    "choose_engine",
    "default_engine",
    "engine",
    "engines",
    "list_makers",
    "names_changed",
    "on_new_names",
    "register_engine",
    "register_world",
    "temporarily_registered",
    "world_of",
    "worlds",
]

_WORLDS = (
    "taskworlds.worlds.metaworld.world:METAWORLD",
    "taskworlds.worlds.locomotion.world:LOCOMOTION",
    "taskworlds.worlds.control.world:CONTROL_WORLDS",
    "taskworlds.worlds.control.world:CUSTOM_WORLDS",
    "taskworlds.worlds.small.world:SMALL_WORLDS",
)
_ENGINES = "taskworlds.rows.engines:ENGINES"
_LISTS = "taskworlds.worlds.lists:LISTS"

# Up to the larger of these many, rows of Python environments have a process each, unless the caller says otherwise.
_PROCESSES_PER_CPU = 4
_PROCESSES_ANYWHERE = 16

_listeners: list[Callable[[], None]] = []


class _Registry:
    """What has been registered, in order."""

    def __init__(self) -> None:
        self.worlds: dict[str, World] = {}
        self.engines: dict[str, RowEngine] = {}
        self.by_skill: dict[str, World] = {}  # by the names of their skills, as far as those are fixed
        self.has_own = False  # whether the package's own are in it
        self.complete = False  # whether those of the entry points are in it too
        self.told: set[str] = set()  # entry points that failed, and about which the user was told
        self.lock = threading.RLock()

    def add_world(self, world: World, replace: bool) -> bool:
        """Adds a world; returns whether that changed anything."""
        known = self.worlds.get(world.name)
        if known == world:
            return False
        if known is not None and not replace:
            raise _taken("world", world.name)
        _check_names(world, [each for name, each in self.worlds.items() if name != world.name])
        self.worlds[world.name] = world
        self.index()
        return True

    def add_engine(self, engine: RowEngine, replace: bool) -> None:
        """Adds an engine."""
        known = self.engines.get(engine.name)
        if known is not None and known != engine and not replace:
            raise _taken("engine", engine.name)
        self.engines[engine.name] = engine

    def index(self) -> None:
        """Finds out again which world has which skill."""
        self.by_skill = {
            name: world
            for world in self.worlds.values()
            if isinstance(world.skills, tuple)
            for name in world.skills
        }


_registry = _Registry()


class _Loading(threading.local):
    """Whether this thread is loading what the registry is completed with, and so may see it incomplete."""

    now = False


_loading = _Loading()


def worlds() -> tuple[World, ...]:
    """Returns all worlds: the package's own, then those that were registered, the oldest first."""
    return tuple(_complete().worlds.values())


def engines() -> dict[str, RowEngine]:
    """Returns all engines by name: the package's own, then those that were registered, the oldest first."""
    return dict(_complete().engines)


def register_world(world: World, *, replace: bool = False) -> None:
    """Makes a world known in this process: its skills and benchmarks have their names everywhere from then on.

    Registering an equal world again does nothing. Another process has to register the world too, preferably through the
    entry point "taskworlds.worlds" of an installed package.

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
    _import_names(registry, world)
    with registry.lock:
        changed = registry.add_world(world, replace)
    if changed:
        names_changed()


def register_engine(engine: RowEngine, *, replace: bool = False) -> None:
    """Makes an engine known in this process: `vector_strategy` takes its name from then on.

    Registering an equal engine again does nothing. An installed package can name its engine in the entry point
    "taskworlds.engines" instead.

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
    with registry.lock:
        registry.add_engine(engine, replace)


@contextlib.contextmanager
def temporarily_registered(record: World | RowEngine) -> Iterator[None]:
    """Makes a world or an engine known within a `with` block, in place of one that is registered under the name."""
    registry = _complete()
    before = dict(registry.worlds), dict(registry.engines)
    if isinstance(record, World):
        register_world(record, replace=True)
    else:
        register_engine(record, replace=True)
    try:
        yield
    finally:
        with registry.lock:
            registry.worlds, registry.engines = before
            registry.index()
        names_changed()


def on_new_names(listener: Callable[[], None]) -> None:
    """Has a function called whenever names of skills or benchmarks are added or dropped."""
    if listener not in _listeners:
        _listeners.append(listener)


def names_changed() -> None:
    """Tells those that asked that names of skills or benchmarks were added or dropped."""
    for listener in _listeners:
        listener()


def world_of(env_name: str) -> World:
    """Returns the world that a skill belongs to.

    Raises:
        TypeError: `env_name` is not a string.
        ValueError: no world has this skill.
    """
    found = _complete().by_skill.get(env_name) if isinstance(env_name, str) else None
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


def list_makers() -> dict[str, BenchmarkMaker]:
    """Returns, by name, what makes the benchmarks whose skills are of several worlds, such as "MT80".

    Example:
        >>> [(name, len(maker.train_skills)) for name, maker in list_makers().items()]
        [('MT30', 30), ('MT80', 80)]
    """
    return dict(resolve(_LISTS))


def engine(name: str) -> RowEngine:
    """Returns the engine of a name.

    Raises:
        ValueError: there is no such engine.
    """
    known = engines()
    return known[check_choice("vector_strategy", name, tuple(known))]


def choose_engine(world: World, strategy: str | None, num_envs: int) -> RowEngine:
    """Returns the engine to use.

    That is the caller's; else the first that the world has rows for; else, for Python environments, one process a row
    if there are several rows and not far more than processors, and this process otherwise. Results do not depend on it.

    Raises:
        ValueError: there is no such engine, or it cannot step the world.
    """
    if strategy is None:
        most = max(_PROCESSES_ANYWHERE, _PROCESSES_PER_CPU * count_cpus())
        found = default_engine(world, "async" if 1 < num_envs <= most else "sync")
        if found is None:
            raise WrongValue(
                f"No engine here can step the world {world.name!r}: it has rows for {', '.join(world.rows)}, which "
                "must be registered first. Install or import the package that has this engine."
            )
        return found
    chosen = engine(strategy)
    if not chosen.can_step(world):
        able = [name for name, each in engines().items() if each.can_step(world)]
        listed = " or ".join(f'"{name}"' for name in able) or "no engine that is registered here"
        raise WrongValue(
            f"{world.name} has no {strategy} engine: take vector_strategy={listed}.",
            argument="vector_strategy",
        )
    return chosen.in_world(world)


def default_engine(world: World, fallback: str) -> RowEngine | None:
    """Returns the engine of a world whose user names none; None if there is none.

    Args:
        world: the world.
        fallback: the engine of its Python environments, where it has no rows of its own.
    """
    able = {name: each for name, each in engines().items() if each.inside is None and each.can_step(world)}
    return next((able[name] for name in (*world.rows, fallback, *able) if name in able), None)


class _Entry(NamedTuple):
    """An entry point, with what it names or why that could not be loaded.

    Its module can be half imported, where it is what imports Gymnasium and thereby asks for the ids of all worlds. Then
    it is looked at again when the registry is next asked for something.
    """

    name: str
    group: str
    value: str
    found: tuple[Any, ...] = ()
    error: Exception | None = None
    is_half_imported: bool = False


def _complete() -> _Registry:
    """Returns the registry with the package's own worlds and engines, and those of entry points, in it."""
    registry = _registry
    if registry.complete or _loading.now:
        return registry
    _loading.now = True
    try:
        own_worlds = [world for name in _WORLDS for world in _several(resolve(name))]
        own_engines = resolve(_ENGINES)
        with registry.lock:
            if not registry.has_own:
                registry.worlds |= {world.name: world for world in own_worlds}
                registry.engines |= {engine.name: engine for engine in own_engines}
                registry.index()
                registry.has_own = True
        entries = [*_entries("taskworlds.worlds"), *_entries("taskworlds.engines")]
        failed: list[tuple[_Entry, Exception]] = []
        with registry.lock:
            first = not registry.complete
            for entry in entries if first else ():
                failed += [(entry, error) for error in _register_entry(registry, entry)]
            failed = [(entry, error) for entry, error in failed if entry.value not in registry.told]
            registry.told |= {entry.value for entry, _ in failed}
            registry.complete |= not any(entry.is_half_imported for entry in entries)
        if first:
            names_changed()
    finally:
        _loading.now = False
    for entry, error in failed:
        warnings.warn(
            f"The entry point {entry.name!r} of {entry.group} ({entry.value}) could not be registered; everything "
            f"else works without it: {type(error).__name__}: {error}",
            RuntimeWarning,
            stacklevel=3,
        )
    return registry


def _entries(group: str) -> list[_Entry]:
    """Returns what installed packages name in an entry point, loaded."""
    import importlib.metadata  # takes 20 ms, which `import taskworlds` need not wait for

    entries = []
    for entry in importlib.metadata.entry_points(group=group):
        made = _Entry(entry.name, group, entry.value)
        try:
            importlib.import_module(entry.module)  # waits for another thread that imports it
            if getattr(sys.modules[entry.module].__spec__, "_initializing", False):
                entries.append(made._replace(is_half_imported=True))
                continue
            found = tuple(_several(entry.load()))
            for each in found:
                if isinstance(each, World):
                    _import_names(_registry, each)
        except Exception as error:
            entries.append(made._replace(error=error))
        else:
            entries.append(made._replace(found=found))
    return entries


def _register_entry(registry: _Registry, entry: _Entry) -> list[Exception]:
    """Registers what an entry point names; returns what went wrong."""
    if entry.error is not None:
        return [entry.error]
    wrong: list[Exception] = []
    kind = World if entry.group == "taskworlds.worlds" else RowEngine
    for each in entry.found:
        try:
            if not isinstance(each, kind):
                raise WrongType(
                    f"It must name a taskworlds.{kind.__name__}, or several in a tuple, not {each!r}."
                )
            if isinstance(each, World):
                registry.add_world(each, replace=False)
            else:
                registry.add_engine(each, replace=False)
        except Mistake as error:
            wrong.append(error)
    return wrong


def _several(found: Any) -> Iterable[Any]:
    return found if isinstance(found, list | tuple) else (found,)


def _import_names(registry: _Registry, world: World) -> None:
    """Checks a world, and imports what gives the names of it and of the others, before the lock is taken."""
    world.check()
    for each in tuple(registry.worlds.values()):
        each.env_names()
        each.benchmark_makers()


def _taken(kind: str, name: str) -> WrongValue:
    return WrongValue(
        f"name must not be {name!r}: another {kind} is registered under it. Choose another name, or register with "
        "replace=True to drop the other.",
        argument="name",
    )


def _check_names(world: World, others: list[World]) -> None:
    """Raises WrongValue if a name of the world's is another's."""
    taken: dict[str, World] = {}
    for other in others:
        taken |= dict.fromkeys((*other.env_names(), *other.benchmark_makers()), other)
    for kind, names in (("skill", world.env_names()), ("benchmark", world.benchmark_makers())):
        for name in names:
            if name in taken:
                raise WrongValue(
                    f"The world {world.name!r} must not have a {kind} {name!r}: the world {taken[name].name!r} has "
                    "that name already. Choose another name."
                )
