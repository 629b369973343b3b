"""Meta-World's own evaluation functions, unmodified, on our vector environments and on theirs."""

from __future__ import annotations

import gymnasium as gym
import metaworld
import numpy as np
import pytest
from metaworld.evaluation import evaluation, metalearning_evaluation
from metaworld.policies import ENV_POLICY_MAP

import taskworlds
from taskworlds.vector.gymnasium_ids import register_envs

SKILLS = ["reach-v3", "handle-press-v3"]


class Expert:
    """Meta-World's scripted policies, each for its row; in meta-learning it counts what it is shown."""

    def __init__(self, skills):
        self.policies = [ENV_POLICY_MAP[skill]() for skill in skills]
        self.resets = np.zeros(len(skills), dtype=int)
        self.timesteps = []

    def eval_action(self, observations):
        actions = [
            policy.get_action(obs[:39].copy())
            for policy, obs in zip(self.policies, observations, strict=True)
        ]
        return np.clip(actions, -1, 1)

    def reset(self, env_mask):
        self.resets += env_mask

    def init(self):
        self.timesteps.append([])

    def adapt_action(self, observations):
        return self.eval_action(observations), {}

    def step(self, timestep):
        self.timesteps[-1].append(timestep)

    def adapt(self):
        pass


@pytest.fixture(autouse=True)
def _ids():
    register_envs()


@pytest.fixture(params=["sync", "async"])
def strategy(request):
    return request.param


@pytest.fixture
def one_goal(monkeypatch):
    """One goal for each skill, so that each row has one task, however the tasks are drawn."""
    monkeypatch.setattr(metaworld, "_N_GOALS", 1)


pytestmark = pytest.mark.filterwarnings("ignore:Constant.s. may be too high:UserWarning")


def test_multi_task_evaluation(strategy, one_goal):
    keywords = {"envs_list": SKILLS, "seed": 1, "max_episode_steps": 80, "vector_strategy": strategy}
    theirs = gym.make_vec("Meta-World/custom-mt-envs", **keywords | {"vector_strategy": "sync"})
    ours = gym.make_vec("taskworlds/custom-mt-envs", num_goals=1, **keywords)
    expected_agent, agent = Expert(SKILLS), Expert(SKILLS)
    expected = evaluation(expected_agent, theirs, num_episodes=2)
    given = evaluation(agent, ours, num_episodes=2)
    assert given == expected
    assert agent.resets.tolist() == expected_agent.resets.tolist()
    assert given[0] == 1.0  # the experts solve both, so the ends by success are part of the comparison
    assert ours.get_attr("terminate_on_success") == (False, False)
    ours.close()


def test_the_ten_skills_of_mt10(one_goal):
    # Without one-hot, which makes their observations float32, so that the experts act otherwise.
    keywords = {"seed": 1, "max_episode_steps": 30}
    theirs = gym.make_vec("Meta-World/MT10", **keywords)
    ours = gym.make_vec("taskworlds/MT10", num_goals=1, **keywords)
    expected = evaluation(Expert(ours.skills), theirs, num_episodes=1)
    success, mean_return, successes, returns = evaluation(Expert(ours.skills), ours, num_episodes=1)
    assert (success, successes) == (expected[0], expected[2])
    assert set(successes) == set(ours.skills)
    # Their returns are sums in float32 where a skill's reward is float32; ours are always float64.
    assert mean_return == pytest.approx(expected[1], rel=1e-6)
    assert list(returns) == list(expected[3])
    for name, values in returns.items():
        assert values == pytest.approx(expected[3][name], rel=1e-6)


