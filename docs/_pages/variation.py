"""Makes the pictures of docs/variation.md: `python docs/_pages/variation.py`. Each shows one factor at several values.

What physics does is shown after the same actions: those of the expert in the task as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

import taskworlds
from taskworlds import Benchmark, Task
from taskworlds.evaluation import expert_policy

MEDIA = Path(__file__).parents[1] / "media" / "variation"
WIDTH, HEIGHT, GAP = 200, 160, 4


class Shown(NamedTuple):
    """A picture.

    Attributes:
        env_name: the skill.
        values: the factor's values from left to right; None for a task as it is.
        steps: after how many steps it is shown.
        camera: from where.
        zoom: how much farther away the camera is, as in `camera_jitter`.
    """

    env_name: str
    values: tuple[Any, ...]
    steps: int = 0
    camera: str = "corner3"
    zoom: float = 0.0


SHOWN: dict[str, Shown] = {
    "friction": Shown("soccer-v3", (0.1, 1.0, 3.0), 80, "corner", -0.55),
    "object_mass": Shown("soccer-v3", (0.1, 1.0, 20.0), 80, "corner", -0.55),
    "damping": Shown("door-close-v3", (0.1, 1.0, 50.0), 60, zoom=-0.5),
    "object_size": Shown("push-v3", (0.6, 1.0, 1.8), zoom=-0.65),
    "table_colour": Shown("push-v3", ((0.2, 0.4, 0.3), None, (0.8, 0.8, 0.85))),
    "floor_colour": Shown("push-v3", ((0.1, 0.2, 0.5), None, (0.7, 0.3, 0.2))),
    "object_colour": Shown("push-v3", ((0.0, 0.6, 0.2), None, (0.2, 0.3, 1.0)), zoom=-0.65),
    "light": Shown("push-v3", (0.4, 1.0, 1.6)),
    "camera_jitter": Shown("push-v3", ((-0.35, 0.0, 0.0, 0.0), None, (0.2, -0.15, 0.25, 0.3))),
}


def play(task: Task, camera: str, actions: list[Any] | None, steps: int) -> tuple[Image.Image, list[Any]]:
    """Plays a task, with the expert's actions if none are given; returns the last picture and the actions."""
    envs = taskworlds.make_vec(
        Benchmark("shown", (task,)),
        1,
        seed=0,
        render_mode="rgb_array",
        width=WIDTH,
        height=HEIGHT,
        camera_name=camera,
    )
    expert = expert_policy()
    obs, infos = envs.reset(seed=0)
    expert.begin_episodes(np.array([True]), infos | {"task_name": np.array([task.env_name])})
    taken = []
    for step in range(steps):
        taken.append(expert(obs) if actions is None else actions[step])
        obs, *_ = envs.step(taken[-1])
    picture = Image.fromarray(envs.render()[0])
    envs.close()
    return picture, taken


def main() -> None:
    """Writes NAME.webp for each factor."""
    MEDIA.mkdir(parents=True, exist_ok=True)
    for factor, shown in SHOWN.items():
        name = shown.env_name
        own = taskworlds.benchmark(name, seed=0, num_goals=1).train_tasks[0]
        if shown.zoom:
            own = Task(name, {**own.params, "camera_jitter": (0.0, 0.0, 0.0, shown.zoom)})
        actions = play(own, shown.camera, None, shown.steps)[1]
        strip = Image.new("RGB", (len(shown.values) * (WIDTH + GAP) - GAP, HEIGHT), "white")
        for place, value in enumerate(shown.values):
            task = own if value is None else Task(name, {**own.params, factor: value})
            strip.paste(play(task, shown.camera, actions, shown.steps)[0], (place * (WIDTH + GAP), 0))
        strip.save(MEDIA / f"{factor}.webp", quality=70, method=6)


if __name__ == "__main__":
    main()
