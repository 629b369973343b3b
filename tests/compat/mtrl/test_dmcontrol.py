"""mtrl's vector environment over dm_control's families; pictures are really drawn."""

import math
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete
from omegaconf import OmegaConf

from taskworlds import Task, VecEnv, build_dmcontrol_vec_env
from taskworlds.compat.mtrl.dmcontrol import Settings, make_task_row
from taskworlds.rendering import offscreen
from taskworlds.worlds.control.skills import SKILLS
from taskworlds.worlds.control.variations import VARIATIONS

pytestmark = pytest.mark.requires_dm_control

STATE = {"from_pixels": False}
MTRL = """
setup: {seed: 1}
env:
  builder:
    make_kwargs:
      height: 84
      width: 84
      frame_skip: 2
      visualize_reward: false
      frame_stack: 3
      from_pixels: true
      seed: ${setup.seed}
      sticky_observation_cfg: {should_use: false, sticky_probability: 0.1, last_k: 1}
  train: [3, 8]
"""
DRAW_WITH_DM_CONTROL = """
import sys
import numpy as np
from dm_control import suite
env = suite.load("finger", "spin", task_kwargs={"random": 5})
env.reset()
sys.stdout.buffer.write(np.ascontiguousarray(env.physics.render(84, 84, camera_id=0)).tobytes())
"""


def build(
    make_kwargs=STATE, ids=(0,), seeds=(0,), modes=("train",), name=("finger", "spin", "size"), **keywords
):
    return build_dmcontrol_vec_env(*name, make_kwargs, list(ids), list(seeds), list(modes), **keywords)


def row(value=0.025, skill="finger-spin", parameter="size", task_id=0, **settings):
    """Makes an environment as its process does, here, from state."""
    settings = Settings(**({"from_pixels": False, "seed": 0} | settings))
    return make_task_row(Task(skill, {parameter: value}), task_id, 10, settings)


def actions(steps, size=2):
    return np.random.default_rng(0).uniform(-1.0, 1.0, (steps, size))


# --- pictures ---


@pytest.fixture(scope="module")
def pictures():
    config = OmegaConf.create(MTRL)
    before = os.environ.get("MUJOCO_GL")
    envs = build(config.env.builder.make_kwargs, config.env.train, (0, 4), ("train", "eval.interpolation"))
    assert os.environ.get("MUJOCO_GL") == before
    yield envs
    envs.close()


def test_mtrls_configuration(pictures):
    assert isinstance(pictures, VecEnv)
    assert (pictures.ids, pictures.mode) == ([3, 8], ["train", "eval.interpolation"])
    assert pictures.single_observation_space == Dict(
        {"env_obs": Box(0, 255, (9, 84, 84), np.uint8), "task_obs": Discrete(10)}
    )
    assert pictures.action_space == Box(-1.0, 1.0, (2, 2), np.float64)
    assert pictures.shared_memory
    obs, infos = pictures.reset()
    assert obs in pictures.observation_space
    assert obs["env_obs"].shape == (2, 9, 84, 84)
    assert obs["env_obs"].dtype == np.uint8
    assert obs["task_obs"].tolist() == [3, 8]
    assert infos == {}
    _, rewards, terminations, truncations, _ = pictures.step(pictures.action_space.sample())
    assert rewards.shape == terminations.shape == truncations.shape == (2,)


