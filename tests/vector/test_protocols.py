"""The protocols of TD-MPC2 and Newt beside loops by hand over the official environments, and what contradicts them."""

import pickle

import gymnasium as gym
import numpy as np
import pytest
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.types import Task as OfficialTask

import taskworlds
from taskworlds.vector.options import DEFAULTS
from taskworlds.vector.protocols import PROTOCOLS

SKILLS = ["push-v3", "drawer-open-v3", "stick-pull-v3"]
DECISIONS = 100


def official(task):
    """Meta-World's own environment with the goal of a task, visible."""
    env_class = ALL_V3_ENVIRONMENTS[task.env_name]
    data = {"rand_vec": np.array(task["rand_vec"]), "env_cls": env_class, "partially_observable": False}
    env = env_class()
    env.set_task(OfficialTask(task.env_name, pickle.dumps(data)))
    return env


@pytest.mark.parametrize("name", ["tdmpc2", "newt"])
@pytest.mark.parametrize("env_name", SKILLS)
def test_equals_a_loop_by_hand_over_the_official_environment(name, env_name):
    """Reset, one step of zeros, then 100 decisions of two steps each, with the sum of rewards and the last success."""
    envs = taskworlds.make_vec(env_name, 1, seed=0, protocol=name, autoreset_mode="Disabled")
    obs, infos = envs.reset(seed=5)
    env = official(envs.current_tasks[0])
    before, _ = env.reset()
    after, *_ = env.step(np.zeros(4))
    assert not np.array_equal(before, after)
    np.testing.assert_allclose(obs[0], before if name == "tdmpc2" else after, rtol=0, atol=1e-9)
    assert infos["raw_steps"][0] == 1
    rng = np.random.default_rng(0)
    for decision in range(1, DECISIONS + 1):
        action = rng.uniform(-1, 1, 4)
        total = 0.0
        for _ in range(2):
            expected, reward, _, _, info = env.step(action)
            total += reward
        obs, rewards, terminated, truncated, infos = envs.step(action[None])
        np.testing.assert_allclose(obs[0], expected, rtol=0, atol=1e-9)
        assert rewards[0] == pytest.approx(total, abs=1e-9)
        assert infos["success"][0] == info["success"]
        assert (terminated[0], truncated[0]) == (False, decision == DECISIONS)
    assert infos["raw_steps"][0] == 201
    assert infos["episode_length"][0] == DECISIONS
    env.close()


@pytest.mark.parametrize("name", ["tdmpc2", "newt"])
def test_engines_agree(name, same):
    outcomes = []
    for engine in ("native", "sync"):
        envs = taskworlds.make_vec("MT10", 3, seed=0, protocol=name, vector_strategy=engine)
        got = [envs.reset(seed=0)[0]]
        acts = np.random.default_rng(0).uniform(-1, 1, (DECISIONS + 3, 3, 4))
        got += [envs.step(action)[:4] for action in acts]
        outcomes.append((got, envs.current_tasks))
        envs.close()
    assert outcomes[0][1] == outcomes[1][1]
    for mine, its in zip(outcomes[0][0], outcomes[1][0], strict=True):
        for a, b in zip(mine, its, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)


@pytest.mark.requires_dm_control
@pytest.mark.parametrize("env_name", ["cheetah-jump", "reacher-three-easy"])
def test_dm_control_by_hand(env_name):
    from taskworlds.control import make_environment

    plain = taskworlds.make_vec(env_name, 1, seed=0, vector_strategy="sync", autoreset_mode="Disabled")
    envs = taskworlds.make_vec(env_name, 1, seed=0, protocol="tdmpc2", autoreset_mode="Disabled")
    np.testing.assert_array_equal(envs.reset(seed=2)[0], plain.reset(seed=2)[0])
    assert envs.max_episode_steps == 500
    rng = np.random.default_rng(0)
    for decision in range(1, 501):
        action = rng.uniform(-1, 1, envs.action_space.shape)
        total = sum(plain.step(action)[1][0] for _ in range(2))
        _, rewards, terminated, truncated, infos = envs.step(action)
        assert rewards[0] == pytest.approx(total, abs=1e-12)
        assert (terminated[0], truncated[0]) == (False, decision == 500)
    assert infos["raw_steps"][0] == 1000
    assert make_environment(taskworlds.Task(env_name), seed=0)._step_limit == 1000
    plain.close()
    envs.close()


