"""The parts of a batch that every way of stepping it works on."""

from __future__ import annotations

from typing import NamedTuple

from gymnasium.vector import AutoresetMode

from taskworlds.rows.flaws import FirstLook
from taskworlds.rows.protocol import Rows
from taskworlds.vector.actions import Actions
from taskworlds.vector.assignments import Assignments
from taskworlds.vector.guard import Guard
from taskworlds.vector.infos import Infos
from taskworlds.vector.normalization import ExponentialRewardNormalizer, ReturnRewardNormalizer
from taskworlds.vector.observations import Observations
from taskworlds.vector.progress import Progress

__all__ = ["BatchParts"]


class BatchParts(NamedTuple):
    """What `Episodes`, `Chunks` and `PartialBatches` of one environment share.

    Attributes:
        rows: the engine's rows.
        first_look: looks at what the engine returns at first.
        actions, assignments, progress, observations, infos: the parts of the environment of these names.
        rewards: what normalises rewards, or None.
        guard: knows which rows a call that was interrupted has left half-way.
        autoreset_mode: what happens to a row whose episode has ended.
    """

    rows: Rows
    first_look: FirstLook
    actions: Actions
    assignments: Assignments
    progress: Progress
    observations: Observations
    infos: Infos
    rewards: ReturnRewardNormalizer | ExponentialRewardNormalizer | None
    guard: Guard
    autoreset_mode: AutoresetMode
