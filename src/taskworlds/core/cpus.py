"""How many processors this process may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

__all__ = ["MOST_THREADS", "available_cpus", "count_cpus"]

MOST_THREADS = 4096
"""The most threads that an engine can be asked for."""

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


def count_cpus() -> int:
    """Returns the number of processors that this process may use, at least 1.

    That is the least of those available, and of OMP_NUM_THREADS where that is set, as by Ray for each of its actors.
    """
    counts = [available_cpus()]
    wanted = (
        os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    )  # the first number is the outer level's
    if wanted.isdecimal() and int(wanted) > 0:
        counts.append(int(wanted))
    return max(1, min(counts))


def available_cpus() -> int:
    """Returns the number of processors that there are for this process and those that it starts, at least 1.

    That is the least of what it is bound to, and of what its control groups' quotas are worth (those of a container, of
    a Slurm or a systemd job).
    """
    return max(1, min([_bound_to(), *_quotas()]))


def _bound_to() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas() -> Iterator[int]:
    """Returns how many whole processors each control group of this process, and each above it, may keep busy."""
    try:
        lines = _OWN_GROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, _, named = line.partition(":")
        controllers, _, path = named.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = _CGROUPS / controllers  # version 2 has all controllers in one tree
        group = PurePosixPath(path)
        for each in (group, *group.parents):
            quota = _quota(root / each.relative_to("/") if each.is_absolute() else root)
            if quota is not None:
                yield quota


def _quota(folder: Path) -> int | None:
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = (
                (folder / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period")
            )
        return None if quota in ("max", "-1") else int(quota) // int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None
