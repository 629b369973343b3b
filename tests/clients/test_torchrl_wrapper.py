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
TensorDict = pytest.importorskip("tensordict").TensorDict
collectors = pytest.importorskip("torchrl.collectors")
torchrl_envs = pytest.importorskip("torchrl.envs")
TaskworldsWrapper = pytest.importorskip("taskworlds.integrations.torchrl").TaskworldsWrapper

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

    action_space = gym.spaces.Dict(
        push=gym.spaces.Box(-1.0, 1.0, (2,), np.float32), side=gym.spaces.Discrete(2)
    )
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


class Pairs(Seesaw):
    """Its observations are not of a kind that TensorDicts have names for."""

    observation_space = gym.spaces.Tuple((gym.spaces.Discrete(2), gym.spaces.Discrete(2)))


@pytest.fixture(scope="module", autouse=True)
def worlds_of_other_spaces():
    before = dict(registry._complete().worlds)
    for name, row in (("seesaw", Seesaw), ("pairs", Pairs)):
        registry.register_world(
            World(
                name=name,
                suite="tests",
                skills=(name,),
                actions=row.action_space,
                observations=lambda row=row, **_: row.observation_space,
                max_episode_steps=10,
                row=row,
                has_success=True,
                terms=("success",),
            )
        )
    yield
    registry._complete().worlds.clear()
    registry._complete().worlds.update(before)
    registry.names_changed()


def check_env_specs(env):
    from torchrl.envs.utils import check_env_specs

    check_env_specs(env)


def make_vec(kind, mode="Disabled", **options):
    name, given = BATCHES[kind]
    if name == "seesaw":
        name = [Task("seesaw", {"angle": angle}) for angle in (-1, 0, 1)]
        given = given | {"vector_strategy": "sync"}
    return taskworlds.make_vec(
        name, **{"max_episode_steps": LIMIT, "autoreset_mode": mode, **given, **options}
    )


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


def assert_same(tensordict, name, values):
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
                assert_same(tensordict, name, values)
            for name in env._told:
                assert_same(tensordict, name, told[name])
        ended = terminated | truncated
        for name, values in zip(
            ("reward", "terminated", "truncated", "done"),
            (rewards, terminated, truncated, ended),
            strict=True,
        ):
            assert_same(step["next"], name, values)
        ends += ended.sum()
    assert ends > 0


@pytest.mark.parametrize("kind", BATCHES)
def test_specs_hold(kind):
    for options in (
        {},
        {"dtype": torch.float32, "device": "cpu"},
        {"categorical_action_encoding": True, "infos": []},
    ):
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


def test_a_seed_holds_from_each_rows_next_reset_on():
    env = TaskworldsWrapper(make_vec("MT10"))
    first = env.reset()
    env.set_seed(7)
    few = torch.arange(10)[:, None] < 4
    partly = env.reset(first.clone().set("_reset", few))
    seeded, _ = make_vec("MT10").reset(seed=7)
    np.testing.assert_array_equal(partly["observation"][:4], seeded[:4])
    np.testing.assert_array_equal(partly["observation"][4:], first["observation"][4:])
    whole = env.reset()["observation"].numpy()
    np.testing.assert_array_equal(whole[4:], seeded[4:])
    assert not np.array_equal(whole[:4], seeded[:4])  # which had theirs


@pytest.mark.parametrize("mode", MODES)
def test_rows_that_have_ended_wait_for_the_others(mode):
    """`break_when_all_done` steps the others alone."""
    env = TaskworldsWrapper(make_vec("locomotion", mode))
    env.set_seed(0)
    data, few = env.reset(), torch.arange(3)[:, None] < 1
    data = env.step(env.rand_action(data)).get("next")
    data = env.reset(data.set("_reset", few))  # from here on the first row is a step behind
    steps = []
    for _ in range(LIMIT):
        data = env.step(env.rand_action(data)).get("next")
        steps.append(data.clone())
        data.set("_step", ~data["done"])
    lengths = torch.stack(steps, 1)["episode_length"].squeeze(-1)
    assert lengths[:, :2].tolist() == [[1, 2], [2, 3], [2, 3]]
    assert lengths[0, 2] == 3
    assert (steps[-1]["reward"][1:] == 0).all()
    assert env.rollout(9, break_when_all_done=True, break_when_any_done=False).shape == (3, LIMIT)


