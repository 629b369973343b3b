import copy
import pickle
from fractions import Fraction

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, Graph, MultiBinary

import taskworlds
from taskworlds.compat.garage.normalize import NormalizedEnv, normalize
from taskworlds.compat.garage.running_statistics import RunningStatistics
from taskworlds.compat.garage.task_name import TaskNameWrapper
from taskworlds.worlds.small.point import PointEnv


class Scripted(gymnasium.Env):
    """Gives the observations and rewards of a list; keeps the actions that it gets."""

    def __init__(self, observations, rewards=(0.0,), space=None, actions=None):
        self.observations = observations
        self.rewards = rewards
        self.observation_space = (
            Box(-10.0, 10.0, np.shape(observations[0]), np.float64) if space is None else space
        )
        self.action_space = Discrete(2) if actions is None else actions
        self.actions = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return self.observations[0], {}

    def step(self, action):
        self.actions.append(action)
        reward = self.rewards[self.count % len(self.rewards)]
        self.count += 1
        return self.observations[self.count % len(self.observations)], reward, False, False, {"n": self.count}


def test_names():
    assert normalize is NormalizedEnv is taskworlds.normalize is taskworlds.NormalizedEnv


def test_observations_are_normalized_by_the_updated_statistics():
    alpha = 0.25
    values = np.array([[1.0, -2.0], [4.0, 0.5], [-3.0, 2.0]])
    env = NormalizedEnv(Scripted(values), normalize_obs=True, obs_alpha=alpha)
    got = [env.reset()[0], env.step(0).observation, env.step(0).observation]
    mean, var = np.zeros(2), np.ones(2)
    for value, normalized in zip(values, got, strict=True):
        mean = (1 - alpha) * mean + alpha * value
        var = (1 - alpha) * var + alpha * (value - mean) ** 2
        np.testing.assert_allclose(normalized, (value - mean) / (np.sqrt(var) + 1e-8), rtol=1e-14)
    np.testing.assert_allclose(env.obs_statistics.mean, mean, rtol=1e-14)
    np.testing.assert_allclose(env.obs_statistics.var, var, rtol=1e-14)


def test_rewards_are_scaled_but_not_centred():
    env = NormalizedEnv(
        Scripted([[0.0]], rewards=(10.0, -4.0)), scale_reward=3.0, normalize_reward=True, reward_alpha=0.1
    )
    env.reset()
    first, second = env.step(0).reward, env.step(0).reward
    # The first update moves the mean to 1.0: once a step, not twice.
    var = 0.9 + 0.1 * 9.0**2
    assert first == pytest.approx(3.0 * 10.0 / (var**0.5 + 1e-8), rel=1e-14)
    mean = 0.9 * 1.0 + 0.1 * -4.0
    var = 0.9 * var + 0.1 * (-4.0 - mean) ** 2
    assert second == pytest.approx(3.0 * -4.0 / (var**0.5 + 1e-8), rel=1e-14)
    assert float(env.reward_statistics.mean) == pytest.approx(mean, rel=1e-14)
    assert type(first) is float


def test_scale_reward_alone():
    env = NormalizedEnv(Scripted([[0.0]], rewards=(np.float32(2.0),)), scale_reward=0.5)
    env.reset()
    assert env.step(0).reward == 1.0
    assert env.reward_statistics is None
    assert env.obs_statistics is None


def test_without_normalize_obs_observations_and_spaces_pass(line):
    space = Box(-1.0, 1.0, (2, 2))
    env = NormalizedEnv(Scripted([np.ones((2, 2), np.float32)], space=space), flatten_obs=True)
    assert env.observation_space == space
    assert env.reset()[0].shape == (2, 2)


@pytest.mark.parametrize(("flatten", "shape"), [(True, (4,)), (False, (2, 2))])
@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.float16, np.float32),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.uint8, np.float32),
        (np.int64, np.float64),
    ],
)
def test_observation_space_is_true(flatten, shape, dtype, expected):
    space = Box(0, 9, (2, 2), dtype)
    env = NormalizedEnv(
        Scripted([np.array([[1, 2], [3, 4]], dtype)], space=space), normalize_obs=True, flatten_obs=flatten
    )
    assert env.observation_space == Box(-np.inf, np.inf, shape, expected)
    for observation in (env.reset()[0], env.step(0).observation):
        assert observation in env.observation_space
        assert observation.dtype == expected
    assert env.spec.observation_space == env.observation_space
    assert env.step(0).env_spec == env.spec


