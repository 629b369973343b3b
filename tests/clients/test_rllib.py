"""RLlib's new API stack: env runners that step a batch of ours, remote ones that die, its policies in `evaluate`.

Env runners work without Ray, so that most tests start none.
"""

import os

import numpy as np
import pytest

import taskworlds
from taskworlds.evaluation import load_policy

ray = pytest.importorskip("ray")
rllib = pytest.importorskip("taskworlds.integrations.rllib")
torch = pytest.importorskip("torch")

from ray.rllib.algorithms.ppo import PPOConfig  # noqa: E402
from ray.rllib.connectors.env_to_module import FlattenObservations, MeanStdFilter  # noqa: E402
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig  # noqa: E402
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec  # noqa: E402
from ray.rllib.core.rl_module.rl_module import RLModuleSpec  # noqa: E402
from ray.rllib.core.rl_module.torch import TorchRLModule  # noqa: E402
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

LIMIT = 4


def ppo(**model):
    return PPOConfig().rl_module(model_config=DefaultModelConfig(fcnet_hiddens=[8], **model))


def flattened(config):
    return config.env_runners(env_to_module_connector=lambda *a, **k: FlattenObservations())


def filtered(config):
    return config.env_runners(env_to_module_connector=lambda *a, **k: MeanStdFilter())


def runner_of(config, worker_index=1, seed=0):
    return SingleAgentEnvRunner(config=config.copy().debugging(seed=seed), worker_index=worker_index)


class ToTheGoal(TorchRLModule):
    """Solves reach-v3: its actions, which are scaled and clipped, lead from the hand to the goal."""

    def setup(self):
        self.anything = torch.nn.Linear(1, 1)

    def _forward(self, batch, **kwargs):
        obs = batch["obs"]
        return {
            "actions": torch.cat([10 * (obs[:, 36:39] - obs[:, :3]), torch.zeros_like(obs[:, :1])], dim=1)
        }


def to_the_goal(config):
    return config.rl_module(rl_module_spec=RLModuleSpec(module_class=ToTheGoal))


# --- env runners --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "change"),
    [
        ("MT10", {"use_one_hot": True}, None),
        ("reach-v3", {}, filtered),
        ("reach-v3", {"k_episodes": 2, "recurrent_info_in_obs": True}, None),
        ("half-cheetah-vel", {}, None),
        ("point", {}, None),
        ("grid-4x4", {"terminate_on_success": True}, flattened),
    ],
)
def test_episodes_are_what_the_batch_played(name, options, change):
    config = rllib.configure(ppo(), name, 3, max_episode_steps=LIMIT, **options)
    runner = runner_of(change(config) if change else config)
    parts = [part for _ in range(2) for part in runner.sample(num_timesteps=10 * LIMIT)]
    assert {bool(part.is_done) for part in parts} == {True, False}
    for episode in runner.sample(num_episodes=4):
        last = episode.get_infos(-1)
        assert episode.is_done
        assert len(episode) == last["episode_length"]
        assert episode.get_return() == pytest.approx(last["episode_return"])


def test_the_seed_decides_what_is_sampled(decided_by_the_seed):
    config = rllib.configure(ppo(), "reach-v3", 2, max_episode_steps=LIMIT)

    def sample(seed):
        parts = runner_of(config, seed=seed).sample(num_timesteps=10 * LIMIT)
        return [[part.get_observations(), part.get_actions(), part.get_rewards()] for part in parts]

    decided_by_the_seed(sample)


def tasks_of(runner, samples=3):
    """Returns the tasks of a runner's episodes, by row, and all tasks of its benchmark."""
    envs, played = runner.env.unwrapped, []
    for _ in range(samples):
        runner.sample(num_episodes=4, random_actions=True)
        played.append([task.id for task in envs.current_tasks])
    return np.array(played), envs.benchmark.tasks("train")


@pytest.mark.parametrize("seed", [0, None])
def test_runners_share_the_tasks_and_play_others_of_them(seed):
    config = rllib.configure(ppo(), "reach-v3", 4, max_episode_steps=2)
    (one, its_tasks), (other, others_tasks) = (tasks_of(runner_of(config, i, seed)) for i in (1, 2))
    assert its_tasks == others_tasks
    assert (
        len({tuple(row) for row in one}) == 3
    )  # RLlib gives the same seed before each sample of whole episodes
    for row in range(4):
        assert not any((one[:, row] == column).all() for column in other.T)


