"""mtrl's vector environments, over small environments and over Meta-World's."""

from __future__ import annotations

import functools
import os
import pickle
import random
import re
import sys
import threading
from types import SimpleNamespace

import cloudpickle
import gymnasium
import metaworld
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError
from gymnasium.spaces import Box, Dict, Discrete
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from omegaconf import OmegaConf

import taskworlds
from taskworlds import MetaWorldVecEnv, Task, VecEnv, benchmark, build_metaworld_vec_env

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # started processes cannot import a test file

LIMIT = 3  # steps of a small environment's episode


class AwkwardError(Exception):
    """Cannot be made from one text."""

    def __init__(self, code, reason):
        super().__init__(code, reason)


class Line(gymnasium.Env):
    """Observes (start, step), in one array that it writes again and again; ends by truncation at LIMIT.

    An action at or above 1 is a fault: 1 raises ValueError, 2 AwkwardError, 3 an error of a class that no
    other process knows, 4 KeyError; 5 ends the process.
    """

    def __init__(self, number=0, high=10.0, size=2, actions=1, fault=None):
        if fault is not None:
            raise fault
        self.observation_space = Box(0.0, high, (size,), np.float64)
        self.action_space = Box(-10.0, 10.0, (actions,), np.float64)
        self.number = number
        self.buffer = np.zeros(size)
        self.info = {}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        self.buffer[:] = 0.0
        self.buffer[0] = self.np_random.random()
        self.info["count"] = 0
        return self.buffer, self.info

    def step(self, action):
        class PrivateError(Exception):
            pass

        fault = int(action[0])
        if fault == 5:
            os._exit(7)
        if fault in (1, 2, 3, 4):
            raise (ValueError("boom"), AwkwardError(1, "boom"), PrivateError("boom"), KeyError("boom"))[
                fault - 1
            ]
        self.count += 1
        self.buffer[1] = self.count
        self.info["count"] = self.count
        return self.buffer, float(self.number), False, self.count == LIMIT, self.info


class DictLine(Line):
    """A Line whose observations are dictionaries, with its number."""

    def __init__(self, number=0, tasks=10, **keywords):
        super().__init__(number, **keywords)
        self.observation_space = Dict({"env_obs": self.observation_space, "task_obs": Discrete(tasks)})

    def reset(self, **keywords):
        obs, info = super().reset(**keywords)
        return {"env_obs": obs, "task_obs": self.number}, info

    def step(self, action):
        obs, *others = super().step(action)
        return {"env_obs": obs, "task_obs": self.number}, *others


def metadata(num_envs, mode="train"):
    return {"ids": [10 + index for index in range(num_envs)], "mode": [mode] * num_envs}


@pytest.fixture
def make():
    """Makes batches that are closed when the test ends: make(VecEnv, [factory, ...], **keywords)."""
    made = []

    def make(cls, env_fns, **keywords):
        envs = cls(keywords.pop("env_metadata", metadata(len(env_fns))), env_fns, **keywords)
        made.append(envs)
        return envs

    yield make
    for envs in made:
        envs.close()


def dict_lines(*numbers, **keywords):
    return [functools.partial(DictLine, number, **keywords) for number in numbers]


def lines(*numbers, **keywords):
    return [functools.partial(Line, number, **keywords) for number in numbers]


def act(envs, *faults):
    return np.array(faults or [0.0] * envs.num_envs, dtype=np.float64)[:, None]


class FakeTensor:
    def __init__(self, array):
        self.array = array.array if isinstance(array, FakeTensor) else np.asarray(array)

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array

    @property
    def shape(self):
        return self.array.shape


@pytest.fixture
def fake_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(as_tensor=FakeTensor))


# --- VecEnv --------------------------------------------------------------------------------------------


def test_vec_env_batches_dictionaries(make):
    envs = make(VecEnv, dict_lines(4, 7))
    assert isinstance(envs, AsyncVectorEnv)
    obs, infos = envs.reset(seed=3)
    assert set(obs) == {"env_obs", "task_obs"}
    assert obs["env_obs"].shape == (2, 2)
    assert obs["env_obs"].dtype == np.float64
    assert obs["task_obs"].tolist() == [4, 7]
    assert infos["count"].tolist() == [0, 0]
    assert envs.observation_space.contains(obs)
    obs, rewards, terminations, truncations, infos = envs.step(act(envs))
    assert obs["env_obs"][:, 1].tolist() == [1.0, 1.0]
    assert rewards.tolist() == [4.0, 7.0]
    assert rewards.dtype == np.float64
    assert terminations.tolist() == truncations.tolist() == [False, False]
    assert terminations.dtype == truncations.dtype == np.bool_
    assert infos["count"].tolist() == [1, 1]


