"""The task: a skill with its parameters fixed, as a small value to compare, hash, save and count."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import pickle
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from taskworlds.core import json_text
from taskworlds.core.errors import WrongType, WrongValue

if TYPE_CHECKING:
    import metaworld.types

__all__ = ["VARIATION", "Params", "Task", "by_skill"]

VARIATION = "variation"
"""The parameter by which a task says which part of a suite of variations it belongs to. It changes nothing else."""

_T = TypeVar("_T")


class Params(Mapping[str, Any]):
    """Read-only, hashable mapping of a task's parameters, kept in alphabetical order.

    Values are str, int, float, bool, None, and tuples of these. Lists, tuples and NumPy arrays given become
    tuples of Python numbers.

    Raises:
        TypeError: a name is not a string, or a value is of another type.
        ValueError: a number is NaN, infinite or too large for a float, or tuples are nested too deep.
    """

    __slots__ = ("_items", "_text")
    _items: dict[str, Any]
    _text: str  # canonical JSON: what equality, hash and the task's id rest on, so that they always agree

    def __init__(self, values: Mapping[str, Any]) -> None:
        for name in values:
            if not isinstance(name, str):
                raise WrongType(f"A task's parameters must be named by strings, not {name!r}.")
        self._items = {name: _plain(name, values[name]) for name in sorted(values)}
        self._text = json.dumps(self._items, separators=(",", ":"), allow_nan=False)

    def __getitem__(self, name: str) -> Any:
        try:
            return self._items[name]
        except KeyError:
            raise KeyError(
                f"{name!r} is not a parameter of this task; it has {', '.join(self._items) or 'none'}"
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(self._text)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Params) else NotImplemented

    def __reduce__(self) -> tuple[Any, ...]:
        return Params, (dict(self._items),)

    def __repr__(self) -> str:
        return repr(self._items)


_DEEPEST = 8  # tuples within tuples
_BEYOND_FLOATS = 2**1023


def _plain(name: str, value: Any, depth: int = 0) -> Any:
    """Turns a parameter's value into hashable Python data, exactly."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        if depth == _DEEPEST:
            raise WrongValue(f"A task's parameter {name!r} must not be nested deeper than {_DEEPEST} lists.")
        values = tuple(_plain(name, item, depth + 1) for item in value)
        # One number kind per tuple, so that (0, 0.5) and (0.0, 0.5) are the same task with the same id.
        if any(isinstance(item, float) for item in values):
            values = tuple(float(item) if type(item) is int else item for item in values)
        return values
    if isinstance(value, float):
        if not math.isfinite(value):
            raise WrongValue(f"A task's parameter {name!r} must be finite, not {value!r}.")
        return value + 0.0  # -0.0 and 0.0 are one value, so they get one text and one id
    if isinstance(value, int) and abs(value) >= _BEYOND_FLOATS:
        raise WrongValue(
            f"A task's parameter {name!r} must be a number that fits into a float, below 1.8e308."
        )
    if value is None or isinstance(value, str | int | bool):
        return value
    raise WrongType(
        f"A task's parameter {name!r} must be a number, a string, or a list of them, not "
        f"{type(value).__name__}."
    )


