"""Evaluations in parts: each task in one of them, and together what one process gives."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import taskworlds
from taskworlds.evaluation import merge_parts


def towards_the_object(obs):
    return np.clip(obs[:, 4:7] - obs[:, :3], -1, 1) @ np.eye(3, 4)


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
    whole = taskworlds.evaluate(towards_the_object, "reach-v3", **SETTINGS)
    with pytest.raises(ValueError, match="results must have each of the 2 parts once, but part 1 is missing"):
        merge_parts(parts[:1])
    with pytest.raises(ValueError, match="but one is there twice"):
        merge_parts([*parts, parts[0]])
    with pytest.raises(ValueError, match="is of no part"):
        merge_parts([whole])
    with pytest.raises(ValueError, match="results must hold the result of each part, but it is empty"):
        merge_parts([])
    other = taskworlds.evaluate(towards_the_object, "reach-v3", part=(1, 2), **SETTINGS | {"seed": 2})
    with pytest.raises(ValueError, match="results must be of parts of one evaluation"):
        merge_parts([parts[0], other])
    shorter = taskworlds.evaluate(
        towards_the_object, "reach-v3", part=(1, 2), **SETTINGS | {"max_episode_steps": 9}
    )
    with pytest.raises(ValueError, match="max_episode_steps"):
        merge_parts([parts[0], shorter])
    assert dataclasses.replace(merge_parts(parts), provenance=None) == whole


def test_not_for_environments_whose_tasks_cannot_be_set():
    import gymnasium

    with pytest.raises(TypeError, match="part cannot be chosen for"):
        taskworlds.evaluate(lambda obs: np.zeros(1, int), gymnasium.make("CartPole-v1"), part=(0, 2))
