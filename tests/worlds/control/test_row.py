"""A row equals dm_control's own environment to the bit, and can be put back exactly."""

import numpy as np
import pytest

from taskworlds import Task
from taskworlds.worlds.control.environment import _SensorNames, import_suite
from taskworlds.worlds.control.row import ControlRow
from taskworlds.worlds.control.skills import SKILLS
from taskworlds.worlds.control.variations import VARIATIONS

pytestmark = pytest.mark.requires_dm_control

STEPS = 12
# dog takes seconds to compile
NAMES = [each.env_name for each in SKILLS if each.domain != "dog" or each.task == "fetch"]
BASES = [
    Task(each.skills[0], {each.parameter: each.base}) for each in VARIATIONS if each.domain != "quadruped"
]


def official(env_name, seed):
    domain, task = env_name.split("-")
    environment = import_suite(env_name).load(domain, task, task_kwargs={"random": seed})
    if domain == "quadruped":  # its code needs np.in1d, which NumPy 2.4 has no more
        environment.physics._sensor_types_to_names = _SensorNames(environment.physics.model)
    return environment


def flat(step):
    return np.concatenate([np.ravel(part) for part in step.observation.values()])


def started(task, seed=3):
    row = ControlRow(task.env_name)
    row.next_task = task
    obs, info = row.reset(seed=seed)
    assert info == {}
    return row, obs.copy()


def actions(row, count=STEPS, seed=0):
    rng = np.random.default_rng(seed)
    return np.clip(
        rng.uniform(-1, 1, (count, *row.action_space.shape)), row.action_space.low, row.action_space.high
    )


