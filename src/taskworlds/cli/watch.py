"""`taskworlds watch`: a policy's episodes in a window, as they are played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from taskworlds.cli.config import RunFile
from taskworlds.cli.options import (
    PLAYED,
    BenchmarkName,
    Checkpoint,
    Engine,
    EnvName,
    MaxEpisodeSteps,
    NumGoals,
    OneHot,
    Policy,
    PolicyArg,
    RewardVersion,
    Seed,
    Split,
    TaskIds,
    TerminateOnSuccess,
)
from taskworlds.cli.picture_options import CameraId, CameraName, Height, Width
from taskworlds.cli.policy import arguments_of, default_policy, load
from taskworlds.cli.tasks import chosen, of_one_world, played
from taskworlds.cli.terminal import console, counted, say_mistake
from taskworlds.core.errors import check_seed

if TYPE_CHECKING:
    from taskworlds.core.task import Task
    from taskworlds.evaluation import Episode

__all__ = ["watch"]


def watch(
    benchmark: BenchmarkName,
    policy: Policy = None,
    policy_arg: PolicyArg = None,
    checkpoint: Checkpoint = None,
    split: Split = None,
    env_name: EnvName = None,
    num_goals: NumGoals = None,
    task_ids: TaskIds = None,
    episodes_per_task: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Play N episodes of each task.", rich_help_panel=PLAYED),
    ] = 1,
    seed: Seed = 0,
    max_episode_steps: MaxEpisodeSteps = None,
    terminate_on_success: TerminateOnSuccess = True,
    reward_function_version: RewardVersion = None,
    use_one_hot: OneHot = False,
    vector_strategy: Engine = None,
    camera_name: CameraName = None,
    camera_id: CameraId = None,
    width: Width = None,
    height: Height = None,
    config_file: RunFile = None,
) -> None:
    """Shows a policy at work in a window: one task after the other, at the speed of the simulation.

    It needs a display; `taskworlds record` makes videos without one. Ctrl-C ends it.
    """
    # These load a simulator, which `taskworlds --help` can do without.
    from taskworlds.videos import CannotDraw
    from taskworlds.videos import watch as run

    check_seed(seed)
    made, split = played(benchmark, split, env_name, seed, num_goals)
    tasks = chosen(made, split, task_ids)
    world = of_one_world(made, tasks, "watch")
    player = load(default_policy(world, policy), arguments_of(policy_arg or ()), checkpoint)
    try:
        run(
            player,
            made,
            camera_name=camera_name,
            camera_id=camera_id,
            width=width,
            height=height,
            split=split,
            tasks=tasks,
            episodes_per_task=episodes_per_task,
            seed=seed,
            max_episode_steps=max_episode_steps,
            terminate_on_success=terminate_on_success and world.has_success,
            reward_function_version=reward_function_version,
            use_one_hot=use_one_hot or None,
            vector_strategy=vector_strategy,
            on_outcome=_say,
        )
    except CannotDraw as error:
        say_mistake(str(error))
        raise typer.Exit(1) from None


def _say(task: Task, episode: Episode) -> None:
    """Prints what came of an episode."""
    outcome = "" if episode.success_end is None else ", success" if episode.success_end else ", failure"
    console().print(
        f"{task.env_name} (task {task.id}): {counted(episode.length, 'step')}, return "
        f"{episode.episode_return:.2f}{outcome}",
        markup=False,
        soft_wrap=True,
    )
