"""All locomotion skills, from the bodies' tables."""

from __future__ import annotations

from taskworlds.core.errors import check_known
from taskworlds.worlds.locomotion import ant, half_cheetah, walker2d
from taskworlds.worlds.locomotion.skill import Skill

__all__ = ["SKILLS", "skill"]

SKILLS: tuple[Skill, ...] = (*half_cheetah.SKILLS, *ant.SKILLS, *walker2d.SKILLS)

_BY_NAME = {each.name: each for each in SKILLS}


def skill(name: str) -> Skill:
    """Returns a skill by name.

    Raises:
        ValueError: there is no such locomotion skill.
    """
    return _BY_NAME[check_known("locomotion skill", name, _BY_NAME, f"There are {', '.join(_BY_NAME)}.")]
