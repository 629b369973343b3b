"""TaskworldsWrapper: a batch as an environment of TorchRL's gives the numbers that the batch itself gives."""

import pickle

import gymnasium as gym
import numpy as np
import pytest

import taskworlds
from taskworlds import Task
from taskworlds.core import registry
from taskworlds.core.world import World
from taskworlds.rows.python_row import PythonRow

torch = pytest.importorskip("torch")
pytest.importorskip("torchrl")

from tensordict import TensorDict
from torchrl.collectors import Collector, MultiSyncCollector
from torchrl.envs import GymWrapper, ParallelEnv, SerialEnv, TransformedEnv
from torchrl.envs.utils import check_env_specs
from torchrl.record import PixelRenderTransform

from taskworlds.integrations.torchrl import TaskworldsWrapper

LIMIT = 3
MODES = ["SameStep", "Disabled"]
BATCHES = {
    "MT10": ("MT10", {"use_one_hot": True}),
    "one row": ("reach-v3", {"num_envs": 1}),
    "ends at success": ("reach-v3", {"num_envs": 2, "terminate_on_success": True}),
    "trials": ("ML10", {"num_envs": 10, "k_episodes": 2}),
    "locomotion": ("half-cheetah-vel", {"num_envs": 3}),
    "choices": ("grid-4x4", {"num_envs": 3}),
    "float32": ("point", {"num_envs": 2}),
    "dictionaries": ("seesaw", {"num_envs": 3}),
}


class Seesaw(PythonRow):
    """A plank and its sides; it ends at once with the plank on the ground."""

    action_space = gym.spaces.Dict(push=gym.spaces.Box(-1.0, 1.0, (2,), np.float32), side=gym.spaces.Discrete(2))
    observation_space = gym.spaces.Dict(
        angle=gym.spaces.Box(-9.0, 9.0, (), np.float64),
        plank=gym.spaces.Dict(side=gym.spaces.Discrete(2), touched=gym.spaces.MultiBinary(2)),
    )

    def begin(self, task, seed):
        self.angle, self.touched = float(task["angle"]), np.zeros(2, np.int8)
        return self.seen(0), {}

    def advance(self, action):
        side = int(action["side"])
        self.angle += float(action["push"][side])
        self.touched[side] = 1
        return self.seen(side), self.angle, abs(self.angle) > 1.5, {"success": float(side)}

    def seen(self, side):
        plank = {"side": np.int64(side), "touched": self.touched.copy()}
        return {"angle": np.array(self.angle), "plank": plank}


@pytest.fixture(scope="module", autouse=True)
def a_world_of_dictionaries():
    before = dict(registry._complete().worlds)
    registry.register_world(
        World(
            name="seesaw",
            suite="tests",
            skills=("seesaw",),
            actions=Seesaw.action_space,
            observations=lambda **_: Seesaw.observation_space,
            max_episode_steps=10,
            row=Seesaw,
            has_success=True,
            terms=("success",),
        )
    )
    yield
    registry._complete().worlds.clear()
    registry._complete().worlds.update(before)
    registry.names_changed()


def make_vec(kind, mode="Disabled", **options):
    name, given = BATCHES[kind]
    if name == "seesaw":
        name = [Task("seesaw", {"angle": angle}) for angle in (-1, 0, 1)]
        given = given | {"vector_strategy": "sync"}
    return taskworlds.make_vec(name, **{"max_episode_steps": LIMIT, "autoreset_mode": mode, **given, **options})


def actions_of(env, steps):
    torch.manual_seed(0)
    return [env.rand_action() for _ in range(steps)]


def by_torchrl(env, actions, seed=5):
    """Steps an environment as TorchRL's rollouts do; returns what stood in the TensorDicts, step by step."""
    env.set_seed(seed)
    following, steps = env.reset(), []
    for action in actions:
        step, following = env.step_and_maybe_reset(following.update(action))
        steps.append(step.clone())
    return steps


def by_hand(envs, actions, env, seed=5):
    """Steps a batch of DISABLED by hand; returns (observations, infos) before and (...) after each step."""
    obs, infos = envs.reset(seed=seed)
    steps = []
    for action in actions:
        given = env._actions(TensorDict({}, env.batch_size).update(action))
        following = envs.step(given)
        steps.append(((obs, infos), following))
        obs, _, terminated, truncated, infos = following
        if (terminated | truncated).any():
            obs, infos = envs.reset(options={"reset_mask": terminated | truncated})
    return steps


