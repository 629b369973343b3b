"""Rows whose step is several of an engine's: the same action again and again, with the rewards summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.rows.protocol import Rows, RowStep
from taskworlds.vector.composition import Composition
from taskworlds.vector.flat_state import check_array
from taskworlds.vector.options import Options
from taskworlds.vector.progress import Progress
from taskworlds.vector.protocols import Play

__all__ = ["RepeatingRows"]


class RepeatingRows:
    """An engine's rows, of which each step is up to K raw steps with one action. See `Rows` for the methods.

    A row takes fewer raw steps where one of them ends its episode: the world does, or success under
    `terminate_on_success`, or the world's own limit of raw steps. Observations and all terms but success are those of
    the last raw step; rewards are summed, in the order of the steps. Where a protocol says so, a reset ends with a raw
    step of the action zero, whose reward nobody gets.

    There is nothing of an engine in it, so all engines repeat in the same way. An engine that takes several steps in
    one call could be given all repeats of rows that end nowhere in between.

    Args:
        rows: the engine's rows.
        options: how often actions are repeated, in which protocol.
        progress: when episodes end.
        raw_limits: raw steps of an episode at the most, (N,) int64, as long as the limit of steps is the one that
            it was made with.
        still: with a protocol that says so, the action zero of all rows, (N, A); None without.
        still_rows: the rows whose resets have it, (N,) bool.
        returns_before: whether a reset then returns the observation of before that step.

    Attributes:
        raw_steps: of the episode (in trials of the attempt) under way, with that of the reset, (N,) int64.
    """

    def __init__(
        self,
        rows: Rows,
        options: Options,
        progress: Progress,
        raw_limits: NDArray[np.int64],
        still: NDArray[np.float64] | None,
        still_rows: NDArray[np.bool_],
        *,
        returns_before: bool,
    ) -> None:
        self.num_rows = rows.num_rows
        self.raw_steps = np.zeros(rows.num_rows, dtype=np.int64)
        self._rows = rows
        self._times = options.action_repeat or 1
        self._any = options.repeat_success != "last"
        self._progress = progress
        self._limit, self._raw_limits = progress.limit, raw_limits
        self._still, self._still_rows = still, still_rows
        self._returns_before = returns_before
        self._begun: tuple[Any, NDArray[np.bool_]] | None = None

    @classmethod
    def of(cls, rows: Rows, play: Play, progress: Progress, composition: Composition) -> RepeatingRows | None:
        """Returns an engine's rows that repeat as a batch plays; None if there is nothing to repeat."""
        if (play.options.action_repeat or 1) == 1 and play.still_step is None:
            return None
        shape = composition.action_space.shape or ()
        still = None if play.still_step is None else np.zeros((rows.num_rows, *shape))
        return cls(
            rows,
            play.options,
            progress,
            play.raw_limits,
            still,
            play.still_rows,
            returns_before=play.still_step == "before",
        )

    def expect(self, tasks: dict[int, Task], steps: int) -> None:
        """Passes on which tasks come next, and after how many raw steps at the latest."""
        expects = getattr(self._rows, "expect", None)
        if expects is not None:
            expects(tasks, steps * self._times + (self._still is not None))

    def reset(self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]) -> Any:
        """See `Rows.reset`."""
        obs = self._rows.reset(tasks, rows, seeds)
        self.raw_steps[rows] = 0
        if self._still is None:
            return obs
        first, still = obs.copy(), rows & self._still_rows
        if not still.any():
            return obs
        outcome = self._rows.step(self._still, still)
        for fault in outcome.faults:
            if not fault.went_on:
                raise RuntimeError(
                    f"MuJoCo could not take the step that ends the reset of row {fault.row}: {fault.what}"
                )
        self.raw_steps[still] = 1
        return first if self._returns_before else outcome.obs

    def step(self, actions: Any, rows: NDArray[np.bool_]) -> RowStep:
        """See `Rows.step`."""
        return self._repeat(actions, rows, self._rows.step(actions, rows))

    def step_async(self, actions: Any, rows: NDArray[np.bool_]) -> None:
        """Begins the first raw step; `step_wait` takes the others."""
        self._rows.step_async(actions, rows)
        self._begun = actions, rows

    def step_wait(self) -> RowStep:
        """See `Rows.step_wait`."""
        begun, self._begun = self._begun, None
        outcome = self._rows.step_wait()
        return outcome if begun is None else self._repeat(*begun, outcome)

    def _repeat(self, actions: Any, rows: NDArray[np.bool_], outcome: RowStep) -> RowStep:
        """Takes the other raw steps after the first, and returns what came of all of them."""
        self.raw_steps += rows
        if self._times == 1:
            return outcome
        rewards, terms = outcome.rewards.copy(), {name: each.copy() for name, each in outcome.terms.items()}
        ended = None if outcome.terminated is None else outcome.terminated & rows
        faults = list(outcome.faults)
        success = terms.get("success")
        succeeded = None if success is None else success > 0
        going = rows
        for _ in range(self._times - 1):
            going = self._going_on(going, outcome)
            if not going.any():
                break
            outcome = self._rows.step(actions, going)
            self.raw_steps += going
            rewards[going] += outcome.rewards[going]
            for name, values in outcome.terms.items():
                terms.setdefault(name, np.zeros(self.num_rows))[going] = values[going]
            if succeeded is not None:
                succeeded[going] |= outcome.terms["success"][going] > 0
            if outcome.terminated is not None:
                ended = outcome.terminated & going if ended is None else ended | (outcome.terminated & going)
            faults += outcome.faults
        if succeeded is not None and self._any:
            terms["success"] = succeeded.astype(np.float64)
        return RowStep(outcome.obs, rewards, terms, ended, faults)

    def _going_on(self, rows: NDArray[np.bool_], outcome: RowStep) -> NDArray[np.bool_]:
        """Returns those of `rows` that take another raw step after one with this outcome, (N,) bool."""
        going: NDArray[np.bool_] = rows.copy()
        if outcome.terminated is not None:
            going &= ~outcome.terminated
        success = outcome.terms.get("success")
        if success is not None:
            going &= ~(self._progress.terminate_on_success & (success > 0))
        if self._progress.limit == self._limit:
            going &= self.raw_steps < self._raw_limits
        for fault in outcome.faults:
            going[fault.row] &= fault.went_on
        return going

    @property
    def goals(self) -> NDArray[np.float64]:
        """See `Rows.goals`."""
        return self._rows.goals

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Returns the raw steps; the engine's rows have a state of their own."""
        return {"raw_steps": self.raw_steps.copy()}

    def check_state(self, state: Mapping[str, Any], num_rows: int) -> None:
        """Raises ValueError for anything but the raw steps of `num_rows` rows."""
        check_array(state, "raw_steps", self.raw_steps, num_rows)

    def set_state(self, state: Mapping[str, Any], source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,)."""
        self.raw_steps[:] = state["raw_steps"][source]
