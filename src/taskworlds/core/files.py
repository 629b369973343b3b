"""Files that are written at once and as a whole: a reader sees the old one or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

__all__ = ["drafted", "is_draft", "write_whole"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # O_EXCL follows no link


def is_draft(name: str) -> bool:
    """Returns whether a name is one under which files are written first. One stays behind where a process is killed."""
    return re.fullmatch(r"\.[0-9a-f]{16}\.part", name) is not None


def write_whole(path: str | os.PathLike[str], *parts: bytes, mode: int = 0o666) -> None:
    """Writes a file beside `path`, has the system store it, and then puts it in its place.

    Args:
        path: the file. If it is there, it is replaced; a link is replaced and not followed.
        parts: what to write, one after the other.
        mode: the new file's permissions, without those that the process's umask takes away.

    Raises:
        OSError: the file cannot be written. What stood at `path` is as it was.
    """
    path = Path(path)
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    handle = os.open(draft, _NEW, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


@contextlib.contextmanager
def drafted(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a path beside a file, for another program to write to, and then puts what is there in the file's place.

    Args:
        path: the file. It is replaced at the end of the `with` block, unless that raises; then it is as it was.

    Raises:
        OSError: nothing was written, or it cannot be put there.
    """
    path = Path(path)
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
