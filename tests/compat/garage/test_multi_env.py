import copy
import functools
import inspect
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from taskworlds import MultiEnvWrapper, TaskNameWrapper, TaskOnehotWrapper, round_robin_strategy
from taskworlds.compat.garage.gym_env import GymEnv
from taskworlds.compat.garage.multi_env import uniform_random_strategy
from taskworlds.compat.garage.normalize import NormalizedEnv
from taskworlds.worlds.small.grid_world import GridWorldEnv
from taskworlds.worlds.small.point import PointEnv


def last_strategy(num_tasks, last_task):
    return num_tasks - 1


def tasks(env, count, **first):
    """Gives the tasks of the next resets."""
    seen = []
    for index in range(count):
        env.reset(**(first if index == 0 else {}))
        seen.append(env.get_wrapper_attr("active_task_index"))
    return seen


def history(env, resets, **first):
    """Gives the observations and infos of the next resets and of a step after each."""
    seen = []
    for index in range(resets):
        observation, info = env.reset(**(first if index == 0 else {}))
        step = env.step(1)
        seen.append((observation.tolist(), info, step.observation.tolist(), step.reward, step.env_info))
    return seen


def test_round_robin_strategy():
    assert round_robin_strategy(3) == round_robin_strategy(3, None) == 0
    assert [round_robin_strategy(3, last) for last in range(3)] == [1, 2, 0]


def test_uniform_random_strategy_draws_each_task_from_the_generator():
    generator = np.random.default_rng(0)
    drawn = [uniform_random_strategy(4, 2, np_random=generator) for _ in range(400)]
    assert set(drawn) == {0, 1, 2, 3}
    assert min(drawn.count(task) for task in range(4)) > 60
    generator = np.random.default_rng(0)
    assert drawn == [uniform_random_strategy(4, np_random=generator) for _ in range(400)]
    assert uniform_random_strategy(1, None) == 0
    assert all(type(task) is int for task in drawn)


def test_uniform_random_strategy_leaves_the_global_generator_alone(line):
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()  # noqa: NPY002
    env = MultiEnvWrapper([line(), line()])
    tasks(env, 5)
    uniform_random_strategy(5)
    assert str(np.random.get_state()) == str(before)  # noqa: NPY002


def test_before_the_first_reset(line):
    envs = [line(), line()]
    env = MultiEnvWrapper(envs, round_robin_strategy)
    assert env.active_task_index is None
    assert env.env is envs[0]
    assert env.num_tasks == 2
    with pytest.raises(RuntimeError, match=r"MultiEnvWrapper.step needs a running episode.*reset\(\)"):
        env.step(0)


def test_a_task_lasts_for_an_episode(line):
    envs = [line(), line()]
    env = MultiEnvWrapper(envs, round_robin_strategy)
    for task in (0, 1, 0):
        env.reset()
        for _ in range(3):
            assert env.step(0).env_info["task_id"] == env.active_task_index == task
            assert env.env is envs[task]


def test_an_ended_episode_needs_a_reset(line):
    env = MultiEnvWrapper([line(terminate_at=1)])
    env.reset()
    assert env.step(0).terminal
    with pytest.raises(RuntimeError, match=r"reset\(\)"):
        env.step(0)


def test_add_onehot(line):
    env = MultiEnvWrapper([line(low=-1.0, high=9.0) for _ in range(3)], round_robin_strategy)
    assert env.observation_space == Box(
        np.array([-1.0, -1.0, 0.0, 0.0, 0.0]), np.array([9.0, 9.0, 1.0, 1.0, 1.0]), dtype=np.float64
    )
    assert env.task_space == Box(0.0, 1.0, (3,))
    for task in range(3):
        observation, _ = env.reset()
        step = env.step(0)
        for seen in (observation, step.observation):
            assert seen[2:].tolist() == np.eye(3)[task].tolist()
            assert seen in env.observation_space
        assert observation[:2].tolist() == env.env.start.tolist()  # float64, exact
        assert step.env_spec == env.spec


def test_vanilla(line):
    env = MultiEnvWrapper([line(), line()], round_robin_strategy, mode="vanilla")
    assert env.observation_space == line().observation_space
    assert env.reset(seed=3)[0].tolist() == line().reset(seed=3)[0].tolist()


