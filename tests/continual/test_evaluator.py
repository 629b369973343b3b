"""Evaluation along a sequence: when it happens, on what, and that training does not notice."""

from __future__ import annotations

import numpy as np
import pytest

from taskworlds.continual import Evaluator, make_sequence


def points(steps_per_task=8):
    return make_sequence(
        ["point", "point"], 2, steps_per_task=steps_per_task, num_goals=5, max_episode_steps=40, seed=0
    )


def play(envs, evaluator=None, policy="random"):
    seen = [envs.reset(seed=0)[0]]
    generator = np.random.default_rng(0)
    evaluations = []
    while not envs.is_over:
        seen.append(envs.step(generator.uniform(-0.1, 0.1, (2, 2)).astype(np.float32))[0])
        if evaluator is not None and evaluator.update(policy):
            evaluations.append(envs.num_steps)
    return np.array(seen), evaluations


def test_all_tasks_are_evaluated_at_even_distances_and_at_the_end():
    envs = points()
    evaluator = Evaluator(envs, every=4, episodes=3)
    trained, evaluations = play(envs, evaluator)
    assert evaluations == [4, 8, 12, 16]
    assert evaluator.run.steps == (4, 8, 12, 16)
    assert evaluator.run.is_whole
    assert np.array(evaluator.run.success).shape == (4, 2)
    assert (trained == play(points())[0]).all()
    evaluator.close()


def test_a_policy_that_knows_one_place_succeeds_there_alone():
    envs = points()
    evaluator = Evaluator(envs, every=8, episodes=5)
    goals = np.array([task["goal"] for task in envs.envs[0].benchmark.train_tasks[:5]])

    class Knows:
        def __call__(self, obs):
            knows = obs[:, 3] == 1.0
            ways = goals[:, None, :] - obs[None, :, :2]  # to each goal; the distance tells which one it is
            nearest = np.abs(np.linalg.norm(ways, axis=2) - obs[:, 2]).argmin(axis=0)
            way = ways[nearest, np.arange(len(obs))]
            return np.where(knows[:, None], way, 0.0).astype(np.float32)

    play(envs, evaluator, Knows())
    assert evaluator.run.success == ((1.0, 0.0), (1.0, 0.0))


def test_a_step_without_update_is_noticed():
    envs = points()
    evaluator = Evaluator(envs, every=4, episodes=1)
    envs.reset(seed=0)
    for _ in range(3):
        envs.step(np.zeros((2, 2), np.float32))
    with pytest.raises(
        RuntimeError, match="The evaluation at step 4 was left out: the sequence is at step 6"
    ):
        evaluator.update("random")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Evaluator(points(), every=3),
            "every must be a multiple of the 2 rows, and divide the budget of 8",
        ),
        (
            lambda: Evaluator(points(), every=6),
            "every must be a multiple of the 2 rows, and divide the budget of 8",
        ),
        (lambda: Evaluator(points(), every=4, episodes=6), "episodes must be at most 5, not 6"),
        (
            lambda: Evaluator(points(None), every=4),
            "envs must have a budget: make the sequence with steps_per_task",
        ),
        pytest.param(
            lambda: Evaluator(make_sequence(["walker-walk"], 2, steps_per_task=8), every=4),
            "envs must be of a world that has success, .* and walker-walk has none",
            marks=pytest.mark.requires_dm_control,
        ),
    ],
)
def test_mistakes(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_only_a_sequence_is_evaluated():
    with pytest.raises(
        TypeError, match="envs must be a sequence, which make_sequence makes, not TaskVectorEnv"
    ):
        Evaluator(points().envs[0])


def test_goals_without_end_are_trained_on_and_the_listed_ones_evaluated():
    envs = make_sequence(
        ["reach-v3"], 2, steps_per_task=8, max_episode_steps=2, unlimited_goals=True, num_goals=2
    )
    evaluator = Evaluator(envs, every=8, episodes=2)
    evaluated = set()

    def policy(obs):
        evaluated.update(map(tuple, obs[:, 36:39].tolist()))  # the goals
        return np.zeros((len(obs), 4))

    envs.reset(seed=0)
    trained = set()
    while not envs.is_over:
        envs.step(np.zeros((2, 4)))
        trained |= {task["rand_vec"][3:] for task in envs.env.current_tasks}
        evaluator.update(policy)
    assert evaluated == {task["rand_vec"][3:] for task in envs.env.benchmark.train_tasks}
    assert not trained & evaluated
