import importlib.metadata
from importlib.util import find_spec

import gymnasium
import mujoco
import numpy as np

import taskworlds
from taskworlds import Task
from taskworlds.evaluation import Fingerprint

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
    del fields["dm_control"]
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
