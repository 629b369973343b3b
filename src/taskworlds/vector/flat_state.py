"""Nested plain data as a flat dictionary of arrays, which NumPy saves and loads without pickle.

Arrays stay arrays, under names of their own; everything else becomes one text, JSON, under `DATA`, which also says of
which shape and dtype each array is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["from_arrays", "to_arrays"]

DATA = "data"


def to_arrays(data: Any) -> dict[str, NDArray[Any]]:
    """Turns dictionaries, lists, tuples, numbers, strings, None and arrays into a dictionary of arrays.

    Example:
        >>> flat = to_arrays({"x": np.arange(3), "deep": [1, (2.5, None), np.float32(4)]})
        >>> sorted(flat), from_arrays(flat)
        (['data', 'deep/2', 'x'], {'x': array([0, 1, 2]), 'deep': [1, (2.5, None), np.float32(4.0)]})
    """
    arrays: dict[str, NDArray[Any]] = {}
    text = json.dumps(_packed(data, "", arrays))
    return arrays | {DATA: np.array(text)}


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Gives back what `to_arrays` was given. Arrays are not copied.

    Raises:
        ValueError: the dictionary is not one that `to_arrays` gave, or not all of it, or an array in it is of another
            shape or dtype now.
    """
    try:
        return _unpacked(json.loads(str(arrays[DATA])), arrays)
    except (AttributeError, KeyError, TypeError, IndexError, ValueError):
        raise ValueError("This is not a state that get_state gave, or only a part of one.") from None


# In JSON a dictionary is an object; all else that JSON has no form of its own for is an object with one of these keys.
_ARRAY, _NUMBER, _TUPLE = "<array>", "<number>", "<tuple>"


def _packed(data: Any, name: str, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(data, np.ndarray | np.generic):
        at = name or "array"
        arrays[at] = array = np.array(data)
        return {_ARRAY if isinstance(data, np.ndarray) else _NUMBER: [at, array.dtype.str, list(array.shape)]}
    inside = f"{name}/" if name else ""
    if isinstance(data, Mapping):
        return {key: _packed(value, f"{inside}{key}", arrays) for key, value in data.items()}
    if isinstance(data, list | tuple):
        items = [_packed(value, f"{inside}{i}", arrays) for i, value in enumerate(data)]
        return {_TUPLE: items} if isinstance(data, tuple) else items
    return data


def _unpacked(data: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(data, list):
        return [_unpacked(value, arrays) for value in data]
    if not isinstance(data, dict):
        return data
    if _ARRAY in data:
        return _array(arrays, *data[_ARRAY])
    if _NUMBER in data:
        return _array(arrays, *data[_NUMBER])[()]
    if _TUPLE in data:
        return tuple(_unpacked(value, arrays) for value in data[_TUPLE])
    return {key: _unpacked(value, arrays) for key, value in data.items()}


def _array(arrays: Mapping[str, NDArray[Any]], name: str, dtype: str, shape: list[int]) -> NDArray[Any]:
    array = arrays[name]
    if (array.dtype.str, list(array.shape)) != (dtype, shape):
        raise ValueError(f"{name} is {array.dtype} of shape {array.shape}.")
    return array
