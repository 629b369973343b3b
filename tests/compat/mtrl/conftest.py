"""mtrl's batches, made and closed for a test."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import taskworlds


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
