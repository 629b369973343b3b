"""Infos: which names they have, of which types, and when they are told; and clients that read them."""

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
    "diverged",
}
ABOUT = {"skill_index", "task_index", "goal", "episode_return", "episode_length"}
STILL = np.zeros((2, 4))


def names(infos):
    return {name for name in infos if not name.startswith("_")}


def kinds(infos):
    """Names with dtypes and shapes."""
    return {name: (np.asarray(value).dtype, np.shape(value)) for name, value in infos.items()}


@pytest.fixture(params=list(AutoresetMode), ids=lambda mode: mode.value)
def mode(request):
    return request.param


def assert_told_alike(ours, theirs, told):
    """Asserts equal names, dtypes and shapes, and equal values in the rows that are told, but for times."""
    assert names(ours) == names(theirs)
    for name in names(ours) - {"t"}:
        mine, its = ours[name], theirs[name]
        if isinstance(mine, dict):
            assert_told_alike(mine, its, ours[f"_{name}"])
            continue
        assert (mine.dtype, mine.shape) == (its.dtype, its.shape), name
        assert mine[told].tolist() == its[told].tolist(), name


def test_equal_to_gymnasiums_over_single_environments(make_vec, strategy, tasks, mode, same):
    single = "native" if strategy == "native" else "sync"
    keywords = {"max_episode_steps": 3, "terminate_on_success": True, "task_select": "round_robin"}
    keywords |= {"record_episode_statistics": True, "names_in_info": True}
    rows = [[tasks.near, tasks.far], [tasks.far, tasks.near], [tasks.far]]
    envs = make_vec([tasks.near, tasks.far], 3, autoreset_mode=mode, **keywords)
    envs.set_attr("tasks", rows)
    singles = SyncVectorEnv(
        [lambda row=row: taskworlds.make(row, vector_strategy=single, **keywords) for row in rows],
        autoreset_mode=mode,
        observation_mode=(envs.observation_space, envs.single_observation_space),
    )
    mine, its = envs.reset(seed=3), singles.reset(seed=3)
    every = np.ones(3, dtype=bool)

    def check(mine, its, told):
        same(mine[:-1], its[:-1])
        ours, theirs = dict(mine[-1]), dict(its[-1])
        for infos in (ours, theirs):
            (
                infos.pop("task_index"),
                infos.get("final_info", {}).pop("task_index", None),
            )  # of lists of their own
        if not ours.get("_final_obs", every).any():
            ours.pop("final_obs", None)  # Gymnasium has it where a row ends alone
        if "final_obs" in ours:
            last = ours.pop("_final_obs")
            same(ours.pop("final_obs")[last], np.stack(theirs.pop("final_obs")[last]))
        assert_told_alike(ours, theirs, told)

    check(mine, its, every)
    for step in range(12):
        actions = np.random.default_rng(step).uniform(-1, 1, (3, 4))
        mine, its = envs.step(actions), singles.step(actions)
        check(mine, its, every)
        done = mine[2] | mine[3]
        if mode is AutoresetMode.DISABLED and done.any():
            check(*(each.reset(options={"reset_mask": done}) for each in (envs, singles)), done)


def test_the_same_names_and_types_at_every_reset_and_step(make_vec, tasks, mode):
    envs = make_vec(
        [tasks.near, tasks.far], 2, autoreset_mode=mode, max_episode_steps=3, terminate_on_success=True
    )
    _, infos = envs.reset(options={"tasks": [tasks.near, tasks.far]})
    expected = kinds(infos)
    assert names(expected) == ABOUT | REPORTED
    for name in names(infos):
        values = infos[name]
        integer = name in ("skill_index", "task_index", "episode_length")
        assert values.dtype == (np.int64 if integer else np.float64)
        assert values.shape == ((2, 3) if name == "goal" else (2,))
        assert infos[f"_{name}"].tolist() == [name in ABOUT] * 2
        assert name in ABOUT or not values.any()
    for _ in range(8):
        _, _, terminated, truncated, infos = envs.step(STILL)
        done = terminated | truncated
        also = {"final_obs"} if mode is AutoresetMode.SAME_STEP else set()
        also |= {"final_info"} if also and done.any() else set()
        assert names(infos) == ABOUT | REPORTED | also
        assert {name: kinds(infos)[name] for name in expected} == expected
        if mode is AutoresetMode.DISABLED and done.any():
            _, infos = envs.reset(options={"reset_mask": done})
            assert kinds(infos) == expected


