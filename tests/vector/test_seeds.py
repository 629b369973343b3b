"""Seeds fix task, goal and state, whatever the engine, the number of rows, or what else draws numbers."""

# ruff: noqa: NPY002  (the tests look at NumPy's global generator, to see that it is left alone)

from __future__ import annotations

import copy
import inspect
import random
import threading
import warnings

import gymnasium as gym
import numpy as np
import pytest

import taskworlds
from taskworlds import Benchmark, benchmark, samplers
from taskworlds.vector.task_env import TaskEnv
from taskworlds.vector.task_vector_env import TaskVectorEnv


def rollout(envs, steps=4, seed=None):
    """Everything that a reset and some steps give, without what depends on the clock."""
    given = [envs.reset(seed=seed)]
    for step in range(steps):
        actions = np.random.default_rng(step).uniform(-1, 1, (envs.num_envs, 4))
        given.append(envs.step(actions))
    return given


@pytest.fixture(scope="module")
def two_skills():
    return benchmark("custom-mt-envs", envs_list=["drawer-close-v3", "reach-v3"], seed=0, num_goals=6)


CLOCK = ("t", "_t")


def test_equal_seeds_give_equal_everything(make_vec, two_skills, same):
    envs = make_vec(two_skills, 4, max_episode_steps=3)
    first = rollout(envs, seed=7)
    tasks = envs.current_tasks
    same(rollout(envs, seed=7), first, skip=CLOCK)
    assert envs.current_tasks == tasks
    other = rollout(envs, seed=8)
    assert not np.array_equal(other[0][0], first[0][0])


def test_the_native_engine_gives_what_the_official_ones_give(two_skills):
    rollouts = []
    for strategy in ("native", "sync"):
        envs = taskworlds.make_vec(
            two_skills, 4, max_episode_steps=3, use_one_hot=True, vector_strategy=strategy
        )
        rollouts.append(rollout(envs, 5, seed=7))
        envs.close()
    # Physics is equal to the last bit; sums in observation and reward are made in another order.
    assert_close(*rollouts, tolerance=1e-9)


def assert_close(ours, other, tolerance):
    if isinstance(ours, dict):
        assert set(ours) == set(other)
        for name in set(ours) - {"t"}:
            assert_close(ours[name], other[name], tolerance)
    elif isinstance(ours, list | tuple):
        assert len(ours) == len(other)
        for mine, its in zip(ours, other, strict=True):
            assert_close(mine, its, tolerance)
    elif isinstance(ours, np.ndarray) and ours.dtype == object:
        assert_close(list(ours), list(other), tolerance)
    elif isinstance(ours, np.ndarray) and ours.dtype.kind == "f":
        np.testing.assert_allclose(ours, other, rtol=0, atol=tolerance)
    else:
        assert np.array_equal(ours, other)


@pytest.mark.parametrize("strategy", ["sync", "async"], indirect=True)
def test_the_engine_does_not_count(make_vec, two_skills, same):
    ours = make_vec(two_skills, 4, max_episode_steps=3, use_one_hot=True)
    plain = taskworlds.make_vec(two_skills, 4, max_episode_steps=3, use_one_hot=True, vector_strategy="sync")
    same(rollout(ours, 5, seed=7), rollout(plain, 5, seed=7), skip=CLOCK)


def test_a_row_is_the_same_alone_and_in_a_batch(make_vec, two_skills, same):
    envs = make_vec(two_skills, 4, max_episode_steps=3)
    together = rollout(envs, 6, seed=7)
    for row in (0, 3):
        alone = make_vec(list(envs.tasks[row]), 1, max_episode_steps=3)
        obs, _ = alone.reset(seed=7 + row)
        same(obs[0], together[0][0][row])
        listed = envs.benchmark.tasks("train")
        assert alone.current_tasks[0] == listed[together[0][1]["task_index"][row]]
        for step in range(6):
            actions = np.random.default_rng(step).uniform(-1, 1, (4, 4))[row : row + 1]
            obs, rewards, _, truncated, infos = alone.step(actions)
            same(obs[0], together[1 + step][0][row])
            same(rewards[0], together[1 + step][1][row])
            assert truncated[0] == together[1 + step][3][row]
            told = alone.benchmark.tasks("train")[infos["task_index"][0]]
            assert told == listed[together[1 + step][4]["task_index"][row]]


