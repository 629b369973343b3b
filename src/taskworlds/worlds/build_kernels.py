"""Compiles the kernels of this package's skills into object files, on all cores: CMake calls `main` at the build.

It writes into a folder an object file for each kernel, `kernels.rsp` with their paths for the linker, and
`kernels.inc` with their names for `cpp/kernel_library.cc`. It needs NumPy and the numba of `kernels.library.NUMBA`, and
neither MuJoCo nor any environment. What cannot be compiled is said in a line and left out: such a skill is compiled
when it is first used.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import multiprocessing
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from taskworlds.core import files
from taskworlds.core.cpus import count_cpus
from taskworlds.core.reference import resolve
from taskworlds.kernels import library
from taskworlds.kernels.entry import Entry, full_name
from taskworlds.kernels.library import NUMBA

__all__ = ["ENTRIES", "entries", "main"]

ENTRIES = (
    "taskworlds.worlds.metaworld.kernel:entries",
    "taskworlds.worlds.locomotion.kernels:entries",
    "taskworlds.worlds.control.kernels:entries",
)
"""Functions that return the kernels of a world's skills."""

# Kernels that a process gets at a time. It takes two seconds to start and to compile what kernels have in common, and
# then one for each; on eight cores and fewer no smaller share is sooner done.
_SHARE = 15
_LATER = "each skill is compiled when it is first used"


class _Made(NamedTuple):
    """What became of a kernel: `fault` says why there is no object file, and is empty if there is one."""

    name: str
    fault: str


def entries() -> Iterator[Entry]:
    """Returns the kernels of all skills of this package that the native engine steps."""
    for function in ENTRIES:
        yield from resolve(function)()


def main(folder: Path) -> None:
    """Compiles all kernels into a folder, but for those that are there already, made of the same and by the same."""
    folder.mkdir(parents=True, exist_ok=True)
    made: list[_Made] = []
    if (fault := _numba_fault()) is not None:
        print(f"taskworlds: kernels are not compiled now, because {fault}; {_LATER}.", flush=True)
    else:
        made = _compile_all(folder)
        for each in made:
            if each.fault:
                print(f"taskworlds: the kernel {each.name} is left out, because {each.fault}.", flush=True)
    names = sorted(each.name for each in made if not each.fault)
    (folder / "kernels.rsp").write_text("".join(f'"{_object(folder, name).as_posix()}"\n' for name in names))
    (folder / "kernels.inc").write_text("".join(f"TASKWORLDS_KERNEL({name})\n" for name in names))


def _numba_fault() -> str | None:
    try:
        found = importlib.metadata.version("numba")
    except importlib.metadata.PackageNotFoundError:
        return f"numba {NUMBA} is not installed"
    return None if found == NUMBA else f"numba {NUMBA} is needed, not {found}"


def _compile_all(folder: Path) -> list[_Made]:
    from taskworlds.kernels.numba_kernel import ANY_PROCESSOR  # imports numba

    _forget_others(folder)
    # Of the processes that follow. A build gives the same bytes again: no order depends on chance, and what numba
    # counts begins anew with each share.
    os.environ |= ANY_PROCESSOR | {"PYTHONHASHSEED": "0"}
    names = [full_name(*each) for each in entries()]
    made = [_Made(name, "") for name in names if _object(folder, name).exists()]
    missing = [i for i, name in enumerate(names) if not _object(folder, name).exists()]
    shares = [(folder, missing[begin : begin + _SHARE]) for begin in range(0, len(missing), _SHARE)]
    if shares:
        with multiprocessing.get_context("spawn").Pool(
            min(count_cpus(), len(shares)), maxtasksperchild=1
        ) as pool:
            made += [each for share in pool.imap_unordered(_compile_share, shares) for each in share]
    return made


def _forget_others(folder: Path) -> None:
    """Deletes what was made in another way. What a kernel is made of is in its name, and how it is made is not."""
    stamp, sources = folder / "made_by", sorted(Path(library.__file__).parent.glob("*.py"))
    code = hashlib.sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()
    made_by = (
        f"{library.MADE_BY}, llvmlite {importlib.metadata.version('llvmlite')}, Python {sys.version}, {code}"
    )
    if not stamp.exists() or stamp.read_text() != made_by:
        for old in folder.glob("*.o"):
            old.unlink()
        stamp.write_text(made_by)


def _compile_share(share: tuple[Path, list[int]]) -> list[_Made]:
    """Compiles the kernels of these numbers, in a process of its own."""
    from taskworlds.kernels.compiler import compile_kernel

    folder, numbers = share
    every, made = list(entries()), []
    for enter, title in (every[i] for i in numbers):
        name = full_name(enter, title)
        try:
            code = compile_kernel(enter).object_code(f"taskworlds_{name}")
        except Exception as error:  # whatever it is, the package works without this kernel
            made.append(_Made(name, f"{type(error).__name__}: {error}"))
        else:
            files.write_whole(_object(folder, name), code)
            made.append(_Made(name, ""))
    return made


def _object(folder: Path, name: str) -> Path:
    return folder / f"{name}.o"
