"""The worlds: what the skills of each suite are, and how their tasks are made."""

from __future__ import annotations

from taskworlds.errors import check_known
from taskworlds.worlds.control.world import CONTROL_WORLDS
from taskworlds.worlds.locomotion.world import LOCOMOTION
from taskworlds.worlds.metaworld.world import METAWORLD
from taskworlds.worlds.world import World

__all__ = ["METAWORLD", "WORLDS", "World", "world_of"]

WORLDS: tuple[World, ...] = (METAWORLD, *LOCOMOTION, *CONTROL_WORLDS)


def world_of(env_name: str) -> World:
    """Gives the world that a skill belongs to.

    Raises:
        ValueError: no world has this skill.
    """
    for world in WORLDS:
        if env_name in world.env_names():
            return world
    known = [name for world in WORLDS for name in world.env_names()]
    check_known("skill", env_name, known, f"`taskworlds list skills` shows all {len(known)}.")
    raise AssertionError("unreachable: check_known raises for an unknown name")
