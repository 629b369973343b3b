"""Episodes of the rows of a batch: how they begin, go on step by step, and end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.rows.protocol import RowStep
from taskworlds.vector.batch_parts import BatchParts
from taskworlds.vector.observations import LastStep

__all__ = ["BegunStep", "Episodes", "Step"]

Step = tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]
"""Observations; rewards, terminations and truncations, (N,) or, of a chunk of T steps, (N, T); and infos."""


class BegunStep(NamedTuple):
    """A step between its two halves: the actions, which rows step, and which begin an episode instead, if any do."""

    actions: Any
    stepping: NDArray[np.bool_]
    restarting: NDArray[np.bool_] | None = None

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """The rows of both kinds, (N,) bool."""
        return self.stepping if self.restarting is None else self.stepping | self.restarting


class Episodes:
    """What happens to N rows between a reset and the end of an episode, in any autoreset mode.

    A step has two halves, between which the engine steps the rows; that one is between them is all the state that there
    is here: each part has its own.

    Args:
        parts: what they work on.

    Attributes:
        under_way: the step that `step_async` has begun; None if there is none.
    """

    def __init__(self, parts: BatchParts) -> None:
        self.under_way: BegunStep | None = None
        self._guard = parts.guard
        self._first_look = parts.first_look
        self._rows = parts.rows
        self._actions = parts.actions
        self._assignments = parts.assignments
        self._progress = parts.progress
        self._observations = parts.observations
        self._infos = parts.infos
        self._rewards = parts.rewards
        self._mode = parts.autoreset_mode
        self._expects: Callable[[dict[int, Task], int], None] | None = getattr(parts.rows, "expect", None)

    def start(
        self, rows: NDArray[np.bool_], draw: NDArray[np.bool_] | None = None, given: Collection[int] = ()
    ) -> None:
        """Begins an episode in `rows`, where `draw` says so of a newly drawn task, whatever resets usually do.

        To the rows that `given` names the caller has given a task, and will most likely give the next one, too.
        """
        if not rows.any():
            return
        tasks = self._assignments.choose(rows, draw)
        self._progress.start(rows)  # first, so that what stops this half-way leaves no row to be stepped
        self._infos.start(rows)
        for row, task in tasks.items():
            self._assignments.begin(row, task)
            self._observations.set_task(row, task)
        self._start_attempt(rows)
        drawn = rows.copy()
        drawn[list(given)] = False
        self.expect(drawn)

    def expect(self, rows: NDArray[np.bool_]) -> None:
        """Tells the engine, if it wants to know, which tasks the next episodes of `rows` will most likely have."""
        if self._expects is not None:
            self._expects(self._assignments.foresee(rows), self._progress.limit)

    def _start_attempt(self, rows: NDArray[np.bool_], last_step: LastStep | None = None) -> None:
        """Puts `rows`, at least one, to the start of their tasks; `last_step` ended an attempt of the same trial."""
        seeds = self._assignments.start_seeds(rows)
        obs = self._rows.reset(self._assignments.current, rows, seeds)
        self._first_look.at_reset(obs)
        self._observations.write(obs, rows, last_step, begins=True)
        self._progress.start_attempt(rows)

    # --- steps ----------------------------------------------------------------------------------------------

    def step(self, actions: Any, chosen: NDArray[np.bool_], *, one: bool = False) -> Step:
        """Steps the rows in `chosen`, (N,) bool; arguments and errors are those of `TaskVectorEnv.step`.

        With `one` infos are the first row's info; see `Infos.can_tell_one`.
        """
        begun = self._begin(actions, chosen)
        return self._finish(begun, self._rows.step(begun.actions, begun.stepping), one=one)

    def step_async(self, actions: Any, chosen: NDArray[np.bool_]) -> None:
        """Begins a step, which `step_wait` ends."""
        begun = self._begin(actions, chosen)
        self._rows.step_async(begun.actions, begun.stepping)
        self.under_way = begun

    def step_wait(self) -> Step:
        """Waits for the step that `step_async` began.

        Raises:
            RuntimeError: there is none.
        """
        self.settle()
        if self.under_way is None:
            raise RuntimeError("No step is under way: call step_async() first.")
        self._guard.changing(self.under_way.chosen)
        begun, self.under_way = self.under_way, None
        return self._finish(begun, self._rows.step_wait())

    def settle(self) -> None:
        """Lets the rows end what a call began that was left half-way."""
        if self._guard.unsettled:
            self.under_way = None
            with contextlib.suppress(Exception):  # most rows say that there is nothing to wait for
                self._rows.step_wait()
            self._guard.unsettled = False

    def _begin(self, actions: Any, chosen: NDArray[np.bool_]) -> BegunStep:
        """Checks whether the rows in `chosen` can take their actions; from here on the call changes them."""
        self._guard.check("another step", chosen)
        begun = self._checked(actions, chosen)
        self._guard.changing(chosen)
        return begun

    def _checked(self, actions: Any, chosen: NDArray[np.bool_]) -> BegunStep:
        """Checks the actions, and tells which rows step and which begin an episode."""
        progress = self._progress
        actions = self._actions.take(actions)
        if self._actions.ready(actions, chosen, progress.running):
            return BegunStep(actions, chosen)
        stepping, unready = chosen & progress.running, chosen & ~progress.running
        restarting = unready if unready.any() else None
        if restarting is not None:
            progress.check_begun(restarting, may_have_ended=self._mode is AutoresetMode.NEXT_STEP)
        task_at = self._assignments.task_at
        self._actions.check(actions, stepping, lambda row: f"{task_at(row)}, step {progress.steps[row]}")
        return BegunStep(actions, stepping, restarting)

    def _finish(self, begun: BegunStep, outcome: RowStep, *, one: bool = False) -> Step:
        """Makes of an engine's outcome what the caller gets."""
        rewards, terminated, truncated, infos = self.conclude(begun, outcome, one=one)
        return self._observations.copy(), rewards, terminated, truncated, infos

    def conclude(
        self, begun: BegunStep, outcome: RowStep, *, one: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Ends a step: counts it, writes the observations, and begins episodes; returns `Step` without observations."""
        actions, stepping, restarting = begun
        if stepping.any():  # some engines report nothing where no row steps
            self._first_look.at_step(outcome)
        rewards, terminated, truncated, ended = self._progress.step(
            stepping, outcome.rewards, outcome.terms.get("success"), outcome.terminated
        )
        last_step = actions, rewards, ended
        self._observations.write(outcome.obs, stepping, last_step)
        self._infos.note(stepping, outcome)
        if self._rewards is not None:
            rewards = self._rewards(rewards, terminated, stepping)
        infos = self.end(stepping, restarting, last_step, terminated, truncated, one=one)
        return rewards, terminated, truncated, infos

    def end(
        self,
        stepped: NDArray[np.bool_],
        restarting: NDArray[np.bool_] | None,
        last_step: LastStep,
        terminated: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
        *,
        one: bool = False,
    ) -> dict[str, Any]:
        """Ends the episodes that a call of `step` ended, begins those that come next, and returns infos.

        Args:
            stepped: the rows that took a step, (N,) bool.
            restarting: the rows that begin an episode instead of a step, (N,) bool, or None if none does.
            last_step: what their last steps were.
            terminated: which attempts the world or success ended, (N,) bool; in trials that go on it is taken back.
            truncated: which the limit ended, likewise.
            one: as for `step`.
        """
        ended = last_step[2]
        infos = self._infos.of_step(stepped, ended, one=one)
        if ended is not None:
            done = self._progress.end(ended, terminated, truncated)
            again = ended & ~done
            if again.any():
                self._progress.keep_attempt(again)
                self._start_attempt(again, last_step)
            if done.any():
                self._infos.end(infos, done, one=one)
                tasks = self._assignments
                if tasks.curriculum is not None:
                    tasks.curriculum.ended(done, tasks.current, tasks.task_index, self._progress)
                if self._mode is AutoresetMode.SAME_STEP:
                    restarting = done
        if restarting is not None:
            self.start(restarting)
            self._infos.started(infos, restarting)
        return infos
