"""What a Python function is made of: the functions that it reaches, and a digest of all that decides what it does.

Functions are known by their code and by the values of what they name, not by files and lines. So a function that was
defined again with the same meaning (a notebook's cell run again, a copy in another process) counts as the same, and one
whose constant was changed elsewhere counts as another.
"""

from __future__ import annotations

import hashlib
import re
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["digest", "names_used", "reached"]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LIBRARIES = frozenset({"mujoco", "numba", "numpy", "scipy"})
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def names_used(code: types.CodeType) -> list[str]:
    """Returns the names that code looks up, of globals and of attributes, those of inner functions included."""
    names = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= dict.fromkeys(names_used(constant))
    return list(names)


def reached(function: types.FunctionType) -> list[types.FunctionType]:
    """Returns a function and all plain Python functions that it names, or that those name, each once.

    Example:
        >>> def double(x):
        ...     return 2 * x
        >>> def quadruple(x):
        ...     return double(double(x))
        >>> [each.__name__ for each in reached(quadruple)]
        ['quadruple', 'double']
    """
    found: dict[int, types.FunctionType] = {}
    waiting = [function]
    while waiting:
        each = waiting.pop()
        if id(each) not in found:
            found[id(each)] = each
            waiting += [value for _, value in _values_used(each) if isinstance(value, types.FunctionType)]
    return list(found.values())


def digest(*values: Any) -> str:
    """Returns 16 hexadecimal digits that change with anything that the values, functions among them, are made of.

    A function counts with its code, defaults and closure, and with the globals that it names; one of Python's own or of
    the numerical libraries counts by name. Of a module that it names, the numbers, strings and tuples count that it
    takes from there.

    Example:
        >>> digest(lambda x: x + 1) == digest(lambda x: x + 1), digest(lambda x: x + 1) == digest(lambda x: x + 2)
        (True, False)
    """
    seen: dict[int, int] = {}
    text = "\n".join(_described(value, seen) for value in values)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _is_library(function: types.FunctionType) -> bool:
    """Returns whether a function is one of Python's or of the numerical libraries, which count by name alone."""
    package = (function.__module__ or "").partition(".")[0]
    return package != "__main__" and package in sys.stdlib_module_names | _LIBRARIES


def _values_used(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Returns the globals and the closure's variables that a function names, each with its value."""
    for name in names_used(function.__code__):
        if name in function.__globals__ and name != "__builtins__":  # a process's own, and others write to it
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell.cell_contents


def _described(value: Any, seen: dict[int, int]) -> str:
    """Returns a text for a value that is equal for equal meanings, in every process."""
    value = getattr(value, "py_func", value)  # what numba made of a function
    if isinstance(value, _PLAIN):
        return f"{type(value).__name__} {value!r}"
    if id(value) in seen:
        return f"number {seen[id(value)]}"
    if isinstance(value, types.FunctionType):
        if _is_library(value):
            return f"function {value.__module__}.{value.__qualname__}"
        seen[id(value)] = len(seen)
        names = names_used(value.__code__)
        parts = [_code(value.__code__), _described((value.__defaults__, value.__kwdefaults__), seen)]
        for name, used in _values_used(value):
            parts.append(f"{name} = {_module(used, names) if _is_module(used) else _described(used, seen)}")
        return "function {" + "\n".join(parts) + "}"
    if isinstance(value, np.ndarray):
        return f"array {value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, type):
        return f"class {value.__name__} {getattr(value, '_fields', None)!r}"
    if isinstance(value, Mapping):
        return (
            "mapping {"
            + "\n".join(f"{_described(k, seen)}: {_described(v, seen)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, set | frozenset):  # whose order differs from process to process
        return f"{type(value).__name__} {sorted(_described(each, seen) for each in value)}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__} (" + "\n".join(_described(each, seen) for each in value) + ")"
    return _ADDRESS.sub("", f"{type(value).__name__} {value!r}")


def _code(code: types.CodeType) -> str:
    """Describes code without the file and the lines that it was written in."""
    constants = [_constant(each) for each in code.co_consts]
    sizes = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return f"code {code.co_code.hex()} {sizes} {names} {constants}"


def _constant(value: Any) -> str:
    """Describes a constant of code. The order of a set differs from process to process."""
    if isinstance(value, types.CodeType):
        return _code(value)
    if isinstance(value, frozenset):
        return f"frozenset {sorted(map(_constant, value))}"
    return f"{type(value).__name__} {value!r}"


def _is_module(value: Any) -> bool:
    return isinstance(value, types.ModuleType)


def _module(module: types.ModuleType, names: list[str]) -> str:
    """Describes a module by the plain values that a function with these names may take from it."""
    taken = {name: vars(module)[name] for name in names if name in vars(module)}
    plain = {name: value for name, value in taken.items() if isinstance(value, _PLAIN + (tuple,))}
    return f"module {module.__name__} {sorted(plain.items())!r}"
