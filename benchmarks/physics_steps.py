"""Steps per second of the engine, of a bare C++ loop over the same physics, and of the official environment.

    python benchmarks/physics_steps.py [--rows 16] [--steps 100] [--rounds 5]

The three take turns; each number is the median of the rounds. The engine and the bare loop must end in the
same states, which is checked. The bare loop does not wait for all rows after each step and moves no state.
Needs a C++ compiler (`CXX`, or c++).
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import tempfile
import time
from pathlib import Path

import mujoco
import numpy as np
from metaworld.env_dict import ALL_V3_ENVIRONMENTS

from taskworlds.engine import Engine, MocapControl, Scene, metaworld_model

SKILLS = ("pick-place-v3", "reach-v3", "door-open-v3", "hammer-v3")
STATE = mujoco.mjtState.mjSTATE_INTEGRATION


def build_bare_loop(folder: str) -> ctypes.CDLL:
    package = Path(mujoco.__file__).parent
    library = Path(folder) / "bare_loop.so"
    source = Path(__file__).with_name("bare_loop.cc")
    mujoco_library = next(package.glob("libmujoco*3.3.0*"))
    compiler = os.environ.get("CXX", "c++")
    flags = ["-std=c++17", "-O3", "-shared", "-fPIC", "-pthread", f"-I{package / 'include'}"]
    subprocess.run([compiler, *flags, str(source), str(mujoco_library), "-o", str(library)], check=True)
    loop = ctypes.CDLL(str(library))
    loop.bare_loop.restype = ctypes.c_double
    return loop


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


class Case:
    """One skill, started from its official reset, with the same actions for all three."""

    def __init__(self, skill: str, rows: int, steps: int, loop: ctypes.CDLL, folder: str) -> None:
        self.env = ALL_V3_ENVIRONMENTS[skill]()
        self.env.seed(0)
        self.env.seeded_rand_vec, self.env._freeze_rand_vec, self.env._set_task_called = True, False, True
        self.env._partially_observable = False
        self.env.reset()
        self.env.max_path_length = 10**9
        self.env._freeze_rand_vec = True
        self.loop, self.rows, self.steps = loop, rows, steps
        self.low, self.high = (np.array(x, float) for x in (self.env.mocap_low, self.env.mocap_high))
        model = metaworld_model(f"sawyer_xyz/{Path(self.env.model_name).name}")
        self.file = str(Path(folder) / f"{skill}.mjb").encode()
        Path(self.file.decode()).write_bytes(model.native.to_bytes())
        compiled = model.to_mujoco()
        overrides, values = [], []
        self.fields = {}
        for field, kind in (("body_pos", "body"), ("site_pos", "site")):
            self.fields[field] = getattr(compiled, field).copy()
            for name, i in model._ids[kind].items():
                theirs = getattr(self.env.model, kind)(name).pos
                if not np.array_equal(self.fields[field][i], theirs):
                    overrides.append((field, name))
                    values.append(theirs)
                    self.fields[field][i] = theirs
        self.scene = Scene(
            model,
            frame_skip=5,
            mocap=MocapControl("mocap", tuple(self.low), tuple(self.high)),
            controls=((3, 1.0), (3, -1.0)),
            overrides=tuple(overrides),
            reads=tuple(
                ("body_xpos", name) for name in ("hand", "leftpad", "rightpad", "leftclaw", "rightclaw")
            ),
        )
        self.values = np.concatenate([*values, np.empty(0)])
        self.state = np.empty(mujoco.mj_stateSize(compiled, STATE))
        mujoco.mj_getState(self.env.model, self.env.data, self.state, STATE)
        rng = np.random.default_rng(0)
        drift = np.repeat(rng.uniform(-1, 1, (steps // 20 + 1, rows, 4)), 20, axis=0)[:steps]
        drift[: steps // 2, :, 2] -= 0.5
        self.actions = np.clip(drift, -1, 1)
        self.engines = {n: Engine([self.scene], rows, action_size=4, num_threads=n) for n in (1, 2)}

    def engine_seconds(self, threads: int) -> float:
        engine = self.engines[threads]
        engine.states[:] = self.state
        engine.overrides[:] = self.values
        begin = time.perf_counter()
        for action in self.actions:
            engine.step(action)
        seconds = time.perf_counter() - begin
        self.last = engine.states.copy()
        return seconds

    def bare_seconds(self, threads: int) -> float:
        last = np.empty((self.rows, len(self.state)))
        seconds = self.loop.bare_loop(
            self.file,
            *(pointer(x) for x in (self.state, self.fields["body_pos"], self.fields["site_pos"])),
            *(pointer(x) for x in (self.low, self.high, self.actions)),
            self.steps,
            self.rows,
            threads,
            pointer(last),
        )
        if not np.array_equal(last, self.last):
            raise RuntimeError("The bare loop and the engine ended in different states.")
        return seconds

    def official_seconds(self) -> float:
        """Gives the seconds for one row's steps."""
        self.env.reset()
        begin = time.perf_counter()
        for action in self.actions[:, 0]:
            self.env.step(action)
        return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    total = args.rows * args.steps
    print(f"{args.rows} rows, {args.steps} steps, {args.rounds} rounds; steps per second")
    columns = ("threads", "engine", "bare", "official", "of bare", "x official")
    print(f"{'skill':16}" + "".join(f"{column:>11}" for column in columns))
    with tempfile.TemporaryDirectory() as folder:
        loop = build_bare_loop(folder)
        for skill in SKILLS:
            case = Case(skill, args.rows, args.steps, loop, folder)
            for threads in (1, 2):
                rounds = [
                    (case.engine_seconds(threads), case.bare_seconds(threads), case.official_seconds())
                    for _ in range(args.rounds)
                ]
                engine, bare, official = np.median(rounds, axis=0)
                ratio = np.median([b / e for e, b, _ in rounds])
                speeds = "".join(f"{n:11.0f}" for n in (total / engine, total / bare, args.steps / official))
                times = args.rows * official / engine
                print(f"{skill:16}{threads:11}{speeds}{ratio:11.2f}{times:11.1f}", flush=True)


if __name__ == "__main__":
    main()
