"""skrl: its wrapper over batches and single environments, and its learners past the ends of episodes."""

import copy

import gymnasium as gym
import numpy as np
import pytest

import taskworlds

skrl = pytest.importorskip("skrl")
torch = pytest.importorskip("torch")
wrappers = pytest.importorskip("skrl.envs.wrappers.torch")
runners = pytest.importorskip("skrl.utils.runner.torch")

pytestmark = pytest.mark.usefixtures("one_thread")

LIMIT = 5
NEXT_STEP = gym.vector.AutoresetMode.NEXT_STEP


def batch(name, num_envs):
    envs = taskworlds.make_vec(name, num_envs, max_episode_steps=LIMIT, autoreset_mode=NEXT_STEP)
    if name == "grid-4x4":  # its observations are the numbers of cells
        envs = gym.wrappers.vector.FlattenObservation(envs)
    return gym.wrappers.vector.DtypeObservation(envs, np.float32)


def single(name):
    env = gym.make(f"taskworlds/{name}", max_episode_steps=LIMIT)
    if name == "grid-4x4":
        env = gym.wrappers.FlattenObservation(env)
    return gym.wrappers.DtypeObservation(env, np.float32)


def several(name):
    return gym.vector.SyncVectorEnv([lambda: single(name)] * 2, autoreset_mode=NEXT_STEP)


MAKERS = {
    "batch": lambda name: batch(name, 2),
    "batch of one": lambda name: batch(name, 1),
    "several": several,
    "single": single,
}


def network(kind, output, read="OBSERVATIONS"):
    return {"class": kind, "network": [{"name": "net", "input": read, "layers": [8]}], "output": output}


VALUES = "concatenate([OBSERVATIONS, ACTIONS])"
AGENTS = {
    "PPO": (
        {"policy": network("GaussianMixin", "ACTIONS"), "value": network("DeterministicMixin", "ONE")},
        {"rollouts": 4, "learning_epochs": 1, "time_limit_bootstrap": True},
    ),
    "PPO of choices": (
        {"policy": network("CategoricalMixin", "ACTIONS"), "value": network("DeterministicMixin", "ONE")},
        {"rollouts": 4, "learning_epochs": 1},
    ),
    "SAC": (
        {"policy": network("GaussianMixin", "ACTIONS")}
        | {
            name: network("DeterministicMixin", "ONE", VALUES)
            for name in ("critic_1", "critic_2", "target_critic_1", "target_critic_2")
        },
        {"batch_size": 4, "random_timesteps": 4, "learning_starts": 4},
    ),
}


def learned(agent, env, steps=3 * LIMIT):
    """Returns the runner after its training, and what the environment returned."""
    models, options = copy.deepcopy(AGENTS[agent])
    quiet = {"experiment": {"write_interval": 0, "checkpoint_interval": 0}}
    env = wrappers.wrap_env(env, verbose=False)
    outcomes, step = [], env.step

    def noting(actions):
        outcome = step(actions)
        outcomes.append([tensor.clone().numpy() for tensor in outcome[:4]])
        return outcome

    env.step = noting
    runner = runners.Runner(
        env,
        {
            "seed": 1,
            "models": {"separate": True} | models,
            "memory": {"class": "RandomMemory", "memory_size": -1 if agent != "SAC" else 32},
            "agent": {"class": agent.partition(" ")[0]} | options | quiet,
            "trainer": {
                "class": "SequentialTrainer",
                "timesteps": steps,
                "headless": True,
                "disable_progressbar": True,
                "close_environment_at_exit": False,  # it would write a line when pytest has closed its output
            },
        },
    )
    runner.run("train")
    return runner, outcomes


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize(
    ("agent", "name"), [("PPO", "reach-v3"), ("SAC", "half-cheetah-vel"), ("PPO of choices", "grid-4x4")]
)
def test_a_learner_goes_past_the_ends_of_episodes(agent, name, maker):
    env = MAKERS[maker](name)
    _, outcomes = learned(agent, env)
    rows = getattr(env, "num_envs", 1)
    ends = [bool((terminated | truncated).all()) for _, _, terminated, truncated in outcomes]
    assert all(obs.dtype == np.float32 and obs.shape[0] == rows for obs, _, _, _ in outcomes)
    assert all(reward.shape == (rows, 1) and np.isfinite(reward).all() for _, reward, _, _ in outcomes)
    if name != "grid-4x4":  # where an episode may end early
        pause = 0 if maker == "single" else 1
        assert np.flatnonzero(ends).tolist() == list(range(LIMIT - 1, len(outcomes), LIMIT + pause))


def test_equal_seeds_learn_the_same():
    def weights():
        skrl.utils.set_seed(1)
        runner, _ = learned("PPO", batch("reach-v3", 2))
        return [tensor.detach().numpy() for tensor in runner.agent.policy.parameters()]

    assert all(map(np.array_equal, weights(), weights()))


@pytest.mark.parametrize("agent", ["PPO", "SAC"])
def test_an_agent_is_evaluated_as_a_policy(agent):
    runner, _ = learned(agent, batch("reach-v3", 2))
    runner.agent.enable_training_mode(False)

    def policy(observations):
        observations = torch.as_tensor(observations, dtype=torch.float32)
        with torch.no_grad():
            actions, outputs = runner.agent.act(observations, None, timestep=2**31, timesteps=2**31)
        return outputs.get("mean_actions", actions).numpy()

    first, again = (
        taskworlds.evaluate(policy, "reach-v3", num_goals=2, max_episode_steps=LIMIT) for _ in range(2)
    )
    assert len(first.completed) == 2
    assert first.overall["episode_return"].mean == again.overall["episode_return"].mean
