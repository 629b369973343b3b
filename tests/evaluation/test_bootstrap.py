import numpy as np
import pytest
import scipy.stats

from taskworlds.evaluation import aggregates, bootstrap
from taskworlds.evaluation.bootstrap import over_goals, stratified
from taskworlds.evaluation.statistics import Estimate, iqm, mean

# --- over the goals of one run ---


def test_the_interval_of_two_tasks_is_that_of_their_four_pairs():
    # Resamples: (0, 0), (0, 1), (1, 0), (1, 1): 0 and 1 have a quarter each, so both lie inside 95 %.
    assert over_goals(mean, [0.0, 1.0], strata=["a", "a"], seed=0) == Estimate(0.5, 0.0, 1.0)


def test_equal_numbers_have_an_interval_without_width():
    assert over_goals(mean, [2.0] * 5, strata=["a"] * 5, seed=0) == Estimate(2.0, 2.0, 2.0)


def test_tasks_are_resampled_within_their_skill_only():
    # Within each skill all tasks are equal, so no resample differs; across skills they would.
    strata = ["easy"] * 4 + ["hard"] * 4
    assert over_goals(mean, [1.0] * 4 + [0.0] * 4, strata=strata, seed=0) == Estimate(0.5, 0.5, 0.5)
    assert over_goals(mean, [1.0] * 4 + [0.0] * 4, strata=["one"] * 8, seed=0).low < 0.5


def test_skills_with_a_single_task_are_drawn_from_together():
    values = [0.0, 1.0, 0.0, 1.0]
    assert over_goals(mean, values, strata=list("abcd"), seed=3) == over_goals(
        mean, values, strata=["a"] * 4, seed=3
    )


def test_one_task_or_none_has_no_interval():
    one = over_goals(mean, [0.5], strata=["a"], seed=0)
    assert one.value == 0.5
    assert np.isnan([one.low, one.high]).all()
    assert np.isnan(over_goals(mean, [], strata=[], seed=0)).all()


def test_an_unknown_number_leaves_everything_unknown():
    assert np.isnan(over_goals(iqm, [0.0, 1.0, 2.0, np.nan], strata=["a"] * 4, seed=0)).all()


def test_intervals_depend_on_the_seed_alone():
    values, strata = np.random.default_rng(0).random(12), ["a"] * 5 + ["b"] * 7
    first = over_goals(iqm, values, strata=strata, seed=1)
    assert first == over_goals(iqm, values, strata=strata, seed=1)
    assert first != over_goals(iqm, values, strata=strata, seed=2)
    assert first.low < first.value < first.high


def test_blocks_of_resamples_are_the_same_draws(monkeypatch):
    values, strata = np.random.default_rng(0).random(12), ["a"] * 5 + ["b"] * 6 + ["c"]
    whole = over_goals(mean, values, strata=strata, seed=0, resamples=50)
    monkeypatch.setattr(bootstrap, "_BLOCK", 24)
    assert over_goals(mean, values, strata=strata, seed=0, resamples=50) == whole


def test_skills_have_equal_weight_however_many_goals_they_have():
    found = over_goals(mean, [0.0] * 9 + [1.0], strata=["a"] * 9 + ["b"], seed=0)
    assert found.value == 0.5


def test_pairs_stay_pairs():
    # The second result is the first plus one everywhere: every paired resample differs by exactly one.
    first = np.random.default_rng(0).random(20)
    difference = over_goals(
        lambda a, b: mean(b) - mean(a), first, first + 1, strata=["a"] * 10 + ["b"] * 10, seed=0
    )
    assert np.allclose(difference, 1.0)


def test_agrees_with_scipys_bootstrap_of_several_samples():
    generator = np.random.default_rng(5)
    samples = [generator.random(n) for n in (6, 9)]
    ours = over_goals(mean, np.concatenate(samples), strata=["a"] * 6 + ["b"] * 9, seed=0, resamples=20_000)
    theirs = scipy.stats.bootstrap(
        samples,
        lambda a, b, axis=-1: (a.mean(axis=axis) + b.mean(axis=axis)) / 2,
        method="percentile",
        n_resamples=20_000,
        random_state=np.random.default_rng(1),
    ).confidence_interval
    # 20,000 resamples place each end within 0.11 % of its quantile, which is less than 0.002 here.
    assert np.allclose(ours[1:], theirs, atol=0.005)


def test_samples_and_strata_must_fit():
    with pytest.raises(ValueError, match=r"one number for each of the 2 strata, not shapes \[\(3,\)\]"):
        over_goals(mean, [0.0, 1.0, 2.0], strata=["a", "b"], seed=0)


# --- over runs, as rliable ---

X = [[0.10, 0.55, 0.90, 1.20], [0.20, 0.60, 0.80, 1.00], [0.15, 0.50, 0.95, 1.10], [0.05, 0.70, 0.85, 0.90]]
X += [[0.30, 0.65, 1.00, 1.30]]
Y = [[0.10, 0.40, 0.90, 0.80], [0.00, 0.60, 0.70, 1.00], [0.20, 0.45, 0.60, 0.95], [0.15, 0.55, 0.75, 0.70]]
Y += [[0.05, 0.35, 0.80, 0.90]]


@pytest.mark.parametrize(
    ("statistic", "low", "high", "low_of_skills", "high_of_skills"),
    [
        (aggregates.mean, 0.645000, 0.732562, 0.339875, 1.022500),
        (aggregates.median, 0.705000, 0.795000, 0.170000, 1.090000),
        (aggregates.interquartile_mean, 0.700000, 0.790000, 0.194875, 1.045000),
        (aggregates.optimality_gap, 0.307500, 0.372500, 0.052500, 0.665000),
    ],
)
def test_equals_what_rliable_computed(statistic, low, high, low_of_skills, high_of_skills):
    # rliable 1.2.0 after numpy.random.seed(0), with 2,000 resamples.
    found = stratified(statistic, X, seed=0)
    assert found == pytest.approx((statistic(X), low, high), abs=1e-6)
    of_skills = stratified(statistic, X, seed=0, skills_too=True)
    assert of_skills[1:] == pytest.approx((low_of_skills, high_of_skills), abs=1e-6)


def test_two_matrices_are_resampled_as_rliable_does():
    found = stratified(aggregates.probability_of_improvement, X, Y, seed=0)
    assert found == pytest.approx((0.82, 0.68, 0.93))
    with pytest.raises(ValueError, match="skills_too must be False for several matrices"):
        stratified(aggregates.probability_of_improvement, X, Y, seed=0, skills_too=True)


@pytest.mark.parametrize(("tau", "low", "high"), [(0.5, 0.60, 0.75), (0.9, 0.15, 0.45), (1.0, 0.05, 0.25)])
def test_a_profile_is_resampled_as_rliable_does(tau, low, high):
    found = stratified(lambda scores: (scores > tau).mean(axis=(-2, -1)), X, seed=0)
    assert found[1:] == pytest.approx((low, high))


def test_blocks_of_stratified_resamples_are_the_same_draws(monkeypatch):
    whole = stratified(aggregates.mean, X, seed=3, resamples=50)
    monkeypatch.setattr(bootstrap, "_BLOCK", 20 * 7)
    assert stratified(aggregates.mean, X, seed=3, resamples=50) == whole


def test_scores_must_be_a_matrix():
    with pytest.raises(ValueError, match=r"scores must be a matrix with a row for each run .* shape \(4,\)"):
        stratified(aggregates.mean, X[0], seed=0)
