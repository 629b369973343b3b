import copy
import pickle

import numpy as np
import pytest

from taskworlds.compat.garage.running_statistics import RunningStatistics


def test_start():
    statistics = RunningStatistics((2, 3))
    assert statistics.shape == (2, 3)
    assert (statistics.mean == 0).all()
    assert (statistics.var == 1).all()
    assert RunningStatistics().shape == ()


def test_variance_measures_from_the_moved_mean():
    statistics = RunningStatistics((2,))
    statistics.update([10.0, -2.0], alpha=0.25)
    np.testing.assert_allclose(statistics.mean, [2.5, -0.5], rtol=1e-15)
    np.testing.assert_allclose(statistics.var, [0.75 + 0.25 * 7.5**2, 0.75 + 0.25 * 1.5**2], rtol=1e-15)
    statistics.update([0.0, 0.0], alpha=0.5)
    np.testing.assert_allclose(statistics.mean, [1.25, -0.25], rtol=1e-15)


def test_scale_is_never_zero():
    statistics = RunningStatistics()
    statistics.update(0.0, alpha=1.0)
    assert statistics.var == 0
    assert statistics.scale == 1e-8


def test_float32_values_do_not_lower_the_precision():
    statistics = RunningStatistics((1,))
    statistics.update(np.array([0.1], np.float32), alpha=0.1)
    assert statistics.mean.dtype == statistics.var.dtype == np.float64
    assert statistics.mean[0] == 0.1 * float(np.float32(0.1))


def test_an_update_leaves_earlier_arrays_alone():
    statistics = RunningStatistics((1,))
    mean = statistics.mean
    statistics.update([1.0], alpha=0.5)
    assert mean.tolist() == [0.0]


@pytest.mark.parametrize("shape", [(), (3,), (2, 2), (0,)])
def test_json_is_exact(shape):
    statistics = RunningStatistics(shape)
    generator = np.random.default_rng(0)
    for _ in range(3):
        statistics.update(generator.normal(size=shape), alpha=0.1)
    again = RunningStatistics.from_json(statistics.to_json())
    assert again == statistics
    assert again.shape == shape
    assert again.to_json() == statistics.to_json()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_are_equal_and_independent(duplicate):
    statistics = RunningStatistics()
    statistics.update(3.0, alpha=0.1)
    other = duplicate(statistics)
    assert other == statistics
    other.update(3.0, alpha=0.1)
    assert other != statistics
    assert other != "statistics"


def test_wrong_values():
    statistics = RunningStatistics((2,))
    with pytest.raises(ValueError, match=r"must have the statistics' shape \(2,\), not \(3,\)"):
        statistics.update([1.0, 2.0, 3.0], alpha=0.1)
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="must be finite, not"):
            statistics.update([1.0, value], alpha=0.1)
    assert statistics == RunningStatistics((2,))


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "3",
        '{"mean": 0.0}',
        '{"mean": [0.0], "var": 1.0}',
        '{"mean": 0.0, "var": -1.0}',
        '{"mean": NaN, "var": 1.0}',
        '{"mean": "a", "var": 1.0}',
        '{"mean": [[1.0], 2.0], "var": [[1.0], 2.0]}',
    ],
)
def test_wrong_json(text):
    with pytest.raises(ValueError, match="JSON of running statistics must be an object with mean and var"):
        RunningStatistics.from_json(text)


def test_repr():
    assert repr(RunningStatistics()) == "RunningStatistics(mean=array(0.), var=array(1.))"
