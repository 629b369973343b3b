"""Meta-World's rows on the native engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from taskworlds.engine import Engine, Fault, MocapControl, Scene, metaworld_model
from taskworlds.task import Task
from taskworlds.vector.rows import RowFault, RowStep
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.beginnings import beginnings
from taskworlds.worlds.metaworld.compiling import kernels
from taskworlds.worlds.metaworld.kernel import ARM_READS, MEMORY_SIZE, TERM_NAMES, TERM_SIZE, param_size
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.skills import skill

if TYPE_CHECKING:
    from taskworlds.worlds.metaworld.rendering import RowRenderer

__all__ = ["NativeRows"]

_ARRAYS = ("states", "overrides", "params", "memory", "obs", "terms")
_FRAME_SKIP = 5
_DIVERGED = Fault.BAD_QPOS | Fault.BAD_QVEL | Fault.BAD_QACC | Fault.STATE_NOT_FINITE


class NativeRows:
    """Rows of Meta-World skills, stepped by C++ threads. See `taskworlds.vector.rows.Rows`.

    Args:
        env_names: skills to be ready for; others are added when a task of theirs comes.
        num_rows: how many rows, N.
        reward_function_version: "v1" or "v2".
        num_threads: threads; None for as many as the process has cores.
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
        self.num_rows = num_rows
        self._draw = (render_mode, camera)
        self._renderer: RowRenderer | None = None
        self._version = reward_function_version
        self._num_threads = num_threads
        self._skills: list[Skill] = []
        self._tasks: list[Task | None] = [None] * num_rows
        self._goals = np.zeros((num_rows, 3))
        self._engine: Engine | None = None
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
        self._engine = Engine(
            [_scene(each) for each in self._skills],
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
            for name in _ARRAYS:
                values = getattr(old, name)
                getattr(self._engine, name)[:, : values.shape[1]] = values
            self._engine.scene_of_row[:] = old.scene_of_row
            self._engine.kernel_of_row[:] = old.kernel_of_row
            old.close()

    @property
    def engine(self) -> Engine:
        """The engine that steps the rows."""
        assert self._engine is not None
        return self._engine

    def reset(
        self, tasks: Sequence[Task | None], rows: NDArray[np.bool_], seeds: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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
            self._goals[row] = kept.goal
        return engine.obs, self._goals

    def step(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> RowStep:
        """See `Rows.step`."""
        self.engine.step(actions, rows)
        return self._outcome(rows)

    def step_async(self, actions: NDArray[np.floating], rows: NDArray[np.bool_]) -> None:
        """See `Rows.step_async`."""
        self._stepping = rows
        self.engine.step_async(actions, rows)

    def step_wait(self) -> RowStep:
        """See `Rows.step_wait`."""
        self.engine.step_wait()
        return self._outcome(self._stepping)

    def _outcome(self, rows: NDArray[np.bool_]) -> RowStep:
        engine = self.engine
        terms = engine.terms
        np.copyto(self._goals, terms[:, -3:], where=rows[:, None])
        named = dict(zip(TERM_NAMES, terms[:, 1 : 1 + len(TERM_NAMES)].T.copy(), strict=True))
        faults = self._faults() if engine.faults.any() else ()
        return RowStep(engine.obs, terms[:, 0], named, self._goals, faults=faults)

    def _faults(self) -> list[RowFault]:
        """Gives the rows that could not be stepped, and those whose simulation diverged."""
        found = []
        for row in np.flatnonzero(self.engine.faults).tolist():
            fault = Fault(int(self.engine.faults[row]))
            if fault & (Fault.ERROR | Fault.NOT_STEPPED):
                found.append(RowFault(row, self.engine.error(row) or str(fault.name), went_on=False))
            elif fault & _DIVERGED:
                found.append(RowFault(row, repr(fault), went_on=True))
        return found

    def get_state(self) -> dict[str, Any]:
        """See `Rows.get_state`."""
        engine = self.engine
        return {name: getattr(engine, name).copy() for name in _ARRAYS} | {
            "skills": [each.name for each in self._skills],
            "skill_of_row": engine.scene_of_row.copy(),
            "tasks": [task and task.to_json() for task in self._tasks],
            "goals": self._goals.copy(),
        }

    def set_state(self, state: Any, source: NDArray[np.int64]) -> None:
        """See `Rows.set_state`."""
        if not isinstance(state, dict) or "skill_of_row" not in state:
            raise ValueError(
                "The state was taken on another engine; only the engine that took it can put it back."
            )
        self._add(state["skills"])
        engine = self.engine
        for name in _ARRAYS:
            values = state[name]
            getattr(engine, name)[:, : values.shape[1]] = values[source]
        index = np.array([self._index[name] for name in state["skills"]], dtype=np.int32)
        texts = [state["tasks"][row] for row in source]
        self._tasks = [text and Task.from_json(text) for text in texts]
        engine.scene_of_row[:] = index[state["skill_of_row"][source]]
        engine.kernel_of_row[:] = np.where([task is None for task in self._tasks], -1, engine.scene_of_row)
        self._goals[:] = state["goals"][source]

    def render(self) -> tuple[Any, ...]:
        """See `Rows.render`."""
        mode, camera = self._draw
        if self._renderer is None:
            from taskworlds.worlds.metaworld.rendering import RowRenderer

            assert mode is not None
            self._renderer = RowRenderer(mode, **camera)
        pictures = []
        for row in range(self.num_rows):
            each = self._skills[self.engine.scene_of_row[row]]
            moved = self.engine.overrides[row, : 3 * len(each.moves)]
            size = self.engine.scenes[self.engine.scene_of_row[row]].native.state_size
            pictures.append(self._renderer.render(each, self.engine.states[row, :size], moved))
        return tuple(pictures)

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The native engine has no environment object in each row."""
        raise AttributeError(
            f"the native engine's rows have no attribute {name!r}. Meta-World's own environments have more: make the "
            'environment with vector_strategy="sync" to reach them.'
        )

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """See `call`."""
        return self.call(name)

    def set_attr(self, name: str, values: Sequence[Any]) -> None:
        """See `call`."""
        self.call(name)

    def close(self) -> None:
        """See `Rows.close`."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
        if self._engine is not None:
            self._engine.close()


def _scene(skill: Skill) -> Scene:
    reads = tuple((ARM_READS | dict(skill.reads)).values())
    return Scene(
        metaworld_model(skill.model),
        frame_skip=_FRAME_SKIP,
        mocap=MocapControl("mocap", low=skill.hand_low, high=skill.hand_high),
        controls=((3, 1.0), (3, -1.0)),
        overrides=skill.moves,
        reads=reads,
    )