def test_del_onehot(line):
    inner = TaskOnehotWrapper.wrap_env_list([line(low=-1.0), line(low=-1.0)])
    env = MultiEnvWrapper(inner, round_robin_strategy, mode="del-onehot")
    assert env.observation_space == line(low=-1.0).observation_space
    observation, _ = env.reset(seed=3)
    assert observation.tolist() == line().reset(seed=3)[0].tolist()
    assert env.step(0).observation.shape == (2,)
    assert env.step(0).observation in env.observation_space


def test_info_at_reset_and_step(line):
    env = MultiEnvWrapper([line(info={"a": 1}), line()], round_robin_strategy, env_names=["one", "two"])
    expected = ({"a": 1, "task_id": 0, "task_name": "one"}, {"task_id": 1, "task_name": "two"})
    for info in expected:
        assert env.reset()[1] == {}  # garage cannot stack numbers and names there
        assert env.step(0).env_info == info


def test_without_names_an_inner_name_stays(line):
    inner = TaskNameWrapper(line(), task_name="inner")
    env, named = MultiEnvWrapper([inner]), MultiEnvWrapper([inner], env_names=["outer"])
    env.reset()
    assert env.step(0).env_info == {"task_name": "inner", "task_id": 0}
    named.reset()
    assert named.step(0).env_info["task_name"] == "outer"


@pytest.mark.parametrize(
    ("inner", "expected"), [(7, 7), (np.int64(7), 7), ("reach-v3/0", 1), (None, 1), (True, 1), (2.0, 1)]
)
def test_only_an_integer_task_id_from_inside_wins(line, inner, expected):
    env = MultiEnvWrapper([line(), line(info={"task_id": inner})], last_strategy)
    env.reset()
    task_id = env.step(0).env_info["task_id"]
    assert task_id == expected
    assert not isinstance(task_id, bool)


def test_the_inner_info_is_not_changed(line):
    shared = {}
    inner = line()
    inner.step = lambda action: (inner._observe(), 0.0, False, False, shared)
    env = MultiEnvWrapper([inner])
    env.reset()
    env.step(0)
    assert shared == {}


def test_a_seed_fixes_everything_that_follows(line):
    env = MultiEnvWrapper([line() for _ in range(3)])
    other = MultiEnvWrapper([line() for _ in range(3)])
    tasks(other, 4)
    expected = history(env, 12, seed=5)
    assert history(other, 12, seed=5) == expected
    assert history(env, 12, seed=5) == expected
    assert history(env, 12, seed=6) != expected
    assert len({info["task_id"] for *_, info in expected}) == 3


def test_a_seed_restarts_round_robin(line):
    env = MultiEnvWrapper([line() for _ in range(3)], round_robin_strategy)
    assert tasks(env, 4) == [0, 1, 2, 0]
    assert tasks(env, 3, seed=1) == [0, 1, 2]


def test_the_seed_goes_to_the_chosen_env_and_the_next_ones_to_the_others(line):
    order = iter([1, 1, 0, 2])
    env = MultiEnvWrapper([line() for _ in range(3)], lambda num_tasks, last: next(order), mode="vanilla")
    starts = [env.reset(seed=8)[0], env.reset()[0], env.reset()[0], env.reset()[0]]
    direct = line()
    first = direct.reset(seed=8)[0], direct.reset()[0]
    assert starts[0].tolist() == first[0].tolist()
    assert starts[1].tolist() == first[1].tolist()  # seeded once only
    assert starts[2].tolist() == line().reset(seed=10)[0].tolist()
    assert starts[3].tolist() == line().reset(seed=9)[0].tolist()


def test_a_seed_of_64_bits(line):
    order = iter([0, 1])
    env = MultiEnvWrapper([line(), line()], lambda num_tasks, last: next(order), mode="vanilla")
    env.reset(seed=np.uint64(2**64 - 2))
    assert env.reset()[0].tolist() == line().reset(seed=2**64 - 1)[0].tolist()


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (1.5, TypeError), ("a", TypeError)])
def test_wrong_seeds(line, seed, error):
    with pytest.raises(error, match="seed must be"):
        MultiEnvWrapper([line()]).reset(seed=seed)


