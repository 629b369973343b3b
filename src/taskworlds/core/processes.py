"""New Python processes, which import what this one can, but nothing from the folder that the user stands in."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["python_command"]

# `python -c` looks for modules in the current folder first, which "" stands for. The folder of this package comes last,
# so that a process finds it wherever this one did. Python's own ways to leave "" out are too new (-P, of Python 3.11)
# or leave out too much (-I: PYTHONPATH and the user's own packages).
_PREPARE = "import sys; sys.path[:] = [*filter(None, sys.path), {folder!r}]\n"


def python_command(program: str, *arguments: str) -> list[str]:
    """Returns the command that runs a program in a new Python process.

    Args:
        program: its source code.
        arguments: what it finds in `sys.argv[1:]`.

    Example:
        >>> import subprocess
        >>> subprocess.check_output(python_command("print(6 * 7, end='')"), text=True)
        '42'
    """
    return [
        sys.executable,
        "-c",
        _PREPARE.format(folder=str(Path(__file__).parents[2])) + program,
        *arguments,
    ]
