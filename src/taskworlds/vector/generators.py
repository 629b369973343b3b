"""The random generators of the rows."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue, check_seed
from taskworlds.vector.flat_state import NOT_A_STATE

__all__ = ["Generators", "check_generator"]

_PCG64 = "PCG64"  # Gymnasium's and NumPy's default
_WORD = 2**64 - 1


class Generators:
    """One random generator for each row.

    Args:
        num_rows: how many rows, N.
        seed: row i's generator is seeded with `seed + i`; None for fresh entropy.
        group_size: rows in a group, G. All rows of group g are seeded with `seed + g`, or the same fresh entropy.

    Attributes:
        each: the generator of each row; one may be replaced by another.
        seeds: what each was seeded with; -1 where that is not known.
    """

    def __init__(self, num_rows: int, seed: int | None, group_size: int = 1) -> None:
        self.each: list[np.random.Generator] = []
        self.seeds: list[int] = []
        self._copy = np.random.Generator(np.random.PCG64(0))  # making one takes longer than a draw
        for row in range(num_rows):
            group, place = divmod(row, group_size)
            given = None if seed is None else check_seed(seed) + group
            generator, its_seed = seeding.np_random(self.seeds[-1] if place else given)
            self.each.append(generator)
            self.seeds.append(its_seed)

    def seed(self, row: int, seed: int) -> None:
        """Gives a row a new generator."""
        self.each[row], self.seeds[row] = seeding.np_random(seed)

    def copy(self, row: int) -> np.random.Generator:
        """Returns a generator in the state of a row's; it is taken again for the next copy."""
        state = self.each[row].bit_generator.state
        if state["bit_generator"] != _PCG64:
            return copy.deepcopy(self.each[row])
        self._copy.bit_generator.state = state
        return self._copy

    def get_state(self) -> dict[str, Any]:
        """Returns the state of each: six numbers where it is a PCG64, else what the generator says itself."""
        words = np.zeros((len(self.each), 6), dtype=np.uint64)
        others: dict[str, Any] = {}
        for row, generator in enumerate(self.each):
            state: Mapping[str, Any] = generator.bit_generator.state
            if state["bit_generator"] == _PCG64:
                words[row] = _words(state)
            else:
                others[str(row)] = copy.deepcopy(state)
        return {_PCG64: words, "others": others}

    def check_state(self, state: Mapping[str, Any], num_rows: int) -> None:
        """Raises ValueError for anything but the state of the generators of `num_rows` rows."""
        words, others = state[_PCG64], state["others"]
        if not isinstance(words, np.ndarray) or (words.dtype, words.shape) != (np.uint64, (num_rows, 6)):
            raise WrongValue(f"{NOT_A_STATE}: {_PCG64} must be uint64 of shape {(num_rows, 6)}.")
        for row in range(num_rows):
            _generator(_state_of(state, row))
        if not set(others) <= {str(row) for row in range(num_rows)}:
            raise WrongValue(f"{NOT_A_STATE}: it has generators of rows that do not exist.")

    def set_state(self, state: Mapping[str, Any], source: NDArray[np.int64]) -> None:
        """Puts each row's generator where `get_state` found that of row `source[i]`; source is (N,)."""
        for row, taken in enumerate(source.tolist()):
            self.put(row, _state_of(state, taken))

    def put(self, row: int, state: Mapping[str, Any]) -> None:
        """Puts a row's generator into the state of a bit generator; it stays the same object if it can."""
        if self.each[row].bit_generator.state["bit_generator"] == state["bit_generator"]:
            self.each[row].bit_generator.state = state
        else:
            self.each[row] = _generator(state)
        self.seeds[row] = -1


def check_generator(state: Any) -> None:
    """Raises ValueError if no generator can be in this state of a bit generator."""
    _generator(state)


def _words(state: Mapping[str, Any]) -> tuple[int, ...]:
    place, step = state["state"]["state"], state["state"]["inc"]
    return place & _WORD, place >> 64, step & _WORD, step >> 64, state["has_uint32"], state["uinteger"]


def _state_of(state: Mapping[str, Any], row: int) -> Mapping[str, Any]:
    """Returns the state of a row's bit generator, as NumPy takes it."""
    other: Mapping[str, Any] | None = state["others"].get(str(row))
    if other is not None:
        return other
    low, high, step_low, step_high, has_uint32, uinteger = state[_PCG64][row].tolist()
    return {
        "bit_generator": _PCG64,
        "state": {"state": high << 64 | low, "inc": step_high << 64 | step_low},
        "has_uint32": has_uint32,
        "uinteger": uinteger,
    }


def _generator(state: Any) -> np.random.Generator:
    """Returns a generator in a state of a bit generator.

    Raises:
        ValueError: there is none.
    """
    try:
        bit_generator = getattr(np.random, state["bit_generator"])()
        bit_generator.state = state
        if bit_generator.state["bit_generator"] == _PCG64:
            known = state["has_uint32"] in (0, 1) and 0 <= state["uinteger"] < 2**32
            if not (known and state["state"]["inc"] % 2 == 1):
                raise WrongValue("PCG64 has no such state")
        return np.random.Generator(bit_generator)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise WrongValue(f"{NOT_A_STATE}: a random generator cannot be in its state ({error}).") from None
