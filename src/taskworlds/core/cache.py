"""Compiled models and kernels on disk, so that a process need not compile what another has compiled.

They lie in the user's cache folder, or in the one that the environment variable TASKWORLDS_CACHE_DIR names, a subfolder
for each kind. Nothing there is needed: the files can be deleted at any time (`taskworlds cache clear`), and where none
can be written each process compiles for itself, and one warning says so.

A file is used only if it is whole and safe. Whole: it begins with a checksum of its name and of its content. Safe: file
and subfolder belong to the user or to root, and nobody else can write to them, as ssh has it, since a kernel is code.
A file that is not whole is made again. So is one that is not safe, with a warning.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import time
import warnings
from pathlib import Path

from taskworlds.core.files import is_draft, write_whole

__all__ = ["FORMAT", "KINDS", "can_save", "clear", "files", "folder", "load", "save"]

KINDS = ("kernels", "models")
"""The kinds of files, each with a subfolder of this name."""

FORMAT = 1
"""Changes with what a file looks like; part of the names of files that had another look before."""

_HEAD = b"taskworlds cache %d\n" % FORMAT
_DIGEST = hashlib.sha256
_OPEN = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # no link is followed, no pipe waited for
    _OPEN |= getattr(os, _flag, 0)
_OWN_NAME = re.compile(r".*_[0-9a-f]{16}\.\w+")
_PROBE = bytes(2**18)  # about the size of a kernel
_DAY = 86_400.0  # seconds; a draft that is older was left by a process that was killed

_said: set[str] = set()  # the kinds of warnings that this process has given


def folder() -> Path:
    """Returns the cache folder, which need not exist."""
    if chosen := os.environ.get("TASKWORLDS_CACHE_DIR"):
        return Path(chosen).absolute()
    import platformdirs  # here, since it is not there where the package is built, which imports this module

    return platformdirs.user_cache_path("taskworlds")


def load(kind: str, name: str) -> bytes | None:
    """Returns what was saved under a name; None if it is not there, not whole or not safe.

    Args:
        kind: one of `KINDS`.
        name: the file's name, which must end in "_" and a `digest` of all that decides its content, and a suffix.
    """
    path = folder() / kind / name
    try:
        if not _is_safe_folder(path.parent):
            return None
        with os.fdopen(os.open(path, _OPEN), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or not _is_safe(path, status):
                return None
            head, data = file.read(len(_HEAD) + _DIGEST().digest_size), file.read()
    except OSError:
        return None
    return data if head == _HEAD + _checksum(name, data) else None


def save(kind: str, name: str, data: bytes) -> bool:
    """Saves bytes under a name, at once and as a whole, and returns whether that was possible."""
    try:
        target = _ready(kind)
        if target is None:
            return False
        write_whole(target / name, _HEAD, _checksum(name, data), data, mode=0o600)
    except OSError as error:
        _warn_unwritable(error)
        return False
    return True


def can_save(kind: str) -> bool:
    """Returns whether a file can be written now; where not, a warning has said so."""
    name = f"probe_{os.getpid():016x}.tmp"
    if not save(kind, name, _PROBE):
        return False
    with contextlib.suppress(OSError):
        (folder() / kind / name).unlink()
    return True


def files(kind: str) -> list[Path]:
    """Returns all files of a kind, those that a killed process left behind included, and nothing that is not ours."""
    try:
        return sorted(
            each
            for each in (folder() / kind).iterdir()
            if (_OWN_NAME.fullmatch(each.name) or is_draft(each.name))
            and (each.is_file() or each.is_symlink())
        )
    except OSError:
        return []


def clear(kind: str) -> int:
    """Deletes all files of a kind, and returns how many there were.

    Raises:
        OSError: a file cannot be deleted.
    """
    found = files(kind)
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def _checksum(name: str, data: bytes) -> bytes:
    made = _DIGEST(name.encode("utf-8", "surrogateescape") + b"\n")
    made.update(data)
    return made.digest()


def _ready(kind: str) -> Path | None:
    """Makes the folder of a kind, clears away old drafts, and returns the folder; None if it is not safe."""
    target = folder() / kind
    missing = [each for each in (target, *target.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    if not _is_safe_folder(target):
        return None
    for each in target.iterdir():
        with contextlib.suppress(OSError):
            if is_draft(each.name) and each.lstat().st_mtime < time.time() - _DAY:
                each.unlink()
    return target


def _is_safe_folder(path: Path) -> bool:
    """Returns whether a folder is safe, and so is the link that leads there, if one does; if not, a warning says so."""
    link = os.lstat(path)
    if stat.S_ISLNK(link.st_mode) and not _is_safe(path, link):
        return False
    return _is_safe(path, os.stat(path))


def _is_safe(path: Path, status: os.stat_result) -> bool:
    """Returns whether nobody but the user and root can have written to a file or folder; if not, a warning says so.

    A folder of the user's own is closed to others where it was open. What lies in it is looked at one by one.
    """
    if not hasattr(os, "geteuid"):  # a system with other permissions
        return True
    me, mode = os.geteuid(), status.st_mode
    fault = "can be written to by other users"
    if status.st_uid not in (0, me):
        fault = f"belongs to another user (number {status.st_uid})"
    elif stat.S_ISLNK(mode) or not mode & (stat.S_IWGRP | stat.S_IWOTH):
        return True
    elif status.st_uid == me and stat.S_ISDIR(mode):
        with contextlib.suppress(OSError):
            path.chmod(0o700)
            return True
    _warn(
        "unsafe",
        f"{path} is not used, because it {fault}, and models and code are loaded from there. Whatever is needed "
        "is compiled again. Delete it, or set TASKWORLDS_CACHE_DIR to a folder of your own.",
    )
    return False


def _warn_unwritable(error: OSError) -> None:
    _warn(
        "unwritable",
        f"Compiled kernels and models cannot be kept in {folder()} ({error.strerror or error}), so each process "
        "compiles them again. Make room there, or set TASKWORLDS_CACHE_DIR to a folder that you can write to.",
    )


def _warn(kind: str, message: str) -> None:
    """Gives a warning, one of each kind in a process."""
    if kind not in _said:
        _said.add(kind)
        warnings.warn(message, RuntimeWarning, stacklevel=4)
