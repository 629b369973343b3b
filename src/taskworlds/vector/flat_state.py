"""Nested plain data as a flat dictionary of arrays, which NumPy saves and loads without pickle.

Arrays stay arrays, under names of their own. Tasks stand once each in two lists: `LISTED`, which is packed once and
kept, and `OTHERS`. Everything else becomes one text, JSON, under `DATA`, which also tells the shape and dtype of each
array and the number of each task.
"""

from __future__ import annotations

import functools
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core import json_text
from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task

__all__ = ["NOT_A_STATE", "TaskList", "check_array", "check_finite", "from_arrays", "to_arrays"]

_DENSEST = 8  # so many times smaller packed tasks may be than their text

DATA, LISTED, OTHERS = "data", "tasks/listed", "tasks/others"

NOT_A_STATE = "This is not a state that get_state returned, or it is only part of one"


class TaskList:
    """Different tasks in an order, packed: each one's number is its place.

    Args:
        tasks: the tasks; equal ones count as one.

    Attributes:
        tasks: the tasks, each once.
        numbers: the number of each.
    """

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        self.tasks = list(dict.fromkeys(tasks))
        self.numbers = {task: number for number, task in enumerate(self.tasks)}
        self._packed: NDArray[np.uint8] | None = None

    def number(self, task: Task) -> int:
        """Returns the number of a task, which is added if it is new."""
        number = self.numbers.get(task)
        if number is None:
            number = self.numbers[task] = len(self.tasks)
            self.tasks.append(task)
            self._packed = None
        return number

    @property
    def packed(self) -> NDArray[np.uint8]:
        """The tasks as JSON, compressed unless that makes it smaller than a `_DENSEST`th; read-only."""
        if self._packed is None:
            text = json.dumps([[task.env_name, dict(task.params)] for task in self.tasks]).encode()
            dense = zlib.compress(text)
            fits = len(text) <= _DENSEST * len(dense)
            self._packed = np.frombuffer(dense if fits else text, dtype=np.uint8)
        return self._packed

    @classmethod
    def unpacked(cls, packed: NDArray[Any]) -> TaskList:
        """Returns the list that was packed.

        Raises:
            ValueError: it is not a packed list.
        """
        if packed.dtype != np.uint8 or packed.ndim != 1:
            raise WrongValue(
                f"Packed tasks must be bytes, (B,) uint8, not {packed.dtype} of shape {packed.shape}."
            )
        text = packed.tobytes()
        try:
            if not text.startswith(b"["):
                text = _decompressed(text, _DENSEST * len(text))
            rows = json_text.parse(text, "a list of tasks")
            tasks = [Task(name, params) for name, params in rows]
        except (zlib.error, TypeError, ValueError) as error:
            raise WrongValue(f"These are not packed tasks: {error}") from None
        found = cls(tasks)
        if len(found.tasks) != len(tasks):
            raise WrongValue("These are not packed tasks: one is there twice.")
        return found


def _decompressed(data: bytes, most: int) -> bytes:
    """Returns what was compressed; raises ValueError if there are more than `most` bytes of it."""
    stream = zlib.decompressobj()
    text = stream.decompress(data, most)
    if not stream.eof or stream.unused_data:
        raise WrongValue("the list is cut off, or larger than such a list can be")
    return text


def to_arrays(data: Any, listed: TaskList | None = None) -> dict[str, NDArray[Any]]:
    """Returns dictionaries, lists, tuples, numbers, strings, None, tasks and arrays as a dictionary of arrays.

    Args:
        data: what to turn into arrays. Its arrays are copied.
        listed: a list of tasks in the data, whose tasks need not be packed once more where they stand elsewhere.

    Example:
        >>> flat = to_arrays({"x": np.arange(3), "deep": [1, (2.5, None), np.float32(4)]})
        >>> sorted(flat), from_arrays(flat)
        (['data', 'deep/2', 'x'], {'x': array([0, 1, 2]), 'deep': [1, (2.5, None), np.float32(4.0)]})
    """
    arrays: dict[str, NDArray[Any]] = {}
    others = TaskList()
    text = json.dumps(_packed(data, "", arrays, listed or TaskList(), others))
    if others.tasks:
        arrays[OTHERS] = others.packed.copy()
    return arrays | {DATA: np.array(text)}


def from_arrays(arrays: Mapping[str, NDArray[Any]], listed: TaskList | None = None) -> Any:
    """Returns what `to_arrays` was given. Arrays are not copied.

    Args:
        arrays: what `to_arrays` gave.
        listed: a list that is taken instead of unpacking the one in the dictionary, if that is the same.

    Raises:
        ValueError: the dictionary is not one that `to_arrays` gave, or not all of it, or an array in it is of another
            shape or dtype now.
    """
    try:
        text = arrays[DATA]
        if not isinstance(text, np.ndarray) or text.dtype.kind != "U" or text.shape != ():
            raise WrongValue(f"{DATA} must be one text.")
        return _unpacked(json_text.parse(text.item(), "a state"), arrays, _Tasks(arrays, listed))
    except (AttributeError, KeyError, TypeError, IndexError, ValueError, RecursionError):
        raise WrongValue(f"{NOT_A_STATE}.") from None


