"""The 50 skills of Meta-World v3, collected from the families' tables, and those that users add.

`SKILLS` is what registry, command line, benchmarks, engines and tests are computed from. A skill's facts stand in one
place, the table at the end of its family's file. What `register_skill` adds is known by name from then on, but is never
in `SKILLS`. Nothing here imports Meta-World, MuJoCo or numba.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import sys
import warnings
from collections.abc import Iterator

from taskworlds.core.digest import digest
from taskworlds.core.errors import WrongType, WrongValue, check_known
from taskworlds.core.registry import names_changed, worlds
from taskworlds.worlds.metaworld import families
from taskworlds.worlds.metaworld.benchmark_lists import ENV_NAMES
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.validation import mistakes

__all__ = [
    "SKILLS",
    "Skill",
    "canonical_name",
    "env_names",
    "register_skill",
    "registered_skills",
    "skill",
    "temporarily_registered",
]


def _collect() -> tuple[Skill, ...]:
    """Returns the skills of all families, in the order of MT50."""
    order = ENV_NAMES["MT50"].train
    tables = [
        importlib.import_module(f"{families.__name__}.{module.name}").SKILLS
        for module in pkgutil.iter_modules(families.__path__)
    ]
    return tuple(
        sorted((each for table in tables for each in table), key=lambda each: order.index(each.name))
    )


SKILLS: tuple[Skill, ...] = _collect()

_OFFICIAL = {skill.name: skill for skill in SKILLS}
_registered: dict[str, Skill] = {}


def env_names() -> tuple[str, ...]:
    """Returns the names of all skills: Meta-World's, then those that were registered."""
    return (*_OFFICIAL, *_registered)


def registered_skills() -> tuple[Skill, ...]:
    """Returns the skills that were registered, the oldest first."""
    return tuple(_registered.values())


def register_skill(skill: Skill, *, replace: bool = False) -> None:
    """Makes a skill of your own known by its name in this process.

    From then on `make`, `make_vec`, `benchmark`, `evaluate` and the rest take the name, and lists of skills may mix it
    with Meta-World's. Goals come from a seed by Meta-World's rule, uniformly between the bounds of rand_vec. Another
    process has to register the skill too, best by importing a module that does; the processes of the async engine get
    it from the one that starts them.

    Registering the same skill again does nothing, also if its definition was run again, as in a notebook.

    Args:
        skill: the skill. `taskworlds.check_skill` tells whether it works.
        replace: drop another skill that was registered under the name. Environments that exist keep the old one.

    Raises:
        TypeError: `skill` is not a `Skill`.
        ValueError: its fields do not fit together, or its name belongs to another skill or benchmark.

    Example:
        >>> import dataclasses, taskworlds
        >>> from taskworlds.worlds.metaworld.skills import skill
        >>> far = dataclasses.replace(skill("reach-v3"), name="reach-far-v1", rand_vec_low=(0, 0.6, 0.02, 0, 0.85, 0.2))
        >>> taskworlds.register_skill(far)
        >>> taskworlds.make("reach-far-v1", seed=0).observation_space.shape
        (39,)
    """
    if not isinstance(skill, Skill):
        raise WrongType(
            f"skill must be a taskworlds.Skill, not {skill!r}: make one, Skill(name=..., ...).",
            argument="skill",
        )
    found = mistakes(skill)
    if found:
        raise WrongValue(f"The skill {skill.name!r} cannot be registered. {' '.join(found)}")
    known = _registered.get(skill.name)
    if known is not None:
        if _same(known, skill):
            return
        if not replace:
            raise WrongValue(
                f"name must not be {skill.name!r}: another skill is registered under it. Choose another name, or "
                "register with replace=True to drop the other.",
                argument="name",
            )
    elif _is_taken(skill.name):
        raise WrongValue(
            f"name must not be {skill.name!r}: there is a skill or benchmark of that name already. Choose another "
            "name.",
            argument="name",
        )
    _registered[skill.name] = skill
    names_changed()


@contextlib.contextmanager
def temporarily_registered(skill: Skill) -> Iterator[None]:
    """Makes a skill known by its name within a `with` block, in place of one that is registered under the name."""
    before = dict(_registered)
    if _OFFICIAL.get(skill.name) != skill:
        register_skill(skill, replace=True)
    try:
        yield
    finally:
        _registered.clear()
        _registered.update(before)
        names_changed()


def _same(one: Skill, other: Skill) -> bool:
    return one == other or digest(*vars(one).values()) == digest(*vars(other).values())


def _is_taken(name: str) -> bool:
    names = {each for world in worlds() for each in (*world.env_names(), *world.benchmark_makers())}
    return name in names or name.removesuffix("-v2") + "-v3" in _OFFICIAL


def canonical_name(name: str) -> str:
    """Returns the name of a skill: "reach-v3" for itself, and for "reach-v2" with a DeprecationWarning.

    Args:
        name: a skill's name; of Meta-World's skills with the version v3 or v2.

    Raises:
        TypeError: `name` is not a string.
        ValueError: there is no such skill.

    Example:
        >>> canonical_name("drawer-open-v3")
        'drawer-open-v3'
    """
    if isinstance(name, str) and name.endswith("-v2"):
        current = name.removesuffix("-v2") + "-v3"
        if current in _OFFICIAL:
            warnings.warn(
                f"The skill name {name!r} is read as {current!r}, the only version here. Write {current!r}.",
                DeprecationWarning,
                stacklevel=_frames_to_caller(),
            )
            return current
    for ending, hidden in (("-goal-observable", False), ("-goal-hidden", True)):
        bare = name.removesuffix(ending) if isinstance(name, str) else name
        if bare != name and bare in env_names():
            raise WrongValue(
                f"{name!r} is Meta-World's name for {bare!r} with its goal {'hidden from' if hidden else 'shown in'} "
                f"observations: write {bare!r}, and partially_observable={hidden} where that is not the default."
            )
    hint = f"`taskworlds list skills` shows all {len(SKILLS)}."
    return check_known(
        "skill", name, env_names(), f"{hint} A skill of your own must be registered in each process."
    )


def skill(name: str) -> Skill:
    """Returns the skill of a name; a v2 name means the v3 skill, as in `canonical_name`.

    Args:
        name: a skill's name.

    Raises:
        TypeError: `name` is not a string.
        ValueError: there is no such skill.

    Example:
        >>> skill("drawer-open-v3").summary
        'pull the drawer open'
    """
    name = canonical_name(name)
    return _OFFICIAL[name] if name in _OFFICIAL else _registered[name]


def _frames_to_caller() -> int:
    """Returns the `stacklevel` at which the caller's warning points at the first line outside taskworlds.

    Python shows a DeprecationWarning only where the line that it points at is the user's own.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == "taskworlds":
        level, frame = level + 1, frame.f_back
    return level
