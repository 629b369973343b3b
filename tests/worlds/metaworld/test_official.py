"""One row over the official environments: tasks as values, no end of its own, exact state."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from taskworlds import benchmark
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.official import OfficialRow


def first_task(skill, kind="MT1", seed=0):
    return benchmark(kind, skill, seed=seed, num_goals=1).train_tasks[0]


@pytest.fixture(scope="module")
def shared():
    """A row for tests that leave no trace but its episode."""
    made = OfficialRow()
    yield made
    made.close()


@pytest.fixture
def row(shared):
    shared.next_task, shared.idle = first_task("reach-v3"), False
    shared.reset()
    return shared


def test_a_row_needs_a_task():
    row = OfficialRow()
    with pytest.raises(RuntimeError, match="no task yet: set next_task before the first reset"):
        row.reset()
    assert "no environment to look into yet: call reset() first" in str(row.read("model")[0])
    assert row.inner is None
    assert row.state is None


def test_next_task_is_for_the_next_reset_and_stays(row):
    push = first_task("push-v3")
    row.next_task = push
    assert type(row.inner).__name__ == "SawyerReachEnvV3"
    row.step(np.zeros(4))
    row.reset()
    assert type(row.inner).__name__ == "SawyerPushEnvV3"
    assert row.next_task is None
    _, info = row.reset()
    assert type(row.inner).__name__ == "SawyerPushEnvV3"
    assert info["goal"].tolist() == row.inner._target_pos.tolist()


def test_official_environments_are_kept(row):
    reach = row.inner
    row.next_task = first_task("push-v3")
    row.reset()
    row.next_task = first_task("reach-v3", seed=1)
    row.reset()
    assert row.inner is reach


def test_a_row_never_ends_an_episode_by_itself():
    row = OfficialRow()
    row.next_task = first_task("handle-press-side-v3")
    row.reset()
    assert not any(row.step(np.zeros(4))[2] or row.step(np.zeros(4))[3] for _ in range(260))
    assert row.inner.curr_path_length == 520


def test_an_idle_row_sits_out_one_step(row):
    obs, _, _, _, info = row.step(np.ones(4))
    kept, physics = obs.copy(), row.state["physics"]
    row.idle = True
    obs, reward, terminated, truncated, info = row.step(np.ones(4))
    assert (obs.tolist(), reward, terminated, truncated, info) == (kept.tolist(), 0.0, False, False, {})
    assert row.state["physics"].tolist() == physics.tolist()
    obs, *_ = row.step(np.ones(4))
    assert obs.tolist() != kept.tolist()


def test_numbers_in_info_are_floats(row):
    *_, info = row.step(np.zeros(4))
    goal = info.pop("goal")
    assert (goal.dtype, goal.shape) == (np.float64, (3,))
    assert {type(value) for value in info.values()} == {float}
    assert info["success"] == 0.0


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_reward_versions_and_picture_options_reach_the_official_environment(version):
    row = OfficialRow(reward_function_version=version, camera_name="corner", width=64, height=48)
    row.next_task = first_task("reach-v3")
    row.reset()
    official = row.inner
    assert official.reward_function_version == version
    assert (official.camera_name, official.width, official.height) == ("corner", 64, 48)


def test_a_row_can_show_a_goal_hide_it_and_show_it(row):
    # An official environment's `set_task` raises when the visibility changes twice without a step.
    for kind in ("ML1", "MT1", "ML1", "MT1"):
        row.next_task = first_task("reach-v3", kind)
        obs, _ = row.reset()
        assert (obs[36:] == 0).all() == (kind == "ML1")
    for kind in ("ML1", "MT1"):
        row.next_task = first_task("reach-v3", kind)
        row.reset()
        assert (row.step(np.zeros(4))[0][36:] == 0).all() == (kind == "ML1")


def test_answers_come_with_errors_as_values(row):
    assert row.ask("get_endeff_pos", (), {})[0] is None
    assert row.ask("hand_low", (), {})[1].tolist() == [-0.5, 0.4, 0.05]
    assert isinstance(row.ask("no_such_name", (), {})[0], AttributeError)
    assert isinstance(row.ask("get_endeff_pos", (1, 2), {})[0], TypeError)
    assert row.read("hand_low")[0] is None
    error, value = row.read("reset_model")
    assert (type(error), value) == (AttributeError, None)
    row.value = 0.02
    assert row.write("action_scale") == (None, None)
    assert row.inner.action_scale == 0.02
    row.value = 0.01
    row.write("action_scale")
    assert isinstance(row.write("no_such_name")[0], AttributeError)
    assert not hasattr(row.inner, "no_such_name")


def test_state_in_mid_episode(row):
    for step in range(5):
        row.step(np.random.default_rng(step).uniform(-1, 1, 4))
    state = row.state
    expected = [row.step(np.full(4, 0.3)) for _ in range(5)]
    other = OfficialRow()
    for restored in (row, other):
        restored.state = state
        assert restored.state["task"] == state["task"]
        for before in expected:
            obs, reward, _, _, info = restored.step(np.full(4, 0.3))
            assert obs.tobytes() == before[0].tobytes()
            assert reward == before[1]
            assert info["obj_to_target"] == before[4]["obj_to_target"]
    restored.state = None
    assert restored.state is None
    other.close()


def test_views_into_the_simulation_stay_views():
    # Basketball's goal is a view of a site's position; a copy would stand still.
    row = OfficialRow()
    row.next_task = first_task("basketball-v3")
    row.reset()
    row.step(np.zeros(4))
    state = row.state
    row.state = state
    target = row.inner._target_pos
    assert np.shares_memory(target, row.inner.data.site_xpos)
    assert np.shares_memory(row.inner.init_left_pad, row.inner.data.xpos)


def test_hidden_goals_are_zero_in_the_space():
    hidden = sawyer.observation_space(visible=False, hidden=True)
    assert hidden.low[36:].tolist() == hidden.high[36:].tolist() == [0.0, 0.0, 0.0]
    assert gym.spaces.Box(hidden.low, hidden.high, dtype=np.float64) == hidden
