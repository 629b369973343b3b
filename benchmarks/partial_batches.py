"""Whole batches beside partial ones: row steps per second with a policy's time between.

    python benchmarks/partial_batches.py [MT50 ...] [--rows 50] [--batch 10 25] [--threads 2] [--policy 0 20 100]
                                         [--elsewhere] [--seconds 1]

A policy here computes for so many microseconds for each row of a call, in the calling thread (a busy loop), or with
--elsewhere on a processor of its own, as a GPU would, for which that thread waits (a sleep). With whole
batches the threads wait for it; with partial ones they step other rows meanwhile, if there are processors for both.
`overlapped` is step_async and step_wait with two halves of the rows in turn, as two environments, which is what one can
do without partial batches. The ways take turns; each number is the median of the rounds, by the clock.

Several names are several worlds in one batch, each with as many rows. What each has of the steps is told, since in
partial batches rows of fast worlds step more often.
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
Policy = Callable[[float], None]


def elsewhere(seconds: float) -> None:
    """Waits for so long."""
    if seconds:
        time.sleep(seconds)


def busy(seconds: float) -> None:
    """Computes for so long."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def some_actions(envs: Any) -> Any:
    """Returns actions of zeros for all rows."""
    return np.zeros((envs.num_envs, *envs.single_action_space.shape), np.float32)


def whole(envs: Any, policy: Policy, per_row: float, seconds: float) -> Any:
    """Steps all rows together, and returns how many steps the rows of each world took."""
    actions, count, end = some_actions(envs), 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        policy(per_row * envs.num_envs)
        envs.step(actions)
        count += 1
    return count * np.bincount(envs.world_index)


def overlapped(halves: list[Any], policy: Policy, per_row: float, seconds: float) -> Any:
    """Steps one half of the rows while the policy computes for the other."""
    actions, count, end = some_actions(halves[0]), 0, time.perf_counter() + seconds
    halves[0].step_async(actions)
    while time.perf_counter() < end:
        for now, other in (halves, halves[::-1]):
            policy(per_row * other.num_envs)
            other.step_async(actions)
            now.step_wait()
            count += 1
    halves[0].step_wait()
    return count * np.bincount(halves[0].world_index)


def partial(envs: Any, policy: Policy, per_row: float, seconds: float) -> Any:
    """Steps rows as they are done."""
    actions, end = some_actions(envs), time.perf_counter() + seconds
    count = np.zeros(len(envs.worlds), np.int64)
    envs.send(actions, np.arange(envs.num_envs))
    while time.perf_counter() < end:
        rows = envs.recv().rows
        policy(per_row * len(rows))
        envs.send(actions[: len(rows)], rows)
        count += np.bincount(envs.world_index[rows], minlength=len(count))
    while envs.partial_batches.sent.any():
        envs.recv()
    return count


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=["MT50"], help="benchmarks and worlds, in one batch")
    parser.add_argument("--rows", type=int, default=50)
    parser.add_argument("--batch", type=int, nargs="+", default=[10, 25])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--policy", type=float, nargs="+", default=[0.0, 20.0, 100.0])
    parser.add_argument("--elsewhere", action="store_true", help="the policy computes on another processor")
    parser.add_argument("--seconds", type=float, default=1.0)
    given = parser.parse_args()

    def make(rows: int, **options: Any) -> Any:
        name = given.names[0]
        if len(given.names) > 1:
            name = taskworlds.Benchmark.union("worlds", given.names, shares=[1] * len(given.names))
            options |= {"pad": True}
        envs = taskworlds.make_vec(name, rows, seed=0, num_threads=given.threads, **options)
        envs.reset(seed=0)
        return envs

    compute = elsewhere if given.elsewhere else busy
    ways: dict[str, Callable[[float], Any]] = {}
    all_rows, halves = make(given.rows), [make(given.rows // 2), make(given.rows // 2)]
    ways["whole"] = lambda policy: whole(all_rows, compute, policy, given.seconds)
    ways["overlapped"] = lambda policy: overlapped(halves, compute, policy, given.seconds)
    for size in given.batch:
        envs = make(given.rows, batch_size=size)
        ways[f"batch_size={size}"] = lambda policy, envs=envs: partial(envs, compute, policy, given.seconds)
    for policy in given.policy:
        taken: dict[str, list[Any]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                taken[name].append(way(policy * 1e-6) / given.seconds)
        shown = ", ".join(
            f"{name} {statistics.median(map(np.sum, each)):,.0f}" for name, each in taken.items()
        )
        print(f"policy {policy:g} µs a row: row steps/s {shown}")
        if len(given.names) > 1:
            by_world = {name: np.median(each, axis=0) for name, each in taken.items()}
            shown = ", ".join(
                f"{name} {' + '.join(f'{x:,.0f}' for x in each)}" for name, each in by_world.items()
            )
            print(f"  by world ({', '.join(world.name for world in all_rows.worlds)}): {shown}")


if __name__ == "__main__":
    main()