def test_ids_and_modes_are_lists_of_their_own(make):
    given = {"ids": ("a", 5), "mode": ["train", "eval.interpolation"]}
    envs = make(VecEnv, dict_lines(0, 1), env_metadata=given)
    assert envs.ids == ["a", 5]
    assert envs.mode == ["train", "eval.interpolation"]
    envs.mode[0] = "other"
    given["mode"][0] = "other"
    assert envs.mode == ["train", "eval.interpolation"]


def test_metadata_may_come_from_omegaconf(make):
    given = OmegaConf.create({"ids": [3, 4], "mode": ["train", "eval"]})
    envs = make(VecEnv, dict_lines(0, 1), env_metadata=given)
    assert (envs.ids, envs.mode) == ([3, 4], ["train", "eval"])


@pytest.mark.parametrize(
    ("env_metadata", "error", "message"),
    [
        (
            {"ids": [0, 1]},
            ValueError,
            r"must have the entry 'mode', .* each of the 2 environments.*it has 'ids'",
        ),
        ({"mode": ["a", "b"]}, ValueError, r"must have the entry 'ids'.*it has 'mode'"),
        ({}, ValueError, "it has no entry"),
        (
            {"ids": [0], "mode": ["a", "b"]},
            ValueError,
            r"\['ids'\] .* each of the 2 environments, not 1: \[0\]",
        ),
        ({"ids": [0, 1], "mode": ["a"]}, ValueError, r"\['mode'\] must have one value .* not 1"),
        ({"ids": [0, 1], "mode": "ab"}, TypeError, r"\['mode'\] must be a list .* not 'ab'"),
        ({"ids": 2, "mode": ["a", "b"]}, TypeError, r"\['ids'\] must be a list .* not 2"),
        (["ids", "mode"], TypeError, 'must be a dictionary with "ids" and "mode"'),
    ],
)
@pytest.mark.parametrize("cls", [VecEnv, MetaWorldVecEnv])
def test_metadata_that_does_not_fit_is_refused(cls, env_metadata, error, message):
    with pytest.raises(error, match=message):
        cls(env_metadata, dict_lines(0, 1))


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"env_fns": []}, ValueError, "env_fns must have at least one function"),
        ({"env_fns": [DictLine, DictLine()]}, TypeError, r"env_fns\[1\] must be a function"),
        ({"env_fns": [dict]}, TypeError, "must make environments of Gymnasium's, not {}"),
        ({"env_fns": [Line]}, ValueError, r"VecEnv takes .* dictionary .* not Box.*MetaWorldVecEnv takes"),
        ({"tensor": "jax"}, ValueError, "tensor must be one of 'numpy', 'torch', not 'jax'"),
        ({"autoreset_mode": "sometimes"}, ValueError, "autoreset_mode must be one of .*SameStep"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(keywords, error, message):
    env_fns = keywords.pop("env_fns", [DictLine])
    with pytest.raises(error, match=message):
        VecEnv(metadata(len(env_fns)), env_fns, **keywords)


def test_unknown_keywords_are_refused():
    with pytest.raises(TypeError, match="frame_skip"):
        VecEnv(metadata(1), [DictLine], frame_skip=2)


def test_positional_arguments_are_in_mtrls_order(make):
    one = DictLine()
    envs = VecEnv(
        metadata(1), [DictLine], one.observation_space, one.action_space, False, False, "fork", True, None
    )
    assert (envs.shared_memory, envs.copy, envs.context, envs.daemon) == (False, False, "fork", True)
    envs.close()


@pytest.mark.parametrize("shared_memory", [True, False])
@pytest.mark.parametrize(("cls", "env_fns"), [(VecEnv, dict_lines(0, 1)), (MetaWorldVecEnv, lines(0, 1))])
def test_an_episodes_end_is_kept_though_the_environment_reuses_its_arrays(make, cls, env_fns, shared_memory):
    envs = make(cls, env_fns, shared_memory=shared_memory)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    envs.reset(seed=0)
    for _ in range(LIMIT - 1):
        before, *_, infos = envs.step(act(envs))
        assert "final_obs" not in infos
    obs, rewards, _, truncations, infos = envs.step(act(envs))
    assert truncations.all()
    assert rewards.tolist() == [0.0, 1.0]  # the last step's reward is there
    assert obs["env_obs"][:, 1].tolist() == [0.0, 0.0]
    for index in range(2):
        final = infos["final_obs"][index]
        assert final["env_obs"].tolist() == [before["env_obs"][index, 0], LIMIT]
        assert final["task_obs"] == index
    assert infos["final_info"]["count"].tolist() == [LIMIT, LIMIT]
    assert infos["count"].tolist() == [0, 0]


def test_other_autoreset_modes(make):
    envs = make(VecEnv, dict_lines(0, 1), autoreset_mode="Disabled")
    assert envs.autoreset_mode is AutoresetMode.DISABLED
    envs.reset(seed=0)
    for _ in range(LIMIT):
        obs, _, terminations, truncations, infos = envs.step(act(envs))
    assert obs["env_obs"][:, 1].tolist() == [LIMIT, LIMIT]
    assert "final_obs" not in infos
    options = {"reset_mask": terminations | truncations}
    obs, _ = envs.reset(options=options)
    assert obs["env_obs"][:, 1].tolist() == [0.0, 0.0]
    assert set(options) == {"reset_mask"}  # the caller's dictionary stays as it was

    envs = make(VecEnv, dict_lines(0), autoreset_mode=AutoresetMode.NEXT_STEP)
    envs.reset(seed=0)
    counts = [envs.step(act(envs))[0]["env_obs"][0, 1] for _ in range(LIMIT + 1)]
    assert counts == [1, 2, 3, 0]


def test_only_the_masked_environments_are_reset(make):
    envs = make(MetaWorldVecEnv, lines(0, 1))
    envs.reset(seed=0)
    envs.step(act(envs))
    obs, infos = envs.reset(options={"reset_mask": np.array([False, True])})
    assert obs["env_obs"][:, 1].tolist() == [1.0, 0.0]
    assert infos["_count"].tolist() == [False, True]


def test_reset_with_a_seed_is_reproducible(make):
    envs = make(VecEnv, dict_lines(0, 0))
    first = envs.reset(seed=5)[0]["env_obs"]
    second = envs.reset()[0]["env_obs"]
    assert not np.array_equal(first, second)
    assert np.array_equal(envs.reset(seed=np.int64(5))[0]["env_obs"], first)
    assert np.array_equal(envs.reset()[0]["env_obs"], second)
    assert np.array_equal(envs.reset(seed=[6, 5])[0]["env_obs"], first[::-1])
    assert np.array_equal(make(VecEnv, dict_lines(0, 0)).reset(seed=5)[0]["env_obs"], first)


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (1.5, TypeError, "seed must be a whole number, not 1.5"),
        (-1, ValueError, "seed must be at least 0"),
        ([1, 2, 3], ValueError, "one entry for each of the 2 environments, not 3"),
    ],
)
def test_seeds_that_do_not_fit_are_refused_and_nothing_breaks(make, seed, error, message):
    envs = make(VecEnv, dict_lines(0, 1))
    with pytest.raises(error, match=message):
        envs.reset(seed=seed)
    envs.reset(seed=1)