def test_the_task_does_not_tell_the_start_state(line):
    def by_fraction(num_tasks, last_task, np_random):
        return int(np_random.random() * num_tasks)

    env = MultiEnvWrapper([line() for _ in range(2)], by_fraction, mode="vanilla")
    starts = [env.reset(seed=seed)[0][0] for seed in range(400) if tasks(env, 1, seed=seed) == [0]]
    # Drawn from one stream, task 0 would come with starts below 0.5 only.
    assert 0.4 < np.mean(starts) < 0.6


def test_options_go_to_the_env(line):
    inner = line()
    reset = inner.reset
    given = []

    def recording(*, seed=None, options=None):
        given.append(options)
        return reset(seed=seed)

    inner.reset = recording
    MultiEnvWrapper([inner]).reset(options={"a": 1})
    assert given == [{"a": 1}]


def test_strategies_get_what_they_ask_for(line):
    calls = []

    def plain(num_tasks, last_task):
        calls.append((num_tasks, last_task))
        return 1

    def random(num_tasks, _, *, np_random):
        calls.append(np_random)
        return np.int64(np_random.integers(num_tasks))

    env = MultiEnvWrapper([line(), line()], plain)
    tasks(env, 2)
    env.reset(seed=0)
    assert calls == [(2, None), (2, 1), (2, None)]
    calls.clear()
    drawn = tasks(MultiEnvWrapper([line(), line()], random), 8, seed=3)
    assert all(isinstance(generator, np.random.Generator) for generator in calls)
    assert drawn == tasks(MultiEnvWrapper([line(), line()], functools.partial(random)), 8, seed=3)


def test_a_strategy_without_a_signature_gets_no_generator(line):
    with pytest.raises(ValueError, match="no signature"):
        inspect.signature(max)
    env = MultiEnvWrapper([line(), line()], max)
    with pytest.raises(TypeError, match="not supported between"):  # max(2, None): called, without a keyword
        env.reset()


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        (2, ValueError, "task that sample_strategy chose must be below num_tasks=2, not 2"),
        (-1, ValueError, "task that sample_strategy chose must be at least 0, not -1"),
        (None, TypeError, "task that sample_strategy chose must be a whole number, not None"),
        (0.0, TypeError, "task that sample_strategy chose must be a whole number, not 0.0"),
    ],
)
def test_a_strategy_must_choose_a_task(line, choice, error, message):
    env = MultiEnvWrapper([line(), line()], lambda num_tasks, last: choice)
    with pytest.raises(error, match=message):
        env.reset()


def test_wrong_arguments(line):
    with pytest.raises(ValueError, match="envs must hold at least one environment: an empty list"):
        MultiEnvWrapper([])
    with pytest.raises(TypeError, match="envs must be a list of environments"):
        MultiEnvWrapper(line())
    with pytest.raises(TypeError, match=r"envs must hold Gymnasium environments .*; item 1 is 'CartPole-v1'"):
        MultiEnvWrapper([line(), "CartPole-v1"])
    with pytest.raises(ValueError, match=r"mode must be one of .*'del-onehot', not 'onehot'"):
        MultiEnvWrapper([line()], mode="onehot")
    with pytest.raises(TypeError, match=r"sample_strategy must be a function of .* not 'uniform'"):
        MultiEnvWrapper([line()], "uniform")
    with pytest.raises(TypeError, match="unexpected keyword"):
        MultiEnvWrapper([line()], names=["a"])


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        ("ab", TypeError, "env_names must be a list of strings"),
        ([1, 2], TypeError, "env_names must be a list of strings"),
        (["a"], ValueError, "env_names must hold one name for each of the 2 environments, not 1"),
        (["a", "b", "c"], ValueError, "one name for each of the 2 environments, not 3"),
        (["a", "a"], ValueError, "env_names must be unique, but 'a' came more than once"),
    ],
)
def test_wrong_names(line, names, error, message):
    with pytest.raises(error, match=message):
        MultiEnvWrapper([line(), line()], env_names=names)


