"""The injected faults in their short form, and the program that runs the long one."""

from __future__ import annotations

import itertools

import pytest

from taskworlds.testing.faults import __main__ as program
from taskworlds.testing.faults import interruption, leaks, processes
from taskworlds.testing.faults.tally import Tally


@pytest.mark.parametrize(
    "tallies",
    [
        pytest.param(lambda: processes.inject(rounds=1, seed=0), id="processes"),
        pytest.param(lambda: interruption.inject(rounds=2, seed=0), id="interruption"),
        pytest.param(
            lambda: itertools.islice(leaks.inject(rounds=10, seed=0), 6),
            id="leaks",
            marks=pytest.mark.requires_dm_control,
        ),
    ],
)
def test_nothing_is_lost(tallies):
    for tally in tallies():
        assert tally.injected > 0, tally.fault
        assert tally.lost == [], tally.fault


@pytest.fixture
def one_kind(monkeypatch):
    """A kind of faults of which a third is lost."""

    def inject(rounds, seed):
        tally = Tally("a stone is thrown", "nothing happens")
        for number in range(rounds):
            tally.note("the window broke" if number % 3 == seed else None)
        yield tally

    monkeypatch.setattr(program, "ROUNDS", {"leaks": 6})
    monkeypatch.setattr(leaks, "inject", inject)


def test_the_program_prints_a_table_and_what_was_lost(one_kind, capsys):
    assert program.main(["leaks", "--seed", "1"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[0].split() == ["fault", "what", "should", "follow", "injected", "held", "lost"]
    assert out.splitlines()[1].split()[-3:] == ["6", "4", "2"]
    assert err.count("LOST: a stone is thrown: the window broke") == 2
    assert program.main(["--rounds", "1", "--seed", "1", "--markdown"]) == 0
    assert capsys.readouterr().out.splitlines()[2] == "| a stone is thrown | nothing happens | 1 | 1 | 0 |"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["leeks"], "There is no kind 'leeks'. The kinds are leaks."),
        (["--rounds", "0"], "--rounds must be at least 1"),
    ],
)
def test_mistakes(one_kind, capsys, arguments, message):
    with pytest.raises(SystemExit):
        program.main(arguments)
    assert message in capsys.readouterr().err