def test_the_pictures_are_dm_controls_own(pictures):
    seed = 1 + 4  # make_kwargs' and the row's
    done = subprocess.run(
        [sys.executable, "-c", DRAW_WITH_DM_CONTROL],
        env=os.environ | {"MUJOCO_GL": offscreen.choose_library()},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    expected = np.frombuffer(done.stdout, np.uint8).reshape(84, 84, 3).transpose(2, 0, 1)
    found = pictures.reset(seed=[None, seed])[0]["env_obs"][1]
    assert expected.std() > 10  # something is to be seen
    for first in (0, 3, 6):  # the first picture stands for those before it
        assert np.array_equal(found[first : first + 3], expected)


def test_pictures_are_upright_and_coloured(pictures):
    red, green, blue = pictures.reset(seed=0)[0]["env_obs"][0, -3:].astype(int)
    assert blue[60:75].mean() > red[60:75].mean() + 30  # the blue floor is below
    orange = (red > blue + 60) & (red > green)
    assert orange.sum() > 50
    assert orange[:60].sum() > orange[60:].sum()  # the finger is above it


def test_the_oldest_picture_leaves(pictures):
    before = pictures.reset(seed=0)[0]["env_obs"].copy()
    for action in actions(4):
        after = pictures.step(np.stack([action, action]))[0]["env_obs"]
        assert np.array_equal(after[:, :6], before[:, 3:])
        before = after.copy()
    assert not np.array_equal(after[:, :3], after[:, 6:])


def test_no_picture_shows_the_size(pictures):
    pictures.reset(seed=[9, 9])
    for action in actions(5):
        obs = pictures.step(np.stack([action, action]))[0]["env_obs"]
        assert np.array_equal(obs[0], obs[1])


def test_pictures_without_a_library(monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(offscreen, "fault", lambda program, **environment: "OSError: none")
    offscreen._working_library.cache_clear()
    with pytest.raises(
        RuntimeError, match=r"EGL or OSMesa, and neither works here .*apt-get install libegl1"
    ):
        build({})


@pytest.mark.parametrize("settings", [{}, {"from_pixels": False, "visualize_reward": True}])
@pytest.mark.parametrize("context", ["fork", "forkserver"])
def test_pictures_need_processes_of_their_own(settings, context):
    with pytest.raises(
        ValueError, match=f"context must be \"spawn\" where pictures are drawn, not '{context}'"
    ):
        build(settings, context=context)


def test_the_size_of_pictures():
    space = row(from_pixels=True, height=20, width=30, frame_stack=2).observation_space["env_obs"]
    assert space == Box(0, 255, (6, 20, 30), np.uint8)
    large = row(height=500, width=900)
    large.reset()
    assert large.render().shape == (500, 900, 3)


# --- state ---


def test_from_state_and_a_process_that_dies():
    envs = build(SimpleNamespace(from_pixels=False, seed=2), (0, 9), (1, 1), ("train", "eval"))
    obs, _ = envs.reset()
    assert obs["env_obs"].shape == (2, 9)
    assert obs["env_obs"].dtype == np.float64
    assert np.array_equal(obs["env_obs"][0], row(seed=3).reset()[0]["env_obs"])
    assert np.array_equal(obs["env_obs"][0], obs["env_obs"][1])
    envs.step(envs.action_space.sample())
    envs.processes[1].kill()
    message = r"A process died during step: environment 1 \(id 9, mode 'eval'\) with exit code -9"
    envs.processes[1].join()
    with pytest.raises(RuntimeError, match=message):
        envs.step(envs.action_space.sample())
    assert envs.closed


@pytest.mark.parametrize(
    ("skill", "parameter", "value", "observed", "acted"),
    [
        ("finger-spin", "size", 0.25, 9, 2),
        ("cheetah-run", "torso_length", 1.4, 17, 6),
        ("walker-stand", "friction", 1.6, 24, 6),
        ("cartpole-swingup", "pole_mass", 0.55, 5, 1),
    ],
)
def test_an_episode_ends_with_its_clock(skill, parameter, value, observed, acted):
    env = row(value, skill, parameter, task_id=9, frame_skip=300)
    obs, _ = env.reset()
    assert obs in env.observation_space
    assert obs["env_obs"].shape == (observed,)
    ends = [env.step(np.zeros(acted))[2:4] for _ in range(math.ceil(1000 / 300))]
    assert ends == [(False, False)] * 3 + [(False, True)]


def test_skipped_frames_are_summed():
    env = row(0.5, "cheetah-run", "torso_length", frame_skip=4, seed=6)
    from dm_control import suite

    plain = suite.load("cheetah", "run", task_kwargs={"random": 6})
    env.reset()
    plain.reset()
    total = 0.0
    for action in actions(30, size=6):
        obs, reward, *_ = env.step(action)
        steps = [plain.step(action) for _ in range(4)]
        assert reward == sum(step.reward for step in steps)
        last = np.concatenate([np.ravel(each) for each in steps[-1].observation.values()])
        assert np.array_equal(obs["env_obs"], last)
        total += reward
    assert total > 0


@pytest.mark.parametrize(
    ("cfg", "lag"),
    [
        (None, 0),
        ({}, 0),
        ({"should_use": False, "sticky_probability": 1.0, "last_k": 1}, 0),
        ({"should_use": True, "sticky_probability": 0.0, "last_k": 5}, 0),
        ({"should_use": True, "sticky_probability": 1.0, "last_k": 1}, 1),
        ({"sticky_probability": 1.0, "last_k": 1}, 1),
    ],
)
def test_sticky_observations(cfg, lag):
    env, plain = row(sticky_observation_cfg=cfg), row()
    late, current = ([each.reset()[0]["env_obs"]] for each in (env, plain))
    for action in actions(6):
        late.append(env.step(action)[0]["env_obs"])
        current.append(plain.step(action)[0]["env_obs"])
    assert all(np.array_equal(late[step], current[max(step - lag, 0)]) for step in range(7))


def test_the_seed_decides_all():
    sticky = {"should_use": True, "sticky_probability": 0.5, "last_k": 3}

    def run(seed):
        env = row(seed=seed, sticky_observation_cfg=sticky)
        return np.array([env.reset()[0]["env_obs"], *(env.step(each)[0]["env_obs"] for each in actions(20))])

    assert np.array_equal(run(4), run(4))
    assert not np.array_equal(run(4), run(5))


def test_seeds_are_dm_controls_and_its_generator_goes_on():
    from dm_control import suite

    plain = suite.load("finger", "spin", task_kwargs={"random": 8})
    env = row(seed=8)
    starts = [env.reset()[0]["env_obs"] for _ in range(3)]
    for start in starts:
        assert np.array_equal(
            start, np.concatenate([np.ravel(x) for x in plain.reset().observation.values()])
        )
    assert np.array_equal(env.reset(seed=8)[0]["env_obs"], starts[0])
    assert np.array_equal(env.reset()[0]["env_obs"], starts[1])
    with pytest.raises(ValueError, match="seed must be at least 0"):
        env.reset(seed=-1)


def test_actions_need_no_scale():
    """Actions are in [-1, 1], and dm_control's own bounds are just these wherever there is a family."""
    domains = {each.domain for each in VARIATIONS}
    for each in SKILLS:
        if each.domain in domains:
            assert (set(each.low), set(each.high)) == ({-1.0}, {1.0})
    assert row().action_space == Box(-1.0, 1.0, (2,), np.float64)


@pytest.mark.parametrize("action", [[0.0], [0.0, 1.1], [np.nan, 0.0], 0.0])
def test_actions_that_do_not_fit_are_refused(action):
    env = row()
    env.reset()
    message = r"The action must be \(2,\), each number in \[-1, 1\], not .* Clip it"
    with pytest.raises(ValueError, match=message):
        env.step(action)


def test_a_step_needs_an_episode():
    env = row(frame_skip=1000)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"No episode is under way: call reset\(\) before step"):
            env.step([0.0, 0.0])
        env.reset()
        assert env.step([0.0, 0.0])[2:4] == (False, True)


def test_options_are_refused():
    with pytest.raises(TypeError, match="reset takes no options, not task"):
        row().reset(options={"task": 1})


@pytest.mark.parametrize("visualizes", [True, False])
def test_pictures_coloured_by_the_reward(visualizes):
    env = row(visualize_reward=visualizes)
    env.reset()
    assert env.unwrapped.inner.task.visualize_reward is visualizes


def test_without_entries_they_are_mtenvs():
    assert Settings() == (1, False, True, 84, 84, 2, 3, None, 1)


# --- mistakes ---


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (
            ("fingr", "spin", "size"),
            ValueError,
            "domain_name 'fingr'. Did you mean 'finger'.* cartpole, cheetah",
        ),
        (
            ("humanoid", "run", "size"),
            ValueError,
            "Unknown domain_name 'humanoid'.*: cartpole, cheetah, finger, wa",
        ),
        (
            ("finger", "walk", "size"),
            ValueError,
            "Unknown task_name 'walk'.*domain finger has spin, turn_easy",
        ),
        (
            ("finger", "spin", "friction"),
            ValueError,
            "Unknown prefix 'friction'.*finger has size, fingertip_radius",
        ),
        (("cheetah", "run", "torso-length"), ValueError, "Did you mean 'torso_length'"),
        ((3, "spin", "size"), TypeError, "domain_name must be given by name"),
    ],
)
def test_names_that_are_not_known(name, error, message):
    with pytest.raises(error, match=message):
        build(name=name)