@pytest.mark.parametrize("mask", [[True], [1, 0], [False, False], True])
def test_masks_that_do_not_fit_are_refused_and_nothing_breaks(make, mask):
    envs = make(VecEnv, dict_lines(0, 1))
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=r"options\['reset_mask'\] must be a bool array of shape \(2,\)"):
        envs.reset(options={"reset_mask": mask})
    envs.reset(options={"reset_mask": [True, False]})


@pytest.mark.parametrize("actions", [np.zeros((1, 1)), np.zeros((3, 1)), np.zeros(2), 0.0])
def test_actions_of_another_shape_are_refused_and_nothing_breaks(make, actions):
    envs = make(VecEnv, dict_lines(0, 1))
    envs.reset(seed=0)
    with pytest.raises(
        ValueError, match=r"actions must have the shape \(2, 1\), one for each of the 2 environments"
    ):
        envs.step(actions)
    assert envs.step([[0.0], [0.0]])[0]["env_obs"][:, 1].tolist() == [1.0, 1.0]


def test_observations_are_the_callers_own_unless_copy_is_off(make):
    envs = make(VecEnv, dict_lines(0))
    obs, _ = envs.reset(seed=0)
    envs.step(act(envs))
    assert obs["env_obs"][0, 1] == 0.0
    envs = make(VecEnv, dict_lines(0), copy=False)
    obs, _ = envs.reset(seed=0)
    envs.step(act(envs))
    assert obs["env_obs"][0, 1] == 1.0


def test_attributes_and_methods_of_the_environments(make):
    envs = make(MetaWorldVecEnv, lines(3, 4))
    assert envs.get_attr("number") == (3, 4)
    envs.set_attr("number", [5, 6])
    assert envs.get_attr("number") == (5, 6)
    envs.reset(seed=0)
    assert envs.step(act(envs))[1].tolist() == [5.0, 6.0]


@pytest.mark.parametrize(("cls", "env"), [(VecEnv, DictLine), (MetaWorldVecEnv, Line)])
def test_spawned_processes(make, cls, env):
    envs = make(cls, [lambda: env(0), functools.partial(env, 1)], context="spawn")
    obs, _ = envs.reset(seed=0)
    assert obs["task_obs"].tolist() == [0, 1]
    assert envs.step(act(envs))[1].tolist() == [0.0, 1.0]


def test_env_fns_can_be_pickled(make):
    envs = make(MetaWorldVecEnv, [functools.partial(taskworlds.PointEnv, goal=(0.25, 0.0))])
    env = pickle.loads(pickle.dumps(envs.env_fns))[0]()
    obs, _ = env.reset(seed=0)
    assert env.observation_space.contains(obs)
    assert np.array_equal(obs["env_obs"], envs.reset(seed=0)[0]["env_obs"][0])


