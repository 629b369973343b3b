"""mtrl's vector environments over small environments: batches, spaces and tensors."""

from __future__ import annotations

import functools
import pickle
import sys

import cloudpickle
import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from omegaconf import OmegaConf

import taskworlds
from taskworlds import MetaWorldVecEnv, VecEnv

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # started processes cannot import a test file

LIMIT = 3  # steps of a small environment's episode


class Line(gymnasium.Env):
    """Observes (start, step), in one array that it writes again and again; ends by truncation at LIMIT."""

    def __init__(self, number=0, high=10.0, size=2, actions=1):
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


def dict_lines(*numbers, **keywords):
    return [functools.partial(DictLine, number, **keywords) for number in numbers]


def lines(*numbers, **keywords):
    return [functools.partial(Line, number, **keywords) for number in numbers]


def act(envs):
    return np.zeros((envs.num_envs, 1))


# --- batches -------------------------------------------------------------------------------------------


def test_vec_env_batches_dictionaries(make_batch):
    envs = make_batch(VecEnv, dict_lines(4, 7))
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


def test_ids_and_modes_are_lists_of_their_own(make_batch):
    given = {"ids": ("a", 5), "mode": ["train", "eval.interpolation"]}
    envs = make_batch(VecEnv, dict_lines(0, 1), env_metadata=given)
    assert envs.ids == ["a", 5]
    assert envs.mode == ["train", "eval.interpolation"]
    envs.mode[0] = "other"
    given["mode"][0] = "other"
    assert envs.mode == ["train", "eval.interpolation"]


def test_metadata_may_come_from_omegaconf(make_batch):
    given = OmegaConf.create({"ids": [3, 4], "mode": ["train", "eval"]})
    envs = make_batch(VecEnv, dict_lines(0, 1), env_metadata=given)
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
        ({"env_fns": [dict]}, TypeError, "must make Gymnasium environments, not {}"),
        ({"env_fns": [Line]}, ValueError, r"VecEnv takes .* dictionary .* not Box.*MetaWorldVecEnv takes"),
        ({"tensor": "jax"}, ValueError, "tensor must be one of 'numpy', 'torch', not 'jax'"),
        ({"autoreset_mode": "sometimes"}, ValueError, "autoreset_mode must be one of .*SameStep"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(metadata, keywords, error, message):
    env_fns = keywords.pop("env_fns", [DictLine])
    with pytest.raises(error, match=message):
        VecEnv(metadata(len(env_fns)), env_fns, **keywords)


def test_unknown_keywords_are_refused(metadata):
    with pytest.raises(TypeError, match="frame_skip"):
        VecEnv(metadata(1), [DictLine], frame_skip=2)


def test_positional_arguments_are_in_mtrls_order(make_batch, metadata):
    one = DictLine()
    envs = VecEnv(
        metadata(1), [DictLine], one.observation_space, one.action_space, False, False, "fork", True, None
    )
    assert (envs.shared_memory, envs.copy, envs.context, envs.daemon) == (False, False, "fork", True)
    envs.close()


@pytest.mark.parametrize("shared_memory", [True, False])
@pytest.mark.parametrize(("cls", "env_fns"), [(VecEnv, dict_lines(0, 1)), (MetaWorldVecEnv, lines(0, 1))])
def test_an_episodes_end_is_kept_though_the_environment_reuses_its_arrays(
    make_batch, cls, env_fns, shared_memory
):
    envs = make_batch(cls, env_fns, shared_memory=shared_memory)
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


def test_other_autoreset_modes(make_batch):
    envs = make_batch(VecEnv, dict_lines(0, 1), autoreset_mode="Disabled")
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

    envs = make_batch(VecEnv, dict_lines(0), autoreset_mode=AutoresetMode.NEXT_STEP)
    envs.reset(seed=0)
    counts = [envs.step(act(envs))[0]["env_obs"][0, 1] for _ in range(LIMIT + 1)]
    assert counts == [1, 2, 3, 0]


def test_only_the_masked_environments_are_reset(make_batch):
    envs = make_batch(MetaWorldVecEnv, lines(0, 1))
    envs.reset(seed=0)
    envs.step(act(envs))
    obs, infos = envs.reset(options={"reset_mask": np.array([False, True])})
    assert obs["env_obs"][:, 1].tolist() == [1.0, 0.0]
    assert infos["_count"].tolist() == [False, True]


def test_reset_with_a_seed_is_reproducible(make_batch):
    envs = make_batch(VecEnv, dict_lines(0, 0))
    first = envs.reset(seed=5)[0]["env_obs"]
    second = envs.reset()[0]["env_obs"]
    assert not np.array_equal(first, second)
    assert np.array_equal(envs.reset(seed=np.int64(5))[0]["env_obs"], first)
    assert np.array_equal(envs.reset()[0]["env_obs"], second)
    assert np.array_equal(envs.reset(seed=[6, 5])[0]["env_obs"], first[::-1])
    assert np.array_equal(make_batch(VecEnv, dict_lines(0, 0)).reset(seed=5)[0]["env_obs"], first)


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (1.5, TypeError, "seed must be a whole number, not 1.5"),
        (-1, ValueError, "seed must be at least 0"),
        ([1, 2, 3], ValueError, "one entry for each of the 2 environments, not 3"),
    ],
)
def test_seeds_that_do_not_fit_are_refused_and_nothing_breaks(make_batch, seed, error, message):
    envs = make_batch(VecEnv, dict_lines(0, 1))
    with pytest.raises(error, match=message):
        envs.reset(seed=seed)
    envs.reset(seed=1)


