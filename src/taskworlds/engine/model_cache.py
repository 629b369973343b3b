"""Compiled models on disk, so that a process need not compile what another has compiled.

They lie in the user's cache folder, or in the one that the environment variable TASKWORLDS_CACHE_DIR names. Where that
cannot be written to, each process compiles for itself. The files can be deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import platformdirs

__all__ = ["folder", "save"]


def folder() -> Path:
    """Returns the folder of the compiled models, which need not exist."""
    chosen = os.environ.get("TASKWORLDS_CACHE_DIR")
    return (Path(chosen) if chosen else platformdirs.user_cache_path("taskworlds")) / "models"


def save(name: str, data: bytes) -> None:
    """Saves bytes under a name, at once and as a whole, if the folder can be written to."""
    with contextlib.suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder())
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(draft, folder() / name)
        except BaseException:
            os.unlink(draft)
            raise