def test_every_episode_has_a_goal_of_its_own_and_success_ends_none():
    envs = taskworlds.make_vec("reach-v3", 2, seed=0, protocol="newt")
    envs.reset(seed=0)
    first = envs.current_tasks
    assert not set(first) & set(envs.benchmark.train_tasks)
    for _ in range(DECISIONS):
        _, _, terminated, truncated, _ = envs.step(np.zeros((2, 4)))
        assert not terminated.any()
    assert truncated.all()
    assert not set(first) & set(envs.current_tasks)
    assert not envs.terminate_on_success.any()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"action_repeat": 1}, "action_repeat=1 contradicts protocol='tdmpc2', which sets action_repeat=2"),
        ({"max_episode_steps": 500}, "max_episode_steps=500 contradicts protocol='tdmpc2'"),
        ({"terminate_on_success": True}, "terminate_on_success=True contradicts protocol='tdmpc2'"),
        ({"repeat_success": "any"}, "repeat_success='any' contradicts protocol='tdmpc2'"),
        ({"reward_function_version": "v1"}, "reward_function_version='v1' contradicts protocol='tdmpc2'"),
        ({"sample_tasks_on_reset": False}, "sample_tasks_on_reset=False contradicts protocol='tdmpc2'"),
        ({"unlimited_goals": False}, "unlimited_goals=False contradicts protocol='tdmpc2'"),
        ({"observation": "pixels"}, "observation='pixels' contradicts protocol='tdmpc2'"),
        ({"partially_observable": True}, "partially_observable=True.* contradicts protocol='tdmpc2'"),
    ],
)
def test_a_keyword_that_contradicts_it_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        taskworlds.make_vec("reach-v3", 1, protocol="tdmpc2", **given)


def test_an_evaluation_refuses_it_too():
    with pytest.raises(ValueError, match="unlimited_goals=False contradicts protocol='newt'"):
        taskworlds.evaluate("expert", "reach-v3", num_goals=1, protocol="newt", unlimited_goals=False)


def test_keywords_that_agree_are_taken():
    envs = taskworlds.make_vec(
        "reach-v3", 1, protocol="newt", action_repeat=2, max_episode_steps=100, unlimited_goals=True
    )
    assert envs.max_episode_steps == 100
    assert taskworlds.make_vec("ML1", 1, env_name="reach-v3", partially_observable=False, protocol="newt")


def test_a_protocol_is_of_some_worlds_and_has_a_name():
    with pytest.raises(
        ValueError, match="protocol='newt' is defined for skills of Meta-World and dm_control, not"
    ):
        taskworlds.make_vec("point", 1, protocol="newt")
    with pytest.raises(ValueError, match="protocol must be one of None, 'tdmpc2', 'newt', not 'dreamer'"):
        taskworlds.make_vec("reach-v3", 1, protocol="dreamer")


def test_what_protocols_set_are_options():
    for protocol in PROTOCOLS.values():
        for sets in protocol.sets.values():
            assert set(sets) <= set(DEFAULTS)


def test_specs_and_snapshots_name_it():
    env = taskworlds.make("reach-v3", seed=0, protocol="tdmpc2")
    assert env.spec.kwargs["protocol"] == "tdmpc2"
    again = gym.make(env.spec)
    first, _ = env.reset(seed=1)
    np.testing.assert_array_equal(again.reset(seed=1)[0], first)
    assert gym.make("taskworlds/reach-v3", protocol="newt").unwrapped.batch.max_episode_steps == 100
    newt = taskworlds.make("reach-v3", seed=0, protocol="newt")
    with pytest.raises(ValueError, match="protocol is 'tdmpc2' in the state and 'newt' in this environment"):
        newt.set_state(env.get_state())
    same = taskworlds.make("reach-v3", seed=0, protocol="tdmpc2")
    same.set_state(env.get_state())
    np.testing.assert_array_equal(same.step(np.ones(4))[0], env.step(np.ones(4))[0])
