"""The goals that a seed gives, against those that Meta-World's own environments draw."""

from __future__ import annotations

import dataclasses
import itertools
import pickle

import metaworld
import numpy as np
import pytest
from metaworld.env_dict import ALL_V3_ENVIRONMENTS, ML1_ARGS_KWARGS

from taskworlds.worlds.metaworld import goals
from taskworlds.worlds.metaworld.benchmark_lists import ENV_NAMES
from taskworlds.worlds.metaworld.goals import draw_goals
from taskworlds.worlds.metaworld.skills import SKILLS, skill

NAMES = [each.name for each in SKILLS]
# The skills in which a draw can put object and goal too near each other. In the others that have a least
# separation the bounds alone keep them apart.
REDRAWING = {
    "box-close-v3",
    "coffee-pull-v3",
    "coffee-push-v3",
    "disassemble-v3",
    "hand-insert-v3",
    "pick-place-v3",
    "push-v3",
    "push-back-v3",
    "reach-v3",
    "soccer-v3",
    "sweep-into-v3",
}


def goals_of(tasks):
    """The rand_vecs of Meta-World's own tasks, by skill, in the order of the tasks."""
    return {
        name: np.array([pickle.loads(task.data)["rand_vec"] for task in group])
        for name, group in itertools.groupby(tasks, key=lambda task: task.env_name)
    }


def official_goals(monkeypatch, env_names, seed, num_goals):
    """What Meta-World's own maker of tasks draws for these skills."""
    monkeypatch.setattr(metaworld, "_N_GOALS", num_goals)
    classes = {name: ALL_V3_ENVIRONMENTS[name] for name in env_names}
    arguments = {name: ML1_ARGS_KWARGS[name] for name in env_names}
    return goals_of(metaworld._make_tasks(classes, arguments, metaworld._MT_OVERRIDE, seed=seed))


def assert_equal_bits(ours, official):
    assert list(ours) == list(official)
    for name in official:
        assert ours[name].dtype == official[name].dtype == np.float64
        assert ours[name].shape == official[name].shape
        assert ours[name].tobytes() == official[name].tobytes(), name


def has_redraws(name, seed, num_goals):
    """Whether the stream of this seed holds a draw that had to be repeated."""
    low, high = skill(name).rand_vec_low, skill(name).rand_vec_high
    placements = np.random.RandomState(seed).uniform(low, high, size=(2 * num_goals, len(low)))
    return not np.array_equal(draw_goals([name], seed, num_goals)[name], placements[1::2])


def seed_with_redraws(name, num_goals):
    """The first seed that makes the skill draw again."""
    return next(seed for seed in range(1000) if has_redraws(name, seed, num_goals))


def test_the_skills_that_draw_again():
    assert {name for name in NAMES if any(has_redraws(name, seed, 50) for seed in range(10))} == REDRAWING


@pytest.mark.parametrize("name", NAMES)
def test_a_skills_goals_are_metaworlds(name, monkeypatch):
    seed = seed_with_redraws(name, num_goals=2) if name in REDRAWING else 0
    official = official_goals(monkeypatch, [name], seed, num_goals=2)
    assert_equal_bits(draw_goals([name], seed, 2), official)


def test_one_stream_through_several_skills_is_metaworlds(monkeypatch):
    names = ["push-v3", "drawer-open-v3", "box-close-v3", "sweep-into-v3", "basketball-v3"]
    assert_equal_bits(draw_goals(names, 7, 3), official_goals(monkeypatch, names, 7, num_goals=3))


# What follows draws tens of thousands of goals. The official environments draw each before they move anything, as the
# tests of each skill above show with their physics.
SLOW_SEEDS = [0, 1, 42]


@pytest.mark.usefixtures("without_physics")
@pytest.mark.slow
@pytest.mark.parametrize("seed", SLOW_SEEDS[1:])  # the first: tests/core/test_benchmark.py compares all tasks
@pytest.mark.parametrize("benchmark", list(ENV_NAMES))
def test_a_benchmarks_goals_are_metaworlds(benchmark, seed):
    official = getattr(metaworld, benchmark)(seed=seed)
    assert_equal_bits(draw_goals(ENV_NAMES[benchmark].train, seed, 50), goals_of(official.train_tasks))
    assert_equal_bits(draw_goals(ENV_NAMES[benchmark].test, seed, 50), goals_of(official.test_tasks))


@pytest.mark.usefixtures("without_physics")
@pytest.mark.slow
@pytest.mark.parametrize("seed", SLOW_SEEDS)
@pytest.mark.parametrize("name", ["pick-place-v3", "drawer-close-v3"])
def test_ml1s_goals_are_metaworlds(name, seed):
    official = metaworld.ML1(name, seed=seed)
    assert_equal_bits(draw_goals([name], seed, 50), goals_of(official.train_tasks))
    assert_equal_bits(draw_goals([name], seed + 1, 50), goals_of(official.test_tasks))