def test_evaluation_runners_play_what_their_config_says():
    config = rllib.configure(ppo(), "ML10", max_episode_steps=LIMIT, num_goals=2)
    config.evaluation(evaluation_config={"env_config": {"split": "test"}})
    envs = runner_of(config.get_evaluation_config_object()).env.unwrapped
    assert envs.split == "test"
    assert envs.num_envs == 20
    assert envs.max_episode_steps == LIMIT


def test_success_is_logged_by_skill_and_by_attempt():
    config = to_the_goal(rllib.configure(PPOConfig(), "custom-mt-envs", envs_list=["reach-v3", "push-v3"]))
    runner = runner_of(config.env_runners(rollout_fragment_length=30))
    for _ in range(5):
        runner.sample(
            num_timesteps=220
        )  # in parts, so that an episode's success is in an earlier one than its end
    found = runner.get_metrics()
    by_skill = {name: value.peek() for name, value in found["success_rate_of"].items()}
    assert by_skill == {"reach-v3": 1.0, "push-v3": 0.0}
    assert found["success_rate"].peek() == 0.5

    config = to_the_goal(rllib.configure(PPOConfig(), "reach-v3", 1, k_episodes=2, max_episode_steps=80))
    runner = runner_of(config)
    runner.sample(num_episodes=1)
    by_attempt = runner.get_metrics()["success_rate_of_attempt"]
    assert {name: value.peek() for name, value in by_attempt.items()} == {"0": 1.0, "1": 1.0}


def test_worlds_without_success_log_none():
    runner = runner_of(rllib.configure(ppo(), "half-cheetah-vel", 1, max_episode_steps=2))
    runner.sample(num_episodes=1)
    assert not [name for name in runner.get_metrics() if "success" in name]


def test_callbacks_stay_and_options_of_another_call_go():
    def mine(**given): ...

    config = rllib.configure(ppo().callbacks(on_episode_end=mine), "MT10", use_one_hot=True)
    rllib.configure(config, "MT10", max_episode_steps=3)
    assert config.callbacks_on_episode_end == [mine, rllib.log_success]
    assert config.env_config == {"benchmark": "MT10", "max_episode_steps": 3}
    assert config.num_envs_per_env_runner == 10


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: rllib.configure("PPO", "MT10"), "config must be a config of an RLlib algorithm"),
        (lambda: rllib.configure(ppo(), "MT11"), "Unknown benchmark 'MT11'. Did you mean 'MT1' or 'MT10'"),
        (lambda: rllib.configure(ppo(), "MT10", one_hot=True), "unexpected keyword argument 'one_hot'"),
        (lambda: rllib.configure(ppo(), "MT10", 0), "num_envs must be at least 1"),
        (
            lambda: rllib.configure(ppo(), "MT10", autoreset_mode="SameStep"),
            "autoreset_mode must be NEXT_STEP",
        ),
        (
            lambda: runner_of(rllib.configure(ppo(), "MT10").env_runners(gym_env_vectorize_mode="sync")),
            "gym_env_vectorize_mode must be",
        ),
        (
            lambda: rllib.configure(
                PPOConfig().api_stack(
                    enable_rl_module_and_learner=False, enable_env_runner_and_connector_v2=False
                ),
                "MT10",
            ),
            "new API stack",
        ),
        (lambda: rllib.load("nowhere"), "checkpoint must be the checkpoint folder of an RLlib algorithm"),
    ],
)
def test_mistakes_are_named_before_training(wrong, message):
    with pytest.raises((TypeError, ValueError), match=message):
        wrong()


