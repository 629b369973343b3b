"""Whether a skill's fields are complete and fit together, as far as that can be told without a simulator."""

from __future__ import annotations

import inspect
import keyword
import math
import os
import re
import types
from collections.abc import Iterator, Mapping
from typing import Any

from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.skill import READ_SIZES, Skill

__all__ = ["REWARD_VERSIONS", "mistakes"]

REWARD_VERSIONS = ("v1", "v2")  # the default last

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*-v[0-9]+")
_MOVES = ("body_pos", "site_pos")
_ARGUMENTS = {
    "reset": ("sim", "rand_vec", "before"),
    "observe": ("now", "objects"),
    "reward": ("now", "obs", "action", "start", "memory", "single"),
}


def mistakes(skill: Skill) -> list[str]:
    """Returns what is wrong with a skill's fields, a sentence for each; none if nothing is.

    Example:
        >>> mistakes(Skill("Drawer half open"))[0]
        "name must be like 'drawer-half-open-v1', in lower case and with a version, not 'Drawer half open'."
    """
    return [
        sentence
        for part in (_name, _bounds, _boxes, _model, _reads, _start, _functions)
        for sentence in part(skill)
    ]


def _name(skill: Skill) -> Iterator[str]:
    if not (isinstance(skill.name, str) and _NAME.fullmatch(skill.name)):
        yield f"name must be like 'drawer-half-open-v1', in lower case and with a version, not {skill.name!r}."
    for field in ("class_name", "family", "summary"):
        if not isinstance(getattr(skill, field), str):
            yield f"{field} must be a string, not {getattr(skill, field)!r}."


def _bounds(skill: Skill) -> Iterator[str]:
    low, high = skill.rand_vec_low, skill.rand_vec_high
    if not (_numbers(low) and _numbers(high) and low and len(low) == len(high)):
        yield (
            "rand_vec_low and rand_vec_high must be tuples of finite numbers, of the same length and not empty, "
            f"not {low!r} and {high!r}."
        )
        return
    if not all(a <= b for a, b in zip(low, high, strict=True)):
        yield f"No number of rand_vec_low may be above that of rand_vec_high, but they are {low!r} and {high!r}."
    if skill.min_separation is not None:
        if not (_numbers((skill.min_separation,)) and skill.min_separation > 0):
            yield f"min_separation must be metres above 0, or None, not {skill.min_separation!r}."
        elif skill.separated_from is None and len(low) != 6:
            yield "min_separation needs a rand_vec of 6 numbers, object and goal, or else separated_from."
    if skill.separated_from is not None and not (
        _numbers(skill.separated_from) and len(skill.separated_from) == 2
    ):
        yield f"separated_from must be (x, y), or None, not {skill.separated_from!r}."


def _boxes(skill: Skill) -> Iterator[str]:
    for what in ("hand", "goal"):
        low, high = getattr(skill, f"{what}_low"), getattr(skill, f"{what}_high")
        if not (_numbers(low) and _numbers(high) and len(low) == len(high) == 3):
            yield f"{what}_low and {what}_high must be 3 finite numbers each, metres, not {low!r} and {high!r}."
        elif not all(a <= b for a, b in zip(low, high, strict=True)):
            yield f"No number of {what}_low may be above that of {what}_high, but they are {low!r} and {high!r}."
        elif what == "goal":
            space = sawyer.observation_space(visible=True, hidden=False)
            least, most = space.low[sawyer.GOAL], space.high[sawyer.GOAL]
            if (least > low).any() or (most < high).any():
                yield (
                    f"goal_low and goal_high must lie between {least.tolist()} and {most.tolist()}, the bounds "
                    f"of goals in the observation space that all skills share, not at {low!r} and {high!r}."
                )