def check_array(state: Mapping[str, Any], name: str, like: NDArray[Any], num_rows: int) -> None:
    """Raises ValueError unless an entry of a state is an array with one entry for each row, of finite numbers.

    Args:
        state: the state of a part.
        name: the entry.
        like: an array of the same dtype and, but for the number of rows, of the same shape.
        num_rows: rows of the state.
    """
    values = state[name]
    shape = (num_rows, *like.shape[1:])
    if not isinstance(values, np.ndarray) or (values.dtype, values.shape) != (like.dtype, shape):
        raise WrongValue(f"{NOT_A_STATE}: {name} must be {like.dtype} of shape {shape}.")
    if values.dtype.kind == "b" and values.size and values.view(np.uint8).max() > 1:
        raise WrongValue(f"{NOT_A_STATE}: {name} must be True and False.")
    check_finite(name, values)


def check_finite(name: str, values: NDArray[Any]) -> None:
    """Raises ValueError if one of the numbers is NaN or infinite."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise WrongValue(
            f"The state cannot be restored: its {name} holds a number that is not finite, at "
            f"{np.argwhere(~np.isfinite(values))[0].tolist()}: take a state before the simulation breaks down."
        )


# In JSON a dictionary is an object; all else that JSON has no form of its own for is an object with one of these keys.
_ARRAY, _NUMBER, _TUPLE = "<array>", "<number>", "<tuple>"
_TASKS, _LISTED, _OTHER = "<tasks>", "<listed>", "<other>"


class _Tasks:
    """The tasks in a dictionary of arrays; each list is unpacked when it is used first."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], known: TaskList | None) -> None:
        self._arrays = arrays
        self._known = known

    @functools.cached_property
    def listed(self) -> TaskList:
        packed = np.asarray(self._arrays[LISTED])
        known = self._known
        if known is not None and packed.dtype == np.uint8 and np.array_equal(packed, known.packed):
            return known
        return TaskList.unpacked(packed)

    @functools.cached_property
    def others(self) -> TaskList:
        return TaskList.unpacked(np.asarray(self._arrays[OTHERS]))


def _packed(data: Any, name: str, arrays: dict[str, NDArray[Any]], listed: TaskList, others: TaskList) -> Any:
    if isinstance(data, np.ndarray | np.generic):
        at = name or "array"
        arrays[at] = array = np.array(data)
        return {_ARRAY if isinstance(data, np.ndarray) else _NUMBER: [at, array.dtype.str, list(array.shape)]}
    if isinstance(data, TaskList):
        arrays[LISTED] = data.packed.copy()
        return {_TASKS: LISTED}
    if isinstance(data, Task):
        number = listed.numbers.get(data)
        return {_OTHER: others.number(data)} if number is None else {_LISTED: number}
    inside = f"{name}/" if name else ""
    if isinstance(data, Mapping):
        return {key: _packed(value, f"{inside}{key}", arrays, listed, others) for key, value in data.items()}
    if isinstance(data, list | tuple):
        items = [_packed(value, f"{inside}{i}", arrays, listed, others) for i, value in enumerate(data)]
        return {_TUPLE: items} if isinstance(data, tuple) else items
    return data


def _unpacked(data: Any, arrays: Mapping[str, NDArray[Any]], tasks: _Tasks) -> Any:
    if isinstance(data, list):
        return [_unpacked(value, arrays, tasks) for value in data]
    if not isinstance(data, dict):
        return data
    if _ARRAY in data:
        return _array(arrays, *data[_ARRAY])
    if _NUMBER in data:
        return _array(arrays, *data[_NUMBER])[()]
    if _TUPLE in data:
        return tuple(_unpacked(value, arrays, tasks) for value in data[_TUPLE])
    if _TASKS in data:
        return tasks.listed
    if _LISTED in data:
        return _at(tasks.listed.tasks, data[_LISTED])
    if _OTHER in data:
        return _at(tasks.others.tasks, data[_OTHER])
    return {key: _unpacked(value, arrays, tasks) for key, value in data.items()}


def _at(tasks: list[Task], number: int) -> Task:
    if number < 0:
        raise IndexError("A task's number is at least 0.")
    return tasks[number]


def _array(arrays: Mapping[str, NDArray[Any]], name: str, dtype: str, shape: list[int]) -> NDArray[Any]:
    array = arrays[name]
    if not isinstance(array, np.ndarray):
        raise WrongValue(f"{name} is not an array.")
    if (array.dtype.str, list(array.shape)) != (dtype, shape):
        raise WrongValue(f"{name} is {array.dtype} of shape {array.shape}.")
    return array
