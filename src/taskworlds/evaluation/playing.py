"""Playing episodes: the multi-task protocol, the loop under both protocols, and rows whose tasks cannot be set.

In the multi-task protocol each task gets its quota of episodes, whichever row plays them, and a row takes the next
episode as soon as it has ended one. Only asked-for episodes are played, so fast ones cannot crowd out slow ones.

Where tasks can be set, playing is an iterator, which takes a step each time it is asked to go on: a worker can stop
between two steps to report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.evaluation.policies import Actor, Timestep
from taskworlds.evaluation.recording import Recorder
from taskworlds.evaluation.records import task_label
from taskworlds.evaluation.rows import FixedRows, RowsFault, Tally, TaskRows
from taskworlds.evaluation.schedule import Ledger, Schedule, Unit

__all__ = ["play_fixed", "play_multi_task", "play_units"]


class _Act(Protocol):
    """Asks the policy for actions, and for what it wants to find in the timestep."""

    def __call__(
        self, obs: Any, active: NDArray[np.bool_], describe: Callable[[int], str]
    ) -> tuple[NDArray[Any], dict[str, Any]]: ...


def play_multi_task(
    actor: Actor, rows: TaskRows, ledger: Ledger, schedule: Schedule, recorder: Recorder | None = None
) -> Iterator[None]:
    """Plays what is scheduled of tasks that are wanted: of one that fails it starts nothing more."""

    def next_unit(row: int) -> Unit | None:
        while (unit := schedule.next(row)) is not None and not ledger.wants(unit):
            ledger.skipped(unit)
        return unit

    def failed(row: int, unit: Unit, error: str) -> None:
        ledger.failed(unit, error)

    return play_units(
        rows,
        ledger,
        next_unit,
        actor.begin,
        lambda *asked: (actor.act(*asked), {}),
        failed,
        recorder=recorder,
    )


def play_units(
    rows: TaskRows,
    ledger: Ledger,
    next_unit: Callable[[int], Unit | None],
    begin: Callable[[NDArray[np.bool_], dict[str, Any]], None],
    act: _Act,
    failed: Callable[[int, Unit, str], None],
    *,
    observe: Callable[[Timestep], None] | None = None,
    alone: bool = False,
    recorder: Recorder | None = None,
) -> Iterator[None]:
    """Plays units until no row gets another one, a step each time.

    Args:
        rows: where they are played.
        ledger: where they are taken down.
        next_unit: gives a row that is free its next unit, or None.
        begin: told which rows began an episode, with the infos of their reset.
        act: asked for the actions.
        failed: told which row could not play which unit, and why.
        observe: shown each step.
        alone: whether each row is stepped by a call of its own, so that a fault is known to be its own.
        recorder: keeps what the rows do, for the ledger; None if it need not be kept.

    Raises:
        RowsFault: a step of several rows failed, and `observe` was shown a part. Without `observe` the
            running episodes are started again, and until their end each row is stepped by a call of its own.
    """
    playing: list[Unit | None] = [None] * rows.num_envs
    by_itself = np.full(rows.num_envs, alone)
    tally = Tally(rows.num_envs)
    again: dict[int, Unit] = {}

    def describe(row: int) -> str:
        unit = playing[row]
        return f"row {row}" if unit is None else f"row {row}, {task_label(ledger.tasks[unit.task])}"

    def start(units: dict[int, Unit]) -> None:
        started, errors = rows.start(
            {row: (ledger.tasks[unit.task], unit.episode) for row, unit in units.items()}
        )
        for mask, infos in started:
            for row in np.flatnonzero(mask).tolist():
                playing[row] = units[row]
            tally.begin(mask)
            if recorder is not None:
                recorder.begin(mask)
            begin(mask, _with_units(infos, playing, ledger.tasks))
        for row, error in errors.items():
            playing[row] = None
            failed(row, units[row], error)

    while True:
        free = again or {
            row: unit
            for row in range(rows.num_envs)
            if playing[row] is None and (unit := next_unit(row)) is not None
        }
        again = {}
        if free:
            start(free)
            continue  # a row whose unit failed gets another one before anything is stepped
        active = np.array([unit is not None for unit in playing])
        if not active.any():
            return
        obs = rows.obs
        actions, outputs = act(obs, active, describe)
        try:
            step = rows.step(actions, active, by_itself)
        except RowsFault:
            if observe is not None:
                raise
            by_itself |= active
            again = {row: unit for row, unit in enumerate(playing) if unit is not None}
            continue
        for row, error in step.errors.items():
            unit, playing[row] = playing[row], None
            by_itself[row] = alone
            if unit is not None:
                failed(row, unit, error)
        tally.add(active, step)
        if recorder is not None:
            recorder.add(active, actions, step)
        ledger.stepped(int(np.count_nonzero(active)))
        for row in np.flatnonzero(step.terminated | step.truncated).tolist():
            unit, playing[row] = playing[row], None
            by_itself[row] = alone
            if unit is not None:
                ledger.ended(unit, tally.episode(row), None if recorder is None else recorder.recording(row))
        if observe is not None:
            observe(Timestep(obs, actions, step.rewards, step.terminated, step.truncated, outputs))
        yield


def _with_units(
    infos: dict[str, Any], playing: Sequence[Unit | None], tasks: Sequence[Task]
) -> dict[str, Any]:
    """Returns a reset's infos with each row's task, the name of its skill, and the number of its episode."""
    held, names = (np.full(len(playing), None, dtype=object) for _ in range(2))
    for row, unit in enumerate(playing):
        if unit is not None:
            held[row], names[row] = tasks[unit.task], tasks[unit.task].env_name
    numbers = np.array([-1 if unit is None else unit.episode for unit in playing])
    return infos | {"task": held, "task_name": names, "episode_index": numbers}


def play_fixed(actor: Actor, rows: FixedRows, ledger: Ledger, seed: int) -> None:
    """Plays rows whose tasks cannot be set, until each has had its quota of episodes."""
    counts = np.zeros(rows.num_envs, dtype=np.int64)
    tally = Tally(rows.num_envs)

    def begin(mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        tally.begin(mask)
        playing = [Unit(row, int(count)) for row, count in enumerate(counts)]
        actor.begin(mask, _with_units(infos, playing, rows.tasks))

    begin(rows.playing, rows.start(seed))
    while True:
        playing = rows.playing
        actions = actor.act(rows.obs, playing, lambda row: f"row {row}, {task_label(rows.tasks[row])}")
        step = rows.step(actions)
        tally.add(playing, step)
        ledger.stepped(int(np.count_nonzero(playing)))
        for row in np.flatnonzero(step.terminated | step.truncated).tolist():
            if counts[row] < ledger.quota:
                ledger.ended(Unit(row, int(counts[row])), tally.episode(row))
            counts[row] += 1
        if (counts >= ledger.quota).all():
            return
        began, infos = rows.begin()
        if began.any():
            begin(began, infos)
