"""Which episodes are shown."""

import numpy as np
import pytest

from taskworlds import Task
from taskworlds.evaluation import Episode
from taskworlds.videos.choosing import RULES, choose, default_rule
from taskworlds.videos.playing import Played


def played(skill, *outcomes):
    """Episodes 0, 1, ... of a task, of (return, success)."""
    return [
        Played(Task(skill), number, Episode(value, 1, success, success), np.zeros((1, 4)))
        for number, (value, success) in enumerate(outcomes)
    ]


OPEN = played("open", (2.0, False), (9.0, True), (1.0, False), (9.0, True))
CLOSE = played("close", (3.0, True), (5.0, True))


def numbers(choice):
    return {name: [each.number for each in its] for name, its in choice.by_skill.items()}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("first", {"open": [0], "close": [0]}),
        ("success", {"open": [1], "close": [0]}),
        ("failure", {"open": [0]}),
        ("both", {"open": [1, 0], "close": [0]}),
        ("best", {"open": [1], "close": [1]}),
        ("worst", {"open": [2], "close": [0]}),
    ],
)
def test_each_rule_chooses_of_each_skill(rule, expected):
    assert numbers(choose(OPEN + CLOSE, rule)) == expected


def test_every_rule_is_tried_above():
    assert set(RULES) == {"first", "success", "failure", "both", "best", "worst"}


def test_several_of_either_kind():
    choice = choose(OPEN + CLOSE, "both", 2)
    assert numbers(choice) == {"open": [1, 3, 0, 2], "close": [0, 1]}
    assert choice.missing == ("There is no failure of close.",)
    assert [each.number for each in choice.episodes] == [1, 3, 0, 2, 0, 1]


def test_skills_that_have_too_few_are_named_together():
    push, pull = played("push", (1.0, True)), played("pull", (1.0, True))
    assert choose(push + pull + OPEN, "success", 2).missing == (
        "There is only 1 of 2 successes of push, pull.",
    )
    assert choose(OPEN + push, "first", 5).missing == (
        "There are only 4 of 5 episodes of open.",
        "There is only 1 of 5 episodes of push.",
    )
    assert choose(CLOSE, "failure").by_skill == {}


def test_the_last_step_decides_what_is_a_success():
    lost = Played(Task("open"), 0, Episode(1.0, 2, True, False), np.zeros((2, 4)))
    assert numbers(choose([lost], "failure")) == {"open": [0]}


def test_of_worlds_without_success_only_returns_are_known():
    runs = played("run", (1.0, None), (2.0, None))
    assert numbers(choose(runs, "best")) == {"run": [1]}
    with pytest.raises(
        ValueError, match=r"choose must be first, best or worst for run, which does not report"
    ):
        choose(runs, "both")
    assert (default_rule(True), default_rule(False)) == ("both", "first")


def test_unknown_rules_and_counts_are_refused():
    with pytest.raises(ValueError, match=r"choose must be one of 'first', .*, not 'random'"):
        choose(OPEN, "random")
    with pytest.raises(ValueError, match="episodes must be at least 1, not 0"):
        choose(OPEN, "first", 0)