def test_shape_is_kept_in_order():
    values = [np.array([[1.0, 2.0], [3.0, 4.0]])]
    flat = NormalizedEnv(Scripted(values), normalize_obs=True).reset()[0]
    kept = NormalizedEnv(Scripted(values), normalize_obs=True, flatten_obs=False).reset()[0]
    assert flat.tolist() == kept.ravel().tolist()
    assert kept[0, 1] < kept[1, 0]


def test_discrete_observations_are_normalized_as_onehots():
    env = NormalizedEnv(Scripted([2], space=Discrete(3)), normalize_obs=True, obs_alpha=0.0)
    assert env.reset()[0].tolist() == pytest.approx([0.0, 0.0, 1.0])
    assert env.observation_space == Box(-np.inf, np.inf, (3,), np.float64)


def test_dict_observations_are_flattened():
    space = Dict({"a": Box(0.0, 1.0, (2,), np.float64), "b": Discrete(2)})
    env = NormalizedEnv(
        Scripted([{"a": np.array([0.5, 1.0]), "b": 1}], space=space), normalize_obs=True, obs_alpha=0.0
    )
    assert env.reset()[0].tolist() == pytest.approx([0.5, 1.0, 0.0, 1.0])
    assert env.reset()[0] in env.observation_space


def test_actions_are_mapped_to_the_bounds():
    bounds = Box(np.array([-2.0, 0.0]), np.array([2.0, 1.0]), dtype=np.float64)
    env = NormalizedEnv(Scripted([[0.0]], actions=bounds), expected_action_scale=4.0)
    assert env.action_space == Box(-4.0, 4.0, (2,), np.float64)
    env.reset()
    for action in ([-4.0, -4.0], [4.0, 4.0], [0.0, 2.0], [-9.0, 9.0]):
        env.step(np.array(action))
    np.testing.assert_allclose(
        env.unwrapped.actions, [[-2.0, 0.0], [2.0, 1.0], [0.0, 0.75], [-2.0, 1.0]], rtol=1e-15
    )


def test_actions_keep_the_precision_of_the_space():
    generator = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        bounds = Box(-0.1, 0.3, (3,), dtype)
        env = NormalizedEnv(Scripted([[0.0]], actions=bounds))
        env.reset()
        action = generator.uniform(-1, 1, 3)
        env.step(action)
        (inner,) = env.unwrapped.actions
        assert inner.dtype == dtype
        assert inner in bounds
        low, high = bounds.low.astype(float), bounds.high.astype(float)
        np.testing.assert_allclose(
            inner, low + (action + 1) * 0.5 * (high - low), rtol=np.finfo(dtype).eps * 4
        )


def test_the_callers_action_is_kept_and_not_changed():
    env = NormalizedEnv(PointEnv(), expected_action_scale=10.0)
    action = env.action_space.high + 1
    before = action.copy()
    env.reset()
    step = env.step(action)
    assert step.action is action
    np.testing.assert_array_equal(action, before)
    np.testing.assert_allclose(step.observation[:2], [0.1, 0.1], rtol=1e-6)


@pytest.mark.parametrize(
    ("space", "action"),
    [
        (Discrete(4), 3),
        (Box(-np.inf, np.inf, (1,)), np.array([7.0], np.float32)),
        (Box(np.array([-1.0, 0.0]), np.array([1.0, np.inf]), dtype=np.float64), np.array([5.0, 5.0])),
        (Box(0, 255, (1,), np.uint8), np.array([9], np.uint8)),
    ],
)
def test_other_actions_pass(space, action):
    env = NormalizedEnv(Scripted([[0.0]], actions=space), expected_action_scale=2.0)
    env.reset()
    env.step(action)
    assert env.action_space == space
    assert env.unwrapped.actions[0] is action


