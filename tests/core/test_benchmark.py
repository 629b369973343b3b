"""Benchmarks as data: the official tasks, from a seed, with Meta-World's names for them."""

# ruff: noqa: NPY002  (a test looks at NumPy's global generator, to see that it is left alone)

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import random

import metaworld
import numpy as np
import pytest

import taskworlds
from taskworlds import Benchmark, Task, benchmark
from taskworlds.worlds.metaworld.benchmark_lists import ENV_NAMES
from taskworlds.worlds.metaworld.benchmarks import BENCHMARKS
from taskworlds.worlds.metaworld.skills import SKILLS

TWO = ["drawer-close-v3", "reach-v3"]
COUNTS = {  # skills to train on and to test on
    "MT10": (10, 0),
    "MT25": (25, 0),
    "MT50": (50, 0),
    "ML10": (10, 5),
    "ML25": (25, 5),
    "ML45": (45, 5),
}


@pytest.fixture
def few_goals(monkeypatch):
    """Lets Meta-World's own benchmarks draw 3 goals a skill, which takes it a second rather than a minute."""
    monkeypatch.setattr(metaworld, "_N_GOALS", 3)
    return 3


# --- what a benchmark holds --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COUNTS)
def test_size_and_order(name):
    made = benchmark(name, seed=3)
    for split, count in zip(("train", "test"), COUNTS[name], strict=True):
        tasks = made.train_tasks if split == "train" else made.test_tasks
        assert len(tasks) == 50 * count
        if count:
            assert made.env_names(split) == list(getattr(ENV_NAMES[name], split))
            assert made.tasks(split) == tasks
            assert {task["partially_observable"] for task in tasks} == {made.is_meta}
            assert len(set(tasks)) == len(tasks)
    assert made.is_meta == (COUNTS[name][1] > 0)
    assert (made.name, made.seed) == (name, 3)


def test_one_skill():
    mt1, ml1 = benchmark("MT1", "push-v3", seed=0), benchmark("ML1", "push-v3", seed=0)
    assert (len(mt1.train_tasks), len(mt1.test_tasks)) == (50, 0)
    assert (len(ml1.train_tasks), len(ml1.test_tasks)) == (50, 50)
    assert [t["rand_vec"] for t in ml1.train_tasks] == [t["rand_vec"] for t in mt1.train_tasks]
    assert not {t["rand_vec"] for t in ml1.train_tasks} & {t["rand_vec"] for t in ml1.test_tasks}
    assert (mt1.name, ml1.name) == ("MT1-push-v3", "ML1-push-v3")
    assert mt1.env_names() == ml1.env_names("test") == ["push-v3"]


def test_a_skills_name_is_its_mt1():
    assert benchmark("push-v3", seed=5) == benchmark("MT1", "push-v3", seed=5)
    with pytest.warns(DeprecationWarning, match="'push-v2' is read as 'push-v3'"):
        assert benchmark("push-v2", seed=5) == benchmark("push-v3", seed=5)


def test_basketball_is_both_trained_and_tested_in_ml25():
    made = benchmark("ML25", seed=0)
    assert set(made.env_names("train")) & set(made.env_names("test")) == {"basketball-v3"}
    assert made.only("basketball-v3", "test").test_tasks
    assert made.only("basketball-v3", "train").test_tasks == ()


