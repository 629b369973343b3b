"""Which results make a learning curve."""

from __future__ import annotations

import dataclasses

import pytest

from taskworlds.evaluation.pooled import pool
from taskworlds.reports.learning import learning_curves, place_of


@pytest.mark.parametrize(
    ("checkpoint", "name", "place"),
    [
        ("runs/2/ppo_v2_1000.zip", "anything", 1000),
        ("C:\\runs\\7\\step-50.pt", "anything", 50),
        ("runs/3/final.pt", "step-20", 20),
        (None, "step-30", 30),
        ("final.pt", "last", None),
    ],
)
def test_where_a_point_lies(results, checkpoint, name, place):
    assert place_of(pool([results.make(checkpoint=checkpoint)], name)) == place


def test_runs_whose_numbers_differ_lie_where_their_folder_says(results):
    runs = [results.make(seed=seed, checkpoint=f"seed{seed}.pt") for seed in (1, 2)]
    assert place_of(pool(runs, "step-500")) == 500
    assert place_of(pool(runs, "ppo")) is None


def test_runs_at_the_same_place_are_pooled(results):
    methods = [
        pool([results.make(seed=seed, checkpoint=f"seed{seed}/ppo_{step}.pt")], f"{seed}-{step}")
        for step in (100, 200)
        for seed in (1, 2, 3)
    ]
    (curve,), shown = learning_curves(methods)
    assert [(place, len(method.runs)) for place, method in curve.points] == [(100, 3), (200, 3)]
    assert shown == [curve.points[-1][1]]


def test_runs_of_a_point_may_differ_in_an_argument(results):
    def at(step, **arguments):
        runs = []
        for seed in (1, 2):
            run = results.make(seed=seed, checkpoint=f"seed{seed}/ppo_{step}.pt")
            told = dataclasses.replace(
                run.provenance, policy_arguments={"seed": seed, "width": 64} | arguments
            )
            runs.append(dataclasses.replace(run, provenance=told))
        return pool(runs, f"step-{step}")

    (curve,), _ = learning_curves([at(100), at(200)])
    assert curve.name == "agent.py:make(width=64)"
    assert [place for place, _ in curve.points] == [100, 200]
    assert learning_curves([at(100), at(200, width=128)])[0] == []


def test_other_policies_and_single_checkpoints_are_methods(results):
    methods = [
        pool([results.make(seed=1, checkpoint="a_1.pt")], "a1"),
        pool([results.make(seed=2, policy="expert")], "expert"),
        pool([results.make(seed=3, checkpoint="a_2.pt")], "a2"),
    ]
    (curve,), shown = learning_curves(methods)
    assert [method.name for _, method in curve.points] == ["a1", "a2"]
    assert [method.name for method in shown] == ["a2", "expert"]
    same_place = [
        pool([results.make(seed=n, checkpoint=f"{name}_1.pt")], name) for n, name in enumerate("ab")
    ]
    assert learning_curves(same_place) == ([], same_place)
    no_checkpoint = [pool([results.make(seed=n)], f"run-{n}") for n in (1, 2)]
    assert learning_curves(no_checkpoint) == ([], no_checkpoint)
    old = [pool([results.make(seed=n, provenance=False)], f"run-{n}") for n in (1, 2)]
    assert learning_curves(old) == ([], old)