def test_an_action_of_another_shape_is_refused():
    env = NormalizedEnv(PointEnv())
    env.reset()
    with pytest.raises(ValueError, match=r"action space's shape \(2,\), not \(1,\): \[0.5\]"):
        env.step([0.5])


def test_frozen_statistics_are_used_and_stay():
    env = NormalizedEnv(
        Scripted([[1.0], [5.0]], rewards=(3.0,)), normalize_obs=True, normalize_reward=True, obs_alpha=0.5
    )
    env.reset()
    env.step(0)
    env.freeze()
    assert env.frozen
    obs, reward = copy.deepcopy(env.obs_statistics), copy.deepcopy(env.reward_statistics)
    observation, _ = env.reset()
    step = env.step(0)
    assert (env.obs_statistics, env.reward_statistics) == (obs, reward)
    np.testing.assert_array_equal(observation, (1.0 - obs.mean) / obs.scale)
    assert step.reward == 3.0 / float(reward.scale)
    env.unfreeze()
    assert not env.frozen
    env.reset()
    assert env.obs_statistics != obs


def test_statistics_are_shared_with_a_frozen_env():
    train = NormalizedEnv(Scripted([[1.0], [5.0]]), normalize_obs=True, normalize_reward=True)
    evaluation = NormalizedEnv(
        Scripted([[2.0]]),
        normalize_obs=True,
        normalize_reward=True,
        obs_statistics=train.obs_statistics,
        reward_statistics=train.reward_statistics,
    )
    evaluation.freeze()
    assert evaluation.obs_statistics is train.obs_statistics
    before = evaluation.reset()[0]
    learned = train.obs_statistics.to_json()
    evaluation.step(0)
    assert train.obs_statistics.to_json() == learned
    train.reset()
    train.step(0)
    assert evaluation.reset()[0] != before


def test_saved_statistics_go_on(line):
    first = NormalizedEnv(line(), normalize_obs=True)
    first.reset(seed=0)
    text = first.obs_statistics.to_json()
    second = NormalizedEnv(line(), normalize_obs=True, obs_statistics=RunningStatistics.from_json(text))
    third = NormalizedEnv(line(), normalize_obs=True)
    third.reset(seed=0)
    assert second.reset(seed=1)[0].tolist() == third.reset(seed=1)[0].tolist()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_behave_the_same_and_share_nothing(line, duplicate):
    env = NormalizedEnv(line(actions=Box(-2.0, 2.0, (1,))), 2.0, True, True, 3.0, obs_alpha=0.1)
    env.reset(seed=0)
    env.step([1.0])
    other = duplicate(env)
    assert other.obs_statistics == env.obs_statistics
    mine, theirs = env.step([-1.0]), other.step([-1.0])
    assert mine.observation.tolist() == theirs.observation.tolist()
    assert mine.reward == theirs.reward
    env.reset()
    assert other.obs_statistics != env.obs_statistics


def test_copies_of_a_frozen_env_are_frozen(line):
    env = NormalizedEnv(line(), normalize_obs=True)
    env.freeze()
    assert copy.deepcopy(env).frozen


def test_spec_makes_an_env_with_the_same_arguments():
    statistics = RunningStatistics((3,))
    statistics.update([1.0, 1.0, 1.0], alpha=0.5)
    env = NormalizedEnv(
        gymnasium.make("Pendulum-v1"), scale_reward=0.1, normalize_obs=True, obs_statistics=statistics
    )
    again = env.spec.make()
    assert again.observation_space == env.observation_space
    assert again.obs_statistics == statistics
    assert again.obs_statistics is not statistics
    assert again.reset(seed=0)[0].tolist() == env.reset(seed=0)[0].tolist()
    assert gymnasium.make(env.spec).spec == env.spec


def test_an_env_that_learns_is_not_deterministic(line):
    assert NormalizedEnv(line()).spec.nondeterministic is False
    env = NormalizedEnv(line(), normalize_reward=True)
    assert env.spec.nondeterministic is True
    env.freeze()
    assert env.spec.nondeterministic is False
    env.unfreeze()
    assert env.spec.nondeterministic is True


def test_exceptions_of_the_env_come_through(line):
    inner = line()

    def fail(action):
        raise ArithmeticError("diverged")

    inner.step = fail
    env = NormalizedEnv(inner, normalize_obs=True)
    env.reset()
    with pytest.raises(ArithmeticError, match="diverged"):
        env.step(0)