def test_frozen_and_comparable():
    made = benchmark("MT10", seed=0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.seed = 1
    assert type(made.train_tasks) is tuple
    renamed = Benchmark("mine", made.train_tasks)
    assert renamed == made
    assert hash(renamed) == hash(made)
    assert made != benchmark("MT10", seed=1)
    assert made != made.train_tasks
    for again in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        twin = again(made)
        assert twin == made
        assert (twin.name, twin.seed, twin.fingerprint) == (made.name, made.seed, made.fingerprint)


def test_tasks_of_a_split():
    made = benchmark("MT10", seed=0)
    with pytest.raises(ValueError, match="MT10 has no test tasks; its tasks are in split='train'"):
        made.tasks("test")
    with pytest.raises(ValueError, match="split must be one of 'train', 'test', not 'Test'"):
        made.tasks("Test")
    with pytest.raises(ValueError, match="must have at least one task"):
        Benchmark("empty", ())


def test_tasks_are_checked():
    with pytest.raises(ValueError, match=r"Unknown skill 'drawer-opne-v3'. Did you mean 'drawer-open-v3'"):
        Benchmark("mine", (Task("drawer-opne-v3", {"rand_vec": (0.0, 0.7, 0.0)}),))
    with pytest.raises(TypeError, match=r"Expected a taskworlds\.Task or one of Meta-World's own tasks"):
        Benchmark("mine", ("reach-v3",))


def test_one_skills_part():
    made = benchmark("ML10", seed=0)
    part = made.only("drawer-open-v3", "test")
    assert part.test_tasks == tuple(t for t in made.test_tasks if t.env_name == "drawer-open-v3")
    assert (part.train_tasks, part.seed, part.name) == ((), 0, "ML10/drawer-open-v3")
    with pytest.raises(
        ValueError, match=r"Unknown skill 'reach-v2'. Did you mean .*ML10 has these train skills: reach"
    ):
        made.only("reach-v2")
    with pytest.raises(ValueError, match="Unknown skill 'drawer-open-v3'"):
        made.only("drawer-open-v3", "train")


# --- seeds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("MT1", {"env_name": "push-v3"}),
        ("ML1", {"env_name": "push-v3"}),
        ("MT10", {}),
        ("ML10", {}),
        ("custom-mt-envs", {"envs_list": TWO}),
        ("custom-ml-envs", {"train_envs": TWO, "test_envs": ["push-v3"]}),
    ],
)
def test_seed_zero_is_a_seed(name, how):
    first = benchmark(name, seed=0, **how)
    assert first == benchmark(name, seed=0, **how)
    assert first.seed == 0
    assert first != benchmark(name, seed=1, **how)


def test_the_default_seed_is_0():
    made = benchmark("MT1", "reach-v3")
    assert (made.seed, made.from_entropy) == (0, False)
    assert made == benchmark("MT1", "reach-v3", seed=0)


def test_seed_none_draws_one_and_names_it():
    made = benchmark("ML10", seed=None)
    assert type(made.seed) is int
    assert benchmark("ML10", seed=made.seed) == made
    assert benchmark("ML10", seed=None).seed != made.seed
    part = made.only("reach-v3")
    assert (made.from_entropy, part.from_entropy, part.seed) == (True, True, made.seed)
    assert not Benchmark.from_json(made.to_json()).from_entropy


def test_no_global_generator_is_read_or_written():
    np.random.seed(0)
    random.seed(0)
    before = np.random.get_state()[1].tobytes(), random.getstate()
    made = benchmark("ML10", seed=7), benchmark("MT1", "reach-v3")
    assert (np.random.get_state()[1].tobytes(), random.getstate()) == before
    np.random.seed(1)
    assert benchmark("ML10", seed=7) == made[0]


def test_num_goals_stays_where_it_is_asked_for():
    assert len(benchmark("MT1", "reach-v3", seed=0, num_goals=3).train_tasks) == 3
    assert len(taskworlds.make_vec("MT10", seed=0, num_goals=2).benchmark.train_tasks) == 20
    assert len(benchmark("MT1", "reach-v3", seed=0).train_tasks) == 50
    assert metaworld._N_GOALS == 50
    few, many = benchmark("MT10", seed=0, num_goals=2), benchmark("MT10", seed=0)
    assert few.only("reach-v3").train_tasks == many.only("reach-v3").train_tasks[:2]


def test_custom_mt_skills_have_the_goals_of_mt1_with_seed_plus_index():
    made = benchmark("custom-mt-envs", seed=4, envs_list=TWO)
    assert made.train_tasks == (
        benchmark("MT1", TWO[0], seed=4).train_tasks + benchmark("MT1", TWO[1], seed=5).train_tasks
    )
    assert made.env_names() == TWO
    assert not made.is_meta


# --- Meta-World's own --------------------------------------------------------------------------------------


def test_equal_to_meta_worlds_mt1_and_ml1():
    assert Benchmark.of(metaworld.MT1("drawer-close-v3", seed=4)) == benchmark(
        "MT1", "drawer-close-v3", seed=4
    )
    assert Benchmark.of(metaworld.ML1("drawer-close-v3", seed=4)) == benchmark(
        "ML1", "drawer-close-v3", seed=4
    )


