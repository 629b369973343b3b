"""The task as a value."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import subprocess
import sys
from types import SimpleNamespace

import metaworld
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metaworld.env_dict import ALL_V3_ENVIRONMENTS

from taskworlds import Task

GOAL = (0.0, 0.6, 0.02, 0.1, 0.8, 0.2)


def reach(goal=GOAL, hidden=False):
    return Task("reach-v3", {"rand_vec": goal, "partially_observable": hidden})


@pytest.fixture(scope="module")
def official_tasks():
    """Meta-World's own tasks of MT1, three of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metaworld, "_N_GOALS", 3)
        return metaworld.MT1("reach-v3", seed=0).train_tasks


def test_frozen():
    task = reach()
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.env_name = "push-v3"
    with pytest.raises(TypeError, match="item assignment"):
        task.params["rand_vec"] = (0.0, 0.0, 0.0)
    with pytest.raises(TypeError, match="item assignment"):
        task["rand_vec"][0] = 1.0


def test_later_changes_of_what_was_given_do_not_reach_the_task():
    vector, params = np.array(GOAL), {"partially_observable": False}
    params["rand_vec"] = vector
    task = Task("reach-v3", params)
    vector[:] = 9.0
    params["partially_observable"] = True
    assert task == reach()


@pytest.mark.parametrize("make", [tuple, list, np.array], ids=["tuple", "list", "array"])
def test_equal_however_the_numbers_come(make):
    task = reach(make(GOAL))
    assert task == reach()
    assert hash(task) == hash(reach())
    assert task.id == reach().id
    assert type(task["rand_vec"]) is tuple
    assert {type(x) for x in task["rand_vec"]} == {float}


def test_numpy_scalars_become_python_values():
    task = Task("x", {"a": np.float64(0.5), "b": np.int64(3), "c": np.bool_(True), "d": np.str_("e")})
    assert dict(task.params) == {"a": 0.5, "b": 3, "c": True, "d": "e"}
    assert [type(value) for value in task.params.values()] == [float, int, bool, str]


def test_float32_goals_keep_their_value():
    assert reach(np.array(GOAL, dtype=np.float32))["rand_vec"] == tuple(float(np.float32(x)) for x in GOAL)


@pytest.mark.parametrize(
    "other",
    [
        reach((0.0, 0.6, 0.02, 0.1, 0.8, 0.2000001)),
        reach(hidden=True),
        Task("push-v3", reach().params),
        "reach",
    ],
    ids=["goal", "visibility", "skill", "no task"],
)
def test_different(other):
    assert reach() != other
    assert len({reach(), other}) == 2


def test_order_and_sign_of_zero_do_not_count():
    assert Task("x", {"a": 0.0, "b": (1, 0.5)}) == Task("x", {"b": (1.0, 0.5), "a": -0.0})
    assert Task("x", {"a": 0.0, "b": 1}).id == Task("x", {"b": 1, "a": -0.0}).id


@pytest.mark.parametrize(
    ("task", "id"),
    [
        (reach(), "9101a5bde0bd"),
        (reach(hidden=True), "e8fa780199b0"),
        (
            Task("walker", {"mass": 2, "name": "x", "seen": None, "ranges": ((0, 1), (0.5, 1.0))}),
            "75f6849c11d9",
        ),
        (Task("empty"), "4c52e6b6615a"),
    ],
)
def test_ids_never_change(task, id):
    assert task.id == id


def test_id_is_the_same_in_another_process():
    code = f"from taskworlds import Task; print(Task.from_json({reach().to_json()!r}).id, end='')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == reach().id


floats = st.floats(allow_nan=False, allow_infinity=False)
values = st.one_of(floats, st.integers(), st.booleans(), st.text(), st.none(), st.lists(floats, max_size=6))


@given(st.text(), st.dictionaries(st.text(), values, max_size=4))
def test_json_is_exact(env_name, params):
    task = Task(env_name, params)
    again = Task.from_json(task.to_json())
    assert again == task
    assert again.id == task.id
    assert again.to_json() == task.to_json()
    for name, value in task.params.items():
        assert type(again[name]) is type(value)
        if isinstance(value, float):
            assert np.float64(again[name]).tobytes() == np.float64(value).tobytes()


