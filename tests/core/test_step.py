"""EnvStep, StepType and EnvSpec."""

import copy
import math
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec as GymnasiumEnvSpec
from gymnasium.spaces import Box, Discrete

from taskworlds import EnvSpec, EnvStep, StepType
from taskworlds.core.step import SpecMixin


def make_step(step_type=StepType.MID, **changes):
    parts = {
        "env_spec": EnvSpec(Box(0.0, 1.0, (2,)), Discrete(2), 10),
        "action": 1,
        "reward": 0.5,
        "observation": np.array([0.25, 0.75]),
        "env_info": {"success": True},
        "step_type": step_type,
    }
    return EnvStep(**parts | changes)


class TestStepType:
    def test_numbers_are_garages(self):
        assert [(kind.name, int(kind)) for kind in StepType] == [
            ("FIRST", 0),
            ("MID", 1),
            ("TERMINAL", 2),
            ("TIMEOUT", 3),
        ]

    @pytest.mark.parametrize(
        ("step_cnt", "limit", "done", "expected"),
        [
            (1, 5, False, StepType.FIRST),
            (2, 5, False, StepType.MID),
            (4, 5, False, StepType.MID),
            (5, 5, False, StepType.TIMEOUT),
            (6, 5, False, StepType.TIMEOUT),
            (1, 1, False, StepType.TIMEOUT),
            (1, 5, True, StepType.TERMINAL),
            (5, 5, True, StepType.TERMINAL),
            (10**9, None, False, StepType.MID),
            (10**9, math.inf, False, StepType.MID),
        ],
    )
    def test_get_step_type(self, step_cnt, limit, done, expected):
        assert StepType.get_step_type(step_cnt, limit, done) is expected

    def test_a_count_below_one_means_no_reset(self):
        with pytest.raises(ValueError, match=r"step_cnt must be at least 1, not 0: call reset\(\)"):
            StepType.get_step_type(0, 5, False)

    @pytest.mark.parametrize(
        ("terminated", "truncated", "is_first", "expected"),
        [
            (False, False, True, StepType.FIRST),
            (False, False, False, StepType.MID),
            (False, True, True, StepType.TIMEOUT),
            (True, True, False, StepType.TERMINAL),
            (True, False, True, StepType.TERMINAL),
        ],
    )
    def test_of_flags(self, terminated, truncated, is_first, expected):
        assert StepType.of(terminated, truncated, is_first) is expected


class Specified(SpecMixin, gymnasium.Env):
    def __init__(self, spec=None):
        self.action_space = Discrete(2)
        self.observation_space = Box(0.0, 1.0, (3,))
        self._spec = spec


class TestSpecMixin:
    def test_what_gymnasium_assigns_gains_spaces_and_limit(self):
        env = Specified(EnvSpec(Box(0.0, 1.0, (3,)), Discrete(2), 7))
        env.spec = GymnasiumEnvSpec("mine/Env-v0", max_episode_steps=99)
        assert (env.spec.id, env.spec.max_episode_length) == ("mine/Env-v0", 7)
        assert env.spec.observation_space == env.observation_space

    def test_without_a_spec_there_is_none(self):
        env = Specified()
        env.spec = GymnasiumEnvSpec("mine/Env-v0")
        assert env.spec is None


