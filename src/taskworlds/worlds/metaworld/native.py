"""Meta-World's rows on the native engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.core.task import Task
from taskworlds.engine import Engine, MocapControl, Scene
from taskworlds.rows.engine_rows import ROW_ARRAYS, EngineRows
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.compiling import kernels
from taskworlds.worlds.metaworld.kernel import ARM_READS, MEMORY_SIZE, TERM_SIZE, param_size
from taskworlds.worlds.metaworld.models import metaworld_model
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.skills import skill
from taskworlds.worlds.metaworld.starts import beginnings

if TYPE_CHECKING:
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
        self._draw = (render_mode, camera)
        self._renderer: RowRenderer | None = None
        self._version = reward_function_version
        self._num_threads = num_threads
        self._skills: list[Skill] = []
        self._index: dict[str, int] = {}
        self._add(env_names)

    def _add(self, env_names: Sequence[str]) -> None:
        """Makes the engine ready for more skills, keeping its rows as they are."""
        known = {each.name for each in self._skills}
        new = [skill(name) for name in dict.fromkeys(env_names) if name not in known]
        if not new:
            return
        self._skills += new
        self._index = {each.name: i for i, each in enumerate(self._skills)}
        old = self._engine
        self.engine = Engine(
            [scene_of(each) for each in self._skills],
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
            old.close()

    def _prepare(self, tasks: Sequence[Task]) -> None:
        self._add([task.env_name for task in tasks])

    def _place(self, task: Task) -> tuple[int, int]:
        index = self._index[task.env_name]
        return index, index

    def reset(
        self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """See `Rows.reset`."""
        chosen = [(row, task) for row in np.flatnonzero(rows).tolist() if (task := tasks[row]) is not None]
        self._add([task.env_name for _, task in chosen])
        engine = self.engine
        skills = [self._skills[self._index[task.env_name]] for _, task in chosen]
        starts = beginnings(
            [(each, task["rand_vec"]) for each, (_, task) in zip(skills, chosen, strict=True)]
        )
        for (row, task), kept in zip(chosen, starts, strict=True):
            hidden = task["partially_observable"]
            self._tasks[row] = task
            engine.scene_of_row[row] = engine.kernel_of_row[row] = self._index[task.env_name]
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

    def render(self) -> tuple[Any, ...]:
        """See `Rows.render`."""
        mode, camera = self._draw
        if self._renderer is None:
            from taskworlds.worlds.metaworld.row_renderer import RowRenderer

            assert mode is not None
            self._renderer = RowRenderer(mode, **camera)
        renderer, pictures = self._renderer, []
        for row in range(self.num_rows):
            each = self._skills[self.engine.scene_of_row[row]]
            moved = self.engine.overrides[row, : 3 * len(each.moves)]
            size = self.engine.scenes[self.engine.scene_of_row[row]].native.state_size
            pictures.append(renderer.render(each, self.engine.states[row, :size], moved))
        return tuple(pictures)

    def close(self) -> None:
        """See `Rows.close`."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
        super().close()


def scene_of(skill: Skill) -> Scene:
    """Makes the scene of a skill: its model, how the arm is driven, what resets move, and what the kernel reads."""
    reads = tuple((ARM_READS | dict(skill.reads)).values())
    return Scene(
        metaworld_model(skill.model),
        frame_skip=sawyer.FRAME_SKIP,
        mocap=MocapControl(
            "mocap",
            low=skill.hand_low,
            high=skill.hand_high,
            scale=sawyer.ACTION_SCALE,
            quat=sawyer.HAND_QUAT,
        ),
        controls=((3, 1.0), (3, -1.0)),
        overrides=skill.moves,
        reads=reads,
    )
