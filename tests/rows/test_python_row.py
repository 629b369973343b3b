"""The template of a row: what it makes of `begin` and `advance`, and the state that it takes by itself."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, Tuple

from taskworlds import Task
from taskworlds.rows.python_row import PythonRow
from taskworlds.vector.flat_state import from_arrays, to_arrays


class Walk(PythonRow):
    """Steps of random length along a line, to the task's flag."""

    action_space = Discrete(2)
    observation_space = Dict({"place": Box(-99.0, 99.0, (1,), np.float32), "last": Discrete(2)})

    def begin(self, task, seed):
        if task["flag"] < 0:
            raise ValueError("no flag there")
        self.rng = np.random.default_rng(seed)
        self.places = [0.0]
        self.last = 0
        return self.observed(), {"goal": (task["flag"],)}

    def advance(self, action):
        self.last = int(action)
        self.places.append(self.places[-1] + self.rng.random() * (1 if action else -1))
        done = self.places[-1] >= self.task["flag"]
        return self.observed(), self.places[-1], done, {"success": done, "steps": len(self.places) - 1}

    def observed(self):
        return {"place": np.array(self.places[-1:], np.float32), "last": np.int64(self.last)}


def started(row, flag=2, seed=3):
    row.next_task = Task("walk", {"flag": flag})
    return row.reset(seed=seed)


def test_resets_and_steps():
    row = Walk()
    obs, info = started(row)
    assert row.observation_space.contains(obs)
    assert info["goal"].tolist() == [2.0]
    assert info["goal"].dtype == np.float64
    assert (row.task, row.next_task) == (Task("walk", {"flag": 2}), None)
    obs, reward, terminated, truncated, info = row.step(1)
    assert row.observation_space.contains(obs)
    assert (type(reward), terminated, truncated) == (float, False, False)
    assert {name: type(value) for name, value in info.items()} == {
        "success": float,
        "steps": float,
        "goal": np.ndarray,
        "terminated": bool,
    }
    again = row.reset(seed=3)[0]
    assert again["place"] == 0.0
    assert row.task["flag"] == 2


def test_an_end_is_told_in_info_alone():
    row = Walk()
    started(row)
    while not (step := row.step(1))[4]["terminated"]:
        assert step[2:4] == (False, False)
    assert step[2:4] == (False, False)
    assert step[4]["success"] == 1.0


def test_a_world_where_no_step_ends_an_episode():
    class Endless(Walk):
        def advance(self, action):
            obs, reward, _, terms = super().advance(action)
            return obs, reward, None, {"goal": np.float32([7.5]), **terms}

    row = Endless()
    started(row)
    info = row.step(0)[4]
    assert "terminated" not in info
    assert info["goal"].tolist() == [7.5]  # goals may move
    assert row.state["goal"].tolist() == [7.5]


def test_a_row_needs_a_task():
    with pytest.raises(RuntimeError, match="no task yet: set next_task before the first reset"):
        Walk().reset(seed=0)
    with pytest.raises(RuntimeError, match=r"no episode yet: call reset\(\) before step"):
        Walk().step(1)
    assert Walk().state is None


def test_after_a_start_that_failed_there_is_no_episode():
    row = Walk()
    started(row)
    with pytest.raises(ValueError, match="no flag there"):
        started(row, flag=-1)
    assert row.state is None
    assert started(row)[0]["place"] == 0.0


def test_idle_rows_do_not_step():
    row = Walk()
    row.idle = True
    obs, reward, *_, info = row.step(1)  # before the first reset
    assert row.observation_space.contains(obs)
    assert (reward, info, row.idle) == (0.0, {}, False)
    started(row)
    before = row.step(1)[0]
    row.idle = True
    assert row.step(1)[0] is before
    assert row.step(1)[0]["place"] != before["place"]


@pytest.mark.parametrize("space", [Discrete(3, start=1), Tuple((Discrete(2), Box(0, 255, (2, 2), np.uint8)))])
def test_an_idle_row_before_the_first_reset_has_an_observation_of_any_space(space):
    row = Walk()
    row.observation_space = space
    row.idle = True
    gym.vector.utils.concatenate(space, [row.step(0)[0]], gym.vector.utils.create_empty_array(space, 1))


def test_the_state_is_exact_and_the_callers_own():
    row = Walk()
    started(row)
    row.step(1)
    state = from_arrays(to_arrays(row.state))
    kept = from_arrays(to_arrays(state))
    expected = [row.step(each) for each in (1, 0, 1)]
    other = Walk()
    started(other, flag=9, seed=8)
    for target in (row, other, Walk()):
        target.state = state
        np.testing.assert_equal(target.state, kept)
        for each, step in zip((1, 0, 1), expected, strict=True):
            np.testing.assert_equal(target.step(each), step)
    np.testing.assert_equal(state, kept)
    other.state = None
    assert other.state is None
    assert other.task is None


def test_a_state_that_cannot_be_put_back_leaves_the_row_where_it_is():
    row = Walk()
    started(row)
    row.step(1)
    before = row.state
    row.value = {name: value for name, value in before.items() if name != "attributes"}
    error, _ = row.put_state()
    assert isinstance(error, ValueError)
    np.testing.assert_equal(row.state, before)
    row.value = None
    assert row.put_state() == (None, None)
    assert row.state is None


class Cart(PythonRow):
    """A row around Gymnasium's CartPole, in wrappers."""

    def __init__(self, render_mode=None):
        self.env = gym.make("CartPole-v1", render_mode=render_mode)
        self.action_space, self.observation_space = self.env.action_space, self.env.observation_space
        self.render_mode = render_mode

    @property
    def inner(self):
        return self.env

    def begin(self, task, seed):
        return self.env.reset(seed=seed)[0], {}

    def advance(self, action):
        obs, reward, terminated, _, _ = self.env.step(action)
        return obs, reward, terminated, {}


def test_the_state_of_an_environment_inside():
    row, other = Cart(), Cart(render_mode="rgb_array")
    started(row)
    row.step(1)
    state = from_arrays(to_arrays(row.state))
    other.state = state
    assert other.render_mode == other.inner.unwrapped.render_mode == "rgb_array"
    for action in (1, 0, 0, 1):
        np.testing.assert_equal(other.step(action), row.step(action))
    np.testing.assert_equal(other.reset()[0], row.reset()[0])  # the generator inside goes on too


def test_the_environment_inside_can_be_asked():
    row = Cart()
    assert row.read("no_such_name")[0] is not None
    assert row.read("spec") == (None, row.env.spec)
    assert isinstance(row.read("reset")[0], AttributeError)
    row.value = 3
    assert isinstance(row.write("no_such_name")[0], AttributeError)
    assert row.ask("has_wrapper_attr", ("gravity",), {}) == (None, True)


def test_a_row_without_one_is_asked_itself():
    row = Walk()
    assert "call reset() first" in str(row.ask("observed", (), {})[0])
    started(row)
    row.value = [5.0]
    assert row.write("places") == (None, None)
    assert row.ask("observed", (), {})[1]["place"] == 5.0
    assert row.read("places") == (None, [5.0])


def test_without_pictures():
    row = Walk()
    started(row)
    with pytest.raises(NotImplementedError, match=r"Walk has no pictures: define picture\(\)"):
        row.render()