class TestEnvStep:
    @pytest.mark.parametrize(
        ("step_type", "true_flag"),
        [
            (StepType.FIRST, "first"),
            (StepType.MID, "mid"),
            (StepType.TERMINAL, "terminal"),
            (StepType.TIMEOUT, "timeout"),
        ],
    )
    def test_unpacks_as_gymnasiums_five_and_reads_as_garages(self, step_type, true_flag):
        step = make_step(step_type)
        assert isinstance(step, tuple)
        assert len(step) == 5
        observation, reward, terminated, truncated, info = step
        assert observation is step.observation
        assert reward == step.reward == 0.5
        assert info is step.env_info
        assert info == {"success": True}
        assert terminated is step.terminated is (step_type is StepType.TERMINAL)
        assert truncated is step.truncated is (step_type is StepType.TIMEOUT)
        assert [f for f in ("first", "mid", "terminal", "timeout") if getattr(step, f)] == [true_flag]
        assert step.last is (terminated or truncated)
        assert step.action == 1
        assert step.env_spec.max_episode_length == 10
        assert step.step_type is step_type

    def test_an_integer_step_type_becomes_one(self):
        assert make_step(2).step_type is StepType.TERMINAL
        with pytest.raises(ValueError, match="9 is not a valid StepType"):
            make_step(9)

    @pytest.mark.parametrize("name", ["observation", "reward", "action", "step_type", "env_spec", "other"])
    def test_is_immutable(self, name):
        step = make_step()
        with pytest.raises(AttributeError, match=f"cannot be changed.*{name}"):
            setattr(step, name, 0)
        with pytest.raises(AttributeError, match=f"cannot be changed.*{name}"):
            delattr(step, name)
        with pytest.raises(TypeError):
            step[0] = 0
        assert step.action == 1

    @pytest.mark.parametrize(
        "copier", [copy.copy, copy.deepcopy, lambda step: pickle.loads(pickle.dumps(step))]
    )
    def test_copies_keep_every_part(self, copier):
        step = make_step(StepType.TIMEOUT, action=np.array([1.0, 2.0]))
        other = copier(step)
        assert type(other) is EnvStep
        assert other.env_spec == step.env_spec
        np.testing.assert_array_equal(other.action, step.action)
        np.testing.assert_array_equal(other.observation, step.observation)
        assert other[1:] == step[1:]
        assert other.step_type is StepType.TIMEOUT
        assert other.timeout

    def test_deepcopy_shares_no_array(self):
        step = make_step(action=np.zeros(2))
        other = copy.deepcopy(step)
        step.observation[:] = 9.0
        step.action[:] = 9.0
        assert other.observation.tolist() == [0.25, 0.75]
        assert other.action.tolist() == [0.0, 0.0]

    def test_repr_names_the_step_type(self):
        assert "step_type=TIMEOUT" in repr(make_step(StepType.TIMEOUT))


