"""`--config run.toml`: a file that holds options of a command; what is typed counts more."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from taskworlds.core.errors import WrongType, WrongValue, check_known

__all__ = ["NAME", "ConfigFile", "RunFile", "text_of"]

NAME = "run.toml"
"""The file that `taskworlds evaluate --out` writes beside a result."""

_OPTION = "config_file"
# Of an evaluation, how it goes and not what is played: a command that has no such option leaves it out.
_OF_EVALUATIONS = ("keep-actions", "workers", "address", "num-envs")


def _take(context: typer.Context, value: Path | None) -> None:
    """Has the options of a file stand where they are not typed."""
    if value is None:
        return
    content = _read(value)
    command: Any = context.command
    known = {name: each for each in command.params for name in _names(each)}
    found: dict[str, Any] = {}
    for key, given in content.items():
        name = key.replace("_", "-")
        if name not in known and name in _OF_EVALUATIONS and "benchmark" in known:
            continue
        if name not in known:
            name = check_known(
                "option", name, known, f"It stands in {value}; `{context.command_path} --help` shows all."
            )
        each = known[name]
        if each.name in found:
            raise WrongValue(f"{value} gives {each.opts[0]} twice, the second time as {key}: give it once.")
        found[each.name] = _value(each, name, given, f"{key} in {value}")
    context.default_map = {**(context.default_map or {}), **found}


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return content
    except OSError as error:
        raise WrongValue(f"--config must be a file that can be read, not {path}: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise WrongValue(f"--config must be a TOML file, which {path} is not: {error}.") from None


def _names(each: Any) -> list[str]:
    """Returns what an option or argument may be called in a file."""
    if each.name in (_OPTION, "help"):
        return []
    long = [
        name.lstrip("-")
        for name in (*each.opts, *each.secondary_opts)
        if not name.startswith("-") or len(name) > 2
    ]
    return list(dict.fromkeys([*long, each.name.replace("_", "-")]))


def _value(each: Any, name: str, given: Any, where: str) -> Any:
    """Returns a value of the file as the command line takes it."""
    is_switch = bool(getattr(each, "is_flag", False))
    if is_switch:
        if not isinstance(given, bool):
            raise WrongType(f"{where} must be true or false, not {given!r}.")
        return not given if f"--{name}" in each.secondary_opts else given
    several = each.multiple or each.nargs != 1
    if several and isinstance(given, dict):
        return [
            f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in given.items()
        ]
    values = given if several and isinstance(given, list) else [given]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            what = "a list of strings or numbers" if several else "a string or a number"
            raise WrongType(f"{where} must be {what}, not {given!r}.")
    return [str(value) for value in values] if several else str(given)


def text_of(context: Any, resolved: Mapping[str, Any], without: tuple[str, ...]) -> str:
    """Returns the options of a command as a file that `--config` takes.

    Args:
        context: of the command.
        resolved: by the name of the parameter, what a default stands for.
        without: parameters that are left out.
    """
    import tomli_w  # which only this needs

    content: dict[str, Any] = {}
    for each in context.command.params:
        value = resolved.get(each.name, context.params.get(each.name))
        if each.name in (*without, "help") or value is None or value == [] or value == ():
            continue
        name = max(each.opts, key=len).lstrip("-")  # Python's word, where a short one is there, too
        content[name] = list(value) if isinstance(value, list | tuple) else value
        if isinstance(value, Path):
            content[name] = str(value)
    return f"# taskworlds {context.command.name} --config THIS-FILE\n{tomli_w.dumps(content)}"


def _option(file: str) -> Any:
    return typer.Option(
        "--config",
        metavar="FILE",
        help=f"Take options from {file}. What is typed counts more.",
        callback=_take,
        is_eager=True,
    )


ConfigFile = Annotated[Path | None, _option("this TOML file")]
"""The option; a command's parameter for it is not used."""

RunFile = Annotated[Path | None, _option(f"this TOML file, such as the {NAME} of an evaluation")]
"""The same for commands that play what an evaluation plays."""
