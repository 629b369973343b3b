"""`build_metaworld_vec_env`: its environments, and the goals that it chooses."""

from __future__ import annotations

import pickle
import random

import metaworld
import numpy as np
import pytest

from taskworlds import MetaWorldVecEnv, Task, benchmark, build_metaworld_vec_env

TWO = ["reach-v3", "drawer-close-v3"]  # the skills of the benchmark `two`


def test_one_environment_for_each_skill(build, mtrl_config, two):
    envs, tasks = build(mtrl_config(num_envs=2), two, "train", None, context="spawn")
    assert isinstance(envs, MetaWorldVecEnv)
    assert (envs.ids, envs.mode) == ([0, 1], ["train", "train"])
    assert list(tasks) == TWO
    assert all(task in two.train_tasks for task in tasks.values())
    assert [task.env_name for task in tasks.values()] == TWO

    obs, infos = envs.reset(seed=0)
    assert obs["env_obs"].shape == (2, 39)
    assert obs["env_obs"].dtype == np.float64
    assert obs["task_obs"].tolist() == [0, 1]
    assert envs.observation_space.contains(obs)
    assert infos["goal"].shape == (2, 3)
    assert list(envs.get_attr("task")) == list(tasks.values())
    again, _ = envs.reset(seed=0)
    assert np.array_equal(obs["env_obs"], again["env_obs"])
    assert envs.action_space.shape == (2, 4)
    obs, rewards, terminations, truncations, infos = envs.step(envs.action_space.sample())
    assert infos["success"].shape == rewards.shape == (2,)
    assert not (terminations | truncations).any()


def test_the_map_fixes_the_goals(build, mtrl_config, two):
    config = mtrl_config()
    train, tasks = build(config, two, "train", None)
    evaluation, same = build(config, two, "eval", tasks, seed=7)
    assert same is tasks
    assert evaluation.mode == ["eval", "eval"]
    assert np.array_equal(train.reset()[1]["goal"], evaluation.reset()[1]["goal"])


@pytest.mark.parametrize(
    "saved",
    [Task.to_metaworld, Task.to_json, lambda task: {"env_name": task.env_name, "params": dict(task.params)}],
)
def test_the_map_takes_other_forms_of_tasks(build, mtrl_config, two, saved):
    tasks = {name: two.only(name).train_tasks[3] for name in TWO}
    given = {name: saved(task) for name, task in tasks.items()}
    envs, same = build(mtrl_config(), two, "train", given)
    assert same is given
    envs.reset()
    assert list(envs.get_attr("task")) == list(tasks.values())


def test_equal_seeds_give_equal_goals(build, mtrl_config, two):
    chosen = {
        seed: tuple(build(mtrl_config(seed=seed), two, "train", None)[1].values()) for seed in (0, 1, 2, 3)
    }
    assert len(set(chosen.values())) > 1
    assert tuple(build(mtrl_config(seed=2), two, "train", None)[1].values()) == chosen[2]
    assert tuple(build(mtrl_config(seed=2), two, "train", None, seed=3)[1].values()) == chosen[3]
    plain = {"setup": {"seed": 1}, "env": {}}
    assert tuple(build(plain, two, "train", None)[1].values()) == chosen[1]


def test_without_a_seed_the_benchmarks_own_decides(build, two):
    assert build({}, two, "train")[1] == build({}, two, "train", seed=two.seed)[1]


def test_no_global_generator_is_read_or_written(build, mtrl_config, two):
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first = build(mtrl_config(), two, "train", None)[1]
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    assert build(mtrl_config(), two, "train", None)[1] == first


def test_test_skills_alone(build):
    alone = benchmark("ML1", "reach-v3", seed=0).only("reach-v3", "test")
    assert build({}, alone, "eval")[1]["reach-v3"] in alone.test_tasks


def test_metaworlds_own_benchmark(build, mtrl_config):
    official = metaworld.MT1("reach-v3", seed=0)
    envs, tasks = build(mtrl_config(num_envs=1), official, "train", None)
    assert tasks["reach-v3"] in [Task.of(task) for task in official.train_tasks]
    envs.reset()
    assert envs.get_attr("task") == (tasks["reach-v3"],)


def test_without_a_limit_it_is_metaworlds(build, mtrl_config, two):
    assert build(mtrl_config(), two, "train", None)[0].get_attr("max_episode_steps") == (500, 500)


def test_env_fns_of_the_builder_can_be_pickled(build, mtrl_config, two):
    envs, tasks = build(mtrl_config(), two, "train", None)
    env = pickle.loads(pickle.dumps(envs.env_fns))[1]()
    env.reset()
    assert env.get_wrapper_attr("task") == tasks["drawer-close-v3"]


@pytest.mark.usefixtures("fake_torch")
def test_the_builder_gives_tensors(build, mtrl_config, two):
    envs, _ = build(mtrl_config(), two.only("reach-v3"), "train", None, tensor="torch")
    assert envs.reset()[0]["env_obs"].shape == (1, 39)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"mode": ["train"]}, TypeError, r"mode must be a string, .* not \['train'\]"),
        ({"benchmark": 10}, TypeError, "A benchmark is given by name"),
        ({"should_perform_reward_normalization": "no"}, ValueError, "must be one of True, False, not 'no'"),
        ({"max_episode_steps": 0}, ValueError, "max_episode_steps must be at least 1"),
        ({"env_id_to_task_map": [1]}, TypeError, "env_id_to_task_map must be a dictionary"),
        (
            {"env_id_to_task_map": {"reach-v3": None, "push-v3": None}},
            ValueError,
            "missing: drawer-.*many: push-v3",
        ),
        ({"env_id_to_task_map": dict.fromkeys(TWO, 3)}, TypeError, "Expected a taskworlds.Task .* not 3"),
        (
            {
                "env_id_to_task_map": dict.fromkeys(
                    TWO, benchmark("reach-v3", seed=0, num_goals=1).train_tasks[0]
                )
            },
            ValueError,
            r"\['drawer-close-v3'\] must be a task of drawer-close-v3, not of reach-v3",
        ),
        (
            {"env_id_to_task_map": {name: Task(name, {"goal": 1}) for name in TWO}},
            ValueError,
            "has the parameters rand_vec and partially_observable",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(mtrl_config, two, arguments, error, message):
    arguments = {"config": mtrl_config(), "benchmark": two, "mode": "train", "context": "fork"} | arguments
    with pytest.raises(error, match=message):
        build_metaworld_vec_env(**arguments)


def test_unknown_keywords_of_the_builder_are_refused(two):
    with pytest.raises(TypeError, match="frame_skip"):
        build_metaworld_vec_env({}, two, "train", None, frame_skip=2)
