"""Attributes of rows in other processes are copies. What is read of them here cannot be written to, lest it do nothing.

The rows of the engine "async" are asked through pipes: `env.model.cam_pos[2] = 0.5` would change an array that nobody
looks at.
"""

from __future__ import annotations

import copy
from typing import Any

import gymnasium as gym
import numpy as np

from taskworlds.core.task import Task

__all__ = ["Copied", "read_only"]

_PLAIN = (type(None), bool, int, float, complex, str, bytes, np.generic, Task, gym.Space, type)


def read_only(value: Any) -> Any:
    """Returns a copy of a value whose arrays, at any depth, cannot be written to; objects become `Copied`.

    Example:
        >>> low = read_only({"low": np.zeros(3)})["low"]
        >>> low[0] = 1.0
        Traceback (most recent call last):
        ValueError: assignment destination is read-only
    """
    if isinstance(value, np.ndarray):
        array = value.copy()
        array.flags.writeable = False
        return array
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(read_only(each) for each in value)
    if type(value) is dict:
        return {key: read_only(each) for key, each in value.items()}
    return Copied(value)


class Copied:
    """A copy of an object of another process, such as MuJoCo's model: it can be read, but not changed.

    Args:
        value: the copy.
    """

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        object.__setattr__(self, "_value", value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"a copied {type(self._value).__name__} has no {name!r}")
        found = getattr(self._value, name)
        if callable(found):
            return lambda *args, **kwargs: read_only(found(*args, **kwargs))
        return read_only(found)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"{name!r} cannot be set to {value!r} here: this is a copy of the {type(self._value).__name__} of a row in "
            "another process, and the row would not notice. Make the environment with "
            'vector_strategy="sync", whose rows are in this process.'
        )

    def __copy__(self) -> Any:
        return copy.copy(self._value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self._value, memo)

    def __repr__(self) -> str:
        return f"<read-only copy of {self._value!r}>"
