"""The single environment: Gymnasium's API, garage's step, and its spec."""

from __future__ import annotations

import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from metaworld.env_dict import ALL_V3_ENVIRONMENTS

import taskworlds
from taskworlds import EnvSpec, EnvStep, StepType, benchmark
from taskworlds.vector.flat_state import from_arrays
from taskworlds.vector.gymnasium_ids import register_envs
from taskworlds.vector.options import Options
from taskworlds.vector.task_env import TaskEnv
from taskworlds.worlds.metaworld.skills import SKILLS

QUICK = {"reach-v3", "drawer-open-v3", "door-lock-v3", "hammer-v3", "basketball-v3", "pick-place-v3"}
EVERY_SKILL = [
    pytest.param(each.name, id=each.name, marks=() if each.name in QUICK else pytest.mark.slow)
    for each in SKILLS
]


def checked(env):
    """Runs Gymnasium's check, all of it but the pictures; gives its warnings.

    Not those of infinite bounds; nor, from Python 3.12 on, that of a fork beside threads that earlier tests left here.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(env, skip_render_check=True)
    known = (
        "minimum value is -infinity",
        "maximum value is infinity",
        "maximum and minimum values are equal",
        "is multi-threaded, use of fork() may lead to deadlocks",
    )
    messages = [str(each.message) for each in caught]
    return [message for message in messages if not any(each in message for each in known)]


@pytest.mark.parametrize("skill", EVERY_SKILL)
@pytest.mark.parametrize("kind", ["MT1", "ML1"])
def test_gymnasiums_check(skill, kind):
    assert checked(taskworlds.make(kind, env_name=skill, seed=0, num_goals=5)) == []


@pytest.mark.parametrize(
    ("options", "mixed"),
    [
        ({"use_one_hot": True}, True),
        ({"recurrent_info_in_obs": True, "use_one_hot": True}, True),
        ({"reward_function_version": "v1", "task_select": "pseudorandom", "max_episode_steps": 20}, False),
    ],
)
def test_gymnasiums_check_with_options(make, options, mixed):
    name = "custom-mt-envs" if mixed else "reach-v3"
    skills = {"envs_list": ["reach-v3", "push-v3"]} if mixed else {}
    assert checked(make(name, seed=0, num_goals=3, **skills, **options)) == []


def test_gymnasiums_check_of_what_gymnasium_made():
    register_envs()
    assert checked(gym.make("taskworlds/ML1-test", env_name="reach-v3", seed=0, num_goals=3)) == []
    env = gym.make("taskworlds/MT1", env_name="reach-v3", seed=0, num_goals=3, disable_env_checker=False)
    env.reset(seed=0)
    env.step(env.action_space.sample())


def test_checking_twice_is_no_different():
    env = taskworlds.make("reach-v3", seed=0, num_goals=3)
    assert checked(env) == checked(env) == []


# --- steps -------------------------------------------------------------------------------------------------


def test_steps_are_garages_too(make, tasks):
    env = make([tasks.near, tasks.far], max_episode_steps=3)
    env.reset(options={"task": tasks.far})
    action = np.array([0.1, 0.2, 0.3, 0.4])
    steps = [env.step(action) for _ in range(3)]
    assert [type(step) for step in steps] == [EnvStep] * 3
    assert [step.step_type for step in steps] == [StepType.FIRST, StepType.MID, StepType.TIMEOUT]
    observation, reward, terminated, truncated, info = steps[0]
    assert observation is steps[0].observation
    assert (type(reward), type(terminated), type(truncated)) == (float, bool, bool)
    assert info is steps[0].env_info
    assert steps[0].action is action
    assert steps[0].env_spec is env.spec
    env.reset(options={"task": tasks.near})
    env.toggle_terminate_on_success(True)
    assert env.terminate_on_success is True
    assert env.step(action).step_type is StepType.TERMINAL


def test_observations_and_rewards_are_those_of_a_batch_of_one(make, make_vec, tasks, same):
    keywords = {
        "use_one_hot": True,
        "recurrent_info_in_obs": True,
        "reward_normalization_method": "gymnasium",
    }
    env = make([tasks.far], **keywords)
    envs = make_vec([tasks.far], 1, autoreset_mode="Disabled", **keywords)
    same(env.reset(seed=0)[0], envs.reset(seed=0)[0][0])
    for step in range(3):
        action = np.random.default_rng(step).uniform(-1, 1, 4).astype(np.float32)
        mine, its = env.step(action), envs.step(action[None])
        same(mine.observation, its[0][0])
        assert mine.reward == its[1][0]


# --- generator ---------------------------------------------------------------------------------------------


def test_its_generator_is_its_rows(make, tasks):
    env = make([tasks.near, tasks.far], seed=4)
    assert env.np_random_seed == 4
    env.reset(seed=7)
    assert env.np_random_seed == 7
    drawn = env.np_random.integers(1000)
    env.reset(seed=7)
    assert env.np_random.integers(1000) == drawn
    env.sample_tasks(seed=9)
    assert env.np_random_seed == 9
    env.np_random = np.random.default_rng(3)
    assert env.np_random_seed == -1
    again = make([tasks.near, tasks.far])
    again.np_random = np.random.default_rng(3)
    chosen = [[each.reset()[1]["task_index"] for _ in range(8)] for each in (env, again)]
    assert chosen[0] == chosen[1]


# --- what the official environment has ---------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["sync", "async"], indirect=True)
def test_attributes_of_the_official_environment(make, tasks):
    env = make([tasks.far], seed=0)
    assert env.max_path_length == 500
    assert env.task_name == "SawyerReachEnvV3"
    assert not hasattr(env, "hand_low")
    env.reset(seed=0)
    assert env.hand_low.tolist() == [-0.5, 0.4, 0.05]
    assert env.model.nq == len(env.data.qpos)
    for name in ("no_such_name", "_hidden"):
        with pytest.raises(AttributeError, match=f"'TaskEnv' object has no attribute '{name}'"):
            getattr(env, name)
    env.step(np.zeros(4))


@pytest.mark.parametrize("strategy", ["sync", "async"], indirect=True)
def test_looking_for_a_method_calls_nothing(make, tasks):
    env = make([tasks.far], seed=0)
    env.reset(seed=0)
    env.step(np.ones(4))
    before = from_arrays(env.get_state())["rows"][0]["physics"]
    # Gymnasium looks for `seed`; anyone's `hasattr` may look for the rest.
    for name in ("seed", "reset_model", "set_env_state", "get_endeff_pos"):
        assert not hasattr(env, name)
        assert not env.has_wrapper_attr(name)
    assert np.array_equal(from_arrays(env.get_state())["rows"][0]["physics"], before)


# --- spec --------------------------------------------------------------------------------------------------


def test_spec(make, tasks):
    env = make([tasks.far], max_episode_steps=7)
    assert isinstance(env.spec, EnvSpec)
    assert env.spec.action_space == env.action_space
    assert env.spec.observation_space == env.observation_space
    assert env.spec.max_episode_length == env.spec.max_episode_steps == 7
    assert pickle.loads(pickle.dumps(env.spec)) == env.spec


@pytest.mark.parametrize(
    "made_from",
    [
        lambda: taskworlds.make("ML1-test", env_name="reach-v3", seed=3, num_goals=2, use_one_hot=True),
        lambda: taskworlds.make(
            benchmark("ML1", "reach-v3", seed=3, num_goals=2), split="test", use_one_hot=True
        ),
        lambda: taskworlds.make("ML1-test", env_name="reach-v3", num_goals=2, use_one_hot=True),
    ],
    ids=["name", "benchmark", "unseeded"],
)
def test_a_spec_makes_the_environment_again(made_from):
    env = made_from()
    again = env.spec.make(reward_function_version="v1").unwrapped
    assert type(again) is TaskEnv
    assert again.tasks == env.tasks
    assert again.observation_space == env.observation_space
    assert again.terminate_on_success == env.terminate_on_success is True
    assert again.batch.reward_function_version == "v1"
    assert again.spec.max_episode_steps == 500


def test_a_spec_keeps_what_make_would_choose_otherwise():
    ml1 = benchmark("ML1", "reach-v3", seed=3, num_goals=2)
    env = TaskEnv(ml1, "test", options=Options(task_select="random", terminate_on_success=False))
    again = env.spec.make().unwrapped
    assert again.terminate_on_success is False
    assert again.batch.options == env.batch.options


@pytest.mark.parametrize("name", ["my tasks!", "a/b/c", "", "reach-v3", "Ärm"])
def test_a_benchmark_may_have_any_name(tasks, name):
    env = TaskEnv(taskworlds.Benchmark(name, (tasks.far,)))
    assert env.spec.id.startswith("taskworlds/")
    assert env.spec.make().unwrapped.tasks == [tasks.far]


def test_gymnasiums_wrappers_work(make, tasks):
    env = gym.wrappers.TimeLimit(gym.wrappers.OrderEnforcing(make([tasks.far])), 2)
    assert env.spec.max_episode_steps == 2
    env.reset(seed=0)
    assert [env.step(np.zeros(4))[3] for _ in range(2)] == [False, True]
    flat = gym.wrappers.RescaleAction(make([tasks.far]), np.float32(-2), np.float32(2))
    flat.reset(seed=0)
    assert isinstance(flat.step(np.zeros(4)), EnvStep)


def test_many_single_environments_in_one_of_gymnasiums(tasks):
    for kind in (gym.vector.SyncVectorEnv, gym.vector.AsyncVectorEnv):
        envs = kind(
            [lambda: taskworlds.make([tasks.far], max_episode_steps=2)] * 2, autoreset_mode="SameStep"
        )
        envs.reset(seed=0)
        for _ in range(2):
            *_, infos = envs.step(np.zeros((2, 4), dtype=np.float32))
        assert infos["final_info"]["episode_length"].tolist() == [2, 2]
        envs.close()


def test_every_skill_has_its_official_class():
    names = taskworlds.make_vec("MT50", seed=0, num_goals=1).get_attr("task_name")
    assert names == tuple(ALL_V3_ENVIRONMENTS[skill.name].__name__ for skill in SKILLS)