def test_what_the_values_are(make_vec, tasks):
    envs = make_vec([tasks.near, tasks.far], 2, max_episode_steps=2, terminate_on_success=True)
    assert envs.task_names.tolist() == envs.task_ids.tolist() == [None, None]
    _, infos = envs.reset(options={"tasks": [tasks.near, tasks.far]})
    listed = envs.benchmark.tasks(envs.split)
    assert [envs.skills[index] for index in infos["skill_index"]] == ["reach-v3", "reach-v3"]
    assert (
        [listed[index] for index in infos["task_index"]]
        == [tasks.near, tasks.far]
        == list(envs.current_tasks)
    )
    assert envs.task_names.tolist() == ["reach-v3", "reach-v3"]
    assert envs.task_ids.tolist() == [tasks.near.id, tasks.far.id]
    assert infos["goal"].tolist() == [[0.0, 0.6, 0.15], [0.1, 0.9, 0.2]]
    obs, rewards, terminated, _, infos = envs.step(STILL)
    assert terminated.tolist() == [True, False]
    assert infos["_success"].tolist() == [False, True]
    assert infos["_task_index"].tolist() == [True, True]
    assert infos["episode_length"].tolist() == [0, 1]
    assert infos["episode_return"].tolist() == [0.0, rewards[1]]
    assert infos["_final_obs"].tolist() == infos["_final_info"].tolist() == [True, False]
    final = infos["final_info"]
    assert names(final) == ABOUT | REPORTED | {"episode"}
    assert final["success"].tolist() == [1.0, 0.0]
    assert final["_success"].tolist() == final["_episode"].tolist() == [True, False]
    assert listed[final["task_index"][0]] == tasks.near
    assert names(final["episode"]) == {"r", "l", "t"}
    assert final["episode"]["l"].tolist() == final["episode_length"].tolist() == [1, 0]
    assert final["episode"]["r"].tolist() == final["episode_return"].tolist() == [rewards[0], 0.0]
    # Of a row that goes on, final_obs is what it has: code that takes it for the true next observation is right.
    np.testing.assert_array_equal(infos["final_obs"][1], obs[1])
    assert not np.array_equal(infos["final_obs"][0], obs[0])
    other = taskworlds.benchmark("MT1", "reach-v3", seed=9).train_tasks[0]
    envs.set_tasks(other)
    assert envs.reset()[1]["task_index"].tolist() == [-1, -1]  # the split does not list it


def test_a_row_that_does_not_step_has_what_it_had(make_vec, tasks, same):
    envs = make_vec([tasks.near, tasks.far], 2, autoreset_mode="Disabled", max_episode_steps=3)
    envs.reset(options={"tasks": [tasks.near, tasks.far]})
    *_, before = envs.step(STILL)
    state = envs.get_state()
    mask = np.array([False, True])
    *_, infos = stepped = envs.step(STILL, mask)
    assert before["success"][0] == 1.0
    for name in names(infos):
        assert infos[f"_{name}"].tolist() == [False, True]
        same(infos[name][0], before[name][0])
    envs.set_state(state)
    same(envs.step(STILL, mask), stepped)
    _, again = envs.reset(options={"reset_mask": mask})
    assert again["success"].tolist() == [1.0, 0.0]
    assert again["episode_length"].tolist() == [1, 0]


def test_names_and_statistics_are_options(make_vec, tasks):
    how = {"names_in_info": True, "record_episode_statistics": True, "autoreset_mode": "NextStep"}
    envs = make_vec([tasks.far], 2, max_episode_steps=1, **how)
    _, infos = envs.reset(seed=0)
    assert infos["task_name"].tolist() == ["reach-v3"] * 2
    assert infos["task_id"].tolist() == [tasks.far.id] * 2
    *_, infos = envs.step(STILL)
    assert infos["episode"]["l"].tolist() == [1, 1]
    assert infos["_episode"].all()


