"""Kernels: functions that the engine's threads call after a row's physics, compiled by numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["compile_kernel"]


def compile_kernel(function: Callable[..., None]) -> Any:
    """Compiles `function(now, action, params, memory, obs, terms, single)` for the engine.

    The first six are pointers to float64: what the row's world reads, the row's action, params and memory,
    and its observation and terms. Give them a shape with `numba.carray(pointer, size)`. `single` is 1 if the
    action came as float32 and 0 otherwise, for formulas that NumPy would compute in float32. The function
    runs without Python's lock: it must not raise, allocate Python objects or print.

    Returns:
        The compiled function (numba's CFunc), for `Engine(kernels=...)`.

    Example:
        >>> def hand_height(now, action, params, memory, obs, terms, single):
        ...     obs[0] = now[2]
        >>> compile_kernel(hand_height).address > 0
        True
    """
    import numba

    pointer = numba.types.CPointer(numba.float64)
    return numba.cfunc(numba.void(*(pointer,) * 6, numba.int64))(function)