@pytest.mark.parametrize("mask", [[True], [1, 0], [False, False], True])
def test_masks_that_do_not_fit_are_refused_and_nothing_breaks(make_batch, mask):
    envs = make_batch(VecEnv, dict_lines(0, 1))
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=r"options\['reset_mask'\] must be a bool array of shape \(2,\)"):
        envs.reset(options={"reset_mask": mask})
    envs.reset(options={"reset_mask": [True, False]})


@pytest.mark.parametrize("actions", [np.zeros((1, 1)), np.zeros((3, 1)), np.zeros(2), 0.0])
def test_actions_of_another_shape_are_refused_and_nothing_breaks(make_batch, actions):
    envs = make_batch(VecEnv, dict_lines(0, 1))
    envs.reset(seed=0)
    with pytest.raises(
        ValueError, match=r"actions must have the shape \(2, 1\), one for each of the 2 environments"
    ):
        envs.step(actions)
    assert envs.step([[0.0], [0.0]])[0]["env_obs"][:, 1].tolist() == [1.0, 1.0]


def test_observations_are_the_callers_own_unless_copy_is_off(make_batch):
    envs = make_batch(VecEnv, dict_lines(0))
    obs, _ = envs.reset(seed=0)
    envs.step(act(envs))
    assert obs["env_obs"][0, 1] == 0.0
    envs = make_batch(VecEnv, dict_lines(0), copy=False)
    obs, _ = envs.reset(seed=0)
    envs.step(act(envs))
    assert obs["env_obs"][0, 1] == 1.0


def test_attributes_and_methods_of_the_environments(make_batch):
    envs = make_batch(MetaWorldVecEnv, lines(3, 4))
    assert envs.get_attr("number") == (3, 4)
    envs.set_attr("number", [5, 6])
    assert envs.get_attr("number") == (5, 6)
    envs.reset(seed=0)
    assert envs.step(act(envs))[1].tolist() == [5.0, 6.0]


@pytest.mark.parametrize(("cls", "env"), [(VecEnv, DictLine), (MetaWorldVecEnv, Line)])
def test_spawned_processes(make_batch, cls, env):
    envs = make_batch(cls, [lambda: env(0), functools.partial(env, 1)], context="spawn")
    obs, _ = envs.reset(seed=0)
    assert obs["task_obs"].tolist() == [0, 1]
    assert envs.step(act(envs))[1].tolist() == [0.0, 1.0]


def test_env_fns_can_be_pickled(make_batch):
    envs = make_batch(MetaWorldVecEnv, [functools.partial(taskworlds.PointEnv, goal=(0.25, 0.0))])
    env = pickle.loads(pickle.dumps(envs.env_fns))[0]()
    obs, _ = env.reset(seed=0)
    assert env.observation_space.contains(obs)
    assert np.array_equal(obs["env_obs"], envs.reset(seed=0)[0]["env_obs"][0])


# --- spaces --------------------------------------------------------------------------------------------


