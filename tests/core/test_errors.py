"""Users' mistakes: what the exceptions carry."""

import copy
import pickle

import pytest

from taskworlds.core.errors import (
    Mistake,
    WrongType,
    WrongValue,
    check_choice,
    check_count,
    check_known,
    check_seed,
    unexpected_keywords,
)


@pytest.mark.parametrize(
    ("check", "kind", "argument"),
    [
        (lambda: check_count("num_goals", 0), ValueError, "num_goals"),
        (lambda: check_count("num_goals", 1.5), TypeError, "num_goals"),
        (lambda: check_count("num_goals", True), TypeError, "num_goals"),
        (lambda: check_seed(-1), ValueError, "seed"),
        (lambda: check_choice("split", "tset", ("train", "test")), ValueError, "split"),
        (lambda: check_known("skill", "rech", ["reach"], ""), ValueError, None),
        (lambda: check_known("skill", 3, ["reach"], ""), TypeError, None),
    ],
)
def test_a_check_raises_a_mistake_that_carries_the_argument(check, kind, argument):
    with pytest.raises(Mistake) as raised:
        check()
    assert isinstance(raised.value, kind)
    assert raised.value.argument == argument


def test_unexpected_keywords_are_a_mistake():
    error = unexpected_keywords("make", ["sed"], ["seed", "split"])
    assert isinstance(error, WrongType)
    assert str(error) == "make got unexpected keyword(s) 'sed' (did you mean 'seed'?). It takes: seed, split."


@pytest.mark.parametrize("again", [copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_a_mistake_survives_another_process(again):
    error = again(WrongValue("num_goals must be 1.", "num_goals"))
    assert (type(error), str(error), error.argument) == (WrongValue, "num_goals must be 1.", "num_goals")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("split must be 'train'.", "--split must be 'train'."),
        (
            "MT10 has no test tasks; they are in split='train'.",
            "MT10 has no test tasks; they are in --split='train'.",
        ),
        ("MT1 needs split. See the splits.", "MT1 needs --split. See the splits."),
        ("a resplit, split.", "a resplit, --split."),
    ],
)
def test_the_message_under_another_name(message, told):
    assert WrongValue(message, "split").under_name("--split") == told


def test_without_an_argument_the_message_stays():
    assert WrongValue("Unknown skill.").under_name("--split") == "Unknown skill."
