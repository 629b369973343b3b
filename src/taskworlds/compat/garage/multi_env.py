"""`MultiEnvWrapper`: several environments in one; each episode runs in one of them.

A strategy decides which: `uniform_random_strategy`, `round_robin_strategy`, or any function
`strategy(num_tasks, last_task)`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec as GymnasiumEnvSpec
from gymnasium.spaces import Box

from taskworlds.compat.garage.step_wrapper import StepWrapper, spec_of_unregistered
from taskworlds.compat.garage.task_onehot import observation_with_onehot, space_with_onehot, vector_space
from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_count, check_seed
from taskworlds.core.spaces import garage_space
from taskworlds.core.step import EnvSpec, EnvStep

__all__ = ["MultiEnvWrapper", "round_robin_strategy", "uniform_random_strategy"]

_MODES = ("vanilla", "add-onehot", "del-onehot")


def round_robin_strategy(num_tasks: int, last_task: int | None = None) -> int:
    """Returns the tasks in turn, beginning with 0.

    Args:
        num_tasks: number of tasks.
        last_task: the previous task; None for the first.

    Returns:
        The next task, in [0, num_tasks).

    Example:
        >>> round_robin_strategy(3), round_robin_strategy(3, 0), round_robin_strategy(3, 2)
        (0, 1, 0)
    """
    return 0 if last_task is None else (last_task + 1) % num_tasks


def uniform_random_strategy(
    num_tasks: int, last_task: int | None = None, *, np_random: np.random.Generator | None = None
) -> int:
    """Returns one of the tasks at random, each with the same probability.

    Args:
        num_tasks: number of tasks.
        last_task: the previous task; not used.
        np_random: generator to draw from; None for a new one with fresh entropy.

    Returns:
        A task, in [0, num_tasks).

    Example:
        >>> import numpy as np
        >>> generator = np.random.default_rng(0)
        >>> [uniform_random_strategy(5, np_random=generator) for _ in range(4)]
        [4, 3, 2, 1]
    """
    generator = np.random.default_rng() if np_random is None else np_random
    return int(generator.integers(num_tasks))


class MultiEnvWrapper(StepWrapper):
    """Runs each episode in one of several environments, which is chosen at every reset.

    Info has `task_id` at every step: the integer `task_id` of the inner environment if it has one (so a MultiEnvWrapper
    in a MultiEnvWrapper keeps its own), else `active_task_index`. With `env_names` it also has `task_name`. After a
    reset read `active_task_index`.

    `reset(seed=s)` restarts the strategy and all environments. The strategy gets a new generator and no last task; the
    environment that it chooses is reset with s, and the others, in the order of the list from there on, with s + 1,
    s + 2 and so on when their next episode starts. So a seed fixes everything that follows. Give it once: with a seed
    at every reset, round robin would always start with task 0.

    Observation spaces must agree: Boxes in shape, all others in everything. Boxes may differ in bounds and in
    precision; `observation_space` is then the smallest Box that contains them all, and observations get its dtype. The
    same holds for action spaces; `action_space`, `spec`, rendering and every other attribute are those of the active
    environment.

    Args:
        envs: the environments, at least one. Their order decides the task numbers and one-hots.
        sample_strategy: chooses the task of a reset, called as `sample_strategy(num_tasks, last_task)`; if it has a
            parameter named `np_random`, it gets this wrapper's generator as that keyword.
        mode: how observations change. "vanilla": not at all. "add-onehot": a one-hot of the task is appended, with
            `num_tasks` entries, or with as many as the largest MultiEnvWrapper inside has. "del-onehot": the last
            `num_tasks` entries, which are a one-hot of the inner environments, are removed.
        env_names: names of the tasks, one for each environment, all different.
        seed: seeds the strategy's generator, until a `reset(seed=...)`; None for fresh entropy.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: there are no environments, the spaces do not agree, the mode is not known, or there are too few or
            too many names or equal ones.

    Example:
        >>> import gymnasium
        >>> envs = [gymnasium.make("CartPole-v1") for _ in range(2)]
        >>> env = MultiEnvWrapper(envs, round_robin_strategy, env_names=["left", "right"])
        >>> for _ in range(3):
        ...     observation, info = env.reset()
        ...     print(env.active_task_index, env.step(0).env_info["task_name"], observation[4:])
        0 left [1. 0.]
        1 right [0. 1.]
        0 left [1. 0.]
    """

    def __init__(
        self,
        envs: Sequence[gymnasium.Env[Any, Any]],
        sample_strategy: Callable[..., int] = uniform_random_strategy,
        mode: str = "add-onehot",
        env_names: Sequence[str] | None = None,
        *,
        seed: int | None = 0,
    ) -> None:
        if not isinstance(envs, list | tuple):
            raise WrongType(
                f"envs must be a list of environments, not {envs!r}. Put a single one into a list.",
                argument="envs",
            )
        if not envs:
            raise WrongValue(
                "envs must hold at least one environment: an empty list has no spaces.", argument="envs"
            )
        for index, env in enumerate(envs):
            if not isinstance(env, gymnasium.Env):
                raise WrongType(
                    f"envs must hold Gymnasium environments (gymnasium.Env); item {index} is {env!r}.",
                    argument="envs",
                )
        if not callable(sample_strategy):
            raise WrongType(
                "sample_strategy must be a function of (num_tasks, last_task), such as "
                f"uniform_random_strategy, not {sample_strategy!r}.",
                argument="sample_strategy",
            )
        check_choice("mode", mode, _MODES)
        super().__init__(envs[0])
        self._envs = list(envs)
        self._env_names = _checked_names(env_names, len(envs))
        self._strategy = sample_strategy
        self._strategy_takes_random = _takes_np_random(sample_strategy)
        self._strategy_random = None if seed is None else _strategy_generator(check_seed(seed))
        self._pending_seeds: list[int | None] = [None] * len(envs)
        self._active_task_index: int | None = None
        self._mode = mode
        self._first_registration = self._registration()

        space = _common_observation_space([env.observation_space for env in envs])
        self._check_action_spaces()
        # The index of a MultiEnvWrapper inside takes precedence, so the one-hot must be long enough for it.
        inner_tasks = [
            env.get_wrapper_attr("num_tasks")
            for env in envs
            if env.has_wrapper_attr("active_task_index") and env.has_wrapper_attr("num_tasks")
        ]
        self._onehot_length = max(len(envs), *inner_tasks) if inner_tasks else len(envs)
        if mode == "add-onehot":
            space = space_with_onehot(vector_space(space), self._onehot_length)
        elif mode == "del-onehot":
            space = _space_without_onehot(vector_space(space), len(envs))
        self.observation_space = space

    @property
    def num_tasks(self) -> int:
        """Number of environments."""
        return len(self._envs)

    @property
    def task_space(self) -> gymnasium.Space[Any]:
        """Space of the one-hot of a task."""
        return garage_space(Box(0.0, 1.0, (self._onehot_length,)))

    @property
    def active_task_index(self) -> int | None:
        """Index of the active task: the active environment's own if it has one. None before the first reset."""
        if self.env.has_wrapper_attr("active_task_index"):
            inner: int | None = self.env.get_wrapper_attr("active_task_index")
            return inner
        return self._active_task_index

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Chooses a task and starts an episode in its environment.

        Args:
            seed: restarts the strategy and all environments from this seed; None to go on.
            options: passed on to the environment.

        Returns:
            The first observation, in `observation_space`, and the environment's info.

        Raises:
            TypeError: the strategy did not return a whole number, or the seed is not one.
            ValueError: the strategy returned a number that is not a task's, or the seed is out of range.
        """
        last_task = self._active_task_index
        if seed is not None:
            seed = check_seed(seed)
            self._strategy_random = _strategy_generator(seed)
            last_task = None
        task = self._sample_task(last_task)
        if seed is not None:
            self._pending_seeds = [seed + (index - task) % self.num_tasks for index in range(self.num_tasks)]
        self.env = self._envs[task]
        self._active_task_index = task
        self._cached_spec = None
        task_seed, self._pending_seeds[task] = self._pending_seeds[task], None
        observation, info = super().reset(seed=task_seed, options=options)
        return self._observe(observation), info

    def step(self, action: Any) -> EnvStep:
        """Takes one step in the active environment.

        Args:
            action: a value of `action_space`.

        Returns:
            The `EnvStep`, with an observation in `observation_space`. Info has the task's index as `task_id`, or the
            `task_id` of the environment inside if it has one; and the task's name as `task_name` if there are
            `env_names`.

        Raises:
            RuntimeError: no episode is under way: call reset().
        """
        step = super().step(action)
        return EnvStep(
            self.spec,
            step.action,
            step.reward,
            self._observe(step.observation),
            self._with_task(step.env_info),
            step.step_type,
        )

    def close(self) -> None:
        """Closes all environments."""
        for env in self._envs:
            env.close()

    def _sample_task(self, last_task: int | None) -> int:
        if self._strategy_random is None:
            self._strategy_random = np.random.default_rng()
        keywords = {"np_random": self._strategy_random} if self._strategy_takes_random else {}
        task = check_count(
            "The task that sample_strategy chose",
            self._strategy(self.num_tasks, last_task, **keywords),
            minimum=0,
        )
        if task >= self.num_tasks:
            raise WrongValue(
                f"The task that sample_strategy chose must be below num_tasks={self.num_tasks}, not {task}: "
                "tasks count from 0."
            )
        return task

    def _observe(self, observation: Any) -> Any:
        space = self.observation_space
        if not isinstance(space, Box):
            return observation
        if self._mode == "add-onehot":
            return observation_with_onehot(
                observation, self.active_task_index or 0, self._onehot_length, space.dtype
            )
        if self._mode == "del-onehot":
            return np.array(observation[: -self.num_tasks], space.dtype)
        return np.asarray(observation, space.dtype)

    def _with_task(self, info: dict[str, Any]) -> dict[str, Any]:
        info = dict(info)
        inner_id = info.get("task_id")
        if isinstance(inner_id, bool) or not isinstance(inner_id, int | np.integer):
            info["task_id"] = self.active_task_index
        if self._env_names is not None:
            info["task_name"] = self._env_names[self._active_task_index or 0]
        return info

    def _restart(self) -> None:
        super()._restart()
        if self._active_task_index is None:  # set_task began the first episode, in the first environment
            self._active_task_index = 0

    def _check_action_spaces(self) -> None:
        first = self._envs[0].action_space
        for index, env in enumerate(self._envs):
            space = env.action_space
            if isinstance(first, Box) and isinstance(space, Box):
                same = space.shape == first.shape and (space.dtype.kind == "f") == (first.dtype.kind == "f")
            else:
                same = space == first
            if not same:
                raise WrongValue(
                    "Action space of all envs should be same. "
                    f"Environment {index} has {space}, but environment 0 has {first}."
                )

    def _registration(self) -> tuple[Any, ...]:
        """The first environment's id in Gymnasium's registry, and its entry point."""
        spec = self._envs[0].unwrapped.spec
        return (None, None) if spec is None else (spec.id, spec.entry_point)

    def _make_spec(self, inner: GymnasiumEnvSpec) -> EnvSpec:
        specs = [env.spec if env.spec is not None else spec_of_unregistered(env) for env in self._envs]
        limits = [one.max_episode_steps for one in specs]
        # Where gymnasium.make makes this wrapper, it writes the id into the spec of the innermost environment.
        registered = self._registration() != self._first_registration
        spec = _MultiEnvSpec.of(
            self._envs[0].unwrapped.spec if registered else inner,
            self.observation_space,
            self.action_space,
            None if None in limits else max(limit for limit in limits if limit is not None),
        )
        assert isinstance(spec, _MultiEnvSpec)
        spec.active_limit = (
            inner.max_episode_length if isinstance(inner, EnvSpec) else inner.max_episode_steps
        )
        spec.nondeterministic = any(one.nondeterministic for one in specs)
        spec.additional_wrappers = ()
        if not registered:
            spec.entry_point = _Rebuild(specs, self._strategy, self._mode, self._env_names)
            spec.vector_entry_point = None
            spec.kwargs = {}
        return spec


class _MultiEnvSpec(EnvSpec):
    """The spec of several environments: `max_episode_steps` is the longest task's.

    gymnasium.make and GymEnv apply that limit to all tasks, so it must not end any of them early.
    """

    active_limit: int | None

    @property
    def max_episode_length(self) -> int | None:
        """Most steps of an episode of the active task, None for no limit."""
        limits = (self.active_limit, self.max_episode_steps)
        return min((limit for limit in limits if limit is not None), default=None)


class _Rebuild:
    """Entry point of a MultiEnvWrapper, which makes its environments from their specs."""

    def __init__(
        self,
        specs: list[GymnasiumEnvSpec],
        strategy: Callable[..., int],
        mode: str,
        env_names: list[str] | None,
    ) -> None:
        self._specs = specs
        self._strategy = strategy
        self._mode = mode
        self._env_names = env_names

    def __call__(self, **kwargs: Any) -> MultiEnvWrapper:
        envs = [spec.make(**kwargs) for spec in self._specs]
        return MultiEnvWrapper(envs, self._strategy, self._mode, self._env_names)


def _checked_names(env_names: Any, count: int) -> list[str] | None:
    if env_names is None:
        return None
    if not isinstance(env_names, list | tuple) or not all(isinstance(name, str) for name in env_names):
        raise WrongType(
            f"env_names must be a list of strings, one for each environment, not {env_names!r}.",
            argument="env_names",
        )
    if len(env_names) != count:
        raise WrongValue(
            f"env_names must hold one name for each of the {count} environments, not {len(env_names)}.",
            argument="env_names",
        )
    if len(set(env_names)) != count:
        twice = sorted({name for name in env_names if env_names.count(name) > 1})
        raise WrongValue(
            f"env_names must be unique, but {', '.join(map(repr, twice))} came more than once.",
            argument="env_names",
        )
    return list(env_names)


def _strategy_generator(seed: int) -> np.random.Generator:
    """Returns the generator of a child of the seed: from itself the strategy would draw what environment 0 draws."""
    return np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])


def _takes_np_random(strategy: Callable[..., int]) -> bool:
    try:
        return "np_random" in inspect.signature(strategy).parameters
    except ValueError:  # some callables written in C have no signature
        return False


def _common_observation_space(spaces: list[gymnasium.Space[Any]]) -> gymnasium.Space[Any]:
    """Returns the smallest space that contains all observations; raises ValueError if the spaces do not agree."""
    first = spaces[0]
    boxes = [space for space in spaces if isinstance(space, Box)]
    all_boxes = len(boxes) == len(spaces)
    for index, space in enumerate(spaces):
        if not (space.shape == first.shape if all_boxes else space == first):
            raise WrongValue(
                "Observation space of all envs should be same. "
                f"Environment {index} has {space}, but environment 0 has {first}."
            )
    if not all_boxes:
        return first
    dtype = np.result_type(*(box.dtype for box in boxes))
    return Box(
        np.min([box.low for box in boxes], axis=0).astype(dtype),
        np.max([box.high for box in boxes], axis=0).astype(dtype),
        dtype=dtype.type,
    )


def _space_without_onehot(space: Box, length: int) -> Box:
    if space.shape[0] <= length:
        raise WrongValue(
            f"mode 'del-onehot' removes a one-hot of {length} entries, which leaves nothing of observations of "
            f"{space.shape[0]}. Use mode 'vanilla' for observations without a one-hot."
        )
    return Box(space.low[:-length], space.high[:-length], dtype=space.dtype.type)