def test_arrays_in_info_are_not_shared(make_vec, tasks):
    envs = make_vec([tasks.near, tasks.far], 2, terminate_on_success=True, k_episodes=1)
    envs.reset(options={"tasks": [tasks.near, tasks.far]})
    obs, *_, infos = envs.step(STILL)
    flat = {"obs": obs, **infos, **{f"final {name}": value for name, value in infos["final_info"].items()}}
    arrays = [(name, value) for name, value in flat.items() if isinstance(value, np.ndarray)]
    for index, (name, array) in enumerate(arrays):
        for other_name, other in arrays[index + 1 :]:
            assert not np.shares_memory(array, other), f"{name} and {other_name}"


def test_a_rows_part_of_info(make_vec, tasks):
    envs = make_vec([tasks.near, tasks.far], 2, terminate_on_success=True)
    _, infos = envs.reset(options={"tasks": [tasks.near, tasks.far]})
    assert set(envs.row_info(infos, 1)) == ABOUT | REPORTED
    *_, infos = envs.step(STILL)
    ended, running = envs.row_info(infos, 0), envs.row_info(infos, 1)
    assert set(running) == ABOUT | REPORTED
    assert set(ended) == ABOUT | REPORTED | {"final_obs", "final_info"}
    assert set(ended["final_info"]) == ABOUT | REPORTED | {"episode"}
    assert ended["final_info"]["episode"]["l"] == 1
    assert type(running["success"]) is np.float64


@pytest.mark.parametrize(
    "name",
    [
        "reach-v3",
        "half-cheetah-vel",
        pytest.param("cartpole-swingup", marks=pytest.mark.requires_dm_control),
        "point",
        "grid-4x4",
    ],
)
def test_a_single_environments_info_never_changes_its_form(name):
    env = taskworlds.make(name, seed=0, max_episode_steps=2)
    _, info = env.reset(seed=0)
    assert ("goal" in info) == bool(env.batch.world.goal_size)
    expected = kinds(info)
    assert {dtype.kind for dtype, _ in expected.values()} <= {"f", "i"}
    assert all(isinstance(value, np.generic | np.ndarray) for value in info.values())
    for _ in range(2):
        step = env.step(env.action_space.sample())
        assert kinds(step.env_info) == expected
    assert step.env_info["episode_length"] == 2
    assert kinds(env.reset()[1]) == expected
    layout = env.observation_layout
    if env.observation_space.shape:
        ends = [0, *(part.stop for part in layout.values())]
        assert [part.start for part in layout.values()] == ends[:-1]
        assert ends[-1] == env.observation_space.shape[0]
        assert len(layout) > 1


# --- clients ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outer", ["ClipAction", "DictInfoToList", "NormalizeReward", "NormalizeObservation"])
def test_gymnasiums_vector_wrappers(mode, outer):
    wrappers = gym.wrappers.vector
    envs = gym.make_vec("taskworlds/MT10", seed=0, max_episode_steps=3, autoreset_mode=mode)
    assert envs.unwrapped.autoreset_mode is envs.metadata["autoreset_mode"] is mode
    envs = wrappers.RecordEpisodeStatistics(envs)
    if mode is not AutoresetMode.SAME_STEP:  # where Gymnasium refuses to transform observations
        envs = wrappers.FlattenObservation(envs)
    if outer == "NormalizeObservation" and mode is not AutoresetMode.NEXT_STEP:
        pytest.skip("Gymnasium's own rule")
    envs = getattr(wrappers, outer)(envs)
    envs.reset(seed=0)
    ends = 0
    for _ in range(8):
        _, _, terminated, truncated, infos = envs.step(envs.action_space.sample())
        if (truncated | terminated).any():
            told = infos[0] if outer == "DictInfoToList" else infos
            assert np.min(told["episode"]["l"]) == 3
            ends += 1
            if mode is AutoresetMode.DISABLED:
                envs.reset(options={"reset_mask": truncated | terminated})
    assert ends == 2


def test_gymnasiums_statistics_of_a_single_environment():
    env = gym.make("taskworlds/reach-v3", seed=0, max_episode_steps=3)
    env = gym.wrappers.RecordEpisodeStatistics(env)
    env.reset(seed=0)
    infos = [env.step(env.action_space.sample())[4] for _ in range(3)]
    assert infos[2]["episode"]["l"] == infos[2]["episode_length"] == 3
    assert infos[2]["episode"]["r"] == pytest.approx(infos[2]["episode_return"])
