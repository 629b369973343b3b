"""Info, in the form that Gymnasium's own vector environments give it."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import taskworlds

REPORTED = {
    "success",
    "near_object",
    "grasp_success",
    "grasp_reward",
    "in_place_reward",
    "obj_to_target",
    "unscaled_reward",
}
ABOUT = {"task_name", "task_id", "goal"}


def names(infos):
    return {name for name in infos if not name.startswith("_")}


def assert_like_gymnasiums(ours, theirs, where="infos"):
    """Asserts equal keys, masks, dtypes, shapes and values, but for the time that an episode took."""
    assert set(ours) == set(theirs), where
    for name, value in theirs.items():
        at = f"{where}[{name!r}]"
        if isinstance(value, dict):
            assert_like_gymnasiums(ours[name], value, at)
            continue
        assert type(ours[name]) is type(value), at
        assert (ours[name].dtype, ours[name].shape) == (value.dtype, value.shape), at
        if name == "t":
            continue
        if value.dtype == object:
            for mine, its in zip(ours[name], value, strict=True):
                assert type(mine) is type(its), at
                assert np.array_equal(mine, its), at
        else:
            assert ours[name].tobytes() == value.tobytes(), at


@pytest.fixture(params=list(AutoresetMode), ids=lambda mode: mode.value)
def mode(request):
    return request.param


def test_equal_to_gymnasiums_over_single_environments(make_vec, strategy, tasks, mode, same):
    single = "native" if strategy == "native" else "sync"
    keywords = {"max_episode_steps": 3, "terminate_on_success": True, "task_select": "round_robin"}
    rows = [[tasks.near, tasks.far], [tasks.far, tasks.near], [tasks.far]]
    envs = make_vec([tasks.near, tasks.far], 3, autoreset_mode=mode, **keywords)
    envs.set_attr("tasks", rows)
    singles = SyncVectorEnv(
        [lambda row=row: taskworlds.make(row, vector_strategy=single, **keywords) for row in rows],
        autoreset_mode=mode,
        observation_mode=(envs.observation_space, envs.single_observation_space),
    )
    mine, its = envs.reset(seed=3), singles.reset(seed=3)
    same(mine[0], its[0])
    assert_like_gymnasiums(mine[1], its[1])
    for step in range(12):
        actions = np.random.default_rng(step).uniform(-1, 1, (3, 4))
        mine, its = envs.step(actions), singles.step(actions)
        same(mine[:4], its[:4])
        assert_like_gymnasiums(mine[4], its[4])
        done = mine[2] | mine[3]
        if mode is AutoresetMode.DISABLED and done.any():
            mine, its = (each.reset(options={"reset_mask": done}) for each in (envs, singles))
            same(mine[0], its[0])
            assert_like_gymnasiums(mine[1], its[1])


def test_what_info_holds(make_vec, tasks):
    envs = make_vec([tasks.near, tasks.far], 2, max_episode_steps=2, terminate_on_success=True)
    _, infos = envs.reset(options={"tasks": [tasks.near, tasks.far]})
    assert names(infos) == ABOUT
    assert infos["task_name"].tolist() == ["reach-v3", "reach-v3"]
    assert infos["task_id"].tolist() == [tasks.near.id, tasks.far.id]
    assert infos["goal"].tolist() == [[0.0, 0.6, 0.15], [0.1, 0.9, 0.2]]
    _, _, terminated, _, infos = envs.step(np.zeros((2, 4)))
    assert terminated.tolist() == [True, False]
    assert names(infos) == ABOUT | REPORTED | {"final_obs", "final_info"}
    assert infos["_success"].tolist() == [False, True]
    assert infos["_task_id"].tolist() == [True, True]
    assert infos["_final_obs"].tolist() == infos["_final_info"].tolist() == [True, False]
    assert names(infos["final_info"]) == ABOUT | REPORTED | {"episode"}
    assert infos["final_info"]["task_id"].tolist() == [tasks.near.id, None]
    assert infos["final_info"]["success"].tolist() == [1.0, 0.0]
    assert infos["final_info"]["_success"].tolist() == [True, False]
    assert names(infos["final_info"]["episode"]) == {"r", "l", "t"}
    assert infos["final_info"]["episode"]["_r"].tolist() == [True, False]
    for name in REPORTED:
        assert (infos[name].dtype, infos[name].shape) == (np.float64, (2,))


def test_what_a_row_lacks_is_none(make_vec, tasks):
    # Code that asks `if final_obs[i] is not None` must not take another row's zeros for an observation.
    envs = make_vec([tasks.near, tasks.far], 2, terminate_on_success=True)
    envs.reset(options={"tasks": [tasks.near, tasks.far]})
    *_, infos = envs.step(np.zeros((2, 4)))
    assert infos["final_obs"].dtype == object
    assert infos["final_obs"][0].shape == (39,)
    assert infos["final_obs"][0].dtype == np.float64
    assert infos["final_obs"][1] is None


def test_arrays_in_info_are_not_shared(make_vec, tasks):
    envs = make_vec([tasks.near, tasks.far], 2, terminate_on_success=True)
    envs.reset(options={"tasks": [tasks.near, tasks.far]})
    *_, infos = envs.step(np.zeros((2, 4)))
    flat = {**infos, **{f"final {name}": value for name, value in infos["final_info"].items()}}
    arrays = [(name, value) for name, value in flat.items() if isinstance(value, np.ndarray)]
    for index, (name, array) in enumerate(arrays):
        for other_name, other in arrays[index + 1 :]:
            assert not np.shares_memory(array, other), f"{name} and {other_name}"


def test_a_rows_part_of_info(make_vec, tasks, same):
    envs = make_vec([tasks.near, tasks.far], 2, terminate_on_success=True)
    _, infos = envs.reset(options={"tasks": [tasks.near, tasks.far]})
    assert envs.row_info(infos, 1)["task_id"] == tasks.far.id
    *_, infos = envs.step(np.zeros((2, 4)))
    ended, running = envs.row_info(infos, 0), envs.row_info(infos, 1)
    assert set(ended) == ABOUT | {"final_obs", "final_info"}
    assert set(running) == ABOUT | REPORTED
    assert set(ended["final_info"]) == ABOUT | REPORTED | {"episode"}
    assert ended["final_info"]["episode"]["l"] == 1
    assert type(running["success"]) is float


def test_single_environments_give_plain_values(make, tasks):
    env = make([tasks.near], max_episode_steps=2)
    _, info = env.reset(seed=0)
    assert set(info) == ABOUT
    assert (info["task_name"], info["task_id"]) == ("reach-v3", tasks.near.id)
    assert (info["goal"].shape, info["goal"].dtype) == ((3,), np.float64)
    assert set(env.step(np.zeros(4)).env_info) == ABOUT | REPORTED
    info = env.step(np.zeros(4)).env_info
    assert set(info) == ABOUT | REPORTED | {"episode"}
    assert {name: type(value) for name, value in info["episode"].items()} == {
        "r": float,
        "l": int,
        "t": float,
    }
    assert {type(info[name]) for name in REPORTED} == {float}


def test_gymnasiums_vector_wrappers_work(make_vec, tasks):
    envs = make_vec([tasks.near], 2, terminate_on_success=True, autoreset_mode="NextStep")
    wrapped = gym.wrappers.vector.DtypeObservation(envs, np.float32)
    assert wrapped.reset(seed=0)[0].dtype == np.float32
    assert wrapped.step(np.zeros((2, 4)))[0].dtype == np.float32
    listed = gym.wrappers.vector.DictInfoToList(envs)
    listed.reset(seed=0)
    *_, infos = listed.step(np.zeros((2, 4)))
    assert [info["episode"]["l"] for info in infos] == [1, 1]
