"""Snapshots of a `TaskVectorEnv`: its exact state, and Meta-World's checkpoints of its task selection."""

from __future__ import annotations

import copy
import functools
import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.task import Task
from taskworlds.vector.flat_state import from_arrays, to_arrays
from taskworlds.vector.task_selection import TaskSelection

if TYPE_CHECKING:
    from taskworlds.vector.task_vector_env import TaskVectorEnv

__all__ = ["get_checkpoint", "load_checkpoints", "restore", "take"]

FORMAT = "taskworlds-state/3"

# Options that decide the numbers of an episode.
_OPTIONS = (
    "use_one_hot",
    "recurrent_info_in_obs",
    "normalize_reward_in_recurrent_info",
    "normalize_observations",
    "reward_normalization_method",
    "reward_alpha",
    "k_episodes",
)


def _identity(env: TaskVectorEnv) -> dict[str, Any]:
    """What two environments must share for a snapshot of one to be exact in the other."""
    return {
        "format": FORMAT,
        "engine": env._engine.takes_snapshots_of,
        "observation size": env._observations.values.shape[1],
        "skills": list(env.skills),
        "reward_function_version": env.reward_function_version,
        "max_episode_steps": env.max_episode_steps,
        **{name: getattr(env.options, name) for name in _OPTIONS},
        **{package: _version(package) for package in env._world.packages},
    }


@functools.cache
def _version(package: str) -> str:
    """The version of an installed package; looking it up takes milliseconds."""
    return importlib.metadata.version(package)


def take(env: TaskVectorEnv) -> dict[str, NDArray[Any]]:
    """Gives the exact state; see `TaskVectorEnv.get_state`."""
    return to_arrays(
        _identity(env)
        | {
            "num_envs": env.num_envs,
            "counters": _counters(env),
            "elapsed": env._progress.elapsed,
            "tasks": [_json(task) for task in env._tasks],
            "held_tasks": [_json(task) for task in env._held_tasks],
            "next_tasks": [_json(task) for task in env._next_tasks],
            "selections": [selection.get_state() for selection in env._selections],
            "generators": [rng.bit_generator.state for rng in env._rngs],
            "normalizers": {name: each.get_state() for name, each in _normalizers(env).items()},
            "rows": env._rows.get_state(),
        }
    )


def restore(env: TaskVectorEnv, arrays: Mapping[str, NDArray[Any]], rows: ArrayLike | None = None) -> None:
    """Puts a state back; see `TaskVectorEnv.set_state`."""
    state = from_arrays(arrays)
    if not isinstance(state, dict) or "format" not in state:
        raise ValueError("This is not a state that get_state gave: it names no format.")
    expected = _identity(env) | ({"num_envs": env.num_envs} if rows is None else {})
    differences = [
        f"{name} is {state.get(name)!r} there and {value!r} here"
        for name, value in expected.items()
        if state.get(name) != value
    ]
    if differences:
        raise ValueError("The state cannot be put back exactly, since " + "; ".join(differences) + ".")
    source = _source(rows, env.num_envs, state["num_envs"])
    env._rows.set_state(state["rows"], source)
    for name, values in _counters(env).items():
        values[...] = state["counters"][name][source]
    env._progress.elapsed = state["elapsed"][source]
    env._held_tasks = [_task(state["held_tasks"][row]) for row in source]
    env._next_tasks = [_task(state["next_tasks"][row]) for row in source]
    for row, taken in enumerate(source):
        env._put_current(row, _task(state["tasks"][taken]))
        env._selections[row].set_state(state["selections"][taken])
        env._rngs[row].bit_generator.state = state["generators"][taken]
    env._rng_seeds = [-1] * env.num_envs
    for name, each in _normalizers(env).items():
        each.set_state(state["normalizers"][name], source)


def _counters(env: TaskVectorEnv) -> dict[str, NDArray[Any]]:
    """The arrays with one entry a row that, with the engine's rows, hold all there is to know of an episode."""
    return {
        "obs": env._observations.values,
        "sample_on_reset": env._sample_on_reset,
        "terminate_on_success": env._terminate_on_success,
        **env._progress.counters(),
    }


def _normalizers(env: TaskVectorEnv) -> dict[str, Any]:
    """The normalisers that there are, by name."""
    both = {"obs": env._observations.normalizer, "reward": env._reward_normalizer}
    return {name: each for name, each in both.items() if each is not None}


def _source(rows: ArrayLike | None, num_envs: int, num_there: int) -> NDArray[np.int64]:
    """Gives for each row the row of the snapshot that it takes."""
    if rows is None:
        return np.arange(num_envs)
    source = np.asarray(rows)
    if source.dtype.kind not in "iu" or source.shape not in ((), (num_envs,)):
        raise ValueError(
            f"rows must be one row of the snapshot, or one for each of the {num_envs} rows here, not {rows!r}."
        )
    if source.size and not (source.min() >= 0 and source.max() < num_there):
        raise ValueError(f"rows must be from 0 to {num_there - 1}, the rows of the snapshot, not {rows!r}.")
    return np.broadcast_to(source, (num_envs,)).astype(np.int64)


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
        ValueError: a row's checkpoint is missing, is not what `get_checkpoint` gave, or is of another benchmark's
            skills. Then nothing has changed.
    """
    by_name = dict(checkpoints)
    names = [get_checkpoint(env, row)[0] for row in range(env.num_envs)]
    missing = [name for name in names if name not in by_name]
    if missing:
        raise ValueError(
            f"There is no checkpoint for {', '.join(missing)}, but there are for "
            f"{', '.join(by_name) or 'none'}. Load what get_checkpoint gave in an environment made alike."
        )
    for row, name in enumerate(names):
        _check(env, row, name, by_name[name])
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
        env._progress.running[row] = False


def _check(env: TaskVectorEnv, row: int, name: str, checkpoint: dict[str, Any]) -> None:
    """Raises for a checkpoint that the row could not take."""
    try:
        selection = TaskSelection(env.options.task_select, [])
        selection.set_state(checkpoint["selection"])
        others = [_task(checkpoint[key]) for key in ("task", "held_task")]
        copy.deepcopy(env._rngs[row]).bit_generator.state = checkpoint["rng_state"]
        switches = [checkpoint[key] for key in ("sample_tasks_on_reset", "terminate_on_success")]
        complete = bool(selection.tasks) and all(isinstance(switch, bool) for switch in switches)
    except (AttributeError, KeyError, TypeError, ValueError):
        complete = False
    if not complete:
        raise ValueError(f"{name} is not a checkpoint that get_checkpoint gave, or only a part of one.")
    for task in (*selection.tasks, *others):
        if task is not None:
            env._checked(task)
    env._check_success("terminate_on_success", switches[1:])


def _json(task: Task | None) -> str | None:
    return None if task is None else task.to_json()


def _task(text: str | None) -> Task | None:
    return None if text is None else Task.from_json(text)
