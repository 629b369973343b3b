"""The Gymnasium ids, which differ from Meta-World's by one word."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import warnings

import gymnasium as gym
import metaworld  # noqa: F401  (registers the ids that ours are compared with)
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec as GymnasiumEnvSpec
from gymnasium.wrappers import TimeLimit

import taskworlds
from taskworlds.core.benchmark import split_of_name
from taskworlds.core.registry import list_makers, world_of, worlds
from taskworlds.vector.gymnasium_ids import ids, register_envs, register_once
from taskworlds.vector.task_env import TaskEnv
from taskworlds.vector.task_vector_env import TaskVectorEnv
from taskworlds.worlds.metaworld import skills

NEEDS = {
    "MT1": {"env_name": "reach-v3"},
    "ML1-train": {"env_name": "reach-v3"},
    "ML1-test": {"env_name": "reach-v3"},
    "custom-mt-envs": {"envs_list": ["reach-v3", "push-v3"]},
    "custom-ml-envs": {"train_envs": ["reach-v3"], "test_envs": ["push-v3"]},
}
ROWS = {
    "MT1": 1,
    "MT10": 10,
    "MT25": 25,
    "MT50": 50,
    "ML1-train": 20,
    "ML1-test": 20,
    "ML10-train": 20,
    "ML10-test": 20,
    "ML25-train": 25,
    "ML25-test": 20,
    "ML45-train": 45,
    "ML45-test": 20,
    "custom-mt-envs": 2,
    "custom-ml-envs": 20,
}


ELSEWHERE = {  # tasks to train on
    "half-cheetah-vel": 100,
    "half-cheetah-dir": 2,
    "ant-dir": 100,
    "ant-fwd-back": 2,
    "ant-goal": 150,
    "walker2d-rand-params": 40,
    "MT-HiPBMDP-Finger-Spin-vary-size-v0": 10,
    "MT-HiPBMDP-Cheetah-Run-vary-torso-length-v0": 10,
    "MT-HiPBMDP-Walker-Walk-vary-friction-v0": 10,
    "MT-HiPBMDP-Walker-Walk-vary-len-v0": 10,
}


@pytest.fixture(autouse=True, scope="module")
def registered():
    register_envs()


def test_meta_worlds_ids_are_here_under_our_name():
    theirs = {id.removeprefix("Meta-World/") for id in gym.registry if id.startswith("Meta-World/")}
    # These two make one official environment whose goal is drawn at each reset, so they are no benchmarks.
    assert theirs - {"goal_hidden", "goal_observable"} == set(ROWS)
    assert {*ROWS, *ELSEWHERE} <= set(ids().values())


def test_every_name_that_make_takes_has_an_id():
    found = ids()
    assert {id for id in gym.registry if id.startswith("taskworlds/")} == set(found)
    for id, name in found.items():
        assert id == f"taskworlds/{name}"
        assert gym.spec(id).kwargs == {"benchmark": name}
    for world in worlds():
        for name, maker in world.benchmark_makers().items():
            splits = {f"{name}-train", f"{name}-test"}
            assert name in found.values()
            assert splits <= set(found.values()) if maker.has_test else not splits & set(found.values())
        for name in world.env_names():
            assert name in found.values() or world.skill_benchmark is None
    assert {split_of_name(name)[0] for name in found.values()} == {
        name
        for world in worlds()
        for name in (*world.benchmark_makers(), *(world.env_names() if world.skill_benchmark else ()))
    } | set(list_makers())


def test_ids_of_skills():
    env = gym.make("taskworlds/reach-v3", seed=0)
    assert (env.spec.id, len(env.tasks)) == ("taskworlds/reach-v3", 50)
    envs = gym.make_vec("taskworlds/push-v3", num_envs=2, seed=0)
    assert (envs.num_envs, envs.skills) == (2, ["push-v3"])


def test_a_registered_skill_has_an_id_at_once(monkeypatch):
    monkeypatch.setattr(skills, "_registered", {})
    mine = dataclasses.replace(skills.skill("reach-v3"), name="reach-elsewhere-v1", class_name="")
    assert "taskworlds/reach-elsewhere-v1" not in gym.registry
    with skills.temporarily_registered(mine):
        assert gym.make("taskworlds/reach-elsewhere-v1", seed=0).tasks[0].env_name == "reach-elsewhere-v1"
    assert "taskworlds/reach-elsewhere-v1" not in gym.registry


def test_a_users_id_is_left_alone(monkeypatch):
    spec = GymnasiumEnvSpec("taskworlds/MT10", entry_point="elsewhere:Other")
    monkeypatch.setitem(gym.registry, "taskworlds/MT10", spec)
    register_envs()
    assert gym.spec("taskworlds/MT10") is spec


@pytest.mark.parametrize("name", ROWS)
def test_make(name):
    env = gym.make(f"taskworlds/{name}", seed=0, use_one_hot=True, **NEEDS.get(name, {}))
    assert type(env) is TaskEnv
    split = "test" if name.endswith("-test") else "train"
    assert env.tasks == list(env.benchmark.tasks(split))
    assert env.observation_space.shape == (39 + len(env.benchmark.env_names(split)),)
    assert env.spec.id == f"taskworlds/{name}"


@pytest.mark.parametrize("name", ROWS)
def test_make_vec(name):
    envs = gym.make_vec(f"taskworlds/{name}", seed=0, **NEEDS.get(name, {}))
    assert type(envs) is TaskVectorEnv
    assert envs.num_envs == ROWS[name]
    assert envs.split == ("test" if name.endswith("-test") else "train")
    assert envs.spec.id == f"taskworlds/{name}"
    own = name.removesuffix("-train").removesuffix("-test")
    assert envs.benchmark == taskworlds.benchmark(own, seed=0, **NEEDS.get(name, {}))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.requires_dm_control] if name.startswith("MT-") else [])
        for name in ELSEWHERE
    ],
)
def test_make_and_make_vec_of_other_worlds(name):
    # gymnasium.make of mtenv's ids makes mtenv's environments: tests/compat/mtrl/test_mtenv.py.
    make = taskworlds.make if name.startswith("MT-HiPBMDP-") else gym.make
    env = make(f"taskworlds/{name}", seed=0)
    assert type(env) is TaskEnv
    assert len(env.tasks) == ELSEWHERE[name]
    obs, info = env.reset(seed=0)
    assert obs in env.observation_space
    assert env.skills[info["skill_index"]] == env.tasks[0].env_name
    assert env.metadata["render_fps"] == world_of(env.tasks[0].env_name).render_fps
    envs = gym.make_vec(f"taskworlds/{name}", seed=0, num_envs=2, vector_strategy="sync")
    assert type(envs) is TaskVectorEnv
    assert (envs.num_envs, envs.spec.id) == (2, f"taskworlds/{name}")
    assert envs.benchmark == taskworlds.benchmark(name, seed=0)
    assert envs.metadata["render_fps"] == env.metadata["render_fps"]
    envs.close()


@pytest.mark.parametrize("num_envs", [2, 7, 13])
def test_number_of_rows(num_envs):
    assert gym.make_vec("taskworlds/MT10", num_envs=num_envs, seed=0).num_envs == num_envs


def test_gymnasiums_one_row_means_the_benchmarks_own_number():
    assert gym.make_vec("taskworlds/MT10", num_envs=1, seed=0).num_envs == 10
    assert taskworlds.make_vec("taskworlds/MT10", num_envs=1, seed=0).num_envs == 1


def test_meta_worlds_keywords_arrive():
    envs = gym.make_vec(
        "taskworlds/ML10-train",
        vector_strategy="sync",
        seed=3,
        meta_batch_size=10,
        total_tasks_per_cls=4,
        num_goals=6,
        terminate_on_success=True,
        task_select="random",
        max_episode_steps=7,
        reward_function_version="v1",
        recurrent_info_in_obs=True,
        normalize_observations=True,
        reward_normalization_method="exponential",
        reward_alpha=0.1,
        autoreset_mode="NextStep",
    )
    assert (envs.num_envs, len(envs.tasks[0]), envs.max_episode_steps) == (10, 4, 7)
    assert (envs.strategy, envs.reward_function_version) == ("sync", "v1")
    assert envs.single_observation_space.shape == (39 + 6,)
    assert envs.terminate_on_success.all()
    assert envs.metadata["autoreset_mode"] is gym.vector.AutoresetMode.NEXT_STEP
    assert envs.options.task_select == "random"
    assert len(envs.benchmark.test_tasks) == 5 * 6


def test_unknown_keywords_are_refused_with_the_nearest():
    with pytest.raises(TypeError, match=r"'use_onehot' \(did you mean 'use_one_hot'\?\)"):
        gym.make_vec("taskworlds/MT10", use_onehot=True)
    with pytest.raises(TypeError, match=r"'rewardfunction' \(did you mean 'reward_function_version'\?\)"):
        gym.make("taskworlds/MT1", env_name="reach-v3", rewardfunction="v2")
    with pytest.raises(TypeError, match="MT1 needs env_name"):
        gym.make("taskworlds/MT1")
    # TorchRL tries without a keyword if the message has Python's own words.
    for make in (gym.make, gym.make_vec):
        with pytest.raises(TypeError, match="got an unexpected keyword argument 'frameskip'"):
            make(REACH, frameskip=4)


def test_the_two_splits_of_ml1_serve_their_own_tasks():
    ml1 = taskworlds.benchmark("ML1", "reach-v3", seed=0)
    for split in ("train", "test"):
        envs = gym.make_vec(f"taskworlds/ML1-{split}", env_name="reach-v3", seed=0)
        assert {task for row in envs.tasks for task in row} == set(ml1.tasks(split))


def test_a_step_through_gymnasium():
    env = gym.make("taskworlds/MT1", env_name="reach-v3", seed=0)
    obs, info = env.reset(seed=0)
    assert obs in env.observation_space
    assert info["skill_index"] == 0
    step = env.step(env.action_space.sample())
    assert step.env_spec is env.spec
    assert step.env_spec.observation_space == env.observation_space
    assert step.env_spec.max_episode_length == 500


REACH = "taskworlds/reach-v3"
STILL = np.zeros(4, dtype=np.float32)


def length(env):
    """Steps of an episode, and what info says of it."""
    env.reset(seed=0)
    for count in range(1, 10_000):
        step = env.step(STILL)
        if step[2] or step[3]:
            return count, step[4]["episode_length"]
    raise AssertionError("the episode does not end")


@pytest.mark.parametrize("limit", [2, 501])
def test_the_limit_of_gymnasiums_make_is_the_environments(limit):
    env = gym.make(REACH, max_episode_steps=limit)
    assert type(env) is TaskEnv
    assert env.spec.max_episode_steps == env.max_path_length == limit
    assert length(env) == (limit, limit)


@pytest.mark.parametrize("order", [{}, {"disable_env_checker": False}])
def test_trials_through_gymnasiums_make(order):
    env = gym.make(REACH, k_episodes=3, max_episode_steps=2, **order)
    assert length(env) == (6, 6)
    assert (env.spec.max_episode_steps, env.spec.kwargs["max_episode_steps"]) == (6, 2)
    assert length(gym.make(env.spec)) == (6, 6)
    assert length(gym.make(env.spec, max_episode_steps=3)) == (9, 9)
    assert length(gym.make(GymnasiumEnvSpec.from_json(env.spec.to_json()))) == (6, 6)
    wrapped = gym.make(gym.wrappers.ClipAction(env).spec, max_episode_steps=1)
    assert (type(wrapped), length(wrapped)) == (gym.wrappers.ClipAction, (3, 3))
    assert length(gym.make(REACH, k_episodes=2, max_episode_steps=-1)) == (1000, 1000)


@pytest.mark.parametrize("mode", ["sync", "async", "vector_entry_point"])
def test_trials_through_gymnasiums_vectorizations(mode):
    envs = gym.make_vec(REACH, num_envs=2, k_episodes=3, max_episode_steps=2, vectorization_mode=mode)
    obs, _ = envs.reset(seed=0)
    assert obs in envs.observation_space
    assert [envs.step(np.stack([STILL] * 2))[3].tolist() for _ in range(6)] == [[False] * 2] * 5 + [
        [True] * 2
    ]
    envs.close()


def test_a_limit_of_somebodys_own_wrapper_stays_theirs(monkeypatch):
    spec = GymnasiumEnvSpec("mine/Reach-v0", entry_point=lambda: taskworlds.make("reach-v3"))
    monkeypatch.setitem(gym.registry, "mine/Reach-v0", spec)
    for env in (gym.make("mine/Reach-v0", max_episode_steps=2), TimeLimit(gym.make(REACH), 2)):
        assert type(env) is TimeLimit
        assert env.unwrapped.max_path_length == 500
        env.reset(seed=0)
        assert [env.step(STILL)[3] for _ in range(2)] == [False, True]


def test_gymnasiums_own_vectorization():
    envs = gym.make_vec(REACH, num_envs=2, vectorization_mode="sync", max_episode_steps=3)
    assert type(envs) is gym.vector.SyncVectorEnv
    first, second = envs.get_attr("tasks")
    assert first == second == taskworlds.make("reach-v3").tasks  # though no seed was given
    assert envs.reset(seed=0)[0] in envs.observation_space
    for _ in range(3):
        truncated = envs.step(envs.action_space.sample())[3]
    assert truncated.all()


def test_specs_can_be_saved_and_make_the_environment_again():
    env = gym.make("taskworlds/ML1-test", env_name="reach-v3", seed=3, use_one_hot=True)
    again = gym.make(GymnasiumEnvSpec.from_json(env.spec.to_json())).unwrapped
    assert again.tasks == env.tasks
    assert again.spec == env.spec


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"num_envs": 1},
        {"num_envs": 3, "seed": 4, "use_one_hot": True, "k_episodes": 2, "max_episode_steps": 9},
    ],
)
def test_the_spec_of_a_batch_makes_it_again(how):
    envs = taskworlds.make_vec("MT10", **how)
    for spec in (envs.spec, GymnasiumEnvSpec.from_json(envs.spec.to_json())):
        again = gym.make_vec(spec)
        assert (type(again), again.num_envs, again.options) == (TaskVectorEnv, envs.num_envs, envs.options)
        assert again.tasks == envs.tasks
        assert again.np_random_seed == envs.np_random_seed


def test_the_spec_of_a_batch_of_a_benchmark_has_the_benchmark():
    for given in (taskworlds.benchmark("MT10", seed=5), "MT10"):
        envs = taskworlds.make_vec(given, 10, seed=None, total_tasks_per_cls=2)
        assert gym.make_vec(envs.spec).tasks == envs.tasks


@pytest.mark.requires_dm_control  # for a world that only Python steps
def test_a_slow_engine_beside_an_id_is_hinted_at_once(monkeypatch):
    monkeypatch.setattr("taskworlds.vector.gymnasium_ids._HINTED", set())
    with pytest.warns(
        UserWarning, match="The engine 'native' is many times faster: leave vector_strategy out"
    ):
        gym.make_vec(REACH, num_envs=2, vector_strategy="async").close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gym.make_vec(REACH, num_envs=2, vector_strategy="async").close()
        gym.make_vec(REACH, num_envs=2)
        taskworlds.make_vec("reach-v3", 2, vector_strategy="sync").close()
        gym.make_vec("taskworlds/cartpole-balance", num_envs=2, vector_strategy="sync").close()


def test_register_once():
    entry = "gymnasium.envs.classic_control.cartpole:CartPoleEnv"
    register_once("taskworlds-test/Once-v0", entry, max_episode_steps=9)
    register_once("taskworlds-test/Once-v0", "elsewhere:Other", max_episode_steps=10)
    assert gym.spec("taskworlds-test/Once-v0").max_episode_steps == 9
    assert gym.make("taskworlds-test/Once-v0").unwrapped.spec.id == "taskworlds-test/Once-v0"
    before = dict(gym.registry)
    register_envs()
    assert gym.registry == before


@pytest.mark.parametrize("make", ["make", "make_vec"])
def test_gymnasium_finds_the_ids_without_an_import_of_ours(make, tmp_path):
    program = f"""
import sys
import gymnasium
assert "mujoco" not in sys.modules and "numba" not in sys.modules
env = gymnasium.{make}("taskworlds/MT1", env_name="reach-v3", seed=0)
print(env.reset(seed=0)[0].shape)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout in ("(39,)\n", "(1, 39)\n")
