"""The options about pictures, which the commands that draw share."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = [
    "PICTURES",
    "CameraId",
    "CameraName",
    "Captions",
    "Every",
    "Height",
    "Shadows",
    "Width",
]

PICTURES = "Pictures"

CameraName = Annotated[
    str | None,
    typer.Option(
        "--camera-name",
        "--camera",
        metavar="NAME",
        help="Look through this camera of the model; the error about a wrong name lists them. The default is the "
        "world's own choice.",
        rich_help_panel=PICTURES,
    ),
]
CameraId = Annotated[
    int | None,
    typer.Option(
        min=-1,
        metavar="N",
        help="Look through the camera of this number; -1 is a free one.",
        rich_help_panel=PICTURES,
    ),
]
Width = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="PIXELS",
        help="Draw each episode so wide. The default is 480.",
        rich_help_panel=PICTURES,
    ),
]
Height = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="PIXELS",
        help="Draw each episode so high, without the caption. The default is 480.",
        rich_help_panel=PICTURES,
    ),
]
Every = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="N",
        help="Draw one picture every N steps. Drawing takes almost all the time, so 4 is four times as fast.",
        rich_help_panel=PICTURES,
    ),
]
Shadows = Annotated[
    bool,
    typer.Option(
        "--shadows/--no-shadows",
        help="Draw shadows. Without them a CPU takes a third of the time.",
        rich_help_panel=PICTURES,
    ),
]
Captions = Annotated[
    bool,
    typer.Option(
        "--captions/--no-captions",
        help="Write skill, goal, step, reward and success below each picture.",
        rich_help_panel=PICTURES,
    ),
]
