"""Input changed at random: the short form."""

from taskworlds.testing.faults.input import inject


def test_changed_input_is_refused_or_right():
    tallies = list(inject(rounds=12, seed=0))
    assert [line for tally in tallies for line in tally.lost] == []
    assert [tally.injected for tally in tallies] == [12] * 14
    assert [tally.held for tally in tallies] == [12] * 14
