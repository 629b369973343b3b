"""Snapshots: exact in the middle of an episode, in the same environment and in another."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from metaworld.policies import ENV_POLICY_MAP

import taskworlds
from taskworlds import benchmark
from taskworlds.worlds.metaworld.skills import SKILLS

CLOCK = ("t", "_t")
SLOW = pytest.mark.slow
QUICK = {"door-lock-v3", "basketball-v3", "pick-place-v3", "hammer-v3"}  # views, sites, contacts, two objects
EVERY_SKILL = [
    pytest.param(strategy, each.name, id=f"{strategy}-{each.name}", marks=() if each.name in QUICK else SLOW)
    for strategy in ("native", "sync", "async")
    for each in SKILLS
    if strategy != "async" or each.name in QUICK  # the processes of "async" have the rows of "sync"
]


def actions_at(step, n):
    return np.random.default_rng([5, step]).uniform(-1, 1, (n, 4))


def run(envs, steps, start=0):
    return [envs.step(actions_at(start + step, envs.num_envs)) for step in range(steps)]


@pytest.mark.filterwarnings("ignore:Constant.s. may be too high:UserWarning")
@pytest.mark.parametrize(("strategy", "skill"), EVERY_SKILL, indirect=["strategy"])
def test_exact_in_mid_episode_for_every_skill(make_vec, skill, same):
    envs = make_vec(skill, 2, seed=0)
    policy = ENV_POLICY_MAP[skill]()
    obs, _ = envs.reset(seed=0)

    def go(obs, steps):
        outcomes = []
        for _ in range(steps):
            actions = np.array(
                [policy.get_action(each.copy()) for each in obs]
            )  # some write to what they get
            outcomes.append(envs.step(np.clip(actions, -1, 1)))
            obs = outcomes[-1][0]
        return outcomes

    obs = go(obs, 60)[-1][0]  # by then the expert touches what it has to move
    state = envs.get_state()
    frozen = pickle.dumps(state)
    expected = go(obs, 15)
    envs.set_state(state)
    same(go(obs, 15), expected)
    envs.reset(seed=1)
    envs.set_state(pickle.loads(frozen))
    same(go(obs, 15), expected)
    assert pickle.dumps(state) == frozen
    envs = make_vec(skill, 2, seed=9)
    envs.set_state(pickle.loads(frozen))
    same(go(obs, 15), expected)


def options_of(kind):
    return {
        "plain": {},
        "everything": {
            "use_one_hot": True,
            "recurrent_info_in_obs": True,
            "normalize_observations": True,
            "reward_normalization_method": "gymnasium",
            "task_select": "pseudorandom",
            "sample_tasks_on_reset": True,
            "terminate_on_success": True,
        },
        "exponential": {
            "reward_normalization_method": "exponential",
            "reward_alpha": 0.1,
            "task_select": "round_robin",
        },
    }[kind]


@pytest.fixture(scope="module")
def two_skills():
    return benchmark("custom-mt-envs", envs_list=["drawer-close-v3", "reach-v3"], seed=0, num_goals=4)


@pytest.mark.parametrize("kind", ["plain", "everything", "exponential"])
@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
def test_what_comes_after_is_the_same(make_vec, two_skills, kind, mode, same):
    # Over the ends of several episodes: tasks, statistics and generators must be those of the snapshot.
    keywords = {"max_episode_steps": 3, "autoreset_mode": mode} | options_of(kind)
    envs = make_vec(two_skills, 3, seed=0, **keywords)
    envs.reset(seed=0)
    run(envs, 4)
    state = envs.get_state()
    tasks = envs.current_tasks
    expected = run(envs, 9, start=4)
    envs.set_state(state)
    assert envs.current_tasks == tasks
    same(run(envs, 9, start=4), expected, skip=CLOCK)
    other = make_vec(two_skills, 3, seed=77, **keywords)
    other.reset(seed=3)
    run(other, 5)
    other.set_state(state)
    same(run(other, 9, start=4), expected, skip=CLOCK)


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda envs: pickle.loads(pickle.dumps(envs))], ids=["deepcopy", "pickle"]
)
def test_copies_go_on_the_same(make_vec, two_skills, again, same):
    envs = make_vec(two_skills, 3, seed=0, max_episode_steps=3, **options_of("everything"))
    envs.set_attr("terminate_on_success", [True, False, True])
    envs.reset(seed=0)
    run(envs, 4)
    envs.action_space.sample()
    twin = again(envs)
    try:
        assert twin.action_space == envs.action_space
        for _ in range(3):
            same(twin.action_space.sample(), envs.action_space.sample())
        same(run(twin, 9, start=4), run(envs, 9, start=4), skip=CLOCK)
        assert twin.get_attr("terminate_on_success") == (True, False, True)
        assert twin.benchmark == envs.benchmark
        assert (twin.num_envs, twin.strategy) == (envs.num_envs, envs.strategy)
        same(twin.reset(seed=5), envs.reset(seed=5))
    finally:
        twin.close()


def test_copies_of_an_environment_that_was_not_reset(make_vec, two_skills, same):
    envs = make_vec(two_skills, 2, seed=0)
    twin = copy.deepcopy(envs)
    with pytest.raises(RuntimeError, match="No episode of row 0 has begun"):
        twin.step(np.zeros((2, 4)))
    same(twin.reset(), envs.reset())
    twin.close()


def test_single_environments_copy_and_snapshot(make, two_skills, same):
    env = make(two_skills, seed=0, max_episode_steps=50, use_one_hot=True)
    env.reset(seed=0)
    for step in range(5):
        env.step(actions_at(step, 1)[0])
    state = env.get_state()
    twin = pickle.loads(pickle.dumps(env))
    expected = [tuple(env.step(actions_at(step, 1)[0])) for step in range(5, 12)]
    same([tuple(twin.step(actions_at(step, 1)[0])) for step in range(5, 12)], expected)
    assert twin.spec == env.spec
    assert twin.task == env.task
    assert twin.observation_space == env.observation_space
    env.set_state(state)
    same([tuple(env.step(actions_at(step, 1)[0])) for step in range(5, 12)], expected)
    twin.close()


def test_a_native_state_stays_on_the_native_engine(two_skills):
    native = taskworlds.make_vec(two_skills, 2, vector_strategy="native")
    official = taskworlds.make_vec(two_skills, 2, vector_strategy="sync")
    for envs in (native, official):
        envs.reset(seed=0)
    for one, other in ((native, official), (official, native)):
        with pytest.raises(ValueError, match="native"):
            one.set_state(other.get_state())


@pytest.mark.parametrize("strategy", ["sync", "async"], indirect=True)
def test_a_state_may_move_to_another_engine(make_vec, two_skills, same):
    envs = make_vec(two_skills, 2, max_episode_steps=4)
    plain = taskworlds.make_vec(two_skills, 2, max_episode_steps=4, vector_strategy="sync")
    envs.reset(seed=0)
    run(envs, 2)
    plain.set_state(envs.get_state())
    same(run(plain, 6, start=2), run(envs, 6, start=2), skip=CLOCK)


def test_partly_reset_rows(make_vec, two_skills, same):
    envs = make_vec(two_skills, 2)
    mask = np.array([False, True])
    envs.reset(seed=0, options={"reset_mask": mask})
    state = envs.get_state()
    expected = envs.step(np.zeros((2, 4)), mask)
    envs.reset(seed=1)
    envs.set_state(state)
    assert envs.current_tasks[0] is None
    same(envs.step(np.zeros((2, 4)), mask), expected)
    with pytest.raises(RuntimeError, match="No episode of row 0 has begun"):
        envs.step(np.zeros((2, 4)))


def test_tasks_that_are_set_are_part_of_the_state(make_vec, two_skills):
    envs = make_vec(two_skills, 2)
    envs.reset(seed=0)
    held = two_skills.train_tasks[2]
    envs.set_tasks(held, np.array([True, False]))
    state = envs.get_state()
    envs.sample_tasks()
    envs.set_state(state)
    envs.reset()
    assert envs.current_tasks[0] == held
    envs.reset()
    assert envs.current_tasks[0] == held


def test_a_state_is_plain_data_of_its_own(make_vec, two_skills):
    envs = make_vec(two_skills, 2, normalize_observations=True)
    envs.reset(seed=0)
    state = envs.get_state()
    frozen = pickle.dumps(state)
    run(envs, 3)
    envs.reset()
    assert pickle.dumps(state) == frozen

    assert {type(value) for value in state.values()} == {np.ndarray}
    assert not any(value.dtype.hasobject for value in state.values())
    assert not {"model", "assets", "xml"} & set(str(state["data"]).replace('"', "/").split("/"))  # no path


def test_a_state_is_saved_without_pickle(make_vec, two_skills, same, tmp_path):
    keywords = {"max_episode_steps": 3} | options_of("everything")
    envs = make_vec(two_skills, 3, seed=0, **keywords)
    envs.reset(seed=0)
    run(envs, 4)
    np.savez(tmp_path / "state.npz", **envs.get_state())
    expected = run(envs, 9, start=4)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as saved:
        state = dict(saved)
    other = make_vec(two_skills, 3, seed=77, **keywords)
    other.set_state(state)
    same(run(other, 9, start=4), expected, skip=CLOCK)
    del state["counters/obs"]
    with pytest.raises(ValueError, match="not a state that get_state gave, or only a part of one"):
        other.set_state(state)


def test_one_row_is_forked_into_many(make_vec, two_skills, same):
    envs = make_vec(two_skills, 3, seed=0, normalize_observations=True)
    envs.reset(seed=0)
    run(envs, 4)
    state = envs.get_state()
    expected = [envs.step(np.tile(actions_at(step, 1), (3, 1))) for step in range(5)]
    many = make_vec(two_skills, 7, seed=9, normalize_observations=True)
    many.set_state(state, rows=1)
    assert many.current_tasks == (envs.current_tasks[1],) * 7
    for step in range(5):
        obs, rewards, *_ = many.step(np.tile(actions_at(step, 1), (7, 1)))
        for row in range(7):
            same(obs[row], expected[step][0][1])
            same(rewards[row], expected[step][1][1])
    many.set_state(state, rows=[2, 1, 0, 0, 1, 2, 2])
    obs, *_ = many.step(np.tile(actions_at(0, 1), (7, 1)))
    same(obs, expected[0][0][[2, 1, 0, 0, 1, 2, 2]])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (3, "rows must be from 0 to 2, the rows of the snapshot, not 3"),
        (-1, "rows must be from 0 to 2"),
        ([0, 1], "or one for each of the 3 rows here"),
        (0.5, "rows must be one row of the snapshot"),
    ],
)
def test_rows_that_a_state_does_not_have_are_refused(make_vec, two_skills, rows, message):
    envs = make_vec(two_skills, 3)
    with pytest.raises(ValueError, match=message):
        envs.set_state(envs.get_state(), rows=rows)


@pytest.mark.parametrize(
    ("keywords", "rows", "message"),
    [
        ({}, 2, "num_envs is 3 there and 2 here"),
        (
            {"use_one_hot": True},
            3,
            "observation size is 39 there and 41 here; use_one_hot is False there and True here",
        ),
        ({"reward_function_version": "v1"}, 3, "reward_function_version is 'v2' there and 'v1' here"),
        ({"max_episode_steps": 9}, 3, "max_episode_steps is 500 there and 9 here"),
        ({"normalize_observations": True}, 3, "normalize_observations is False there and True here"),
        ({"reward_normalization_method": "exponential"}, 3, "is None there and 'exponential' here"),
        ({"recurrent_info_in_obs": True}, 3, "recurrent_info_in_obs is False there and True here"),
    ],
)
def test_states_that_do_not_fit_are_refused(make_vec, two_skills, keywords, rows, message, same):
    state = make_vec(two_skills, 3, seed=0).get_state()
    envs = make_vec(two_skills, rows, seed=1, **keywords)
    before = envs.get_state()
    with pytest.raises(ValueError, match=f"The state cannot be put back exactly, since .*{message}"):
        envs.set_state(state)
    same(envs.get_state(), before, skip=("elapsed",))


def test_states_of_other_skills_and_versions_are_refused(make_vec, two_skills):
    envs = make_vec(two_skills, 1)
    state = envs.get_state()
    with pytest.raises(
        ValueError, match=r"skills is \['drawer-close-v3', 'reach-v3'\] there and \['push-v3'\] here"
    ):
        make_vec("push-v3", 1, seed=0).set_state(state)
    text = str(state["data"])
    with pytest.raises(ValueError, match=r"mujoco is '0.1' there and '3.3.0' here"):
        envs.set_state(state | {"data": np.array(text.replace('"mujoco": "3.3.0"', '"mujoco": "0.1"'))})
    with pytest.raises(ValueError, match=r"format is 'taskworlds-state/0' there"):
        envs.set_state(state | {"data": np.array(text.replace("taskworlds-state/3", "taskworlds-state/0"))})
    with pytest.raises(ValueError, match="This is not a state that get_state gave: it names no format"):
        envs.set_state({"data": np.array("{}")})
    for bad in ({}, None, 3, [state]):
        with pytest.raises(ValueError, match="This is not a state that get_state gave"):
            envs.set_state(bad)
