"""Trials in `evaluate`: each attempt is kept, and one can be compared with another."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import taskworlds
from taskworlds.evaluation import Result, compare


class Forward:
    """Runs at the wanted speed in attempts after the first, told apart by a memory that `reset` clears."""

    def __init__(self):
        self.memory = None  # the attempt of each row
        self.cleared = 0

    def reset(self, mask):
        if self.memory is None:
            self.memory = np.zeros(len(mask))
        self.memory[mask] = -1
        self.cleared += int(mask.sum())

    def eval_action(self, obs):
        self.memory += obs[:, -1]  # `attempt_begins`
        return np.where(self.memory[:, None] > 0, 0.05, 0.0) * np.ones((1, 2))


@pytest.fixture
def points():
    """Points near the goal: each attempt is of at most 6 steps, and the second one moves."""
    ours = taskworlds.benchmark("point", seed=0, num_goals=5)
    envs = taskworlds.make_vec(ours, 3, split="test", k_episodes=2, max_episode_steps=6)
    yield envs
    envs.close()


def test_each_attempt_is_kept_and_the_memory_lasts_for_the_trial(points):
    policy = Forward()
    result = taskworlds.evaluate(policy, points, episodes_per_task=2)
    assert policy.cleared == 10  # trials, not attempts
    for record in result.tasks:
        goal = np.float32(record.task["goal"])
        for trial in record.episodes:
            first, second = trial.attempts
            assert (trial.length, first.length, second.length) == (12, 6, 6)
            assert trial.episode_return == pytest.approx(first.episode_return + second.episode_return)
            assert first.episode_return == pytest.approx(-6 * np.linalg.norm(goal), rel=1e-6)
            way = [np.linalg.norm(goal - 0.05 * step) for step in range(1, 7)]
            assert second.episode_return == pytest.approx(-np.sum(way), rel=1e-5)
            assert first.attempts == second.attempts == ()
            assert (first.success_once, first.diverged) == (False, False)


@pytest.mark.parametrize("mode", ["SameStep", "NextStep", "Disabled"])
def test_attempts_end_by_themselves_in_every_autoreset_mode(mode):
    near, far = (taskworlds.Task("point", {"goal": goal}) for goal in ((0.2, 0.0), (1.0, 0.0)))
    both = dataclasses.replace(taskworlds.benchmark("point", seed=0), test_tasks=(near, far))
    envs = taskworlds.make_vec(
        both, 2, split="test", k_episodes=3, max_episode_steps=4, autoreset_mode=mode, seed=0
    )
    result = taskworlds.evaluate(lambda obs: np.float32([[0.1, 0.0]] * len(obs)), envs, episodes_per_task=2)
    for record, length in zip(result.tasks, (1, 4), strict=True):
        for trial in record.episodes:
            assert [each.length for each in trial.attempts] == [length] * 3
            assert [each.success_end for each in trial.attempts] == [record.task == near] * 3


def test_attempts_are_compared_task_by_task(points):
    result = taskworlds.evaluate(Forward(), points)
    gain = compare(result.attempt(0), result.attempt(1)).overall["episode_return"].mean
    trials = [record.episodes[0].attempts for record in result.tasks]
    assert gain.value == pytest.approx(
        np.mean([second.episode_return - first.episode_return for first, second in trials])
    )
    assert gain.low < gain.value < gain.high
    assert result.fingerprint.protocol == "multi-task, trials of 2 attempts"
    with pytest.raises(ValueError, match="one of them"):
        compare(result, result.attempt(1))


def test_files_keep_attempts(points, tmp_path):
    result = taskworlds.evaluate(Forward(), points)
    result.save(tmp_path / "result.json")
    again = Result.load(tmp_path / "result.json")
    assert again == result
    assert Result.from_json(again.attempt(1).to_json()) == result.attempt(1)
    assert taskworlds.evaluate(Forward(), points, resume=again) == result


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_environments_of_others_may_tell_of_attempts_too(mode):
    class Trials(gym.Env):
        """Two attempts of two steps; the reward is the number of the step."""

        observation_space = gym.spaces.Box(0.0, 4.0, (1,))
        action_space = gym.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            self.steps = 0
            return np.zeros(1, np.float32), {}

        def step(self, action):
            self.steps += 1
            told = {
                "attempt_ended": float(self.steps in (2, 4)),
                "attempt_return": [1.0, 3.0, 3.0, 7.0][self.steps - 1],
            }
            return np.float32([self.steps]), float(self.steps), False, self.steps == 4, told

    envs = gym.vector.SyncVectorEnv([Trials] * 2, autoreset_mode=mode)
    result = taskworlds.evaluate(lambda obs: np.zeros(len(obs), int), envs, episodes_per_task=2)
    for record in result.tasks:
        for trial in record.episodes:
            assert (trial.episode_return, trial.length) == (10.0, 4)
            assert [(each.episode_return, each.length) for each in trial.attempts] == [(3.0, 2), (7.0, 2)]


def test_mistakes(points):
    result = taskworlds.evaluate(Forward(), points)
    with pytest.raises(ValueError, match="number must be at most 1, not 2"):
        result.attempt(2)
    with pytest.raises(TypeError, match="number must be a whole number"):
        result.attempt(0.5)
    plain = taskworlds.evaluate("random", "point", num_goals=2, max_episode_steps=3)
    for none in (plain, result.attempt(0)):
        with pytest.raises(ValueError, match="There are no attempts"):
            none.attempt(0)
