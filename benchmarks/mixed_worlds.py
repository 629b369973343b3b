"""A batch of several worlds, beside its worlds in batches of their own that are stepped one after the other.

    python benchmarks/mixed_worlds.py [rounds]

Both take the same actions, in turns of 20 steps, with their observations, rewards and infos; resets are left out. The
ratio is the parts' time over the mixed batch's, of each round; above 1 the mixed batch is the faster one.
"""

import argparse
import os
import statistics
import time

import numpy as np

import taskworlds
from taskworlds import Benchmark

STEPS = 20
MIXTURES = {
    "MT10, walker-walk, half-cheetah-vel, 10 + 4 + 4 rows": (
        ("MT10", "walker-walk", "half-cheetah-vel"),
        (10, 4, 4),
    ),
    "MT10, walker-walk, half-cheetah-vel, 10 + 1 + 1 rows": (
        ("MT10", "walker-walk", "half-cheetah-vel"),
        (10, 1, 1),
    ),
    "MT50, cheetah-run, walker-run, ant-dir, 50 + 16 + 16 + 16 rows": (
        ("MT50", "cheetah-run", "walker-run", "ant-dir"),
        (50, 16, 16, 16),
    ),
    "cartpole-swingup, point, 16 + 16 rows": (("cartpole-swingup", "point"), (16, 16)),
    "MT80, which is MT50 and 30 skills of dm_control, one row each": (
        (
            "MT50",
            *(name for name in taskworlds.benchmark("MT80").env_names("train") if not name.endswith("-v3")),
        ),
        (50, *[1] * 30),
    ),
}


def seconds(batches):
    """Clock of some steps of all batches, given with the actions of each step: in each step one after the other."""
    batches = list(batches)
    began = time.perf_counter()
    for step in range(STEPS):
        for envs, actions in batches:
            envs.step(actions[step])
    return time.perf_counter() - began


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("rounds", type=int, nargs="?", default=21, help="rounds of both, alternating")
rounds = parser.parse_args().rounds
rng = np.random.default_rng(0)
print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
for title, (names, rows) in MIXTURES.items():
    long = {"max_episode_steps": 10**6, "task_select": "random"}
    mixed = taskworlds.make_vec(Benchmark.union("mixed", names, shares=rows), sum(rows), pad=True, **long)
    parts = [taskworlds.make_vec(name, count, **long) for name, count in zip(names, rows, strict=True)]
    actions = [rng.uniform(-1, 1, mixed.action_space.shape) for _ in range(STEPS)]
    firsts = np.cumsum([0, *rows])
    cut = [
        [
            np.ascontiguousarray(each[first : first + count, : part.single_action_space.shape[0]])
            for each in actions
        ]
        for part, first, count in zip(parts, firsts, rows, strict=False)
    ]
    ratios, clock = [], {"mixed": [], "parts": []}
    for number in range(rounds + 2):
        for envs in (mixed, *parts):
            envs.reset(seed=number)
        turns = {
            "mixed": lambda mixed=mixed, actions=actions: seconds([(mixed, actions)]),
            "parts": lambda parts=parts, cut=cut: seconds(zip(parts, cut, strict=True)),
        }
        order = sorted(turns, reverse=bool(number % 2))
        took = {name: turns[name]() for name in order}
        if number >= 2:  # the first two warm up
            ratios.append(took["parts"] / took["mixed"])
            for name, time_taken in took.items():
                clock[name].append(1000 * time_taken / STEPS)
    middle = {name: statistics.median(times) for name, times in clock.items()}
    low, ratio, high = np.percentile(ratios, (25, 50, 75))
    print(
        f"{title:66} mixed {middle['mixed']:.3f} ms a step, parts {middle['parts']:.3f} ms; "
        f"ratio {ratio:.2f} ({low:.2f} to {high:.2f})",
        flush=True,
    )
    for envs in (mixed, *parts):
        envs.close()
