"""Episodes sampled whole, as garage's workers do: what an episode's infos hold is an array over its steps.

garage itself runs on older versions of everything; these are its DefaultWorker and VecWorker in short, with the checks
of its EpisodeBatch.
"""

import collections

import numpy as np
import pytest

import taskworlds
from taskworlds import StepType

LIMIT = 4

ENVS = {
    "make": lambda: taskworlds.make("reach-v3", seed=0, max_episode_steps=LIMIT),
    "make of many skills": lambda: taskworlds.make("MT10", seed=0, max_episode_steps=LIMIT),
    "make of another world": lambda: taskworlds.make("half-cheetah-vel", seed=0, max_episode_steps=LIMIT),
    "MetaWorldSetTaskEnv": lambda: _with_a_task(
        taskworlds.MetaWorldSetTaskEnv(taskworlds.benchmark("MT10", seed=0, num_goals=1), "train")
    ),
    "normalize(MetaWorldSetTaskEnv)": lambda: _with_a_task(
        taskworlds.normalize(
            taskworlds.MetaWorldSetTaskEnv(
                taskworlds.benchmark("MT10", seed=0, num_goals=1), "train", add_env_onehot=True
            )
        )
    ),
    "HalfCheetahVelEnv": lambda: taskworlds.HalfCheetahVelEnv(),
    "PointEnv": lambda: taskworlds.PointEnv(max_episode_length=LIMIT),
    "GridWorldEnv": lambda: taskworlds.GridWorldEnv(max_episode_length=LIMIT),
    "TaskNameWrapper": lambda: taskworlds.TaskNameWrapper(taskworlds.PointEnv(), task_name="push", task_id=1),
    "MultiEnvWrapper": lambda: taskworlds.MultiEnvWrapper(
        [taskworlds.PointEnv(), taskworlds.PointEnv(goal=(0.2, 0.2))], taskworlds.round_robin_strategy
    ),
    "GymEnv": lambda: taskworlds.GymEnv(taskworlds.make("reach-v3", seed=0, max_episode_steps=LIMIT)),
}


def _with_a_task(env):
    env.set_task(env.sample_tasks(1)[0])
    return env


def stacked(infos):
    """Makes of a list of dictionaries one array for each key, as EpisodeBatch asks for."""
    arrays = {}
    for key in {key: None for info in infos for key in info}:
        assert all(key in info for info in infos), f"{key} is not in every step's info"
        arrays[key] = np.asarray([info[key] for info in infos])
        kept_from_garage = key == "task"  # of PointEnv, a dictionary in each step
        assert arrays[key].dtype != object or kept_from_garage, f"{key} is no array: {infos[0][key]!r}"
        assert arrays[key].shape[0] == len(infos)
    return arrays


def sample(env, steps, seed=None):
    """DefaultWorker's rollout: an episode of at most so many steps."""
    obs, episode_info = env.reset() if seed is None else env.reset(seed=seed)
    rng = np.random.default_rng(0)
    observations, taken = [], []
    for _ in range(steps):
        space = env.action_space
        action = (
            rng.uniform(space.low, space.high).astype(space.dtype)
            if hasattr(space, "low")
            else rng.integers(space.n)
        )
        observations.append(obs)
        taken.append(env.step(action))
        obs = taken[-1].observation
        if taken[-1].last:
            break
    types = [step.step_type for step in taken]
    assert types[0] is StepType.FIRST or len(taken) == 1
    assert all(step_type is StepType.MID for step_type in types[1:-1])
    return {
        "observations": np.asarray(observations),
        "last_observations": np.asarray([obs]),
        "actions": np.asarray([step.action for step in taken]),
        "rewards": np.asarray([step.reward for step in taken]),
        "env_infos": stacked([step.env_info for step in taken]),
        "episode_infos": stacked([episode_info]),
    }


@pytest.mark.parametrize("name", ENVS)
def test_episodes_are_sampled_whole(name):
    env = ENVS[name]()
    if "MetaWorldSetTaskEnv" in name:  # whose limit is Meta-World's, 500 steps
        whole = sample(env, 500)
        assert len(whole["rewards"]) == 500
    for _ in range(3):
        batch = sample(env, LIMIT)
        assert batch["rewards"].dtype == np.float64
        assert batch["observations"].shape == (len(batch["rewards"]), *env.observation_space.shape)
    env.close()


@pytest.mark.parametrize("name", ["make", "make of many skills", "make of another world"])
def test_equal_seeds_sample_equal_episodes(name, decided_by_the_seed):
    env = ENVS[name]()
    decided_by_the_seed(lambda seed: [sample(env, LIMIT, seed), sample(env, LIMIT)])


def test_many_environments_are_sampled_in_turn():
    """VecWorker: an environment each for as many tasks, reset one by one where their episodes end."""
    benchmark = taskworlds.benchmark("MT10", seed=0, num_goals=1)
    updates = taskworlds.samplers.MetaWorldTaskSampler(benchmark, "train", add_env_onehot=True).sample(10)
    envs = [update() for update in updates[:2]]
    prev_obs = [env.reset()[0] for env in envs]
    lengths, infos, finished = [0, 0], [collections.defaultdict(list) for _ in envs], 0
    for _ in range(9):
        for i, env in enumerate(envs):
            step = env.step(np.zeros(4))
            assert step.observation.shape == prev_obs[i].shape
            for key, value in step.env_info.items():
                infos[i][key].append(value)
            lengths[i] += 1
            prev_obs[i] = step.observation
            if lengths[i] >= LIMIT - i or step.last:
                assert {len(np.asarray(values)) for values in infos[i].values()} == {lengths[i]}
                infos[i], lengths[i], finished = collections.defaultdict(list), 0, finished + 1
                prev_obs[i] = env.reset()[0]
    assert finished == 9 // LIMIT + 9 // (LIMIT - 1)
