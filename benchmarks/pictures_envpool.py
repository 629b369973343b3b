"""EnvPool's Meta-World observed in pixels, to be set beside benchmarks/pictures.py; it needs EnvPool alone.

    LD_PRELOAD="libEGL.so.1 libOpenGL.so.0" python benchmarks/pictures_envpool.py [--rows 10] [--rounds 3]

EnvPool 1.2 does not load OpenGL's library by itself, hence LD_PRELOAD. A step is a picture of each row from EnvPool's
default camera, with the frames of one channel after the other. Times are those of whole steps, of which the physics are
a small part.
"""

from __future__ import annotations

import argparse
import statistics
import time

import envpool
import numpy as np


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--skill", default="Reach-v3")
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", type=int, default=84)
    arguments = parser.parse_args()
    envs = envpool.make_gymnasium(
        f"MetaWorld/{arguments.skill}",
        num_envs=arguments.rows,
        num_threads=arguments.threads,
        seed=0,
        from_pixels=True,
        render_width=arguments.size,
        render_height=arguments.size,
    )
    envs.reset()
    actions = np.zeros((arguments.rows, 4), np.float32)
    obs = envs.step(actions)[0]
    walls, processors = [], []
    for _ in range(arguments.rounds):
        wall, processor = time.perf_counter(), time.process_time()
        envs.step(actions)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    wall, processor = (1e3 * statistics.median(each) / arguments.rows for each in (walls, processors))
    print(f"EnvPool {envpool.__version__}, {arguments.skill}, {obs.shape} {obs.dtype}:")
    print(f"{wall:.1f} ms a picture, {processor:.1f} ms of processor time")


if __name__ == "__main__":
    main()
