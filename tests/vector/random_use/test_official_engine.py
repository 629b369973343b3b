"""Random use of the native vector environment beside the official engine."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import taskworlds

CLOCK = ("t", "_t")


def assert_close(ours, other, where=""):
    """Equal, but for the last digits of floats: the engines add in another order."""
    if isinstance(ours, dict):
        assert set(ours) == set(other), where
        for name in set(ours) - set(CLOCK):
            assert_close(ours[name], other[name], f"{where}[{name!r}]")
    elif isinstance(ours, tuple | list) or (isinstance(ours, np.ndarray) and ours.dtype == object):
        assert len(ours) == len(other), where
        for index, (mine, its) in enumerate(zip(ours, other, strict=True)):
            assert_close(mine, its, f"{where}[{index}]")
    elif isinstance(ours, np.ndarray) and ours.dtype.kind == "f":
        assert (ours.dtype, ours.shape) == (other.dtype, other.shape), where
        np.testing.assert_allclose(ours, other, rtol=1e-7, atol=1e-7, err_msg=where)
    elif isinstance(ours, np.ndarray):
        assert ours.dtype == other.dtype, where
        assert np.array_equal(ours, other), where
    else:
        assert type(ours) is type(other), where
        assert ours == other, where


def script(drawing, data, n):
    """A list of random calls, each a function of the environment."""
    calls = []
    for _ in range(data.draw(st.integers(2, 8), "calls")):
        kind = data.draw(st.sampled_from(["reset", "step", "step", "step", "set_tasks", "sample_tasks"]))
        if kind == "reset":
            seed, options, _ = drawing.reset_arguments(data, n)
            calls.append(lambda envs, seed=seed, options=options: envs.reset(seed=seed, options=options))
        elif kind == "step":
            mask, given = drawing.masks(data, n), drawing.actions(data, n)
            calls.append(lambda envs, mask=mask, given=given: envs.step(given, mask))
        elif kind == "set_tasks":
            mask, task = drawing.masks(data, n), data.draw(st.sampled_from(drawing.all_tasks()))
            calls.append(lambda envs, mask=mask, task=task: envs.set_tasks(task, mask))
        else:
            seed = data.draw(drawing.seeds())
            calls.append(lambda envs, seed=seed: envs.sample_tasks(seed=seed))
    return calls


def outcome_of(call, envs):
    try:
        return call(envs)
    except RuntimeError as error:  # a row that has not begun, or has ended
        return str(error)


def compare_with_official(drawing, data):
    n = data.draw(st.integers(1, 3), "num_envs")
    # No normalisation of observations: it divides by deviations that are zero but for the last digits.
    options = data.draw(drawing.some_options(normalizes=False), "options")
    calls = [lambda envs: envs.reset(seed=0), *script(drawing, data, n)]
    made = [
        taskworlds.make_vec(list(drawing.all_tasks()), n, seed=3, vector_strategy=strategy, **options)
        for strategy in ("native", "sync")
    ]
    for call in calls:
        assert_close(*(outcome_of(call, envs) for envs in made))
    for envs in made:
        envs.close()


@settings(settings.get_profile("random use"), max_examples=30)
@given(data=st.data())
def test_the_official_engine_does_the_same(drawing, data):
    compare_with_official(drawing, data)


@pytest.mark.slow
@settings(settings.get_profile("random use"), max_examples=150)
@given(data=st.data())
def test_the_official_engine_does_the_same_at_length(drawing, data):
    compare_with_official(drawing, data)
