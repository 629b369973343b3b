"""Trials in a loop like AMAGO's: environments in Gymnasium's batches, each in two wrappers that keep sequences.

AMAGO itself wants a Gymnasium below 1.0; these are its AMAGOEnv, SequenceWrapper and `interact` in short.
"""

import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

import taskworlds

K_EPISODES, LIMIT = 2, 3
TRIAL = K_EPISODES * LIMIT
METRIC = "AMAGO_LOG_METRIC"
ASYNC = functools.partial(AsyncVectorEnv, context="fork")  # the default, until TorchRL is imported


class Sequences(gym.Wrapper):
    """Keeps each trial as a sequence of (observation, last action and reward, time), and the metrics of infos."""

    def __init__(self, env, batched_envs=1):
        super().__init__(env)
        self.batched_envs = batched_envs
        self.finished, self.metrics = [], []

    def reset(self, *, seed=None, options=None):
        obs, info = self.env.reset(seed=seed, options=options)
        self._time = 0
        self._sequence = [self._timestep(obs, np.zeros(self.env.action_space.shape), 0.0)]
        return {"observation": obs}, info

    def _timestep(self, obs, action, reward):
        self.current_timestep = (
            {"observation": np.float32(obs)[None]},
            np.append(np.float32(action), np.float32(reward))[None],
            np.array([self._time]),
        )
        return self.current_timestep

    def step(self, action):
        obs, reward, terminated, truncated, info = self.env.step(action)
        self._time += 1
        self._sequence.append(self._timestep(obs, action, reward))
        self.metrics += [(name, float(value)) for name, value in info.items() if name.startswith(METRIC)]
        if terminated or truncated:
            self.finished.append(self._sequence)
        return {"observation": obs}, reward, terminated, truncated, info

    @property
    def observation_space(self):
        return gym.spaces.Dict({"observation": self.env.observation_space})


def trials(seed):
    env = taskworlds.Metaworld("reach-v3", "train", K_EPISODES, LIMIT, seed=seed)
    return Sequences(gym.wrappers.RescaleAction(env, np.float32(-1), np.float32(1)))


def interact(envs, steps):
    """Acts on what the wrappers hold, as the policy does that sees sequences; returns all that it saw."""
    rng, seen = np.random.default_rng(0), []
    for _ in range(steps):
        obs, rl2s, times = zip(*envs.call("current_timestep"), strict=True)
        seen.append(
            (
                np.concatenate([each["observation"] for each in obs]),
                np.concatenate(rl2s),
                np.concatenate(times),
            )
        )
        *_, terminated, truncated, _ = envs.step(rng.uniform(-1, 1, (envs.num_envs, 4)).astype(np.float32))
        assert (terminated | truncated).all() == (terminated | truncated).any()
    return seen


POOLS = [pytest.param(SyncVectorEnv, mode, id=f"sync-{mode.name}") for mode in AutoresetMode]


@pytest.mark.parametrize(
    ("pool", "mode"), [*POOLS, pytest.param(ASYNC, AutoresetMode.SAME_STEP, id="async-SAME_STEP")]
)
def test_trials_in_a_pool_go_past_their_ends(pool, mode, decided_by_the_seed):
    def seen(seed):
        envs = pool([functools.partial(trials, seed + i) for i in range(2)], autoreset_mode=mode)
        envs.reset()
        past = []
        for _ in range(2):
            past += interact(envs, TRIAL)
            if mode is AutoresetMode.DISABLED:
                envs.reset()
            elif mode is AutoresetMode.NEXT_STEP:
                envs.step(np.zeros((2, 4), dtype=np.float32))
        for finished, metrics in zip(envs.call("finished"), envs.call("metrics"), strict=True):
            assert [len(sequence) for sequence in finished] == [TRIAL + 1, TRIAL + 1]
            assert [name for name, _ in metrics].count(f"{METRIC} Trial 1 Return") == 2
        envs.close()
        return past

    past = decided_by_the_seed(seen)
    flags = np.array([obs[:, -1] for obs, _, _ in past])
    assert (flags == (np.arange(2 * TRIAL) % LIMIT == 0)[:, None]).all()


@pytest.mark.parametrize("mode", AutoresetMode)
def test_a_batch_of_trials_as_one_environment(mode, play, decided_by_the_seed):
    """AMAGO's environments that are vectorized already: one of ours, whose rows are the actors."""
    envs = taskworlds.make_vec(
        "ML1", 3, env_name="reach-v3", k_episodes=K_EPISODES, max_episode_steps=LIMIT, autoreset_mode=mode
    )
    outcomes = decided_by_the_seed(lambda seed: [outcome[:-1] for outcome in play(envs, 2 * TRIAL + 2, seed)])
    ends = np.sum([outcome[3] for outcome in outcomes if len(outcome) == 4], axis=0)
    assert ends.tolist() == [2, 2, 2]
    assert all(obs.shape == (3, 40) for obs, *_ in outcomes)
