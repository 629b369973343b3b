"""Whether a step waits for starts: 1,000 rows of MT10 whose episodes of 150 steps end at different times.

    python benchmarks/starts.py [--rows 1000] [--threads 2]

With the listed goals a start is kept after its first time; with unlimited goals each is computed anew, ahead of time.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import taskworlds

STEPS = 150


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    for unlimited in (False, True):
        envs = taskworlds.make_vec(
            "MT10",
            arguments.rows,
            seed=0,
            max_episode_steps=STEPS,
            unlimited_goals=unlimited,
            num_threads=arguments.threads,
        )
        envs.reset(seed=0)
        np_random = np.random.default_rng(0)
        begins = np_random.integers(0, STEPS, arguments.rows)
        times = []
        for step in range(3 * STEPS):
            if (begins == step).any():
                envs.reset(options={"reset_mask": begins == step})
            actions = np_random.uniform(-1, 1, envs.action_space.shape).astype(np.float32)
            began = time.perf_counter()
            envs.step(actions)
            times.append(1e3 * (time.perf_counter() - began))
        last = np.array(times[2 * STEPS :])
        print(
            f"{'unlimited' if unlimited else 'listed':9} goals: {np.median(last):.1f} ms a step in the median, "
            f"{np.percentile(last, 99):.1f} at 99 %, {last.max():.1f} at the most",
            flush=True,
        )
        envs.close()


if __name__ == "__main__":
    main()
