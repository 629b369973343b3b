"""Meta-World's names for each row's attributes and methods, through `call`, `get_attr` and `set_attr`."""

from __future__ import annotations

import ast
import copy
import inspect
import json
import textwrap

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.mujoco.ant_v5 import AntEnv
from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv
from gymnasium.envs.mujoco.walker2d_v5 import Walker2dEnv
from metaworld.env_dict import ALL_V3_ENVIRONMENTS

import taskworlds
from taskworlds import benchmark
from taskworlds.vector.flat_state import from_arrays
from taskworlds.vector.official_names import OFFICIAL


@pytest.fixture
def envs(make_vec, tasks):
    made = make_vec([tasks.near, tasks.far], 2, max_episode_steps=7)
    made.reset(options={"tasks": [tasks.near, tasks.far]})
    return made


@pytest.mark.parametrize("strategy", ["sync", "async"], indirect=True)
def test_attributes_before_the_first_reset(make_vec):
    made = make_vec("MT10", seed=0, max_episode_steps=7, use_one_hot=True)
    assert made.get_attr("task_name")[:2] == ("SawyerReachEnvV3", "SawyerPushEnvV3")
    assert made.get_attr("task") == (None,) * 10
    assert made.get_attr("max_path_length") == made.get_attr("max_episode_steps") == (7,) * 10
    assert made.get_attr("current_task_idx") == (-1,) * 10
    assert made.get_attr("tasks")[3] == list(made.benchmark.only("door-open-v3").train_tasks)
    assert made.get_attr("observation_space") == (made.single_observation_space,) * 10
    assert made.get_attr("action_space") == (made.single_action_space,) * 10
    assert made.get_attr("terminate_on_success") == (False,) * 10
    assert made.get_attr("sample_tasks_on_reset") == (True,) * 10
    with pytest.raises(RuntimeError, match=r"no environment to look into yet: call reset\(\) first"):
        made.get_attr("hand_low")
    with pytest.raises(RuntimeError, match=r"no environment to look into yet: call reset\(\) first"):
        made.call("get_endeff_pos")
    made.reset(seed=0)  # a mistake in a row's process must not end it
    assert made.get_attr("hand_low")[0].shape == (3,)


@pytest.mark.parametrize("name", ["terminate_on_success", "sample_tasks_on_reset"])
def test_switches(envs, name):
    for values, expected in (
        (True, (True, True)),
        (False, (False, False)),
        ([True, False], (True, False)),
        ((False, True), (False, True)),
        (np.bool_(True), (True, True)),
    ):
        envs.set_attr(name, values)
        assert envs.get_attr(name) == expected
        assert {type(value) for value in envs.get_attr(name)} == {bool}
    assert envs.call(f"toggle_{name}", False) == (None, None)
    assert envs.get_attr(name) == (False, False)
    envs.call(f"toggle_{name}", on=True)
    assert envs.call(name) == (True, True)
    envs.set_attr(name, 1)
    assert envs.get_attr(name) == (True, True)
    for bad in (2, "yes", None):
        with pytest.raises(ValueError, match=f"{name} must be one of True, False, not {bad!r}"):
            envs.set_attr(name, bad)
    with pytest.raises(ValueError, match=f"{name} must have one value for each of the 2 rows, not 3"):
        envs.set_attr(name, [True] * 3)
    with pytest.raises(TypeError, match="off"):
        envs.call(f"toggle_{name}", off=True)
    assert envs.get_attr(name) == (True, True)


def test_sample_tasks_gives_each_rows_reset(envs):
    given = envs.call("sample_tasks")
    assert len(given) == 2
    for row, (obs, info) in enumerate(given):
        assert obs.shape == (39,)
        assert envs.benchmark.train_tasks[info["task_index"]] == envs.current_tasks[row]
        assert info["goal"].shape == (3,)
    again = envs.call("sample_tasks", seed=3)
    assert [info["task_index"] for _, info in envs.call("sample_tasks", seed=3)] == [
        i["task_index"] for _, i in again
    ]


