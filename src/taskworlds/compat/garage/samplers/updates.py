"""Updates: how a sampler changes an environment's task. Each is called with the previous environment."""

from __future__ import annotations

import abc
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium

from taskworlds.compat.garage.per_task import check_wrapper, wrap_for_task
from taskworlds.core.errors import WrongType, WrongValue

__all__ = ["EnvUpdate", "ExistingEnvUpdate", "NewEnvUpdate", "SetTaskUpdate"]


class EnvUpdate(abc.ABC):
    """Turns the previous environment into the next one."""

    @abc.abstractmethod
    def __call__(self, old_env: gymnasium.Env[Any, Any] | None = None) -> gymnasium.Env[Any, Any]:
        """Returns the environment to use from now on.

        Args:
            old_env: the previous environment, which must not be used any more; None for the first.
        """


class NewEnvUpdate(EnvUpdate):
    """Closes the previous environment and makes a new one.

    Args:
        env_constructor: makes the environment, called without arguments.

    Raises:
        TypeError: it cannot be called.

    Example:
        >>> import taskworlds
        >>> NewEnvUpdate(taskworlds.PointEnv)().reset()[1]["goal"].tolist()
        [1.0, 1.0]
    """

    def __init__(self, env_constructor: Callable[[], gymnasium.Env[Any, Any]]) -> None:
        if not callable(env_constructor):
            raise WrongType(
                f"env_constructor must be a function that makes an environment, not {env_constructor!r}. Use "
                "ExistingEnvUpdate for an environment that exists already.",
                argument="env_constructor",
            )
        self._env_constructor = env_constructor

    def __call__(self, old_env: gymnasium.Env[Any, Any] | None = None) -> gymnasium.Env[Any, Any]:
        """Returns the new environment."""
        if old_env is not None:
            old_env.close()
        return self._env_constructor()


class SetTaskUpdate(EnvUpdate):
    """Sets a task on the previous environment if that has the right type, or else on a new one.

    It has the right type if the environment inside all wrappers is exactly an `env_type`, not of a subclass. Its
    wrappers then stay as they are. Otherwise it is closed, with a warning.

    Args:
        env_type: class of the environment, which can be called without arguments and has `set_task`.
        task: the task, as the environment's `sample_tasks` returns it.
        wrapper: a function of (env), or of (env, task), that wraps a new environment after its task is set; None for no
            wrapper.

    Raises:
        TypeError: `wrapper` cannot be called.
        ValueError: `env_type` is not a class.

    Example:
        >>> import taskworlds
        >>> env = SetTaskUpdate(taskworlds.PointEnv, {"goal": (0.5, -1.0)})()
        >>> same = SetTaskUpdate(taskworlds.PointEnv, {"goal": (2.0, 0.0)})(env)
        >>> same is env, env.reset()[1]["goal"].tolist()
        (True, [2.0, 0.0])
    """

    def __init__(
        self,
        env_type: type[gymnasium.Env[Any, Any]],
        task: Any,
        wrapper: Callable[..., gymnasium.Env[Any, Any]] | None = None,
    ) -> None:
        _check_env_type(env_type)
        check_wrapper(wrapper)
        self._env_type = env_type
        self._task = task
        self._wrapper = wrapper

    def __call__(self, old_env: gymnasium.Env[Any, Any] | None = None) -> gymnasium.Env[Any, Any]:
        """Returns the environment with the task set: `old_env` itself or a new one."""
        if old_env is not None:
            if self._fits(old_env):
                old_env.get_wrapper_attr("set_task")(self._task)
                return old_env
            warnings.warn(
                f"The old environment, {old_env}, cannot take a task of {self._env_type.__name__}, so it is "
                "closed and a new one made, which is slow. Give each environment tasks of one type.",
                stacklevel=2,
            )
            old_env.close()
        return self._make()

    def _fits(self, old_env: gymnasium.Env[Any, Any]) -> bool:
        """Returns whether the previous environment can take the task."""
        return type(old_env.unwrapped) is self._env_type

    def _make(self) -> gymnasium.Env[Any, Any]:
        """Makes an environment, with the task set."""
        env = self._env_type()
        env.get_wrapper_attr("set_task")(self._task)
        return wrap_for_task(self._wrapper, env, self._task)


class ExistingEnvUpdate(EnvUpdate):
    """Returns an environment that exists already. The previous one stays open: it may be in use elsewhere.

    Pickling such an update pickles its environment, which is seldom the best way to send one, so it emits a warning.

    Args:
        env: the environment.

    Raises:
        TypeError: it is not a Gymnasium environment.

    Example:
        >>> import taskworlds
        >>> env = taskworlds.PointEnv()
        >>> ExistingEnvUpdate(env)(taskworlds.PointEnv()) is env
        True
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        if not isinstance(env, gymnasium.Env):
            raise WrongType(
                f"env must be a Gymnasium environment, not {env!r}. Use NewEnvUpdate for a function that makes one.",
                argument="env",
            )
        self._env = env

    def __call__(self, old_env: gymnasium.Env[Any, Any] | None = None) -> gymnasium.Env[Any, Any]:
        """Returns the environment."""
        return self._env

    def __getstate__(self) -> dict[str, Any]:
        warnings.warn(
            "An ExistingEnvUpdate is pickled or copied with its whole environment. To send environments to "
            "other processes, use a NewEnvUpdate or a SetTaskUpdate.",
            stacklevel=2,
        )
        return self.__dict__


def _check_env_type(env_type: Any) -> None:
    if not isinstance(env_type, type):
        raise WrongValue(
            f"env_type must be a class, such as taskworlds.PointEnv, not {env_type!r}. Use NewEnvUpdate for a "
            "function that makes environments.",
            argument="env_type",
        )
