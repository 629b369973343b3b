"""The small worlds: `point`, whose tasks are goals, and one world for each map of the grid.

Nothing here imports Gymnasium at the top, since the import of Gymnasium loads this module by the hook of the ids.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from taskworlds.core.errors import WrongValue, check_count
from taskworlds.core.task import Task
from taskworlds.core.world import BenchmarkMaker, Listing, Tasks, World
from taskworlds.worlds.small.arena import ARENA_SIZE, MAX_MOVE, check_goal, sample_goals
from taskworlds.worlds.small.grid_map import MAPS, MOVES

if TYPE_CHECKING:
    import gymnasium as gym

    from taskworlds.rows.protocol import Rows
    from taskworlds.rows.python_row import PythonRow

__all__ = ["SMALL_WORLDS"]

_GOALS = 50  # of each split of the benchmark "point", as of Meta-World's
# The farthest sampled goal is 20 steps away, so a policy that walks straight needs less than half of it.
_POINT_STEPS = 50
# Gymnasium's limits for FrozenLake, whose maps 4x4 and 8x8 are. chain's goals are 14 steps away.
_GRID_STEPS = {"4x4": 100, "4x4_safe": 100, "8x8": 200, "chain": 100}
_CELL = 32  # pixels, of a map's cell in a picture

_LISTING = Listing("Small worlds", thing="what moves", varies="what varies")


def _world(name: str, **fields: Any) -> World:
    """Makes a world of one skill, with what all small worlds share."""
    return World(
        name=name,
        suite="small",
        skills=(name,),
        settings=("render_mode",),
        has_success=True,
        terms=("success",),
        has_random_starts=False,
        instructions="taskworlds.worlds.small.instructions:instructions",
        listing=_LISTING,
        packages=("numpy",),
        render_modes=("rgb_array",),
        **fields,
    )


# --- point --------------------------------------------------------------------------------------------------


def _point_actions() -> gym.spaces.Box:
    import gymnasium as gym  # see the top of the file

    return gym.spaces.Box(-MAX_MOVE, MAX_MOVE, (2,), np.float32)


def _point_observations(*, visible: bool, hidden: bool) -> gym.spaces.Box:
    import gymnasium as gym  # see the top of the file

    return gym.spaces.Box(-np.inf, np.inf, (3,), np.float32)


def _point_parts() -> dict[str, int]:
    return {"position": 2, "distance_to_goal": 1}


def _check_point(task: Task) -> None:
    """Raises TypeError or ValueError for a task that has no goal within the arena."""
    if set(task.params) != {"goal"}:
        raise WrongValue(
            f"A task of point has the parameter goal, (x, y), not {', '.join(task.params) or 'none'}. The benchmark "
            "point has such tasks."
        )
    check_goal(task["goal"], ARENA_SIZE)


def _point_tasks(seed: int, num_goals: int | None) -> Tasks:
    """Draws goals as `PointEnv.sample_tasks` does, those of each split from a generator of its own."""
    count = _GOALS if num_goals is None else check_count("num_goals", num_goals)
    train, test = (
        sample_goals(np.random.default_rng((seed, split)), count, ARENA_SIZE).tolist() for split in (0, 1)
    )
    return (
        tuple(Task("point", {"goal": tuple(goal)}) for goal in train),
        tuple(Task("point", {"goal": tuple(goal)}) for goal in test),
    )


def _point_described(env_name: str) -> tuple[str, str]:
    return "point", "come close to the goal"


_POINT = _world(
    "point",
    actions=_point_actions,
    observations=_point_observations,
    observed=_point_parts,
    max_episode_steps=_POINT_STEPS,
    benchmarks={
        "point": BenchmarkMaker(
            _point_tasks,
            has_test=True,
            train_skills=("point",),
            test_skills=("point",),
            num_goals=_GOALS,
            summary="where the goal is",
        )
    },
    row="taskworlds.worlds.small.row:PointRow",
    rows={"numpy": "taskworlds.worlds.small.numpy_rows:PointRows"},
    goal_size=2,
    task_check=_check_point,
    described=_point_described,
    render_fps=16,
    picture_size=(400, 400),
    classes=("taskworlds:PointEnv",),
    task_word="goal",
)


# --- grid ---------------------------------------------------------------------------------------------------


def _grid_actions() -> gym.spaces.Discrete[np.int64]:
    import gymnasium as gym  # see the top of the file

    return gym.spaces.Discrete(len(MOVES))


def _grid_observations(desc: str, *, visible: bool, hidden: bool) -> gym.spaces.Discrete[np.int64]:
    import gymnasium as gym  # see the top of the file

    return gym.spaces.Discrete(sum(len(row) for row in MAPS[desc]))


def _check_grid(name: str, task: Task) -> None:
    """Raises ValueError for a task with parameters."""
    if task.params:
        raise WrongValue(
            f"A task of {name} has no parameters, not {', '.join(task.params)}: its map is fixed."
        )


def _grid_tasks(name: str, seed: int, num_goals: int | None) -> Tasks:
    if num_goals not in (None, 1):
        raise WrongValue(
            f"num_goals must be 1 or None for {name}, not {num_goals!r}: it has one task, its map.",
            argument="num_goals",
        )
    return (Task(name),), ()


def _grid_described(env_name: str) -> tuple[str, str]:
    return "agent", "walk from the start to a goal"


def _grid_row(desc: str, **settings: Any) -> PythonRow:
    from taskworlds.worlds.small.row import GridRow  # see the top of the file

    return GridRow(desc, **settings)


def _grid_rows(desc: str, env_names: Sequence[str], num_rows: int, **settings: Any) -> Rows:
    from taskworlds.worlds.small.numpy_rows import GridRows  # see the top of the file

    return GridRows(desc, env_names, num_rows, **settings)


def _grid(desc: str) -> World:
    name = f"grid-{desc}"
    return _world(
        name,
        actions=_grid_actions,
        observations=functools.partial(_grid_observations, desc),
        max_episode_steps=_GRID_STEPS[desc],
        benchmarks={
            name: BenchmarkMaker(
                functools.partial(_grid_tasks, name),
                train_skills=(name,),
                test_skills=(),
                num_goals=1,
                summary="nothing: the map is the task",
            )
        },
        row=functools.partial(_grid_row, desc),
        rows={"numpy": functools.partial(_grid_rows, desc)},
        task_check=functools.partial(_check_grid, name),
        described=_grid_described,
        render_fps=8,
        picture_size=(_CELL * len(MAPS[desc]), _CELL * len(MAPS[desc][0])),
        classes=("taskworlds:GridWorldEnv",),
    )


SMALL_WORLDS: tuple[World, ...] = (_POINT, *(_grid(desc) for desc in MAPS))
