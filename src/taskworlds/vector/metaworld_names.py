"""Meta-World's names for each row's attributes and methods: what `call`, `get_attr` and `set_attr` know.

Attributes: `tasks`, `task` (the current one), `current_task_idx`, `task_name` (the official class's name),
`max_path_length`, `max_episode_steps`, `terminate_on_success`, `sample_tasks_on_reset`, `update_running_mean`
(whether normalisation's statistics move), `np_random`, `np_random_seed` and the spaces. Of these `tasks`,
`terminate_on_success`, `sample_tasks_on_reset` and `update_running_mean` can be set.

Methods: `toggle_terminate_on_success(on)`, `toggle_sample_tasks_on_reset(on)`, `sample_tasks()` (returns each row's
observation and info), `set_task(task)`, `get_checkpoint()`, `load_checkpoint(checkpoints)` and `render()`.

Any other name is asked of the engine's own environment in the row, where the engine has one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from taskworlds.core.errors import WrongValue, check_choice
from taskworlds.vector import checkpoints
from taskworlds.vector.env_protocol import BatchEnv
from taskworlds.vector.guard import guarded

__all__ = ["call", "get_attr", "set_attr"]


@guarded
def get_attr(env: BatchEnv, name: str) -> tuple[Any, ...]:
    """Returns an attribute of each row."""
    read = _attributes(env).get(name)
    if read is not None:
        return tuple(read(row) for row in range(env.num_envs))
    env.check_ready(f"get_attr({name!r})")
    return env.rows.get_attr(name)


@guarded
def set_attr(env: BatchEnv, name: str, values: Any) -> None:
    """Sets an attribute of each row: one value for all, or a list or tuple with one for each."""
    env.check_ready(f"set_attr({name!r})")
    each = list(values) if isinstance(values, list | tuple) else [values] * env.num_envs
    if len(each) != env.num_envs:
        raise WrongValue(f"{name} must have one value for each of the {env.num_envs} rows, not {len(each)}.")
    if name == "tasks":
        tasks = [_list_of_tasks(given) for given in each]
        env.assignments.set_lists(tasks)
    elif name == "terminate_on_success":
        env.progress.end_on_success([_switch(name, value) for value in each])
    elif name == "sample_tasks_on_reset":
        env.assignments.sample_on_reset[:] = [_switch(name, value) for value in each]
    elif name == "update_running_mean":
        if len({_switch(name, value) for value in each}) > 1:
            raise WrongValue(f"{name} must be the same for all rows, not {values!r}.")
        for normalizer in _normalizers(env):
            normalizer.updating = bool(each[0])
    elif name in _attributes(env):
        raise AttributeError(
            f"{name!r} cannot be set. set_attr takes tasks, terminate_on_success, sample_tasks_on_reset "
            "and update_running_mean; the rest is chosen when the environment is made."
        )
    else:
        env.rows.set_attr(name, each)


def call(env: BatchEnv, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """Calls a method of each row, or reads an attribute, and returns one result a row."""
    if name in _METHODS:
        result = _METHODS[name](env, *args, **kwargs)
        return (None,) * env.num_envs if result is None else result
    if name in _attributes(env) and not (args or kwargs):
        return get_attr(env, name)
    if name in ("reset", "step", "close", "seed"):
        own = "reset(seed=...)" if name == "seed" else f"{name}()"
        raise AttributeError(f"The rows have no {name}() of their own: call the vector environment's {own}.")
    return _call_rows(env, name, args, kwargs)


@guarded
def _call_rows(env: BatchEnv, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    env.check_ready(f"call({name!r})")
    return env.rows.call(name, *args, **kwargs)


def _attributes(env: BatchEnv) -> dict[str, Callable[[int], Any]]:
    """By name, what returns the attribute of a row."""
    assignments, normalizers = env.assignments, _normalizers(env)
    return {
        "tasks": lambda row: list(assignments.selections[row].tasks),
        "task": lambda row: assignments.current[row],
        "current_task_idx": lambda row: assignments.selections[row].current_task_idx,
        "task_name": lambda row: _class_name(env, row),
        "max_path_length": lambda row: env.max_episode_steps,
        "max_episode_steps": lambda row: env.max_episode_steps,
        "terminate_on_success": lambda row: bool(env.progress.terminate_on_success[row]),
        "sample_tasks_on_reset": lambda row: bool(assignments.sample_on_reset[row]),
        "update_running_mean": lambda row: all(each.updating for each in normalizers),
        "np_random": lambda row: assignments.generators.each[row],
        "np_random_seed": lambda row: assignments.generators.seeds[row],
        "action_space": lambda row: env.single_action_space,
        "observation_space": lambda row: env.single_observation_space,
    }


def _normalizers(env: BatchEnv) -> list[Any]:
    """The normalisers that there are."""
    return [each for each in (env.observations.normalizer, env.reward_normalizer) if each is not None]


def _class_name(env: BatchEnv, row: int) -> str:
    """The official class of the row's skill: of its episode at hand, or else of its first task."""
    task = env.assignments.current[row] or env.assignments.selections[row].tasks[0]
    return env.world.class_name(task.env_name)


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


def _switch(name: str, value: Any) -> bool:
    return bool(check_choice(name, value.item() if isinstance(value, np.bool_) else value, (True, False)))


def _list_of_tasks(tasks: Any) -> list[Any]:
    if not isinstance(tasks, list | tuple) or not tasks:
        raise WrongValue(
            f"tasks must be a list of lists, for each row at least one task, not {tasks!r}.", argument="tasks"
        )
    return list(tasks)
