"""Drawing numbers and tasks, each once before any comes again."""

import json

import numpy as np
import pytest

from taskworlds.core.draws import Deck, sample_indices


def test_a_deck_deals_each_number_once_a_round():
    deck, generator = Deck(5), np.random.default_rng(3)
    rounds = [[deck.deal(generator) for _ in range(5)] for _ in range(4)]
    assert all(sorted(each) == [0, 1, 2, 3, 4] for each in rounds)
    assert len({tuple(each) for each in rounds}) > 1
    assert rounds[0] == np.random.default_rng(3).permutation(5).tolist()


def test_without_a_generator_a_round_is_in_order():
    deck, generator = Deck(3), np.random.default_rng(0)
    assert [deck.deal(generator if deck.rounds else None) for _ in range(3)] == [0, 1, 2]
    assert generator.bit_generator.state == np.random.default_rng(0).bit_generator.state
    assert sorted(deck.deal(generator) for _ in range(3)) == [0, 1, 2]


def test_a_deck_goes_on_from_its_state():
    deck, generator = Deck(4), np.random.default_rng(0)
    drawn = [deck.deal(generator) for _ in range(6)]
    other = Deck(4)
    other.set_state(json.loads(json.dumps(deck.get_state())))
    assert [other.deal(None) for _ in range(2)] == [deck.deal(None) for _ in range(2)]
    assert (other.rounds, other.place) == (2, 3)
    deck.restart()
    assert [deck.deal(np.random.default_rng(0)) for _ in range(4)] == drawn[:4]


@pytest.mark.parametrize("state", [{"order": [0, 0]}, {"order": [0, 1, 2]}, {"place": 2}])
def test_a_state_of_another_deck_is_refused(state):
    deck = Deck(2)
    with pytest.raises(ValueError, match="state must be of a deck of 2 numbers"):
        deck.set_state(deck.get_state() | state)


def test_indices_are_decks():
    drawn = sample_indices(7, 3, np_random=np.random.default_rng(0))
    expected = np.random.default_rng(0)
    assert drawn.tolist() == [*expected.permutation(3), *expected.permutation(3), expected.permutation(3)[0]]
    assert drawn.dtype == np.int64
