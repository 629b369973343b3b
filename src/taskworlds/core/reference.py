"""References: things named as "module:NAME", which are imported when they are used and not before."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeAlias

from taskworlds.core.errors import WrongValue

__all__ = ["Reference", "resolve"]

Reference: TypeAlias = Callable[..., Any] | str
"""A function, or the name of one: "package.module:name", with dots after the colon for attributes of attributes."""


def resolve(reference: Any) -> Any:
    """Returns what a reference names; anything that is not a string is returned as it is.

    Raises:
        ValueError: the string is not of the form "module:NAME", or the module has no such name.
        ImportError: the module cannot be imported.

    Example:
        >>> resolve("math:sqrt")(9.0), resolve(len)("abc")
        (3.0, 3)
    """
    if not isinstance(reference, str):
        return reference
    module_name, colon, path = reference.partition(":")
    if not (module_name and colon and path):
        raise WrongValue(f'A reference must have the form "module:NAME", not {reference!r}.')
    found: Any = importlib.import_module(module_name)
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise WrongValue(f"{reference!r} names {part!r}, which {module_name} does not have.") from None
    return found
