"""Where compiled kernels are kept when the package's folder is read-only, and what happens where none can be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# The package's folder refuses files, for root too, in the process and in those that it starts.
READ_ONLY = """
import os, tempfile
real = tempfile.TemporaryFile
def refuse(*args, dir=None, **more):
    if dir is not None and f"{os.sep}taskworlds{os.sep}" in os.fspath(dir):
        raise PermissionError(13, "Read-only file system", dir)
    return real(*args, dir=dir, **more)
tempfile.TemporaryFile = refuse
"""
STEP = """
import warnings
import numpy as np
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import taskworlds
    from taskworlds.worlds.metaworld.kernel import is_cached
    from taskworlds.worlds.metaworld.skills import skill
    cached = is_cached(skill("reach-v3"), "v2")
    envs = taskworlds.make_vec("reach-v3", 2, seed=0, vector_strategy="native")
    envs.reset(seed=0)
    rewards = envs.step(np.full((2, 4), 0.5))[1]
told = [str(each.message) for each in caught if each.category is RuntimeWarning]
print(cached, (rewards > 0).all(), len(told), *told)
"""


@pytest.fixture
def step(tmp_path):
    """Steps in a fresh process whose package folder is read-only; gives what it printed."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(READ_ONLY)

    def run(**variables):
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
        }
        path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
        done = subprocess.run(
            [sys.executable, "-c", STEP],
            env=kept | {"PYTHONPATH": path} | {name: str(value) for name, value in variables.items()},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def nowhere(tmp_path):
    """A path at which nothing can be made, since its parent is a file."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "folder"


@pytest.mark.skipif(sys.platform != "linux", reason="the user's cache is elsewhere on other systems")
def test_a_read_only_package_uses_the_users_cache(step, tmp_path):
    assert step(HOME=tmp_path / "home") == "False True 0"
    assert list((tmp_path / "home").rglob("*reach_v3*.nbi"))
    assert step(HOME=tmp_path / "home") == "True True 0"


def test_a_read_only_package_uses_the_folder_that_is_named(step, tmp_path, nowhere):
    assert step(HOME=nowhere, NUMBA_CACHE_DIR=tmp_path / "kept") == "False True 0"
    assert list((tmp_path / "kept").rglob("*reach_v3*.nbi"))
    assert step(HOME=nowhere, NUMBA_CACHE_DIR=tmp_path / "kept") == "True True 0"


@pytest.mark.parametrize("named", [False, True])
def test_without_any_folder_it_warns_and_works(step, nowhere, named):
    told = step(HOME=nowhere, **({"NUMBA_CACHE_DIR": nowhere} if named else {}))
    assert told.startswith("None True 1 Compiled kernels cannot be kept on disk")
    assert told.endswith("Set NUMBA_CACHE_DIR to a folder that can be written to.")
