"""The library of kernels that were compiled when the package was built: found by their names, without numba.

A kernel's name ends in a digest of all that it is made of (see `entry.compile_named`), and the library says by what it
was made. So one that was built from other sources, or by another numba, is not used: the kernel is then compiled.
"""

from __future__ import annotations

import ctypes
import functools
import struct
import warnings
from pathlib import Path
from typing import NamedTuple

from taskworlds import kernels

__all__ = ["FILE", "MADE_BY", "NUMBA", "LibraryKernel", "find", "names", "path"]

FILE = "libkernels.so"
"""The library's name, in the folder of this package."""

NUMBA = "0.68.1"
"""The numba that compiles the library. `pyproject.toml` names it too; other skills may be compiled by another."""

MADE_BY = f"taskworlds 1, numba {NUMBA}"
"""What the library must have been made by. The number changes with how (`numba_kernel`, `cpp/kernel_library.cc`)."""


class LibraryKernel(NamedTuple):
    """A kernel of the library.

    Attributes:
        name: the kernel's name, which ends in its digest.
        address: of its machine code, for `Engine(kernels=...)`.
    """

    name: str
    address: int


class _Entry(ctypes.Structure):
    """A line of the library's table, whose last line has no name."""

    _fields_ = [("name", ctypes.c_char_p), ("address", ctypes.c_void_p)]


def path() -> Path | None:
    """Returns the library's file, or None if the package was built without it."""
    for folder in kernels.__path__:  # two, where the package is installed in editable mode
        if (file := Path(folder) / FILE).is_file():
            return file
    return None


def find(name: str) -> LibraryKernel | None:
    """Returns the kernel of this name, or None if the library does not have it."""
    return _table().get(name)


def names() -> list[str]:
    """Returns the names of all kernels that can be taken from the library."""
    return list(_table())


def _check_whole(file: Path) -> None:
    """Raises OSError if a file ends before what the system would load of it, which would end the process.

    Of the ELF format (Linux), 64 bits: the header has where the table of segments is at 32, and the size and number of
    its lines at 54; a line has the segment's place in the file at 8, and its size there at 32.
    """
    with file.open("rb") as opened:
        header = opened.read(64)
        if header[:5] != b"\x7fELF\x02" or len(header) < 64:
            return  # the system says what is wrong with it, if it is of another kind
        (table,), (size, count) = struct.unpack_from("=Q", header, 32), struct.unpack_from("=HH", header, 54)
        opened.seek(table)
        lines = opened.read(size * count)
    ends = [sum(struct.unpack_from("=Q16xQ", lines, at + 8)) for at in range(0, len(lines) - 39, size)]
    if len(lines) < size * count or file.stat().st_size < max(ends, default=0):
        raise OSError("the file is cut off")


@functools.cache
def _table() -> dict[str, LibraryKernel]:
    """Loads the library, for as long as the process lives, and returns its kernels by name."""
    file = path()
    if file is None:
        return {}
    try:
        _check_whole(file)
        library = ctypes.CDLL(str(file))
        made_by = ctypes.c_char_p.in_dll(library, "taskworlds_kernels_made_by").value
        lines = ctypes.cast(library.taskworlds_kernels, ctypes.POINTER(_Entry))
    except (OSError, AttributeError, ValueError) as error:
        warnings.warn(
            f"The compiled kernels in {file} cannot be loaded ({error}), so each skill is compiled when it is first "
            "used. Reinstall taskworlds.",
            RuntimeWarning,
            stacklevel=2,
        )
        return {}
    if made_by is None or made_by.decode() != MADE_BY:
        return {}
    found: dict[str, LibraryKernel] = {}
    while (line := lines[len(found)]).name is not None:
        name = line.name.decode()
        found[name] = LibraryKernel(name, line.address)
    return found
