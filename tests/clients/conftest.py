"""The libraries that people train and collect with, the real ones: what their tests share.

A file whose library is missing is skipped, unless CLIENTS_REQUIRED is set (tests/conftest.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode


def play(
    envs,
    steps: int,
    seed: int | None = None,
    *,
    apart: bool = False,
    to_env: Callable[[Any], Any] = lambda array: array,
):
    """Steps a batch past the ends of episodes, with the same actions whatever the seed is.

    In the mode Disabled the rows whose episodes end are reset by hand.

    Args:
        envs: a batch with a Box of actions, bare or in wrappers.
        steps: how many steps.
        seed: of the reset at the beginning.
        apart: whether to reset the first row after the first step, so that not all rows end at once.
        to_env: makes of a NumPy array what the batch takes.

    Yields:
        At each reset (observations, infos), and at each step Gymnasium's five values.
    """
    mode, rng = envs.unwrapped.metadata["autoreset_mode"], np.random.default_rng(0)
    space = envs.unwrapped.action_space
    yield envs.reset(seed=seed)
    for step in range(steps):
        outcome = envs.step(to_env(rng.uniform(-1, 1, space.shape).astype(space.dtype)))
        yield outcome
        rows = np.zeros(envs.num_envs, dtype=bool)
        if mode is AutoresetMode.DISABLED:
            rows |= np.asarray(outcome[2]) | np.asarray(outcome[3])
        if apart and step == 0:
            rows[0] = True
        if rows.any():
            yield envs.reset(options={"reset_mask": to_env(rows)})


def numbers(value: Any) -> Iterator[np.ndarray]:
    """Takes data apart into its arrays, in order; leaves out how long an episode took."""
    if isinstance(value, dict):
        for name in sorted(set(value) - {"t", "_t"}):
            yield from numbers(value[name])
    elif isinstance(value, tuple | list):
        for each in value:
            yield from numbers(each)
    else:
        yield np.asarray(value)


def same(one: Any, other: Any) -> bool:
    first, second = list(numbers(one)), list(numbers(other))
    return len(first) == len(second) and all(map(np.array_equal, first, second))


@pytest.fixture(name="play", scope="session")
def _play():
    return play


@pytest.fixture(scope="session")
def decided_by_the_seed():
    """Asserts that a function of a seed returns the same numbers for equal seeds, others for another; returns them."""

    def check(outcome: Callable[[int], Any]) -> Any:
        first = outcome(1)
        assert same(first, outcome(1)), "equal seeds gave different numbers"
        assert not same(first, outcome(2)), "the seed made no difference"
        return first

    return check


@pytest.fixture
def one_thread():
    """Gives PyTorch one thread: more cost more than they bring for networks as small as those of the tests."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
