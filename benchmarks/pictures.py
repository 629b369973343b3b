"""Pictures per second: Meta-World's own render loop, single pictures of ours, and pictures as observations.

    python benchmarks/pictures.py [--benchmark MT10] [--rows 10] [--rounds 5] [--size 84] [--camera corner2]

The cases draw the same rows, in the same states, and take turns; each number is the median of the rounds. "wall" is the
time on the clock a picture and "processor" that of all threads, both in milliseconds. "times" compares the times on the
clock with official's. Where others use the machine, the processor time of a case is what holds; what several threads
gain is then to be seen in "at once": how many processors were busy, the processor time over the time on the clock.

It checks that pictures in official quality equal `render()` to the last bit, and shows how many pixels differ in the
other quality, in how many by more than 8 of 255, and how much memory the process has taken.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import taskworlds
from taskworlds.rendering import offscreen

offscreen.prepare()  # before MuJoCo is imported

SEEN = 8  # of 255: a difference that can be seen


class Case:
    """Something that draws all rows, and its times."""

    def __init__(self, name: str, draw: Callable[[], Any]) -> None:
        self.name, self.draw = name, draw
        self.wall: list[float] = []
        self.processor: list[float] = []

    def run(self, pictures: int) -> None:
        """Draws once, and notes the times a picture, seconds."""
        wall, processor = time.perf_counter(), time.process_time()
        self.draw()
        self.wall.append((time.perf_counter() - wall) / pictures)
        self.processor.append((time.process_time() - processor) / pictures)


def official_envs(tasks: list[taskworlds.Task], camera: str, size: int) -> list[Any]:
    """Makes Meta-World's own environments of these tasks, each reset."""
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    envs = []
    for task in tasks:
        make = ALL_V3_ENVIRONMENTS[task.env_name]
        env = make(render_mode="rgb_array", camera_name=camera, width=size, height=size)
        env._set_task_called, env._freeze_rand_vec = True, True
        env._last_rand_vec = np.array(task["rand_vec"])
        env._partially_observable = task["partially_observable"]
        env.reset()
        envs.append(env)
    return envs


def resident() -> float:
    """Returns the memory that the process has, MB; nan where that is not known."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--benchmark", default="MT10")
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="steps before the pictures")
    parser.add_argument("--size", type=int, default=84)
    parser.add_argument("--camera", default="corner2")
    arguments = parser.parse_args()
    size, rows = arguments.size, arguments.rows
    how: dict[str, Any] = {"seed": 0, "width": size, "height": size}
    before = resident()
    ours = {
        quality: taskworlds.make_vec(
            arguments.benchmark,
            rows,
            observation="pixels",
            cameras=(arguments.camera,),
            picture_quality=quality,
            **how,
        )
        for quality in ("official", "training")
    }
    single = taskworlds.make_vec(
        arguments.benchmark, rows, render_mode="rgb_array", camera_name=arguments.camera, **how
    )
    rng = np.random.default_rng(0)
    actions = [rng.uniform(-1, 1, (rows, 4)).astype(np.float32) for _ in range(arguments.steps)]
    seen = {}
    single.reset(seed=0)
    for action in actions:
        single.step(action)
    for quality, envs in ours.items():
        seen[quality], _ = envs.reset(seed=0)
        for action in actions:
            seen[quality], *_ = envs.step(action)
    taken = resident() - before
    theirs_envs = official_envs(
        [task for task in single.current_tasks if task is not None], arguments.camera, size
    )
    for action in actions:
        for row, env in enumerate(theirs_envs):
            env.step(action[row])

    rendered = np.stack(single.render())
    theirs = np.stack([env.render() for env in theirs_envs])
    turned = theirs[:, ::-1, ::-1] if arguments.camera.startswith("corner") else theirs
    assert np.array_equal(seen["official"], rendered), "official quality must equal render()"
    share = (seen["official"] == turned).all(axis=-1).mean()
    print(
        f"official quality: equal to render() in every bit; equal to Meta-World's own in {share:.2%} of pixels"
    )
    apart = np.abs(seen["training"].astype(int) - rendered).max(axis=-1)
    print(
        f"training quality: {(apart > 0).mean():.2%} of pixels differ, {(apart > SEEN).mean():.2%} by more than {SEEN}"
    )
    print(f"memory of three batches, with all that draws: {taken:.0f} MB")

    every = np.ones(rows, np.bool_)
    views = {quality: envs.options.views_of(envs.world) for quality, envs in ours.items()}
    cases = [
        Case("official", lambda: [env.render() for env in theirs_envs]),
        Case("render()", single.render),
        *(
            Case(
                f"{quality}, observed",
                lambda quality=quality: ours[quality].rows.pictures(views[quality], every),
            )
            for quality in ours
        ),
    ]
    for case in cases:
        case.run(rows)  # warm
        case.wall.clear()
        case.processor.clear()
    for _ in range(arguments.rounds):
        for case in cases:
            case.run(rows)
    print(f"{rows} rows of {arguments.benchmark}, {size} x {size}, {len(os.sched_getaffinity(0))} processors")
    print(f"{'':20}{'wall':>10}{'processor':>12}{'times':>8}{'least wall':>12}{'at once':>9}")
    base = cases[0]
    for case in cases:
        wall, processor = np.median(case.wall), np.median(case.processor)
        ratio = np.median(np.array(base.wall) / np.array(case.wall))
        print(
            f"{case.name:20}{1e3 * wall:8.1f}ms{1e3 * processor:10.1f}ms{ratio:8.2f}{1e3 * min(case.wall):10.1f}ms"
            f"{processor / wall:9.2f}"
        )


if __name__ == "__main__":
    main()
