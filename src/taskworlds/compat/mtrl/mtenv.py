"""mtenv's environments of ten tasks: what `gymnasium.make` makes of the ids "taskworlds/MT-HiPBMDP-...".

`taskworlds.make` and `make_vec` of the same names make this package's own environments, with its keywords and infos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Dict

from taskworlds.compat.mtrl.dmcontrol import TaskRow, check_id, make_task_row, settings_of
from taskworlds.core.errors import check_choice, check_count, check_known, check_seed
from taskworlds.core.task import Task
from taskworlds.rendering import offscreen
from taskworlds.worlds.control.skills import MAX_EPISODE_STEPS
from taskworlds.worlds.control.variation import family

__all__ = ["HiPBMDPEnv", "make_hipbmdp"]


class HiPBMDPEnv(gym.Env[Any, Any]):
    """Ten tasks of one dm_control skill in one environment: mtenv's protocol on Gymnasium's API.

    A task's state is its index, from 0: the state 3 is mtenv's file with the number 4. `reset` begins an episode of the
    task at hand; `set_task_state` and `reset_task_state` go to another one, whose episode begins with the next `reset`.
    Each task has a simulator of its own, made when the task is first set and kept.

    Observations are "env_obs" and "task_obs", the task's state. With pictures, "env_obs" is
    (3 * frame_stack, height, width) uint8, 0 to 255; from state it is (O,) float64. Actions are (A,), in [-1, 1]. An
    episode is truncated after ceil(1000 / frame_skip) steps.

    Args:
        tasks: the tasks, in the order of their states.
        seed: seed of each simulator's first reset.
        visualize_reward: whether the reward colours the pictures that `render` returns; not with `from_pixels`.
        from_pixels: whether pictures are observed, rather than the state.
        height: of a picture, in pixels.
        width: of a picture, in pixels.
        frame_skip: how often each action is repeated, with the rewards summed.
        frame_stack: how many pictures an observation has.
        sticky_observation_cfg: as for `build_dmcontrol_vec_env`; None or empty for none.
        initial_task_state: the first task.
        render_mode: None or "rgb_array".

    Attributes:
        np_random_env: the generator of `seed`; None before it was called.
        np_random_task: the generator of `seed_task`; None before it was called.
        max_episode_steps: steps after which an episode is truncated.

    Raises:
        ImportError: dm_control is not installed.
        RuntimeError: pictures are asked for, and no library here can draw them.
        TypeError: an argument is of the wrong type.
        ValueError: an argument is out of range.

    Example:
        >>> env = gym.make("taskworlds/MT-HiPBMDP-Finger-Spin-vary-size-v0", from_pixels=False).unwrapped
        >>> obs, info = env.reset(seed=0)
        >>> obs["env_obs"].shape, int(obs["task_obs"]), env.get_task_state()
        ((9,), 1, 1)
        >>> env.seed_task(0)
        [0]
        >>> env.reset_task_state()
        >>> obs, info = env.reset()
        >>> int(obs["task_obs"]) == env.get_task_state() == env.get_task_obs()
        True
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}

    def __init__(
        self,
        tasks: Sequence[Task],
        *,
        seed: int = 1,
        visualize_reward: bool = False,
        from_pixels: bool = True,
        height: int = 84,
        width: int = 84,
        frame_skip: int = 2,
        frame_stack: int = 3,
        sticky_observation_cfg: Mapping[str, Any] | None = None,
        initial_task_state: int = 1,
        render_mode: str | None = None,
    ) -> None:
        self._tasks = tuple(tasks)
        given = {
            "seed": seed,
            "visualize_reward": visualize_reward,
            "from_pixels": from_pixels,
            "height": height,
            "width": width,
            "frame_skip": frame_skip,
            "frame_stack": frame_stack,
            "sticky_observation_cfg": sticky_observation_cfg,
            "initial_task_state": initial_task_state,
        }
        self._settings = settings_of(given, self.num_tasks, within="")
        self.render_mode = check_choice("render_mode", render_mode, (None, "rgb_array"))
        if from_pixels or render_mode is not None:
            offscreen.prepare()
        self.np_random_env: np.random.Generator | None = None
        self.np_random_task: np.random.Generator | None = None
        self.max_episode_steps = -(-MAX_EPISODE_STEPS // self._settings.frame_skip)
        self._seed: int | None = None  # of the next reset, after `seed`
        self._rows: dict[int, TaskRow] = {}
        self._steps: dict[int, int] = {}  # taken in each task's episode, where one is under way
        self._state = self._settings.initial_task_state
        row = self._row()
        self.action_space = row.action_space
        self.observation_space: Dict = row.observation_space  # type: ignore[assignment]

    @property
    def num_tasks(self) -> int:
        """Number of tasks."""
        return len(self._tasks)

    @property
    def env(self) -> gym.Env[Any, Any]:
        """The environment of the task at hand, without the task's state in its observations."""
        return self._row().env

    @property
    def _max_episode_steps(self) -> int:  # the name that mtrl's experiments and Gymnasium's TimeLimit use
        return self.max_episode_steps

    def _row(self) -> TaskRow:
        row = self._rows.get(self._state)
        if row is None:
            task = self._tasks[self._state]
            row = make_task_row(task, self._state, self.num_tasks, self._settings)
            self._rows[self._state] = row
        return row

    # --- tasks ----------------------------------------------------------------------------------------------

    def get_task_obs(self) -> int:
        """Returns what observations have as "task_obs": the task's state."""
        return self._state

    def get_task_state(self) -> int:
        """Returns the task's state, its index."""
        return self._state

    def set_task_state(self, task_state: int) -> None:
        """Goes to a task.

        Raises:
            TypeError: the state is not a whole number.
            ValueError: there is no such task.
        """
        self._state = check_id("task_state", task_state, self.num_tasks)

    def sample_task_state(self) -> int:
        """Draws a task's state, each with the same probability.

        Raises:
            RuntimeError: `seed_task` was not called before.
        """
        self.assert_task_seed_is_set()
        assert self.np_random_task is not None
        return int(self.np_random_task.integers(self.num_tasks))

    def reset_task_state(self) -> None:
        """Goes to a task that `sample_task_state` draws."""
        self.set_task_state(self.sample_task_state())

    def seed(self, seed: int | None = None) -> list[int]:
        """Seeds the next reset.

        Args:
            seed: the seed; None for a fresh one.

        Returns:
            A list of the seed.
        """
        self._seed = _seed_or_fresh(seed)
        self.np_random_env = np.random.default_rng(self._seed)
        return [self._seed]

    def seed_task(self, seed: int | None = None) -> list[int]:
        """Seeds the draws of tasks, as `seed` the next reset."""
        number = _seed_or_fresh(seed)
        self.np_random_task = np.random.default_rng(number)
        self.observation_space["task_obs"].seed(number)
        return [number]

    def assert_env_seed_is_set(self) -> None:
        """Does nothing: the first reset has the seed that the environment was made with."""

    def assert_task_seed_is_set(self) -> None:
        """Raises RuntimeError if `seed_task` was not called."""
        if self.np_random_task is None:
            raise RuntimeError("Drawing a task needs a seed of its own: please call `seed_task()` first.")

    # --- episodes -------------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begins an episode of the task at hand; a seed is the one of dm_control's `RandomState`."""
        if seed is None:
            seed, self._seed = self._seed, None
        super().reset(seed=seed)
        obs, info = self._row().reset(seed=seed, options=options)
        self._steps[self._state] = 0
        return obs, info

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Takes one step.

        Raises:
            RuntimeError: no episode of the task at hand is under way: call reset().
            ValueError: the action has another shape, or does not lie in [-1, 1].
        """
        if self._state not in self._steps:
            raise RuntimeError(
                f"{type(self).__name__}.step needs a running episode of the task {self._state}. Call reset() before "
                "the first step, after set_task_state, and after each step that terminates or truncates."
            )
        obs, reward, terminated, truncated, info = self._row().step(action)
        self._steps[self._state] += 1
        truncated = truncated or (not terminated and self._steps[self._state] >= self.max_episode_steps)
        if terminated or truncated:
            del self._steps[self._state]
        return obs, reward, terminated, truncated, info

    def render(self) -> Any:
        """Returns the picture of the task at hand, (height, width, 3) uint8; None without a `render_mode`."""
        return None if self.render_mode is None else self._row().render()

    def close(self) -> None:
        """Closes the simulators of all tasks."""
        for row in self._rows.values():
            row.close()


def make_hipbmdp(benchmark: str, *, xml_file_ids: Sequence[str] | None = None, **kwargs: Any) -> HiPBMDPEnv:
    """What `gymnasium.make` calls for mtenv's ids.

    Args:
        benchmark: mtenv's id, such as "MT-HiPBMDP-Finger-Spin-vary-size-v0".
        xml_file_ids: names of mtenv's files, such as ["size_1", "size_2"], which decide the tasks and their states;
            None for all ten.
        **kwargs: as for `HiPBMDPEnv`.

    Raises:
        TypeError: a keyword is not known, or an argument has the wrong type.
        ValueError: an argument is out of range, or a file is not known.
    """
    tasks = family(benchmark).tasks()
    if xml_file_ids is not None:
        label = family(benchmark).label
        files = {f"{label}_{number}": task for number, task in enumerate(tasks, start=1)}
        hint = f"The files of {benchmark} are {', '.join(files)}."
        tasks = tuple(files[check_known("xml_file_ids", each, files, hint)] for each in xml_file_ids)
        check_count("The number of xml_file_ids", len(tasks))
        kwargs.setdefault("initial_task_state", min(1, len(tasks) - 1))
    return HiPBMDPEnv(tasks, **kwargs)


def _seed_or_fresh(seed: int | None) -> int:
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    return check_seed(seed)
