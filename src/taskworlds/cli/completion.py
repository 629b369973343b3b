"""What the shell offers when a command is completed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from taskworlds.core.registry import benchmark_makers, engines, list_makers, worlds

__all__ = ["complete", "engine_names", "names"]


def complete(words: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Returns a function that completes what was typed to one of some words, which are looked up when it is called."""

    def matching(incomplete: str) -> list[str]:
        return [word for word in words() if word.startswith(incomplete)]

    return matching


def names() -> list[str]:
    """Returns the names of benchmarks and skills."""
    skills = (name for world in worlds() for name in world.env_names())
    return list(dict.fromkeys([*benchmark_makers(), *list_makers(), *skills]))


def engine_names() -> list[str]:
    """Returns the names of engines."""
    return list(engines())
