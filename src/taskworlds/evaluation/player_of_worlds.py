"""The named policies, "random" and "expert", in a batch whose rows serve several worlds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.evaluation.policies import RandomPolicy
from taskworlds.vector.composition import Composition, WorldShare

__all__ = ["PlayerOfWorlds"]


class PlayerOfWorlds:
    """A policy that has one for each world, which sees and does what it would in a batch of that world alone.

    Args:
        name: "random" or "expert".
        composition: which world each row serves.
        seed: of "random".

    Raises:
        ValueError: a world has no expert.
    """

    def __init__(self, name: str, composition: Composition, seed: int) -> None:
        lacking = [world.name for world in composition.worlds if name == "expert" and world.experts is None]
        if lacking:
            raise WrongValue(
                f"There is no scripted expert for {', '.join(lacking)}: give 'random', or a policy of your own.",
                argument="policy",
            )
        self._shares = [share for share in composition.shares if share.rows.start < share.rows.stop]
        self._shape = (len(composition.world_index), *(composition.action_space.shape or ()))
        self._players = [
            RandomPolicy(share.action_space, seed) if name == "random" else share.world.expert()
            for share in self._shares
        ]

    def begin_episodes(self, mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        """Passes on whose episodes begin, to the policy of each world those of its rows."""
        for player, share in zip(self._players, self._shares, strict=True):
            if mask[share.rows].any() and callable(begin := getattr(player, "begin_episodes", None)):
                begin(
                    mask[share.rows], {name: _of_rows(name, values, share) for name, values in infos.items()}
                )

    def __call__(self, obs: NDArray[Any]) -> NDArray[np.float64]:
        """Returns actions (N, A), with zeros in entries that a row's world does not have."""
        own = [
            player(obs[share.rows, : share.observation_size])
            for player, share in zip(self._players, self._shares, strict=True)
        ]
        actions = np.zeros(self._shape, dtype=np.result_type(*own))
        for share, each in zip(self._shares, own, strict=True):
            actions[share.rows, : each.shape[1]] = each
        return actions


def _of_rows(name: str, values: Any, share: WorldShare) -> Any:
    """Returns what infos tell of a world's rows, goals without padding."""
    if isinstance(values, dict):
        return {inner: _of_rows(inner, each, share) for inner, each in values.items()}
    return values[share.rows, : share.world.goal_size] if name == "goal" else values[share.rows]
