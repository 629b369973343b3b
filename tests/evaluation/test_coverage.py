"""How often the 95 % intervals hold the true figure, in simulated evaluations whose truth is known.

Bounds leave room for the number of simulations; seeds are fixed, so outcomes are too. docs/statistics.md shows such
figures.
"""

import math

import numpy as np
import pytest
import scipy.special

from taskworlds.evaluation import aggregates
from taskworlds.evaluation.bootstrap import over_goals, stratified
from taskworlds.evaluation.intervals import over_runs, rate
from taskworlds.evaluation.significance import paired, sign_flip, welch
from taskworlds.evaluation.statistics import mean

pytestmark = pytest.mark.slow

GOALS = 50
LOWEST = 0.92  # of coverage that is meant to be 0.95


def goal_rates(generator, skills, episodes):
    """Success rates of goals, (S, G), of skills with given rates.

    With several episodes goals differ in difficulty: a goal's rate has a beta distribution, so that two episodes of one
    goal have correlation 0.3.
    """
    p = np.repeat(skills[:, np.newaxis], GOALS, axis=1)
    if episodes == 1:
        return (generator.random(p.shape) < p).astype(float)
    inside = np.clip(p, 1e-9, 1 - 1e-9)
    total = 1 / 0.3 - 1
    own = np.where((p > 0) & (p < 1), generator.beta(inside * total, (1 - inside) * total), p)
    return generator.binomial(episodes, own) / episodes


def skill_rates(count, p, spread):
    """Rates of skills with mean near p: all equal, or quantiles of a beta distribution with half of all variance."""
    if not spread or count == 1:
        return np.full(count, p)
    return scipy.special.betaincinv(p, 1 - p, (np.arange(count) + 0.5) / count)


def simulated(interval, count, episodes, p, spread, draws):
    """Share of simulated evaluations whose interval holds the true rate, and the intervals' mean width."""
    generator = np.random.default_rng([count, episodes, int(1000 * p), spread])
    skills = skill_rates(count, p, spread)
    strata = [f"skill {number}" for number in range(count) for _ in range(GOALS)]
    held = width = 0.0
    for _ in range(draws):
        _, low, high = interval(goal_rates(generator, skills, episodes).ravel(), strata)
        held += low - 1e-12 <= skills.mean() <= high + 1e-12
        width += high - low
    return held / draws, width / draws


CELLS = [
    (count, episodes, p, spread)
    for count in (1, 10, 50)
    for episodes in (1, 5)
    for p in (0.02, 0.5, 0.98, 1.0)
    for spread in (False, True)
    if not (spread and (count == 1 or p == 1.0))
]


@pytest.mark.parametrize(("count", "episodes", "p", "spread"), CELLS)
def test_success_rates_over_goals(count, episodes, p, spread):
    coverage, width = simulated(rate, count, episodes, p, spread, draws=500 if count > 10 else 1000)
    assert coverage >= LOWEST
    if p == 1.0:
        assert width < 4 / (count * GOALS)  # about the rule of three
    elif p == 0.5 and not spread:
        # A wide interval would hold the truth too: this is the width of the normal approximation.
        variance = 0.25 * (1 if episodes == 1 else 0.3 + 0.7 / episodes) / (count * GOALS)
        assert width < 1.05 * 2 * 1.96 * math.sqrt(variance)


def test_the_bounds_would_fail_for_resampled_goals():
    def resampled(values, strata):
        return over_goals(mean, values, strata=strata, seed=0, resamples=500)

    coverage, _ = simulated(resampled, 1, 1, 0.98, False, draws=300)
    assert coverage < 0.7
    coverage, width = simulated(resampled, 10, 1, 1.0, False, draws=20)
    assert (coverage, width) == (1.0, 0.0)  # claims certainty


# --- over runs ---


def run_rates(generator, runs, p, common):
    """Success rates by run and skill, (R, 10): the logit of a run's skills moves together, or each by itself."""
    moved = scipy.special.logit(p) + generator.normal(0, 0.5, (runs, 1 if common else 10))
    return generator.binomial(GOALS, scipy.special.expit(moved) * np.ones((runs, 10))) / GOALS


def expected_rate(p):
    """The mean over runs, by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    return float((scipy.special.expit(scipy.special.logit(p) + 0.5 * nodes) * weights).sum() / weights.sum())


@pytest.mark.parametrize("common", [False, True])
@pytest.mark.parametrize("p", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("runs", [3, 5, 10])
def test_success_rates_over_runs(runs, p, common):
    generator = np.random.default_rng([runs, int(100 * p), common])
    truth, held, draws = expected_rate(p), 0, 2000
    for _ in range(draws):
        means = run_rates(generator, runs, p, common).mean(axis=1)
        found = over_runs(means, rates=True)
        held += math.isnan(found.low) or found.low <= truth <= found.high
    assert held / draws >= LOWEST


def test_rliables_intervals_are_too_narrow_for_one_policy_on_many_skills():
    generator = np.random.default_rng(0)
    truth, held, draws = expected_rate(0.5), 0, 300
    for _ in range(draws):
        scores = run_rates(generator, 3, 0.5, common=True)
        _, low, high = stratified(aggregates.mean, scores, seed=0, resamples=300)
        held += low <= truth <= high
    assert held / draws < 0.7


# --- differences: how often two equal methods are called different at 5 % ---


@pytest.mark.parametrize("p", [0.5, 0.9, 0.98])
def test_one_episode_a_goal_by_mcnemar(p):
    generator, called, draws = np.random.default_rng(int(100 * p)), 0, 3000
    for _ in range(draws):
        shared = generator.random(GOALS)  # what makes a goal hard for both
        first, second = (
            np.where(generator.random(GOALS) < 0.5, shared, generator.random(GOALS)) < p for _ in range(2)
        )
        called += paired(second.astype(float) - first, np.full(GOALS, 1 / GOALS), seed=0) < 0.05
    assert called / draws <= 0.06


def test_several_episodes_a_goal_by_turned_signs():
    generator, called, draws = np.random.default_rng(1), 0, 300
    for _ in range(draws):
        goals = generator.beta(1, 1, GOALS)
        first, second = (generator.binomial(5, goals) / 5 for _ in range(2))
        called += sign_flip(second - first, seed=0) < 0.05
    assert 0.02 <= called / draws <= 0.08


@pytest.mark.parametrize(("runs", "others"), [(3, 3), (5, 8)])
def test_runs_by_welch(runs, others):
    generator, called, draws = np.random.default_rng(runs), 0, 3000
    for _ in range(draws):
        first = run_rates(generator, runs, 0.8, common=True).mean(axis=1)
        second = run_rates(generator, others, 0.8, common=True).mean(axis=1)
        called += welch(first, second)[0] < 0.05
    assert called / draws <= 0.06
