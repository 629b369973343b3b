"""Draws of some out of several: with replacement, or each once before any is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongType, WrongValue, check_count, check_seed

__all__ = ["Deck", "generator_of", "legacy_seed", "sample_indices", "sample_without_replacement"]


class Deck:
    """Deals the numbers below `size`, round after round: each comes once before any is repeated.

    Args:
        size: how many numbers there are, at least 1.

    Attributes:
        size: as given.
        rounds: how many rounds have begun; 0 before the first number.
        place: how many numbers of the present round have been dealt, less one; -1 before the first.

    Example:
        >>> deck, generator = Deck(3), np.random.default_rng(0)
        >>> [deck.deal(generator) for _ in range(5)], [Deck(3).deal(None) for _ in range(2)]
        ([2, 0, 1, 2, 1], [0, 0])
        >>> deck.rounds, deck.place
        (2, 1)
    """

    def __init__(self, size: int) -> None:
        self.size = check_count("size", size)
        self.restart()

    def restart(self) -> None:
        """Forgets what has been dealt: the next number begins the first round."""
        self.rounds = 0
        self.place = -1
        self._order = list(range(self.size))

    def deal(self, np_random: np.random.Generator | None) -> int:
        """Returns the next number.

        Args:
            np_random: shuffles the numbers where a round begins, and is drawn from only there. None begins the round
                in order, with 0 first.
        """
        self.place = (self.place + 1) % self.size
        if self.place == 0:
            self.rounds += 1
            order = range(self.size) if np_random is None else np_random.permutation(self.size)
            self._order = [int(number) for number in order]
        return self._order[self.place]

    @property
    def order(self) -> list[int]:
        """The numbers of the present round, in the order in which they are dealt."""
        return list(self._order)

    def get_state(self) -> dict[str, Any]:
        """Returns what has been dealt and what comes next in this round, as JSON-ready values."""
        return {"rounds": self.rounds, "place": self.place, "order": list(self._order)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to where `get_state` was called, on this deck or on another of its size.

        Raises:
            ValueError: the state is not that of a deck of this size.
        """
        rounds, place, order = state["rounds"], state["place"], list(state["order"])
        if sorted(order) != list(range(self.size)) or not (-1 <= place < self.size and rounds >= 0):
            raise WrongValue(
                f"state must be of a deck of {self.size} numbers, not {state!r}.", argument="state"
            )
        self.rounds, self.place, self._order = rounds, place, order


def sample_indices(
    n: int, n_available: int, *, with_replacement: bool = False, np_random: np.random.Generator
) -> NDArray[np.int64]:
    """Draws `n` of the numbers below `n_available`.

    Args:
        n: how many to draw, at least 1; it may exceed `n_available`.
        n_available: how many there are to draw from, at least 1.
        with_replacement: whether each draw is independent of those before. Otherwise the draws are random
            permutations of all numbers, one after the other, so that each comes once before any is repeated.
        np_random: the generator to draw from.

    Returns:
        (n,) int64.

    Raises:
        TypeError: a count is not a whole number.
        ValueError: a count is below 1.

    Example:
        >>> generator = np.random.default_rng(0)
        >>> sample_indices(5, 3, np_random=generator).tolist()
        [2, 0, 1, 2, 1]
    """
    n, n_available = check_count("n", n), check_count("n_available", n_available)
    if with_replacement:
        return np_random.integers(n_available, size=n)
    deck = Deck(n_available)
    return np.array([deck.deal(np_random) for _ in range(n)], dtype=np.int64)


def sample_without_replacement(tasks: Sequence[Any], n: int, np_random: np.random.Generator) -> list[Any]:
    """Draws tasks so that each comes once, in random order, before any is repeated.

    Args:
        tasks: what to draw from, at least one.
        n: how many to draw, at least 1; it may exceed the number of tasks.
        np_random: the generator to draw from.

    Raises:
        TypeError: `n` is not a whole number.
        ValueError: `n` is below 1, or there are no tasks.

    Example:
        >>> sample_without_replacement(["open", "close"], 3, np.random.default_rng(0))
        ['open', 'close', 'open']
    """
    n = check_count("n_tasks", n)
    if not len(tasks):
        raise WrongValue("tasks must hold at least one task to draw from, not none.", argument="tasks")
    return [tasks[int(i)] for i in sample_indices(n, len(tasks), np_random=np_random)]


def legacy_seed(seed: int) -> int | list[int]:
    """Returns a seed of any size as `numpy.random.RandomState` takes it, which Meta-World and dm_control draw from.

    Args:
        seed: at least 0. Below 2**32 it stays as it is; beyond, where `RandomState` takes no whole number, it becomes a
            list of its words of 32 bits, the lowest first.

    Example:
        >>> legacy_seed(3), legacy_seed(2**40 + 3)
        (3, [3, 256])
    """
    if seed < 2**32:
        return seed
    return [seed >> place & 0xFFFFFFFF for place in range(0, seed.bit_length(), 32)]


def generator_of(seed: int | None, np_random: np.random.Generator | None) -> np.random.Generator:
    """Returns a sampler's generator: the one given, or a new one from the seed (0 by default), or from entropy.

    Raises:
        TypeError: `np_random` is not a NumPy Generator.
        ValueError: both are given, or the seed is out of range.
    """
    if np_random is None:
        return np.random.default_rng(None if seed is None else check_seed(seed))
    if seed is not None and seed != 0:
        raise WrongValue(
            f"seed={seed!r} and np_random both choose the random numbers: give only one of them."
        )
    if not isinstance(np_random, np.random.Generator):
        raise WrongType(
            f"np_random must be a numpy.random.Generator, not {np_random!r}. "
            "numpy.random.default_rng(seed) makes one.",
            argument="np_random",
        )
    return np_random
