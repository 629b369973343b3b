"""Millions of steps of random use on the native engine: memory must stay bounded, and every number finite.

The batch has rows of all 50 skills of MT50. Each of its steps draws anew what happens: which rows step, whether the
caller waits or computes meanwhile, a reset of some rows in mid-episode, tasks set for later, a snapshot put back, rows
copied from other rows. Half of the resets by hand go to goals that were never used before, so that the outcomes of
resets that the package keeps would pile up: their limit is lowered (`--kept-mb`) for the soak to reach it again and
again.

    python benchmarks/soak.py                                 two million steps, some minutes
    python benchmarks/soak.py --steps 50000 --kept-mb 0.5     the short run that the tests make

It prints the process's memory over time: PSS (of pages that processes share, each counts its part), RSS, and its own
data (anonymous pages). It exits with 1 when the median of its own data over the last quarter of the run is above that
of the second by more than `--bound-mb` (the C library's allocator moves by some 30 MB either way); when kept resets
pass their limit; or when a number in an observation, a reward or info is not finite.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import taskworlds
from taskworlds.worlds.metaworld import starts

MB = 2**20


def memory() -> dict[str, float]:
    """Gives this process's Pss, Rss and Anonymous, MB; the most that it ever held for each where /proc is missing."""
    rollup = Path("/proc/self/smaps_rollup")
    names = ("Pss", "Rss", "Anonymous")
    if not rollup.exists():
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return dict.fromkeys(names, most / (MB if sys.platform == "darwin" else 1024))
    lines = [line.split() for line in rollup.read_text().splitlines()]
    return {each[0][:-1]: int(each[1]) / 1024 for each in lines if each[0][:-1] in names}


def not_finite(value: Any, name: str = "") -> Iterator[str]:
    """Names the numbers in an outcome, infos within infos included, that are NaN or infinite."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from not_finite(inner, f"{name}/{key}")
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for row, inner in enumerate(value):
            yield from not_finite(inner, f"{name}[{row}]")
    elif isinstance(value, np.ndarray) and value.dtype.kind == "f" and not np.isfinite(value).all():
        yield f"{name}: {value[~np.isfinite(value)][:3]} in {np.argwhere(~np.isfinite(value))[:3].tolist()}"


class Soak:
    """Random use of one environment. `steps` counts steps of rows, `episodes` those that ended."""

    def __init__(self, rows: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.seed = seed
        self.envs = taskworlds.make_vec(
            "MT50",
            rows,
            seed=seed,
            num_goals=10,
            vector_strategy="native",
            max_episode_steps=150,
            use_one_hot=True,
            recurrent_info_in_obs=True,
            terminate_on_success=True,
            normalize_observations=True,
            reward_normalization_method="gymnasium",
        )
        self.steps = self.episodes = self.diverged = 0
        self._new_goals = 0
        self._unused: list[taskworlds.Task] = []
        self._check(self.envs.reset(seed=seed))
        self._state = self.envs.get_state()

    def turn(self) -> None:
        """One step of the batch, and now and then something before it."""
        rng, envs = self.rng, self.envs
        if rng.random() < 0.03:
            mask = rng.random(envs.num_envs) < 0.15
            options: dict[str, Any] = {"reset_mask": mask}
            if rng.random() < 0.5:
                options["tasks"] = self._fresh(int(mask.sum()))
            self._check(envs.reset(options=options))
        if rng.random() < 0.005:
            mask = rng.random(envs.num_envs) < 0.05
            envs.set_tasks(self._fresh(int(mask.sum())), mask)
        if rng.random() < 0.001:
            self._check(envs.sample_tasks())
        if rng.random() < 0.005:
            envs.set_state(self._state)
        if rng.random() < 0.001:
            envs.set_state(envs.get_state(), rows=rng.integers(envs.num_envs, size=envs.num_envs))
            self._check(
                envs.reset(
                    seed=int(rng.integers(2**31)), options={"reset_mask": rng.random(envs.num_envs) < 0.5}
                )
            )
        if rng.random() < 0.005:
            self._state = envs.get_state()
        stepping: NDArray[np.bool_] | None = rng.random(envs.num_envs) < 0.9 if rng.random() < 0.2 else None
        actions = rng.uniform(-1, 1, (envs.num_envs, 4))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RuntimeWarning)
            if rng.random() < 0.5:
                outcome = envs.step(actions, stepping)
            else:
                envs.step_async(actions, stepping)
                outcome = envs.step_wait()
        self.diverged += len(caught)
        self._check(outcome)
        self.steps += envs.num_envs if stepping is None else int(stepping.sum())
        self.episodes += int((outcome[2] | outcome[3]).sum())

    def _fresh(self, count: int) -> list[taskworlds.Task]:
        """Gives tasks of any skills that had no episode yet."""
        while len(self._unused) < count:
            self._new_goals += 1
            more = taskworlds.benchmark("MT50", seed=self.seed + self._new_goals, num_goals=10).train_tasks
            self._unused += [more[i] for i in self.rng.permutation(len(more))]
        fresh, self._unused = self._unused[:count], self._unused[count:]
        return fresh

    def _check(self, outcome: tuple[Any, ...]) -> None:
        names = ("obs", "rewards", "terminated", "truncated") if len(outcome) == 5 else ("obs",)
        for name, value in zip((*names, "infos"), outcome, strict=True):
            for found in not_finite(value, name):
                raise FloatingPointError(f"After {self.steps:,} steps, {found} of {self.envs.current_tasks}")


def main() -> int:
    """Soaks, prints, and gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=2_000_000, help="steps of rows, all together")
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bound-mb", type=float, default=48.0, help="growth that is let pass")
    parser.add_argument("--kept-mb", type=float, default=3.0, help="limit of the kept resets")
    given = parser.parse_args()
    starts.MAX_BYTES = int(given.kept_mb * MB)

    soak = Soak(given.rows, given.seed)
    begun = time.perf_counter()
    own: list[float] = []
    most_kept = 0
    print(
        f"{'steps':>10} {'episodes':>9} {'PSS':>9} {'RSS':>9} {'own':>9} {'kept resets':>12} {'steps/s':>8}"
    )
    try:
        while soak.steps < given.steps:
            soak.turn()
            most_kept = max(most_kept, starts.kept_bytes())
            if soak.steps * 20 < given.steps * (len(own) + 1):
                continue
            now = memory()
            own.append(now["Anonymous"])
            sizes = " ".join(f"{now[name]:6.1f} MB" for name in ("Pss", "Rss", "Anonymous"))
            kept, speed = starts.kept_bytes() / MB, soak.steps / (time.perf_counter() - begun)
            print(
                f"{soak.steps:10,} {soak.episodes:9,} {sizes} {kept:9.2f} MB {speed:8,.0f}",
                flush=True,
            )
    except FloatingPointError as error:
        print(f"FAILED: {error}")
        return 1
    fourth = len(own) // 4
    grown = statistics.median(own[-fourth:]) - statistics.median(own[fourth : 2 * fourth])
    print(
        f"own data grew by {grown:.1f} MB from the second to the last quarter; at most {given.bound_mb:g} MB may be"
    )
    print(f"kept resets took {most_kept / MB:.2f} MB at most, and may take {given.kept_mb:g} MB")
    print(f"simulations that diverged: {soak.diverged}")
    if grown > given.bound_mb:
        print("FAILED: memory grows")
        return 1
    if most_kept > starts.MAX_BYTES:
        print("FAILED: kept resets pass their limit")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
