"""Meta-World's own evaluation over our batches, as they are made: no option asks for statistics.

It knows one autoreset mode, SAME_STEP, and no wrapper of Gymnasium's around a batch, since these have no `call`.
tests/oracle/test_evaluation.py compares its figures with those over Meta-World's batches.
"""

import gymnasium as gym
import numpy as np
import pytest
from metaworld.evaluation import evaluation, metalearning_evaluation
from metaworld.policies import ENV_POLICY_MAP

SKILLS = ["reach-v3", "handle-press-v3"]


class Experts:
    """Meta-World's scripted policies, one for each row, as an agent of both protocols."""

    def __init__(self, skills):
        self._policies = [ENV_POLICY_MAP[skill]() for skill in skills]

    def eval_action(self, observations):
        pairs = zip(self._policies, observations, strict=True)
        return np.clip([policy.get_action(obs[:39].copy()) for policy, obs in pairs], -1, 1)

    def adapt_action(self, observations):
        return self.eval_action(observations), {}

    def reset(self, env_mask):
        pass

    def init(self):
        pass

    def step(self, timestep):
        pass

    def adapt(self):
        pass


def batch(name, seed, **options):
    return gym.make_vec(f"taskworlds/{name}", seed=seed, max_episode_steps=80, num_goals=2, **options)


@pytest.mark.filterwarnings("ignore:Constant.s. may be too high:UserWarning")
def test_evaluation_goes_past_the_ends_of_episodes(decided_by_the_seed):
    def figures(seed):
        envs = batch("custom-mt-envs", seed, envs_list=SKILLS)
        success, mean_return, _, returns = evaluation(Experts(SKILLS), envs, num_episodes=3)
        assert success == 1.0
        assert {name: len(values) for name, values in returns.items()} == dict.fromkeys(SKILLS, 3)
        return mean_return, returns

    decided_by_the_seed(figures)


@pytest.mark.filterwarnings("ignore:Constant.s. may be too high:UserWarning")
def test_meta_learning_evaluation_goes_past_the_ends_of_episodes(decided_by_the_seed):
    def figures(seed):
        envs = batch("ML1-test", seed, env_name="handle-press-v3", meta_batch_size=2)  # needs no visible goal
        how = {"num_evals": 1, "adaptation_steps": 1, "adaptation_episodes": 1, "evaluation_episodes": 2}
        success, mean_return, successes = metalearning_evaluation(
            Experts(["handle-press-v3"] * 2), envs, **how
        )
        assert (success, successes) == (1.0, {"handle-press-v3": 1.0})
        return mean_return

    decided_by_the_seed(figures)
