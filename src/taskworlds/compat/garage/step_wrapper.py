"""`StepWrapper`: any Gymnasium environment, with steps as `EnvStep`s and its public attributes forwarded.

The base of garage's wrappers. It changes neither observations nor rewards; it adds garage's view of an environment:
the step as one value, a spec with the spaces, infos that garage's samplers can stack, and attributes that are forwarded
by the wrapper.
"""

from __future__ import annotations

import copy
import functools
import inspect
import weakref
from collections.abc import Callable
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec as GymnasiumEnvSpec
from gymnasium.envs.registration import WrapperSpec

from taskworlds.compat.garage.infos import episode_info, step_info
from taskworlds.core.chunk_step import check_no_chunk
from taskworlds.core.errors import WrongType, WrongValue, check_choice, check_seed
from taskworlds.core.spaces import garage_space
from taskworlds.core.step import EnvSpec, EnvStep, StepType
from taskworlds.vector.task_env import TaskEnv

__all__ = ["StepWrapper", "no_episode"]


class StepWrapper(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Returns each step as an `EnvStep`, whether the environment returns plain tuples or `EnvStep`s.

    An `EnvStep` of the environment keeps its spec, action and step type. A plain tuple gets the type of `StepType.of`:
    TERMINAL if terminated (also if truncated as well), else TIMEOUT if truncated, else FIRST for the first step after a
    reset, else MID. After the end of an episode, call `reset()` before the next step.

    Info is as garage's samplers stack it. Of the environment's, `reset` returns the arrays, and leaves out numbers,
    strings and dictionaries, which would have to have one more dimension. A step's info always has the same keys:
    `episode`, which Gymnasium's RecordEpisodeStatistics adds at the end of an episode, is left out (its queues have it
    too).

    The spaces have the names of garage's library akro too: `flat_dim`, `flatten`, `bounds` and so on.

    Public attributes of the environment, such as `set_task` or `visualize`, can be read from the wrapper. Private ones
    cannot; use `get_wrapper_attr` for those, as everywhere in Gymnasium. Where `set_task` starts an episode, as it does
    in this package's garage environments, calling it through the wrapper starts one here too.

    Args:
        env: the environment to wrap.

    Raises:
        TypeError: `env` is not a Gymnasium environment.

    Example:
        >>> import gymnasium
        >>> env = StepWrapper(gymnasium.make("CartPole-v1"))
        >>> observation, info = env.reset(seed=0)
        >>> step = env.step(1)
        >>> step.first, step.reward, step.action
        (True, 1.0, 1)
        >>> observation, reward, terminated, truncated, info = env.step(0)
        >>> env.spec.max_episode_length, env.gravity
        (500, 9.8)
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        if not isinstance(env, gymnasium.Env):
            raise WrongType(
                f"env must be a single Gymnasium environment (gymnasium.Env), not {env!r}. "
                "For a vector env use the wrappers of gymnasium.wrappers.vector.",
                argument="env",
            )
        super().__init__(env)
        self._named_spaces: dict[str, tuple[Any, Any]] = {}  # the spaces, and what garage_space made of them
        self._steps: int | None = None  # taken in this episode; None where reset() must come first
        self._spec_source: GymnasiumEnvSpec | None = (
            None  # the environment's spec that the cached one was made from
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: seed of the environment's generator, at least 0; None to go on with the generator as it is.
            options: passed on to the environment.

        Returns:
            The environment's first observation, and the arrays of its info.

        Raises:
            TypeError: the seed is not a whole number.
            ValueError: the seed is negative.
        """
        seed = None if seed is None else check_seed(seed)
        observation, info = self.env.reset(seed=seed, options=options)
        self._restart()
        return observation, episode_info(info)

    def _restart(self) -> None:
        """Counts from the start: an episode of the environment has begun."""
        self._steps = 0

    def step(self, action: Any) -> EnvStep:
        """Takes one step.

        Args:
            action: a value of `action_space`.

        Returns:
            The `EnvStep`.

        Raises:
            RuntimeError: no episode is under way.
            ValueError: the environment returned something other than a step of five values; or the action is a chunk of
                several for an environment of `taskworlds.make`.
        """
        if self._steps is None:
            raise no_episode(self)
        if isinstance(self.unwrapped, TaskEnv):
            check_no_chunk(self.action_space, action)
        result = self.env.step(action)
        if not isinstance(result, EnvStep):
            result = self._as_env_step(action, result)
        elif "episode" in result.env_info:
            result = EnvStep(
                result.env_spec,
                result.action,
                result.reward,
                result.observation,
                step_info(result.env_info),
                result.step_type,
            )
        self._steps = None if result.last else self._steps + 1
        return result

    def _as_env_step(self, action: Any, result: Any) -> EnvStep:
        if not isinstance(result, tuple) or len(result) != 5:
            raise WrongValue(
                f"{type(self.env).__name__}.step must return Gymnasium's five values (observation, reward, "
                f"terminated, truncated, info), not {result!r}. Convert environments of the old API first."
            )
        observation, reward, terminated, truncated, info = result
        step_type = StepType.of(terminated, truncated, is_first=self._steps == 0)
        return EnvStep(self.spec, action, reward, observation, step_info(info), step_type)

    @property
    def observation_space(self) -> gymnasium.Space[Any]:
        """Space of the observations."""
        return self._named("observation", super().observation_space)

    @observation_space.setter
    def observation_space(self, space: gymnasium.Space[Any]) -> None:
        self._observation_space = space

    @property
    def action_space(self) -> gymnasium.Space[Any]:
        """Space of the actions."""
        return self._named("action", super().action_space)

    @action_space.setter
    def action_space(self, space: gymnasium.Space[Any]) -> None:
        self._action_space = space

    def _named(self, which: str, space: gymnasium.Space[Any]) -> gymnasium.Space[Any]:
        """Returns a space with garage's names, the same one until the environment has another space."""
        source, named = self._named_spaces.get(which, (None, None))
        if source is not space:
            named = garage_space(space)
            self._named_spaces[which] = space, named
        found: gymnasium.Space[Any] = named
        return found

    @property
    def spec(self) -> EnvSpec:  # type: ignore[override]
        """The environment's spec, with this wrapper's spaces."""
        source = self.env.spec
        # The environment gets another spec when gymnasium.make names it, and when a MultiEnvWrapper changes its task.
        if not isinstance(self._cached_spec, EnvSpec) or self._spec_source is not source:
            self._cached_spec = self._make_spec(
                source if source is not None else spec_of_unregistered(self.env)
            )
            self._spec_source = source
        return self._cached_spec

    def _make_spec(self, inner: GymnasiumEnvSpec) -> EnvSpec:
        """Makes this wrapper's spec from the environment's."""
        if isinstance(inner, EnvSpec):
            spec = copy.copy(inner)
            spec.action_space, spec.observation_space = self.action_space, self.observation_space
        else:
            spec = EnvSpec.of(inner, self.observation_space, self.action_space, inner.max_episode_steps)
        spec.kwargs = dict(inner.kwargs)
        spec.additional_wrappers += (
            WrapperSpec(
                name=self.class_name(),
                entry_point=f"{type(self).__module__}:{type(self).__name__}",
                kwargs=getattr(self, "_saved_kwargs", {} if type(self) is StepWrapper else None),
            ),
        )
        return spec

    @property
    def render_modes(self) -> list[str]:
        """Names of the modes in which the environment can be rendered."""
        if self.env.has_wrapper_attr("render_modes"):
            return list(self.env.get_wrapper_attr("render_modes"))
        return list(self.env.metadata.get("render_modes") or [])

    def render(self, mode: str | None = None) -> Any:
        """Renders the environment.

        Args:
            mode: one of `render_modes`; None for the mode that the environment was made with. Wrappers inside take no
                part in a picture of another mode.

        Raises:
            ValueError: the environment cannot be rendered in `mode`.
        """
        if mode is None:
            return self.env.render()
        env = self.env
        while not _takes_mode(env) and isinstance(env, gymnasium.Wrapper):
            env = env.env
        if _takes_mode(env):
            return env.render(mode)  # type: ignore[call-arg]
        if mode == self.render_mode:
            return self.env.render()
        check_choice("mode", mode, self.render_modes)
        before = env.render_mode
        env.render_mode = mode  # Gymnasium's environments look at it when they draw
        try:
            return env.render()
        finally:
            env.render_mode = before

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or "env" not in self.__dict__:
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}; private names of the environment in it "
                "are not forwarded. Use get_wrapper_attr for them."
            )
        try:
            value = self.env.get_wrapper_attr(name)
        except AttributeError:
            raise AttributeError(
                f"neither {type(self).__name__} nor the {type(self.unwrapped).__name__} in it has an "
                f"attribute {name!r}."
            ) from None
        if name == "set_task" and getattr(self.unwrapped, "set_task_starts_episode", False):
            return functools.partial(self._set_task, value)
        return value

    def _set_task(self, set_task: Callable[[Any], None], task: Any) -> None:
        """Sets the task in the environment, which starts an episode there, and starts it here."""
        set_task(task)
        if isinstance(self.env, gymnasium.Wrapper) and not isinstance(self.env, StepWrapper):
            self.env.reset()  # Gymnasium's wrappers, such as TimeLimit, begin to count in a reset only
        self._restart()

    def set_wrapper_attr(self, name: str, value: Any, *, force: bool = True) -> bool:
        """Sets an attribute where it is defined: on this wrapper, or in the environment inside.

        Args:
            name: the attribute.
            value: its new value.
            force: whether to define it on this wrapper if nothing inside defines it.

        Returns:
            Whether it was set.
        """
        # Not hasattr(self, name): a forwarded attribute can be read here, but it belongs to the environment.
        defined_here = name in self.__dict__ or hasattr(type(self), name)
        if not defined_here and self.env.set_wrapper_attr(name, value, force=False):
            return True
        if defined_here or force:
            setattr(self, name, value)
            return True
        return False

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_cached_spec": None}  # it may point to the environment that it was made from


