"""Episodes: their ends, their statistics, and what happens after them in each autoreset mode."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import taskworlds

MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED]
RIGHT = np.array([1.0, 0.0, 0.0, 0.0])


def all_equal(n, value):
    return np.full((n, 4), value)


# --- ends ---------------------------------------------------------------------------------------------------


def test_success_ends_an_episode_only_if_asked_to(make_vec, tasks):
    envs = make_vec([tasks.near], 2, max_episode_steps=4, autoreset_mode="Disabled")
    envs.set_attr("terminate_on_success", [True, False])
    envs.reset(seed=0)
    _, _, terminated, truncated, infos = envs.step(np.zeros((2, 4)))
    assert infos["success"].tolist() == [1.0, 1.0]
    assert terminated.tolist() == [True, False]
    assert truncated.tolist() == [False, False]
    assert infos["episode_length"].tolist() == [1, 1]


def test_the_limit_truncates(make_vec, tasks):
    envs = make_vec([tasks.far], 2, max_episode_steps=3, terminate_on_success=True, autoreset_mode="Disabled")
    envs.reset(seed=0)
    ends = [envs.step(np.zeros((2, 4)))[2:4] for _ in range(3)]
    assert [terminated.any() for terminated, _ in ends] == [False] * 3
    assert [truncated.tolist() for _, truncated in ends] == [[False] * 2, [False] * 2, [True] * 2]


def test_success_at_the_limit_is_a_termination(make_vec, make, tasks):
    keywords = {"max_episode_steps": 1, "terminate_on_success": True, "autoreset_mode": "Disabled"}
    envs = make_vec([tasks.near, tasks.far], 2, **keywords)
    envs.reset(options={"tasks": [tasks.near, tasks.far]})
    _, _, terminated, truncated, _ = envs.step(np.zeros((2, 4)))
    assert terminated.tolist() == [True, False]
    assert truncated.tolist() == [False, True]
    env = make([tasks.near], **keywords)
    env.reset(seed=0)
    step = env.step(np.zeros(4))
    assert (step.terminated, step.truncated, step.terminal, step.timeout) == (True, False, True, False)


def test_episodes_may_be_longer_than_500_steps(tasks):
    env = taskworlds.make("handle-press-side-v3", seed=0, max_episode_steps=503)
    env.reset(seed=0)
    steps = [env.step(np.zeros(4)) for _ in range(503)]
    assert [step.truncated for step in steps] == [False] * 502 + [True]
    assert steps[-1].env_info["episode_length"] == 503
    assert env.max_path_length == 503


def test_the_default_limit_is_500(tasks):
    env = taskworlds.make("handle-press-side-v3", seed=0)
    env.reset(seed=0)
    assert [env.step(np.zeros(4)).truncated for _ in range(500)] == [False] * 499 + [True]


def test_toggling_termination_between_steps(make_vec, tasks):
    envs = make_vec([tasks.near], 2, autoreset_mode="Disabled")
    envs.reset(seed=0)
    assert not envs.step(np.zeros((2, 4)))[2].any()
    envs.call("toggle_terminate_on_success", True)
    assert envs.get_attr("terminate_on_success") == (True, True)
    assert envs.terminate_on_success.tolist() == [True, True]
    assert envs.step(np.zeros((2, 4)))[2].all()


# --- statistics ---------------------------------------------------------------------------------------------


def play(envs, mode, action_of, episodes, seed=0):
    """Plays whole episodes in every row; gives for each row (return, length, success, last observation)s.

    `action_of(row, episode, step)` gives the action, so that all modes see the same ones.
    """
    n = envs.num_envs
    done_episodes = [[] for _ in range(n)]
    steps = np.zeros(n, dtype=int)
    envs.reset(seed=seed)
    fresh = np.zeros(n, dtype=bool)  # rows that the next step only resets (NEXT_STEP)
    while any(len(each) < episodes for each in done_episodes):
        actions = np.array([action_of(row, len(done_episodes[row]), steps[row]) for row in range(n)])
        obs, _, terminated, truncated, infos = envs.step(actions)
        steps[~fresh] += 1
        done = terminated | truncated
        for row in np.flatnonzero(done):
            ended = infos["final_info"] if mode is AutoresetMode.SAME_STEP else infos
            last = infos["final_obs"][row] if mode is AutoresetMode.SAME_STEP else obs[row]
            episode = ended["episode"]
            assert ended["_episode"][row]
            assert episode["r"][row] == ended["episode_return"][row]
            assert episode["l"][row] == ended["episode_length"][row]
            assert episode["t"][row] >= 0
            names = ("episode_return", "episode_length", "success", "task_index")
            done_episodes[row].append((*(ended[name][row] for name in names), last.copy()))
        steps[done] = 0
        fresh = done & (mode is AutoresetMode.NEXT_STEP)
        if mode is AutoresetMode.DISABLED:
            envs.reset(options={"reset_mask": done})
    return [each[:episodes] for each in done_episodes]


def random_action(row, episode, step):
    return np.random.default_rng([row, episode, step]).uniform(-1, 1, 4)


def test_every_autoreset_mode_gives_the_same_episodes(make_vec, tasks, same):
    results = []
    for mode in MODES:
        envs = make_vec(
            [tasks.near, tasks.right, tasks.far],
            2,
            max_episode_steps=6,
            autoreset_mode=mode,
            terminate_on_success=True,
            record_episode_statistics=True,
        )
        results.append(play(envs, mode, random_action, episodes=5))
    same(results[1], results[0])
    same(results[2], results[0])
    lengths = {length for row in results[0] for _, length, *_ in row}
    assert lengths == {1, 6}
    assert {success for row in results[0] for _, _, success, *_ in row} == {0.0, 1.0}


def test_returns_and_lengths_are_those_of_the_steps(make_vec, tasks):
    envs = make_vec(
        [tasks.right],
        2,
        max_episode_steps=30,
        terminate_on_success=True,
        reward_normalization_method="gymnasium",
    )
    plain = make_vec([tasks.right], 2, max_episode_steps=30, terminate_on_success=True)
    envs.reset(seed=0)
    plain.reset(seed=0)
    total = np.zeros(2)
    step = 0
    while step < 30:
        step += 1
        _, rewards, terminated, _, infos = plain.step(all_equal(2, 0.0) + RIGHT)
        total += rewards
        _, scaled, _, _, normalized_infos = envs.step(all_equal(2, 0.0) + RIGHT)
        assert not np.array_equal(scaled, rewards)
        if terminated.any():
            break
    assert 1 < step < 30
    assert infos["final_info"]["episode"]["r"].tolist() == total.tolist()
    assert infos["final_info"]["episode"]["l"].tolist() == [step, step]
    # The return is that of the rewards before they are normalised.
    assert normalized_infos["final_info"]["episode"]["r"].tolist() == total.tolist()


# --- autoreset ----------------------------------------------------------------------------------------------


def test_same_step_gives_the_new_episode_and_keeps_the_old_ones_last_step(make_vec, tasks, same):
    keywords = {"max_episode_steps": 2, "recurrent_info_in_obs": True}
    envs = make_vec([tasks.far], 1, **keywords)
    manual = make_vec([tasks.far], 1, autoreset_mode="Disabled", record_episode_statistics=True, **keywords)
    envs.reset(seed=0)
    manual.reset(seed=0)
    actions = all_equal(1, 0.5)
    same(envs.step(actions)[0], manual.step(actions)[0])
    obs, rewards, _, truncated, infos = envs.step(actions)
    last, last_rewards, _, _, last_infos = manual.step(actions)
    assert truncated.all()
    same(infos["final_obs"][0], last[0])
    same(rewards, last_rewards)
    same(infos["final_info"], last_infos, skip=("t", "_t"))
    again, again_infos = manual.reset()
    same(obs, again)
    same({name: infos[name] for name in again_infos}, again_infos)  # the top level is the reset's


def test_next_step_spends_a_step_on_the_reset(make_vec, tasks, same):
    envs = make_vec([tasks.far], 2, max_episode_steps=2, autoreset_mode="NextStep")
    first, _ = envs.reset(seed=0)
    envs.step(all_equal(2, 0.5))
    _, _, _, truncated, infos = envs.step(all_equal(2, 0.5))
    assert truncated.all()
    assert infos["episode_length"].tolist() == [2, 2]
    obs, rewards, terminated, truncated, infos = envs.step(all_equal(2, np.nan))
    same(obs, first)
    assert rewards.tolist() == [0.0, 0.0]
    assert not (terminated | truncated).any()
    assert infos["_goal"].all()
    assert not infos["_success"].any()
    assert infos["episode_length"].tolist() == [0, 0]
    assert envs.step(all_equal(2, 0.5))[4]["_success"].all()


def test_next_step_does_not_reset_what_was_reset_by_hand(make_vec, tasks):
    envs = make_vec([tasks.far], 2, max_episode_steps=1, autoreset_mode="NextStep")
    envs.reset(seed=0)
    envs.step(all_equal(2, 0.5))
    envs.reset(options={"reset_mask": np.array([True, False])})
    _, rewards, _, truncated, infos = envs.step(all_equal(2, 0.5))
    assert truncated.tolist() == [True, False]
    assert infos["_success"].tolist() == [True, False]
    assert rewards[0] > 0
    assert rewards[1] == 0


def test_without_autoreset_a_row_waits_for_its_reset(make_vec, tasks):
    envs = make_vec([tasks.near, tasks.far], 2, terminate_on_success=True, autoreset_mode="Disabled")
    envs.reset(options={"tasks": [tasks.near, tasks.far]})
    _, _, terminated, _, _ = envs.step(np.zeros((2, 4)))
    assert terminated.tolist() == [True, False]
    with pytest.raises(
        RuntimeError, match=r"The episode of row 0 has ended: call reset\(\) before the next step"
    ):
        envs.step(np.zeros((2, 4)))
    _, rewards, *_ = envs.step(np.zeros((2, 4)), mask=~terminated)
    assert rewards[0] == 0.0
    envs.reset(options={"reset_mask": terminated})
    envs.step(np.zeros((2, 4)))


# --- masks --------------------------------------------------------------------------------------------------


def test_only_the_masked_rows_step(make_vec, tasks, same):
    envs = make_vec([tasks.far], 3, normalize_observations=True, reward_normalization_method="exponential")
    alone = make_vec([tasks.far], 3, normalize_observations=True, reward_normalization_method="exponential")
    start, _ = envs.reset(seed=0)
    alone.reset(seed=0)
    mask = np.array([True, False, True])
    actions = all_equal(3, 0.3)
    obs, rewards, terminated, truncated, infos = envs.step(actions, mask)
    same(obs[1], start[1])
    assert rewards[1] == 0.0
    assert not (terminated | truncated).any()
    for name in infos:
        if name.startswith("_"):
            assert infos[name].tolist() == (mask.tolist() if name != "_final_obs" else [False] * 3)
    # Row 1 lags one step behind from here on, and is otherwise as if it were alone.
    expected = alone.step(actions)
    same(obs[0], expected[0][0])
    second, third = envs.step(actions), alone.step(actions)
    same(second[0][0], third[0][0])
    same(second[0][1], expected[0][1])
    same(second[1][1], expected[1][1])
    assert second[4]["success"].shape == (3,)


def test_a_masked_step_of_no_row_changes_nothing(make_vec, tasks, same):
    envs = make_vec([tasks.far], 2)
    start, told = envs.reset(seed=0)
    obs, rewards, terminated, truncated, infos = envs.step(all_equal(2, np.nan), np.zeros(2, dtype=bool))
    same(obs, start)
    assert rewards.tolist() == [0.0, 0.0]
    assert not (terminated | truncated).any()
    for name, values in told.items():  # what there was, and no mask says that the step told it
        same(infos[name], np.zeros(2, bool) if name.startswith("_") else values)


def test_a_masked_reset_leaves_the_other_rows_alone(make_vec, tasks, same):
    envs = make_vec([tasks.far], 2, max_episode_steps=5, autoreset_mode="Disabled")
    start, _ = envs.reset(seed=0)
    for _ in range(3):
        obs, *_ = envs.step(all_equal(2, 0.5))
    again, infos = envs.reset(options={"reset_mask": np.array([False, True])})
    same(again[0], obs[0])
    same(again[1], start[1])
    assert infos["_task_index"].tolist() == [False, True]
    assert infos["episode_length"].tolist() == [3, 0]
    _, _, _, truncated, _ = envs.step(all_equal(2, 0.5))
    _, _, _, truncated, _ = envs.step(all_equal(2, 0.5))
    assert truncated.tolist() == [True, False]
    nothing, infos = envs.reset(options={"reset_mask": np.zeros(2, dtype=bool)})
    assert not any(infos[name].any() for name in infos if name.startswith("_"))
    assert nothing.shape == (2, 39)


# --- observations -------------------------------------------------------------------------------------------


def test_recurrent_info(make_vec, tasks):
    envs = make_vec(
        [tasks.near, tasks.far], 2, recurrent_info_in_obs=True, max_episode_steps=2, autoreset_mode="Disabled"
    )
    envs.set_attr("terminate_on_success", [True, False])
    obs, _ = envs.reset(options={"tasks": [tasks.near, tasks.far]})
    assert obs[:, 39:].tolist() == [[0.0] * 6] * 2
    actions = np.array([[0.1, 0.2, 0.3, 0.4], [2.0, 0.0, -0.5, 1.0]])
    obs, rewards, terminated, _, _ = envs.step(actions)
    assert terminated.tolist() == [True, False]
    assert obs[:, 39:43].tolist() == actions.tolist()
    assert obs[:, 43].tolist() == (rewards / 10).tolist()
    assert obs[:, 44].tolist() == [1.0, 0.0]
    obs, _, _, truncated, _ = envs.step(actions, mask=np.array([False, True]))
    assert truncated.tolist() == [False, True]
    assert obs[:, 44].tolist() == [1.0, 1.0]
    obs, _ = envs.reset()
    assert obs[:, 39:].tolist() == [[0.0] * 6] * 2


def test_recurrent_reward_as_it_is(make_vec, tasks):
    envs = make_vec([tasks.far], 1, recurrent_info_in_obs=True, normalize_reward_in_recurrent_info=False)
    envs.reset(seed=0)
    obs, rewards, *_ = envs.step(all_equal(1, 0.5))
    assert obs[0, 43] == rewards[0]


def test_recurrent_reward_is_the_one_before_normalisation(make_vec, tasks):
    keywords = {
        "recurrent_info_in_obs": True,
        "reward_normalization_method": "exponential",
        "reward_alpha": 0.5,
    }
    envs = make_vec([tasks.far], 1, **keywords)
    plain = make_vec([tasks.far], 1)
    envs.reset(seed=0)
    plain.reset(seed=0)
    obs, scaled, *_ = envs.step(all_equal(1, 0.5))
    _, rewards, *_ = plain.step(all_equal(1, 0.5))
    assert obs[0, 43] == rewards[0] / 10
    assert scaled[0] != rewards[0]


def test_one_hot_is_that_of_the_skill_at_hand(make_vec):
    envs = make_vec(
        "custom-mt-envs", 2, envs_list=["reach-v3", "push-v3", "drawer-close-v3"], seed=0, use_one_hot=True
    )
    assert envs.skills == ["reach-v3", "push-v3", "drawer-close-v3"]
    part = {name: envs.benchmark.only(name).train_tasks[0] for name in envs.skills}
    for first, second in (("reach-v3", "drawer-close-v3"), ("drawer-close-v3", "push-v3")):
        obs, infos = envs.reset(options={"tasks": [part[first], part[second]]})
        hot = np.array([[name == mine for name in envs.skills] for mine in (first, second)], dtype=float)
        assert obs[:, 39:].tolist() == hot.tolist()
        assert obs.dtype == np.float64
        assert infos["skill_index"].tolist() == [envs.skills.index(name) for name in (first, second)]
        assert envs.task_names.tolist() == [first, second]
        obs, *_ = envs.step(np.zeros((2, 4)))
        assert obs[:, 39:].tolist() == hot.tolist()
        assert obs in envs.observation_space


def test_hidden_goals_are_zeros_and_info_names_them(make_vec, tasks):
    both = [tasks.reach(0.1, 0.85, hidden=True), tasks.reach(0.1, 0.85)]
    envs = make_vec(both, 2)
    # The second time each official environment shows what it hid before, and hides what it showed.
    for hidden_first in (True, False):
        shown = [[0.0, 0.0, 0.0], [0.1, 0.85, 0.2]][:: 1 if hidden_first else -1]
        obs, infos = envs.reset(options={"tasks": both if hidden_first else both[::-1]})
        assert obs[:, 36:].tolist() == shown
        assert infos["goal"].tolist() == [[0.1, 0.85, 0.2]] * 2
        obs, *_, infos = envs.step(np.zeros((2, 4)))
        assert obs[:, 36:].tolist() == shown
        assert infos["goal"].tolist() == [[0.1, 0.85, 0.2]] * 2


# --- normalisation ------------------------------------------------------------------------------------------


def test_rewards_are_normalised_as_by_gymnasium(make, tasks):
    ours = make([tasks.right], reward_normalization_method="gymnasium", max_episode_steps=5)
    theirs = gym.wrappers.NormalizeReward(make([tasks.right], max_episode_steps=5))
    for _ in range(3):
        ours.reset(seed=0)
        theirs.reset(seed=0)
        for _ in range(5):
            mine, its = ours.step(RIGHT), theirs.step(RIGHT)
            np.testing.assert_allclose(mine.reward, its[1], rtol=1e-12)  # both float64


def test_observations_are_normalised_as_by_gymnasium(make, tasks):
    ours = make([tasks.right], normalize_observations=True, max_episode_steps=5)
    theirs = gym.wrappers.NormalizeObservation(make([tasks.right], max_episode_steps=5))
    for _ in range(3):
        # Gymnasium's statistics and result are float32, and much of an observation hardly moves.
        np.testing.assert_allclose(ours.reset(seed=0)[0], theirs.reset(seed=0)[0], rtol=0.02, atol=2e-3)
        for _ in range(5):
            np.testing.assert_allclose(
                ours.step(RIGHT).observation, theirs.step(RIGHT)[0], rtol=0.02, atol=2e-3
            )


def test_exponential_rewards(make_vec, tasks):
    envs = make_vec([tasks.right], 2, reward_normalization_method="exponential", reward_alpha=0.1)
    plain = make_vec([tasks.right], 2)
    envs.reset(seed=0)
    plain.reset(seed=0)
    mean, var = np.zeros(2), np.ones(2)
    for _ in range(6):
        _, rewards, *_ = plain.step(all_equal(2, 0.2))
        mean = 0.9 * mean + 0.1 * rewards
        var = 0.9 * var + 0.1 * (rewards - mean) ** 2
        _, scaled, *_ = envs.step(all_equal(2, 0.2))
        np.testing.assert_allclose(scaled, rewards / (np.sqrt(var) + 1e-8), rtol=1e-13)


def test_statistics_can_be_frozen(make_vec, tasks, same):
    envs = make_vec([tasks.right], 2, reward_normalization_method="exponential", normalize_observations=True)
    assert envs.get_attr("update_running_mean") == (True, True)
    envs.reset(seed=0)
    envs.step(all_equal(2, 0.2))
    envs.set_attr("update_running_mean", False)
    assert envs.get_attr("update_running_mean") == (False, False)
    first = envs.reset(seed=0)[0], *envs.step(all_equal(2, 0.2))[:2]
    second = envs.reset(seed=0)[0], *envs.step(all_equal(2, 0.2))[:2]
    same(first, second)
    envs.set_attr("update_running_mean", True)
    third = envs.reset(seed=0)[0], *envs.step(all_equal(2, 0.2))[:2]
    assert not np.array_equal(third[0], second[0])
