"""AMAGO's own type of environment, here with a stand-in for AMAGO: as much of it as an environment meets."""

import importlib
import sys
import types

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import taskworlds

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
    with pytest.raises(
        ImportError, match=r"needs AMAGO 3\.3, .* Type: pip install .* Without it, taskworlds"
    ):
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


METRIC = "AMAGO_LOG_METRIC "


@pytest.mark.parametrize(
    "name",
    [
        "half-cheetah-vel",
        "ML10-test",
        "MT10",
        "point",
        "grid-4x4",
        pytest.param("walker-walk-len", marks=pytest.mark.requires_dm_control),
    ],
)
def test_trials_at_any_tasks(amago, name):
    """Reference: the metrics are sums of what the steps returned."""
    env = importlib.import_module(MODULE).Trials(name, 2, max_episode_steps=3, seed=1)
    assert isinstance(env, AMAGOEnv)
    assert (env.batched_envs, env.env_name) == (1, env.trials.benchmark.name)
    env.action_space.seed(0)
    for _ in range(2):
        obs, _ = env.reset()
        assert env.env_name == env.trials.current_tasks[0].env_name
        rewards, told, done = [0.0, 0.0], {}, False
        while not done:
            assert obs.dtype == np.float32
            assert obs in env.observation_space
            action = env.action_space.sample()
            attempt = len([each for each in told if each.endswith(("0 Return", "1 Return"))])
            obs, reward, terminated, truncated, infos = env.step(action)
            rewards[attempt] += reward
            told |= infos
            done = terminated or truncated
        has_success = name not in ("half-cheetah-vel", "walker-walk-len")
        names = [
            f"Trial {i} {what}"
            for i in (0, 1)
            for what in ("Success", "Return")
            if has_success or what == "Return"
        ]
        names += ["Total Successes", "Total Trial Return"] if has_success else ["Total Trial Return"]
        assert sorted(told) == sorted(METRIC + each for each in names)
        assert [told[f"{METRIC}Trial {i} Return"] for i in (0, 1)] == pytest.approx(rewards)
        assert told[f"{METRIC}Total Trial Return"] == pytest.approx(sum(rewards))
        if has_success:
            assert told[f"{METRIC}Total Successes"] == sum(told[f"{METRIC}Trial {i} Success"] for i in (0, 1))
    env.close()


@pytest.mark.parametrize("name", ["grid-4x4", "half-cheetah-vel"])
def test_a_batch_of_trials_is_one_environment(amago, name):
    """Rows of the grid end at different times, as they fall into holes. Reference: sums of rewards by row."""
    env = importlib.import_module(MODULE).Trials(name, 2, num_envs=3, max_episode_steps=4, seed=1)
    assert env.batched_envs == 3
    obs, _ = env.reset()
    assert obs.shape == (3, *env.observation_space.shape)
    space = env.trials.action_space
    space.seed(0)
    totals, told, expected, ends = np.zeros(3), [], [], set()
    for step in range(40):
        obs, rewards, terminated, truncated, infos = env.step(space.sample())
        assert obs.dtype == rewards.dtype == np.float32
        totals += rewards
        done = terminated | truncated
        expected += totals[done].tolist()
        totals[done] = 0
        told += infos.get(f"{METRIC}Total Trial Return", np.zeros(0)).tolist()
        ends |= {(step, row) for row in np.flatnonzero(done).tolist()}
    assert told == pytest.approx(expected, rel=1e-5)
    assert len(told) == len(ends) >= 15
    assert (len({step for step, _ in ends}) > 5) is (name == "grid-4x4")


def test_a_number_is_observed_as_its_one_hot(amago):
    env = importlib.import_module(MODULE).Trials("grid-4x4", 1)
    obs, _ = env.reset()
    assert obs.tolist() == [1.0] + [0.0] * 15
    assert isinstance(env.action_space, gymnasium.spaces.Discrete)


def test_spaces_that_networks_take(amago):
    module = importlib.import_module(MODULE)
    spaces = gymnasium.spaces
    pixels, wide = spaces.Box(0, 255, (2, 2, 3), np.uint8), spaces.Box(-1e300, 1.0, (2,), np.float64)
    space, convert = module._for_networks(
        spaces.Dict(camera=pixels, arm=wide, room=spaces.Discrete(3, start=1))
    )
    batch = {"camera": np.zeros((2, 2, 2, 3), np.uint8), "arm": np.ones((2, 2)), "room": np.array([1, 3])}
    made = convert(batch)
    assert {name: each.dtype.name for name, each in made.items()} == {
        "camera": "uint8",
        "arm": "float32",
        "room": "float32",
    }
    assert made["room"].tolist() == [[1, 0, 0], [0, 0, 1]]
    assert {name: each[0] for name, each in made.items()} in space
    with pytest.raises(
        TypeError, match="AMAGO takes observations of a Box, a Discrete or a Dict of these, and not of"
    ):
        module._for_networks(spaces.Text(3))


def test_wrong_arguments_of_trials(amago):
    trials = importlib.import_module(MODULE).Trials
    with pytest.raises(ValueError, match="num_envs must be at least 2, not 1"):
        trials("point", 2, num_envs=1)
    with pytest.raises(ValueError, match="split='train' contradicts it"):
        trials("ML10-test", 2, split="train")
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_episode_step'"):
        trials("point", 2, max_episode_step=3)


def test_actors_differ_and_seeds_are_obeyed(amago):
    module = importlib.import_module(MODULE)

    def goals(**keywords):
        env = module.Metaworld("reach-v3", "train", k_episodes=1, max_episode_length=1, **keywords)
        return [env.reset()[1]["goal_idx"] for _ in range(8)]

    def tasks(**keywords):
        env = module.Trials("half-cheetah-vel", 1, max_episode_steps=1, **keywords)
        found = []
        for _ in range(8):
            env.reset()
            found += env.trials.current_tasks
        return found

    assert goals(seed=5) == goals(seed=5)
    assert goals() != goals()  # parallel actors, made alike
    assert tasks(seed=5) == tasks(seed=5)
    assert tasks() != tasks()
    assert {*tasks(), *tasks()} <= {*taskworlds.benchmark("half-cheetah-vel").train_tasks}


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
