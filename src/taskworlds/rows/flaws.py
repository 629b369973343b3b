"""What is wrong with what an engine returns: the rules of `Rows` about shapes and types, in words.

A flaw is a rule and what was found instead. `TaskVectorEnv` looks for flaws at its first reset and its first step
(`FirstLook`), `taskworlds.testing.check_engine` at all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from taskworlds.core import batches
from taskworlds.core.world import World
from taskworlds.rows.protocol import Rows, RowStep

__all__ = ["FirstLook", "Flaw", "goals_flaw", "observations_flaw", "step_flaw"]


class Flaw(NamedTuple):
    """A rule that does not hold, and what was found instead."""

    rule: str
    found: str


def observations_flaw(space: gym.Space[Any], num_rows: int, obs: Any) -> Flaw | None:
    """Returns what is wrong with observations, or None.

    Args:
        space: a row's observation.
        num_rows: how many rows, N.
        obs: what `Rows.reset` returned, or a step's.
    """
    found = _batch_flaw(space, num_rows, obs, "they are")
    return None if found is None else Flaw("Observations are a batch of the world's observation space", found)


def goals_flaw(goal_size: int, rows: Rows) -> Flaw | None:
    """Returns what is wrong with the goals that rows show, or None; `goal_size` is the world's, 0 if it has none."""
    goals = np.asarray(rows.goals)
    expected = (rows.num_rows, goal_size)
    if goals.shape == expected and (not goals.size or goals.dtype == np.float64):
        return None
    return Flaw(f"goals are an array {expected} of float64", f"they are {goals.dtype} {goals.shape}")


def step_flaw(num_rows: int, world: World, step: RowStep) -> Flaw | None:
    """Returns what is wrong with a step's outcome beside the observations, or None.

    Args:
        num_rows: how many rows, N.
        world: the world of the rows.
        step: what `Rows.step` returned.
    """
    if not isinstance(step, RowStep):
        return Flaw("A step returns a RowStep", f"it is {type(step).__name__}")
    if not _is_array(step.rewards, num_rows, np.float64):
        return Flaw("Rewards are (N,) float64", f"they are {_kind(step.rewards)}, and N is {num_rows}")
    for name, values in step.terms.items():
        if not _is_array(values, num_rows, np.float64):
            return Flaw("Each term is (N,) float64", f"{name} is {_kind(values)}, and N is {num_rows}")
    if world.has_success and "success" not in step.terms:
        return Flaw("The terms of a world with success have success", f"they are {sorted(step.terms)}")
    if world.terms is not None and set(step.terms) != set(world.term_names()):
        rule = f"The terms of {world.name} are those that its record names, {', '.join(world.term_names()) or 'none'}"
        return Flaw(rule, f"they are {', '.join(sorted(step.terms)) or 'none'}")
    if step.terminated is not None and not _is_array(step.terminated, num_rows, np.bool_):
        return Flaw("terminated is None or (N,) bool", f"it is {_kind(step.terminated)}, and N is {num_rows}")
    return None


class FirstLook:
    """Looks at what rows return the first time, as later ones will hardly differ.

    Args:
        world: the world of the rows.
        engine: the name of their engine, for messages.
        space: a row's observation.
        num_rows: how many rows there should be, N.
        rows: the rows.
    """

    def __init__(self, world: World, engine: str, space: gym.Space[Any], num_rows: int, rows: Rows) -> None:
        self._world, self._engine, self._space, self._num_rows, self._rows = (
            world,
            engine,
            space,
            num_rows,
            rows,
        )
        self._unseen = {"reset", "step"}

    def at_reset(self, obs: Any) -> None:
        """Raises RuntimeError if this is the first reset and its observations break a rule."""
        if "reset" in self._unseen:
            self._look("reset", obs, None)

    def at_step(self, step: RowStep) -> None:
        """Raises RuntimeError if this is the first step and its outcome breaks a rule."""
        if "step" in self._unseen:
            flaw = step_flaw(self._num_rows, self._world, step)
            self._look("step", getattr(step, "obs", None), flaw)

    def _look(self, call: str, obs: Any, flaw: Flaw | None) -> None:
        flaw = (
            flaw
            or observations_flaw(self._space, self._num_rows, obs)
            or goals_flaw(self._world.goal_size, self._rows)
        )
        if flaw is not None:
            raise RuntimeError(
                f"Rows of the world {self._world.name!r} on the engine {self._engine!r} break a rule in {call}(). "
                f"{flaw.rule}: {flaw.found}. Correct them; check_world and check_engine of taskworlds.testing show "
                "what else is wrong."
            )
        self._unseen.discard(call)


def _batch_flaw(space: gym.Space[Any], num_rows: int, values: Any, what: str) -> str | None:
    """Returns what is wrong with a batch, or None; `what` begins the sentence."""
    if isinstance(space, gym.spaces.Dict):
        if not isinstance(values, Mapping) or set(values) != set(space.spaces):
            return f"{what} {_kind(values)}, and the space has the keys {', '.join(map(str, space.spaces))}"
        parts = [(part, values[name], f"{name!r} is") for name, part in space.spaces.items()]
    elif isinstance(space, gym.spaces.Tuple):
        if not isinstance(values, tuple) or len(values) != len(space.spaces):
            return f"{what} {_kind(values)}, and the space is a tuple of {len(space.spaces)}"
        parts = [(part, values[index], f"part {index} is") for index, part in enumerate(space.spaces)]
    elif not batches.in_arrays(space):
        fits = isinstance(values, tuple | list) and len(values) == num_rows
        return None if fits else f"{what} {_kind(values)}, and there are {num_rows} rows"
    else:
        shape = (num_rows, *(space.shape or ()))
        kind = space.dtype.kind if space.dtype is not None else "f"
        if isinstance(values, np.ndarray) and values.dtype.kind == kind:
            more = len(shape) == 2 and values.shape[:1] == shape[:1] and values.ndim == 2
            if values.shape == shape or (more and values.shape[1] > shape[1]):
                return None
        return f"{what} {_kind(values)}, and the space asks for {space.dtype} {shape}"
    found = (_batch_flaw(part, num_rows, each, told) for part, each, told in parts)
    return next((each for each in found if each is not None), None)


def _is_array(values: Any, num_rows: int, dtype: type[np.generic]) -> bool:
    return isinstance(values, np.ndarray) and values.shape == (num_rows,) and values.dtype == dtype


def _kind(values: Any) -> str:
    """Returns what values are, for a message."""
    if isinstance(values, np.ndarray):
        return f"{values.dtype} {values.shape}"
    if isinstance(values, Mapping):
        return f"a dictionary with the keys {', '.join(map(str, values))}"
    if isinstance(values, tuple):
        return f"a tuple of {len(values)}"
    return f"of type {type(values).__name__}"