def test_the_native_engine_says_where_official_attributes_are():
    envs = taskworlds.make_vec("reach-v3", 2, seed=0, vector_strategy="native")
    for ask in (envs.get_attr, envs.call, lambda name: envs.set_attr(name, 1)):
        with pytest.raises(AttributeError, match=r"no attribute 'hand_low'.*vector_strategy=\"sync\""):
            ask("hand_low")


@pytest.mark.parametrize("strategy", ["sync", "async"], indirect=True)
def test_the_official_environment_can_be_looked_into(envs):
    assert [low.tolist() for low in envs.get_attr("hand_low")] == [[-0.5, 0.4, 0.05]] * 2
    assert envs.call("hand_low")[0].tolist() == [-0.5, 0.4, 0.05]
    assert [pos.shape for pos in envs.call("get_endeff_pos")] == [(3,), (3,)]
    before = from_arrays(envs.get_state())["rows"][0]["physics"]
    with pytest.raises(
        AttributeError, match="'reset_model' is a method of the official environment, not a value"
    ):
        envs.get_attr("reset_model")
    assert np.array_equal(from_arrays(envs.get_state())["rows"][0]["physics"], before)
    for ask in (envs.get_attr, envs.call):
        with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
            ask("no_such_name")
    envs.step(np.zeros((2, 4)))  # the rows are still there


@pytest.mark.parametrize("strategy", ["sync", "async"], indirect=True)
def test_attributes_of_the_official_environment_can_be_set(envs):
    envs.set_attr("action_scale", 0.002)
    assert envs.get_attr("action_scale") == (0.002, 0.002)
    envs.set_attr("action_scale", [0.01, 0.02])
    assert envs.get_attr("action_scale") == (0.01, 0.02)
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        envs.set_attr("no_such_name", 3)
    with pytest.raises(ValueError, match="action_scale must have one value for each of the 2 rows, not 1"):
        envs.set_attr("action_scale", [0.01])
    assert envs.get_attr("action_scale") == (0.01, 0.02)


INSTEAD = {
    "task": r"Call set_task\(task\)",
    "task_name": r"Call set_task\(task\)",
    "current_task_idx": r"Call set_task\(task\)",
    "np_random": r"Call reset\(seed=...\)",
    "np_random_seed": r"Call reset\(seed=...\)",
    "_freeze_rand_vec": r"a reset draws one of `tasks` \(task_select, num_goals\), and set_task fixes one",
    "seeded_rand_vec": r"drawn from the generators that reset\(seed=...\) seeds",
    "_last_rand_vec": r'Task\(env_name, {\*\*task.params, "rand_vec": \[...\]}\)',
    "_partially_observable": r"taskworlds.make\(..., partially_observable=...\)",
    "camera_name": r"It is chosen when the environment is made: taskworlds.make\(..., camera_name=...\)",
    "reward_function_version": r"taskworlds.make\(..., reward_function_version=...\)",
    "use_one_hot": r"taskworlds.make\(..., use_one_hot=...\)",
}


def test_what_cannot_be_set_says_what_to_do(envs):
    for name, instead in INSTEAD.items():
        with pytest.raises(AttributeError, match=f"^'{name}' cannot be set to 3; it is(.|\n)*{instead}"):
            envs.set_attr(name, 3)
    assert envs.get_attr("_freeze_rand_vec") == envs.get_attr("seeded_rand_vec") == (True, True)


