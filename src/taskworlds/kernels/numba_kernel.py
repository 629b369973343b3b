"""All that this package does with numba beyond its public names: kernels on disk, and kernels as object files.

numba has a cache of its own. It unpickles what it finds beside the package, whoever wrote it and whatever became of it;
this one keeps the same bytes as `taskworlds.core.cache` does: with a checksum, and in a folder of the user's.

numba's own compiler for ahead of time is deprecated, and makes Python modules. Less is needed here: LLVM holds all
of a kernel before machine code is made of it, and can make code that runs on any processor and at any address.
"""

from __future__ import annotations

import math
import pickle
import re
import sys
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
from numba.core.caching import CompileResultCacheImpl, NullCache
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature

from taskworlds.core import cache
from taskworlds.core.digest import digest

__all__ = ["ANY_PROCESSOR", "Kernel", "KernelFile"]

ANY_PROCESSOR = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
"""Environment variables with which a process compiles kernels that run on any processor of its kind."""

_POINTER = numba.types.CPointer(numba.float64)  # type: ignore[no-untyped-call]
_SIGNATURE = normalize_signature(numba.void(*(_POINTER,) * 6, numba.int64))  # type: ignore[no-untyped-call]
_WRAPPER = "cfunc."  # what numba puts before a function's name for the way in from C
# What a kernel in a library may name: of the C library, and of cpp/kernel_library.cc.
_AT_HAND = frozenset({"memcpy", "memmove", "memset", "NRT_MemInfo_call_dtor"}) | {
    name for name in dir(math) if not name.startswith("_")
}
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

    _library: Any  # of numba, as is the name of the way in from C
    _wrapper_name: str

    def __init__(self, function: Any, file: KernelFile | None, **options: Any) -> None:
        super().__init__(function, _SIGNATURE, locals={}, options=options)
        if file is not None:
            self._cache = file
        self.compile()

    def object_code(self, symbol: str) -> bytes:
        """Returns the kernel as an object file, to be linked into a library.

        It has one function that others can call, as numba calls it: `cpp/kernel_library.cc` says how. It runs on any
        processor of this kind, if the process compiles for all of them (`ANY_PROCESSOR`).

        Args:
            symbol: the function's name there.

        Raises:
            ValueError: the kernel needs numba's or Python's runtime; the message says what of it.
        """
        machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
            cpu="generic", features="", opt=3, reloc="pic", codemodel="default"
        )
        module = llvm.parse_bitcode(self._library._final_module.as_bitcode())  # a copy, as this one is in use
        inner = self._wrapper_name.removeprefix(_WRAPPER)
        for each in [*module.functions, *module.global_variables]:
            if not each.is_declaration:
                each.linkage = "internal"
        module.get_function(inner).linkage = "external"
        module.get_function(inner).visibility = "hidden"
        _drop_unused(module, machine)
        missing = sorted(
            each.name
            for each in [*module.functions, *module.global_variables]
            if each.is_declaration and not each.name.startswith("llvm.") and each.name not in _AT_HAND
        )
        if missing:
            raise ValueError(f"it needs {', '.join(missing)}")
        module.get_function(inner).name = symbol
        code: bytes = machine.emit_object(module)
        return code


def _drop_unused(module: Any, machine: Any) -> None:
    """Drops from a module what its external functions do not need, such as the kernel's way in from C."""
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_strip_dead_prototype_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
