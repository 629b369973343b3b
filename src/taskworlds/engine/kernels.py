"""Kernels: functions that the engine's threads call after a row's physics, compiled by numba.

They are written as ordinary Python functions that call other ordinary Python functions; nothing in them names numba.
"""

from __future__ import annotations

import os
import types
import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["compile_kernel", "is_on_disk"]


def compile_kernel(function: Callable[..., None], name: str | None = None) -> Any:
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

    Returns:
        The compiled function (numba's CFunc), for `Engine(kernels=...)`.

    Example:
        >>> def hand_height(now, action, params, memory, obs, terms, single):
        ...     obs[0] = now[2]
        >>> compile_kernel(hand_height).address > 0
        True
    """
    import numba

    title = name or f"{function.__name__}_{id(function)}"
    whole = _named(_with_compiled_globals(function, title, numba, {}), title)
    whole.__globals__["carray"] = numba.carray
    pointer = numba.types.CPointer(numba.float64)
    signature = numba.void(*(pointer,) * 6, numba.int64)
    if name is not None:
        try:
            return numba.cfunc(signature, cache=True)(whole)
        except RuntimeError as error:  # numba found no folder to write to
            warnings.warn(
                f"Compiled kernels cannot be kept on disk ({error}), so each process compiles them anew. "
                "Set NUMBA_CACHE_DIR to a folder that can be written to.",
                RuntimeWarning,
                stacklevel=2,
            )
    return numba.cfunc(signature)(whole)


def is_on_disk(function: Callable[..., None], name: str) -> bool:
    """Tells whether `compile_kernel` would find the function on disk under this name."""
    from numba.core.caching import FunctionCache

    try:
        cache = FunctionCache(_named(function, name))
    except RuntimeError:  # no folder to write to
        return False
    return os.path.exists(os.path.join(cache.cache_path, f"{cache._impl.filename_base}.nbi"))


def _named(function: Callable[..., Any], name: str) -> types.FunctionType:
    """Copies a function under another name."""
    assert isinstance(function, types.FunctionType)
    copy = types.FunctionType(function.__code__, function.__globals__, name, function.__defaults__)
    copy.__qualname__, copy.__module__ = name, __name__
    return copy


def _with_compiled_globals(
    function: Callable[..., Any], name: str, numba: Any, done: dict[Callable[..., Any], Any]
) -> types.FunctionType:
    """Copies a function, with the Python functions that it calls replaced by compiled ones, and theirs.

    Each gets the kernel's name in its own: numba makes the names of machine code from those of functions and a count
    within the process, so two kernels compiled in two processes and loaded into one would share their helpers' code.
    """
    assert isinstance(function, types.FunctionType)
    used = function.__code__.co_names
    bound = {each: function.__globals__[each] for each in used if each in function.__globals__}
    for global_name, value in bound.items():
        if isinstance(value, types.FunctionType):
            if value not in done:
                done[value] = numba.njit(_with_compiled_globals(value, name, numba, done))
            bound[global_name] = done[value]
    bound["__builtins__"] = function.__globals__.get("__builtins__", __builtins__)
    bound["__name__"] = function.__module__
    copy = types.FunctionType(function.__code__, bound, f"{function.__name__}_{name}", function.__defaults__)
    copy.__qualname__ = copy.__name__
    return copy
