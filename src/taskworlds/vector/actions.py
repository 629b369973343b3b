"""The checks of actions, of any of Gymnasium's spaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from taskworlds.core import batches
from taskworlds.core.errors import WrongType, WrongValue
from taskworlds.vector._batch import ready

__all__ = ["Actions", "FlatActions", "make_actions"]

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def make_actions(space: gym.Space[Any], num_rows: int) -> Actions:
    """Returns the checks of the actions of N rows, each of a space."""
    flat = isinstance(space, spaces.Box) and len(space.shape) == 1 and space.dtype.kind == "f"
    return FlatActions(space, num_rows) if flat else Actions(space, num_rows)


class Actions:
    """The checks of the actions of N rows, each of any space.

    Args:
        space: a row's action.
        num_rows: how many rows, N.
    """

    def __init__(self, space: gym.Space[Any], num_rows: int) -> None:
        self.space = space
        self._num_rows = num_rows
        dims = batches.chunk_dims(space)
        self._chunk_dims = -1 if dims is None else dims + 1  # of the actions of several steps of all rows

    def is_chunk(self, actions: Any) -> bool:
        """Returns whether these are the actions of several steps: an array with one dimension more than a batch's."""
        return batches.num_dims(actions) == self._chunk_dims

    def take_chunk(self, actions: Any) -> NDArray[Any]:
        """Returns a copy of the actions of T steps, (N, T, ...), whose rows may all be asked for.

        Raises:
            TypeError: they are of another type.
            ValueError: they are of another shape, or T is 0.
        """
        return self._take_array("actions", self.space, actions, chunk=True)

    def chunk_ready(self, actions: NDArray[Any], rows: NDArray[np.bool_], running: NDArray[np.bool_]) -> bool:
        """Returns whether all `rows` are running, and can take each of their actions, (N, T, ...)."""
        return all(self.ready(actions[:, step], rows, running) for step in range(actions.shape[1]))

    def take(self, actions: Any) -> Any:
        """Returns a copy of the caller's actions, as a batch of the space.

        Raises:
            TypeError: they are of another type.
            ValueError: they are of another shape, or made otherwise.
        """
        return self._take("actions", self.space, actions)

    def ready(self, actions: Any, rows: NDArray[np.bool_], running: NDArray[np.bool_]) -> bool:
        """Returns whether all `rows` are running, and have actions that they can take."""
        if (rows & ~running).any():
            return False
        return all(not (rows & ~fits).any() for _, _, _, fits in _parts("actions", self.space, actions))

    def check(self, actions: Any, rows: NDArray[np.bool_], where: Callable[[int], str]) -> None:
        """Raises ValueError if one of `rows` cannot take its action; `where` tells of a row its task and step."""
        for name, space, values, fits in _parts("actions", self.space, actions):
            bad = np.flatnonzero(rows & ~fits)
            if bad.size:
                row = int(bad[0])
                value = (
                    values[row].tolist() if isinstance(values[row], np.ndarray | np.generic) else values[row]
                )
                raise WrongValue(f"{name}[{row}] must be {_wanted(space)}, not {value!r} ({where(row)}).")

    def _take(self, name: str, space: gym.Space[Any], actions: Any) -> Any:
        if isinstance(space, spaces.Dict):
            if not isinstance(actions, Mapping) or set(actions) != set(space.spaces):
                raise WrongValue(
                    f"{name} must be a dictionary with the keys {', '.join(map(repr, space.spaces))}, "
                    f"not {actions!r}: give under each key the actions of all {self._num_rows} rows."
                )
            return {
                key: self._take(f"{name}[{key!r}]", part, actions[key]) for key, part in space.spaces.items()
            }
        if isinstance(space, spaces.Tuple):
            if not isinstance(actions, tuple | list) or len(actions) != len(space.spaces):
                raise WrongValue(
                    f"{name} must be a tuple of {len(space.spaces)} parts, not {actions!r}: give in each place the "
                    f"actions of all {self._num_rows} rows."
                )
            return tuple(
                self._take(f"{name}[{place}]", part, actions[place])
                for place, part in enumerate(space.spaces)
            )
        if batches.in_arrays(space):
            return self._take_array(name, space, actions)
        if not isinstance(actions, tuple | list) or len(actions) != self._num_rows:
            raise WrongValue(
                f"{name} must be a tuple with one action for each of the {self._num_rows} rows, not {actions!r}."
            )
        return tuple(actions)

    def _take_array(
        self, name: str, space: gym.Space[Any], actions: Any, *, chunk: bool = False
    ) -> NDArray[Any]:
        shape = (self._num_rows, *(space.shape or ()))
        try:
            array = np.asarray(actions)
        except ValueError:
            raise WrongValue(f"{name} must be an array of shape {shape}, not {actions!r}.") from None
        floats = space.dtype is not None and space.dtype.kind == "f"
        if array.dtype.kind in "iub" and floats:
            array = array.astype(np.float64)
        if floats and array.dtype not in _FLOATS:
            raise WrongType(f"{name} must be of dtype float32 or float64, not {array.dtype}.")
        if not floats and array.dtype.kind not in "iu":
            raise WrongType(
                f"{name} must be whole numbers, of dtype int64 or another integer dtype, not {array.dtype}: each row "
                f"takes {_wanted(space)}. Convert them, {name}.astype(int)."
            )
        if chunk:
            self._check_chunk(shape, array.shape)
        elif array.shape != shape:
            hint = ""
            if array.ndim == len(shape) + 1:
                hint = (
                    " Only step() takes chunks of several steps."
                    if self._chunk_dims > 0
                    else f" A chunk of several steps is one array, and actions of a {type(self.space).__name__} have "
                    "parts: take their steps one at a time."
                )
            raise WrongValue(f"{name} must have the shape {shape}, not {array.shape}.{hint}")
        taken: NDArray[Any] = array.copy()  # the caller may write to theirs before the step is done
        return taken

    def _check_chunk(self, shape: tuple[int, ...], given: tuple[int, ...]) -> None:
        """Raises ValueError unless `given` is `shape` with a number of steps, at least one, after the rows."""
        if given[1] == 0 or (given[0], *given[2:]) != shape:
            chunk = ", ".join(map(str, (shape[0], "T", *shape[1:])))
            raise WrongValue(
                f"actions must have the shape {shape}, not {given}. A chunk of T steps, at least one, has ({chunk}).",
                argument="actions",
            )


