import copy
import gc
import pickle
import weakref

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from taskworlds.compat.garage.step_wrapper import StepWrapper
from taskworlds.compat.garage.task_name import TaskNameWrapper
from taskworlds.core.step import EnvSpec, EnvStep, StepType
from taskworlds.worlds.small.point import PointEnv


class Shouting(StepWrapper):
    """A user's wrapper that records no constructor arguments."""


def run(env, actions):
    """Gives all that an episode returns."""
    observation, info = env.reset(seed=5)
    return [(observation.tolist(), info)] + [
        (step.observation.tolist(), step.reward, step.step_type, step.env_info)
        for step in map(env.step, actions)
    ]


def test_env_must_be_a_gymnasium_env(line):
    with pytest.raises(TypeError, match=r"env must be a single Gymnasium environment .* not 'CartPole-v1'"):
        StepWrapper("CartPole-v1")
    vector = gymnasium.make_vec("CartPole-v1", num_envs=2)
    with pytest.raises(TypeError, match=r"use the wrappers of gymnasium\.wrappers\.vector"):
        StepWrapper(vector)


def test_plain_tuples_become_env_steps(line):
    env = StepWrapper(line(info={"a": 1}))
    observation, info = env.reset(seed=0)
    step = env.step(2)
    assert isinstance(step, EnvStep)
    assert (step.action, step.reward, step.env_info, step.env_spec) == (2, 1.0, {"a": 1}, env.spec)
    np.testing.assert_array_equal(step.observation, observation + 1)
    observation, reward, terminated, truncated, info = env.step(0)
    assert (reward, terminated, truncated, info) == (1.0, False, False, {"a": 1})


def test_step_types_of_plain_tuples(line):
    env = StepWrapper(line(terminate_at=3))
    for _ in range(2):
        env.reset()
        types = [env.step(0).step_type for _ in range(3)]
        assert types == [StepType.FIRST, StepType.MID, StepType.TERMINAL]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ({"terminate_at": 1}, StepType.TERMINAL),
        ({"truncate_at": 1}, StepType.TIMEOUT),
        ({"terminate_at": 1, "truncate_at": 1}, StepType.TERMINAL),
    ],
)
def test_terminated_wins_over_truncated(line, ends, expected):
    env = StepWrapper(line(**ends))
    env.reset()
    step = env.step(0)
    assert step.step_type is expected
    assert step.terminated == (expected is StepType.TERMINAL)
    assert step.truncated == (expected is StepType.TIMEOUT)


def test_an_inner_env_step_keeps_spec_action_and_type(line):
    env = StepWrapper(line(env_step=True, truncate_at=2))
    env.reset()
    step = env.step(0)
    assert step.step_type is StepType.MID  # by count it would be FIRST
    assert step.action == "inner action"
    assert step.env_spec == EnvSpec(env.observation_space, env.action_space, 2)
    assert env.step(0).timeout


@pytest.mark.parametrize("env_step", [False, True])
@pytest.mark.parametrize("end", ["terminate_at", "truncate_at"])
def test_step_needs_a_running_episode(line, env_step, end):
    env = StepWrapper(line(env_step=env_step, **{end: 2}))
    with pytest.raises(RuntimeError, match=r"needs a running episode.*reset\(\)"):
        env.step(0)
    env.reset()
    env.step(0)
    assert env.step(0).last
    with pytest.raises(RuntimeError, match=r"needs a running episode.*reset\(\)"):
        env.step(0)
    env.reset()
    assert not env.step(0).last


def test_a_step_of_the_old_api_is_refused(line):
    inner = line()
    inner.step = lambda action: (inner._observe(), 1.0, False, {})
    env = StepWrapper(inner)
    env.reset()
    with pytest.raises(
        ValueError, match=r"Line.step must return Gymnasium's five values .*Convert environments"
    ):
        env.step(0)