# --- spaces --------------------------------------------------------------------------------------------


def test_vec_env_names_the_environment_with_another_space():
    who = r"environment 1 \(id 11, mode 'train'\)"
    with pytest.raises(ValueError, match=f"the observation space Dict.*, but that of {who} is Dict"):
        VecEnv(metadata(2), [DictLine, functools.partial(DictLine, high=20.0)])
    with pytest.raises(ValueError, match=f"the action space Box.*, but that of {who} is Box"):
        VecEnv(metadata(2), [DictLine, functools.partial(DictLine, actions=2)])


def test_given_spaces_must_be_the_environments(make):
    one = DictLine()
    envs = make(VecEnv, [DictLine], observation_space=one.observation_space, action_space=one.action_space)
    assert envs.single_observation_space == one.observation_space
    with pytest.raises(ValueError, match=r"observation space .*but that of environment 0"):
        VecEnv(metadata(1), [DictLine], observation_space=DictLine(high=1.0).observation_space)
    with pytest.raises(ValueError, match=r"action space .*but that of environment 0"):
        VecEnv(metadata(1), [DictLine], action_space=Discrete(2))


def test_meta_world_vec_env_declares_the_truth(make):
    envs = make(MetaWorldVecEnv, [Line, functools.partial(Line, high=20.0)])
    space = envs.observation_space
    assert isinstance(space, Dict)
    assert space["env_obs"].high.tolist() == [[10.0, 10.0], [20.0, 20.0]]
    assert space["env_obs"].dtype == np.float64
    assert space["task_obs"].nvec.tolist() == [2, 2]
    single = envs.single_observation_space
    assert single["env_obs"].high.tolist() == [20.0, 20.0]
    assert single["task_obs"] == Discrete(2)
    obs, _ = envs.reset(seed=0)
    assert space.contains(obs)
    for index in range(2):
        assert single.contains({"env_obs": obs["env_obs"][index], "task_obs": obs["task_obs"][index]})
    for _ in range(LIMIT):
        obs, *_, infos = envs.step(act(envs))
        assert space.contains(obs)
    assert single.contains(infos["final_obs"][1])


def test_meta_world_vec_env_takes_wider_bounds(make):
    wide = Box(-100.0, 100.0, (2,), np.float64)
    envs = make(MetaWorldVecEnv, lines(0, 1), observation_space=wide)
    assert envs.single_observation_space["env_obs"] == wide
    assert envs.observation_space["env_obs"].high.tolist() == [[100.0, 100.0]] * 2


@pytest.mark.parametrize(
    ("env_fns", "keywords", "error", "message"),
    [
        ([Line, functools.partial(Line, size=3)], {}, ValueError, r"\(2,\).* environment 1 \(id 11.*\(3,\)"),
        ([DictLine], {}, ValueError, r"array .* not Dict.*VecEnv takes"),
        ([Line], {"observation_space": Box(0, 1, (3,), np.float64)}, ValueError, r"\(3,\).*environment 0 "),
        ([Line], {"observation_space": Discrete(3)}, TypeError, r"must be the Box .* not Discrete\(3\)"),
    ],
)
def test_meta_world_vec_env_refuses_observations_that_cannot_be_batched(env_fns, keywords, error, message):
    with pytest.raises(error, match=message):
        MetaWorldVecEnv(metadata(len(env_fns)), env_fns, **keywords)


def test_create_multitask_obs(make):
    envs = make(MetaWorldVecEnv, lines(0, 1, 2))
    env_obs = np.arange(6.0).reshape(3, 2)
    obs = envs.create_multitask_obs(env_obs)
    assert obs["env_obs"] is env_obs
    assert obs["task_obs"].tolist() == [0, 1, 2]
    assert obs["task_obs"].dtype == np.int64
    obs["task_obs"][:] = 9
    assert envs.task_obs.tolist() == [0, 1, 2]
    assert envs.reset(seed=0)[0]["task_obs"].tolist() == [0, 1, 2]


def test_create_multitask_obs_can_be_overridden():
    class Doubled(MetaWorldVecEnv):
        def create_multitask_obs(self, env_obs):
            return super().create_multitask_obs(2 * env_obs)

    envs = Doubled(metadata(1), lines(0))
    envs.reset(seed=0)
    assert envs.step(act(envs))[0]["env_obs"][0, 1] == 2.0
    envs.close()


# --- torch ---------------------------------------------------------------------------------------------


def test_without_torch_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r'pip install "taskworlds\[torch\]"'):
        VecEnv(metadata(1), [DictLine], tensor="torch")


