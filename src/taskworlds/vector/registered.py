"""What another process must know to make environments of some skills: the records that were registered in this one."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from taskworlds.core.registry import register_engine, register_world, world_of
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import World
from taskworlds.worlds.metaworld.skills import Skill, register_skill, registered_skills

__all__ = ["records_of", "register_all"]


def records_of(env_names: Collection[str], engines: Iterable[RowEngine]) -> list[Skill | World | RowEngine]:
    """Returns the records that a process needs to know for skills; it may know them already.

    Args:
        env_names: the skills, of one world or several.
        engines: what steps them.
    """
    records: list[Skill | World | RowEngine] = [
        each for each in registered_skills() if each.name in env_names
    ]
    worlds = {world.name: world for world in map(world_of, sorted(env_names))}
    return [*records, *worlds.values(), *{each.name: each for each in engines}.values()]


def register_all(records: Iterable[Skill | World | RowEngine]) -> None:
    """Makes records known in this process."""
    for record in records:
        if isinstance(record, Skill):
            register_skill(record, replace=True)
        elif isinstance(record, World):
            register_world(record, replace=True)
        else:
            register_engine(record, replace=True)
