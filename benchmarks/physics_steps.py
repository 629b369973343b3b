"""Steps per second of the engine, of a bare C++ loop over the same physics, and of the official environment.

    python benchmarks/physics_steps.py [--rows 10 50 1000] [--row-steps 2000] [--rounds 5] [--processor]

The three take turns; each number is the median of the rounds, "of bare" of the rounds' ratios. The engine and the bare
loop (`taskworlds.perf.bare_loop`) must end in the same states, which is checked. At last it shows what a step of a row
costs when there are few rows and many, in microseconds of processor time on one thread. On a machine that others use,
--processor counts the processor time of all threads instead of the time on the clock: that leaves out waiting, for
them and for each other.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
from dm_control import suite
from metaworld.env_dict import ALL_V3_ENVIRONMENTS

from taskworlds.engine import Engine, MocapControl, Model, Scene
from taskworlds.perf.bare_loop import bare_loop
from taskworlds.worlds.metaworld.models import metaworld_model

SKILLS = ("pick-place-v3", "reach-v3", "door-open-v3", "hammer-v3")
GYMNASIUM = ("HalfCheetah-v5", "Ant-v5")
DM_CONTROL = (("cheetah", "run"), ("walker", "walk"), ("cartpole", "swingup"))
MANY = (50, 1_000, 10_000)
STATE = mujoco.mjtState.mjSTATE_INTEGRATION


class Case:
    """A scene, the state and overrides it starts from, and the official environment's step."""

    def __init__(
        self,
        name: str,
        scene: Scene,
        state: np.ndarray,
        official: Callable[[np.ndarray], Any],
        reset: Callable[[], Any],
        overrides: np.ndarray | None = None,
    ) -> None:
        self.name, self.scene, self.state, self.official, self.reset = name, scene, state, official, reset
        self.overrides = scene.default_overrides if overrides is None else overrides
        self.width = scene.native.action_size

    def prepare(self, rows: int, steps: int, processor: bool) -> None:
        """Makes actions and engines for so many rows."""
        self.processor = processor
        self.clock = time.process_time if processor else time.perf_counter
        rng = np.random.default_rng(0)
        drift = np.repeat(rng.uniform(-1, 1, (steps // 20 + 1, rows, self.width)), 20, axis=0)[:steps]
        if self.scene.mocap:
            drift[: steps // 2, :, 2] -= 0.5
        self.actions = np.clip(drift, -1, 1)
        self.engines = {n: Engine([self.scene], rows, action_size=self.width, num_threads=n) for n in (1, 2)}

    def seconds(self, threads: int) -> tuple[float, float]:
        """Gives the seconds of the engine and of the bare loop."""
        engine = self.engines[threads]
        engine.states[:] = self.state
        engine.overrides[:] = self.overrides
        bare = bare_loop(engine, self.actions)
        begin = self.clock()
        for action in self.actions:
            engine.step(action)
        seconds = self.clock() - begin
        if not np.array_equal(bare.states, engine.states):
            raise RuntimeError("The bare loop and the engine ended in different states.")
        return seconds, bare.processor_seconds if self.processor else bare.seconds

    def official_seconds(self) -> float:
        """Gives the seconds for one row's steps."""
        self.reset()
        begin = self.clock()
        for action in self.actions[:, 0]:
            self.official(action)
        return self.clock() - begin


def state_of(model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    state = np.empty(mujoco.mj_stateSize(model, STATE))
    mujoco.mj_getState(model, data, state, STATE)
    return state


def metaworld_case(skill: str) -> Case:
    env = ALL_V3_ENVIRONMENTS[skill]()
    env.seed(0)
    env.seeded_rand_vec, env._freeze_rand_vec, env._set_task_called = True, False, True
    env._partially_observable = False
    env.reset()
    env.max_path_length = 10**9
    env._freeze_rand_vec = True
    model = metaworld_model(f"sawyer_xyz/{Path(env.model_name).name}")
    compiled = model.to_mujoco()
    overrides, values = [], []
    for field, kind in (("body_pos", "body"), ("site_pos", "site")):
        for name in model.names(kind):
            i = model.find(kind, name)
            theirs = getattr(env.model, kind)(name).pos
            if not np.array_equal(getattr(compiled, field)[i], theirs):
                overrides.append((field, name))
                values.append(theirs)
    scene = Scene(
        model,
        frame_skip=5,
        mocap=MocapControl(
            "mocap", tuple(env.mocap_low), tuple(env.mocap_high), env.action_scale, (1.0, 0.0, 1.0, 0.0)
        ),
        controls=((3, 1.0), (3, -1.0)),
        overrides=tuple(overrides),
        reads=tuple(("body_xpos", name) for name in ("hand", "leftpad", "rightpad", "leftclaw", "rightclaw")),
    )
    state = state_of(env.model, env.data)
    return Case(skill, scene, state, env.step, env.reset, np.concatenate([*values, np.empty(0)]))


def gymnasium_case(env_id: str) -> Case:
    env = gymnasium.make(env_id).unwrapped
    env.reset(seed=0)
    reads = (("qpos",), ("qvel",), *([("body_cfrc_ext",)] if env_id == "Ant-v5" else []))
    controls = tuple((i, 1.0) for i in range(env.model.nu))
    scene = Scene(
        Model.from_mujoco(env.model), env.frame_skip, controls=controls, reads=reads, stepping="step"
    )
    return Case(env_id, scene, state_of(env.model, env.data), env.step, lambda: env.reset(seed=0))


def dm_control_case(task: tuple[str, str]) -> Case:
    env = suite.load(*task, {"random": 0, "time_limit": float("inf")})
    env.reset()
    model, data = env.physics.model.ptr, env.physics.data.ptr
    scene = Scene(
        Model.from_mujoco(model),
        env._n_sub_steps,
        controls=tuple((i, 1.0) for i in range(model.nu)),
        reads=(("qpos",), ("qvel",), ("sensordata",), ("body_xmat",)),
        stepping="split",
    )
    return Case(" ".join(task), scene, state_of(model, data), env.step, env.reset)


def cost_of_rows(cases: list[Case], rounds: int) -> dict[int, float]:
    """Gives microseconds of processor time of a row's step, by how many rows there are; the scenes alternate."""
    engines, spent = {}, {rows: [] for rows in MANY}
    for rows in MANY:
        engine = Engine([case.scene for case in cases], rows, action_size=4, num_threads=1)
        engine.scene_of_row[:] = np.arange(rows) % len(cases)
        for i, case in enumerate(cases):
            mine = engine.scene_of_row == i
            engine.states[mine, : len(case.state)] = case.state
            engine.overrides[mine, : len(case.overrides)] = case.overrides
        engines[rows] = engine, engine.states.copy()
    rng = np.random.default_rng(0)
    for _ in range(rounds):
        for rows, (engine, start) in engines.items():
            seconds, steps = 0.0, 0
            for _ in range(max(1, MANY[-1] // rows)):
                engine.states[:] = start
                action = rng.uniform(-1, 1, (rows, 4))
                begin = time.process_time()
                engine.step(action)
                engine.step(action)
                seconds += time.process_time() - begin
                steps += 2 * rows
            spent[rows].append(seconds / steps * 1e6)
    return {rows: float(np.median(each)) for rows, each in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10, 50, 1000])
    parser.add_argument("--row-steps", type=int, default=2000, help="steps times rows in a round, at least")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--processor", action="store_true", help="count processor time")
    args = parser.parse_args()
    cases = [metaworld_case(skill) for skill in SKILLS]
    others = [*map(gymnasium_case, GYMNASIUM), *map(dm_control_case, DM_CONTROL)]
    columns = ("rows", "threads", "engine", "bare", "official", "of bare", "x official")
    print(f"medians of {args.rounds} rounds, steps per second")
    print(f"{'':16}" + "".join(f"{column:>11}" for column in columns))
    for case in [*cases, *others]:
        for rows in args.rows:
            steps = max(2, args.row_steps // rows)
            case.prepare(rows, steps, args.processor)
            for threads in (1, 2):
                rounds = [(*case.seconds(threads), case.official_seconds()) for _ in range(args.rounds)]
                engine, bare, official = np.median(rounds, axis=0)
                ratio = np.median([b / e for e, b, _ in rounds])
                total = rows * steps
                speeds = "".join(f"{n:11.0f}" for n in (total / engine, total / bare, steps / official))
                times = rows * official / engine
                print(f"{case.name:16}{rows:11}{threads:11}{speeds}{ratio:11.2f}{times:11.1f}", flush=True)
    costs = cost_of_rows(cases, args.rounds)
    print("a row's step: " + ", ".join(f"{cost:.1f} us with {rows} rows" for rows, cost in costs.items()))


if __name__ == "__main__":
    main()
