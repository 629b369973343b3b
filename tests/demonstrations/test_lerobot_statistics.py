"""Statistics of features, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from taskworlds.demonstrations.lerobot_statistics import QUANTILES, Histogram, of_numbers


def test_of_vectors():
    values = np.random.default_rng(0).normal(size=(50, 3))
    found = of_numbers(values)
    assert found["min"] == values.min(0).tolist()
    assert found["std"] == pytest.approx(values.std(0).tolist())
    assert found["q90"] == pytest.approx(np.quantile(values, 0.9, axis=0).tolist())
    assert found["count"] == [50]


def test_of_switches():
    found = of_numbers(np.array([False, False, True, True]))
    assert (found["min"], found["max"], found["mean"]) == ([0.0], [1.0], [0.5])


def test_of_pictures():
    pictures = np.random.default_rng(0).integers(0, 200, (7, 20, 30, 3)).astype(np.uint8)
    found = Histogram.of(pictures).statistics()
    channels = pictures.transpose(3, 0, 1, 2).reshape(3, -1) / 255
    for name in ("min", "max", "mean", "std"):
        assert np.shape(found[name]) == (3, 1, 1)
        np.testing.assert_allclose(np.ravel(found[name]), getattr(channels, name)(axis=1), atol=1e-12)
    for name, quantile in QUANTILES.items():
        expected = np.quantile(channels, quantile, axis=1, method="inverted_cdf")
        np.testing.assert_allclose(np.ravel(found[name]), expected, atol=1e-12)
    assert found["count"] == [7]


def test_parts_add_up():
    pictures = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 3)).astype(np.uint8)
    whole, parts = Histogram.of(pictures), Histogram()
    parts.add(Histogram.of(pictures[:2]))
    parts.add(Histogram.of(pictures[2:]))
    assert parts.statistics() == whole.statistics()


def test_not_every_picture_is_looked_at():
    assert Histogram.of(np.zeros((250, 2, 2, 3), np.uint8)).statistics()["count"] == [84]
