"""What of a step the threads cannot share: processor time of the calling thread without physics, for few rows and many.

    python benchmarks/serial_share.py [--rows 10 1000 10000] [--rounds 15] [--row 70]

First the whole vector environment (MT50's skills, the engine's own work replaced by a stored outcome), then the
engine's own serial work (a step of no rows: arrays are cleared, actions copied, rows listed). `--row` is what a row's
step takes, in microseconds: with it the loss at 64 and 128 cores is computed, not measured. It does not contain waking
threads. Last, a single environment beside a batch of one, both without physics. Times are the least of the rounds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import taskworlds


def microseconds(call: Callable[[], Any], rounds: int, calls: int) -> float:
    """Returns the processor time of a call, the least of the rounds."""
    taken = []
    for _ in range(rounds):
        begin = time.process_time()
        for _ in range(calls):
            call()
        taken.append((time.process_time() - begin) / calls * 1e6)
    return min(taken)


def without_physics(envs: Any, actions: np.ndarray) -> None:
    """Makes the rows of an environment return their last outcome at each step."""
    outcome = envs.rows.step(actions, np.ones(len(actions), dtype=bool))
    envs.rows.step = lambda actions, rows: outcome


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10, 1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--row", type=float, default=70.0)
    given = parser.parse_args()

    print("rows     environment   engine   together   lost at 64 cores   at 128 (computed)")
    for n in given.rows:
        envs = taskworlds.make_vec("MT50", n, seed=0, num_threads=1, max_episode_steps=10**9)
        envs.reset(seed=0)
        actions = np.zeros((n, 4), dtype=np.float32)
        engine, nobody = envs.rows.engine, np.zeros(n, dtype=bool)
        calls = max(5, 20_000 // n)
        without_physics(envs, actions)
        above = microseconds(lambda envs=envs, actions=actions: envs.step(actions), given.rounds, calls)
        own = microseconds(
            lambda engine=engine, actions=actions, nobody=nobody: engine.step(actions, nobody),
            given.rounds,
            calls,
        )
        serial = above + own
        # Rows are whole: with fewer than cores, the others have nothing to do, and that is no loss of ours.
        lost = [serial / (serial + given.row * -(-n // cores)) for cores in (64, 128)]
        print(f"{n:6} {above:10.1f} µs {own:7.1f} µs {serial:7.1f} µs {lost[0]:12.1%} {lost[1]:18.1%}")
        envs.close()

    single = taskworlds.make("reach-v3", seed=0, num_threads=1, max_episode_steps=10**9)
    batch = taskworlds.make_vec("reach-v3", 1, seed=0, num_threads=1, max_episode_steps=10**9)
    one = np.zeros(4, dtype=np.float32)
    for envs in (single.batch, batch):
        envs.reset(seed=0)
        without_physics(envs, one[None])
    takes = {
        "a single environment": microseconds(lambda: single.step(one), 200, 100),
        "a batch of one": microseconds(lambda: batch.step(one[None]), 200, 100),
    }
    print("without physics: " + ", ".join(f"{name} {time:.1f} µs" for name, time in takes.items()))


if __name__ == "__main__":
    main()
