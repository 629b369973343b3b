"""Pictures as observations: on every engine, in every mode, alone and beside the state."""

import os
import pickle
import re
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import taskworlds

PAGE = (Path(__file__).parents[2] / "docs" / "pixels.md").read_text()
SIZE = {"width": 32, "height": 24}

needs_library = pytest.mark.skipif(
    sys.platform.startswith("linux")
    and not any(os.environ.get(each) for each in ("MUJOCO_GL", "DISPLAY", "WAYLAND_DISPLAY")),
    reason="nothing here draws pictures without a display",
)


def stepped(envs, steps=2, value=0.5):
    for _ in range(steps):
        outcome = envs.step(np.full(envs.action_space.shape, value, np.float32))
    return outcome


# --- what is observed -----------------------------------------------------------------------------------------


@needs_library
@pytest.mark.parametrize("engine", ["native", "sync"])
def test_rows_observe_what_render_shows(engine):
    envs = taskworlds.make_vec(
        "half-cheetah-vel",
        2,
        vector_strategy=engine,
        observation="state+pixels",
        use_one_hot=True,
        render_mode="rgb_array",
        **SIZE,
    )
    plain = taskworlds.make_vec("half-cheetah-vel", 2, vector_strategy=engine, use_one_hot=True)
    obs, _ = envs.reset(seed=0)
    state, _ = plain.reset(seed=0)
    assert obs in envs.observation_space
    assert envs.observation_layout == plain.observation_layout
    for _ in range(2):
        np.testing.assert_array_equal(obs["state"], state)
        assert obs["pixels"].shape == (2, 24, 32, 3)
        np.testing.assert_array_equal(obs["pixels"], envs.render())
        obs, state = stepped(envs)[0], stepped(plain)[0]
    mask = np.array([True, False])
    later, *_ = envs.step(np.ones((2, 6), np.float32), mask)
    assert [(later["pixels"][row] != obs["pixels"][row]).any() for row in range(2)] == mask.tolist()
    np.testing.assert_array_equal(later["pixels"], envs.render())
    envs.close()


@needs_library
def test_one_environment_several_cameras_and_depths():
    env = taskworlds.make("reach-v3", seed=0, observation="pixels", picture_channels="rgbd", **SIZE)
    both = taskworlds.make(
        "reach-v3", seed=0, observation="state+pixels", cameras=["gripperPOV", "corner3"], **SIZE
    )
    assert list(env.observation_space) == ["depth", "pixels"]
    assert set(both.observation_space) == {"state", "gripperPOV", "corner3"}
    obs, _ = env.reset(seed=0)
    others, _ = both.reset(seed=0)
    assert obs in env.observation_space
    assert others in both.observation_space
    assert others["state"].shape == (39,)
    assert obs["depth"].dtype == np.float32
    assert 0.5 < obs["depth"].min() < 2.0  # m
    assert (others["gripperPOV"] != others["corner3"]).any()
    env.close()
    both.close()


@needs_library
def test_gymnasiums_wrapper_stacks_pictures():
    env = taskworlds.make("half-cheetah-vel", seed=0, observation="pixels", **SIZE)
    stack = gym.wrappers.FrameStackObservation(env, 3)
    first, _ = stack.reset(seed=0)
    obs = stack.step(np.ones(6, np.float32))[0]
    assert obs.shape == (3, 24, 32, 3)
    np.testing.assert_array_equal(obs[:2], first[1:])
    assert (obs[2] != obs[1]).any()
    assert obs in stack.observation_space
    stack.close()


@pytest.mark.slow
@needs_library
def test_every_engine_observes_the_same_picture_of_metaworld():
    """With a camera that was moved, since it is moved in another model on each engine."""
    how = {"observation": "pixels", "cameras": ("corner2",), "camera_poses": {"corner2": (0.75, 0.075, 0.7)}}
    seen = {}
    for engine in ("native", "sync", "async"):
        envs = taskworlds.make_vec(
            "custom-mt-envs",
            3,
            envs_list=["reach-v3", "drawer-open-v3", "door-open-v3"],
            vector_strategy=engine,
            seed=0,
            **how,
            **SIZE,
        )
        envs.reset(seed=0)
        seen[engine] = stepped(envs)[0]
        matrices = envs.camera_matrices("corner2")
        centre = -np.einsum("nij,ni->nj", matrices.extrinsics[:, :3, :3], matrices.extrinsics[:, :3, 3])
        np.testing.assert_allclose(centre, [[0.75, 0.075, 0.7]] * 3, atol=1e-6)
        envs.close()
    np.testing.assert_array_equal(seen["native"], seen["sync"])
    np.testing.assert_array_equal(seen["native"], seen["async"])
    assert seen["native"].std() > 20


@pytest.mark.slow
@needs_library
def test_qualities_of_metaworld():
    shown = {}
    for quality in ("official", "training"):
        envs = taskworlds.make_vec(
            "MT10", 10, seed=0, observation="pixels", picture_quality=quality, render_mode="rgb_array",
            camera_name="corner2", width=84, height=84,
        )  # fmt: skip
        shown[quality], _ = envs.reset(seed=0)
        rendered = np.stack(envs.render())
        envs.close()
    np.testing.assert_array_equal(shown["official"], rendered)
    changed = (shown["training"] != rendered).any(axis=-1).mean()
    assert 0 < changed < 0.25


# --- ends of episodes, trials, states -------------------------------------------------------------------------


def points(**options):
    return taskworlds.make_vec("point", 2, seed=0, observation="pixels", max_episode_steps=2, **options)


