"""What `build_metaworld_vec_env` reads from mtrl's configuration."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from omegaconf import OmegaConf

import taskworlds
from taskworlds import benchmark, build_metaworld_vec_env

TWO = ["reach-v3", "drawer-close-v3"]  # the skills of the benchmark `two`


def test_mt1_by_its_target(build):
    target = {"_target_": "metaworld.MT1", "env_name": "reach-v3"}
    config = OmegaConf.create({"env": {"num_envs": 1, "benchmark": target, "dummy": "${env.benchmark}"}})
    envs, tasks = build(config, None, "train", None, seed=4)
    assert (envs.num_envs, envs.ids) == (1, [0])
    assert tasks["reach-v3"] in benchmark("MT1", "reach-v3", seed=4).train_tasks
    assert envs.reset()[0]["env_obs"].shape == (1, 39)


@pytest.mark.parametrize("mode", ["train", "test", "test.hard", "eval"])
def test_ml1_in_both_splits(build, mtrl_config, mode):
    target = {"_target_": "metaworld.ML1", "env_name": "reach-v3"}
    envs, tasks = build(mtrl_config(benchmark=target, num_envs=1), None, mode, None)
    ml1 = benchmark("ML1", "reach-v3", seed=42)
    assert tasks["reach-v3"] in (ml1.test_tasks if mode.startswith("test") else ml1.train_tasks)
    assert envs.mode == [mode]
    assert (envs.reset()[0]["env_obs"][0, -3:] == 0.0).all()  # the goal is hidden


def test_ml10_has_other_skills_in_the_test(build, mtrl_config):
    config = mtrl_config(benchmark={"_target_": "metaworld.ML10"}, num_envs=10)
    envs, tasks = build(config, None, "test", None)
    assert list(tasks) == benchmark("ML10", seed=42).env_names("test")
    assert envs.ids == list(range(5))


def test_our_own_target(build):
    target = {
        "_target_": "taskworlds.benchmark",
        "_convert_": "all",
        "name": "custom-mt-envs",
        "envs_list": TWO,
    }
    config = OmegaConf.create({"env": {"benchmark": {**target, "seed": 3, "num_goals": 2}}})
    _, tasks = build(config, None, "train", None, seed=9)
    same = benchmark("custom-mt-envs", envs_list=TWO, seed=3, num_goals=2)
    assert all(task in same.train_tasks for task in tasks.values())


def test_forms_of_the_configuration(build, two):
    target = SimpleNamespace(_target_="metaworld.MT1", env_name="reach-v3")
    objects = SimpleNamespace(env=SimpleNamespace(benchmark=target), setup=SimpleNamespace(seed=6))
    group = OmegaConf.create({"benchmark": {"_target_": "metaworld.MT1", "env_name": "reach-v3"}, "seed": 6})
    plain = OmegaConf.to_container(group)
    results = [build(config, None, "train", None)[1] for config in (objects, group, plain, {"env": plain})]
    assert results == [results[0]] * 4


def test_ordered_task_list_is_obeyed(build, mtrl_config, two):
    config = mtrl_config(ordered_task_list=TWO[::-1])
    envs, tasks = build(config, two, "train", None)
    assert list(tasks) == TWO[::-1]
    envs.reset()
    assert [task.env_name for task in envs.get_attr("task")] == TWO[::-1]
    assert tasks == build(mtrl_config(), two, "train", None)[1]  # the order does not change the goals
    with pytest.warns(DeprecationWarning, match="reach-v2"):
        build(mtrl_config(ordered_task_list=["reach-v2", "drawer-close-v3"]), two, "train", None)


@pytest.mark.parametrize(
    ("where", "normalizes"),
    [
        ({}, True),
        ({"builder": {"make_kwargs": {"should_perform_reward_normalization": False}}}, False),
        ({"builder": None, "should_perform_reward_normalization": False}, False),
        ({"builder": {"make_kwargs": {"reward_normalization_method": None}}}, False),
    ],
)
def test_rewards_are_normalized_as_the_configuration_says(build, mtrl_config, two, where, normalizes):
    one = two.only("reach-v3")
    envs, tasks = build(mtrl_config(**where), one, "train", None)
    envs.reset()
    action = np.full((1, 4), 0.5)
    reward = envs.step(action)[1][0]
    env = taskworlds.make([tasks["reach-v3"]])
    env.reset()
    plain = env.step(action[0]).reward
    mean = 0.001 * plain
    var = 0.999 + 0.001 * (plain - mean) ** 2
    expected = plain / (np.sqrt(var) + 1e-8) if normalizes else plain
    assert reward == pytest.approx(expected, rel=1e-12)
    assert (reward != plain) == normalizes


def test_the_keyword_about_rewards_comes_first(build, mtrl_config, two):
    envs, _ = build(mtrl_config(), two, "train", None, should_perform_reward_normalization=False)
    for env_fn in envs.env_fns:
        assert env_fn.args[0].keywords.get("reward_normalization_method") is None


@pytest.mark.parametrize(
    ("env", "keywords"),
    [
        ({"max_episode_steps": 2}, {}),
        ({"builder": {"make_kwargs": {"max_episode_steps": 2}}}, {}),
        ({"max_episode_steps": 9}, {"max_episode_steps": 2}),
    ],
)
def test_the_time_limit_and_the_end_of_an_episode(build, mtrl_config, two, env, keywords):
    envs, _ = build(mtrl_config(**env), two.only("drawer-close-v3"), "train", None, **keywords)
    start, _ = envs.reset()
    action = np.full((1, 4), 0.5)
    assert not envs.step(action)[3].any()
    obs, _, terminations, truncations, infos = envs.step(action)
    assert truncations.all()
    assert not terminations.any()
    assert np.array_equal(obs["env_obs"], start["env_obs"])  # the same goal again
    assert not np.array_equal(infos["final_obs"][0]["env_obs"], start["env_obs"][0])
    assert infos["final_info"]["success"].shape == (1,)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"config": None}, TypeError, "config must be a DictConfig, a dictionary or an object"),
        ({"config": "metaworld-mt10"}, TypeError, "config must be .* not 'metaworld-mt10'"),
        ({"config": {}, "benchmark": None}, ValueError, r"env\.benchmark\._target_ .* not None"),
    ],
)
def test_what_is_no_configuration_is_refused(two, arguments, error, message):
    with pytest.raises(error, match=message):
        build_metaworld_vec_env(**{"benchmark": two, "mode": "train", "context": "fork"} | arguments)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ({"_target_": "metaworld.MT11"}, ValueError, "Unknown benchmark 'MT11'. Did you mean 'MT1"),
        ({"_target_": "metaworld.MT1"}, TypeError, "env_name"),
        (
            {"_target_": "metaworld.MT1", "env_name": "pick-place-v1"},
            ValueError,
            "Unknown skill 'pick-place-v1'. Did you mean 'pick-place-v3'",
        ),
    ],
)
def test_targets_that_do_not_fit_are_refused(mtrl_config, target, error, message):
    with pytest.raises(error, match=message):
        build_metaworld_vec_env(mtrl_config(benchmark=target), None, "train", context="fork")


@pytest.mark.parametrize(
    ("env", "error", "message"),
    [
        ({"num_envs": 10}, ValueError, "num_envs must be 2 .* not 10"),
        ({"num_envs": "two"}, TypeError, "num_envs must be a whole number"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"ordered_task_list": ["reach-v3"]}, ValueError, "name each skill .* but it is reach-v3"),
        ({"ordered_task_list": []}, ValueError, "but it is empty"),
        ({"ordered_task_list": "reach-v3"}, TypeError, "ordered_task_list must be a list"),
        (
            {"builder": {"make_kwargs": {"max_episode_step": 5}}},
            TypeError,
            r"'max_episode_step' \(did you mean 'max_episode_steps'\?\)",
        ),
    ],
)
def test_entries_that_do_not_fit_are_refused(mtrl_config, two, env, error, message):
    with pytest.raises(error, match=message):
        build_metaworld_vec_env(mtrl_config(**env), two, "train", context="fork")
