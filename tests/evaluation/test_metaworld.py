"""evaluate on Meta-World itself: few tasks and short episodes."""

import itertools

import gymnasium as gym
import metaworld
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import taskworlds
from taskworlds import Task
from taskworlds.evaluation import compare, evaluate, expert_policy, random_policy

SHORT = {"num_goals": 2, "num_envs": 2}


@pytest.fixture(scope="module")
def expert_on_reach():
    return evaluate(expert_policy(), "MT1", env_name="reach-v3", **SHORT)


def test_the_expert_reaches_and_chance_does_not(expert_on_reach):
    assert expert_on_reach.overall["success_end"].mean.value == 1.0
    assert expert_on_reach.overall["length"].mean.value < 200
    space = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
    chance = evaluate(random_policy(space, seed=0), "MT1", env_name="reach-v3", max_episode_steps=20, **SHORT)
    assert chance.overall["success_once"].mean.value == 0.0
    assert chance.overall["length"].mean.value == 20.0
    with pytest.raises(ValueError, match=r"They differ in max_episode_steps: 500 and 20\."):
        compare(expert_on_reach, chance)
    comparison = compare(expert_on_reach, chance, allow_different=["max_episode_steps"])
    assert comparison.overall["success_end"].mean.value == -1.0


def test_benchmarks_as_objects_ours_and_metaworlds(expert_on_reach):
    benchmark = taskworlds.benchmark("MT1", "reach-v3", seed=0, num_goals=2)
    again = evaluate(expert_policy(), benchmark, num_envs=1)
    assert again.tasks == expert_on_reach.tasks
    assert again.fingerprint == expert_on_reach.fingerprint
    own = metaworld.MT1("reach-v3", seed=0)
    theirs = evaluate(expert_policy(), own, tasks=own.train_tasks[:2], num_envs=2, max_episode_steps=5)
    assert [record.task for record in theirs.tasks] == [Task.of(task) for task in own.train_tasks[:2]]
    assert theirs.fingerprint.max_episode_steps == 5


def test_more_rows_than_episodes_and_rows_that_never_play(expert_on_reach):
    settings = {"env_name": "reach-v3", "num_goals": 2, "num_envs": 5}
    assert evaluate(expert_policy(), "MT1", **settings).tasks == expert_on_reach.tasks


def test_the_name_of_a_benchmark_may_say_the_split():
    settings = {"env_name": "reach-v3", "max_episode_steps": 5, **SHORT}
    for name, split in (("ML1-train", "train"), ("ML1-test", "test"), ("taskworlds/ML1-test", "test")):
        result = evaluate(expert_policy(), name, **settings)
        assert result == evaluate(expert_policy(), "ML1", split=split, **settings)
        assert result.split == split
    with pytest.raises(ValueError, match="'ML1-train' names the train tasks, so split='test' contradicts it"):
        evaluate(expert_policy(), "ML1-train", split="test", **settings)


def test_a_single_env_of_ours(expert_on_reach):
    env = taskworlds.make("reach-v3", seed=0, num_goals=2, terminate_on_success=True)
    assert evaluate(expert_policy(), env).tasks == expert_on_reach.tasks
    env.reset(seed=0)
    env.step(np.zeros(4))
    assert env.batch.num_envs == 1
    with pytest.raises(AttributeError):
        env.batch = None
    with pytest.raises(TypeError, match="num_envs cannot be set for an environment that is already made"):
        evaluate(expert_policy(), env, num_envs=3)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_vector_env_in_every_autoreset_mode(expert_on_reach, mode):
    envs = taskworlds.make_vec(
        "MT1",
        env_name="reach-v3",
        seed=0,
        autoreset_mode=mode,
        terminate_on_success=True,
        reward_normalization_method="gymnasium",
        **SHORT,
    )
    try:
        assert evaluate(expert_policy(), envs).tasks == expert_on_reach.tasks
        envs.reset(seed=0)
        envs.step(np.zeros((2, 4)))
    finally:
        envs.close()


