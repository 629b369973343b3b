"""`taskworlds replay`: an episode of a result, played again from the actions that were kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taskworlds.cli.config import ConfigFile
from taskworlds.cli.display import display
from taskworlds.cli.options import OUTPUT, PLAYED, Force
from taskworlds.cli.picture_options import (
    CameraId,
    CameraName,
    Captions,
    Every,
    Height,
    Shadows,
    Width,
)
from taskworlds.cli.terminal import console, counted, say_mistake

if TYPE_CHECKING:
    from taskworlds.videos import Replayed

__all__ = ["replay"]


def replay(
    result: Annotated[
        Path,
        typer.Argument(
            metavar="RESULT",
            help="Name a result.json, or the folder that holds it, of an evaluation with --keep-actions.",
        ),
    ],
    task: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="Play this task, by the id that tasks.csv shows, or its beginning.",
            rich_help_panel=PLAYED,
        ),
    ],
    episode: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Play the task's episode of this number.", rich_help_panel=PLAYED
        ),
    ] = 0,
    camera_name: CameraName = None,
    camera_id: CameraId = None,
    width: Width = None,
    height: Height = None,
    every: Every = 1,
    shadows: Shadows = True,
    captions: Captions = True,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw the episode to this mp4 or gif file.", rich_help_panel=OUTPUT
        ),
    ] = None,
    force: Force = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as JSON.", rich_help_panel=OUTPUT)
    ] = False,
    config_file: ConfigFile = None,
) -> None:
    """Plays an episode of a result again, checks that it comes out the same, and draws it if wanted.

    `taskworlds evaluate MT10 --keep-actions --out results` keeps what this needs.
    """
    # These load a simulator, which `taskworlds --help` can do without.
    from taskworlds.videos import CannotDraw, NotWritten
    from taskworlds.videos import replay as run

    is_live = console(stderr=True).is_terminal and "CI" not in os.environ
    try:
        with display(shown=out is not None and is_live) as shown:
            again = run(
                result,
                task,
                episode,
                out=out,
                every=every,
                camera_name=camera_name,
                camera_id=camera_id,
                width=width,
                height=height,
                shadows=shadows,
                captions=captions,
                force=force,
                on_picture=lambda done, total: shown.on_work(
                    f"{done} of {counted(total, 'picture')}", done, total
                ),
            )
    except FileNotFoundError as error:
        missing = f"{error.filename} does not exist." if error.filename else str(error)
        say_mistake(missing)
        raise typer.Exit(2) from None
    except (CannotDraw, ImportError, NotWritten) as error:
        say_mistake(str(error))
        raise typer.Exit(1) from None
    if as_json:
        print(json.dumps(_content(again), indent=1))
        return
    said, outcome = console(), again.episode
    success = "" if outcome.success_end is None else ", success" if outcome.success_end else ", failure"
    said.print(
        f"{again.task.env_name} (task {again.task.id}), episode {again.number}: {counted(outcome.length, 'step')}, "
        f"return {outcome.episode_return!r}{success}, the same as in {result}",
        markup=False,
        soft_wrap=True,
    )
    if again.video is not None:
        said.print(f"wrote {again.video.file}", markup=False, soft_wrap=True)


def _content(again: Replayed) -> dict[str, object]:
    return {
        "skill": again.task.env_name,
        "task": again.task.id,
        "params": dict(again.task.params),
        "episode": again.number,
        "success": again.episode.success_end,
        "return": again.episode.episode_return,
        "steps": again.episode.length,
        "file": None if again.video is None else str(again.video.file),
    }
