"""Minari: episodes are collected with their infos, kept as a dataset, and played again from the recorded seeds."""

import gymnasium as gym
import numpy as np
import pytest

import taskworlds

minari = pytest.importorskip("minari")
pytest.importorskip("h5py", reason="Minari keeps its datasets with it")
pytest.importorskip("jax", reason="Minari collects with it")

LIMIT = 4
ID = "taskworlds/collected-v0"
NAMES = ["MT10", "reach-v3", "half-cheetah-vel", "point"]
MAKERS = {
    "taskworlds.make": taskworlds.make,
    "gymnasium.make": lambda name, **options: gym.make(f"taskworlds/{name}", **options),
}

pytestmark = pytest.mark.filterwarnings("ignore:`[a-z_]+` is set to None:UserWarning")


@pytest.fixture(autouse=True)
def datasets(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))


def collect(env, seed=None):
    """Plays two whole episodes and a part of a third one; where no seed is given, Minari draws one for each episode."""
    collector = minari.DataCollector(env, record_infos=True)
    space, rng = env.action_space, np.random.default_rng(0)
    for episode, steps in enumerate([LIMIT, LIMIT, 2]):
        collector.reset(seed=None if seed is None else seed + episode)
        for _ in range(steps):
            collector.step(rng.uniform(space.low, space.high).astype(space.dtype))
    return collector.create_dataset(ID, algorithm_name="random")


@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_holds_what_was_collected(name):
    dataset = collect(taskworlds.make(name, max_episode_steps=LIMIT), seed=5)
    assert (dataset.total_episodes, dataset.total_steps) == (3, 2 * LIMIT + 2)
    for episode in dataset.iterate_episodes():
        assert len(episode.observations) == len(episode.actions) + 1
        assert episode.infos
        for values in episode.infos.values():
            assert len(values) == len(episode.observations)
        assert episode.truncations.tolist() == [False] * (len(episode.actions) - 1) + [True]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("name", NAMES)
def test_an_episode_is_played_again_from_its_seed(name, make):
    """In the environment that the dataset recovers, from the seeds of 64 bits that Minari has drawn."""
    dataset = collect(MAKERS[make](name, max_episode_steps=LIMIT))
    env = dataset.recover_environment()
    seeds = [int(each["seed"]) for each in dataset.storage.get_episode_metadata(range(3))]
    assert max(seeds) >= 2**32
    for seed, episode in zip(seeds, dataset.iterate_episodes(), strict=True):
        observations, rewards = [env.reset(seed=seed)[0]], []
        for action in episode.actions:
            obs, reward, *_ = env.step(action)
            observations.append(obs)
            rewards.append(reward)
        np.testing.assert_array_equal(observations, episode.observations)
        np.testing.assert_array_equal(rewards, episode.rewards)


def test_seeds_decide_what_is_collected(decided_by_the_seed):
    def observations(seed):
        dataset = collect(taskworlds.make("MT10", max_episode_steps=LIMIT), seed=100 * seed)
        kept = [episode.observations for episode in dataset.iterate_episodes()]
        minari.delete_dataset(ID)
        return kept

    decided_by_the_seed(observations)
