"""How far each row's episode has come: steps, returns, success, and in trials the attempts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.vector._batch import count_chunk, count_step
from taskworlds.vector.flat_state import check_array

__all__ = ["Progress", "Stopwatch"]

_COUNTERS = (
    "running",
    "steps",
    "returns",
    "succeeded",
    "attempts",
    "past_steps",
    "past_returns",
    "terminate_on_success",
)


class Stopwatch:
    """The time since the episodes of N rows began.

    Args:
        num_rows: how many rows, N.
    """

    def __init__(self, num_rows: int) -> None:
        self._started_at = np.zeros(num_rows)

    def start(self, rows: NDArray[np.bool_]) -> None:
        """Begins the episodes of `rows`, (N,) bool."""
        self._started_at[rows] = time.perf_counter()

    def get_state(self) -> NDArray[np.float64]:
        """Returns the time since each row's episode began, (N,) float64, seconds."""
        return time.perf_counter() - self._started_at

    def check_state(self, state: Any, num_rows: int) -> None:
        """Raises ValueError for anything but the times of `num_rows` rows."""
        check_array({"elapsed": state}, "elapsed", self._started_at, num_rows)

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,)."""
        self._started_at[:] = time.perf_counter() - state[source]


class Progress:
    """How far the episodes of N rows have come, and when they end. Without trials an episode is one attempt.

    Args:
        num_rows: how many rows, N.
        limit: steps after which an attempt that goes on is truncated, in all rows, or in each, (N,) int64.
        world: the name of the world, for messages.
        has_success: whether its steps report success, in each row, (N,) bool.
        terminate_on_success: whether success ends an attempt, in all rows whose world has it.
        k_episodes: the attempts of a trial, K; None where an episode is one attempt.

    Raises:
        ValueError: success is to end attempts in a world without success.

    Attributes:
        limits: by row, if they differ; None if all rows have `limit`.
        running: whether the row is in the middle of an episode, (N,) bool.
        steps: of the attempt under way, (N,) int64.
        returns: sum of its rewards before any normalisation, (N,) float64.
        succeeded: whether any of its steps succeeded, (N,) bool.
        attempts: that have ended in the trial under way, (N,) int64.
        past_steps, past_returns: of these, (N,) int64 and float64.
        terminate_on_success: whether success ends an attempt, (N,) bool.
        stopwatch: the time since the episode began.
    """

    def __init__(
        self,
        num_rows: int,
        limit: int | NDArray[np.int64],
        *,
        world: str,
        has_success: NDArray[np.bool_],
        terminate_on_success: bool,
        k_episodes: int | None = None,
    ) -> None:
        self._limit = int(np.max(limit))
        self.limits = limit if isinstance(limit, np.ndarray) else None
        self._k_episodes = k_episodes
        self._world = world
        self._has_success = bool(has_success.any())
        self._success_rows = has_success
        self.running = np.zeros(num_rows, dtype=np.bool_)
        self.steps = np.zeros(num_rows, dtype=np.int64)
        self.returns = np.zeros(num_rows)
        self.succeeded = np.zeros(num_rows, dtype=np.bool_)
        self.attempts = np.zeros(num_rows, dtype=np.int64)
        self.past_steps = np.zeros(num_rows, dtype=np.int64)
        self.past_returns = np.zeros(num_rows)
        self.stopwatch = Stopwatch(num_rows)
        self.terminate_on_success = np.zeros(num_rows, dtype=np.bool_)
        self.end_on_success([terminate_on_success] * num_rows)

    @property
    def limit(self) -> int:
        """Steps after which an attempt is truncated, in the row that has the most.

        It may be changed, and then holds for all rows, and for the episodes at hand too.
        """
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._limit, self.limits = limit, None

    def limit_of(self, row: int) -> int:
        """Returns the limit of a row."""
        return self._limit if self.limits is None else int(self.limits[row])

    def end_on_success(self, switches: list[bool]) -> None:
        """Sets for each row whether success ends an attempt; rows whose world has no success are left alone.

        Raises:
            ValueError: it is to in a world without success.
        """
        self._check_success(any(switches))
        self.terminate_on_success[:] = switches & self._success_rows

    def _check_success(self, ends: bool) -> None:
        if ends and not self._has_success:
            raise WrongValue(
                f"terminate_on_success must be False for {self._world}, where no success is defined.",
                argument="terminate_on_success",
            )

    @property
    def steps_taken(self) -> NDArray[np.int64]:
        """Steps of each row since its last reset, in trials those of all attempts, (N,) int64."""
        return self.steps if self._k_episodes is None else self.past_steps + self.steps

    @property
    def returns_so_far(self) -> NDArray[np.float64]:
        """The sums of these steps' rewards before any normalisation, (N,) float64."""
        return self.returns if self._k_episodes is None else self.past_returns + self.returns

    def start(self, rows: NDArray[np.bool_]) -> None:
        """Begins the episodes of `rows`; none is running before `start_attempt`."""
        self.running[rows] = False
        self.attempts[rows] = 0
        self.past_steps[rows] = 0
        self.past_returns[rows] = 0.0
        self.stopwatch.start(rows)

    def start_attempt(self, rows: NDArray[np.bool_]) -> None:
        """Begins an attempt in `rows`."""
        self.steps[rows] = 0
        self.returns[rows] = 0.0
        self.succeeded[rows] = False
        self.running[rows] = True

    def step(
        self,
        rows: NDArray[np.bool_],
        rewards: NDArray[np.float64],
        success: NDArray[np.float64] | None,
        terminated: NDArray[np.bool_] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_] | None]:
        """Counts a step of `rows`.

        Args:
            rows: which rows, (N,) bool.
            rewards: (N,), read where `rows` is True, as are the next two.
            success: 1 where the step succeeded, (N,); None in worlds without success.
            terminated: whether the world ends the episode, (N,) bool; None in worlds that end none.

        Returns:
            New arrays, each (N,): rewards, 0 where the row did not step; which attempts the world or success ends;
            which the limit does; and which of them end at all, or None if none does.
        """
        counted: tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_] | None]
        counted = count_step(
            rows,
            rewards,
            success,
            terminated,
            self.terminate_on_success,
            self._limit,
            self.steps,
            self.returns,
            self.succeeded,
        )
        if self.limits is None:
            return counted
        given, over, _, _ = counted
        late = rows & ~over & (self.steps >= self.limits)
        ended = over | late
        return given, over, late, ended if ended.any() else None

    def steps_of_chunk(
        self,
        taken: NDArray[np.int64],
        rewards: NDArray[np.float64],
        success: NDArray[np.float64] | None,
        terminated: NDArray[np.bool_] | None,
    ) -> tuple[
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.bool_],
        NDArray[np.bool_],
        NDArray[np.bool_] | None,
        NDArray[np.float64],
    ]:
        """Counts several steps of each row, as `step` does one after the other.

        Args:
            taken: how many steps each row took, (N,); 0 for rows that did not step.
            rewards: of each step, (N, T), as are the next two.
            success: as for `step`.
            terminated: as for `step`.

        Returns:
            New arrays: rewards and success, (N, T), 0 for steps that were not taken; (N,) how attempts ended at first,
            as `step` returns it; and the last reward of each row, (N,).
        """
        return count_chunk(
            taken,
            rewards,
            success,
            terminated,
            self.terminate_on_success,
            self.limit,
            self.steps,
            self.returns,
            self.succeeded,
        )

    def check_begun(self, rows: NDArray[np.bool_], *, may_have_ended: bool) -> None:
        """Raises RuntimeError if one of `rows`, none of which is running, cannot begin its next episode by itself.

        Args:
            rows: which rows, (N,) bool, at least one.
            may_have_ended: whether a row whose episode has ended can.
        """
        several = len(rows) > 1
        for row in np.flatnonzero(rows).tolist():
            which = f" of row {row}" if several else ""
            if self.steps[row] == 0:
                raise RuntimeError(f"No episode{which} has begun: call reset() before step().")
            if not may_have_ended:
                raise RuntimeError(
                    f"The episode{which} has ended: call reset() before the next step. In a batch, "
                    'reset(options={"reset_mask": terminations | truncations}) resets the rows that ended.'
                )

    def end(
        self, ended: NDArray[np.bool_], terminated: NDArray[np.bool_], truncated: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Ends the attempts of `ended`, and returns whose episodes end with them, (N,) bool.

        In trials that go on, the flags `terminated` and `truncated`, (N,) bool, are taken back.
        """
        self.running[ended] = False
        if self._k_episodes is None:
            return ended
        self.attempts += ended
        done: NDArray[np.bool_] = ended & (self.attempts == self._k_episodes)
        terminated &= done
        truncated &= done
        return done

    def keep_attempt(self, rows: NDArray[np.bool_]) -> None:
        """Adds the attempts of `rows`, which end, to those of their trials."""
        self.past_steps[rows] += self.steps[rows]
        self.past_returns[rows] += self.returns[rows]

    def attempt(self, ended: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        """Returns what infos tell of the attempts of a trial, before `end`; `ended` are those that the step ends.

        Flags are float64, as success is: of a flag of another kind Gymnasium's SyncVectorEnv makes objects.
        """
        assert self._k_episodes is not None
        told: dict[str, NDArray[Any]] = {
            "attempt": np.minimum(self.attempts, self._k_episodes - 1),
            "attempt_return": self.returns,
            "attempt_length": self.steps,
        }
        if self._has_success:
            told["attempt_success"] = self.succeeded.astype(np.float64)
        return told | {"attempt_ended": ended.astype(np.float64)}

    def episode(self) -> dict[str, NDArray[Any]]:
        """Returns the statistics of episodes, under Gymnasium's names; of trials, all attempts together."""
        time_taken = np.round(self.stopwatch.get_state(), 6)
        return {"r": self.returns_so_far, "l": self.steps_taken, "t": time_taken}

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Returns the counters and the switches; the stopwatch has a state of its own."""
        return {name: getattr(self, name).copy() for name in _COUNTERS}

    def check_state(self, state: Mapping[str, Any], num_rows: int) -> None:
        """Raises ValueError for anything but the state of `num_rows` rows that these rows could take."""
        for name in _COUNTERS:
            check_array(state, name, getattr(self, name), num_rows)
        for name in ("steps", "attempts", "past_steps"):
            if (state[name] < 0).any():
                raise WrongValue(f"The state cannot be restored: its {name} holds a number below 0.")
        self._check_success(bool(state["terminate_on_success"].any()))

    def set_state(self, state: Mapping[str, Any], source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,)."""
        for name in _COUNTERS:
            getattr(self, name)[:] = state[name][source]
