"""`taskworlds cache`: the compiled kernels and models that are kept on disk."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from taskworlds.cli.completion import complete
from taskworlds.cli.terminal import console, counted
from taskworlds.core import cache as kept
from taskworlds.core.errors import WrongValue, check_choice

__all__ = ["cache"]

_ACTIONS = ("show", "clear")


def cache(
    what: Annotated[
        str,
        typer.Argument(
            metavar="show|clear",
            help="Show what is kept, or delete it.",
            autocompletion=complete(lambda: _ACTIONS),
        ),
    ] = "show",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the folder and its contents as JSON.")
    ] = False,
) -> None:
    """Shows the compiled kernels and models that are kept on disk, or deletes them.

    They are kept so that no process has to compile what another has compiled. Everything can be deleted at any time.
    The environment variable TASKWORLDS_CACHE_DIR names another folder.
    """
    check_choice("what", what, _ACTIONS)
    content = {
        kind: {"files": len(files), "bytes": sum(each.lstat().st_size for each in files)}
        for kind in kept.KINDS
        for files in [kept.files(kind)]
    }
    if what == "clear":
        for kind in kept.KINDS:
            try:
                kept.clear(kind)
            except OSError as error:
                raise WrongValue(
                    f"{error.filename or kept.folder()} cannot be deleted: {error.strerror}. Delete {kept.folder()} as "
                    "its owner."
                ) from None
    if as_json:
        print(
            json.dumps({"folder": os.fspath(kept.folder()), "cleared": what == "clear", **content}, indent=1)
        )
        return
    out = console()
    out.print(f"{kept.folder()}", markup=False, soft_wrap=True)
    done = " deleted" if what == "clear" else ""
    for kind, each in content.items():
        out.print(
            f"  {kind}: {counted(each['files'], 'file')}, {each['bytes'] / 1e6:,.1f} MB{done}",
            markup=False,
            soft_wrap=True,
        )
