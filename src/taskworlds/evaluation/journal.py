"""The episodes of an evaluation, written to a file as they end: what stops the evaluation loses none of them.

The file, `episodes.jsonl`, has a line of JSON for what is evaluated, and then one for each episode. A line is added by
one write; one that was cut off is found by its checksum, and is played again.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core import json_text
from taskworlds.core.errors import WrongType, WrongValue, check_count
from taskworlds.core.task import Task
from taskworlds.evaluation.records import Episode
from taskworlds.evaluation.result_file import episode_from_dict, episode_to_dict

__all__ = ["NAME", "Journal", "NotWritten", "Writer", "read"]

NAME = "episodes.jsonl"
"""The file's name."""

_FORMAT = "taskworlds.Episodes"
_VERSION = 1
_SEAL = "sha256"
_DIGITS = 16  # of a line's checksum
_KINDS = "biuf"  # of NumPy's dtypes: what actions may be
_AN_ARRAY = {"dtype", "shape", "data"}


class NotWritten(OSError):
    """An episode could not be written, as where the disk is full. Those before it are in the file."""


class Journal:
    """What a file holds.

    Args:
        about: what was evaluated, by name, as the file says.
        lines: what the file says of each episode, by the task's id and the episode's number.
        size: bytes of the file up to the last whole line.

    Attributes:
        about: as given.
        episodes: by the task's id and the episode's number, from 0 on.
        size: as given.
    """

    def __init__(
        self, about: dict[str, Any], lines: Mapping[tuple[str, int], dict[str, Any]], size: int
    ) -> None:
        self.about = about
        self.size = size
        self.episodes: dict[tuple[str, int], Episode] = {
            key: episode_from_dict(line["outcome"]) for key, line in lines.items()
        }
        self._actions = {key: line["actions"] for key, line in lines.items() if "actions" in line}

    def actions(self, task: Task, number: int) -> NDArray[Any] | None:
        """Returns the actions of an episode, (T, ...), as the policy gave them; None if they were not kept.

        Args:
            task: that was played.
            number: of the episode among those of the task, from 0 on.
        """
        kept = self._actions.get((task.id, number))
        return None if kept is None else _to_array(kept)


class Writer:
    """Adds episodes to a file. No other process can write to it meanwhile.

    Args:
        folder: of the file; it is made if it is not there.
        about: what is evaluated, JSON values by name. A file that is there already must say the same.
        keep_actions: whether actions are kept.

    Attributes:
        journal: what the file held before.

    Raises:
        ValueError: the file is of another evaluation, is damaged, or is being written by another process.
        OSError: it cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str], about: Mapping[str, Any], keep_actions: bool) -> None:
        self._path = Path(folder) / NAME
        self._keep_actions = keep_actions
        own = {"format": _FORMAT, "format_version": _VERSION, "keep_actions": keep_actions, **about}
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            self._lock()
            if (size := os.fstat(self._file).st_size) == 0:
                self._size = 0
                self._append(own)
                self.journal = Journal(own, {}, self._size)
            else:
                self.journal = _parsed(os.pread(self._file, size, 0), self._path)
                _check_same(self.journal.about, own, self._path)
                self._size = self.journal.size
                os.ftruncate(self._file, self._size)
        except BaseException:
            os.close(self._file)
            raise
        self._known = set(self.journal.episodes)

    def played(self, tasks: Collection[str], episodes_per_task: int) -> dict[tuple[str, int], Episode]:
        """Returns the episodes that the file held before, by the task's id and the episode's number.

        Args:
            tasks: ids of the tasks that are evaluated.
            episodes_per_task: how many episodes of each.

        Raises:
            ValueError: there are others.
        """
        for task, number in self.journal.episodes:
            if task not in tasks or number >= episodes_per_task:
                raise WrongValue(
                    f"resume must be part of this same evaluation, but {self._path} holds episode {number} of task "
                    f"{task}, which is not in it: lines of several files were mixed. Start over in another folder, or "
                    "delete it.",
                    argument="resume",
                )
        return self.journal.episodes

    def add(self, task: Task, number: int, episode: Episode, actions: NDArray[Any] | None) -> None:
        """Adds an episode, unless it is there already.

        Args:
            task: that was played.
            number: of the episode among those of the task, from 0 on.
            episode: what came of it.
            actions: that were taken, (T, ...).

        Raises:
            NotWritten: it cannot be written. The file has what it had before.
        """
        if (task.id, number) in self._known:
            return
        line = {
            "task": task.id,
            "env_name": task.env_name,
            "episode": number,
            "outcome": episode_to_dict(episode),
        }
        if self._keep_actions:
            assert actions is not None
            line["actions"] = _from_array(actions)
        self._append(line)
        self._known.add((task.id, number))

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def _append(self, line: dict[str, Any]) -> None:
        data = json.dumps(line | {_SEAL: _checksum(line)}, allow_nan=False).encode() + b"\n"
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self._file, data[written:], self._size + written)
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            if not isinstance(error, OSError):
                raise
            kept = f"{len(self._known)} episodes are kept there" if self._size else "nothing is kept"
            raise NotWritten(
                error.errno,
                f"{error.strerror} while an episode was written; {kept}. Make room, and go on with --resume (resume=).",
                os.fspath(self._path),
            ) from None
        self._size += len(data)

    def _lock(self) -> None:
        try:
            import fcntl  # which Windows does not have
        except ImportError:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WrongValue(
                f"{self._path} is being written by another evaluation. Wait for its end, or give another folder.",
                argument="resume",
            ) from None
        except OSError:  # a file system that cannot lock
            return


def read(folder: str | os.PathLike[str]) -> Journal:
    """Reads the file in a folder.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged, or something else's.
    """
    path = Path(folder) / NAME
    return _parsed(path.read_bytes(), path)


def _parsed(data: bytes, path: Path) -> Journal:
    lines: dict[tuple[str, int], dict[str, Any]] = {}
    about: dict[str, Any] | None = None
    size = 0
    for number, (line, end) in enumerate(_whole_lines(data), start=1):
        try:
            content = json.loads(line)
            if not isinstance(content, dict) or content.pop(_SEAL, None) != _checksum(content):
                raise WrongValue("its checksum does not match")
            if about is None:
                about = _checked_about(content)
            else:
                key = content["task"], check_count("episode", content["episode"], 0)
                if lines.setdefault(key, _checked(content)) != content:
                    raise WrongValue(
                        f"episode {key[1]} of task {key[0]} is there twice, with different outcomes"
                    )
        except (KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
            if end == len(data) and about is not None:
                break  # the last line was cut off, or only a part of it reached the disk
            raise WrongValue(
                f"{path} is damaged in line {number} ({json_text.why(error)}). Start over in another folder, "
                "or delete it.",
                argument="resume",
            ) from None
        size = end
    if about is None:
        raise WrongValue(
            f"{path} has no whole line, so it says nothing. Delete it and start over.", argument="resume"
        )
    return Journal(about, lines, size)


def _whole_lines(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yields each line that has an end, and where the next one begins."""
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        yield data[start:end], end + 1
        start = end + 1


