"""AMAGO's own type of environment, here with a stand-in for AMAGO: as much of it as an environment meets."""

import importlib
import sys
import types

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

MODULE = "taskworlds.integrations.amago"


class AMAGOEnv(gymnasium.Wrapper):
    def __init__(self, env, env_name=None, batched_envs=1):
        super().__init__(env)
        self.batched_envs = batched_envs

    def reset(self, seed=None, options=None):
        return self.env.reset(seed=seed, options=options)


class ExplorationWrapper(gymnasium.ActionWrapper):
    def action(self, action):
        return action


class SequenceWrapper(gymnasium.Wrapper):
    @property
    def env_name(self):
        return self.env.env_name

    def reset(self, seed=None):
        return self.env.reset(seed=seed)


@pytest.fixture
def amago(monkeypatch):
    """Puts the stand-in into sys.modules."""
    names = {
        "amago": {},
        "amago.experiment": {"gym": gymnasium},
        "amago.envs": {"AMAGOEnv": AMAGOEnv},
        "amago.envs.amago_env": {"SequenceWrapper": type("SequenceWrapper", (SequenceWrapper,), {})},
        "amago.envs.exploration": {"ExplorationWrapper": type("Exploration", (ExplorationWrapper,), {})},
    }
    made = {name: types.ModuleType(name) for name in names}
    for name, attributes in names.items():
        vars(made[name]).update(attributes)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(made[parent], child, made[name])
        monkeypatch.setitem(sys.modules, name, made[name])
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    yield made["amago"]
    sys.modules.pop(MODULE, None)


def test_without_amago(monkeypatch):
    monkeypatch.setitem(sys.modules, "amago", None)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    with pytest.raises(ImportError, match=r"needs AMAGO, .* without it use taskworlds\.Metaworld"):
        importlib.import_module(MODULE)


def test_trials_in_amagos_wrappers(amago):
    metaworld = importlib.import_module(MODULE).Metaworld
    env = metaworld("reach-v3", "train", k_episodes=2, max_episode_length=3, seed=1)
    assert isinstance(env, AMAGOEnv)
    assert (env.batched_envs, env.env_name) == (1, "metaworld_reach-v3")
    wrapped = amago.envs.amago_env.SequenceWrapper(amago.envs.exploration.ExplorationWrapper(env))
    obs, _ = wrapped.reset(seed=None, options={})  # as Gymnasium's AsyncVectorEnv calls it
    assert wrapped.env_name == "reach-v3"
    assert obs.dtype == env.observation_space.dtype == np.float32
    assert obs in env.observation_space
    ends = [wrapped.step(np.zeros(4, np.float32))[2:4] for _ in range(6)]
    assert ends == [(False, False)] * 5 + [(False, True)]
    with pytest.raises(AttributeError):
        _ = wrapped.env.no_such_name


def test_actors_differ_and_seeds_are_obeyed(amago):
    metaworld = importlib.import_module(MODULE).Metaworld

    def goals(**keywords):
        env = metaworld("reach-v3", "train", k_episodes=1, max_episode_length=1, **keywords)
        return [env.reset()[1]["goal_idx"] for _ in range(8)]

    assert goals(seed=5) == goals(seed=5)
    assert goals() != goals()  # parallel actors, made alike


def test_experiments_reset_in_the_same_step(amago):
    importlib.import_module(MODULE)
    gym = amago.experiment.gym
    assert gym.make is gymnasium.make
    envs = gym.vector.AsyncVectorEnv([lambda: gymnasium.make("CartPole-v1")])
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    envs.close()


def test_an_amago_that_has_all_of_it_stays_as_it_is(amago):
    def reset(self, seed=None, options=None):
        return self.env.reset(seed=seed, options=options)

    amago.envs.amago_env.SequenceWrapper.reset = reset
    importlib.import_module(MODULE)
    assert amago.envs.amago_env.SequenceWrapper.reset is reset
    assert amago.experiment.gym is gymnasium
