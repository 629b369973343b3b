"""Attempts at demonstrations: which is played next, and which are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from taskworlds.core.task import Task
from taskworlds.evaluation.recording import Recording
from taskworlds.evaluation.records import Episode
from taskworlds.evaluation.schedule import Ledger, Unit

__all__ = ["Attempts", "Demonstration", "Harvest", "SkillCount"]


class Demonstration(NamedTuple):
    """An episode that is kept.

    Attributes:
        task: of the episode.
        number: of the episode, among those of its task.
        seed: what `reset` takes to start it again, together with the task.
        instruction: what was to be done, in words.
        episode: return, length and success.
        recording: actions, rewards, success and observations, of T steps.
    """

    task: Task
    number: int
    seed: int
    instruction: str
    episode: Episode
    recording: Recording


class SkillCount(NamedTuple):
    """What came of a skill.

    Attributes:
        env_name: the skill.
        instruction: what was to be done, in words.
        wanted: episodes that were asked for.
        kept: episodes that are kept.
        attempts: episodes that were played.
        successes: of the attempts; None where the environment does not report success.
        error: of the first attempt that could not run; None if all could.
    """

    env_name: str
    instruction: str
    wanted: int
    kept: int
    attempts: int
    successes: int | None
    error: str | None = None


class Attempts:
    """One skill's attempts. Attempt k plays goal k of its G goals, and after G attempts the goals come again.

    An attempt is dealt only as long as those that run could not bring enough. So when all have ended, those kept are
    the first that could be kept, however long each took.

    Args:
        tasks: by attempt, the numbers of the tasks.
        wanted: how many to keep.
        limit: how many to play at most.

    Attributes:
        dealt: attempts that were dealt.
        successes: attempts that succeeded; None as long as none has said.
        error: of the earliest attempt that could not run, with its number; None if all could.
        kept: the numbers of attempts that are kept.
    """

    def __init__(self, tasks: Sequence[int], wanted: int, limit: int) -> None:
        self._tasks = tasks
        self._wanted = wanted
        self._limit = limit
        self._running = 0
        self.dealt = 0
        self.successes: int | None = None
        self.error: tuple[int, str] | None = None
        self.kept: list[int] = []

    @property
    def left(self) -> int:
        """How many attempts may be dealt now."""
        return max(0, min(self._limit - self.dealt, self._wanted - len(self.kept) - self._running))

    def next(self) -> Unit:
        """Deals the next attempt."""
        number, place = divmod(self.dealt, len(self._tasks))
        self.dealt += 1
        self._running += 1
        return Unit(self._tasks[place], number)

    def attempt(self, unit: Unit) -> int:
        """Returns the number of a unit's attempt."""
        return unit.episode * len(self._tasks) + self._tasks.index(unit.task)

    def ended(self, unit: Unit, success: bool | None, *, keep: bool) -> None:
        """Takes down an attempt that ended."""
        self._running -= 1
        if success is not None:
            self.successes = (self.successes or 0) + success
        if keep:
            self.kept.append(self.attempt(unit))

    def failed(self, unit: Unit, error: str) -> None:
        """Takes down an attempt that could not run."""
        self._running -= 1
        attempt = self.attempt(unit)
        if self.error is None or attempt < self.error[0]:
            self.error = attempt, error


class Harvest(Ledger):
    """Deals attempts out to rows, and keeps what comes of them.

    Args:
        tasks: what is played.
        attempts: by skill.
        only_successes: whether only successes are kept; an episode that diverged is not one.
        on_episode: called with the episodes kept and all that are wanted, when an episode has ended.
        on_step: called with the number of rows that took a step, after it.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        attempts: Mapping[str, Attempts],
        total: int,
        *,
        only_successes: bool,
        on_episode: Callable[[int, int], None] | None = None,
        on_step: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(tasks, 0, 1, on_step=on_step)
        self._attempts = attempts
        self._total = total
        self._only_successes = only_successes
        self._told = on_episode
        self._current: dict[int, str] = {}
        self._found: dict[tuple[str, int], tuple[Unit, Episode, Recording]] = {}

    def next(self, row: int, skills: frozenset[str]) -> Unit | None:
        """Returns a row's next attempt, of the skill that it had or else of the one with most left; None if none is."""
        name = self._current.get(row)
        if name is None or not self._attempts[name].left:
            held = [each for each in self._attempts if each in skills]
            name = max(held, key=lambda each: self._attempts[each].left, default=None)
            if name is None or not self._attempts[name].left:
                return None
            self._current[row] = name
        return self._attempts[name].next()

    def ended(self, unit: Unit, episode: Episode, recording: Recording | None = None) -> None:
        """Takes down an attempt that ended, and keeps it if it is wanted."""
        name = self.tasks[unit.task].env_name
        attempts = self._attempts[name]
        keep = not self._only_successes or (bool(episode.success_once) and not episode.diverged)
        attempts.ended(unit, episode.success_once, keep=keep)
        if keep and recording is not None:
            self._found[name, attempts.attempt(unit)] = unit, episode, recording
        if self._told is not None:
            self._told(len(self._found), self._total)

    def failed(self, unit: Unit, error: str) -> None:
        """Takes down an attempt that could not run."""
        self._attempts[self.tasks[unit.task].env_name].failed(unit, error)

    def kept(self, env_name: str) -> list[tuple[Unit, Episode, Recording]]:
        """Returns what is kept of a skill, in the order of the attempts."""
        return [self._found[env_name, attempt] for attempt in sorted(self._attempts[env_name].kept)]