def test_the_limit_can_be_set(envs, tasks):
    for limit, name in enumerate(("max_path_length", "max_episode_steps", "_max_episode_steps"), start=1):
        envs.set_attr(name, limit)
        assert envs.get_attr(name) == envs.get_attr("max_path_length") == (limit, limit)
        assert envs.max_episode_steps == envs.options.max_episode_steps == limit
    envs.reset(options={"tasks": [tasks.near, tasks.far]})
    assert [envs.step(np.zeros((2, 4)))[3].all() for _ in range(3)] == [False, False, True]
    for bad, message in (([2, 3], "must be the same for all rows"), (0, "must be at least 1, not 0")):
        with pytest.raises(ValueError, match=f"max_episode_steps {message}"):
            envs.set_attr(name, bad)
    with pytest.raises(TypeError, match="max_episode_steps must be a whole number, not 'long'"):
        envs.set_attr(name, "long")
    again = copy.deepcopy(envs)
    assert again.max_episode_steps == envs.max_episode_steps == 3
    again.close()


# --- plain assignment ---------------------------------------------------------------------------------------


def test_an_assigned_attribute_of_a_batch_is_obeyed_or_refused(envs, tasks):
    envs.max_path_length = 3
    envs.terminate_on_success = [True, False]
    envs.sample_tasks_on_reset = False
    envs.tasks = [[tasks.far], [tasks.near, tasks.far]]
    assert (envs.max_episode_steps, envs.terminate_on_success.tolist()) == (3, [True, False])
    assert envs.get_attr("sample_tasks_on_reset") == (False, False)
    assert envs.tasks == ([tasks.far], [tasks.near, tasks.far])
    with pytest.raises(ValueError, match="read-only"):
        envs.terminate_on_success[0] = False
    envs.my_note = "mine"
    assert envs.my_note == "mine"
    for name in (
        "_freeze_rand_vec",
        "camera_name",
        "num_envs",
        "strategy",
        "split",
        "reward_function_version",
    ):
        with pytest.raises(AttributeError, match=f"^'{name}' cannot be set"):
            setattr(envs, name, 7)
    assert (envs.num_envs, envs.split, envs.reward_function_version) == (2, "train", "v2")


def test_an_assigned_attribute_of_a_single_environment_is_obeyed_or_refused(make, strategy, tasks):
    env = make([tasks.far], k_episodes=2, max_episode_steps=9)
    env.reset(seed=0)
    env.max_path_length = 3
    env.my_note = "mine"
    assert (env.max_path_length, env._max_episode_steps, env.spec.max_episode_steps) == (3, 3, 6)
    assert (env.spec.kwargs["max_episode_steps"], env.my_note) == (3, "mine")
    steps = [env.step(np.zeros(4)) for _ in range(6)]
    assert [step.truncated for step in steps] == [False] * 5 + [True]
    assert steps[-1].env_info["episode_length"] == 6
    for name in (
        "_freeze_rand_vec",
        "_partially_observable",
        "seeded_rand_vec",
        "render_mode",
        "width",
        "benchmark",
    ):
        with pytest.raises(AttributeError, match=f"^'{name}' cannot be set"):
            setattr(env, name, False)
    for name, value in (("action_scale", 0.02), ("_target_pos", np.ones(3))):
        if strategy == "native":  # where nobody would look at it
            with pytest.raises(AttributeError, match=f'no attribute {name!r}.*vector_strategy="sync"'):
                setattr(env, name, value)
        else:
            setattr(env, name, value)
            assert np.array_equal(getattr(env, name), value)


def test_gymnasiums_wrappers_do_not_keep_what_they_are_told_to_set(tasks):
    wrapped = gym.wrappers.ClipAction(taskworlds.make([tasks.far]))
    assert wrapped.set_wrapper_attr("max_path_length", 4)
    assert wrapped.unwrapped.max_path_length == 4
    for name in ("_freeze_rand_vec", "_partially_observable", "camera_name", "_last_rand_vec", "mocap_low"):
        with pytest.raises(AttributeError, match=f"'{name}'"):
            wrapped.set_wrapper_attr(name, 3)
    wrapped.set_wrapper_attr("my_note", 3)
    assert wrapped.my_note == 3


