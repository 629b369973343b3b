"""Repeated actions: each step is as many steps of the world, by hand and on every engine."""

import numpy as np
import pytest

import taskworlds
from taskworlds.core.registry import world_of
from taskworlds.vector.options import Options
from taskworlds.vector.protocols import limits_of

K, LIMIT = 3, 4  # raw steps a step, steps an episode


def by_hand(envs, actions, seed=0):
    """Steps an environment without repeats K times for each action; its episodes are K times as long."""
    obs, _ = envs.reset(seed=seed)
    outcomes = [obs]
    for action in actions:
        total, success = np.zeros(envs.num_envs), np.zeros(envs.num_envs, dtype=bool)
        for _ in range(K):
            obs, rewards, terminated, truncated, infos = envs.step(action)
            total += rewards
            now = infos["final_info"]["success"] if "final_info" in infos else infos["success"]
            success |= now > 0
        outcomes.append((obs, total, terminated, truncated, success))
    return outcomes


@pytest.fixture(scope="module")
def actions():
    return np.random.default_rng(0).uniform(-1, 1, (2 * LIMIT + 1, 3, 4))


@pytest.mark.parametrize("limit", [LIMIT, None])
def test_equals_steps_by_hand(make_vec, actions, same, limit):
    """Over episodes that begin by themselves, with the same tasks."""
    how = {} if limit is None else {"max_episode_steps": limit}
    plain = make_vec("MT10", 3, seed=0, num_goals=3, max_episode_steps=K * LIMIT) if limit else None
    expected = by_hand(plain or make_vec("MT10", 3, seed=0, num_goals=3), actions)
    envs = make_vec("MT10", 3, seed=0, num_goals=3, action_repeat=K, **how)
    obs, infos = envs.reset(seed=0)
    same(obs, expected[0])
    assert infos["raw_steps"].tolist() == [0, 0, 0]
    for number, (action, (obs, total, terminated, truncated, success)) in enumerate(
        zip(actions, expected[1:], strict=True), start=1
    ):
        got = envs.step(action)
        same(list(got[:4]), [obs, total, terminated, truncated])
        info = got[4]["final_info"] if truncated.any() else got[4]
        same(info["success"] > 0, success)
        in_episode = (number - 1) % LIMIT + 1 if limit else number
        assert info["raw_steps"].tolist() == [K * in_episode] * 3
        assert info["episode_length"].tolist() == [in_episode] * 3
        if truncated.any():
            assert info["episode"]["l"].tolist() == [LIMIT] * 3
            assert got[4]["raw_steps"].tolist() == [0, 0, 0]
    assert (envs.max_episode_steps == LIMIT) if limit else envs.max_episode_steps == 167


def test_begun_and_awaited_steps_and_masks(make_vec, actions, same):
    envs, other = (
        make_vec("MT10", 3, seed=0, num_goals=1, action_repeat=K, autoreset_mode="Disabled") for _ in range(2)
    )
    for each in (envs, other):
        each.reset(seed=0)
    mask = np.array([True, False, True])
    for action in actions[:3]:
        envs.step_async(action, mask)
        same(envs.step_wait(), other.step(action, mask))
    assert envs.step(actions[3])[4]["raw_steps"].tolist() == [4 * K, K, 4 * K]


def test_a_repeat_ends_with_success_where_that_ends_the_episode(make_vec, tasks):
    """Two steps to the right, the second of which succeeds, and a third that would come after it."""
    right = np.tile(np.array([1.0, 0.0, 0.0, 0.0]), (1, 1))
    plain = make_vec([tasks.right], 1, terminate_on_success=True, autoreset_mode="Disabled")
    plain.reset(seed=0)
    count, total, ended = 0, 0.0, False
    while not ended:
        _, reward, terminated, _, _ = plain.step(right)
        count, total, ended = count + 1, total + reward[0], terminated[0]
    assert 2 < count < 40
    envs = make_vec(
        [tasks.right], 1, terminate_on_success=True, autoreset_mode="Disabled", action_repeat=count + 5
    )
    envs.reset(seed=0)
    _, reward, terminated, truncated, infos = envs.step(right)
    assert (terminated[0], truncated[0], infos["raw_steps"][0], infos["success"][0]) == (
        True,
        False,
        count,
        1.0,
    )
    assert reward[0] == total


@pytest.mark.parametrize(("which", "expected"), [("any", 1.0), ("last", 0.0), (None, 1.0)])
def test_success_of_any_or_of_the_last_raw_step(make_vec, tasks, which, expected):
    """The arm passes the goal on its way to the right."""
    right = np.array([[1.0, 0.0, 0.0, 0.0]])
    envs = make_vec([tasks.right], 1, action_repeat=60, repeat_success=which)
    envs.reset(seed=0)
    *_, infos = envs.step(right)
    assert (infos["success"][0], infos["raw_steps"][0]) == (expected, 60)


