"""Runs the examples in the docstrings of the installed package."""

import doctest
import importlib
import pkgutil

import pytest

import taskworlds

WITH_DM_CONTROL = {
    "taskworlds.compat.mtrl.dmcontrol",
    "taskworlds.compat.mtrl.mtenv",
    "taskworlds.control",
    "taskworlds.worlds.control.custom_tasks",
    "taskworlds.worlds.control.environment",
    "taskworlds.worlds.control.variation",
}
# Their examples are not run; tests/clients and tests/distributed import them where the libraries are.
WITH_OTHER_LIBRARIES = (
    "taskworlds.distributed.part",
    "taskworlds.distributed.sampler",
    "taskworlds.distributed.share",
    "taskworlds.evaluation.on_workers",
    "taskworlds.integrations.",
    "taskworlds.rows.ray_rows",
    "taskworlds.workers.",
)
MODULES = [
    pytest.param(name, marks=[pytest.mark.requires_dm_control] if name in WITH_DM_CONTROL else [])
    for name in sorted(module.name for module in pkgutil.walk_packages(taskworlds.__path__, "taskworlds."))
    if not name.endswith(("__main__", "._native", ".libkernels"))
    and not name.startswith(WITH_OTHER_LIBRARIES)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(name)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed, tried = doctest.testmod(module, optionflags=flags)
    assert not failed, f"{failed} of {tried} examples in {name} failed; see the output above"
