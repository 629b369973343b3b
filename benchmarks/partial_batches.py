"""Whole batches beside partial ones: row steps per second with a policy's time between, on MT50.

    python benchmarks/partial_batches.py [--rows 50] [--batch 10 25] [--threads 2] [--policy 0 20 100] [--seconds 4]

A policy here computes for so many microseconds for each row of a call, in the calling thread (a busy loop). With whole
batches the threads wait for it; with partial ones they step other rows meanwhile, if there are processors for both.
`overlapped` is step_async and step_wait with two halves of the rows in turn, as two environments, which is what one can
do without partial batches. The ways take turns; each number is the median of the rounds, by the clock.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import taskworlds

ROUNDS = 5


def busy(seconds: float) -> None:
    """Computes for so long."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def whole(envs: Any, per_row: float, seconds: float) -> int:
    """Steps all rows together, and returns how many row steps were taken."""
    actions, count, end = np.zeros((envs.num_envs, 4), np.float32), 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        busy(per_row * envs.num_envs)
        envs.step(actions)
        count += envs.num_envs
    return count


def overlapped(halves: list[Any], per_row: float, seconds: float) -> int:
    """Steps one half of the rows while the policy computes for the other."""
    actions, count, end = np.zeros((halves[0].num_envs, 4), np.float32), 0, time.perf_counter() + seconds
    halves[0].step_async(actions)
    while time.perf_counter() < end:
        for now, other in (halves, halves[::-1]):
            busy(per_row * other.num_envs)
            other.step_async(actions)
            now.step_wait()
            count += now.num_envs
    halves[0].step_wait()
    return count


def partial(envs: Any, per_row: float, seconds: float) -> int:
    """Steps rows as they are done."""
    actions, count, end = np.zeros((envs.num_envs, 4), np.float32), 0, time.perf_counter() + seconds
    envs.send(actions, np.arange(envs.num_envs))
    while time.perf_counter() < end:
        rows = envs.recv().rows
        busy(per_row * len(rows))
        envs.send(actions[: len(rows)], rows)
        count += len(rows)
    while envs.partial_batches.sent.any():
        envs.recv()
    return count


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=50)
    parser.add_argument("--batch", type=int, nargs="+", default=[10, 25])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--policy", type=float, nargs="+", default=[0.0, 20.0, 100.0])
    parser.add_argument("--seconds", type=float, default=1.0)
    given = parser.parse_args()

    def make(rows: int, **options: Any) -> Any:
        envs = taskworlds.make_vec("MT50", rows, seed=0, num_threads=given.threads, **options)
        envs.reset(seed=0)
        return envs

    ways: dict[str, Callable[[float], int]] = {}
    all_rows, halves = make(given.rows), [make(given.rows // 2), make(given.rows // 2)]
    ways["whole"] = lambda policy: whole(all_rows, policy, given.seconds)
    ways["overlapped"] = lambda policy: overlapped(halves, policy, given.seconds)
    for size in given.batch:
        envs = make(given.rows, batch_size=size)
        ways[f"batch_size={size}"] = lambda policy, envs=envs: partial(envs, policy, given.seconds)
    for policy in given.policy:
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                taken[name].append(way(policy * 1e-6) / given.seconds)
        shown = ", ".join(f"{name} {statistics.median(each):,.0f}" for name, each in taken.items())
        print(f"policy {policy:g} µs a row: row steps/s {shown}")


if __name__ == "__main__":
    main()
