"""What an environment was made with, from which one like it is made again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from taskworlds.core.benchmark import Benchmark
from taskworlds.vector.composition import Composition
from taskworlds.vector.options import Options

__all__ = ["Recipe", "remake", "restore"]

Env = TypeVar("Env", bound=Any)


class Recipe(NamedTuple):
    """The arguments of `TaskVectorEnv`, as they were given, but for the seed."""

    benchmark: Benchmark
    split: str
    num_envs: int
    strategy: str | None
    options: Options
    composition: Composition | None

    def in_mode(self, render_mode: str) -> Recipe:
        """Returns the recipe of an environment that draws in another mode."""
        return self._replace(options=dataclasses.replace(self.options, render_mode=render_mode))


def remake(make: Callable[..., Env], recipe: Recipe, limit: int | None) -> Env:
    """Makes an environment again, which can then take the first one's state.

    Args:
        make: the class.
        recipe: what the first one was made with.
        limit: the limit of its episodes, if it was changed later; a protocol would refuse it as an option.
    """
    *how, composition = recipe
    env = make(*how, 0, composition)  # the seed does not matter: a state is put back
    if limit is not None:
        env.set_attr("max_episode_steps", limit)
    return env


def restore(
    make: Callable[..., Env],
    recipe: Recipe,
    limit: int | None,
    state: Mapping[str, Any],
    attributes: Mapping[str, Any],
) -> Env:
    """Makes an environment again as it was: with its state and, by name, what users may have changed of it."""
    env = remake(make, recipe, limit)
    env.set_state(state)
    for name, value in attributes.items():
        setattr(env, name, value)
    return env
