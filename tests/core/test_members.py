"""Benchmarks put together of several, and how rows are shared out among them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskworlds import Benchmark, Task, benchmark
from taskworlds.core.members import Member, apportion


def test_a_union_keeps_splits_order_and_members():
    ml, point = benchmark("ML10", seed=3, num_goals=2), benchmark("point", seed=3, num_goals=2)
    made = Benchmark.union("both", [ml, point, "walker-walk"], shares=[2, 1, 0.5], seed=3)
    assert made.train_tasks == ml.train_tasks + point.train_tasks + (Task("walker-walk"),)
    assert made.test_tasks == ml.test_tasks + point.test_tasks
    assert made.seed is None or made.seed == 3
    assert [each.name for each in made.members] == ["ML10", "point", "walker-walk"]
    assert [each.share for each in made.members] == [2.0, 1.0, 0.5]
    assert [each.train_tasks for each in made.apart()] == [
        ml.train_tasks,
        point.train_tasks,
        (Task("walker-walk"),),
    ]
    assert [each.test_tasks for each in made.apart()] == [ml.test_tasks, point.test_tasks, ()]
    assert made.groups("test") == ml.groups("test") + point.groups("test")


def test_json_has_the_members_and_their_shares():
    made = Benchmark.union("both", ["MT10", "walker-walk"], shares=[3, 1])
    read = Benchmark.from_json(made.to_json())
    assert read == made
    assert read.members == made.members
    assert read.fingerprint == made.fingerprint
    assert made != Benchmark.union("both", ["MT10", "walker-walk"])
    assert made.fingerprint == Benchmark("other", made.train_tasks).fingerprint  # it is of tasks alone
    assert "members" not in json.loads(benchmark("MT10").to_json())


def test_named_members_have_the_seed():
    assert (
        Benchmark.union("one", ["reach-v3"], seed=5).train_tasks == benchmark("reach-v3", seed=5).train_tasks
    )
    assert Benchmark.union("one", ["reach-v3", "push-v3"], seed=5).seed == 5
    entropy = Benchmark.union("one", ["reach-v3"], seed=None)
    assert entropy.from_entropy
    assert not Benchmark.union("one", [benchmark("reach-v3")], seed=None).from_entropy


def test_neighbouring_tasks_are_one_member():
    reach = benchmark("reach-v3", num_goals=3).train_tasks
    made = Benchmark.union("mine", [reach[0], reach[1], "walker-walk", reach[2]])
    assert [(each.name, each.num_train) for each in made.members] == [
        ("tasks", 2),
        ("walker-walk", 1),
        ("tasks", 1),
    ]
    assert made.groups() == (reach, (Task("walker-walk"),))  # of a skill one place in the one-hot


def test_lists_of_a_member_stay_apart():
    twice = benchmark("custom-mt-envs", envs_list=["reach-v3", "reach-v3"], num_goals=2)
    made = Benchmark.union("mine", [twice, "walker-walk"])
    assert [len(group) for group in made.groups()] == [2, 2, 1]
    assert Benchmark.from_json(made.to_json()) == made
    assert made.apart()[0] == twice


@pytest.mark.parametrize(
    ("members", "shares", "error", "message"),
    [
        ([], None, ValueError, "members must name at least one benchmark"),
        (["MT10", 3], None, TypeError, "A benchmark is given by name"),
        (["MT10", "walker-wlak"], None, ValueError, "Unknown benchmark 'walker-wlak'"),
        (["MT10", "walker-walk"], [1], ValueError, "one number for each of the 2 members, not 1"),
        (["MT10", "walker-walk"], [1, 0], ValueError, "above 0 and finite, not 0"),
        (["MT10", "walker-walk"], [1, float("nan")], ValueError, "above 0 and finite"),
        (["MT10", "walker-walk"], [1, "2"], TypeError, "must be a number, not '2'"),
        (["MT10", "walker-walk"], 2, TypeError, "a list with one number for each member"),
    ],
)
def test_mistakes(members, shares, error, message):
    with pytest.raises(error, match=message):
        Benchmark.union("mine", members, shares=shares)


def test_members_must_have_the_tasks():
    with pytest.raises(ValueError, match="members must have the 1 train and 0 test tasks"):
        Benchmark("mine", (Task("walker-walk"),), members=(Member("a", 2, 0),))
    text = Benchmark.union("both", ["walker-walk", "cheetah-run"]).to_json()
    with pytest.raises(ValueError, match="damaged"):
        Benchmark.from_json(text.replace('"num_test"', '"num_tset"'))


@pytest.mark.parametrize("scale", [1e308, 1e-320])
def test_weights_of_any_size_are_shares(scale):
    assert apportion([scale, scale], 6, [1, 1]) == [3, 3]
    assert apportion([scale, scale / 2, scale], 5, [1, 1, 1]) == [2, 1, 2]


def test_of_equal_claims_the_first_is_served_first():
    """Also of different weights: half a row is left of 0.5 and of 1.5."""
    assert apportion([1, 3], 2, [0, 0]) == [1, 1]
    assert apportion([3, 1], 2, [0, 0]) == [2, 0]
    assert apportion([1, 3, 5, 7], 8, [0] * 4) == [1, 2, 2, 3]


@given(
    st.lists(st.tuples(st.floats(0.01, 100), st.integers(1, 4)), min_size=1, max_size=8), st.integers(0, 60)
)
def test_rows_are_shared_out_whole(parts, more):
    weights, least = zip(*parts, strict=True)
    total = sum(least) + more
    counts = apportion(weights, total, least)
    assert sum(counts) == total
    assert all(count >= few for count, few in zip(counts, least, strict=True))
    claims = [total * weight / sum(weights) for weight in weights]
    if all(claim >= few for claim, few in zip(claims, least, strict=True)):
        assert all(abs(count - claim) <= 1 for count, claim in zip(counts, claims, strict=True))
