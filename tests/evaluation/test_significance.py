import math

import numpy as np
import pytest
import scipy.stats

from taskworlds.evaluation import significance
from taskworlds.evaluation.significance import holm, mcnemar, paired, sign_flip, welch


def test_mcnemar():
    assert mcnemar(2, 9) == pytest.approx(0.038574, abs=1e-6)
    assert mcnemar(9, 2) == mcnemar(2, 9)
    assert mcnemar(4, 4) == pytest.approx(1.0)
    assert mcnemar(0, 0) == 1.0
    # Half of what was seen is taken off the exact p value.
    exact = scipy.stats.binomtest(3, 15).pvalue
    assert mcnemar(3, 12) == pytest.approx(exact - scipy.stats.binom.pmf(3, 15, 0.5))


def test_few_differences_are_tried_in_all_signs():
    differences = [0.5, -0.2, 0.9, 0.4, 0.0, 0.7]
    expected = scipy.stats.permutation_test(
        (differences, np.zeros(6)), lambda x, y: (x - y).sum(), permutation_type="samples"
    )
    assert sign_flip(differences, seed=0) == pytest.approx(expected.pvalue)
    assert sign_flip([0.0, 0.0], seed=0) == 1.0
    assert math.isnan(sign_flip([1.0, math.nan], seed=0))


def test_many_differences_are_drawn_by_the_seed():
    differences = np.random.default_rng(0).normal(0.25, 1.0, 60)
    found = sign_flip(differences, seed=1)
    assert found == sign_flip(differences, seed=1)
    assert found != sign_flip(differences, seed=2)
    assert found == pytest.approx(scipy.stats.ttest_1samp(differences, 0).pvalue, abs=0.02)
    assert sign_flip(np.ones(60), seed=0) == 1 / 10_000


def test_blocks_of_signs_join_to_the_right_number(monkeypatch):
    monkeypatch.setattr(significance, "_BLOCK", 20 * 1000)
    assert sign_flip(np.ones(20), seed=0) == 1 / 10_000
    assert sign_flip([1.0, -1.0] * 10, seed=0) == 1.0


def test_equal_weights_of_single_episodes_are_mcnemars():
    differences = [1.0] * 9 + [-1.0] * 2 + [0.0] * 30
    assert paired(differences, np.full(41, 1 / 41), seed=0) == mcnemar(2, 9)
    assert paired(differences, np.linspace(1, 2, 41), seed=0) != mcnemar(2, 9)
    assert paired([0.2] * 8, np.ones(8), seed=0) == sign_flip([0.2] * 8, seed=0) == 2 / 2**8


def test_welch_is_scipys():
    generator = np.random.default_rng(0)
    first, second = generator.normal(0, 1, 5), generator.normal(1, 3, 8)
    expected = scipy.stats.ttest_ind(second, first, equal_var=False)
    p, half = welch(first, second)
    assert p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval()
    assert half == pytest.approx((interval.high - interval.low) / 2)


def test_runs_that_are_all_alike_are_permuted():
    assert welch([0.0] * 5, [1.0] * 5) == (2 / 252, pytest.approx(math.nan, nan_ok=True))
    assert welch([0.5] * 3, [0.5] * 4)[0] == 1.0
    assert welch([1.0, 1.0, 1.0], [0.9, 1.0, 0.8])[0] < 1.0  # one of them is enough for the t test
    with pytest.raises(ValueError, match="two runs or more, not 1 and 3"):
        welch([1.0], [1.0, 0.0, 1.0])


def test_holm():
    assert holm([0.001, 0.012, 0.03, 0.04, 0.2]) == pytest.approx([0.005, 0.048, 0.09, 0.09, 0.2])
    assert holm([0.2, 0.03, 0.001]) == pytest.approx([0.2, 0.06, 0.003])
    found = holm([0.02, math.nan, 0.9])
    assert (found[0], found[2]) == (0.04, 0.9)
    assert math.isnan(found[1])
    assert holm([]) == []