@pytest.mark.parametrize(
    ("make_kwargs", "error", "message"),
    [
        (None, TypeError, "make_kwargs must be a DictConfig, a dictionary"),
        ([], TypeError, "make_kwargs must be a DictConfig, a dictionary"),
        (
            {"frame_skips": 2},
            TypeError,
            r"'frame_skips' \(did you mean 'frame_skip'\?\).*It takes: frame_skip",
        ),
        ({"camera_id": 0}, TypeError, "make_kwargs got an unexpected keyword.*'camera_id'"),
        ({"seed": None}, TypeError, "make_kwargs.seed must be a whole number, not None"),
        ({"seed": -1}, ValueError, "make_kwargs.seed must be at least 0"),
        ({"frame_skip": 0}, ValueError, "make_kwargs.frame_skip must be at least 1"),
        ({"frame_stack": 1.5}, TypeError, "make_kwargs.frame_stack must be a whole number"),
        ({"height": 0}, ValueError, "make_kwargs.height must be at least 1"),
        ({"from_pixels": "yes"}, ValueError, "make_kwargs.from_pixels must be one of True, False, not 'yes'"),
        ({"visualize_reward": True}, ValueError, "visualize_reward must be False with from_pixels=True"),
        (
            {"initial_task_state": 10},
            ValueError,
            "make_kwargs.initial_task_state must be from 0 to 9, not 10",
        ),
        ({"sticky_observation_cfg": 0.5}, TypeError, "sticky_observation_cfg must be a dictionary"),
        (
            {"sticky_observation_cfg": {"p": 0.5}},
            TypeError,
            "sticky_observation_cfg got .*'p'.*takes: last_k",
        ),
        ({"sticky_observation_cfg": {"last_k": 2}}, ValueError, "must have the entry 'sticky_probability'"),
        (
            STATE | {"sticky_observation_cfg": {"sticky_probability": 2, "last_k": 1}},
            ValueError,
            "sticky_probability must be from 0 to 1, not 2",
        ),
        (
            STATE | {"sticky_observation_cfg": {"sticky_probability": 1, "last_k": 0}},
            ValueError,
            "last_k must be at least 1",
        ),
    ],
)
def test_entries_that_do_not_fit(make_kwargs, error, message):
    with pytest.raises(error, match=message):
        build(make_kwargs)


