"""An evaluation on workers: each has a vector env and a copy of the policy, and plays what it is dealt.

This process deals out episodes, in the meta protocol whole batches of tasks, and takes down what came of them. A worker
stops between two steps, some times in a second, to report what has ended; then it is dealt more, so that its rows never
wait for each other. Who plays what depends on the clock. The outcome does not: an episode, or a batch, comes out the
same wherever it is played, and may be played twice, as where a worker is lost.
"""

from __future__ import annotations

import contextlib
import functools
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from taskworlds.core.announcements import announced, listening
from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.task import Task
from taskworlds.core.world import World
from taskworlds.evaluation.environments import Plan
from taskworlds.evaluation.loading import loaded_files
from taskworlds.evaluation.meta import Batch, MetaSettings, batches, play_batch
from taskworlds.evaluation.players import as_policy, play_in
from taskworlds.evaluation.playing import play_multi_task
from taskworlds.evaluation.policies import Actor
from taskworlds.evaluation.recording import Recorder, Recording
from taskworlds.evaluation.records import Episode
from taskworlds.evaluation.rows import TaskRows
from taskworlds.evaluation.schedule import Ledger, Schedule, Unit
from taskworlds.vector.registered import records_of, register_all
from taskworlds.workers.cluster import cloudpickle, connect, pickled, ray
from taskworlds.workers.worker import Terms, Worker
from taskworlds.worlds.metaworld.skills import Skill

__all__ = ["Crew", "Player"]

_PERIOD = 0.2  # seconds between two reports of a worker
_AHEAD = 2  # a worker is dealt so many times what it ended in the last period
_TERMS = Terms(cpus=1.0)


class _Dealt(NamedTuple):
    """An episode, and the row that plays it, in any of the workers."""

    row: int
    unit: Unit


Item: TypeAlias = "_Dealt | tuple[Unit | None, ...]"
"""What is dealt to a worker: an episode or, in the meta protocol, a batch of tasks by row."""


class Crew:
    """The workers of an evaluation, which `play` starts and ends.

    `RaySampler.evaluate` passes its own to `taskworlds.evaluate`, so that no others are started.

    Attributes:
        num_workers: how many there are; fewer play where there is less to play.
    """

    def __init__(
        self, num_workers: int, address: str | None = None, *, lent: Sequence[Worker] | None = None
    ) -> None:
        """Connects to the cluster, unless there are workers already.

        Args:
            num_workers: how many there are.
            address: of the cluster, as `taskworlds.workers.cluster.connect` takes it.
            lent: workers to be used instead of new ones. What they hold is replaced, and they are not ended.

        Raises:
            ConnectionError: the cluster does not answer.
            ValueError: the cluster has too few processors.

        :meta private:
        """
        self.num_workers = num_workers
        self._lent = lent
        self._policy: _Packed | None = None
        if lent is None:
            connect(address, num_workers, _TERMS.cpus, argument="workers")

    def take(self, given: Any, policy: Any) -> None:
        """Takes the policy that is to play.

        Args:
            given: the policy as the user gave it.
            policy: what `as_policy` made of it.

        Raises:
            TypeError: it cannot be pickled.

        :meta private:
        """
        self._policy = _packed(given, policy)

    def play(self, plan: Plan, make_envs: Callable[[], Any], rows: TaskRows, ledger: Ledger) -> None:
        """Plays what the ledger has not, in vector envs like that of `rows`, which is closed.

        Raises:
            WorkerLost: a worker was lost again and again, or found no room.
            Exception: whatever the policy raised.

        :meta private:
        """
        dealer: _Batches | _Units
        if plan.meta is None:
            dealer = _Units(ledger, rows.skills, self.num_workers)
        else:
            dealer = _Batches(ledger, rows.skills)
        if not dealer.size:
            return
        tasks = tuple(ledger.tasks)
        records = records_of({task.env_name for task in tasks}, rows.envs.engines)
        assert self._policy is not None
        player = functools.partial(
            Player,
            records,
            make_envs,
            self._policy,
            tasks,
            plan.meta,
            ledger.quota,
            plan.seed,
            plan.keep_actions,
        )
        rows.envs.close()  # which has told how the workers' are made
        make = ray.put(pickled("benchmark_or_env", player))
        count = min(self.num_workers, dealer.size)
        workers: list[Worker] = []
        try:
            for number in range(count):
                if self._lent is None:
                    workers.append(Worker(make, f"worker {number + 1} of {count}", _TERMS))
                else:
                    self._lent[number].keep(None)
                    self._lent[number].remake(make)
            playing = workers if self._lent is None else self._lent[:count]
            with announced(f"starting {count} worker{'s' * (count > 1)}", count) as advance:
                for worker in playing:
                    worker.wait_until_ready()
                    advance()
            _play([_Lane(worker) for worker in playing], dealer, ledger)
        finally:
            for worker in workers:
                worker.close()


