"""The native rows of locomotion and dm_control beside the official Python environments, step by step.

Physics and observations of Gymnasium's are equal to the last bit, and so are dm_control's, save where the logarithm or
the exponential of another library rounds otherwise: rewards, info and the finger's touch agree to 1e-9.
"""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.vector.utils import batch_space

import taskworlds
from taskworlds import benchmark
from taskworlds.core.registry import world_of
from taskworlds.rows import model_rows
from taskworlds.testing.parity import Actions, compare, make_rows
from taskworlds.worlds.control.skills import NATIVE

GYMNASIUM = ("half-cheetah-vel", "half-cheetah-dir", "ant-dir", "ant-goal", "walker2d-rand-params")
DM_CONTROL = (
    "cheetah-run-torso_length",
    "cheetah-run-foot_size",
    "walker-walk-friction",
    "walker-walk-len",
    "walker-stand",
    "walker-run",
    "finger-spin-size",
    "finger-spin",
    "cartpole-swingup-pole_mass",
)
WITH_DM_CONTROL = pytest.mark.requires_dm_control
NAMES = [*GYMNASIUM, *(pytest.param(name, marks=WITH_DM_CONTROL) for name in DM_CONTROL)]
TOLERANCE = 1e-12  # the project promises 1e-9; seen are 5e-16


def both(name, num_envs=3, **keywords):
    made = benchmark(name, seed=0)
    return tuple(
        taskworlds.make_vec(made, num_envs, split="train", seed=3, vector_strategy=engine, **keywords)
        for engine in ("native", "sync")
    )


def actions_at(step, space, dtype):
    """Actions a little beyond the bounds, too."""
    drawn = np.random.default_rng(step).uniform(space.low, space.high)
    return (1.1 * drawn).astype(dtype)


@pytest.mark.parametrize("kind", ["random", "double"])
@pytest.mark.parametrize("name", NAMES)
def test_native_equals_official(name, kind):
    """Over several tasks and starts in the same rows; some actions are beyond the bounds."""
    tasks = benchmark(name, seed=0).train_tasks
    world = world_of(tasks[0].env_name)
    native, official = (make_rows(engine, world, [tasks[0].env_name], 3) for engine in ("native", "sync"))
    rounds = [[tasks[(3 * number + row) % len(tasks)] for row in range(3)] for number in range(3)]
    act = Actions(world, [kind] * 3, seed=3)
    exact = ("first observation", *(() if name.startswith("finger") else ("observation",)))
    outcome = compare(native, official, rounds, act, steps=30, seed=3, tolerance=TOLERANCE, exact=exact)
    assert outcome.lines == []
    assert outcome.states > outcome.steps
    native.close()
    official.close()


@pytest.mark.parametrize("name", NAMES)
def test_kernels_stay_within_their_arrays(name):
    """As plain Python on arrays of the declared sizes a kernel gives the same, so it reads and writes nothing else."""
    task = benchmark(name, seed=0).train_tasks[0]
    world = world_of(task.env_name)
    rows = make_rows("native", world, [task.env_name], 2)
    engine, kernel = rows.engine, rows.plain_kernel
    rows.reset([task, task], np.ones(2, dtype=np.bool_), np.arange(2))
    for step in range(20):
        memory = engine.memory.copy()
        actions = actions_at(step, batch_space(world.action_space(), 2), np.float64)
        rows.step(actions, np.ones(2, dtype=np.bool_))
        for row in range(2):
            obs, terms = np.zeros(engine.obs.shape[1]), np.zeros(engine.terms.shape[1])
            now, params = engine.now[row].copy(), engine.params[row].copy()
            kernel(now, actions[row], params, memory[row], obs, terms, False)
            np.testing.assert_allclose(obs, engine.obs[row], rtol=0, atol=1e-12)
            np.testing.assert_allclose(terms, engine.terms[row], rtol=0, atol=1e-12)
            assert memory[row].tobytes() == engine.memory[row].tobytes()
    rows.close()