def test_copies_of_rows_in_other_processes_cannot_be_written_to(tasks):
    env = taskworlds.make([tasks.far], vector_strategy="async")
    env.reset(seed=0)
    model = env.model
    for array in (model.cam_pos, model.opt.gravity, model.body("hand").pos, env.data.qpos, env.hand_low):
        with pytest.raises(ValueError, match="read-only"):
            array[2] = 0.5
    with pytest.raises(AttributeError, match=r'this is a copy of the MjOption .* vector_strategy="sync"'):
        model.opt.timestep = 0.1
    assert model.opt.timestep == env.model.opt.timestep == 0.0025
    env.close()


def test_what_is_assigned_to_a_model_in_this_process_is_the_models(tasks):
    env = taskworlds.make([tasks.far], vector_strategy="sync")
    env.reset(seed=0)
    env.model.cam_pos[2] = 0.5
    assert env.model.cam_pos[2].tolist() == [0.5] * 3
    env.close()


def test_reading_what_only_rows_have_says_how(make, make_vec, strategy, tasks):
    env, envs = make([tasks.far]), make_vec([tasks.far], 2)
    for name in ("_get_obs", "get_endeff_pos"):
        hint = r'vector_strategy="sync"' if strategy == "native" else r"call\(.*\)` of the batch calls it"
        env.reset(seed=0)
        with pytest.raises(AttributeError, match=f"'TaskEnv' object has no attribute '{name}': .*{hint}"):
            getattr(env, name)
    with pytest.raises(AttributeError, match=r"'envs'. The rows are stepped together; get_attr\(name\)"):
        envs.envs[0]
    with pytest.raises(AttributeError, match=r"'model'. It belongs to the rows: get_attr\('model'\)"):
        _ = envs.model
    for each in (env, envs):
        with pytest.raises(AttributeError, match=r"object has no attribute '_nothing'$"):
            _ = each._nothing


def test_official_names_are_those_of_the_official_classes():
    classes = [*ALL_V3_ENVIRONMENTS.values(), HalfCheetahEnv, AntEnv, Walker2dEnv]
    bases = {base for each in classes for base in each.__mro__}
    official = [base for base in bases if base.__module__.startswith(("metaworld", "gymnasium"))]
    found = {name for base in official for name in _assigned(base)} - set(dir(gym.Env))
    ours = {"_ezpickle_args", "_ezpickle_kwargs", "_Decorators", "action_space", "observation_space"}
    assert found - ours == OFFICIAL - {"physics", "random_init"}


def _assigned(each):
    """The attributes of a class, and those that its methods assign."""
    yield from (name for name in vars(each) if not name.startswith("__"))
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(each)))):
        is_own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if is_own and node.value.id == "self" and isinstance(node.ctx, ast.Store):
            yield node.attr


@pytest.mark.parametrize("name", ["reset", "step", "close", "seed"])
def test_rows_are_not_reset_or_stepped_behind_the_batchs_back(envs, name):
    with pytest.raises(
        AttributeError, match=rf"The rows have no {name}\(\) of their own: call the vector env"
    ):
        envs.call(name)


def test_normalisation_is_frozen_for_all_rows_alike(envs):
    with pytest.raises(ValueError, match="update_running_mean must be the same for all rows"):
        envs.set_attr("update_running_mean", [True, False])


# --- checkpoints --------------------------------------------------------------------------------------------


def ids(envs, n):
    return [envs.sample_tasks()[1]["task_index"].tolist() for _ in range(n)]


@pytest.mark.parametrize("name", ["ML10-train", "MT10"])
def test_checkpoint_names_are_unique(make_vec, strategy, name):
    # Meta-World's are the same for all rows of an ML benchmark, so one row's overwrites the others'.
    rows = 11 if strategy == "async" else 20  # two of a skill at least; each row is a process there
    envs = make_vec(name, rows, seed=0, num_goals=4)
    names = [each for each, _ in envs.call("get_checkpoint")]
    assert len(set(names)) == rows
    other = make_vec("ML10-test", rows, seed=0, num_goals=4)
    assert not set(names) & {each for each, _ in other.call("get_checkpoint")}


