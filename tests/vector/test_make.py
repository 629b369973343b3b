"""`make` and `make_vec`: which rows, which tasks, which defaults. Nothing here steps a simulator."""

from __future__ import annotations

import pickle
from collections import Counter

import metaworld
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import taskworlds
from taskworlds import benchmark


def served(envs):
    return [task for row in envs.tasks for task in row]


# --- rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_envs", [1, 3, 7, 10, 13, 20])
def test_any_number_of_rows_serves_every_task_once(num_envs):
    envs = taskworlds.make_vec("MT10", num_envs, seed=0)
    assert envs.num_envs == num_envs
    assert Counter(served(envs)) == Counter(envs.benchmark.train_tasks)
    assert envs.observation_space.shape == (num_envs, 39)
    assert envs.action_space.shape == (num_envs, 4)
    skills = [len({task.env_name for task in row}) for row in envs.tasks]
    assert max(skills) - min(skills) <= (num_envs < 10)


@pytest.mark.parametrize(
    ("name", "num_envs"),
    [
        ("MT10", 10),
        ("MT25", 25),
        ("MT50", 50),
        ("reach-v3", 1),
        ("ML1-train", 20),
        ("ML1-test", 20),
        ("ML10-train", 20),
        ("ML10-test", 20),
        ("ML25-train", 25),
        ("ML25-test", 20),
        ("ML45-train", 45),
        ("ML45-test", 20),
    ],
)
def test_default_number_of_rows(name, num_envs):
    how = {"env_name": "reach-v3"} if name.startswith("ML1-") else {}
    envs = taskworlds.make_vec(name, seed=0, **how)
    assert envs.num_envs == num_envs
    assert Counter(served(envs)) == Counter(envs.benchmark.tasks(envs.split))
    sizes = [len(row) for row in envs.tasks]
    assert max(sizes) - min(sizes) <= 1


def test_ml1s_fifty_goals_over_twenty_rows():
    envs = taskworlds.make_vec("ML1", env_name="reach-v3", seed=0)
    assert [len(row) for row in envs.tasks] == [3] * 10 + [2] * 10


def test_meta_batch_size_is_meta_worlds_name_for_the_rows():
    assert taskworlds.make_vec("ML10", meta_batch_size=30, seed=0).num_envs == 30
    assert taskworlds.make_vec("ML10", 30, meta_batch_size=30, seed=0).num_envs == 30
    with pytest.raises(ValueError, match="num_envs=3 and meta_batch_size=4 both set the number of rows"):
        taskworlds.make_vec("ML10", 3, meta_batch_size=4, seed=0)
    with pytest.raises(ValueError, match="meta_batch_size must be at least 1, not 0"):
        taskworlds.make_vec("ML10", meta_batch_size=0, seed=0)


@pytest.mark.parametrize(
    ("num_envs", "error"),
    [(0, ValueError), (-1, ValueError), (2.0, TypeError), ("2", TypeError), (True, TypeError)],
)
def test_a_number_of_rows_is_a_whole_number(num_envs, error):
    with pytest.raises(error, match="num_envs must be"):
        taskworlds.make_vec("MT10", num_envs, seed=0)


# --- tasks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("make", [taskworlds.make, taskworlds.make_vec], ids=["make", "make_vec"])
def test_each_split_serves_its_own_tasks(make, split):
    # Meta-World 3.1.1 serves ML1's test tasks under both names.
    ml1 = benchmark("ML1", "reach-v3", seed=0)
    for env in (
        make(f"ML1-{split}", env_name="reach-v3", seed=0),
        make("ML1", env_name="reach-v3", seed=0, split=split),
        make(ml1, split=split),
    ):
        tasks = env.tasks if make is taskworlds.make else served(env)
        assert set(tasks) == set(ml1.tasks(split))


