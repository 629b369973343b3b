"""Measures contestants: steps in alternating rounds in this process, build time and memory in a process each."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from taskworlds.core.benchmark import Benchmark
from taskworlds.core.processes import python_command
from taskworlds.perf.bare_loop import BareLoop
from taskworlds.perf.contestants import Contestant, contestants

__all__ = ["Built", "Measured", "build_alone", "build_here", "measure"]

_BUILD = "from taskworlds.perf.measure import build_here; build_here()"


@dataclass(frozen=True)
class Built:
    """What it took to make an environment in a process of its own.

    Attributes:
        seconds: from before the first import of the environment's packages to after the first reset.
        megabytes: memory of the process, and of those that it started, after some steps; shared pages are divided
            among those who share them. None where the system does not tell (it does on Linux).
    """

    seconds: float
    megabytes: float | None


@dataclass(frozen=True)
class Measured:
    """What was measured of a contestant.

    Attributes:
        contestant: who.
        steps_per_second: of all rows together, in mid-episode: one number a round.
        with_resets: the same over whole episodes, their resets included; empty if that was not asked for, or where
            there are no episodes.
        of_bare: `steps_per_second` as a share of its yardstick's, one number a round; empty without a yardstick.
        built: build time and memory; None if that was not asked for, or where nothing is built.
    """

    contestant: Contestant
    steps_per_second: tuple[float, ...]
    with_resets: tuple[float, ...]
    of_bare: tuple[float, ...]
    built: Built | None

    @property
    def speed(self) -> float:
        """Median of `steps_per_second`."""
        return statistics.median(self.steps_per_second)

    @property
    def episode_speed(self) -> float | None:
        """Median of `with_resets`."""
        return statistics.median(self.with_resets) if self.with_resets else None

    def times(self, base: Measured) -> float:
        """Returns how many times another's steps per second these are: the median of the rounds' ratios."""
        return _median_ratio(self.steps_per_second, base.steps_per_second)

    def episode_times(self, base: Measured) -> float | None:
        """Returns the same over whole episodes; None where there are none."""
        return _median_ratio(self.with_resets, base.with_resets) if self.with_resets else None

    @property
    def share(self) -> float | None:
        """Median of `of_bare`."""
        return statistics.median(self.of_bare) if self.of_bare else None


def _median_ratio(mine: Sequence[float], theirs: Sequence[float]) -> float:
    """Returns the median of the ratios within a round, on which the load of the moment has no effect."""
    return statistics.median(a / b for a, b in zip(mine, theirs, strict=True))


def measure(
    everyone: Sequence[Contestant],
    *,
    steps: int,
    rounds: int,
    episode_rounds: int = 0,
    episode_steps: int = 500,
    built: Callable[[Contestant], Built] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> list[Measured]:
    """Lets all contestants step in turn, round after round, so that a busy machine is busy for all of them.

    They get the same actions. In mid-episode each round begins with a reset by a seed of the round, so that a bare loop
    steps the very tasks and starts that the environment does of which it is the yardstick.

    Args:
        everyone: the contestants.
        steps: steps of the batch in a round in mid-episode.
        rounds: such rounds.
        episode_rounds: rounds of one whole episode, in which every row is reset once.
        episode_steps: steps of a whole episode.
        built: measures a contestant's build time and memory, if that is wanted.
        say: is told what is going on.
    """
    builds: list[Built | None] = []
    for each in everyone:
        if built is None or each.is_bare:
            builds.append(None)
            continue
        say(f"building {each.title}")
        builds.append(built(each))
    envs, actions = [], []
    for each in everyone:
        env = each.make()
        env.reset(seed=0)
        space = env.action_space if each.rows is None else env.single_action_space
        envs.append(env)
        actions.append(each.actions(max(steps, 64), np.random.default_rng(0), space))
    plain: list[list[float]] = [[] for _ in everyone]
    whole: list[list[float]] = [[] for _ in everyone]
    for number in range(rounds + episode_rounds):
        is_whole = number >= rounds
        say(f"round {number + 1} of {rounds + episode_rounds}")
        for index, (each, env) in enumerate(zip(everyone, envs, strict=True)):
            if is_whole and each.is_bare:
                continue
            env.reset(seed=None if is_whole else number * (each.rows or 1))
            count = episode_steps if is_whole else steps
            seconds = _step(env, actions[index], count, is_single=each.rows is None)
            (whole if is_whole else plain)[index].append(count * (each.rows or 1) / seconds)
    for env in envs:
        env.close()
    speeds = {each.title: mine for each, mine in zip(everyone, plain, strict=True)}
    shares = []
    for each, mine in zip(everyone, plain, strict=True):
        bare = speeds.get(each.yardstick) if each.yardstick is not None else None
        shares.append(() if bare is None else tuple(a / b for a, b in zip(mine, bare, strict=True)))
    return [
        Measured(each, tuple(plain[i]), tuple(whole[i]), shares[i], builds[i])
        for i, each in enumerate(everyone)
    ]


def _step(env: Any, actions: Any, count: int, is_single: bool) -> float:
    """Takes so many steps, and returns the seconds."""
    if isinstance(env, BareLoop):
        return env.run(actions[:count]).seconds
    begun = time.perf_counter()
    for step in range(count):
        _, _, terminated, truncated, _ = env.step(actions[step % len(actions)])
        if is_single and (terminated or truncated):  # it does not reset itself
            env.reset()
    return time.perf_counter() - begun


def build_alone(
    benchmark: Benchmark, num_envs: int, threads: tuple[int, ...], contestant: Contestant
) -> Built:
    """Makes a contestant in a new process, resets it, takes ten steps, and returns what that took."""
    call = python_command(_BUILD, contestant.title, str(num_envs), ",".join(map(str, threads)))
    answer = subprocess.run(call, input=benchmark.to_json(), capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"{contestant.title} could not be built: {answer.stderr.strip()[-500:]}")
    return Built(*json.loads(answer.stdout.splitlines()[-1]))


def build_here() -> None:
    """Does in this process, by its command, what `build_alone` asks for, and prints what it took."""
    title, num_envs, threads = sys.argv[1], int(sys.argv[2]), tuple(int(n) for n in sys.argv[3].split(","))
    benchmark = Benchmark.from_json(sys.stdin.read())
    begun = time.perf_counter()
    (mine,) = [each for each in contestants(benchmark, num_envs, threads) if each.title == title]
    env = mine.make()
    env.reset(seed=0)
    seconds = time.perf_counter() - begun
    space = env.action_space if mine.rows is None else env.single_action_space
    for action in mine.actions(10, np.random.default_rng(0), space):
        env.step(action)
    print(json.dumps([seconds, _megabytes()]))
    env.close()


def _megabytes() -> float | None:
    """Memory of this process and those that it started, in MB; None where the system does not tell."""
    if not Path("/proc/self/smaps_rollup").exists():
        return None
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents.setdefault(int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]), []).append(
                int(folder.name)
            )
        except OSError:  # it has ended meanwhile
            continue
    total, todo = 0, [os.getpid()]
    while todo:
        process = todo.pop()
        todo += parents.get(process, [])
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024