@pytest.fixture(scope="module")
def course():
    """The pictures of an episode of two steps, and the first of the one that follows; the same in all modes."""
    envs = points(autoreset_mode="Disabled", task_select="fixed")
    pictures = [envs.reset(seed=0)[0], stepped(envs, 1, 0.1)[0], stepped(envs, 1, 0.1)[0]]
    assert (pictures[2] != pictures[0]).any()
    return pictures


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
def test_the_last_picture_of_an_episode_is_the_true_one(mode, course):
    envs = points(autoreset_mode=mode, task_select="fixed")
    first, _ = envs.reset(seed=0)
    stepped(envs, 1, 0.1)
    obs, _, _, truncated, infos = stepped(envs, 1, 0.1)
    assert truncated.all()
    np.testing.assert_array_equal(first, course[0])
    if mode == "SameStep":
        np.testing.assert_array_equal(infos["final_obs"], course[2])
        np.testing.assert_array_equal(obs, course[0])
    else:
        np.testing.assert_array_equal(obs, course[2])
        np.testing.assert_array_equal(stepped(envs, 1, 0.1)[0], course[0])


def test_attempts_of_a_trial_end_with_their_picture(course):
    envs = points(k_episodes=2, task_select="fixed")
    envs.reset(seed=0)
    stepped(envs, 1, 0.1)
    obs, _, terminated, truncated, infos = stepped(envs, 1, 0.1)
    assert not (terminated | truncated).any()
    assert infos["_attempt_final_obs"].all()
    np.testing.assert_array_equal(infos["attempt_final_obs"], course[2])
    np.testing.assert_array_equal(obs, course[0])


@needs_library
def test_states_and_copies_have_the_pictures():
    envs = taskworlds.make_vec("half-cheetah-vel", 2, seed=0, observation="state+pixels", **SIZE)
    envs.reset(seed=0)
    before = stepped(envs)[0]
    state = envs.get_state()
    after = stepped(envs)[0]
    copy = pickle.loads(pickle.dumps(envs))
    envs.set_state(state)
    np.testing.assert_array_equal(envs.observations.copy()["pixels"], before["pixels"])
    again = stepped(envs)[0]
    np.testing.assert_array_equal(again["pixels"], after["pixels"])
    np.testing.assert_array_equal(stepped(copy)[0]["pixels"], stepped(envs)[0]["pixels"])
    other = taskworlds.make_vec("half-cheetah-vel", 2, seed=0)
    other.reset(seed=0)
    with pytest.raises(ValueError, match="cannot be restored exactly: observation"):
        other.set_state(state)


@pytest.mark.parametrize("world", ["point", "grid-4x4"])
@pytest.mark.parametrize("engine", ["numpy", "sync"])
def test_small_worlds_observe_pictures_of_their_size(world, engine):
    envs = taskworlds.make_vec(world, 2, seed=0, vector_strategy=engine, observation="state+pixels")
    obs, _ = envs.reset(seed=0)
    assert obs in envs.observation_space
    assert obs["pixels"].std() > 0


# --- mistakes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("world", "options", "message"),
    [
        ("reach-v3", {"observation": "picture"}, "observation must be one of"),
        ("reach-v3", {"cameras": ("corner2",)}, 'cameras must not be given with observation="state"'),
        (
            "reach-v3",
            {"picture_quality": "training"},
            'picture_quality must not be given with observation="state"',
        ),
        ("reach-v3", {"observation": "pixels", "picture_quality": "best"}, "picture_quality must be one of"),
        (
            "reach-v3",
            {"observation": "pixels", "picture_channels": "grey"},
            "picture_channels must be one of",
        ),
        (
            "reach-v3",
            {"observation": "pixels", "use_one_hot": True},
            'use_one_hot must be False with observation="pixels".*"state\\+pixels"',
        ),
        ("reach-v3", {"observation": "pixels", "cameras": ("corner9",)}, "corner9.*corner"),
        ("reach-v3", {"observation": "pixels", "camera_poses": {"corner9": (0, 0, 1)}}, "corner9.*corner"),
        ("point", {"observation": "pixels", "cameras": ("top",)}, "cameras must not be given for point"),
        ("point", {"observation": "pixels", "width": 84}, "width must not be given for point"),
    ],
)
def test_mistakes_are_refused_when_the_environment_is_made(world, options, message):
    with pytest.raises(ValueError, match=message):
        taskworlds.make_vec(world, 2, seed=0, **options)


@needs_library
def test_a_camera_that_only_the_model_knows_is_refused_at_the_first_reset():
    envs = taskworlds.make_vec("half-cheetah-vel", 2, seed=0, observation="pixels", cameras=("side",), **SIZE)
    with pytest.raises(ValueError, match="cameras must be of track, which the model has, not 'side'"):
        envs.reset(seed=0)


def test_matrices_need_cameras_and_a_reset():
    envs = taskworlds.make_vec("reach-v3", 1, seed=0)
    with pytest.raises(RuntimeError, match="before the first reset"):
        envs.camera_matrices("corner2")
    with pytest.raises(ValueError, match=r"corner9.*corner"):
        envs.camera_matrices("corner9")
    with pytest.raises(ValueError, match="The pictures of point have no cameras"):
        taskworlds.make_vec("point", 1, seed=0).camera_matrices()


@needs_library
def test_the_page_runs_as_written():
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == 2
    exec(compile("\n".join(blocks), "docs/pixels.md", "exec"), {"__name__": "__main__"})
