"""Snapshots of a `TaskVectorEnv`: its exact state, and Meta-World's checkpoints of its task selection."""

from __future__ import annotations

import copy
import importlib.metadata
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from taskworlds.task import Task

if TYPE_CHECKING:
    from taskworlds.vector.task_vector_env import TaskVectorEnv

__all__ = ["get_checkpoint", "load_checkpoints", "restore", "take"]

FORMAT = "taskworlds-state/1"

# Arrays with one entry a row that, with the engine's rows, hold all there is to know of an episode.
_COUNTERS = ("_goals", "_obs", "_steps", "_returns", "_running", "_sample_on_reset", "_terminate_on_success")
_NORMALIZERS = ("_obs_normalizer", "_reward_normalizer")

# Options that decide the numbers of an episode.
_OPTIONS = (
    "use_one_hot",
    "recurrent_info_in_obs",
    "normalize_reward_in_recurrent_info",
    "normalize_observations",
    "reward_normalization_method",
    "reward_alpha",
)


def _identity(env: TaskVectorEnv) -> dict[str, Any]:
    """What two environments must share for a snapshot of one to be exact in the other."""
    return {
        "format": FORMAT,
        "engine": "native" if env.strategy == "native" else "official",  # sync and async hold the same
        "num_envs": env.num_envs,
        "observation size": env._obs.shape[1],
        "skills": list(env.skills),
        "reward_function_version": env.reward_function_version,
        "max_episode_steps": env.max_episode_steps,
        **{name: getattr(env.options, name) for name in _OPTIONS},
        "mujoco": importlib.metadata.version("mujoco"),
        "metaworld": importlib.metadata.version("metaworld"),
    }


def take(env: TaskVectorEnv) -> dict[str, Any]:
    """Gives the exact state; see `TaskVectorEnv.get_state`."""
    return _identity(env) | {
        "counters": {name: getattr(env, name).copy() for name in _COUNTERS},
        "elapsed": time.perf_counter() - env._started_at,
        "tasks": [_json(task) for task in env._tasks],
        "held_tasks": [_json(task) for task in env._held_tasks],
        "next_tasks": [_json(task) for task in env._next_tasks],
        "selections": [selection.get_state() for selection in env._selections],
        "generators": [copy.deepcopy(rng.bit_generator.state) for rng in env._rngs],
        "normalizers": {
            name: getattr(env, name).get_state() for name in _NORMALIZERS if getattr(env, name) is not None
        },
        "rows": env._rows.get_state(),
    }


def restore(env: TaskVectorEnv, state: dict[str, Any]) -> None:
    """Puts a state back; see `TaskVectorEnv.set_state`."""
    if not isinstance(state, dict) or "format" not in state:
        raise ValueError("This is not a state that get_state gave: it names no format.")
    differences = [
        f"{name} is {state.get(name)!r} there and {value!r} here"
        for name, value in _identity(env).items()
        if state.get(name) != value
    ]
    if differences:
        raise ValueError("The state cannot be put back exactly, since " + "; ".join(differences) + ".")
    for name in _COUNTERS:
        getattr(env, name)[...] = state["counters"][name]
    env._started_at[:] = time.perf_counter() - state["elapsed"]
    env._held_tasks = [_task(text) for text in state["held_tasks"]]
    env._next_tasks = [_task(text) for text in state["next_tasks"]]
    for row, text in enumerate(state["tasks"]):
        env._put_current(row, _task(text))
    for selection, each in zip(env._selections, state["selections"], strict=True):
        selection.set_state(each)
    for rng, each in zip(env._rngs, state["generators"], strict=True):
        rng.bit_generator.state = each
    env._rng_seeds = [-1] * env.num_envs
    for name in _NORMALIZERS:
        if name in state["normalizers"]:
            getattr(env, name).set_state(state["normalizers"][name])
    env._rows.set_state(state["rows"])


def get_checkpoint(env: TaskVectorEnv, row: int) -> tuple[str, dict[str, Any]]:
    """Gives a row's name and its task selection: what Meta-World saves at the end of an epoch.

    It is JSON-ready and holds no physics, so it is exact between episodes; `get_state` is exact everywhere.
    Each row has a name of its own, where Meta-World's ML rows all share one and overwrite each other.
    """
    return f"{env.benchmark.name}/{env.split}/row-{row}", {
        "selection": env._selections[row].get_state(),
        "task": _json(env._tasks[row]),
        "held_task": _json(env._held_tasks[row]),
        "rng_state": copy.deepcopy(env._rngs[row].bit_generator.state),
        "sample_tasks_on_reset": bool(env._sample_on_reset[row]),
        "terminate_on_success": bool(env._terminate_on_success[row]),
    }


def load_checkpoints(env: TaskVectorEnv, checkpoints: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Takes the checkpoints that `get_checkpoint` gave for all rows, in any order.

    The next reset goes on from there.

    Raises:
        ValueError: a row's checkpoint is missing, or is of another benchmark's skills.
    """
    by_name = dict(checkpoints)
    names = [get_checkpoint(env, row)[0] for row in range(env.num_envs)]
    missing = [name for name in names if name not in by_name]
    if missing:
        raise ValueError(
            f"There is no checkpoint for {', '.join(missing)}, but there are for "
            f"{', '.join(by_name) or 'none'}. Load what get_checkpoint gave in an environment made alike."
        )
    for name in names:
        for text in by_name[name]["selection"]["tasks"]:
            env._checked(Task.from_json(text))
    for row, name in enumerate(names):
        saved = by_name[name]
        env._selections[row].set_state(saved["selection"])
        env._next_tasks[row] = None
        env._held_tasks[row] = _task(saved["held_task"])
        env._put_current(row, _task(saved["task"]))
        env._rngs[row].bit_generator.state = saved["rng_state"]
        env._rng_seeds[row] = -1
        env._sample_on_reset[row] = saved["sample_tasks_on_reset"]
        env._terminate_on_success[row] = saved["terminate_on_success"]
        env._running[row] = False


def _json(task: Task | None) -> str | None:
    return None if task is None else task.to_json()


def _task(text: str | None) -> Task | None:
    return None if text is None else Task.from_json(text)
