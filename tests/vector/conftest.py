"""The engines that the tests of the vector environment run over, and tasks whose outcome is known."""

from __future__ import annotations

from types import SimpleNamespace

import mujoco
import pytest
from metaworld.asset_path_utils import full_V3_path_for

import taskworlds
from taskworlds import Task
from taskworlds.worlds.metaworld.skills import skill


@pytest.fixture(scope="session", autouse=True)
def _read_before(compiled_once):
    """Reads models that many tests use, so that the processes of the async engine need not read them again."""
    for name in ("reach-v3", "drawer-close-v3"):
        mujoco.MjModel.from_xml_path(full_V3_path_for(skill(name).model))


@pytest.fixture(params=["native", "sync", "async"])
def strategy(request):
    """Each engine in turn. All tests that take it must hold for every engine."""
    return request.param


@pytest.fixture
def make_vec(strategy):
    """`taskworlds.make_vec` on the engine in turn; what it made is closed after the test."""
    made = []

    def make(*args, **keywords):
        made.append(taskworlds.make_vec(*args, **({"vector_strategy": strategy} | keywords)))
        return made[-1]

    yield make
    for envs in made:
        envs.close()


@pytest.fixture
def make(strategy):
    """`taskworlds.make` on the engine in turn; what it made is closed after the test."""
    made = []

    def make(*args, **keywords):
        made.append(taskworlds.make(*args, **({"vector_strategy": strategy} | keywords)))
        return made[-1]

    yield make
    for env in made:
        env.close()


def reach(x, y, z=0.2, hidden=False):
    """A reach-v3 task with the goal at (x, y, z); the fingers start at (0, 0.6, 0.15)."""
    return Task("reach-v3", {"rand_vec": (-0.1, 0.75, 0.02, x, y, z), "partially_observable": hidden})


@pytest.fixture(scope="session")
def tasks():
    """Tasks of reach-v3: solved by any first step, after some steps to the right, and far away.

    The first two hide their goals, since Meta-World shows no goal nearer than y = 0.8 as it is.
    """
    return SimpleNamespace(
        near=reach(0.0, 0.6, 0.15, hidden=True),
        right=reach(0.12, 0.6, 0.15, hidden=True),
        far=reach(0.1, 0.9),
        reach=reach,
    )
