"""How far each row's episode has come: steps, returns, success, and in trials the attempts."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.vector._batch import count_step, describe

__all__ = ["Progress"]


class Progress:
    """The counters of N rows. An episode without trials is one attempt.

    Args:
        num_rows: how many rows, N.

    Attributes:
        running: whether the row is in the middle of an episode, (N,) bool.
        steps: of the attempt under way, (N,) int64.
        returns: sum of its rewards before any normalisation, (N,) float64.
        succeeded: whether any of its steps succeeded, (N,) bool.
        attempts: that have ended in the trial under way, (N,) int64.
        past_steps, past_returns: of these, (N,) int64 and float64.
        started_at: when the episode began, by time.perf_counter, (N,) float64.
    """

    def __init__(self, num_rows: int) -> None:
        self.running = np.zeros(num_rows, dtype=np.bool_)
        self.steps = np.zeros(num_rows, dtype=np.int64)
        self.returns = np.zeros(num_rows)
        self.succeeded = np.zeros(num_rows, dtype=np.bool_)
        self.attempts = np.zeros(num_rows, dtype=np.int64)
        self.past_steps = np.zeros(num_rows, dtype=np.int64)
        self.past_returns = np.zeros(num_rows)
        self.started_at = np.zeros(num_rows)

    @property
    def steps_taken(self) -> NDArray[np.int64]:
        """Steps of each row since its last reset, in trials those of all attempts, (N,) int64."""
        return self.past_steps + self.steps

    def is_first(self, row: int) -> bool:
        """Says whether the row's last step was the first since its reset."""
        return bool(self.steps.item(row) + self.past_steps.item(row) == 1)

    def start(self, rows: NDArray[np.bool_]) -> None:
        """Begins the episodes of `rows`; none is running before `start_attempt`."""
        self.running[rows] = False
        self.attempts[rows] = 0
        self.past_steps[rows] = 0
        self.past_returns[rows] = 0.0
        self.started_at[rows] = time.perf_counter()

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
        *,
        terminate_on_success: NDArray[np.bool_],
        limit: int,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_] | None]:
        """Counts a step of `rows`.

        Args:
            rows: which rows, (N,) bool.
            rewards: (N,), read where `rows` is True, as are the next two.
            success: 1 where the step succeeded, (N,); None in worlds without success.
            terminated: whether the world ends the episode, (N,) bool; None in worlds that end none.
            terminate_on_success: whether success does, (N,) bool.
            limit: steps after which an attempt that goes on is truncated.

        Returns:
            New arrays, each (N,): rewards, 0 where the row did not step; which attempts the world or success ends;
            which the limit does; and which of them end at all, or None if none does.
        """
        return count_step(
            rows,
            rewards,
            success,
            terminated,
            terminate_on_success,
            limit,
            self.steps,
            self.returns,
            self.succeeded,
        )

    def keep_attempt(self, rows: NDArray[np.bool_]) -> None:
        """Adds the attempts of `rows`, which end, to those of their trials."""
        self.past_steps[rows] += self.steps[rows]
        self.past_returns[rows] += self.returns[rows]

    def attempt(self, ended: NDArray[np.bool_], *, has_success: bool) -> dict[str, Any]:
        """Gives what info says of attempts that end."""
        statistics: dict[str, NDArray[Any]] = {"index": self.attempts, "r": self.returns, "l": self.steps}
        if has_success:
            statistics["success"] = self.succeeded.astype(np.float64)
        return describe(ended, statistics)

    def episode(self, done: NDArray[np.bool_]) -> dict[str, Any]:
        """Gives what info says of episodes that end; of trials, all attempts together."""
        returns = self.past_returns + self.returns
        return describe(done, {"r": returns, "l": self.steps_taken, "t": np.round(self.elapsed, 6)})

    @property
    def elapsed(self) -> NDArray[np.float64]:
        """Seconds since each row's episode began, (N,); can be set."""
        return time.perf_counter() - self.started_at

    @elapsed.setter
    def elapsed(self, seconds: NDArray[np.float64]) -> None:
        self.started_at[:] = time.perf_counter() - seconds

    def counters(self) -> dict[str, NDArray[Any]]:
        """Gives all but the time, by name: the arrays themselves."""
        return {name: values for name, values in vars(self).items() if name != "started_at"}
