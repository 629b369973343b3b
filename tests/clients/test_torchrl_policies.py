"""TorchRL's policies go straight into `evaluate`, which asks them for what TorchRL's own rollouts would do."""

import numpy as np
import pytest

import taskworlds
from taskworlds.evaluation.players import as_policy

torch = pytest.importorskip("torch")
tensordict_nn = pytest.importorskip("tensordict.nn")
modules = pytest.importorskip("torchrl.modules")
torchrl_envs = pytest.importorskip("torchrl.envs")
TaskworldsWrapper = pytest.importorskip("taskworlds.integrations.torchrl").TaskworldsWrapper
Module, Sequential = tensordict_nn.TensorDictModule, tensordict_nn.TensorDictSequential

LIMIT, ROWS = 5, 3


def make_env():
    return TaskworldsWrapper(taskworlds.make_vec("point", ROWS, max_episode_steps=LIMIT), dtype=torch.float32)


def linear(in_keys, size, out_keys=("action",)):
    return Module(torch.nn.Linear(size, 2), list(in_keys), list(out_keys))


def actor():
    """A stochastic policy, of several modules."""
    body = torch.nn.Sequential(
        torch.nn.Linear(3, 8),
        torch.nn.Dropout(0.5),
        torch.nn.Linear(8, 4),
        tensordict_nn.NormalParamExtractor(),
    )
    return modules.ProbabilisticActor(
        Module(body, ["observation"], ["loc", "scale"]),
        in_keys=["loc", "scale"],
        distribution_class=modules.TanhNormal,
        distribution_kwargs={"low": -0.1, "high": 0.1},
    )


def with_exploration():
    noise = modules.AdditiveGaussianModule(spec=make_env().action_spec[0], sigma_init=1.0, sigma_end=1.0)
    return Sequential(linear(["observation"], 3), noise)


def lstm():
    keys = ["observation", "hidden", "cell"]
    memory = modules.LSTMModule(
        input_size=3, hidden_size=8, in_keys=keys, out_keys=["seen", ("next", "hidden"), ("next", "cell")]
    )
    return Sequential(memory, linear(["seen"], 8))


def gru():
    memory = modules.GRUModule(
        input_size=3, hidden_size=8, in_keys=["observation", "hidden"], out_keys=["seen", ("next", "hidden")]
    )
    return Sequential(memory, linear(["seen"], 8))


POLICIES = {
    "module": lambda: linear(["observation"], 3),
    "actor": actor,
    "exploring": with_exploration,
    "lstm": lstm,
    "gru": gru,
}


def played_by_torchrl(policy, seed=4):
    """Plays two episodes a row as TorchRL does; returns observations and actions, step by step."""
    env = torchrl_envs.TransformedEnv(make_env(), torchrl_envs.InitTracker())
    for part in policy.modules():
        if isinstance(part, modules.LSTMModule | modules.GRUModule):
            env.append_transform(part.make_tensordict_primer())
    env.set_seed(seed)
    policy.eval()
    with torchrl_envs.set_exploration_type(torchrl_envs.ExplorationType.DETERMINISTIC), torch.no_grad():
        data = env.rollout(2 * LIMIT, policy, break_when_any_done=False)
    policy.train()
    return data["observation"], data["action"]


@pytest.mark.parametrize("kind", POLICIES)
def test_actions_are_those_of_torchrls_rollouts(kind):
    torch.manual_seed(0)
    policy = POLICIES[kind]()
    observations, actions = played_by_torchrl(policy)
    player = as_policy(policy)
    for step in range(2 * LIMIT):
        if step % LIMIT == 0:
            player.begin_episodes(np.ones(ROWS, bool), {})
        mine = player(observations[:, step].double().numpy())
        np.testing.assert_array_equal(mine, actions[:, step])
        assert not mine.requires_grad
    assert policy.training


@pytest.mark.parametrize("kind", POLICIES)
def test_they_are_evaluated(kind):
    torch.manual_seed(0)
    policy = POLICIES[kind]()
    results = [
        taskworlds.evaluate(policy, "point", num_goals=3, num_envs=2, max_episode_steps=LIMIT)
        for _ in range(2)
    ]
    one, other = ([task.episodes for task in result.tasks] for result in results)
    assert one == other


class Counter(tensordict_nn.TensorDictModuleBase):
    """A memory of its own kind: it counts its steps, and knows nothing of is_init."""

    in_keys, out_keys = ["observation", "count"], ["action", ("next", "count")]

    def forward(self, tensordict):
        observation = tensordict["observation"]
        count = tensordict.get("count", torch.zeros(len(observation), 1))
        return tensordict.update({"action": observation[:, :2] + count, "next": {"count": count + 1}})


@pytest.mark.parametrize("make", [lstm, gru, Counter])
def test_a_memory_begins_anew_with_the_rows_episode(make):
    torch.manual_seed(0)
    player = as_policy(make())
    obs = np.random.default_rng(0).normal(size=(4, ROWS, 3))
    first = [player(each) for each in obs]
    player.begin_episodes(np.array([True, False, False]), {})
    again = [player(each) for each in obs]
    torch.testing.assert_close(again[3][0], first[3][0], rtol=0, atol=0)
    assert not torch.equal(again[3][1], first[3][1])


def test_infos_of_the_reset_are_read():
    """A policy that is told the goal, which point-robots do not observe."""
    policy = Module(
        lambda obs, goal: (goal - obs[:, :2]).clamp(-0.1, 0.1), ["observation", "goal"], ["action"]
    )
    result = taskworlds.evaluate(policy, "point", max_episode_steps=50)
    assert result.overall["success_once"].mean.value == 1.0


def test_choices_are_whole_numbers():
    env = TaskworldsWrapper(taskworlds.make_vec("grid-4x4", 2))
    values = Module(lambda obs: torch.eye(4)[(obs[:, 0] % 4).long()], ["observation"], ["action_value"])
    chooser = modules.QValueModule(spec=env.action_spec_unbatched)
    policy = as_policy(Sequential(values, chooser))
    np.testing.assert_array_equal(policy(np.array([3, 9])), [3, 1])
    taskworlds.evaluate(Sequential(values, chooser), "grid-4x4", max_episode_steps=LIMIT)


def test_what_is_no_policy_of_torchrls():
    with pytest.raises(ValueError, match=r"policy must write 'action' .* writes \['value'\]: give the actor"):
        as_policy(linear(["observation"], 3, ["value"]))
    with pytest.raises(
        ValueError, match=r"policy reads \['pixels'\], but the TensorDict has only .*observation"
    ):
        taskworlds.evaluate(linear(["pixels"], 3), "point", max_episode_steps=LIMIT)