def _checked_about(content: dict[str, Any]) -> dict[str, Any]:
    if content.get("format") != _FORMAT:
        raise WrongValue(f'it has no "format": {_FORMAT!r}')
    if content.get("format_version") != _VERSION:
        raise WrongValue(
            f"it has format_version {content.get('format_version')!r}, and this version reads {_VERSION}"
        )
    return content


def _checked(content: dict[str, Any]) -> dict[str, Any]:
    """Returns a line as it is; raises TypeError, KeyError or ValueError for one that cannot be."""
    if not isinstance(content["task"], str):
        raise WrongType(f"task must be an id, not {content['task']!r}")
    episode_from_dict(content["outcome"])
    if "actions" in content:
        _to_array(content["actions"])
    return content


def _check_same(there: Mapping[str, Any], own: Mapping[str, Any], path: Path) -> None:
    """Raises ValueError unless a file is of the same evaluation."""
    faults = []
    for name in dict.fromkeys((*there, *own)):
        mine, its = own.get(name), there.get(name)
        if isinstance(mine, dict) and isinstance(its, dict):  # the fingerprint, and its packages
            keys = [key for key in dict.fromkeys((*its, *mine)) if mine.get(key) != its.get(key)]
            faults += [(key, its.get(key), mine.get(key)) for key in keys]
        elif mine != its:
            faults.append((name, its, mine))
    if faults:
        name, its, mine = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise WrongValue(
            f"resume must be part of this same evaluation, but {path} is of another one: {name} was {its!r} then and "
            f"is {mine!r} now{more}. Evaluate with the same settings, or in another folder.",
            argument="resume",
        )


def _checksum(line: Mapping[str, Any]) -> str:
    text = json.dumps(line, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _from_array(array: NDArray[Any]) -> dict[str, Any]:
    plain = np.ascontiguousarray(array)
    plain = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
    return {
        "dtype": plain.dtype.name,
        "shape": list(plain.shape),
        "data": base64.b64encode(plain.tobytes()).decode(),
    }


def _to_array(given: Any) -> NDArray[Any]:
    if not isinstance(given, dict) or set(given) != _AN_ARRAY or not isinstance(given["dtype"], str):
        raise WrongType(f"actions must be a dictionary of {', '.join(sorted(_AN_ARRAY))}")
    dtype = np.dtype(given["dtype"]).newbyteorder("<")
    if dtype.kind not in _KINDS:
        raise WrongValue(f"actions must be numbers, not {dtype}")
    shape = tuple(check_count("shape", each, 0) for each in given["shape"])
    data = base64.b64decode(given["data"], validate=True)
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))
