import copy
import functools
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box

from taskworlds import TaskOnehotWrapper
from taskworlds.worlds.small.point import PointEnv


@pytest.mark.parametrize("env_step", [False, True])
def test_observations_end_with_the_onehot(line, env_step):
    env = TaskOnehotWrapper(line(env_step=env_step), 1, 3)
    inner = line()
    observation, _ = env.reset(seed=4)
    expected, _ = inner.reset(seed=4)
    np.testing.assert_array_equal(observation, [*expected, 0.0, 1.0, 0.0])
    step = env.step(0)
    np.testing.assert_array_equal(step.observation, [*inner.step(0)[0], 0.0, 1.0, 0.0])
    assert step.env_spec == env.spec
    assert step.observation in env.observation_space


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8, np.int64])
def test_dtype_is_kept(line, dtype):
    env = TaskOnehotWrapper(line(dtype=dtype), 0, 2)
    observation, _ = env.reset(seed=0)
    step = env.step(0)
    assert observation.dtype == step.observation.dtype == env.observation_space.dtype == dtype
    assert observation in env.observation_space
    assert step.observation in env.observation_space


def test_float64_observations_stay_exact(line):
    env = TaskOnehotWrapper(line(), 0, 2)
    observation, _ = env.reset(seed=0)
    assert observation[:2].tolist() == env.unwrapped.start.tolist()
    assert not np.array_equal(observation[:2], observation[:2].astype(np.float32))


def test_an_observation_of_another_dtype_gets_that_of_the_space(line):
    inner = line(dtype=np.float32)
    inner._observe = lambda: inner.start  # float64
    env = TaskOnehotWrapper(inner, 0, 2)
    assert env.reset(seed=0)[0].dtype == np.float32


def test_bounds_are_extended_by_zero_and_one(line):
    env = TaskOnehotWrapper(line(low=-2.0, high=5.0, size=1), 0, 2)
    assert env.observation_space == Box(
        np.array([-2.0, 0.0, 0.0]), np.array([5.0, 1.0, 1.0]), dtype=np.float64
    )


def test_info_has_the_task_id_at_each_step(line):
    env = TaskOnehotWrapper(line(info={"task_id": 9, "a": 1}), 1, 2)
    assert env.reset()[1] == {}  # garage cannot stack numbers there
    assert env.step(0).env_info == {"task_id": 1, "a": 1}


def test_spec_has_the_wider_space_and_the_inner_limit():
    env = TaskOnehotWrapper(gymnasium.make("CartPole-v1", max_episode_steps=12), 0, 2)
    assert env.spec.observation_space == env.observation_space
    assert env.spec.observation_space.shape == (6,)
    assert env.spec.max_episode_length == 12


def test_onehots_nest(line):
    env = TaskOnehotWrapper(TaskOnehotWrapper(line(), 1, 2), 0, 3)
    observation, _ = env.reset()
    assert observation[2:].tolist() == [0, 1, 1, 0, 0]
    assert env.step(0).env_info == {"task_id": 0}


@pytest.mark.parametrize(
    ("index", "total", "error", "message"),
    [
        (2, 2, ValueError, "task_index must be below n_total_tasks=2, not 2"),
        (-1, 2, ValueError, "task_index must be at least 0, not -1"),
        (0, 0, ValueError, "n_total_tasks must be at least 1, not 0"),
        (0.0, 2, TypeError, "task_index must be a whole number, not 0.0"),
        (0, "2", TypeError, "n_total_tasks must be a whole number, not '2'"),
    ],
)
def test_wrong_numbers(line, index, total, error, message):
    with pytest.raises(error, match=message):
        TaskOnehotWrapper(line(), index, total)


def test_observations_must_be_a_vector(line):
    inner = line()
    for space in (Box(0.0, 1.0, (2, 2)), Box(0.0, 1.0, ()), gymnasium.spaces.Discrete(3)):
        inner.observation_space = space
        with pytest.raises(
            ValueError, match=r"one-hot needs observations that are a vector .*FlattenObservation"
        ):
            TaskOnehotWrapper(inner, 0, 2)


def test_wrap_env_list(line):
    inner = [line(), line(), line()]
    envs = TaskOnehotWrapper.wrap_env_list(inner)
    assert [type(env) for env in envs] == [TaskOnehotWrapper] * 3
    assert [env.env for env in envs] == inner
    assert [env.reset()[0][2:].tolist() for env in envs] == np.eye(3).tolist()
    assert TaskOnehotWrapper.wrap_env_list([]) == []
    with pytest.raises(TypeError, match="envs must be a list of environments, not <"):
        TaskOnehotWrapper.wrap_env_list(line())


def test_wrap_env_cons_list_builds_when_called(line):
    built = []

    def construct(name):
        built.append(name)
        return line()

    constructors = TaskOnehotWrapper.wrap_env_cons_list(
        [functools.partial(construct, "a"), functools.partial(construct, "b")]
    )
    assert built == []
    envs = [constructors[1](), constructors[0]()]
    assert built == ["b", "a"]
    assert [env.reset()[0][2:].tolist() for env in envs] == [[0, 1], [1, 0]]


def test_wrap_env_cons_list_gives_picklable_constructors():
    constructors = TaskOnehotWrapper.wrap_env_cons_list([PointEnv, PointEnv])
    env = pickle.loads(pickle.dumps(constructors))[1]()
    assert isinstance(env.unwrapped, PointEnv)
    assert env.reset()[0][3:].tolist() == [0.0, 1.0]


def test_wrap_env_cons_list_refuses_environments(line):
    with pytest.raises(
        TypeError, match=r"env_cons must hold functions .* item 1 is <.*Line.*Use wrap_env_list"
    ):
        TaskOnehotWrapper.wrap_env_cons_list([line, line()])
    with pytest.raises(TypeError, match="env_cons must be a list of functions"):
        TaskOnehotWrapper.wrap_env_cons_list(line)


def test_a_subclass_wraps_with_itself(line):
    class Mine(TaskOnehotWrapper):
        pass

    assert type(Mine.wrap_env_list([line()])[0]) is Mine
    assert type(Mine.wrap_env_cons_list([line])[0]()) is Mine


def test_copies_behave_the_same(line):
    env = TaskOnehotWrapper(line(terminate_at=2), 1, 2)
    env.reset(seed=0)
    env.step(0)
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        step = other.step(0)
        assert step.terminal
        assert step.observation[2:].tolist() == [0, 1]
        assert other.spec == env.spec


def test_point_env():
    env = TaskOnehotWrapper(PointEnv(goal=(0.3, 0.4)), 0, 2)
    observation, info = env.reset(seed=0)
    np.testing.assert_allclose(observation, [0, 0, 0.5, 1, 0], atol=1e-7)
    assert observation.dtype == np.float32
    assert env.step(np.zeros(2)).env_info["task_id"] == 0
    assert info["goal"].tolist() == np.array([0.3, 0.4], np.float32).tolist()


def test_check_env(check, line):
    check(TaskOnehotWrapper(line(), 1, 3))
    check(TaskOnehotWrapper(PointEnv(), 1, 3))
    check(TaskOnehotWrapper(gymnasium.make("Pendulum-v1"), 1, 3), skip_render_check=True)
