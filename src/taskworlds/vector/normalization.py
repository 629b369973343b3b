"""Running normalisation of rewards and observations, one set of statistics for each row.

Each row has its own statistics, as under Meta-World's wrappers, so a row's numbers do not depend on the
others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.errors import WrongValue, check_switch
from taskworlds.vector.flat_state import check_array

__all__ = [
    "ExponentialRewardNormalizer",
    "ObservationNormalizer",
    "ReturnRewardNormalizer",
    "reward_normalizer",
]

_LARGEST = 1e100  # whose third power is finite
_COUNT_AT_START = 1e-4  # Gymnasium's RunningMeanStd starts from this many samples of mean 0 and variance 1


class _Normalizer:
    """Named arrays of statistics with one entry a row, and a switch that freezes them."""

    _names: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.updating = True

    def get_state(self) -> dict[str, Any]:
        """Returns copies of the statistics."""
        return {name: getattr(self, name).copy() for name in self._names} | {"updating": self.updating}

    def check_state(self, state: Mapping[str, Any], num_rows: int) -> None:
        """Raises ValueError for anything but the statistics of `num_rows` rows of the same kind."""
        for name in self._names:
            check_array(state, name, getattr(self, name), num_rows)
            if name in ("var", "count") and (state[name] < 0).any():
                raise WrongValue(f"The state cannot be restored: its {name} holds a number below 0.")
            if (np.abs(state[name]) > _LARGEST).any():
                raise WrongValue(
                    f"The state cannot be restored: its {name} holds a number beyond {_LARGEST}."
                )
        check_switch("updating of a state", state["updating"])

    def set_state(self, state: Mapping[str, Any], source: NDArray[np.int64]) -> None:
        """Takes the statistics that `get_state` returned, row i those of row `source[i]`, (N,) int64."""
        for name in self._names:
            getattr(self, name)[...] = state[name][source]
        self.updating = state["updating"]


class _RunningMoments(_Normalizer):
    """Mean and variance over all samples so far: the parallel update of Chan et al. (1979) for one sample."""

    _names: tuple[str, ...] = ("mean", "var", "count")

    def __init__(self, num_rows: int, *shape: int) -> None:
        super().__init__()
        self.mean = np.zeros((num_rows, *shape))
        self.var = np.ones((num_rows, *shape))
        self.count = np.full(num_rows, _COUNT_AT_START)

    def _update(self, x: NDArray[np.float64], rows: NDArray[np.bool_]) -> None:
        if not self.updating:
            return
        count = self.count[rows].reshape(-1, *[1] * (x.ndim - 1))
        delta = x[rows] - self.mean[rows]
        total = count + 1
        self.var[rows] = (self.var[rows] * count + np.square(delta) * count / total) / total
        self.mean[rows] += delta / total
        self.count[rows] += 1


class ObservationNormalizer(_RunningMoments):
    """Centres observations and scales them to unit variance: Gymnasium's `NormalizeObservation`, in float64.

    Args:
        num_rows: rows of the batch, N.
        size: numbers of an observation, O.
    """

    epsilon = 1e-8

    def __call__(self, obs: NDArray[np.float64], rows: NDArray[np.bool_]) -> None:
        """Updates the statistics of `rows` (N,) with `obs` (N, O), and normalises these rows in place."""
        self._update(obs, rows)
        obs[rows] = (obs[rows] - self.mean[rows]) / np.sqrt(self.var[rows] + self.epsilon)


class ReturnRewardNormalizer(_RunningMoments):
    """Scales rewards by the deviation of the discounted return: Gymnasium's `NormalizeReward`.

    Args:
        num_rows: rows of the batch, N.
    """

    _names = ("mean", "var", "count", "discounted")
    gamma = 0.99
    epsilon = 1e-8

    def __init__(self, num_rows: int) -> None:
        super().__init__(num_rows)
        self.discounted = np.zeros(num_rows)

    def __call__(
        self, rewards: NDArray[np.float64], terminated: NDArray[np.bool_], rows: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Returns the normalised rewards (N,) of `rows`, and the others as they came."""
        self.discounted[rows] = (self.discounted * self.gamma * ~terminated + rewards)[rows]
        self._update(self.discounted, rows)
        return np.where(rows, rewards / np.sqrt(self.var + self.epsilon), rewards)


def exponential_update(
    mean: NDArray[np.float64], var: NDArray[np.float64], value: NDArray[np.float64], alpha: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns mean and variance, new arrays, after `value` has moved them with the weight `alpha`.

    The mean moves first, and the variance measures from where it moved to:
    mean <- (1 - alpha) mean + alpha value; var <- (1 - alpha) var + alpha (value - mean)**2.
    """
    mean = (1 - alpha) * mean + alpha * value
    return mean, (1 - alpha) * var + alpha * np.square(value - mean)


class ExponentialRewardNormalizer(_Normalizer):
    """Scales rewards by their exponentially weighted deviation: garage's and Meta-World's rule, once a step.

    The statistics move once for each reward, by `exponential_update`; the reward becomes r / (sqrt(var) + 1e-8).
    Meta-World 3.1.1 moves them twice.

    Args:
        num_rows: rows of the batch, N.
        alpha: weight of the newest reward.
    """

    _names = ("mean", "var")

    def __init__(self, num_rows: int, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.mean = np.zeros(num_rows)
        self.var = np.ones(num_rows)

    def __call__(
        self, rewards: NDArray[np.float64], terminated: NDArray[np.bool_], rows: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Returns the normalised rewards (N,) of `rows`, and the others as they came."""
        if self.updating:
            mean, var = exponential_update(self.mean, self.var, rewards, self.alpha)
            self.mean[rows], self.var[rows] = mean[rows], var[rows]
        return np.where(rows, rewards / (np.sqrt(self.var) + 1e-8), rewards)


def reward_normalizer(
    method: str | None, num_rows: int, alpha: float
) -> ReturnRewardNormalizer | ExponentialRewardNormalizer | None:
    """Returns what `Options.reward_normalization_method` names; `alpha` is the weight of the newest reward."""
    if method == "gymnasium":
        return ReturnRewardNormalizer(num_rows)
    return ExponentialRewardNormalizer(num_rows, alpha) if method == "exponential" else None