def test_spec_has_the_spaces_the_limit_and_the_wrapper():
    env = TaskNameWrapper(gymnasium.make("CartPole-v1", max_episode_steps=30), task_name="balance")
    spec = env.spec
    assert isinstance(spec, EnvSpec)
    assert (spec.id, spec.max_episode_length, spec.max_episode_steps) == ("CartPole-v1", 30, 30)
    assert (spec.action_space, spec.observation_space) == (env.action_space, env.observation_space)
    assert spec.additional_wrappers[-1].name == "TaskNameWrapper"
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert env.spec is spec
    assert "TaskNameWrapper" in spec.to_json()


def test_spec_of_an_env_without_one(line):
    env = StepWrapper(line())
    assert env.spec.id == "taskworlds/unregistered"
    assert env.spec.max_episode_length is None
    assert env.spec.observation_space == env.observation_space


def test_spec_can_make_the_env_again():
    env = TaskNameWrapper(gymnasium.make("CartPole-v1", max_episode_steps=30), task_name="balance")
    again = env.spec.make()
    assert isinstance(again, TaskNameWrapper)
    assert again.spec == env.spec
    assert run(again, [0, 1]) == run(env, [0, 1])


def test_spec_of_an_unregistered_env_copies_it(line):
    env = TaskNameWrapper(line(low=-3.0), task_name="a")
    again = env.spec.make()
    assert again.unwrapped is not env.unwrapped
    assert again.observation_space == env.observation_space
    assert run(again, [0, 1]) == run(env, [0, 1])
    with pytest.raises(ValueError, match=r"never registered.*Register it with gymnasium\.register"):
        env.spec.make(render_mode="rgb_array")


def test_a_spec_keeps_no_env_alive_and_pickles_none(line):
    env = StepWrapper(line())
    env.reset()
    step = env.step(0)
    inner = weakref.ref(env.unwrapped)
    copied = pickle.loads(pickle.dumps(step))
    assert copied.env_spec == step.env_spec
    with pytest.raises(ValueError, match="describes the environment but cannot make it"):
        copied.env_spec.make()
    del env
    gc.collect()
    assert inner() is None
    with pytest.raises(ValueError, match="never registered"):
        step.env_spec.make()


def test_the_spec_of_a_copy_makes_the_copy(line):
    env = StepWrapper(line())
    assert type(env.spec.make().env) is line  # without Gymnasium's checks around it
    assert copy.deepcopy(env.spec).entry_point is env.spec.entry_point  # copying a spec copies no env
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        other.unwrapped.goal = 11
        assert other.spec.make().goal == 11


def test_changing_the_spec_leaves_the_inner_one_alone():
    env = StepWrapper(gymnasium.make("CartPole-v1"))
    env.spec.kwargs["sutton_barto_reward"] = True
    assert "sutton_barto_reward" not in env.env.spec.kwargs


def test_a_wrapper_that_records_no_arguments_cannot_be_made_from_a_spec():
    env = Shouting(gymnasium.make("CartPole-v1"))
    with pytest.raises(ValueError, match="Shouting wrapper does not inherit"):
        env.spec.make()


def test_public_attributes_are_forwarded(line):
    inner = line()
    env = TaskNameWrapper(gymnasium.wrappers.TimeLimit(StepWrapper(inner), 9), task_name="a")
    assert env.goal == 7
    inner.goal = 8
    assert env.goal == env.get_wrapper_attr("goal") == 8
    assert env.has_wrapper_attr("goal")
    assert env.unwrapped is inner


def test_private_and_missing_attributes(line):
    env = StepWrapper(line())
    with pytest.raises(AttributeError, match="StepWrapper has no attribute '_secret'; private"):
        _ = env._secret
    assert env.get_wrapper_attr("_secret") == 1
    with pytest.raises(
        AttributeError, match="neither StepWrapper nor the Line in it has an attribute 'gaol'"
    ):
        _ = env.gaol
    assert not env.has_wrapper_attr("gaol")


