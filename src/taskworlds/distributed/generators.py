"""`RowGenerators`: the random generators of the rows that a policy is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["RowGenerators", "generator_of_row"]

_POLICY = 1  # the place of a policy's generator among those that come of a row's seed


def generator_of_row(seed: int) -> np.random.Generator:
    """Returns the generator of a policy in the row with this seed; the row's tasks are drawn by another one."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_POLICY,)))


class RowGenerators:
    """The generators of B rows: each draw has one part from each row's own generator.

    So what a row draws depends on that row alone, whichever rows are beside it.

    Args:
        each: the generators, one for each row.

    Attributes:
        each: the rows' generators, for draws of other kinds.
    """

    def __init__(self, each: Sequence[np.random.Generator]) -> None:
        self.each = list(each)

    def __len__(self) -> int:
        return len(self.each)

    def standard_normal(self, size: int | tuple[int, ...] = ()) -> NDArray[np.float64]:
        """Returns normal draws with mean 0 and deviation 1, `(B, *size)` float64.

        Args:
            size: the shape of one row's draws; a whole number for as many in a vector. By default one draw a row, (B,).
        """
        shape = (size,) if isinstance(size, int) else size
        drawn = np.empty((len(self.each), *shape))
        flat = drawn.reshape(len(self.each), -1)
        for row, generator in enumerate(self.each):
            generator.standard_normal(out=flat[row])
        return drawn

    def random(self, size: int | tuple[int, ...] = ()) -> NDArray[np.float64]:
        """Returns draws that are equally likely from 0 to below 1, `(B, *size)` float64.

        Args:
            size: as for `standard_normal`.
        """
        shape = (size,) if isinstance(size, int) else size
        drawn = np.empty((len(self.each), *shape))
        flat = drawn.reshape(len(self.each), -1)
        for row, generator in enumerate(self.each):
            generator.random(out=flat[row])
        return drawn

    def categorical(self, probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
        """Returns one of K classes for each row, (B,) int64.

        Args:
            probabilities: of each class, (B, K), at least 0; they need not sum to exactly 1.
        """
        sums = np.cumsum(np.asarray(probabilities, dtype=np.float64), axis=-1)
        below = self.random() * sums[:, -1]
        chosen: NDArray[np.int64] = (below[:, None] >= sums).sum(axis=-1)
        chosen = np.minimum(chosen, sums.shape[-1] - 1)
        return chosen
