"""How the parts of a batch are made from its options, and fitted together."""

from __future__ import annotations

from typing import Any, NamedTuple

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.errors import WrongValue
from taskworlds.rendering import offscreen
from taskworlds.rows.flaws import FirstLook
from taskworlds.rows.protocol import Rows
from taskworlds.vector.actions import make_actions
from taskworlds.vector.assignments import Assignments
from taskworlds.vector.batch_parts import BatchParts
from taskworlds.vector.chunks import Chunks
from taskworlds.vector.composition import Composition
from taskworlds.vector.episodes import Episodes
from taskworlds.vector.guard import Guard
from taskworlds.vector.infos import Infos
from taskworlds.vector.mixed_engine import BatchEngine, engine_of
from taskworlds.vector.mixed_infos import MixedInfos
from taskworlds.vector.normalization import reward_normalizer
from taskworlds.vector.observations import make_observations
from taskworlds.vector.one_hot import OneHot
from taskworlds.vector.options import Options
from taskworlds.vector.partial_batches import PartialBatches
from taskworlds.vector.picture_observations import observe_pictures
from taskworlds.vector.progress import Progress
from taskworlds.vector.protocols import Play, in_batch
from taskworlds.vector.repeating_rows import RepeatingRows

__all__ = ["Assembly", "assemble"]


class Assembly(NamedTuple):
    """A batch, ready to be reset.

    Attributes:
        play: how episodes are played, and the options as the protocol has them.
        reward_function_version: the reward in use.
        engine: the engine that made the rows.
        rows: what it made.
        repeating_rows: what steps them, where a step is several of the engine's; else None.
        parts: what is stepped, and the parts of the environment.
        episodes, chunks: the ways of stepping all rows.
        partial_batches: the way of stepping some; None without `batch_size`.
    """

    play: Play
    reward_function_version: str
    engine: BatchEngine
    rows: Rows
    repeating_rows: RepeatingRows | None
    parts: BatchParts
    episodes: Episodes
    chunks: Chunks
    partial_batches: PartialBatches | None


def assemble(
    benchmark: Benchmark,
    split: str,
    composition: Composition,
    strategy: str | None,
    asked: Options,
    seed: int | None,
    guard: Guard,
) -> Assembly:
    """Makes the parts of a batch, and its rows last.

    Args:
        benchmark: where the tasks come from.
        split: "train" or "test".
        composition: which world each row serves, and which tasks it is dealt.
        strategy: the name of an engine; None for the best of each world.
        asked: the options, as they were given.
        seed: as for `TaskVectorEnv`.
        guard: the environment's.

    Raises:
        ValueError: an option contradicts another one, or does not fit the world, the engine or the number of rows.
        RuntimeError: pictures are asked for, and nothing here draws.
    """
    world, n = composition.world, len(composition.world_index)
    if (asked.batch_size or 1) > n:
        raise WrongValue(
            f"batch_size must be at most num_envs, {n}, not {asked.batch_size}.", argument="batch_size"
        )
    play = in_batch(asked, composition, benchmark.tasks(split))
    options = play.options
    reward_version = options.reward_version_of(*composition.worlds)
    engine = engine_of(composition, strategy, options)
    name = engine.engine.name

    assignments = Assignments(benchmark, split, composition, options, seed)
    progress = Progress(
        n,
        play.limits,
        world=world.name,
        has_success=composition.has(lambda each: each.has_success),
        terminate_on_success=options.terminate_on_success,
        k_episodes=options.k_episodes,
    )
    space, action_space = composition.observation_space, composition.action_space
    has_action = composition.action_masks()[composition.world_index] if composition.is_mixed else None
    one_hot = OneHot(benchmark, split, options)
    observations = make_observations(n, world, space, action_space, one_hot, options, has_action)
    normalizer = reward_normalizer(options.reward_normalization_method, n, options.reward_alpha)

    views = options.views_of(*composition.worlds)
    if "camera_name" in world.settings:
        if options.render_mode == "human":
            offscreen.check_window()
        if views is not None or options.render_mode not in (None, "human"):
            offscreen.prepare()
    skills = benchmark.env_names(split)
    rows: Rows = engine.engine.make(world, skills, n, engine.settings, engine.options)
    if views is not None:
        observations = observe_pictures(observations, views, rows, n, options, name)
    repeating_rows = RepeatingRows.of(rows, play, progress, composition)
    raw_steps = None if repeating_rows is None else repeating_rows.raw_steps
    infos = (MixedInfos if composition.is_mixed else Infos)(
        composition, rows, assignments, progress, observations, options, raw_steps
    )
    stepped: Any = rows if repeating_rows is None else repeating_rows
    parts = BatchParts(
        stepped,
        FirstLook(world, name, space, n, rows),
        make_actions(action_space, n),
        assignments,
        progress,
        observations,
        infos,
        normalizer,
        guard,
        options.autoreset_mode,
    )
    episodes = Episodes(parts)
    chunks = Chunks(parts, episodes, has_success=world.has_success, whole=options.play_whole_chunks)
    partial_batches = None
    if options.batch_size is not None:
        partial_batches = PartialBatches(options.batch_size, parts, episodes, space, action_space)
    return Assembly(
        play, reward_version, engine, rows, repeating_rows, parts, episodes, chunks, partial_batches
    )
