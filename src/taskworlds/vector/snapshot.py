"""Snapshots of a `TaskVectorEnv`: its exact state, of each of its parts, as arrays."""

from __future__ import annotations

import functools
import importlib.metadata
import os
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskworlds.core.errors import WrongValue, check_count
from taskworlds.core.task import Task
from taskworlds.rows import parts
from taskworlds.vector.env_protocol import BatchEnv
from taskworlds.vector.flat_state import NOT_A_STATE, from_arrays, to_arrays
from taskworlds.vector.npz_files import read_npz
from taskworlds.vector.observations import is_flat
from taskworlds.vector.options import Options

__all__ = ["restore", "take"]

FORMAT = "taskworlds-state/5"

# Options that decide the numbers of an episode.
_OPTIONS = (
    "use_one_hot",
    "env_id",
    "recurrent_info_in_obs",
    "normalize_reward_in_recurrent_info",
    "normalize_observations",
    "reward_normalization_method",
    "reward_alpha",
    "k_episodes",
)

# Those that came later, with what holds in a state that does not name them.
_LATER = {"action_repeat": 1, "repeat_success": "any", "unlimited_goals": False, "protocol": None}

# Those of pictures, where they are observed.
_PICTURES = (
    "observation",
    "cameras",
    "picture_channels",
    "picture_quality",
    "camera_poses",
)

# What parts of a state that are of other types or shapes than they should be make the checks of their owners raise.
_NOT_RIGHT = (AssertionError, AttributeError, LookupError, OverflowError, RecursionError, TypeError)

_NOT_TOLD = object()  # the task of a row whose engine keeps it otherwise than others in the batch

_version = functools.cache(importlib.metadata.version)


def take(env: BatchEnv) -> dict[str, NDArray[Any]]:
    """Returns the exact state; see `TaskVectorEnv.get_state`."""
    state = {name: part.get_state() for name, part in env.parts.items()}
    return to_arrays(
        _identity(env) | {"num_envs": env.num_envs, "rows": env.rows.get_state()} | state,
        env.assignments.listed,
    )


def restore(
    env: BatchEnv,
    arrays: Mapping[str, NDArray[Any]] | str | os.PathLike[str],
    rows: ArrayLike | None = None,
) -> None:
    """Puts a state back; see `TaskVectorEnv.set_state`."""
    if isinstance(arrays, str | os.PathLike | np.lib.npyio.NpzFile):
        arrays = read_npz(arrays, _size(take(env)))
    state = from_arrays(arrays, env.assignments.listed)
    if not isinstance(state, dict) or "format" not in state:
        raise WrongValue("This is not a state that get_state returned: it has no format.")
    _check_identity(env, state, same_number=rows is None)
    try:
        num_there = check_count("num_envs of a state", state["num_envs"])
        source = _source(rows, env.num_envs, num_there)
        for name, part in env.parts.items():
            part.check_state(state[name], num_there)
        there = state["rows"]
        progress = state["progress"]
        running = progress["running"].tolist()
        for counter, most in (("steps", env.max_episode_steps), ("attempts", env.options.k_episodes or 1)):
            if (progress[counter][progress["running"]] >= most).any():
                raise WrongValue(f"{NOT_A_STATE}: {counter} of a row in an episode must be below {most}.")
        for row, (task, own) in enumerate(
            zip(state["assignments"]["current"], _tasks_of_rows(there), strict=False)
        ):
            if running[row] and own is not _NOT_TOLD and own != task:
                raise WrongValue(
                    f"{NOT_A_STATE}: its row {row} is in an episode of a task other than the one it names."
                )
        env.guard.changing(np.ones(env.num_envs, dtype=np.bool_))
        parts.set_state(
            env.rows, there, source
        )  # the last that can refuse it, and then the rows are as they were
    except (*_NOT_RIGHT, ValueError) as error:
        env.guard.unchanged()
        if isinstance(error, ValueError):
            raise
        raise WrongValue(f"{NOT_A_STATE} ({type(error).__name__}: {error}).") from None
    for name, part in env.parts.items():
        part.set_state(state[name], source)


def _tasks_of_rows(rows: Any) -> list[Any]:
    """Returns the task of each row in what `Rows.get_state` returned; nothing where its engine keeps them otherwise."""
    if isinstance(rows, dict) and "parts" in rows:
        parts = zip(rows["parts"], rows["sizes"], strict=True)
        return [task for part, size in parts for task in _tasks_of_rows(part) or [_NOT_TOLD] * size]
    tasks: Any = rows.get("tasks") if isinstance(rows, dict) else None
    if isinstance(rows, list):
        named = [each and each.get("task") for each in rows]
        tasks = [Task.from_json(task) if isinstance(task, str) else task for task in named]
    whole = isinstance(tasks, list) and all(task is None or isinstance(task, Task) for task in tasks)
    return tasks if whole else []