@pytest.mark.parametrize("split", ["train", "test"])
def test_meta_learning_evaluation(strategy, split, monkeypatch):
    monkeypatch.setattr(metaworld, "_N_GOALS", 2)
    keywords = {"seed": 1, "meta_batch_size": 2, "max_episode_steps": 25, "vector_strategy": strategy}
    # Not through their id "ML1-train", which serves the test tasks.
    theirs = getattr(metaworld, f"make_ml_envs_{split}")("reach-v3", **keywords | {"vector_strategy": "sync"})
    ours = gym.make_vec(f"taskworlds/ML1-{split}", env_name="reach-v3", num_goals=2, **keywords)
    how = {"num_evals": 2, "adaptation_steps": 2, "adaptation_episodes": 2, "evaluation_episodes": 3}
    expected_agent, agent = Expert(["reach-v3"] * 2), Expert(["reach-v3"] * 2)
    expected = metalearning_evaluation(expected_agent, theirs, **how)
    given = metalearning_evaluation(agent, ours, **how)
    assert given == expected
    assert agent.resets.tolist() == expected_agent.resets.tolist()
    assert (
        [len(each) for each in agent.timesteps]
        == [len(each) for each in expected_agent.timesteps]
        == [100, 100]
    )
    for adaptation, its_adaptation in zip(agent.timesteps, expected_agent.timesteps, strict=True):
        for mine, its in zip(adaptation, its_adaptation, strict=True):
            for field in ("observation", "action", "reward", "terminated", "truncated"):
                assert np.array_equal(getattr(mine, field), getattr(its, field)), field
    ours.close()


def test_episodes_and_info_of_their_vector_environment(one_goal):
    """The observations, rewards and info of a whole batch over the ends of episodes, beside their own."""
    keywords = {
        "envs_list": SKILLS,
        "vector_strategy": "sync",
        "seed": 1,
        "max_episode_steps": 20,
        "terminate_on_success": True,
    }
    theirs = gym.make_vec("Meta-World/custom-mt-envs", **keywords)
    ours = gym.make_vec("taskworlds/custom-mt-envs", num_goals=1, **keywords)
    agent = Expert(SKILLS)
    obs, (mine, _) = theirs.reset()[0], ours.reset()
    ends = 0
    for _ in range(45):
        np.testing.assert_array_equal(mine, obs)
        actions = agent.eval_action(obs)
        obs, rewards, terminated, truncated, infos = theirs.step(actions)
        mine, *others, info = ours.step(actions)
        for given, expected in zip(others, (rewards, terminated, truncated), strict=True):
            np.testing.assert_array_equal(given, expected)
        ends += int((terminated | truncated).sum())
        assert ("final_info" in info) == ("final_info" in infos)
        for row in np.flatnonzero(terminated | truncated):
            np.testing.assert_array_equal(info["final_obs"][row], infos["final_obs"][row])
            for name in ("r", "l"):
                assert info["final_info"]["episode"][name][row] == infos["final_info"]["episode"][name][row]
        for part, expected in ((info, infos), (info.get("final_info", {}), infos.get("final_info", {}))):
            for name in set(expected) - {
                "final_info",
                "final_obs",
                "episode",
                "_final_info",
                "_final_obs",
                "_episode",
            }:
                np.testing.assert_array_equal(part[name], expected[name], err_msg=name)
    assert ends >= 4


def test_what_their_ids_serve_and_ours_do_not(monkeypatch):
    # Why `make_ml_envs_train` stands above: under "ML1-train" they serve the test tasks.
    monkeypatch.setattr(metaworld, "_N_GOALS", 2)
    theirs = gym.make_vec("Meta-World/ML1-train", env_name="reach-v3", seed=1, meta_batch_size=2)
    served = {taskworlds.Task.of(task) for row in theirs.get_attr("tasks") for task in row}
    ml1 = taskworlds.benchmark("ML1", "reach-v3", seed=1, num_goals=2)
    assert served == set(ml1.test_tasks)
    ours = gym.make_vec("taskworlds/ML1-train", env_name="reach-v3", seed=1, meta_batch_size=2, num_goals=2)
    assert {task for row in ours.tasks for task in row} == set(ml1.train_tasks)