def test_a_split_named_twice_must_agree():
    taskworlds.make("ML10-test", split="test", seed=0)
    with pytest.raises(ValueError, match="'ML10-test' names the test tasks, so split='train' contradicts it"):
        taskworlds.make("ML10-test", split="train", seed=0)
    with pytest.raises(ValueError, match="split must be one of 'train', 'test', not 'valid'"):
        taskworlds.make("ML10", split="valid", seed=0)
    with pytest.raises(ValueError, match="MT10 has no test tasks; its tasks are in split='train'"):
        taskworlds.make_vec("MT10", split="test", seed=0)


def test_what_a_benchmark_can_be_given_as(monkeypatch):
    monkeypatch.setattr(metaworld, "_N_GOALS", 2)
    mt1 = benchmark("MT1", "reach-v3", seed=0, num_goals=2)
    for given in ("reach-v3", "taskworlds/reach-v3"):
        assert taskworlds.make(given, seed=0, num_goals=2).tasks == list(mt1.train_tasks)
    for given in (mt1, list(mt1.train_tasks), mt1.train_tasks, metaworld.MT1("reach-v3", seed=0)):
        assert taskworlds.make(given).tasks == list(mt1.train_tasks)
    official = metaworld.MT1("reach-v3", seed=0).train_tasks
    assert taskworlds.make(official).tasks == list(mt1.train_tasks)
    with pytest.warns(DeprecationWarning, match="'reach-v2' is read as 'reach-v3'"):
        assert taskworlds.make("reach-v2", seed=0, num_goals=2).tasks == list(mt1.train_tasks)


def test_only_test_tasks():
    part = benchmark("ML10", seed=0).only("drawer-open-v3", "test")
    assert taskworlds.make(part).tasks == list(part.test_tasks)


def test_total_tasks_per_cls_takes_the_first_of_each_skill():
    envs = taskworlds.make_vec("MT10", seed=0, total_tasks_per_cls=3)
    full = benchmark("MT10", seed=0)
    assert list(envs.tasks) == [list(full.only(name).train_tasks[:3]) for name in full.env_names()]
    test = taskworlds.make_vec("ML10-test", seed=0, total_tasks_per_cls=4)
    assert Counter(task.env_name for task in served(test)) == dict.fromkeys(test.skills, 4)
    with pytest.raises(ValueError, match="total_tasks_per_cls must be at least 1, not 0"):
        taskworlds.make_vec("MT10", total_tasks_per_cls=0)


def test_tasks_of_both_visibilities_share_a_batch():
    mixed = [benchmark(name, seed=0, env_name="reach-v3").train_tasks[0] for name in ("MT1", "ML1")]
    space = taskworlds.make(mixed).observation_space
    assert (space.low[-3:] <= 0).all()
    assert (space.high[-3:] > 0).all()


# --- defaults -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "how", "task_select", "terminates"),
    [
        ("MT10", {}, "random", False),
        ("MT1", {"env_name": "reach-v3"}, "random", False),
        ("ML10-train", {}, "pseudorandom", False),
        ("ML10-test", {}, "pseudorandom", True),
        ("ML1-train", {"env_name": "reach-v3"}, "pseudorandom", False),
        ("ML1-test", {"env_name": "reach-v3"}, "pseudorandom", True),
        ("custom-mt-envs", {"envs_list": ["reach-v3"]}, "random", False),
        ("custom-ml-envs", {"train_envs": ["reach-v3"], "test_envs": ["push-v3"]}, "random", False),
    ],
)
def test_meta_worlds_defaults(name, how, task_select, terminates):
    envs = taskworlds.make_vec(name, seed=0, **how)
    assert envs.options.task_select == task_select
    assert envs.get_attr("sample_tasks_on_reset") == (task_select == "random",) * envs.num_envs
    assert envs.get_attr("terminate_on_success") == (terminates,) * envs.num_envs
    assert envs.max_episode_steps == 500
    assert envs.reward_function_version == "v2"
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    other = taskworlds.make_vec(
        name, seed=0, task_select="round_robin", terminate_on_success=not terminates, **how
    )
    assert other.options.task_select == "round_robin"
    assert other.get_attr("terminate_on_success")[0] is not terminates


