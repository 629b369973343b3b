"""The locomotion worlds under `make` and `make_vec`: spaces, benchmarks, batches, trials."""

from __future__ import annotations

import pickle

import gymnasium
import numpy as np
import pytest

import taskworlds
from taskworlds import Task, benchmark, make, make_vec
from taskworlds.core.registry import world_of, worlds
from taskworlds.rendering.offscreen import choose_library, fault
from taskworlds.worlds.locomotion.row import LocomotionRow
from taskworlds.worlds.locomotion.skills import SKILLS, skill
from taskworlds.worlds.locomotion.world import LOCOMOTION

NAMES = [each.name for each in SKILLS]
BY_SKILL = pytest.mark.parametrize("name", NAMES)
COUNTS = {
    "half-cheetah-vel": (100, 30),
    "half-cheetah-dir": (2, 2),
    "ant-dir": (100, 30),
    "ant-fwd-back": (2, 2),
    "ant-goal": (150, 30),
    "walker2d-rand-params": (40, 10),
}


def sync(name, num_envs=2, **options):
    return make_vec(name, num_envs, **({"vector_strategy": "sync", "seed": 0} | options))


def actions(envs, seed=0):
    rng = np.random.default_rng(seed)
    while True:
        yield rng.uniform(-1.0, 1.0, envs.action_space.shape)


@BY_SKILL
def test_the_world_says_what_the_row_is(name):
    world, row = world_of(name), LocomotionRow(name)
    assert world in LOCOMOTION
    assert world in worlds()
    assert world.env_names() == (name,)
    assert world.class_name(name) == skill(name).class_name
    assert hasattr(taskworlds, world.class_name(name))
    assert world.action_space() == row.action_space
    assert world.observation_space(visible=True, hidden=True) == row.observation_space
    assert world.observation_space(visible=True, hidden=False) == row.observation_space
    hidden = world.observation_space(visible=False, hidden=True)
    assert hidden == row.inner.observation_space
    assert hidden.shape[0] + world.goal_size == row.observation_space.shape[0]


@pytest.mark.parametrize("name", COUNTS)
def test_benchmarks(name):
    made = benchmark(name, seed=3)
    assert (len(made.train_tasks), len(made.test_tasks)) == COUNTS[name]
    assert benchmark(name, seed=3) == made
    for task in made.train_tasks + made.test_tasks:
        assert task["partially_observable"] is True
    if COUNTS[name] == (2, 2):  # two tasks are all there are
        assert made.train_tasks == made.test_tasks == benchmark(name, seed=4).train_tasks
        assert len(set(made.train_tasks)) == 2
        with pytest.raises(
            ValueError, match=f"num_goals must be 2 or None for {name}, not 3: it has 2 tasks"
        ):
            benchmark(name, seed=3, num_goals=3)
        return
    assert len({*made.train_tasks, *made.test_tasks}) == sum(COUNTS[name])
    other = benchmark(name, seed=4)
    assert not set(other.train_tasks) & {*made.train_tasks, *made.test_tasks}
    few = benchmark(name, seed=3, num_goals=5)
    assert few.train_tasks == made.train_tasks[:5]
    assert few.test_tasks == made.test_tasks[:5]


@BY_SKILL
def test_batches(name):
    envs = sync(name, num_envs=3, max_episode_steps=6)
    obs, infos = envs.reset(seed=1)
    assert obs in envs.observation_space
    assert envs.single_observation_space.shape == (skill(name).obs_size,)  # all hide their goal
    goals = [skill(name).goal(task.params) for task in envs.current_tasks]
    assert np.array_equal(infos["goal"], goals)
    assert "success" not in infos
    for _, action in zip(range(6), actions(envs), strict=False):
        obs, rewards, terminated, truncated, infos = envs.step(action)
        assert obs in envs.observation_space
        assert np.isfinite(rewards).all()
        assert "terminated" not in infos
    assert (terminated | truncated).all()
    last = infos["final_info"]
    assert {"reward_forward", "reward_ctrl", "goal", "episode"} <= set(last)
    assert last["episode"]["l"].tolist() == [6, 6, 6]


def test_episodes_have_the_literatures_length():
    assert {make(name, seed=0, vector_strategy="sync").spec.max_episode_length for name in NAMES} == {200}


@BY_SKILL
def test_equal_seeds_give_equal_episodes(name):
    def run(seed):
        envs = sync(name)
        first, _ = envs.reset(seed=seed)
        steps = [envs.step(action) for _, action in zip(range(20), actions(envs), strict=False)]
        return np.array([first, *(step[0] for step in steps)]), np.array([step[1] for step in steps])

    for one, two in zip(run(5), run(5), strict=True):
        assert np.array_equal(one, two)
    assert not np.array_equal(run(5)[0][0], run(6)[0][0])
    start = run(5)[0][0]
    assert not np.array_equal(start[0], start[1])  # rows start apart


def test_starts_differ_between_episodes():
    envs = sync("half-cheetah-vel", task_select="fixed")
    assert not np.array_equal(envs.reset(seed=0)[0], envs.reset()[0])


@pytest.mark.parametrize("name", ["ant-dir", "walker2d-rand-params"])
def test_unhealthy_bodies_end_their_episode(name):
    envs = sync(name, num_envs=4, autoreset_mode="Disabled")
    envs.reset(seed=0)
    running = np.ones(4, dtype=np.bool_)
    for _, action in zip(range(200), actions(envs), strict=False):
        _, _, terminated, truncated, infos = envs.step(action, mask=running)
        assert not (terminated & truncated).any()
        for row in np.flatnonzero(terminated):
            assert infos["reward_survive"][row] == 0.0
        running &= ~(terminated | truncated)
        if not running.any():
            break
    assert (infos["episode_length"] < 200).any()
    assert terminated.any()


