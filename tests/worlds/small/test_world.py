"""The small worlds: rows in NumPy equal the environments to the bit, and both work through `make_vec`."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.vector.utils import batch_space

import taskworlds
from taskworlds import Task, benchmark
from taskworlds.core.registry import engine, world_of
from taskworlds.worlds.small.grid_map import MAPS
from taskworlds.worlds.small.grid_world import GridWorldEnv
from taskworlds.worlds.small.point import PointEnv
from taskworlds.worlds.small.world import SMALL_WORLDS

GRIDS = [f"grid-{name}" for name in MAPS]
WORLDS = ["point", *GRIDS]
N = 12


def made(name, count=N, strategy="numpy", **settings):
    """Rows, tasks for them and a batch of actions for each step."""
    world = world_of(name)
    rows = engine(strategy).make(world, [name], count, settings, {})
    tasks = benchmark(name, seed=0).train_tasks
    space = batch_space(world.action_space(), count)
    space.seed(1)
    return rows, [tasks[row % len(tasks)] for row in range(count)], space


def start(rows, tasks, chosen=None):
    chosen = np.ones(len(tasks), np.bool_) if chosen is None else chosen
    return rows.reset(tasks, chosen, np.zeros(len(tasks), np.int64))


def single(name, task):
    env = PointEnv() if name == "point" else GridWorldEnv(name.removeprefix("grid-"))
    if name == "point":
        env.set_task(task)
    return env


def test_the_worlds():
    assert [world.name for world in SMALL_WORLDS] == WORLDS
    for world in SMALL_WORLDS:
        assert world.listed.title == "Small worlds"
        assert list(world.rows) == ["numpy"]
        env = world.make_row().inner
        assert (world.action_space(), world.observation_space(visible=True, hidden=False)) == (
            env.action_space,
            env.observation_space,
        )


@pytest.mark.parametrize("name", WORLDS)
def test_rows_equal_the_environments(name):
    rows, tasks, actions = made(name)
    envs = [single(name, task) for task in tasks]
    obs = start(rows, tasks)
    assert obs.dtype == envs[0].observation_space.dtype
    for row, env in enumerate(envs):
        assert np.array_equal(obs[row], env.reset()[0])
    every = np.ones(N, np.bool_)
    for _ in range(40):
        action = actions.sample()
        outcome = rows.step(action, every)
        assert (outcome.rewards.dtype, outcome.terminated.dtype) == (np.float64, np.bool_)
        assert {each.dtype for each in outcome.terms.values()} == {np.dtype(np.float64)}
        for row, env in enumerate(envs):
            step = env.step(action[row])
            assert np.array_equal(outcome.obs[row], step.observation)
            assert outcome.rewards[row] == step.reward
            assert outcome.terminated[row] == step.terminated
            reached = step.env_info["success"] if name == "point" else step.reward == 1.0
            assert outcome.terms["success"][row] == reached
        if outcome.terminated.any():
            again = start(rows, tasks, outcome.terminated)
            for row in np.flatnonzero(outcome.terminated):
                assert np.array_equal(again[row], envs[row].reset()[0])


@pytest.mark.parametrize("name", WORLDS)
def test_rows_that_do_not_step_stay(name):
    rows, tasks, actions = made(name)
    before = start(rows, tasks)
    some = np.arange(N) % 3 == 0
    rows.step_async(actions.sample(), some)
    outcome = rows.step_wait()
    assert np.array_equal(outcome.obs[~some], before[~some])
    outcome = rows.step(actions.sample(), np.zeros(N, np.bool_))
    assert np.array_equal(outcome.obs, rows.step(actions.sample(), np.zeros(N, np.bool_)).obs)


@pytest.mark.parametrize("name", WORLDS)
def test_the_state_is_exact_and_the_callers_own(name):
    rows, tasks, actions = made(name)
    start(rows, tasks)
    every = np.ones(N, np.bool_)
    rows.step(actions.sample(), every)
    state = rows.get_state()
    after = [actions.sample() for _ in range(5)]
    expected = [rows.step(action, every).obs for action in after]
    goals = rows.goals.copy()
    other = made(name)[0]
    for target in (rows, other):
        target.set_state(state, np.arange(N))
        assert np.array_equal(target.goals, goals)
        for action, obs in zip(after, expected, strict=True):
            assert np.array_equal(target.step(action, every).obs, obs)
    fork = made(name, count=2)[0]
    fork.set_state(state, np.array([3, 3]))
    outcome = fork.step(after[0][[3, 3]], every[:2])
    assert np.array_equal(outcome.obs, expected[0][[3, 3]])
    with pytest.raises(ValueError, match="taken on another engine"):
        other.set_state([None] * N, np.arange(N))


@pytest.mark.parametrize("name", ["point", "grid-8x8"])
def test_rows_without_a_source_stay(name):
    rows, tasks, actions = made(name)
    start(rows, tasks)
    every, source = np.ones(N, np.bool_), np.full(N, -1)
    state = rows.get_state()
    moved = rows.step(actions.sample(), every).obs
    source[3] = 2
    rows.set_state(state, source)
    expected = moved.copy()
    expected[3] = rows.observe()[3]
    assert np.array_equal(rows.observe(), expected)
    assert np.array_equal(rows.get_state()["goals"][3], state["goals"][2])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda state: state | {"cells": state["cells"][:2]}, "cells must be int64 of shape .* 12 rows"),
        (lambda state: state | {"cells": state["cells"] * 1.0}, "cells must be int64 of shape"),
        (lambda state: state | {"cells": state["cells"] + 64}, "cells must be from 0 to 63"),
        (lambda state: {"goals": state["goals"]}, "taken on another engine"),
    ],
)
def test_a_damaged_state_changes_nothing(damage, message):
    rows, tasks, actions = made("grid-8x8")
    start(rows, tasks)
    rows.step(actions.sample(), np.ones(N, np.bool_))
    before = rows.observe()
    with pytest.raises(ValueError, match=message):
        rows.set_state(damage(rows.get_state()), np.arange(N))
    assert np.array_equal(rows.observe(), before)


@pytest.mark.parametrize("name", WORLDS)
def test_pictures_are_the_environments(name):
    rows, tasks, actions = made(name, count=3, render_mode="rgb_array")
    start(rows, tasks)
    action = actions.sample()
    rows.step(action, np.ones(3, np.bool_))
    for row, picture in enumerate(rows.render()):
        env = single(name, tasks[row])
        env.reset()
        env.step(action[row])
        assert np.array_equal(picture, env.render("rgb_array"))


def test_rows_have_no_attributes_to_ask_for():
    rows = made("point")[0]
    for ask in (
        lambda: rows.get_attr("goal"),
        lambda: rows.set_attr("goal", [1] * N),
        lambda: rows.call("f"),
    ):
        with pytest.raises(AttributeError, match=r'no attribute .* vector_strategy="sync" to reach them'):
            ask()


# --- tasks --------------------------------------------------------------------------------------------------


def test_goals():
    ours = benchmark("point", seed=4)
    assert (len(ours.train_tasks), len(ours.test_tasks)) == (50, 50)
    goals = np.array([task["goal"] for task in (*ours.train_tasks, *ours.test_tasks)])
    assert (np.abs(goals) <= 2.0).all()
    assert len(np.unique(goals, axis=0)) == 100
    assert np.array_equal(goals, goals.astype(np.float32))
    assert benchmark("point", seed=4, num_goals=3).train_tasks == ours.train_tasks[:3]
    assert benchmark("point", seed=4) == ours != benchmark("point", seed=5)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({}, ValueError, r"has the parameter goal, \(x, y\), not none"),
        ({"goal": (0, 0), "speed": 1}, ValueError, r"has the parameter goal, \(x, y\), not goal, speed"),
        ({"goal": (0, 9)}, ValueError, "goal must lie within the arena"),
        ({"goal": "there"}, TypeError, "goal must be two numbers"),
    ],
)
def test_tasks_of_point_that_cannot_be_run(params, error, message):
    with pytest.raises(error, match=message):
        world_of("point").check_task(Task("point", params))


@pytest.mark.parametrize("name", GRIDS)
def test_a_map_is_one_task(name):
    assert benchmark(name, seed=0).train_tasks == (Task(name),)
    assert benchmark(name, num_goals=1) == benchmark(name)
    with pytest.raises(ValueError, match=f"num_goals must be 1 or None for {name}, not 2"):
        benchmark(name, num_goals=2)
    with pytest.raises(ValueError, match=f"A task of {name} has no parameters, not goal"):
        world_of(name).check_task(Task(name, {"goal": 1}))


# --- through make_vec ---------------------------------------------------------------------------------------


def rollout(envs, steps=30):
    """Observations, rewards and ends of steps with random actions, and the infos' successes and goals."""
    envs.action_space.seed(2)
    obs, infos = envs.reset(seed=3)
    found = [obs, infos.get("goal")]
    for _ in range(steps):
        obs, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
        found += [obs, rewards, terminated, truncated, infos.get("goal")]
    return found