def test_vec_env_names_the_environment_with_another_space(metadata):
    who = r"environment 1 \(id 11, mode 'train'\)"
    with pytest.raises(ValueError, match=f"the observation space Dict.*, but {who} has Dict"):
        VecEnv(metadata(2), [DictLine, functools.partial(DictLine, high=20.0)])
    with pytest.raises(ValueError, match=f"the action space Box.*, but {who} has Box"):
        VecEnv(metadata(2), [DictLine, functools.partial(DictLine, actions=2)])


def test_given_spaces_must_be_the_environments(make_batch, metadata):
    one = DictLine()
    envs = make_batch(
        VecEnv, [DictLine], observation_space=one.observation_space, action_space=one.action_space
    )
    assert envs.single_observation_space == one.observation_space
    with pytest.raises(ValueError, match=r"observation space .*but environment 0"):
        VecEnv(metadata(1), [DictLine], observation_space=DictLine(high=1.0).observation_space)
    with pytest.raises(ValueError, match=r"action space .*but environment 0"):
        VecEnv(metadata(1), [DictLine], action_space=Discrete(2))


def test_meta_world_vec_env_declares_the_truth(make_batch):
    envs = make_batch(MetaWorldVecEnv, [Line, functools.partial(Line, high=20.0)])
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


def test_meta_world_vec_env_takes_wider_bounds(make_batch):
    wide = Box(-100.0, 100.0, (2,), np.float64)
    envs = make_batch(MetaWorldVecEnv, lines(0, 1), observation_space=wide)
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
def test_meta_world_vec_env_refuses_observations_that_cannot_be_batched(
    metadata, env_fns, keywords, error, message
):
    with pytest.raises(error, match=message):
        MetaWorldVecEnv(metadata(len(env_fns)), env_fns, **keywords)


def test_create_multitask_obs(make_batch):
    envs = make_batch(MetaWorldVecEnv, lines(0, 1, 2))
    env_obs = np.arange(6.0).reshape(3, 2)
    obs = envs.create_multitask_obs(env_obs)
    assert obs["env_obs"] is env_obs
    assert obs["task_obs"].tolist() == [0, 1, 2]
    assert obs["task_obs"].dtype == np.int64
    obs["task_obs"][:] = 9
    assert envs.task_obs.tolist() == [0, 1, 2]
    assert envs.reset(seed=0)[0]["task_obs"].tolist() == [0, 1, 2]


def test_create_multitask_obs_can_be_overridden(metadata):
    class Doubled(MetaWorldVecEnv):
        def create_multitask_obs(self, env_obs):
            return super().create_multitask_obs(2 * env_obs)

    envs = Doubled(metadata(1), lines(0))
    envs.reset(seed=0)
    assert envs.step(act(envs))[0]["env_obs"][0, 1] == 2.0
    envs.close()


# --- torch ---------------------------------------------------------------------------------------------


def test_without_torch_the_error_says_how_to_install_it(monkeypatch, metadata):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r'pip install "taskworlds\[torch\]"'):
        VecEnv(metadata(1), [DictLine], tensor="torch")


@pytest.mark.parametrize(("cls", "env_fns"), [(VecEnv, dict_lines(0, 1)), (MetaWorldVecEnv, lines(0, 1))])
def test_tensors_in_every_observation(make_batch, fake_torch, cls, env_fns):
    envs = make_batch(cls, env_fns, tensor="torch")
    obs, _ = envs.reset(seed=0)
    assert isinstance(obs["env_obs"], fake_torch.Tensor)
    assert isinstance(obs["task_obs"], fake_torch.Tensor)
    for _ in range(LIMIT):
        obs, rewards, *_, infos = envs.step(fake_torch.Tensor(act(envs)))
    assert isinstance(obs["env_obs"], fake_torch.Tensor)
    assert obs["task_obs"].numpy().tolist() == [0, 1]
    assert isinstance(rewards, np.ndarray)
    assert infos["final_obs"][1]["env_obs"].numpy()[1] == LIMIT


def test_real_tensors(make_batch):
    torch = pytest.importorskip("torch")
    envs = make_batch(MetaWorldVecEnv, lines(0, 1), tensor="torch")
    obs, _ = envs.reset(seed=0)
    assert obs["env_obs"].dtype == torch.float64
    assert torch.equal(obs["task_obs"], torch.arange(2))
    obs = envs.step(torch.zeros((2, 1)))[0]
    assert obs["env_obs"][:, 1].tolist() == [1.0, 1.0]
