"""Whether the reference describes the parameters of what it tells of: all that there are, and no others."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Iterable, Iterator

from sphinx.ext.autodoc.mock import mock
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.pycode import ModuleAnalyzer

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
    for method, member in api.members_of(value):
        function = getattr(member, "__func__", member)
        if inspect.isfunction(function):
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
    for name in sorted(api.public_names() | api.named_in_annotations()):
        value = api.value_of(name)
        if inspect.isfunction(value):
            yield name, inspect.signature(value).parameters, inspect.getdoc(value) or "", False
        elif inspect.isclass(value) and value.__name__ == name.rpartition(".")[2]:
            yield from _of_class(name, value)


def _without_text() -> Iterator[str]:
    """Yields the aliases that the reference would show without a word."""
    for name, module in sorted(api.named_in_annotations().items()):
        last = name.rpartition(".")[2]
        if (
            not inspect.isclass(api.value_of(name))
            and ("", last) not in ModuleAnalyzer.for_module(module).find_attr_docs()
        ):
            yield name


def faults() -> list[str]:
    """Returns a line for each parameter and alias without a description, and each parameter that does not exist."""
    with mock(api.MOCKED):
        found = [
            f"{name} {words}"
            for name, parameters, text, of_class in _documented()
            for words in differences(parameters, text, of_class=of_class)
        ]
        return found + [f"{name} has no docstring below it" for name in _without_text()]
