"""Chunks: several steps of each row in one call of `step`, for policies that predict several actions at once."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from taskworlds.rows.protocol import RowChunk, RowStep
from taskworlds.vector.batch_parts import BatchParts
from taskworlds.vector.episodes import Episodes, Step
from taskworlds.vector.observations import LastStep

__all__ = ["EXECUTED", "SUCCESSES", "Chunks"]

EXECUTED, SUCCESSES = "executed_steps", "chunk_success"
"""What infos of a chunk tell beside those of a step."""


class Chunks:
    """Chunks of the rows of a batch: what T calls of `step` do, each with the rows that have not ended, in one.

    A row stops where its episode, or in trials its attempt, ends. What comes next begins when all rows are through:
    it depends on the row's own generator alone, so it is what begins at once in single steps.

    Engines that have `step_chunk` take the steps of a row one after the other by themselves; with the others each step
    is a call. Either way each step is counted, normalised and noted here, so it cannot matter which.

    Args:
        parts: what they work on.
        episodes: begins the episodes that come next.
        has_success: whether the world's steps report success.
        whole: whether rows go on past the end of an episode, and flags stand in the last column.
    """

    def __init__(self, parts: BatchParts, episodes: Episodes, *, has_success: bool, whole: bool) -> None:
        self._first_look = parts.first_look
        self._rows = parts.rows
        self._episodes = episodes
        self._actions = parts.actions
        self._assignments = parts.assignments
        self._progress = parts.progress
        self._observations = parts.observations
        self._infos = parts.infos
        self._rewards = parts.rewards
        self._guard = parts.guard
        self._mode = parts.autoreset_mode
        self._has_success = has_success
        self._whole = whole

    def step(self, actions: Any, chosen: NDArray[np.bool_], *, one: bool = False) -> Step:
        """Takes the steps of a chunk; see `TaskVectorEnv.step`.

        Args:
            actions: (N, T, ...), T batches of the world's actions.
            chosen: which rows, (N,) bool.
            one: whether infos are the first row's info; see `Infos.can_tell_one`.

        Returns:
            Observations, rewards (N, T), terminations and truncations (N, T), and infos.
        """
        self._guard.check("another step", chosen)
        actions = self._actions.take_chunk(actions)
        stepping, restarting = self._checked(actions, chosen)
        self._guard.changing(chosen)
        taking = _Taking(actions, stepping)
        chunk = self._by_engine(taking)
        learns = self._rewards is not None or self._observations.normalizer is not None
        if chunk is not None and not chunk.last.faults and not learns:
            self._take_together(taking, chunk)
        else:
            taking.begin()
            for step, rows, outcome in self._outcomes(taking, chunk):
                self._take(taking, step, rows, outcome)
        infos = self._episodes.end(
            stepping, restarting, taking.last_step, taking.terminated, taking.truncated, one=one
        )
        if taking.last_step[2] is not None:
            for flags, ends in (
                (taking.terminations, taking.terminated),
                (taking.truncations, taking.truncated),
            ):
                ended = np.flatnonzero(ends)
                flags[ended, taking.executed[ended] - 1] = True
        told = {EXECUTED: taking.executed} | ({SUCCESSES: taking.successes} if self._has_success else {})
        for name, values in told.items():
            infos[name] = values[0] if one else values
            if not one:
                infos[f"_{name}"] = chosen.copy()
        return self._observations.copy(), taking.rewards, taking.terminations, taking.truncations, infos

    def _checked(
        self, actions: NDArray[Any], chosen: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
        """Checks all actions, and returns which rows step and which, or None, begin an episode instead."""
        progress = self._progress
        if self._actions.chunk_ready(actions, chosen, progress.running):
            return chosen, None
        stepping, unready = chosen & progress.running, chosen & ~progress.running
        restarting = unready if unready.any() else None
        if restarting is not None:
            progress.check_begun(restarting, may_have_ended=self._mode is AutoresetMode.NEXT_STEP)
        for step in range(actions.shape[1]):
            self._actions.check(actions[:, step], stepping, functools.partial(self._where, step))
        return stepping, restarting

    def _where(self, step: int, row: int) -> str:
        """Returns which step of a chunk this is, for a message."""
        at = self._progress.steps[row] + step
        return f"place {step} of the chunk, {self._assignments.task_at(row)}, step {at}"

    def _by_engine(self, taking: _Taking) -> RowChunk | None:
        """Has the engine take the steps, if it can take several."""
        step_chunk = getattr(self._rows, "step_chunk", None)
        if step_chunk is None or not taking.going.any():
            return None
        progress = self._progress
        left, ends = progress.limit - progress.steps, progress.terminate_on_success
        if self._whole:
            left, ends = np.full_like(left, taking.count), np.zeros_like(ends)
        chunk: RowChunk = step_chunk(
            taking.actions,
            taking.going,
            np.minimum(left, taking.count),
            ends,
            ends_by_itself=not self._whole,
            each_obs=self._observations.normalizer is not None,
        )
        return chunk

    def _take_together(self, taking: _Taking, chunk: RowChunk) -> None:
        """Counts all steps that the engine took, which are all there are, and writes down what they gave."""
        rows = taking.going
        self._first_look.at_step(chunk.last)
        taking.executed = chunk.taken
        taking.rewards, taking.successes, taking.terminated, taking.truncated, ended, last_rewards = (
            self._progress.steps_of_chunk(chunk.taken, chunk.rewards, chunk.success, chunk.terminated)
        )
        last_actions = taking.actions[np.arange(len(rows)), chunk.taken - 1]
        taking.last_step = last_actions, last_rewards, ended
        self._observations.write(chunk.last.obs, rows, taking.last_step)
        self._infos.note(rows, chunk.last)

    def _outcomes(
        self, taking: _Taking, chunk: RowChunk | None
    ) -> Iterator[tuple[int, NDArray[np.bool_], RowStep]]:
        """Yields the steps, in their order, each with its place, the rows that it is of, and what came of it."""
        by_engine = np.zeros_like(taking.executed) if chunk is None else chunk.taken
        for step in range(taking.count):
            rows = taking.going & (by_engine > step)
            if chunk is not None and rows.any():
                yield step, rows, chunk.step(step)
            rows = taking.going & (by_engine <= step)  # an engine goes no further where something went wrong
            if rows.any():
                yield step, rows, self._rows.step(taking.actions[:, step], rows)

    def _take(self, taking: _Taking, step: int, rows: NDArray[np.bool_], outcome: RowStep) -> None:
        """Counts a step of `rows`, and writes down what it gave."""
        self._first_look.at_step(outcome)
        success = outcome.terms.get("success")
        rewards, terminated, truncated, ended = self._progress.step(
            rows, outcome.rewards, success, outcome.terminated
        )
        last = rows if step == taking.count - 1 else None
        last_actions, last_rewards, over = taking.last_step
        if ended is not None:
            first = ended if over is None else ended & ~over
            taking.terminated |= first & terminated
            taking.truncated |= first & truncated
            over = first if over is None else over | first
            if not self._whole:
                taking.going = taking.going & ~ended
                last = ended if last is None else last
        taking.executed += rows
        last_actions[rows], last_rewards[rows] = taking.actions[rows, step], rewards[rows]
        taking.last_step = last_actions, last_rewards, over
        written = last if self._observations.normalizer is None else rows  # which learns from each
        if written is not None:
            self._observations.write(outcome.obs, written, taking.last_step)
        if last is not None or outcome.faults:
            self._infos.note(rows if last is None else last, outcome)
        if success is not None:
            taking.successes[rows, step] = success[rows]
        if self._rewards is not None:
            rewards = self._rewards(rewards, terminated, rows)
        taking.rewards[rows, step] = rewards[rows]


class _Taking:
    """A chunk that is being taken.

    Attributes:
        actions: (N, T, ...).
        count: the number of steps, T.
        going: the rows that go on, (N,) bool; replaced, never written to.
        executed: the steps that each row has taken, (N,) int64.
        terminated, truncated: how rows' attempts ended at first, (N,) bool.
        last_step: what the rows' last steps were, as observations take it.
        rewards, terminations, truncations, successes: of each step, (N, T); 0 and False where there is none.
    """

    def __init__(self, actions: NDArray[Any], rows: NDArray[np.bool_]) -> None:
        num_rows, self.count = actions.shape[:2]
        self.actions, self.going = actions, rows
        self.executed: NDArray[np.int64]
        self.terminated: NDArray[np.bool_]
        self.truncated: NDArray[np.bool_]
        self.rewards: NDArray[np.float64]
        self.successes: NDArray[np.float64]
        self.last_step: LastStep
        self.terminations, self.truncations = np.zeros((2, num_rows, self.count), dtype=np.bool_)

    def begin(self) -> None:
        """Makes room for steps that are taken one by one."""
        num_rows = len(self.going)
        self.executed = np.zeros(num_rows, dtype=np.int64)
        self.terminated, self.truncated = np.zeros((2, num_rows), dtype=np.bool_)
        self.rewards, self.successes = np.zeros((2, num_rows, self.count))
        self.last_step = self.actions[:, 0].copy(), np.zeros(num_rows), None
