"""AMAGO's own type of environment, for its `Experiment`: in a program of AMAGO's, change the import.

AMAGO 3.3 was written for a Gymnasium below 1.0, and this package needs one from 1.1. What AMAGO lacks with that one,
this module adds to AMAGO's classes when it is imported, and to nothing else; see `run_on_new_gymnasium`.

Example:
    >>> from taskworlds.integrations.amago import Metaworld  # doctest: +SKIP
    >>> env = Metaworld("ml10", "train", k_episodes=3)  # doctest: +SKIP
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from gymnasium.wrappers import TransformObservation
from numpy.typing import NDArray

from taskworlds.compat.amago.k_episode import KEpisodeMetaworld
from taskworlds.compat.amago.k_episode import Metaworld as Trials

try:
    import amago.experiment
    from amago.envs import AMAGOEnv
    from amago.envs.amago_env import SequenceWrapper
    from amago.envs.exploration import ExplorationWrapper
except ImportError as error:
    raise ImportError(
        "taskworlds.integrations.amago needs AMAGO, which could not be imported "
        f"({error}). See https://github.com/UT-Austin-RPL/amago; without it use taskworlds.Metaworld, a plain "
        "Gymnasium environment with the same trials."
    ) from error

__all__ = ["Metaworld", "run_on_new_gymnasium"]


class Metaworld(AMAGOEnv):  # type: ignore[misc]  # its type is known where AMAGO is installed
    """AMAGO's `Metaworld`: trials of k attempts at the tasks of a meta-learning benchmark, as an AMAGOEnv.

    As `taskworlds.Metaworld`, with float32 observations, and under AMAGO's own seeds: AMAGO makes its parallel actors
    alike and resets them without a seed, so each draws its trials from fresh entropy.

    Args:
        benchmark_name: "ml10", "ml25" or "ml45"; or a skill's name, such as "reach-v3", for ML1 of that skill.
        split: "train" or "test".
        k_episodes: attempts of a trial, K.
        max_episode_length: steps after which an attempt is truncated.
        goals_seed: seed of the benchmark's goals, which all actors share.
        seed: seeds the draws of the trials; None for fresh entropy.
        **options: as for `taskworlds.Metaworld`.

    Raises:
        TypeError: as for `taskworlds.Metaworld`.
        ValueError: as for `taskworlds.Metaworld`.
    """

    def __init__(
        self,
        benchmark_name: str,
        split: str,
        k_episodes: int,
        max_episode_length: int = 500,
        *,
        goals_seed: int = 0,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        trials = Trials(benchmark_name, split, k_episodes, max_episode_length, seed=goals_seed, **options)
        if seed != goals_seed:
            trials.np_random = np.random.default_rng(seed)
        self.trials: KEpisodeMetaworld = trials
        space = trials.observation_space
        assert isinstance(space, Box)
        bounds = space.low.astype(np.float32), space.high.astype(np.float32)
        observed = TransformObservation(trials, _as_float32, Box(*bounds, dtype=np.float32))
        super().__init__(env=observed, env_name=trials.env_name)

    @property
    def env_name(self) -> str:
        """The trial's skill, under which AMAGO logs it and names its files."""
        return self.trials.env_name


def _as_float32(observation: NDArray[np.float64]) -> NDArray[np.float32]:
    return observation.astype(np.float32)


def run_on_new_gymnasium() -> None:
    """Adds to AMAGO's classes what they lack with a Gymnasium from 1.0 on; a newer AMAGO that has it stays as it is.

    - Exploration wrappers forward attributes such as `env_name`, as all of Gymnasium's wrappers did.
    - The outermost wrapper takes the `options` that Gymnasium's AsyncVectorEnv passes to `reset`, and leaves them out.
    - Experiments with `env_mode="async"` get an AsyncVectorEnv that resets an environment in the step that ends its
      episode, as Gymnasium's did.
    """
    if not hasattr(ExplorationWrapper, "__getattr__"):
        ExplorationWrapper.__getattr__ = _forward
    if "options" not in inspect.signature(SequenceWrapper.reset).parameters:
        SequenceWrapper.reset = _without_options(SequenceWrapper.reset)
        amago.experiment.gym = _Gymnasium("gymnasium")


def _forward(wrapper: gymnasium.Wrapper[Any, Any, Any, Any], name: str) -> Any:
    if name.startswith("_") or "env" not in vars(wrapper):
        raise AttributeError(f"{type(wrapper).__name__!r} object has no attribute {name!r}")
    return getattr(wrapper.env, name)


def _without_options(reset: Any) -> Any:
    @functools.wraps(reset)
    def taking_options(wrapper: Any, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        return reset(wrapper, seed=seed)

    return taking_options


class _SameStep(AsyncVectorEnv):
    """Gymnasium's AsyncVectorEnv with the autoreset of before 1.0."""

    def __init__(self, env_fns: Sequence[Callable[[], gymnasium.Env[Any, Any]]], **keywords: Any) -> None:
        super().__init__(env_fns, autoreset_mode=AutoresetMode.SAME_STEP, **keywords)


class _Gymnasium(types.ModuleType):
    """Gymnasium as AMAGO's experiments see it: with the autoreset that they were written for."""

    vector = types.SimpleNamespace(AsyncVectorEnv=_SameStep)

    def __getattr__(self, name: str) -> Any:
        return getattr(gymnasium, name)


run_on_new_gymnasium()
