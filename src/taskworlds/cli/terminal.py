"""What the commands print with: consoles for both streams, and a user's mistake as one red line."""

from __future__ import annotations

import os

from rich.console import Console
from rich.text import Text

__all__ = ["console", "counted", "say_mistake"]

_WIDTH = 120  # columns of what is piped, where nothing else says; a table must not be cut there


def console(*, stderr: bool = False) -> Console:
    """Returns a console for standard output or standard error, with colours on terminals only."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _WIDTH
    return made


def counted(count: int, noun: str) -> str:
    """Returns a number of things, in words.

    Example:
        >>> counted(1, "row"), counted(10, "row")
        ('1 row', '10 rows')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def say_mistake(message: str) -> None:
    """Prints a user's mistake, or what went wrong, to standard error as one line."""
    line = " ".join(message.split())
    console(stderr=True).print(Text(f"Error: {line}", style="red"), soft_wrap=True)
