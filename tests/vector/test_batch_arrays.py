"""What a step does to the arrays of a batch, beside the same in NumPy; and what is refused."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from taskworlds.vector._batch import count_step, describe, ready, row_info, write_rows

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


@given(rows_and_seed)
def test_describe_and_row_info(rows_and_seed):
    rows, seed = rows_and_seed
    n, rng = len(rows), np.random.default_rng(seed)
    about = {"name": np.array([f"task {i}" for i in range(n)], dtype=object), "goal": rng.normal(size=(n, 3))}
    terms = {"reward": spread(rng.normal(size=n)), "count": rng.integers(0, 9, n).astype(np.int32)}
    terms |= {"near": rng.normal(size=n) > 0, "text": np.array(["one", "three"])[rng.integers(0, 2, n)]}
    infos = describe(rows, about, terms)
    if not rows.any():
        assert infos == {}
        return
    assert list(infos) == [key for name in about | terms for key in (name, f"_{name}")]
    for name, values in (about | terms).items():
        shown, mask = infos[name], infos[f"_{name}"]
        assert (shown.dtype, shown.shape) == (values.dtype, values.shape)
        assert shown.flags.owndata
        np.testing.assert_array_equal(mask, rows)
        np.testing.assert_array_equal(shown[rows], values[rows])
        rest = np.zeros_like(values)
        rest[...] = None if values.dtype == object else np.zeros((), values.dtype)
        np.testing.assert_array_equal(shown[~rows], rest[~rows])
    infos["nested"] = describe(rows, terms)
    infos["_nested"] = rows
    for row in range(n):
        info = row_info(infos, row)
        if not rows[row]:
            assert info == {}
            continue
        assert list(info) == [*about, *terms, "nested"]
        assert info["nested"] == {name: values[row].item() for name, values in terms.items()}
        assert info["name"] is about["name"][row]
        np.testing.assert_array_equal(info["goal"], about["goal"][row])
        assert type(info["reward"]) is float
        assert type(info["count"]) is int
        assert type(info["near"]) is bool


def test_objects_are_counted():
    thing = object()
    held = sys.getrefcount(thing)
    for rows in ([True, True], [True, False], [False, False]):
        infos = describe(np.array(rows), {"thing": np.array([thing, thing], dtype=object)})
        taken = [row_info(infos, row) for row in range(2)]
        del infos, taken
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
    assert type(value) is float
    infos = {"".join(["a", "name"]): Forgetful(), "_aname": ROWS}
    assert row_info(infos, 0) == {"aname": 1.0}


def test_objects_that_lie_askew():
    packed = np.zeros(2, np.dtype([("byte", "i1"), ("thing", object)]))
    packed["thing"] = ["one", "two"]
    assert describe(ROWS, {"thing": packed["thing"]})["thing"].tolist() == ["one", "two"]


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
        (ValueError, lambda: describe(ROWS, {"x": np.zeros(3)})),
        (ValueError, lambda: describe(ROWS, {"x": np.zeros(())})),
        (ValueError, lambda: describe(ROWS, {"x": np.zeros((2, 2, 2))})),
        (TypeError, lambda: describe(ROWS, {"x": [0.0, 0.0]})),
        (TypeError, lambda: describe(ROWS, [TWO])),
        (TypeError, lambda: describe(ROWS, {1: TWO})),
        (TypeError, lambda: describe(ROWS, {"x": np.zeros(2, [("a", object)])})),
        (KeyError, lambda: row_info({"x": TWO}, 0)),
        (IndexError, lambda: row_info({"x": TWO, "_x": ROWS}, 2)),
        (IndexError, lambda: row_info({"x": TWO, "_x": ROWS}, -3)),
        (RecursionError, lambda: row_info(endless_info(), 0)),
        (ValueError, lambda: row_info({"x": TWO[:1], "_x": ROWS}, 0)),
        (ValueError, lambda: write_rows(np.zeros((2, 3)), np.zeros((2, 2)), ROWS)),
        (ValueError, lambda: write_rows(np.zeros((2, 3)), np.zeros((3, 3)), ROWS)),
        (ValueError, lambda: write_rows(np.zeros((2, 3)), np.zeros((2, 6))[:, ::2], ROWS)),
        (TypeError, lambda: write_rows(np.zeros((2, 3), "f4"), np.zeros((2, 3)), ROWS)),
    ],
)
def test_what_does_not_fit_is_refused(error, call):
    with pytest.raises(error):
        call()