@pytest.mark.parametrize("name", ["MT10", "ML10"])
def test_equal_to_meta_worlds_own(name, few_goals):
    official = Benchmark.of(getattr(metaworld, name)(seed=2))
    assert official == benchmark(name, seed=2, num_goals=few_goals)
    assert (official.name, official.seed) == (name, None)


@pytest.mark.usefixtures("without_physics")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["MT10", "MT25", "MT50", "ML10", "ML25", "ML45"])
def test_equal_to_meta_worlds_own_with_all_goals(name):
    assert Benchmark.of(getattr(metaworld, name)(seed=0)) == benchmark(name, seed=0)


def test_equal_to_meta_worlds_custom_ml(few_goals):
    official = metaworld.CustomML(TWO, ["push-v3"], seed=2)
    ours = benchmark("custom-ml-envs", train_envs=TWO, test_envs=["push-v3"], seed=2, num_goals=few_goals)
    assert Benchmark.of(official) == ours


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("whose", ["ours", "Meta-World's"])
def test_classes_as_code_for_meta_world_uses_them(split, whose, few_goals):
    ml1 = benchmark("ML1", "reach-v3", seed=0, num_goals=few_goals)
    tasks = getattr(ml1 if whose == "ours" else metaworld.ML1("reach-v3", seed=0), f"{split}_tasks")
    classes = getattr(ml1, f"{split}_classes")
    assert list(classes) == ["reach-v3"]
    for name, cls in classes.items():
        env = cls()
        env.set_task(next(task for task in tasks if task.env_name == name))
        obs, _ = env.reset()
        assert env.task == Task.of(tasks[0])
        assert obs.shape == (39,)
        _, _, terminated, truncated, info = env.step(env.action_space.sample())
        assert (terminated, truncated) == (False, False)
        assert info["success"] in (0.0, 1.0)
        env.set_task(tasks[2])
        env.reset(seed=0)
        assert env.task == Task.of(tasks[2])
        env.reset()
        assert env.task == Task.of(tasks[2])
        assert env.terminate_on_success is False
        assert env.max_path_length == 500
        env.close()


def test_classes_make_one_skills_environments():
    made = benchmark("ML10", seed=0)
    assert list(made.train_classes) == made.env_names("train")
    assert list(made.test_classes) == made.env_names("test")
    assert benchmark("MT10", seed=0).test_classes == {}
    env = made.test_classes["drawer-open-v3"](reward_function_version="v1", max_episode_steps=3)
    assert env.tasks == list(made.only("drawer-open-v3", "test").test_tasks)
    with pytest.raises(
        ValueError, match="is of the skill 'door-close-v3', which ML10/drawer-open-v3 does not have"
    ):
        env.set_task(made.only("door-close-v3", "test").test_tasks[0])
    with pytest.raises(TypeError, match=r"'reward_version' \(did you mean 'reward_function_version'\?\)"):
        made.test_classes["drawer-open-v3"](reward_version="v1")


# --- from other things -------------------------------------------------------------------------------------


def test_of():
    made = benchmark("MT1", "reach-v3", seed=0)
    assert Benchmark.of(made) is made
    assert Benchmark.of("MT1", env_name="reach-v3", seed=0) == made
    assert Benchmark.of(list(made.train_tasks)) == made
    with pytest.raises(
        TypeError,
        match="seed can only be given with a benchmark's name, not with tasks that are already made",
    ):
        Benchmark.of(made, seed=0)
    with pytest.raises(
        TypeError, match=r"A benchmark is given by name, as a taskworlds.Benchmark, .* not as 3"
    ):
        Benchmark.of(3)


@pytest.mark.parametrize("name", ["MT10", "ML10"])
def test_json_is_exact(name):
    made = benchmark(name, seed=11)
    again = Benchmark.from_json(made.to_json())
    assert again == made
    assert (again.name, again.seed, again.fingerprint) == (made.name, made.seed, made.fingerprint)
    assert again.to_json() == made.to_json()


