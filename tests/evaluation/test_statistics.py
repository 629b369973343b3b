import numpy as np
import pytest
import scipy.stats

from taskworlds.evaluation import statistics
from taskworlds.evaluation.statistics import Estimate, estimate, iqm, mean


def test_iqm_is_the_mean_of_the_middle_half():
    assert iqm([9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -90.0]) == (2 + 3 + 4 + 5) / 4


def test_iqm_leaves_out_a_quarter_rounded_down_at_each_end():
    assert iqm([0.0, 1.0, 2.0, 6.0, 100.0]) == 3.0
    assert iqm([0.0, 1.0, 5.0]) == 2.0


def test_iqm_of_a_nan_is_nan_although_it_would_be_trimmed():
    assert np.isnan(iqm([0.0, 1.0, 2.0, np.nan]))


def test_statistics_work_along_the_last_axis():
    rows = np.array([[0.0, 1.0, 2.0, 9.0], [4.0, 4.0, 6.0, 6.0]])
    assert mean(rows).tolist() == [3.0, 5.0]
    assert iqm(rows).tolist() == [1.5, 5.0]


def test_no_values_have_no_mean():
    assert np.isnan(mean([]))
    assert np.isnan(iqm([]))


def test_the_interval_of_two_tasks_is_that_of_their_four_pairs():
    # Resamples: (0, 0), (0, 1), (1, 0), (1, 1): 0 and 1 have a quarter each, so both lie inside 95 %.
    assert estimate(mean, [0.0, 1.0], strata=["a", "a"], seed=0) == Estimate(0.5, 0.0, 1.0)


def test_equal_numbers_have_an_interval_without_width():
    assert estimate(mean, [2.0] * 5, strata=["a"] * 5, seed=0) == Estimate(2.0, 2.0, 2.0)


def test_tasks_are_resampled_within_their_skill_only():
    # Within each skill all tasks are equal, so no resample differs; across skills they would.
    strata = ["easy"] * 4 + ["hard"] * 4
    assert estimate(mean, [1.0] * 4 + [0.0] * 4, strata=strata, seed=0) == Estimate(0.5, 0.5, 0.5)
    assert estimate(mean, [1.0] * 4 + [0.0] * 4, strata=["one"] * 8, seed=0).low < 0.5


def test_skills_with_a_single_task_are_drawn_from_together():
    values = [0.0, 1.0, 0.0, 1.0]
    assert estimate(mean, values, strata=list("abcd"), seed=3) == estimate(
        mean, values, strata=["a"] * 4, seed=3
    )


def test_one_task_or_none_has_no_interval():
    one = estimate(mean, [0.5], strata=["a"], seed=0)
    assert one.value == 0.5
    assert np.isnan([one.low, one.high]).all()
    assert np.isnan(estimate(mean, [], strata=[], seed=0)).all()


def test_an_unknown_number_leaves_everything_unknown():
    assert np.isnan(estimate(iqm, [0.0, 1.0, 2.0, np.nan], strata=["a"] * 4, seed=0)).all()


def test_intervals_depend_on_the_seed_alone():
    values, strata = np.random.default_rng(0).random(12), ["a"] * 5 + ["b"] * 7
    first = estimate(iqm, values, strata=strata, seed=1)
    assert first == estimate(iqm, values, strata=strata, seed=1)
    assert first != estimate(iqm, values, strata=strata, seed=2)
    assert first.low < first.value < first.high


def test_blocks_of_resamples_join_to_the_right_number(monkeypatch):
    monkeypatch.setattr(statistics, "_BLOCK", 24)
    sizes = []

    def watched(values):
        sizes.append(np.shape(values))
        return mean(values)

    estimate(watched, np.arange(8.0), strata=["a"] * 8, seed=0, resamples=10)
    assert sizes == [(8,), (3, 8), (3, 8), (3, 8), (1, 8)]


