"""Which classes and aliases of this package the annotations of functions and classes name.

Names are read from the source, so those that a module imports for type checkers only are found too.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import typing
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple


class Origin(NamedTuple):
    """Where a global name of a module comes from.

    Attributes:
        module: the module that defines it.
        name: its name there.
    """

    module: str
    name: str

    @property
    def value(self) -> Any:
        """What it stands for."""
        return getattr(importlib.import_module(self.module), self.name)


class _Scope(NamedTuple):
    """The global names of a module: those that it imports from this package, and the classes and values it defines."""

    imported: dict[str, Origin]
    defined: dict[str, ast.expr | None]  # with the right side of an assignment


@functools.cache
def _scope(module: str) -> _Scope:
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    imported, defined = {}, {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("taskworlds"):
            for each in node.names:
                imported[each.asname or each.name] = Origin(str(node.module), each.name)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            defined[node.name] = None
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            defined[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            defined[node.target.id] = node.value
    return _Scope(imported, defined)


def origin(module: str, name: str) -> Origin | None:
    """Returns where a global name of a module is defined; None if it is not a class or value of this package."""
    scope = _scope(module)
    if name in scope.defined:
        return Origin(module, name)
    return origin(*scope.imported[name]) if name in scope.imported else None


def _in_source(module: str, expression: ast.expr | None) -> Iterator[Origin]:
    """Yields what an annotation, or the right side of an alias, names."""
    for node in [] if expression is None else ast.walk(expression):
        found = origin(module, node.id) if isinstance(node, ast.Name) else None
        if found is not None:
            yield found


def _in_annotation(module: str, annotation: Any) -> Iterator[Origin]:
    """Yields what an annotation names: as text, as the standard library or `documented` evaluated it."""
    annotation = getattr(annotation, "__forward_arg__", annotation)
    if isinstance(annotation, str):
        yield from _in_source(module, ast.parse(annotation, mode="eval").body)
    elif isinstance(annotation, list):  # the arguments of a Callable
        for each in annotation:
            yield from _in_annotation(module, each)
    elif typing.get_args(annotation):
        for each in typing.get_args(annotation):
            yield from _in_annotation(module, each)
    elif inspect.isclass(annotation) and annotation.__module__.startswith("taskworlds"):
        yield Origin(annotation.__module__, annotation.__qualname__)


def of_function(function: FunctionType) -> Iterator[Origin]:
    """Yields what the annotations of a function name."""
    signature = inspect.signature(function)
    for annotation in (
        signature.return_annotation,
        *(each.annotation for each in signature.parameters.values()),
    ):
        if annotation is not inspect.Signature.empty:
            yield from _in_annotation(function.__module__, annotation)


def of_fields(value: type) -> Iterator[Origin]:
    """Yields what the annotations of the fields of a named tuple, a dataclass or a typed dictionary name."""
    for base in value.__mro__:
        if base.__module__.startswith("taskworlds"):
            for name, annotation in inspect.get_annotations(base).items():
                if not name.startswith("_"):
                    yield from _in_annotation(base.__module__, annotation)


def of_alias(alias: Origin) -> Iterator[Origin]:
    """Yields what the right side of an alias names."""
    yield from _in_source(alias.module, _scope(alias.module).defined[alias.name])