# --- policies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("reach-v3", lambda config: config),
        ("reach-v3", filtered),
        ("reach-v3", to_the_goal),
        ("reach-v3", lambda config: config.rl_module(model_config=DefaultModelConfig(use_lstm=True))),
        ("grid-4x4", flattened),
    ],
)
def test_what_is_evaluated_is_what_runners_do_without_exploring(name, change):
    """Each task's return is equal, as are the numbers of an evaluation after another: statistics stay as they are."""
    options = {"max_episode_steps": 9, "num_goals": 2} if name == "reach-v3" else {"max_episode_steps": 9}
    runner = runner_of(change(rllib.configure(ppo(), name, 2, **options)))
    runner.sample(num_timesteps=40)
    for connector in runner._env_to_module.connectors:
        if isinstance(connector, MeanStdFilter):
            connector._update_stats = False
    policy = rllib.policy_of(runner)
    results = [taskworlds.evaluate(policy, taskworlds.make_vec(name, 2, **options)) for _ in range(2)]
    assert results[0].overall == results[1].overall
    returns = {record.task: record.episodes[0].episode_return for record in results[0].tasks}
    tasks = runner.env.unwrapped.benchmark.tasks("train")
    for episode in runner.sample(num_episodes=4, explore=False):
        assert episode.get_return() == returns[tasks[episode.get_infos(-1)["task_index"]]]


def test_a_module_by_itself_is_a_policy_as_is_the_only_one_of_several():
    envs = taskworlds.make_vec("reach-v3", 1)
    spec = RLModuleSpec(ToTheGoal, envs.single_observation_space, envs.single_action_space)
    for module in (spec.build(), MultiRLModuleSpec(rl_module_specs={"default_policy": spec}).build()):
        result = taskworlds.evaluate(module, "reach-v3", num_goals=4, max_episode_steps=80)
        assert result.overall["success_once"].mean.value == 1.0
    with pytest.raises(TypeError, match="those of several agents: give one of"):
        taskworlds.evaluate(MultiRLModuleSpec(rl_module_specs={"a": spec, "b": spec}).build(), "reach-v3")


# --- whole algorithms, in Ray -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def algorithm():
    """PPO with two runners in processes of their own, one for each processor that Ray is told of."""
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100_000_000, log_to_driver=False)
    try:
        config = filtered(rllib.configure(ppo(), "MT10", use_one_hot=True, max_episode_steps=LIMIT))
        config.training(train_batch_size_per_learner=200, minibatch_size=100, num_epochs=1)
        algorithm = config.env_runners(num_env_runners=2).debugging(seed=1).build_algo()
        yield algorithm
        algorithm.stop()
    finally:
        ray.shutdown()


def on_runners(algorithm, function):
    return algorithm.env_runner_group.foreach_env_runner(function, local_env_runner=False)


def test_runners_in_processes_train(algorithm):
    result = algorithm.train()["env_runners"]
    assert 0 <= result["success_rate"] <= 1
    assert set(result["success_rate_of"]) == set(taskworlds.benchmark("MT10").env_names("train"))
    assert result["episode_len_mean"] == LIMIT
    played = on_runners(algorithm, lambda runner: [task.id for task in runner.env.unwrapped.current_tasks])
    assert len(played) == 2
    assert played[0] != played[1]


def test_an_engine_takes_as_many_threads_as_its_runner_has_processors(algorithm):
    threads = on_runners(algorithm, lambda runner: runner.env.unwrapped.rows.engine.num_threads)
    assert threads == [1, 1]


def test_a_checkpoint_plays_as_the_algorithm(algorithm, tmp_path):
    def returns(policy):
        result = taskworlds.evaluate(policy, "MT10", num_goals=1, use_one_hot=True, max_episode_steps=LIMIT)
        return [episode.episode_return for task in result.tasks for episode in task.episodes]

    statistics = algorithm.env_runner._env_to_module.get_state()
    first = returns(algorithm)
    path = algorithm.save_to_path(tmp_path)
    assert returns(algorithm) == first
    assert returns(load_policy("taskworlds.integrations.rllib:load", checkpoint=path)) == first
    assert returns(algorithm.get_module()) != first  # without the statistics of observations
    assert repr(algorithm.env_runner._env_to_module.get_state()) == repr(statistics)


def test_training_goes_on_without_a_runner_that_died_until_it_is_back(algorithm):
    on_runners(algorithm, lambda runner: runner.worker_index == 2 and os._exit(1))
    assert on_runners(algorithm, lambda runner: runner.env.num_envs) == [10]
    for _ in range(1000):  # iterations of a fraction of a second each, while the process starts
        assert algorithm.train()["env_runners"]["num_env_steps_sampled"] > 0
        if len(on_runners(algorithm, lambda runner: runner.worker_index)) == 2:
            break
    assert on_runners(algorithm, lambda runner: runner.env.num_envs) == [10, 10]
