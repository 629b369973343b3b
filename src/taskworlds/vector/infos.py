"""Infos: what a batch reports besides observations, rewards and ends, in Gymnasium's form.

Under each name stand the rows' values, (N,) or (N, size), and under `_name` for which rows they are told. docs/infos.md
lists every name.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongValue
from taskworlds.rows.protocol import Rows, RowStep
from taskworlds.vector._batch import describe, first_row, keep, only, retell, row_info
from taskworlds.vector.assignments import Assignments
from taskworlds.vector.composition import Composition
from taskworlds.vector.flat_state import NOT_A_STATE
from taskworlds.vector.observations import Observations
from taskworlds.vector.options import Options
from taskworlds.vector.progress import Progress

__all__ = ["Infos"]

_ATTEMPT_OBS = "attempt_final_obs"
_APART = ("final_info", "final_obs", _ATTEMPT_OBS)  # what is not numbers of each row
_TAKEN = frozenset(
    {
        "skill_index",
        "task_index",
        "world_index",
        "goal",
        "episode_return",
        "episode_length",
        "task_name",
        "task_id",
        "instruction",
        "diverged",
        "raw_steps",
    }
    | {"attempt", "attempt_return", "attempt_length", "attempt_success", "attempt_ended", _ATTEMPT_OBS}
    | {"episode", "final_info", "final_obs", "executed_steps", "chunk_success"}
)


class Infos:
    """The infos of N rows: at every reset and every step the same names, whatever the rows do.

    What a step reports is kept, so that a row that does not step has what it had.

    Args:
        composition: which world each row serves.
        rows: the engine's rows, for their goals.
        assignments: which task each row has.
        progress: how far its episode has come.
        observations: the latest, for the last observation of an episode or an attempt.
        options: whether names and statistics are wanted, and trials.
        raw_steps: the world's steps in each row's attempt, (N,) int64, where actions are repeated; else None.
    """

    def __init__(
        self,
        composition: Composition,
        rows: Rows,
        assignments: Assignments,
        progress: Progress,
        observations: Observations,
        options: Options,
        raw_steps: NDArray[np.int64] | None = None,
    ) -> None:
        self._world = composition.world
        self._rows = rows
        self._assignments = assignments
        self._progress = progress
        self._observations = observations
        self._statistics = options.record_episode_statistics
        self._trials = options.k_episodes is not None
        self._same_step = options.autoreset_mode is AutoresetMode.SAME_STEP
        self._told: dict[str, NDArray[Any]] = {
            "skill_index": assignments.skill_index,
            "task_index": assignments.task_index,
            **({"world_index": composition.world_index} if options.pad else {}),
            "episode_return": progress.returns_so_far,
            "episode_length": progress.steps_taken,
            **(assignments.labels if options.names_in_info else {}),
            **({"instruction": assignments.instructions.texts} if options.instructions_in_info else {}),
            **({} if raw_steps is None else {"raw_steps": raw_steps}),
        }
        self._none = np.zeros(rows.num_rows, dtype=np.bool_)
        self._reports = {name: np.zeros(rows.num_rows) for name in (*self._world.term_names(), "diverged")}
        # Those that resets have: always the same, so without names that only steps tell.
        self._known = dict(self._reports)

    def _about(self, ended: NDArray[np.bool_] | None = None) -> dict[str, NDArray[Any]]:
        """Returns what is told of a row whether it steps or begins; `ended` are the attempts that the step ends."""
        about = self._told
        if self._world.goal_size:
            about["goal"] = self._rows.goals  # which engines replace
        if self._trials:
            progress = self._progress
            about |= {"episode_return": progress.returns_so_far, "episode_length": progress.steps_taken}
            about |= progress.attempt(self._none if ended is None else ended)
        return about

    @property
    def can_tell_one(self) -> bool:
        """Whether `of_step` and `end` can make the first row's info alone: of one row that is never reset by itself."""
        return len(self._none) == 1 and not self._trials and not self._same_step

    # --- at a reset and at a step ---------------------------------------------------------------------------

    def start(self, rows: NDArray[np.bool_]) -> None:
        """Takes note that episodes begin in `rows`, (N,) bool: nothing is reported of them yet."""
        for values in self._reports.values():
            values[rows] = 0.0

    def of_reset(self, rows: NDArray[np.bool_]) -> dict[str, Any]:
        """Returns the infos of a reset of `rows`, (N,) bool."""
        infos: dict[str, Any] = describe(rows, self._about(), self._none, self._known)
        return self._with_last_obs(infos, self._none)

    def note(self, rows: NDArray[np.bool_], outcome: RowStep) -> None:
        """Keeps what a step of `rows`, (N,) bool, reports; warns of rows that diverged.

        Raises:
            RuntimeError: a row could not be stepped, or reports something under a name that is taken.
        """
        if not keep(self._reports, rows, outcome.terms):
            self._learn(outcome.terms)
            keep(self._reports, rows, outcome.terms)
        for fault in outcome.faults:
            where = f"row {fault.row}, step {self._progress.steps[fault.row]}, {self._assignments.task_at(fault.row)}"
            if not fault.went_on:
                raise RuntimeError(f"MuJoCo could not step {where}: {fault.what}")
            self._reports["diverged"][fault.row] = 1.0
            warnings.warn(
                f"The simulation of {where} diverged ({fault.what}). MuJoCo reset it to the model's initial "
                "state, as in the official environment; the rest of the episode is not meaningful.",
                RuntimeWarning,
                stacklevel=4,
            )

    def of_step(
        self, rows: NDArray[np.bool_], ended: NDArray[np.bool_] | None, *, one: bool = False
    ) -> dict[str, Any]:
        """Returns the infos of a step that was noted, before any row that it ended has begun again.

        Args:
            rows: which rows stepped, (N,) bool.
            ended: whose episode or attempt ended, (N,) bool; None if none did.
            one: whether to return the first row's info, as `row` takes it out of infos; see `can_tell_one`.
        """
        if one:
            info: dict[str, Any] = first_row(self._about(ended), self._reports)
            return info
        infos: dict[str, Any] = describe(rows, self._about(ended), rows, self._reports)
        if self._same_step:
            infos["final_obs"], infos["_final_obs"] = self._observations.copy(), self._none.copy()
        return self._with_last_obs(infos, self._none if ended is None else ended)

    def _learn(self, terms: Mapping[str, NDArray[np.float64]]) -> None:
        """Adds the names of terms that the world's record does not tell."""
        for name in terms:
            if name in _TAKEN or name.startswith("_"):
                raise RuntimeError(
                    f"The world {self._world.name!r} reports {name!r}, a name that infos use for something else: "
                    "rename it."
                )
            self._reports.setdefault(name, np.zeros(len(self._none)))

    # --- at an end ------------------------------------------------------------------------------------------

    def end(self, infos: dict[str, Any], done: NDArray[np.bool_], *, one: bool = False) -> None:
        """Adds what is told of episodes that end in `done`, (N,) bool, at least one, to what `of_step` returned."""
        if one:
            if self._statistics:
                infos["episode"] = first_row(self._progress.episode(), {})
            return
        told = infos
        if self._same_step:
            named = {name: values for name, values in infos.items() if not name.startswith("_")}
            for name in ("final_obs", _ATTEMPT_OBS):
                named.pop(name, None)
            told = self._with_last_obs(only(done, named), done)
            infos["final_info"], infos["_final_info"] = told, done.copy()
            infos["_final_obs"] |= done
        if self._statistics or self._same_step:
            told["episode"], told["_episode"] = only(done, self._progress.episode()), done.copy()

    def started(self, infos: dict[str, Any], rows: NDArray[np.bool_]) -> None:
        """Makes the infos of a step tell of the episodes that have begun in `rows`, (N,) bool, in the same step."""
        retell(infos, rows, self._about(), self._reports)
        if self._trials:
            space = self._observations.space
            values, nothing = infos[_ATTEMPT_OBS], batches.empty(space, len(rows))
            infos[_ATTEMPT_OBS] = batches.write(space, values, nothing, rows)
            infos[f"_{_ATTEMPT_OBS}"][rows] = False

    def _with_last_obs(self, infos: dict[str, Any], ended: NDArray[np.bool_]) -> dict[str, Any]:
        """Adds the latest observations as the last of the attempts in `ended`, in trials alone; returns the infos."""
        if self._trials:
            space, latest = self._observations.space, self._observations.copy()
            nothing = batches.empty(space, len(ended))
            infos[_ATTEMPT_OBS] = batches.write(space, nothing, latest, ended)
            infos[f"_{_ATTEMPT_OBS}"] = ended.copy()
        return infos

    # --- one row of a batch's infos -------------------------------------------------------------------------

    def row(self, infos: Mapping[str, Any], row: int) -> dict[str, Any]:
        """Takes one row's info out of a batch's: numbers always, the rest where it is told of the row."""
        apart = [name for name in _APART if name in infos]
        if not apart:
            return row_info(infos if type(infos) is dict else dict(infos), row)
        info = row_info({name: values for name, values in infos.items() if name not in apart}, row)
        for name in apart:
            if name == "final_info" and infos["_final_info"][row]:
                info[name] = self.row(infos[name], row)
            elif name == _ATTEMPT_OBS or (name == "final_obs" and infos["_final_obs"][row]):
                info[name] = batches.row_of(self._observations.space, infos[name], row)
        return info

    def of_rows(self, infos: Mapping[str, Any], rows: NDArray[np.int64]) -> dict[str, Any]:
        """Takes the infos of `rows`, (M,) int64, out of a batch's: in the same form, of a batch of M."""
        taken: dict[str, Any] = {}
        for name, values in infos.items():
            if isinstance(values, dict) and name not in ("final_obs", _ATTEMPT_OBS):
                taken[name] = self.of_rows(values, rows)
            elif isinstance(values, np.ndarray):
                taken[name] = values[rows]
            else:
                taken[name] = batches.take(self._observations.space, values, rows)
        return taken

    # --- exact state ----------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, NDArray[np.float64]]:
        """Returns what the rows' last steps reported."""
        return {name: values.copy() for name, values in self._reports.items()}

    def check_state(self, state: Any, num_rows: int) -> None:
        """Raises ValueError for anything but the state of `num_rows` rows that these rows could take."""
        known = set(self._reports)
        names = set(state) if isinstance(state, dict) else set()
        fits = names == known if self._world.terms is not None else not (names - known) & _TAKEN
        if not fits or any(
            not isinstance(values, np.ndarray) or (values.dtype, values.shape) != (np.float64, (num_rows,))
            for values in state.values()
        ):
            raise WrongValue(f"{NOT_A_STATE}: what its rows reported is missing.")

    def set_state(self, state: Mapping[str, Any], source: NDArray[np.int64]) -> None:
        """Puts each row where `get_state` found row `source[i]`; source is (N,)."""
        self._reports |= {name: np.zeros(len(source)) for name in state if name not in self._reports}
        for name, values in self._reports.items():
            values[:] = state[name][source] if name in state else 0.0
