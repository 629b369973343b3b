"""Evaluations in parts: each task in one of them, and together what one process gives."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import taskworlds
from taskworlds.evaluation import merge_parts
from taskworlds.worlds.metaworld.skills import skill, temporarily_registered


def towards_the_object(obs):
    return np.clip(obs[:, 4:7] - obs[:, :3], -1, 1) @ np.eye(3, 4)


REACH = {"rand_vec": (0.0, 0.6, 0.02, 0.0, 0.8, 0.2), "partially_observable": False}
SETTINGS = {"num_goals": 3, "max_episode_steps": 20, "seed": 1}


@pytest.mark.parametrize("of", [1, 3, 4, 30])
def test_parts_make_the_whole(of):
    whole = taskworlds.evaluate(towards_the_object, "MT10", **SETTINGS)
    parts = [
        taskworlds.evaluate(towards_the_object, "MT10", part=(rank, of), **SETTINGS) for rank in range(of)
    ]
    counted = [record.task for part in parts for record in part.tasks]
    assert len(counted) == len(set(counted)) == len(whole.tasks) == 30
    assert [record.task for record in parts[0].tasks] == [
        record.task for record in whole.tasks[::of]
    ]  # in order
    merged = merge_parts(parts[::-1])
    assert merged == whole
    assert merged.benchmark == "MT10"
    assert merged.fingerprint == whole.fingerprint


def test_starts_at_random_and_files(tmp_path):
    settings = {"num_goals": 4, "max_episode_steps": 5, "episodes_per_task": 2}
    policy = lambda obs: obs[:, :6] * 0.1  # noqa: E731
    whole = taskworlds.evaluate(policy, "half-cheetah-vel", **settings)
    parts = []
    for rank in range(3):
        part = taskworlds.evaluate(
            policy, "half-cheetah-vel", part=(rank, 3), resume=tmp_path / str(rank), **settings
        )
        again = taskworlds.evaluate(
            policy, "half-cheetah-vel", part=(rank, 3), resume=tmp_path / str(rank), **settings
        )
        assert again == part
        part.save(tmp_path / f"{rank}.json")
        parts.append(taskworlds.Result.load(tmp_path / f"{rank}.json"))
    assert merge_parts(parts) == whole


@pytest.mark.parametrize(
    ("part", "error", "message"),
    [
        (2, TypeError, r"part must be a pair \(rank, of\)"),
        ((0, 1, 2), TypeError, r"part must be a pair \(rank, of\)"),
        ((2, 2), ValueError, "The first number of part must be"),
        ((-1, 2), ValueError, "The first number of part must be"),
        ((0, 0), ValueError, "The second number of part must be at least 1"),
        ((0, 4), ValueError, "part must be of at most 3 parts, as there are no more tasks, not 4"),
    ],
)
def test_what_is_no_part(part, error, message):
    with pytest.raises(error, match=message):
        taskworlds.evaluate(towards_the_object, "reach-v3", part=part, **SETTINGS)


def test_what_does_not_make_a_whole():
    parts = [
        taskworlds.evaluate(towards_the_object, "reach-v3", part=(rank, 2), **SETTINGS) for rank in range(2)
    ]
    assert parts[0].benchmark.startswith("MT1-reach-v3 (part 1 of 2, tasks ")
    whole = taskworlds.evaluate(towards_the_object, "reach-v3", **SETTINGS)
    with pytest.raises(ValueError, match="each of the 2 parts once, but part 2 of 2 is missing"):
        merge_parts(parts[:1])
    with pytest.raises(ValueError, match="but part 1 of 2 is there twice"):
        merge_parts([*parts, parts[0]])
    with pytest.raises(ValueError, match="is of no part"):
        merge_parts([whole])
    with pytest.raises(ValueError, match=r"is of an evaluation that was stopped\. Resume it first"):
        merge_parts([parts[0], dataclasses.replace(parts[1], benchmark=f"{parts[1].benchmark} (partial)")])
    with pytest.raises(ValueError, match="results must hold the result of each part, but it is empty"):
        merge_parts([])
    with pytest.raises(TypeError, match=r"results must be Results, .* not 'parts/1'"):
        merge_parts(["parts/1", "parts/2"])
    for changed, message in (
        ({"seed": 2}, "differ in the seed: 1 and 2"),
        ({"num_goals": 4}, "differ in the tasks of all parts"),
        ({"episodes_per_task": 2}, "differ in the episodes of a task: 1 and 2"),
        ({"max_episode_steps": 9}, "max_episode_steps: 20 and 9"),
    ):
        other = taskworlds.evaluate(towards_the_object, "reach-v3", part=(1, 2), **SETTINGS | changed)
        with pytest.raises(ValueError, match=message):
            merge_parts([parts[0], other])
    other = taskworlds.evaluate("random", "reach-v3", part=(1, 2), **SETTINGS)
    with pytest.raises(ValueError, match=r"differ in the policy: '.*towards_the_object' and 'random'"):
        merge_parts([parts[0], other])
    assert dataclasses.replace(merge_parts(parts), provenance=None) == whole


def test_parts_with_worlds_of_their_own():
    """A part has the packages of its own worlds."""
    both = taskworlds.Benchmark.union(
        "both", [taskworlds.benchmark("reach-v3", num_goals=1), taskworlds.benchmark("point", num_goals=1)]
    )
    parts = [
        taskworlds.evaluate("random", both, part=(rank, 2), split="train", max_episode_steps=3)
        for rank in range(2)
    ]
    assert set(parts[0].fingerprint.packages) != set(parts[1].fingerprint.packages)
    assert merge_parts(parts) == taskworlds.evaluate("random", both, split="train", max_episode_steps=3)
    packages = {**parts[1].fingerprint.packages, "numpy": "0.1"}
    fingerprint = dataclasses.replace(parts[1].fingerprint, packages=packages)
    with pytest.raises(ValueError, match="numpy"):
        merge_parts([parts[0], dataclasses.replace(parts[1], fingerprint=fingerprint)])


def test_parts_with_registered_skills():
    """Each part tells the code of its own; that of the whole has to be known here, and has to be the same."""
    own = [dataclasses.replace(skill("reach-v3"), name=name, class_name="") for name in ("one-v1", "two-v1")]
    with temporarily_registered(own[0]), temporarily_registered(own[1]):
        both = taskworlds.Benchmark("own", tuple(taskworlds.Task(each.name, REACH) for each in own))
        settings = {"max_episode_steps": 3, "vector_strategy": "native"}
        parts = [taskworlds.evaluate("random", both, part=(rank, 2), **settings) for rank in range(2)]
        merged = merge_parts(parts)
        assert merged == taskworlds.evaluate("random", both, **settings)
        assert "one-v1" in merged.fingerprint.registered_skills
        assert "two-v1" in merged.fingerprint.registered_skills
    with pytest.raises(ValueError, match="Register the skills as they were before merging"):
        merge_parts(parts)


def test_not_for_environments_whose_tasks_cannot_be_set():
    import gymnasium

    with pytest.raises(TypeError, match="part cannot be chosen for"):
        taskworlds.evaluate(lambda obs: np.zeros(1, int), gymnasium.make("CartPole-v1"), part=(0, 2))
