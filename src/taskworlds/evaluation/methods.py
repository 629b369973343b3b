"""Methods in files: what an argument of `taskworlds compare` stands for."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from taskworlds.core.errors import WrongValue
from taskworlds.evaluation.journal import NAME as JOURNAL
from taskworlds.evaluation.parts import is_part
from taskworlds.evaluation.pooled import Pooled, pool
from taskworlds.evaluation.result import Result

__all__ = ["RESULT_FILE", "load_method", "load_methods", "load_results"]

RESULT_FILE = "result.json"
"""The file in which a folder holds a result."""


def load_method(
    path: str | os.PathLike[str], name: str | None = None, *, allow_different: bool | Iterable[str] = False
) -> Pooled:
    """Reads a method: all runs in a file or folder.

    Args:
        path: a file of `Result.save` or `Pooled.save`, a folder that holds result.json (one run), or a folder whose
            folders hold result.json (several runs, in the order of the folders' names; numbers in them count as such).
            Folders without result.json hold no run.
        name: of the method; None for the folder's name, or the file's if it is not result.json.
        allow_different: of runs, as in `compare`.

    Raises:
        ValueError: there is no result, or one that is damaged or twice; the folder holds a result and folders with
            results; the runs were not measured in the same way.

    Example:
        >>> load_method("results/none")
        Traceback (most recent call last):
        taskworlds.core.errors.WrongValue: results/none cannot be read: ...
    """
    place = Path(path)
    method = _load(place, allow_different)
    return replace(method, name=_words(place)[-1] if name is None else name)


def load_methods(
    paths: Sequence[str | os.PathLike[str]], *, allow_different: bool | Iterable[str] = False
) -> list[Pooled]:
    """Reads several methods, each with another name: as much of the end of each path as tells them apart.

    Args:
        paths: as the path of `load_method`.
        allow_different: of runs, as in `compare`.

    Raises:
        ValueError: as `load_method`.
    """
    names = _names([Path(path) for path in paths])
    return [
        load_method(path, name, allow_different=allow_different)
        for path, name in zip(paths, names, strict=True)
    ]


def load_results(path: str | os.PathLike[str]) -> list[Result]:
    """Reads all results in a file or folder, as `load_method` does, however they were measured.

    Raises:
        ValueError: there is no result, or one that is damaged; the folder holds a result and folders with results.
    """
    return [result for file in _files(Path(path)) for result in _read(file).runs]


def _load(place: Path, allow_different: bool | Iterable[str]) -> Pooled:
    files = _files(place)
    if len(files) == 1 and files[0] in (place, place / RESULT_FILE):
        return _read(files[0])
    results = [_one(file) for file in files]
    if len(results) > 1 and all(map(is_part, results)):
        raise WrongValue(
            f"{place} holds parts of an evaluation, and not runs of a method. `taskworlds merge {place} --out FOLDER` "
            "makes one result of them."
        )
    return pool(results, allow_different=allow_different)


def _files(place: Path) -> list[Path]:
    """Returns the files of results that a path stands for."""
    if not place.is_dir():
        return [place]
    files = sorted(place.glob(f"*/{RESULT_FILE}"), key=lambda file: _in_order(file.parent.name))
    if not (place / RESULT_FILE).exists():
        for folder in (place, *sorted(file.parent for file in place.glob(f"*/{JOURNAL}"))):
            if (folder / JOURNAL).exists() and not (folder / RESULT_FILE).exists():
                raise WrongValue(
                    f"{folder} has no {RESULT_FILE} yet, as it holds an evaluation that was stopped. `taskworlds "
                    f"evaluate --config {folder}/run.toml --out {folder} --resume` plays the rest of it."
                )
        if not files:
            raise WrongValue(
                f"{place / RESULT_FILE} cannot be read: No such file, and no folder in {place} holds one. Give a "
                "folder or file that `taskworlds evaluate --out` wrote, or a folder of such folders."
            )
        return files
    if files:
        raise WrongValue(
            f"{place} holds {RESULT_FILE}, and so do {len(files)} folders in it, the first {files[0].parent.name}: it "
            f"is not clear which runs are meant. Give {place / RESULT_FILE}, or move the folders to one of their own."
        )
    return [place / RESULT_FILE]


def _read(file: Path) -> Pooled:
    """Reads a file with one run, or with pooled ones."""
    text = _text(file)
    if '"format": "taskworlds.Pooled"' in text:
        return Pooled.load(file)
    if '"format": "taskworlds.Episodes"' in text:
        raise WrongValue(
            f"{file} holds the episodes of an evaluation as they ended, which is not a result. Give its folder, "
            f"{file.parent}."
        )
    return pool([_one(file)])


def _one(file: Path) -> Result:
    _text(file)
    return Result.load(file)


def _text(file: Path) -> str:
    """Returns the beginning of a file, if it can be read."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(200)
    except OSError as error:
        raise WrongValue(
            f"{file} cannot be read: {error.strerror}. Give a folder or file that `taskworlds evaluate --out` wrote."
        ) from None


def _in_order(name: str) -> list[tuple[int, int | str]]:
    """Returns what names are sorted by: numbers in them count as such, so seed10 comes after seed9."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.findall(r"\d+|\D+", name)]


def _words(place: Path) -> list[str]:
    """Returns the parts of a path that may name a method, the nearest last."""
    whole = place.absolute()
    parts = [part for part in (os.path.normpath(whole)).split(os.sep) if part]
    if parts and parts[-1] == RESULT_FILE:
        parts.pop()
    elif not place.is_dir() and parts:
        parts[-1] = Path(parts[-1]).stem
    return parts or ["method"]


def _names(places: Sequence[Path]) -> list[str]:
    """Returns a name for each path, no two alike; a path that comes again gets a number."""
    words = [tuple(_words(place)) for place in places]
    names = {each: each[-1] for each in words}
    for count in range(2, max(map(len, words), default=0) + 1):
        again = Counter(names.values())
        names = {each: "/".join(each[-count:]) if again[name] > 1 else name for each, name in names.items()}
    seen = Counter[str]()
    found = []
    for each in words:
        name = names[each]
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found
