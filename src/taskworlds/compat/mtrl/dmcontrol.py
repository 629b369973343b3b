"""mtrl's `build_dmcontrol_vec_env`: environments of one dm_control skill, each with another value of its physics."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Dict, Discrete
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import FrameStackObservation, ReshapeObservation

from taskworlds.compat.mtrl.batch_rows import Row
from taskworlds.compat.mtrl.config import entries
from taskworlds.compat.mtrl.frame_skip import FrameSkip
from taskworlds.compat.mtrl.pixel_observation import PixelObservation
from taskworlds.compat.mtrl.sticky_observation import StickyObservation
from taskworlds.compat.mtrl.types import ConfigType
from taskworlds.compat.mtrl.vec_env import VecEnv
from taskworlds.core.errors import (
    WrongType,
    WrongValue,
    check_count,
    check_known,
    check_seed,
    check_switch,
    unexpected_keywords,
)
from taskworlds.core.task import Task
from taskworlds.rendering import offscreen
from taskworlds.rendering.choices import check_size
from taskworlds.worlds.control.skills import MAX_EPISODE_STEPS, SKILLS
from taskworlds.worlds.control.variations import VARIATIONS, variations_of

__all__ = ["Settings", "build_dmcontrol_vec_env", "check_id", "make_task_row", "settings_of", "tasks_of"]


class Settings(NamedTuple):
    """mtrl's `make_kwargs`, with the values that mtenv's registered environments have."""

    seed: int = 1
    visualize_reward: bool = False
    from_pixels: bool = True
    height: int = 84
    width: int = 84
    frame_skip: int = 2
    frame_stack: int = 3
    sticky_observation_cfg: Mapping[str, Any] | None = None
    initial_task_state: int = 1


class _Sticky(NamedTuple):
    """The entries of `sticky_observation_cfg`."""

    should_use: bool = True
    sticky_probability: float = 0.0
    last_k: int = 1


def build_dmcontrol_vec_env(
    domain_name: str,
    task_name: str,
    prefix: str,
    make_kwargs: ConfigType,
    env_id_list: Sequence[int],
    seed_list: Sequence[int],
    mode_list: Sequence[str],
    *,
    context: str | None = "spawn",
    shared_memory: bool = True,
    tensor: str = "numpy",
    autoreset_mode: str | AutoresetMode = AutoresetMode.SAME_STEP,
) -> VecEnv:
    """Makes one environment of a dm_control skill for each entry of `env_id_list`, in a process of its own.

    The family `prefix` has ten values of one number of the model's physics. **An id is an index from 0, as in mtrl's
    configurations, while mtenv's files are numbered from 1:** the id 3 is the family's fourth value, that of the file
    `size_4.xml`. So mtrl's `train: [3, 4, 7, 8]` means the files 4, 5, 8 and 9.

    Observations are "env_obs" and "task_obs", the id, (n,) int64. With pictures, "env_obs" is
    (n, 3 * frame_stack, height, width) uint8, 0 to 255, the oldest picture's red, green and blue first; the first
    picture of an episode is repeated for the missing ones before it. From state it is (n, O) float64, dm_control's
    numbers in its order. Actions are (n, A), in [-1, 1].

    mtrl's family "size" varies the touch sensors of the finger, which no picture shows: from pictures, its ten tasks
    are the same task. "fingertip_radius" varies the finger itself.

    `make_kwargs` has mtrl's entries, each of which may be missing:

    - `seed`: environment i is seeded with `seed + seed_list[i]`; 1 if missing.
    - `from_pixels`: whether pictures are observed, rather than the state; True if missing.
    - `height`, `width`: of a picture, in pixels; 84 if missing.
    - `frame_stack`: how many pictures an observation has; 3 if missing. The state is never stacked.
    - `frame_skip`: how often each action is repeated, with the rewards summed; 2 if missing. An episode is 1000
      control steps, so it has ceil(1000 / frame_skip) steps.
    - `sticky_observation_cfg`: if `should_use` is true, an observation is replaced with `sticky_probability` by one of
      the `last_k` before it. Off if missing or empty.
    - `visualize_reward`: whether the reward colours the pictures that `render` returns; False if missing. Not with
      `from_pixels`.
    - `initial_task_state`: an id; each environment uses its own of `env_id_list` instead.

    Pictures are drawn without a display, by the library that MUJOCO_GL names, or else by EGL or OSMesa, whichever
    works. `taskworlds doctor` shows which does.

    Args:
        domain_name: dm_control's domain: "cartpole", "cheetah", "finger" or "walker".
        task_name: dm_control's task of the domain, such as "spin".
        prefix: the family, such as "size".
        make_kwargs: an OmegaConf `DictConfig`, a dictionary, or an object with attributes.
        env_id_list: the id of each environment, from 0 to 9.
        seed_list: what is added to each environment's seed.
        mode_list: the mode of each environment, such as "train" or "eval.interpolation".
        context: how processes start. "spawn" is safe with every simulator and thread; it needs the code of the script
            to be under `if __name__ == "__main__":`. Pictures need "spawn".
        shared_memory: as for `VecEnv`.
        tensor: as for `VecEnv`.
        autoreset_mode: as for `VecEnv`.

    Returns:
        The environments, with `env_id_list` as `ids` and `mode_list` as `mode`.

    Raises:
        ImportError: dm_control is not installed.
        RuntimeError: pictures are asked for, and no library here can draw them.
        TypeError: an argument or an entry is of the wrong type, or not known.
        ValueError: an argument or an entry is out of range, or the lists differ in length.

    Example:
        >>> make_kwargs = {"seed": 0, "from_pixels": False, "frame_skip": 2}
        >>> envs = build_dmcontrol_vec_env("finger", "spin", "size", make_kwargs, [3], [10], ["train"])
        >>> obs, infos = envs.reset()
        >>> obs["env_obs"].shape, obs["task_obs"].tolist()
        ((1, 9), [3])
        >>> envs.close()
    """
    tasks = tasks_of(domain_name, task_name, prefix)
    settings = settings_of(make_kwargs, len(tasks))
    ids, seeds, modes = _lists(env_id_list, seed_list, mode_list)
    ids = [check_id(f"env_id_list[{i}]", each, len(tasks)) for i, each in enumerate(ids)]
    seeds = [_check_row_seed(i, settings.seed, each) for i, each in enumerate(seeds)]
    for i, mode in enumerate(modes):
        if not isinstance(mode, str):
            raise WrongType(f"mode_list[{i}] must be a string, such as 'train', not {mode!r}.")
    drawing: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if settings.from_pixels or settings.visualize_reward:
        method = context or multiprocessing.get_start_method()
        if method != "spawn":
            raise WrongValue(
                f'context must be "spawn" where pictures are drawn, not {method!r}: a library that draws must '
                "be loaded by the process that draws.",
                argument="context",
            )
        drawing = offscreen.using_library(offscreen.choose_library())
    with drawing:  # until the processes have started, each with its own copy of the variable
        return VecEnv(
            {"ids": ids, "mode": modes},
            [
                functools.partial(make_task_row, tasks[each], each, len(tasks), settings._replace(seed=seed))
                for each, seed in zip(ids, seeds, strict=True)
            ],
            context=context,
            shared_memory=shared_memory,
            tensor=tensor,
            autoreset_mode=autoreset_mode,
        )


# --- what runs in each process ---------------------------------------------------------------------------


def make_task_row(task: Task, task_id: int, num_tasks: int, settings: Settings) -> TaskRow:
    """Makes the environment of one task, with its id beside its observation."""
    size = {"height": settings.height, "width": settings.width}
    env: gym.Env[Any, Any] = _Episodes(task, settings.seed, settings.visualize_reward, **size)
    env = FrameSkip(env, settings.frame_skip)
    if settings.from_pixels:
        env = PixelObservation(env, **size)
        env = FrameStackObservation(env, settings.frame_stack)
        env = ReshapeObservation(env, (3 * settings.frame_stack, settings.height, settings.width))
    sticky = _Sticky(**(settings.sticky_observation_cfg or {"should_use": False}))
    if sticky.should_use:
        env = StickyObservation(env, sticky.sticky_probability, sticky.last_k, seed=settings.seed)
    limit = -(-MAX_EPISODE_STEPS // settings.frame_skip)
    return TaskRow(_Limited(env, limit), task_id, num_tasks)


class _Episodes(gym.Wrapper[Any, Any, Any, Any]):
    """One task on the row of dm_control's skills, with dm_control's seeds.

    `taskworlds.make` draws a start's seed from a generator of its own. Here a seed is the one of dm_control's
    `RandomState`, and a reset without one goes on with it, as in mtrl.
    """

    def __init__(self, task: Task, seed: int, visualize_reward: bool, height: int, width: int) -> None:
        from taskworlds.worlds.control.row import ControlRow  # imports dm_control, which is optional

        row = ControlRow(task.env_name, render_mode="rgb_array", height=height, width=width)
        super().__init__(row)
        row.next_task = task
        self._row = row
        self._seed: int | None = seed  # of the first reset
        self._visualize_reward = visualize_reward
        self._steps_left = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        if options:
            raise WrongType(f"reset takes no options, not {', '.join(sorted(map(str, options)))}.")
        obs, info = self._row.reset(seed=self._seed if seed is None else seed)
        self._seed = None
        self._row.inner.task.visualize_reward = self._visualize_reward
        self._steps_left = MAX_EPISODE_STEPS
        return obs, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self._steps_left == 0:
            raise RuntimeError("No episode is under way: call reset() before step().")
        values = np.asarray(action, dtype=np.float64)
        if values.shape != self.action_space.shape or not (np.abs(values) <= 1.0).all():
            raise WrongValue(
                f"The action must be {self.action_space.shape}, each number in [-1, 1], not {action!r}. Clip it, or "
                "rescale it."
            )
        obs, reward, _, _, info = self._row.step(values)
        terminated = info.pop("terminated")
        self._steps_left = 0 if terminated else self._steps_left - 1
        return obs, reward, terminated, self._steps_left == 0 and not terminated, info


class _Limited(gym.Wrapper[Any, Any, Any, Any]):
    """An environment that says how long its episodes are, under the name that mtrl's experiments read."""

    def __init__(self, env: gym.Env[Any, Any], max_episode_steps: int) -> None:
        super().__init__(env)
        self._max_episode_steps = max_episode_steps