@pytest.mark.parametrize("strategy", ["sync", "async"])
@pytest.mark.parametrize("name", ["point", "grid-4x4"])
def test_all_engines_agree(name, strategy):
    both = []
    for each in ("numpy", strategy):
        envs = taskworlds.make_vec(name, 4, vector_strategy=each, seed=0, max_episode_steps=12)
        both.append(rollout(envs))
        envs.close()
    np.testing.assert_equal(*both)


def test_a_thousand_points():
    envs = taskworlds.make_vec("point", 1000, seed=0)
    assert envs.strategy == "numpy"
    obs, infos = envs.reset(seed=0)
    assert (obs.shape, obs.dtype, infos["goal"].shape) == ((1000, 3), np.float32, (1000, 2))
    # Straight to the goal: success, which ends the episode, long before the limit.
    done = np.zeros(1000, np.bool_)
    for _ in range(25):
        to_goal = infos["goal"] - obs[:, :2]
        obs, _, terminated, truncated, infos = envs.step(to_goal.astype(np.float32))
        done |= terminated
        assert not truncated.any()
    assert done.all()


def test_a_hundred_grids():
    envs = taskworlds.make_vec("grid-4x4", 100, seed=0)
    obs, _ = envs.reset(seed=0)
    assert (obs.shape, obs.dtype) == ((100,), np.int64)
    for action in (1, 1, 2, 2, 1, 2):  # past the holes to G
        obs, rewards, terminated, _, infos = envs.step(np.full(100, action))
    assert terminated.all()
    assert (rewards == 1.0).all()
    assert (infos["final_info"]["success"] == 1.0).all()


@pytest.mark.parametrize("strategy", ["numpy", "sync"])
@pytest.mark.parametrize("name", ["point", "grid-8x8"])
def test_snapshots(name, strategy):
    envs = taskworlds.make_vec(name, 3, vector_strategy=strategy, seed=0)
    envs.reset(seed=1)
    actions = [envs.action_space.sample() for _ in range(8)]
    for action in actions[:3]:
        envs.step(action)
    state = envs.get_state()
    expected = [envs.step(action)[:4] for action in actions[3:]]
    envs.set_state(state)
    np.testing.assert_equal([envs.step(action)[:4] for action in actions[3:]], expected)


def test_a_single_environment():
    env = taskworlds.make("grid-4x4", render_mode="rgb_array")
    obs, _ = env.reset(seed=0)
    assert (obs, env.observation_space.contains(obs)) == (0, True)
    assert env.step(2).observation == 1
    assert env.render().shape == (128, 128, 3)


@pytest.mark.parametrize(("name", "env"), [("point", PointEnv), ("grid-4x4", GridWorldEnv)])
def test_pictures_per_second_are_the_environments(name, env):
    assert world_of(name).render_fps == env.metadata["render_fps"]
