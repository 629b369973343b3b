"""Chunks beside single steps: steps per second with T actions in one call of step, and in T calls.

    python benchmarks/action_chunks.py [--steps 8] [--rows 1 10] [--skill reach-v3] [--threads 2] [--seconds 1]

One row is measured as a batch of one and as a single environment. The two ways take turns on the same environment; each
number is the median of the rounds, by the clock, and the ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import taskworlds

ROUNDS = 9


def in_chunks(step: Callable[[Any], Any], chunk: Any, count: int, seconds: float) -> float:
    """Returns steps per second of a row with chunks."""
    taken, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        step(chunk)
        taken += count
    return taken / (time.perf_counter() - begun)


def one_by_one(step: Callable[[Any], Any], actions: list[Any], seconds: float) -> float:
    """Returns steps per second of a row with single steps."""
    taken, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        for each in actions:
            step(each)
        taken += len(actions)
    return taken / (time.perf_counter() - begun)


def compare(name: str, env: Any, actions: Any, chunk: Any, count: int, seconds: float) -> None:
    """Prints both ways, and their ratio."""
    env.reset(seed=0)
    ways: dict[str, list[float]] = {"single": [], "chunk": []}
    for _ in range(ROUNDS):
        ways["single"].append(one_by_one(env.step, actions, seconds))
        ways["chunk"].append(in_chunks(env.step, chunk, count, seconds))
    single, chunks = (statistics.median(each) for each in ways.values())
    ratio = statistics.median(b / a for a, b in zip(*ways.values(), strict=True))
    print(
        f"{name}: {single:,.0f} steps/s a row one by one, {chunks:,.0f} in chunks of {count}: {ratio:.2f} times"
    )


def main() -> None:
    """Prints a line for each number of rows, and one for the single environment."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--skill", default="reach-v3")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.5)
    given = parser.parse_args()
    limit = {"max_episode_steps": 10**9, "seed": 0, "num_threads": given.threads}
    rng = np.random.default_rng(0)
    env = taskworlds.make(given.skill, **limit)
    size = env.action_space.shape[0]
    chunk = rng.uniform(-1, 1, (given.steps, size)).astype(np.float32)
    compare("single environment", env, list(chunk), chunk, given.steps, given.seconds)
    for rows in given.rows:
        envs = taskworlds.make_vec(given.skill, rows, **limit)
        chunk = rng.uniform(-1, 1, (rows, given.steps, size)).astype(np.float32)
        steps = [np.ascontiguousarray(chunk[:, step]) for step in range(given.steps)]
        compare(f"{rows} row{'s' if rows > 1 else ''}", envs, steps, chunk, given.steps, given.seconds)
        envs.close()


if __name__ == "__main__":
    main()