def test_what_is_no_benchmarks_json_is_refused():
    made = benchmark("MT1", "reach-v3", seed=0, num_goals=2)
    text = made.to_json()
    with pytest.raises(ValueError, match="not a benchmark's JSON, or it is only part of one"):
        Benchmark.from_json(text[:-10])
    for other in ("[]", "{}", made.train_tasks[0].to_json(), text.replace("benchmark/2", "benchmark/9")):
        with pytest.raises(
            ValueError, match=r"Expected a benchmark's JSON with format 'taskworlds-benchmark/2'"
        ):
            Benchmark.from_json(other)
    for part in ("name", "seed", "train_tasks", "test_tasks"):
        data = json.loads(text)
        del data[part]
        with pytest.raises(ValueError, match=f"only a part of a benchmark's JSON: it has no {part}"):
            Benchmark.from_json(json.dumps(data))
    data = json.loads(text)
    data["train_tasks"][0]["params"]["rand_vec"][0] = float("nan")
    with pytest.raises(ValueError, match="'rand_vec' must be finite"):
        Benchmark.from_json(json.dumps(data))
    for part, value, message in (
        ("name", 3, "name must be a string, not 3"),
        ("seed", "0", "seed must be a whole number, not '0'"),
        ("seed", 1, "its checksum .* does not match its content"),
        ("name", "MT2", "its checksum .* does not match its content"),
        ("train_tasks", 3, "not iterable"),
        ("test_tasks", [5], "A task's JSON is an object"),
        ("lists", [1], "lists must name the 2 train tasks"),
        ("sha256", None, "its checksum .* does not match its content"),
    ):
        with pytest.raises(ValueError, match=message):
            Benchmark.from_json(json.dumps(json.loads(text) | {part: value}))
    data = json.loads(text) | {"format": "taskworlds-benchmark/1"}
    del data["sha256"]
    assert Benchmark.from_json(json.dumps(data)) == made  # as it was written before there was a checksum


def test_fingerprints_never_change():
    fingerprints = {name: benchmark(name, seed=0).fingerprint for name in ("MT10", "ML10", "ML45")}
    fingerprints["ML1"] = benchmark("ML1", "reach-v3", seed=0).fingerprint
    assert fingerprints == {
        "MT10": "be14f505318095c7",
        "ML10": "1bdf239894db4c78",
        "ML45": "6fcf440d3ab5281b",
        "ML1": "0c9546622527de04",
    }


def test_fingerprint_is_of_the_tasks_in_their_order():
    made = benchmark("ML1", "reach-v3", seed=0, num_goals=3)
    others = [
        Benchmark("x", made.train_tasks[::-1], made.test_tasks),
        Benchmark("x", made.test_tasks, made.train_tasks),
        Benchmark("x", made.train_tasks, made.test_tasks[:2]),
        Benchmark("x", made.train_tasks + made.test_tasks),
    ]
    assert len({made.fingerprint, *(each.fingerprint for each in others)}) == 5
    assert Benchmark("x", made.train_tasks, made.test_tasks, seed=9).fingerprint == made.fingerprint


