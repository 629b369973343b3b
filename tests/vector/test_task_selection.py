"""Which task a row's next episode has."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from taskworlds import Task
from taskworlds.vector.task_selection import TASK_SELECT, TaskSelection

TASKS = [Task("open", {"goal": i}) for i in range(5)]


def draws(selection, n, seed=0):
    rng = np.random.default_rng(seed)
    return [selection.draw(rng)["goal"] for _ in range(n)]


def test_pseudorandom_gives_every_task_once_a_round_in_a_new_order():
    goals = draws(TaskSelection("pseudorandom", TASKS), 60)
    rounds = [goals[i : i + 5] for i in range(0, 60, 5)]
    assert all(sorted(each) == [0, 1, 2, 3, 4] for each in rounds)
    assert len({tuple(each) for each in rounds}) > 6


def test_pseudorandom_counts_its_place():
    selection = TaskSelection("pseudorandom", TASKS)
    assert selection.current_task_idx == -1
    rng = np.random.default_rng(0)
    places = []
    for _ in range(7):
        selection.draw(rng)
        places.append(selection.current_task_idx)
    assert places == [0, 1, 2, 3, 4, 0, 1]


def test_random_gives_each_task_as_likely_as_any_other():
    counts = Counter(draws(TaskSelection("random", TASKS), 5000))
    assert set(counts) == {0, 1, 2, 3, 4}
    # Five standard deviations of a count of mean 1000.
    assert all(abs(count - 1000) < 5 * np.sqrt(5000 * 0.2 * 0.8) for count in counts.values())


def test_round_robin_keeps_the_order():
    assert draws(TaskSelection("round_robin", TASKS), 12) == [0, 1, 2, 3, 4] * 2 + [0, 1]


def test_fixed_gives_the_first():
    assert draws(TaskSelection("fixed", TASKS), 4) == [0, 0, 0, 0]


def test_a_function_chooses():
    seen = []

    def hardest(tasks, np_random):
        seen.append((list(tasks), np_random))
        return tasks[-1]

    rng = np.random.default_rng(0)
    assert TaskSelection(hardest, TASKS).draw(rng) == TASKS[-1]
    assert seen == [(TASKS, rng)]
    with pytest.raises(TypeError, match="task_select must return one of the row's tasks, a Task, not 3"):
        TaskSelection(lambda tasks, np_random: 3, TASKS).draw(rng)


def test_unknown_rule():
    with pytest.raises(
        ValueError, match=r"task_select must be one of 'random', 'pseudorandom', .*not 'randm'"
    ):
        TaskSelection("randm", TASKS)


@pytest.mark.parametrize("how", TASK_SELECT)
def test_equal_seeds_give_equal_draws_after_a_restart(how):
    selection = TaskSelection(how, TASKS)
    first = draws(selection, 12)
    selection.restart()
    assert draws(selection, 12) == first


@pytest.mark.parametrize("how", TASK_SELECT)
def test_state_is_json_and_exact(how):
    selection, rng = TaskSelection(how, TASKS), np.random.default_rng(3)
    for _ in range(7):
        selection.draw(rng)
    state = json.loads(json.dumps(selection.get_state()))
    place = rng.bit_generator.state
    expected = [selection.draw(rng) for _ in range(11)]
    other, other_rng = TaskSelection(how, TASKS[:1]), np.random.default_rng()
    other.set_state(state)
    other_rng.bit_generator.state = place
    assert [other.draw(other_rng) for _ in range(11)] == expected


def test_the_list_given_is_neither_shared_nor_shuffled():
    given = list(TASKS)
    selection = TaskSelection("pseudorandom", given)
    draws(selection, 20)
    assert given == TASKS
    assert selection.tasks == TASKS
    given.clear()
    assert selection.tasks == TASKS


@pytest.mark.parametrize("how", TASK_SELECT)
def test_foreseeing_gives_the_next_draw_and_changes_nothing(how):
    selection, rng, copy = TaskSelection(how, TASKS), np.random.default_rng(3), np.random.default_rng(0)
    for _ in range(12):
        before = selection.get_state()
        copy.bit_generator.state = rng.bit_generator.state
        foreseen = selection.foresee(copy)
        assert selection.get_state() == before
        assert selection.draw(rng) is foreseen


def test_a_functions_choice_is_not_foreseen():
    assert TaskSelection(lambda tasks, rng: tasks[0], TASKS).foresee(np.random.default_rng(0)) is None
