"""`RunningStatistics`: an exponential running mean and variance that can be saved and shared."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from taskworlds.core import json_text
from taskworlds.core.errors import WrongValue
from taskworlds.vector.normalization import exponential_update

__all__ = ["RunningStatistics"]


class RunningStatistics:
    """A running mean and variance, in which the newest value has the weight `alpha`; at first 0 and 1.

    Environments that are given the same object share the statistics. Copying and pickling keep the numbers.

    Args:
        shape: shape of the values; () for single numbers.

    Attributes:
        mean: running mean, `shape` float64. Replaced at each update, never changed in place.
        var: running variance, `shape` float64. Replaced likewise.

    Example:
        >>> statistics = RunningStatistics()
        >>> statistics.update(10.0, alpha=0.1)
        >>> float(statistics.mean), float(statistics.var)
        (1.0, 9.0)
        >>> RunningStatistics.from_json(statistics.to_json()) == statistics
        True
    """

    mean: npt.NDArray[np.float64]
    var: npt.NDArray[np.float64]

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        self.mean = np.zeros(shape)
        self.var = np.ones(shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.mean.shape

    @property
    def scale(self) -> npt.NDArray[np.float64]:
        """The divisor that normalizes, `shape` float64: the standard deviation plus 1e-8, never 0."""
        return np.sqrt(self.var) + 1e-8

    def update(self, value: npt.ArrayLike, alpha: float) -> None:
        """Updates the statistics with one value, by `taskworlds.vector.normalization.exponential_update`.

        Args:
            value: the new value, of this object's shape.
            alpha: its weight, in [0, 1].

        Raises:
            ValueError: the value has another shape, or is not finite, which would spoil the statistics for good.
        """
        new = np.asarray(value, np.float64)
        if new.shape != self.shape:
            raise WrongValue(f"The value must have the statistics' shape {self.shape}, not {new.shape}.")
        if not np.isfinite(new).all():
            raise WrongValue(
                f"The value must be finite, not {new}: it would spoil the running statistics for good. "
                "Look for the step of the environment that it came from."
            )
        mean, var = exponential_update(self.mean, self.var, new, alpha)
        self.mean, self.var = np.asarray(mean), np.asarray(var)  # of shape () they come as numbers

    def to_json(self) -> str:
        """Returns the statistics as one line of JSON, with every float exact."""
        return json.dumps({"mean": self.mean.tolist(), "var": self.var.tolist()}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> RunningStatistics:
        """Makes statistics from the text that `to_json` returned.

        Args:
            text: the JSON.

        Raises:
            ValueError: the text is not that of running statistics.
        """
        try:
            data: Any = json_text.parse(text, "running statistics")
            mean, var = (np.array(data[key], np.float64) for key in ("mean", "var"))
            valid = mean.shape == var.shape and np.isfinite(mean).all() and np.isfinite(var).all()
        except (ValueError, KeyError, OverflowError, TypeError):
            valid = False
        if not valid or (var < 0).any():
            raise WrongValue(
                "The JSON of running statistics must be an object with mean and var, arrays of the same shape, var "
                f"at least 0, not {text[:80]!r}. Pass the text that to_json returned."
            )
        statistics = cls(mean.shape)
        statistics.mean, statistics.var = mean, var
        return statistics

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RunningStatistics):
            return NotImplemented
        return np.array_equal(self.mean, other.mean) and np.array_equal(self.var, other.var)

    __hash__ = None  # type: ignore[assignment]  # the numbers change

    def __repr__(self) -> str:
        return f"RunningStatistics(mean={self.mean!r}, var={self.var!r})"