def test_a_single_environment_is_a_row(make, make_vec, two_skills, same):
    envs = make_vec(two_skills, 1)
    env = make(two_skills)
    (obs, infos), (mine, info) = envs.reset(seed=3), env.reset(seed=3)
    same(mine, obs[0])
    assert info["task_index"] == infos["task_index"][0]
    for step in range(3):
        action = np.random.default_rng(step).uniform(-1, 1, 4)
        obs, rewards, *_ = envs.step(action[None])
        mine = env.step(action)
        same(mine.observation, obs[0])
        assert mine.reward == rewards[0]


def test_the_seed_given_at_construction(make_vec, two_skills, same):
    envs, other = make_vec(two_skills, 2, seed=4), make_vec(two_skills, 2)
    first = [envs.reset()[1]["task_index"].tolist() for _ in range(4)]
    assert [other.reset(seed=seed)[1]["task_index"].tolist() for seed in (4, None, None, None)] == first
    assert envs.np_random_seed == (4, 5)
    assert envs.get_attr("np_random_seed") == (4, 5)
    assert envs.np_random == envs.get_attr("np_random")


def test_a_seed_for_each_row(make_vec, two_skills):
    envs = make_vec(two_skills, 4)
    assert (
        envs.reset(seed=[5, 6, 7, 8])[1]["task_index"].tolist()
        == envs.reset(seed=5)[1]["task_index"].tolist()
    )
    fixed = envs.reset(seed=np.array([5, 6, 7, 8]))[1]["task_index"].tolist()
    for _ in range(3):
        _, infos = envs.reset(seed=[5, None, 7, None])
        assert infos["task_index"][[0, 2]].tolist() == [fixed[0], fixed[2]]


def test_a_seed_with_a_mask_touches_only_those_rows(make_vec, two_skills):
    envs = make_vec(two_skills, 2)
    envs.reset(seed=5)
    states = [rng.bit_generator.state for rng in envs.np_random]
    envs.reset(seed=9, options={"reset_mask": np.array([False, True])})
    assert envs.np_random[0].bit_generator.state == states[0]
    assert envs.np_random[1].bit_generator.state != states[1]
    assert envs.np_random_seed == (5, 10)


@pytest.mark.parametrize("select", ["random", "pseudorandom", "round_robin", "fixed"])
def test_a_seeded_reset_chooses_anew_under_every_rule(make_vec, two_skills, select):
    envs = make_vec(two_skills, 2, task_select=select)

    def chosen():
        first = envs.reset(seed=1)[1]["task_index"].tolist()
        return first, [envs.sample_tasks()[1]["task_index"].tolist() for _ in range(7)]

    assert chosen() == chosen()
    assert envs.sample_tasks(seed=1)[1]["task_index"].tolist() == envs.reset(seed=1)[1]["task_index"].tolist()


@pytest.mark.parametrize("seed", [np.int64(4), np.uint32(2**32 - 1), 2**32, 5267692502259528109, 2**70])
def test_any_whole_number_is_a_seed(make_vec, two_skills, seed):
    envs = make_vec(two_skills, 2, seed=seed)
    envs.reset(seed=seed)
    assert envs.np_random_seed == (int(seed), int(seed) + 1)
    expected = [np.random.default_rng(int(seed) + row).bit_generator.state for row in (0, 1)]
    twin = make_vec(two_skills, 2)
    twin.sample_tasks(seed=int(seed))
    assert [each.bit_generator.state for each in twin.np_random] != expected  # which drew tasks
    assert [each.bit_generator.state for each in make_vec(two_skills, 2, seed=seed).np_random] == expected
    twin.reset(seed=[seed, seed])
    assert twin.current_tasks[0] == envs.current_tasks[0]


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (-1, ValueError, "seed must be at least 0, not -1"),
        (1.5, TypeError, "seed must be a whole number, not 1.5"),
        (True, TypeError, "seed must be a whole number, not True"),
        ([1], ValueError, "seed must have one entry for each of the 2 rows, not 1"),
        ([1, -2], ValueError, "seed must be at least 0, not -2"),
    ],
)
def test_bad_seeds_change_nothing(make_vec, two_skills, seed, error, message):
    envs = make_vec(two_skills, 2)
    state = [rng.bit_generator.state for rng in envs.np_random]
    with pytest.raises(error, match=message):
        envs.reset(seed=seed)
    with pytest.raises(error, match=message):
        envs.sample_tasks(seed=seed)
    assert [rng.bit_generator.state for rng in envs.np_random] == state
    assert envs.current_tasks == (None, None)


