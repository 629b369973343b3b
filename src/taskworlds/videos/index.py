"""The videos of a folder, and the file that lists them: `videos.json`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskworlds.core.errors import WrongValue
from taskworlds.core.files import write_whole
from taskworlds.videos.playing import Played, Stage
from taskworlds.videos.writing import NotWritten

__all__ = ["NAME", "Video", "clear", "listed", "prepare", "to_dict", "write"]

NAME = "videos.json"
"""The file's name."""

_FORMAT, _VERSION = "taskworlds.Videos", 1


@dataclass(frozen=True)
class Video:
    """A file that was written.

    Attributes:
        file: where it is.
        episodes: that it shows, in a grid, line by line.
        policy: who played, in a line.
        num_pictures: how many pictures were drawn for it. A GIF may hold fewer.
        fps: pictures per second, of those that were drawn.
        width: of the whole picture, pixels.
        height: as `width`.
    """

    file: Path
    episodes: tuple[Played, ...]
    policy: str
    num_pictures: int
    fps: float
    width: int
    height: int

    def entries(self) -> list[dict[str, Any]]:
        """Returns what the index says of it: an entry for each episode that it shows, by its place in the grid."""
        return [
            {
                "file": self.file.name,
                "place": place,
                "skill": each.task.env_name,
                "task": each.task.id,
                "params": json.loads(each.task.to_json())["params"],
                "episode": each.number,
                "success": each.episode.success_end,
                "return": each.episode.episode_return,
                "steps": each.episode.length,
                "policy": self.policy,
            }
            for place, each in enumerate(self.episodes)
        ]


def prepare(folder: Path, *, force: bool) -> None:
    """Makes the folder, and raises before anything is played if videos could not be written there.

    Args:
        folder: where they go.
        force: whether there may be videos already, which `clear` then deletes.

    Raises:
        ValueError: there are videos already, or the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WrongValue(
            f"out must be a folder that can be written to, which {folder} is not: {error.strerror}. Give another "
            "folder.",
            argument="out",
        ) from None
    own = listed(folder)
    if (folder / NAME).exists() and not force:
        raise WrongValue(
            f"out must be a folder without videos, but {folder} already holds {_named([NAME, *own])}. Give another "
            "folder, or force=True (--force) to delete them first.",
            argument="out",
        )


def clear(folder: Path, files: Sequence[str]) -> None:
    """Deletes the videos that the folder's index lists, and the index, before others are written.

    Args:
        folder: where they are.
        files: names of the files that are to be written.

    Raises:
        ValueError: there is a file of such a name that the index does not list. Nothing is deleted then.
    """
    own = listed(folder)
    others = [name for name in files if (folder / name).exists() and name not in own]
    if others:
        raise WrongValue(
            f"out must be a folder without files of these names, but {folder} holds {_named(others)}, not listed in a "
            f"{NAME}. Give another folder.",
            argument="out",
        )
    for name in (*own, NAME):
        (folder / name).unlink(missing_ok=True)


def listed(folder: Path) -> list[str]:
    """Returns the names of the videos that a folder's index lists; none if there is no index.

    Raises:
        ValueError: the index is damaged, or was written by another program.
    """
    try:
        data = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if data["format"] != _FORMAT:
            raise ValueError(f"its format is {data['format']!r}")
        names = list(dict.fromkeys(each["file"] for each in data["videos"]))
        if any(Path(name).name != name for name in names):
            raise ValueError("it lists files of other folders")
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise WrongValue(
            f"out must be a folder without videos, or with an index of them, but {folder / NAME} cannot be read as one "
            f"({error}). Give another folder.",
            argument="out",
        ) from None
    return names


def to_dict(stage: Stage, videos: Sequence[Video], choose: str) -> dict[str, Any]:
    """Returns the content of the index, as JSON values."""
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "benchmark": stage.benchmark.name,
        "split": stage.split,
        "seed": stage.seed,
        "choose": choose,
        "videos": [entry for video in videos for entry in video.entries()],
    }


def write(folder: Path, stage: Stage, videos: Sequence[Video], choose: str) -> None:
    """Writes the index of the videos that are there so far.

    Raises:
        NotWritten: it cannot be written; the one before stays.
    """
    text = json.dumps(to_dict(stage, videos, choose), indent=1)
    try:
        write_whole(folder / NAME, f"{text}\n".encode())
    except OSError as error:
        raise NotWritten(f"{folder / NAME} could not be written: {error.strerror}.") from error


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