@pytest.mark.parametrize("select", ["random", "pseudorandom", "round_robin"])
def test_checkpoints_restore_the_selection(make_vec, select):
    goals = benchmark("ML1", "drawer-close-v3", seed=0, num_goals=7)
    envs = make_vec(goals, 2, task_select=select, seed=0)
    ids(envs, 5)
    envs.set_attr("terminate_on_success", [True, False])
    envs.call("toggle_sample_tasks_on_reset", True)
    saved = json.loads(json.dumps(envs.call("get_checkpoint")))
    at = [task.id for task in envs.current_tasks]
    expected = ids(envs, 9)
    fresh = make_vec(goals, 2, task_select=select, seed=99)
    for restored in (envs, fresh):
        restored.call("load_checkpoint", saved[::-1])
        assert [task.id for task in restored.current_tasks] == at
        assert restored.get_attr("terminate_on_success") == (True, False)
        assert restored.get_attr("sample_tasks_on_reset") == (True, True)
        with pytest.raises(RuntimeError, match=r"call reset\(\) before"):
            restored.step(np.zeros((2, 4)))
        assert ids(restored, 9) == expected


def test_checkpoints_hold_the_tasks_of_an_unseeded_benchmark(make_vec):
    envs = make_vec("ML1", 2, env_name="drawer-close-v3", num_goals=3, seed=None)
    saved = envs.call("get_checkpoint")
    other = make_vec("ML1", 2, env_name="drawer-close-v3", num_goals=3, seed=None)
    assert other.tasks != envs.tasks
    other.call("load_checkpoint", saved)
    assert other.tasks == envs.tasks


def test_checkpoints_keep_tasks_that_were_set(make_vec):
    goals = benchmark("MT1", "drawer-close-v3", seed=0, num_goals=7)
    envs, other = make_vec(goals, 2), make_vec(goals, 2)
    envs.set_tasks(goals.train_tasks[3])
    other.call("load_checkpoint", envs.call("get_checkpoint"))
    assert other.current_tasks == (None, None)
    other.reset()
    assert other.current_tasks == (goals.train_tasks[3],) * 2


def test_checkpoints_of_other_environments_are_refused(make_vec, tasks):
    few = make_vec("ML1", 2, env_name="drawer-close-v3", seed=0)
    many = make_vec("ML1", 3, env_name="drawer-close-v3", seed=0)
    with pytest.raises(
        ValueError, match=r"no checkpoint for ML1-drawer-close-v3/train/row-2, but there are for ML1-dra"
    ):
        many.call("load_checkpoint", few.call("get_checkpoint"))
    with pytest.raises(ValueError, match=r"no checkpoint for .*row-0, .*row-1, but there are for none"):
        few.call("load_checkpoint", [])
    push = make_vec(list(benchmark("MT1", "push-v3", seed=0).train_tasks), 2)
    reach = make_vec([tasks.far], 2)  # both benchmarks are called "tasks"
    before = reach.tasks
    with pytest.raises(ValueError, match="is of the skill 'push-v3', which tasks does not have here"):
        reach.call("load_checkpoint", push.call("get_checkpoint"))
    assert reach.tasks == before


def test_a_single_environments_checkpoint(make):
    goals = benchmark("ML1", "drawer-close-v3", seed=0, num_goals=7)
    env, other = (make(goals, task_select="pseudorandom", seed=seed) for seed in (0, 1))
    env.sample_tasks()
    name, saved = env.get_checkpoint()
    assert name == "ML1-drawer-close-v3/train/row-0"
    expected = [env.sample_tasks()[1]["task_index"] for _ in range(7)]
    other.load_checkpoint([(name, json.loads(json.dumps(saved)))])
    assert [other.sample_tasks()[1]["task_index"] for _ in range(7)] == expected
