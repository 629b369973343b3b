"""References: things named as "module:NAME", which are imported when they are used and not before."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import types
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from taskworlds.core.errors import WrongValue

__all__ = ["Reference", "equal_records", "is_reference", "resolve"]

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


def is_reference(value: Any) -> bool:
    """Returns whether a value is a function, or a string of the form "module:NAME".

    Example:
        >>> is_reference(len), is_reference("math:sqrt"), is_reference("math"), is_reference(3)
        (True, True, False, False)
    """
    if isinstance(value, str):
        module, colon, path = value.partition(":")
        return bool(module and colon and path)
    return callable(value)


def equal_records(record: Any, other: Any) -> bool:
    """Returns whether two dataclasses are of one class and have equal fields.

    Partial functions and bound methods count by what they are made of, so a record equals its pickled copy.
    """
    return type(other) is type(record) and all(
        _same(getattr(record, each.name), getattr(other, each.name)) for each in dataclasses.fields(record)
    )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, functools.partial) and isinstance(other, functools.partial):
        return _same((one.func, one.args, one.keywords), (other.func, other.args, other.keywords))
    if isinstance(one, types.MethodType) and isinstance(other, types.MethodType):
        return one.__func__ is other.__func__ and _same(one.__self__, other.__self__)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(_same(one[name], other[name]) for name in one)
    if dataclasses.is_dataclass(one) and type(one) is type(other) and not isinstance(one, type):
        return equal_records(one, other)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
