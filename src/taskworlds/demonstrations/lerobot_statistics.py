"""Statistics of a LeRobot data set: by feature minimum, maximum, mean, deviation, count and quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["QUANTILES", "Histogram", "of_numbers"]

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
"""Their names, and what they are."""

_MOST_PICTURES = 100  # of an episode that are looked at, evenly spread
_MOST_PIXELS = 150  # of the shorter side that are looked at, evenly spread
_LEVELS = 256


def of_numbers(values: NDArray[Any]) -> dict[str, Any]:
    """Returns the statistics of a feature over T frames, as lists with an entry for each of its numbers.

    Args:
        values: (T,) or (T, k).

    Example:
        >>> found = of_numbers(np.array([0.0, 1.0, 2.0, 3.0]))
        >>> found["mean"], found["q50"], found["count"]
        ([1.5], [1.5], [4])
    """
    table = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    quantiles = np.quantile(table, list(QUANTILES.values()), axis=0)
    return {
        "min": table.min(axis=0).tolist(),
        "max": table.max(axis=0).tolist(),
        "mean": table.mean(axis=0).tolist(),
        "std": table.std(axis=0).tolist(),
        "count": [len(table)],
        **{name: quantile.tolist() for name, quantile in zip(QUANTILES, quantiles, strict=True)},
    }


class Histogram:
    """How often each channel of pictures has each of its 256 values, which gives all statistics exactly.

    Of an episode at most 100 pictures are looked at, and of a picture about 150 rows and columns.

    Example:
        >>> pictures = np.zeros((3, 2, 2, 3), np.uint8)
        >>> pictures[:, 0] = 255
        >>> found = Histogram.of(pictures).statistics()
        >>> found["mean"], found["q10"][0], found["count"]
        ([[[0.5]], [[0.5]], [[0.5]]], [[0.0]], [3])
    """

    def __init__(self) -> None:
        self._counts = np.zeros((3, _LEVELS), dtype=np.int64)
        self._pictures = 0

    @classmethod
    def of(cls, pictures: NDArray[np.uint8]) -> Histogram:
        """Returns that of an episode's pictures, (T, H, W, 3)."""
        made = cls()
        every = -(-len(pictures) // _MOST_PICTURES)
        step = max(1, min(pictures.shape[1:3]) // _MOST_PIXELS)
        chosen = pictures[::every, ::step, ::step]
        for channel in range(3):
            made._counts[channel] = np.bincount(chosen[..., channel].reshape(-1), minlength=_LEVELS)
        made._pictures = len(chosen)
        return made

    def add(self, other: Histogram) -> None:
        """Adds another's pictures."""
        self._counts += other._counts
        self._pictures += other._pictures

    def statistics(self) -> dict[str, Any]:
        """Returns the statistics by channel, (3, 1, 1), of values scaled to 0..1; the count is of pictures."""
        levels = np.arange(_LEVELS) / (_LEVELS - 1)
        shares = self._counts / self._counts.sum(axis=1, keepdims=True)
        mean = shares @ levels
        found = {
            "min": levels[(shares > 0).argmax(axis=1)],
            "max": levels[_LEVELS - 1 - (shares[:, ::-1] > 0).argmax(axis=1)],
            "mean": mean,
            "std": np.sqrt(np.maximum(shares @ levels**2 - mean**2, 0.0)),
        }
        below = shares.cumsum(axis=1)
        for name, quantile in QUANTILES.items():
            found[name] = levels[(below >= quantile - 1e-12).argmax(axis=1)]
        nested = {name: values.reshape(3, 1, 1).tolist() for name, values in found.items()}
        return nested | {"count": [self._pictures]}
