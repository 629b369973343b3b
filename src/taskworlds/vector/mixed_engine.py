"""The engine of a batch: a world's own, or, where rows serve several worlds, each world's own behind one record."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from gymnasium.spaces import Box

from taskworlds.core.errors import WrongValue
from taskworlds.core.reference import Reference, resolve
from taskworlds.core.registry import choose_engine, engine, engines
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import World
from taskworlds.rows.mixed import MixedPlan, WorldPlan
from taskworlds.rows.protocol import Rows
from taskworlds.vector.composition import Composition
from taskworlds.vector.options import Options

__all__ = ["BatchEngine", "engine_of"]


class BatchEngine(NamedTuple):
    """The engine of a batch.

    Attributes:
        engine: the engine, or a record that stands for those of several worlds.
        settings, options: the settings and the engine's options that the rows are made with.
        of_worlds: the engine of each world, as registered.
    """

    engine: RowEngine
    settings: dict[str, Any]
    options: dict[str, Any]
    of_worlds: tuple[RowEngine, ...]


def engine_of(composition: Composition, strategy: str | None, options: Options) -> BatchEngine:
    """Returns the engine of a batch.

    Raises:
        ValueError: the engine cannot step one of the worlds, or a setting or an option is not one of theirs.
    """
    if not composition.is_mixed:
        world = composition.world
        found = choose_engine(world, strategy, len(composition.world_index))
        return BatchEngine(found, options.settings_of(world), options.options_of(found), (found,))
    if strategy is not None:
        _check_all_have(composition, strategy)
    chosen = [
        choose_engine(each.world, strategy, each.rows.stop - each.rows.start) for each in composition.shares
    ]
    plan = _plan(composition, chosen, options)
    how: dict[str, Any] = {}
    if strategy is not None and (together := engine(strategy)).make_mixed_rows is not None:
        name, make_rows, how = strategy, together.make_mixed_rows, plan.worlds[0].options
        summary = together.summary
    else:
        name, make_rows = ", ".join(dict.fromkeys(each.name for each in chosen)), MixedPlan.make
        summary = "each world's rows on an engine of its own"
    record = RowEngine(
        name,
        functools.partial(_make_rows, make_rows, plan),
        snapshot=", ".join(each.takes_snapshots_of for each in chosen),
        exact=all(each.exact for each in chosen),
        version=", ".join(dict.fromkeys(each.version for each in chosen if not each.exact)),
        summary=summary,
    )
    return BatchEngine(record, {}, how, tuple(chosen))


def _make_rows(
    make_rows: Reference,
    plan: MixedPlan,
    world: World,
    env_names: Sequence[str],
    num_rows: int,
    settings: dict[str, Any],
    **options: Any,
) -> Rows:
    """Makes the rows, as `RowEngine.make_rows`; all but the options stands in the plan."""
    rows: Rows = resolve(make_rows)(plan, **options)
    return rows


def _plan(composition: Composition, chosen: Sequence[RowEngine], options: Options) -> MixedPlan:
    """Returns what makes the rows of a batch of several worlds, with the chosen engine of each."""
    world = composition.world
    plans = tuple(
        WorldPlan(
            share.world,
            each,
            share.skills,
            share.rows.stop - share.rows.start,
            options.settings_of(share.world),
            options.options_of(each),
            share.observation_size,
            share.action_size,
            options.max_episode_steps or share.world.max_episode_steps,
        )
        for share, each in zip(composition.shares, chosen, strict=True)
        if share.rows.start < share.rows.stop
    )
    observation, action = composition.observation_space, composition.action_space
    assert isinstance(observation, Box)
    assert isinstance(action, Box)
    return MixedPlan(plans, observation, action, world.goal_size, tuple(world.term_names()))


def _check_all_have(composition: Composition, strategy: str) -> None:
    """Raises WrongValue unless one engine can step all worlds."""
    named = engine(strategy)
    if named.inside is not None and named.make_mixed_rows is None:
        raise WrongValue(
            f"vector_strategy must not be {strategy!r} for a batch of several worlds, as this engine steps one world. "
            "Leave it out for the best engine of each.",
            argument="vector_strategy",
        )
    lacking = [world.name for world in composition.worlds if not named.can_step(world)]
    if lacking:
        able = [
            f'"{name}"'
            for name, each in engines().items()
            if each.inside is None and all(each.can_step(world) for world in composition.worlds)
        ]
        raise WrongValue(
            f"vector_strategy must be one that all worlds of the batch have, and {', '.join(lacking)} "
            f"{'have' if len(lacking) > 1 else 'has'} no {strategy} engine. Leave it out for the best engine of each"
            + (f", or take {' or '.join(able)}." if able else "."),
            argument="vector_strategy",
        )
