"""What garage's samplers rely on, in every class and wrapper: infos, set_task, pictures, spaces, small steps."""

import functools
import pickle

import gymnasium
import numpy as np
import pytest

import taskworlds
from taskworlds import (
    GridWorldEnv,
    GymEnv,
    HalfCheetahDirEnv,
    HalfCheetahVelEnv,
    MetaWorldSetTaskEnv,
    MultiEnvWrapper,
    PointEnv,
    TaskNameWrapper,
    TaskOnehotWrapper,
    normalize,
)


@pytest.fixture(scope="module")
def benchmark():
    return taskworlds.benchmark("custom-mt-envs", envs_list=["reach-v3", "push-v3"], seed=0, num_goals=2)


def set_task_env(benchmark):
    return MetaWorldSetTaskEnv(benchmark, "train")


ENVS = {
    "PointEnv": lambda _: PointEnv(max_episode_length=5),
    "GridWorldEnv": lambda _: GridWorldEnv("4x4_safe", max_episode_length=5),
    "HalfCheetahVelEnv": lambda _: HalfCheetahVelEnv(max_episode_length=5),
    "HalfCheetahDirEnv": lambda _: HalfCheetahDirEnv(max_episode_length=5),
    "MetaWorldSetTaskEnv": set_task_env,
    "GymEnv of ours": lambda benchmark: GymEnv(taskworlds.make(benchmark, max_episode_steps=5)),
    "GymEnv with statistics": lambda _: GymEnv(
        gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.make("CartPole-v1", max_episode_steps=5))
    ),
    "MultiEnvWrapper": lambda benchmark: MultiEnvWrapper([set_task_env(benchmark), set_task_env(benchmark)]),
    "normalize": lambda benchmark: normalize(set_task_env(benchmark), normalize_obs=True),
    "TaskNameWrapper": lambda _: TaskNameWrapper(HalfCheetahVelEnv(max_episode_length=5), task_name="run"),
    "TaskOnehotWrapper": lambda _: TaskOnehotWrapper(PointEnv(max_episode_length=5), 1, 2),
    "three wrappers": lambda benchmark: normalize(
        TaskNameWrapper(GymEnv(set_task_env(benchmark)), task_name="a"), normalize_reward=True
    ),
}


@pytest.mark.parametrize("name", ENVS)
def test_samplers_can_stack_every_info(benchmark, name):
    env = ENVS[name](benchmark)
    for _ in range(2):
        _, info = env.reset()
        for value in info.values():
            assert isinstance(value, np.ndarray)
            assert value.ndim > 0
            assert value.dtype != object
        steps = [env.step(env.action_space.sample())]
        while not steps[-1].last:
            steps.append(env.step(env.action_space.sample()))
        keys = steps[0].env_info.keys()
        assert "episode" not in keys
        assert all(step.env_info.keys() == keys for step in steps)
        for key in keys - {"task"}:  # PointEnv's, which garage has too
            stacked = np.asarray([step.env_info[key] for step in steps])
            assert stacked.dtype != object


@pytest.mark.parametrize("name", ENVS)
def test_pickled_steps_are_small(benchmark, name):
    env = ENVS[name](benchmark)
    env.reset()
    step = env.step(env.action_space.sample())
    copied = pickle.loads(pickle.dumps(step))
    assert len(pickle.dumps(step)) < 5_000
    assert copied.env_spec == step.env_spec
    assert copied.step_type is step.step_type


@pytest.mark.parametrize("name", ENVS)
def test_a_step_outside_an_episode_names_the_class_that_was_called(benchmark, name):
    env = ENVS[name](benchmark)
    action = env.action_space.sample()
    with pytest.raises(RuntimeError, match=rf"^{type(env).__name__}.step needs a running episode.*reset\(\)"):
        env.step(action)
    env.reset()
    while not env.step(action).last:
        pass
    with pytest.raises(RuntimeError, match=rf"^{type(env).__name__}.step needs a running episode.*reset\(\)"):
        env.step(action)