def leaves(obs):
    """Yields the arrays of a batch of observations by their names in a TensorDict."""
    if not isinstance(obs, dict):
        obs = {"observation": obs}
    for name, values in obs.items():
        for key, each in leaves(values) if isinstance(values, dict) else [((), values)]:
            yield (name, *((key,) if isinstance(key, str) else key)), each


def assert_same(tensordict, name, tensors, values):
    tensor = tensordict[name].numpy()
    if tensor.ndim > values.ndim and tensor.shape[-1] > 1:  # one-hot
        tensor = tensor.argmax(-1)
    np.testing.assert_array_equal(tensor.reshape(values.shape), values, err_msg=str(name))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", BATCHES)
def test_numbers_are_those_of_the_batch(kind, mode):
    env = TaskworldsWrapper(make_vec(kind, mode))
    actions = actions_of(env, 3 * LIMIT + 1)
    ends = 0
    for step, (before, after) in zip(
        by_torchrl(env, actions), by_hand(make_vec(kind), actions, env), strict=True
    ):
        obs, rewards, terminated, truncated, infos = after
        for tensordict, seen, told in ((step, *before), (step["next"], obs, infos)):
            for name, values in leaves(seen):
                assert_same(tensordict, name, tensordict, values)
            for name in env._told:
                assert_same(tensordict, name, tensordict, told[name])
        ended = terminated | truncated
        for name, values in zip(
            ("reward", "terminated", "truncated", "done"), (rewards, terminated, truncated, ended), strict=True
        ):
            assert_same(step["next"], name, step, values)
        ends += ended.sum()
    assert ends > 0


@pytest.mark.parametrize("kind", BATCHES)
def test_specs_hold(kind):
    for options in ({}, {"dtype": torch.float32, "device": "cpu"}, {"categorical_action_encoding": True, "infos": []}):
        check_env_specs(TaskworldsWrapper(make_vec(kind, "SameStep"), **options))


def test_what_stands_in_the_tensordict():
    data = TaskworldsWrapper(make_vec("trials")).rollout(2 * LIMIT, break_when_any_done=False)
    assert data["next", "observation"].shape == (10, 2 * LIMIT, 40)
    assert data["next", "goal"].shape == (10, 2 * LIMIT, 3)
    for name in ("success", "episode_return", "skill_index", "attempt", "attempt_success", "reward", "done"):
        assert data["next", name].shape == (10, 2 * LIMIT, 1)
    assert (data["next", "episode_length"][data["next", "done"]] == 2 * LIMIT).all()
    assert data["task_index"].dtype == torch.int64

    few = TaskworldsWrapper(make_vec("MT10"), infos=["obj_to_target"], dtype=torch.float32, device="cpu")
    data = few.rollout(1)
    assert data.device == torch.device("cpu")
    names = {"observation", "obj_to_target", "reward", "done", "terminated", "truncated"}
    assert set(data["next"].keys()) == names
    assert data["next", "obj_to_target"].dtype == data["next", "reward"].dtype == data["observation"].dtype
    assert data["observation"].dtype == torch.float32


@pytest.mark.parametrize("mode", MODES)
def test_rows_are_reset_one_by_one(mode):
    """A reset of some rows leaves the others where they are; a row that has just ended gets its next task, once."""
    env = TaskworldsWrapper(make_vec("locomotion", mode))
    tasks = {}
    for each in (env, make_vec("locomotion")):
        tasks[each] = []
        each.set_seed(3) if each is env else each.reset(seed=3)


def test_a_seed_holds_from_the_next_reset_on():
    env, actions = TaskworldsWrapper(make_vec("MT10")), None
    first = env.reset()
    env.set_seed(7)
    mask = torch.zeros(10, 1, dtype=torch.bool)
    mask[:4] = True
    partly = env.reset(first.clone().set("_reset", mask))
    seeded, _ = make_vec("MT10").reset(seed=7)
    np.testing.assert_array_equal(partly["observation"][:4], seeded[:4])
    np.testing.assert_array_equal(partly["observation"][4:], first["observation"][4:])
    np.testing.assert_array_equal(env.reset()["observation"][4:], seeded[4:])
    assert actions is None