def test_pairs_stay_pairs():
    # The second result is the first plus one everywhere: every paired resample differs by exactly one.
    first = np.random.default_rng(0).random(20)
    difference = estimate(
        lambda a, b: mean(b) - mean(a), first, first + 1, strata=["a"] * 10 + ["b"] * 10, seed=0
    )
    assert np.allclose(difference, 1.0)


def test_agrees_with_scipys_bootstrap_of_several_samples():
    generator = np.random.default_rng(5)
    samples = [generator.random(n) for n in (6, 9)]
    ours = estimate(mean, np.concatenate(samples), strata=["a"] * 6 + ["b"] * 9, seed=0, resamples=20_000)
    theirs = scipy.stats.bootstrap(
        samples,
        lambda a, b, axis=-1: np.concatenate([a, b], axis=axis).mean(axis=axis),
        method="percentile",
        n_resamples=20_000,
        random_state=np.random.default_rng(1),
    ).confidence_interval
    # 20,000 resamples place each end within 0.11 % of its quantile, which is less than 0.002 here.
    assert np.allclose(ours[1:], theirs, atol=0.005)


def test_samples_and_strata_must_fit():
    with pytest.raises(ValueError, match=r"one number for each of the 2 strata, not shapes \[\(3,\)\]"):
        estimate(mean, [0.0, 1.0, 2.0], strata=["a", "b"], seed=0)


# --- shares of successes ---


@pytest.mark.parametrize("count", [2, 5, 20, 100])
def test_tasks_that_all_succeed_are_no_proof_of_success(count):
    wilson = scipy.stats.binomtest(count, count).proportion_ci(method="wilson")
    certain = estimate(mean, [1.0] * count, strata=["a"] * count, seed=0, rates=True)
    assert (certain.value, certain.high) == (1.0, 1.0)
    assert certain.low == pytest.approx(wilson.low, abs=0.08)
    never = estimate(mean, [0.0] * count, strata=["a"] * count, seed=0, rates=True)
    assert (never.value, never.low) == (0.0, 0.0)
    assert never.high == pytest.approx(1 - wilson.low, abs=0.08)
    assert estimate(iqm, [1.0] * count, strata=["a"] * count, seed=0, rates=True).low < 1.0
    half = estimate(mean, [0.5] * count, strata=["a"] * count, seed=0, rates=True)
    assert half.low < 0.5 < half.high


def test_many_skills_of_few_tasks_that_all_succeed_are_as_many_tasks():
    strata = [f"skill {i}" for i in range(50) for _ in range(2)]
    assert 0.95 < estimate(mean, [1.0] * 100, strata=strata, seed=0, rates=True).low < 0.98
    one_goal = [f"skill {i}" for i in range(50)]
    assert 0.9 < estimate(mean, [1.0] * 50, strata=one_goal, seed=0, rates=True).low < 0.95


def test_skills_that_differ_within_are_resampled_as_ever():
    mixed, strata = [1.0, 0.0, 1.0, 1.0, 0.0], ["a"] * 5
    assert estimate(mean, mixed, strata=strata, seed=0, rates=True) == estimate(
        mean, mixed, strata=strata, seed=0
    )
    both = estimate(mean, [*mixed, *[1.0] * 5], strata=[*strata, *"bbbbb"], seed=0, rates=True)
    assert both.low < estimate(mean, [*mixed, *[1.0] * 5], strata=[*strata, *"bbbbb"], seed=0).low


def test_a_difference_is_not_certain_where_all_of_one_succeed_and_none_of_the_other():
    def difference(first, second):
        return mean(second) - mean(first)

    found = estimate(difference, [0.0] * 5, [1.0] * 5, strata=["a"] * 5, seed=0, rates=True)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.2 < found.low < 0.8
    alike = estimate(difference, [1.0] * 5, [1.0] * 5, strata=["a"] * 5, seed=0, rates=True)
    assert alike.low < alike.value == 0.0 < alike.high
