"""The command line: `taskworlds evaluate`, `record`, `demonstrate` and so on, one file each.

The commands import what they need when they run, so that `taskworlds --help` and the lists load no simulator.

A parameter of a command has the name of the Python argument that it sets, so the message of a `Mistake` can name the
option instead. Errors that are not a `Mistake` come from the user's policy or from a defect, and keep their traceback.

Exit codes: 0 all is well; 1 something could not be done (tasks failed, a package is missing); 2 a mistake in the call,
reported in one line; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from taskworlds.cli import (
    bench,
    cache,
    compare,
    demonstrate,
    doctor,
    evaluate,
    listing,
    merge,
    record,
    replay,
    report,
    watch,
)
from taskworlds.cli.terminal import console, say_mistake
from taskworlds.core.errors import Mistake
from taskworlds.core.version import __version__

__all__ = ["app", "main"]

# What Typer raises for options and arguments that do not parse. It exports only this subclass.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


class _Command(TyperCommand):
    """A command that tells a user's mistake, and Ctrl-C, in one line."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Reads the arguments."""
        try:
            return super().make_context(*args, **kwargs)
        except Mistake as mistake:  # in the file of --config
            say_mistake(str(mistake))
            raise typer.Exit(2) from None

    def invoke(self, ctx: Any) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except Mistake as mistake:
            options = {each.name: each.opts[0] for each in self.params if each.param_type_name == "option"}
            option = options.get(mistake.argument or "")
            say_mistake(str(mistake) if option is None else mistake.under_name(option))
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            console(stderr=True).print("stopped")
            raise typer.Exit(130) from None


app = typer.Typer(
    help="Multi-task and meta-RL environments in which the task is a value.",
    epilog="Start with: taskworlds evaluate MT10",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=_Command, epilog="Example: taskworlds evaluate ML10-test --num-goals 10 --out results")(
    evaluate.evaluate
)
app.command(cls=_Command, epilog="Example: taskworlds record MT10 --every 4 --out videos")(record.record)
app.command(cls=_Command, epilog="Example: taskworlds watch reach-v3 --num-goals 3")(watch.watch)
app.command(cls=_Command, epilog="Example: taskworlds replay results --task 1e9fe5 --out episode.mp4")(
    replay.replay
)
app.command(cls=_Command, epilog="Example: taskworlds demonstrate MT10 --episodes 50 --format minari")(
    demonstrate.demonstrate
)
app.command("list", cls=_Command, epilog="Example: taskworlds list skills")(listing.show_list)
app.command(cls=_Command, epilog="Example: taskworlds compare results/a results/b")(compare.compare)
app.command(cls=_Command, epilog="Example: taskworlds merge parts/1 parts/2 --out results/all")(merge.merge)
app.command(cls=_Command, epilog="Example: taskworlds report results/a results/b --out report.html")(
    report.report
)
app.command(cls=_Command, epilog="Example: taskworlds bench MT10")(bench.bench)
app.command(cls=_Command, epilog="Example: taskworlds doctor")(doctor.doctor)
app.command(cls=_Command, epilog="Example: taskworlds cache clear")(cache.cache)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"taskworlds {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line, and exits.

    Args:
        arguments: what follows `taskworlds`; None for those of this process.
    """
    command = typer.main.get_command(app)
    given = None if arguments is None else list(arguments)
    try:
        code = command.main(args=given, prog_name="taskworlds", standalone_mode=False)
    except _UsageError as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "taskworlds"
        message = error.format_message()  # type: ignore[attr-defined]
        say_mistake(f"{message}{'' if message.endswith(('.', '?')) else '.'} `{path} --help` shows more.")
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    sys.exit(code or 0)