@pytest.mark.usefixtures("fake_torch")
@pytest.mark.parametrize(("cls", "env_fns"), [(VecEnv, dict_lines(0, 1)), (MetaWorldVecEnv, lines(0, 1))])
def test_tensors_in_every_observation(make, cls, env_fns):
    envs = make(cls, env_fns, tensor="torch")
    obs, _ = envs.reset(seed=0)
    assert isinstance(obs["env_obs"], FakeTensor)
    assert isinstance(obs["task_obs"], FakeTensor)
    for _ in range(LIMIT):
        obs, rewards, *_, infos = envs.step(FakeTensor(act(envs)))
    assert isinstance(obs["env_obs"], FakeTensor)
    assert obs["task_obs"].numpy().tolist() == [0, 1]
    assert isinstance(rewards, np.ndarray)
    assert infos["final_obs"][1]["env_obs"].numpy()[1] == LIMIT


def test_real_tensors(make):
    torch = pytest.importorskip("torch")
    envs = make(MetaWorldVecEnv, lines(0, 1), tensor="torch")
    obs, _ = envs.reset(seed=0)
    assert obs["env_obs"].dtype == torch.float64
    assert torch.equal(obs["task_obs"], torch.arange(2))
    obs = envs.step(torch.zeros((2, 1)))[0]
    assert obs["env_obs"][:, 1].tolist() == [1.0, 1.0]


# --- failures ------------------------------------------------------------------------------------------

WHO = r"environment 1 \(id 11, mode 'train'\)"


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        (1, ValueError, "ValueError: boom"),
        (2, RuntimeError, r"AwkwardError: \(1, 'boom'\)"),
        (3, RuntimeError, "PrivateError: boom"),
        (4, KeyError, "KeyError: 'boom'"),
    ],
)
def test_an_error_names_its_environment(make, fault, error, text):
    envs = make(VecEnv, dict_lines(0, 1, 2))
    envs.reset(seed=0)
    with pytest.raises(error) as caught:
        envs.step(act(envs, 0, fault, fault))
    assert re.fullmatch(f"In {WHO}: {text} .All environments are now closed: .*", caught.value.args[0])
    assert "in step" in str(caught.value.__cause__)  # the traceback in the environment's own process
    with pytest.raises(ClosedEnvironmentError):
        envs.step(act(envs))


def test_a_process_that_dies_is_named(make):
    envs = make(VecEnv, dict_lines(0, 1), env_metadata={"ids": [3, 8], "mode": ["train", "eval"]})
    envs.reset(seed=0)
    message = r"died during step: environment 1 \(id 8, mode 'eval'\) with exit code 7\..*make them again"
    with pytest.raises(RuntimeError, match=message):
        envs.step(act(envs, 0, 5))
    assert envs.closed
    assert not any(process.is_alive() for process in envs.processes)


def test_a_process_that_was_killed_between_calls_is_named(make):
    envs = make(VecEnv, dict_lines(0, 1))
    envs.reset(seed=0)
    envs.processes[1].kill()
    envs.processes[1].join()
    with pytest.raises(RuntimeError, match=f"died during the call of number: {WHO} with exit code -9"):
        envs.get_attr("number")


def test_an_error_at_the_start_names_its_environment():
    with pytest.raises(ValueError, match=f"In {WHO}: ValueError: no such goal"):
        VecEnv(metadata(2), [DictLine, functools.partial(DictLine, fault=ValueError("no such goal"))])


def test_a_connection_error_of_an_environments_own_is_not_taken_for_a_death():
    with pytest.raises(ConnectionError, match=f"In {WHO}: ConnectionError: no server"):
        VecEnv(metadata(2), [DictLine, functools.partial(DictLine, fault=ConnectionError("no server"))])


def test_a_death_at_the_start_is_named():
    here = os.getpid()

    def dying():
        if os.getpid() != here:
            os._exit(9)
        return DictLine()

    with pytest.raises(RuntimeError, match=r"died during the start: environment 0 .* with exit code 9"):
        VecEnv(metadata(1), [dying])


def test_what_cannot_be_sent_to_a_process_leaves_none_behind():
    made = []

    class Watched(VecEnv):
        def _abandon(self):
            made.append(self)
            super()._abandon()

    lock = threading.Lock()
    with pytest.raises(TypeError, match="pickle"):
        Watched(metadata(2), [DictLine, lambda: DictLine(lock)], context="spawn")
    assert made[0].closed
    assert not any(process.is_alive() for process in made[0].processes)


def test_close_twice_and_with_a_dead_process(make):
    envs = make(VecEnv, dict_lines(0, 1))
    envs.close()
    envs.close()
    assert not any(process.is_alive() for process in envs.processes)
    with pytest.raises(ClosedEnvironmentError):
        envs.reset()
    envs = make(VecEnv, dict_lines(0, 1))
    envs.processes[0].kill()
    envs.processes[0].join()
    envs.close()
    assert not any(process.is_alive() for process in envs.processes)


# --- build_metaworld_vec_env -----------------------------------------------------------------------------

TWO = ["reach-v3", "drawer-close-v3"]


@pytest.fixture(scope="module")
def two():
    """A benchmark of two skills, with five goals each."""
    return benchmark("custom-mt-envs", envs_list=TWO, seed=1, num_goals=5)