@pytest.mark.parametrize("env_name", NAMES)
def test_skill_equals_dm_control_and_its_state_is_exact(env_name):
    reference = official(env_name, seed=3)
    row, obs = started(Task(env_name))
    spec = reference.action_spec()
    assert row.action_space.dtype == spec.dtype
    np.testing.assert_array_equal(row.action_space.low, spec.minimum)
    np.testing.assert_array_equal(row.action_space.high, spec.maximum)
    assert obs.dtype == np.float64
    assert obs.shape == row.observation_space.shape
    np.testing.assert_array_equal(obs, flat(reference.reset()))
    acts = actions(row)
    for action in acts[: STEPS // 2]:
        expected = reference.step(action)
        obs, reward, terminated, truncated, info = row.step(action)
        np.testing.assert_array_equal(obs, flat(expected))
        assert (reward, terminated, truncated) == (expected.reward, False, False)
        assert info == {"terminated": expected.last()}

    state = row.state
    other = ControlRow(env_name)
    other.state = state
    for restored in (row, other):
        restored.state = state
    for action in acts[STEPS // 2 :]:  # the official environment goes on; both restored rows must follow it
        expected = reference.step(action)
        for restored in (row, other):
            obs, reward, *_ = restored.step(action)
            np.testing.assert_array_equal(obs, flat(expected))
            assert reward == expected.reward
    if env_name.startswith("lqr"):
        return
    expected = flat(reference.reset())  # the generator goes on too
    for restored in (row, other):
        np.testing.assert_array_equal(restored.reset()[0], expected)


@pytest.mark.parametrize("task", BASES, ids=lambda task: f"{task.env_name}-{next(iter(task.params))}")
def test_base_values_equal_dm_control_and_others_do_not(task):
    reference = official(task.env_name, seed=5)
    row, obs = started(task, seed=5)
    np.testing.assert_array_equal(obs, flat(reference.reset()))
    # The other value is a large one, so that a difference is seen in few steps.
    (name,) = task.params
    values = next(
        each.values for each in VARIATIONS if each.parameter == name and task.env_name in each.skills
    )
    other, _ = started(Task(task.env_name, {name: values[-1]}), seed=5)
    differs = False
    for action in np.tile(actions(row), (10, 1)):
        expected = reference.step(action)
        obs, reward, *_ = row.step(action)
        np.testing.assert_array_equal(obs, flat(expected))
        assert reward == expected.reward
        differs |= not np.array_equal(other.step(action)[0], obs)
    assert differs or name in ("size", "fingertip_radius")  # the finger must touch the spinner for these


def test_a_new_task_and_a_seed_decide_the_start_whatever_came_before():
    task, other = (
        Task("finger-turn_easy", {"size": 0.1}),
        Task("finger-turn_easy", {"fingertip_radius": 0.05}),
    )
    row, first = started(task, seed=7)
    for action in actions(row):
        row.step(action)
    row.next_task = other
    row.reset(seed=1)
    row.step(actions(row)[0])
    row.next_task = task
    np.testing.assert_array_equal(row.reset(seed=7)[0], first)
    row.reset()
    np.testing.assert_array_equal(row.reset(seed=7)[0], first)
    assert not np.array_equal(row.reset(seed=8)[0], first)


def test_lqr_draws_its_springs_from_the_seed_and_ends_at_rest():
    row, _ = started(Task("lqr-lqr_2_1"), seed=1)
    first = row.inner.physics.model.jnt_stiffness.copy()
    row.reset(seed=2)
    second = row.inner.physics.model.jnt_stiffness.copy()
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(second, official("lqr-lqr_2_1", seed=2).physics.model.jnt_stiffness)
    row.reset()
    assert not np.array_equal(row.inner.physics.model.jnt_stiffness, second)
    assert row.step(np.zeros(1))[4] == {"terminated": False}
    data = row.inner.physics.data
    data.qpos[:] = data.qvel[:] = 0.0
    row.inner.physics.forward()
    _, _, terminated, truncated, info = row.step(np.zeros(1))
    assert (terminated, truncated, info) == (False, False, {"terminated": True})


def test_an_idle_row_stays_where_it_is():
    row, obs = started(Task("cheetah-run"))
    row.idle = True
    again, reward, *_, info = row.step(np.ones(6))
    np.testing.assert_array_equal(again, obs)
    assert (reward, info, row.idle) == (0.0, {}, False)


def test_dm_controls_environment_is_within_reach():
    row = ControlRow("cheetah-run")
    assert row.state is None
    error, _ = row.ask("control_timestep", (), {})
    assert "call reset() first" in str(error)
    row, _ = started(Task("cheetah-run"))
    assert row.ask("control_timestep", (), {}) == (None, 0.01)
    assert row.read("physics")[1] is row.inner.physics
    assert isinstance(row.read("control_timestep")[0], AttributeError)
    assert isinstance(row.read("nothing")[0], AttributeError)
    assert isinstance(row.write("nothing")[0], AttributeError)
    row.value = 5
    assert row.write("_step_count") == (None, None)
    assert row.inner._step_count == 5
    row.state = None
    assert row.state is None


def rollout(row):
    for action in actions(row):
        row.step(action)


def test_a_diverged_simulation_names_the_task():
    row, _ = started(Task("cheetah-run", {"foot_size": 0.05}))
    row.inner.physics.data.qvel[:] = 1e30
    row.inner.physics.model.opt.timestep = 1e3
    with pytest.raises(
        RuntimeError, match=r"could not step the task \w{12} of cheetah-run, {'foot_size': 0.05}"
    ):
        rollout(row)


def test_a_row_needs_a_task():
    with pytest.raises(RuntimeError, match="set next_task before the first reset"):
        ControlRow("cheetah-run").reset(seed=0)


# --- pictures -----------------------------------------------------------------------------------------------


def drawn(task, **options):
    row = ControlRow(task.env_name, **options)
    row.next_task = task
    row.reset(seed=0)
    return row.render()


def test_a_picture_is_dm_controls():
    reference = official("cheetah-run", seed=0)
    reference.reset()
    picture = drawn(Task("cheetah-run"), render_mode="rgb_array", width=120, height=90)
    assert (picture.shape, picture.dtype) == ((90, 120, 3), np.uint8)
    np.testing.assert_array_equal(picture, reference.physics.render(90, 120, camera_id=0))
    back = drawn(Task("cheetah-run"), render_mode="rgb_array", camera_name="back", width=120, height=90)
    np.testing.assert_array_equal(back, reference.physics.render(90, 120, camera_id="back"))
    longer = drawn(Task("cheetah-run", {"torso_length": 1.0}), render_mode="rgb_array", width=120, height=90)
    assert not np.array_equal(longer, picture)
    depth = drawn(Task("cheetah-run"), render_mode="depth_array", camera_id=1, width=800, height=20)
    assert (depth.shape, depth.dtype) == ((20, 800), np.float32)
    assert 0.5 < depth.min() < depth.max()


def test_finger_size_cannot_be_seen():
    pictures = [
        drawn(Task("finger-spin", {"size": v}), render_mode="rgb_array", width=64, height=64)
        for v in (0.025, 0.25)
    ]
    np.testing.assert_array_equal(*pictures)


def test_mistakes_about_pictures():
    with pytest.raises(
        ValueError, match="render_mode must be one of None, 'rgb_array', 'depth_array', not 'human'"
    ):
        ControlRow("cheetah-run", render_mode="human")
    with pytest.raises(ValueError, match="by camera_name or by camera_id, not by both"):
        ControlRow("cheetah-run", camera_name="side", camera_id=1)
    for camera in ({"camera_name": "top"}, {"camera_id": 2}):
        with pytest.raises(
            ValueError,
            match=r"camera_name must be one of side, back, not 'top'|camera_id must be from -1 .* to 1, not 2",
        ):
            drawn(Task("cheetah-run"), render_mode="rgb_array", **camera)
