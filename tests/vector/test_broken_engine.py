"""What an engine returns is looked at once, at the first reset and the first step: a rule in words, not a crash."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import taskworlds
from taskworlds.core.registry import engine, temporarily_registered


class Broken:
    """The rows of an engine, with one thing wrong."""

    def __init__(self, rows, reset, step):
        self._rows, self._reset, self._step = rows, reset, step

    def __getattr__(self, name):
        return getattr(self._rows, name)

    def reset(self, tasks, rows, seeds):
        return self._reset(self._rows.reset(tasks, rows, seeds))

    def step(self, actions, rows):
        return self._step(self._rows.step(actions, rows))


def same(value):
    return value


RESETS = [
    (
        lambda obs: obs[:, :-1],
        "Observations are .*: they are float32 \\(3, 2\\), .*asks for float32 \\(3, 3\\)",
    ),
    (lambda obs: obs[:-1], "Observations are .*: they are float32 \\(2, 3\\)"),
    (lambda obs: obs[0], "Observations are .*: they are float32 \\(3,\\)"),
    (lambda obs: obs.astype(np.int64), "Observations are .*: they are int64"),
    (lambda obs: None, "Observations are .*: they are of type NoneType"),
    (lambda obs: {"obs": obs}, "Observations are .*: they are a dictionary with the keys obs"),
]
STEPS = [
    (lambda step: step._replace(obs=step.obs[:-1]), "Observations are .*: they are float32 \\(2, 3\\)"),
    (
        lambda step: step._replace(rewards=step.rewards[:-1]),
        "Rewards are .*: they are float64 \\(2,\\), and N is 3",
    ),
    (
        lambda step: step._replace(rewards=step.rewards[:, None]),
        "Rewards are .*: they are float64 \\(3, 1\\)",
    ),
    (lambda step: step._replace(rewards=step.rewards.astype(np.float32)), "Rewards are .*: they are float32"),
    (lambda step: step._replace(rewards=step.rewards.tolist()), "Rewards are .*: they are of type list"),
    (lambda step: step._replace(terms={"success": 1.0}), "Each term is .*: success is of type float"),
    (lambda step: step._replace(terms={"success": np.ones(3, int)}), "Each term is .*: success is int64"),
    (lambda step: step._replace(terms={}), "have success: they are \\[\\]"),
    (lambda step: step._replace(terminated=np.zeros(1, bool)), "terminated is .*: it is bool \\(1,\\)"),
    (lambda step: step._replace(terminated=np.zeros(3)), "terminated is .*: it is float64"),
    (lambda step: tuple(step), "A step returns a RowStep: it is tuple"),
]


@pytest.fixture
def broken():
    """Makes a batch of three rows of `point` on an engine that returns something wrong."""
    base = engine("numpy")

    def make(reset=same, step=same):
        def make_rows(*args, **kwargs):
            return Broken(base.make_rows(*args, **kwargs), reset, step)

        record = dataclasses.replace(
            base, name="broken", make_rows=make_rows, steps=lambda world: world.name == "point"
        )
        with temporarily_registered(record):
            return taskworlds.make_vec("point", 3, seed=0, vector_strategy="broken")

    return make


def test_an_engine_that_keeps_the_rules_runs(broken):
    envs = broken()
    envs.reset(seed=0)
    envs.step(envs.action_space.sample())


@pytest.mark.parametrize(("reset", "message"), RESETS)
def test_a_wrong_reset_is_told(broken, reset, message):
    envs = broken(reset=reset)
    with pytest.raises(RuntimeError, match=f"on the engine 'broken' break a rule in reset.*{message}"):
        envs.reset(seed=0)


@pytest.mark.parametrize(("step", "message"), STEPS)
def test_a_wrong_step_is_told(broken, step, message):
    envs = broken(step=step)
    envs.reset(seed=0)
    with pytest.raises(RuntimeError, match=f"on the engine 'broken' break a rule in step.*{message}"):
        envs.step(envs.action_space.sample())


def test_wrong_goals_are_told(broken, monkeypatch):
    monkeypatch.setattr(Broken, "goals", np.zeros((3, 7)), raising=False)
    with pytest.raises(RuntimeError, match=r"goals are an array .* of float64: they are float64 \(3, 7\)"):
        broken().reset(seed=0)


def test_a_step_of_no_row_may_report_nothing(broken):
    envs = broken(step=lambda step: step._replace(terms={}))
    envs.reset(seed=0)
    envs.step(envs.action_space.sample(), np.zeros(3, dtype=bool))
    with pytest.raises(RuntimeError, match="have success"):
        envs.step(envs.action_space.sample())
