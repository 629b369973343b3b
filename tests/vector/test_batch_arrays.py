"""What a step does to the arrays of a batch, beside the same in NumPy; and what is refused."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from taskworlds.vector._batch import (
    count_chunk,
    count_step,
    describe,
    first_row,
    keep,
    only,
    ready,
    retell,
    row_info,
    write_rows,
)

rows_and_seed = st.tuples(hnp.arrays(np.bool_, st.integers(1, 9)), st.integers(0, 99))


def spread(values):
    """The same values, far apart in memory and in the opposite order."""
    room = np.zeros((3 * len(values), *values.shape[1:]), values.dtype)
    room[::-3] = values
    return room[::-3]


@given(rows_and_seed, st.booleans(), st.booleans(), st.integers(1, 3))
def test_count_step(rows_and_seed, has_success, ends_episodes, limit):
    rows, seed = rows_and_seed
    n, rng = len(rows), np.random.default_rng(seed)
    rewards, success = rng.normal(size=n), rng.integers(0, 2, n).astype(float)
    ends, on_success, succeeded = (rng.integers(0, 2, (3, n))).astype(bool)
    steps, returns = rng.integers(0, 3, n), rng.normal(size=n)
    success = success if has_success else None
    ends = ends if ends_episodes else None
    counters = [spread(each) for each in (steps, returns, succeeded)]
    given, terminated, truncated, ended = count_step(
        rows, spread(rewards), success, ends, on_success, limit, *counters
    )

    won = rows & (success == 1.0) if has_success else np.zeros(n, np.bool_)
    over = (won & on_success) | (rows & ends if ends_episodes else False)
    cut = rows & (steps + 1 >= limit) & ~over
    np.testing.assert_array_equal(given, np.where(rows, rewards, 0.0))
    np.testing.assert_array_equal(terminated, over)
    np.testing.assert_array_equal(truncated, cut)
    assert (ended is None) == (not (over | cut).any())
    if ended is not None:
        np.testing.assert_array_equal(ended, over | cut)
    for counter, expected in zip(
        counters, (steps + rows, returns + np.where(rows, rewards, 0.0), succeeded | won), strict=True
    ):
        np.testing.assert_array_equal(counter, expected)
        assert counter.dtype == expected.dtype


@given(
    st.integers(1, 5), st.integers(1, 4), st.integers(0, 99), st.booleans(), st.booleans(), st.integers(1, 5)
)
def test_count_chunk(n, count, seed, has_success, ends_episodes, limit):
    """As `count_step`, one step after the other."""
    rng = np.random.default_rng(seed)
    taken = rng.integers(0, count + 1, n)
    rewards, success = rng.normal(size=(n, count)), rng.integers(0, 2, (n, count)).astype(float)
    ends = rng.integers(0, 2, (n, count)).astype(bool)
    on_success, succeeded = rng.integers(0, 2, (2, n)).astype(bool)
    steps, returns = rng.integers(0, 3, n), rng.normal(size=n)
    success, ends = success if has_success else None, ends if ends_episodes else None
    counters, expected = ([spread(each) for each in (steps, returns, succeeded)] for _ in range(2))
    given, won, terminated, truncated, ended, last = count_chunk(
        spread(taken), spread(rewards), success, ends, on_success, limit, *counters
    )

    over, cut = np.zeros((2, n), bool)
    for step in range(count):
        rows = taken > step
        its_success, its_ends = (None if each is None else each[:, step] for each in (success, ends))
        got, its_over, its_cut, _ = count_step(
            rows, rewards[:, step], its_success, its_ends, on_success, limit, *expected
        )
        np.testing.assert_array_equal(given[:, step], got)
        np.testing.assert_array_equal(
            won[:, step], np.where(rows, 0.0 if success is None else its_success, 0.0)
        )
        first = ~(over | cut)
        over, cut = over | (first & its_over), cut | (first & its_cut)
        np.testing.assert_array_equal(last[rows & (taken == step + 1)], got[rows & (taken == step + 1)])
    np.testing.assert_array_equal(terminated, over)
    np.testing.assert_array_equal(truncated, cut)
    assert (ended is None) == (not (over | cut).any())
    if ended is not None:
        np.testing.assert_array_equal(ended, over | cut)
    for counter, its in zip(counters, expected, strict=True):
        np.testing.assert_array_equal(counter, its)


def test_count_chunk_refuses_what_does_not_fit():
    def count(taken, rewards, success=None, ends=None):
        counters = np.zeros(2, int), np.zeros(2), np.zeros(2, bool)
        return count_chunk(taken, rewards, success, ends, np.zeros(2, bool), 5, *counters)

    taken, rewards = np.array([0, 3]), np.zeros((2, 3))
    count(taken, rewards)
    for wrong in (np.array([0, 4]), np.array([-1, 0])):
        with pytest.raises(ValueError, match="taken must be from 0 to the number of steps"):
            count(wrong, rewards)
    with pytest.raises(ValueError, match="rewards must have one entry per row and step"):
        count(taken, np.zeros((3, 3)))
    with pytest.raises(ValueError, match="success must have one entry per row and step"):
        count(taken, rewards, np.zeros((2, 2)))
    with pytest.raises(TypeError, match="terminated must be aligned and of the dtype"):
        count(taken, rewards, ends=np.zeros((2, 3)))


def of_all_kinds(n, rng):
    """Values of every kind that infos hold, in the two groups that `describe` takes."""
    about = {"name": np.array([f"task {i}" for i in range(n)], dtype=object), "goal": rng.normal(size=(n, 3))}
    terms = {"reward": spread(rng.normal(size=n)), "count": rng.integers(0, 9, n).astype(np.int32)}
    terms |= {"near": rng.normal(size=n) > 0, "text": np.array(["one", "three"])[rng.integers(0, 2, n)]}
    return about, terms


def nothing_like(values):
    """Zeros, or None."""
    nothing = np.zeros_like(values)
    nothing[...] = None if values.dtype == object else np.zeros((), values.dtype)
    return nothing


@given(rows_and_seed)
def test_describe_only_and_row_info(rows_and_seed):
    rows, seed = rows_and_seed
    n, rng = len(rows), np.random.default_rng(seed)
    about, terms = of_all_kinds(n, rng)
    stepped = rng.random(n) < 0.5
    infos = describe(rows, about, stepped, terms)
    assert list(infos) == [key for name in about | terms for key in (name, f"_{name}")]
    for name, values in (about | terms).items():
        assert infos[name].dtype == values.dtype
        assert infos[name].flags.owndata
        np.testing.assert_array_equal(infos[name], values)
        np.testing.assert_array_equal(infos[f"_{name}"], rows if name in about else stepped)
        told = only(rows, {name: values})
        assert told[name].dtype == values.dtype
        np.testing.assert_array_equal(told[f"_{name}"], rows)
        np.testing.assert_array_equal(told[name][rows], values[rows])
        np.testing.assert_array_equal(told[name][~rows], nothing_like(values)[~rows])
    first = first_row(about, terms)
    assert repr(first) == repr(row_info(infos, 0))
    assert first["goal"].base is None
    infos["nested"] = only(rows, terms)
    infos["_nested"] = rows
    for row in range(n):
        info = row_info(infos, row)
        assert list(info) == [*about, *terms, *(["nested"] if rows[row] else [])]
        assert (
            info.get("nested", info).items() >= {name: values[row] for name, values in terms.items()}.items()
        )
        assert info["name"] is about["name"][row]
        np.testing.assert_array_equal(info["goal"], about["goal"][row])
        for name, values in terms.items():
            assert type(info[name]) is values.dtype.type


@given(rows_and_seed)
def test_retell(rows_and_seed):
    rows, seed = rows_and_seed
    n, rng = len(rows), np.random.default_rng(seed)
    (before, reports), (after, _) = of_all_kinds(n, rng), of_all_kinds(n, rng)
    stepped = rng.random(n) < 0.5
    infos = describe(~rows, before, stepped, reports)
    retell(infos, rows, after, reports)
    for name in before:
        assert infos[f"_{name}"].all()
        np.testing.assert_array_equal(infos[name][rows], after[name][rows])
        np.testing.assert_array_equal(infos[name][~rows], before[name][~rows])
    for name, values in reports.items():
        np.testing.assert_array_equal(infos[f"_{name}"], stepped & ~rows)
        np.testing.assert_array_equal(infos[name][rows], nothing_like(values)[rows])
        np.testing.assert_array_equal(infos[name][~rows], values[~rows])


@given(rows_and_seed)
def test_keep(rows_and_seed):
    rows, seed = rows_and_seed
    rng = np.random.default_rng(seed)
    one, two, new = (rng.normal(size=len(rows)) for _ in range(3))
    kept = {"one": one.copy(), "two": two.copy()}
    assert keep(kept, rows, {"one": spread(new)})
    np.testing.assert_array_equal(kept["one"], np.where(rows, new, one))
    np.testing.assert_array_equal(kept["two"], np.where(rows, 0.0, two))
    assert not keep(kept, rows, {"one": new, "three": new})


def test_objects_are_counted():
    thing = object()
    held = sys.getrefcount(thing)
    for rows in ([True, True], [True, False], [False, False]):
        rows, things = np.array(rows), {"thing": np.array([thing, thing], dtype=object)}
        infos, some = describe(rows, things, rows, {}), only(rows, things)
        taken = [row_info(infos, row) for row in range(2)]
        retell(infos, rows, things, {})
        retell(infos, rows, {}, things)
        del infos, some, taken, things
    assert sys.getrefcount(thing) == held


@given(rows_and_seed, st.sampled_from([np.float32, np.float64]))
def test_ready(rows_and_seed, dtype):
    rows, seed = rows_and_seed
    n, rng = len(rows), np.random.default_rng(seed)
    actions = rng.choice(
        np.array([0.0, 1.0, 2.0, np.nan, np.inf], dtype), (n, 2), p=[0.3, 0.3, 0.3, 0.05, 0.05]
    )
    running = rng.random(n) > 0.1
    expected = (running & np.isfinite(actions).all(axis=1))[rows].all()
    assert ready(actions, rows, running) == ready(spread(actions), spread(rows), spread(running)) == expected
    askew = np.zeros(actions.nbytes + 1, np.int8)[1:].view(dtype).reshape(actions.shape)
    askew[:] = actions
    assert ready(askew, rows, running) == expected


@given(rows_and_seed)
def test_write_rows(rows_and_seed):
    rows, seed = rows_and_seed
    rng = np.random.default_rng(seed)
    whole, values = np.zeros((len(rows), 5)), spread(rng.normal(size=(len(rows), 4)))
    write_rows(whole[:, 1:4], values, rows)
    expected = np.zeros_like(whole)
    expected[rows, 1:4] = values[rows, :3]
    np.testing.assert_array_equal(whole, expected)


def test_row_info_of_the_last_row_and_of_odd_values():
    class Forgetful(list):
        """Empties the infos that it is in, while they are read."""

        def __getitem__(self, row):
            infos.clear()
            return [f"in memory that was freed {i}" for i in range(99)] and 1.0

    assert row_info({"x": np.array([1.0, 2.0]), "_x": ROWS}, -1) == {"x": 2.0}
    (value,) = row_info({"x": np.array([np.float32(1.0)], dtype=object), "_x": ROWS[:1]}, 0).values()
    assert type(value) is np.float32
    infos = {"".join(["a", "name"]): Forgetful(), "_aname": ROWS}
    assert row_info(infos, 0) == {"aname": 1.0}


def test_objects_that_lie_askew():
    packed = np.zeros(2, np.dtype([("byte", "i1"), ("thing", object)]))
    packed["thing"] = ["one", "two"]
    assert only(ROWS, {"thing": packed["thing"]})["thing"].tolist() == ["one", "two"]


def test_a_limit_may_be_larger_than_a_machine_counts():
    counters = (np.zeros(2, np.int64), np.zeros(2), np.zeros(2, np.bool_))
    *_, ended = count_step(ROWS, TWO, None, None, ROWS, 10**20, *counters)
    assert ended is None
    assert counters[0].tolist() == [1, 1]


def endless_info():
    infos = {"_more": ROWS}
    infos["more"] = infos
    return infos


TWO, ROWS = np.zeros(2), np.ones(2, np.bool_)
COUNTERS = (np.zeros(2, np.int64), np.zeros(2), np.zeros(2, np.bool_))


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (TypeError, lambda: ready([[0.0], [0.0]], ROWS, ROWS)),
        (TypeError, lambda: ready(np.zeros((2, 1), np.int64), ROWS, ROWS)),
        (TypeError, lambda: ready(np.zeros((2, 1), ">f8"), ROWS, ROWS)),
        (ValueError, lambda: ready(TWO, ROWS, ROWS)),
        (ValueError, lambda: ready(np.zeros((3, 1)), ROWS, ROWS)),
        (ValueError, lambda: ready(np.zeros((2, 1)), ROWS, ROWS[:1])),
        (TypeError, lambda: ready(np.zeros((2, 1)), TWO, ROWS)),
        (TypeError, lambda: count_step(ROWS, TWO.astype("f4"), None, None, ROWS, 1, *COUNTERS)),
        (ValueError, lambda: count_step(ROWS, TWO[:1], None, None, ROWS, 1, *COUNTERS)),
        (ValueError, lambda: count_step(ROWS, TWO, TWO[:1], None, ROWS, 1, *COUNTERS)),
        (TypeError, lambda: count_step(ROWS, TWO, None, TWO, ROWS, 1, *COUNTERS)),
        (TypeError, lambda: count_step(ROWS, TWO, None, None, ROWS, 1, TWO, *COUNTERS[1:])),
        (
            ValueError,
            lambda: count_step(ROWS, TWO, None, None, ROWS, 1, np.broadcast_to(1, 2), *COUNTERS[1:]),
        ),
        (ValueError, lambda: write_rows(np.broadcast_to(1.0, (2, 3)), np.zeros((2, 3)), ROWS)),
        (ValueError, lambda: only(ROWS, {"x": np.zeros(3)})),
        (ValueError, lambda: only(ROWS, {"x": np.zeros(())})),
        (ValueError, lambda: only(ROWS, {"x": np.zeros((2, 2, 2))})),
        (TypeError, lambda: only(ROWS, {"x": [0.0, 0.0]})),
        (TypeError, lambda: only(ROWS, [TWO])),
        (TypeError, lambda: only(ROWS, {1: TWO})),
        (TypeError, lambda: only(ROWS, {"x": np.zeros(2, [("a", object)])})),
        (ValueError, lambda: describe(ROWS, {}, ROWS[:1], {})),
        (TypeError, lambda: describe(ROWS, {}, TWO, {})),
        (KeyError, lambda: retell({}, ROWS, {"x": TWO}, {})),
        (KeyError, lambda: retell({"x": TWO}, ROWS, {"x": TWO}, {})),
        (TypeError, lambda: retell({"x": TWO.astype("f4"), "_x": ROWS.copy()}, ROWS, {"x": TWO}, {})),
        (TypeError, lambda: retell({"x": np.zeros((2, 2)), "_x": ROWS.copy()}, ROWS, {"x": TWO}, {})),
        (ValueError, lambda: retell({"x": np.broadcast_to(1.0, 2), "_x": ROWS.copy()}, ROWS, {"x": TWO}, {})),
        (ValueError, lambda: retell({"x": TWO.copy(), "_x": np.broadcast_to(True, 2)}, ROWS, {"x": TWO}, {})),
        (ValueError, lambda: keep({"x": np.broadcast_to(1.0, 2)}, ROWS, {})),
        (ValueError, lambda: keep({"x": TWO.copy()}, ROWS, {"x": TWO[:1]})),
        (TypeError, lambda: keep({"x": TWO.copy()}, ROWS, {"x": ROWS})),
        (KeyError, lambda: row_info({"x": np.zeros((2, 2))}, 0)),
        (IndexError, lambda: row_info({"x": np.zeros((1, 2)), "_x": ROWS}, 1)),
        (IndexError, lambda: row_info({"x": TWO, "_x": ROWS}, 2)),
        (IndexError, lambda: row_info({"x": TWO, "_x": ROWS}, -3)),
        (RecursionError, lambda: row_info(endless_info(), 0)),
        (IndexError, lambda: row_info({"x": TWO[:1], "_x": ROWS}, 1)),
        (ValueError, lambda: first_row({"x": TWO[:0]}, {})),
        (ValueError, lambda: first_row({}, {"x": np.zeros((2, 2, 2))})),
        (TypeError, lambda: first_row({"x": [1.0, 2.0]}, {})),
        (ValueError, lambda: write_rows(np.zeros((2, 3)), np.zeros((2, 2)), ROWS)),
        (ValueError, lambda: write_rows(np.zeros((2, 3)), np.zeros((3, 3)), ROWS)),
        (ValueError, lambda: write_rows(np.zeros((2, 3)), np.zeros((2, 6))[:, ::2], ROWS)),
        (TypeError, lambda: write_rows(np.zeros((2, 3), "f4"), np.zeros((2, 3)), ROWS)),
    ],
)
def test_what_does_not_fit_is_refused(error, call):
    with pytest.raises(error):
        call()
