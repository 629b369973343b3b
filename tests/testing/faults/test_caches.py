"""The short form of the faults of the cache on disk."""

from __future__ import annotations

import os

import pytest

from taskworlds.testing.faults import caches


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_fault_of_the_cache_costs_a_number():
    tallies = list(caches.inject(rounds=1, seed=0))
    assert len(tallies) >= 12
    for tally in tallies:
        assert tally.lost == []
        assert tally.injected == tally.held == 1