def _model(skill: Skill) -> Iterator[str]:
    if not isinstance(skill.model, str | os.PathLike) or not os.fspath(skill.model):
        yield (
            "model must be a path within Meta-World's assets, like 'sawyer_xyz/sawyer_drawer.xml', or the absolute "
            f"path of a MuJoCo XML file, not {skill.model!r}."
        )
    if not isinstance(skill.moves, tuple):
        yield f"moves must be a tuple of pairs (field, name), not {skill.moves!r}."
        return
    for move in skill.moves:
        fits = isinstance(move, tuple) and len(move) == 2 and all(isinstance(each, str) for each in move)
        if not fits or move[0] not in _MOVES:
            yield f"moves must hold pairs like ('body_pos', body) or ('site_pos', site), not {move!r}."
    if len(set(skill.moves)) < len(skill.moves):
        yield f"moves must name each body and site once, not {skill.moves!r}."


def _reads(skill: Skill) -> Iterator[str]:
    if not isinstance(skill.reads, Mapping):
        yield f"reads must be a dictionary, not {skill.reads!r}."
        return
    for name, read in skill.reads.items():
        if not _identifier(name):
            yield f"reads must be named like variables, not {name!r}."
        elif name in sawyer.ARM_READS or name == "tcp":
            yield f"reads must not be called {name!r}: that is always there. Take another name."
        if not (isinstance(read, tuple) and read and all(isinstance(each, str) for each in read)):
            yield f"reads[{name!r}] must be a tuple (source, name), not {read!r}."
        elif read[0] not in READ_SIZES:
            yield f"reads[{name!r}] must have one of the sources {', '.join(READ_SIZES)}, not {read[0]!r}."
        elif len(read) != (3 if read[0] == "touch" else 2):
            yield f"reads[{name!r}] must be (source, name), or ('touch', geom, geom), not {read!r}."
    known = {**sawyer.ARM_READS, **skill.reads}
    live = skill.live_goal
    if live is not None and (live not in known or not known[live] or READ_SIZES.get(known[live][0]) != 3):
        yield f"live_goal must name one of the reads that is a position, or be None, not {live!r}."


def _start(skill: Skill) -> Iterator[str]:
    if not isinstance(skill.start, Mapping):
        yield f"start must be a dictionary, not {skill.start!r}."
        return
    for name, size in skill.start.items():
        if not _identifier(name):
            yield f"start must have names like variables, not {name!r}."
        if not (type(size) is int and size >= 1):
            yield f"start[{name!r}] must say how many numbers it is, not {size!r}."
    if skill.start.get("target") != 3:
        yield f"start must have 'target': 3, the goal's position, which the reset gives; it is {dict(skill.start)!r}."
    if not (type(skill.memory) is int and skill.memory >= 0):
        yield f"memory must say how many numbers the reward keeps, 0 or more, not {skill.memory!r}."


def _functions(skill: Skill) -> Iterator[str]:
    yield from _function("reset", skill.reset, _ARGUMENTS["reset"])
    yield from _function("observe", skill.observe, _ARGUMENTS["observe"])
    if not isinstance(skill.rewards, Mapping):
        yield f"rewards must be a dictionary of functions by version, not {skill.rewards!r}."
        return
    unknown = [version for version in skill.rewards if version not in REWARD_VERSIONS]
    if unknown or REWARD_VERSIONS[-1] not in skill.rewards:
        yield (
            f"rewards must have the version {REWARD_VERSIONS[-1]!r}, which is used unless another is asked for, and "
            f"may have {REWARD_VERSIONS[0]!r}; it has {', '.join(map(repr, skill.rewards)) or 'none'}."
        )
    for version, reward in skill.rewards.items():
        yield from _function(f"rewards[{version!r}]", reward, _ARGUMENTS["reward"])


def _function(field: str, function: Any, arguments: tuple[str, ...]) -> Iterator[str]:
    signature = f"a plain Python function of {len(arguments)} arguments ({', '.join(arguments)})"
    if not isinstance(function, types.FunctionType):
        yield f"{field} must be {signature}, not {function!r}."
        return
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        given = ", ".join(inspect.signature(function).parameters)
        yield f"{field} must be {signature}, but {function.__name__} takes ({given})."


def _identifier(name: Any) -> bool:
    return (
        isinstance(name, str)
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and not name.startswith("_")
    )


def _numbers(values: Any) -> bool:
    return isinstance(values, tuple) and all(
        isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value)
        for value in values
    )
