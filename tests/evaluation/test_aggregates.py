"""Figures over runs and skills; expected numbers are those that rliable 1.2.0 computed."""

import numpy as np
import pytest

from taskworlds.evaluation import aggregates

X = np.array(
    [
        [0.10, 0.55, 0.90, 1.20],
        [0.20, 0.60, 0.80, 1.00],
        [0.15, 0.50, 0.95, 1.10],
        [0.05, 0.70, 0.85, 0.90],
        [0.30, 0.65, 1.00, 1.30],
    ]
)
Y = np.array(
    [
        [0.10, 0.40, 0.90, 0.80],
        [0.00, 0.60, 0.70, 1.00],
        [0.20, 0.45, 0.60, 0.95],
        [0.15, 0.55, 0.75, 0.70],
        [0.05, 0.35, 0.80, 0.90],
    ]
)


@pytest.mark.parametrize(
    ("scores", "mean", "median", "iqm", "gap", "nearer_gap"),
    [(X, 0.69, 0.75, 0.74, 0.34, 0.2675), (Y, 0.5475, 0.61, 0.59, 0.4525, 0.36)],
)
def test_figures(scores, mean, median, iqm, gap, nearer_gap):
    assert aggregates.mean(scores) == pytest.approx(mean)
    assert aggregates.median(scores) == pytest.approx(median)
    assert aggregates.interquartile_mean(scores) == pytest.approx(iqm)
    assert aggregates.optimality_gap(scores) == pytest.approx(gap)
    assert aggregates.optimality_gap(scores, 0.9) == pytest.approx(nearer_gap)


def test_probability_of_improvement():
    assert aggregates.probability_of_improvement(X, Y) == pytest.approx(0.82)
    assert aggregates.probability_of_improvement(Y, X) == pytest.approx(0.18)
    assert aggregates.probability_of_improvement(X, X) == pytest.approx(0.5)
    tied = Y.copy()
    tied[:, 0] = X[:, 0]
    assert aggregates.probability_of_improvement(X, tied) == pytest.approx(0.775)
    assert aggregates.probability_of_improvement(X[:2], Y) == pytest.approx(
        1 - aggregates.probability_of_improvement(Y, X[:2])
    )


def test_skills_must_be_as_many():
    with pytest.raises(ValueError, match="y must have scores of the 4 skills of x, not of 3"):
        aggregates.probability_of_improvement(X, Y[:, :3])


def test_a_profile_counts_scores_strictly_above():
    assert aggregates.performance_profile(X, [0, 0.5, 0.9, 1, 1.2]) == pytest.approx(
        [1, 0.7, 0.3, 0.15, 0.05]
    )
    of_means = aggregates.performance_profile(X, [0, 0.5, 0.9, 1, 1.2], of_means=True)
    assert of_means.tolist() == [1, 0.75, 0.25, 0.25, 0]


def test_stacks_of_matrices_are_reduced_one_by_one():
    stack = np.stack([X, Y, X[::-1]])
    for figure in (
        aggregates.mean,
        aggregates.median,
        aggregates.interquartile_mean,
        aggregates.optimality_gap,
    ):
        assert figure(stack) == pytest.approx([figure(each) for each in stack])
    expected = [aggregates.probability_of_improvement(each, Y) for each in stack]
    assert aggregates.probability_of_improvement(stack, np.stack([Y] * 3)) == pytest.approx(expected)
