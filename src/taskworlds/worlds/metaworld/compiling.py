"""Compiled kernels for many skills: loaded from disk, or compiled first, several at a time."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from taskworlds.core import cache
from taskworlds.core.announcements import announced
from taskworlds.core.cpus import count_cpus
from taskworlds.core.processes import python_command
from taskworlds.worlds.metaworld.kernel import find_kernel, native_kernel
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.skills import SKILLS, skill

__all__ = ["compile_for_others", "kernels", "remember"]

_COMPILE = "from taskworlds.worlds.metaworld.compiling import compile_for_others; compile_for_others()"

_loaded: dict[tuple[Skill, str], Any] = {}


def kernels(skills: Sequence[Skill], version: str) -> list[Any]:
    """Returns the skills' kernels, in their order.

    Kernels missing from the cache on disk are compiled on all cores, a second or two each; progress goes to stderr.
    Those of skills that are not Meta-World's are compiled in this process, since another one might not find their
    functions.
    """
    missing = [each for each in skills if (each, version) not in _loaded]
    for each in missing:
        if each in SKILLS and (found := find_kernel(each, version)) is not None:
            _loaded[each, version] = found
    official = [each for each in missing if each in SKILLS and (each, version) not in _loaded]
    if len(official) > 1:
        if cache.can_save("kernels"):
            _compile([each.name for each in official], version)
        else:  # other processes would compile in vain
            what = f"compiling {len(official)} skills, for this process alone"
            with announced(what, len(official)) as advance:
                for each in official:
                    _loaded[each, version] = native_kernel(each, version)
                    advance()
    for each in missing:
        if (each, version) not in _loaded:
            _loaded[each, version] = native_kernel(each, version)
    return [_loaded[each, version] for each in skills]


def remember(skill: Skill, version: str, kernel: Any) -> None:
    """Keeps a kernel that was compiled elsewhere, for this process."""
    _loaded[skill, version] = kernel


def _compile(names: Sequence[str], version: str) -> None:
    count = min(count_cpus(), len(names))
    # Skills of a family share functions, which a process compiles once.
    kin = sorted(names, key=lambda name: skill(name).family)
    bounds = [len(kin) * i // count for i in range(count + 1)]
    told, tell = os.pipe()
    workers = [
        subprocess.Popen(
            python_command(_COMPILE, version, *kin[begin:end]),
            stdin=subprocess.DEVNULL,
            stdout=tell,
            stderr=subprocess.DEVNULL,  # a failure is not lost, see below
            start_new_session=True,  # Ctrl-C is this process's to handle
        )
        for begin, end in itertools.pairwise(bounds)
    ]
    os.close(tell)
    try:
        with (
            announced(f"compiling {len(names)} skills, once on this machine", len(names)) as advance,
            os.fdopen(told) as lines,
        ):
            for _ in lines:  # to the end of the last worker
                advance()
        for worker in workers:
            worker.wait()  # what is still missing is compiled in this process, which then raises
    except BaseException:
        for worker in workers:
            worker.kill()
            worker.wait()
        raise


def compile_for_others() -> None:
    """Compiles the skills that this process's command names, and keeps them on disk."""
    for name in sys.argv[2:]:
        native_kernel(skill(name), sys.argv[1])
        print(name, flush=True)
