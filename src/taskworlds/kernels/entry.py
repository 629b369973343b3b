"""The way into a kernel: shapes for the engine's pointers, names for what is read, and the kernel's name on disk.

A world's kernel is a plain function on arrays and on records with named fields: `now.hand` rather than `now[0:3]`.
`unpacker` makes the records, `entry` gives pointers their shapes, and `compile_named` finds the whole or compiles it.
"""

from __future__ import annotations

import collections
import functools
import types
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.digest import digest
from taskworlds.kernels import library
from taskworlds.kernels.compiler import compile_kernel, is_on_disk

__all__ = ["Array", "Entry", "bind", "compile_named", "entry", "find_named", "full_name", "part", "unpacker"]

Array: TypeAlias = NDArray[np.float64]


def bind(function: Callable[..., Any], **values: Any) -> types.FunctionType:
    """Copies a plain function with more globals: the constants and functions that one skill gives it."""
    assert isinstance(function, types.FunctionType)
    return types.FunctionType(function.__code__, function.__globals__ | values, function.__name__)


def part(values: Any, begin: int, end: int) -> Any:
    """Returns a part of an array. Slices take numba long; in a function of their own all kernels share them."""
    return values[begin:end]


def unpacker(
    title: str, sizes: Mapping[str, int], *, start: int = 0, more: tuple[str, ...] = ()
) -> Callable[..., Any]:
    """Makes a function that gives names to the numbers of an array: `unpack(values, *more)`.

    It returns a named tuple. A field of one number is that number, and one of several is a view of the array, so that
    it can be written to. The function is plain Python, and can be compiled with the kernel that calls it.

    Args:
        title: the record's title, "Now".
        sizes: the fields' names, and how many numbers each has, in the order of the array.
        start: index of the first number.
        more: fields that the caller passes to the function as they are.

    Example:
        >>> import numpy as np
        >>> unpack = unpacker("Now", {"height": 1, "place": 2}, more=("hand",))
        >>> now = unpack(np.array([1.0, 2.0, 3.0]), "left")
        >>> float(now.height), now.place.tolist(), now.hand
        (1.0, [2.0, 3.0], 'left')
    """
    slots, at = [], start
    for size in sizes.values():
        slots.append(f"values[{at}]" if size == 1 else f"part(values, {at}, {at + size})")
        at += size
    record = _record(title, (*sizes, *more))
    made: dict[str, Any] = {"__name__": __name__, "record": record, "part": part}
    parameters, fields = ", ".join(("values", *more)), ", ".join((*slots, *more))
    exec(f"def unpack({parameters}):\n    return record({fields})\n", made)
    unpack: Callable[..., Any] = made["unpack"]
    return unpack


@functools.cache
def _record(title: str, fields: tuple[str, ...]) -> type:
    """Makes a named tuple, one for all skills with these fields.

    Its title tells fields apart: names of machine code hold the types' titles and not their fields.
    """
    return collections.namedtuple(f"{title}_{digest(fields)}", fields)


def _enter(now: Any, action: Any, params: Any, memory: Any, obs: Any, terms: Any, single: int) -> None:
    """The engine's way in: gives its pointers a shape."""
    kernel(
        carray(now, NOW_SIZE),
        carray(action, ACTION_SIZE),
        carray(params, PARAM_SIZE),
        carray(memory, MEMORY_SIZE),
        carray(obs, OBS_SIZE),
        carray(terms, TERM_SIZE),
        single != 0,
    )


def entry(
    kernel: Callable[..., None], *, now: int, action: int, params: int, memory: int, obs: int, terms: int
) -> Callable[..., None]:
    """Makes the function that the engine calls for a kernel, to be compiled.

    Args:
        kernel: `(now, action, params, memory, obs, terms, single)`, on float64 arrays and whether the action came as
            float32.
        now: how many numbers this array has, and likewise
        action: this,
        params: this,
        memory: this,
        obs: this, and
        terms: this array.
    """
    scope: dict[str, Any] = {
        "__name__": __name__,
        "kernel": kernel,
        "NOW_SIZE": now,
        "ACTION_SIZE": action,
        "PARAM_SIZE": params,
        "MEMORY_SIZE": memory,
        "OBS_SIZE": obs,
        "TERM_SIZE": terms,
    }
    return types.FunctionType(_enter.__code__, scope, "enter")


class Entry(NamedTuple):
    """A kernel to be compiled: what `compile_named` takes.

    Attributes:
        enter: what `entry` made.
        title: what the kernel's name begins with.
    """

    enter: Callable[..., None]
    title: str


_kernels: dict[str, Any] = {}  # by name: each that numba compiles or loads stays in memory for good


def compile_named(enter: Callable[..., None], title: str, *, keep: bool = True, checked: bool = False) -> Any:
    """Returns what `entry` made as a kernel: of the package's library, of the cache on disk, or else compiled.

    A kernel's name holds a digest of everything that it is made of, so that neither library nor cache is ever stale.

    Args:
        enter: what `entry` made.
        title: what the name begins with: the skill.
        keep: False compiles it again, and leaves library and cache alone.
        checked: as for `compile_kernel`, where nothing is kept.
    """
    if not keep:
        return compile_kernel(enter, None, checked=checked)
    name = full_name(enter, title)
    if name not in _kernels:
        _kernels[name] = library.find(name) or compile_kernel(enter, name)
    return _kernels[name]


def find_named(enter: Callable[..., None], title: str) -> Any:
    """Returns what `compile_named` would without compiling, of the library or of the cache on disk; else None."""
    name = full_name(enter, title)
    if name not in _kernels:
        found = library.find(name) or (compile_kernel(enter, name) if is_on_disk(name) else None)
        if found is None:
            return None
        _kernels[name] = found
    return _kernels[name]


def full_name(enter: Callable[..., None], title: str) -> str:
    """Returns a kernel's name in the library and on disk: its title and a digest of all that it is made of."""
    return f"{title}_{digest(enter, _compiler())}".replace("-", "_")


@functools.cache
def _compiler() -> str:
    """A digest of what compiles kernels."""
    return digest(compile_kernel)
