"""Meta-World's names for each row's attributes and methods: what `call`, `get_attr`, `set_attr` and assignment know.

Attributes that can be set: `tasks`; `max_path_length`, also as `max_episode_steps` and `_max_episode_steps` (steps
after which an episode, in trials an attempt, is truncated); `terminate_on_success`; `sample_tasks_on_reset`; and
`update_running_mean` (whether normalisation's statistics move).

Attributes that can be read: these; `task` (the current one), `current_task_idx`, `task_name` (the official class's
name), `np_random`, `np_random_seed`, the spaces; and `_freeze_rand_vec`, `seeded_rand_vec`, `_partially_observable` and
`_last_rand_vec`, by which Meta-World's own environments are told how to draw their goals. To set one of these to
anything but its value is refused, with what to do instead, and so are the keywords of `make`.

Methods: `toggle_terminate_on_success(on)`, `toggle_sample_tasks_on_reset(on)`, `sample_tasks()` (returns each row's
observation and info), `set_task(task)`, `get_checkpoint()`, `load_checkpoint(checkpoints)` and `render()`.

Any other name is asked of the engine's own environment in the row, where the engine has one. Where it has none, to
assign a name of the official environments (`OFFICIAL`) is refused, so that nobody believes that it did something.
"""

from __future__ import annotations

import dataclasses
import reprlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from taskworlds.core.errors import WrongValue, check_count, check_switch
from taskworlds.core.world import SETTINGS
from taskworlds.vector import checkpoints
from taskworlds.vector.env_protocol import BatchEnv
from taskworlds.vector.guard import guarded
from taskworlds.vector.official_names import OFFICIAL
from taskworlds.vector.options import Options

__all__ = ["assign", "call", "get_attr", "has_meaning", "hint", "may_be_read", "set_attr"]


@guarded
def get_attr(env: BatchEnv, name: str) -> tuple[Any, ...]:
    """Returns an attribute of each row."""
    read = _ATTRIBUTES.get(name)
    if read is not None:
        return tuple(read(env, row) for row in range(env.num_envs))
    env.check_ready(f"get_attr({name!r})")
    return env.rows.get_attr(name)


@guarded
def set_attr(env: BatchEnv, name: str, values: Any) -> None:
    """Sets an attribute of each row: one value for all, or a list or tuple with one for each."""
    env.check_ready(f"set_attr({name!r})")
    each = list(values) if isinstance(values, list | tuple) else [values] * env.num_envs
    if len(each) != env.num_envs:
        raise WrongValue(f"{name} must have one value for each of the {env.num_envs} rows, not {len(each)}.")
    if name in _SETTERS:
        _SETTERS[name](env, each)
    elif name in _ATTRIBUTES or _is_keyword(env, name):
        for value, present in zip(each, _present(env, name), strict=True):
            if not _equal(value, present) or name == "_partially_observable":  # which is each task's own
                known = "" if present is _UNKNOWN else f"; it is {reprlib.repr(present)}"
                raise AttributeError(
                    f"{name!r} cannot be set to {reprlib.repr(value)}{known}. {_instead(name)}"
                )
    else:
        env.rows.set_attr(name, each)


# --- plain assignment ---------------------------------------------------------------------------------------


def assign(env: object, batch: BatchEnv | None, name: str, values: Any) -> bool:
    """Does what assigning an attribute means, to a batch or to the single environment that is a view of it.

    Args:
        env: what the attribute is assigned to.
        batch: its batch; None while there is none yet.
        name: the attribute.
        values: as for `set_attr`.

    Returns:
        True if that is done; False if it is an attribute of the object alone, as of any in Python.

    Raises:
        AttributeError: it cannot be set.
    """
    if batch is None or "rows" not in vars(batch):
        return False
    kept = getattr(type(env), name, None)
    is_own = (name in vars(env) or hasattr(type(env), name)) and not isinstance(kept, property)
    if name in _SETTERS:
        set_attr(batch, name, values)
        return True
    if name in _OBJECTS or (isinstance(kept, property) and kept.fset is not None):
        return False
    if name in _ATTRIBUTES or _is_keyword(batch, name):
        set_attr(batch, name, values)
        return not is_own
    if is_own or isinstance(kept, property):
        return False
    if name in OFFICIAL:
        set_attr(batch, name, values)
        return True
    if not may_be_read(name):
        return False
    try:
        batch.check_ready("assignment")
        batch.rows.get_attr(name)
    except (AttributeError, RuntimeError):
        return False
    set_attr(batch, name, values)
    return True


def has_meaning(name: str) -> bool:
    """Returns whether assigning an attribute of this name concerns the rows, whether or not it can be read."""
    return name in _SETTERS or name in _ATTRIBUTES or name in _KEYWORDS or name in OFFICIAL


def may_be_read(name: str) -> bool:
    """Returns whether the rows may be asked for an attribute: private ones only where the official ones have them."""
    return not name.startswith("_") or name in _ATTRIBUTES or name in OFFICIAL