@pytest.mark.usefixtures("without_physics")
@pytest.mark.slow
@pytest.mark.parametrize("seed", SLOW_SEEDS)
@pytest.mark.parametrize("name", ["push-v3", "sweep-into-v3"])
def test_mt1s_goals_are_metaworlds(name, seed):
    assert_equal_bits(draw_goals([name], seed, 50), goals_of(metaworld.MT1(name, seed=seed).train_tasks))


@pytest.mark.parametrize("name", NAMES)
def test_goals_lie_within_the_bounds_and_apart(name):
    vectors = draw_goals([name], 3, 200)[name]
    low, high = np.array(skill(name).rand_vec_low), np.array(skill(name).rand_vec_high)
    assert (vectors >= low).all()
    assert (vectors <= high).all()
    assert len(np.unique(vectors, axis=0)) == 200
    if skill(name).min_separation is not None:
        goal = vectors[:, 3:5] if skill(name).separated_from is None else np.array(skill(name).separated_from)
        assert (np.linalg.norm(vectors[:, :2] - goal, axis=1) >= skill(name).min_separation).all()


def test_equal_seeds_give_equal_goals_and_others_do_not():
    first, again, other = (draw_goals(NAMES, seed, 3) for seed in (5, 5, 6))
    assert_equal_bits(first, again)
    assert all((first[name] != other[name]).any() for name in NAMES)


def test_the_global_generator_is_neither_read_nor_written():
    np.random.seed(1)  # noqa: NPY002
    first = draw_goals(["reach-v3"], 0, 5)
    np.random.seed(2)  # noqa: NPY002
    before = np.random.get_state()  # noqa: NPY002
    second = draw_goals(["reach-v3"], 0, 5)
    after = np.random.get_state()  # noqa: NPY002
    assert_equal_bits(first, second)
    assert before[0] == after[0]
    assert (before[1] == after[1]).all()
    assert before[2:] == after[2:]


def test_no_skills_give_no_goals():
    assert draw_goals([], 0, 50) == {}


def test_names_may_come_from_any_iterable():
    assert_equal_bits(
        draw_goals(iter(["reach-v3", "push-v3"]), 0, 2), draw_goals(("reach-v3", "push-v3"), 0, 2)
    )


def test_a_v2_name_gives_the_v3_skills_goals():
    with pytest.warns(DeprecationWarning, match="'reach-v2' is read as 'reach-v3'"):
        drawn = draw_goals(["reach-v2"], 0, 2)
    assert_equal_bits(drawn, draw_goals(["reach-v3"], 0, 2))


@pytest.mark.parametrize("seed", [2**32 - 1, 2**32, 2**40, 5267692502259528109, 2**70, np.int64(2**40)])
def test_a_seed_may_be_of_any_size(seed):
    drawn = draw_goals(["reach-v3"], seed, 1)["reach-v3"]
    assert drawn.shape == (1, 6)
    assert drawn.tobytes() == draw_goals(["reach-v3"], int(seed), 1)["reach-v3"].tobytes()
    assert (
        drawn.tobytes() != draw_goals(["reach-v3"], int(seed) % 2**32, 1)["reach-v3"].tobytes()
        or seed < 2**32
    )


def test_one_string_is_not_a_list_of_names():
    with pytest.raises(TypeError, match="env_names must be a list of skill names, not the string 'reach-v3'"):
        draw_goals("reach-v3", 0, 1)


def test_a_skill_named_twice_is_refused():
    with pytest.raises(ValueError, match="each skill once, but 'push-v3' comes 2 times"):
        draw_goals(["push-v3", "reach-v3", "push-v3"], 0, 1)


def test_an_unknown_skill_is_refused():
    with pytest.raises(ValueError, match=r"Unknown skill 'push-v4'\. Did you mean 'push-v3'"):
        draw_goals(["push-v4"], 0, 1)


@pytest.mark.parametrize(
    ("seed", "num_goals", "error", "message"),
    [
        (0, 0, ValueError, "num_goals must be at least 1, not 0"),
        (0, 2.0, TypeError, "num_goals must be a whole number, not 2.0"),
        (-1, 1, ValueError, "seed must be at least 0, not -1"),
        (None, 1, TypeError, "seed must be a whole number, not None"),
    ],
)
def test_numbers_out_of_range_are_refused(seed, num_goals, error, message):
    with pytest.raises(error, match=message):
        draw_goals(["reach-v3"], seed, num_goals)


def test_a_skill_without_variation_has_only_one_goal(monkeypatch):
    fixed = dataclasses.replace(skill("reach-v3"), rand_vec_high=skill("reach-v3").rand_vec_low)
    monkeypatch.setattr(goals, "skill", lambda name: fixed)
    assert draw_goals(["reach-v3"], 0, 1)["reach-v3"].tolist() == [list(fixed.rand_vec_low)]
    with pytest.raises(ValueError, match=r"num_goals must not exceed .* 'reach-v3' gave only 1 in 2 draws"):
        draw_goals(["reach-v3"], 0, 2)
