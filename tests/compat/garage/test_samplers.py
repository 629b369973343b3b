import copy
import functools
import pickle
import random
import types

import gymnasium
import numpy as np
import pytest

import taskworlds
from taskworlds import GridWorldEnv, MetaWorldSetTaskEnv, PointEnv, TaskNameWrapper
from taskworlds.compat.garage.samplers import (
    ConstructEnvsSampler,
    EnvPoolSampler,
    EnvUpdate,
    ExistingEnvUpdate,
    MetaWorldTaskSampler,
    NewEnvUpdate,
    SetTaskSampler,
    SetTaskUpdate,
    TaskSampler,
    sample_indices,
    sample_without_replacement,
)


class Closing(PointEnv):
    """A PointEnv that counts how often it was closed."""

    closed = 0

    def close(self):
        self.closed += 1


def goal(env):
    return float(env.reset()[1]["goal"][0])


# --- draws -----------------------------------------------------------------------------------------------


def test_without_replacement_each_comes_once_before_any_comes_again():
    indices = sample_indices(17, 5, np_random=np.random.default_rng(0)).tolist()
    rounds = [indices[i : i + 5] for i in (0, 5, 10)]
    assert [sorted(each) for each in rounds] == [[0, 1, 2, 3, 4]] * 3
    assert len({tuple(each) for each in rounds}) == 3
    assert len(indices) == 17
    assert len(set(indices[15:])) == 2


def test_with_replacement_draws_are_uniform():
    indices = sample_indices(6000, 3, with_replacement=True, np_random=np.random.default_rng(0))
    assert indices.shape == (6000,)
    np.testing.assert_allclose(np.bincount(indices, minlength=3), 2000, atol=150)
    assert any(len(set(indices[i : i + 3].tolist())) < 3 for i in range(0, 30, 3))


@pytest.mark.parametrize("with_replacement", [False, True])
def test_draws_come_from_the_generator_given(with_replacement):
    def draw(seed):
        generator = np.random.default_rng(seed)
        return sample_indices(20, 8, with_replacement=with_replacement, np_random=generator).tolist()

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_sample_without_replacement_gives_the_tasks_themselves():
    tasks = [object() for _ in range(4)]
    drawn = sample_without_replacement(tasks, 4, np.random.default_rng(0))
    assert set(map(id, drawn)) == set(map(id, tasks))
    assert len(sample_without_replacement(tasks, 3, np.random.default_rng(0))) == 3


def test_draws_are_checked():
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match="n must be at least 1, not 0"):
        sample_indices(0, 3, np_random=generator)
    with pytest.raises(ValueError, match="n_available must be at least 1, not 0"):
        sample_indices(1, 0, np_random=generator)
    with pytest.raises(ValueError, match="tasks must hold at least one task"):
        sample_without_replacement([], 1, generator)
    with pytest.raises(TypeError, match=r"n_tasks must be a whole number, not 1.5"):
        sample_without_replacement([1], 1.5, generator)


def test_no_global_generator_is_touched():
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    ConstructEnvsSampler([PointEnv, GridWorldEnv]).sample(5, with_replacement=True)
    SetTaskSampler(PointEnv).sample(3)
    sampler = EnvPoolSampler([PointEnv(), GridWorldEnv()])
    sampler.grow_pool(4)
    sampler.sample(4)
    MetaWorldTaskSampler(taskworlds.benchmark("MT10", seed=0), "train").sample(20)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]


# --- updates ---------------------------------------------------------------------------------------------


def test_new_env_update_closes_the_old_environment():
    old = Closing()
    new = NewEnvUpdate(Closing)(old)
    assert (old.closed, new.closed) == (1, 0)
    assert new is not old
    assert isinstance(NewEnvUpdate(Closing)(None), Closing)


def test_existing_env_update_leaves_the_old_environment_open():
    old, env = Closing(), Closing()
    assert ExistingEnvUpdate(env)(old) is env
    assert old.closed == 0


def test_existing_env_update_warns_when_pickled():
    update = ExistingEnvUpdate(PointEnv(goal=(0.5, 0.0)))
    with pytest.warns(UserWarning, match="pickled or copied with its whole environment"):
        other = pickle.loads(pickle.dumps(update))
    assert goal(other()) == 0.5


def test_set_task_update_keeps_an_environment_of_the_type_with_its_wrappers():
    old = TaskNameWrapper(Closing(), task_name="kept")
    env = SetTaskUpdate(Closing, {"goal": (0.5, 0.0)}, wrapper=lambda env: env / 0)(old)
    assert env is old
    assert goal(env) == 0.5
    assert old.unwrapped.closed == 0