@pytest.mark.parametrize("name", ["half-cheetah-vel", "half-cheetah-dir", "ant-goal"])
def test_other_episodes_end_by_the_clock_alone(name):
    envs = sync(name, autoreset_mode="Disabled")
    envs.reset(seed=0)
    for step, action in zip(range(200), actions(envs), strict=False):
        _, _, terminated, truncated, _ = envs.step(action)
        assert not terminated.any()
        assert truncated.all() == (step == 199)


def test_visible_and_hidden_goals_in_one_batch():
    each = skill("ant-goal")
    shown = each.task({"goal": (1.0, 2.0)}, partially_observable=False)
    hidden = each.task({"goal": (1.0, 2.0)})
    envs = sync([shown, hidden])
    obs, infos = envs.reset(seed=0)
    assert obs[0, -2:].tolist() == [1.0, 2.0]
    assert obs[1, -2:].tolist() == [0.0, 0.0]
    assert infos["goal"].tolist() == [[1.0, 2.0], [1.0, 2.0]]
    only = make([shown], vector_strategy="sync")
    with pytest.raises(ValueError, match="hides its goal"):
        only.set_task(hidden)


def test_tasks_of_two_worlds_do_not_mix():
    tasks = [skill(name).task(skill(name).default) for name in ("ant-dir", "ant-goal")]
    with pytest.raises(ValueError, match="All tasks of an environment must be of one world"):
        sync(tasks)


def test_wrong_tasks_are_refused():
    with pytest.raises(ValueError, match=r"direction must be 1 \(forward\) or -1"):
        make([Task("half-cheetah-dir", {"direction": 2.0, "partially_observable": True})])
    with pytest.raises(ValueError, match="terminate_on_success must be False for ant-goal"):
        sync("ant-goal", terminate_on_success=True)


@BY_SKILL
def test_snapshots_and_pickles_are_exact(name):
    envs = sync(name, seed=2)
    envs.reset(seed=2)
    steps = actions(envs)
    for _ in range(15):
        envs.step(next(steps))
    copied = pickle.loads(pickle.dumps(envs))
    for _, action in zip(range(15), steps, strict=False):
        mine, theirs = envs.step(action), copied.step(action)
        for one, two in zip(mine[:4], theirs[:4], strict=True):
            assert np.array_equal(one, two)


def test_async_gives_the_same():
    name = "ant-dir"
    here, there = sync(name), sync(name, vector_strategy="async")
    try:
        for _ in range(2):
            assert np.array_equal(here.reset(seed=4)[0], there.reset(seed=4)[0])
            for _, action in zip(range(5), actions(here), strict=False):
                for one, two in zip(here.step(action)[:4], there.step(action)[:4], strict=True):
                    assert np.array_equal(one, two)
    finally:
        there.close()


def test_trials():
    env = make("half-cheetah-vel", seed=0, vector_strategy="sync", k_episodes=2, max_episode_steps=5)
    obs, info = env.reset(seed=0)
    goal = info["goal"]
    assert obs[-1] == 1.0
    ends = []
    for _ in range(10):
        step = env.step(np.zeros(6))
        ends.append((step.observation[-1], step.truncated))
        assert np.array_equal(step.env_info["goal"], goal)
    assert ends == [(0.0, False)] * 4 + [(1.0, False)] + [(0.0, False)] * 4 + [(ends[-1][0], True)]


def test_starts_are_gymnasiums_own():
    """A row's start is what Gymnasium gives for the seed that the row's generator draws."""
    env = make("half-cheetah-vel", seed=0, vector_strategy="sync", task_select="fixed")
    obs, _ = env.reset(seed=11)
    official = gymnasium.make("HalfCheetah-v5")
    drawn = int(np.random.default_rng(11).integers(2**31))
    assert np.array_equal(obs, official.reset(seed=drawn)[0])


PICTURES = """
import numpy as np
from taskworlds import make_vec
def shown(num_envs, rows):
    envs = make_vec("half-cheetah-vel", num_envs, seed=0, vector_strategy="sync", render_mode="rgb_array",
                    width=64, height=48)
    envs.reset(seed=[5 + row for row in rows])
    pictures = [envs.render()]
    for _ in range(3):
        envs.step(np.ones((num_envs, 6)))
    pictures.append(envs.render())
    return pictures
batch = shown(3, range(3))
alone = [shown(1, [row]) for row in range(3)]
for time in range(2):
    for row in range(3):
        assert (batch[time][row] == alone[row][time][0]).all(), (time, row)
assert (batch[0][0] != batch[1][0]).any()
assert (batch[1][0] != batch[1][1]).any()
"""


def test_each_row_draws_its_own_picture():
    try:
        library = choose_library()
    except RuntimeError as error:
        pytest.skip(str(error))
    assert fault(PICTURES, MUJOCO_GL=library) is None


@pytest.mark.parametrize("name", ["half-cheetah-vel", "ant-dir", "ant-goal", "walker2d-rand-params"])
def test_train_and_test_tasks_are_disjoint(name):
    for seed in (0, 1):
        made = benchmark(name, seed=seed)
        assert len({*made.train_tasks, *made.test_tasks}) == len(made.train_tasks) + len(made.test_tasks)
