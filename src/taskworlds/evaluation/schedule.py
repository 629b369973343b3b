"""Which row plays which episode of which task, and what came of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from taskworlds.core.task import Task
from taskworlds.evaluation.recording import Recording
from taskworlds.evaluation.records import Episode, TaskRecord

__all__ = ["Ledger", "Schedule", "Unit"]


class Unit(NamedTuple):
    """An episode to be played: the number of its task, its own number within the task, whether it counts."""

    task: int
    episode: int
    counts: bool = True


class Schedule:
    """Deals units out to rows, each unit once, and only to rows that hold its skill.

    Which row gets a unit depends on units and rows alone, not on how long episodes last: products of matrices can
    differ in their last digit from row to row, and so could what comes of an episode. A row keeps its skill as long as
    the skill has units left, since changing it can mean building an environment.

    Args:
        tasks: what is to be played; a unit has the number of its task in here.
        repeats: units of each task; 0 where `add` brings them.
        skills: by row, the skills that it holds.

    Attributes:
        left: by row, its units that are not dealt yet.
    """

    def __init__(self, tasks: Sequence[Task], repeats: int, skills: Sequence[frozenset[str]]) -> None:
        of_skill: dict[str, deque[Unit]] = {}
        for number, task in enumerate(tasks):
            queue = of_skill.setdefault(task.env_name, deque())
            queue.extend(Unit(number, repeat) for repeat in range(repeats))
        allowed = [[name for name in of_skill if name in held] for held in skills]
        current: list[str | None] = [None] * len(skills)
        self.left: list[deque[Unit]] = [deque() for _ in skills]
        busy = list(range(len(skills)))
        while busy:
            for row in tuple(busy):
                name = current[row]
                if name is None or not of_skill[name]:
                    name = max(allowed[row], key=lambda skill: len(of_skill[skill]), default=None)
                    if name is None or not of_skill[name]:
                        busy.remove(row)
                        continue
                    current[row] = name
                self.left[row].append(of_skill[name].popleft())

    def add(self, row: int, unit: Unit) -> None:
        """Gives a row another unit."""
        self.left[row].append(unit)

    def next(self, row: int) -> Unit | None:
        """Returns a row's next unit; None if nothing is left for it."""
        return self.left[row].popleft() if self.left[row] else None


class Ledger:
    """Takes down what came of each task, and reports progress.

    Args:
        tasks: what is played.
        practice: episodes of each task that come first and are not counted.
        quota: episodes of each task that are counted.
        on_episode: called with the episodes done and all there are, when an episode has ended.
        on_step: called with the number of rows that took a step, after it.
        played: episodes that were played before, by the number of their task and their own among those that are
            counted; they count as done.
        on_ended: called with the task, the number of the episode among those that are counted, the episode, and what
            was done in it if that is kept, when a counted episode has ended.

    Attributes:
        tasks: as given.
        quota: as given.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        practice: int,
        quota: int,
        on_episode: Callable[[int, int], None] | None = None,
        on_step: Callable[[int], None] | None = None,
        played: Mapping[tuple[int, int], Episode] | None = None,
        on_ended: Callable[[Task, int, Episode, Recording | None], None] | None = None,
    ) -> None:
        self.tasks = tasks
        self.quota = quota
        self._practice = practice
        self._episodes: list[dict[int, Episode]] = [{} for _ in tasks]
        for (number, episode), outcome in (played or {}).items():
            self._episodes[number][practice + episode] = outcome
        self._played = [frozenset(episodes) for episodes in self._episodes]
        self._failed: dict[
            int, tuple[int, str]
        ] = {}  # by task, its first episode that could not run, and why
        self._done = {(number, episode) for number, each in enumerate(self._played) for episode in each}
        whole = [number for number, episodes in enumerate(self._played) if len(episodes) == quota]
        self._done |= {(number, episode) for number in whole for episode in range(practice)}
        self._on_episode = on_episode
        self._on_step = on_step
        self._on_ended = on_ended

    def wants(self, unit: Unit) -> bool:
        """Returns whether an episode is to be played: its task has not failed, nor was it played before."""
        return unit.task not in self._failed and unit.episode not in self._played[unit.task]

    def wants_task(self, task: int) -> bool:
        """Returns whether a task, by its number, is to be played: it has not failed, nor was it played to the end."""
        return task not in self._failed and len(self._played[task]) < self.quota

    def stepped(self, rows: int) -> None:
        """Takes notice of a step of so many rows."""
        if self._on_step is not None:
            self._on_step(rows)

    def ended(self, unit: Unit, episode: Episode, recording: Recording | None = None) -> None:
        """Takes down an episode that ended, and what was done in it if that is kept."""
        if unit.counts:
            if unit.episode >= self._practice:
                self._episodes[unit.task][unit.episode] = episode
                if self._on_ended is not None:
                    self._on_ended(self.tasks[unit.task], unit.episode - self._practice, episode, recording)
            self._progress({(unit.task, unit.episode)})

    def failed(self, unit: Unit, error: str) -> None:
        """Takes down that a task cannot run; of several errors that of its earliest episode counts."""
        if unit.counts:
            if unit.task not in self._failed or unit.episode < self._failed[unit.task][0]:
                self._failed[unit.task] = unit.episode, error
            self._progress({(unit.task, number) for number in range(self._practice + self.quota)})

    def skipped(self, unit: Unit) -> None:
        """Told of an episode that is not played, since its task is not wanted."""

    def records(self) -> tuple[TaskRecord, ...]:
        """Returns the outcome, by task: of one that failed, the episodes before that."""
        return tuple(self._record(number) for number in range(len(self.tasks)))

    def _record(self, number: int) -> TaskRecord:
        episodes = self._episodes[number]
        end, error = self._failed.get(number, (self._practice + self.quota, None))
        return TaskRecord(self.tasks[number], tuple(episodes[n] for n in sorted(episodes) if n < end), error)

    def _progress(self, done: set[tuple[int, int]]) -> None:
        before = len(self._done)
        self._done |= done
        if self._on_episode is not None and len(self._done) > before:
            self._on_episode(len(self._done), len(self.tasks) * (self._practice + self.quota))