@pytest.mark.parametrize("name", [name for name in ENVS if name != "GymEnv with statistics"])
@pytest.mark.parametrize("length", [1, 2])
def test_a_chunk_of_actions_is_refused_and_changes_nothing(benchmark, name, length):
    """Environments of `make`, which many of these stand on, take chunks; garage's API has none."""
    refusing, plain = ENVS[name](benchmark), ENVS[name](benchmark)
    for env in (refusing, plain):
        env.action_space.seed(0)
        env.reset(seed=0)
    action = plain.action_space.sample()
    for chunk in (np.stack([action] * length), [np.asarray(action).tolist()] * length):
        with pytest.raises((ValueError, TypeError), match=r"action must "):
            refusing.step(chunk)
    ours, others = refusing.step(action), plain.step(action)
    assert np.array_equal(ours.observation, others.observation)
    assert (ours.reward, ours.step_type) == (others.reward, others.step_type)
    assert isinstance(ours.reward, float)


@pytest.mark.parametrize("name", ENVS)
def test_spaces_have_garages_names(benchmark, name):
    env = ENVS[name](benchmark)
    observation, _ = env.reset()
    for space, value in (
        (env.observation_space, observation),
        (env.spec.action_space, env.action_space.sample()),
    ):
        flat = space.flatten(value)
        assert flat.shape == (space.flat_dim,)
        assert np.array_equal(space.unflatten(flat), value)
        assert space.flatten_n([value, value]).shape == (2, space.flat_dim)
        assert np.array_equal(space.unflatten_n(space.flatten_n([value])), [value])
    assert env.spec.observation_space == env.observation_space


SET_TASK = {
    "PointEnv": lambda _: PointEnv(max_episode_length=4),
    "HalfCheetahVelEnv": lambda _: HalfCheetahVelEnv(max_episode_length=4),
    "MetaWorldSetTaskEnv": set_task_env,
}
CHAINS = {
    "none": lambda env: env,
    "normalize": normalize,
    "GymEnv": functools.partial(GymEnv, max_episode_length=4),
    "TaskNameWrapper": functools.partial(TaskNameWrapper, task_name="a"),
    "MultiEnvWrapper": lambda env: MultiEnvWrapper([env]),
    "TimeLimit inside": lambda env: normalize(gymnasium.wrappers.TimeLimit(env, 4)),
    "order inside": lambda env: TaskNameWrapper(
        GymEnv(gymnasium.wrappers.OrderEnforcing(env), max_episode_length=4), task_id=1
    ),
}


@pytest.mark.filterwarnings("ignore:max_episode_length=4 is used")
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("name", SET_TASK)
def test_set_task_starts_an_episode_in_every_wrapper(benchmark, name, chain):
    inner = SET_TASK[name](benchmark)
    env = CHAINS[chain](inner)
    tasks = inner.sample_tasks(2)
    action = np.zeros(env.action_space.shape, env.action_space.dtype)
    env.set_task(tasks[0])
    for count in (3, 2):
        assert [env.step(action).step_type.name for _ in range(count)] == ["FIRST", "MID", "MID"][:count]
        env.set_task(tasks[1])
    env.step(action)
    env.reset()
    assert env.step(action).first


def test_set_task_that_waits_for_a_reset_leaves_the_count(benchmark):
    env = normalize(taskworlds.make(benchmark, max_episode_steps=4))
    env.reset(seed=0)
    env.step(np.zeros(4))
    env.set_task(benchmark.train_tasks[1])
    assert env.step(np.zeros(4)).mid
    assert not hasattr(normalize(gymnasium.make("CartPole-v1")), "set_task")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["HalfCheetahVelEnv", "MetaWorldSetTaskEnv", "GymEnv of ours", "normalize", "PointEnv"]
)
def test_listed_render_modes_render(benchmark, name):
    env = ENVS[name](benchmark)
    env.reset(seed=0)
    pictures = {mode: env.render(mode) for mode in env.render_modes if mode != "human"}
    assert pictures["rgb_array"].ndim == 3
    assert pictures["rgb_array"].max() > 0
    env.step(env.action_space.sample())
    assert env.step(env.action_space.sample()).mid  # drawing changed nothing
    env.close()


def test_autoreset_of_vector_environments_takes_the_infos():
    for mode in gymnasium.vector.AutoresetMode:
        make = [lambda i=i: TaskOnehotWrapper(PointEnv(max_episode_length=2 + i), i, 2) for i in range(2)]
        envs = gymnasium.vector.SyncVectorEnv(make, autoreset_mode=mode)
        envs.reset(seed=0)
        for _ in range(5):
            *_, terminated, truncated, _ = envs.step(envs.action_space.sample())
            if mode is gymnasium.vector.AutoresetMode.DISABLED and (terminated | truncated).any():
                envs.reset(options={"reset_mask": terminated | truncated})
