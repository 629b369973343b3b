"""One row of the sync and async engines: `PointEnv` or `GridWorldEnv`, whose task the batch decides."""

from __future__ import annotations

from typing import Any

from taskworlds.core.task import Task
from taskworlds.rows.python_row import PythonRow
from taskworlds.worlds.small.grid_world import GridWorldEnv
from taskworlds.worlds.small.point import PointEnv
from taskworlds.worlds.small.small_env import SmallEnv

__all__ = ["GridRow", "PointRow"]


class _SmallRow(PythonRow):
    """A row over one of the small environments."""

    def __init__(self, env: SmallEnv) -> None:
        self._env = env
        self.observation_space = env.observation_space
        self.action_space = env.action_space
        self.metadata = env.metadata
        self.render_mode = env.render_mode

    @property
    def inner(self) -> Any:
        """The small environment."""
        return self._env

    def picture(self) -> Any:
        """Returns the environment's picture."""
        return self._env.render()


class PointRow(_SmallRow):
    """A row over `PointEnv`, with its default arguments.

    Args:
        render_mode: "rgb_array" or None.
    """

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(PointEnv(render_mode=render_mode, seed=None))

    def begin(self, task: Task, seed: int | None) -> tuple[Any, dict[str, Any]]:
        """Starts an episode towards the task's goal. Seeds change nothing."""
        self.inner.set_task(task)
        obs, info = self.inner.reset()
        return obs, {"goal": info["goal"]}

    def set_state(self, state: dict[str, Any]) -> None:
        """See `PythonRow.set_state`. The environment keeps its goal as a task, which is no plain data."""
        assert self.task is not None
        self.inner.set_task(self.task)
        super().set_state(state)

    def advance(self, action: Any) -> tuple[Any, float, bool, dict[str, Any]]:
        """Moves the point."""
        step = self.inner.step(action)
        return step.observation, step.reward, step.terminated, {"success": step.env_info["success"]}


class GridRow(_SmallRow):
    """A row over `GridWorldEnv`.

    Args:
        desc: the map's name.
        render_mode: "rgb_array" or None.
    """

    def __init__(self, desc: str, render_mode: str | None = None) -> None:
        super().__init__(GridWorldEnv(desc, render_mode=render_mode))

    def begin(self, task: Task, seed: int | None) -> tuple[Any, dict[str, Any]]:
        """Starts an episode at S. Seeds change nothing."""
        return self.inner.reset()[0], {}

    def advance(self, action: Any) -> tuple[Any, float, bool, dict[str, Any]]:
        """Moves the agent; reaching G, the step with a reward, is success."""
        step = self.inner.step(action)
        return step.observation, step.reward, step.terminated, {"success": step.reward}
