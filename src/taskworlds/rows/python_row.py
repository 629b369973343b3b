"""What the rows of the sync and async engines share, whatever environment steps them."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from taskworlds.core.task import Task

__all__ = ["PythonRow"]


class PythonRow(gym.Env[Any, Any]):
    """One environment of a batch that can hold any task of its world; see `taskworlds.rows.protocol.GymnasiumRows`.

    Attributes:
        next_task: the task of the next reset; None for the one at hand.
        idle: whether the next step is to be skipped.
        value: what `write` writes.
    """

    def __init__(self) -> None:
        self.next_task: Task | None = None
        self.idle = False
        self.value: Any = None

    @property
    def state(self) -> dict[str, Any] | None:
        """Everything that decides the row's future; None before the first reset. Setting it puts the row there."""
        raise NotImplementedError

    @state.setter
    def state(self, state: dict[str, Any] | None) -> None:
        raise NotImplementedError

    @property
    def official(self) -> Any:
        """The environment in use, for those who know it.

        Raises:
            RuntimeError: there was no reset yet.
        """
        raise NotImplementedError

    # A process of AsyncVectorEnv ends with what it raises, so these give an error beside the outcome.

    def ask(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Exception | None, Any]:
        """Calls a method of the environment in use, or reads a value: gives error or None, and outcome."""
        try:
            value = getattr(self.official, name)
            return None, value(*args, **kwargs) if callable(value) else value
        except Exception as error:
            return error, None

    def read(self, name: str) -> tuple[Exception | None, Any]:
        """Reads an attribute of the environment in use, but not a method; gives what `ask` gives."""
        try:
            value = getattr(self.official, name)
        except Exception as error:
            return error, None
        if callable(value):
            return AttributeError(f"{name!r} is a method of the official environment, not a value"), None
        return None, value

    def write(self, name: str) -> tuple[Exception | None, Any]:
        """Sets an attribute that the environment in use has to `value`; gives what `ask` gives."""
        try:
            getattr(self.official, name)
            setattr(self.official, name, self.value)
        except Exception as error:
            return error, None
        return None, None

    def put_state(self) -> tuple[Exception | None, Any]:
        """Goes to the state in `value`, or stays where it is if it cannot; gives what `ask` gives."""
        before = self.state
        try:
            self.state = self.value
        except Exception as error:
            self.state = before
            return error, None
        return None, None
