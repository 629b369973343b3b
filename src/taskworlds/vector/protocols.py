"""Protocols by name: what the authors of an algorithm set about environments, so that it need not be set by hand.

The table says what each protocol fixes; docs/protocols.md says where each line of it stands in their code, and what
cannot be the same. `in_world` puts a protocol's values into the options of an environment.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.core.world import World

if TYPE_CHECKING:
    from taskworlds.vector.composition import Composition
    from taskworlds.vector.options import Options

__all__ = ["PROTOCOLS", "REPEAT_SUCCESS", "Play", "Protocol", "in_batch", "in_words", "in_world", "limits_of"]

REPEAT_SUCCESS = ("any", "last")
"""Which of the raw steps of a repeated action must succeed for the step to be a success."""

_SUITES = {"metaworld": "Meta-World", "control": "dm_control"}


class Protocol(NamedTuple):
    """What a protocol sets.

    Attributes:
        sets: by suite, options of `make_vec` and their values.
        still_step: by suite, whether a reset ends with one raw step of the action zero, and which observation the
            reset then returns: "before" that step or "after" it.
    """

    sets: Mapping[str, Mapping[str, Any]]
    still_step: Mapping[str, str]


_METAWORLD = {
    "action_repeat": 2,
    "max_episode_steps": 100,
    "repeat_success": "last",
    "unlimited_goals": True,
    "sample_tasks_on_reset": True,
    "terminate_on_success": False,
    "reward_function_version": "v2",
}
_CONTROL = {"action_repeat": 2, "max_episode_steps": 500}

PROTOCOLS: Mapping[str, Protocol] = {
    "tdmpc2": Protocol(
        {"metaworld": _METAWORLD | {"observation": "state"}, "control": _CONTROL}, {"metaworld": "before"}
    ),
    "newt": Protocol({"metaworld": _METAWORLD, "control": _CONTROL}, {"metaworld": "after"}),
}
"""The protocols of TD-MPC2 (Hansen, Su and Wang, 2024) and of its successor Newt, by name."""


class Play(NamedTuple):
    """How a batch plays episodes.

    Attributes:
        options: with what the protocol sets in all of its worlds.
        limits: steps after which an attempt is truncated, in all rows, or in each, (N,) int64.
        limits_of_worlds: the same of each world.
        raw_limits: raw steps of an attempt at the most, (N,) int64; `NO_LIMIT` in rows without such a limit.
        still_step: which observation a reset returns, "before" or "after" its raw step of the action zero; None for
            protocols without that step.
        still_rows: whose resets have that step, (N,) bool.
    """

    options: Options
    limits: int | NDArray[np.int64]
    limits_of_worlds: tuple[int, ...]
    raw_limits: NDArray[np.int64]
    still_step: str | None
    still_rows: NDArray[np.bool_]


NO_LIMIT = 2**62


def in_batch(options: Options, composition: Composition, tasks: Sequence[Task]) -> Play:
    """Returns how a batch plays episodes: what its protocol sets in each of its worlds, and how long episodes are.

    Args:
        options: what was asked for.
        composition: the worlds of the rows.
        tasks: what is played.

    Raises:
        ValueError: as for `in_world`, in one of the worlds; or an option makes no sense for these worlds.
    """
    _check_composed(options, composition)
    of_worlds = []
    for share in composition.shares:
        played = [task for task in tasks if not composition.is_mixed or task.env_name in share.skills]
        of_worlds.append(in_world(options, share.world, played))
    pairs = [limits_of(each, world) for each, world in zip(of_worlds, composition.worlds, strict=True)]
    limits = np.array([limit for limit, _ in pairs], dtype=np.int64)
    raw_limits = np.array([NO_LIMIT if raw is None else raw for _, raw in pairs], dtype=np.int64)
    still = {} if options.protocol is None else PROTOCOLS[options.protocol].still_step
    rows = composition.world_index
    if composition.is_mixed:
        for (
            own
        ) in of_worlds:  # their limits are in `limits`, and each world has one reward that is the latest
            sets = {
                each.name: getattr(own, each.name)
                for each in dataclasses.fields(own)
                if each.name not in ("max_episode_steps", "reward_function_version")
                and getattr(own, each.name) != each.default
            }
            options = dataclasses.replace(options, **sets)
    else:
        options = of_worlds[0]
    return Play(
        options,
        int(limits[0]) if len(set(limits.tolist())) == 1 else limits[rows],
        tuple(limits.tolist()),
        raw_limits[rows],
        next((still[world.suite] for world in composition.worlds if world.suite in still), None),
        composition.has(lambda world: world.suite in still),
    )


def _check_composed(options: Options, composition: Composition) -> None:
    """Raises WrongValue for options that do not fit the worlds of a batch."""
    for world in composition.worlds:
        if options.group_size is not None and options.k_episodes is not None and world.has_random_starts:
            raise WrongValue(
                f"group_size must be left out with k_episodes for {world.name}, whose attempts start at random: a row "
                f"whose trial is cut short by a reset would fall out of its group, not {options.group_size}.",
                argument="group_size",
            )


def in_world(options: Options, world: World, tasks: Iterable[Task]) -> Options:
    """Returns options with what their protocol sets in a world, and checks those that worlds must know of.

    Args:
        options: what was asked for.
        world: the world of the tasks.
        tasks: what is played.

    Raises:
        ValueError: the protocol is not defined for the world or these tasks, an option contradicts it, or the world has
            no goals to draw.
    """
    name = options.protocol
    if name is not None:
        options = dataclasses.replace(options, **_settings(name, options, world, tasks))
    if options.unlimited_goals:
        if world.fresh_task is None:
            raise WrongValue(
                f"unlimited_goals must be False for {world.name}, whose record does not say how to draw a new goal: "
                "it has no fresh_task. Meta-World's skills have goals to draw.",
                argument="unlimited_goals",
            )
        if not options.samples_on_reset:
            raise WrongValue(
                "unlimited_goals=True draws a new goal in every episode, which contradicts "
                f"sample_tasks_on_reset={options.sample_tasks_on_reset!r} and task_select={options.task_select!r}, "
                "whose resets keep the task. Leave one of them out.",
                argument="unlimited_goals",
            )
    return options


def _settings(name: str, options: Options, world: World, tasks: Iterable[Task]) -> Mapping[str, Any]:
    """Returns what a protocol sets in a world, none of which the options contradict."""
    sets = PROTOCOLS[name].sets.get(world.suite)
    if sets is None:
        raise WrongValue(
            f"protocol={name!r} is defined for skills of {' and '.join(_SUITES.values())}, not for those of "
            f"{world.name}. Leave it out, and set action_repeat and max_episode_steps yourself.",
            argument="protocol",
        )
    defaults = {each.name: each.default for each in dataclasses.fields(options)}
    for option, value in sets.items():
        given = getattr(options, option)
        if given not in (value, defaults[option]):
            raise WrongValue(
                f"{option}={given!r} contradicts protocol={name!r}, which sets {option}={value!r} for {world.name}. "
                "Leave one of them out.",
                argument=option,
            )
    if any(world.hides_goal(task) for task in tasks):
        raise WrongValue(
            f"partially_observable=True, or a benchmark that hides goals, contradicts protocol={name!r}, whose "
            "observations show the goal. Make the benchmark with partially_observable=False, or leave out the "
            "protocol.",
            argument="partially_observable",
        )
    return sets


def limits_of(options: Options, world: World) -> tuple[int, int | None]:
    """Returns after how many steps an episode is truncated, and after how many raw steps at the latest.

    The caller's limit counts steps, each with all its repeats, so it has no raw limit (None). The world's own counts
    raw steps: the last step of an episode may then have fewer.

    Example:
        >>> from taskworlds.core.registry import world_of
        >>> from taskworlds.vector.options import Options
        >>> limits_of(Options(action_repeat=3), world_of("reach-v3"))
        (167, 500)
    """
    if options.max_episode_steps is not None:
        return options.max_episode_steps, None
    most = world.max_episode_steps
    return -(-most // (options.action_repeat or 1)), most


def in_words(options: Options) -> str:
    """Returns what a fingerprint says of repeated actions, of drawn goals and of the protocol: "" for none of them.

    Example:
        >>> from taskworlds.vector.options import Options
        >>> in_words(Options(action_repeat=2))
        ', actions repeated 2 times (success: any)'
    """
    words = "" if options.protocol is None else f", protocol {options.protocol}"
    if (options.action_repeat or 1) > 1:
        words += (
            f", actions repeated {options.action_repeat} times (success: {options.repeat_success or 'any'})"
        )
    return words + (", goals drawn anew" if options.unlimited_goals else "")
