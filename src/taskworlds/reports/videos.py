"""Videos in the page: the files of a folder that `taskworlds record --out` wrote."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from taskworlds.core import json_text
from taskworlds.core.errors import WrongValue
from taskworlds.reports.blocks import Section, Video, Videos

__all__ = ["INDEX", "videos_section"]

INDEX = "videos.json"
"""The file of the folder that names the videos, and says what each shows."""


def videos_section(folder: str | os.PathLike[str]) -> Section:
    """Returns the section with all mp4 files that the folder's index names, inside the page.

    Args:
        folder: that `taskworlds record --out` wrote.

    Raises:
        ValueError: there is no index, it is damaged, a file is missing, or there is no mp4 file.
    """
    folder = Path(folder)
    hint = "Give a folder that `taskworlds record --out` wrote."
    try:
        entries = _entries(
            json_text.parse((folder / INDEX).read_text(encoding="utf-8"), "an index of videos")
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WrongValue(
            f"videos must be a folder with {INDEX}, and {folder / INDEX} cannot be read: {reason}. {hint}",
            "videos",
        ) from None
    shown = []
    for name, episodes in _by_file(entries).items():
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            raise WrongValue(
                f"videos must hold the files of its index, and {folder / name} cannot be read: {error.strerror}. "
                f"{hint}",
                "videos",
            ) from None
        uri = f"data:video/mp4;base64,{base64.b64encode(content).decode()}"
        shown.append(Video(uri, [_line(episode) for episode in episodes]))
    if not shown:
        raise WrongValue(
            f"videos must name mp4 files, and {folder / INDEX} names none: record with `--format mp4`.",
            "videos",
        )
    return Section("videos", "Videos", [Videos(shown)])


def _entries(content: Any) -> list[Mapping[str, Any]]:
    """Returns the entries of an index: one for each episode that a video shows."""
    entries: list[Mapping[str, Any]] = content["videos"]
    for entry in entries:
        if Path(entry["file"]).name != entry["file"]:
            raise ValueError(f"it names {entry['file']!r}, which is not a file of this folder")
    return entries


def _by_file(entries: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        if entry["file"].endswith(".mp4"):
            found.setdefault(entry["file"], []).append(entry)
    return found


def _line(entry: Mapping[str, Any]) -> str:
    """Returns what an episode is and came to, in a line."""
    told = [str(entry.get("skill", entry["file"]))]
    told += [f"{word} {entry[word]}" for word in ("task", "episode") if entry.get(word) is not None]
    success = entry.get("success")
    if isinstance(success, bool):
        told.append("success" if success else "failure")
    if isinstance(entry.get("return"), int | float):
        told.append(f"return {entry['return']:.1f}")
    if isinstance(entry.get("steps"), int):
        told.append(f"{entry['steps']} steps")
    if entry.get("policy"):
        told.append(str(entry["policy"]))
    return ", ".join(told)