@pytest.fixture
def build():
    """Builds by forking, which is fast, and closes when the test ends."""
    made = []

    def build(*args, **keywords):
        envs, tasks = build_metaworld_vec_env(*args, **{"context": "fork", **keywords})
        made.append(envs)
        return envs, tasks

    yield build
    for envs in made:
        envs.close()


def mtrl_config(**env):
    """A configuration as mtrl's files give it."""
    return OmegaConf.create(
        {
            "setup": {"seed": 42, "id": "sample"},
            "experiment": {"name": "metaworld"},
            "env": {
                "name": "metaworld-mt10",
                "benchmark": {"_target_": "metaworld.MT10"},
                "builder": {"make_kwargs": {"should_perform_reward_normalization": True}},
                "dummy": {"_target_": "metaworld.MT1", "env_name": "pick-place-v3"},
                "description": None,
                "ordered_task_list": None,
                **env,
            },
        }
    )


def test_one_environment_for_each_skill(build, two):
    envs, tasks = build(mtrl_config(num_envs=2), two, "train", None, context="spawn")
    assert isinstance(envs, MetaWorldVecEnv)
    assert (envs.ids, envs.mode) == ([0, 1], ["train", "train"])
    assert list(tasks) == TWO
    assert all(task in two.train_tasks for task in tasks.values())
    assert [task.env_name for task in tasks.values()] == TWO

    obs, infos = envs.reset(seed=0)
    assert obs["env_obs"].shape == (2, 39)
    assert obs["env_obs"].dtype == np.float64
    assert obs["task_obs"].tolist() == [0, 1]
    assert envs.observation_space.contains(obs)
    assert infos["task_name"].tolist() == TWO
    assert infos["task_id"].tolist() == [task.id for task in tasks.values()]
    again, _ = envs.reset(seed=0)
    assert np.array_equal(obs["env_obs"], again["env_obs"])
    assert envs.action_space.shape == (2, 4)
    obs, rewards, terminations, truncations, infos = envs.step(envs.action_space.sample())
    assert infos["success"].shape == rewards.shape == (2,)
    assert not (terminations | truncations).any()


def test_the_map_fixes_the_goals(build, two):
    config = mtrl_config()
    train, tasks = build(config, two, "train", None)
    evaluation, same = build(config, two, "eval", tasks, seed=7)
    assert same is tasks
    assert evaluation.mode == ["eval", "eval"]
    assert np.array_equal(train.reset()[1]["goal"], evaluation.reset()[1]["goal"])


@pytest.mark.parametrize(
    "saved",
    [Task.to_metaworld, Task.to_json, lambda task: {"env_name": task.env_name, "params": dict(task.params)}],
)
def test_the_map_takes_other_forms_of_tasks(build, two, saved):
    tasks = {name: two.only(name).train_tasks[3] for name in TWO}
    given = {name: saved(task) for name, task in tasks.items()}
    envs, same = build(mtrl_config(), two, "train", given)
    assert same is given
    assert envs.reset()[1]["task_id"].tolist() == [task.id for task in tasks.values()]


def test_equal_seeds_give_equal_goals(build, two):
    chosen = {
        seed: tuple(build(mtrl_config(seed=seed), two, "train", None)[1].values()) for seed in (0, 1, 2, 3)
    }
    assert len(set(chosen.values())) > 1
    assert tuple(build(mtrl_config(seed=2), two, "train", None)[1].values()) == chosen[2]
    assert tuple(build(mtrl_config(seed=2), two, "train", None, seed=3)[1].values()) == chosen[3]
    plain = {"setup": {"seed": 1}, "env": {}}
    assert tuple(build(plain, two, "train", None)[1].values()) == chosen[1]


def test_without_a_seed_the_benchmarks_own_decides(build, two):
    assert build({}, two, "train")[1] == build({}, two, "train", seed=two.seed)[1]


def test_no_global_generator_is_read_or_written(build, two):
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first = build(mtrl_config(), two, "train", None)[1]
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    assert build(mtrl_config(), two, "train", None)[1] == first


def test_mt1_by_its_target(build):
    target = {"_target_": "metaworld.MT1", "env_name": "reach-v3"}
    config = OmegaConf.create({"env": {"num_envs": 1, "benchmark": target, "dummy": "${env.benchmark}"}})
    envs, tasks = build(config, None, "train", None, seed=4)
    assert (envs.num_envs, envs.ids) == (1, [0])
    assert tasks["reach-v3"] in benchmark("MT1", "reach-v3", seed=4).train_tasks
    assert envs.reset()[0]["env_obs"].shape == (1, 39)


