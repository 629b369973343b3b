"""Rows on the native engine of worlds with a model for each task."""

from __future__ import annotations

import taskworlds
from taskworlds.kernels import entry


def test_a_process_compiles_a_kernel_once(monkeypatch):
    """numba never frees a kernel, so one for each batch would be a leak (39 KB)."""
    kept = {}
    monkeypatch.setattr(entry, "_kernels", kept)
    seen = []
    for name in ("half-cheetah-vel", "half-cheetah-dir", "half-cheetah-vel"):
        envs = taskworlds.make_vec(name, 2, seed=0, num_threads=1)
        envs.reset(seed=0)
        envs.close()
        seen.append(dict(kept))
    assert [len(each) for each in seen] == [1, 2, 2]
    assert all(kept[name] is kernel for each in seen for name, kernel in each.items())