@pytest.mark.parametrize("old", [PointEnv, GridWorldEnv])
def test_set_task_update_replaces_an_environment_of_any_other_type(old):
    closed = []

    class Old(old):
        def close(self):
            closed.append(self)

    env = Old()
    with pytest.warns(
        UserWarning, match=r"cannot take a task of Closing, so it is closed and a new one made"
    ):
        new = SetTaskUpdate(Closing, {"goal": (0.5, 0.0)})(env)
    assert type(new) is Closing
    assert closed == [env]
    assert goal(new) == 0.5


def test_set_task_update_of_a_base_class_does_not_keep_a_subclass():
    with pytest.warns(UserWarning, match="cannot take a task of PointEnv"):
        new = SetTaskUpdate(PointEnv, {"goal": (0.5, 0.0)})(Closing())
    assert type(new) is PointEnv


def test_set_task_update_wraps_a_new_environment():
    def wrapper(env, task):
        return TaskNameWrapper(env, task_name=f"{task['goal'][0]} {goal(env)}")

    env = SetTaskUpdate(PointEnv, {"goal": (0.5, 0.0)}, wrapper)()
    env.reset()
    assert env.step(np.zeros(2)).env_info["task_name"] == "0.5 0.5"
    one = SetTaskUpdate(PointEnv, {"goal": (0.5, 0.0)}, functools.partial(TaskNameWrapper, task_id=3))()
    one.reset()
    assert one.step(np.zeros(2)).env_info["task_id"] == 3


def test_updates_are_checked():
    with pytest.raises(ValueError, match=r"env_type must be a class.*NewEnvUpdate"):
        SetTaskUpdate(functools.partial(PointEnv), {})
    with pytest.raises(TypeError, match="wrapper must be a function"):
        SetTaskUpdate(PointEnv, {}, wrapper="normalize")
    with pytest.raises(TypeError, match="env_constructor must be a function that makes an environment"):
        NewEnvUpdate(PointEnv())
    with pytest.raises(TypeError, match="env must be a Gymnasium environment"):
        ExistingEnvUpdate(PointEnv)


# --- samplers of any environments ------------------------------------------------------------------------


def makers(count=5):
    return [functools.partial(PointEnv, goal=(place / 10, 0.0)) for place in range(count)]


def places(updates):
    return [round(10 * goal(update())) for update in updates]


def test_construct_envs_sampler_gives_each_constructor_once_before_any_comes_again():
    sampler = ConstructEnvsSampler(makers(), seed=0)
    assert sampler.n_tasks == 5
    updates = sampler.sample(12)
    assert all(isinstance(update, NewEnvUpdate) and isinstance(update, EnvUpdate) for update in updates)
    drawn = places(updates)
    assert sorted(drawn[:5]) == sorted(drawn[5:10]) == [0, 1, 2, 3, 4]
    assert len(drawn) == 12


def test_construct_envs_sampler_with_replacement():
    drawn = places(ConstructEnvsSampler(makers(), seed=0).sample(40, with_replacement=True))
    assert set(drawn) == {0, 1, 2, 3, 4}
    assert any(len(set(drawn[i : i + 5])) < 5 for i in range(0, 40, 5))


def test_set_task_sampler_sets_the_tasks_that_the_environment_samples():
    sampler = SetTaskSampler(PointEnv, seed=0)
    assert sampler.n_tasks is None
    updates = sampler.sample(6)
    assert all(isinstance(update, SetTaskUpdate) for update in updates)
    env = updates[0]()
    goals = [goal(update(env)) for update in updates]
    assert len(set(goals)) == 6
    assert goals == [goal(update()) for update in SetTaskSampler(PointEnv, seed=0).sample(6, True)]


def test_set_task_sampler_samples_from_the_environment_given():
    env = PointEnv()
    env.reset(seed=3)
    expected = PointEnv()
    expected.reset(seed=3)
    sampler = SetTaskSampler(PointEnv, env)
    assert [goal(update()) for update in sampler.sample(2)] == [
        pytest.approx(float(task["goal"][0])) for task in expected.sample_tasks(2)
    ]


def test_set_task_sampler_over_a_benchmark():
    benchmark = taskworlds.benchmark("reach-v3", seed=0, num_goals=3)
    sampler = SetTaskSampler(MetaWorldSetTaskEnv, MetaWorldSetTaskEnv(benchmark, "train"))
    assert sampler.n_tasks == 3
    env = None
    ids = []
    for update in pickle.loads(pickle.dumps(sampler.sample(3))):
        env = update(env)
        ids.append(env.task.id)
    assert ids == [task.id for task in benchmark.train_tasks]


