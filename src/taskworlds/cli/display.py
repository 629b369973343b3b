"""How far an evaluation is: one line that changes on a terminal, and a line from time to time in a log."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console

from taskworlds.cli.terminal import console, counted
from taskworlds.core.announcements import listening

if TYPE_CHECKING:
    from taskworlds.core.task import Task
    from taskworlds.evaluation import Episode

__all__ = ["Display", "clock", "display"]

_REFRESH = 0.2  # seconds between two looks at the speed
_LOGGED = 30.0  # seconds between two lines of a log
_BAR_FROM = 80  # columns from which a bar has room


class Display:
    """Is told what happens, and says it in a few words.

    Args:
        show: called with the words, the parts that are done and how many there are (None where that is not known), when
            something has changed.
        period: seconds between two calls while episodes are played.
    """

    def __init__(self, show: Callable[[str, int, int | None], None], period: float) -> None:
        self._show = show
        self._period = period
        self._work = "building the environments"
        self._done, self._total = 0, 0
        self._steps = 0
        self._successes = self._known = 0
        self._begun = self._shown = 0.0

    def on_work(self, what: str, done: int, total: int) -> None:
        """Told of work before the first step, such as compiling."""
        if self._begun:
            return
        self._work = what.partition(",")[0] if done < total else "building the environments"
        self._show(self._work, done, total if done < total else None)

    def on_episode(self, done: int, total: int) -> None:
        """Told when an episode has ended."""
        self._done, self._total = done, total
        if done == total:
            self._show(self._words(time.monotonic()), done, total)

    def on_outcome(self, task: Task, episode: Episode) -> None:
        """Told what came of it."""
        if episode.success_once is not None:
            self._known += 1
            self._successes += episode.success_once

    def on_step(self, rows: int) -> None:
        """Told after each step, of so many rows."""
        now = time.monotonic()
        if self._begun == 0.0:
            self._begun = self._shown = now
        self._steps += rows
        if now - self._shown > self._period:
            self._shown = now
            self._show(self._words(now), self._done, self._total or None)

    def _words(self, now: float) -> str:
        words = [f"{self._done} of {counted(self._total, 'episode')}" if self._total else "playing"]
        if self._steps and now > self._begun:
            words.append(f"{self._steps / (now - self._begun):,.0f} steps/s")
        if self._known:
            words.append(f"success {self._successes / self._known:.2f} so far")
        return ", ".join(words)


@contextlib.contextmanager
def display(*, shown: bool) -> Iterator[Display]:
    """Returns the display of the `with` block: live on a terminal, lines in a log.

    Args:
        shown: False to show nothing.
    """
    say = console(stderr=True)
    if not shown:
        yield Display(lambda *_: None, float("inf"))
    elif say.is_terminal and "CI" not in os.environ:
        with _live(say) as live:
            yield live
    else:
        yield Display(_Log(say).show, _LOGGED)


class _Log:
    """Prints a line for each report of episodes; what is done before them has lines of its own."""

    def __init__(self, say: Console) -> None:
        self._say = say
        self._first: tuple[float, int] | None = None

    def show(self, words: str, done: int, total: int | None) -> None:
        if done == total:
            return  # the outcome follows
        now = time.monotonic()
        if self._first is None:
            self._first = now, done
        begun, before = self._first
        if total is not None and done > before:
            words += f", {clock((now - begun) / (done - before) * (total - done))} left"
        self._say.print(words, markup=False, soft_wrap=True)


@contextlib.contextmanager
def _live(say: Console) -> Iterator[Display]:
    # Takes a while to load, which only these commands need.
    from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
    from rich.progress import Task as Line
    from rich.table import Column
    from rich.text import Text

    class Left(ProgressColumn):
        def render(self, task: Line) -> Text:
            left = task.time_remaining
            return Text("" if left is None or task.finished else f"{clock(left)} left", no_wrap=True)

    words = "{task.description}"
    if say.width >= _BAR_FROM:
        columns: list[Any] = [
            TextColumn(words),
            BarColumn(bar_width=None),
            Left(),
        ]  # the bar takes what is left
    else:  # of the words the last are cut
        column = Column(ratio=1, no_wrap=True, overflow="ellipsis")
        columns = [TextColumn(words, table_column=column), Left()]
    progress = Progress(SpinnerColumn(), *columns, console=say, transient=True, expand=True)
    line = progress.add_task("building the environments", total=None)

    def show(words: str, done: int, total: int | None) -> None:
        progress.update(line, description=words, completed=done, total=total)

    live = Display(show, _REFRESH)
    with progress, listening(live.on_work):
        yield live


def clock(seconds: float) -> str:
    """Returns a time as people write it.

    Example:
        >>> clock(75), clock(3675)
        ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