def test_a_nan_does_not_spoil_the_statistics():
    env = NormalizedEnv(Scripted([[1.0], [np.nan]]), normalize_obs=True)
    env.reset()
    learned = copy.deepcopy(env.obs_statistics)
    with pytest.raises(ValueError, match="must be finite"):
        env.step(0)
    assert env.obs_statistics == learned


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"normalize_obs": 1}, TypeError, "normalize_obs must be True or False, not 1"),
        ({"flatten_obs": None}, TypeError, "flatten_obs must be True or False, not None"),
        ({"scale_reward": "1"}, TypeError, "scale_reward must be a number, not '1'"),
        ({"scale_reward": np.nan}, ValueError, "scale_reward must be finite, not nan"),
        ({"expected_action_scale": 0}, ValueError, "expected_action_scale must be above 0, not 0"),
        ({"obs_alpha": 1.5}, ValueError, r"obs_alpha must be in \[0, 1\], not 1.5"),
        ({"reward_alpha": -0.1}, ValueError, r"reward_alpha must be in \[0, 1\], not -0.1"),
        ({"reward_alpha": True}, TypeError, "reward_alpha must be a number, not True"),
        (
            {"obs_statistics": RunningStatistics((2,))},
            ValueError,
            "obs_statistics were given but are not used. Add normalize_obs=True",
        ),
        (
            {"normalize_obs": True, "obs_statistics": RunningStatistics((3,))},
            ValueError,
            r"obs_statistics must have shape \(2,\), not \(3,\)",
        ),
        (
            {"normalize_reward": True, "reward_statistics": RunningStatistics((1,))},
            ValueError,
            r"reward_statistics must have shape \(\), not \(1,\)",
        ),
        (
            {"normalize_reward": True, "reward_statistics": 3.0},
            TypeError,
            "reward_statistics must be a RunningStatistics or None, not 3.0",
        ),
        ({"center_reward": True}, TypeError, "unexpected keyword"),
    ],
)
def test_wrong_arguments(line, arguments, error, message):
    with pytest.raises(error, match=message):
        NormalizedEnv(line(), **arguments)


def test_numbers_of_any_kind_are_taken(line):
    env = NormalizedEnv(
        line(), scale_reward=Fraction(1, 2), obs_alpha=np.float32(0.5), expected_action_scale=2
    )
    env.reset()
    assert env.step(0).reward == 0.5


def test_observations_that_cannot_be_normalized():
    graph = Graph(Box(0.0, 1.0, (2,)), None)
    with pytest.raises(ValueError, match="normalize_obs needs observations that flatten to a vector"):
        NormalizedEnv(Scripted([[0.0]], space=graph), normalize_obs=True)
    with pytest.raises(
        ValueError, match=r"flatten_obs=False needs observations of a Box.*Use flatten_obs=True"
    ):
        NormalizedEnv(Scripted([[0]], space=MultiBinary(1)), normalize_obs=True, flatten_obs=False)


def test_an_inner_env_step_keeps_its_type_and_info(line):
    env = NormalizedEnv(line(env_step=True, truncate_at=1, info={"a": 1}), scale_reward=2.0)
    env.reset()
    step = env.step(2)
    assert step.timeout
    assert step.env_info == {"a": 1}
    assert (step.action, step.reward) == (2, 2.0)


def test_freezing_reaches_through_wrappers(line):
    inner = NormalizedEnv(line(), normalize_obs=True)
    env = TaskNameWrapper(inner, task_name="a")
    env.freeze()
    assert inner.frozen


def test_check_env(check, line):
    check(NormalizedEnv(line(), 2.0, True, True))
    check(NormalizedEnv(line(), normalize_obs=True, flatten_obs=False))
    check(NormalizedEnv(PointEnv(), 0.1, True, True, 10.0))
    check(NormalizedEnv(gymnasium.make("Pendulum-v1"), normalize_obs=True), skip_render_check=True)
    frozen = NormalizedEnv(PointEnv(), normalize_obs=True, normalize_reward=True)
    frozen.freeze()
    check(frozen)
