"""What two results must share before they are compared."""

import copy
import dataclasses
import importlib.metadata
import json
import os
import pickle
import re
import subprocess
import sys
from importlib.util import find_spec

import gymnasium
import mujoco
import numpy as np
import pytest

import taskworlds
from taskworlds import RowEngine, Task
from taskworlds.evaluation import Episode, Fingerprint, Result, TaskRecord, compare, evaluate
from taskworlds.worlds.metaworld import skills
from taskworlds.worlds.metaworld.skill import Terms

DM_CONTROL = importlib.metadata.version("dm_control") if find_spec("dm_control") else None
TASKS = [Task("open", {"goal": 1}), Task("open", {"goal": 2})]


def test_versions_are_those_in_use():
    fingerprint = Fingerprint.of([Task("reach-v3")], protocol="multi-task")
    assert dict(fingerprint.packages) == {
        "gymnasium": gymnasium.__version__,
        "metaworld": "3.1.1",
        "mujoco": mujoco.__version__,
        "numpy": np.__version__,
    }
    assert fingerprint.taskworlds == taskworlds.__version__


def test_only_packages_of_the_tasks_worlds_are_named():
    of_control = Fingerprint.of([Task("walker-walk", {"len": 0.2})], protocol="multi-task")
    assert list(of_control.packages) == ["dm_control", "gymnasium", "mujoco", "numpy"]
    assert of_control.packages["dm_control"] == DM_CONTROL
    assert list(Fingerprint.of(TASKS, protocol="multi-task").packages) == ["gymnasium", "numpy"]


def test_versions_are_attributes():
    fingerprint = Fingerprint.of([Task("half-cheetah-dir")], protocol="multi-task")
    assert (fingerprint.mujoco, fingerprint.dm_control) == (mujoco.__version__, None)
    with pytest.raises(AttributeError, match="'Fingerprint' object has no attribute 'pytorch'"):
        fingerprint.pytorch  # noqa: B018


