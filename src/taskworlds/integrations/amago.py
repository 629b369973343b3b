"""AMAGO's own type of environment, for its `Experiment`: `Trials` at any tasks, and `Metaworld` as AMAGO has it.

AMAGO 3.3 was written for a Gymnasium below 1.0, and this package needs one from 1.1. What AMAGO lacks with that one,
this module adds to AMAGO's classes when it is imported, and to nothing else; see `run_on_new_gymnasium`.
docs/clients/amago.md says how to install AMAGO, which is not on the package index.

Example:
    >>> from taskworlds.integrations.amago import Metaworld, Trials  # doctest: +SKIP
    >>> env = Metaworld("ml10", "train", k_episodes=3)  # doctest: +SKIP
    >>> env = Trials("half-cheetah-vel", k_episodes=3, num_envs=16)  # doctest: +SKIP
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, Space
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from gymnasium.wrappers import TransformObservation
from numpy.typing import NDArray

from taskworlds.compat.amago import k_episode
from taskworlds.core.benchmark import benchmark as make_benchmark
from taskworlds.core.benchmark import split_of_name
from taskworlds.core.errors import WrongType, check_count
from taskworlds.vector.make import make, make_vec
from taskworlds.vector.task_vector_env import TaskVectorEnv

try:
    import amago.experiment
    from amago.envs import AMAGOEnv
    from amago.envs.amago_env import SequenceWrapper
    from amago.envs.exploration import ExplorationWrapper
except ImportError as error:
    raise ImportError(
        f"taskworlds.integrations.amago needs AMAGO 3.3, which could not be imported ({error}). Type: pip install "
        "accelerate einops gin-config gym termcolor torch tqdm wandb && pip install --no-deps "
        "git+https://github.com/UT-Austin-RPL/amago@2d85600. Without it, taskworlds.Metaworld is a plain Gymnasium "
        "environment with the same trials."
    ) from error

__all__ = ["Metaworld", "Trials", "run_on_new_gymnasium"]


class Trials(AMAGOEnv):  # type: ignore[misc]  # its type is known where AMAGO is installed
    """Trials of k attempts at the tasks of any benchmark, as an AMAGOEnv; also many at a time, on one engine.

    Observations are those of `taskworlds.make(benchmark, k_episodes=k)`: where they are a vector of floats, they end
    with a flag, 1 where an attempt begins. Here floats are float32, and a Discrete observation is its one-hot. Actions
    are AMAGO's, from -1 to 1 for each Box.

    AMAGO logs for each trial, by the skill's name, the metrics that `taskworlds.Metaworld` has: `Trial {i} Return`,
    `Total Trial Return` and, in worlds with success, `Trial {i} Success`, 1 if any step of the attempt succeeded, and
    `Total Successes`.

    AMAGO makes its parallel actors alike and resets them without a seed, so by default each draws its tasks from fresh
    entropy.

    Args:
        benchmark: as for `taskworlds.make`: "half-cheetah-vel", "ML45-test", "MT10", a skill, or a `Benchmark`.
        k_episodes: attempts of a trial, K; 1 for ordinary episodes.
        num_envs: rows of a batch, for `Experiment(parallel_actors=num_envs, env_mode="already_vectorized")`; None for
            one environment, for the modes "sync" and "async". The metrics of a batch with several skills stand under
            the benchmark's name.
        split: "train" or "test"; None for what the name says, else "train".
        goals_seed: seed of the benchmark's goals, if it is named; all actors share it.
        seed: seeds the draws of tasks and states; None for fresh entropy.
        **options: as for `taskworlds.make` and `taskworlds.make_vec`: `max_episode_steps` (of an attempt) and so on.

    Raises:
        TypeError: as for `taskworlds.make`; or observations are of a space that AMAGO cannot take.
        ValueError: as for `taskworlds.make`; or `num_envs` is 1.
    """

    def __init__(
        self,
        benchmark: Any,
        k_episodes: int,
        *,
        num_envs: int | None = None,
        split: str | None = None,
        goals_seed: int = 0,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        if isinstance(benchmark, str):
            name, split = split_of_name(benchmark, split)
            benchmark = make_benchmark(name, seed=goals_seed)
        options |= {"split": split, "k_episodes": k_episodes, "seed": seed}
        if num_envs is None:
            envs = make(benchmark, **options).batch
        else:
            check_count("num_envs", num_envs, minimum=2)
            envs = make_vec(benchmark, num_envs, autoreset_mode=AutoresetMode.SAME_STEP, **options)
        self.trials = envs
        super().__init__(
            env=_Rows(envs, alone=num_envs is None),
            env_name=envs.benchmark.name,
            batched_envs=1 if num_envs is None else num_envs,
        )

    @property
    def env_name(self) -> str:
        """The skill under which AMAGO logs and names its files; before the first reset, the benchmark's name."""
        names = set(self.trials.task_names)
        name = names.pop() if len(names) == 1 else None
        return str(name or self.trials.benchmark.name).replace("/", "_")


