"""Trials: k attempts at one task in a row, with a flag where an attempt begins."""

from __future__ import annotations

import numpy as np
import pytest

from taskworlds import benchmark

RIGHT = np.array([[1.0, 0.0, 0.0, 0.0]] * 2)


def test_k_attempts_at_one_task(make_vec, same):
    ml1 = benchmark("ML1", "reach-v3", seed=0)
    how = {"seed": 0, "max_episode_steps": 2, "terminate_on_success": False, "sample_tasks_on_reset": True}
    envs = make_vec(ml1, 2, k_episodes=3, **how)
    assert envs.single_observation_space.shape == (40,)
    plain = make_vec(ml1, 2, **how)
    obs, _ = envs.reset(seed=0)
    tasks = envs.current_tasks
    first, _ = plain.reset(seed=0, options={"tasks": tasks})
    same(obs, np.hstack([first, np.ones((2, 1))]))
    returns = []
    for attempt in range(3):
        rewards = np.zeros(2)
        for step in range(2):
            obs, reward, terminated, truncated, infos = envs.step(RIGHT)
            expected, *_ = plain.step(RIGHT)
            rewards += reward
            ends = step == 1
            last = ends and attempt == 2
            assert not terminated.any()
            assert truncated.tolist() == [last, last]
            assert infos["attempt_ended"].tolist() == [float(ends and not last)] * 2
            if not ends:
                same(obs, np.hstack([expected, np.zeros((2, 1))]))
        told = infos["final_info"] if last else infos
        assert told["attempt"].tolist() == [attempt] * 2
        assert told["attempt_length"].tolist() == [2, 2]
        assert told["attempt_success"].tolist() == [0.0, 0.0]
        assert told["attempt_ended"].tolist() == [1.0, 1.0]
        same(told["attempt_return"], rewards)
        returns.append(rewards)
        final = told["attempt_final_obs"]
        same(infos["final_obs"], final)
        assert final[:, -1].tolist() == [0.0, 0.0]
        assert obs[:, -1].tolist() == [1.0, 1.0]
        if not last:
            assert envs.current_tasks == tasks
            same(obs[:, :-1], first)
            assert "final_info" not in infos
        plain.reset(options={"tasks": tasks})
    for told in (infos["final_info"]["episode"]["l"], infos["final_info"]["episode_length"]):
        assert told.tolist() == [6, 6]
    np.testing.assert_allclose(infos["final_info"]["episode_return"], np.sum(returns, axis=0), rtol=1e-12)
    assert envs.current_tasks != tasks  # the next trial has a task of its own


@pytest.mark.parametrize("mode", ["SameStep", "NextStep", "Disabled"])
def test_success_ends_an_attempt_and_rows_go_on_by_themselves(make_vec, tasks, mode):
    envs = make_vec(
        [tasks.near, tasks.right],
        2,
        k_episodes=2,
        max_episode_steps=4,
        terminate_on_success=True,
        autoreset_mode=mode,
    )
    envs.reset(options={"tasks": [tasks.near, tasks.right]})
    still = np.zeros((2, 4))
    obs, _, terminated, truncated, infos = envs.step(still)  # near: solved at once
    assert not (terminated | truncated).any()
    assert infos["attempt_ended"].tolist() == [1.0, 0.0]
    assert infos["attempt_success"].tolist() == [1.0, 0.0]
    assert infos["_attempt_final_obs"].tolist() == [True, False]
    assert obs[:, -1].tolist() == [1.0, 0.0]
    assert not infos["attempt_final_obs"][1].any()
    obs, _, terminated, truncated, infos = envs.step(still)
    assert terminated.tolist() == [True, False]
    assert not truncated.any()
    told = infos["final_info"] if mode == "SameStep" else infos
    assert told["attempt"].tolist() == [1, 0]
    assert told["episode_length"].tolist() == ([2, 0] if mode == "SameStep" else [2, 2])
    if mode != "SameStep":  # a row that does not step has what it had
        *_, masked = envs.step(still, mask=np.array([False, True]))
        assert masked["_attempt"].tolist() == [False, True]
        assert masked["attempt"].tolist() == [1, 0]
        assert masked["attempt_return"][0] == told["attempt_return"][0]
    assert obs[0, -1] == (1.0 if mode == "SameStep" else 0.0)