def hint(name: str) -> str:
    """Returns how to reach an attribute that a batch does not have and its rows may have; "" where they do not."""
    if name in ("envs", "env", "env_fns"):
        return (
            ". The rows are stepped together; get_attr(name), set_attr(name, values) and call(name) reach each row, "
            "current_tasks and set_tasks(tasks) its task"
        )
    if name in _ATTRIBUTES or name in OFFICIAL:
        return f". It belongs to the rows: get_attr({name!r}) returns it for each, or call({name!r}) if it is a method"
    return ""


def _is_keyword(env: BatchEnv, name: str) -> bool:
    """Returns whether a name is a keyword of `make` that says something of this environment's world."""
    return name in _KEYWORDS and (name not in SETTINGS or name in env.world.settings)


def _present(env: BatchEnv, name: str) -> Sequence[Any]:
    """Returns what an attribute is in each row, or the value of a keyword of `make`."""
    if name in _ATTRIBUTES:
        return [_ATTRIBUTES[name](env, row) for row in range(env.num_envs)]
    chosen = getattr(env, name) if hasattr(env, name) else getattr(env.options, name, _UNKNOWN)
    return [chosen] * env.num_envs


def _equal(value: Any, present: Any) -> bool:
    try:
        return value is present or bool(np.array_equal(value, present))
    except (TypeError, ValueError):
        return False


def _instead(name: str) -> str:
    """Returns what to do instead of setting an attribute."""
    keyword = _KEYWORDS.get(name)
    given = "benchmark, ..." if keyword is None else f"..., {keyword}=..."
    return _INSTEAD.get(name, f"It is chosen when the environment is made: taskworlds.make({given}).")


