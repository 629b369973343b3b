"""`watch`: a policy's episodes in a window, as they are played."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from taskworlds.core.errors import WrongType, WrongValue, check_count
from taskworlds.core.task import Task
from taskworlds.evaluation.players import as_policy, play_in
from taskworlds.evaluation.playing import play_multi_task
from taskworlds.evaluation.policies import Actor, is_meta_learner
from taskworlds.evaluation.recording import Recording
from taskworlds.evaluation.records import Episode
from taskworlds.evaluation.rows import TaskRows
from taskworlds.evaluation.schedule import Ledger, Schedule
from taskworlds.rendering import offscreen
from taskworlds.videos.filming import CannotDraw
from taskworlds.videos.playing import Stage

__all__ = ["watch"]


def watch(
    policy: Any,
    benchmark: Any,
    *,
    camera_name: str | None = None,
    camera_id: int | None = None,
    width: int | None = None,
    height: int | None = None,
    split: str | None = None,
    env_name: str | None = None,
    num_goals: int | None = None,
    tasks: Iterable[Any] | None = None,
    episodes_per_task: int = 1,
    seed: int = 0,
    max_episode_steps: int | None = None,
    terminate_on_success: bool | None = None,
    reward_function_version: str | None = None,
    use_one_hot: bool | None = None,
    vector_strategy: str | None = None,
    on_outcome: Callable[[Task, Episode], None] | None = None,
) -> None:
    """Plays a policy on the tasks of a benchmark, one after the other, in a window, as fast as the simulation's time.

    Ctrl-C ends it.

    Args:
        policy: as for `taskworlds.evaluate`, but not a meta-learner.
        benchmark: a benchmark, by name or as an object, of a world that draws into windows.
        camera_name: this and the following are as for `taskworlds.make`.
        camera_id: a camera, by number.
        width: of the window, pixels.
        height: as `width`.
        split: this and the following are as for `taskworlds.evaluate`.
        env_name: the skill of "MT1" and "ML1".
        num_goals: goals for each skill of a benchmark that is named.
        tasks: play only these tasks.
        episodes_per_task: how many episodes of each task are played.
        seed: of goals, starts and the random policy.
        max_episode_steps: steps after which an episode is cut off.
        terminate_on_success: whether an episode ends with its first success.
        reward_function_version: Meta-World's "v1" or "v2".
        use_one_hot: whether observations end with the skill's one-hot.
        vector_strategy: the engine that steps the row.
        on_outcome: called with the task and the episode when one has ended.

    Raises:
        TypeError: an argument is of the wrong type, or the policy is a meta-learner.
        ValueError: an argument is out of range; the world does not draw into windows; a task cannot run.
        taskworlds.videos.CannotDraw: there is no display; a RuntimeError.
    """
    count = check_count("episodes_per_task", episodes_per_task)
    stage = Stage.of(
        benchmark,
        split=split,
        seed=seed,
        tasks=tasks,
        env_name=env_name,
        num_goals=num_goals,
        max_episode_steps=max_episode_steps,
        terminate_on_success=terminate_on_success,
        reward_function_version=reward_function_version,
        use_one_hot=use_one_hot,
        vector_strategy=vector_strategy,
    )
    world = stage.world
    if "human" not in world.render_modes:
        raise WrongValue(
            f"benchmark must be of a world that draws into windows, which {world.name} does not: `taskworlds record` "
            "makes videos of it.",
            argument="benchmark",
        )
    if (fault := offscreen.window_fault()) is not None:
        raise CannotDraw(
            f"Watching needs a window, and there is no display here ({fault}). `taskworlds record` makes videos "
            "without one."
        )
    player = as_policy(policy)
    if is_meta_learner(player):
        raise WrongType(
            "policy must be one that does not adapt to tasks, not a meta-learner.", argument="policy"
        )
    how = {"camera_name": camera_name, "camera_id": camera_id, "width": width, "height": height}
    for task in stage.tasks:
        _show(player, stage, task, count, {"render_mode": "human", **how}, on_outcome)


def _show(
    player: Any,
    stage: Stage,
    task: Task,
    count: int,
    how: dict[str, Any],
    on_outcome: Callable[[Task, Episode], None] | None,
) -> None:
    """Plays the episodes of a task in a window."""

    def ended(task: Task, number: int, episode: Episode, recording: Recording | None) -> None:
        if on_outcome is not None:
            on_outcome(task, episode)

    rows = stage.make_row(task, **how)
    try:
        _play(player, rows, stage, Ledger([task], 0, count, on_ended=ended))
    finally:
        rows.envs.close()


def _play(player: Any, rows: TaskRows, stage: Stage, ledger: Ledger) -> None:
    space = rows.envs.single_action_space
    actor = Actor(play_in(player, space, stage.seed), space, rows.num_envs)
    schedule = Schedule(ledger.tasks, ledger.quota, rows.skills)
    due = time.monotonic()
    for _ in play_multi_task(actor, rows, ledger, schedule):
        rows.envs.render()
        due = max(due + 1 / stage.world.render_fps, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
    if (failed := ledger.records()[0].error) is not None:
        raise WrongValue(f"{ledger.tasks[0].env_name} (task {ledger.tasks[0].id}) cannot run: {failed}.")