# --- the default, and the system's entropy ------------------------------------------------------------------


def episode(env):
    env.reset(seed=7)
    actions = (
        np.random.default_rng(0).uniform(-1, 1, (5, *env.action_space.shape)).astype(env.action_space.dtype)
    )
    return [env.step(action)[1] for action in actions]


@pytest.mark.parametrize("name", ["reach-v3", "half-cheetah-vel", "point"])
def test_a_seed_of_reset_alone_fixes_an_episode(name):
    made = [taskworlds.make(name, max_episode_steps=9) for _ in range(2)]
    made.append(gym.make(f"taskworlds/{name}", max_episode_steps=9))
    assert made[0].tasks == made[1].tasks == made[2].tasks == taskworlds.make(name, seed=0).tasks
    assert episode(made[0]) == episode(made[1]) == episode(made[2])


def test_every_default_seed_is_0():
    functions = [
        taskworlds.make,
        taskworlds.make_vec,
        taskworlds.benchmark,
        taskworlds.evaluate,
        taskworlds.KEpisodeMetaworld,
        taskworlds.Metaworld,
        taskworlds.MetaWorldSetTaskEnv,
        taskworlds.HalfCheetahVelEnv,
        taskworlds.PointEnv,
        taskworlds.MultiEnvWrapper,
        samplers.ConstructEnvsSampler,
        samplers.MetaWorldTaskSampler,
        TaskVectorEnv,
        TaskEnv,
    ]
    assert {inspect.signature(each).parameters["seed"].default for each in functions} == {0}


