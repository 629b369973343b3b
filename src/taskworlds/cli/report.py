"""`taskworlds report`: results as one HTML page to look at and to send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from taskworlds.cli.config import ConfigFile
from taskworlds.cli.terminal import console, say_mistake
from taskworlds.core.errors import WrongValue

__all__ = ["report"]


def report(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULT",
            help="Give methods: each a result.json, the folder that holds it, or a folder of such folders, which are "
            "runs (training seeds) of one method.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Write the page to this file.")] = Path(
        "report.html"
    ),
    title: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Head the page with this. The default is the benchmark's name."),
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Put the mp4 files of this folder into the page, which `taskworlds record --out` wrote.",
        ),
    ] = None,
    x_label: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="Say what the numbers in the names of checkpoints are, such as steps."
        ),
    ] = "checkpoint",
    curve: Annotated[
        bool,
        typer.Option(
            "--curve/--no-curve",
            help="Draw results of one policy at several checkpoints as a learning curve, at the last whole number in "
            "the checkpoint's name, else in the result folder's; or show each as a method of its own.",
        ),
    ] = True,
    allow_different: Annotated[
        bool,
        typer.Option(
            "--allow-different", help="Go on even if settings or versions differ, and say so on the page."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is already there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the file and its size as JSON.")] = False,
    config_file: ConfigFile = None,
) -> None:
    """Writes a page about one or several results: what was run, success by skill, differences, learning curves.

    The page is one file that needs no network. Of several results, each later one is compared with each earlier one;
    all must have been measured in the same way.
    """
    _check(out, force=force)
    # These load a simulator, which `taskworlds --help` can do without.
    from taskworlds.evaluation.alike import Unlike
    from taskworlds.evaluation.methods import load_methods
    from taskworlds.reports import report as write

    try:
        methods = load_methods(results, allow_different=allow_different)
        write(
            out,
            *methods,
            title=title,
            videos=videos,
            x_label=x_label,
            curve=curve,
            allow_different=allow_different,
        )
    except Unlike as unlike:
        raise WrongValue(
            f"{Unlike.reason(unlike.differences)} Evaluate again under the same conditions, or pass --allow-different."
        ) from None
    except (ImportError, OSError) as error:
        reason = (
            f"{out} could not be written: {error.strerror}." if isinstance(error, OSError) else str(error)
        )
        say_mistake(reason)
        raise typer.Exit(1) from None
    size = out.stat().st_size
    if as_json:
        print(json.dumps({"file": str(out), "bytes": size}))
        return
    console().print(f"wrote {out}, {_in_words(size)}", markup=False, soft_wrap=True)


def _check(out: Path, *, force: bool) -> None:
    """Raises, before anything is read, unless a file can be written there."""
    if out.is_dir():
        raise WrongValue(
            f"out must be a file, and {out} is a folder. Give a file's name in it.", argument="out"
        )
    if out.exists() and not force:
        raise WrongValue(
            f"out must be a new file, but {out} is already there. Give another name, or --force to overwrite it.",
            argument="out",
        )
    if not out.parent.is_dir():
        raise WrongValue(
            f"out must be in a folder that is there, which {out.parent} is not. Make the folder, or give another file.",
            argument="out",
        )


def _in_words(size: int) -> str:
    """Returns a size in bytes as people write it.

    Example:
        >>> _in_words(210_956), _in_words(4_200_000)
        ('211 kB', '4.2 MB')
    """
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
