"""Kernels: functions that the engine's threads call after a row's physics, compiled by numba.

They are written as ordinary Python functions that call other ordinary Python functions; nothing in them names numba.
"""

from __future__ import annotations

import functools
import os
import re
import types
from collections.abc import Callable
from typing import Any

from taskworlds.core.digest import digest, names_used, reached
from taskworlds.core.errors import WrongType

__all__ = ["compile_kernel", "is_on_disk"]


@functools.cache  # and no plain global, which would count in a digest of `compile_kernel`
def _parts() -> dict[str, Any]:
    """The compiled functions that kernels of this process call, by name."""
    return {}


def compile_kernel(function: Callable[..., None], name: str | None = None, *, checked: bool = False) -> Any:
    """Compiles `function(now, action, params, memory, obs, terms, single)` for the engine, and what it calls.

    The first six are pointers to float64: what the row's scene reads, the row's action, params and memory, and its
    observation and terms. Give them a shape with `carray(pointer, size)`, which is found among the globals. `single` is
    1 if the action came as float32 and 0 otherwise, for formulas that NumPy would compute in float32. The function runs
    without Python's lock: it must not raise, allocate Python objects or print. Python functions among its globals are
    compiled with it.

    Args:
        function: the function.
        name: its name in the cache on disk; it must change when anything that the function is made of changes. None: it
            is compiled for this process only.
        checked: whether an index beyond the end of an array is an error, which goes to `sys.unraisablehook`, and ends
            the call. Otherwise it reads or writes whatever lies there. Checks cost time, and are not kept on disk.

    Returns:
        The compiled function (numba's CFunc), for `Engine(kernels=...)`.

    Raises:
        TypeError: numba cannot compile the function; the message says which part, and why.

    Example:
        >>> def hand_height(now, action, params, memory, obs, terms, single):
        ...     obs[0] = now[2]
        >>> compile_kernel(hand_height).address > 0
        True
    """
    import numba  # takes a while, as does what imports it; what needs no kernel does without

    from taskworlds.kernels.numba_kernel import Kernel, KernelFile

    file = None if name is None or checked else KernelFile(name)
    title = name or f"{function.__name__}_{id(function)}"
    if file is not None and file.load():
        return Kernel(_named(function, title), file)
    whole = _with_compiled_globals(function, numba, checked)
    whole.__globals__["carray"] = numba.carray  # type: ignore[attr-defined]
    try:
        return Kernel(_named(whole, title), file, boundscheck=checked)
    except (numba.core.errors.NumbaError, numba.core.errors.UnsupportedBytecodeError) as error:
        raise WrongType(_explained(str(error), function, title)) from error


def _explained(message: str, function: Callable[..., None], title: str) -> str:
    """Says in a few words which function numba could not compile, where it stands, and what is allowed.

    numba's message begins with the innermost fault and goes outwards; names of functions and types end in digests.
    """
    assert isinstance(function, types.FunctionType)
    functions = reached(function)
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith("Failed in ")]
    reason = re.sub(r"\.* *Raised from .*", "", lines[0].strip())
    reason = re.sub(r"_[0-9a-f]{16}\b", "", reason.replace(title, function.__name__))
    at = re.search(r'File "(.*)", line (\d+):\ndef (\w+)\(|Raised from (\S+) \((\d+)\)', message)
    called = re.search(r"<function (\w+?)_[0-9a-f]{16} at ", message)
    if at and (called is None or at.start() < called.start()):
        file, number = os.path.basename(at.group(1) or at.group(4)), int(at.group(2) or at.group(5))
        within = [each for each in functions if os.path.basename(each.__code__.co_filename) == file]
        within = [each for each in within if each.__code__.co_firstlineno <= number]
        name = max(within, key=lambda each: each.__code__.co_firstlineno, default=function).__name__
    else:
        name = called.group(1) if called else function.__name__
        code = next((each for each in functions if each.__name__ == name), function).__code__
        file, number = os.path.basename(code.co_filename), code.co_firstlineno
    return (
        f"The function {name!r} cannot be compiled ({file}, line {number}): {reason.rstrip('.')}. "
        "Such a function may compute with numbers, tuples and the arrays that it is given, use `if`, "
        "`for`, `math` and constants, and call plain functions that follow the same rules. It may not create or change "
        "objects (dictionaries, strings, global names), or use `try`, `with` or anything else that numba does not "
        "support."
    )


def is_on_disk(name: str) -> bool:
    """Returns whether `compile_kernel` would find a function on disk under this name."""
    from taskworlds.kernels.numba_kernel import KernelFile  # deferred, as above

    return KernelFile(name).exists()


def _named(function: Callable[..., Any], name: str) -> types.FunctionType:
    """Copies a function under another name."""
    assert isinstance(function, types.FunctionType)
    copy = types.FunctionType(
        function.__code__, function.__globals__, name, function.__defaults__, function.__closure__
    )
    copy.__qualname__, copy.__module__ = name, __name__
    return copy


def _part_name(function: types.FunctionType) -> str:
    """Names a function that a kernel calls; equal names mean equal code."""
    return f"{function.__name__}_{digest(function)}"


def _with_compiled_globals(function: Callable[..., Any], numba: Any, checked: bool) -> types.FunctionType:
    """Copies a function, with the Python functions that it calls replaced by compiled ones, and theirs.

    Each of these has a digest of what it is made of in its name, and is compiled once for all kernels of the process
    that call it. numba names machine code after functions and argument types and a count within the process. Kernels
    that were compiled in two processes and are loaded into one therefore share the code of functions whose names are
    equal, and equal names must mean equal code.
    """
    assert isinstance(function, types.FunctionType)

    def compiled(value: Any) -> Any:
        if not isinstance(value, types.FunctionType):
            return value
        name = _part_name(value) + "_checked" * checked
        parts = _parts()
        if name not in parts:
            # Only machine code calls it: without the ways in from Python and C it compiles in half the time.
            compile_part = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, boundscheck=checked)
            part = _with_compiled_globals(value, numba, checked)
            part.__name__ = part.__qualname__ = name
            parts[name] = compile_part(part)
        return parts[name]

    scope = function.__globals__
    bound = {each: compiled(scope[each]) for each in names_used(function.__code__) if each in scope}
    bound["__builtins__"] = scope.get("__builtins__", __builtins__)
    bound["__name__"] = function.__module__
    closure = tuple(types.CellType(compiled(cell.cell_contents)) for cell in function.__closure__ or ())
    return types.FunctionType(
        _code_of(function), bound, function.__name__, function.__defaults__, closure or None
    )


def _code_of(function: types.FunctionType) -> types.CodeType:
    """Returns a function's code; that of this package is said to be in a file without folders above the package.

    Where code may raise, numba writes the file's path into the machine code. So a build is the same in every folder.
    """
    module = function.__module__ or ""
    ours = module.partition(".")[0] == __name__.partition(".")[0]
    code = function.__code__
    return code.replace(co_filename=f"{module.replace('.', '/')}.py") if ours else code