def test_observation_spaces_must_agree(line):
    with pytest.raises(ValueError, match=r"Observation space of all envs should be same\. Environment 1 has"):
        MultiEnvWrapper([line(size=2), line(size=3)])
    cells = [GridWorldEnv("4x4"), GridWorldEnv("8x8")]
    with pytest.raises(ValueError, match=r"Observation space of all envs should be same\. .*Discrete\(64\)"):
        MultiEnvWrapper(cells, mode="vanilla")
    with pytest.raises(ValueError, match="Observation space of all envs should be same"):
        MultiEnvWrapper([line(actions=Discrete(4)), cells[0]], mode="vanilla")


def test_action_spaces_must_agree(line):
    for first, second in (
        (Discrete(2), Discrete(3)),
        (Discrete(2), Discrete(2, start=1)),
        (Discrete(2), Box(0.0, 1.0, (2,))),
        (Box(0.0, 1.0, (1,)), Box(0.0, 1.0, (2,))),
        (Box(0.0, 1.0, (1,)), Box(0, 1, (1,), np.int64)),
    ):
        with pytest.raises(ValueError, match=r"Action space of all envs should be same\. Environment 1 has"):
            MultiEnvWrapper([line(actions=first), line(actions=second)])


def test_onehots_need_vectors():
    env = MultiEnvWrapper([GridWorldEnv(), GridWorldEnv()], mode="vanilla")
    assert env.observation_space == Discrete(16)
    assert env.reset()[0] in env.observation_space
    for mode in ("add-onehot", "del-onehot"):
        with pytest.raises(ValueError, match="one-hot needs observations that are a vector"):
            MultiEnvWrapper([GridWorldEnv()], mode=mode)


def test_del_onehot_must_leave_something(line):
    with pytest.raises(ValueError, match="'del-onehot' removes a one-hot of 2 entries, which leaves nothing"):
        MultiEnvWrapper([line(size=2), line(size=2)], mode="del-onehot")


@pytest.mark.parametrize("mode", ["vanilla", "add-onehot"])
def test_different_bounds_are_united(line, mode):
    envs = [line(low=0.0, high=1.0), line(low=-5.0, high=0.5)]
    envs[0]._observe = lambda: np.array([1.0, 0.0])
    envs[1]._observe = lambda: np.array([-5.0, 0.5])
    env = MultiEnvWrapper(envs, round_robin_strategy, mode=mode)
    assert env.observation_space.low[:2].tolist() == [-5.0, -5.0]
    assert env.observation_space.high[:2].tolist() == [1.0, 1.0]
    for _ in range(2):
        assert env.reset()[0] in env.observation_space
        assert env.step(0).observation in env.observation_space


@pytest.mark.parametrize("mode", ["vanilla", "add-onehot"])
def test_different_precision_becomes_the_higher_one(line, mode):
    env = MultiEnvWrapper([line(dtype=np.float32), line(dtype=np.float64)], round_robin_strategy, mode=mode)
    assert env.observation_space.dtype == np.float64
    for _ in range(2):
        assert env.reset()[0].dtype == np.float64
        assert env.step(0).observation.dtype == np.float64


def test_action_space_is_the_active_envs(line):
    narrow, wide = Box(-1.0, 1.0, (1,)), Box(-2.0, 2.0, (1,))
    env = MultiEnvWrapper([line(actions=narrow), line(actions=wide)], round_robin_strategy)
    env.reset()
    assert env.action_space == env.spec.action_space == narrow
    env.reset()
    assert env.action_space == env.spec.action_space == wide


def test_spec_has_the_active_envs_limit():
    env = MultiEnvWrapper(
        [PointEnv(max_episode_length=2), PointEnv(max_episode_length=3)], round_robin_strategy
    )
    outer = TaskNameWrapper(env, task_name="a")
    for limit in (2, 3, 2):
        env.reset()
        assert env.spec.max_episode_length == outer.spec.max_episode_length == limit
        assert env.spec.max_episode_steps == 3
        assert env.spec.observation_space == env.observation_space
        types = [env.step(np.zeros(2)).last for _ in range(limit)]
        assert types == [False] * (limit - 1) + [True]
    assert MultiEnvWrapper([PointEnv(), PointEnv(max_episode_length=3)]).spec.max_episode_steps is None
    assert pickle.loads(pickle.dumps(outer.spec)) == outer.spec