class TaskRow(Row):
    """An environment with its task's id beside its observation."""

    def __init__(self, env: gym.Env[Any, Any], task_id: int, num_tasks: int) -> None:
        super().__init__(env)
        self._index = np.int64(task_id)
        self.observation_space = Dict({"env_obs": env.observation_space, "task_obs": Discrete(num_tasks)})

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        obs, info = self.env.reset(seed=seed, options=options)
        return {"env_obs": obs, "task_obs": self._index}, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        obs, reward, terminated, truncated, info = super().step(action)
        obs = {"env_obs": obs, "task_obs": self._index}
        return obs, reward, terminated, truncated, info


# --- arguments -------------------------------------------------------------------------------------------


def tasks_of(domain_name: str, task_name: str, prefix: str) -> list[Task]:
    """Returns the family's tasks, in the order of their ids."""
    domains = sorted({each.domain for each in VARIATIONS})
    check_known("domain_name", domain_name, domains, f"Domains with families: {', '.join(domains)}.")
    names = [each.task for each in SKILLS if each.domain == domain_name]
    check_known("task_name", task_name, names, f"The domain {domain_name} has {', '.join(names)}.")
    env_name = f"{domain_name}-{task_name}"
    variations = variations_of(env_name)
    check_known("prefix", prefix, variations, f"The domain {domain_name} has {', '.join(variations)}.")
    return [Task(env_name, {prefix: value}) for value in variations[prefix].values]