# --- what is shown ------------------------------------------------------------------------------------------


def test_an_environment_shows_what_it_is():
    shown = "TaskEnv(ML10, split=test, tasks=250, engine=native)"
    assert repr(taskworlds.make("ML10-test")) == shown
    shown = "TaskVectorEnv(MT10, split=train, num_envs=5, tasks=500, engine=sync)"
    envs = taskworlds.make_vec("MT10", 5, vector_strategy="sync")
    assert repr(envs) == str(envs) == shown
    assert envs.spec.id == "taskworlds/MT10"
    envs.close()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_the_autoreset_mode_can_be_read(mode):
    envs = taskworlds.make_vec("reach-v3", 2, autoreset_mode=mode)
    assert envs.autoreset_mode is envs.metadata["autoreset_mode"] is mode


# --- spaces -------------------------------------------------------------------------------------------------


def test_one_hot_is_in_the_skills_order_and_float64():
    envs = taskworlds.make_vec("MT10", seed=0, use_one_hot=True)
    space = envs.single_observation_space
    assert (space.shape, space.dtype) == ((49,), "float64")
    assert envs.skills == benchmark("MT10", seed=0).env_names()
    assert space.low[39:].tolist() == [0.0] * 10
    assert space.high[39:].tolist() == [1.0] * 10
    plain = taskworlds.make_vec("MT10", seed=0).single_observation_space
    assert space.low[:39].tolist() == plain.low.tolist()
    assert space.high[:39].tolist() == plain.high.tolist()


def test_recurrent_info_has_no_bounds():
    space = taskworlds.make("MT10", seed=0, recurrent_info_in_obs=True, use_one_hot=True).observation_space
    assert (space.shape, space.dtype) == ((39 + 10 + 4 + 2,), "float64")
    assert not space.is_bounded("both")


def test_equal_seeds_give_equal_action_samples():
    first, second = (taskworlds.make_vec("MT10", seed=5) for _ in range(2))
    assert (first.action_space.sample() == second.action_space.sample()).all()
    assert (first.single_action_space.sample() == second.single_action_space.sample()).all()


# --- Meta-World's keywords ----------------------------------------------------------------------------------


def test_a_skill_named_several_times_has_several_rows_and_places():
    names = ["reach-v3", "reach-v3", "push-v3"]
    envs = taskworlds.make_vec("custom-mt-envs", envs_list=names, seed=3, num_goals=2, use_one_hot=1)
    obs, _ = envs.reset(seed=0)
    assert envs.task_names.tolist() == names
    assert obs[:, 39:].tolist() == np.eye(3).tolist()
    goals = [benchmark(name, seed=3 + i, num_goals=2).train_tasks for i, name in enumerate(names)]
    assert [tuple(tasks) for tasks in envs.tasks] == goals
    again = pickle.loads(pickle.dumps(envs))
    assert again.reset(seed=1)[0].tobytes() == envs.reset(seed=1)[0].tobytes()
    # A single environment has the place of the task at hand; a task of no list has the skill's first.
    env = taskworlds.make("custom-mt-envs", envs_list=names, seed=3, num_goals=2, use_one_hot=True)
    elsewhere = benchmark("reach-v3", seed=9, num_goals=1).train_tasks[0]
    for task, place in ((goals[1][0], 1), (goals[0][1], 0), (goals[2][0], 2), (elsewhere, 0)):
        assert env.reset(options={"task": task})[0][39:].tolist() == np.eye(3)[place].tolist()
    first = taskworlds.make_vec("custom-mt-envs", envs_list=names, seed=3, num_goals=2, total_tasks_per_cls=1)
    assert [tuple(tasks) for tasks in first.tasks] == [tasks[:1] for tasks in goals]


