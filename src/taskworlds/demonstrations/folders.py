"""Folders that are written as a whole: a reader sees all of one, or nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from taskworlds.core.errors import WrongValue

__all__ = ["check_room", "check_writable", "draft", "put", "size_of"]


def check_writable(folder: Path, argument: str) -> None:
    """Makes a folder if there is none, and raises if nothing can be written there.

    Raises:
        ValueError: it is not a folder, or cannot be made or written to; the message names `argument`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with draft(folder):
            pass
    except OSError as error:
        raise WrongValue(
            f"{argument} must be a folder that can be written to, which {folder} is not: {error.strerror}. Give "
            "another folder.",
            argument=argument,
        ) from None


@contextlib.contextmanager
def draft(parent: Path) -> Iterator[Path]:
    """Makes a new hidden folder in `parent` to write to, and removes what is left of it at the end, whatever happens.

    Raises:
        OSError: it cannot be made.
    """
    folder = parent / f".{secrets.token_hex(8)}.part"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_room(folder: Path, num_bytes: int) -> None:
    """Raises if a disk has no room for so many bytes more, by taking them for a moment.

    For what does not survive a full disk. Quotas count, too.

    Raises:
        OSError: there is no room.
    """
    path = folder / "room"
    try:
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, num_bytes)
            elif shutil.disk_usage(folder).free < num_bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        path.unlink(missing_ok=True)


def put(source: Path, target: Path) -> None:
    """Moves a folder, with all that is in it, to `target` on the same disk. A folder that is there is replaced.

    Raises:
        OSError: it cannot be moved. What stood at `target` is as it was.
    """
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
        return
    old = target.with_name(f".{secrets.token_hex(8)}.part")
    os.replace(target, old)
    try:
        os.replace(source, target)
    except BaseException:
        os.replace(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Returns how many bytes the files of a folder have together."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
