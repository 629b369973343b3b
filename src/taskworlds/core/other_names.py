"""Names that are given where names of another kind belong, for messages that say where to give them."""

from __future__ import annotations

from collections.abc import Iterable

from taskworlds.core.reference import resolve
from taskworlds.core.registry import benchmark_makers, engines, list_makers, worlds

__all__ = ["names_tasks", "not_a_benchmark"]

# By name, as in the record of a world: only a mistake needs them, and nothing here does.
_SEQUENCES = "taskworlds.continual.sequences:SEQUENCES"
_PROTOCOLS = "taskworlds.vector.protocols:PROTOCOLS"


def not_a_benchmark(name: str) -> str:
    """Returns what a name stands for that is not a benchmark's, and where to give it; "" if it is not known at all.

    Upper and lower case do not matter. A benchmark or a skill in another case is only misspelt, also where its world
    has the same name: "" for it as well.

    Example:
        >>> not_a_benchmark("cw10")
        "'CW10' is a continual sequence, not a benchmark. taskworlds.continual.make_sequence('CW10') makes ..."
        >>> not_a_benchmark("MT11"), not_a_benchmark("Half-Cheetah-Vel")
        ('', '')
    """
    if _spelled(name, [*_benchmarks(), *(skill for world in worlds() for skill in world.env_names())]):
        return ""
    if sequence := _spelled(name, resolve(_SEQUENCES)):
        return (
            f"{sequence!r} is a continual sequence, not a benchmark. "
            f"taskworlds.continual.make_sequence({sequence!r}) makes its environments."
        )
    for kind, keyword, option, known in (
        ("a protocol", "protocol", "--protocol", resolve(_PROTOCOLS)),
        ("an engine", "vector_strategy", "--engine", engines()),
    ):
        if other := _spelled(name, known):
            return (
                f"{other!r} is {kind}, not a benchmark. Give a benchmark, and with it {keyword}={other!r}, on the "
                f"command line {option} {other}."
            )
    for world in worlds():
        if suite := _spelled(name, (world.suite, world.name, world.listed.title.partition(",")[0])):
            return (
                f"{suite!r} is a suite of skills, not a benchmark. `taskworlds list benchmarks --world {world.suite}` "
                "shows its benchmarks."
            )
    return ""


def names_tasks(name: str) -> bool:
    """Returns whether a name is that of a benchmark or a skill.

    Example:
        >>> names_tasks("MT10"), names_tasks("walker-walk"), names_tasks("random")
        (True, True, False)
    """
    return name in _benchmarks() or any(world.canonical_name(name) is not None for world in worlds())


def _benchmarks() -> list[str]:
    return [*benchmark_makers(), *list_makers()]


def _spelled(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name that is a name in some upper or lower case; None if there is none."""
    return next((each for each in known if each.lower() == name.lower()), None)
