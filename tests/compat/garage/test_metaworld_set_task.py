import copy
import pickle
import random
import types
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import taskworlds
from taskworlds import EnvStep, MetaWorldSetTaskEnv, StepType, Task, TaskNameWrapper
from taskworlds.compat.garage.samplers import MetaWorldTaskSampler


@pytest.fixture(scope="module")
def multi():
    """Reach and push, three goals each, shown."""
    return taskworlds.benchmark("custom-mt-envs", envs_list=["reach-v3", "push-v3"], num_goals=3, seed=0)


@pytest.fixture(scope="module")
def meta():
    """Reach and push to train on, opening a drawer to test, three goals each, hidden."""
    return taskworlds.benchmark(
        "custom-ml-envs",
        train_envs=["reach-v3", "push-v3"],
        test_envs=["drawer-open-v3"],
        num_goals=3,
        seed=0,
    )


def inner(tasks):
    return [task["inner"] for task in tasks]


def by_skill(tasks, name):
    return [task for task in tasks if task.env_name == name]


# --- construction ----------------------------------------------------------------------------------------


def test_spaces_and_spec_are_known_at_once(multi):
    env = MetaWorldSetTaskEnv(multi, "train", add_env_onehot=True)
    assert env.observation_space.shape == (41,)
    assert env.observation_space.dtype == np.float64
    assert env.action_space.shape == (4,)
    assert env.spec.observation_space == env.observation_space
    assert env.spec.max_episode_length == 500
    assert env.render_modes == ["human", "rgb_array", "depth_array"]
    assert env.task == multi.train_tasks[0]
    assert (env.benchmark, env.kind, env.add_env_onehot) == (multi, "train", True)


def test_nothing_is_known_before_the_first_task():
    env = MetaWorldSetTaskEnv()
    for read in ("action_space", "observation_space", "num_tasks"):
        with pytest.raises(RuntimeError, match=f"{read} needs a .*call set_task"):
            getattr(env, read)
    with pytest.raises(RuntimeError, match="reset needs a task, and none is set"):
        env.reset()
    with pytest.raises(RuntimeError, match="step needs a task, and none is set"):
        env.step(np.zeros(4))
    assert (env.spec, env.task, env.benchmark, env.kind, env.add_env_onehot) == (
        None,
        None,
        None,
        None,
        False,
    )
    assert "MetaWorldSetTaskEnv" in repr(env)
    env.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": None}, 'kind must be "train" or "test" with a benchmark, not None'),
        ({"kind": "Test"}, "kind must be one of 'train', 'test', not 'Test'"),
        ({"kind": "train", "add_env_onehot": True}, "add_env_onehot must be False for the train tasks"),
        ({"kind": "test", "add_env_onehot": True}, "add_env_onehot must be False for the test tasks"),
        ({"kind": "train", "add_env_onehot": 2}, "add_env_onehot must be one of True, False, not 2"),
        ({"kind": "train", "render_mode": "ascii"}, "render_mode must be one of None, 'human'"),
        ({"kind": "train", "seed": -1}, "seed must be at least 0"),
    ],
)
def test_wrong_arguments_are_refused(meta, arguments, message):
    with pytest.raises(ValueError, match=message):
        MetaWorldSetTaskEnv(meta, **arguments)


def test_a_multi_task_benchmark_has_no_test_tasks(multi):
    with pytest.raises(ValueError, match="custom-mt-envs has no test tasks"):
        MetaWorldSetTaskEnv(multi, "test")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"kind": "train"}, "kind"),
        ({"wrapper": TaskNameWrapper}, "wrapper"),
        ({"add_env_onehot": True}, "add_env_onehot"),
        ({"kind": "test", "add_env_onehot": True}, "kind and add_env_onehot"),
    ],
)
def test_without_a_benchmark_the_rest_must_be_left_out(arguments, named):
    with pytest.raises(ValueError, match=f"{named} must be left out without a benchmark"):
        MetaWorldSetTaskEnv(**arguments)


def test_benchmarks_by_name_take_the_seed():
    env = MetaWorldSetTaskEnv("MT10", "train", seed=3)
    assert env.benchmark == taskworlds.benchmark("MT10", seed=3)


def test_meta_worlds_own_benchmarks_and_tasks_are_taken(multi):
    theirs = types.SimpleNamespace(
        train_tasks=[task.to_metaworld() for task in multi.train_tasks], test_tasks=[]
    )
    env = MetaWorldSetTaskEnv(theirs, "train")
    assert env.benchmark == multi
    env.set_task(theirs.train_tasks[4])
    assert env.task == multi.train_tasks[4]
    env.set_task(
        {"kind": "train", "benchmark": theirs, "add_env_onehot": False, "inner": theirs.train_tasks[1]}
    )
    assert env.task == multi.train_tasks[1]