class _Lane:
    """A worker with what it has been dealt.

    Attributes:
        worker: the worker.
        open: what it has been dealt and has not ended, in order.
        ended: what it had ended when it last reported.
    """

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.open: dict[Item, None] = {}
        self.ended: list[Item] = []


def _play(lanes: Sequence[_Lane], dealer: _Batches | _Units, ledger: Ledger) -> None:
    """Deals until nothing is left, and takes down what is reported."""
    told: set[str] = set()  # warnings

    def deal(lane: _Lane) -> None:
        items = dealer.deal(lane.open, lane.ended)
        lane.worker.keep(tuple(lane.open))
        lane.open |= dict.fromkeys(items)
        if lane.open:
            lane.worker.begin("play", items, _PERIOD)

    for lane in lanes:
        deal(lane)
    while playing := [lane for lane in lanes if lane.open]:
        lane = _first_ready(playing)
        report: Report = lane.worker.answer()
        ledger.stepped(report.steps)
        for unit, outcome in report.outcomes:
            if isinstance(outcome, Episode):
                ledger.ended(unit, outcome, report.recordings.get(unit))
            elif outcome is not None:
                ledger.failed(unit, outcome)
        lane.ended = report.done
        for item in report.done:
            lane.open.pop(item, None)
        for text, category in report.warnings:
            if text not in told:
                told.add(text)
                warnings.warn(text, category, stacklevel=2)
        deal(lane)


def _first_ready(lanes: Sequence[_Lane]) -> _Lane:
    """Waits until a worker has reported, and returns it."""
    pending = {lane.worker.pending: lane for lane in lanes}
    if None in pending:  # it was lost
        return pending[None]
    ready, _ = ray.wait(list(pending), num_returns=1)
    return pending[ready[0]]


# --- dealing ------------------------------------------------------------------------------------------------


class _Units:
    """Deals the episodes of the multi-task protocol, to each row so many that it need not wait for one.

    Args:
        ledger: what is played.
        skills: by row of a worker, the skills that it holds.
        num_workers: how many workers there are.

    Attributes:
        size: how many episodes there are.
    """

    def __init__(self, ledger: Ledger, skills: Sequence[frozenset[str]], num_workers: int) -> None:
        self._ledger = ledger
        self.num_workers = num_workers
        queues = Schedule(ledger.tasks, ledger.quota, skills).left
        self._left = [deque(unit for unit in queue if ledger.wants(unit)) for queue in queues]
        self.size = sum(map(len, self._left))

    def deal(self, held: Collection[Item], ended: Collection[Item]) -> list[Item]:
        """Returns what a worker gets beside what it holds; of late it has ended some."""
        dealt: list[Item] = []
        holds, paces = (
            Counter(item.row for item in items if isinstance(item, _Dealt)) for items in (held, ended)
        )
        for row, queue in enumerate(self._left):
            wanted = 1 + max(1, _AHEAD * paces[row]) - holds[row]
            share = len(queue) // (2 * self.num_workers)  # at the end all are to have some
            count = min(wanted, max(share, 1 - holds[row]))
            while count > 0 and queue:
                unit = queue.popleft()
                if self._ledger.wants(unit):
                    dealt.append(_Dealt(row, unit))
                    count -= 1
        return dealt


class _Batches:
    """Deals the batches of the meta protocol, one at a time.

    Args:
        ledger: what is played.
        skills: by row of a worker, the skills that it holds.

    Attributes:
        size: how many batches there are.
    """

    def __init__(self, ledger: Ledger, skills: Sequence[frozenset[str]]) -> None:
        self._left = deque(map(tuple, batches(ledger, skills)))
        self.size = len(self._left)

    def deal(self, held: Collection[Item], ended: Collection[Item]) -> list[Item]:
        """Returns what a worker gets beside what it holds."""
        return [self._left.popleft()] if self._left and not held else []


# --- what the workers hold ----------------------------------------------------------------------------------


class Report(NamedTuple):
    """What a worker tells from time to time.

    Attributes:
        steps: steps of rows since the last one.
        outcomes: the episodes that have ended since, each with what came of it: why its task cannot run, or None if it
            was not played for that reason.
        recordings: what was done in these episodes, if it is kept.
        done: what it was dealt and has played to the end since.
        warnings: text and category of each, once.
    """

    steps: int
    outcomes: list[tuple[Unit, Episode | str | None]]
    recordings: dict[Unit, Recording]
    done: list[Item]
    warnings: list[tuple[str, type[Warning]]]


class _Notes(Ledger):
    """Takes down what is to be reported."""

    def begin(self) -> None:
        """Begins a new report."""
        self.steps = 0
        self.outcomes: list[tuple[Unit, Episode | str | None]] = []
        self.recordings: dict[Unit, Recording] = {}

    def stepped(self, rows: int) -> None:
        self.steps += rows

    def ended(self, unit: Unit, episode: Episode, recording: Recording | None = None) -> None:
        if unit.counts:
            self.outcomes.append((unit, episode))
            if recording is not None:
                self.recordings[unit] = recording

    def failed(self, unit: Unit, error: str) -> None:
        super().failed(unit, error)
        if unit.counts:
            self.outcomes.append((unit, error))

    def skipped(self, unit: Unit) -> None:
        self.outcomes.append((unit, None))


