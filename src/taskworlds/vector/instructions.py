"""Which words tell each row what is to be done: the plain instruction of its task, or one drawn from several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.vector.flat_state import check_array
from taskworlds.vector.options import Options

__all__ = ["Instructions"]

_WORD = 2**64 - 1
# Constants of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


class Instructions:
    """The instruction of each of N rows.

    Without paraphrases it follows from the row's task alone. With them each episode draws one of the task's sentences,
    by a generator of the row's own that its seed starts: the same on every engine, and without a draw from the row's
    `np_random`, so that an environment with paraphrases has the tasks of one without.

    Args:
        world: whose sentences.
        tasks: a task of each skill at least, for the check whether its sentences suffice.
        num_rows: how many rows, N.
        options: whether infos tell the instruction, and which sentences are drawn from.
        seeds: what each row is seeded with.

    Attributes:
        texts: the instruction of each row's episode at hand, (N,) object: strings, or None before the first reset. Kept
            only if infos tell it.

    Raises:
        WrongValue: a skill does not have as many sentences as `options.paraphrases` names.
    """

    def __init__(
        self, world: World, tasks: Iterable[Task], num_rows: int, options: Options, seeds: Sequence[int]
    ) -> None:
        self._world = world
        self._kept = options.instructions_in_info
        self._drawn_from = options.paraphrases
        self.texts: NDArray[Any] = np.full(num_rows, None, dtype=object)
        self._states = np.zeros(num_rows, dtype=np.uint64)
        if self.draws:
            for task in {task.env_name: task for task in tasks}.values():
                self._check(task)
            for row, seed in enumerate(seeds):
                self.seed(row, seed)

    @property
    def draws(self) -> bool:
        """Whether each episode draws one of the sentences."""
        return self._drawn_from is not False

    def _check(self, task: Task) -> None:
        most = max(self._drawn_from) if isinstance(self._drawn_from, tuple) else 0
        count = len(self._world.instructions_of(task))
        if most >= count:
            raise WrongValue(
                f"paraphrases must be numbers below {count} for {task.env_name}, which has {count} instruction"
                f"{'s' * (count > 1)}, not {self._drawn_from!r}: 0 is the plain one.",
                argument="paraphrases",
            )

    def seed(self, row: int, seed: int) -> None:
        """Starts a row's draws anew."""
        if self.draws:
            self._states[row] = seed & _WORD

    def draw(self, row: int) -> None:
        """Goes on to the next of a row's draws, as an episode begins."""
        if self.draws:
            self._states[row] = (int(self._states[row]) + _STEP) & _WORD

    def show(self, row: int, task: Task | None) -> None:
        """Makes a row's words those of its task and of its latest draw."""
        if self._kept:
            self.texts[row] = task and self.of(row, task)

    def of(self, row: int, task: Task) -> str:
        """Returns what tells a row to do a task, by the row's latest draw."""
        sentences = self._world.instructions_of(task)
        if self._drawn_from is False:
            return sentences[0]
        numbers = range(len(sentences)) if self._drawn_from is True else self._drawn_from
        return sentences[numbers[_mixed(int(self._states[row])) % len(numbers)]]

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, NDArray[np.uint64]]:
        """Returns where each row's draws are; nothing where there are none."""
        return {"instructions": self._states.copy()} if self.draws else {}

    def check_state(self, state: Any, num_rows: int) -> None:
        """Raises ValueError for anything but the state of `num_rows` rows that these rows could take."""
        if self.draws:
            check_array(state, "instructions", self._states, num_rows)

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,)."""
        if self.draws:
            self._states[:] = state["instructions"][source]


def _mixed(state: int) -> int:
    """Returns splitmix64's output at a state."""
    mixed = ((state ^ (state >> 30)) * _FIRST) & _WORD
    mixed = ((mixed ^ (mixed >> 27)) * _SECOND) & _WORD
    return mixed ^ (mixed >> 31)
