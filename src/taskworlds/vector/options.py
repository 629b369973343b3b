"""What a user can choose about an environment, under Meta-World's names, with the checks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from taskworlds.core.cpus import MOST_THREADS
from taskworlds.core.errors import (
    WrongType,
    WrongValue,
    check_choice,
    check_count,
    check_switch,
    unexpected_keywords,
)
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import SETTINGS, World
from taskworlds.rendering.choices import check_camera, check_size
from taskworlds.vector.keywords import INSTEAD
from taskworlds.vector.task_selection import TASK_SELECT, TaskChooser

__all__ = ["DEFAULTS", "Options"]

_SWITCHES = (
    "use_one_hot",
    "terminate_on_success",
    "recurrent_info_in_obs",
    "normalize_reward_in_recurrent_info",
    "normalize_observations",
    "names_in_info",
    "record_episode_statistics",
)

_COUNTS = {
    "num_tasks": 2**20,
    "env_id": 2**20,
    "max_episode_steps": 2**53,
    "k_episodes": 2**53,
    "num_threads": MOST_THREADS,
}  # by name, the most that can be asked for


@dataclass(frozen=True)
class Options:
    """The choices that every environment here takes, whatever steps it.

    `taskworlds.vector.keywords.OptionKeywords` says what each means; here stand the defaults.
    """

    use_one_hot: bool = False
    num_tasks: int | None = None
    env_id: int | None = None
    max_episode_steps: int | None = None
    terminate_on_success: bool = False
    task_select: str | TaskChooser = "random"
    sample_tasks_on_reset: bool | None = None
    reward_function_version: str | None = None
    recurrent_info_in_obs: bool = False
    normalize_reward_in_recurrent_info: bool = True
    normalize_observations: bool = False
    reward_normalization_method: str | None = None
    reward_alpha: float = 0.001
    k_episodes: int | None = None
    names_in_info: bool = False
    record_episode_statistics: bool = False
    num_threads: int | None = None
    engine_options: Mapping[str, Any] | None = None
    autoreset_mode: AutoresetMode = AutoresetMode.SAME_STEP
    render_mode: str | None = None
    camera_name: str | None = None
    camera_id: int | None = None
    width: int = 480
    height: int = 480

    def __post_init__(self) -> None:
        for name in _SWITCHES:
            object.__setattr__(self, name, check_switch(name, getattr(self, name)))
        if self.sample_tasks_on_reset is not None:
            chosen = check_switch("sample_tasks_on_reset", self.sample_tasks_on_reset)
            object.__setattr__(self, "sample_tasks_on_reset", chosen)
        if not callable(self.task_select):
            check_choice("task_select", self.task_select, TASK_SELECT)
        check_choice(
            "reward_normalization_method",
            self.reward_normalization_method,
            (None, "gymnasium", "exponential"),
        )
        if isinstance(self.reward_alpha, bool) or not isinstance(
            self.reward_alpha, int | float | np.floating
        ):
            raise WrongType(
                f"reward_alpha must be a number, not {self.reward_alpha!r}.", argument="reward_alpha"
            )
        if not 0 < self.reward_alpha <= 1:
            raise WrongValue(
                f"reward_alpha must be above 0 and at most 1, not {self.reward_alpha!r}.",
                argument="reward_alpha",
            )
        if not isinstance(self.autoreset_mode, AutoresetMode):
            modes = {mode.value: mode for mode in AutoresetMode}
            check_choice("autoreset_mode", self.autoreset_mode, tuple(modes))
            object.__setattr__(self, "autoreset_mode", modes[self.autoreset_mode])
        check_choice("render_mode", self.render_mode, (None, "rgb_array", "depth_array", "human"))
        for name, most in _COUNTS.items():
            if getattr(self, name) is not None:
                least = 0 if name == "env_id" else 1
                object.__setattr__(self, name, check_count(name, getattr(self, name), least, most))
        for name, value in zip(("width", "height"), check_size(self.width, self.height), strict=True):
            object.__setattr__(self, name, value)
        check_camera(self.camera_name, self.camera_id)
        if self.engine_options is not None:
            if not isinstance(self.engine_options, Mapping):
                raise WrongType(
                    f"engine_options must be a dictionary of options by name, not {self.engine_options!r}: "
                    'for the native engine, for example, {"num_threads": 4}.',
                    argument="engine_options",
                )
            object.__setattr__(self, "engine_options", dict(self.engine_options))

    @classmethod
    def of(cls, function: str, given: Mapping[str, Any], also: frozenset[str]) -> Options:
        """Takes the keywords that a function was given.

        Args:
            function: the function's name, for the message.
            given: the keywords.
            also: the other keywords that the function takes, for the message.

        Raises:
            TypeError: a keyword is not known.
            ValueError: a value is out of range.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = [name for name in given if name not in known]
        if unknown:
            raise unexpected_keywords(f"{function}()", unknown, known | also, INSTEAD)
        return cls(**given)

    def reward_version_of(self, world: World) -> str:
        """Returns the reward that is in use in a world: the chosen one, or the world's latest.

        Raises:
            ValueError: the world does not have the chosen one.
        """
        versions = world.reward_function_versions
        version = self.reward_function_version or versions[-1]
        return str(check_choice("reward_function_version", version, versions))

    def settings_of(self, world: World) -> dict[str, Any]:
        """Returns the settings that the rows of a world are made with.

        Raises:
            ValueError: one was chosen that the world does not take.
        """
        for name in SETTINGS:
            value = getattr(self, name)
            if name == "reward_function_version" or value == DEFAULTS[name]:
                continue
            if name not in world.settings:
                raise WrongValue(
                    f"{name} must not be given for {world.name}, whose rows do not take it, not {value!r}. Leave it "
                    "out."
                )
        if world.render_modes:
            check_choice("render_mode", self.render_mode, (None, *world.render_modes))
        settings = {name: getattr(self, name) for name in SETTINGS if name in world.settings}
        if "reward_function_version" in settings:
            settings["reward_function_version"] = self.reward_version_of(world)
        return settings

    def options_of(self, engine: RowEngine) -> dict[str, Any]:
        """Returns the options that an engine makes its rows with.

        Raises:
            TypeError: one was chosen that the engine does not take.
            ValueError: two that mean the same differ.
        """
        chosen = dict(self.engine_options or {})
        unknown = [name for name in chosen if name not in engine.options]
        if unknown:
            takes = f"It takes: {', '.join(engine.options)}." if engine.options else "It takes none."
            raise WrongType(
                f"engine_options of the engine {engine.name!r} must not have {', '.join(map(repr, unknown))}. {takes}"
            )
        threads = self.num_threads
        if threads is None or "num_threads" not in engine.options:
            return chosen
        if chosen.setdefault("num_threads", threads) != threads:
            raise WrongValue(
                f"num_threads={threads} and engine_options={self.engine_options} both set the number of threads: "
                "give only one of them."
            )
        return chosen

    @property
    def samples_on_reset(self) -> bool:
        """Whether each reset chooses a task."""
        if self.sample_tasks_on_reset is not None:
            return self.sample_tasks_on_reset
        return self.task_select not in ("pseudorandom", "fixed")


DEFAULTS: dict[str, Any] = {each.name: each.default for each in dataclasses.fields(Options)}
"""The default of each option."""
