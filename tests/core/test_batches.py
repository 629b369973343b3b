"""Batches of any of Gymnasium's spaces, against lists of values."""

from __future__ import annotations

import json

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from taskworlds.core import batches

SPACES = {
    "floats": spaces.Box(-1.0, 1.0, (3,), np.float32),
    "picture": spaces.Box(0, 255, (2, 4, 3), np.uint8),
    "discrete": spaces.Discrete(5, start=-2),
    "binary": spaces.MultiBinary((2, 3)),
    "multi": spaces.MultiDiscrete([3, 4]),
    "text": spaces.Text(6),
    "sequence": spaces.Sequence(spaces.Box(-1.0, 1.0, (2,), np.float32)),
    "deep": spaces.Dict(
        a=spaces.Tuple((spaces.Discrete(3), spaces.Text(3))), b=spaces.Box(0.0, 1.0, (), np.float64)
    ),
}


@pytest.fixture(params=SPACES)
def space(request):
    SPACES[request.param].seed(0)
    return SPACES[request.param]


def batch_of(space, values):
    """A batch, made row by row."""
    batch = batches.empty(space, len(values))
    for row, value in enumerate(values):
        batch = batches.write_row(space, batch, row, value)
    return batch


def rows(space, batch, n):
    return [batches.row_of(space, batch, row) for row in range(n)]


def test_batches_are_lists_of_values(space, same):
    values = [space.sample() for _ in range(4)]
    others = [space.sample() for _ in range(4)]
    batch, other = batch_of(space, values), batch_of(space, others)
    plain = [rows(space, batch_of(space, [value]), 1)[0] for value in values]
    plain_others = [rows(space, batch_of(space, [value]), 1)[0] for value in others]
    assert batch_space(space, 4).contains(batch)
    same(rows(space, batch, 4), plain)
    same(batches.row_of(space, batches.of_one(space, plain[1]), 0), plain[1])
    same(rows(space, batches.take(space, batch, np.array([3, 0, 0])), 3), [plain[3], plain[0], plain[0]])
    same(rows(space, batches.concatenate(space, [batch, other]), 8), plain + plain_others)
    same(rows(space, batches.rows_of(space, batch, slice(1, 3)), 2), plain[1:3])
    copy = batches.copied(batch)
    mixed = batches.write(space, batch, other, np.array([True, False, False, True]))
    same(rows(space, mixed, 4), [plain_others[0], plain[1], plain[2], plain_others[3]])
    same(rows(space, copy, 4), plain)


def test_plain_data_and_back(space, same):
    batch = batch_of(space, [space.sample() for _ in range(3)])
    plain = batches.to_plain(space, batch)
    same(batches.from_plain(space, plain, 3), batch)
    with pytest.raises(ValueError, match=r"There must be 4 values of .*, not 3"):
        batches.from_plain(space, plain, 4)


@pytest.mark.parametrize(
    ("name", "plain", "message"),
    [
        ("floats", np.zeros((2, 3)), r"must be float32 of shape \('N', 3\)"),
        ("floats", np.zeros((2, 4), np.float32), r"must be float32 of shape \('N', 3\)"),
        ("discrete", [1, 2], "must be int64"),
        ("deep", {"a": 3}, "must have the keys 'a', 'b'"),
        ("deep", {"a": (np.zeros(2, int),), "b": np.zeros(2)}, "must have 2 parts"),
        ("text", json.dumps(["a"]), "There must be 2 values of .*, not 1"),
    ],
)
def test_plain_data_of_something_else(name, plain, message):
    with pytest.raises(ValueError, match=message):
        batches.from_plain(SPACES[name], plain, 2)


def test_a_value_of_another_shape():
    with pytest.raises(ValueError, match=r"must have the shape \(3,\), not \(4,\)"):
        batches.write_row(SPACES["floats"], batches.empty(SPACES["floats"], 2), 1, np.zeros(4))


def test_which_are_arrays():
    assert [name for name, space in SPACES.items() if not batches.in_arrays(space)] == [
        "text",
        "sequence",
        "deep",
    ]