class _Rows(gymnasium.Env[Any, Any]):
    """A batch of trials as AMAGO steps it: all rows as one environment that resets itself, or its only row.

    Infos hold AMAGO's metrics and nothing else.

    Args:
        envs: in the mode SAME_STEP, or with one row in the mode DISABLED.
        alone: whether it is one row, whose values come without the batch.
    """

    def __init__(self, envs: TaskVectorEnv, *, alone: bool) -> None:
        self._envs = envs
        self._alone = alone
        self._successes = np.zeros(envs.num_envs)  # of the trial's attempts so far
        self.observation_space, self._convert = _for_networks(envs.single_observation_space)
        self.action_space = envs.single_action_space
        self.metadata = envs.metadata
        self.render_mode = envs.render_mode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        obs, _ = self._envs.reset(seed=seed)
        self._successes[:] = 0
        return self._of_rows(obs), {}

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        actions = np.asarray(action)[None] if self._alone else np.asarray(action)
        obs, rewards, terminated, truncated, infos = self._envs.step(actions)
        metrics = self._metrics(infos, terminated | truncated)
        if self._alone:
            ends = bool(terminated[0]), bool(truncated[0])
            return (
                self._of_rows(obs),
                float(rewards[0]),
                *ends,
                {name: float(each[0]) for name, each in metrics.items()},
            )
        return self._of_rows(obs), rewards.astype(np.float32), terminated, truncated, metrics

    def render(self) -> Any:
        pictures = self._envs.render()
        return pictures[0] if self._alone and pictures is not None else pictures

    def close(self) -> None:
        self._envs.close()

    def _of_rows(self, obs: Any) -> Any:
        converted = self._convert(obs)
        if not self._alone:
            return converted
        return _each(converted, lambda array: array[0])

    def _metrics(self, infos: dict[str, Any], done: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
        """Returns AMAGO's metrics, each of the rows whose attempt, or trial, ended with this step."""
        last = infos.get("final_info", infos)  # of the rows that have been reset in this step

        def told(name: str) -> NDArray[Any]:
            values: NDArray[Any] = np.where(done, last[name], infos[name])
            return values

        metrics = {}
        attempts, ended = told("attempt"), told("attempt_ended") > 0
        knows_success = "attempt_success" in infos
        for attempt in np.unique(attempts[ended]):
            rows = ended & (attempts == attempt)
            if knows_success:
                metrics[f"Trial {attempt} Success"] = told("attempt_success")[rows]
            metrics[f"Trial {attempt} Return"] = told("attempt_return")[rows]
        if knows_success:
            self._successes += np.where(ended, told("attempt_success"), 0.0)
        if done.any():
            if knows_success:
                metrics["Total Successes"] = self._successes[done]
                self._successes[done] = 0
            metrics["Total Trial Return"] = told("episode_return")[done]
        return {f"{k_episode.LOG_PREFIX} {name}": values for name, values in metrics.items()}


def _each(value: Any, function: Callable[[Any], Any]) -> Any:
    """Returns what a function makes of an array, or of each array in a dictionary."""
    return (
        {name: function(each) for name, each in value.items()} if isinstance(value, dict) else function(value)
    )


def _for_networks(space: Space[Any]) -> tuple[Space[Any], Callable[[Any], Any]]:
    """Returns a space of arrays that networks take, and what makes them of a batch of the given space.

    Floats become float32, a whole number from a Discrete space its one-hot; bytes, as of pictures, stay.

    Raises:
        TypeError: the space is another one than Box, Discrete, or a Dict of these.
    """
    if isinstance(space, Box):
        if space.dtype == np.uint8:
            return space, np.asarray
        with np.errstate(over="ignore"):  # what float32 cannot hold is no bound
            low, high = space.low.astype(np.float32), space.high.astype(np.float32)
        return Box(low, high, dtype=np.float32), _as_float32
    if isinstance(space, Discrete):
        one_hots = np.eye(int(space.n), dtype=np.float32)
        return Box(0.0, 1.0, (len(one_hots),)), lambda numbers: one_hots[np.asarray(numbers) - space.start]
    if isinstance(space, Dict) and not any(isinstance(each, Dict) for each in space.values()):
        parts = {name: _for_networks(each) for name, each in space.items()}
        return (
            Dict({name: part for name, (part, _) in parts.items()}),
            lambda obs: {name: convert(obs[name]) for name, (_, convert) in parts.items()},
        )
    raise WrongType(f"AMAGO takes observations of a Box, a Discrete or a Dict of these, and not of {space}.")


class Metaworld(AMAGOEnv):  # type: ignore[misc]  # as above
    """AMAGO's `Metaworld`: trials of k attempts at the tasks of a meta-learning benchmark, as an AMAGOEnv.

    In a program of AMAGO's, change the import. As `taskworlds.Metaworld`, with float32 observations, and under AMAGO's
    own seeds, as `Trials`.

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
        trials = k_episode.Metaworld(
            benchmark_name, split, k_episodes, max_episode_length, seed=goals_seed, **options
        )
        if seed != goals_seed:
            trials.np_random = np.random.default_rng(seed)
        self.trials: k_episode.KEpisodeMetaworld = trials
        space, convert = _for_networks(trials.observation_space)
        super().__init__(env=TransformObservation(trials, convert, space), env_name=trials.env_name)

    @property
    def env_name(self) -> str:
        """The trial's skill, under which AMAGO logs it and names its files."""
        return self.trials.env_name


def _as_float32(observations: Any) -> NDArray[np.float32]:
    return np.asarray(observations, dtype=np.float32)


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
