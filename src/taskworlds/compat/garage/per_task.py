"""`wrap_for_task`: a user's wrapper of one argument (env) or of two (env, task), applied."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import gymnasium

from taskworlds.core.errors import WrongType

__all__ = ["wrap_for_task"]


def wrap_for_task(
    wrapper: Callable[..., gymnasium.Env[Any, Any]] | None, env: gymnasium.Env[Any, Any], task: Any
) -> gymnasium.Env[Any, Any]:
    """Returns `env` in the user's wrapper.

    Args:
        wrapper: called as `wrapper(env, task)` if two of its arguments have no default, and as `wrapper(env)`
            otherwise; None for no wrapper.
        env: the environment.
        task: the task that the environment is wrapped for.

    Raises:
        TypeError: `wrapper` cannot be called, or it does not return a Gymnasium environment.

    Example:
        >>> import gymnasium
        >>> def named(env, task):
        ...     return gymnasium.wrappers.TransformReward(env, lambda reward: task["scale"] * reward)
        >>> env = wrap_for_task(named, gymnasium.make("CartPole-v1"), {"scale": 3.0})
        >>> _ = env.reset(seed=0)
        >>> env.step(0)[1]
        3.0
    """
    if wrapper is None:
        return env
    wrapped = wrapper(env, task) if _takes_task(wrapper) else wrapper(env)
    if not isinstance(wrapped, gymnasium.Env):
        raise WrongType(
            f"wrapper must return a Gymnasium environment (gymnasium.Env), not {wrapped!r}. Return the "
            "environment that it gets, wrapped or not.",
            argument="wrapper",
        )
    return wrapped


def check_wrapper(wrapper: Any) -> None:
    """Raises TypeError if `wrapper` is neither None nor callable."""
    if wrapper is not None and not callable(wrapper):
        raise WrongType(
            "wrapper must be a function of (env) or of (env, task) that returns an environment, or None, not "
            f"{wrapper!r}.",
            argument="wrapper",
        )


def _takes_task(wrapper: Callable[..., Any]) -> bool:
    parameters = inspect.signature(wrapper).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.kind in positional and each.default is each.empty for each in parameters) >= 2
