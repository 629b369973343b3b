"""What all tests share: a library that draws, and the mark of those that need dm_control."""

import contextlib
import importlib.util
import sys

import pytest


def pytest_configure(config):
    """Chooses what draws before a test imports dm_control, which chooses once. Where nothing does, the tests say so."""
    from taskworlds import offscreen

    with contextlib.suppress(RuntimeError):
        offscreen.prepare()


def pytest_collection_modifyitems(items):
    """Skips what is marked `requires_dm_control` where dm_control cannot be installed, and nowhere else."""
    if sys.version_info < (3, 13) or importlib.util.find_spec("dm_control") is not None:
        return
    skip = pytest.mark.skip(reason="dm_control needs labmaze, which has no wheels for Python 3.13 and later")
    for item in items:
        if item.get_closest_marker("requires_dm_control"):
            item.add_marker(skip)