def test_spec_of_nested_wrappers_has_the_active_envs_limit():
    env = MultiEnvWrapper(
        [
            MultiEnvWrapper(
                [PointEnv(max_episode_length=2), PointEnv(max_episode_length=5)], round_robin_strategy
            )
        ],
    )
    for limit in (2, 5, 2):
        env.reset()
        assert (env.spec.max_episode_length, env.spec.max_episode_steps) == (limit, 5)


@pytest.mark.parametrize("rebuild", [lambda env: env.spec.make(), lambda env: gymnasium.make(env.spec)])
def test_spec_makes_the_same_envs(rebuild):
    env = MultiEnvWrapper(
        [PointEnv(goal=(0.5, 0.0), max_episode_length=2), PointEnv(goal=(0.0, 0.5), max_episode_length=4)],
        round_robin_strategy,
        env_names=["right", "up"],
    )
    again = rebuild(env)
    assert again.observation_space == env.observation_space
    for limit in (2, 4):
        expected, got = env.reset()[1], again.reset()[1]
        assert got["goal"].tolist() == expected["goal"].tolist()
        steps = [again.step(np.zeros(2, np.float32)) for _ in range(limit)]
        assert [step[3] for step in steps] == [False] * (limit - 1) + [True]
        assert steps[0][4]["task_name"] == ("right" if limit == 2 else "up")


def test_spec_of_unregistered_envs_copies_them(line):
    env = MultiEnvWrapper([line(), line(dtype=np.float32)], round_robin_strategy)
    again = env.spec.make()
    assert [type(layer) for layer in (again, again.env)] == [MultiEnvWrapper, line]
    assert history(again, 3, seed=2) == history(env, 3, seed=2)
    assert again.unwrapped is not env.unwrapped


def test_spec_can_make_the_envs_whatever_the_active_one(line):
    env = MultiEnvWrapper(TaskOnehotWrapper.wrap_env_list([line(), line()]), round_robin_strategy)
    for onehots in ([1, 0, 1, 0], [0, 1, 0, 1]):
        assert env.reset()[0][2:].tolist() == onehots
        assert env.spec.make().reset()[0][2:].tolist() == [1, 0, 1, 0]


def test_make_vec_of_the_spec_makes_this_wrapper():
    env = MultiEnvWrapper([gymnasium.make("CartPole-v1") for _ in range(2)])
    assert env.env.spec.vector_entry_point is not None  # Gymnasium's own vector CartPole
    assert gymnasium.make_vec(env.spec, num_envs=3).reset()[0].shape == (3, 6)


def test_gymnasium_make_on_top():
    made = []

    def construct():
        made.append(
            MultiEnvWrapper(
                [gymnasium.make("CartPole-v1", max_episode_steps=limit) for limit in (3, 5)],
                round_robin_strategy,
            )
        )
        return made[-1]

    gymnasium.register("tests/Multi-v0", construct)
    try:
        env = gymnasium.make("tests/Multi-v0")
        assert env.spec.id == "tests/Multi-v0"
        assert made[0].spec.id == "tests/Multi-v0"
        assert tasks(env, 2) == [0, 1]
        assert made[0].spec.id == "tests/Multi-v0"
        assert tasks(env, 1) == [0]
        assert env.get_wrapper_attr("active_task_index") == 0
        again = gymnasium.make(env.spec)
        assert again.spec.id == "tests/Multi-v0"
        assert tasks(again, 2) == [0, 1]
        vector = gymnasium.make_vec("tests/Multi-v0", num_envs=2)
        assert vector.reset()[0].shape == (2, 6)
    finally:
        del gymnasium.registry["tests/Multi-v0"]


def test_close_closes_all(line):
    envs = [line(), line()]
    MultiEnvWrapper(envs).close()
    assert [env.closed for env in envs] == [1, 1]


def test_rendering_and_attributes_are_the_active_envs(line, capsys):
    first, second = PointEnv(), PointEnv(goal=(0.5, 0.0))
    env = MultiEnvWrapper([first, second], round_robin_strategy)
    env.reset()
    env.reset()
    assert env.unwrapped is second
    assert env.render_modes == second.render_modes
    assert env.render("ascii") == second.render("ascii")
    env.visualize()
    assert "0.5" in capsys.readouterr().out
    env.set_task({"goal": (0.25, 0.0)})
    assert env.reset()[1]["goal"].tolist() == [1.0, 1.0]
    assert env.reset()[1]["goal"].tolist() == [0.25, 0.0]


