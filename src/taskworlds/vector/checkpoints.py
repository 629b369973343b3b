"""Meta-World's checkpoints of a `TaskVectorEnv`: which tasks come in each row, saved at the end of an epoch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from taskworlds.core.errors import WrongValue, check_switch
from taskworlds.vector.env_protocol import BatchEnv

__all__ = ["get_checkpoint", "load_checkpoints"]


def get_checkpoint(env: BatchEnv, row: int) -> tuple[str, dict[str, Any]]:
    """Returns a row's name and its task selection: what Meta-World saves at the end of an epoch.

    It is JSON-ready and holds no physics, so it is exact between episodes; `get_state` is exact everywhere.
    Each row has a name of its own, where Meta-World's ML rows all share one and overwrite each other.
    """
    return f"{env.benchmark.name}/{env.split}/row-{row}", env.assignments.get_checkpoint(row) | {
        "terminate_on_success": bool(env.progress.terminate_on_success[row])
    }


def load_checkpoints(env: BatchEnv, checkpoints: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Takes the checkpoints that `get_checkpoint` returned for all rows, in any order.

    The next reset goes on from there.

    Raises:
        ValueError: a row's checkpoint is missing, is not what `get_checkpoint` returned, or is of another benchmark's
            skills. Then nothing has changed.
    """
    pairs = [*checkpoints] if isinstance(checkpoints, Iterable) else [checkpoints]
    for pair in pairs:
        if not (isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)):
            raise WrongValue(
                f"checkpoints must be pairs of a name and a checkpoint, as get_checkpoint returns them, not {pair!r}.",
                argument="checkpoints",
            )
    by_name = dict(pairs)
    names = [get_checkpoint(env, row)[0] for row in range(env.num_envs)]
    missing = [name for name in names if name not in by_name]
    if missing:
        raise WrongValue(
            f"There is no checkpoint for {', '.join(missing)}, but there are for {', '.join(by_name) or 'none'}. "
            "Load what get_checkpoint returned in an environment that was made in the same way."
        )
    for row, name in enumerate(names):
        _check(env, row, name, by_name[name])
    switches = [by_name[name]["terminate_on_success"] for name in names]
    env.progress.end_on_success(switches)
    for row, name in enumerate(names):
        env.assignments.load_checkpoint(row, by_name[name])
        current = env.assignments.current[row]
        env.observations.set_task(row, current)
        env.progress.running[row] = False


def _check(env: BatchEnv, row: int, name: str, checkpoint: dict[str, Any]) -> None:
    """Raises ValueError for a checkpoint that a row could not take."""
    try:
        tasks = env.assignments.tasks_of_checkpoint(checkpoint)
        check_switch("terminate_on_success", checkpoint["terminate_on_success"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise WrongValue(
            f"{name} is not a checkpoint that get_checkpoint returned, or it is only part of one."
        ) from None
    for task in tasks:
        env.assignments.check(task, row)
