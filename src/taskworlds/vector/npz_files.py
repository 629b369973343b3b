"""NumPy's .npz files, read so that a damaged or hostile one is a ValueError and takes no more memory than it may."""

from __future__ import annotations

import os
import zipfile
from typing import IO, Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue

__all__ = ["read_npz"]

_GROWTH = 3  # times that the arrays may be larger than the file
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npz(file: str | os.PathLike[str] | NpzFile, usual: int) -> dict[str, NDArray[Any]]:
    """Returns the arrays of a file that `numpy.savez` or `numpy.savez_compressed` wrote.

    The sizes that the file names are looked at before anything is read.

    Args:
        file: the path, or what `numpy.load` returned for it.
        usual: size of such arrays, bytes. A compressed file may hold three times as much, or three times its own size.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it is something else, is damaged, or holds more than it may.
    """
    if isinstance(file, NpzFile):
        return _read(file.zip, usual)
    with open(file, "rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return _read(archive, usual)
        except WrongValue:
            raise
        except Exception as error:  # a damaged file makes zipfile raise many kinds
            raise _damaged(error) from None


def _read(archive: Any, usual: int) -> dict[str, NDArray[Any]]:
    try:
        archive.fp.seek(0, os.SEEK_END)
        most = _GROWTH * max(usual, archive.fp.tell())
        members = archive.infolist()
        size = sum(member.file_size for member in members)
        if size > most:
            raise WrongValue(
                f"The .npz file holds arrays of {size} bytes, more than the {most} that a file of its size and such a "
                "state can have, so it is damaged or is something else. Save a state with numpy.savez."
            )
        arrays = {}
        for member in members:
            with archive.open(member) as stream:
                arrays[member.filename.removesuffix(".npy")] = _array(stream, member.file_size)
        return arrays
    except WrongValue:
        raise
    except Exception as error:  # as above
        raise _damaged(error) from None


def _array(stream: IO[bytes], size: int) -> NDArray[Any]:
    """Reads one array, from a stream of so many bytes."""
    shape, fortran_order, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
    count = 1
    for length in shape:
        if length < 0:
            raise WrongValue(f"An array of the .npz file has the shape {shape}.")
        count *= length
    if dtype.hasobject or stream.tell() + count * dtype.itemsize != size:
        raise WrongValue(
            f"An array of the .npz file must be numbers or text, as many as fit into its {size} bytes, not {dtype} of "
            f"shape {shape}."
        )
    values = (
        np.frombuffer(bytearray(stream.read()), dtype=dtype, count=count) if count else np.empty(0, dtype)
    )
    return values.reshape(shape, order="F" if fortran_order else "C")


def _damaged(error: Exception) -> WrongValue:
    return WrongValue(
        f"This is not a .npz file of a state, or a damaged one ({type(error).__name__}: {error})."
    )