# --- mistakes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "how", "error", "message"),
    [
        (
            "MT11",
            {},
            ValueError,
            r"Unknown benchmark 'MT11'. Did you mean .*'MT10'.*taskworlds list benchmarks",
        ),
        ("mt10", {}, ValueError, r"Did you mean 'MT10'"),
        ("drawer-opne-v3", {}, ValueError, r"Did you mean 'drawer-open-v3'"),
        (10, {}, TypeError, "The benchmark must be given by name, as a string, not 10"),
        ("MT1", {}, TypeError, "MT1 needs env_name"),
        ("ML1", {}, TypeError, "ML1 needs env_name"),
        ("ML1", {"env_name": "reach"}, ValueError, "Unknown skill 'reach'. Did you mean"),
        ("MT10", {"env_name": "reach-v3"}, TypeError, "MT10 does not take env_name; it came as 'reach-v3'"),
        (
            "reach-v3",
            {"env_name": "push-v3"},
            TypeError,
            "already names the skill: leave out env_name='push-v3'",
        ),
        ("MT10", {"envs_list": TWO}, TypeError, "MT10 does not take envs_list"),
        ("custom-mt-envs", {}, TypeError, "custom-mt-envs needs envs_list"),
        ("custom-mt-envs", {"envs_list": []}, ValueError, "envs_list must name at least one skill"),
        ("custom-mt-envs", {"envs_list": "reach-v3"}, TypeError, "envs_list must be a list of skill names"),
        ("custom-mt-envs", {"envs_list": set(TWO)}, TypeError, "envs_list must be a list of skill names"),
        ("custom-mt-envs", {"envs_list": [3]}, TypeError, "envs_list must be a list of skill names"),
        (
            "custom-mt-envs",
            {"envs_list": ["reach-v3-goal-observable"]},
            ValueError,
            "write 'reach-v3', and partially_observable=False",
        ),
        ("reach-v3-goal-hidden", {}, ValueError, "write 'reach-v3', and partially_observable=True"),
        ("point", {"partially_observable": True}, TypeError, "point does not take partially_observable"),
        (
            "MT10",
            {"partially_observable": "no"},
            ValueError,
            "partially_observable must be one of True, False",
        ),
        ("custom-ml-envs", {"train_envs": TWO}, TypeError, "custom-ml-envs needs test_envs"),
        (
            "custom-ml-envs",
            {"train_envs": TWO, "test_envs": TWO[:1]},
            ValueError,
            "test_envs must share no skill with train_envs, but drawer-close-v3 is in both",
        ),
        ("MT10", {"seed": -1}, ValueError, "seed must be at least 0, not -1"),
        ("MT10", {"seed": 1.0}, TypeError, "seed must be a whole number, not 1.0"),
        ("MT10", {"seed": True}, TypeError, "seed must be a whole number, not True"),
        ("MT10", {"num_goals": 0}, ValueError, "num_goals must be at least 1, not 0"),
        ("MT10", {"num_goals": 2.0}, TypeError, "num_goals must be a whole number"),
    ],
)
def test_mistakes(name, how, error, message):
    with pytest.raises(error, match=message):
        benchmark(name, **how)


def test_every_name_can_be_made():
    how = {
        "MT1": {"env_name": "reach-v3"},
        "ML1": {"env_name": "reach-v3"},
        "custom-mt-envs": {"envs_list": TWO},
        "custom-ml-envs": {"train_envs": TWO, "test_envs": ["push-v3"]},
    }
    for name in (*BENCHMARKS, *(each.name for each in SKILLS)):
        assert benchmark(name, seed=0, num_goals=2, **how.get(name, {})).train_tasks


# --- Meta-World's keywords ----------------------------------------------------------------------------------


def test_a_skill_named_several_times_has_lists_of_its_own():
    names = ["reach-v3", "reach-v3", "push-v3"]
    made = benchmark("custom-mt-envs", envs_list=names, seed=4, num_goals=3)
    for place, (name, group) in enumerate(zip(names, made.groups(), strict=True)):
        assert group == benchmark(name, seed=4 + place, num_goals=3).train_tasks
    assert made.env_names() == ["reach-v3", "push-v3"]
    again = Benchmark.from_json(made.to_json())
    assert again == made
    assert again.lists == (3, 3, 3)
    assert benchmark("custom-mt-envs", envs_list=names[1:], seed=4).lists == ()
    with pytest.raises(ValueError, match="lists must name the 9 train tasks, each once, not 4"):
        dataclasses.replace(made, lists=(2, 2))


@pytest.mark.parametrize(
    "names",
    [TWO, tuple(TWO), np.array(TWO), dict.fromkeys(TWO), dict.fromkeys(TWO).keys(), iter(TWO), TWO * 2],
)
def test_skills_are_listed_by_whatever_has_an_order(names):
    made = benchmark("custom-ml-envs", train_envs=names, test_envs=("push-v3",), seed=0, num_goals=1)
    assert made.env_names() == TWO
    json.dumps([task.env_name for task in made.train_tasks])


@pytest.mark.parametrize(("name", "hidden"), [("ML10", False), ("MT10", True), ("half-cheetah-vel", False)])
def test_goals_can_be_shown_in_ml_and_hidden_in_mt(name, hidden):
    made = benchmark(name, seed=0, num_goals=2, partially_observable=np.bool_(hidden))
    usual = benchmark(name, seed=0, num_goals=2)
    assert {task["partially_observable"] for task in (*made.train_tasks, *made.test_tasks)} == {hidden}
    assert made != usual
    assert benchmark(name, seed=0, num_goals=2, partially_observable=not hidden) == usual