def test_nesting(line):
    inner = [
        MultiEnvWrapper([line() for _ in range(3)], round_robin_strategy, mode="vanilla") for _ in range(2)
    ]
    env = MultiEnvWrapper(inner, round_robin_strategy)
    assert env.num_tasks == 2
    assert env.task_space.shape == (3,)
    seen = []
    for _ in range(6):
        observation, _ = env.reset()
        task = env.active_task_index
        seen.append(task)
        assert env.step(0).env_info["task_id"] == task
        assert observation[2:].tolist() == np.eye(3)[task].tolist()
        assert observation in env.observation_space
    assert seen == [0, 0, 1, 1, 2, 2]


def test_nesting_through_other_wrappers(line):
    inner = MultiEnvWrapper([line(), line()], last_strategy)
    env = MultiEnvWrapper([gymnasium.wrappers.TimeLimit(TaskNameWrapper(inner), 5)] * 2, env_names=["a", "b"])
    observation, _ = env.reset()
    assert env.step(0).env_info["task_id"] == env.active_task_index == 1
    assert observation[2:].tolist() == [0, 1, 0, 1]


def test_nested_wrappers_start_with_no_task(line):
    env = MultiEnvWrapper([MultiEnvWrapper([line()])])
    assert env.active_task_index is None


def test_over_other_wrappers(line):
    goals = [(0.5, 0.0), (0.0, 0.5)]
    env = MultiEnvWrapper([NormalizedEnv(PointEnv(goal), 0.5) for goal in goals], round_robin_strategy)
    env.reset()
    step = env.step(np.array([1.0, 0.0], np.float32))
    np.testing.assert_allclose(step.observation, [0.1, 0.0, 0.4, 1.0, 0.0], atol=1e-6)
    assert step.reward == pytest.approx(-0.2)
    env = MultiEnvWrapper([GymEnv("CartPole-v1", max_episode_length=500)])
    assert env.reset()[0].shape == (5,)
    assert env.step(0).env_info["GymEnv.TimeLimitTerminated"] is False


def test_under_gym_env():
    inner = MultiEnvWrapper(
        [PointEnv(max_episode_length=2), PointEnv(max_episode_length=3)], round_robin_strategy
    )
    env = GymEnv(inner)
    for limit in (2, 3):
        env.reset()
        assert [env.step(np.zeros(2)).last for _ in range(limit)] == [False] * (limit - 1) + [True]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize("strategy", [uniform_random_strategy, round_robin_strategy])
def test_copies_behave_the_same(line, duplicate, strategy):
    env = MultiEnvWrapper([line() for _ in range(3)], strategy, env_names=["a", "b", "c"])
    env.reset(seed=4)
    env.step(0)
    other = duplicate(env)
    assert other.active_task_index == env.active_task_index
    assert other.step(0).observation.tolist() == env.step(0).observation.tolist()
    assert history(other, 8) == history(env, 8)
    assert other.unwrapped is not env.unwrapped
    assert other.spec == env.spec


def test_check_env(check, line):
    check(MultiEnvWrapper([line(), line(low=-1.0)]))
    check(MultiEnvWrapper([line(env_step=True), line()], round_robin_strategy, "vanilla", ["a", "b"]))
    check(MultiEnvWrapper([PointEnv(), PointEnv(goal=(0.5, 0.0), max_episode_length=9)]))
    check(MultiEnvWrapper(TaskOnehotWrapper.wrap_env_list([PointEnv(), PointEnv()]), mode="del-onehot"))
    check(MultiEnvWrapper([MultiEnvWrapper([PointEnv(), PointEnv()]), MultiEnvWrapper([PointEnv()] * 2)]))
    check(MultiEnvWrapper([NormalizedEnv(PointEnv(), 1.0, True, True) for _ in range(2)]))
    check(TaskNameWrapper(MultiEnvWrapper([PointEnv(), PointEnv()]), task_name="a"))
    check(
        MultiEnvWrapper([gymnasium.make("CartPole-v1") for _ in range(2)], round_robin_strategy),
        skip_render_check=True,
    )
