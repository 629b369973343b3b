"""Locomotion skills: rewards as written down, and what a task may be."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from taskworlds import Task
from taskworlds.worlds.locomotion import ant, half_cheetah, walker2d
from taskworlds.worlds.locomotion.skills import SKILLS, skill

BY_SKILL = pytest.mark.parametrize("name", [each.name for each in SKILLS])


def test_rewards_by_hand():
    assert half_cheetah.reward_velocity(1.5, 2.0, 1.0) == (-0.6, -0.5, -0.1)
    assert half_cheetah.reward_velocity(0.5, 0.0, 1.0) == (-0.5, -0.5, 0.0)
    assert half_cheetah.reward_direction(1.5, 2.0, -1.0) == (-1.6, -1.5, -0.1)
    assert ant.reward_direction(1.0, 2.0, -0.25, 1.0, 3.0, 0.6, 0.8) == pytest.approx((1.45, 2.2, -1.5))
    assert ant.reward_goal(1.0, -2.0, -0.25, 3.0, 2.0, 1.0) == pytest.approx((-4.55, -4.0, -0.3))
    assert walker2d.reward_walk(1.5, 1.0, 2.0) == pytest.approx((2.498, 1.5, -0.002))


@BY_SKILL
def test_rewards_compile_as_they_stand(name):
    numba = pytest.importorskip("numba")
    reward = skill(name).reward
    size = reward.__code__.co_argcount
    values = np.random.default_rng(0).normal(size=size).tolist()
    assert numba.njit(reward)(*values) == pytest.approx(reward(*values), rel=1e-15)


@BY_SKILL
def test_drawn_tasks_can_be_run_and_are_values(name):
    each = skill(name)
    rng = np.random.default_rng(1)
    tasks = [each.task(each.draw(rng)) for _ in range(20)]
    for task in (*tasks, each.task(each.default)):
        each.check_task(task)
        assert Task.from_json(task.to_json()) == task
        assert json.loads(task.to_json())["params"]["partially_observable"] is True
        goal = each.goal(task.params)
        assert len(goal) == each.goal_size
        assert all(type(number) is float for number in goal)
    again = np.random.default_rng(1)
    assert [each.task(each.draw(again)) for _ in range(20)] == tasks


def drawn(name, count):
    rng = np.random.default_rng(2)
    return [skill(name).draw(rng) for _ in range(count)]


def test_ranges():
    velocities = [each["velocity"] for each in drawn("half-cheetah-vel", 2000)]
    assert 0.0 <= min(velocities) < 0.01
    assert 1.99 < max(velocities) <= 2.0
    directions = [each["direction"] for each in drawn("half-cheetah-dir", 2000)]
    assert set(directions) == {1.0, -1.0}
    assert abs(np.mean(directions)) < 0.1
    angles = [each["angle"] for each in drawn("ant-dir", 2000)]
    assert 0.0 <= min(angles) < 0.02
    assert 2 * math.pi - 0.02 < max(angles) < 2 * math.pi
    distances = np.array([math.hypot(*each["goal"]) for each in drawn("ant-goal", 2000)])
    assert distances.max() <= 3.0
    assert abs(np.mean(distances < 1.5) - 0.25) < 0.05  # uniform over the area
    for name, base in (
        ("body_mass", 1.5),
        ("body_inertia", 1.5),
        ("dof_damping", 1.3),
        ("geom_friction", 1.5),
    ):
        exponents = np.log([each[name] for each in drawn("walker2d-rand-params", 300)]) / np.log(base)
        assert np.abs(exponents).max() <= 3.0
        assert exponents.max() > 2.95
        assert exponents.min() < -2.95
        assert abs(exponents.mean()) < 0.1  # as often smaller as larger


WALKER = skill("walker2d-rand-params")


def task(name, **params):
    each = skill(name)
    return Task(name, {**each.default, "partially_observable": True, **params})


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (
            Task("half-cheetah-vel", {"velocity": 1.0}),
            ValueError,
            "has the parameters velocity and partially_observable, not velocity. sample_tasks and",
        ),
        (Task("ant-goal"), ValueError, "has the parameters goal and partially_observable, not none"),
        (task("half-cheetah-vel", speed=1.0), ValueError, "velocity and partially_observable, not .*speed"),
        (
            task("half-cheetah-vel", velocity="fast"),
            TypeError,
            "velocity must be a number for .*, not 'fast'",
        ),
        (task("half-cheetah-vel", velocity=True), TypeError, "velocity must be a number for .*, not True"),
        (task("half-cheetah-vel", partially_observable=1), TypeError, "must be True or False, not 1"),
        (
            task("half-cheetah-dir", direction=0.5),
            ValueError,
            r"must be 1 \(forward\) or -1 \(backward\).*0.5",
        ),
        (task("half-cheetah-dir", direction="left"), TypeError, "direction must be a number"),
        (task("ant-dir", angle=(1.0,)), TypeError, "angle must be a number for ant-dir"),
        (task("ant-goal", goal=1.0), TypeError, "goal must be a tuple of 2 numbers, x and y in metres"),
        (task("ant-goal", goal=(1.0, "a")), TypeError, "goal must be a tuple of 2 numbers"),
        (task("ant-goal", goal=(1.0, 2.0, 3.0)), ValueError, "goal must have 2 numbers, .* not 3"),
        (task(WALKER.name, body_mass=2.0), TypeError, "body_mass must be a tuple of 8 numbers for"),
        (task(WALKER.name, body_mass=(2.0,)), ValueError, "body_mass must be a tuple of 8 numbers for"),
        (task(WALKER.name, body_inertia=(1.0,) * 8), TypeError, "be a tuple of 8 tuples of 3 numbers"),
        (
            task(WALKER.name, body_inertia=((1.0,) * 2,) * 8),
            ValueError,
            "be a tuple of 8 tuples of 3 numbers",
        ),
        (task(WALKER.name, dof_damping=(0.0,) * 9), ValueError, "dof_damping must have multipliers above 0"),
    ],
)
def test_tasks_that_cannot_be_run(wrong, error, message):
    with pytest.raises(error, match=message):
        skill(wrong.env_name).check_task(wrong)


def test_unknown_skill():
    with pytest.raises(ValueError, match=r"Unknown locomotion skill 'ant-goals'. Did you mean 'ant-goal'"):
        skill("ant-goals")
