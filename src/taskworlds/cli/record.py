"""`taskworlds record`: videos of a policy's episodes, chosen by a rule."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taskworlds.cli.config import RunFile
from taskworlds.cli.display import Display, clock, display
from taskworlds.cli.options import (
    OUTPUT,
    PLAYED,
    BenchmarkName,
    Checkpoint,
    Engine,
    EnvName,
    MaxEpisodeSteps,
    NumEnvs,
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
from taskworlds.cli.picture_options import (
    CameraId,
    CameraName,
    Captions,
    Every,
    Height,
    Shadows,
    Width,
)
from taskworlds.cli.policy import arguments_of, default_policy, load
from taskworlds.cli.tasks import chosen, of_one_world, played
from taskworlds.cli.terminal import console, counted, say_mistake
from taskworlds.core.errors import check_seed

if TYPE_CHECKING:
    from taskworlds.videos import Plan, Video

__all__ = ["record"]

_CHOICE = "Which episodes"
_LISTED = 3  # episodes of a video, in the line about it


def record(
    benchmark: BenchmarkName,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Write the videos, and videos.json which lists them, to this folder.",
            rich_help_panel=OUTPUT,
        ),
    ],
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
    num_envs: NumEnvs = None,
    vector_strategy: Engine = None,
    choose: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="Show of each skill the first episodes, the first success, the first failure, both, or the best or "
            "worst by return. The default is both where there is success, and first elsewhere.",
            rich_help_panel=_CHOICE,
        ),
    ] = None,
    episodes: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Show N episodes of each skill, and with both N of either kind.",
            rich_help_panel=_CHOICE,
        ),
    ] = 1,
    per: Annotated[
        str,
        typer.Option(
            metavar="skill|episode|all",
            help="Make a video of each skill, its episodes side by side; of each episode; or one of all.",
            rich_help_panel=_CHOICE,
        ),
    ] = "skill",
    camera_name: CameraName = None,
    camera_id: CameraId = None,
    width: Width = None,
    height: Height = None,
    every: Every = 1,
    shadows: Shadows = True,
    captions: Captions = True,
    format: Annotated[
        str,
        typer.Option(
            metavar="mp4|gif|both",
            help="Write H.264, or GIFs, which are much larger and have at most 20 pictures per second.",
            rich_help_panel=OUTPUT,
        ),
    ] = "mp4",
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Delete the videos that the folder's videos.json lists first.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say nothing but what went wrong.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what videos.json holds.", rich_help_panel=OUTPUT)
    ] = False,
    config_file: RunFile = None,
) -> None:
    """Plays a policy on all tasks of a benchmark, and makes videos of some of its episodes.

    `taskworlds record MT10 --out videos` shows the first success and the first failure of each skill.
    """
    # These load a simulator, which `taskworlds --help` can do without.
    from taskworlds.evaluation.loading import origin_of
    from taskworlds.videos import CannotDraw, NotWritten
    from taskworlds.videos import record as run
    from taskworlds.videos.captions import check_pillow
    from taskworlds.videos.writing import check_ffmpeg

    check_seed(seed)
    made, split = played(benchmark, split, env_name, seed, num_goals)
    tasks = chosen(made, split, task_ids)
    world = of_one_world(made, tasks, "record")
    player = load(default_policy(world, policy), arguments_of(policy_arg or ()), checkpoint)
    try:
        check_ffmpeg()
        if captions:
            check_pillow()
    except ImportError as error:
        say_mistake(str(error))
        raise typer.Exit(1) from None
    screen = _Screen(quiet=quiet, as_json=as_json)
    screen.say(
        f"{made.name} {split}: {counted(len(tasks), 'task')} x {counted(episodes_per_task, 'episode')} of policy "
        f"{origin_of(player).in_words()}, seed {seed}"
    )
    try:
        with screen:
            run(
                player,
                made,
                out,
                choose=choose,
                episodes=episodes,
                per=per,
                format=format,
                every=every,
                camera_name=camera_name,
                camera_id=camera_id,
                width=width,
                height=height,
                shadows=shadows,
                captions=captions,
                force=force,
                split=split,
                tasks=tasks,
                episodes_per_task=episodes_per_task,
                seed=seed,
                max_episode_steps=max_episode_steps,
                terminate_on_success=terminate_on_success and world.has_success,
                reward_function_version=reward_function_version,
                use_one_hot=use_one_hot or None,
                num_envs=num_envs,
                vector_strategy=vector_strategy,
                on_episode=screen.on_episode,
                on_step=screen.on_step,
                on_plan=screen.on_plan,
                on_picture=screen.on_picture,
                on_video=screen.on_video,
            )
    except (CannotDraw, NotWritten) as error:
        say_mistake(f"{error} {screen.kept(out)}" if screen.plan is not None else str(error))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console(stderr=True).print(f"stopped. {screen.kept(out)}", markup=False, soft_wrap=True)
        raise typer.Exit(130) from None
    assert screen.plan is not None
    if as_json:
        print(json.dumps(screen.plan.listing(screen.videos), indent=1))
    if screen.plan.session.failed:
        first = screen.plan.session.failed[0]
        say_mistake(
            f"{len(screen.plan.session.failed)} of {counted(len(tasks), 'task')} could not run, the first of "
            f"{first.task.env_name}: {first.error}"
        )
        raise typer.Exit(1)
    if not screen.videos:
        say_mistake("No episode was found that --choose asks for, so there is no video.")
        raise typer.Exit(1)


class _Screen:
    """Says what is done, with one line that changes where there is a terminal.

    Args:
        quiet: whether nothing is said.
        as_json: whether standard output is for JSON alone.
    """

    def __init__(self, *, quiet: bool, as_json: bool) -> None:
        self._quiet = quiet
        self._console = console(stderr=as_json)
        self._is_live = not quiet and console(stderr=True).is_terminal and "CI" not in os.environ
        self._stack = contextlib.ExitStack()
        self._display: Display | None = None
        self._drawn = 0
        self.plan: Plan | None = None
        self.videos: list[Video] = []

    def __enter__(self) -> _Screen:
        self._show()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.close()

    def say(self, line: str) -> None:
        """Prints a line, between two changing ones."""
        if not self._quiet:
            self._stack.close()
            self._console.print(line, markup=False, soft_wrap=True)

    def _show(self) -> None:
        shown = self._is_live or (self.plan is None and not self._quiet)  # drawing has a line for each video
        self._display = self._stack.enter_context(display(shown=shown))

    def on_episode(self, done: int, total: int) -> None:
        """Told when an episode was played."""
        if self._display is not None:
            self._display.on_episode(done, total)

    def on_step(self, rows: int) -> None:
        """Told after each step."""
        if self._display is not None:
            self._display.on_step(rows)

    def on_plan(self, plan: Plan) -> None:
        """Told what will be drawn."""
        self.plan = plan
        for sentence in plan.choice.missing:
            self.say(sentence)
        if plan.videos:
            shown, trial = counted(len(plan.choice.episodes), "episode"), plan.trial
            self.say(
                f"drawing {shown}, {counted(plan.pictures, 'picture')} of {trial.width} x {trial.height}, "
                f"{1000 * trial.seconds:.0f} ms each: about {clock(plan.seconds)}"
            )
        self._show()

    def on_picture(self) -> None:
        """Told when a picture was drawn."""
        self._drawn += 1
        total = 0 if self.plan is None else self.plan.pictures
        if self._display is not None and self._drawn < total:
            self._display.on_work(f"{self._drawn} of {counted(total, 'picture')}", self._drawn, total)

    def on_video(self, video: Video) -> None:
        """Told when a file was written."""
        self.videos.append(video)
        self.say(f"wrote {video.file}: {_shown(video)}")
        self._show()

    def kept(self, folder: Path) -> str:
        """Returns what is left where not everything could be drawn, as a sentence."""
        if not self.videos:
            return "No video was finished."
        which = "video is" if len(self.videos) == 1 else "videos are"
        return f"{len(self.videos)} finished {which} in {folder}."


def _shown(video: Video) -> str:
    """Returns what a video shows, in a few words."""
    parts = []
    for each in video.episodes[:_LISTED]:
        episode = each.episode
        what = f"return {episode.episode_return:.2f}"
        if episode.success_end is not None:
            what = "success" if episode.success_end else "failure"
        parts.append(
            f"{what} after {counted(episode.length, 'step')} (task {each.task.id}, episode {each.number})"
        )
    more = len(video.episodes) - _LISTED
    return ", ".join(parts) + (f" and {more} more" if more > 0 else "")