def test_set_task_sampler_is_checked():
    with pytest.raises(ValueError, match="env_type must be a class"):
        SetTaskSampler(lambda: PointEnv())
    with pytest.raises(TypeError, match="env must be a Gymnasium environment or None"):
        SetTaskSampler(PointEnv, env=PointEnv)


def test_env_pool_sampler_gives_different_members_in_random_order():
    envs = [PointEnv(goal=(place / 10, 0.0)) for place in range(5)]
    sampler = EnvPoolSampler(envs, seed=0)
    assert sampler.n_tasks == 5
    orders = [places(sampler.sample(5)) for _ in range(4)]
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    assert all(update() in envs for update in sampler.sample(2))


def test_env_pool_sampler_refuses_what_would_share_a_member():
    sampler = EnvPoolSampler([PointEnv(), PointEnv()])
    with pytest.raises(ValueError, match=r"n_tasks must be at most 2, .* not 3. grow_pool\(3\)"):
        sampler.sample(3)
    with pytest.raises(ValueError, match="with_replacement must be False"):
        sampler.sample(1, with_replacement=True)


@pytest.mark.filterwarnings("error")
def test_the_pool_grows_by_copies():
    envs = [PointEnv(goal=(place / 10, 0.0)) for place in range(2)]
    sampler = EnvPoolSampler(envs, seed=0)
    sampler.grow_pool(6)
    assert sampler.n_tasks == 6
    members = [update() for update in sampler.sample(6)]
    assert len(set(map(id, members))) == 6
    assert {round(10 * goal(env)) for env in members} == {0, 1}
    sampler.grow_pool(3)
    assert sampler.n_tasks == 6


@pytest.mark.parametrize(
    "make",
    [
        lambda **how: ConstructEnvsSampler(makers(), **how),
        lambda **how: SetTaskSampler(PointEnv, **how),
        lambda **how: EnvPoolSampler([make() for make in makers()], **how),
    ],
)
@pytest.mark.filterwarnings("ignore:An ExistingEnvUpdate is pickled")
def test_samplers_are_seeded_and_copies_go_on_alike(make):
    def draw(sampler):
        return [goal(update()) for update in sampler.sample(5)]

    sampler = make(seed=1)
    assert isinstance(sampler, TaskSampler)
    first, second = draw(sampler), draw(sampler)
    assert first != second
    assert draw(make(seed=1)) == first
    assert draw(make(np_random=np.random.default_rng(1))) == first
    assert draw(make(seed=2)) != first
    others = copy.deepcopy(sampler), pickle.loads(pickle.dumps(sampler))
    third = draw(sampler)
    assert [draw(other) for other in others] == [third, third]
    with pytest.raises(ValueError, match="seed=1 and np_random both choose the random numbers"):
        make(seed=1, np_random=np.random.default_rng(1))
    with pytest.raises(TypeError, match=r"np_random must be a numpy\.random\.Generator, not 3"):
        make(np_random=3)


def test_empty_samplers_are_refused():
    with pytest.raises(ValueError, match="The number of env_constructors must be at least 1, not 0"):
        ConstructEnvsSampler([])
    with pytest.raises(ValueError, match="The number of envs must be at least 1, not 0"):
        EnvPoolSampler([])


# --- the sampler of benchmarks ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def multi():
    return taskworlds.benchmark("custom-mt-envs", envs_list=["reach-v3", "push-v3"], num_goals=3, seed=0)


def tasks_of(updates):
    return [update.task for update in updates]


def test_metaworld_sampler_gives_as_many_tasks_of_each_skill_in_class_order(multi):
    sampler = MetaWorldTaskSampler(multi, "train", seed=0)
    assert sampler.n_tasks == 6
    tasks = tasks_of(sampler.sample(8))
    assert [task.env_name for task in tasks] == ["reach-v3"] * 4 + ["push-v3"] * 4
    for part in (tasks[:3], tasks[4:7]):
        assert len(set(part)) == 3


def test_metaworld_sampler_goes_on_from_call_to_call():
    ml10 = taskworlds.benchmark("ML10", seed=0)
    sampler = MetaWorldTaskSampler(ml10, "test", seed=0)
    assert sampler.n_tasks == 250
    rounds = [[], []]
    for round_ in rounds:
        for _ in range(5):
            round_ += tasks_of(sampler.sample(50))
    assert set(rounds[0]) == set(rounds[1]) == set(ml10.test_tasks)
    for name in ml10.env_names("test"):
        orders = [[task for task in round_ if task.env_name == name] for round_ in rounds]
        assert orders[0] != orders[1]


