"""What a user can choose about an environment, under Meta-World's names, with the checks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
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
    check_known,
    check_switch,
    unexpected_keywords,
)
from taskworlds.core.row_engine import RowEngine
from taskworlds.core.world import SETTINGS, World
from taskworlds.rendering.choices import check_camera, check_size
from taskworlds.rendering.views import CHANNELS, QUALITIES, Views, check_cameras, check_poses
from taskworlds.vector.curriculum import CurriculumFunction
from taskworlds.vector.keywords import INSTEAD
from taskworlds.vector.protocols import PROTOCOLS, REPEAT_SUCCESS
from taskworlds.vector.task_selection import TASK_SELECT, TaskChooser

__all__ = ["DEFAULTS", "Options"]

_SWITCHES = (
    "use_one_hot",
    "terminate_on_success",
    "recurrent_info_in_obs",
    "normalize_reward_in_recurrent_info",
    "normalize_observations",
    "names_in_info",
    "instructions_in_info",
    "record_episode_statistics",
    "play_whole_chunks",
    "pad",
)

OBSERVED = ("state", "pixels", "state+pixels")
"""What can be observed."""

_OF_PICTURES = ("cameras", "picture_channels", "picture_quality", "camera_poses")
_OF_STATE = ("use_one_hot", "recurrent_info_in_obs", "normalize_observations")

_COUNTS = {
    "num_tasks": 2**20,
    "env_id": 2**20,
    "max_episode_steps": 2**53,
    "k_episodes": 2**53,
    "num_threads": MOST_THREADS,
    "batch_size": 2**24,
    "group_size": 2**24,
    "action_repeat": 2**20,
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
    curriculum: CurriculumFunction | None = None
    group_size: int | None = None
    sample_tasks_on_reset: bool | None = None
    reward_function_version: str | None = None
    recurrent_info_in_obs: bool = False
    normalize_reward_in_recurrent_info: bool = True
    normalize_observations: bool = False
    reward_normalization_method: str | None = None
    reward_alpha: float = 0.001
    k_episodes: int | None = None
    names_in_info: bool = False
    instructions_in_info: bool = False
    paraphrases: bool | Sequence[int] = False
    record_episode_statistics: bool = False
    num_threads: int | None = None
    engine_options: Mapping[str, Any] | None = None
    autoreset_mode: AutoresetMode = AutoresetMode.SAME_STEP
    batch_size: int | None = None
    play_whole_chunks: bool = False
    pad: bool = False
    render_mode: str | None = None
    camera_name: str | None = None
    camera_id: int | None = None
    width: int = 480
    height: int = 480
    observation: str = "state"
    cameras: tuple[str, ...] | None = None
    picture_channels: str = "rgb"
    picture_quality: str = "official"
    camera_poses: Mapping[str, tuple[float, ...]] | None = None
    action_repeat: int | None = None
    repeat_success: str | None = None
    unlimited_goals: bool | None = None
    protocol: str | None = None

    def __post_init__(self) -> None:
        for name in _SWITCHES:
            object.__setattr__(self, name, check_switch(name, getattr(self, name)))
        for name in ("sample_tasks_on_reset", "unlimited_goals"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, check_switch(name, getattr(self, name)))
        object.__setattr__(self, "paraphrases", _paraphrases(self.paraphrases))
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
        check_choice("observation", self.observation, OBSERVED)
        check_choice("picture_channels", self.picture_channels, CHANNELS)
        check_choice("picture_quality", self.picture_quality, QUALITIES)
        if self.cameras is not None:
            object.__setattr__(self, "cameras", check_cameras(self.cameras))
        if self.camera_poses is not None:
            object.__setattr__(self, "camera_poses", dict(check_poses(self.camera_poses)))
        check_choice("repeat_success", self.repeat_success, (None, *REPEAT_SUCCESS))
        check_choice("protocol", self.protocol, (None, *PROTOCOLS))
        self._check_observation()
        self._check_curriculum()
        if self.play_whole_chunks and self.k_episodes is not None:
            raise WrongValue(
                "play_whole_chunks must be False with k_episodes: in trials a row stops where an attempt ends, as the "
                "rest of the chunk is not for the next one.",
                argument="play_whole_chunks",
            )
        if self.play_whole_chunks and (self.action_repeat or 1) > 1:
            raise WrongValue(
                "play_whole_chunks must be False with action_repeat: an action is not repeated past the end of an "
                f"episode, not True with {self.action_repeat}.",
                argument="play_whole_chunks",
            )
        if self.engine_options is not None:
            if not isinstance(self.engine_options, Mapping):
                raise WrongType(
                    f"engine_options must be a dictionary of options by name, not {self.engine_options!r}: "
                    'for the native engine, for example, {"num_threads": 4}.',
                    argument="engine_options",
                )
            object.__setattr__(self, "engine_options", dict(self.engine_options))

    def _check_curriculum(self) -> None:
        """Raises an error for a curriculum that is not a function, or options that make no sense with one."""
        if self.curriculum is None:
            return
        if not callable(self.curriculum):
            raise WrongType(
                "curriculum must be a function of the episodes that have ended, which returns weights of the tasks or "
                f"None, not {self.curriculum!r}.",
                argument="curriculum",
            )
        for name, default, why in (
            ("task_select", "random", "which draws the tasks by its weights"),
            ("group_size", None, "whose weights may change between two rows' episodes of a group"),
            ("batch_size", None, "which would be told of episodes in an order that depends on time"),
        ):
            if getattr(self, name) != default:
                raise WrongValue(
                    f"{name} must be left out with curriculum, {why}, not {getattr(self, name)!r}.",
                    argument=name,
                )

    def _check_observation(self) -> None:
        """Raises WrongValue for options that make no sense with the chosen observation."""
        if self.observation == "state":
            for name in _OF_PICTURES:
                if getattr(self, name) != getattr(type(self), name):
                    raise WrongValue(
                        f'{name} must not be given with observation="state", whose observations have no pictures, not '
                        f'{getattr(self, name)!r}. Leave it out, or choose observation="pixels" or "state+pixels".',
                        argument=name,
                    )
        if self.observation == "pixels":
            for name in _OF_STATE:
                if getattr(self, name):
                    raise WrongValue(
                        f'{name} must be False with observation="pixels", whose observations have no numbers to put it '
                        'with. Leave it out, or choose observation="state+pixels".',
                        argument=name,
                    )

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

    def reward_version_of(self, *worlds: World) -> str:
        """Returns the reward that is in use in worlds: the chosen one, or each world's latest, with commas between.

        Raises:
            ValueError: a world does not have the chosen one.
        """
        used = []
        for world in worlds:
            versions = world.reward_function_versions
            version = self.reward_function_version or versions[-1]
            of_world = f" of {world.name}" if len(worlds) > 1 else ""
            used.append(str(check_choice(f"reward_function_version{of_world}", version, versions)))
        return ", ".join(dict.fromkeys(used))

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
                    "out.",
                    argument=name,
                )
        if world.render_modes:
            check_choice("render_mode", self.render_mode, (None, *world.render_modes))
        settings = {name: getattr(self, name) for name in SETTINGS if name in world.settings}
        if self.observation != "state" and self.render_mode is None:
            settings["render_mode"] = "rgb_array"  # rows that are never drawn may leave out what is only seen
        if "reward_function_version" in settings:
            settings["reward_function_version"] = self.reward_version_of(world)
        return settings

    def views_of(self, *worlds: World) -> Views | None:
        """Returns the pictures that are observed; None if there are none.

        Raises:
            ValueError: a world does not draw them, or others than another.
        """
        first, *others = worlds
        views = self._views_of(first)
        for world in others:
            if self._views_of(world) != views:
                raise WrongValue(
                    f'observation must be "state" for a batch of {first.name} and {world.name}, not '
                    f"{self.observation!r}: their pictures differ in size or cameras.",
                    argument="observation",
                )
        return views

    def _views_of(self, world: World) -> Views | None:
        """Returns the pictures of one world; see `views_of`."""
        if self.observation == "state":
            return None
        if "rgb_array" not in world.render_modes:
            raise WrongValue(
                f'observation must be "state" for {world.name}, which does not draw: its render_modes are without '
                f'"rgb_array", not {self.observation!r}.',
                argument="observation",
            )
        if "camera_name" in world.settings:
            given: tuple[str | int | None, ...] = (self.camera_name, self.camera_id)
            self._check_cameras(world)
            cameras = self.cameras or next(((each,) for each in given if each is not None), (None,))
            poses = tuple((self.camera_poses or {}).items())
            size = self.width, self.height
            return Views(cameras, *size, self.picture_channels, self.picture_quality, poses, self.num_threads)
        for name in _OF_PICTURES:
            if getattr(self, name) != getattr(type(self), name):
                raise WrongValue(
                    f"{name} must not be given for {world.name}, whose pictures have no cameras, not "
                    f"{getattr(self, name)!r}. Leave it out.",
                    argument=name,
                )
        if world.picture_size is None:
            raise WrongValue(
                f'observation must be "state" for {world.name}, not {self.observation!r}: its World does not say how '
                "large its pictures are. Give it picture_size=(height, width), or settings with camera_name, width "
                "and height.",
                argument="observation",
            )
        return Views((None,), width=world.picture_size[1], height=world.picture_size[0])

    def _check_cameras(self, world: World) -> None:
        """Raises WrongValue for a camera that none of a world's models has, where the world's record names them all."""
        for option, names in (
            ("cameras", self.cameras or ()),
            ("camera_poses", tuple(self.camera_poses or {})),
        ):
            for name in names if world.cameras else ():
                check_known(option, name, world.cameras, f"{world.name} has {', '.join(world.cameras)}.")

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


def _paraphrases(value: Any) -> bool | tuple[int, ...]:
    """Returns whether each episode draws its instruction, or the numbers of the sentences that it draws from."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise WrongType(
            "paraphrases must be True, False, or a list of the numbers of the sentences to draw from, such as "
            f"[1, 2, 3], not {value!r}.",
            argument="paraphrases",
        )
    if not value:
        raise WrongValue(
            "paraphrases must name at least one sentence to draw from, but it is empty. Leave it out for the plain "
            "instruction.",
            argument="paraphrases",
        )
    return tuple(check_count("Each of the paraphrases", each, minimum=0) for each in value)


DEFAULTS: dict[str, Any] = {each.name: each.default for each in dataclasses.fields(Options)}
"""The default of each option."""