def settings_of(make_kwargs: ConfigType, num_tasks: int, within: str = "make_kwargs.") -> Settings:
    """Returns mtrl's `make_kwargs`, checked; `within` stands before the names of entries in messages."""
    if make_kwargs is None or isinstance(make_kwargs, str | Sequence):
        raise WrongType(
            "make_kwargs must be a DictConfig, a dictionary or an object with attributes, "
            f"not {make_kwargs!r}.",
            argument="make_kwargs",
        )
    given = entries(make_kwargs)
    if unknown := [name for name in given if name not in Settings._fields]:
        raise unexpected_keywords(within.rstrip(".") or "gymnasium.make", map(str, unknown), Settings._fields)
    settings = Settings(**given)
    check_seed(settings.seed, f"{within}seed")
    for name in ("height", "width", "frame_skip", "frame_stack"):
        check_count(f"{within}{name}", getattr(settings, name))
    check_size(settings.width, settings.height)
    for name in ("visualize_reward", "from_pixels"):
        check_switch(f"{within}{name}", getattr(settings, name))
    if settings.from_pixels and settings.visualize_reward:
        raise WrongValue(
            f"{within}visualize_reward must be False with from_pixels=True: the colours would show the agent its "
            "reward. Set one of them to False."
        )
    check_id(f"{within}initial_task_state", settings.initial_task_state, num_tasks)
    _check_sticky(f"{within}sticky_observation_cfg", settings.sticky_observation_cfg)
    return settings


def _check_sticky(name: str, cfg: Any) -> None:
    if cfg is None:
        return
    if not isinstance(cfg, Mapping):
        raise WrongType(f"{name} must be a dictionary, empty for none, not {cfg!r}.")
    if unknown := [key for key in cfg if key not in _Sticky._fields]:
        raise unexpected_keywords(name, map(str, unknown), _Sticky._fields)
    if cfg and check_switch(f"{name}.should_use", _Sticky(**cfg).should_use):
        for key in ("sticky_probability", "last_k"):
            if key not in cfg:
                raise WrongValue(f"{name} must have the entry {key!r}, or should_use=False; it is {cfg!r}.")


def _lists(*lists: Any) -> list[list[Any]]:
    """Returns the three lists, which must be of one length."""
    names = ("env_id_list", "seed_list", "mode_list")
    for name, values in zip(names, lists, strict=True):
        if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
            raise WrongType(f"{name} must be a list with one entry for each environment, not {values!r}.")
    lengths = [len(values) for values in lists]
    if len(set(lengths)) > 1 or not lengths[0]:
        found = ", ".join(f"{name} has {length}" for name, length in zip(names, lengths, strict=True))
        raise WrongValue(
            "env_id_list, seed_list and mode_list must have one entry for each environment, at least one, "
            f"but {found}."
        )
    return [list(values) for values in lists]


def check_id(argument: str, value: Any, num_tasks: int) -> int:
    """Returns a task's id, and raises TypeError or ValueError if there is no such task."""
    index = check_count(argument, value, minimum=0)
    if index >= num_tasks:
        raise WrongValue(
            f"{argument} must be from 0 to {num_tasks - 1}, not {index}. Ids are indices: the file with the "
            f"number {num_tasks} has the id {num_tasks - 1}.",
            argument=argument,
        )
    return index


def _check_row_seed(index: int, seed: int, added: Any) -> int:
    return check_seed(
        seed + check_count(f"seed_list[{index}]", added, minimum=-seed), f"seed + seed_list[{index}]"
    )
