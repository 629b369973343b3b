"""Batches of any of Gymnasium's spaces: one value for each row, as Gymnasium's vector environments hold them.

A batch of arrays is an array with the rows first; a batch of a Dict or Tuple space is a dictionary or tuple of batches;
a batch of any other space (Text, Graph, Sequence, ...) is a tuple with one value for each row.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import Space, spaces
from gymnasium.vector.utils import create_empty_array
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue

__all__ = [
    "aligned",
    "chunk_dims",
    "concatenate",
    "copied",
    "empty",
    "from_plain",
    "in_arrays",
    "num_dims",
    "of_one",
    "row_of",
    "rows_of",
    "spread",
    "take",
    "to_plain",
    "write",
    "write_row",
]

_ARRAYS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def in_arrays(space: Space[Any]) -> bool:
    """Returns whether a batch of the space consists of arrays alone."""
    if isinstance(space, spaces.Dict):
        return all(in_arrays(part) for part in space.spaces.values())
    if isinstance(space, spaces.Tuple):
        return all(in_arrays(part) for part in space.spaces)
    return isinstance(space, _ARRAYS)


def chunk_dims(space: Space[Any]) -> int | None:
    """Returns how many dimensions an array of several values of the space has; None if they are not one array.

    Example:
        >>> chunk_dims(spaces.Box(0, 1, (2,))), chunk_dims(spaces.Discrete(3)), chunk_dims(spaces.Text(4))
        (2, 1, None)
    """
    return len(space.shape) + 1 if space.shape is not None and in_arrays(space) else None


def num_dims(values: Any) -> int | None:
    """Returns how many dimensions the array of some values has; None for lists of different lengths."""
    if isinstance(values, np.ndarray):
        return values.ndim
    try:
        return int(np.ndim(values))
    except ValueError:
        return None


def empty(space: Space[Any], num_rows: int) -> Any:
    """Returns a batch to be written to, of zeros.

    Example:
        >>> empty(spaces.Dict(x=spaces.Box(0, 1, (2,)), y=spaces.Discrete(3)), 2)["y"]
        array([0, 0])
    """
    return create_empty_array(space, num_rows, fn=np.zeros)


def write(space: Space[Any], batch: Any, values: Any, rows: NDArray[np.bool_]) -> Any:
    """Writes the values of `rows`, (N,) bool, into a batch; returns the batch, a new one where it is a tuple."""

    def leaf(_: Space[Any], old: Any, new: Any) -> Any:
        if isinstance(old, np.ndarray):
            old[rows] = np.asarray(new)[rows]
            return old
        return tuple(new[row] if chosen else old[row] for row, chosen in enumerate(rows.tolist()))

    return _map(leaf, space, batch, values)


def write_row(space: Space[Any], batch: Any, row: int, value: Any) -> Any:
    """Writes the value of one row into a batch; returns the batch, a new one where it is a tuple.

    Raises:
        TypeError, ValueError: the value is not made like the space's.
    """

    def leaf(part: Space[Any], old: Any, new: Any) -> Any:
        if not isinstance(old, np.ndarray):
            return (*old[:row], new, *old[row + 1 :])
        if np.shape(new) != old.shape[1:]:
            raise WrongValue(f"A value of {part} must have the shape {old.shape[1:]}, not {np.shape(new)}.")
        old[row] = new
        return old

    return _map(leaf, space, batch, value)


def take(space: Space[Any], batch: Any, source: NDArray[np.int64]) -> Any:
    """Returns a new batch whose row i is row `source[i]` of another."""

    def leaf(_: Space[Any], old: Any) -> Any:
        return old[source] if isinstance(old, np.ndarray) else tuple(old[row] for row in source.tolist())

    return _map(leaf, space, batch)


def spread(space: Space[Any], batch: Any, rows: NDArray[np.int64], num_rows: int) -> Any:
    """Returns a batch of `num_rows` whose row `rows[i]` is row i of another, (M,) at least one; the rest is no matter.

    Example:
        >>> spread(spaces.Discrete(5), np.array([3, 4]), np.array([2, 0]), 3)
        array([4, 0, 3])
    """

    def leaf(_: Space[Any], values: Any) -> Any:
        if isinstance(values, np.ndarray):
            whole = np.zeros((num_rows, *values.shape[1:]), values.dtype)
            whole[rows] = values
            return whole
        places = {row: place for place, row in enumerate(rows.tolist())}
        return tuple(values[places.get(row, 0)] for row in range(num_rows))

    return _map(leaf, space, batch)


def concatenate(space: Space[Any], batches: Sequence[Any]) -> Any:
    """Returns one batch with the rows of several, one after the other."""

    def leaf(_: Space[Any], *each: Any) -> Any:
        return np.concatenate(each) if isinstance(each[0], np.ndarray) else sum(map(tuple, each), ())

    return _map(leaf, space, *batches)


def row_of(space: Space[Any], batch: Any, row: int) -> Any:
    """Returns the value of one row; its arrays are views of the batch's."""
    if type(batch) is np.ndarray:
        return batch[row]
    return _map(lambda _, values: values[row], space, batch)


