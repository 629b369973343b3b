"""Whether the reference describes the parameters of public names: all that there are, and no others."""

from __future__ import annotations

import enum
import importlib
import inspect
import re
from collections.abc import Iterable, Iterator

from sphinx.ext.autodoc.mock import mock
from sphinx.ext.napoleon import Config, GoogleDocstring

from _pages import api

# How napoleon writes an entry of `Args:`, and one of `Attributes:`.
_ENTRY = re.compile(r"^:(param|ivar) ([^:]+):", flags=re.MULTILINE)


def described(docstring: str, kind: str) -> set[str]:
    """Returns the names that a docstring has entries for: "param" those of `Args:`, "ivar" those of `Attributes:`."""
    page = str(GoogleDocstring(inspect.cleandoc(docstring), Config(napoleon_use_ivar=True)))
    entries = [names for found, names in _ENTRY.findall(page) if found == kind]
    return {name.strip("\\* ") for names in entries for name in names.split(",")}


def differences(parameters: Iterable[str], docstring: str, *, of_class: bool = False) -> list[str]:
    """Returns in words where a docstring's entries and a function's parameters differ.

    Args:
        parameters: names of the parameters.
        docstring: the docstring.
        of_class: whether they are a constructor's, or an enumeration's members, which `Attributes:` may describe.
    """
    names = list(parameters)
    entries = described(docstring, "param")
    known = entries | described(docstring, "ivar") if of_class else entries
    return [f"does not describe {name}" for name in names if name not in known] + [
        f"describes {name}, which is not a parameter" for name in sorted(entries.difference(names))
    ]


def _of_class(name: str, value: type) -> Iterator[tuple[str, Iterable[str], str, bool]]:
    if issubclass(value, enum.Enum):
        yield name, value.__members__, inspect.getdoc(value) or "", True
    constructor = api.constructor_of(value)
    if constructor is not None:
        text = f"{inspect.getdoc(value)}\n\n{api.docstring_of(constructor)}"
        yield name, api.parameters_of(constructor).parameters, text, True
    for method, member in vars(value).items():
        function = getattr(member, "__func__", member)
        if inspect.isfunction(function) and not method.startswith("_"):
            is_static = isinstance(member, staticmethod)
            signature = inspect.signature(function) if is_static else api.parameters_of(function)
            yield (
                f"{name}.{method}",
                signature.parameters,
                inspect.getdoc(getattr(value, method)) or "",
                False,
            )


def _documented() -> Iterator[tuple[str, Iterable[str], str, bool]]:
    """Yields what the reference has parameters of, under its name: what `differences` takes.

    Not a second name of a class, such as an alias for types.
    """
    for name in sorted(api.public_names()):
        module, _, last = name.rpartition(".")
        value = getattr(importlib.import_module(module), last)
        if inspect.isfunction(value):
            yield name, inspect.signature(value).parameters, inspect.getdoc(value) or "", False
        elif inspect.isclass(value) and value.__name__ == last:
            yield from _of_class(name, value)


def faults() -> list[str]:
    """Returns a line for each parameter that is not described, and each that is described and does not exist."""
    with mock(api.MOCKED):
        return [
            f"{name} {words}"
            for name, parameters, text, of_class in _documented()
            for words in differences(parameters, text, of_class=of_class)
        ]
