"""Users' mistakes: what the exceptions carry."""

import copy
import pickle

import numpy as np
import pytest

from taskworlds.core.errors import (
    Mistake,
    WrongType,
    WrongValue,
    check_choice,
    check_count,
    check_known,
    check_seed,
    check_switch,
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
    error = unexpected_keywords("make()", ["sed"], ["seed", "split"])
    assert isinstance(error, WrongType)
    assert (
        str(error)
        == "make() got an unexpected keyword argument 'sed' (did you mean 'seed'?). It takes: seed, split."
    )


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


@pytest.mark.parametrize("on", [True, 1, np.True_, np.int64(1), np.array(True)])
def test_switches_are_taken_in_each_form(on):
    assert check_switch("use_one_hot", on) is True
    assert (
        check_switch("use_one_hot", type(on)(0) if type(on) is not np.ndarray else np.array(False)) is False
    )


@pytest.mark.parametrize("value", [None, "True", 2, 1.0, np.float64(1), [True], np.array([True])])
def test_what_is_not_a_switch_is_refused(value):
    with pytest.raises(ValueError, match="use_one_hot must be one of True, False, not"):
        check_switch("use_one_hot", value)


def test_what_other_libraries_call_a_keyword_is_told():
    instead = {"horizon": "max_episode_steps", "image_size": "give x"}
    error = unexpected_keywords("make()", ["horizon", "image_size"], ["max_episode_steps"], instead)
    assert str(error) == (
        "make() got an unexpected keyword argument 'horizon' (did you mean 'max_episode_steps'?) and 'image_size' "
        "(give x). It takes: max_episode_steps."
    )
