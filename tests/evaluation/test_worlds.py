"""evaluate on worlds without success, and Ctrl-C."""

import itertools

import gymnasium as gym
import numpy as np
import pytest

import taskworlds
from taskworlds.evaluation import Result, Stopped, compare, evaluate, random_policy
from taskworlds.evaluation.environments import default_num_envs

CHEETAH = {"max_episode_steps": 3, "vector_strategy": "sync"}


def play(name, seed=0, **keywords):
    benchmark = taskworlds.benchmark(name, seed=0, **keywords)
    space = taskworlds.make(benchmark, vector_strategy="sync").action_space
    return evaluate(random_policy(space, seed), benchmark, **CHEETAH)


@pytest.mark.parametrize(
    ("name", "tasks"),
    [
        ("half-cheetah-vel", 2),
        ("walker2d-rand-params", 2),
        pytest.param("cheetah-run-torso_length-extrapolation", None, marks=pytest.mark.requires_dm_control),
    ],
)
def test_return_and_length_where_there_is_no_success(name, tasks):
    result = play(name, num_goals=tasks)
    assert (result.split, len(result.completed)) == ("test", 2)
    assert {episode.success_once for record in result.tasks for episode in record.episodes} == {None}
    assert np.isfinite(result.scores("episode_return")).all()
    assert result.scores("length").tolist() == [3.0, 3.0]
    assert result.fingerprint.terminate_on_success is False
    assert "tasks, return " in repr(result)
    assert Result.from_json(result.to_json()).tasks == result.tasks


def test_such_results_can_be_compared():
    first, second = (play("half-cheetah-vel", num_goals=2, seed=seed) for seed in (0, 1))
    comparison = compare(first, second)
    assert np.isnan(comparison.overall["success_end"].mean.value)
    assert comparison.overall["episode_return"].mean.value != 0.0


@pytest.mark.parametrize(
    ("skills", "episodes", "meta", "rows"),
    [(1, 500, False, 10), (1, 3, False, 3), (10, 500, False, 10), (3, 90, False, 12), (1, 1, True, 20)],
)
def test_number_of_rows(skills, episodes, meta, rows):
    assert default_num_envs(skills, episodes, meta=meta) == rows


class Interrupting:
    """Does nothing, until the user stops it."""

    def __init__(self, calls, shape=(4,)):
        self.calls, self.shape = calls, shape

    def __call__(self, observations):
        if not self.calls:
            raise KeyboardInterrupt
        self.calls -= 1
        return np.zeros((len(observations), *self.shape))


def test_ctrl_c_brings_the_finished_tasks(toy, installed):
    whole = evaluate(toy.still, "MT", num_envs=1, episodes_per_task=2)
    with pytest.raises(KeyboardInterrupt) as stop:  # tasks are solved at the second step, two episodes each
        evaluate(Interrupting(10), "MT", num_envs=1, episodes_per_task=2)
    assert type(stop.value) is Stopped
    part = stop.value.result
    assert part.benchmark == "MT (partial)"
    assert part.tasks == whole.tasks[:2]
    assert part.fingerprint.tasks != whole.fingerprint.tasks
    assert installed.envs.was_closed
    with pytest.raises(ValueError, match=r"were not measured in the same way.* tasks"):
        compare(whole, part)


def test_ctrl_c_before_any_task_is_finished(toy, installed):
    with pytest.raises(KeyboardInterrupt) as stop:
        evaluate(Interrupting(3), "MT", num_envs=1, episodes_per_task=2)
    assert type(stop.value) is KeyboardInterrupt
    assert installed.envs.was_closed


def test_ctrl_c_when_the_rows_cannot_be_closed_any_more(toy, installed, monkeypatch):
    def gone(*arguments, **keywords):
        raise BrokenPipeError

    monkeypatch.setattr(type(toy.vec_env([toy.task(0)])), "close", gone)
    with pytest.raises(Stopped):
        evaluate(Interrupting(2), "MT", num_envs=1)


def test_ctrl_c_in_another_gymnasium_env():
    envs = gym.make_vec("CartPole-v1", num_envs=2, vectorization_mode="sync")

    calls = itertools.count()

    def policy(observations):
        if (call := next(calls)) == 25:
            raise KeyboardInterrupt
        return np.array([0, call % 2])  # the first pole falls within ten steps

    with pytest.raises(Stopped) as stop:
        evaluate(policy, envs, episodes_per_task=2)
    assert [len(record.episodes) for record in stop.value.result.tasks] == [2]
    envs.close()


def test_what_was_stopped_goes_on(toy, installed):
    whole = evaluate(toy.still, "MT", num_envs=1, episodes_per_task=2)
    with pytest.raises(Stopped) as stop:
        evaluate(Interrupting(10), "MT", num_envs=1, episodes_per_task=2)
    part, counts, steps = stop.value.result, [], []
    rest = evaluate(
        toy.still,
        "MT",
        num_envs=1,
        episodes_per_task=2,
        resume=part,
        on_episode=lambda *told: counts.append(told),
        on_step=steps.append,
    )
    assert rest == whole
    total = 2 * len(whole.tasks)
    assert counts == [(done, total) for done in range(5, total + 1)]
    assert sum(steps) == sum(each.length for record in whole.tasks[2:] for each in record.episodes)
    assert evaluate(toy.still, "MT", num_envs=1, episodes_per_task=2, resume=whole) == whole


def test_only_a_part_of_the_same_evaluation_goes_on(toy, installed):
    whole = evaluate(toy.still, "MT", num_envs=1, episodes_per_task=2)
    for settings, message in (
        ({"episodes_per_task": 1}, "episodes_per_task was 2 then and is 1 now"),
        ({"seed": 1}, "seed was 0 then and is 1 now"),
    ):
        with pytest.raises(ValueError, match=f"resume must be part of this same evaluation, but {message}"):
            evaluate(toy.still, "MT", **{"num_envs": 1, "episodes_per_task": 2, "resume": whole} | settings)
    with pytest.raises(
        TypeError, match=r"resume must be a folder, or a taskworlds\.evaluation\.Result, not 3"
    ):
        evaluate(toy.still, "MT", resume=3)
    with pytest.raises(TypeError, match="resume needs an environment whose tasks can be set"):
        evaluate(lambda obs: obs, gym.make("CartPole-v1"), resume=whole)
