import dataclasses
import importlib.metadata
import os
import re
import subprocess
import sys
from importlib.util import find_spec

import gymnasium
import mujoco
import numpy as np
import pytest

import taskworlds
from taskworlds import Task
from taskworlds.evaluation import Fingerprint, Result, compare, evaluate
from taskworlds.worlds.metaworld import skills
from taskworlds.worlds.metaworld.skill import Terms

DM_CONTROL = importlib.metadata.version("dm_control") if find_spec("dm_control") else None
TASKS = [Task("open", {"goal": 1}), Task("open", {"goal": 2})]


def test_versions_are_those_in_use():
    fingerprint = Fingerprint.of(TASKS, protocol="multi-task")
    assert fingerprint.mujoco == mujoco.__version__
    assert fingerprint.gymnasium == gymnasium.__version__
    assert fingerprint.numpy == np.__version__
    assert fingerprint.metaworld == "3.1.1"
    assert fingerprint.taskworlds == taskworlds.__version__


def test_dm_control_is_named_where_it_is_used():
    assert Fingerprint.of([Task("walker-walk", {"len": 0.2})], protocol="multi-task").dm_control == DM_CONTROL
    assert Fingerprint.of([Task("half-cheetah-dir")], protocol="multi-task").dm_control is None


def test_results_of_before_can_be_read():
    fields = Fingerprint.of(TASKS, protocol="multi-task").to_dict()
    del fields["dm_control"], fields["registered_skills"]
    assert Fingerprint.from_dict(fields) == Fingerprint.of(TASKS, protocol="multi-task")


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
