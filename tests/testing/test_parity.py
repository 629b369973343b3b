"""`parity.compare` on rows that are equal, and on rows that differ in one thing each."""

from __future__ import annotations

import re

import numpy as np
import pytest

from taskworlds import Task
from taskworlds.core.registry import world_of
from taskworlds.rows.protocol import RowFault, RowStep
from taskworlds.testing.parity import Actions, compare, differences, make_rows

TASKS = [Task("count", {"start": start}) for start in (0.0, 10.0)]
ROUNDS = [TASKS, TASKS[::-1]]


class Counter:
    """Two rows that add up their actions; `wrong` changes what one step gives."""

    def __init__(self, wrong=None):
        self.num_rows = 2
        self.goals = np.zeros((2, 1))
        self._total = np.zeros((2, 1))
        self._wrong = wrong

    def reset(self, tasks, rows, seeds):
        for row in np.flatnonzero(rows):
            self._total[row] = self.goals[row] = tasks[row]["start"]
            self._steps = 0
        return self._total if self._wrong != "reset" else self._total + 1e-6

    def step(self, actions, rows):
        self._total[rows] += actions[rows]
        self._steps += 1
        step = RowStep(
            self._total.copy(),
            self._total[:, 0] * 2,
            {"success": self._total[:, 0] > 1.0},
            self._total[:, 0] > 12,
        )
        return self._wrong(step) if callable(self._wrong) and self._steps == 3 else step

    def get_attr(self, name):
        raise AttributeError(name)

    def get_state(self):
        physics = self._total if self._wrong != "physics" else np.nextafter(self._total, np.inf)
        return [{"physics": each.copy()} for each in physics]


def act(tasks, obs, goals, step):
    return np.array([[0.1], [0.5]])


def outcome(wrong=None, **how):
    return compare(Counter(wrong), Counter(), ROUNDS, act, steps=8, **how)


def test_equal_rows():
    found = outcome()
    assert found.lines == []
    assert found.worst == 0.0
    # A row that has ended rests: the second row of the first round after its fifth step, as 12.5 is above 12.
    assert found.steps == 8 + 5 + 8 + 8
    assert found.states == found.steps + 4


def changed(field, change):
    def wrong(step):
        return step._replace(**{field: change(getattr(step, field))})

    return wrong


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ("reset", r"first observation: round 0 at reset, row 0, task \w+ of count: .* ours, .*0.0.* official"),
        ("physics", r"first physics: round 0 at reset, row 0: not equal to the last bit"),
        (changed("obs", lambda obs: obs + 1e-8), r"observation: round 0, step 2, row 0, task"),
        (changed("rewards", lambda rewards: rewards * (1 + 1.2e-9)), "reward: round 0, step 2, row 1"),
        (changed("rewards", lambda rewards: rewards * np.nan), "reward: round 0, step 2, row 0"),
        (changed("terms", lambda terms: {"success": 1.0 - terms["success"]}), "success: round 0, step 2, row 0"),
        (changed("terms", lambda terms: {}), r"names of terms: round 0, step 2: \[\] ours, \['success'\]"),
        (changed("terminated", lambda ended: ~ended), "terminated: round 0, step 2, row 0"),
        (changed("obs", lambda obs: obs[:, :0]), r"observation: round 0, step 2: shape \(2, 0\) ours, \(2, 1\)"),
        (changed("faults", lambda faults: [RowFault(1, "burst", True)]), "fault: round 0, step 2, row 1: burst ours"),
    ],
    ids=["reset", "physics", "obs", "reward", "nan", "term", "terms", "terminated", "shape", "fault"],
)  # fmt: skip
def test_each_difference_is_found(wrong, line):
    lines = outcome(wrong).lines
    assert re.match(line, lines[0]), lines


def test_the_tolerance():
    slightly = changed("obs", lambda obs: obs + 1e-12)
    assert outcome(slightly).lines == []
    assert outcome(slightly).worst == pytest.approx(1e-12, rel=0.1)
    assert outcome(slightly, exact=("observation",)).lines
    assert outcome(slightly, tolerance=0).lines


def test_the_rewards_of_another_version_are_found():
    name = "drawer-close-v3"
    tasks = [Task(name, {"rand_vec": (0.0, 0.9, 0.04), "partially_observable": False})]
    rows = [
        make_rows(engine, world_of(name), [name], 1, reward_function_version=version)
        for engine, version in (("native", "v1"), ("sync", "v2"))
    ]
    found = compare(*rows, [tasks], Actions(world_of(name), ["random"]), steps=3).found
    assert "reward" in found
    assert not {"physics", "observation", "goal", "success"} & set(found)
    assert found["reward"].startswith("round 0, step 0, row 0, task ")


def test_all_kinds_of_actions():
    assert differences("reach-v3", "v2", goals=2, steps=10) == []
    assert differences("reach-v3", "v2", goals=1, steps=5, plain=True) == []
    with pytest.raises(ValueError, match='kinds must not mix "double" with others'):
        Actions(world_of("reach-v3"), ["double", "random"])
