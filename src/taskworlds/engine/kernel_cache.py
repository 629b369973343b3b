"""Compiled kernels on disk: what numba asks for a kernel before it compiles it, and gives the kernel afterwards.

numba has a cache of its own. It unpickles what it finds beside the package, whoever wrote it and whatever became of it;
this one keeps the same bytes as `taskworlds.core.cache` does: with a checksum, and in a folder of the user's.
"""

from __future__ import annotations

import pickle
import re
import sys
from typing import Any

import llvmlite
import numba
from numba.core.caching import CompileResultCacheImpl, NullCache
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature

from taskworlds.core import cache
from taskworlds.core.digest import digest

__all__ = ["Kernel", "KernelFile"]

_POINTER = numba.types.CPointer(numba.float64)  # type: ignore[no-untyped-call]
_SIGNATURE = normalize_signature(numba.void(*(_POINTER,) * 6, numba.int64))  # type: ignore[no-untyped-call]
_LONGEST = 100  # characters of a kernel's name in the name of its file


class _Packing(CompileResultCacheImpl):
    """numba's way from a compiled function to what can be pickled, and back, without its search for a folder."""

    def __init__(self) -> None:
        pass


class KernelFile(NullCache):
    """The file of a kernel, as one of numba's caches.

    Args:
        name: the kernel's name, which must change with all that it is made of.
    """

    def __init__(self, name: str) -> None:
        target = cpu_target.target_context
        versions = (numba.__version__, llvmlite.__version__, sys.version, sys.implementation.cache_tag)
        machine = target.codegen().magic_tuple()
        short = re.sub(r"\W", "_", name)[:_LONGEST]
        self.name = f"{short}_{digest((name, versions, tuple(map(str, machine))))}.nbc"
        self._found: Any = None

    def exists(self) -> bool:
        """Returns whether the file is there, whole and safe."""
        return cache.load("kernels", self.name) is not None

    def load(self) -> bool:
        """Loads the kernel, for `Kernel` to take it, and returns whether that was possible."""
        data = cache.load("kernels", self.name)
        if data is None:
            return False
        target = cpu_target.target_context
        with global_compiler_lock:  # numba's own: it does one thing at a time
            target.refresh()
            self._found = _Packing().rebuild(target, pickle.loads(data))  # type: ignore[no-untyped-call]
        return True

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Returns what was loaded; called by numba."""
        return self._found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Saves what was compiled, unless it holds what means nothing to another process; called by numba."""
        if not data.lifted and not data.library.has_dynamic_globals:
            packed = dumps(_Packing().reduce(data))  # type: ignore[no-untyped-call]
            cache.save("kernels", self.name, packed)


class Kernel(CFunc):
    """A function that the engine's threads can call: compiled, or taken from its file.

    Args:
        function: the function, under its name for numba.
        file: where it is kept; None for nowhere.
        options: numba's.
    """

    def __init__(self, function: Any, file: KernelFile | None, **options: Any) -> None:
        super().__init__(function, _SIGNATURE, locals={}, options=options)
        if file is not None:
            self._cache = file
        self.compile()
