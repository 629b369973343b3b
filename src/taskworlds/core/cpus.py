"""How many processors this process may use."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["MOST_THREADS", "count_cpus", "count_cpus_of_container"]

MOST_THREADS = 4096
"""The most threads that an engine can be asked for."""


def count_cpus() -> int:
    """Returns the number of processors that this process is bound to, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def count_cpus_of_container() -> int:
    """Returns `count_cpus`, or the number of processors that the container's quota is worth, if that is less."""
    cpus = count_cpus()
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return cpus
    return cpus if quota == "max" else max(1, min(cpus, int(quota) // int(period)))
