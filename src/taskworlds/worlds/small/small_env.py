"""`SmallEnv`: what the small environments of this package share around their own dynamics.

It is garage's protocol on Gymnasium's API: `step` returns an `EnvStep`, a step outside an episode raises, `spec`
carries the spaces and the limit, and `visualize()` prints each later step.
"""

from __future__ import annotations

import abc
import warnings
from typing import Any, ClassVar

import gymnasium
import numpy as np
import numpy.typing as npt

from taskworlds.core.errors import WrongValue, check_choice, check_seed
from taskworlds.core.spaces import garage_space
from taskworlds.core.step import EnvSpec, EnvStep, SpecMixin, StepType

__all__ = ["SmallEnv"]


class SmallEnv(SpecMixin, gymnasium.Env[Any, Any], abc.ABC):  # type: ignore[misc]  # spec is narrower
    """Base of the small environments: the protocol around their own dynamics.

    A subclass writes `step` between `self._check_running()` and `return self._finish(...)`, and fills in
    `_start`, `_text` and `_frame`. Plain attributes hold all state, so it pickles and copies in the middle of
    an episode. One whose constructor takes other arguments than `kwargs` names assigns its own `spec`.

    Args:
        action_space: space of the actions.
        observation_space: space of the observations.
        max_episode_length: most steps of an episode; None or infinity for no limit.
        render_mode: what `render()` returns, one of `metadata["render_modes"]`, or None.
        kwargs: the constructor's other arguments, as plain data, from which `spec.make()` builds it again.

    Raises:
        TypeError: max_episode_length is not a whole number.
        ValueError: max_episode_length is below 1, or render_mode is not one of the modes.

    Example:
        >>> from gymnasium.spaces import Discrete
        >>> class Countdown(SmallEnv):
        ...     def __init__(self, max_episode_length=None, render_mode=None):
        ...         super().__init__(Discrete(2), Discrete(4), max_episode_length, render_mode, kwargs={})
        ...
        ...     def step(self, action):
        ...         self._check_running()
        ...         self.left -= action
        ...         return self._finish(action, 0.0, self.left, {}, terminated=self.left == 0)
        ...
        ...     def _start(self):
        ...         self.left = 3
        ...         return self.left, {}
        ...
        ...     def _text(self):
        ...         return f"{self.left} left"
        ...
        ...     def _frame(self):
        ...         return np.full((8, 8, 3), 60 * self.left, np.uint8)
        >>> env = Countdown(max_episode_length=3)
        >>> env.reset()
        (3, {})
        >>> [env.step(1).step_type.name for _ in range(3)]
        ['FIRST', 'MID', 'TERMINAL']
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": 8,
    }

    def __init__(
        self,
        action_space: gymnasium.Space[Any],
        observation_space: gymnasium.Space[Any],
        max_episode_length: float | None,
        render_mode: str | None,
        kwargs: dict[str, Any],
    ) -> None:
        self.action_space = action_space = garage_space(action_space)
        self.observation_space = observation_space = garage_space(observation_space)
        self.render_mode = check_choice("render_mode", render_mode, [None, *self.render_modes])
        self._spec = EnvSpec(
            observation_space,
            action_space,
            max_episode_length,
            entry_point=f"{type(self).__module__}:{type(self).__qualname__}",
        )
        limit = self._spec.max_episode_length
        self._spec.kwargs = kwargs | {"max_episode_length": limit, "render_mode": render_mode}
        self._step_cnt: int | None = None  # steps taken in this episode; None while none runs
        self._visualizing = False

    @property
    def render_modes(self) -> list[str]:
        """The modes that `render` knows."""
        return list(self.metadata["render_modes"])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: seeds the environment's generator; None keeps it as it is.
            options: none are known; None or an empty dictionary.

        Returns:
            The first observation, and the episode's info.

        Raises:
            TypeError: the seed is not a whole number.
            ValueError: it is negative, or options is not empty.
        """
        if options:
            raise WrongValue(
                f"options must be None or empty, not {options!r}: {type(self).__name__} has no reset "
                "options. Set what should change with its arguments or its methods.",
                argument="options",
            )
        super().reset(seed=None if seed is None else check_seed(seed))
        self._step_cnt = 0
        return self._start()

    def render(self, mode: str | None = None) -> str | npt.NDArray[np.uint8] | None:
        """Returns a picture of the present state, also before the first reset and after an episode's end.

        Args:
            mode: one of `render_modes`; None for the mode given at construction.

        Returns:
            Text for "ansi" (and "ascii", if that is a mode); for "rgb_array" an image, (height, width, 3)
            uint8, the caller's own. None, with a warning, when neither the constructor nor this call chose a
            mode.

        Raises:
            ValueError: mode is not one of `render_modes`.
        """
        if mode is None and self.render_mode is None:
            warnings.warn(
                f"render() returns nothing, because {type(self).__name__} was made without a render_mode. Choose "
                f"one of {', '.join(self.render_modes)} at construction, or call render(mode).",
                stacklevel=2,
            )
            return None
        chosen = check_choice("mode", self.render_mode if mode is None else mode, self.render_modes)
        return self._frame() if chosen == "rgb_array" else self._text()

    def visualize(self) -> None:
        """Prints the state as text, now and after each later step."""
        print(self._text())
        self._visualizing = True

    def _check_running(self) -> int:
        """Returns the steps taken in this episode, or raises if none runs."""
        if self._step_cnt is None:
            raise RuntimeError(
                f"{type(self).__name__}.step needs a running episode, and there is none. Call reset() before "
                "the first step, and after each step that terminates or truncates."
            )
        return self._step_cnt

    def _finish(
        self, action: Any, reward: float, observation: Any, env_info: dict[str, Any], *, terminated: bool
    ) -> EnvStep:
        """Counts the step just made and returns its `EnvStep`."""
        step_cnt = self._check_running() + 1
        step_type = StepType.get_step_type(step_cnt, self._spec.max_episode_length, terminated)
        self._step_cnt = None if step_type in (StepType.TERMINAL, StepType.TIMEOUT) else step_cnt
        if self._visualizing:
            print(self._text())
        return EnvStep(self.spec, action, reward, observation, env_info, step_type)

    @abc.abstractmethod
    def _start(self) -> tuple[Any, dict[str, Any]]:
        """Goes to the start state; returns the first observation and the episode's info."""

    @abc.abstractmethod
    def _text(self) -> str:
        """Returns the state as text."""

    @abc.abstractmethod
    def _frame(self) -> npt.NDArray[np.uint8]:
        """Returns the state as an image, (height, width, 3) uint8."""