@pytest.mark.parametrize(("name", "place"), [("MT1", 3), ("ML1", 0), ("MT10", None)])
def test_places_of_the_one_hot_as_in_meta_world(name, place):
    skill = {} if place is None else {"env_name": "push-v3", "env_id": np.int64(place)}
    env = taskworlds.make(name, num_tasks=12, num_goals=1, use_one_hot=True, seed=0, **skill)
    obs, _ = env.reset(seed=0)
    expected = env.batch.skills.index(env.task.env_name) if place is None else place
    assert obs[39:].tolist() == np.eye(12)[expected].tolist()


@pytest.mark.parametrize("name", ["ML10", "MT10"])
def test_goals_are_shown_and_hidden_as_is_asked(name):
    shown = {
        hidden: taskworlds.make_vec(name, 1, num_goals=1, seed=0, partially_observable=hidden).reset(seed=0)[
            0
        ][0, 36:]
        for hidden in (False, True)
    }
    assert shown[False].all()
    assert not shown[True].any()


# --- mistakes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [taskworlds.make, taskworlds.make_vec], ids=["make", "make_vec"])
@pytest.mark.parametrize(
    ("name", "how", "error", "message"),
    [
        (
            "MT10",
            {"use_onehot": True},
            TypeError,
            r"got an unexpected keyword argument 'use_onehot' \(did you mean 'use_one",
        ),
        ("MT10", {"goal_observable": True}, TypeError, "partially_observable, which says the opposite"),
        (
            "MT10",
            {"horizon": 3, "camera": "x"},
            TypeError,
            "'max_episode_steps'.* 'camera' .*'camera_name'",
        ),
        ("MT10", {"frame_skip": 3}, TypeError, "unexpected keyword argument 'frame_skip' .*'action_repeat'"),
        (
            "MT10",
            {"image_size": 3},
            TypeError,
            "unexpected keyword argument 'image_size' .give width and height",
        ),
        ("MT10", {"env_id": 3}, ValueError, "env_id must be left out for MT10"),
        (
            "MT10",
            {"num_tasks": 9},
            ValueError,
            "num_tasks must be at least 10, the number of skills of MT10, not 9",
        ),
        ("reach-v3", {"env_id": 1}, ValueError, "env_id must be below num_tasks=1, not 1"),
        ("MT10", {"num_threads": 2**31}, ValueError, "num_threads must be at most 4096, not 2147483648"),
        ("MT10", {"engine_options": {"num_threads": 2**31}}, ValueError, "num_threads must be at most 4096"),
        ("MT10", {"width": 10**6}, ValueError, "width must be at most 16384 pixels, not 1000000"),
        ("MT10", {"use_one_hot": "yes"}, ValueError, "use_one_hot must be one of True, False, not 'yes'"),
        ("MT10", {"env_name": "reach-v3"}, TypeError, "MT10 does not take env_name"),
        ("MT12", {}, ValueError, "Unknown benchmark 'MT12'. Did you mean"),
        ("Meta-World/MT10", {}, ValueError, "Unknown benchmark 'Meta-World/MT10'"),
        (
            "MT10",
            {"vector_strategy": "threads"},
            ValueError,
            "vector_strategy must be one of .*not 'threads'",
        ),
        (
            "MT10",
            {"reward_function_version": "v3"},
            ValueError,
            "reward_function_version must be one of 'v1', 'v2'",
        ),
        ("MT10", {"seed": -1}, ValueError, "seed must be at least 0"),
        (3, {}, TypeError, "A benchmark is given by name"),
        ([], {}, ValueError, "must have at least one task"),
        (["reach-v3"], {}, TypeError, r"Expected a taskworlds\.Task or one of Meta-World's"),
        (
            benchmark("MT10", seed=0),
            {"num_goals": 3},
            TypeError,
            "num_goals can only be given with a benchmark's name",
        ),
    ],
)
def test_mistakes(make, name, how, error, message):
    with pytest.raises(error, match=message):
        make(name, **how)


def test_rows_are_make_vecs():
    with pytest.raises(TypeError, match=r"^make\(\) got an unexpected keyword argument 'num_envs'"):
        taskworlds.make("MT10", num_envs=3)
