"""Gymnasium's spaces that answer to garage's names too: `bounds`, `flat_dim`, `flatten` and the rest of akro's.

garage's policies and algorithms size their networks by `env_spec.observation_space.flat_dim`. `garage_space` makes of
any space one that has these names; it equals the given space and is of its type.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

__all__ = ["garage_space"]


class GarageSpace(gymnasium.Space[Any]):
    """A space with the names of akro, garage's library of spaces."""

    @property
    def flat_dim(self) -> int:
        """Length of a flat value."""
        return spaces.flatdim(self)

    def flatten(self, x: Any) -> NDArray[Any]:
        """Returns a value as a vector, (flat_dim,)."""
        return np.asarray(spaces.flatten(self, x))

    def unflatten(self, x: ArrayLike) -> Any:
        """Returns the value that `flatten` made a vector of."""
        return spaces.unflatten(self, np.asarray(x))

    def flatten_n(self, xs: Any) -> NDArray[Any]:
        """Returns values as vectors, (len(xs), flat_dim)."""
        return np.stack([self.flatten(x) for x in xs])

    def unflatten_n(self, xs: ArrayLike) -> Any:
        """Returns the values that `flatten_n` made vectors of: an array if each is one, else a list."""
        values = [self.unflatten(x) for x in np.asarray(xs)]
        return values if isinstance(self, spaces.Dict | spaces.Tuple) else np.asarray(values)


class GarageBox(GarageSpace, spaces.Box):
    """A Box with akro's names."""

    @property
    def flat_dim(self) -> Any:
        """Length of a flat value, of akro's type: an integer of NumPy."""
        return np.prod(self.shape, dtype=np.int64)

    @property
    def bounds(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The lowest and the highest values."""
        return self.low, self.high


class GarageDiscrete(GarageSpace, spaces.Discrete):
    """A Discrete with akro's names; flat, a value is a one-hot."""


class GarageDict(GarageSpace, spaces.Dict):
    """A Dict with akro's names."""


class GarageTuple(GarageSpace, spaces.Tuple):  # type: ignore[type-arg]  # takes an argument from Gymnasium 1.4 on
    """A Tuple with akro's names."""


_CLASSES: dict[type, type[GarageSpace]] = {
    spaces.Box: GarageBox,
    spaces.Discrete: GarageDiscrete,
    spaces.Dict: GarageDict,
    spaces.Tuple: GarageTuple,
}


def garage_space(space: gymnasium.Space[Any]) -> gymnasium.Space[Any]:
    """Returns a space with garage's names, equal to the given one.

    Args:
        space: any space. A Box, Discrete, Dict or Tuple gets the names, and starts with the generator of the given one,
            so that both draw one sequence until one of them is seeded. Others, and spaces that have the names already,
            are returned as they are.

    Example:
        >>> space = garage_space(spaces.Box(-1.0, 1.0, (2, 3)))
        >>> int(space.flat_dim), space.bounds[0].shape, space == spaces.Box(-1.0, 1.0, (2, 3))
        (6, (2, 3), True)
        >>> garage_space(spaces.Discrete(3)).flatten(1).tolist()
        [0, 1, 0]
    """
    made = _CLASSES.get(type(space))
    if made is None:
        return space
    space.np_random  # noqa: B018  # made on first use, and then shared
    named: gymnasium.Space[Any] = made.__new__(made)
    named.__dict__.update(vars(space))
    return named
