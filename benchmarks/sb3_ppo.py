"""Stable-Baselines3's PPO over official Meta-World, in SB3's DummyVecEnv and SubprocVecEnv, and over SB3VecEnv.

    python benchmarks/sb3_ppo.py reach-v3 --rows 10
    python benchmarks/sb3_ppo.py MT10

All are given the same skills, limits, network and number of steps, and take turns, some rounds each, in one process
with one thread for torch. It prints the medians of steps per second: of `learn`, which plays and learns, and of playing
alone; then what the adapter adds to a step of the batch, microseconds.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import metaworld  # noqa: F401  # registers its ids
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

import taskworlds
from taskworlds.integrations.sb3 import SB3VecEnv


class Playing(BaseCallback):
    """Adds up how long the rollouts take, seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def _on_rollout_start(self) -> None:
        self._began = time.perf_counter()

    def _on_rollout_end(self) -> None:
        self.seconds += time.perf_counter() - self._began

    def _on_step(self) -> bool:
        return True


def official(skill: str) -> Monitor:
    return Monitor(gym.make("Meta-World/MT1", env_name=skill, seed=0))


def contestants(name: str, rows: int | None) -> dict[str, Callable[[], VecEnv]]:
    skills = taskworlds.benchmark(name, seed=0).env_names("train")
    rows = rows or len(skills)
    makers = [functools.partial(official, skills[row % len(skills)]) for row in range(rows)]
    return {
        "official, DummyVecEnv": lambda: DummyVecEnv(makers),
        "official, SubprocVecEnv": lambda: SubprocVecEnv(makers),
        "taskworlds, SB3VecEnv": lambda: SB3VecEnv(taskworlds.make_vec(name, rows)),
    }


def ready(make: Callable[[], VecEnv], n_steps: int, batch_size: int) -> PPO:
    """Returns a model that has learned once, which warms everything up."""
    model = PPO("MlpPolicy", make(), n_steps=n_steps, batch_size=batch_size, device="cpu", seed=0)
    return model.learn(1)


def learn(model: PPO, steps: int) -> tuple[float, float]:
    """Returns the steps per second of learning with all that belongs to it, and of playing alone."""
    playing = Playing()
    began = time.perf_counter()
    model.learn(steps, callback=playing)
    seconds = time.perf_counter() - began
    return model.num_timesteps / seconds, model.num_timesteps / playing.seconds


def step_times(name: str, rows: int | None, steps: int) -> tuple[float, float]:
    """Returns how long a step of the batch takes, and one through SB3VecEnv, in turns, medians in seconds."""
    bare, wrapped = taskworlds.make_vec(name, rows), SB3VecEnv(taskworlds.make_vec(name, rows))
    bare.reset(seed=0)
    wrapped.reset()
    rng, space = np.random.default_rng(0), bare.action_space
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(steps):
        actions: Any = rng.uniform(-1, 1, space.shape).astype(np.float32)
        for step, taken in zip((bare.step, wrapped.step), times, strict=True):
            began = time.perf_counter()
            step(actions)
            taken.append(time.perf_counter() - began)
    return statistics.median(times[0]), statistics.median(times[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="reach-v3", help="a skill, or a benchmark such as MT10")
    parser.add_argument(
        "--rows", type=int, help="environments side by side; the default is one for each skill"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5_000, help="of each round")
    parser.add_argument("--n-steps", type=int, default=100, help="of each row between two updates")
    parser.add_argument("--batch-size", type=int, default=500)
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    made = contestants(arguments.name, arguments.rows)
    models = {each: ready(make, arguments.n_steps, arguments.batch_size) for each, make in made.items()}
    speeds: dict[str, list[tuple[float, float]]] = {each: [] for each in made}
    for number in range(1, arguments.rounds + 1):
        for each, model in models.items():
            speeds[each].append(learn(model, arguments.steps))
        print(f"after round {number}, medians of steps per second:")
        for each, rounds in speeds.items():
            learning, playing = (statistics.median(figures) for figures in zip(*rounds, strict=True))
            print(f"  {each:26} learn {learning:8.0f}    play {playing:8.0f}", flush=True)
    for model in models.values():
        model.get_env().close()
    bare, wrapped = step_times(arguments.name, arguments.rows, 2000)
    print(f"step of the batch {bare * 1e6:.0f} us, through SB3VecEnv {wrapped * 1e6:.0f} us")


if __name__ == "__main__":
    main()
