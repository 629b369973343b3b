"""The parts of Meta-World's rewards, which skills import from one place."""

from __future__ import annotations

import importlib
import pkgutil

from taskworlds.worlds.metaworld import rewards


def test_all_parts_can_be_imported_from_the_package():
    names = []
    for module in pkgutil.iter_modules(rewards.__path__, f"{rewards.__name__}."):
        parts = importlib.import_module(module.name)
        for name in parts.__all__:
            assert getattr(rewards, name) is getattr(parts, name)
        names += parts.__all__
    assert sorted(names) == rewards.__all__