@pytest.mark.parametrize("mode", ["train", "test", "test.hard", "eval"])
def test_ml1_in_both_splits(build, mode):
    target = {"_target_": "metaworld.ML1", "env_name": "reach-v3"}
    envs, tasks = build(mtrl_config(benchmark=target, num_envs=1), None, mode, None)
    ml1 = benchmark("ML1", "reach-v3", seed=42)
    assert tasks["reach-v3"] in (ml1.test_tasks if mode.startswith("test") else ml1.train_tasks)
    assert envs.mode == [mode]
    assert (envs.reset()[0]["env_obs"][0, -3:] == 0.0).all()  # the goal is hidden


def test_ml10_has_other_skills_in_the_test(build):
    config = mtrl_config(benchmark={"_target_": "metaworld.ML10"}, num_envs=10)
    envs, tasks = build(config, None, "test", None)
    assert list(tasks) == benchmark("ML10", seed=42).env_names("test")
    assert envs.ids == list(range(5))


def test_test_skills_alone(build):
    alone = benchmark("ML1", "reach-v3", seed=0).only("reach-v3", "test")
    assert build({}, alone, "eval")[1]["reach-v3"] in alone.test_tasks


def test_metaworlds_own_benchmark(build):
    official = metaworld.MT1("reach-v3", seed=0)
    envs, tasks = build(mtrl_config(num_envs=1), official, "train", None)
    assert tasks["reach-v3"] in [Task.of(task) for task in official.train_tasks]
    assert envs.reset()[1]["task_id"].tolist() == [tasks["reach-v3"].id]


def test_our_own_target(build):
    target = {
        "_target_": "taskworlds.benchmark",
        "_convert_": "all",
        "name": "custom-mt-envs",
        "envs_list": TWO,
    }
    config = OmegaConf.create({"env": {"benchmark": {**target, "seed": 3, "num_goals": 2}}})
    _, tasks = build(config, None, "train", None, seed=9)
    same = benchmark("custom-mt-envs", envs_list=TWO, seed=3, num_goals=2)
    assert all(task in same.train_tasks for task in tasks.values())


def test_forms_of_the_configuration(build, two):
    target = SimpleNamespace(_target_="metaworld.MT1", env_name="reach-v3")
    objects = SimpleNamespace(env=SimpleNamespace(benchmark=target), setup=SimpleNamespace(seed=6))
    group = OmegaConf.create({"benchmark": {"_target_": "metaworld.MT1", "env_name": "reach-v3"}, "seed": 6})
    plain = OmegaConf.to_container(group)
    results = [build(config, None, "train", None)[1] for config in (objects, group, plain, {"env": plain})]
    assert results == [results[0]] * 4


def test_ordered_task_list_is_obeyed(build, two):
    config = mtrl_config(ordered_task_list=TWO[::-1])
    envs, tasks = build(config, two, "train", None)
    assert list(tasks) == TWO[::-1]
    assert envs.reset()[1]["task_name"].tolist() == TWO[::-1]
    assert tasks == build(mtrl_config(), two, "train", None)[1]  # the order does not change the goals
    with pytest.warns(DeprecationWarning, match="reach-v2"):
        build(mtrl_config(ordered_task_list=["reach-v2", "drawer-close-v3"]), two, "train", None)


@pytest.mark.parametrize(
    ("where", "normalizes"),
    [
        ({}, True),
        ({"builder": {"make_kwargs": {"should_perform_reward_normalization": False}}}, False),
        ({"builder": None, "should_perform_reward_normalization": False}, False),
        ({"builder": {"make_kwargs": {"reward_normalization_method": None}}}, False),
    ],
)
def test_rewards_are_normalized_as_the_configuration_says(build, two, where, normalizes):
    one = two.only("reach-v3")
    envs, tasks = build(mtrl_config(**where), one, "train", None)
    envs.reset()
    action = np.full((1, 4), 0.5)
    reward = envs.step(action)[1][0]
    env = taskworlds.make([tasks["reach-v3"]])
    env.reset()
    plain = env.step(action[0]).reward
    mean = 0.001 * plain
    var = 0.999 + 0.001 * (plain - mean) ** 2
    expected = plain / (np.sqrt(var) + 1e-8) if normalizes else plain
    assert reward == pytest.approx(expected, rel=1e-12)
    assert (reward != plain) == normalizes


def test_the_keyword_about_rewards_comes_first(build, two):
    envs, _ = build(mtrl_config(), two, "train", None, should_perform_reward_normalization=False)
    for env_fn in envs.env_fns:
        assert env_fn.args[0].keywords.get("reward_normalization_method") is None


@pytest.mark.parametrize(
    ("env", "keywords"),
    [
        ({"max_episode_steps": 2}, {}),
        ({"builder": {"make_kwargs": {"max_episode_steps": 2}}}, {}),
        ({"max_episode_steps": 9}, {"max_episode_steps": 2}),
    ],
)
def test_the_time_limit_and_the_end_of_an_episode(build, two, env, keywords):
    envs, _ = build(mtrl_config(**env), two.only("drawer-close-v3"), "train", None, **keywords)
    start, _ = envs.reset()
    action = np.full((1, 4), 0.5)
    assert not envs.step(action)[3].any()
    obs, _, terminations, truncations, infos = envs.step(action)
    assert truncations.all()
    assert not terminations.any()
    assert np.array_equal(obs["env_obs"], start["env_obs"])  # the same goal again
    assert not np.array_equal(infos["final_obs"][0]["env_obs"], start["env_obs"][0])
    assert infos["final_info"]["episode"]["l"].tolist() == [2]
    assert infos["final_info"]["success"].shape == (1,)