class TestEnvSpec:
    def test_carries_spaces_and_limit(self):
        spec = EnvSpec(Discrete(3), Discrete(2), 7)
        assert isinstance(spec, GymnasiumEnvSpec)
        assert (spec.observation_space, spec.action_space) == (Discrete(3), Discrete(2))
        assert (spec.output_space, spec.input_space) == (Discrete(3), Discrete(2))
        assert spec.max_episode_length == spec.max_episode_steps == 7

    @pytest.mark.parametrize("limit", [None, math.inf])
    def test_no_limit_reads_as_none(self, limit):
        assert EnvSpec(Discrete(2), Discrete(3), limit).max_episode_length is None

    @pytest.mark.parametrize("limit", [0, -3])
    def test_a_limit_below_one_is_refused(self, limit):
        with pytest.raises(ValueError, match=rf"max_episode_length .*must be at least 1, not {limit}"):
            EnvSpec(Discrete(2), Discrete(3), limit)

    @pytest.mark.parametrize("limit", [2.5, math.nan, "10", True])
    def test_a_limit_that_is_no_count_is_refused(self, limit):
        with pytest.raises(TypeError, match=r"max_episode_length .*must be a whole number"):
            EnvSpec(Discrete(2), Discrete(3), limit)

    def test_a_numpy_limit_becomes_an_int(self):
        assert type(EnvSpec(Discrete(2), Discrete(3), np.int64(4)).max_episode_length) is int

    def test_equality(self):
        spec = EnvSpec(Box(0.0, 1.0, (3,)), Discrete(2), 5)
        assert spec == EnvSpec(Box(0.0, 1.0, (3,)), Discrete(2), 5)
        assert hash(spec) == hash(EnvSpec(Box(0.0, 1.0, (3,)), Discrete(2), 5))
        assert spec != EnvSpec(Box(0.0, 1.0, (3,)), Discrete(3), 5)
        assert spec != EnvSpec(Box(0.0, 2.0, (3,)), Discrete(2), 5)
        assert spec != EnvSpec(Box(0.0, 1.0, (3,)), Discrete(2), 6)
        assert spec != EnvSpec(Box(0.0, 1.0, (3,)), Discrete(2), 5, id="Other-v0")
        assert spec != "a spec"

    @pytest.mark.parametrize(
        "copier", [copy.copy, copy.deepcopy, lambda spec: pickle.loads(pickle.dumps(spec))]
    )
    def test_copies_are_equal(self, copier):
        spec = EnvSpec(Box(0.0, 1.0, (3,)), Discrete(2), 5, id="Some-v3", kwargs={"size": 4})
        other = copier(spec)
        assert other == spec
        assert other.max_episode_length == 5
        assert other.kwargs == {"size": 4}
        assert (other.name, other.version) == ("Some", 3)

    def test_gymnasiums_time_limit_shows_in_both_names(self):
        env = gymnasium.wrappers.TimeLimit(gymnasium.make("CartPole-v1").unwrapped, 20)
        env.unwrapped.spec = EnvSpec(env.observation_space, env.action_space, 500)
        assert env.spec.max_episode_length == env.spec.max_episode_steps == 20
        assert env.unwrapped.spec.max_episode_length == 500

    def test_of_keeps_gymnasiums_fields_and_leaves_the_original(self):
        original = gymnasium.spec("CartPole-v1")
        spec = EnvSpec.of(original, Discrete(2), Discrete(3), None)
        assert (spec.id, spec.entry_point, spec.version) == ("CartPole-v1", original.entry_point, 1)
        assert spec.reward_threshold == original.reward_threshold
        assert spec.max_episode_length is None
        assert original.max_episode_steps == 500
        assert not hasattr(original, "action_space")

    def test_of_none_is_an_unregistered_spec(self):
        spec = EnvSpec.of(None, Discrete(2), Discrete(3), 4)
        assert spec == EnvSpec(Discrete(2), Discrete(3), 4)
        assert spec.entry_point is None

    def test_unknown_keywords_are_refused(self):
        with pytest.raises(TypeError, match="limit"):
            EnvSpec(Discrete(2), Discrete(3), limit=4)

    def test_makes_the_environment_it_describes(self):
        spec = EnvSpec(
            Discrete(16),
            Discrete(4),
            entry_point="taskworlds.worlds.small.grid_world:GridWorldEnv",
            kwargs={"desc": "chain"},
        )
        assert spec.make().observation_space == Discrete(29)

    def test_a_description_leaves_the_recipe_out(self):
        spec = EnvSpec(
            Discrete(3), Discrete(2), 5, entry_point="some:Env", kwargs={"benchmark": "x" * 100_000}
        )
        described = spec.description()
        assert described == spec
        assert described.kwargs == {}
        assert spec.description() is described
        spec.max_episode_steps = 7
        assert spec.description().max_episode_length == 7
        assert "_described" not in vars(copy.copy(spec))
        with pytest.raises(ValueError, match=r"cannot make it. Use the spec of the environment itself"):
            described.make()

    def test_pickled_steps_share_a_description(self):
        spec = EnvSpec(Discrete(3), Discrete(2), entry_point="some:Env", kwargs={"benchmark": "x" * 100_000})
        steps = [make_step(env_spec=spec) for _ in range(10)]
        copied = pickle.loads(pickle.dumps(steps))
        assert len(pickle.dumps(steps)) < 6_000
        assert all(step.env_spec is copied[0].env_spec for step in copied)
        assert copied[0].env_spec == spec
