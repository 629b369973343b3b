"""Meta-World's rows on the native engine."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.engine import Engine, MocapControl, Scene
from taskworlds.rows.engine_rows import ROW_ARRAYS, EngineRows
from taskworlds.rows.protocol import RowChunk, RowStep
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.ahead import Ahead
from taskworlds.worlds.metaworld.compiling import kernels
from taskworlds.worlds.metaworld.edits import changed_places
from taskworlds.worlds.metaworld.factors import Look, Physics, look_of, physics_of
from taskworlds.worlds.metaworld.kernel import ARM_READS, MEMORY_SIZE, TERM_SIZE, param_size
from taskworlds.worlds.metaworld.mended import skill_of
from taskworlds.worlds.metaworld.models import metaworld_model, metaworld_models
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.skills import skill
from taskworlds.worlds.metaworld.starts import Key, beginnings

if TYPE_CHECKING:
    from taskworlds.rendering.views import Views
    from taskworlds.worlds.metaworld.row_renderer import RowRenderer

__all__ = ["NativeRows", "scene_of"]


class NativeRows(EngineRows):
    """Rows of Meta-World skills, stepped by C++ threads. See `taskworlds.rows.protocol.Rows`.

    Args:
        env_names: skills to be ready for; others are added when a task of theirs comes.
        num_rows: how many rows, N.
        reward_function_version: "v1" or "v2".
        num_threads: threads; None for as many as `taskworlds.core.cpus` allows.
        render_mode, camera_name, camera_id, width, height: how to draw, see `RowRenderer`.
    """

    def __init__(
        self,
        env_names: Sequence[str],
        num_rows: int,
        *,
        reward_function_version: str = "v2",
        num_threads: int | None = None,
        render_mode: str | None = None,
        **camera: Any,
    ) -> None:
        super().__init__(num_rows, goal_size=3, terms=sawyer.TERM_NAMES, goals_move=True)
        self._ahead = Ahead()
        self._draw = (render_mode, camera)
        self._renderer: RowRenderer | None = None
        self._version = reward_function_version
        self._num_threads = num_threads
        self._skills: list[Skill] = []
        self._index: dict[_SceneKey, int] = {}
        self._add([(name, False) for name in env_names])

    def _add(self, wanted: Sequence[_SceneKey]) -> None:
        """Makes the engine ready for more skills, keeping its rows as they are."""
        new = [key for key in dict.fromkeys(wanted) if key not in self._index]
        if not new:
            return
        self._index |= {key: i for i, key in enumerate(new, start=len(self._index))}
        self._skills += [skill(name) for name, _ in new]
        metaworld_models(
            each.model for each in self._skills
        )  # those that are missing are compiled side by side
        old = self._engine
        self.engine = Engine(
            [scene_of(skill(name), varied=varied) for name, varied in self._index],
            self.num_rows,
            action_size=sawyer.ACTION_SIZE,
            param_size=max(param_size(each) for each in self._skills),
            memory_size=MEMORY_SIZE + max(each.memory for each in self._skills),
            obs_size=sawyer.OBS_SIZE,
            term_size=TERM_SIZE,
            kernels=kernels(self._skills, self._version),
            num_threads=self._num_threads,
        )
        if old is not None:
            for name in ROW_ARRAYS:
                values = getattr(old, name)
                getattr(self.engine, name)[:, : values.shape[1]] = values
            self.engine.scene_of_row[:] = old.scene_of_row
            self.engine.kernel_of_row[:] = old.kernel_of_row
            self._ahead.drop(old)
            old.close()

    def _prepare(self, tasks: Sequence[Task]) -> None:
        self._add([_scene_key(task) for task in tasks])

    def _place(self, task: Task) -> tuple[int, int]:
        index = self._index[_scene_key(task)]
        return index, index

    def reset(
        self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """See `Rows.reset`."""
        chosen = [(row, task) for row in np.flatnonzero(rows).tolist() if (task := tasks[row]) is not None]
        self._prepare([task for _, task in chosen])
        engine = self.engine
        starts = beginnings([self._start_of(task) for _, task in chosen], engine.settle, self._ahead.halves)
        self._ahead.drop(engine, [row for row, _ in chosen])
        for (row, task), kept in zip(chosen, starts, strict=True):
            hidden = task["partially_observable"]
            self._tasks[row] = task
            engine.scene_of_row[row], engine.kernel_of_row[row] = self._place(task)
            engine.states[row, : kept.state.size] = kept.state
            engine.overrides[row, : kept.moved.size] = kept.moved
            engine.params[row, 0] = 0.0 if hidden else 1.0
            engine.params[row, 1 : 1 + kept.start.size] = kept.start
            engine.memory[row, : kept.memory.size] = kept.memory
            engine.obs[row] = kept.obs
            if hidden:
                engine.obs[row, sawyer.GOAL] = 0.0
            self.goals[row] = kept.goal
        return engine.obs

    def expect(self, tasks: Mapping[int, Task], steps: int) -> None:
        """Prepares the next episodes of rows while their present ones go on. It changes no number.

        Args:
            tasks: by row, the task that comes next as far as is known.
            steps: after how many steps at the latest.
        """
        wanted = {row: self._start_of(task) for row, task in tasks.items()}
        self._ahead.expect(self.engine, wanted, steps)

    @staticmethod
    def _start_of(task: Task) -> Key:
        """Returns what the start of a task's episodes depends on."""
        return Key(skill_of(task), task["rand_vec"], physics_of(task))

    def step(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> RowStep:
        """See `Rows.step`."""
        self._join_goals()
        ahead, engine = self._ahead, self.engine
        meanwhile = functools.partial(ahead.work, engine) if ahead.has_work else None
        return self._outcome(engine.step(actions, rows, spare=ahead.turns, meanwhile=meanwhile))

    def step_chunk(
        self,
        actions: NDArray[np.floating],
        rows: NDArray[np.bool_],
        left: NDArray[np.int64],
        ends: NDArray[np.bool_],
        *,
        ends_by_itself: bool,
        each_obs: bool,
        spare: int = 0,
    ) -> RowChunk:
        """See `ChunkRows.step_chunk`. What is prepared ahead has the work of as many steps."""
        ahead, steps = self._ahead, actions.shape[1]
        for _ in range(steps):
            if not ahead.has_work:
                break
            ahead.work(self.engine)
        return super().step_chunk(
            actions,
            rows,
            left,
            ends,
            ends_by_itself=ends_by_itself,
            each_obs=each_obs,
            spare=spare + steps * ahead.turns,
        )

    def step_async(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> None:
        """See `Rows.step_async`."""
        self._join_goals()
        self.engine.step_async(actions, rows, spare=self._ahead.turns)
        if self._ahead.has_work:
            self._ahead.work(self.engine)

    def step_shared(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> None:
        """See `EngineRows.step_shared`."""
        self._join_goals()
        self.engine.step_async(actions, rows, spare=self._ahead.turns, shared=self._takes_part(rows))
        if self._ahead.has_work:
            self._ahead.work(self.engine)

    def send(self, actions: NDArray[np.floating], rows: NDArray[np.int64], *, spare: int = 0) -> None:
        """See `SendingRows.send`."""
        turns = math.ceil(
            self._ahead.turns * len(rows) / self.num_rows
        )  # in all rows together as many as in a step
        super().send(actions, rows, spare=spare + turns)
        if self._ahead.has_work:
            self._ahead.work(self.engine)

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """See `Rows.set_state`."""
        super().set_state(state, source)
        self._ahead.drop(self.engine)

    def render(self) -> tuple[Any, ...]:
        """See `Rows.render`."""
        renderer = self._painter()
        return tuple(renderer.render(*self._shown(row)) for row in range(self.num_rows))

    def pictures(self, views: Views, rows: NDArray[np.bool_]) -> Sequence[tuple[NDArray[Any], ...]]:
        """See `Rows.pictures`."""
        from taskworlds.rendering import drawing  # only where pictures are wanted: it prepares OpenGL

        renderer = self._painter()
        jobs = [renderer.job(views, *self._shown(row)) for row in np.flatnonzero(rows).tolist()]
        return drawing.spread(jobs, views)

    def _painter(self) -> RowRenderer:
        if self._renderer is None:
            from taskworlds.worlds.metaworld.row_renderer import RowRenderer

            mode, camera = self._draw
            self._renderer = RowRenderer(mode, **camera)
        return self._renderer

    def _shown(self, row: int) -> tuple[Skill, NDArray[np.float64], NDArray[np.float64], Physics, Look]:
        """Returns a row's skill, its state, the values of the skill's `moves`, and the factors of its task."""
        scene = self.engine.scene_of_row[row]
        each, task = self._skills[scene], self._tasks[row]
        size = self.engine.scenes[scene].native.state_size
        moved = self.engine.overrides[row, : 3 * len(each.moves)]
        factors = ((), ()) if task is None else (physics_of(task), look_of(task))
        return each, self.engine.states[row, :size], moved, *factors

    def close(self) -> None:
        """See `Rows.close`."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
        super().close()


_SceneKey = tuple[
    str, bool
]  # a skill's name, and whether rows have the numbers of physical factors as their own


def _scene_key(task: Task) -> _SceneKey:
    return task.env_name, bool(physics_of(task))


def scene_of(skill: Skill, *, varied: bool = False) -> Scene:
    """Makes the scene of a skill: its model, how the arm is driven, what resets move, and what the kernel reads.

    Args:
        skill: the skill.
        varied: whether rows have numbers of their own wherever physical factors of a task may change the model.
    """
    reads = tuple((ARM_READS | dict(skill.reads)).values())
    model = metaworld_model(skill.model)
    return Scene(
        model,
        frame_skip=sawyer.FRAME_SKIP,
        mocap=MocapControl(
            "mocap",
            low=skill.hand_low,
            high=skill.hand_high,
            scale=sawyer.ACTION_SCALE,
            quat=sawyer.HAND_QUAT,
        ),
        controls=((3, 1.0), (3, -1.0)),
        overrides=skill.moves + (changed_places(model.to_mujoco(), skill.name) if varied else ()),
        reads=reads,
    )
