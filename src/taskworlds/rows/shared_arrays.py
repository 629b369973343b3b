"""Nested arrays in memory that two processes of one machine share: `offered` makes them, `taken` opens them elsewhere.

The memory has no name and no file: it belongs to the processes that have it open, and is gone with the last of them,
however they end. There is such memory on Linux; elsewhere `offered` raises OSError. It does not count against the size
of /dev/shm, which is small in containers.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Layout", "Offer", "SharedArrays", "layout_of", "offered", "size_of", "taken"]

Layout = Any
"""What nested arrays are like: dictionaries and tuples of `Leaf`s and None."""

_LINE = 64  # bytes; each array begins at a multiple
_TOKEN_SIZE = 16  # bytes


class Leaf(NamedTuple):
    """What an array is like."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class Offer(NamedTuple):
    """What another process needs to open shared arrays.

    Attributes:
        path: where the memory is to be found as long as it is offered.
        token: what stands at its beginning, so that nothing else is taken for it.
        layout: of the arrays.
    """

    path: str
    token: bytes
    layout: Layout


def layout_of(values: Any) -> Layout:
    """Returns the layout of nested arrays.

    Raises:
        TypeError: there is something else among them than arrays of numbers, dictionaries, tuples and None.

    Example:
        >>> layout_of({"x": np.zeros((2, 3)), "y": None})
        {'x': Leaf(dtype=dtype('float64'), shape=(2, 3)), 'y': None}
    """
    if isinstance(values, np.ndarray) and not values.dtype.hasobject:
        return Leaf(values.dtype, values.shape)
    if isinstance(values, Mapping):
        return {key: layout_of(each) for key, each in values.items()}
    if isinstance(values, tuple):
        return tuple(layout_of(each) for each in values)
    if values is None:
        return None
    raise TypeError(f"{values!r} is not an array of numbers.")


def size_of(layout: Layout) -> int:
    """Returns how many bytes the arrays of a layout take."""
    if isinstance(layout, Leaf):
        return -(-layout.dtype.itemsize * int(np.prod(layout.shape)) // _LINE) * _LINE
    if isinstance(layout, dict):
        return sum(map(size_of, layout.values()))
    return 0 if layout is None else sum(map(size_of, layout))


class SharedArrays:
    """Nested arrays of one layout, in memory that other processes may write to.

    Attributes:
        layout: of the arrays.
        values: the arrays. They stay what they are after this object is gone.
    """

    def __init__(self, layout: Layout, memory: mmap.mmap) -> None:
        self.layout = layout
        self.values, _ = _views(layout, memory, _LINE)

    def put(self, values: Any) -> bool:
        """Copies nested arrays into these; returns False, and changes nothing, if they are of another layout."""
        try:
            fits: bool = layout_of(values) == self.layout
        except TypeError:
            return False
        if fits:
            _copy(self.values, values)
        return fits


@contextlib.contextmanager
def offered(layout: Layout) -> Iterator[tuple[SharedArrays, Offer]]:
    """Makes shared arrays, of zeros, which another process may take within the `with` block.

    Raises:
        OSError: there is no such memory on this system, or no room.
    """
    if not hasattr(os, "memfd_create"):
        raise OSError("Memory without a file is there on Linux alone.")
    size = _LINE + size_of(layout)
    handle = os.memfd_create("taskworlds")
    try:
        os.ftruncate(handle, size)
        memory = mmap.mmap(handle, size)
        token = secrets.token_bytes(_TOKEN_SIZE)
        memory[:_TOKEN_SIZE] = token
        yield SharedArrays(layout, memory), Offer(f"/proc/{os.getpid()}/fd/{handle}", token, layout)
    finally:
        os.close(handle)


def taken(offer: Offer) -> SharedArrays:
    """Opens the arrays that another process of this machine offers.

    Raises:
        OSError: they cannot be reached from here.
    """
    with open(offer.path, "r+b") as file:
        size = _LINE + size_of(offer.layout)
        if os.fstat(file.fileno()).st_size != size or file.read(_TOKEN_SIZE) != offer.token:
            raise FileNotFoundError(f"{offer.path} is not the memory that was offered.")
        return SharedArrays(offer.layout, mmap.mmap(file.fileno(), size))


def _views(layout: Layout, memory: mmap.mmap, start: int) -> tuple[Any, int]:
    """Returns arrays in memory from a byte on, and the byte after them."""
    if layout is None:
        return None, start
    if isinstance(layout, Leaf):
        return np.ndarray(layout.shape, layout.dtype, memory, start), start + size_of(layout)
    found = []
    for each in layout.values() if isinstance(layout, dict) else layout:
        view, start = _views(each, memory, start)
        found.append(view)
    return (dict(zip(layout, found, strict=True)) if isinstance(layout, dict) else tuple(found)), start


def _copy(ours: Any, values: Any) -> None:
    if isinstance(ours, np.ndarray):
        ours[...] = values
    elif isinstance(ours, dict):
        for name, each in ours.items():
            _copy(each, values[name])
    elif ours is not None:
        for each, value in zip(ours, values, strict=True):
            _copy(each, value)
