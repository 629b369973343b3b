"""What the tests of all parts share."""

from __future__ import annotations

import contextlib
import copy
import functools
import gc
import importlib.util
import multiprocessing
import os
import re
import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest
from gymnasium.envs.mujoco import MujocoEnv
from metaworld.asset_path_utils import ENV_ASSET_DIR_V3
from metaworld.sawyer_xyz_env import SawyerXYZEnv


def pytest_configure(config):
    """Chooses what draws before a test imports dm_control, which chooses once. Where nothing does, the tests say so.

    Chooses how processes start, too: the thread that pytest-xdist has would make rows' processes start slowly.
    """
    from taskworlds.rendering import offscreen

    if multiprocessing.get_all_start_methods()[0] == "fork":
        multiprocessing.set_start_method("fork", force=True)
    with contextlib.suppress(RuntimeError):
        offscreen.prepare()


# Of a test's name: that it starts processes. A fork copies the tables of all memory that the process has, and a process
# that has run hundreds of tests has gigabytes. So these tests come first.
_STARTS_PROCESSES = re.compile(r"async|/mtrl/|/faults/|process|leaks")


# By marker: whether a library cannot be installed here, and why not.
_CANNOT_BE_INSTALLED = {
    "requires_dm_control": (
        sys.version_info >= (3, 13) and importlib.util.find_spec("dm_control") is None,
        "dm_control needs labmaze, which has no wheels for Python 3.13 and later",
    ),
    "requires_tianshou": (sys.version_info < (3, 11), "tianshou 2 is for Python 3.11 and later"),
}


def pytest_collection_modifyitems(items):
    """Puts tests that start processes first, and skips those of libraries that cannot be installed.

    Slow tests must be marked in their own file: .ci/run collects those files alone, as all of them take long.
    """
    for path in {item.path for item in items if item.get_closest_marker("slow")}:
        if "mark.slow" not in path.read_text():
            raise pytest.UsageError(
                f"{path} has slow tests, and does not say pytest.mark.slow: .ci/run would miss them"
            )
    items.sort(key=lambda item: _STARTS_PROCESSES.search(item.nodeid) is None)
    for marker, (is_missing, reason) in _CANNOT_BE_INSTALLED.items():
        for item in items if is_missing else ():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def as_required(report):
    """Makes a failure of a skip where CLIENTS_REQUIRED is set, as .ci/run does where it has installed all libraries.

    What cannot be installed on this Python is not among these.
    """
    required = report.skipped and os.environ.get("CLIENTS_REQUIRED")
    reasons = tuple(reason for _, reason in _CANNOT_BE_INSTALLED.values())
    if required and not report.longrepr[-1].endswith(reasons):
        report.outcome, report.longrepr = "failed", f"{report.nodeid}: {report.longrepr[-1]}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Leaves out the search for garbage while tests are collected, and what is there then for good.

    A third of the processor time that collecting takes went into it.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return as_required((yield))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return as_required((yield))


def assert_same(ours, other, where="", skip=()):
    """Asserts that two pieces of data are equal to the last bit, with equal types, shapes and keys."""
    if isinstance(ours, dict):
        assert set(ours) - set(skip) == set(other) - set(skip), where
        for name in set(ours) - set(skip):
            assert_same(ours[name], other[name], f"{where}[{name!r}]", skip)
    elif isinstance(ours, tuple | list):
        assert len(ours) == len(other), where
        for index, (mine, its) in enumerate(zip(ours, other, strict=True)):
            assert_same(mine, its, f"{where}[{index}]", skip)
    elif isinstance(ours, np.ndarray) and ours.dtype == object:
        assert_same(list(ours), list(other), where, skip)
    elif isinstance(ours, np.ndarray | np.generic):
        assert (ours.dtype, ours.shape) == (other.dtype, other.shape), where
        assert ours.tobytes() == other.tobytes(), f"{where}: {ours} != {other}"
    else:
        assert type(ours) is type(other), where
        assert ours == other, where


@pytest.fixture(scope="session")
def same():
    """Asserts that two pieces of data are equal to the last bit; `skip` names entries that may differ."""
    return assert_same


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache folder, for this test alone; the fixture is its path."""
    monkeypatch.setenv("TASKWORLDS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("taskworlds.core.cache._said", set())
    return tmp_path / "cache"


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """Has MuJoCo compile each of Meta-World's files once (0.2 s) for all tests, and read it from then on (0.02 s).

    Those that were used last are copied in memory (0.01 s). That goes for the official environments' models and for
    ours with all that is to be seen. Gives the function that compiles the official ones.
    """
    # Here, and so after `pytest_configure`: they draw.
    from taskworlds.worlds.metaworld import reference, row_renderer
    from taskworlds.worlds.metaworld.model_files import is_own_file
    from taskworlds.worlds.metaworld.models import full_metaworld_model

    compile_file = mujoco.MjModel.from_xml_path
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled"
    folder.mkdir(exist_ok=True)

    @functools.lru_cache(maxsize=8)  # of 20 MB each
    def read(name):
        return mujoco.MjModel.from_binary_path(str(folder / f"{name}.mjb"))

    def once(name, compile_model):
        kept = folder / f"{name}.mjb"
        if not kept.exists():
            begun = folder / f"{name}.{os.getpid()}"
            mujoco.mj_saveModel(compile_model(), str(begun), None)
            begun.replace(kept)  # whole from the start, as several processes may look for it
        return copy.copy(read(name))

    def compiled(path, assets=None):
        if assets is not None or not Path(path).is_relative_to(ENV_ASSET_DIR_V3):
            return compile_file(path, assets)
        return once(Path(path).stem, lambda: compile_file(path))

    def whole(asset):
        if is_own_file(asset):
            return full_metaworld_model(asset)
        return once(f"whole_{Path(asset).stem}", lambda: full_metaworld_model(asset))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mujoco.MjModel, "from_xml_path", compiled)
        for module in (reference, row_renderer):
            patch.setattr(module, "full_metaworld_model", whole)
        yield compile_file


@pytest.fixture
def without_physics(monkeypatch):
    """Has official environments move nothing, which takes most of the time of their resets.

    Nor do they hold the hand in its place for more than one step: where nothing moves, the others repeat the first.
    """
    hold = SawyerXYZEnv._reset_hand
    monkeypatch.setattr(
        MujocoEnv, "do_simulation", lambda self, *_: mujoco.mj_kinematics(self.model, self.data)
    )
    monkeypatch.setattr(SawyerXYZEnv, "_reset_hand", lambda self, steps=50: hold(self, min(steps, 1)))
