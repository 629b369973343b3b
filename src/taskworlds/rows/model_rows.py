"""Rows on the native engine for a world of one skill whose tasks may each have a model of their own.

An episode's start is drawn by the world's own Python row, which is the official environment: so it is the official
start for the seed. Only the steps are the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import mujoco
import numpy as np
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.engine import Engine, Model, Scene
from taskworlds.kernels.entry import compile_named
from taskworlds.rendering.views import Views
from taskworlds.rows.engine_rows import EngineRows
from taskworlds.rows.model_kernel import ModelKernel, Native

__all__ = ["ModelRows", "Starter"]

_INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION
_MOST_SCENES = 256  # scenes of rows that are gone make way beyond this number


class Starter(Protocol):
    """The Python row of a world, as far as native rows use it to start episodes and to draw."""

    next_task: Task | None
    observation_space: Any

    def reset(self, *, seed: int | None = None) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Starts an episode of `next_task`."""

    @property
    def simulation(self) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """MuJoCo's model and data of the task at hand."""

    def job(self, views: Views, task: Task, physics: NDArray[np.float64]) -> Any:
        """Returns the taking of pictures of a task's simulation in a state, a `taskworlds.rendering.drawing.Job`."""

    def show(self, task: Task, physics: NDArray[np.float64]) -> Any:
        """Draws a task's simulation in a state."""

    def close(self) -> None:
        """Frees what it holds."""


class ModelRows(EngineRows):
    """Rows of one skill. See `taskworlds.rows.protocol.Rows`.

    Args:
        native: how the engine steps the skill.
        starter: the world's Python row; these rows own it.
        base: a task whose model has the structure of all tasks' models.
        num_rows: how many rows, N.
        goal_size: numbers of a goal.
        action_size: numbers of an action, A.
        params: computes the kernel's params of a task.
        model_key: tells what of a task its model depends on.
        num_threads: threads; None for as many as `taskworlds.core.cpus` allows.

    Attributes:
        plain_kernel: the skill's kernel as ordinary Python on arrays, as a step of the engine calls it:
            `(now, action, params, memory, obs, terms, single)`.
    """

    def __init__(
        self,
        native: Native,
        starter: Starter,
        base: Task,
        num_rows: int,
        *,
        goal_size: int,
        action_size: int,
        params: Callable[[Task], Sequence[float]],
        model_key: Callable[[Task], Any],
        num_threads: int | None,
    ) -> None:
        super().__init__(num_rows, goal_size, native.terms)
        self._native, self._starter = native, starter
        self._params, self._model_key = params, model_key
        self._index: dict[Any, int] = {model_key(base): 0}
        scene = self._make_scene(base)
        kernel = ModelKernel(
            native,
            dict(zip(native.reads, scene.native.read_sizes, strict=True)),
            action_size=action_size,
            param_size=len(params(base)),
            obs_size=starter.observation_space.shape[0],
        )
        self._make_now, self.plain_kernel = kernel.make_now, kernel.plain
        self.engine = Engine(
            [scene],
            num_rows,
            action_size=action_size,
            param_size=kernel.sizes["params"],
            memory_size=kernel.sizes["memory"],
            obs_size=kernel.sizes["obs"],
            term_size=kernel.sizes["terms"],
            kernels=[compile_named(*kernel.entry(base.env_name))],
            num_threads=num_threads,
        )

    def _make_scene(self, task: Task) -> Scene:
        self._starter.next_task = task
        self._starter.reset(seed=0)  # dm_control changes some models at the reset
        model, _ = self._starter.simulation
        native = self._native
        return Scene(
            Model.from_mujoco(model),
            native.frame_skip,
            controls=tuple((actuator, 1.0) for actuator in range(model.nu)),
            reads=tuple(native.reads.values()),
            stepping=native.stepping,
        )

    def _prepare(self, tasks: Sequence[Task]) -> None:
        needed = {self._model_key(task) for task in tasks}
        for task in tasks:
            key = self._model_key(task)
            if key not in self._index:
                index = self._free_index(needed)
                self.engine.set_scene(index, self._make_scene(task))
                self._index[key] = index

    def _free_index(self, needed: set[Any]) -> int:
        """Returns the place of a new scene: a new one, or that of the oldest one that no row has or is about to have.

        Args:
            needed: keys of the models that rows are about to have.
        """
        if len(self._index) >= _MOST_SCENES:
            used = set(self.engine.scene_of_row.tolist())
            for key, index in self._index.items():
                if index not in used and key not in needed:
                    del self._index[key]
                    return index
        return len(self.engine.scenes)

    def _place(self, task: Task) -> tuple[int, int]:
        return self._index[self._model_key(task)], 0

    def reset(
        self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """See `Rows.reset`."""
        engine, starter = self.engine, self._starter
        for row in np.flatnonzero(rows).tolist():
            task = tasks[row]
            assert task is not None
            self._tasks[row] = task
            self._prepare([task])
            engine.scene_of_row[row], engine.kernel_of_row[row] = self._place(task)
            starter.next_task = task
            obs, info = starter.reset(seed=int(seeds[row]))
            model, data = starter.simulation
            mujoco.mj_getState(model, data, engine.states[row], _INTEGRATION)
            engine.params[row] = self._params(task)
            engine.obs[row] = obs
            if "goal" in info:
                self.goals[row] = info["goal"]
        if self._native.memory_size:
            engine.forward(rows)
            for row in np.flatnonzero(rows).tolist():
                engine.memory[row] = self._native.memory(self._make_now(engine.now[row]))
        return engine.obs

    def render(self) -> tuple[Any, ...]:
        """See `Rows.render`."""
        shown = []
        for task, state in zip(self._tasks, self.engine.states, strict=True):
            assert task is not None
            shown.append(self._starter.show(task, state))
        return tuple(shown)

    def pictures(self, views: Views, rows: NDArray[np.bool_]) -> Sequence[tuple[NDArray[Any], ...]]:
        """See `Rows.pictures`."""
        from taskworlds.rendering import drawing  # only where pictures are wanted: it prepares OpenGL

        jobs = []
        for row in np.flatnonzero(rows).tolist():
            task = self._tasks[row]
            assert task is not None
            jobs.append(self._starter.job(views, task, self.engine.states[row]))
        return drawing.spread(jobs, views)

    def close(self) -> None:
        """See `Rows.close`."""
        super().close()
        self._starter.close()
