"""A single environment steps like a batch of one row."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from metaworld.policies import ENV_POLICY_MAP

import taskworlds

CASES = [
    pytest.param("reach-v3", {}, id="plain"),
    pytest.param("MT10", {"use_one_hot": True}, id="one-hot over skills"),
    pytest.param("ML10", {}, id="hidden goals"),
    pytest.param("reach-v3", {"terminate_on_success": True}, id="success ends"),
    pytest.param("door-open-v3", {"max_episode_steps": 7}, id="short"),
    pytest.param("door-open-v3", {"max_episode_steps": 1}, id="one step"),
    pytest.param("push-v3", {"reward_function_version": "v1"}, id="v1"),
    pytest.param("reach-v3", {"vector_strategy": "sync"}, id="official engine"),
    pytest.param("reach-v3", {"normalize_observations": True}, id="normalised observations"),
    pytest.param("reach-v3", {"reward_normalization_method": "gymnasium"}, id="normalised rewards"),
    pytest.param("reach-v3", {"recurrent_info_in_obs": True}, id="recurrent"),
    pytest.param("reach-v3", {"k_episodes": 2, "max_episode_steps": 9}, id="trials"),
    pytest.param("half-cheetah-vel", {}, id="no success, no goal moves"),
    pytest.param("walker2d-rand-params", {}, id="ends of its own"),
    pytest.param("finger-spin", {}, id="dm_control", marks=pytest.mark.requires_dm_control),
]


def assert_same_info(ours, theirs):
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        if name == "episode":
            assert (value["r"], value["l"]) == (theirs[name]["r"], theirs[name]["l"])
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, theirs[name])
        else:
            assert type(value) is type(theirs[name])
            assert value == theirs[name], name


def act(env, obs, rng, expert):
    if expert is None or rng.random() < 0.1:
        return env.action_space.sample()
    return np.clip(expert.get_action(obs[:39]), -1, 1).astype(np.float32)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_steps_are_those_of_a_batch(name, options):
    env = taskworlds.make(name, seed=1, **options)
    batch = taskworlds.make_vec(name, 1, seed=1, autoreset_mode=AutoresetMode.DISABLED, **options)
    rng = np.random.default_rng(0)
    env.action_space.seed(0)
    for episode in range(3):
        obs, info = env.reset(seed=episode)
        theirs, infos = batch.reset(seed=episode)
        assert_same_info(info, batch.row_info(infos, 0))
        expert = ENV_POLICY_MAP.get(env.task.env_name, lambda: None)()
        for _ in range(120):
            np.testing.assert_array_equal(obs, theirs[0])
            action = act(env, obs, rng, expert)
            obs, reward, terminated, truncated, info = env.step(action)
            theirs, rewards, ended, cut, infos = batch.step(action[None])
            assert (reward, terminated, truncated) == (rewards[0], ended[0], cut[0])
            assert_same_info(info, batch.row_info(infos, 0))
            if terminated or truncated:
                break
        state, kept = env.get_state(), batch.get_state()
        assert list(state) == list(kept)
        for field, value in state.items():
            if field != "elapsed":
                np.testing.assert_array_equal(value, kept[field], err_msg=field)
    env.close()
    batch.close()


def test_what_a_step_gave_is_not_written_to_again():
    env = taskworlds.make("push-v3", seed=0)
    env.reset(seed=0)
    steps = [env.step(env.action_space.sample()) for _ in range(3)]
    kept = [(step[0].copy(), step[4]["goal"].copy()) for step in steps]
    for _ in range(3):
        env.step(env.action_space.sample())
    for step, (obs, goal) in zip(steps, kept, strict=True):
        np.testing.assert_array_equal(step[0], obs)
        np.testing.assert_array_equal(step[4]["goal"], goal)
    steps[0][0][:] = steps[0][4]["goal"][:] = 7.0
    assert not (env.step(env.action_space.sample())[0] == 7.0).any()
