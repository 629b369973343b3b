"""Conformance suites for skills, worlds and engines of your own.

`check_skill`, `check_world` and `check_engine` each run in one line, in a script or under pytest, and return a report:
`check_world(WORLD).raise_if_failed()`. What stands in this package passes the same suites.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskworlds.testing.engine_checks import check_engine
    from taskworlds.testing.report import Check, Report, SkillReport
    from taskworlds.testing.skill_checks import check_skill
    from taskworlds.testing.world_checks import check_world

__all__ = ["Check", "Report", "SkillReport", "check_engine", "check_skill", "check_world"]

_MODULES = {
    "Check": "report",
    "Report": "report",
    "SkillReport": "report",
    "check_engine": "engine_checks",
    "check_skill": "skill_checks",
    "check_world": "world_checks",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
