"""Kernels: called after the physics with the row's own pointers."""

import numba
import numpy as np

from taskworlds.engine import Engine, compile_kernel


def weigh(now, action, params, memory, obs, terms, single):
    hand, goal = numba.carray(now, 3), numba.carray(params, 3)
    kept, out = numba.carray(memory, 2), numba.carray(obs, 4)
    distance = 0.0
    for i in range(3):
        out[i] = hand[i]
        distance += (hand[i] - goal[i]) ** 2
    out[3] = kept[0]
    kept[0] = hand[2]
    kept[1] += 1
    terms[0] = distance**0.5
    terms[1] = action[3]
    terms[2] = single


def make(official, rows=5, num_threads=2):
    one = official("reach-v3")
    sizes = {"action_size": 4, "param_size": 3, "memory_size": 2, "obs_size": 4, "term_size": 3}
    engine = Engine([one.scene], rows, **sizes, kernels=[compile_kernel(weigh)], num_threads=num_threads)
    for row in range(rows):
        one.load_into(engine, row)
    engine.params[:] = np.random.default_rng(0).uniform(-1, 1, engine.params.shape)
    engine.kernel_of_row[:] = 0
    assert one.scene.reads[0][0] == "body_xpos"  # what the kernel takes for the hand
    return one, engine


def test_kernel_sees_its_row(official):
    _, engine = make(official)
    rng = np.random.default_rng(1)
    previous = np.zeros(5)
    for step in range(1, 4):
        action = rng.uniform(-1, 1, (5, 4))
        engine.step(action)
        first = engine.now[:, :3]
        assert np.array_equal(engine.obs[:, :3], first)
        assert np.array_equal(engine.obs[:, 3], previous)
        assert np.allclose(engine.terms[:, 0], np.linalg.norm(first - engine.params, axis=1), rtol=1e-15)
        assert np.array_equal(engine.terms[:, 1], action[:, 3])
        assert (engine.terms[:, 2] == 0).all()
        assert (engine.memory[:, 1] == step).all()
        previous = first[:, 2].copy()


def test_kernel_knows_float32(official):
    _, engine = make(official)
    action = np.full((5, 4), 0.1, np.float32)
    engine.step(action)
    assert np.array_equal(engine.terms[:, 1:], np.column_stack([action[:, 3], np.ones(5)]).astype(float))


def test_rows_without_kernel_just_read(official):
    _, engine = make(official)
    engine.kernel_of_row[2] = -1
    engine.step(np.zeros((5, 4)), np.array([True, True, True, False, True]))
    assert engine.memory[:, 1].tolist() == [1, 1, 0, 0, 1]
    assert engine.now[2].any()
    assert not engine.obs[2].any()


def test_kernels_of_their_own(official):
    one, _ = make(official)

    def first(now, action, params, memory, obs, terms, single):
        obs[0] = 1.0

    def second(now, action, params, memory, obs, terms, single):
        obs[0] = 2.0

    kernels = [compile_kernel(first), compile_kernel(second)]
    engine = Engine([one.scene], 4, action_size=4, obs_size=1, kernels=kernels)
    for row in range(4):
        one.load_into(engine, row)
    engine.kernel_of_row[:] = [1, 0, -1, 1]
    engine.step(np.zeros((4, 4)))
    assert engine.obs[:, 0].tolist() == [2, 1, 0, 2]