# --- sampling --------------------------------------------------------------------------------------------


def test_num_tasks_counts_those_of_the_kind(multi, meta):
    assert MetaWorldSetTaskEnv(multi, "train").num_tasks == 6
    assert MetaWorldSetTaskEnv(meta, "test").num_tasks == 3


def test_tasks_are_the_documented_dictionaries(multi):
    env = MetaWorldSetTaskEnv(multi, "train", add_env_onehot=True)
    assert env.sample_tasks(1) == [
        {"kind": "train", "benchmark": multi, "add_env_onehot": True, "inner": multi.train_tasks[0]}
    ]


def test_sampling_goes_around_the_skills_and_on_from_call_to_call(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    reach, push = multi.train_tasks[:3], multi.train_tasks[3:]
    assert inner(env.sample_tasks(3)) == [reach[0], push[0], reach[1]]
    assert inner(env.sample_tasks(3)) == [push[1], reach[2], push[2]]


def test_every_skill_is_shuffled_once_its_tasks_have_all_been_given():
    many = taskworlds.benchmark("custom-mt-envs", envs_list=["reach-v3", "push-v3"], num_goals=20, seed=0)
    env = MetaWorldSetTaskEnv(many, "train", seed=0)
    rounds = [inner(env.sample_tasks(40)) for _ in range(3)]
    for name in ("reach-v3", "push-v3"):
        orders = [by_skill(tasks, name) for tasks in rounds]
        assert orders[0] == by_skill(many.train_tasks, name)
        assert len({tuple(order) for order in orders}) == 3
        assert all(set(order) == set(orders[0]) for order in orders)
    assert [task.env_name for task in rounds[2]] == ["reach-v3", "push-v3"] * 20


def test_each_shuffle_is_of_the_order_before_it(multi):
    env = MetaWorldSetTaskEnv(multi.only("reach-v3"), "train", seed=0)
    order, generator = list(multi.train_tasks[:3]), np.random.default_rng(0)
    assert inner(env.sample_tasks(3)) == order
    for _ in range(3):
        order = [order[i] for i in generator.permutation(3)]
        assert inner(env.sample_tasks(3)) == order


def test_skills_with_fewer_tasks_start_over_sooner(multi):
    tasks = [multi.train_tasks[0], *multi.train_tasks[3:]]
    env = MetaWorldSetTaskEnv(tasks, "train", seed=0)
    sampled = inner(env.sample_tasks(6))
    assert by_skill(sampled, "reach-v3") == [tasks[0]] * 3
    assert by_skill(sampled, "push-v3") == tasks[1:]


def test_a_seed_fixes_the_shuffles(multi):
    def order(seed):
        return inner(MetaWorldSetTaskEnv(multi, "train", seed=seed).sample_tasks(30))

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_a_seeded_reset_goes_back_to_the_first_task(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    env.reset(seed=4)
    first = inner(env.sample_tasks(20))
    env.reset()
    assert inner(env.sample_tasks(20)) != first
    env.reset(seed=4)
    assert inner(env.sample_tasks(20)) == first


def test_no_global_generator_is_touched(multi):
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    env = MetaWorldSetTaskEnv(multi, "train")
    env.set_task(env.sample_tasks(30)[-1])
    env.step(np.zeros(4))
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]


def test_only_an_environment_made_with_a_benchmark_samples(multi):
    env = MetaWorldSetTaskEnv()
    with pytest.raises(
        RuntimeError, match="sample_tasks needs an environment that was made with a benchmark"
    ):
        env.sample_tasks(1)
    env.set_task(MetaWorldSetTaskEnv(multi, "train").sample_tasks(1)[0])
    assert env.num_tasks == 6
    with pytest.raises(RuntimeError, match="made with a benchmark"):
        env.sample_tasks(1)


def test_the_number_of_tasks_is_checked(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    with pytest.raises(ValueError, match="n_tasks must be at least 1, not 0"):
        env.sample_tasks(0)


# --- setting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("onehot", [True, False])
def test_a_fresh_instance_takes_kind_benchmark_and_onehot_from_a_task(multi, onehot):
    env = MetaWorldSetTaskEnv(multi, "train", add_env_onehot=onehot)
    task = pickle.loads(pickle.dumps(env.sample_tasks(2)[1]))
    fresh = MetaWorldSetTaskEnv()
    fresh.set_task(task)
    assert (fresh.benchmark, fresh.kind, fresh.add_env_onehot) == (multi, "train", onehot)
    assert fresh.observation_space == env.observation_space
    env.set_task(task)
    observation, info = env.reset()
    fresh_observation, fresh_info = fresh.reset()
    np.testing.assert_array_equal(observation, fresh_observation)
    assert {**info, "goal": 0} == {**fresh_info, "goal": 0}


def test_set_task_starts_an_episode(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    env.reset(seed=0)
    for _ in range(3):
        env.step(np.ones(4))
    env.set_task(multi.train_tasks[1])
    step = env.step(np.zeros(4))
    assert step.first
    alone = taskworlds.make(multi)
    alone.reset(options={"task": multi.train_tasks[1]})
    expected = alone.step(np.zeros(4))
    np.testing.assert_array_equal(step.observation, expected.observation)
    assert step.reward == expected.reward


def test_a_task_stays_through_resets_also_seeded_ones(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    env.set_task(multi.train_tasks[4])
    first, _ = env.reset()
    for seed in (0, 1, None):
        observation, _ = env.reset(seed=seed)
        np.testing.assert_array_equal(observation, first)
    assert env.task == multi.train_tasks[4]


def test_skills_can_be_changed_back_and_forth(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    observations = []
    for task in (multi.train_tasks[0], multi.train_tasks[3], multi.train_tasks[0]):
        env.set_task(task)
        observations.append(env.step(np.full(4, 0.5)).observation)
    np.testing.assert_array_equal(observations[0], observations[2])
    assert not np.array_equal(observations[0], observations[1])


def test_a_bare_task_is_enough_for_a_fresh_instance(multi):
    for task in (multi.train_tasks[0], multi.train_tasks[0].to_metaworld()):
        env = MetaWorldSetTaskEnv()
        env.set_task(task)
        assert (env.task, env.kind, env.num_tasks) == (multi.train_tasks[0], "train", 1)
        env.set_task(multi.train_tasks[1])  # another goal of the skill
        assert env.task == multi.train_tasks[1]


def test_a_task_of_another_benchmark_with_the_skill_is_taken(multi):
    other = taskworlds.benchmark("MT1", "push-v3", seed=9, num_goals=2)
    env = MetaWorldSetTaskEnv(multi, "train", add_env_onehot=True)
    task = MetaWorldSetTaskEnv(other, "train", add_env_onehot=True).sample_tasks(1)[0]
    env.set_task(task)
    observation, _ = env.reset()
    assert env.task == other.train_tasks[0]
    assert observation[39:].tolist() == [0.0, 1.0]  # the place in the first benchmark
    assert env.benchmark == multi


def test_tasks_that_do_not_fit_are_refused_and_change_nothing(multi, meta):
    env = MetaWorldSetTaskEnv(meta, "train")
    test_task = MetaWorldSetTaskEnv(meta, "test").sample_tasks(1)[0]
    with pytest.raises(
        ValueError, match="must be a train task, like the previous ones, not one of kind 'test'"
    ):
        env.set_task(test_task)
    door = taskworlds.benchmark("ML1", "door-open-v3", seed=0, num_goals=1)
    with pytest.raises(ValueError, match="'door-open-v3', which custom-ml-envs does not have here"):
        env.set_task(MetaWorldSetTaskEnv(door, "train").sample_tasks(1)[0])
    with pytest.raises(ValueError, match="shows its goal"):
        env.set_task(multi.train_tasks[0])
    onehot = MetaWorldSetTaskEnv(multi, "train", add_env_onehot=True).sample_tasks(1)[0]
    with pytest.raises(
        ValueError, match="must come with add_env_onehot=False, like the previous ones, not True"
    ):
        env.set_task(onehot)
    env.reset()
    assert env.task == meta.train_tasks[0]


@pytest.mark.parametrize(
    ("task", "error", "message"),
    [
        ({}, ValueError, "has the entries kind, benchmark, add_env_onehot and inner, not none"),
        ({"goal": 1, "kind": "train"}, ValueError, "not goal, kind"),
        (
            "reach-v3",
            TypeError,
            "Expected a taskworlds.Task or one of Meta-World's own tasks, not 'reach-v3'",
        ),
    ],
)
def test_what_is_no_task_is_refused(task, error, message):
    with pytest.raises(error, match=message):
        MetaWorldSetTaskEnv().set_task(task)


def test_a_dictionary_is_checked_as_the_constructor_is(meta):
    task = {"kind": "train", "benchmark": meta, "add_env_onehot": True, "inner": meta.train_tasks[0]}
    with pytest.raises(ValueError, match="add_env_onehot must be False"):
        MetaWorldSetTaskEnv().set_task(task)
    with pytest.raises(ValueError, match="kind must be one of"):
        MetaWorldSetTaskEnv().set_task(task | {"kind": "Train", "add_env_onehot": False})


def test_a_fresh_instance_takes_nothing_from_a_task_that_does_not_fit(multi, meta):
    env = MetaWorldSetTaskEnv()
    door = taskworlds.benchmark("MT1", "door-open-v3", seed=0, num_goals=1).train_tasks[0]
    with pytest.raises(ValueError, match="'door-open-v3', which custom-mt-envs does not have here"):
        env.set_task({"kind": "train", "benchmark": multi, "add_env_onehot": False, "inner": door})
    env.set_task({"kind": "test", "benchmark": meta, "add_env_onehot": False, "inner": meta.test_tasks[0]})
    assert (env.benchmark, env.kind) == (meta, "test")
    assert env.step(np.zeros(4)).env_info["task_name"] == "drawer-open-v3"


# --- observations, info, wrappers ------------------------------------------------------------------------


def test_onehots_and_ids_are_those_of_the_benchmarks_order(multi):
    env = MetaWorldSetTaskEnv(multi, "train", add_env_onehot=True)
    updates = MetaWorldTaskSampler(multi, "train", add_env_onehot=True, seed=0).sample(2)
    for place, (task, update) in enumerate(zip(env.sample_tasks(2), updates, strict=True)):
        env.set_task(task)
        expected = [float(place == 0), float(place == 1)]
        observation, _ = env.reset()
        step = env.step(np.zeros(4))
        sampled = update().step(np.zeros(4))
        for each in (observation, step.observation, sampled.observation):
            assert each[39:].tolist() == expected
            assert each in env.observation_space
        for each in (step.env_info, sampled.env_info):
            assert each["task_id"] == place
            assert each["task_name"] == task["inner"].env_name


def test_info_names_the_task_without_the_onehot(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    assert env.reset()[1] == {}
    for place in (0, 3):
        env.set_task(multi.train_tasks[place])
        info = env.step(np.zeros(4)).env_info
        names = [task.env_name for task in multi.train_tasks]
        assert info["task_name"] == names[place]
        assert info["task_id"] == multi.env_names("train").index(names[place])


def test_steps_are_env_steps_and_time_out_at_500(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    env.reset()
    steps = [env.step(np.zeros(4)) for _ in range(500)]
    assert all(isinstance(step, EnvStep) for step in steps)
    assert steps[0].env_spec == env.spec
    assert all(step.env_info.keys() == steps[0].env_info.keys() for step in steps)
    assert not any(isinstance(value, dict) for value in steps[-1].env_info.values())
    assert [step.step_type for step in steps] == [StepType.FIRST, *[StepType.MID] * 498, StepType.TIMEOUT]
    with pytest.raises(RuntimeError, match=r"reset\(\)"):
        env.step(np.zeros(4))


def test_step_needs_a_reset(multi):
    with pytest.raises(RuntimeError, match=r"Call reset\(\)"):
        MetaWorldSetTaskEnv(multi, "train").step(np.zeros(4))


def test_a_wrapper_of_one_argument_wraps_each_skill_once(multi):
    wrapped = []

    def wrapper(env):
        wrapped.append(env)
        return gymnasium.wrappers.TransformReward(env, lambda reward: 100.0 + reward)

    env = MetaWorldSetTaskEnv(multi, "train", wrapper)
    for task in (0, 3, 1, 4):
        env.set_task(multi.train_tasks[task])
        step = env.step(np.zeros(4))
        assert isinstance(step, EnvStep)
        assert 100.0 <= step.reward <= 110.0
    assert len(wrapped) == 2


def test_a_wrapper_of_two_arguments_gets_the_task_too(multi):
    tasks = []

    def wrapper(env, task):
        tasks.append(task)
        return TaskNameWrapper(env, task_name=f"my {task.env_name}")

    env = MetaWorldSetTaskEnv(multi, "train", wrapper)
    env.set_task(multi.train_tasks[5])
    assert env.step(np.zeros(4)).env_info["task_name"] == "my push-v3"
    env.set_task(multi.train_tasks[2])
    assert env.step(np.zeros(4)).env_info["task_name"] == "my reach-v3"
    assert tasks == [multi.train_tasks[0], multi.train_tasks[5]]


def test_a_wrapper_may_have_optional_arguments_and_change_the_spaces(multi):
    env = MetaWorldSetTaskEnv(multi, "train", lambda env, size=2: taskworlds.TaskOnehotWrapper(env, 0, size))
    assert env.observation_space.shape == (41,)
    assert env.spec.observation_space == env.observation_space


def test_wrappers_are_checked(multi):
    with pytest.raises(TypeError, match=r"wrapper must be a function of \(env\) or of \(env, task\)"):
        MetaWorldSetTaskEnv(multi, "train", "normalize")
    with pytest.raises(TypeError, match=r"wrapper must return a Gymnasium environment.*not None"):
        MetaWorldSetTaskEnv(multi, "train", lambda env: None)


def test_reset_hands_seed_and_options_to_the_wrappers(multi):
    seen = []

    class Spy(gymnasium.Wrapper):
        def reset(self, *, seed=None, options=None):
            seen.append((seed, options))
            return super().reset(seed=seed)

    env = MetaWorldSetTaskEnv(multi, "train", Spy)
    env.reset(seed=3, options={"low": 0})
    assert seen == [(3, {"low": 0})]
    with pytest.raises(ValueError, match="options must not have a task here: call set_task"):
        env.reset(options={"task": multi.train_tasks[1]})


# --- the object ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_go_on_alike(multi, duplicate):
    env = MetaWorldSetTaskEnv(multi, "train", taskworlds.normalize, True, seed=0)
    env.set_task(env.sample_tasks(8)[-1])
    env.step(np.full(4, 0.5))
    other = duplicate(env)
    assert (other.task, other.spec) == (env.task, env.spec)
    for _ in range(3):
        step, other_step = env.step(np.full(4, 0.3)), other.step(np.full(4, 0.3))
        np.testing.assert_array_equal(step.observation, other_step.observation)
        assert step.reward == other_step.reward
    assert inner(env.sample_tasks(10)) == inner(other.sample_tasks(10))
    other.set_task(multi.train_tasks[0])
    assert env.task != other.task
    assert env.step(np.zeros(4)).env_info["task_name"] == "push-v3"


def test_gymnasiums_check_passes(multi):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_env(MetaWorldSetTaskEnv(multi, "train", add_env_onehot=True), skip_render_check=True)
        check_env(MetaWorldSetTaskEnv(multi, "train", taskworlds.normalize), skip_render_check=True)


def test_spec_makes_it_again(multi):
    env = MetaWorldSetTaskEnv(multi, "train", add_env_onehot=True)
    made = gymnasium.make(env.spec)
    assert isinstance(made.unwrapped, MetaWorldSetTaskEnv)
    np.testing.assert_array_equal(made.reset(seed=0)[0], env.reset(seed=0)[0])
    made.unwrapped.set_task(multi.train_tasks[3])
    assert made.unwrapped.spec.id == env.spec.id
    assert made.unwrapped.spec.observation_space == env.observation_space


def test_close_can_be_repeated(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    env.reset()
    env.close()
    env.close()


def test_pictures_without_a_mode_need_a_render_mode(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    env.reset()
    with pytest.raises(RuntimeError, match="render_mode"):
        env.render()
    with pytest.raises(
        ValueError, match="mode must be one of 'human', 'rgb_array', 'depth_array', not 'ascii'"
    ):
        env.render("ascii")


def test_steps_before_a_reset_are_named_by_this_class(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    for _ in range(2):
        with pytest.raises(
            RuntimeError, match=r"^MetaWorldSetTaskEnv\.step needs a running episode. Call reset"
        ):
            env.step(np.zeros(4))
        env.set_task(multi.train_tasks[1])
        while not env.step(np.zeros(4)).last:
            pass


def test_visualize_shows_each_later_step(multi, monkeypatch):
    shown = []
    monkeypatch.setattr(
        taskworlds.vector.task_env.TaskEnv, "render", lambda self, mode=None: shown.append(self.task)
    )
    env = MetaWorldSetTaskEnv(multi, "train")
    env.render_mode = "human"  # made with it, a reset would open a window
    env.reset()
    env.step(np.zeros(4))
    assert shown == []
    env.visualize()
    env.step(np.zeros(4))
    assert shown == [multi.train_tasks[0]] * 2


def test_other_goals_than_the_benchmarks_can_be_set(multi):
    env = MetaWorldSetTaskEnv(multi, "train")
    task = Task("reach-v3", {"rand_vec": (0, 0.6, 0.02, 0.05, 0.85, 0.1), "partially_observable": False})
    env.set_task(task)
    np.testing.assert_allclose(env.step(np.zeros(4)).env_info["goal"], [0.05, 0.85, 0.1])
