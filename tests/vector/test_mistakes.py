"""What the vector environment refuses, and that it goes on unharmed."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def envs(make_vec, tasks):
    return make_vec([tasks.near, tasks.far], 2)


ZEROS = np.zeros((2, 4))


def test_step_before_reset(envs):
    with pytest.raises(RuntimeError, match=r"No episode of row 0 has begun: call reset\(\) before step\(\)"):
        envs.step(ZEROS)
    envs.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(RuntimeError, match=r"No episode of row 1 has begun: call reset\(\) before step\(\)"):
        envs.step(ZEROS)
    envs.step(ZEROS, np.array([True, False]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_actions_that_are_not_finite_name_row_task_and_step(envs, tasks, bad, same):
    envs.reset(options={"tasks": [tasks.near, tasks.far]})
    envs.step(ZEROS)
    state = envs.get_state()
    actions = ZEROS.copy()
    actions[1, 2] = bad
    with pytest.raises(
        ValueError, match=rf"actions\[1\] must be finite, not .*task {tasks.far.id} of reach-v3, step 1"
    ):
        envs.step(actions)
    same(envs.get_state(), state, skip=("elapsed",))
    envs.step(ZEROS)
    envs.step(actions, np.array([True, False]))  # a row that does not step may have any action


@pytest.mark.parametrize("shape", [(4,), (1, 4), (2, 3), (3, 4), (2, 4, 1), ()])
def test_shapes_of_actions(envs, shape):
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=r"actions must have the shape \(2, 4\), not"):
        envs.step(np.zeros(shape))


def test_kinds_of_actions(envs, same):
    state = None
    outcomes = []
    for actions in (ZEROS, ZEROS.tolist(), ZEROS.astype(np.float32), ZEROS.astype(int), ZEROS.astype(bool)):
        if state is None:
            envs.reset(seed=0)
            state = envs.get_state()
        envs.set_state(state)
        outcomes.append(envs.step(actions)[:4])
    for outcome in outcomes[1:]:
        same(outcome, outcomes[0])
    for bad in (
        ZEROS.astype(np.float16),
        ZEROS.astype(complex),
        ZEROS.astype(str),
        ZEROS.astype(object),
        None,
    ):
        with pytest.raises(TypeError, match="actions must be of dtype float32 or float64, not"):
            envs.step(bad)
    with pytest.raises(ValueError, match=r"actions must be an array of shape \(2, 4\), not"):
        envs.step([[0.0] * 4, [0.0] * 3])


@pytest.mark.parametrize(
    "mask",
    [[1, 0], np.array([1, 0]), np.array([True]), np.array([[True, False]]), "ab", 3, np.array([1.0, 0.0])],
)
def test_masks(envs, tasks, mask):
    envs.reset(seed=0)
    for give in (
        lambda: envs.step(ZEROS, mask),
        lambda: envs.set_tasks(tasks.far, mask),
    ):
        with pytest.raises(ValueError, match=r"mask must be a bool array of shape \(2,\), not"):
            give()
    with pytest.raises(
        ValueError, match=r"options\['reset_mask'\] must be a bool array of shape \(2,\), not"
    ):
        envs.reset(options={"reset_mask": mask})


def test_masks_may_be_lists_of_bools(envs):
    envs.reset(seed=0)
    *_, infos = envs.step(ZEROS, [False, True])
    assert infos["_success"].tolist() == [False, True]


def test_unknown_reset_options(envs):
    with pytest.raises(TypeError, match="reset takes the options reset_mask and tasks, not seed, task"):
        envs.reset(options={"task": None, "seed": 3})
    envs.reset(options={})
    envs.reset(options={"tasks": None, "reset_mask": None})


def test_one_step_at_a_time(envs):
    envs.reset(seed=0)
    with pytest.raises(RuntimeError, match=r"No step is under way: call step_async\(\) first"):
        envs.step_wait()
    envs.step_async(ZEROS)
    for call, message in (
        (lambda: envs.step_async(ZEROS), r"call step_wait\(\) before another step"),
        (lambda: envs.step(ZEROS), r"call step_wait\(\) before another step"),
        (envs.reset, r"call step_wait\(\) before reset\(\)"),
        (envs.sample_tasks, r"call step_wait\(\) before sample_tasks\(\)"),
        (envs.get_state, r"call step_wait\(\) before get_state\(\)"),
        (lambda: envs.set_state({}), r"call step_wait\(\) before set_state\(\)"),
        (lambda: envs.get_attr("hand_low"), r"call step_wait\(\) before get_attr\('hand_low'\)"),
        (lambda: envs.set_attr("terminate_on_success", True), r"call step_wait\(\) before set_attr"),
        (lambda: envs.call("get_endeff_pos"), r"call step_wait\(\) before call\('get_endeff_pos'\)"),
        (envs.render, r"call step_wait\(\) before render\(\)"),
    ):
        with pytest.raises(RuntimeError, match=f"A step is under way: {message}"):
            call()
    assert envs.step_wait()[4]["_success"].all()
    envs.step(ZEROS)


def test_a_refused_step_is_not_under_way(envs):
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="must be finite"):
        envs.step_async(ZEROS * np.nan)
    with pytest.raises(RuntimeError, match="No step is under way"):
        envs.step_wait()
    envs.step(ZEROS)


def test_render_needs_a_mode_and_a_reset(make_vec, tasks):
    with pytest.raises(RuntimeError, match='make the environment with render_mode="rgb_array"'):
        make_vec([tasks.far], 1).render()
    with pytest.raises(RuntimeError, match=r"no picture before the first reset: call reset\(\)"):
        make_vec([tasks.far], 1, render_mode="rgb_array").render()


def test_after_close(envs):
    envs.reset(seed=0)
    envs.close()
    envs.close()
    for call in (envs.reset, lambda: envs.step(ZEROS), envs.get_state, envs.sample_tasks, envs.render):
        with pytest.raises(
            RuntimeError, match="needs an open environment, and this one was closed: make a new one"
        ):
            call()


def test_a_single_environment(make, tasks):
    env = make([tasks.near], terminate_on_success=True)
    with pytest.raises(RuntimeError, match=r"No episode has begun: call reset\(\) before step\(\)"):
        env.step(np.zeros(4))
    env.reset(seed=0)
    for bad in (np.zeros(3), 0.0):
        with pytest.raises(ValueError, match=r"action must have the shape \(4,\), not"):
            env.step(bad)
    with pytest.raises(ValueError, match=rf"must be finite, not .*task {tasks.near.id} of reach-v3, step 0"):
        env.step(np.full(4, np.nan))
    assert env.step([0, 0, 0, 0]).terminated
    with pytest.raises(RuntimeError, match=r"The episode has ended: call reset\(\) before the next step"):
        env.step(np.zeros(4))
    with pytest.raises(TypeError, match="reset takes the option task, not speed"):
        env.reset(options={"speed": 3})
