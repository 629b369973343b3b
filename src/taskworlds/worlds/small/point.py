"""PointEnv: a point in a square that must come close to a goal. Its tasks are the goals."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box
from gymnasium.utils import seeding

from taskworlds.core.errors import WrongType, WrongValue, check_count, check_seed, check_switch
from taskworlds.core.step import EnvStep
from taskworlds.core.task import Task
from taskworlds.worlds.small.arena import (
    ARENA_SIZE,
    MAX_MOVE,
    SUCCESS_DISTANCE,
    as_pair,
    check_goal,
    moved,
    observations,
    sample_goals,
)
from taskworlds.worlds.small.drawing import AGENT, BACKGROUND, GOAL, LINE, draw_disc
from taskworlds.worlds.small.small_env import SmallEnv

__all__ = ["PointEnv", "draw_point"]

IMAGE_SIZE = 400  # pixels
MARGIN = 10  # pixels around the arena


def draw_point(point: npt.NDArray[Any], goal: npt.NDArray[Any], arena_size: float) -> npt.NDArray[np.uint8]:
    """Returns a picture of the arena, (400, 400, 3) uint8."""
    per_unit = (IMAGE_SIZE - 2 * MARGIN) / (2 * arena_size)  # pixels

    def pixel(place: npt.NDArray[Any]) -> tuple[float, float]:
        x, y = place.tolist()
        return IMAGE_SIZE / 2 - y * per_unit, IMAGE_SIZE / 2 + x * per_unit

    image = np.full((IMAGE_SIZE, IMAGE_SIZE, 3), LINE, np.uint8)
    image[MARGIN:-MARGIN, MARGIN:-MARGIN] = BACKGROUND
    image[IMAGE_SIZE // 2, MARGIN:-MARGIN] = image[MARGIN:-MARGIN, IMAGE_SIZE // 2] = LINE
    draw_disc(image, *pixel(goal), max(SUCCESS_DISTANCE * per_unit, 6.0), GOAL)
    draw_disc(image, *pixel(point), 4.0, AGENT)
    return image


class PointEnv(SmallEnv):
    """A point that starts at the origin and must come close to a goal.

    Actions: the move along x and y, (2,) float32, clipped to ±0.1. The point stays within the arena.
    Observation: x, y, and the distance to the goal, (3,) float32.
    Reward: minus the distance to the goal after the move; plus `done_bonus` on each step that ends in
    success.
    Success: the distance is below √0.02 ≈ 0.1414, the length of one diagonal move. It ends the episode unless
    `never_done`.
    Info: "goal", (2,) float32, at reset and at step; "task", `{"goal": goal}`, and "success", bool, at step.

    Args:
        goal: where to go, (2,), cast to float32, within the arena.
        arena_size: the arena reaches from -arena_size to arena_size along both axes.
        done_bonus: added to the reward of each step that ends in success.
        never_done: whether episodes go on after success.
        max_episode_length: most steps of an episode; None or infinity for no limit.
        render_mode: what `render()` returns: "ansi" or "ascii" for text, "rgb_array" for an image.
        seed: seeds the generator from which `sample_tasks` draws, until a `reset(seed=...)`; None for fresh entropy.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: the goal is not two finite numbers within the arena, or another argument is out of range.

    Example:
        >>> env = PointEnv(goal=(0.3, 0.0), max_episode_length=10)
        >>> obs, info = env.reset(seed=0)
        >>> obs.tolist() == [0.0, 0.0, float(np.float32(0.3))]
        True
        >>> [env.step([0.1, 0.0]).terminal for _ in range(2)]
        [False, True]
    """

    set_task_starts_episode: ClassVar[bool] = True
    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": ["ansi", "ascii", "rgb_array"],
        "render_fps": 16,
    }

    def __init__(
        self,
        goal: npt.ArrayLike = (1.0, 1.0),
        arena_size: float = ARENA_SIZE,
        done_bonus: float = 0.0,
        never_done: bool = False,
        max_episode_length: float | None = math.inf,
        render_mode: str | None = None,
        *,
        seed: int | None = 0,
    ) -> None:
        self._arena_size = _check_number("arena_size", arena_size)
        if self._arena_size <= 0.0:
            raise WrongValue(f"arena_size must be above 0, not {arena_size!r}.", argument="arena_size")
        self._done_bonus = _check_number("done_bonus", done_bonus)
        self._never_done: bool = check_switch("never_done", never_done)
        self._goal = check_goal(goal, self._arena_size)
        self._point = np.zeros(2, np.float32)
        super().__init__(
            action_space=Box(-MAX_MOVE, MAX_MOVE, (2,), np.float32),
            observation_space=Box(-np.inf, np.inf, (3,), np.float32),
            max_episode_length=max_episode_length,
            render_mode=render_mode,
            kwargs={
                "goal": self._goal.tolist(),
                "arena_size": self._arena_size,
                "done_bonus": self._done_bonus,
                "never_done": self._never_done,
                "seed": seed,
            },
        )
        if seed is not None:
            self._np_random, self._np_random_seed = seeding.np_random(check_seed(seed))

    def step(self, action: npt.ArrayLike) -> EnvStep:
        """Moves the point.

        Args:
            action: the move along x and y, (2,), clipped to ±0.1; the array is left as it is.

        Returns:
            The `EnvStep`: observation (3,) float32, reward (float), terminated, truncated, info.

        Raises:
            RuntimeError: no episode runs; call reset() or set_task().
            TypeError: action is not made of numbers.
            ValueError: action is not of shape (2,), or has a NaN.
        """
        self._check_running()
        move = as_pair("action", action)
        if np.isnan(move).any():
            raise WrongValue(
                f"action must not contain NaN, not {action!r}. Check what computed it.", argument="action"
            )
        self._point = moved(self._point, move, self._arena_size)
        observation = observations(self._point, self._goal)
        distance = float(observation[2])
        success = distance < SUCCESS_DISTANCE
        reward = -distance + (self._done_bonus if success else 0.0)
        info = {"goal": self._goal.copy(), "task": {"goal": self._goal.copy()}, "success": success}
        return self._finish(action, reward, observation, info, terminated=success and not self._never_done)

    def sample_tasks(self, num_tasks: int) -> list[dict[str, npt.NDArray[np.float32]]]:
        """Draws tasks: goals uniform within 2 of the origin along both axes, and within the arena.

        They come from the environment's own generator, which `reset(seed=...)` seeds.

        Args:
            num_tasks: number of tasks, at least 1.

        Returns:
            Dictionaries with one key, "goal", (2,) float32.

        Example:
            >>> env = PointEnv()
            >>> _ = env.reset(seed=0)
            >>> [task["goal"].dtype.name for task in env.sample_tasks(2)]
            ['float32', 'float32']
        """
        goals = sample_goals(self.np_random, check_count("num_tasks", num_tasks), self._arena_size)
        return [{"goal": goal.copy()} for goal in goals]

    def set_task(self, task: Mapping[str, npt.ArrayLike] | Task) -> None:
        """Resets with a task: the goal moves, and the point is back at the origin of a new episode.

        The next call may be `step`, or `reset` for the first observation; later resets keep the goal.

        Args:
            task: a dictionary with the one key "goal", (2,), within the arena; or a `Task` with that one
                parameter.

        Raises:
            TypeError: task is neither.
            ValueError: it has other keys, or the goal is not two finite numbers within the arena.

        Example:
            >>> env = PointEnv()
            >>> env.set_task({"goal": (0.5, -0.5)})
            >>> env.reset()[1]["goal"].tolist()
            [0.5, -0.5]
        """
        values = task.params if isinstance(task, Task) else task
        if not isinstance(values, Mapping):
            raise WrongType(
                "task must be a dictionary with the key 'goal', as sample_tasks returns, or a Task, not "
                f"{task!r}.",
                argument="task",
            )
        if set(values) != {"goal"}:
            raise WrongValue(
                f"task must have exactly one key, 'goal', not {sorted(map(str, values))}.", argument="task"
            )
        self._goal = check_goal(values["goal"], self._arena_size)
        self._step_cnt = 0
        self._start()

    def _start(self) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        self._point = np.zeros(2, np.float32)
        return observations(self._point, self._goal), {"goal": self._goal.copy()}

    def _text(self) -> str:
        return f"Point: {self._point}, Goal: {self._goal}"

    def _frame(self) -> npt.NDArray[np.uint8]:
        return draw_point(self._point, self._goal, self._arena_size)


def _check_number(argument: str, value: Any) -> float:
    """Returns a finite number as a float, or raises that it is not."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise WrongType(f"{argument} must be a number, not {value!r}.", argument=argument)
    if not math.isfinite(value):
        raise WrongValue(f"{argument} must be finite, not {value!r}.", argument=argument)
    return float(value)