def test_without_a_limit_it_is_metaworlds(build, two):
    assert build(mtrl_config(), two, "train", None)[0].get_attr("max_episode_steps") == (500, 500)


def test_env_fns_of_the_builder_can_be_pickled(build, two):
    envs, tasks = build(mtrl_config(), two, "train", None)
    env = pickle.loads(pickle.dumps(envs.env_fns))[1]()
    assert env.reset()[1]["task_id"] == tasks["drawer-close-v3"].id


@pytest.mark.usefixtures("fake_torch")
def test_the_builder_gives_tensors(build, two):
    envs, _ = build(mtrl_config(), two.only("reach-v3"), "train", None, tensor="torch")
    assert envs.reset()[0]["env_obs"].shape == (1, 39)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"config": None}, TypeError, "config must be a DictConfig, a dictionary or an object"),
        ({"config": "metaworld-mt10"}, TypeError, "config must be .* not 'metaworld-mt10'"),
        ({"mode": ["train"]}, TypeError, r"mode must be a string, .* not \['train'\]"),
        ({"benchmark": 10}, TypeError, "A benchmark is given by name"),
        ({"benchmark": None, "config": {}}, ValueError, r"env\.benchmark\._target_ .* not None"),
        (
            {"benchmark": None, "config": mtrl_config(benchmark={"_target_": "metaworld.MT11"})},
            ValueError,
            "Unknown benchmark 'MT11'. Did you mean 'MT1",
        ),
        (
            {"benchmark": None, "config": mtrl_config(benchmark={"_target_": "metaworld.MT1"})},
            TypeError,
            "env_name",
        ),
        (
            {
                "benchmark": None,
                "config": mtrl_config(benchmark={"_target_": "metaworld.MT1", "env_name": "pick-place-v1"}),
            },
            ValueError,
            "Unknown skill 'pick-place-v1'. Did you mean 'pick-place-v3'",
        ),
        ({"config": mtrl_config(num_envs=10)}, ValueError, "num_envs must be 2 .* not 10"),
        ({"config": mtrl_config(num_envs="two")}, TypeError, "num_envs must be a whole number"),
        ({"config": mtrl_config(seed=-1)}, ValueError, "seed must be at least 0"),
        (
            {"config": mtrl_config(ordered_task_list=["reach-v3"])},
            ValueError,
            "name each skill .* but it is reach-v3",
        ),
        ({"config": mtrl_config(ordered_task_list=[])}, ValueError, "but it is empty"),
        (
            {"config": mtrl_config(ordered_task_list="reach-v3")},
            TypeError,
            "ordered_task_list must be a list",
        ),
        ({"should_perform_reward_normalization": "no"}, ValueError, "must be one of True, False, not 'no'"),
        ({"max_episode_steps": 0}, ValueError, "max_episode_steps must be at least 1"),
        (
            {"config": mtrl_config(builder={"make_kwargs": {"max_episode_step": 5}})},
            TypeError,
            r"'max_episode_step' \(did you mean 'max_episode_steps'\?\)",
        ),
        ({"env_id_to_task_map": [1]}, TypeError, "env_id_to_task_map must be a dictionary"),
        (
            {"env_id_to_task_map": {"reach-v3": None, "push-v3": None}},
            ValueError,
            "lacking: drawer-.*many: push-v3",
        ),
        ({"env_id_to_task_map": dict.fromkeys(TWO, 3)}, TypeError, "Expected a taskworlds.Task .* not 3"),
        (
            {
                "env_id_to_task_map": dict.fromkeys(
                    TWO, benchmark("reach-v3", seed=0, num_goals=1).train_tasks[0]
                )
            },
            ValueError,
            r"\['drawer-close-v3'\] must be a task of drawer-close-v3, not of reach-v3",
        ),
        (
            {"env_id_to_task_map": {name: Task(name, {"goal": 1}) for name in TWO}},
            ValueError,
            "has the parameters rand_vec and partially_observable",
        ),
    ],
)
def test_what_does_not_fit_is_refused(two, arguments, error, message):
    arguments = {"config": mtrl_config(), "benchmark": two, "mode": "train", "context": "fork"} | arguments
    with pytest.raises(error, match=message):
        build_metaworld_vec_env(**arguments)


def test_unknown_keywords_of_the_builder_are_refused(two):
    with pytest.raises(TypeError, match="frame_skip"):
        build_metaworld_vec_env({}, two, "train", None, frame_skip=2)
