import math

import numpy as np
import pytest
import scipy.stats

from taskworlds.evaluation.intervals import effective_trials, newcombe, over_runs, rate, wilson


def goals(*skills):
    """Rates and strata of skills, each given as (successes, goals)."""
    values, strata = [], []
    for number, (wins, count) in enumerate(skills):
        values += [1.0] * wins + [0.0] * (count - wins)
        strata += [f"skill {number}"] * count
    return values, strata


@pytest.mark.parametrize(("wins", "trials"), [(50, 50), (49, 50), (25, 50), (8, 10), (0, 10), (2500, 2500)])
def test_wilson_is_scipys(wins, trials):
    expected = scipy.stats.binomtest(wins, trials).proportion_ci(method="wilson")
    assert wilson(wins / trials, trials)[1:] == pytest.approx((expected.low, expected.high))


# From the rule's table of test values.
@pytest.mark.parametrize(
    ("given", "number", "low", "high"),
    [
        (goals((45, 50)), 46.610496, 0.781338, 0.957749),
        (goals((45, 50), (30, 50), (50, 50)), 185.606061, 0.773077, 0.880072),
        (goals((50, 50)), 47.561730, 0.925268, 1.0),
        (goals(*[(50, 50)] * 10), 500.0, 0.992376, 1.0),
        (([1.0] * 20 + [0.6] * 10 + [0.2] * 10 + [0.0] * 10, ["a"] * 50), 69.019388, 0.442815, 0.670859),
    ],
)
def test_the_rule_for_rates(given, number, low, high):
    assert effective_trials(*given).number == pytest.approx(number, abs=1e-6)
    assert rate(*given)[1:] == pytest.approx((low, high), abs=1e-6)


def test_repeating_a_goal_is_no_evidence_on_other_goals():
    # Rates of goals are all that counts: a deterministic policy's five episodes a goal are as good as one.
    assert effective_trials(*goals((50, 50))).number < 50


def test_goals_that_do_not_vary_count_as_trials_although_their_mean_is_rounded():
    values = [0.1 + 0.2] * 7
    assert effective_trials(values, ["a"] * 7).number == effective_trials([0.25] * 7, ["a"] * 7).number


def test_failure_mirrors_success():
    for skills in (((3, 20), (17, 20)), ((20, 20),), ((20, 20), (5, 20))):
        value, low, high = rate(*goals(*skills))
        mirrored = rate(*goals(*((count - wins, count) for wins, count in skills)))
        assert mirrored == pytest.approx((1 - value, 1 - high, 1 - low))


def test_no_interval_is_without_width_or_beyond_0_and_1():
    for wins in range(6):
        value, low, high = rate(*goals((wins, 5)))
        assert 0.0 <= low <= value <= high <= 1.0
        assert high - low > 0.3


def test_one_goal_alone_has_no_interval():
    value, low, high = rate([1.0], ["a"])
    assert value == 1.0
    assert math.isnan(low)
    assert math.isnan(high)


def test_skills_of_one_goal_count_as_a_trial_each():
    values = [1.0] * 40 + [0.0] * 10
    trials = effective_trials(values, [f"skill {number}" for number in range(50)])
    assert trials == pytest.approx((0.8, 50.0))
    assert rate([1.0] * 50, [str(number) for number in range(50)]) == pytest.approx(wilson(1.0, 50))


def test_a_skill_with_few_goals_weighs_as_much_as_the_others():
    # 102 goals, but half of the figure rests on two of them.
    trials = effective_trials(*goals((100, 100), (2, 2)))
    assert trials.number == pytest.approx(4 / (1 / 100 + 1 / 2))
    assert rate(*goals((100, 100), (0, 2))).value == 0.5


def test_unknown_success_or_no_goals_have_no_rate():
    assert np.isnan(rate([1.0, np.nan], ["a", "a"])).all()
    assert np.isnan(rate([], [])).all()
    with pytest.raises(
        ValueError, match=r"values must have one number for each of the 2 strata, not shape \(3,\)"
    ):
        rate([1.0] * 3, ["a", "b"])


# --- differences and runs ---


def test_newcombe_by_hand():
    # Newcombe 1998, table II, method 10: 56/70 minus 48/80 is 0.2, [0.0524, 0.3339].
    found = newcombe(wilson(48 / 80, 80), wilson(56 / 70, 70))
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_runs_have_students_interval():
    means = [3.0, 5.0, 10.0]
    expected = scipy.stats.t.interval(0.95, 2, loc=6.0, scale=scipy.stats.sem(means))
    assert over_runs(means) == pytest.approx((6.0, *expected))


def test_rates_of_runs_stay_within_0_and_1():
    for means in ([1.0, 1.0, 0.97], [0.0, 1.0], [0.0, 0.01, 0.0, 0.0]):
        value, low, high = over_runs(means, rates=True)
        assert value == pytest.approx(np.mean(means))
        assert 0.0 <= low < value < high <= 1.0


def test_the_logit_changes_little_in_the_middle():
    means = [0.48, 0.5, 0.52, 0.5]
    assert over_runs(means, rates=True) == pytest.approx(over_runs(means), abs=1e-3)


@pytest.mark.parametrize("means", [[0.5], [1.0, 1.0, 1.0], [], [0.5, np.nan]])
def test_runs_that_tell_nothing_of_other_runs_have_no_interval(means):
    assert np.isnan(over_runs(means, rates=True)[1:]).all()