def call(env: BatchEnv, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """Calls a method of each row, or reads an attribute, and returns one result a row."""
    if name in _METHODS:
        result = _METHODS[name](env, *args, **kwargs)
        return (None,) * env.num_envs if result is None else result
    if name in _ATTRIBUTES and not (args or kwargs):
        return get_attr(env, name)
    if name in ("reset", "step", "close", "seed"):
        own = "reset(seed=...)" if name == "seed" else f"{name}()"
        raise AttributeError(f"The rows have no {name}() of their own: call the vector environment's {own}.")
    return _call_rows(env, name, args, kwargs)


@guarded
def _call_rows(env: BatchEnv, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    env.check_ready(f"call({name!r})")
    return env.rows.call(name, *args, **kwargs)


# --- what there is ------------------------------------------------------------------------------------------


def _task_of(env: BatchEnv, row: int) -> Any:
    """Returns the task of the row's episode at hand, or else its first one."""
    return env.assignments.current[row] or env.assignments.selections[row].tasks[0]


_ATTRIBUTES: dict[str, Callable[[BatchEnv, int], Any]] = {
    "tasks": lambda env, row: list(env.assignments.selections[row].tasks),
    "task": lambda env, row: env.assignments.current[row],
    "current_task_idx": lambda env, row: env.assignments.selections[row].current_task_idx,
    "task_name": lambda env, row: env.world.class_name(_task_of(env, row).env_name),
    "max_path_length": lambda env, row: env.progress.limit_of(row),
    "max_episode_steps": lambda env, row: env.progress.limit_of(row),
    "_max_episode_steps": lambda env, row: env.progress.limit_of(row),
    "terminate_on_success": lambda env, row: bool(env.progress.terminate_on_success[row]),
    "sample_tasks_on_reset": lambda env, row: bool(env.assignments.sample_on_reset[row]),
    "update_running_mean": lambda env, row: all(each.updating for each in _normalizers(env)),
    "np_random": lambda env, row: env.assignments.generators.each[row],
    "np_random_seed": lambda env, row: env.assignments.generators.seeds[row],
    "action_space": lambda env, row: env.single_action_space,
    "observation_space": lambda env, row: env.single_observation_space,
    "_freeze_rand_vec": lambda env, row: True,
    "seeded_rand_vec": lambda env, row: True,
    "_partially_observable": lambda env, row: env.world.hides_goal(_task_of(env, row)),
    "_last_rand_vec": lambda env, row: np.array(_task_of(env, row).params.get("rand_vec", ())),
}
"""By name, what returns the attribute of a row."""

_OBJECTS = ("action_space", "observation_space", "np_random")
"""Attributes of every environment of Gymnasium's, which the object keeps."""

_KEYWORDS: dict[str, str | None] = {
    **{each.name: each.name for each in dataclasses.fields(Options)},
    "benchmark": None,
    "split": "split",
    "seed": "seed",
    "num_envs": "num_envs",
    "num_goals": "num_goals",
    "meta_batch_size": "meta_batch_size",
    "total_tasks_per_cls": "total_tasks_per_cls",
    "partially_observable": "partially_observable",
    "engine": "vector_strategy",
    "strategy": "vector_strategy",
    "vector_strategy": "vector_strategy",
    "skills": None,
    "world": None,
    "options": None,
}
"""By name, the keyword of `make` that decides an attribute for good; None where the benchmark or several do."""

_UNKNOWN = object()  # the value of a keyword that nothing keeps

_SET_TASK = "Call set_task(task), or set_tasks(tasks) of a batch."
_GOALS = (
    "A goal is part of a task: a reset draws one of `tasks` (task_select, num_goals), and set_task fixes one."
)
_INSTEAD = {
    "task": _SET_TASK,
    "task_name": _SET_TASK,
    "current_task_idx": _SET_TASK,
    "np_random": "Call reset(seed=...).",
    "np_random_seed": "Call reset(seed=...).",
    "_freeze_rand_vec": _GOALS,
    "_last_rand_vec": f'{_SET_TASK} A task with another goal is Task(env_name, {{**task.params, "rand_vec": [...]}}).',
    "seeded_rand_vec": "Everything is drawn from the generators that reset(seed=...) seeds.",
    "_partially_observable": (
        "It is chosen when the environment is made: taskworlds.make(..., partially_observable=...)."
    ),
}


# --- setting ------------------------------------------------------------------------------------------------


def _set_tasks(env: BatchEnv, values: list[Any]) -> None:
    env.assignments.set_lists([_list_of_tasks(given) for given in values])


def _set_limit(env: BatchEnv, values: list[Any]) -> None:
    limits = {check_count("max_episode_steps", value) for value in values}
    if len(limits) > 1:
        raise WrongValue(f"max_episode_steps must be the same for all rows, not {values!r}.")
    env.progress.limit = limit = limits.pop()
    vars(env)["options"] = dataclasses.replace(env.options, max_episode_steps=limit)


def _set_terminate_on_success(env: BatchEnv, values: list[Any]) -> None:
    env.progress.end_on_success([check_switch("terminate_on_success", value) for value in values])


def _set_sample_tasks_on_reset(env: BatchEnv, values: list[Any]) -> None:
    env.assignments.sample_on_reset[:] = [check_switch("sample_tasks_on_reset", value) for value in values]


def _set_update_running_mean(env: BatchEnv, values: list[Any]) -> None:
    if len({check_switch("update_running_mean", value) for value in values}) > 1:
        raise WrongValue(f"update_running_mean must be the same for all rows, not {values!r}.")
    for normalizer in _normalizers(env):
        normalizer.updating = bool(values[0])


_SETTERS: dict[str, Callable[[BatchEnv, list[Any]], None]] = {
    "tasks": _set_tasks,
    "max_path_length": _set_limit,
    "max_episode_steps": _set_limit,
    "_max_episode_steps": _set_limit,
    "terminate_on_success": _set_terminate_on_success,
    "sample_tasks_on_reset": _set_sample_tasks_on_reset,
    "update_running_mean": _set_update_running_mean,
}


def _normalizers(env: BatchEnv) -> list[Any]:
    """The normalisers that there are."""
    return [each for each in (env.observations.normalizer, env.reward_normalizer) if each is not None]


# --- methods ------------------------------------------------------------------------------------------------


def _toggle_terminate_on_success(env: BatchEnv, on: Any) -> None:
    set_attr(env, "terminate_on_success", on)


def _toggle_sample_tasks_on_reset(env: BatchEnv, on: Any) -> None:
    set_attr(env, "sample_tasks_on_reset", on)


def _sample_tasks(env: BatchEnv, **kwargs: Any) -> tuple[Any, ...]:
    obs, infos = env.sample_tasks(**kwargs)
    return tuple((env.row_obs(obs, row), env.row_info(infos, row)) for row in range(env.num_envs))


def _set_task(env: BatchEnv, task: Any) -> None:
    env.set_tasks([task] * env.num_envs)


@guarded
def _get_checkpoint(env: BatchEnv) -> tuple[Any, ...]:
    return tuple(checkpoints.get_checkpoint(env, row) for row in range(env.num_envs))


@guarded
def _load_checkpoint(env: BatchEnv, saved: Sequence[tuple[str, dict[str, Any]]]) -> None:
    env.check_ready("load_checkpoint()")
    checkpoints.load_checkpoints(env, saved)


def _render(env: BatchEnv) -> tuple[Any, ...]:
    return env.render()


_METHODS: dict[str, Callable[..., Any]] = {
    "toggle_terminate_on_success": _toggle_terminate_on_success,
    "toggle_sample_tasks_on_reset": _toggle_sample_tasks_on_reset,
    "sample_tasks": _sample_tasks,
    "set_task": _set_task,
    "get_checkpoint": _get_checkpoint,
    "load_checkpoint": _load_checkpoint,
    "render": _render,
}


def _list_of_tasks(tasks: Any) -> list[Any]:
    if not isinstance(tasks, list | tuple) or not tasks:
        raise WrongValue(
            f"tasks must be a list of lists, for each row at least one task, not {tasks!r}.", argument="tasks"
        )
    return list(tasks)
