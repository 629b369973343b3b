"""Compiled kernels for many skills: loaded from disk, or compiled first, several at a time.

Run as a module it compiles the skills that it is given, for the processes that `kernels` starts.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from taskworlds.core.cpus import count_cpus
from taskworlds.worlds.metaworld.kernel import is_cached, native_kernel
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.skills import SKILLS, skill

__all__ = ["kernels", "remember"]

_loaded: dict[tuple[Skill, str], Any] = {}


def kernels(skills: Sequence[Skill], version: str) -> list[Any]:
    """Returns the skills' kernels, in their order.

    Kernels missing from the cache on disk are compiled on all cores, a second or two each; progress goes to stderr.
    Those of skills that are not Meta-World's are compiled in this process, since another one might not find their
    functions.
    """
    unloaded = [each for each in skills if (each, version) not in _loaded]
    # Where nothing can be kept on disk, other processes compile in vain.
    official = [each.name for each in unloaded if each in SKILLS and is_cached(each, version) is False]
    if len(official) > 1:
        _compile(official, version)
    for each in skills:
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
    said = f"taskworlds: compiling {len(names)} skills, once on this machine ..."
    print(said, end="", file=sys.stderr, flush=True)
    told, tell = os.pipe()
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", __name__, version, *kin[begin:end]],
            stdin=subprocess.DEVNULL,
            stdout=tell,
            start_new_session=True,  # Ctrl-C is this process's to handle
        )
        for begin, end in itertools.pairwise(bounds)
    ]
    os.close(tell)
    try:
        with os.fdopen(told) as lines:
            for done, _ in enumerate(lines, start=1):  # to the end of the last worker
                if sys.stderr.isatty():
                    print(f"\r{said} {done}", end="", file=sys.stderr, flush=True)
        for worker in workers:
            worker.wait()  # a failure is not lost: what is still missing is compiled in this process, which then raises
    except BaseException:
        for worker in workers:
            worker.kill()
        raise
    print(" done", file=sys.stderr, flush=True)


if __name__ == "__main__":
    for name in sys.argv[2:]:
        native_kernel(skill(name), sys.argv[1])
        print(name, flush=True)
