"""The engines that the tests of the vector environment run over, tasks whose outcome is known, and mtrl's batches."""

from __future__ import annotations

import copy
import functools
import sys
from types import SimpleNamespace

import mujoco
import numpy as np
import pytest

import taskworlds
from taskworlds import Task

_compile = functools.lru_cache(maxsize=8)(mujoco.MjModel.from_xml_path)


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch):
    """Has each model compiled once (0.3 s) and then copied (0.02 s), here but not in `tests/oracle`."""
    monkeypatch.setattr(mujoco.MjModel, "from_xml_path", lambda path: copy.copy(_compile(path)))


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


# --- mtrl's vector environments ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def metadata():
    """What mtrl says of a batch: metadata(num_envs) gives the ids 10, 11, ..., all in the mode "train"."""
    return lambda num_envs: {"ids": list(range(10, 10 + num_envs)), "mode": ["train"] * num_envs}


@pytest.fixture
def make_batch(metadata):
    """Makes batches that are closed when the test ends: make_batch(VecEnv, [factory, ...], **keywords)."""
    made = []

    def make_batch(cls, env_fns, **keywords):
        made.append(cls(keywords.pop("env_metadata", metadata(len(env_fns))), env_fns, **keywords))
        return made[-1]

    yield make_batch
    for envs in made:
        envs.close()


class FakeTensor:
    """As much of a tensor as batches need."""

    def __init__(self, array):
        self.array = array.array if isinstance(array, FakeTensor) else np.asarray(array)

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array

    @property
    def shape(self):
        return self.array.shape


@pytest.fixture
def fake_torch(monkeypatch):
    """A module in PyTorch's place, with `Tensor` and `as_tensor`."""
    torch = SimpleNamespace(Tensor=FakeTensor, as_tensor=FakeTensor)
    monkeypatch.setitem(sys.modules, "torch", torch)
    return torch


@pytest.fixture(scope="session")
def two():
    """A benchmark of two skills, with five goals each."""
    return taskworlds.benchmark(
        "custom-mt-envs", envs_list=["reach-v3", "drawer-close-v3"], seed=1, num_goals=5
    )


@pytest.fixture
def build():
    """`build_metaworld_vec_env` by forking, which is fast; what it made is closed after the test."""
    made = []

    def build(*args, **keywords):
        envs, tasks = taskworlds.build_metaworld_vec_env(*args, **{"context": "fork", **keywords})
        made.append(envs)
        return envs, tasks

    yield build
    for envs in made:
        envs.close()


@pytest.fixture(scope="session")
def mtrl_config():
    """Gives a configuration as mtrl's files give it, with the entries of `env` that are said."""
    from omegaconf import OmegaConf

    def mtrl_config(**env):
        return OmegaConf.create(
            {
                "setup": {"seed": 42, "id": "sample"},
                "experiment": {"name": "metaworld"},
                "env": {
                    "name": "metaworld-mt10",
                    "benchmark": {"_target_": "metaworld.MT10"},
                    "builder": {"make_kwargs": {"should_perform_reward_normalization": True}},
                    "dummy": {"_target_": "metaworld.MT1", "env_name": "pick-place-v3"},
                    "description": None,
                    "ordered_task_list": None,
                    **env,
                },
            }
        )

    return mtrl_config