class FlatActions(Actions):
    """The checks of the actions of N rows, each a vector of floats: the same, quicker."""

    def __init__(self, space: gym.Space[Any], num_rows: int) -> None:
        super().__init__(space, num_rows)
        self._shape = (num_rows, *(space.shape or ()))

    def take(self, actions: ArrayLike) -> NDArray[np.floating]:
        """Returns a copy of the caller's actions, (N, A) of float32 or float64; see `Actions.take`."""
        if isinstance(actions, np.ndarray) and actions.dtype in _FLOATS and actions.shape == self._shape:
            taken: NDArray[np.floating] = actions.copy()
            return taken
        return self._take_array("actions", self.space, actions)

    def ready(self, actions: Any, rows: NDArray[np.bool_], running: NDArray[np.bool_]) -> bool:
        """Returns whether all `rows` are running, and have finite actions."""
        return ready(actions, rows, running)

    def chunk_ready(self, actions: NDArray[Any], rows: NDArray[np.bool_], running: NDArray[np.bool_]) -> bool:
        """Returns whether all `rows` are running, and have finite actions, (N, T, A)."""
        return ready(actions.reshape(len(actions), -1), rows, running)


def _parts(
    name: str, space: gym.Space[Any], actions: Any
) -> Iterator[tuple[str, gym.Space[Any], Any, NDArray[np.bool_]]]:
    """Yields the parts of a batch of actions: name, space, the batch, and which rows can take theirs, (N,) bool."""
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            yield from _parts(f"{name}[{key!r}]", part, actions[key])
    elif isinstance(space, spaces.Tuple):
        for place, part in enumerate(space.spaces):
            yield from _parts(f"{name}[{place}]", part, actions[place])
    else:
        yield name, space, actions, _fits(space, actions)


def _fits(space: gym.Space[Any], values: Any) -> NDArray[np.bool_]:
    """Returns for each row whether it can take its value. The bounds of floats are not checked: worlds clip."""
    if not batches.in_arrays(space):
        return np.array([space.contains(each) for each in values], dtype=np.bool_)
    fits: Any
    if isinstance(space, spaces.Discrete):
        fits = (values >= space.start) & (values < space.start + space.n)
    elif isinstance(space, spaces.MultiDiscrete):
        fits = (values >= space.start) & (values < space.start + space.nvec)
    elif isinstance(space, spaces.MultiBinary):
        fits = (values == 0) | (values == 1)
    elif isinstance(space, spaces.Box) and space.dtype.kind != "f":
        fits = (values >= space.low) & (values <= space.high)
    else:
        fits = np.isfinite(values)
    each_row: NDArray[np.bool_] = fits.reshape(len(values), -1).all(axis=1)
    return each_row


def _wanted(space: gym.Space[Any]) -> str:
    """Returns in words what a row can take."""
    if isinstance(space, spaces.Discrete):
        return f"a whole number from {space.start} to {space.start + space.n - 1}"
    if isinstance(space, spaces.MultiDiscrete):
        low, high = space.start.tolist(), (space.start + space.nvec - 1).tolist()
        return f"whole numbers from {low} to {high}"
    if isinstance(space, spaces.Box) and space.dtype.kind == "f":
        return "finite"
    if isinstance(space, spaces.Box | spaces.MultiBinary):
        return f"whole numbers, a value of {space}"
    return f"a value of {space}"