def test_json_is_one_line_of_plain_json():
    text = reach().to_json()
    assert "\n" not in text
    assert json.loads(text) == {
        "env_name": "reach-v3",
        "params": {"partially_observable": False, "rand_vec": list(GOAL)},
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "3",
        "[]",
        '{"env_name": "reach-v3"}',
        '{"env_name": "reach-v3", "params": {}, "more": 1}',
        '{"env_name": 3, "params": {}}',
        '{"env_name": "reach-v3", "params": [1]}',
        '{"env_name": "reach-v3", "params": {"rand_vec": [NaN]}}',
        '{"env_name": "reach-v3", "params": {"rand_vec": {"x": 1}}}',
        '{"env_name": "reach-v3", "params": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"env_name": "reach-v3", "params": {"mass": ' + "[" * 20 + "]" * 20 + "}}",
        '{"env_name": "reach-v3", "params": {"mass": 1' + "0" * 400 + "}}",
        '{"env_name": "reach-v3", "params": {"mass": 1' + "0" * 5000 + "}}",
        '{"env_name": "reach-v3", "params": {"mass": 1e999}}',
        b"\x80\x04\x95\xff",
        reach().to_json()[:-5],
    ],
)
def test_what_is_no_tasks_json_is_refused(text):
    with pytest.raises(ValueError, match=r"task's (JSON|parameter)"):
        Task.from_json(text)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_only_finite_numbers(bad):
    with pytest.raises(ValueError, match="'rand_vec' must be finite, not"):
        reach((0.0, 0.6, bad))
    with pytest.raises(ValueError, match="'rand_vec' must be finite, not"):
        reach(np.array([0.0, 0.6, bad]))
    with pytest.raises(ValueError, match="'mass' must be finite, not"):
        Task("x", {"mass": bad})


@pytest.mark.parametrize("bad", [{"x": 1}, {1, 2}, b"bytes", object(), 1j, [object()]])
def test_only_plain_values(bad):
    with pytest.raises(TypeError, match="'rand_vec' must be a number, a string, or a list of them, not"):
        reach(bad)


def test_names_and_params_are_checked():
    with pytest.raises(TypeError, match="env_name must be a string, not 3"):
        Task(3)
    with pytest.raises(TypeError, match="params must be a mapping of names to values, not"):
        Task("reach-v3", [1])
    with pytest.raises(TypeError, match="named by strings, not 1"):
        Task("reach-v3", {1: 2})


def test_missing_parameter():
    with pytest.raises(
        KeyError, match=r"'mass' is not a parameter of this task; it has partially_obs.*, rand_vec"
    ):
        reach()["mass"]


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda task: pickle.loads(pickle.dumps(task))])
def test_copies_are_equal(again):
    for task in (reach(), Task("empty")):
        task.id  # noqa: B018  (kept once computed; copies must do with and without)
        twin = again(task)
        assert twin == task
        assert hash(twin) == hash(task)
        assert (twin.id, twin.to_json()) == (task.id, task.to_json())
        with pytest.raises(dataclasses.FrozenInstanceError):
            twin.env_name = "x"


def test_from_meta_world_and_back(official_tasks):
    for official in official_tasks:
        task = Task.from_metaworld(official)
        data = pickle.loads(official.data)
        assert task.env_name == "reach-v3"
        assert np.array(task["rand_vec"]).tobytes() == data["rand_vec"].tobytes()
        assert task["partially_observable"] is False
        back = task.to_metaworld()
        assert type(back) is type(official)
        assert back.env_name == official.env_name
        again = pickle.loads(back.data)
        assert again.keys() == data.keys()
        assert again["rand_vec"].tobytes() == data["rand_vec"].tobytes()
        assert again["env_cls"] is data["env_cls"]
        assert again["partially_observable"] is data["partially_observable"]
        assert Task.from_metaworld(back) == task


@pytest.mark.parametrize("hidden", [False, True])
def test_an_official_environment_takes_our_task_as_it_is(hidden):
    env = ALL_V3_ENVIRONMENTS["reach-v3"]()
    env.set_task(reach(hidden=hidden))
    obs, _ = env.reset()
    assert tuple(env._last_rand_vec) == GOAL
    assert obs[36:].tolist() == ([0.0, 0.0, 0.0] if hidden else [0.1, 0.8, 0.2])


def test_other_worlds_tasks_are_not_meta_worlds():
    with pytest.raises(ValueError, match="'walker' is not a Meta-World skill, so Meta-World cannot take"):
        Task("walker", {"rand_vec": GOAL}).to_metaworld()
    with pytest.raises(ValueError, match="must have the parameter rand_vec, and has mass"):
        Task("reach-v3", {"mass": 1.0}).to_metaworld()


def test_of(official_tasks):
    assert Task.of(reach()) == reach()
    assert Task.of(official_tasks[0]) == Task.from_metaworld(official_tasks[0])
    for bad in ("reach-v3", None, 3, {"env_name": "reach-v3"}, SimpleNamespace(env_name="x", data=3)):
        with pytest.raises(
            TypeError, match=r"Expected a taskworlds\.Task or one of Meta-World's own tasks, not"
        ):
            Task.of(bad)
    with pytest.raises(TypeError, match="Expected a metaworld Task"):
        Task.from_metaworld(reach().to_json())


def test_repr_shows_everything():
    shown = "{'partially_observable': False, 'rand_vec': (0.0, 0.6, 0.02, 0.1, 0.8, 0.2)}"
    assert repr(reach()) == f"Task(env_name='reach-v3', params={shown})"
