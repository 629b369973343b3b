"""Which skills are averaged together: the groups of a world, as in tables that were published, and whole worlds.

A world names its groups: Meta-World those of difficulty (`taskworlds.worlds.metaworld.difficulty`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from taskworlds.core.errors import WrongValue
from taskworlds.core.registry import world_of, worlds
from taskworlds.core.task import by_skill
from taskworlds.evaluation.statistics import UNKNOWN, Estimate

__all__ = [
    "Grouped",
    "grouped",
    "mean_of_estimates",
    "members_of",
    "several_worlds",
    "skills_by_world",
    "whole_groups",
]


class Grouped(NamedTuple):
    """A metric by group of skills.

    Attributes:
        mean: the mean of the groups' means, each group with equal weight, with its 95 % interval.
        groups: by the group's name: the mean over its skills, each with equal weight, with its interval.
        env_names: by the group's name: the skills that the mean is over.
    """

    mean: Estimate
    groups: dict[str, Estimate]
    env_names: dict[str, tuple[str, ...]]


def members_of(env_names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Returns which of some skills are in each group of their world, without groups of which none is.

    Example:
        >>> members_of(["push-v3", "reach-v3", "cheetah-run"])
        {'easy': ('reach-v3',), 'hard': ('push-v3',)}
    """
    given = set(env_names)
    for world in worlds():
        found = {
            group: tuple(name for name in members if name in given)
            for group, members in world.skill_groups.items()
        }
        found = {group: members for group, members in found.items() if members}
        if found:
            return found
    return {}


def whole_groups(env_names: Iterable[str]) -> bool:
    """Returns whether all skills of all groups of a world are among some skills, so that published tables compare.

    Example:
        >>> whole_groups(["push-v3", "reach-v3"])
        False
    """
    given = set(env_names)
    return any(
        world.skill_groups and given.issuperset(itertools.chain(*world.skill_groups.values()))
        for world in worlds()
    )


def skills_by_world(env_names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Returns some skills by the name of their world, in the order of each world's first one.

    Raises:
        ValueError: a skill is of no world that is registered.

    Example:
        >>> skills_by_world(["push-v3", "cheetah-run", "reach-v3"])
        {'Meta-World': ('push-v3', 'reach-v3'), 'cheetah-run': ('cheetah-run',)}
    """
    return by_skill(env_names, lambda name: world_of(name).name)


def several_worlds(env_names: Sequence[str], *, at_least: int = 1) -> dict[str, tuple[str, ...]]:
    """Returns `skills_by_world`; {} unless there are several worlds, all of them registered.

    A result may be of environments of Gymnasium, or of worlds that are registered elsewhere.

    Args:
        env_names: the skills.
        at_least: how many of them a world has that is not left out. A table with a line for each skill needs none for
            a world with one.

    Example:
        >>> several_worlds(["push-v3", "reach-v3"]), several_worlds(["push-v3", "CartPole-v1"])
        ({}, {})
    """
    try:
        found = skills_by_world(env_names)
    except WrongValue:
        return {}
    if len(found) == 1:
        return {}
    return {world: names for world, names in found.items() if len(names) >= at_least}


def grouped(
    env_names: Sequence[str],
    mean_of: Callable[[Sequence[str]], Estimate],
    mean_over: Callable[[Sequence[Sequence[str]]], Estimate] | None = None,
) -> Grouped:
    """Returns a metric by group.

    Args:
        env_names: the skills that ran.
        mean_of: returns the mean over some skills.
        mean_over: returns the mean of the means over some groups, from their members; None for `mean_of_estimates`.

    Raises:
        WrongValue: the skills are in no group.
    """
    members = members_of(env_names)
    if not members:
        shown = ", ".join(env_names[:3]) + (", ..." if len(env_names) > 3 else "")
        raise WrongValue(
            f"The skills of this result are in no groups: {shown or 'none ran'}. Meta-World's skills are, and those of "
            "a world whose record has skill_groups."
        )
    groups = {group: mean_of(names) for group, names in members.items()}
    mean = mean_of_estimates(groups.values()) if mean_over is None else mean_over(tuple(members.values()))
    return Grouped(mean, groups, members)


def mean_of_estimates(estimates: Iterable[Estimate]) -> Estimate:
    """Returns the mean of figures that are independent of each other, with an interval made of theirs.

    Each end is as far from the mean as the root of the sum of the squares of the ends' distances, divided by their
    number (Zou and Donner, "Construction of confidence limits about effect measures: a general approach", 2008). There
    is none if one of the figures has none.

    Example:
        >>> mean_of_estimates([Estimate(0.5, 0.4, 0.6), Estimate(1.0, 0.9, 1.0)])
        Estimate(value=0.75, low=0.679..., high=0.8)
    """
    values, lows, highs = np.array(list(estimates)).T.reshape(3, -1)
    if not values.size:
        return UNKNOWN
    mean = float(values.mean())
    below = math.sqrt(float(np.square(values - lows).sum())) / values.size
    above = math.sqrt(float(np.square(highs - values).sum())) / values.size
    return Estimate(mean, mean - below, mean + above)
