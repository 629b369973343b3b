"""JSON from elsewhere: read so that whatever is wrong with it is a ValueError, and sealed with a checksum."""

from __future__ import annotations

import hashlib
import json
import os
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from taskworlds.core.errors import WrongType, WrongValue

__all__ = ["check_seal", "load", "parse", "parse_format", "seal", "why"]

_SEAL = "sha256"
_T = TypeVar("_T")


def parse(text: str | bytes, what: str) -> Any:
    """Returns what a JSON text holds.

    Args:
        text: the text, or its bytes.
        what: what it should be, for messages: "a task's JSON".

    Raises:
        TypeError: it is not a text.
        ValueError: it is not JSON, is nested too deep, or has a number with thousands of digits.
    """
    if not isinstance(text, str | bytes | bytearray):
        raise WrongType(f"{what} must be a string, not {reprlib.repr(text)}.", argument="text")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WrongValue(
            f"This is not {what}, or it is only part of one ({error}). It starts with {text[:60]!r}."
        ) from None


def parse_format(text: str, what: str, form: str) -> dict[str, Any]:
    """Returns the values by name that a JSON text holds, one of which says that they are of a format.

    Args:
        text: the text.
        what: what it should be, for messages.
        form: the format, under "format".

    Raises:
        TypeError: it is not a text.
        ValueError: it is not JSON, or of another format.
    """
    data = parse(text, what)
    if not isinstance(data, dict) or data.get("format") != form:
        raise WrongValue(
            f'This is JSON, but not {what}: it has no "format": {form!r}. It starts with {text[:60]!r}.'
        )
    return data


def load(path: str | os.PathLike[str], from_text: Callable[[str], _T], what: str) -> _T:
    """Returns what is made of the text of a file; what is wrong with it begins with the file's name.

    Args:
        path: of the file.
        from_text: makes it.
        what: what the file should hold, for messages.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not text, or `from_text` raises one.
    """
    try:
        return from_text(Path(path).read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise WrongValue(f"{os.fspath(path)}: This is not {what}: it is not text.") from None
    except ValueError as error:
        raise WrongValue(f"{os.fspath(path)}: {error}") from error


def why(error: Exception) -> str:
    """Returns what is wrong with values that were read, in words, without a full stop at its end.

    Example:
        >>> why(KeyError("seed")), why(ValueError("seed must be a whole number."))
        ("'seed' is missing", 'seed must be a whole number')
    """
    return f"{error} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")


def seal(data: dict[str, Any]) -> dict[str, Any]:
    """Returns JSON values by name with a checksum of them all, under "sha256"."""
    return data | {_SEAL: _checksum(data)}


def check_seal(data: dict[str, Any], what: str) -> None:
    """Raises ValueError unless JSON values have the checksum that `seal` gave them.

    Args:
        data: the values by name.
        what: what they are, for messages.
    """
    if data.get(_SEAL) != _checksum({name: value for name, value in data.items() if name != _SEAL}):
        raise WrongValue(
            f"{what} is damaged: its checksum ({_SEAL}) does not match its content, so it was changed after "
            "it was written."
        )


def _checksum(data: dict[str, Any]) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
