"""What is shown while an evaluation runs."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from taskworlds.cli import display as display_module
from taskworlds.cli.display import Display, display
from taskworlds.evaluation import Episode


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets: clock[0] is the time in seconds."""
    now = [100.0]
    monkeypatch.setattr("taskworlds.cli.display.time.monotonic", lambda: now[0])
    return now


def test_it_says_what_is_done_how_fast_and_with_what_success(clock):
    shown = []
    told = Display(lambda *each: shown.append(each), period=1.0)
    told.on_work("compiling 10 skills, as their sources are new", 3, 10)
    told.on_work("compiling 10 skills", 10, 10)
    told.on_step(10)
    clock[0] += 2.0
    told.on_step(10)
    told.on_outcome(None, Episode(1.0, 3, True, True))
    told.on_outcome(None, Episode(1.0, 3, False, False))
    told.on_episode(2, 500)
    clock[0] += 0.5
    told.on_step(10)  # too early
    clock[0] += 2.5
    told.on_step(20)
    assert shown == [
        ("compiling 10 skills", 3, 10),
        ("building the environments", 10, None),
        ("playing, 10 steps/s", 0, None),
        ("2 of 500 episodes, 10 steps/s, success 0.50 so far", 2, 500),
    ]


def test_success_is_left_out_where_it_is_not_known(clock):
    shown = []
    told = Display(lambda words, *_: shown.append(words), period=0.0)
    told.on_step(1)
    told.on_outcome(None, Episode(1.0, 3, None, None))
    told.on_episode(1, 2)
    clock[0] += 1.0
    told.on_step(3)
    assert shown == ["1 of 2 episodes, 4 steps/s"]


def test_a_log_has_a_line_from_time_to_time(clock, monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(
        display_module, "console", lambda **_: Console(file=written, width=60, highlight=False)
    )
    with display(shown=True) as told:
        for episode in range(1, 11):
            clock[0] += 20.0
            told.on_step(100)
            told.on_episode(episode, 10)
    first, *lines = written.getvalue().splitlines()
    assert first == "2 of 10 episodes, 8 steps/s"  # nothing is known of the time yet
    assert lines[0] == "4 of 10 episodes, 6 steps/s, 2:00 left"
    assert len(lines) == 3


def test_nothing_is_shown_where_that_is_asked_for(capfd):
    with display(shown=False) as told:
        told.on_step(1)
        told.on_episode(1, 1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_live_line_fits(monkeypatch, width):
    monkeypatch.delenv("CI", raising=False)
    written = io.StringIO()
    terminal = Console(
        file=written, force_terminal=True, width=width, color_system=None, legacy_windows=False
    )
    monkeypatch.setattr(display_module, "console", lambda **_: terminal)
    with display(shown=True) as told:
        told.on_step(10)
        told.on_outcome(None, Episode(1.0, 3, True, True))
        told.on_episode(500, 500)
    assert "500 of 500 episodes" in written.getvalue().replace("\n", " ")
    lines = [line for line in written.getvalue().replace("\r", "\n").split("\n") if "episodes" in line]
    assert all(len(line.replace("\x1b[2K", "").rstrip()) <= width for line in lines)


@pytest.mark.parametrize("width", [50, 60, 80, 120])
def test_the_time_left_is_never_cut(clock, monkeypatch, width):
    monkeypatch.delenv("CI", raising=False)
    written = io.StringIO()
    terminal = Console(
        file=written, force_terminal=True, width=width, color_system=None, legacy_windows=False
    )
    monkeypatch.setattr(display_module, "console", lambda **_: terminal)
    with display(shown=True) as told:
        for episode in range(1, 21):
            clock[0] += 40.0
            told.on_step(100_000)
            told.on_outcome(None, Episode(1.0, 3, True, True))
            told.on_episode(episode, 500)
    last = [line for line in written.getvalue().replace("\r", "\n").split("\n") if "episodes" in line][-1]
    assert re.search(r" \d+:\d\d left", last), last
    assert "of 500 episodes, 2,632 steps/s" in last
