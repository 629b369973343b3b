"""Where compiled kernels and models are kept, and what happens where nothing can be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

STEP = """
import warnings
import numpy as np
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import taskworlds
    from taskworlds.kernels import library
    library.path = lambda: None  # as for skills that the package has not compiled
    from taskworlds.worlds.metaworld.kernel import find_kernel
    from taskworlds.worlds.metaworld.skills import skill
    cached = find_kernel(skill("reach-v3"), "v2") is not None
    envs = taskworlds.make_vec("reach-v3", 2, seed=0, vector_strategy="native")
    envs.reset(seed=0)
    rewards = envs.step(np.full((2, 4), 0.5))[1]
told = [str(each.message) for each in caught if each.category is RuntimeWarning]
print(cached, (rewards > 0).all(), len(told), *told)
"""


@pytest.fixture
def step():
    """Steps in a fresh process; returns what it printed."""

    def run(**variables):
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.endswith(("CACHE_DIR", "CACHE_HOME"))
        }
        done = subprocess.run(
            [sys.executable, "-c", STEP],
            env=kept | {name: str(value) for name, value in variables.items()},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.mark.skipif(sys.platform != "linux", reason="the user's cache is elsewhere on other systems")
def test_kernels_and_models_lie_in_the_users_cache(step, tmp_path):
    assert step(HOME=tmp_path / "home") == "False True 0"
    folder = tmp_path / "home" / ".cache" / "taskworlds"
    assert [each.suffix for each in folder.glob("*/*reach_v3*")] in ([".nbc", ".mjb"], [".mjb", ".nbc"])
    assert step(HOME=tmp_path / "home") == "True True 0"
    assert step(HOME=tmp_path / "elsewhere", TASKWORLDS_CACHE_DIR=folder) == "True True 0"


def test_without_any_folder_it_warns_once_and_works(step, tmp_path):
    (tmp_path / "file").write_text("")
    told = step(TASKWORLDS_CACHE_DIR=tmp_path / "file" / "folder")
    assert told.startswith("False True 1 Compiled kernels and models cannot be kept in ")
    assert told.endswith("set TASKWORLDS_CACHE_DIR to a folder that you can write to.")
