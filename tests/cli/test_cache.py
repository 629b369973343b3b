"""`taskworlds cache`."""

from __future__ import annotations

import json

from taskworlds.core import cache


def test_the_cache_is_shown_and_cleared(run, own_cache, check_mistake):
    assert run("cache").out == f"{own_cache}\n  kernels: 0 files, 0.0 MB\n  models: 0 files, 0.0 MB\n"
    cache.save("models", "drawer_0000000000000000.mjb", bytes(2_000_000))
    assert "  models: 1 file, 2.0 MB\n" in run("cache").out
    told = json.loads(run("cache", "--json").out)
    assert (told["folder"], told["models"]["files"], told["kernels"]) == (
        str(own_cache),
        1,
        {"files": 0, "bytes": 0},
    )
    assert run("cache", "clear").out.splitlines()[-1] == "  models: 1 file, 2.0 MB deleted"
    assert run("cache").out.splitlines()[-1] == "  models: 0 files, 0.0 MB"
    check_mistake(run("cache", "claer"), "must be one of 'show', 'clear', not 'claer'")