def _size(arrays: Mapping[str, NDArray[Any]]) -> int:
    return sum(array.nbytes for array in arrays.values())


def _identity(env: BatchEnv) -> dict[str, Any]:
    """What two environments must share for a snapshot of one to be exact in the other."""
    return {
        "format": FORMAT,
        "engine": env.engine.takes_snapshots_of,
        **_observations(env.single_observation_space),
        "skills": list(env.skills),
        "reward_function_version": env.reward_function_version,
        "max_episode_steps": env.max_episode_steps,
        **_worlds(env),
        **{name: getattr(env.options, name) for name in (*_OPTIONS, *_pictures(env))},
        **{name: value for name, value in _later(env.options).items() if value != _LATER[name]},
        **_paraphrases(env),
        **_of_tasks(env),
        **{package: _version(package) for package in env.world.packages},
    }


def _later(options: Options) -> dict[str, Any]:
    given = {name: getattr(options, name) for name in _LATER}
    return {name: default if given[name] is None else given[name] for name, default in _LATER.items()}


def _paraphrases(env: BatchEnv) -> dict[str, Any]:
    chosen = env.options.paraphrases  # without them an environment takes any state, since nothing is drawn
    return {} if chosen is False else {"paraphrases": chosen if chosen is True else str(list(chosen))}


def _of_tasks(env: BatchEnv, *, with_defaults: bool = False) -> dict[str, Any]:
    found = {
        "group_size": env.options.group_size,
        "draws by a curriculum": None if env.options.curriculum is None else True,
    }
    return found if with_defaults else {name: value for name, value in found.items() if value is not None}


def _worlds(env: BatchEnv) -> dict[str, Any]:
    """Returns the worlds of a batch of several, and the limits of their episodes."""
    if not env.composition.is_mixed:
        return {}
    limits = env.progress.limits
    each = []
    for of, its_own in zip(env.composition.shares, env.limits_of_worlds, strict=True):
        if of.rows.start == of.rows.stop:  # a world that has no rows in this part of a batch
            each.append(its_own)
        else:
            each.append(env.max_episode_steps if limits is None else int(limits[of.rows.start]))
    return {"worlds": [world.name for world in env.worlds], "limits": each}


def _pictures(env: BatchEnv) -> tuple[str, ...]:
    return () if env.options.observation == "state" else _PICTURES


def _observations(space: gym.Space[Any]) -> dict[str, Any]:
    return (
        {"observation size": space.shape[0]}
        if is_flat(space) and space.shape
        else {"observation space": str(space)}
    )


def _check_identity(env: BatchEnv, state: Mapping[str, Any], *, same_number: bool) -> None:
    """Raises ValueError unless a state's environment and this one share what they must."""
    if state["format"] != FORMAT:  # alone, as the rest may have had other names then
        raise WrongValue(
            f"The state cannot be restored: its format is {state['format']!r}, not {FORMAT!r}, because another "
            "version of taskworlds took it. Take the state again with this version."
        )
    expected = _identity(env) | _later(env.options) | _of_tasks(env, with_defaults=True)
    expected |= {"num_envs": env.num_envs} if same_number else {}
    there = {**_LATER, **state}
    differences = [
        f"{name} is {there.get(name)!r} in the state and {value!r} in this environment"
        for name, value in expected.items()
        if there.get(name) != value
    ]
    if differences:
        raise WrongValue("The state cannot be restored exactly: " + "; ".join(differences) + ".")


def _source(rows: ArrayLike | None, num_envs: int, num_there: int) -> NDArray[np.int64]:
    """Returns for each row the row of the snapshot that it takes."""
    if rows is None:
        return np.arange(num_envs)
    source = np.asarray(rows)
    if source.dtype.kind not in "iu" or source.shape not in ((), (num_envs,)):
        raise WrongValue(
            f"rows must be one row of the snapshot, or one for each of the {num_envs} rows here, not {rows!r}.",
            argument="rows",
        )
    if source.size and not (source.min() >= 0 and source.max() < num_there):
        raise WrongValue(
            f"rows must be from 0 to {num_there - 1}, the rows of the snapshot, not {rows!r}.",
            argument="rows",
        )
    return np.broadcast_to(source, (num_envs,)).astype(np.int64)