def test_the_expert_finds_hidden_goals():
    result = evaluate(expert_policy(), "ML1", env_name="reach-v3", **SHORT)
    assert result.split == "test"
    assert result.tasks[0].task["partially_observable"]
    assert result.overall["success_end"].mean.value == 1.0


def test_a_row_that_breaks_leaves_the_others_exact():
    settings = {"num_goals": 3, "seed": 0, "terminate_on_success": True, "max_episode_steps": 40}

    def played(break_row):
        envs = taskworlds.make_vec("MT1", 3, env_name="reach-v3", vector_strategy="sync", **settings)
        try:
            if break_row:
                _break(envs, envs.tasks[1][0], at_step=7)
            return evaluate(random_policy(envs.single_action_space, 0), envs, episodes_per_task=2)
        finally:
            envs.close()

    whole = played(break_row=False)
    with pytest.warns(RuntimeWarning, match="1 of 3 tasks could not run"):
        broken = played(break_row=True)
    assert broken.failed[0].task == whole.tasks[1].task
    assert broken.failed[0].error == "FloatingPointError: diverged"
    assert broken.completed == (whole.tasks[0], whole.tasks[2])


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("at_step", [3, 5])  # of 5
def test_an_episode_whose_simulation_diverges_is_marked(mode, at_step):
    settings = {"num_goals": 2, "seed": 0, "max_episode_steps": 5, "vector_strategy": "native"}
    envs = taskworlds.make_vec("MT1", 2, env_name="reach-v3", autoreset_mode=mode, **settings)
    steps = itertools.count(1)

    def policy(obs):
        if next(steps) == at_step:
            envs.rows.engine.states[1, 20] = np.nan  # a velocity of the arm
        return np.zeros((len(obs), 4))

    with pytest.warns(RuntimeWarning, match=rf"row 1, step {at_step}, .* diverged"):
        result = evaluate(policy, envs, episodes_per_task=2)
    envs.close()
    marked = [[episode.diverged for episode in record.episodes] for record in result.tasks]
    assert marked == [[False, True], [False, False]]  # row 1 begins with the second episode of the first task
    assert {episode.length for record in result.tasks for episode in record.episodes} == {5}


def _break(envs, task, at_step):
    """Makes the environment of one task raise at one step, whichever row plays it."""
    for row in envs.rows.envs.envs:
        plain_step = row.step

        def step(action, row=row, plain_step=plain_step):
            if not row.idle and row.task == task and row.inner.curr_path_length == at_step:
                raise FloatingPointError("diverged")
            return plain_step(action)

        row.step = step


def test_metaworlds_own_vector_env():
    envs = gym.make_vec(
        "Meta-World/custom-mt-envs",
        vector_strategy="sync",
        envs_list=["reach-v3", "door-close-v3"],
        seed=0,
        max_episode_steps=10,
        terminate_on_success=True,
    )
    try:
        result = evaluate(random_policy(envs.single_action_space, 0), envs, episodes_per_task=2)
    finally:
        envs.close()
    assert [record.task.env_name for record in result.tasks] == ["SawyerReachEnvV3", "SawyerDoorCloseEnvV3"]
    assert [[e.length for e in record.episodes] for record in result.tasks] == [[10, 10]] * 2
    assert result.overall["success_once"].mean.value == 0.0


def test_metaworlds_meta_learning_agent():
    class Still:
        """Meta-World's protocol, with an agent that learns nothing."""

        def __init__(self):
            self.rewards = []

        def init(self): ...

        def adapt_action(self, observations):
            return np.zeros((len(observations), 4)), {}

        def step(self, timestep):
            self.rewards.append(timestep.reward)

        def adapt(self): ...

        def eval_action(self, observations):
            return np.zeros((len(observations), 4))

        def reset(self, env_mask): ...

    agent = Still()
    result = evaluate(
        agent,
        "ML1",
        env_name="door-close-v3",
        num_goals=2,
        meta_batch_size=2,
        adaptation_episodes=2,
        max_episode_steps=5,
    )
    assert np.shape(agent.rewards) == (10, 2)
    assert result.overall["length"].mean.value == 5.0
    assert result.fingerprint.protocol == "meta: 1 x 2 episodes of adaptation, batches of 2"