@dataclass(frozen=True)
class Task:
    """A skill with its parameters fixed: what `sample_tasks` returns and `set_task` takes.

    Frozen, hashable and comparable; equal tasks have equal ids on every machine.

    Args:
        env_name: the skill, for example "drawer-open-v3".
        params: what is fixed, by name. A Meta-World task has `rand_vec`, a tuple of 3 or 6 floats (metres)
            that places the object and the goal, and `partially_observable`, whether the goal is hidden from
            the observation.

    Example:
        >>> goal = (0.0, 0.6, 0.02, 0.1, 0.8, 0.2)
        >>> task = Task("reach-v3", {"rand_vec": goal, "partially_observable": False})
        >>> task == Task.from_json(task.to_json())
        True
        >>> task["rand_vec"][:3], task.id
        ((0.0, 0.6, 0.02), '9101a5bde0bd')
    """

    env_name: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.env_name, str):
            raise WrongType(f"env_name must be a string, not {self.env_name!r}.", argument="env_name")
        if not isinstance(self.params, Mapping):
            raise WrongType(
                f"params must be a mapping of names to values, not {self.params!r}.", argument="params"
            )
        if not isinstance(self.params, Params):
            object.__setattr__(self, "params", Params(self.params))

    def __getitem__(self, name: str) -> Any:
        """Returns one parameter: `task["rand_vec"]`."""
        return self.params[name]

    @functools.cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on the skill and the parameters alone."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    def to_json(self) -> str:
        """Returns the task as one line of JSON, with every float exact. Equal tasks give equal text."""
        return json.dumps(self._as_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Makes a task from the text that `to_json` returned.

        Args:
            text: the JSON.

        Raises:
            ValueError: the text is not a task's.
        """
        return cls.from_dict(json_text.parse(text, "a task's JSON"))

    def _as_dict(self) -> dict[str, Any]:
        return {"env_name": self.env_name, "params": dict(self.params)}

    @classmethod
    def from_dict(cls, data: Any) -> Task:
        """Makes a task from what the JSON of `to_json` holds.

        Args:
            data: a dictionary of "env_name" and "params".

        Raises:
            ValueError: it is not a task's.
        """
        if not isinstance(data, dict) or set(data) != {"env_name", "params"}:
            raise WrongValue(
                f"A task's JSON is an object with env_name and params, not {reprlib.repr(data)}."
            )
        try:
            return cls(data["env_name"], data["params"])
        except TypeError as error:
            raise WrongValue(f"This is not a task's JSON: {error}") from None

    @classmethod
    def from_metaworld(cls, task: metaworld.types.Task) -> Task:
        """Converts one of Meta-World's own tasks.

        Meta-World keeps its tasks' data pickled, so this unpickles bytes: only pass objects that Meta-World
        made in this process.

        Args:
            task: a task of `metaworld`'s, with `env_name` and `data`.

        Raises:
            TypeError: `task` is not one of Meta-World's.
        """
        if not (hasattr(task, "env_name") and isinstance(getattr(task, "data", None), bytes)):
            raise WrongType(f"Expected a metaworld Task (env_name and data), not {task!r}.")
        data = pickle.loads(task.data)
        data.pop("env_cls", None)
        return cls(task.env_name, data)

    def to_metaworld(self) -> metaworld.types.Task:
        """Returns the task as one of Meta-World's own, for their environments' `set_task`.

        Raises:
            ValueError: the task is not a Meta-World skill's.
        """
        import metaworld.types  # loads MuJoCo, which tasks as such can do without

        return metaworld.types.Task(env_name=self.env_name, data=self.data)

    @functools.cached_property
    def data(self) -> bytes:
        """The parameters as Meta-World pickles them: its own environments' `set_task` takes this task."""
        from metaworld.env_dict import ALL_V3_ENVIRONMENTS  # as above

        if self.env_name not in ALL_V3_ENVIRONMENTS:
            raise WrongValue(
                f"{self.env_name!r} is not a Meta-World skill, so Meta-World cannot take this task."
            )
        if "rand_vec" not in self.params:
            raise WrongValue(
                f"Meta-World cannot take this task of {self.env_name}: it must have the parameter rand_vec, "
                f"and has {', '.join(self.params) or 'none'}."
            )
        others = sorted(set(self.params) - {"rand_vec", "partially_observable"})
        if others:
            raise WrongValue(
                f"Meta-World cannot take this task of {self.env_name}, since its own environments do not know "
                f"{', '.join(others)}. Leave these out, or make the environment with taskworlds.make."
            )
        params = dict(self.params)
        params["rand_vec"] = np.array(params["rand_vec"], dtype=np.float64)
        return pickle.dumps(params | {"env_cls": ALL_V3_ENVIRONMENTS[self.env_name]})

    @classmethod
    def of(cls, task: Any) -> Task:
        """Returns `task` itself if it is a `Task`, and converts one of Meta-World's own.

        Args:
            task: either. One of Meta-World's own is unpickled, as in `from_metaworld`.

        Raises:
            TypeError: it is neither.
        """
        if isinstance(task, Task):
            return task
        if hasattr(task, "env_name") and isinstance(getattr(task, "data", None), bytes):
            return cls.from_metaworld(task)
        raise WrongType(f"Expected a taskworlds.Task or one of Meta-World's own tasks, not {task!r}.")


def by_skill(items: Iterable[_T], env_name: Callable[[_T], str]) -> dict[str, tuple[_T, ...]]:
    """Returns tasks, or what belongs to tasks, by skill, in the order of each skill's first one.

    Args:
        items: tasks, or records of tasks.
        env_name: tells an item's skill.

    Example:
        >>> by_skill(["push 1", "reach 1", "push 2"], lambda item: item.split()[0])
        {'push': ('push 1', 'push 2'), 'reach': ('reach 1',)}
    """
    found: dict[str, list[_T]] = {}
    for item in items:
        found.setdefault(env_name(item), []).append(item)
    return {name: tuple(each) for name, each in found.items()}
