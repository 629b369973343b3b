"""`taskworlds merge`: the parts of an evaluation as one result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taskworlds.cli.config import NAME as CONFIG
from taskworlds.cli.config import ConfigFile
from taskworlds.cli.options import OUTPUT, AsJson, Force, Quiet
from taskworlds.cli.out_folder import FILES, OutFolder
from taskworlds.cli.terminal import console, counted, say_mistake
from taskworlds.core.errors import WrongValue

__all__ = ["merge"]

_WRITTEN = tuple(name for name in FILES if name != CONFIG)


def merge(
    parts: Annotated[
        list[Path],
        typer.Argument(
            metavar="PART",
            help="Give all parts of an evaluation, in any order, each as the folder that `taskworlds evaluate --part "
            "K/N --out` wrote or its result.json; or a folder that holds these folders.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help=f"Write {', '.join(_WRITTEN)} of the whole to this folder.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    config_file: ConfigFile = None,
) -> None:
    """Makes one result of the parts of an evaluation.

    It is the result that one process has of all tasks. Each part must be there once, and be of the same evaluation.
    """
    # These load a simulator, which `taskworlds --help` can do without.
    from taskworlds.evaluation import merge_parts
    from taskworlds.evaluation.alike import Unlike
    from taskworlds.evaluation.methods import load_results

    results = [result for path in parts for result in load_results(path)]
    try:
        whole = merge_parts(results)
    except Unlike as unlike:
        raise WrongValue(
            f"{unlike.reason(unlike.differences)} Evaluate all parts with the same settings and versions."
        ) from None
    except WrongValue as error:
        raise WrongValue(error.under_name("PART")) from None
    folder = None if out is None else OutFolder(out, force=force, resume=False)
    say = console(stderr=as_json)
    if as_json:
        print(whole.to_json())
    elif not quiet:
        say.print(whole.table())
    if not (quiet and as_json):
        told = [whole.headline, whole.worst_in_words, counted(len(whole.completed), "task")]
        told.append(f"of {counted(len(results), 'part')}")
        say.print(", ".join(filter(None, told)), markup=False, soft_wrap=True)
    if folder is not None:
        try:
            folder.write(whole, keep_actions=False)
        except OSError as error:
            say_mistake(f"The files could not be written to {folder.path}: {error.strerror}.")
            raise typer.Exit(1) from None
        if not quiet:
            names = ", ".join(str(folder.path / name) for name in _WRITTEN)
            say.print(f"wrote {names}", markup=False, soft_wrap=True)
    if whole.failed:
        first = whole.failed[0]
        say_mistake(
            f"{len(whole.failed)} of {counted(len(whole.tasks), 'task')} could not run and are not in any average, the "
            f"first of {first.task.env_name}: {first.error}"
        )
        raise typer.Exit(1)