def test_a_snapshot_in_mid_trial_is_exact(make_vec, same):
    ml1 = benchmark("ML1", "reach-v3", seed=0)
    envs = make_vec(ml1, 2, seed=0, k_episodes=3, max_episode_steps=3)
    envs.reset(seed=0)
    for _ in range(4):
        envs.step(RIGHT)
    state = envs.get_state()
    expected = [envs.step(RIGHT) for _ in range(8)]
    envs.set_state(state)
    same([envs.step(RIGHT) for _ in range(8)], expected, skip=("t", "_t"))


def test_a_single_environment_runs_trials(make):
    env = make(benchmark("ML1", "reach-v3", seed=0), seed=0, k_episodes=2, max_episode_steps=3)
    assert env.spec.max_episode_length == 6
    env.reset(seed=0)
    steps = [env.step(np.zeros(4)) for _ in range(6)]
    assert [step.truncated for step in steps] == [False] * 5 + [True]
    assert [step.observation[-1] for step in steps] == [0, 0, 1, 0, 0, 0]
    assert [step.first for step in steps] == [True] + [False] * 5
    infos = [step.env_info for step in steps]
    assert [int(info["attempt"]) for info in infos] == [0, 0, 0, 1, 1, 1]
    assert [int(info["attempt_length"]) for info in infos] == [1, 2, 3] * 2
    assert [int(info["episode_length"]) for info in infos] == [1, 2, 3, 4, 5, 6]
    assert [bool(info["attempt_ended"]) for info in infos] == [False, False, True] * 2
    np.testing.assert_array_equal(infos[5]["attempt_final_obs"], steps[5].observation)


@pytest.mark.parametrize("mode", ["SameStep", "Disabled"])
def test_the_last_step_stands_in_the_observation_through_a_soft_reset(make_vec, same, mode):
    ml1 = benchmark("ML1", "reach-v3", seed=0)
    how = {
        "seed": 0,
        "k_episodes": 2,
        "max_episode_steps": 2,
        "recurrent_info_in_obs": True,
        "use_one_hot": True,
    }
    envs = make_vec(ml1, 2, autoreset_mode=mode, **how)
    where = envs.observation_layout
    assert list(where)[-5:] == ["one_hot", "last_action", "last_reward", "last_done", "attempt_begins"]
    assert where["attempt_begins"].stop == envs.single_observation_space.shape[0]
    first, _ = envs.reset(seed=0)
    envs.step(RIGHT)
    obs, rewards, _, truncated, infos = envs.step(RIGHT)  # ends the first attempt
    assert not truncated.any()
    same(obs[:, where["last_action"]], RIGHT)
    same(obs[:, where["last_reward"]], rewards[:, None] / 10)
    assert obs[:, where["last_done"]].tolist() == obs[:, where["attempt_begins"]].tolist() == [[1.0], [1.0]]
    same(obs[:, :39], first[:, :39])
    same(infos["attempt_final_obs"][:, where["last_reward"]], rewards[:, None] / 10)
    envs.step(RIGHT)
    obs, *_ = envs.step(RIGHT)  # ends the trial
    if mode == "Disabled":
        obs, _ = envs.reset()
    assert not obs[:, 40 : where["attempt_begins"].start].any()


def test_the_flag_is_not_normalised(make_vec):
    ml1 = benchmark("ML1", "reach-v3", seed=0)
    envs = make_vec(ml1, 2, k_episodes=2, max_episode_steps=2, normalize_observations=True, use_one_hot=True)
    obs, _ = envs.reset(seed=0)
    flags = [obs[:, -1].tolist()] + [envs.step(RIGHT)[0][:, -1].tolist() for _ in range(4)]
    assert flags == [[1, 1], [0, 0], [1, 1], [0, 0], [1, 1]]


def test_mistakes(make_vec):
    for bad in (0, -1, 2.5):
        with pytest.raises((ValueError, TypeError), match="k_episodes must be"):
            make_vec("reach-v3", 1, k_episodes=bad)