@pytest.mark.parametrize(
    ("lists", "error", "message"),
    [
        (([0, 1], [0], ["a", "b"]), ValueError, "env_id_list has 2, seed_list has 1, mode_list has 2"),
        (([], [], []), ValueError, "at least one, but env_id_list has 0"),
        ((3, [0], ["a"]), TypeError, "env_id_list must be a list with one entry for each environment, not 3"),
        (([0], [0], "a"), TypeError, "mode_list must be a list .* not 'a'"),
        (
            ([0, 10], [0, 0], ["a", "b"]),
            ValueError,
            r"env_id_list\[1\] must be from 0 to 9, not 10.*10 has the id 9",
        ),
        (([-1], [0], ["a"]), ValueError, r"env_id_list\[0\] must be at least 0"),
        (([0.5], [0], ["a"]), TypeError, r"env_id_list\[0\] must be a whole number"),
        (([0], ["0"], ["a"]), TypeError, r"seed_list\[0\] must be a whole number"),
        (([0], [0], [1]), TypeError, r"mode_list\[0\] must be a string, such as 'train', not 1"),
    ],
)
def test_lists_that_do_not_fit(lists, error, message):
    with pytest.raises(error, match=message):
        build_dmcontrol_vec_env("finger", "spin", "size", STATE, *lists)


def test_unknown_keywords_are_refused():
    with pytest.raises(TypeError, match="frame_skip"):
        build(frame_skip=2)
