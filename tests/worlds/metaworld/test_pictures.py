"""Pictures of Meta-World's skills: alike on every engine, upright, in metres, and the same for copies."""

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest

import taskworlds

SIZE = {"width": 40, "height": 30}
ENGINES = ("native", "sync")


def made(engine, mode="rgb_array", name="drawer-open-v3", **camera):
    return taskworlds.make_vec(name, 1, seed=0, vector_strategy=engine, render_mode=mode, **SIZE, **camera)


def stepped(envs, steps=5):
    for _ in range(steps):
        envs.step(np.full((1, 4), 0.5, np.float32))


@pytest.mark.parametrize(
    ("mode", "camera"),
    [
        ("rgb_array", {}),
        ("rgb_array", {"camera_name": "corner3"}),
        ("depth_array", {"camera_name": "corner3"}),
        ("depth_array", {"camera_id": 0}),
    ],
)
def test_every_engine_has_the_same_picture(mode, camera):
    shown = {}
    for engine in ENGINES:
        envs = made(engine, mode, **camera)
        envs.reset(seed=0)
        shown[engine] = [envs.render()[0]]
        stepped(envs)
        shown[engine].append(envs.render()[0])
        envs.close()
    for ours, theirs in zip(*shown.values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        if mode == "depth_array":
            assert ours.dtype == np.float32
            assert 0.5 < ours.min() < 2 < ours.max() < 150  # m; the raw numbers are from 0 to 1


def test_corner_cameras_are_upright():
    """The floor, below, is farther from the sky than the table is: depths grow upwards in a picture that is upright."""
    for engine in ENGINES:
        envs = made(engine, "depth_array", camera_name="corner")
        envs.reset(seed=0)
        depths = envs.render()[0]
        assert np.median(depths[:5]) > np.median(depths[-5:])
        envs.close()


def test_depths_in_a_grid_and_in_one_environment():
    env = taskworlds.make("drawer-open-v3", seed=0, render_mode="depth_array", camera_name="corner3", **SIZE)
    envs = taskworlds.make_vec(
        "drawer-open-v3", 3, seed=0, render_mode="depth_array", camera_name="corner3", **SIZE
    )
    env.reset(seed=0)
    envs.reset(seed=[0, 1, 2])
    grid = envs.render_grid(columns=2)
    assert (grid.shape, grid.dtype) == ((60, 80), np.float32)
    np.testing.assert_array_equal(grid[:30, :40], env.render())
    assert not grid[30:, 40:].any()
    env.close()
    envs.close()


def test_gymnasiums_wrapper_observes_the_picture():
    env = taskworlds.make("drawer-open-v3", seed=0, render_mode="rgb_array", **SIZE)
    wrapped = gym.wrappers.AddRenderObservation(gym.wrappers.OrderEnforcing(env))
    obs, _ = wrapped.reset(seed=0)
    np.testing.assert_array_equal(obs, env.render())
    assert obs in wrapped.observation_space
    wrapped.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_copies_and_restored_environments_draw_the_same(engine):
    """Also with the camera that no name chooses: where it looks does not depend on what was drawn before."""
    envs, other = made(engine), made(engine)
    envs.reset(seed=0)
    envs.render()
    stepped(envs, 20)
    expected = envs.render()[0]
    other.set_state(envs.get_state())
    copied, unpickled = copy.deepcopy(envs), pickle.loads(pickle.dumps(envs))
    for each in (other, copied, unpickled, envs):
        np.testing.assert_array_equal(each.render()[0], expected)
        each.close()


def test_skills_that_share_a_model_do_not_move_each_others_things():
    """Both windows are one model, which all rows of a process share."""
    alone = {}
    for name in ("window-open-v3", "window-close-v3"):
        envs = made("native", name=name)
        envs.reset(seed=0)
        alone[name] = envs.render()[0]
        envs.close()
    together = {name: made("native", name=name) for name in alone}
    for envs in together.values():
        envs.reset(seed=0)
        envs.render()
    for name, envs in together.items():
        np.testing.assert_array_equal(envs.render()[0], alone[name])
    for envs in together.values():
        envs.close()