def rows_of(space: Space[Any], batch: Any, rows: slice) -> Any:
    """Returns the batch of some rows; its arrays are views of the other's."""
    return _map(lambda _, values: values[rows], space, batch)


def of_one(space: Space[Any], value: Any) -> Any:
    """Returns the batch of one row that has a value of the space.

    Raises:
        ValueError: the value is not made like the space's.
    """

    def leaf(part: Space[Any], each: Any) -> Any:
        return np.asarray(each)[None] if isinstance(part, _ARRAYS) else (each,)

    return _map(leaf, space, value)


def aligned(array: NDArray[Any]) -> NDArray[Any]:
    """Returns a copy that begins at a multiple of 64 bytes.

    What PyTorch makes of it depends, in the last digit, on where it lies, and NumPy leaves that to chance.
    """
    if array.dtype.hasobject:
        return array
    room = np.empty(array.nbytes + 64, dtype=np.uint8)
    first = -room.ctypes.data % 64
    copy = room[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def copied(batch: Any) -> Any:
    """Returns a copy that shares nothing with the batch."""
    return batch.copy() if isinstance(batch, np.ndarray) else copy.deepcopy(batch)


def to_plain(space: Space[Any], batch: Any) -> Any:
    """Returns a copy of a batch as arrays, dictionaries, lists and strings; `from_plain` makes it a batch again."""

    def leaf(part: Space[Any], values: Any) -> Any:
        if isinstance(values, np.ndarray):
            return values.copy()
        return json.dumps(part.to_jsonable(list(values)))

    return _map(leaf, space, batch)


def from_plain(space: Space[Any], plain: Any, num_rows: int | None = None) -> Any:
    """Returns the batch that `to_plain` was given.

    Raises:
        ValueError: it is not a batch of values of the space, or not one of `num_rows`.
    """

    def leaf(part: Space[Any], values: Any) -> Any:
        batch = values if isinstance(part, _ARRAYS) else tuple(part.from_jsonable(json.loads(values)))
        if isinstance(part, _ARRAYS):
            like = empty(part, 1)
            if not isinstance(batch, np.ndarray) or (batch.dtype, batch.shape[1:]) != (
                like.dtype,
                like.shape[1:],
            ):
                raise WrongValue(
                    f"The values of {part} must be {like.dtype} of shape {('N', *like.shape[1:])}."
                )
        if num_rows is not None and len(batch) != num_rows:
            raise WrongValue(f"There must be {num_rows} values of {part}, not {len(batch)}.")
        return batch

    return _map(leaf, space, plain)


def _map(leaf: Callable[..., Any], space: Space[Any], *batches: Any) -> Any:
    """Calls a function for each part of a space that has no parts of its own, with the batches of that part."""
    if isinstance(space, spaces.Dict):
        for batch in batches:
            if not isinstance(batch, Mapping) or set(batch) != set(space.spaces):
                raise WrongValue(
                    f"A value of {space} must have the keys {', '.join(map(repr, space.spaces))}."
                )
        return {
            key: _map(leaf, part, *(batch[key] for batch in batches)) for key, part in space.spaces.items()
        }
    if isinstance(space, spaces.Tuple):
        for batch in batches:
            if not isinstance(batch, tuple | list) or len(batch) != len(space.spaces):
                raise WrongValue(f"A value of {space} must have {len(space.spaces)} parts.")
        return tuple(
            _map(leaf, part, *(batch[place] for batch in batches)) for place, part in enumerate(space.spaces)
        )
    return leaf(space, *batches)