def test_metaworld_sampler_draws_what_it_always_drew_for_a_seed(multi):
    sampler = MetaWorldTaskSampler(multi, "train", seed=0)
    drawn = tasks_of(sampler.sample(8))  # a round of each skill, and the first task of its next
    generator = np.random.default_rng(0)
    expected = []
    for tasks in (multi.train_tasks[:3], multi.train_tasks[3:]):
        orders = [generator.permutation(3)[::-1] for _ in range(2)]
        expected += [tasks[i] for i in [*orders[0], orders[1][0]]]
    assert drawn == expected


def test_metaworld_sampler_with_replacement(multi):
    sampler = MetaWorldTaskSampler(multi, "train", seed=0)
    tasks = tasks_of(sampler.sample(40, with_replacement=True))
    assert set(tasks) == set(multi.train_tasks)
    assert any(len(set(tasks[i : i + 3])) < 3 for i in range(0, 18, 3))


def test_metaworld_sampler_takes_skills_with_different_numbers_of_tasks(multi):
    sampler = MetaWorldTaskSampler(list(multi.train_tasks[:4]), "train", seed=0)
    assert sampler.n_tasks == 4
    tasks = tasks_of(sampler.sample(6))
    assert set(tasks[:3]) == set(multi.train_tasks[:3])
    assert tasks[3:] == [multi.train_tasks[3]] * 3


def test_metaworld_sampler_takes_meta_worlds_own_benchmarks(multi):
    theirs = types.SimpleNamespace(
        train_tasks=[task.to_metaworld() for task in multi.train_tasks], test_tasks=[]
    )
    drawn = [tasks_of(MetaWorldTaskSampler(each, "train", seed=0).sample(6)) for each in (multi, theirs)]
    assert drawn[0] == drawn[1]


def test_metaworld_sampler_is_seeded(multi):
    def draw(seed):
        return tasks_of(MetaWorldTaskSampler(multi, "train", seed=seed).sample(24))

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    sampler = MetaWorldTaskSampler(multi, "train", seed=1)
    sampler.sample(4)
    other = pickle.loads(pickle.dumps(sampler))
    assert tasks_of(sampler.sample(6)) == tasks_of(other.sample(6))
    by_name = MetaWorldTaskSampler("MT10", "train", seed=3)
    assert set(tasks_of(by_name.sample(500))) == set(taskworlds.benchmark("MT10", seed=3).train_tasks)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "Train"}, "kind must be one of 'train', 'test', not 'Train'"),
        ({"kind": "test", "add_env_onehot": True}, "add_env_onehot must be False for the test tasks"),
        ({"kind": "train", "add_env_onehot": True}, "add_env_onehot must be False for the train tasks"),
        (
            {"kind": "train", "seed": 1, "np_random": np.random.default_rng(0)},
            "both choose the random numbers",
        ),
    ],
)
def test_metaworld_sampler_is_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        MetaWorldTaskSampler(taskworlds.benchmark("ML10", seed=0), **arguments)


def test_metaworld_sampler_needs_a_multiple_of_the_number_of_skills(multi):
    with pytest.raises(ValueError, match="n_tasks must be a multiple of 2, the number of skills, not 3"):
        MetaWorldTaskSampler(multi, "train").sample(3)


def test_metaworld_updates_make_and_keep_environments(multi):
    def named(env, task):
        return TaskNameWrapper(env, task_name=f"my {task.env_name}")

    sampler = MetaWorldTaskSampler(multi, "train", named, add_env_onehot=True, seed=0)
    updates = sampler.sample(4)
    assert all(isinstance(update, SetTaskUpdate) for update in updates)
    env = updates[0]()
    assert env.task == updates[0].task
    for update in updates:
        assert update(env) is env
        observation, _ = env.reset()
        assert env.task == update.task
        assert env.step(np.zeros(4)).env_info["task_name"] == f"my {update.task.env_name}"
        assert observation[39:].tolist() == [update is updates[0] or update is updates[1]] + [
            update is updates[2] or update is updates[3]
        ]


def test_metaworld_updates_replace_environments_of_another_setting(multi):
    plain = MetaWorldTaskSampler(multi, "train", seed=0).sample(2)
    onehot = MetaWorldTaskSampler(multi, "train", add_env_onehot=True, seed=0).sample(2)
    env = plain[0]()
    with pytest.warns(UserWarning, match="so it is closed and a new one made"):
        env = onehot[0](env)
    assert env.observation_space.shape == (41,)
    with pytest.warns(UserWarning, match="so it is closed and a new one made"):
        env = plain[0](PointEnv())
    assert type(env) is MetaWorldSetTaskEnv


def test_metaworld_updates_travel(multi):
    updates = pickle.loads(pickle.dumps(MetaWorldTaskSampler(multi, "train", seed=0).sample(2)))
    env = None
    for update in updates:
        env = update(env)
        assert env.task == update.task
    assert isinstance(env, gymnasium.Env)
