"""What is put right in docstrings between autodoc, napoleon and Sphinx."""

from __future__ import annotations

import re
from typing import Any

from sphinx.util.inspect import TypeAliasForwardRef

from _pages import api

_SEVERAL = r"^:(param|ivar) ([\w*\\]+(?:, [\w*\\]+)+):(.*(?:\n +\S.*)*)"


def keep_whole(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Keeps napoleon from reading "Whether it is one: with two tests" as a type and what it is of.

    It does so with the texts of properties, attributes and aliases, and below "Returns:", unless the text begins with a
    colon.
    """
    if what in ("property", "attribute", "data") and lines:
        lines[0] = f": {lines[0]}"
    for number, line in enumerate(lines[:-1]):
        if line == "Returns:":
            lines[number + 1] = re.sub(r"^( *)", r"\1: ", lines[number + 1])


def one_by_one(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Repeats what is said of several names for each: Sphinx would read `:param a, b:` as a type and a name."""

    def each(found: re.Match[str]) -> str:
        kind, names, text = found.groups()
        return "\n".join(f":{kind} {name}:{text}" for name in names.split(", "))

    lines[:] = re.sub(_SEVERAL, each, "\n".join(lines), flags=re.MULTILINE).split("\n")


def leave_out(app: Any, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """Leaves out "Alias for field number 0": the fields of a named tuple are described under "Variables"."""
    return True if (getattr(value, "__doc__", None) or "").startswith("Alias for field number ") else None


def without_constructor(
    app: Any, what: str, name: str, value: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str, None] | None:
    """Shows a class without parameters if its constructor is for this package alone, or it is a protocol."""
    has_none = what == "class" and (
        getattr(value, "_is_protocol", False) or api.has_private_constructor(value)
    )
    return ("", None) if has_none else None


def connect(app: Any) -> None:
    """Has Sphinx call these functions, and write an alias that is in a union by its name, as it does an alias alone."""
    TypeAliasForwardRef.__repr__ = lambda alias: alias.name
    app.connect("autodoc-process-docstring", keep_whole, priority=400)  # napoleon's is 500
    app.connect("autodoc-process-docstring", one_by_one, priority=600)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("autodoc-process-signature", without_constructor)
