"""The meta protocol: adapt first, then test.

The tasks are taken in batches of N, one task in each row, and the agent sees the N rows as one array. For each batch
`init()` is called; then, with terminate_on_success off, each row plays the episodes of adaptation with `adapt_action`,
each step is shown to `step`, and `adapt()` follows; then each row plays the counted episodes with `eval_action`. N is
the number of rows, Meta-World's meta_batch_size, and part of what the agent sees. The last batch is filled up with
tasks that had their turn; what they play there is not counted. A row that has had its episodes waits for the others:
its observation repeats, its reward is 0, and both its flags are False.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.evaluation.playing import play_units
from taskworlds.evaluation.policies import Actor
from taskworlds.evaluation.rows import RowsFault, TaskRows
from taskworlds.evaluation.schedule import Ledger, Schedule, Unit

__all__ = ["Batch", "MetaSettings", "batches", "play_batch"]

Batch = list[Unit | None]
"""By row, the task that is adapted to; None for a row that is left over."""


class MetaSettings(NamedTuple):
    """The numbers of the meta protocol.

    Attributes:
        episodes: of adaptation, in each round.
        rounds: each ends with `adapt()`.
    """

    episodes: int
    rounds: int

    @property
    def practice(self) -> int:
        """Episodes of adaptation in all, for each task."""
        return self.episodes * self.rounds


def batches(ledger: Ledger, skills: Sequence[frozenset[str]]) -> Iterator[Batch]:
    """Deals every task to a row once, and returns the batches in which some task is wanted.

    Args:
        ledger: what is adapted to.
        skills: by row, the skills that it holds.
    """
    schedule = Schedule(ledger.tasks, 1, skills)
    while any(batch := [schedule.next(row) for row in range(len(skills))]):
        if any(unit is not None and ledger.wants_task(unit.task) for unit in batch):
            yield batch


def play_batch(
    actor: Actor, rows: TaskRows, ledger: Ledger, meta: MetaSettings, batch: Batch
) -> Iterator[None]:
    """Adapts to each task of a batch and tests on it, a step each time.

    A batch in which a step of adaptation failed is played again, each row by itself.
    """
    filled = [unit or _filler(ledger.tasks, held) for unit, held in zip(batch, rows.skills, strict=True)]
    try:
        yield from _trial(actor, rows, ledger, meta, filled, alone=False)
    except RowsFault:
        yield from _trial(actor, rows, ledger, meta, filled, alone=True)


def _filler(tasks: Sequence[Task], held: frozenset[str]) -> Unit:
    """Returns a task for a row without one, which is not counted there; of the row's own skills if possible."""
    return Unit(next((number for number, task in enumerate(tasks) if task.env_name in held), 0), 0, False)


def _trial(
    actor: Actor, rows: TaskRows, ledger: Ledger, meta: MetaSettings, batch: Sequence[Unit], *, alone: bool
) -> Iterator[None]:
    """Adapts to the tasks of a batch and tests on them.

    Raises:
        RowsFault: a step of adaptation failed, and `alone` is False. The agent has seen a part of the trial
            then.
    """
    agent: Any = actor.policy
    broken: set[int] = set()  # rows

    def each_row_plays(first: int, count: int) -> Callable[[int], Unit | None]:
        upcoming = [iter(range(first, first + count)) for _ in batch]

        def next_unit(row: int) -> Unit | None:
            episode = None if row in broken else next(upcoming[row], None)
            return None if episode is None else batch[row]._replace(episode=episode)

        return next_unit

    def failed(row: int, unit: Unit, error: str) -> None:
        broken.add(row)
        ledger.failed(unit, error)

    def begin_adaptation(mask: NDArray[np.bool_], infos: dict[str, Any]) -> None:
        actor.begin(mask, infos, clear=False)

    agent.init()
    with rows.until_the_clock():
        for round_ in range(meta.rounds):
            units = each_row_plays(round_ * meta.episodes, meta.episodes)
            yield from play_units(
                rows, ledger, units, begin_adaptation, actor.adapt, failed, observe=agent.step, alone=alone
            )
            if len(broken) == len(batch):
                return
            agent.adapt()
    units = each_row_plays(meta.practice, ledger.quota)
    yield from play_units(
        rows, ledger, units, actor.begin, lambda *asked: (actor.act(*asked), {}), failed, alone=alone
    )