@WITH_DM_CONTROL
def test_every_skill_that_is_said_to_be_native_has_a_kernel():
    from taskworlds.worlds.control.kernels import KERNELS

    assert set(KERNELS) == NATIVE


@pytest.mark.parametrize("name", ["half-cheetah-vel", "ant-dir", "walker2d-rand-params"])
def test_snapshots_and_threads(name, same):
    made = benchmark(name, seed=0)
    envs = taskworlds.make_vec(made, 4, split="train", seed=0, max_episode_steps=15, num_threads=2)
    envs.reset(seed=0)
    play = [actions_at(step, envs.action_space, np.float32) for step in range(40)]
    for each in play[:10]:
        envs.step(each)
    state = envs.get_state()
    expected = [envs.step(each) for each in play[10:]]
    other = taskworlds.make_vec(made, 4, split="train", seed=9, max_episode_steps=15, num_threads=1)
    other.set_state(state)
    same([other.step(each) for each in play[10:]], expected, skip=("t", "_t"))
    single = taskworlds.make_vec(made, 1, split="train", seed=9, max_episode_steps=15)
    single.set_state(state, rows=2)
    for index, each in enumerate(play[10:13]):
        same(single.step(each[2:3])[0][0], expected[index][0][2])
    for each in (envs, other, single):
        each.close()


def test_more_bodies_than_the_engine_keeps(monkeypatch, same):
    """Models of tasks that no row has make way, and come back as they were."""
    monkeypatch.setattr(model_rows, "_MOST_SCENES", 3)
    made = benchmark("walker2d-rand-params", seed=0)
    tasks = made.train_tasks[:8]
    envs = taskworlds.make_vec(made, 2, split="train", seed=0)
    still = np.zeros(envs.action_space.shape, dtype=np.float32)

    def play(first, second):
        obs, _ = envs.reset(seed=5, options={"tasks": [first, second]})
        return [obs] + [envs.step(still)[0] for _ in range(5)]

    expected = play(tasks[0], tasks[1])
    for i in range(0, 8, 2):
        play(tasks[i], tasks[i + 1])
    assert len(envs.rows.engine.scenes) <= 4
    same(play(tasks[0], tasks[1]), expected)
    envs.close()


def test_a_fallen_walker_ends_its_episode():
    native, official = both("walker2d-rand-params", num_envs=4, autoreset_mode="Disabled")
    for envs in (native, official):
        envs.reset(seed=1)
    ended = np.zeros(4, dtype=np.bool_)
    for step in range(200):
        actions = actions_at(step, native.action_space, np.float32)
        ours, theirs = native.step(actions, ~ended), official.step(actions, ~ended)
        assert np.array_equal(ours[2], theirs[2])
        ended |= ours[2]
        if ended.all():
            break
    assert ended.any()
    native.close()
    official.close()


@pytest.mark.parametrize("name", ["half-cheetah-vel", pytest.param("cheetah-run", marks=WITH_DM_CONTROL)])
def test_pictures_show_each_row_by_itself(name):
    """A picture depends neither on the rows drawn before nor on the engine."""
    made = benchmark(name, seed=0)
    shown = {}
    for engine in ("native", "sync"):
        envs = taskworlds.make_vec(
            made,
            2,
            split="train",
            seed=0,
            vector_strategy=engine,
            render_mode="rgb_array",
            width=96,
            height=64,
        )
        envs.reset(seed=0)
        first_pictures = envs.render()
        for step in range(10):
            envs.step(actions_at(step, envs.action_space, np.float32))
        last_pictures = envs.render()
        for first, second in zip(envs.render(), last_pictures, strict=True):
            assert np.array_equal(first, second)
        shown[engine] = first_pictures + last_pictures
        assert envs.render_grid(columns=1).shape == (128, 96, 3)
        envs.close()
    for ours, theirs in zip(shown["native"], shown["sync"], strict=True):
        assert ours.shape == (64, 96, 3)
        assert ours.std() > 10
        assert np.array_equal(ours, theirs)
