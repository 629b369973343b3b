"""What the commands print with: consoles for both streams, and a user's mistake as one red line."""

from __future__ import annotations

import linecache
import os

from rich.console import Console
from rich.text import Text

__all__ = ["console", "counted", "is_mistake", "say_mistake"]

_WIDTH = 120  # columns of what is piped, where nothing else says; a table must not be cut there


def console(*, stderr: bool = False) -> Console:
    """Gives a console for standard output or standard error, with colour on terminals only."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _WIDTH
    return made


def counted(count: int, noun: str) -> str:
    """Gives a number of things, in words.

    Example:
        >>> counted(1, "row"), counted(10, "row")
        ('1 row', '10 rows')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def is_mistake(error: Exception) -> bool:
    """Tells whether this package raised the error on purpose, for something that the user gave.

    Otherwise it comes from the user's policy or from a defect, and its traceback is wanted.
    """
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return False
    frame = traceback.tb_frame
    line = linecache.getline(frame.f_code.co_filename, traceback.tb_lineno)
    ours = frame.f_globals.get("__name__", "").partition(".")[0] == "taskworlds"
    return ours and line.lstrip().startswith("raise ")


def say_mistake(message: str) -> None:
    """Prints a user's mistake, or what went wrong, to standard error as one line."""
    line = " ".join(message.split())
    console(stderr=True).print(Text(f"Error: {line}", style="red"), soft_wrap=True)
