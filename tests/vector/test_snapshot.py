"""Snapshots: exact in the middle of an episode, in the same environment and in another."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
import zlib

import numpy as np
import pytest
from metaworld.policies import ENV_POLICY_MAP

import taskworlds
from taskworlds import Task, benchmark
from taskworlds.rows import model_rows
from taskworlds.vector.flat_state import from_arrays, to_arrays
from taskworlds.worlds.metaworld.skills import SKILLS

CLOCK = ("t", "_t")
SLOW = pytest.mark.slow
SOME = ["door-lock-v3", "basketball-v3", "pick-place-v3", "hammer-v3"]  # views, sites, contacts, two objects
ALL = [each.name for each in SKILLS]


def actions_at(step, n):
    return np.random.default_rng([5, step]).uniform(-1, 1, (n, 4))


def run(envs, steps, start=0):
    return [envs.step(actions_at(start + step, envs.num_envs)) for step in range(steps)]


@pytest.mark.filterwarnings("ignore:Constant.s. may be too high:UserWarning")
@pytest.mark.parametrize(
    ("strategy", "skills"),
    [
        pytest.param("native", ALL, id="native-all"),
        pytest.param("sync", SOME, id="sync-some"),
        pytest.param("sync", ALL, id="sync-all", marks=pytest.mark.slow),
        pytest.param("async", SOME, id="async-some"),  # its processes have the rows of "sync"
    ],
    indirect=["strategy"],
)
def test_exact_in_mid_episode_for_every_skill(make_vec, skills, same):
    """Each skill has a row, in which its expert has come to what it has to move when the snapshot is taken."""
    tasks = [benchmark(skill, seed=0, num_goals=1).train_tasks[0] for skill in skills]
    envs = make_vec(tasks, len(tasks), seed=0)
    policies = [ENV_POLICY_MAP[skill]() for skill in skills]
    obs, _ = envs.reset(seed=0)
    assert [task.env_name for task in envs.current_tasks] == skills

    def go(obs, steps):
        outcomes = []
        for _ in range(steps):
            # Copies, as some experts write to what they get.
            actions = [policy.get_action(each.copy()) for policy, each in zip(policies, obs, strict=True)]
            outcomes.append(envs.step(np.clip(actions, -1, 1)))
            obs = outcomes[-1][0]
        return outcomes

    obs = go(obs, 60)[-1][0]
    state = envs.get_state()
    frozen = pickle.dumps(state)
    expected = go(obs, 15)
    envs.set_state(state)
    same(go(obs, 15), expected)
    envs.reset(seed=1)
    envs.set_state(pickle.loads(frozen))
    same(go(obs, 15), expected)
    assert pickle.dumps(state) == frozen
    envs.close()
    envs = make_vec(tasks, len(tasks), seed=9)
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
    del state["observations/values"]
    with pytest.raises(ValueError, match="not a state that get_state returned, or it is only part of one"):
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
        ({}, 2, "num_envs is 3 in the state and 2 in this environment"),
        (
            {"use_one_hot": True},
            3,
            "observation size is 39 in the state and 41 in this environment; use_one_hot is False in the state and "
            "True in this environment",
        ),
        (
            {"reward_function_version": "v1"},
            3,
            "reward_function_version is 'v2' in the state and 'v1' in this environment",
        ),
        ({"max_episode_steps": 9}, 3, "max_episode_steps is 500 in the state and 9 in this environment"),
        (
            {"normalize_observations": True},
            3,
            "normalize_observations is False in the state and True in this environment",
        ),
        (
            {"reward_normalization_method": "exponential"},
            3,
            "is None in the state and 'exponential' in this environment",
        ),
        (
            {"recurrent_info_in_obs": True},
            3,
            "recurrent_info_in_obs is False in the state and True in this environment",
        ),
    ],
)
def test_states_that_do_not_fit_are_refused(make_vec, two_skills, keywords, rows, message, same):
    state = make_vec(two_skills, 3, seed=0).get_state()
    envs = make_vec(two_skills, rows, seed=1, **keywords)
    before = envs.get_state()
    with pytest.raises(ValueError, match=f"The state cannot be restored exactly: .*{message}"):
        envs.set_state(state)
    same(envs.get_state(), before, skip=("elapsed",))


def test_states_of_other_skills_and_versions_are_refused(make_vec, two_skills):
    envs = make_vec(two_skills, 1)
    state = envs.get_state()
    with pytest.raises(
        ValueError,
        match=r"skills is \['drawer-close-v3', 'reach-v3'\] in the state and \['push-v3'\] in this environment",
    ):
        make_vec("push-v3", 1, seed=0).set_state(state)
    text = str(state["data"])
    with pytest.raises(ValueError, match=r"mujoco is '0.1' in the state and '3.3.0' in this environment"):
        envs.set_state(state | {"data": np.array(text.replace('"mujoco": "3.3.0"', '"mujoco": "0.1"'))})
    with pytest.raises(ValueError, match=r"format is 'taskworlds-state/0', not"):
        envs.set_state(state | {"data": np.array(text.replace("taskworlds-state/5", "taskworlds-state/0"))})
    with pytest.raises(ValueError, match="This is not a state that get_state returned: it has no format"):
        envs.set_state({"data": np.array("{}")})
    for bad in ({}, None, 3, [state]):
        with pytest.raises(ValueError, match="This is not a state that get_state returned"):
            envs.set_state(bad)


# --- what a snapshot is made of, and damage -------------------------------------------------------------------


def test_a_state_of_drawing_by_weights_needs_a_curriculum(make_vec, two_skills):
    weighted = make_vec(two_skills, 2, curriculum=lambda episodes: None)
    with pytest.raises(ValueError, match="draws by a curriculum is True in the state and None in this"):
        make_vec(two_skills, 2).set_state(weighted.get_state())


def test_a_snapshot_is_small():
    envs = taskworlds.make_vec("MT10", 20, seed=0, vector_strategy="native")
    envs.reset(seed=0)
    run(envs, 20)
    state = envs.get_state()
    assert sum(array.nbytes for array in state.values()) <= 80_000
    listed = from_arrays(state)["assignments"]["listed"].tasks
    assert len(listed) == len(set(listed)) == 500  # each task once
    assert "rand_vec" not in str(state["data"])
    envs.close()


def test_what_rows_give_is_the_callers_own(make_vec, two_skills, same):
    envs = make_vec(two_skills, 2)
    envs.reset(seed=0)
    state = envs.rows.get_state()
    frozen = copy.deepcopy(state)
    run(envs, 2)
    envs.reset(seed=1)
    same(state, frozen)


def test_generators_of_any_kind_travel(make, two_skills, same):
    env, other = make(two_skills, seed=0), make(two_skills, seed=1)
    env.reset()
    env.np_random = np.random.Generator(np.random.Philox(3))
    env.np_random.random(dtype=np.float32)
    state = env.get_state()
    expected = [env.np_random.integers(1000, size=5).tolist(), env.reset()]
    assert not any(array.dtype.hasobject for array in state.values())
    other.reset()
    other.set_state(state)
    same([other.np_random.integers(1000, size=5).tolist(), other.reset()], expected)


def test_lists_of_tasks_that_change_are_packed_anew(make_vec, two_skills, same):
    envs = make_vec(two_skills, 2, task_select="round_robin")
    envs.reset(seed=0)
    before = envs.get_state()
    lists = [list(two_skills.train_tasks[:1]), list(two_skills.train_tasks[5:])]
    envs.set_attr("tasks", lists)
    state = envs.get_state()
    envs.set_state(before)
    assert envs.get_attr("tasks")[0] != lists[0]
    envs.set_state(state)
    assert list(envs.get_attr("tasks")) == lists
    same(envs.get_state(), state, skip=("elapsed",))


def damages():
    """By name, what makes a state wrong; each takes the state as nested data."""
    return {
        "a generator": lambda s: s["assignments"]["generators"]["PCG64"].__setitem__((0, 2), 2),
        "a bit of a generator": lambda s: s["assignments"]["generators"]["PCG64"].__setitem__((0, 4), 7),
        "generators of one row": lambda s: s["assignments"]["generators"].update(
            PCG64=np.zeros((1, 6), np.uint64)
        ),
        "another generator": lambda s: s["assignments"]["generators"]["others"].update(
            {"0": {"bit_generator": "x"}}
        ),
        "no tasks in a row": lambda s: s["assignments"]["lengths"].__setitem__(slice(None), [0, 4]),
        "tasks that are not there": lambda s: s["assignments"]["lists"].__setitem__(0, 99),
        "an order": lambda s: s["assignments"].update(
            order=np.zeros(s["assignments"]["lists"].size, np.int32)
        ),
        "a place": lambda s: s["assignments"]["current_task_idx"].__setitem__(0, 44),
        "no current tasks": lambda s: s["assignments"].update(current=[]),
        "a foreign task": lambda s: s["assignments"]["current"].__setitem__(
            0, Task("push-v3", dict(s["assignments"]["listed"].tasks[0].params))
        ),
        "a list": lambda s: s["assignments"].update(held=3),
        "steps": lambda s: s["progress"].update(steps=s["progress"]["steps"] - 10),
        "returns": lambda s: s["progress"]["returns"].__setitem__(0, np.nan),
        "flags": lambda s: s["progress"].update(running=s["progress"]["running"].astype(float)),
        "no progress": lambda s: s.pop("progress"),
        "elapsed": lambda s: s.update(elapsed=s["elapsed"][:1]),
        "observations": lambda s: s["observations"].update(values=s["observations"]["values"][:, 1:]),
        "statistics": lambda s: s["observations"]["normalizer"]["mean"].__setitem__((0, 0), np.inf),
        "a switch": lambda s: s["observations"]["normalizer"].update(updating=3),
        "no rewards": lambda s: s.pop("rewards"),
        "no rows": lambda s: s.pop("rows"),
        "rows of another engine": lambda s: s.update(rows="rows"),
        "too few rows": lambda s: (
            s["rows"].update(tasks=s["rows"]["tasks"][:1]) if isinstance(s["rows"], dict) else s["rows"].pop()
        ),
        "physics": lambda s: (
            s["rows"]["states"].__setitem__((1, 3), np.nan)
            if isinstance(s["rows"], dict)
            else s["rows"][1]["physics"].__setitem__(3, np.nan)
        ),
        "narrower physics": lambda s: (
            s["rows"].update(states=s["rows"]["states"][:, 1:])
            if isinstance(s["rows"], dict)
            else s["rows"][1].update(physics=s["rows"][1]["physics"][1:])
        ),
        "a row's number": lambda s: s.update(num_envs="2"),
    }


@pytest.mark.parametrize("damage", damages())
def test_a_damaged_state_is_refused_and_changes_nothing(make_vec, two_skills, damage, same):
    options = {"normalize_observations": True, "reward_normalization_method": "gymnasium"}
    envs = make_vec(two_skills, 2, seed=0, **options)
    envs.reset(seed=0)
    start = from_arrays(envs.get_state())
    run(envs, 2)
    before = envs.get_state()
    bad = copy.deepcopy(start)
    damages()[damage](bad)
    with pytest.raises(ValueError, match=r"."):
        envs.set_state(to_arrays(bad, bad["assignments"]["listed"]))
    same(envs.get_state(), before, skip=("elapsed",))
    envs.set_state(to_arrays(start, start["assignments"]["listed"]))
    run(envs, 2)
    same(envs.get_state(), before, skip=("elapsed",))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("tasks/listed", np.zeros(9, np.uint8)),
        ("tasks/listed", np.zeros((3, 3))),
        ("data", np.array('{"format": ' + "[" * 5000)),
        ("data", np.array("{}")),
    ],
)
def test_damaged_arrays_are_refused(make_vec, two_skills, name, values):
    envs = make_vec(two_skills, 2, seed=0)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="not a state that get_state returned"):
        envs.set_state(envs.get_state() | {name: values})


def test_a_snapshot_of_an_earlier_format_is_refused(make_vec, two_skills):
    envs = make_vec(two_skills, 2)
    earlier = {"data": np.array('{"format": "taskworlds-state/4", "engine": "native", "skills": []}')}
    with pytest.raises(
        ValueError,
        match="its format is 'taskworlds-state/4', not 'taskworlds-state/5', because another version",
    ):
        envs.set_state(earlier)


def test_more_rows_with_models_of_their_own_than_models_are_kept(monkeypatch, same):
    monkeypatch.setattr(model_rows, "_MOST_SCENES", 3)
    envs = taskworlds.make_vec("walker2d-rand-params", 5, seed=0, num_goals=30, vector_strategy="native")
    envs.reset(seed=0)
    still = np.zeros(envs.action_space.shape)
    envs.step(still)
    state = envs.get_state()
    expected = [envs.step(still) for _ in range(3)]
    for seed in range(3):
        envs.reset(seed=100 + seed)
    envs.set_state(state)
    same([envs.step(still) for _ in range(3)], expected, skip=CLOCK)
    twin = copy.deepcopy(envs)
    same(twin.step(still), envs.step(still), skip=CLOCK)
    for each in (envs, twin):
        each.close()


# --- files --------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(two_skills, tmp_path):
    """An environment, what it goes through after a snapshot, and the file of that snapshot."""
    envs = taskworlds.make_vec(two_skills, 2, seed=0)
    envs.reset(seed=0)
    path = tmp_path / "state.npz"
    np.savez(path, **envs.get_state())
    yield envs, [envs.step(actions_at(0, 2))], path
    envs.close()


def test_a_file_is_a_state(saved, same):
    envs, expected, path = saved
    for state in (path, str(path), np.load(path)):
        envs.set_state(state)
        same([envs.step(actions_at(0, 2))], expected, skip=CLOCK)
    np.savez_compressed(path, **dict(np.load(path)))
    envs.set_state(path)
    same([envs.step(actions_at(0, 2))], expected, skip=CLOCK)
    single = taskworlds.make(envs.benchmark, seed=0)
    single.set_state(path, row=1)
    with pytest.raises(FileNotFoundError):
        envs.set_state(path.with_name("none.npz"))


def test_a_file_of_few_bytes_takes_no_more_memory_than_it_may(saved):
    envs, _, path = saved
    good = dict(np.load(path))
    huge = np.zeros(10**8, dtype=np.uint8)
    np.savez_compressed(path, **good, more=huge)
    assert path.stat().st_size < 10**6
    name = "tasks/listed"
    for state in (
        path,
        np.load(path),
        good | {name: np.frombuffer(zlib.compress(b"[" * 10**8), dtype=np.uint8)},
        good | {name: np.frombuffer(zlib.compress(good["data"].item().encode() * 100), dtype=np.uint8)},
    ):
        tracemalloc.start()
        try:
            with pytest.raises(
                ValueError, match=r"more than the .* can have|not a state that get_state returned"
            ):
                envs.set_state(state)
            assert tracemalloc.get_traced_memory()[1] < 4 * 10**6
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "header", "objects"])
def test_a_damaged_file_is_refused(saved, damage):
    envs, _, path = saved
    before, data = envs.get_state(), path.read_bytes()
    place = data.index(b"'shape': (") + 10
    if damage == "objects":
        np.savez(path, **{**dict(np.load(path)), "more": np.array([None])})
    else:
        path.write_bytes(
            {
                "cut": data[: len(data) // 2],
                "empty": b"",
                "text": b"what it was once",
                "header": data[:place] + b"1000000000000,), }" + data[place + 18 :],
            }[damage]
        )
    with pytest.raises(ValueError, match=r"\.npz file"):
        envs.set_state(path)
    after = envs.get_state()
    assert all(after[name].tobytes() == before[name].tobytes() for name in before if name != "elapsed")


def test_a_row_in_an_episode_of_another_task_than_it_names_is_refused(make_vec, two_skills):
    envs = make_vec(two_skills, 2, seed=0)
    envs.reset(seed=0)
    mixed = from_arrays(envs.get_state())
    envs.reset(seed=1)
    mixed["rows"] = from_arrays(envs.get_state())["rows"]
    with pytest.raises(ValueError, match="its row 0 is in an episode of a task other than the one it names"):
        envs.set_state(to_arrays(mixed))
