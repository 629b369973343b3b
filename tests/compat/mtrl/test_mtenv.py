"""mtenv's ids under gymnasium.make: its observations, its keyword arguments and its protocol of tasks."""

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete
from gymnasium.utils.env_checker import check_env

import taskworlds
from taskworlds.compat.mtrl.mtenv import HiPBMDPEnv

pytestmark = pytest.mark.requires_dm_control

ID = "taskworlds/MT-HiPBMDP-Finger-Spin-vary-size-v0"


def made(name=ID, **keywords):
    return gymnasium.make(name, **({"from_pixels": False} | keywords)).unwrapped


def rollout(env, steps=5, **reset):
    obs, _ = env.reset(**reset)
    seen = [obs["env_obs"]]
    for action in np.random.default_rng(0).uniform(-1.0, 1.0, (steps, *env.action_space.shape)):
        seen.append(env.step(action)[0]["env_obs"])
    return np.array(seen)


def test_observations_are_mtenvs():
    env = made()
    assert isinstance(env, HiPBMDPEnv)
    assert env.observation_space == Dict({"env_obs": env.env.observation_space, "task_obs": Discrete(10)})
    obs, info = env.reset(seed=0)
    assert obs in env.observation_space
    assert (obs["task_obs"], info) == (1, {})  # mtenv's initial state
    obs, reward, terminated, truncated, _ = env.step(env.action_space.sample())
    assert obs.keys() == {"env_obs", "task_obs"}
    assert (type(reward), terminated, truncated) == (float, False, False)
    with pytest.warns(UserWarning, match="`seed` function is dropped"):  # mtenv has it
        check_env(env, skip_render_check=True)


@pytest.mark.parametrize(
    ("name", "size"),
    [("Finger-Spin-vary-size", 9), ("Cheetah-Run-vary-torso-length", 17), ("Walker-Walk-vary-len", 24)],
)
def test_all_ids(name, size):
    env = made(f"taskworlds/MT-HiPBMDP-{name}-v0", initial_task_state=9)
    obs, _ = env.reset()
    assert obs["env_obs"].shape == (size,)
    assert obs["task_obs"] == 9


def test_pictures_are_the_default():
    env = gymnasium.make(ID, height=16, width=20, frame_stack=2, render_mode="rgb_array")
    assert env.observation_space["env_obs"] == Box(0, 255, (6, 16, 20), np.uint8)
    obs, _ = env.reset()
    assert obs["env_obs"].std() > 5
    assert env.render().shape == (16, 20, 3)
    assert HiPBMDPEnv(env.unwrapped._tasks, height=8, width=8).observation_space["env_obs"].shape == (9, 8, 8)


def test_keyword_arguments():
    assert made(frame_skip=3).max_episode_steps == 334
    assert np.array_equal(rollout(made(seed=4)), rollout(made(), seed=4))
    sticky = made(sticky_observation_cfg={"should_use": True, "sticky_probability": 1.0, "last_k": 1})
    late = rollout(sticky, seed=4)
    assert np.array_equal(late[1], late[0])
    few = made(xml_file_ids=["size_3", "size_7"])
    assert (few.num_tasks, few.get_task_state()) == (2, 1)
    assert few.observation_space["task_obs"] == Discrete(2)


def test_the_limit_under_mtrls_name():
    env = made(frame_skip=400)
    assert env._max_episode_steps == env.env._max_episode_steps == 3
    env.reset()
    assert [env.step(np.zeros(2))[3] for _ in range(3)] == [False, False, True]
    with pytest.raises(
        RuntimeError, match=r"^HiPBMDPEnv\.step needs a running episode of the task 1. Call reset"
    ):
        env.step(np.zeros(2))
    envs = taskworlds.build_dmcontrol_vec_env(
        "finger", "spin", "size", {"from_pixels": False, "frame_skip": 400}, [3], [0], ["train"]
    )
    try:  # as mtrl's experiments look at a batch
        dummy = envs.env_fns[0]().env
        assert dummy._max_episode_steps == 3
        assert dummy.observation_space.shape == (9,)
    finally:
        envs.close()


def test_tasks_are_set_and_drawn():
    env = made()
    assert env.get_task_obs() == env.get_task_state() == 1
    with pytest.raises(RuntimeError, match=r"please call `seed_task\(\)` first"):
        env.sample_task_state()
    with pytest.raises(RuntimeError, match=r"please call `seed_task\(\)` first"):
        env.assert_task_seed_is_set()
    env.assert_env_seed_is_set()
    env.set_task_state(4)
    assert env.get_task_state() == 4
    with pytest.raises(RuntimeError, match="of the task 4"):
        env.step(np.zeros(2))
    assert env.reset()[0]["task_obs"] == env.step(np.zeros(2))[0]["task_obs"] == 4
    assert env.seed_task(7) == [7]
    drawn = [env.sample_task_state() for _ in range(30)]
    assert env.seed_task(7) == [7]
    assert [env.sample_task_state() for _ in range(30)] == drawn
    assert len(set(drawn)) > 5
    env.seed_task(7)
    env.reset_task_state()
    assert env.get_task_state() == drawn[0]
    assert env.reset()[0]["task_obs"] == drawn[0]  # a reset keeps the task
    for wrong in (10, -1):
        with pytest.raises(ValueError, match="task_state must be"):
            env.set_task_state(wrong)
    with pytest.raises(TypeError, match="task_state must be a whole number"):
        env.set_task_state(1.5)


def test_tasks_differ():
    env = made("taskworlds/MT-HiPBMDP-Cheetah-Run-vary-torso-length-v0")
    seen = []
    for state in (0, 9, 0):
        env.set_task_state(state)
        seen.append(rollout(env, seed=3))
    assert np.array_equal(seen[0], seen[2])
    assert not np.array_equal(seen[0], seen[1])


def test_seed_is_the_next_resets():
    env = made()
    assert env.seed(5) == [5]
    assert np.array_equal(rollout(env), rollout(made(), seed=5))
    (fresh,) = env.seed()
    assert type(fresh) is int
    assert np.array_equal(rollout(env), rollout(made(), seed=fresh))


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"initial_task_state": 10}, ValueError, "^initial_task_state must be from 0 to 9, not 10"),
        ({"seed": -1}, ValueError, "^seed must be"),
        ({"frame_skip": 0}, ValueError, "^frame_skip must be at least 1"),
        ({"from_pixels": True, "visualize_reward": True}, ValueError, "^visualize_reward must be False"),
        ({"xml_file_ids": ["size_11"]}, ValueError, "Unknown xml_file_ids 'size_11'"),
        ({"num_goals": 3}, TypeError, "unexpected keyword argument 'num_goals'"),
    ],
)
def test_wrong_arguments(keywords, error, message):
    with pytest.raises(error, match=message):
        made(**keywords)


def test_make_and_make_vec_stay_this_packages_own():
    name = ID.removeprefix("taskworlds/")
    assert taskworlds.make(name, seed=0).observation_space.shape == (9,)
    envs = gymnasium.make_vec(ID)
    assert envs.num_envs == 1
    envs.close()
