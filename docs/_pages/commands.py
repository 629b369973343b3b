"""The reference of the command line, made from the program's own help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer.main

from taskworlds.cli import app


def write(page: Path) -> None:
    """Writes the page."""
    program = typer.main.get_command(app)
    lines = [
        "# Command line",
        "",
        "`taskworlds COMMAND --help` shows the same in the terminal.",
        "",
    ]
    for name, command in sorted(program.commands.items()):
        if not command.hidden:
            lines += of_command(f"taskworlds {name}", command)
    page.write_text("\n".join(lines))


def of_command(title: str, command: Any) -> list[str]:
    """Returns the section of a command, and those of its commands."""
    lines = [f"## {title}", "", plain(command.help or ""), ""]
    rows = [row for parameter in command.params if (row := of_parameter(parameter))]
    if rows:
        lines += ["| option | what it does |", "| --- | --- |", *rows, ""]
    for name, under in sorted(getattr(command, "commands", {}).items()):
        lines += [
            "#" + line if line.startswith("## ") else line for line in of_command(f"{title} {name}", under)
        ]
    return lines


def of_parameter(parameter: Any) -> str:
    """Returns the line of a parameter; an empty one for those that are not shown."""
    if getattr(parameter, "hidden", False) or parameter.name == "help":
        return ""
    metavar = parameter.metavar or parameter.name.upper()
    if parameter.param_type_name == "argument":
        name = f"`{metavar}`"
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
        name = ", ".join(f"`{each}`" if parameter.is_flag else f"`{each} {metavar}`" for each in names)
    about = plain(getattr(parameter, "help", None) or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (name, about)) + " |"


def plain(text: str) -> str:
    """Returns help as one paragraph a blank line, without the marks that only terminals need."""
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\\[", "[").split("\n\n"))
