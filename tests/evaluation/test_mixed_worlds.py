"""Evaluation of benchmarks over several worlds."""

import numpy as np
import pytest

import taskworlds
from taskworlds import Benchmark, benchmark, evaluate
from taskworlds.evaluation import Result

pytestmark = pytest.mark.requires_dm_control  # for walker-walk


def members():
    return [benchmark("reach-v3", num_goals=2), benchmark("point", num_goals=2), benchmark("walker-walk")]


def test_random_plays_in_each_world_what_it_plays_there_alone():
    """But for the arm, whose rewards depend on the type of the actions, float32 in a batch of its own."""
    made = Benchmark.union("mine", members())
    result = evaluate("random", made, split="train", seed=4)
    assert [record.task for record in result.tasks] == list(made.train_tasks)
    by_skill = {record.task.env_name: record.episodes[0] for record in result.tasks}
    assert [by_skill[name].length for name in ("reach-v3", "point", "walker-walk")] == [500, 50, 1000]
    assert by_skill["walker-walk"].success_once is None
    assert by_skill["reach-v3"].success_once is not None
    for member in members()[1:]:
        alone = evaluate("random", member, split="train", seed=4)
        for record in alone.tasks:
            mine = next(each for each in result.tasks if each.task == record.task)
            assert mine.episodes[0].episode_return == record.episodes[0].episode_return
    assert np.isnan(result.overall["success_once"].mean.value)  # a mean over all skills, and one has none
    assert Result.from_json(result.to_json()) == result
    assert result.fingerprint.max_episode_steps is None
    assert "own limit" in result.fingerprint.protocol


def test_a_policy_sees_padded_observations():
    seen = []

    def policy(obs):
        seen.append(obs.shape)
        return np.zeros((len(obs), 6))

    result = evaluate(
        policy, Benchmark.union("mine", members()), split="train", max_episode_steps=5, num_envs=4
    )
    assert set(seen) == {(4, 39)}
    assert result.fingerprint.max_episode_steps == 5
    assert {record.episodes[0].length for record in result.tasks} == {5}


def test_experts_play_where_all_worlds_have_them():
    with pytest.raises(ValueError, match="no scripted expert for point, walker-walk"):
        evaluate("expert", Benchmark.union("mine", members()), split="train")


def test_an_environment_of_several_worlds():
    envs = taskworlds.make_vec(members(), 5, pad=True, max_episode_steps=6, terminate_on_success=True)
    result = evaluate("random", envs, seed=1)
    assert len(result.tasks) == 5
    assert result.fingerprint.terminate_on_success is True
    assert (
        envs.terminate_on_success.tolist() == (envs.composition.has(lambda world: world.has_success)).tolist()
    )
    envs.close()


def test_figures_by_world_are_those_of_evaluations_of_the_world_alone():
    """The mean over a world's skills with its interval; unknown where the world has no success."""
    arm = Benchmark("arm", tuple(benchmark("MT10", num_goals=2).train_tasks[:4]))
    how = {"split": "train", "max_episode_steps": 5, "seed": 2}
    result = evaluate(
        lambda obs: np.zeros((len(obs), 6)), Benchmark.union("mine", [arm, "walker-walk"]), **how
    )
    alone = evaluate(lambda obs: np.zeros((len(obs), 4)), arm, **how)
    for metric in ("success_once", "episode_return", "length"):
        figures = result.by_world(metric)
        assert list(figures) == ["Meta-World", "walker-walk"]
        assert figures["Meta-World"] == pytest.approx(alone.overall[metric].mean, nan_ok=True)
    assert np.isnan(result.by_world("success_end")["walker-walk"].value)
    with pytest.raises(ValueError, match="metric must be one of"):
        result.by_world("sucess")