def test_it_is_frozen_and_can_be_hashed_and_pickled():
    fingerprint = Fingerprint.of(TASKS, protocol="multi-task")
    assert len({fingerprint, pickle.loads(pickle.dumps(fingerprint)), copy.deepcopy(fingerprint)}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        fingerprint.packages = {}
    with pytest.raises(TypeError):
        fingerprint.packages["numpy"] = "1.0"


def test_an_engine_counts_if_it_is_not_exact():
    exact = RowEngine("swift", "somewhere:make", exact=True, version="1.0")
    fast, faster = (RowEngine("fast", "somewhere:make", version=version) for version in ("1.0", "2.0"))
    none, same, one, other = (
        Fingerprint.of(TASKS, protocol="multi-task", engine=engine) for engine in (None, exact, fast, faster)
    )
    assert none == same
    assert same.differences(one) == {"engine": (None, "fast 1.0")}
    assert one.differences(other) == {"engine": ("fast 1.0", "fast 2.0")}


def version_1(fingerprint, **flat):
    """What the fingerprint was in files of format version 1: each package a field, the same ones for all worlds."""
    fields = fingerprint.to_dict()
    del fields["packages"], fields["engine"]
    installed = {"mujoco": mujoco.__version__, "metaworld": "3.1.1", "dm_control": None}
    return fields | installed | {"gymnasium": gymnasium.__version__, "numpy": np.__version__} | flat


def test_fingerprints_of_format_version_1_can_be_read():
    now = Fingerprint.of([Task("reach-v3")], protocol="multi-task")
    then = version_1(now)
    assert Fingerprint.from_dict(then) == now
    del then["dm_control"], then["registered_skills"]  # which came later
    assert Fingerprint.from_dict(then) == now
    assert list(Fingerprint.from_dict(version_1(now, numpy="1.0")).differences(now)) == ["numpy"]


@pytest.mark.parametrize("name", ["reach-v3", "half-cheetah-dir", "CartPole-v1"])
def test_results_of_format_version_1_compare_with_those_of_now(name):
    task = Task(name, {"goal": 1})
    fingerprint = Fingerprint.of([task], protocol="multi-task")
    now = Result("toy", None, 1, 0, fingerprint, (TaskRecord(task, (Episode(1.0, 2, None, None),)),))
    data = json.loads(now.to_json())
    data |= {"format_version": 1, "fingerprint": version_1(fingerprint)}
    then = Result.from_json(json.dumps(data))
    assert then == now
    assert compare(then, now).fingerprint_differences == {}


def test_the_order_of_the_tasks_does_not_matter_but_each_task_does():
    one = Fingerprint.of(TASKS, protocol="multi-task")
    assert one == Fingerprint.of(TASKS[::-1], protocol="multi-task")
    assert list(one.differences(Fingerprint.of(TASKS[:1], protocol="multi-task"))) == ["tasks"]


def test_settings_are_part_of_it():
    settings = {"reward_function_version": "v2", "max_episode_steps": 500, "terminate_on_success": True}
    one = Fingerprint.of(TASKS, protocol="multi-task", **settings)
    other = Fingerprint.of(TASKS, protocol="multi-task", **settings | {"terminate_on_success": False})
    assert one.differences(other) == {"terminate_on_success": (True, False)}
    assert one.differences(one) == {}


def test_to_dict_and_back():
    one = Fingerprint.of(TASKS, protocol="multi-task", max_episode_steps=5)
    assert Fingerprint.from_dict(one.to_dict()) == one


# --- registered skills ---


@pytest.fixture
def register(monkeypatch):
    """Registers a changed copy of reach-v3, in place of the one before, and gives the fingerprint of a task of it."""
    monkeypatch.setattr(skills, "_registered", {})

    def register(name="reach-mine-v1", **changes):
        changed = dataclasses.replace(skills.skill("reach-v3"), name=name, class_name="", **changes)
        skills.register_skill(changed, replace=True)
        return Fingerprint.of([Task(name), Task("push-v3")], protocol="multi-task")

    return register


def rewarding(amount):
    """A reward that is always the same."""

    def reward(now, obs, action, start, memory, single):
        return Terms(amount, False, False, False, 0.0, 0.0, 0.0)

    return reward


def test_a_registered_skills_code_is_part_of_it_and_an_official_ones_is_not(register):
    one = register(rewards={"v2": rewarding(1.0)})
    assert re.fullmatch(r"Python 3\.\d+: reach-mine-v1 [0-9a-f]{16}", one.registered_skills)
    assert one == register(rewards={"v2": rewarding(1.0)}, summary="in other words")
    for change in ({"rewards": {"v2": rewarding(2.0)}}, {"hand_high": (0.5, 1.0, 0.4)}):
        assert list(one.differences(register(**{"rewards": {"v2": rewarding(1.0)}} | change))) == [
            "registered_skills"
        ]
    assert Fingerprint.of([Task("reach-v3")], protocol="multi-task").registered_skills is None


def test_each_registered_skill_is_named_whatever_the_order(register):
    register("reach-b-v1")
    register("reach-a-v1")
    tasks = [Task("reach-b-v1"), Task("reach-a-v1"), Task("reach-b-v1")]
    both = Fingerprint.of(tasks, protocol="multi-task").registered_skills
    assert re.fullmatch(r"Python 3\.\d+: reach-a-v1 (\w{16}), reach-b-v1 \1", both)


def test_results_from_before_and_after_a_change_are_not_compared(register):
    def evaluated(amount):
        register(rewards={"v2": rewarding(amount)})
        short = {"num_goals": 1, "max_episode_steps": 2, "vector_strategy": "sync"}
        return evaluate(lambda obs: np.zeros((len(obs), 4)), "reach-mine-v1", **short)

    before, after = evaluated(1.0), evaluated(2.0)
    with pytest.raises(
        ValueError, match=r"They differ in registered_skills: 'Python 3.*reach-mine-v1 .*' and"
    ):
        compare(before, after)
    comparison = compare(before, after, allow_different=["registered_skills"])
    assert comparison.overall["episode_return"].mean.value == 2.0
    assert compare(before, evaluated(1.0)).fingerprint_differences == {}
    assert Result.from_json(before.to_json()) == before


def test_what_counts_is_the_skill_that_an_evaluation_began_with(register):
    began = register(rewards={"v2": rewarding(1.0)})

    def policy(obs):
        register(rewards={"v2": rewarding(2.0)})
        return np.zeros((len(obs), 4))

    short = {"num_goals": 1, "max_episode_steps": 2, "vector_strategy": "sync"}
    assert evaluate(policy, "reach-mine-v1", **short).fingerprint.registered_skills == began.registered_skills


MODEL = """<mujoco><include file="../scene/basic_scene.xml"/><include file="parts.xml"/>
<compiler meshdir="meshes"/><asset><mesh file="block.stl"/></asset></mujoco>"""
PARTS = """<mujoco><asset><mesh file="lid.stl"/></asset></mujoco>"""


def with_model(folder, register, **files):
    """Gives what the fingerprint holds for a skill with a model file of one's own, in a folder of its own."""
    written = {
        "model.xml": MODEL,
        "parts.xml": PARTS,
        "meshes/block.stl": "solid",
        "lid.stl": "",
        "notes.txt": "",
    }
    for name, text in (written | files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return register(model=folder / "model.xml").registered_skills


def test_a_model_file_counts_with_what_it_names_and_not_with_its_place(register, tmp_path):
    one = with_model(tmp_path / "a", register)
    assert one == with_model(tmp_path / "b", register, **{"notes.txt": "named nowhere"})
    changes = (
        ("model.xml", MODEL + " "),
        ("parts.xml", PARTS + " "),
        ("meshes/block.stl", "liquid"),
        ("lid.stl", "liquid"),
    )
    for number, (name, text) in enumerate(changes):
        assert one != with_model(tmp_path / f"changed{number}", register, **{name: text}), name


def test_a_digest_holds_in_other_processes(register):
    code = (
        "import dataclasses\n"
        "from taskworlds.worlds.metaworld.skill_code import registered_code\n"
        "from taskworlds.worlds.metaworld import skills\n"
        "mine = dataclasses.replace(skills.skill('reach-v3'), name='reach-mine-v1', class_name='')\n"
        "skills.register_skill(mine)\n"
        "print(registered_code(['reach-mine-v1']))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {register().registered_skills}
