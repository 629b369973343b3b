import copy
import pickle

import gymnasium
import numpy as np
import pytest

from taskworlds import TaskNameWrapper
from taskworlds.core.step import StepType
from taskworlds.worlds.small.point import PointEnv


def infos(env):
    _, info = env.reset(seed=0)
    assert info == {}  # garage cannot stack numbers and names there
    return [env.step(env.action_space.sample()).env_info for _ in range(2)]


def test_name_and_id_are_in_info_at_each_step(line):
    env = TaskNameWrapper(line(info={"a": 1}), task_name="reach", task_id=3)
    assert infos(env) == [{"a": 1, "task_name": "reach", "task_id": 3}] * 2


@pytest.mark.parametrize("env_step", [False, True])
def test_values_from_inside_are_replaced(line, env_step):
    env = TaskNameWrapper(
        line(info={"task_name": "x", "task_id": 8}, env_step=env_step), task_name="reach", task_id=0
    )
    assert infos(env) == [{"task_name": "reach", "task_id": 0}] * 2


def test_what_is_not_given_is_left_alone(line):
    assert (
        infos(TaskNameWrapper(line(info={"task_id": 8}), task_name="reach"))
        == [{"task_id": 8, "task_name": "reach"}] * 2
    )
    assert infos(TaskNameWrapper(line(), task_id=2)) == [{"task_id": 2}] * 2
    assert infos(TaskNameWrapper(line())) == [{}] * 2


def test_the_inner_info_is_not_changed(line):
    shared = {"a": 1}
    inner = line()
    inner.step = lambda action: (inner._observe(), 0.0, False, False, shared)
    env = TaskNameWrapper(inner, task_name="reach")
    env.reset()
    assert env.step(0).env_info == {"a": 1, "task_name": "reach"}
    assert shared == {"a": 1}


def test_nothing_else_of_the_step_changes(line):
    env = TaskNameWrapper(line(env_step=True, terminate_at=2), task_name="reach")
    observation, _ = env.reset(seed=0)
    step = env.step(1)
    assert (step.action, step.reward, step.step_type) == ("inner action", 1.0, StepType.MID)
    np.testing.assert_array_equal(step.observation, observation + 1)
    assert env.step(1).terminal
    assert env.observation_space == env.unwrapped.observation_space


def test_arguments_are_keywords_only(line):
    with pytest.raises(TypeError, match="positional"):
        TaskNameWrapper(line(), "reach")
    with pytest.raises(TypeError, match="unexpected keyword"):
        TaskNameWrapper(line(), name="reach")


def test_wrong_arguments(line):
    with pytest.raises(TypeError, match="task_name must be a string or None, not 3"):
        TaskNameWrapper(line(), task_name=3)
    with pytest.raises(TypeError, match="task_id must be a whole number, not 'reach'"):
        TaskNameWrapper(line(), task_id="reach")
    with pytest.raises(ValueError, match="task_id must be at least 0, not -1"):
        TaskNameWrapper(line(), task_id=-1)


def test_copies_keep_the_name(line):
    env = TaskNameWrapper(line(), task_name="reach", task_id=np.int64(1))
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env)), env.spec.make()):
        assert infos(other) == [{"task_name": "reach", "task_id": 1}] * 2


def test_point_env():
    env = TaskNameWrapper(PointEnv(max_episode_length=1), task_name="point")
    env.reset(seed=0)
    step = env.step(np.zeros(2, np.float32))
    assert step.timeout
    assert step.env_info["task_name"] == "point"
    assert not step.env_info["success"]
    assert env.spec.max_episode_length == 1
    env.set_task({"goal": (0.5, 0.0)})
    assert env.reset()[1]["goal"].tolist() == [0.5, 0.0]


def test_check_env(check, line):
    check(TaskNameWrapper(line(), task_name="reach", task_id=3))
    check(TaskNameWrapper(PointEnv(), task_name="reach"))
    check(TaskNameWrapper(gymnasium.make("CartPole-v1"), task_id=3), skip_render_check=True)
