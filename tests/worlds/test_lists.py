"""TD-MPC2's lists MT30 and MT80: what is in them, in which order."""

import pytest

import taskworlds
from taskworlds.core.registry import benchmark_makers, list_makers, world_of
from taskworlds.worlds.lists import TDMPC2_NAMES

FIRST = ["walker-stand", "walker-walk", "walker-run", "cheetah-run", "reacher-easy", "reacher-hard"]
CUSTOM = [
    "walker-walk-backwards",
    "walker-run-backwards",
    "cheetah-run-backwards",
    "cheetah-run-front",
    "cheetah-run-back",
    "cheetah-jump",
    "hopper-hop-backwards",
    "reacher-three-easy",
    "reacher-three-hard",
    "cup-spin",
    "pendulum-spin",
]


def test_mt30_in_its_order():
    made = taskworlds.benchmark("MT30")
    names = made.env_names()
    assert len(names) == len(made.train_tasks) == 30
    assert names[:6] == FIRST
    assert names[12] == "ball_in_cup-catch"
    assert names[16:19] == ["fish-swim", "hopper-stand", "hopper-hop"]
    assert names[19:] == CUSTOM
    sizes = [
        (
            world_of(name).observation_space(visible=True, hidden=False).shape[0],
            world_of(name).action_space().shape[0],
        )
        for name in names
    ]
    assert tuple(max(column) for column in zip(*sizes, strict=True)) == (
        24,
        6,
    )  # as its multi-task wrapper pads


def test_mt80_in_its_order():
    made = taskworlds.benchmark("MT80", seed=0, num_goals=2)
    names = made.env_names()
    assert len(names) == 80
    assert len(made.train_tasks) == 30 + 50 * 2
    assert names[:30] == taskworlds.benchmark("MT30").env_names()
    assert names[30:33] == ["assembly-v3", "basketball-v3", "button-press-topdown-v3"]
    assert names[-5:] == [
        "bin-picking-v3",
        "box-close-v3",
        "door-lock-v3",
        "door-unlock-v3",
        "hand-insert-v3",
    ]
    assert set(names[30:]) == set(taskworlds.benchmark("MT50").env_names())
    assert not any(task["partially_observable"] for task in made.train_tasks[30:])
    assert taskworlds.benchmark("MT80", seed=1, num_goals=2) != made
    assert taskworlds.Benchmark.from_json(made.to_json()) == made


def test_their_names_for_our_skills():
    assert list(TDMPC2_NAMES.values()) == taskworlds.benchmark("MT80", num_goals=1).env_names()
    assert TDMPC2_NAMES["cup-catch"] == "ball_in_cup-catch"
    assert TDMPC2_NAMES["cartpole-swingup-sparse"] == "cartpole-swingup_sparse"
    assert TDMPC2_NAMES["mw-push"] == "push-v3"
    assert not set(list_makers()) & set(benchmark_makers())


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="num_goals must be None for MT30, not 3"):
        taskworlds.benchmark("MT30", num_goals=3)
    with pytest.raises(TypeError, match="MT80 does not take env_name"):
        taskworlds.benchmark("MT80", "reach-v3")
    with pytest.raises(ValueError, match="Did you mean 'MT30'"):
        taskworlds.benchmark("MT-30")
    with pytest.raises(ValueError, match="must be of one world"):
        taskworlds.make_vec("MT30")
