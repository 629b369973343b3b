"""`PythonRow`: the template of the environment of one row, for the engines "sync" and "async".

What an author writes is how an episode begins and how it goes on. Tasks, idle rows, questions about the environment
inside and exact states are the template's.
"""

from __future__ import annotations

import abc
import copy
import hashlib
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import batch_space, create_empty_array, iterate
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue
from taskworlds.core.task import Task
from taskworlds.rendering.views import Views

__all__ = ["PythonRow"]

Begun = tuple[Any, dict[str, Any]]
"""The first observation, and info."""
Advanced = tuple[Any, float, bool | None, dict[str, Any]]
"""The observation, the reward, whether the step ended the episode, and what the world reports of the step."""


class PythonRow(gym.Env[Any, Any], abc.ABC):
    """One environment of a batch, which can hold any task of its world.

    A subclass has `observation_space` and `action_space`, and defines `begin` and `advance`. It may also define
    `picture`, and `inner` if it wraps an environment; and `get_state` and `set_state`, if plain attributes do not hold
    all of its state. A constructor, if there is one, takes the world's `settings` as keywords.

    The methods of Gymnasium's API are made of these, for `taskworlds.rows.gymnasium_rows.GymnasiumRows`; a row is not
    made for use by itself. It keeps no clock and never reports the end of an episode, except as "terminated" in info.

    Attributes:
        task: the task of the episode at hand; None before the first reset. It is set before `begin` and `set_state`
            are called.
        next_task: the task of the next reset; None to keep the one at hand.
        idle: whether the next step is to be skipped.
        value: what `write` writes, the state that `put_state` goes to, or the views that `look_at_value` shows.
        has_cameras: whether `look` draws with OpenGL.

    Example:
        >>> from gymnasium.spaces import Dict, Discrete
        >>> class Corridor(PythonRow):
        ...     action_space = Discrete(2)
        ...     observation_space = Dict({"place": Discrete(9)})
        ...
        ...     def begin(self, task, seed):
        ...         self.place = 4
        ...         return {"place": np.int64(self.place)}, {}
        ...
        ...     def advance(self, action):
        ...         self.place = min(max(self.place + (1 if action == 1 else -1), 0), 8)
        ...         done = self.place == self.task["door"]
        ...         return {"place": np.int64(self.place)}, float(done), done, {"success": done}
        >>> row = Corridor()
        >>> row.next_task = Task("corridor", {"door": 5})
        >>> row.reset()
        ({'place': np.int64(4)}, {})
        >>> row.step(1)
        ({'place': np.int64(5)}, 1.0, False, False, {'success': 1.0, 'terminated': True})
    """

    # Class attributes, so that a subclass's constructor need not call this one's.
    task: Task | None = None
    next_task: Task | None = None
    idle: bool = False
    value: Any = None
    has_cameras: ClassVar[bool] = False
    _obs: Any = None
    _goal: Any = None

    # --- what an author defines -----------------------------------------------------------------------------

    @abc.abstractmethod
    def begin(self, task: Task, seed: int | None) -> Begun:
        """Starts an episode.

        Args:
            task: its task.
            seed: decides the start, beside the task. 0 in worlds without random starts; None continues with the
                generator at hand, and is never given by a vector environment.

        Returns:
            The first observation, and info: a dictionary with "goal", (G,), if the world has goals, else empty.
        """

    @abc.abstractmethod
    def advance(self, action: Any) -> Advanced:
        """Takes one step.

        Args:
            action: an element of the action space, or for a Box an array of its shape, also outside its bounds.

        Returns:
            The observation; the reward; whether the step ended the episode (None in a world where no step ever does);
            and what the world reports of the step: numbers by name, the same names in every step, with "success" if
            the world has success, and "goal" only if the goal moves.
        """

    def picture(self) -> Any:
        """Returns the picture of the present state, as `render_mode` asks for."""
        raise NotImplementedError(
            f"{type(self).__name__} has no pictures: define picture(), or leave render_modes out of the World."
        )

    def look(self, views: Views) -> tuple[NDArray[Any], ...]:
        """Returns the pictures of the present state that are observed: `picture()`, unless there are cameras.

        A row of a world with cameras defines it, and sets `has_cameras`.

        Args:
            views: which pictures, and how they are taken; see `taskworlds.rows.protocol.Rows.pictures`.
        """
        return (self.picture(),)

    @property
    def inner(self) -> Any:
        """The environment that the row wraps, for those who know it; None if there is none, or none yet."""
        return None

    def get_state(self) -> dict[str, Any]:
        """Returns everything that decides the row's future beside the task, as a dictionary of plain data.

        Plain data are numbers, strings, None, NumPy arrays, and lists, tuples and dictionaries of these. The names
        "task", "obs", "goal" and "checksum" are the template's. The result may hold the row's own arrays: the caller
        copies it.

        By default these are the attributes of the row, and of the environments that it wraps, as far as they are plain
        data or NumPy generators. All others (spaces, windows, functions) are taken to be fixed by the constructor. A
        row that changes other objects must define this method and `set_state`.
        """
        return {"attributes": [_attributes(each) for each in _layers(self)]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes to a state that `get_state` returned, of this or another row; `task` is set already.

        Args:
            state: a copy, whose parts the row may keep.
        """
        for each, saved in zip(_layers(self), state["attributes"], strict=True):
            for name, value in saved.items():
                vars(each)[name] = _restored(value, vars(each).get(name))

    # --- Gymnasium's API, made of these ---------------------------------------------------------------------

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Begun:
        """Starts an episode of `next_task`, or of the task at hand if that is None.

        Args:
            seed: see `begin`.
            options: are ignored.

        Returns:
            The first observation, and info; see `begin`.

        Raises:
            RuntimeError: the row was given no task yet.
        """
        task, self.next_task = self.next_task or self.task, None
        if task is None:
            raise RuntimeError("The row has no task yet: set next_task before the first reset.")
        self.task = task
        try:
            self._obs, info = self.begin(task, seed)
        except BaseException:
            self.task = None  # there is no episode to go on with
            raise
        self._goal = info.get("goal")
        return self._obs, info | self._told_goal()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Takes one step, unless `idle` was set for it; then it returns the last observation, reward 0 and no info.

        Args:
            action: a value of `action_space`; ignored where `idle` was set.

        Returns:
            Observation, reward (float), terminated and truncated, which are always False since the batch ends episodes,
            and info: the terms that `advance` returned, "goal" in worlds with goals, and "terminated" unless `advance`
            returned None for it.

        Raises:
            RuntimeError: there was no reset yet.
        """
        if self.idle:
            self.idle = False
            if self._obs is None:  # the row was never reset
                space = self.observation_space
                self._obs = next(iter(iterate(batch_space(space, 1), create_empty_array(space, 1))))
            return self._obs, 0.0, False, False, {}
        if self.task is None:
            raise RuntimeError("The row has no episode yet: call reset() before step().")
        self._obs, reward, terminated, terms = self.advance(action)
        self._goal = terms.pop("goal", self._goal)
        info: dict[str, Any] = {name: float(value) for name, value in terms.items()}
        info |= self._told_goal()
        if terminated is not None:
            info["terminated"] = bool(terminated)
        return self._obs, float(reward), False, False, info

    def _told_goal(self) -> dict[str, Any]:
        """Returns what info and state say of the goal: (G,) float64, a copy; nothing where there is none."""
        return {} if self._goal is None else {"goal": np.array(self._goal, dtype=np.float64)}

    def render(self) -> Any:
        """Returns `picture()`."""
        return self.picture()

    # --- exact state ----------------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any] | None:
        """Everything that decides the row's future, as plain data of the caller's own; None before the first reset.

        Setting it puts the row exactly there, in this or another process: the next steps are equal to the last bit. It
        has a checksum, since nothing else tells whether the attributes of an author's row were changed since.

        Raises:
            ValueError: a state that is set is not as it was taken.
        """
        if self.task is None:
            return None
        state = {"task": self.task.to_json(), "obs": self._obs, **self._told_goal()}
        state = copy.deepcopy(self.get_state() | state)
        return state | {_CHECKSUM: _checksum(state)}

    @state.setter
    def state(self, state: dict[str, Any] | None) -> None:
        if state is None:
            self.task = None
            return
        state = copy.deepcopy(state)
        if state.pop(_CHECKSUM, None) != _checksum(state):
            raise WrongValue(
                f"{_CHECKSUM} does not fit the state of a row, so it was changed after it was taken."
            )
        self.task = Task.from_json(state["task"])
        self._obs, self._goal = state["obs"], state.get("goal")
        self.set_state(state)

    # --- questions from the batch ---------------------------------------------------------------------------
    # A process of AsyncVectorEnv ends with what it raises, so these return an error beside the outcome.

    def ask(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Exception | None, Any]:
        """Calls a method of the environment inside, or reads a value.

        Args:
            name: the method or the attribute.
            args: what the method is called with; a value takes no notice of them.
            kwargs: likewise, by keyword.

        Returns:
            The error, which is not raised, and None; or None and the outcome.
        """
        try:
            value = getattr(self._asked(), name)
            return None, value(*args, **kwargs) if callable(value) else value
        except Exception as error:
            return error, None

    def read(self, name: str) -> tuple[Exception | None, Any]:
        """Reads an attribute of the environment inside, but not a method.

        Args:
            name: the attribute.

        Returns:
            What `ask` returns: an AttributeError if there is no such attribute, or if it is a method.
        """
        try:
            value = getattr(self._asked(), name)
        except Exception as error:
            return error, None
        if callable(value):
            return AttributeError(
                f"{name!r} is a method of the official environment, not a value: `call({name!r}, ...)` of the batch "
                "calls it"
            ), None
        return None, value

    def write(self, name: str) -> tuple[Exception | None, Any]:
        """Sets an attribute that the environment inside has to `value`.

        Args:
            name: the attribute.

        Returns:
            What `ask` returns: an AttributeError if there is no such attribute; the outcome is always None.
        """
        try:
            asked = self._asked()
            getattr(asked, name)
            setattr(asked, name, self.value)
        except Exception as error:
            return error, None
        return None, None

    def look_at_value(self) -> tuple[Exception | None, Any]:
        """Returns the pictures of the views in `value`, None where that is None, as `ask` returns a value."""
        try:
            return None, None if self.value is None else self.look(self.value)
        except Exception as error:
            return error, None

    def put_state(self) -> tuple[Exception | None, Any]:
        """Goes to the state in `value`, or stays where it is if it cannot; returns what `ask` returns."""
        before = self.state
        try:
            self.state = self.value
        except Exception as error:
            self.state = before
            return error, None
        return None, None

    def _asked(self) -> Any:
        """Returns the environment inside, or the row itself if there is none."""
        inner = self.inner
        if inner is None and self.task is None:
            raise RuntimeError("There is no environment to look into yet: call reset() first.")
        return self if inner is None else inner


# --- plain attributes as a state ----------------------------------------------------------------------------

# What the template keeps by itself, and what a constructor was told about pictures.
_NOT_STATE = frozenset(
    {"task", "next_task", "idle", "value", "_obs", "_goal", "metadata", "render_mode", "spec"}
)
_CHECKSUM = "checksum"
_GENERATOR = "bit_generator"  # a key of the state of NumPy's generators


def _layers(row: PythonRow) -> list[Any]:
    """Returns the row, the environment that it wraps, and so on to the innermost."""
    layers, inner = [row], row.inner
    while inner is not None:
        layers.append(inner)
        inner = inner.env if isinstance(inner, gym.Wrapper) else None
    return layers


def _attributes(env: Any) -> dict[str, Any]:
    """Returns the attributes of an environment that are plain data or generators; these by their state."""
    return {
        name: value.bit_generator.state if isinstance(value, np.random.Generator) else value
        for name, value in vars(env).items()
        if name not in _NOT_STATE and (_is_plain(value) or isinstance(value, np.random.Generator))
    }


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(each) for each in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "biufcUS"
    return value is None or isinstance(value, bool | int | float | str)


def _checksum(state: dict[str, Any]) -> str:
    """Returns a checksum of plain data: of all names, types and bits in it."""
    found = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                found.update(f"{key!r}:".encode(errors="backslashreplace"))
                add(each)
        elif isinstance(value, list | tuple):
            found.update(f"{type(value).__name__} {len(value)} ".encode())
            for each in value:
                add(each)
        elif isinstance(value, np.ndarray | np.generic):
            found.update(f"{value.dtype.str} {value.shape} ".encode())
            found.update(value.tobytes())
        else:
            found.update(f"{type(value).__name__} {value!r} ".encode(errors="backslashreplace"))

    add(state)
    return found.hexdigest()[:16]


def _restored(saved: Any, present: Any) -> Any:
    """Returns an attribute's value, from what `_attributes` made of it and the value at present."""
    if not (isinstance(saved, dict) and _GENERATOR in saved):
        return saved
    kind = getattr(np.random, saved[_GENERATOR])
    if not (isinstance(present, np.random.Generator) and isinstance(present.bit_generator, kind)):
        present = np.random.Generator(kind())
    present.bit_generator.state = saved
    return present