def no_episode(env: gymnasium.Env[Any, Any]) -> RuntimeError:
    """Returns the error of a step outside an episode, which names the class that the user called."""
    return RuntimeError(
        f"{type(env).__name__}.step needs a running episode. Call reset() before the first step, and after each step "
        "that terminates or truncates."
    )


def spec_of_unregistered(env: gymnasium.Env[Any, Any]) -> EnvSpec:
    """Makes a spec for an environment without one; its `make` copies the environment, as long as that exists."""
    spec = EnvSpec(env.observation_space, env.action_space, entry_point=_CopyOf(env))
    spec.order_enforce = False
    spec.disable_env_checker = True
    return spec


class _CopyOf:
    """Entry point that copies an environment that was never registered.

    Holds it weakly, so that a spec, which each step has, neither keeps a simulator alive nor pickles one.
    """

    def __init__(self, env: gymnasium.Env[Any, Any] | None) -> None:
        self._env = (lambda: None) if env is None else weakref.ref(env)

    def __call__(self, *, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
        env = self._env()
        if env is None or render_mode not in (None, env.render_mode):
            raise WrongValue(
                f"The environment of this spec cannot be made with render_mode={render_mode!r}: it was never "
                "registered, so it can only be copied, as it is and as long as it exists. Register it with "
                "gymnasium.register."
            )
        return copy.deepcopy(env)

    def __deepcopy__(self, memo: dict[int, Any]) -> _CopyOf:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _CopyOf, (None,)


def _takes_mode(env: gymnasium.Env[Any, Any]) -> bool:
    return "mode" in inspect.signature(env.render).parameters