def test_a_copy_goes_on_alike():
    env = TaskworldsWrapper(make_vec("MT10"))
    actions = actions_of(env, LIMIT + 3)
    data = by_torchrl(env, actions[:1])[0]["next"]
    copied = pickle.loads(pickle.dumps(env))
    one, other = (
        each.rollout(
            LIMIT + 2,
            played(actions[1:]),
            auto_reset=False,
            tensordict=data.clone(),
            break_when_any_done=False,
        )
        for each in (env, copied)
    )
    assert one["next", "done"].any()
    torch.testing.assert_close(one["next", "observation"], other["next", "observation"], rtol=0, atol=0)


def played(actions):
    """Makes a policy of a list of actions."""
    remaining = iter(actions)
    return lambda tensordict: tensordict.update(next(remaining))


def make_points(seed=0):
    return TaskworldsWrapper(taskworlds.make_vec("point", 2, seed=seed, max_episode_steps=LIMIT))


def test_several_in_one_and_in_processes():
    """The processes are forked here, which takes less time; programs start them as they like."""
    serial = torchrl_envs.SerialEnv(2, make_points)
    parallel = torchrl_envs.ParallelEnv(2, make_points, mp_start_method="fork")
    try:
        check_env_specs(serial)
        rollouts = []
        for env in (serial, parallel):
            env.set_seed(3)
            torch.manual_seed(0)
            rollouts.append(env.rollout(2 * LIMIT, break_when_any_done=False))
    finally:
        parallel.close()
    assert rollouts[0]["next", "success"].shape == (2, 2, 2 * LIMIT, 1)
    for name in ("observation", ("next", "reward"), ("next", "task_index")):
        torch.testing.assert_close(*(each[name] for each in rollouts), rtol=0, atol=0)


def test_collectors_collect():
    collector = collectors.Collector(make_points, None, frames_per_batch=8, total_frames=16)
    batches = [batch.clone() for batch in collector]
    assert [batch.shape for batch in batches] == [(2, 4), (2, 4)]
    lengths = torch.cat(batches, 1)["next", "episode_length"].squeeze(-1)
    assert lengths.tolist() == [[1, 2, 3, 1, 2, 3, 1, 2]] * 2


def test_collectors_in_processes_collect():
    collector = collectors.MultiSyncCollector(
        [make_points, make_points], None, frames_per_batch=8, total_frames=8
    )
    try:
        (batch,) = (each.clone() for each in collector)
    finally:
        collector.shutdown()
    assert batch.numel() == 8
    assert batch["next", "goal"].shape[-1] == 2


def test_pictures_stand_in_the_tensordict():
    from torchrl.record import PixelRenderTransform

    envs = taskworlds.make_vec("point", 2, render_mode="rgb_array")
    data = torchrl_envs.TransformedEnv(TaskworldsWrapper(envs), PixelRenderTransform()).rollout(2)
    assert data["pixels"].shape[:2] == (2, 2)
    assert data["pixels"].dtype == torch.uint8


def test_closing_closes_the_batch():
    env = TaskworldsWrapper(make_vec("float32"))
    env.close()
    env.close()
    assert env.envs.closed


def test_what_cannot_be_wrapped():
    with pytest.raises(
        TypeError, match=r"envs must be what taskworlds.make_vec returned, not TaskEnv: put single"
    ):
        TaskworldsWrapper(taskworlds.make("point"))
    with pytest.raises(ValueError, match=r"not NEXT_STEP, .* Leave autoreset_mode out of make_vec"):
        TaskworldsWrapper(make_vec("float32", "NextStep"))
    with pytest.raises(ValueError, match=r"Unknown info 'succes'. Did you mean 'success'"):
        TaskworldsWrapper(make_vec("float32"), infos=["succes"])
    with pytest.raises(
        ValueError, match=r"observations must be arrays, choices that start at 0, .* not Tuple\(Discrete"
    ):
        TaskworldsWrapper(taskworlds.make_vec([Task("pairs", {"angle": 0})], 1, vector_strategy="sync"))


def test_gym_wrapper_has_the_same_episodes():
    """The two differ in the dtype of rewards, and in the shape of infos."""
    env, other = TaskworldsWrapper(make_vec("MT10")), torchrl_envs.GymWrapper(make_vec("MT10"))
    assert env.action_spec == other.action_spec
    assert env.observation_spec["observation"] == other.observation_spec["observation"]
    actions = actions_of(env, LIMIT)
    other.set_seed(0)
    env.set_seed(0)
    env.reset()  # as GymWrapper has done when it was given the seed
    rollouts = [each.rollout(LIMIT, played(actions), break_when_any_done=False) for each in (env, other)]
    torch.testing.assert_close(*(each["next", "observation"] for each in rollouts), rtol=0, atol=0)
