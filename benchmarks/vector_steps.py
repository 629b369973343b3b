"""Steps per second of a benchmark's vector environment: ours on each engine, and Meta-World's own.

All are built first, then timed in alternating rounds of random actions; the table gives medians, and ratios of medians
from the same run. Machines are noisy: quote the ratios.

    python benchmarks/vector_steps.py MT10 --rounds 7 --steps 60
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import metaworld  # noqa: F401  registers Meta-World/...
import numpy as np

import taskworlds


def main() -> None:
    """Builds, times and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmark", nargs="?", default="MT10", choices=["MT10", "MT25", "MT50"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=60, help="steps of the whole batch in a round")
    given = parser.parse_args()
    name = given.benchmark

    makers: dict[str, Callable[[], Any]] = {
        "native, 1 thread": lambda: taskworlds.make_vec(name, seed=0, num_threads=1),
        "native, all threads": lambda: taskworlds.make_vec(name, seed=0),
        "ours, sync": lambda: taskworlds.make_vec(name, seed=0, vector_strategy="sync"),
        "Meta-World, sync": lambda: gym.make_vec(f"Meta-World/{name}", seed=0, vector_strategy="sync"),
        "Meta-World, async": lambda: gym.make_vec(f"Meta-World/{name}", seed=0, vector_strategy="async"),
    }
    built, seconds = {}, {}
    for title, make in makers.items():
        begun = time.perf_counter()
        built[title] = make()
        built[title].reset(seed=0)
        seconds[title] = time.perf_counter() - begun
    shape = built["native, 1 thread"].action_space.shape
    actions = np.random.default_rng(0).uniform(-1, 1, (given.steps, *shape)).astype(np.float32)
    speeds: dict[str, list[float]] = {title: [] for title in built}
    for _ in range(given.rounds):
        for title, envs in built.items():
            envs.reset()
            begun = time.perf_counter()
            for each in actions:
                envs.step(each)
            speeds[title].append(len(actions) * shape[0] / (time.perf_counter() - begun))
    base = statistics.median(speeds["Meta-World, sync"])
    print(f"{name}: {shape[0]} rows, medians of {given.rounds} rounds of {given.steps} steps")
    print(f"{'':22}{'steps/s':>9}{'times Meta-World, sync':>24}{'build + first reset':>21}")
    for title, each in speeds.items():
        median = statistics.median(each)
        print(f"{title:22}{median:9,.0f}{median / base:24.2f}{seconds[title]:19.1f} s")
    for envs in built.values():
        envs.close()


if __name__ == "__main__":
    main()