def test_the_worlds_limit_counts_raw_steps(make_vec):
    envs = make_vec("point", 2, action_repeat=7, autoreset_mode="Disabled", vector_strategy="sync")
    assert limits_of(Options(action_repeat=7), world_of("point")) == (8, 50)
    envs.reset(seed=0)
    still = np.zeros((2, 2), dtype=np.float32)
    for number in range(1, 9):
        _, _, _, truncated, infos = envs.step(still)
        assert truncated.tolist() == [number == 8] * 2
    assert infos["raw_steps"].tolist() == [50, 50]
    longer = make_vec("point", 2, action_repeat=7, max_episode_steps=9, vector_strategy="numpy")
    longer.reset(seed=0)
    for _ in range(9):
        *_, truncated, infos = longer.step(still)
    assert truncated.all()
    assert infos["final_info"]["raw_steps"].tolist() == [63, 63]


@pytest.mark.requires_dm_control
def test_the_skill_ends_a_repeat():
    envs = taskworlds.make_vec(
        "lqr-lqr_2_1", 2, vector_strategy="sync", action_repeat=4, autoreset_mode="Disabled"
    )
    envs.reset(seed=0)
    physics = envs.get_attr("physics")[0]
    physics.data.qpos[:] = physics.data.qvel[:] = 0.0
    physics.forward()
    _, _, terminated, _, infos = envs.step(np.zeros((2, 1)))
    assert (terminated.tolist(), infos["raw_steps"].tolist()) == ([True, False], [1, 4])
    envs.close()


def test_trials_and_the_last_step_in_observations(make_vec, actions):
    envs = make_vec(
        "MT10",
        3,
        seed=0,
        num_goals=1,
        action_repeat=K,
        max_episode_steps=2,
        k_episodes=2,
        recurrent_info_in_obs=True,
    )
    envs.reset(seed=0)
    _, rewards, *_ = envs.step(actions[0])
    *_, infos = envs.step(actions[1])
    assert infos["attempt_ended"].tolist() == [1.0] * 3
    assert infos["attempt_length"].tolist() == [2] * 3
    obs, rewards, *_, infos = envs.step(actions[2])
    assert infos["raw_steps"].tolist() == [K] * 3  # of the second attempt
    np.testing.assert_array_equal(obs[:, envs.observation_layout["last_reward"]][:, 0], rewards / 10)


def test_snapshots(make_vec, actions, same):
    how = {"seed": 0, "num_goals": 2, "action_repeat": K, "max_episode_steps": LIMIT}
    envs = make_vec("MT10", 3, **how)
    envs.reset(seed=0)
    envs.step(actions[0])
    state = envs.get_state()
    expected = [envs.step(action) for action in actions[1:]]
    other = make_vec("MT10", 3, **how)
    other.set_state(state)
    same([other.step(action) for action in actions[1:]], expected, skip=("t", "_t"))
    plain = make_vec("MT10", 3, seed=0, num_goals=2, max_episode_steps=LIMIT)
    with pytest.raises(ValueError, match="action_repeat is 3 in the state and 1 in this environment"):
        plain.set_state(state)
    plain.reset(seed=0)
    with pytest.raises(ValueError, match="action_repeat is 1 in the state and 3 in this environment"):
        envs.set_state(plain.get_state())


def test_partial_batches(make_vec, actions, same):
    whole, partial = (
        make_vec("MT10", 3, seed=0, num_goals=1, action_repeat=K, max_episode_steps=LIMIT, **more)
        for more in ({}, {"batch_size": 1})
    )
    for each in (whole, partial):
        each.reset(seed=0)
    for action in actions:
        expected = whole.step(action)
        partial.send(action, np.arange(3))
        got = {}
        for _ in range(3):
            step = partial.recv()
            got[int(step.rows[0])] = step
        for row, step in got.items():
            same(step.observations[0], expected[0][row])
            assert step.rewards[0] == expected[1][row]


def test_a_single_environment_and_its_spec():
    import gymnasium as gym

    env = taskworlds.make("reach-v3", seed=0, action_repeat=2, max_episode_steps=5)
    again = gym.make(env.spec)
    for each in (env, again):
        each.reset(seed=0)
        assert each.step(np.zeros(4))[4]["raw_steps"] == 2
    assert again.spec.kwargs["action_repeat"] == 2


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="action_repeat must be at least 1, not 0"):
        taskworlds.make("reach-v3", action_repeat=0)
    with pytest.raises(ValueError, match="repeat_success must be one of None, 'any', 'last', not 'first'"):
        taskworlds.make("reach-v3", repeat_success="first")
    with pytest.raises(TypeError, match="action_repeat"):
        taskworlds.make("reach-v3", frame_skip=2)