def test_set_wrapper_attr_reaches_the_env_that_has_it(line):
    inner = line()
    env = TaskNameWrapper(StepWrapper(inner), task_name="a")
    assert env.set_wrapper_attr("goal", 9)
    assert (inner.goal, env.goal) == (9, 9)
    assert not env.set_wrapper_attr("new", 1, force=False)
    assert not hasattr(env, "new")
    assert env.set_wrapper_attr("new", 1)
    assert env.new == 1
    assert not hasattr(inner, "new")
    env.set_wrapper_attr("new", 2)
    assert env.new == 2


def test_render_of_a_gymnasium_env(line):
    env = StepWrapper(line())
    env.reset()
    assert env.render_modes == ["ansi"]
    assert env.render() == env.render("ansi") == "at 0"
    with pytest.raises(ValueError, match="mode must be one of 'ansi', not 'human'"):
        env.render("human")


def test_render_and_visualize_of_an_env_with_modes(capsys):
    inner = PointEnv()
    env = TaskNameWrapper(gymnasium.wrappers.TimeLimit(inner, 9), task_name="a")
    env.reset(seed=0)
    assert env.render_modes == inner.render_modes
    assert env.render("ascii") == inner.render("ascii")
    with pytest.raises(ValueError, match="mode"):
        env.render("human")
    env.visualize()
    env.step(np.zeros(2, np.float32))
    assert capsys.readouterr().out.count("Point:") == 2


def test_visualize_is_missing_where_the_env_has_none(line):
    assert not hasattr(StepWrapper(line()), "visualize")


def test_metadata_render_mode_and_generator_are_the_envs(line):
    inner = line()
    env = StepWrapper(inner)
    env.reset(seed=0)
    assert (env.metadata, env.render_mode, env.np_random) == (inner.metadata, "ansi", inner.np_random)


def test_copies_and_pickles_continue_the_episode(line):
    env = TaskNameWrapper(StepWrapper(line(terminate_at=3)), task_name="a")
    env.reset(seed=0)
    env.step(0)
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        step = other.step(1)
        assert step.step_type is StepType.MID
        assert other.step(1).terminal
        assert other.reset()[0].tolist() == copy.deepcopy(env).reset()[0].tolist()
        assert other.spec == env.spec
    assert env.unwrapped.count == 1


def test_gymnasium_make_on_top(line):
    gymnasium.register(
        "tests/Wrapped-v0", lambda: TaskNameWrapper(line(), task_name="a"), max_episode_steps=2
    )
    try:
        env = gymnasium.make("tests/Wrapped-v0")
        assert env.spec.id == "tests/Wrapped-v0"
        assert env.spec.additional_wrappers[-1].name == "TaskNameWrapper"
        env.reset(seed=1)
        assert env.step(0)[4] == {"task_name": "a"}
        assert env.step(0)[3]
        again = gymnasium.make(env.spec)
        assert str(again) == str(env)
        assert again.reset(seed=1)[0].tolist() == env.reset(seed=1)[0].tolist()
        vector = gymnasium.make_vec("tests/Wrapped-v0", num_envs=2, vectorization_mode="sync")
        vector.reset(seed=1)
        assert vector.step(np.zeros(2, np.int64))[4]["task_name"].tolist() == ["a", "a"]
        assert vector.call("goal") == (7, 7)
        vector.set_attr("goal", [1, 2])
        assert vector.get_attr("goal") == (1, 2)
        assert [one.unwrapped.goal for one in vector.envs] == [1, 2]
    finally:
        del gymnasium.registry["tests/Wrapped-v0"]


def test_check_env(check, line):
    check(StepWrapper(line()))
    check(StepWrapper(line(env_step=True)))
    check(StepWrapper(PointEnv()))
    check(StepWrapper(gymnasium.make("CartPole-v1")), skip_render_check=True)


def test_spaces_of_the_wrapper_are_the_envs(line):
    space = Box(-1.0, 1.0, (1,))
    env = StepWrapper(line(actions=space))
    assert env.action_space == space
    assert StepWrapper(line()).action_space == Discrete(3)
