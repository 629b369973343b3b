"""TD-MPC2's lists MT30 and MT80: what is in them, in which order."""

import os
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec as GymnasiumEnvSpec

import taskworlds
from taskworlds.core.registry import benchmark_makers, list_makers, world_of
from taskworlds.videos import replay
from taskworlds.worlds.lists import TDMPC2_NAMES

FIRST = ["walker-stand", "walker-walk", "walker-run", "cheetah-run", "reacher-easy", "reacher-hard"]
CUSTOM = [
    "walker-walk-backwards",
    "walker-run-backwards",
    "cheetah-run-backwards",
    "cheetah-run-front",
    "cheetah-run-back",
    "cheetah-jump",
    "hopper-hop-backwards",
    "reacher-three-easy",
    "reacher-three-hard",
    "cup-spin",
    "pendulum-spin",
]


def test_mt30_in_its_order():
    made = taskworlds.benchmark("MT30")
    names = made.env_names()
    assert len(names) == len(made.train_tasks) == 30
    assert names[:6] == FIRST
    assert names[12] == "ball_in_cup-catch"
    assert names[16:19] == ["fish-swim", "hopper-stand", "hopper-hop"]
    assert names[19:] == CUSTOM
    sizes = [
        (
            world_of(name).observation_space(visible=True, hidden=False).shape[0],
            world_of(name).action_space().shape[0],
        )
        for name in names
    ]
    assert tuple(max(column) for column in zip(*sizes, strict=True)) == (
        24,
        6,
    )  # as its multi-task wrapper pads


def test_mt80_in_its_order():
    made = taskworlds.benchmark("MT80", seed=0, num_goals=2)
    names = made.env_names()
    assert len(names) == 80
    assert len(made.train_tasks) == 30 + 50 * 2
    assert names[:30] == taskworlds.benchmark("MT30").env_names()
    assert names[30:33] == ["assembly-v3", "basketball-v3", "button-press-topdown-v3"]
    assert names[-5:] == [
        "bin-picking-v3",
        "box-close-v3",
        "door-lock-v3",
        "door-unlock-v3",
        "hand-insert-v3",
    ]
    assert set(names[30:]) == set(taskworlds.benchmark("MT50").env_names())
    assert not any(task["partially_observable"] for task in made.train_tasks[30:])
    assert taskworlds.benchmark("MT80", seed=1, num_goals=2) != made
    assert taskworlds.Benchmark.from_json(made.to_json()) == made


def test_their_names_for_our_skills():
    assert list(TDMPC2_NAMES.values()) == taskworlds.benchmark("MT80", num_goals=1).env_names()
    assert TDMPC2_NAMES["cup-catch"] == "ball_in_cup-catch"
    assert TDMPC2_NAMES["cartpole-swingup-sparse"] == "cartpole-swingup_sparse"
    assert TDMPC2_NAMES["mw-push"] == "push-v3"
    assert not set(list_makers()) & set(benchmark_makers())


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="num_goals must be left out for MT30, not 3"):
        taskworlds.benchmark("MT30", num_goals=3)
    with pytest.raises(TypeError, match="MT80 does not take env_name"):
        taskworlds.benchmark("MT80", "reach-v3")
    with pytest.raises(ValueError, match="Did you mean 'MT30'"):
        taskworlds.benchmark("MT-30")
    with pytest.raises(ValueError, match="must be of one world"):
        taskworlds.make_vec("MT30", pad=False)
    with pytest.raises(ValueError, match="must be of one world"):
        taskworlds.make_vec(taskworlds.benchmark("MT30"))
    for make in (taskworlds.make, gym.make):
        message = (
            r"MT30 has skills of 30 worlds \(walker-stand, walker-walk, \.\.\.\), and a single environment is of one "
            r"world\. Make a batch, .*make_vec\(\.\.\., pad=True\); or .* make\('walker-stand'\)"
        )
        with pytest.raises(ValueError, match=message):
            make("taskworlds/MT30")
    with pytest.raises(ValueError, match="MT30 has no test tasks"):
        taskworlds.make_vec("MT30-test")


@pytest.mark.requires_dm_control
def test_by_name_through_gymnasium():
    envs = gym.make_vec("taskworlds/MT80", num_envs=80, num_goals=1, seed=3)
    assert (envs.spec.id, envs.num_envs, envs.skills) == (
        "taskworlds/MT80",
        80,
        taskworlds.benchmark("MT80", num_goals=1).env_names(),
    )
    obs, _ = envs.reset(seed=0)
    assert obs.shape == (80, 39)
    again = gym.make_vec(GymnasiumEnvSpec.from_json(envs.spec.to_json()))
    assert again.tasks == envs.tasks
    mine = taskworlds.make_vec("MT80", num_goals=1, seed=3)
    assert np.array_equal(mine.reset(seed=0)[0], obs)
    explicit = taskworlds.make_vec(taskworlds.benchmark("MT80", seed=3, num_goals=1), 80, pad=True, seed=3)
    assert np.array_equal(explicit.reset(seed=0)[0], obs)
    assert gym.make_vec("taskworlds/MT30").num_envs == taskworlds.make_vec("MT30-train").num_envs == 30


@pytest.mark.requires_dm_control
@pytest.mark.parametrize(
    ("first", "hook"),
    [("import _taskworlds_gymnasium as hook; hook.install()", "1"), ("import taskworlds", "0")],
    ids=["with the hook", "without it"],
)
def test_the_id_in_a_new_process(first, hook, tmp_path):
    program = (
        f"{first}\nimport gymnasium\nprint(gymnasium.make_vec('taskworlds/MT30').reset(seed=0)[0].shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"TASKWORLDS_GYMNASIUM_IDS": hook},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(30, 24)\n"


@pytest.mark.requires_dm_control
def test_evaluate_compare_and_replay(tmp_path):
    settings = {"max_episode_steps": 3, "resume": tmp_path, "keep_actions": True}
    first = taskworlds.evaluate("random", "MT30", **settings)
    first.save(tmp_path / "result.json")
    second = taskworlds.evaluate("random", gym.make_vec("taskworlds/MT30", max_episode_steps=3))
    assert [record.episodes for record in second.tasks] == [record.episodes for record in first.tasks]
    comparison = taskworlds.compare(first, second)
    assert comparison.num_tasks == 30
    for place in (0, 16):  # six entries of an action, and five
        assert replay(tmp_path, first.tasks[place].task.id).episode == first.tasks[place].episodes[0]
