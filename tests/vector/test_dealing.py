"""How tasks are dealt over rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskworlds import Task, benchmark
from taskworlds.vector.dealing import deal

MT10 = benchmark("MT10", seed=0)


def skills_of(row):
    return list(dict.fromkeys(task.env_name for task in row))


@pytest.mark.parametrize("num_rows", [10, 13, 20, 25])
def test_with_enough_rows_each_serves_one_skill(num_rows):
    rows = deal(MT10.groups(), num_rows)
    assert [len(skills_of(row)) for row in rows] == [1] * num_rows
    served = [skills_of(row)[0] for row in rows]
    assert list(dict.fromkeys(served)) == MT10.env_names()
    counts = [served.count(name) for name in MT10.env_names()]
    assert max(counts) - min(counts) <= 1
    assert counts == sorted(counts, reverse=True)
    for name in MT10.env_names():
        sizes = [len(row) for row in rows if skills_of(row) == [name]]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("num_rows", [1, 3, 7])
def test_with_fewer_rows_each_serves_several_skills(num_rows):
    rows = deal(MT10.groups(), num_rows)
    for index, row in enumerate(rows):
        assert skills_of(row) == MT10.env_names()[index::num_rows]
    sizes = [len(skills_of(row)) for row in rows]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("num_rows", [1, 3, 7, 10, 13, 20])
def test_every_task_is_dealt_once(num_rows):
    rows = deal(MT10.groups(), num_rows)
    assert len(rows) == num_rows
    assert sorted(task.id for row in rows for task in row) == sorted(task.id for task in MT10.train_tasks)


def test_meta_worlds_order_where_it_divides_evenly():
    # Meta-World: for each skill in order, tasks[i::k] for i in range(k).
    ml1 = benchmark("ML1", "reach-v3", seed=0)
    assert deal(ml1.groups(), 25) == [list(ml1.train_tasks[i::25]) for i in range(25)]
    rows = deal(MT10.groups(), 20)
    assert rows[:2] == [list(MT10.train_tasks[0:50:2]), list(MT10.train_tasks[1:50:2])]


def test_fifty_goals_over_twenty_rows():
    assert [len(row) for row in deal(benchmark("ML1", "reach-v3", seed=0).groups(), 20)] == [3] * 10 + [
        2
    ] * 10


def test_more_rows_than_tasks():
    first, second = (Task("open", {"goal": i}) for i in range(2))
    assert deal([[first, second]], 5) == [[first], [second], [first], [second], [first]]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(1, 30))
def test_no_row_is_empty_and_no_task_is_lost(sizes, num_rows):
    groups = [[Task(f"skill-{i}", {"goal": j}) for j in range(size)] for i, size in enumerate(sizes)]
    rows = deal(groups, num_rows)
    assert len(rows) == num_rows
    assert all(rows)
    assert {task for row in rows for task in row} == {task for group in groups for task in group}
    counts = [
        sum(task.env_name == f"skill-{i}" for row in rows for task in {row[0]}) for i in range(len(sizes))
    ]
    if num_rows >= len(sizes):
        assert max(counts) - min(counts) <= 1