class Player:
    """Plays in a vector env of its own what it is dealt, and reports.

    Args:
        records: skills, worlds and engines that were registered where the evaluation was asked for.
        make_envs: makes the vector env.
        policy: the policy.
        tasks: of the evaluation; a unit has the number of its task in here.
        meta: the numbers of the meta protocol; None for the multi-task protocol.
        quota: episodes of each task that are counted.
        seed: of the evaluation.
        keep_actions: whether what is done in an episode is kept.

    Raises:
        ValueError: the policy cannot be made here.
    """

    def __init__(
        self,
        records: Sequence[Skill | World | RowEngine],
        make_envs: Callable[[], Any],
        policy: _Packed,
        tasks: Sequence[Task],
        meta: MetaSettings | None,
        quota: int,
        seed: int,
        keep_actions: bool,
    ) -> None:
        with (
            warnings.catch_warnings(),
            listening(lambda *told: None),
        ):  # said where the evaluation was asked for
            warnings.simplefilter("ignore")
            register_all(records)
            made = _unpacked(policy)
            envs = make_envs()
        space = envs.single_action_space
        self._rows = TaskRows(envs, seed)
        self._actor = Actor(play_in(made, space, seed, self._rows.composition), space, self._rows.num_envs)
        self._notes = _Notes(tasks, 0 if meta is None else meta.practice, quota)
        self._recorder = Recorder(self._rows) if keep_actions else None
        self._meta = meta
        self._dealt: dict[Unit, Item] = {}
        self._schedule = Schedule(tasks, 0, self._rows.skills)
        self._batches: deque[Batch] = deque()
        self._ended: list[Item] = []  # batches since the last report
        self._steps = self._playing()

    def set_state(self, items: Iterable[Item]) -> None:
        """Takes over what a lost worker had not ended."""
        for item in items:
            if isinstance(item, _Dealt):
                self._schedule.add(item.row, item.unit)
                self._dealt[item.unit] = item
            else:
                self._batches.append(list(item))

    def play(self, items: Sequence[Item], seconds: float) -> Report:
        """Plays until everything is played, or for some seconds.

        Args:
            items: what it is dealt in addition.
            seconds: after which it reports; a step that is under way is taken to its end.
        """
        self.set_state(items)
        self._notes.begin()
        end = time.monotonic() + seconds
        with warnings.catch_warnings(record=True) as told:
            for _ in self._steps:
                if time.monotonic() >= end:
                    break
            else:
                self._steps = self._playing()
        done = self._ended
        if self._meta is None:
            done = [self._dealt.pop(unit) for unit, _ in self._notes.outcomes]
        self._ended = []
        said = dict.fromkeys((str(each.message), each.category) for each in told)
        notes = self._notes
        return Report(notes.steps, notes.outcomes, notes.recordings, done, list(said))

    def _playing(self) -> Iterator[None]:
        """Plays what there is, a step each time; more may come meanwhile."""
        if self._meta is None:
            yield from play_multi_task(self._actor, self._rows, self._notes, self._schedule, self._recorder)
            return
        while self._batches:
            batch = self._batches.popleft()
            yield from play_batch(self._actor, self._rows, self._notes, self._meta, batch)
            self._ended.append(tuple(batch))


# --- what travels -------------------------------------------------------------------------------------------


class _Packed(NamedTuple):
    """A policy on its way to the workers.

    Attributes:
        data: the policy, or what the user gave for it, pickled.
        is_made: which of them.
    """

    data: bytes
    is_made: bool


def _packed(given: Any, policy: Any) -> _Packed:
    """Packs the policy or, where that cannot be pickled and was made of something that can, what it was made of.

    Raises:
        TypeError: neither can be pickled.
    """
    with contextlib.ExitStack() as stack:
        for module in loaded_files():
            cloudpickle.register_pickle_by_value(module)
            stack.callback(cloudpickle.unregister_pickle_by_value, module)
        try:
            return _Packed(pickled("policy", policy), is_made=True)
        except WrongType:
            if given is policy:
                raise
            with contextlib.suppress(WrongType):
                return _Packed(pickled("policy", given), is_made=False)
            raise


def _unpacked(packed: _Packed) -> Any:
    """Returns the policy.

    Raises:
        ValueError: it cannot be made here.
    """
    try:
        found = cloudpickle.loads(packed.data)
        return found if packed.is_made else as_policy(found)
    except Exception as error:
        raise WrongValue(
            f"policy cannot be made in a worker ({type(error).__name__}: {error}). What it is made of must be there, "
            "too: install its modules on every node, and have its networks on the CPU.",
            argument="policy",
        ) from error
