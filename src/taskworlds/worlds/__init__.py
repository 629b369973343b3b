"""The worlds: what the skills of each suite are, and how their tasks are made."""

from __future__ import annotations

from taskworlds.errors import check_known
from taskworlds.worlds.control.world import CONTROL_WORLDS
from taskworlds.worlds.locomotion.world import LOCOMOTION
from taskworlds.worlds.metaworld.world import METAWORLD
from taskworlds.worlds.world import World

__all__ = ["METAWORLD", "World", "add_world", "world_of", "worlds"]

_worlds: list[World] = [METAWORLD, *LOCOMOTION, *CONTROL_WORLDS]


def worlds() -> tuple[World, ...]:
    """Gives all worlds that there are."""
    return tuple(_worlds)


def add_world(world: World) -> None:
    """Adds a world, whose skills and benchmarks are found by name from then on.

    Raises:
        ValueError: one of its skills or benchmarks has a name that is taken.
    """
    taken = {name for each in _worlds for name in (*each.env_names(), *each.benchmarks)}
    double = sorted(taken & {*world.env_names(), *world.benchmarks})
    if double:
        raise ValueError(
            f"{world.name} cannot be added: {', '.join(double)} taken already. Choose other names."
        )
    _worlds.append(world)


def world_of(env_name: str) -> World:
    """Gives the world that a skill belongs to.

    Raises:
        ValueError: no world has this skill.
    """
    for world in _worlds:
        if env_name in world.env_names():
            return world
    known = [name for world in _worlds for name in world.env_names()]
    check_known("skill", env_name, known, f"`taskworlds list skills` shows all {len(known)}.")
    raise AssertionError("unreachable: check_known raises for an unknown name")
