"""The 50 skills of Meta-World v3, collected from the families' tables.

`SKILLS` is what registry, command line, benchmarks, engines and tests are computed from. A skill's facts stand in one
place, the table at the end of its family's file. Nothing here imports Meta-World, MuJoCo or numba.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import warnings

from taskworlds.errors import check_known
from taskworlds.worlds.metaworld import families
from taskworlds.worlds.metaworld.lists import ENV_NAMES
from taskworlds.worlds.metaworld.skill import Skill

__all__ = ["SKILLS", "Skill", "canonical_name", "skill"]


def _collect() -> tuple[Skill, ...]:
    """Gives the skills of all families, in the order of MT50."""
    order = ENV_NAMES["MT50"].train
    tables = [
        importlib.import_module(f"{families.__name__}.{module.name}").SKILLS
        for module in pkgutil.iter_modules(families.__path__)
    ]
    return tuple(
        sorted((each for table in tables for each in table), key=lambda each: order.index(each.name))
    )


SKILLS: tuple[Skill, ...] = _collect()

_BY_NAME = {skill.name: skill for skill in SKILLS}


def canonical_name(name: str) -> str:
    """Gives the v3 name of a skill: "reach-v3" for itself, and for "reach-v2" with a DeprecationWarning.

    Args:
        name: a skill's name, with the version v3 or v2.

    Raises:
        TypeError: `name` is not a string.
        ValueError: there is no such skill.

    Example:
        >>> canonical_name("drawer-open-v3")
        'drawer-open-v3'
    """
    if isinstance(name, str) and name.endswith("-v2"):
        current = name.removesuffix("-v2") + "-v3"
        if current in _BY_NAME:
            warnings.warn(
                f"The skill name {name!r} is read as {current!r}, the only version here. Write {current!r}.",
                DeprecationWarning,
                stacklevel=_frames_to_caller(),
            )
            return current
    return check_known("skill", name, _BY_NAME, f"`taskworlds list skills` shows all {len(SKILLS)}.")


def skill(name: str) -> Skill:
    """Gives the skill of a name; a v2 name means the v3 skill, as in `canonical_name`.

    Args:
        name: a skill's name.

    Raises:
        TypeError: `name` is not a string.
        ValueError: there is no such skill.

    Example:
        >>> skill("drawer-open-v3").summary
        "pull the drawer's handle out"
    """
    return _BY_NAME[canonical_name(name)]


def _frames_to_caller() -> int:
    """Gives the `stacklevel` at which the caller's warning points at the first line outside taskworlds.

    Python shows a DeprecationWarning only where the line that it points at is the user's own.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == "taskworlds":
        level, frame = level + 1, frame.f_back
    return level
