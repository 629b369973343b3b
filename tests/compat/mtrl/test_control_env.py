"""dm_control's environments on Gymnasium's API."""

import copy
import pickle

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from taskworlds.compat.mtrl.control_env import ControlEnv

pytestmark = pytest.mark.requires_dm_control


def load(*name, **keywords):
    from dm_control import suite

    return suite.load(*name, **keywords)


def finger(seed=None, **keywords):
    return ControlEnv(load("finger", "spin"), seed=seed, **keywords)


@pytest.mark.parametrize("name", [("finger", "spin"), ("walker", "walk"), ("cheetah", "run")])
def test_the_numbers_are_dm_controls(name):
    env = ControlEnv(load(*name), seed=7)
    theirs = load(*name, task_kwargs={"random": 7})
    rng = np.random.default_rng(0)
    for _ in range(2):  # the generator goes on from episode to episode
        obs, info = env.reset()
        expected = np.concatenate([np.ravel(each) for each in theirs.reset().observation.values()])
        assert np.array_equal(obs, expected)
        assert obs.dtype == np.float64
        assert info == {}
        for _ in range(5):
            action = rng.uniform(-1.0, 1.0, env.action_space.shape)
            obs, reward, terminated, truncated, _ = env.step(action)
            step = theirs.step(action)
            assert np.array_equal(obs, np.concatenate([np.ravel(each) for each in step.observation.values()]))
            assert reward == step.reward
            assert (terminated, truncated) == (False, False)


@pytest.mark.filterwarnings("ignore:.*Box observation space")
def test_gymnasium_accepts_it():
    check_env(finger(), skip_render_check=True)


def test_the_seed_decides():
    env = finger(seed=3)
    first, second = env.reset()[0], env.reset()[0]
    assert not np.array_equal(first, second)
    assert np.array_equal(env.reset(seed=3)[0], first)
    assert np.array_equal(env.reset()[0], second)
    assert env.np_random_seed == 3


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_goes_on_in_the_same_way(copied):
    env = finger(seed=0)
    env.reset()
    env.step([0.5, -0.5])
    twin = copied(env)
    for _ in range(3):
        assert np.array_equal(env.step([1.0, 0.0])[0], twin.step([1.0, 0.0])[0])
    assert np.array_equal(env.reset()[0], twin.reset()[0])


def test_the_clock_truncates():
    env = ControlEnv(load("finger", "spin", task_kwargs={"time_limit": 0.06}), seed=0)
    env.reset()
    assert [env.step([0.0, 0.0])[2:4] for _ in range(3)] == [(False, False), (False, False), (False, True)]
    with pytest.raises(RuntimeError, match=r"No episode is under way: call reset\(\)"):
        env.step([0.0, 0.0])


def test_a_discount_of_0_terminates():
    environment = load("finger", "spin")
    environment.task.get_termination = lambda physics: 0.0
    env = ControlEnv(environment, seed=0)
    env.reset()
    assert env.step([0.0, 0.0])[2:4] == (True, False)


def test_actions_fill_the_actuators_bounds():
    env = ControlEnv(_asymmetric(), seed=0)
    env.reset()
    for action, control in ((-1.0, -0.5), (0.0, 0.75), (1.0, 2.0)):
        env.step([action, action])
        assert env.environment.physics.control().tolist() == [control, control]


def _asymmetric():
    environment = load("finger", "spin")
    environment.physics.model.actuator_ctrlrange[:] = [-0.5, 2.0]
    return environment


@pytest.mark.parametrize("action", [[0.0], [0.0, 1.1], [np.nan, 0.0], 0.0])
def test_actions_that_do_not_fit_are_refused(action):
    env = finger(seed=0)
    env.reset()
    with pytest.raises(
        ValueError, match=r"The action must be \(2,\), each number in \[-1, 1\], not .* Clip it"
    ):
        env.step(action)


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"render_mode": "human"}, ValueError, "render_mode must be one of None, 'rgb_array', not 'human'"),
        ({"height": 0}, ValueError, "height must be at least 1"),
        ({"width": 8.5}, TypeError, "width must be a whole number"),
        ({"camera_id": 9}, ValueError, r"camera_id must be from -1 .* to 1, not 9"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(keywords, error, message):
    with pytest.raises(error, match=message):
        finger(**keywords)


def test_options_are_refused():
    with pytest.raises(TypeError, match="reset takes no options, not task"):
        finger().reset(options={"task": 1})


def test_actions_without_bounds_are_refused():
    from dm_env import specs

    environment = load("finger", "spin")
    unbounded = specs.BoundedArray((2,), np.float64, -np.inf, np.inf)
    environment.task.action_spec = lambda physics: unbounded
    with pytest.raises(ValueError, match=r"actions must have bounds to be in \[-1, 1\]"):
        ControlEnv(environment)


def test_no_picture_without_a_mode():
    assert finger().render() is None


def test_a_picture_that_cannot_be_drawn_says_why(monkeypatch):
    env = finger(render_mode="rgb_array")

    def render(**size):
        raise RuntimeError("no context")

    monkeypatch.setattr(env.environment.physics, "render", render)
    monkeypatch.setenv("MUJOCO_GL", "paint")
    message = r"could not be drawn \(RuntimeError: no context\).*that is now paint\. Set it to egl or osmesa"
    with pytest.raises(RuntimeError, match=message):
        env.render()


def test_closing_twice_is_no_fault():
    env = finger()
    env.close()
    env.close()
