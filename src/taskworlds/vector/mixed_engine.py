"""The engine of a batch: a world's own, or, where rows serve several worlds, each world's own behind one record."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from taskworlds.core.errors import WrongValue
from taskworlds.core.registry import choose_engine, engine, engines
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import World
from taskworlds.rows.mixed import MixedRows, OneWorldsRows
from taskworlds.rows.protocol import Rows
from taskworlds.vector.composition import Composition
from taskworlds.vector.options import Options

__all__ = ["engine_of", "make_mixed_rows"]


def engine_of(composition: Composition, strategy: str | None, options: Options) -> tuple[RowEngine, Any, Any]:
    """Returns the engine of a batch, and the settings and the engine's options that its rows are made with.

    Raises:
        ValueError: the engine cannot step one of the worlds, or a setting or an option is not one of theirs.
    """
    if not composition.is_mixed:
        world = composition.world
        found = choose_engine(world, strategy, len(composition.world_index))
        return found, options.settings_of(world), options.options_of(found)
    if strategy is not None:
        _check_all_have(composition, strategy)
    chosen = [
        choose_engine(each.world, strategy, each.rows.stop - each.rows.start) for each in composition.shares
    ]
    given = [
        (options.settings_of(world), options.options_of(each))
        for world, each in zip(composition.worlds, chosen, strict=True)
    ]
    limits = [options.max_episode_steps or world.max_episode_steps for world in composition.worlds]
    make_rows = functools.partial(make_mixed_rows, composition, chosen, given, limits)
    return (
        RowEngine(
            ", ".join(dict.fromkeys(each.name for each in chosen)),
            make_rows,
            snapshot=", ".join(each.takes_snapshots_of for each in chosen),
            exact=all(each.exact for each in chosen),
            version=", ".join(dict.fromkeys(each.version for each in chosen if not each.exact)),
            summary="each world's rows on an engine of its own",
        ),
        {},
        {},
    )


def _check_all_have(composition: Composition, strategy: str) -> None:
    """Raises WrongValue unless one engine can step all worlds."""
    named = engine(strategy)
    if named.inside is not None:
        raise WrongValue(
            f"vector_strategy must not be {strategy!r} for a batch of several worlds, whose rows would need workers of "
            "their own for each world. Leave it out for the best engine of each.",
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


def make_mixed_rows(
    composition: Composition,
    chosen: Sequence[RowEngine],
    given: Sequence[tuple[dict[str, Any], dict[str, Any]]],
    limits: Sequence[int],
    world: World,
    env_names: Sequence[str],
    num_rows: int,
    settings: dict[str, Any],
) -> MixedRows:
    """Makes the rows of each world, as `RowEngine.make_rows`; those that were made are closed if one cannot be."""
    made: list[OneWorldsRows] = []
    try:
        for share, each, (own, options), limit in zip(composition.shares, chosen, given, limits, strict=True):
            count = share.rows.stop - share.rows.start
            rows: Rows = each.make(share.world, list(share.skills), count, own, options)
            made.append(
                OneWorldsRows(
                    share.world.name,
                    rows,
                    share.observation_size,
                    share.action_size,
                    limit,
                )
            )
        observation, action = world.observation_space(visible=True, hidden=True), world.action_space()
        return MixedRows(made, observation, action, world.goal_size, world.term_names())  # type: ignore[arg-type]
    except BaseException:
        for each_made in made:
            each_made.rows.close()
        raise