@pytest.mark.parametrize(
    "make",
    [
        lambda: taskworlds.make("reach-v3", seed=None),
        lambda: taskworlds.make_vec("reach-v3", 2, seed=None, total_tasks_per_cls=3),
        lambda: taskworlds.make(taskworlds.benchmark("ML1", "reach-v3", seed=None).only("reach-v3")),
        lambda: gym.make("taskworlds/reach-v3", seed=None),
        lambda: taskworlds.KEpisodeMetaworld("reach-v3", "train", 2, seed=None),
        lambda: taskworlds.MetaWorldSetTaskEnv("reach-v3", "train", seed=None),
    ],
)
def test_seed_none_is_entropy_and_a_seeded_reset_says_once_what_it_does_not_fix(make):
    env = make()
    with pytest.warns(
        UserWarning,
        match=r"with seed=None the tasks themselves are drawn at random: another run has other tasks",
    ):
        env.reset(seed=7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env.reset(seed=7)
        env.reset()


def test_tasks_that_are_fixed_need_no_warning(two_skills):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        taskworlds.make(two_skills, seed=None).reset(seed=7)
        saved = benchmark("MT1", "reach-v3", seed=None).to_json()
        taskworlds.make(Benchmark.from_json(saved)).reset(seed=7)
        taskworlds.make("reach-v3", seed=None).reset()


# --- global generators --------------------------------------------------------------------------------------


def poison(monkeypatch):
    """Makes each function of the two global generators raise."""

    def used(*args, **kwargs):
        raise AssertionError("a global generator was used")

    for name in dir(np.random.mtrand._rand):
        if not name.startswith("_") and callable(getattr(np.random, name, None)):
            monkeypatch.setattr(np.random, name, used)
    for name in random.__all__:
        if isinstance(getattr(random, name), type(random.random)) or hasattr(
            getattr(random, name), "__self__"
        ):
            monkeypatch.setattr(random, name, used)


def test_no_global_generator_is_used(make_vec, two_skills, monkeypatch):
    poison(monkeypatch)
    with pytest.raises(AssertionError, match="a global generator was used"):
        np.random.uniform()
    with pytest.raises(AssertionError, match="a global generator was used"):
        random.choice([1])
    envs = make_vec(
        "custom-mt-envs", 2, envs_list=["drawer-close-v3", "reach-v3"], max_episode_steps=2, num_goals=3
    )
    envs.action_space.seed(0)
    envs.reset(seed=0)
    for _ in range(3):
        envs.step(envs.action_space.sample())
    envs.sample_tasks()
    pickled = copy.deepcopy(envs)
    pickled.step(envs.action_space.sample())
    pickled.close()


def test_the_global_generators_stay_where_they_are(make, two_skills):
    np.random.seed(5)
    random.seed(5)
    before = np.random.get_state()[1].tobytes(), np.random.get_state()[2], random.getstate()
    env = make(two_skills, max_episode_steps=2)
    env.reset(seed=0)
    for _ in range(2):
        env.step(env.action_space.sample())
    env.sample_tasks(3)
    env.sample_tasks()
    assert (np.random.get_state()[1].tobytes(), np.random.get_state()[2], random.getstate()) == before


def test_a_reset_is_the_same_after_any_episode(make_vec, two_skills, same):
    envs = make_vec(two_skills, 2)
    first, _ = envs.reset(seed=3)
    for seed in (4, 5):
        envs.reset(seed=seed)
        for _ in range(10):
            envs.step(np.full((2, 4), 0.9))
        same(envs.reset(seed=3)[0], first)


# --- the caller's data --------------------------------------------------------------------------------------


def test_what_the_caller_gives_is_not_changed(make_vec, two_skills, same):
    envs = make_vec(
        two_skills, 2, recurrent_info_in_obs=True, normalize_observations=True, max_episode_steps=2
    )
    mask = np.array([True, True])
    given_tasks = [envs.tasks[0][0], envs.tasks[1][0]]
    options = {"tasks": given_tasks, "reset_mask": mask}
    kept = {"tasks": list(given_tasks), "reset_mask": mask.copy()}
    envs.reset(options=options)
    assert options["tasks"] is given_tasks
    assert options["reset_mask"] is mask
    same(options, kept)
    actions = np.random.default_rng(0).uniform(-2, 2, (2, 4))
    kept_actions = actions.copy()
    for _ in range(3):
        envs.step(actions, mask)
    same(actions, kept_actions)
    same(mask, kept["reset_mask"])


def test_actions_may_change_while_the_rows_step(make_vec, two_skills, same):
    envs, other = (make_vec(two_skills, 2, recurrent_info_in_obs=True) for _ in range(2))
    envs.reset(seed=0)
    other.reset(seed=0)
    actions = np.full((2, 4), 0.5)
    mask = np.array([True, True])
    envs.step_async(actions, mask)
    actions[:] = np.nan
    mask[:] = False
    same(envs.step_wait(), other.step(np.full((2, 4), 0.5)))


def test_what_was_given_out_is_never_written_to(make_vec, two_skills, same):
    envs = make_vec(
        two_skills, 2, max_episode_steps=3, recurrent_info_in_obs=True, normalize_observations=True
    )
    given, kept = [], []
    for step in range(9):
        out = envs.reset(seed=step) if step == 0 else envs.step(np.full((2, 4), 0.1 * step))
        given.append(out)
        kept.append(copy.deepcopy(out))
    envs.sample_tasks()
    same(given, kept)


def test_writing_to_what_was_given_out_changes_nothing(make_vec, two_skills, same):
    keywords = {
        "max_episode_steps": 3,
        "normalize_observations": True,
        "reward_normalization_method": "gymnasium",
    }
    envs, other = (make_vec(two_skills, 2, **keywords) for _ in range(2))

    def spoil(value):
        if isinstance(value, dict):
            for each in value.values():
                spoil(each)
        elif isinstance(value, tuple):
            for each in value:
                spoil(each)
        elif isinstance(value, np.ndarray):
            value[...] = None if value.dtype == object else 77

    for step in range(8):
        mine = envs.reset(seed=0) if step == 0 else envs.step(np.full((2, 4), 0.3))
        its = other.reset(seed=0) if step == 0 else other.step(np.full((2, 4), 0.3))
        same(mine, its, skip=CLOCK)
        spoil(mine)


# --- threads ------------------------------------------------------------------------------------------------


def test_environments_in_two_threads_do_not_meet(two_skills, same):
    def run(seed, results):
        envs = taskworlds.make_vec(two_skills, 2, max_episode_steps=4, vector_strategy="sync")
        results[seed] = rollout(envs, 12, seed=seed)
        envs.close()

    alone, together = {}, {}
    for seed in (1, 2):
        run(seed, alone)
    threads = [threading.Thread(target=run, args=(seed, together)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(together, alone, skip=CLOCK)
